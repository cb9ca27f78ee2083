"""Facts in: the structure from org, movements from points, mall and parking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from chassis.db import Tx
from chassis.events import Fact
from huitong.org.v1 import events_pb2 as org_events
from services.settlement import operations, store
from services.settlement.convert import merchant_row, unit_row


async def take_movements(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
    """Accrue a run of facts, group by group. Takes facts of several types at once: the longer the run the better."""
    for group_id, some in _by_group(facts).items():
        await operations.accrue(tx, group_id, some)


async def take_units(tx: Tx, facts: Sequence[Fact[org_events.BusinessUnitSaved]]) -> None:
    """Keep business units, then post what waited for them."""
    await store.save_units(tx, [unit_row(fact.group_id, fact.payload.business_unit) for fact in facts])
    await _post_waiting(tx, facts)


async def take_merchants(tx: Tx, facts: Sequence[Fact[org_events.MerchantSaved]]) -> None:
    """Keep merchants, give new ones the default terms, then post what waited for them."""
    await store.save_merchants(tx, [merchant_row(fact.group_id, fact.payload.merchant) for fact in facts])
    await _post_waiting(tx, facts)


async def _post_waiting(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
    for group_id in _by_group(facts):
        await operations.accrue(tx, group_id, [])


def _by_group(facts: Sequence[Fact[Any]]) -> dict[UUID, list[Fact[Any]]]:
    groups: dict[UUID, list[Fact[Any]]] = {}
    for fact in facts:
        groups.setdefault(fact.group_id, []).append(fact)
    # In the order of their ids, so that two packs that hold the same groups cannot deadlock on their books.
    return dict(sorted(groups.items()))
