"""Use cases that write: accrue facts, set contracts, close a month, keep copies of the structure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from chassis import ids
from chassis.db import Tx
from chassis.events import Fact
from huitong.settlement.v1 import events_pb2
from services.settlement import rules, statements, store
from services.settlement.errors import EffectiveDateTaken, FactContradicts, MerchantUnknown, NotYet
from services.settlement.journal import (
    ClawBack,
    Coupon,
    Debit,
    Expire,
    Issue,
    Journal,
    Movement,
    ParkingWaiver,
    Redeem,
    RedeemReversal,
    entry_id,
)
from services.settlement.movements import parse_payload, read_movements
from services.settlement.rules import Kind, Terms
from services.settlement.store import DeferredFact

log = structlog.get_logger()

# Facts that wait are tried again so many at a time.
DEFERRED_LIMIT = 2000


async def accrue(tx: Tx, group_id: UUID, facts: Sequence[Fact]) -> None:  # type: ignore[type-arg]
    """Post facts of one group, after those of it that were waiting. What cannot be posted yet waits.

    Raises: FactContradicts for a new fact that takes back more than there was (the chassis parks it).
    """
    book = await store.lock_book(tx, group_id)
    waiting = await store.list_deferred(tx, group_id, DEFERRED_LIMIT) if book.has_deferred else []
    waiting_movements = [read_movements(parse_payload(fact.type, fact.payload), fact.occur_time) for fact in waiting]
    new_movements = [read_movements(fact.payload, fact.occur_time) for fact in facts]
    every_movement = [movement for some in (*waiting_movements, *new_movements) for movement in some]
    if not every_movement:
        return
    journal = await _load_journal(tx, group_id, book.closed_period, every_movement)

    deferred: list[tuple[DeferredFact, str]] = []
    posted: list[UUID] = []
    for waited, movements in zip(waiting, waiting_movements, strict=True):
        try:
            _post(journal, movements)
            posted.append(waited.event_id)
        except (NotYet, FactContradicts) as reason:
            deferred.append((waited, str(reason)))
    for fact, movements in zip(facts, new_movements, strict=True):
        try:
            _post(journal, movements)
        except NotYet as reason:
            log.info("fact_deferred", event_id=str(fact.event_id), reason=str(reason))
            deferred.append((_to_deferred(fact), str(reason)))
    await store.write_journal(tx, journal)
    await store.drop_deferred(tx, posted)
    await store.save_deferred(tx, group_id, deferred)


def _post(journal: Journal, movements: Sequence[Movement]) -> None:
    for movement in movements:
        journal.post(movement)


def _to_deferred(fact: Fact) -> DeferredFact:  # type: ignore[type-arg]
    return DeferredFact(
        fact.event_id,
        fact.payload.DESCRIPTOR.full_name,
        fact.key,
        fact.occur_time,
        fact.payload.SerializeToString(deterministic=True),
    )


_KINDS: dict[type[Movement], Kind] = {
    Issue: Kind.ISSUE,
    ClawBack: Kind.CLAW_BACK,
    Debit: Kind.CLAW_BACK,
    Redeem: Kind.REDEEM,
    RedeemReversal: Kind.REDEEM_REVERSAL,
    Expire: Kind.EXPIRE,
    ParkingWaiver: Kind.PARKING_WAIVER,
}


async def _load_journal(tx: Tx, group_id: UUID, closed_period: str, movements: Sequence[Movement]) -> Journal:
    """A journal that knows what `movements` refer to, read in a fixed number of queries."""
    entries: list[tuple[UUID, UUID]] = []
    sales: list[tuple[UUID, UUID]] = []
    lots: list[tuple[UUID, UUID]] = []
    redemptions: list[tuple[UUID, UUID]] = []
    for movement in movements:
        merchant_id = movement.merchant_id
        if isinstance(movement, Coupon):
            kind = Kind.COUPON_REVERSAL if movement.is_reversal else Kind.COUPON
        else:
            kind = _KINDS[type(movement)]
        entries.append((merchant_id, entry_id(group_id, kind, movement.source_id, merchant_id)))
        if isinstance(movement, ClawBack):
            sales.append((merchant_id, movement.sale_id))
        elif isinstance(movement, (Expire, Debit)):
            lots.extend((issuer, lot) for lot, issuer, _ in movement.lots)
        elif isinstance(movement, RedeemReversal):
            original = entry_id(group_id, Kind.REDEEM, movement.redemption_source_id, merchant_id)
            redemptions.append((merchant_id, original))
    journal = Journal(
        group_id,
        closed_period,
        parties=await store.find_parties(tx, group_id, {movement.merchant_id for movement in movements}),
        posted=await store.find_posted(tx, entries),
    )
    for state in (*await store.find_issues(tx, "sale_id", sales), *await store.find_issues(tx, "lot_id", lots)):
        journal.remember_issue(state)
    journal.redemptions.update((state.entry_id, state) for state in await store.find_redemptions(tx, redemptions))
    return journal


async def set_contract(tx: Tx, *, merchant_id: UUID, terms: Terms) -> None:
    """Set a merchant's terms from a date on. What was accrued before keeps its terms.

    Raises: MerchantUnknown, EffectiveDateTaken.
    """
    if await store.find_merchant_currency(tx, merchant_id) is None:
        raise MerchantUnknown(merchant_id=ids.to_edge("mch", merchant_id))
    if not await store.add_contract(tx, merchant_id=merchant_id, terms=terms):
        raise EffectiveDateTaken(
            merchant_id=ids.to_edge("mch", merchant_id), effective_date=terms.effective_date.isoformat()
        )


async def find_closable(tx: Tx, group_id: UUID) -> tuple[str, datetime] | None:
    """The month that is to be closed next and the instant at which it is over everywhere; None without movements."""
    zones = await statements.list_zones(tx, group_id)
    month = await statements.first_open_period(tx, group_id)
    return (month, rules.period_end(month, zones)) if zones and month else None


async def close_period(tx: Tx, group_id: UUID, month: str) -> bool:
    """Close `month`: keep its statements as they are and tell everyone. False when it is closed already."""
    book = await store.lock_book(tx, group_id)
    if month <= book.closed_period:
        return False
    sums = await statements.snapshot_period(tx, group_id, month)
    tx.emit(
        events_pb2.PeriodClosed(
            period=month,
            merchants_net_minor=sums.merchants_net_minor,
            fund_minor=sums.fund_minor,
            platform_minor=sums.platform_minor,
            unit_minor=sums.unit_minor,
        ),
        key=ids.to_edge("grp", group_id),
        group_id=group_id,
        event_id=ids.derive(group_id, "period-closed", month),
    )
    log.info("period_closed", group_id=str(group_id), period=month, entry_count=sums.entry_count)
    return True
