"""Use cases of coupons. Checkout uses lock, write-off, unlock and reversal as parts of its own transactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.db import Tx
from chassis.errors import AppError, RequestIdReused
from chassis.ids import derive, to_edge
from huitong.common.v1 import types_pb2
from huitong.mall.v1 import events_pb2
from services.mall.copies import StoreCopy, note_as_absorbed, person_of
from services.mall.coupons import rules, store
from services.mall.coupons.errors import (
    CouponInCheckout,
    CouponNotUsed,
    CouponUnknown,
    TemplateExhausted,
    TemplateInvalid,
    TemplateNotValidNow,
    TemplateUnknown,
)
from services.mall.coupons.rules import Coupon, Line, Template, WriteOff
from services.mall.errors import CodeTaken, LimitReached, MerchantUnknown, WrongStore


async def create_templates(
    tx: Tx, lines: Sequence[Template], *, known_merchants: set[UUID]
) -> list[Template | AppError]:
    """Create templates; a bad line is answered with its error and does not hold up the others.

    A template's row is the record of its request id: a retry answers the template as it was made.
    """
    problems = [_problem_of(line, known_merchants) for line in lines]
    good = [line for line, problem in zip(lines, problems, strict=True) if problem is None]
    await store.insert_templates(tx, _first_of_each(good))
    made = await store.find_templates(tx, request_ids=[line.request_id for line in lines])
    return [problem or _outcome(line, made.get(line.request_id)) for line, problem in zip(lines, problems, strict=True)]


def _first_of_each(lines: Sequence[Template]) -> list[Template]:
    """Of lines with one request id or one code only the first is tried; see _outcome for what the others hear."""
    request_ids: set[str] = set()
    codes: set[str] = set()
    first = []
    for line in lines:
        if line.request_id not in request_ids and line.code not in codes:
            first.append(line)
        request_ids.add(line.request_id)
        codes.add(line.code)
    return first


def _problem_of(line: Template, known_merchants: set[UUID]) -> AppError | None:
    if line.valid_until_time <= line.valid_from_time:
        return TemplateInvalid(field="valid_until_time", why="not after valid_from_time")
    if any(not category or len(category) > 64 for category in line.categories):
        return TemplateInvalid(field="categories", why="a category has 1 to 64 characters")
    if line.merchant_id is not None and line.merchant_id not in known_merchants:
        return MerchantUnknown(merchant_id=to_edge("mch", line.merchant_id))
    return None


def _outcome(line: Template, made: Template | None) -> Template | AppError:
    if made is None:
        return CodeTaken(code=line.code)
    return made if made.request_hash == line.request_hash else RequestIdReused(request_id=line.request_id)


async def issue_coupon(
    tx: Tx, *, coupon_id: UUID, code: str, template_id: UUID, merchant_id: UUID | None = None, member_id: UUID
) -> Coupon:
    """Give a member a coupon; it may be issued before it becomes valid, not after its end.

    A template for another merchant than the one that is named, if one is, is not known.
    Raises: TemplateUnknown, TemplateNotValidNow, TemplateExhausted, LimitReached.
    """
    person_id = await person_of(tx, member_id)
    if person_id != member_id:
        await note_as_absorbed(tx, member_id=member_id, item_id=coupon_id)
    member_id = person_id
    template = await get_template(tx, template_id)
    if merchant_id not in (None, template.merchant_id):
        raise TemplateUnknown(template_id=to_edge("cpt", template_id))
    if tx.now >= template.valid_until_time:
        raise TemplateNotValidNow(valid_until_time=template.valid_until_time.isoformat())
    if not await store.lock_and_count_one(tx, template_id):
        raise TemplateExhausted(quantity=template.quantity)
    if template.limit_per_member:
        # The template's row is locked: nothing can be issued beside us.
        count = await store.count_of_member(tx, template_id=template_id, member_id=member_id)
        if count >= template.limit_per_member:
            raise LimitReached(held_count=count, limit_per_member=template.limit_per_member)
    coupon = Coupon(
        group_id=tx.group_id,
        coupon_id=coupon_id,
        template_id=template_id,
        member_id=member_id,
        code=code,
        state=rules.ISSUED,
        issue_time=tx.now,
        use_time=None,
        checkout_id=None,
        valid_until_time=template.valid_until_time,
    )
    await store.insert_coupon(tx, coupon)
    return coupon


async def get_template(tx: Tx, template_id: UUID) -> Template:
    """Raises TemplateUnknown."""
    template = await store.find_template(tx, template_id)
    if template is None:
        raise TemplateUnknown(template_id=to_edge("cpt", template_id))
    return template


async def write_off_directly(
    tx: Tx, *, code: str, write_off_id: UUID, where: StoreCopy, receipt_no: str, lines: Sequence[Line]
) -> tuple[Coupon, Coupon, Template, WriteOff]:
    """Write a coupon off at a till, outside of a checkout; answers it first as it was.

    Raises: CouponUnknown, CouponUsed, CouponLocked, CouponExpired, CouponNotApplicable.
    """
    coupon = await store.lock_coupon_by_code(tx, code)
    if coupon is None:
        raise CouponUnknown
    rules.require_free(coupon)
    template = await get_template(tx, coupon.template_id)
    discount_minor = rules.discount_for(template, merchant_id=where.merchant_id, lines=lines, now=tx.now)
    used, write_off = await _write_off(
        tx,
        coupon,
        template,
        write_off_id=write_off_id,
        where=where,
        receipt_no=receipt_no,
        discount_minor=discount_minor,
    )
    return coupon, used, template, write_off


async def _write_off(
    tx: Tx,
    coupon: Coupon,
    template: Template,
    *,
    write_off_id: UUID,
    where: StoreCopy,
    receipt_no: str,
    discount_minor: int,
) -> tuple[Coupon, WriteOff]:
    write_off = WriteOff(
        group_id=tx.group_id,
        write_off_id=write_off_id,
        coupon_id=coupon.coupon_id,
        template_id=coupon.template_id,
        member_id=coupon.member_id,
        merchant_id=where.merchant_id,
        store_id=where.store_id,
        receipt_no=receipt_no,
        discount_minor=discount_minor,
        currency_code=where.currency_code,
        platform_share_bps=template.platform_share_bps,
        write_off_time=tx.now,
        reverse_time=None,
    )
    await store.insert_write_off(tx, write_off)
    tx.emit(events_pb2.CouponWrittenOff(**_facts(write_off)), key=to_edge("cpn", coupon.coupon_id))
    return await store.update_coupon(tx, coupon.coupon_id, {"state": rules.USED, "use_time": tx.now}), write_off


def _facts(write_off: WriteOff) -> dict[str, Any]:
    """What both events say."""
    return {
        "write_off_id": to_edge("wof", write_off.write_off_id),
        "coupon_id": to_edge("cpn", write_off.coupon_id),
        "template_id": to_edge("cpt", write_off.template_id),
        "member_id": to_edge("mbr", write_off.member_id),
        "merchant_id": to_edge("mch", write_off.merchant_id),
        "store_id": to_edge("sto", write_off.store_id),
        "discount": types_pb2.Money(amount_minor=write_off.discount_minor, currency_code=write_off.currency_code),
        "platform_share_bps": write_off.platform_share_bps,
    }


async def reverse_directly(tx: Tx, *, code: str, store_id: UUID) -> tuple[Coupon, Coupon, Template]:
    """Take a till's write-off back; the coupon can be used again while it is valid. Answers it first as it was.

    Raises: CouponUnknown, CouponNotUsed, WrongStore, CouponInCheckout.
    """
    coupon = await store.lock_coupon_by_code(tx, code)
    if coupon is None:
        raise CouponUnknown
    write_off = await store.find_live_write_off(tx, coupon.coupon_id)
    if write_off is None:
        raise CouponNotUsed
    if write_off.store_id != store_id:
        raise WrongStore(store_id=to_edge("sto", store_id))
    if coupon.checkout_id is not None:
        raise CouponInCheckout(checkout_id=to_edge("chk", coupon.checkout_id))
    return coupon, await _reverse(tx, write_off), await get_template(tx, coupon.template_id)


async def _reverse(tx: Tx, write_off: WriteOff) -> Coupon:
    await store.reverse_write_off(tx, write_off.write_off_id)
    tx.emit(events_pb2.CouponWriteOffReversed(**_facts(write_off)), key=to_edge("cpn", write_off.coupon_id))
    return await _free(tx, write_off.coupon_id)


async def _free(tx: Tx, coupon_id: UUID) -> Coupon:
    return await store.update_coupon(tx, coupon_id, {"state": rules.ISSUED, "use_time": None, "checkout_id": None})


# ---- parts of a checkout


async def find_for_member(tx: Tx, *, code: str, member_id: UUID) -> tuple[Coupon, Template]:
    """The member's coupon, unlocked. Raises CouponUnknown, also for somebody else's."""
    coupon = await store.find_coupon_by_code(tx, code)
    if coupon is None or coupon.member_id not in (member_id, await person_of(tx, member_id)):
        raise CouponUnknown
    return coupon, await get_template(tx, coupon.template_id)


async def lock_for_checkout(tx: Tx, *, coupon_id: UUID, checkout_id: UUID) -> None:
    """Reserve a coupon (try). Raises CouponUsed, CouponLocked."""
    coupon = await store.lock_coupon(tx, coupon_id)
    if coupon is None:
        raise CouponUnknown
    rules.require_free(coupon)
    await store.update_coupon(tx, coupon_id, {"state": rules.LOCKED, "checkout_id": checkout_id})


async def write_off_locked(
    tx: Tx, *, coupon_id: UUID, checkout_id: UUID, where: StoreCopy, receipt_no: str, discount_minor: int
) -> None:
    """Write the coupon off that this checkout has locked (confirm); it cannot fail for a business reason."""
    coupon = await store.lock_coupon(tx, coupon_id)
    if coupon is None or coupon.state != rules.LOCKED or coupon.checkout_id != checkout_id:
        raise RuntimeError(f"checkout {checkout_id} does not hold the lock of its coupon {coupon_id}")
    await _write_off(
        tx,
        coupon,
        await get_template(tx, coupon.template_id),
        write_off_id=derive(checkout_id, "write_off"),
        where=where,
        receipt_no=receipt_no,
        discount_minor=discount_minor,
    )


async def give_back(tx: Tx, *, coupon_id: UUID, checkout_id: UUID) -> None:
    """Unlock the coupon or take its write-off back, whichever this checkout has done (cancel)."""
    coupon = await store.lock_coupon(tx, coupon_id)
    if coupon is None or coupon.checkout_id != checkout_id:
        return
    if coupon.state == rules.LOCKED:
        await _free(tx, coupon_id)
        return
    write_off = await store.find_live_write_off(tx, coupon_id)
    if write_off is not None:
        await _reverse(tx, write_off)
