"""Events in: the copies of merchants, stores and members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.protobuf.message import Message

from chassis.db import Tx
from chassis.events import Fact, Handler
from chassis.ids import from_edge
from chassis.personal_data import on_members_erased
from huitong.member.v1 import events_pb2 as member_events
from huitong.org.v1 import events_pb2 as org_events
from services.mall import copies
from services.mall.merging import consumers as merging


async def on_merchants_saved(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
    """Keep merchants as they are now."""
    await copies.save_merchants(tx, [(fact.group_id, fact.payload.merchant) for fact in facts])


async def on_stores_saved(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
    """Keep stores as they are now."""
    await copies.save_stores(tx, [(fact.group_id, fact.payload.store) for fact in facts])


async def on_members_joined(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
    """Know who is a member."""
    await copies.save_members(
        tx, [(fact.group_id, from_edge("mbr", fact.payload.member_id, "member_id")) for fact in facts]
    )


ORG: Mapping[type[Message], Handler] = {
    org_events.MerchantSaved: on_merchants_saved,
    org_events.StoreSaved: on_stores_saved,
}
MEMBER: Mapping[type[Message], Handler] = {
    member_events.MemberJoined: on_members_joined,
    member_events.MemberMerged: merging.on_merged,
    member_events.MemberUnmerged: merging.on_unmerged,
    member_events.MemberErased: on_members_erased,
}
