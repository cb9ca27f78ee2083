"""The mall's copies of merchants, stores and members: fed by events, and asked for once when one is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from chassis.db import Database, Tx
from chassis.ids import from_edge, to_edge
from chassis.rpc import internal_caller
from huitong.org.v1 import org_pb2
from services.mall.errors import MerchantUnknown
from services.mall.neighbours import Neighbours
from services.mall.store import member_copy, member_merge, merchant_copy, store_copy


@dataclass(frozen=True, slots=True)
class StoreCopy:
    """A store as far as the mall cares."""

    group_id: UUID
    store_id: UUID
    merchant_id: UUID
    business_unit_id: UUID
    time_zone: str
    currency_code: str


_SAVE_MERCHANTS = text(
    """INSERT INTO merchant_copy (group_id, merchant_id, business_unit_id, name)
       SELECT * FROM unnest(CAST(:group_ids AS uuid[]), CAST(:merchant_ids AS uuid[]),
                            CAST(:business_unit_ids AS uuid[]), CAST(:names AS text[]))
       ON CONFLICT (group_id, merchant_id)
       DO UPDATE SET business_unit_id = excluded.business_unit_id, name = excluded.name"""
)
_SAVE_STORES = text(
    """INSERT INTO store_copy (group_id, store_id, merchant_id, business_unit_id, time_zone, currency_code)
       SELECT * FROM unnest(CAST(:group_ids AS uuid[]), CAST(:store_ids AS uuid[]), CAST(:merchant_ids AS uuid[]),
                            CAST(:business_unit_ids AS uuid[]), CAST(:time_zones AS text[]),
                            CAST(:currency_codes AS text[]))
       ON CONFLICT (group_id, store_id)
       DO UPDATE SET merchant_id = excluded.merchant_id, business_unit_id = excluded.business_unit_id,
                     time_zone = excluded.time_zone, currency_code = excluded.currency_code"""
)
_SAVE_MEMBERS = text(
    """INSERT INTO member_copy (group_id, member_id)
       SELECT DISTINCT * FROM unnest(CAST(:group_ids AS uuid[]), CAST(:member_ids AS uuid[]))
       ON CONFLICT DO NOTHING"""
)


async def save_merchants(tx: Tx, merchants: Sequence[tuple[UUID, org_pb2.Merchant]]) -> None:
    """Keep the newest of each (group, merchant); later ones win."""
    newest = {(group_id, merchant.merchant_id): merchant for group_id, merchant in merchants}
    if not newest:
        return
    await tx.execute(
        _SAVE_MERCHANTS,
        {
            "group_ids": [group_id for group_id, _ in newest],
            "merchant_ids": [from_edge("mch", m.merchant_id, "merchant_id") for m in newest.values()],
            "business_unit_ids": [from_edge("unt", m.business_unit_id, "business_unit_id") for m in newest.values()],
            "names": [m.name for m in newest.values()],
        },
    )


async def save_stores(tx: Tx, stores: Sequence[tuple[UUID, org_pb2.Store]]) -> None:
    """Keep the newest of each (group, store); later ones win."""
    newest = {(group_id, store.store_id): store for group_id, store in stores}
    if not newest:
        return
    await tx.execute(
        _SAVE_STORES,
        {
            "group_ids": [group_id for group_id, _ in newest],
            "store_ids": [from_edge("sto", s.store_id, "store_id") for s in newest.values()],
            "merchant_ids": [from_edge("mch", s.merchant_id, "merchant_id") for s in newest.values()],
            "business_unit_ids": [from_edge("unt", s.business_unit_id, "business_unit_id") for s in newest.values()],
            "time_zones": [s.time_zone for s in newest.values()],
            "currency_codes": [s.currency_code for s in newest.values()],
        },
    )


async def save_members(tx: Tx, members: Sequence[tuple[UUID, UUID]]) -> None:
    """Keep (group, member) pairs; the mall needs to know no more than that they exist."""
    if members:
        await tx.execute(
            _SAVE_MEMBERS,
            {"group_ids": [group_id for group_id, _ in members], "member_ids": [member_id for _, member_id in members]},
        )


async def person_of(tx: Tx, member_id: UUID) -> UUID:
    """The member whose orders and coupons these are: the survivor, for one who is absorbed by another."""
    found = await tx.execute(
        select(member_merge.c.survivor_id).where(
            member_merge.c.group_id == tx.group_id, member_merge.c.absorbed_id == member_id, member_merge.c.state < 3
        )
    )
    return found.scalars().first() or member_id


async def people_of(tx: Tx, member_id: UUID) -> set[UUID]:
    """All ids of the person who one member is."""
    person_id = await person_of(tx, member_id)
    found = await tx.execute(
        select(member_merge.c.absorbed_id).where(
            member_merge.c.group_id == tx.group_id, member_merge.c.survivor_id == person_id, member_merge.c.state < 3
        )
    )
    return {member_id, person_id, *found.scalars()}


async def note_as_absorbed(tx: Tx, *, member_id: UUID, item_id: UUID) -> None:
    """A coupon of the survivor was given under the absorbed member's own id: it is that one's in the end."""
    await tx.execute(
        text(
            """INSERT INTO merged_item (merge_id, item_id)
               SELECT merge_id, :item_id FROM member_merge
               WHERE group_id = :group_id AND absorbed_id = :member_id AND state < 3 ON CONFLICT DO NOTHING"""
        ),
        {"group_id": tx.group_id, "member_id": member_id, "item_id": item_id},
    )


async def find_merchants(tx: Tx, merchant_ids: Sequence[UUID]) -> set[UUID]:
    """Those of `merchant_ids` that are the group's."""
    found = await tx.execute(
        select(merchant_copy.c.merchant_id).where(
            merchant_copy.c.group_id == tx.group_id, merchant_copy.c.merchant_id.in_(merchant_ids)
        )
    )
    return set(found.scalars())


