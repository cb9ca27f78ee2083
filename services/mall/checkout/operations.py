"""Use cases of checkout: what happens in one transaction of the mall. The steps between them are in steps.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.db import Tx
from chassis.errors import AppError, InvalidArgument
from chassis.ids import derive, to_edge
from services.mall.checkout import rules, store
from services.mall.checkout.errors import CheckoutUnknown, CurrencyMismatch, LinesDoNotSum, ReceiptChanged
from services.mall.checkout.rules import Checkout, NetLine, OffsetQuote
from services.mall.copies import StoreCopy, person_of
from services.mall.coupons import operations as coupons
from services.mall.coupons import rules as coupon_rules
from services.mall.coupons import store as coupon_store
from services.mall.coupons.rules import Coupon, Template
from services.mall.errors import WrongStore
from services.mall.saga import CLOCK, require_same

# Coupons that a quote looks at, those that expire soonest first.
QUOTED_COUPONS = 200


@dataclass(frozen=True, slots=True)
class Purchase:
    """What a till wants to check out, before any discount."""

    where: StoreCopy
    member_id: UUID
    total_minor: int
    lines: Sequence[NetLine]


@dataclass(frozen=True, slots=True)
class CheckoutPlan:
    """A purchase and how it is to be paid."""

    purchase: Purchase
    request_id: str
    request_hash: bytes
    receipt_no: str
    sale_time: datetime
    coupon_code: str
    offset_points: int
    offset: OffsetQuote
    pool_id: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A coupon that fits, and what it takes off."""

    coupon: Coupon
    template: Template
    discount_minor: int


def checkout_id_of(group_id: UUID, request_id: str) -> UUID:
    """The checkout that a request makes; the row is the request's own record, so a retry finds it."""
    return derive(group_id, "checkout", request_id)


def check_lines(lines: Sequence[NetLine], total_minor: int) -> None:
    """Raises LinesDoNotSum, or InvalidArgument when a line number comes twice."""
    lines_minor = sum(line.amount_minor for line in lines)
    if lines_minor != total_minor:
        raise LinesDoNotSum(lines_minor=lines_minor, total_minor=total_minor)
    if len({line.line_no for line in lines}) != len(lines):
        raise InvalidArgument([("lines.line_no", "must be unique in the sale")])


def check_currency(where: StoreCopy, currency_code: str) -> None:
    """Raises CurrencyMismatch."""
    if currency_code != where.currency_code:
        raise CurrencyMismatch(store_currency=where.currency_code, currency=currency_code)


async def list_offers(tx: Tx, purchase: Purchase) -> list[Offer]:
    """The member's coupons that fit, best first; of equal ones the one that expires soonest."""
    offers = []
    person_id = await person_of(tx, purchase.member_id)
    for coupon, template in await coupon_store.list_usable_coupons(tx, member_id=person_id, limit=QUOTED_COUPONS):
        try:
            discount_minor = _discount(tx, purchase, template)
        except AppError:
            continue
        offers.append(Offer(coupon, template, discount_minor))
    return sorted(offers, key=lambda offer: -offer.discount_minor)


async def preview_discount(tx: Tx, purchase: Purchase, coupon_code: str) -> int:
    """What a coupon would take off. Raises as write-off does."""
    coupon, template = await coupons.find_for_member(tx, code=coupon_code, member_id=purchase.member_id)
    coupon_rules.require_free(coupon)
    return _discount(tx, purchase, template)


def _discount(tx: Tx, purchase: Purchase, template: Template) -> int:
    return coupon_rules.discount_for(template, merchant_id=purchase.where.merchant_id, lines=purchase.lines, now=tx.now)


async def find_same(tx: Tx, *, request_id: str, request_hash: bytes) -> Checkout | None:
    """The checkout that this request made before, or None. Raises RequestIdReused."""
    known = await store.find_checkout(tx, checkout_id_of(tx.group_id, request_id))
    if known is not None:
        require_same(request_id=request_id, known_hash=known.request_hash, new_hash=request_hash)
    return known


async def open_checkout(tx: Tx, plan: CheckoutPlan) -> tuple[Checkout, bool]:
    """Write the checkout down and lock its coupon; answers it and whether it is new.

    Raises: CouponUnknown, CouponUsed, CouponLocked, CouponExpired, CouponNotApplicable, OffsetTooLarge,
    ReceiptChanged, RequestIdReused. A raised error leaves no trace.
    """
    known = await find_same(tx, request_id=plan.request_id, request_hash=plan.request_hash)
    if known is not None:
        return known, False
    coupon, template, discount_minor = await _find_coupon(tx, plan)
    new = _new_checkout(tx, plan, coupon, template, discount_minor)
    opened = await store.insert_checkout(tx, new)
    if opened is None:
        return await _opened_by_another(tx, plan), False
    if coupon is not None:
        await coupons.lock_for_checkout(tx, coupon_id=coupon.coupon_id, checkout_id=new.checkout_id)
    return opened, True


