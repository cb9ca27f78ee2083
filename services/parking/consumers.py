"""Facts in: car parks and merchants from org, members and their tiers from member."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from chassis import ids
from chassis.db import Tx
from chassis.events import Fact
from huitong.member.v1 import events_pb2 as member_events
from huitong.org.v1 import events_pb2 as org_events
from huitong.org.v1 import org_pb2
from services.parking import store
from services.parking.convert import BEGINNING, car_park_row, tier_row


async def take_units(tx: Tx, facts: Sequence[Fact[org_events.BusinessUnitSaved]]) -> None:
    """Keep business units that are car parks."""
    await store.save_car_parks(
        tx,
        [
            car_park_row(fact.group_id, fact.payload.business_unit)
            for fact in facts
            if fact.payload.business_unit.kind == org_pb2.UNIT_KIND_PARKING
        ],
    )


async def take_merchants(tx: Tx, facts: Sequence[Fact[org_events.MerchantSaved]]) -> None:
    """Remember merchants."""
    await store.save_merchants(
        tx, [(fact.group_id, ids.from_edge("mch", fact.payload.merchant.merchant_id, "merchant_id")) for fact in facts]
    )


async def take_members(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
    """Remember members and the tiers that they hold from a day on; takes MemberJoined and TierChanged mixed."""
    rows = []
    for fact in facts:
        event = fact.payload
        day = BEGINNING
        if isinstance(event, member_events.TierChanged):
            day = date(event.effective_date.year, event.effective_date.month, event.effective_date.day)
        rows.append(tier_row(fact.group_id, ids.from_edge("mbr", event.member_id, "member_id"), event.tier, day))
    await store.save_members(tx, [(row["group_id"], row["member_id"]) for row in rows])
    await store.save_tiers(tx, rows, overwrite=True)