class Copies:
    """Reads copies, and asks their owner when one is missing. Not to be called inside a transaction."""

    def __init__(self, db: Database, neighbours: Neighbours) -> None:
        self._db, self._neighbours = db, neighbours

    async def store(self, group_id: UUID, store_id: UUID) -> StoreCopy:
        """Raises Refused (STORE_UNKNOWN), or Unavailable when org had to be asked and does not answer."""
        found = await self._find_store(group_id, store_id)
        if found is not None:
            return found
        fresh = await self._neighbours.get_store(group_id, to_edge("sto", store_id))
        async with self._db.transaction(internal_caller("mall", group_id)) as tx:
            await save_stores(tx, [(group_id, fresh)])
        return StoreCopy(
            group_id=group_id,
            store_id=store_id,
            merchant_id=from_edge("mch", fresh.merchant_id, "merchant_id"),
            business_unit_id=from_edge("unt", fresh.business_unit_id, "business_unit_id"),
            time_zone=fresh.time_zone,
            currency_code=fresh.currency_code,
        )

    async def _find_store(self, group_id: UUID, store_id: UUID) -> StoreCopy | None:
        query = select(store_copy).where(store_copy.c.group_id == group_id, store_copy.c.store_id == store_id)
        async with self._db.reading(internal_caller("mall", group_id)) as tx:
            row = (await tx.execute(query)).one_or_none()
        return None if row is None else StoreCopy(**row._mapping)

    async def merchants(self, group_id: UUID, merchant_ids: Sequence[UUID]) -> set[UUID]:
        """Those of `merchant_ids` that exist. Org is asked when one is not known here."""
        wanted = set(merchant_ids)
        if not wanted:
            return set()
        async with self._db.reading(internal_caller("mall", group_id)) as tx:
            found = await find_merchants(tx, list(wanted))
        if found == wanted:
            return found
        fresh = await self._neighbours.list_merchants(group_id)
        async with self._db.transaction(internal_caller("mall", group_id)) as tx:
            await save_merchants(tx, [(group_id, merchant) for merchant in fresh])
        return wanted & {from_edge("mch", merchant.merchant_id, "merchant_id") for merchant in fresh}

    async def require_merchant(self, group_id: UUID, merchant_id: UUID) -> None:
        """Raises MerchantUnknown."""
        if not await self.merchants(group_id, [merchant_id]):
            raise MerchantUnknown(merchant_id=to_edge("mch", merchant_id))

    async def require_member(self, group_id: UUID, member_id: UUID) -> None:
        """Raises Refused (MEMBER_UNKNOWN), or Unavailable when member had to be asked and does not answer."""
        query = select(member_copy.c.member_id).where(
            member_copy.c.group_id == group_id, member_copy.c.member_id == member_id
        )
        async with self._db.reading(internal_caller("mall", group_id)) as tx:
            if (await tx.execute(query)).one_or_none() is not None:
                return
        await self._neighbours.get_member(group_id, to_edge("mbr", member_id))
        async with self._db.transaction(internal_caller("mall", group_id)) as tx:
            await save_members(tx, [(group_id, member_id)])