async def _find_coupon(tx: Tx, plan: CheckoutPlan) -> tuple[Coupon | None, Template | None, int]:
    if not plan.coupon_code:
        return None, None, 0
    coupon, template = await coupons.find_for_member(tx, code=plan.coupon_code, member_id=plan.purchase.member_id)
    return coupon, template, _discount(tx, plan.purchase, template)


def _new_checkout(
    tx: Tx, plan: CheckoutPlan, coupon: Coupon | None, template: Template | None, discount_minor: int
) -> Checkout:
    purchase = plan.purchase
    offset_minor = rules.offset_worth(
        plan.offset.rule, offset_points=plan.offset_points, order_minor=purchase.total_minor - discount_minor
    )
    lines = rules.spread(
        purchase.lines,
        discount_minor=discount_minor,
        offset_minor=offset_minor,
        is_eligible=lambda line: template is not None and coupon_rules.is_eligible(template, line),
    )
    return Checkout(
        group_id=tx.group_id,
        checkout_id=checkout_id_of(tx.group_id, plan.request_id),
        request_id=plan.request_id,
        request_hash=plan.request_hash,
        state=rules.first_state(plan.offset_points),
        attempt_count=0,
        next_attempt_time=None,
        last_error=None,
        reject_status=None,
        store_id=purchase.where.store_id,
        merchant_id=purchase.where.merchant_id,
        member_id=purchase.member_id,
        receipt_no=plan.receipt_no,
        sale_time=plan.sale_time,
        currency_code=purchase.where.currency_code,
        total_minor=purchase.total_minor,
        discount_minor=discount_minor,
        offset_minor=offset_minor,
        offset_points=plan.offset_points,
        offset_quote_token=plan.offset.token,
        pool_id=plan.pool_id,
        coupon_id=coupon.coupon_id if coupon else None,
        lines=rules.to_json(lines),
        hold_id=None,
        sale_id=None,
        redemption_txn_id=None,
        earned_points=0,
        available_points=0,
        explanation=None,
        void_request_id=None,
        void_time=None,
    )


async def _opened_by_another(tx: Tx, plan: CheckoutPlan) -> Checkout:
    """The checkout that was in the way: the same request's, else the same receipt's."""
    known = await find_same(tx, request_id=plan.request_id, request_hash=plan.request_hash)
    if known is not None:
        return known
    other = await store.find_by_receipt(tx, store_id=plan.purchase.where.store_id, receipt_no=plan.receipt_no)
    raise ReceiptChanged(receipt_no=plan.receipt_no, checkout_id=to_edge("chk", other.checkout_id) if other else "")


async def commit_coupon(tx: Tx, checkout: Checkout) -> None:
    """The checkout is done: its coupon is used."""
    if checkout.coupon_id is None:
        return
    await coupons.write_off_locked(
        tx,
        coupon_id=checkout.coupon_id,
        checkout_id=checkout.checkout_id,
        where=_where(checkout),
        receipt_no=checkout.receipt_no,
        discount_minor=checkout.discount_minor,
    )


async def give_back_coupon(tx: Tx, checkout: Checkout) -> None:
    """Nothing is left of the checkout when it is final; while work is left the coupon stays with it."""
    if checkout.coupon_id is not None and checkout.state in rules.GIVEN_BACK:
        await coupons.give_back(tx, coupon_id=checkout.coupon_id, checkout_id=checkout.checkout_id)


def _where(checkout: Checkout) -> StoreCopy:
    return StoreCopy(
        group_id=checkout.group_id,
        store_id=checkout.store_id,
        merchant_id=checkout.merchant_id,
        business_unit_id=UUID(int=0),
        time_zone="",
        currency_code=checkout.currency_code,
    )


async def get_checkout(tx: Tx, *, checkout_id: UUID, store_id: UUID) -> Checkout:
    """Raises CheckoutUnknown, WrongStore."""
    return _of_store(await store.find_checkout(tx, checkout_id), checkout_id=checkout_id, store_id=store_id)


async def void_checkout(tx: Tx, *, checkout_id: UUID, store_id: UUID, request_id: str) -> tuple[Checkout, Checkout]:
    """Begin to give everything back; answers the checkout as it was and as it is. One that is still under way is
    marked, and gives back as soon as it knows what it has taken. Raises CheckoutUnknown, WrongStore."""
    checkout = _of_store(await store.lock_checkout(tx, checkout_id), checkout_id=checkout_id, store_id=store_id)
    if checkout.void_request_id or checkout.state in rules.GIVEN_BACK:
        return checkout, checkout
    values: dict[str, object] = {"void_request_id": request_id, "void_time": tx.now}
    if checkout.state == rules.COMMITTED:
        values |= {"state": rules.VOIDING, "next_attempt_time": CLOCK}
    return checkout, await store.update_checkout(tx, checkout_id, values)


def _of_store(checkout: Checkout | None, *, checkout_id: UUID, store_id: UUID) -> Checkout:
    if checkout is None:
        raise CheckoutUnknown(checkout_id=to_edge("chk", checkout_id))
    if checkout.store_id != store_id:
        raise WrongStore(store_id=to_edge("sto", store_id))
    return checkout
