"""The cost governor: counts what points cost, and acts when a business unit crosses a threshold.

Sales and points are counted from the ledger's events, lane by lane, each once: the position moves in the transaction
that counts. An action is a row that counts for sales from its effective time on, a moment ahead, so that every process
knows it by then, and a sale that arrives late, or again, is computed by what was in force at its time.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import insert, select, text, tuple_

from chassis import ids, rpc
from chassis.db import Database, Tx
from huitong.points.v1 import events_pb2, governor_pb2
from services.points import store
from services.points.convert import from_date, to_date, to_timestamp
from services.points.earning import rules
from services.points.governor.costs import Change, CostState, UnitCost, change_of, explain
from services.points.governor.tables import cost_action
from services.points.ledger.ledger import Kind
from services.points.lookup import GroupData, Lookup, soonest

log = structlog.get_logger()

CHUNK_EVENTS = 1_000
_READ = """SELECT n, group_id, kind, points, payload FROM ledger_outbox
    WHERE lane = $1 AND n > $2 ORDER BY n LIMIT $3"""
_COUNT = """INSERT INTO unit_cost AS c (group_id, business_unit_id, business_date, sales_minor, points)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::date[], $4::bigint[], $5::bigint[])
    ON CONFLICT (group_id, business_unit_id, business_date)
    DO UPDATE SET sales_minor = c.sales_minor + excluded.sales_minor, points = c.points + excluded.points"""
_actions = cost_action.c


class Governor:
    """The job. Another run, or two at once, change nothing more."""

    def __init__(self, db: Database, lookup: Lookup, lane_count: int) -> None:
        self._db, self._lookup, self._lane_count = db, lookup, lane_count

    async def run(self, now: datetime) -> None:
        """Count what is new, and act on every unit whose group's rules in force have a governor."""
        governed = await self._governed()
        if not governed:
            return
        for lane in range(self._lane_count):
            while await self._count(lane):
                await asyncio.sleep(0)  # tills do not wait for it
        for group_id, data in governed:
            for unit_id, time_zone in units_of(data).items():
                await self._judge(group_id, data, unit_id, time_zone, now)

    async def _governed(self) -> list[tuple[UUID, GroupData]]:
        rows = await self._db.pool.fetch("SELECT DISTINCT group_id FROM rule_set ORDER BY group_id")
        groups = [(row["group_id"], await self._lookup.group(row["group_id"])) for row in rows]
        return [(group_id, data) for group_id, data in groups if any(each.governor for each in data.rule_sets)]

    async def _count(self, lane: int) -> bool:
        """Count the lane's next events; answers whether there may be more."""
        async with self._db.pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO cost_position (lane, n) VALUES ($1, 0) ON CONFLICT DO NOTHING", lane)
            after = await connection.fetchval("SELECT n FROM cost_position WHERE lane = $1 FOR UPDATE", lane)
            rows = await connection.fetch(_READ, lane, after, CHUNK_EVENTS)
            if not rows:
                return False
            sums = _sums_of(rows)
            keys = sorted(sums)
            await connection.execute(
                _COUNT,
                [group_id for group_id, _, _ in keys],
                [unit_id for _, unit_id, _ in keys],
                [day for _, _, day in keys],
                [sums[key][0] for key in keys],
                [sums[key][1] for key in keys],
            )
            await connection.execute("UPDATE cost_position SET n = $2 WHERE lane = $1", lane, rows[-1]["n"])
            return len(rows) == CHUNK_EVENTS

    async def _judge(self, group_id: UUID, data: GroupData, unit_id: UUID, time_zone: str, now: datetime) -> None:
        rule_set = rules.in_force(data.rule_sets, now, time_zone)
        if rule_set is None or rule_set.governor is None:
            return
        async with self._db.transaction(rpc.internal_caller("points", group_id)) as tx:
            window = rule_set.governor.window(rules.business_date_of(now, time_zone))
            cost = await unit_cost_of(tx, rule_set, unit_id, window)
            if change_of(rule_set.governor, await state_of(tx, unit_id), cost) is None:
                return
            # Locks the group; what another run has just done is seen now.
            await store.count_change(tx, [group_id])
            state = await state_of(tx, unit_id)
            change = change_of(rule_set.governor, state, cost)
            if change is not None:
                await _act(tx, unit_id, rule_set.version, state, change, cost, window)


async def _act(
    tx: Tx,
    unit_id: UUID,
    version: int,
    previous: CostState,
    change: Change,
    cost: UnitCost,
    window: tuple[date, date],
) -> None:
    explanation, explanation_zh = explain(change, cost, *window)
    row = {
        "group_id": tx.group_id,
        "business_unit_id": unit_id,
        "effective_time": await soonest(tx),
        "state": int(change.state),
        "previous_state": int(previous),
        "first_date": window[0],
        "last_date": window[1],
        "sales_minor": cost.sales_minor,
        "points": cost.points,
        "cost_minor": cost.cost_minor,
        "cost_bps": cost.cost_bps,
        "threshold_bps": change.threshold_bps,
        "rule_set_version": version,
        "explanation": explanation,
        "explanation_zh": explanation_zh,
    }
    await tx.execute(insert(cost_action).values(row))
    action = action_to_proto(row)
    tx.emit(
        events_pb2.CostActionTaken(action=action),
        key=action.cost.business_unit_id,
        event_id=ids.derive("cost-action", tx.group_id, unit_id, row["effective_time"]),
    )
    log.info("cost_action", group_id=str(tx.group_id), business_unit_id=str(unit_id), state=change.state.name)


