"""What an item is."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Item:
    """A voucher on sale. `stock_left` is what nobody has ordered of the `stock_total` ever put in."""

    group_id: UUID
    item_id: UUID
    code: str
    name: str
    name_zh: str
    merchant_id: UUID
    price_points: int
    face_value_minor: int
    stock_total: int
    stock_left: int
    # 0 means no limit.
    limit_per_member: int
    # An order uses one unit of this benefit of the member's; "" for an item that everybody may order.
    benefit_code: str
