"""Queries about what lies below a place."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from chassis.db import Tx
from services.org.tables import business_unit, merchant, store

# By prefix of the edge id: the column of the place itself.
_OWN = {"unt": business_unit.c.unit_id, "mch": merchant.c.merchant_id, "sto": store.c.store_id}


async def find_below(tx: Tx, prefix: str, place_id: UUID) -> tuple[UUID, list[UUID], list[UUID]] | None:
    """Group, merchants and stores below a place of any group, since who asks is the gateway; None when unknown."""
    own = _OWN.get(prefix)
    if own is None:
        return None
    group_id = (await tx.execute(select(own.table.c.group_id).where(own == place_id))).scalar()
    if group_id is None:
        return None
    merchants, stores = select(merchant.c.merchant_id), select(store.c.store_id)
    if prefix == "unt":
        merchants = merchants.where(merchant.c.unit_id == place_id)
        stores = stores.join(merchant, merchant.c.merchant_id == store.c.merchant_id)
        stores = stores.where(merchant.c.unit_id == place_id)
        return group_id, list((await tx.execute(merchants)).scalars()), list((await tx.execute(stores)).scalars())
    if prefix == "mch":
        stores = stores.where(store.c.merchant_id == place_id)
        return group_id, [], list((await tx.execute(stores)).scalars())
    return group_id, [], []
