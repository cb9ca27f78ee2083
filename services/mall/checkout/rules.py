"""A checkout, its states, and how discounts spread over the lines of a purchase. Pure.

HOLDING ──▶ RECORDING ──▶ CAPTURING ──▶ COMMITTED ──▶ VOIDING ──▶ REVERSING ──▶ VOIDED
   │            │              └─ the hold had timed out ─▶ VOIDING
   └────────────┴──▶ RELEASING ──▶ REJECTED | VOIDED

Without points to spend it begins at RECORDING and needs neither CAPTURING nor RELEASING.

What can fail for a business reason comes first: points are held, then the sale is recorded, and only then is anything
taken for good.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.errors import InvalidArgument
from chassis.units import largest_remainder, share_floor
from services.mall.checkout.errors import OffsetTooLarge, OffsetTooSmall

HOLDING = "HOLDING"
RECORDING = "RECORDING"
CAPTURING = "CAPTURING"
COMMITTED = "COMMITTED"
RELEASING = "RELEASING"
REJECTED = "REJECTED"
VOIDING = "VOIDING"
REVERSING = "REVERSING"
VOIDED = "VOIDED"

# In these there is nothing to void.
GIVEN_BACK = (REJECTED, VOIDED)


@dataclass(frozen=True, slots=True)
class NetLine:
    """A line of the purchase with what the coupon and the points took off it, minor units."""

    line_no: int
    amount_minor: int
    category: str
    item_code: str
    quantity: int
    coupon_share_minor: int = 0
    offset_share_minor: int = 0

    @property
    def net_minor(self) -> int:
        """What is paid in money."""
        return self.amount_minor - self.coupon_share_minor - self.offset_share_minor


@dataclass(frozen=True, slots=True)
class Checkout:
    """A row of checkout."""

    group_id: UUID
    checkout_id: UUID
    request_id: str
    request_hash: bytes
    state: str
    attempt_count: int
    next_attempt_time: datetime | None
    last_error: str | None
    reject_status: bytes | None
    store_id: UUID
    merchant_id: UUID
    member_id: UUID
    receipt_no: str
    sale_time: datetime
    currency_code: str
    total_minor: int
    discount_minor: int
    offset_minor: int
    offset_points: int
    offset_quote_token: str
    pool_id: str
    coupon_id: UUID | None
    lines: list[dict[str, Any]]
    hold_id: str | None
    sale_id: str | None
    redemption_txn_id: str | None
    earned_points: int
    available_points: int
    explanation: bytes | None
    void_request_id: str | None
    void_time: datetime | None

    @property
    def payable_minor(self) -> int:
        """What is paid in money; points are earned on it."""
        return self.total_minor - self.discount_minor - self.offset_minor

    @property
    def net_lines(self) -> list[NetLine]:
        """The lines as dataclasses."""
        return [NetLine(**line) for line in self.lines]

    def step_id(self, step: str) -> str:
        """The request id of one step: the same whenever the step is tried."""
        return f"{self.checkout_id.hex}-{step}"


def first_state(offset_points: int) -> str:
    """Where a checkout begins."""
    return HOLDING if offset_points else RECORDING


def after_sale(checkout: Checkout) -> str:
    """What follows once the sale is recorded."""
    return CAPTURING if checkout.hold_id else after_capture(checkout)


def after_capture(checkout: Checkout) -> str:
    """A checkout that was voided while it was under way goes straight on to giving everything back."""
    return VOIDING if checkout.void_request_id else COMMITTED


def after_release(checkout: Checkout) -> str:
    """Nothing was taken: refused by points, or voided before it began."""
    return REJECTED if checkout.reject_status else VOIDED


def after_refund(checkout: Checkout) -> str:
    """Spent points are given back last."""
    return REVERSING if checkout.redemption_txn_id else VOIDED


@dataclass(frozen=True, slots=True)
class OffsetRule:
    """`step_points` points are worth `step_minor`; at most `max_share_bps` of the order may be paid with them."""

    step_points: int
    step_minor: int
    max_share_bps: int

    def max_points(self, order_minor: int) -> int:
        """Most points that an order allows, whatever the member has: whole steps, rounded down."""
        if self.step_points <= 0 or self.step_minor <= 0:
            return 0
        return share_floor(order_minor, self.max_share_bps) // self.step_minor * self.step_points


@dataclass(frozen=True, slots=True)
class OffsetQuote:
    """The rule and, by terms of the group that go beyond it, what the order allows; `token` names them, "" for none."""

    rule: OffsetRule
    min_points: int = 0
    max_points: int = 0
    token: str = ""

    def check(self, offset_points: int) -> None:
        """Raises OffsetTooLarge, OffsetTooSmall."""
        if self.token and offset_points > self.max_points:
            raise OffsetTooLarge(max_points=self.max_points, requested_points=offset_points)
        if self.token and offset_points < self.min_points:
            raise OffsetTooSmall(min_points=self.min_points, requested_points=offset_points)


def offset_worth(rule: OffsetRule, *, offset_points: int, order_minor: int) -> int:
    """What `offset_points` take off an order of `order_minor` (after its coupon), minor units.

    Raises OffsetTooLarge, or InvalidArgument when the points are not a multiple of the step.
    """
    if offset_points == 0:
        return 0
    max_points = rule.max_points(order_minor)
    if offset_points > max_points:
        raise OffsetTooLarge(max_points=max_points, requested_points=offset_points)
    if offset_points % rule.step_points:
        raise InvalidArgument([("offset_points", f"must be a multiple of {rule.step_points}")])
    return offset_points // rule.step_points * rule.step_minor


def spread(
    lines: Sequence[NetLine], *, discount_minor: int, offset_minor: int, is_eligible: Callable[[NetLine], bool]
) -> list[NetLine]:
    """Spread the coupon over the eligible lines and the points over all of them, by largest remainder.

    The coupon goes by the lines' amounts, the points by what the coupon left of them; so no line becomes negative and
    the net lines sum to what is paid. `discount_minor` is at most the eligible amount, `offset_minor` at most the rest.
    """
    coupon_weights = [line.amount_minor if is_eligible(line) else 0 for line in lines]
    coupon_shares = largest_remainder(discount_minor, coupon_weights)
    rest = [line.amount_minor - share for line, share in zip(lines, coupon_shares, strict=True)]
    offset_shares = largest_remainder(offset_minor, rest)
    return [
        NetLine(
            line_no=line.line_no,
            amount_minor=line.amount_minor,
            category=line.category,
            item_code=line.item_code,
            quantity=line.quantity,
            coupon_share_minor=coupon_share,
            offset_share_minor=offset_share,
        )
        for line, coupon_share, offset_share in zip(lines, coupon_shares, offset_shares, strict=True)
    ]


def to_json(lines: Sequence[NetLine]) -> list[dict[str, Any]]:
    """The lines as the row keeps them."""
    return [asdict(line) for line in lines]
