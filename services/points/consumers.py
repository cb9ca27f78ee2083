"""Copies of what org and member own, kept from their events. Each handler gets a run of events of one type."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby
from uuid import UUID

from google.protobuf.message import Message

from chassis import ids
from chassis.db import Tx
from chassis.events import Fact, Handler
from chassis.personal_data import on_members_erased
from huitong.member.v1 import events_pb2 as member_events
from huitong.member.v1.risk_pb2 import MEMBER_STATE_CLOSED
from huitong.org.v1 import events_pb2 as org_events
from services.points import store
from services.points.convert import from_date
from services.points.lookup import FIRST_DAY
from services.points.merging import operations as merging


def org_handlers() -> dict[type[Message], Handler]:
    """What this service takes from org."""
    return {
        org_events.StoreSaved: keep_stores,
        org_events.MerchantSaved: keep_merchants,
        org_events.BusinessUnitSaved: keep_units,
    }


def member_handlers(lane_count: int) -> dict[type[Message], Handler]:
    """What this service takes from member."""
    return {
        member_events.MemberJoined: partial(keep_members, lane_count=lane_count),
        member_events.TierChanged: keep_tiers,
        member_events.MemberMerged: merging.on_merged,
        member_events.MemberUnmerged: merging.on_unmerged,
        member_events.MemberStateChanged: keep_states,
        member_events.RiskPolicyChanged: keep_policies,
        member_events.MemberProfileChanged: keep_birth_months,
        member_events.MemberErased: on_members_erased,
    }


async def keep_stores(tx: Tx, facts: Sequence[Fact[org_events.StoreSaved]]) -> None:
    """Stores, with their merchants, zones and currencies."""
    for group_id, run in groupby(facts, key=lambda fact: fact.group_id):
        newest = {fact.payload.store.store_id: fact.payload.store for fact in run}
        await store.save_stores(tx, group_id, list(newest.values()))
    await store.count_change(tx, [fact.group_id for fact in facts])


async def keep_merchants(tx: Tx, facts: Sequence[Fact[org_events.MerchantSaved]]) -> None:
    """Merchants with their business units."""
    for group_id, run in groupby(facts, key=lambda fact: fact.group_id):
        newest = {fact.payload.merchant.merchant_id: fact.payload.merchant for fact in run}
        await store.save_merchants(tx, group_id, list(newest.values()))
    await store.count_change(tx, [fact.group_id for fact in facts])


async def keep_units(tx: Tx, facts: Sequence[Fact[org_events.BusinessUnitSaved]]) -> None:
    """Zone and currency of stores already known."""
    for fact in facts:
        unit = fact.payload.business_unit
        await store.save_unit(
            tx,
            business_unit_id=ids.from_edge("unt", unit.business_unit_id, "business_unit_id"),
            time_zone=unit.time_zone,
            currency_code=unit.currency_code,
        )
    await store.count_change(tx, [fact.group_id for fact in facts])


async def keep_members(tx: Tx, facts: Sequence[Fact[member_events.MemberJoined]], *, lane_count: int) -> None:
    """Members, their wallets, and the tier they join with."""
    members: dict[UUID, store.KnownMember] = {}
    tiers: dict[UUID, store.HeldTier] = {}
    for fact in facts:
        joined = fact.payload
        member_id = ids.from_edge("mbr", joined.member_id, "member_id")
        members[member_id] = store.KnownMember(
            member_id, fact.group_id, joined.birth_month, joined.time_zone, join_time=fact.occur_time
        )
        if joined.tier.code:
            tiers[member_id] = store.HeldTier(
                member_id, fact.group_id, FIRST_DAY, joined.tier.code, joined.tier.earn_multiplier_bps
            )
    await store.save_members(tx, list(members.values()), lane_count)
    await store.save_tiers(tx, list(tiers.values()), overwrite=True)


async def keep_tiers(tx: Tx, facts: Sequence[Fact[member_events.TierChanged]]) -> None:
    """The tier from each effective date on; of two changes with one date the later counts."""
    tiers: dict[tuple[UUID, object], store.HeldTier] = {}
    for fact in facts:
        changed = fact.payload
        member_id = ids.from_edge("mbr", changed.member_id, "member_id")
        effective_date = from_date(changed.effective_date)
        tiers[member_id, effective_date] = store.HeldTier(
            member_id, fact.group_id, effective_date, changed.tier.code, changed.tier.earn_multiplier_bps
        )
    await store.save_tiers(tx, list(tiers.values()), overwrite=True)


async def keep_states(tx: Tx, facts: Sequence[Fact[member_events.MemberStateChanged]]) -> None:
    """Who is frozen or closed; of several changes the last counts."""
    changes: dict[UUID, store.MemberChange] = {}
    for fact in facts:
        changed = fact.payload
        member_id = ids.from_edge("mbr", changed.member_id, "member_id")
        close_time = fact.occur_time if changed.state == MEMBER_STATE_CLOSED else None
        changes[member_id] = store.MemberChange(member_id, changed.state, changed.version, close_time)
    await store.save_states(tx, list(changes.values()))


async def keep_policies(tx: Tx, facts: Sequence[Fact[member_events.RiskPolicyChanged]]) -> None:
    """How long new members wait and how often members may spend."""
    for fact in facts:
        await store.save_spend_policy(
            tx,
            fact.group_id,
            cool_down_hours=fact.payload.policy.spend_cool_down_hours,
            spends_per_hour=fact.payload.policy.spends_per_member_hour,
        )


async def keep_birth_months(tx: Tx, facts: Sequence[Fact[member_events.MemberProfileChanged]]) -> None:
    """The month of birth of members, for rules; of two changes the later counts."""
    months = {ids.from_edge("mbr", fact.payload.member_id, "member_id"): fact.payload.birth_month for fact in facts}
    await store.save_birth_months(tx, months)