def _sums_of(rows: Sequence[Any]) -> dict[tuple[UUID, UUID, date], list[int]]:
    """Net sales and points of the ledger's rows, by group, unit and business date."""
    sums: dict[tuple[UUID, UUID, date], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        event: events_pb2.SaleRecorded | events_pb2.SaleRefunded
        if row["kind"] == Kind.EARN:
            event = events_pb2.SaleRecorded.FromString(row["payload"])
            minor = event.total.amount_minor
        elif row["kind"] == Kind.CLAW_BACK:
            event = events_pb2.SaleRefunded.FromString(row["payload"])
            minor = -event.refunded.amount_minor
        else:
            continue
        unit_id = ids.from_edge("unt", event.business_unit_id, "business_unit_id")
        counted = sums[row["group_id"], unit_id, from_date(event.business_date)]
        counted[0] += minor
        counted[1] += row["points"]
    return sums


def units_of(data: GroupData) -> dict[UUID, str]:
    """The group's business units that have stores, with their zones."""
    return {place.business_unit_id: place.time_zone for place in data.stores.values()}


async def unit_cost_of(tx: Tx, rule_set: rules.RuleSet, unit_id: UUID, window: tuple[date, date]) -> UnitCost:
    """A unit's figures of a window, its points at what the rule set pays for them."""
    row = (
        await tx.execute(
            text(
                """SELECT coalesce(sum(sales_minor), 0)::bigint AS sales_minor,
                          coalesce(sum(points), 0)::bigint AS points
                   FROM unit_cost WHERE group_id = :group_id AND business_unit_id = :unit_id
                     AND business_date BETWEEN :first AND :last"""
            ),
            {"group_id": tx.group_id, "unit_id": unit_id, "first": window[0], "last": window[1]},
        )
    ).one()
    offset = rule_set.offset
    return UnitCost(row.sales_minor, row.points, offset.minor if offset else 0, offset.points if offset else 1)


async def state_of(tx: Tx, unit_id: UUID) -> CostState:
    """What the governor has come to, also when it is not in force yet."""
    query = (
        select(_actions.state)
        .where(_actions.group_id == tx.group_id, _actions.business_unit_id == unit_id)
        .order_by(_actions.effective_time.desc())
        .limit(1)
    )
    return CostState((await tx.execute(query)).scalar_one_or_none() or CostState.CALM)


async def list_unit_costs(
    tx: Tx, data: GroupData, only_unit_id: UUID | None = None
) -> list[governor_pb2.UnitCostState]:
    """Units (or the one that is named) that sold anything in the window of the rules in force, by id."""
    found = []
    for unit_id, time_zone in sorted(units_of(data).items()):
        if only_unit_id not in (None, unit_id):
            continue
        rule_set = rules.in_force(data.rule_sets, tx.now, time_zone)
        if rule_set is None or rule_set.governor is None:
            continue
        window = rule_set.governor.window(rules.business_date_of(tx.now, time_zone))
        cost = await unit_cost_of(tx, rule_set, unit_id, window)
        if cost.sales_minor or cost.points:
            state = await state_of(tx, unit_id)
            found.append(
                governor_pb2.UnitCostState(
                    cost=_cost_to_proto(unit_id, window, cost.sales_minor, cost.points, cost.cost_minor, cost.cost_bps),
                    state=int(state),  # type: ignore[arg-type]
                )
            )
    return found


async def count_uncounted(tx: Tx) -> int:
    """Events of the ledger, of any group, that the governor has not counted yet."""
    query = text(
        """SELECT coalesce(sum(l.n - coalesce(p.n, 0)), 0)::bigint
           FROM lane l LEFT JOIN cost_position p ON p.lane = l.lane"""
    )
    return int((await tx.execute(query)).scalar_one())


async def list_actions(
    tx: Tx, *, unit_id: UUID | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[governor_pb2.CostAction]:
    """Actions older than `before`, newest first."""
    query = select(cost_action).where(_actions.group_id == tx.group_id)
    if unit_id is not None:
        query = query.where(_actions.business_unit_id == unit_id)
    if before is not None:
        query = query.where(tuple_(_actions.effective_time, _actions.business_unit_id) < before)
    query = query.order_by(_actions.effective_time.desc(), _actions.business_unit_id.desc()).limit(limit)
    return [action_to_proto(row) for row in (await tx.execute(query)).mappings()]


def action_to_proto(row: Any) -> governor_pb2.CostAction:
    """The action as callers see it."""
    return governor_pb2.CostAction(
        cost=_cost_to_proto(
            row["business_unit_id"],
            (row["first_date"], row["last_date"]),
            row["sales_minor"],
            row["points"],
            row["cost_minor"],
            row["cost_bps"],
        ),
        state=row["state"],
        previous_state=row["previous_state"],
        effective_time=to_timestamp(row["effective_time"]),
        threshold_bps=row["threshold_bps"],
        rule_set_version=row["rule_set_version"],
        explanation=row["explanation"],
        explanation_zh=row["explanation_zh"],
    )


def _cost_to_proto(
    unit_id: UUID, window: tuple[date, date], sales_minor: int, points: int, cost_minor: int, cost_bps: int
) -> governor_pb2.UnitCost:
    return governor_pb2.UnitCost(
        business_unit_id=ids.to_edge("unt", unit_id),
        first_date=to_date(window[0]),
        last_date=to_date(window[1]),
        sales_minor=sales_minor,
        points=points,
        cost_minor=cost_minor,
        cost_bps=cost_bps,
    )
