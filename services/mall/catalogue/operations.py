"""Use cases of the catalogue."""

from __future__ import annotations

from uuid import UUID

from chassis.db import Tx
from chassis.ids import to_edge
from services.mall.catalogue import store
from services.mall.catalogue.errors import ItemUnknown
from services.mall.catalogue.rules import Item
from services.mall.errors import CodeTaken


async def create_item(tx: Tx, new: Item) -> Item:
    """Put a voucher into the catalogue. Raises CodeTaken."""
    if not await store.insert_item(tx, new):
        raise CodeTaken(code=new.code)
    return new


async def add_stock(tx: Tx, *, item_id: UUID, merchant_id: UUID | None, quantity: int) -> Item:
    """Put `quantity` more in, of an item of the merchant when one is named. Raises ItemUnknown."""
    changed = await store.add_stock(tx, item_id, merchant_id, quantity)
    if changed is None:
        raise ItemUnknown(item_id=to_edge("itm", item_id))
    return changed


async def get_item(tx: Tx, item_id: UUID) -> Item:
    """Raises ItemUnknown."""
    found = await store.find_item(tx, item_id)
    if found is None:
        raise ItemUnknown(item_id=to_edge("itm", item_id))
    return found
