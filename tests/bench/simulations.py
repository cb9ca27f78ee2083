"""Months of sales, and the simulation of a draft over them as the service's job runs it, in process."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis import ids, rpc
from chassis.db import Database
from huitong.points.v1 import points_pb2
from services.points.earning.member_facts import MemberFacts
from services.points.lookup import Lookup
from services.points.rule_sets import operations as rule_sets
from services.points.rule_sets.simulation import Simulations
from tests.bench.stage import GROUP, LANES, RULES, Stage

SALES, DAYS = 20_000, 280
# Of a sale. 9.5 on average, as the receipts of the demo's year have 9.4.
MOST_LINES = 18
CALL_SALES, CALLERS = 100, 16
# What a draft may have: an offer with a condition and limits of every kind, and a ceiling. All but the budget are met.
DRAFT = points_pb2.RuleSet()
DRAFT.CopyFrom(RULES)
DRAFT.offset.CopyFrom(points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1_500))
DRAFT.issuance_ceiling.CopyFrom(points_pb2.IssuanceCeiling(points_per_day=20_000, points_per_month=500_000))
DRAFT.rules.append(
    points_pb2.EarningRule(
        rule_id="morning",
        kind=points_pb2.RULE_KIND_OFFER,
        bonus_bps=10_000,
        condition='sale.hour < 14 && "PRODUCE" in sale.categories',
        max_points_per_member_day=200,
        max_points_per_member_month=300,
        budget_points=10_000_000,
    )
)


class Past:
    """Sales of the months before now. `make` makes one of an instant with so many lines."""

    def __init__(self, stage: Stage, make: Callable[[datetime, int], points_pb2.RecordSaleRequest]) -> None:
        self._stage, self._make = stage, make
        end = datetime.now(UTC) - timedelta(days=10)
        self._start = end - timedelta(days=DAYS)
        # A simulation that nobody asks about.
        self._row: dict[str, Any] = {
            "group_id": GROUP,
            "simulation_id": UUID(int=0),
            "first_date": (self._start - timedelta(days=1)).date(),
            "last_date": (end + timedelta(days=1)).date(),
        }
        url = stage.service.database_url("points")
        self._db = Database(url, may_set_time=True)
        self._lookup = Lookup(self._db, LANES, org=None, member=None, ladder=None)
        self._facts = MemberFacts(url)
        self._simulations = Simulations(self._db, self._lookup, self._facts)

    async def open(self) -> None:
        """Record the sales through the service, in the order of their time, and keep the draft."""
        for each in (self._db, self._lookup, self._facts):
            await each.open()
        step = timedelta(days=DAYS) / SALES
        calls = iter(range(0, SALES, CALL_SALES))

        async def caller() -> None:
            for first in calls:
                numbers = range(first, first + CALL_SALES)
                sales = [self._make(self._start + step * number, 1 + number % MOST_LINES) for number in numbers]
                request = points_pb2.RecordSalesRequest(sales=sales)
                answer = await self._stage.sales.RecordSales(request, metadata=self._stage.metadata, timeout=60)
                for result in answer.results:
                    if result.HasField("problem"):
                        raise SystemExit(f"a sale was refused: {result.problem.reason}")

        await asyncio.gather(*(caller() for _ in range(CALLERS)))
        await self._stage.drained()
        async with self._db.transaction(rpc.internal_caller("bench", GROUP)) as tx:
            draft = await rule_sets.create_draft(tx, request_id="bench-draft", rule_set=DRAFT, note="")
        self._row["draft_id"] = ids.from_edge("rdr", draft.draft_id, "draft_id")

    async def simulate(self) -> int:
        """Compute all of them by the draft; answers how many there are."""
        thresholds = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)  # as services.points has it
        try:
            result = await self._simulations.run(self._row)
        finally:
            gc.set_threshold(*thresholds)
            gc.unfreeze()
        if result.sale_count != SALES:
            raise SystemExit(f"{result.sale_count} sales were simulated")
        return result.sale_count

    async def close(self) -> None:
        """Leave the service's database alone."""
        for each in (self._facts, self._lookup, self._db):
            await each.close()
