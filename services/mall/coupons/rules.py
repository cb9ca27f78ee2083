"""Templates, coupons, and what a coupon takes off a purchase. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.mall.coupons.errors import CouponExpired, CouponLocked, CouponNotApplicable, CouponUsed

ISSUED, LOCKED, USED = "ISSUED", "LOCKED", "USED"

# Why a coupon does not fit; the `why` of COUPON_NOT_APPLICABLE.
NOT_YET_VALID, WRONG_MERCHANT, NO_ELIGIBLE_LINE, MIN_SPEND = "NOT_YET_VALID", "STORE", "CATEGORY", "MIN_SPEND"


@dataclass(frozen=True, slots=True)
class Template:
    """A row of coupon_template. Amounts are minor units; a template never changes, its counter aside."""

    group_id: UUID
    template_id: UUID
    request_id: str
    request_hash: bytes
    code: str
    name: str
    amount_off_minor: int
    min_spend_minor: int
    # Empty: all categories.
    categories: Sequence[str]
    # None: any merchant.
    merchant_id: UUID | None
    valid_from_time: datetime
    # First instant at which it is no longer valid.
    valid_until_time: datetime
    # 0: no limit.
    quantity: int
    issued_count: int
    limit_per_member: int
    platform_share_bps: int


@dataclass(frozen=True, slots=True)
class Coupon:
    """A row of coupon."""

    group_id: UUID
    coupon_id: UUID
    template_id: UUID
    member_id: UUID
    code: str
    state: str
    issue_time: datetime
    use_time: datetime | None
    checkout_id: UUID | None
    valid_until_time: datetime


@dataclass(frozen=True, slots=True)
class WriteOff:
    """A row of coupon_write_off: one use of one coupon at one store."""

    group_id: UUID
    write_off_id: UUID
    coupon_id: UUID
    template_id: UUID
    member_id: UUID
    merchant_id: UUID
    store_id: UUID
    receipt_no: str
    discount_minor: int
    currency_code: str
    platform_share_bps: int
    write_off_time: datetime
    reverse_time: datetime | None


class Line(Protocol):
    """A line of a purchase, as far as coupons care."""

    @property
    def amount_minor(self) -> int:
        """What the line costs."""

    @property
    def category(self) -> str:
        """The merchant's item category."""


def is_eligible(template: Template, line: Line) -> bool:
    """Whether a line counts for the template."""
    return not template.categories or line.category in template.categories


def discount_for(template: Template, *, merchant_id: UUID, lines: Sequence[Line], now: datetime) -> int:
    """What the coupon takes off a purchase at a store of `merchant_id`: min(amount off, eligible amount), minor units.

    Raises CouponExpired, or CouponNotApplicable with the reason why.
    """
    if now >= template.valid_until_time:
        raise CouponExpired(valid_until_time=template.valid_until_time.isoformat())
    if now < template.valid_from_time:
        raise CouponNotApplicable(why=NOT_YET_VALID, valid_from_time=template.valid_from_time.isoformat())
    if template.merchant_id is not None and template.merchant_id != merchant_id:
        raise CouponNotApplicable(why=WRONG_MERCHANT)
    eligible_minor = sum(line.amount_minor for line in lines if is_eligible(template, line))
    if eligible_minor <= 0:
        raise CouponNotApplicable(why=NO_ELIGIBLE_LINE)
    if eligible_minor < template.min_spend_minor:
        raise CouponNotApplicable(
            why=MIN_SPEND, min_spend_minor=template.min_spend_minor, eligible_minor=eligible_minor
        )
    return min(template.amount_off_minor, eligible_minor)


def require_free(coupon: Coupon) -> None:
    """Raises CouponUsed or CouponLocked."""
    if coupon.state == USED:
        raise CouponUsed(use_time=coupon.use_time.isoformat() if coupon.use_time else "")
    if coupon.state == LOCKED:
        raise CouponLocked
