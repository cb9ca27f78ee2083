"""What an order is and which states it goes through.

HOLDING ──▶ CAPTURING ──▶ COMPLETED ──▶ REVERSING ──▶ CANCELLED
   │            └──▶ REJECTED (the hold had timed out)
   └──▶ RELEASING ──▶ REJECTED | CANCELLED

An order of a benefit's item begins at CLAIMING, and passes RETURNING before it is REJECTED or CANCELLED. Without points
to spend it goes from CLAIMING to COMPLETED.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

CLAIMING = "CLAIMING"
HOLDING = "HOLDING"
CAPTURING = "CAPTURING"
COMPLETED = "COMPLETED"
RELEASING = "RELEASING"
REVERSING = "REVERSING"
RETURNING = "RETURNING"
REJECTED = "REJECTED"
CANCELLED = "CANCELLED"

# In these an order neither holds stock nor counts for the member's limit.
GIVEN_BACK = (REJECTED, CANCELLED)


@dataclass(frozen=True, slots=True)
class Order:
    """A row of voucher_order."""

    group_id: UUID
    order_id: UUID
    request_id: str
    request_hash: bytes
    state: str
    attempt_count: int
    next_attempt_time: datetime | None
    last_error: str | None
    reject_status: bytes | None
    member_id: UUID
    item_id: UUID
    merchant_id: UUID
    benefit_code: str
    points: int
    order_time: datetime
    hold_id: str | None
    redemption_txn_id: str | None
    available_points: int
    voucher_code: str | None
    use_time: datetime | None
    use_store_id: UUID | None
    cancel_request_id: str | None

    def step_id(self, step: str) -> str:
        """The request id of one step: the same whenever the step is tried."""
        return f"{self.order_id.hex}-{step}"


def first_state(benefit_code: str) -> str:
    """Where an order begins: what is free is not asked for before what may be used up."""
    return CLAIMING if benefit_code else HOLDING


def price(price_points: int, price_bps: int) -> int:
    """What a member price of `price_bps` (9500 is 95%; 0: no member price) leaves of a price, rounded up."""
    return -(-price_points * price_bps // 10_000) if price_bps else price_points


def after_claim(order: Order) -> str:
    """An order that was cancelled while it was under way goes straight on to giving everything back."""
    return RETURNING if order.cancel_request_id else HOLDING


def after_claim_of_all(order: Order) -> str:
    """As above, when the benefit was all that it takes."""
    return RETURNING if order.cancel_request_id else COMPLETED


def after_hold(order: Order) -> str:
    """As above, before anything was captured."""
    return RELEASING if order.cancel_request_id else CAPTURING


def after_capture(order: Order) -> str:
    """As above, with the points spent."""
    return REVERSING if order.cancel_request_id else COMPLETED


def undo(order: Order) -> str:
    """The first step of giving a completed order back."""
    return REVERSING if order.redemption_txn_id else RETURNING


def after_points(order: Order) -> str:
    """Points hold or keep nothing of the order, or gave it back."""
    return RETURNING if order.benefit_code else after_return(order)


def after_return(order: Order) -> str:
    """Nothing is taken any more: refused, or cancelled."""
    return CANCELLED if order.cancel_request_id else REJECTED
