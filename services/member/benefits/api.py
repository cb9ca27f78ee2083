"""BenefitService: proto → plain values → operation → proto."""

from __future__ import annotations

import time
from datetime import datetime
from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis import pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.identity import CallerKind
from chassis.ids import from_edge
from chassis.rpc import caller
from huitong.member.v1 import benefits_pb2, benefits_pb2_grpc
from services.member.benefits import operations, store
from services.member.benefits.errors import BenefitNeedsCode
from services.member.benefits.operations import Held
from services.member.benefits.rules import ONCE, Benefit, Kind, Period
from services.member.convert import member_id_of
from services.member.errors import MemberCodeInvalid, MemberUnknown
from services.member.merging import store as merge_store
from services.member.operations import identify_by_code
from services.member.rules import is_plain
from services.member.tiers import store as tier_store
from services.member.tiers.operations import date_message


class BenefitServicer(benefits_pb2_grpc.BenefitServiceServicer):
    """Benefits of tiers, and their use."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault = db, vault

    async def SetTierBenefits(
        self, request: benefits_pb2.SetTierBenefitsRequest, context: Context
    ) -> benefits_pb2.SetTierBenefitsResponse:
        """See the proto."""
        for one in request.benefits:
            _check_plain("benefits.name", one.name + one.name_zh)
        benefits = [
            Benefit(
                tier_code=request.tier_code,
                benefit_code=one.benefit_code,
                kind=Kind(one.kind),
                name=one.name,
                name_zh=one.name_zh,
                quota=one.quota,
                period=Period(one.period),
                price_bps=one.price_bps,
            )
            for one in request.benefits
        ]

        async def operation(tx: Tx) -> benefits_pb2.SetTierBenefitsResponse:
            before = await store.list_benefits(tx, tier_code=request.tier_code)
            tx.before = benefits_pb2.SetTierBenefitsResponse(benefits=map(_benefit_message, before))
            saved = await operations.set_benefits(tx, request.tier_code, benefits)
            return benefits_pb2.SetTierBenefitsResponse(benefits=map(_benefit_message, saved))

        return await self._db.run_once(request, benefits_pb2.SetTierBenefitsResponse, operation)

    async def ListTierBenefits(
        self, request: benefits_pb2.ListTierBenefitsRequest, context: Context
    ) -> benefits_pb2.ListTierBenefitsResponse:
        """See the proto."""
        _check_plain("tier_code", request.tier_code)
        size = pages.page_size(request.page_size)
        tier_code, benefit_code = pages.decode_token(request.page_token, 2) if request.page_token else ("", "")
        _check_plain("page_token", tier_code + benefit_code)
        async with self._db.reading(caller()) as tx:
            found = await store.list_benefits(
                tx, tier_code=request.tier_code, after=(tier_code, benefit_code), limit=size + 1
            )
        token = ""
        if len(found) > size:
            token = pages.encode_token(found[size - 1].tier_code, found[size - 1].benefit_code)
        return benefits_pb2.ListTierBenefitsResponse(
            benefits=[
                benefits_pb2.TierBenefit(tier_code=one.tier_code, benefit=_benefit_message(one)) for one in found[:size]
            ],
            next_page_token=token,
        )

    async def ListMyBenefits(
        self, request: benefits_pb2.ListMyBenefitsRequest, context: Context
    ) -> benefits_pb2.ListMyBenefitsResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            held = await operations.list_held(tx, member_id_of(request.member_id))
        return benefits_pb2.ListMyBenefitsResponse(benefits=map(_held_message, held))

    async def CheckBenefit(
        self, request: benefits_pb2.CheckBenefitRequest, context: Context
    ) -> benefits_pb2.CheckBenefitResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            held = await operations.check(tx, member_id_of(request.member_id), request.benefit_code)
        reason = held.refusal(request.quantity or 1)
        return benefits_pb2.CheckBenefitResponse(is_usable=not reason, benefit=_held_message(held), reason=reason)

    async def UseBenefit(
        self, request: benefits_pb2.UseBenefitRequest, context: Context
    ) -> benefits_pb2.UseBenefitResponse:
        """See the proto."""
        member_id = member_id_of(request.member_id)
        store_id = _store_id(request.store_id)
        _check_plain("reference", request.reference)
        if caller().kind is CallerKind.TERMINAL and not request.member_code:
            raise BenefitNeedsCode

        async def operation(tx: Tx) -> benefits_pb2.UseBenefitResponse:
            if request.member_code:
                await self._use_up_code(tx, request, member_id)
            use, left = await operations.use(
                tx,
                member_id,
                request.benefit_code,
                quantity=request.quantity or 1,
                reference=request.reference,
                store_id=store_id,
            )
            return benefits_pb2.UseBenefitResponse(use=operations.use_message(use), left=left)

        return await self._db.run_once(request, benefits_pb2.UseBenefitResponse, operation)

    async def _use_up_code(self, tx: Tx, request: benefits_pb2.UseBenefitRequest, member_id: UUID) -> None:
        """Raises what the proto says of codes."""
        shown = await identify_by_code(
            tx,
            self._vault,
            request.member_code,
            spend_request_id=f"benefit {request.request_id}",
            real_time_s=time.time(),
        )
        people = await merge_store.people_of(tx, member_id)
        if shown.member_id not in people[:1]:
            raise MemberCodeInvalid

    async def ReturnBenefit(
        self, request: benefits_pb2.ReturnBenefitRequest, context: Context
    ) -> benefits_pb2.ReturnBenefitResponse:
        """See the proto."""
        use_id = from_edge("bus", request.use_id, "use_id")
        store_id = _store_id(request.store_id)

        async def operation(tx: Tx) -> benefits_pb2.ReturnBenefitResponse:
            use = await operations.give_back(tx, use_id, only_store_id=store_id)
            return benefits_pb2.ReturnBenefitResponse(use=operations.use_message(use))

        return await self._db.run_once(request, benefits_pb2.ReturnBenefitResponse, operation)

    async def CancelBenefitUse(
        self, request: benefits_pb2.CancelBenefitUseRequest, context: Context
    ) -> benefits_pb2.CancelBenefitUseResponse:
        """See the proto."""
        member_id = member_id_of(request.member_id)
        _check_plain("reference", request.reference)

        async def operation(tx: Tx) -> benefits_pb2.CancelBenefitUseResponse:
            use = await operations.cancel(tx, member_id, request.benefit_code, reference=request.reference)
            return benefits_pb2.CancelBenefitUseResponse(use=operations.use_message(use) if use else None)

        return await self._db.run_once(request, benefits_pb2.CancelBenefitUseResponse, operation)

    async def ListBenefitUses(
        self, request: benefits_pb2.ListBenefitUsesRequest, context: Context
    ) -> benefits_pb2.ListBenefitUsesResponse:
        """See the proto."""
        member_id = member_id_of(request.member_id)
        size = pages.page_size(request.page_size)
        before = None
        if request.page_token:
            seen, use_id = pages.decode_token(request.page_token, 2)
            try:
                before = datetime.fromisoformat(seen), UUID(use_id)
            except ValueError:
                raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
        async with self._db.reading(caller()) as tx:
            if await tier_store.find_standing(tx, member_id) is None:
                raise MemberUnknown
            people = await merge_store.people_of(tx, member_id)
            found = await store.list_uses(tx, people, before=before, limit=size + 1)
        token = ""
        if len(found) > size:
            token = pages.encode_token(found[size - 1].use_time.isoformat(), found[size - 1].use_id)
        return benefits_pb2.ListBenefitUsesResponse(
            uses=map(operations.use_message, found[:size]), next_page_token=token
        )


def _check_plain(field: str, text: str) -> None:
    if not is_plain(text):
        raise InvalidArgument([(field, "has control characters")])


def _store_id(text: str) -> UUID | None:
    return from_edge("sto", text, "store_id") if text else None


def _benefit_message(one: Benefit) -> benefits_pb2.Benefit:
    return benefits_pb2.Benefit(
        benefit_code=one.benefit_code,
        kind=int(one.kind),  # type: ignore[arg-type]
        name=one.name,
        name_zh=one.name_zh,
        quota=one.quota,
        period=int(one.period),  # type: ignore[arg-type]
        price_bps=one.price_bps,
    )


def _held_message(held: Held) -> benefits_pb2.MemberBenefit:
    return benefits_pb2.MemberBenefit(
        benefit=_benefit_message(held.benefit),
        tier_code=held.benefit.tier_code,
        used=held.used,
        left=held.left,
        period_start_date=date_message(held.period_start) if held.period_start != ONCE else None,
        is_usable=not held.refusal(1),
    )
