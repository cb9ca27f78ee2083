"""What an order is and which states it goes through.

HOLDING ──▶ CAPTURING ──▶ COMPLETED ──▶ REVERSING ──▶ CANCELLED
   │            └──▶ REJECTED (the hold had timed out)
   └──▶ RELEASING ──▶ REJECTED | CANCELLED
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

HOLDING = "HOLDING"
CAPTURING = "CAPTURING"
COMPLETED = "COMPLETED"
RELEASING = "RELEASING"
REVERSING = "REVERSING"
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


def after_capture(order: Order) -> str:
    """An order that was cancelled while it was under way goes straight on to giving everything back."""
    return REVERSING if order.cancel_request_id else COMPLETED


def after_hold(order: Order) -> str:
    """As above, before anything was captured."""
    return RELEASING if order.cancel_request_id else CAPTURING


def after_release(order: Order) -> str:
    """Nothing was taken: refused by points, or cancelled before it began."""
    return REJECTED if order.reject_status else CANCELLED
