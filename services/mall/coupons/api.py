"""CouponService."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

import grpc

from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from chassis.ids import derive, from_edge, optional_from_edge, to_edge
from chassis.pages import decode_token, encode_token, page_size
from chassis.rpc import caller, validate
from huitong.common.v1 import types_pb2
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc
from services.mall.codes import Codes, as_typed
from services.mall.copies import Copies, person_of
from services.mall.coupons import operations, rules, store
from services.mall.coupons.rules import Coupon, Template
from services.mall.saga import request_hash

Context: TypeAlias = grpc.aio.ServicerContext
MOST_TEMPLATES = 1000


class CouponServicer(mall_pb2_grpc.CouponServiceServicer):
    """Money-off coupons."""

    def __init__(self, db: Database, copies: Copies, codes: Codes) -> None:
        self._db, self._copies, self._codes = db, copies, codes

    async def CreateTemplate(
        self, request: mall_pb2.CreateTemplateRequest, _: Context
    ) -> mall_pb2.CreateTemplateResponse:
        """See the proto."""
        (outcome,) = await self._create([request])
        if isinstance(outcome, AppError):
            raise outcome
        return mall_pb2.CreateTemplateResponse(template=template_to_proto(outcome))

    async def CreateTemplates(
        self, request: mall_pb2.CreateTemplatesRequest, _: Context
    ) -> mall_pb2.CreateTemplatesResponse:
        """See the proto."""
        if not 1 <= len(request.templates) <= MOST_TEMPLATES:
            raise InvalidArgument([("templates", f"must have 1 to {MOST_TEMPLATES} items")])
        outcomes = await self._create(request.templates)
        return mall_pb2.CreateTemplatesResponse(results=[_result(outcome) for outcome in outcomes])

    async def _create(self, requests: Sequence[mall_pb2.CreateTemplateRequest]) -> list[Template | AppError]:
        """Each line's template or error, in order. One transaction, three statements."""
        group_id = caller().group_id
        lines = [_template_or_error(group_id, request) for request in requests]
        good = [line for line in lines if isinstance(line, Template)]
        wanted = [line.merchant_id for line in good if line.merchant_id is not None]
        known_merchants = await self._copies.merchants(group_id, wanted)
        async with self._db.transaction(caller()) as tx:
            made = iter(await operations.create_templates(tx, good, known_merchants=known_merchants))
            outcomes = [next(made) if isinstance(line, Template) else line for line in lines]
            tx.after = mall_pb2.CreateTemplatesResponse(results=map(_result, outcomes))
        return outcomes

    async def IssueCoupon(self, request: mall_pb2.IssueCouponRequest, _: Context) -> mall_pb2.IssueCouponResponse:
        """See the proto."""
        group_id = caller().group_id
        template_id = from_edge("cpt", request.template_id, "template_id")
        member_id = from_edge("mbr", request.member_id, "member_id")
        merchant_id = optional_from_edge("mch", request.merchant_id, "merchant_id")
        coupon_id = derive(group_id, "coupon", request.request_id)
        await self._copies.require_member(group_id, member_id)

        async def issue(tx: Tx) -> mall_pb2.IssueCouponResponse:
            code = self._codes.coupon(coupon_id)
            coupon = await operations.issue_coupon(
                tx,
                coupon_id=coupon_id,
                code=code,
                template_id=template_id,
                merchant_id=merchant_id,
                member_id=member_id,
            )
            template = await operations.get_template(tx, template_id)
            return mall_pb2.IssueCouponResponse(coupon=coupon_to_proto(coupon, template))

        return await self._db.run_once(request, mall_pb2.IssueCouponResponse, issue)

    async def ListCoupons(self, request: mall_pb2.ListCouponsRequest, _: Context) -> mall_pb2.ListCouponsResponse:
        """See the proto."""
        member_id = from_edge("mbr", request.member_id, "member_id")
        limit = page_size(request.page_size)
        after = _read_token(request.page_token)
        merchant_id = optional_from_edge("mch", request.merchant_id, "merchant_id")
        await self._copies.require_member(caller().group_id, member_id)
        async with self._db.reading(caller()) as tx:
            member_id = await person_of(tx, member_id)
            found = await store.list_coupons(
                tx, member_id=member_id, merchant_id=merchant_id, after=after, limit=limit + 1
            )
        response = mall_pb2.ListCouponsResponse(coupons=[coupon_to_proto(*pair) for pair in found[:limit]])
        if len(found) > limit:
            last, _template = found[limit - 1]
            response.next_page_token = encode_token(last.valid_until_time.isoformat(), last.coupon_id.hex)
        return response

    async def WriteOffCoupon(
        self, request: mall_pb2.WriteOffCouponRequest, _: Context
    ) -> mall_pb2.WriteOffCouponResponse:
        """See the proto."""
        where = await self._copies.store(caller().group_id, from_edge("sto", request.store_id, "store_id"))

        async def write_off(tx: Tx) -> mall_pb2.WriteOffCouponResponse:
            before, coupon, template, done = await operations.write_off_directly(
                tx,
                code=as_typed(request.coupon_code),
                write_off_id=derive(tx.group_id, "write_off", request.request_id),
                where=where,
                receipt_no=request.receipt_no,
                lines=request.lines,
            )
            tx.before = mall_pb2.WriteOffCouponResponse(coupon=coupon_to_proto(before, template))
            return mall_pb2.WriteOffCouponResponse(
                coupon=coupon_to_proto(coupon, template),
                discount=types_pb2.Money(amount_minor=done.discount_minor, currency_code=done.currency_code),
            )

        return await self._db.run_once(request, mall_pb2.WriteOffCouponResponse, write_off)

    async def ReverseWriteOff(
        self, request: mall_pb2.ReverseWriteOffRequest, _: Context
    ) -> mall_pb2.ReverseWriteOffResponse:
        """See the proto."""
        store_id = from_edge("sto", request.store_id, "store_id")

        async def reverse(tx: Tx) -> mall_pb2.ReverseWriteOffResponse:
            before, coupon, template = await operations.reverse_directly(
                tx, code=as_typed(request.coupon_code), store_id=store_id
            )
            tx.before = mall_pb2.ReverseWriteOffResponse(coupon=coupon_to_proto(before, template))
            return mall_pb2.ReverseWriteOffResponse(coupon=coupon_to_proto(coupon, template))

        return await self._db.run_once(request, mall_pb2.ReverseWriteOffResponse, reverse)


def _template_or_error(group_id: UUID, request: mall_pb2.CreateTemplateRequest) -> Template | AppError:
    try:
        validate(request)
        merchant_id = optional_from_edge("mch", request.merchant_id, "merchant_id")
    except InvalidArgument as error:
        return error
    return Template(
        group_id=group_id,
        template_id=derive(group_id, "coupon_template", request.code),
        request_id=request.request_id,
        request_hash=request_hash(request),
        code=request.code,
        name=request.name,
        amount_off_minor=request.amount_off_minor,
        min_spend_minor=request.min_spend_minor,
        categories=list(request.categories),
        merchant_id=merchant_id,
        valid_from_time=request.valid_from_time.ToDatetime(UTC),
        valid_until_time=request.valid_until_time.ToDatetime(UTC),
        quantity=request.quantity,
        issued_count=0,
        limit_per_member=request.limit_per_member,
        platform_share_bps=request.platform_share_bps,
    )


def _result(outcome: Template | AppError) -> mall_pb2.CreateTemplatesResult:
    if isinstance(outcome, AppError):
        return mall_pb2.CreateTemplatesResult(problem=outcome.to_problem())
    return mall_pb2.CreateTemplatesResult(created=mall_pb2.CreateTemplateResponse(template=template_to_proto(outcome)))


def _read_token(token: str) -> tuple[datetime, UUID] | None:
    if not token:
        return None
    until, coupon_id = decode_token(token, 2)
    try:
        return datetime.fromisoformat(until), UUID(hex=coupon_id)
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None


def template_to_proto(template: Template) -> mall_pb2.CouponTemplate:
    """The template as callers see it."""
    message = mall_pb2.CouponTemplate(
        template_id=to_edge("cpt", template.template_id),
        code=template.code,
        name=template.name,
        amount_off_minor=template.amount_off_minor,
        min_spend_minor=template.min_spend_minor,
        categories=template.categories,
        merchant_id=to_edge("mch", template.merchant_id) if template.merchant_id else "",
        quantity=template.quantity,
        limit_per_member=template.limit_per_member,
        platform_share_bps=template.platform_share_bps,
    )
    message.valid_from_time.FromDatetime(template.valid_from_time)
    message.valid_until_time.FromDatetime(template.valid_until_time)
    return message


_STATES = {
    rules.ISSUED: mall_pb2.COUPON_STATE_ISSUED,
    rules.LOCKED: mall_pb2.COUPON_STATE_LOCKED,
    rules.USED: mall_pb2.COUPON_STATE_USED,
}


def coupon_to_proto(coupon: Coupon, template: Template) -> mall_pb2.Coupon:
    """The coupon as callers see it, with its template."""
    message = mall_pb2.Coupon(
        coupon_id=to_edge("cpn", coupon.coupon_id),
        code=coupon.code,
        member_id=to_edge("mbr", coupon.member_id),
        template=template_to_proto(template),
        state=_STATES[coupon.state],
    )
    if coupon.use_time is not None:
        message.use_time.FromDatetime(coupon.use_time)
    return message
