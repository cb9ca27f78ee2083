"""Limits over many sales: a member's day and month, budgets of campaigns and stores, ceilings of the group and members.

They are exact under concurrency, and given once a sale. What a rule may give is taken first; what all rules of the sale
give together is then taken from the store's budget and the ceilings, in a second call.

They are taken in batches ahead of the ledger call, as claims are: a crash in between does no harm, since the retry of
the same sale finds what it was given. What a sale that never comes again was given stays taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import NamedTuple
from uuid import UUID

from chassis import ids
from services.points.earning.rules import Rule
from services.points.ledger.batched import BATCH_ROWS, BatchedCalls
from services.points.ledger.ledger import LEDGER_SETTINGS

_SETTINGS = {**LEDGER_SETTINGS, "application_name": "huitong-points-caps"}
_TAKE = "SELECT ord, granted, left_points FROM take_caps($1, $2, $3, $4, $5, $6)"


class Taking(NamedTuple):
    """What one rule ("": the whole sale) wants to give, and one of the caps that it has to be taken from."""

    cap_id: UUID
    sale_id: UUID
    rule_id: str
    group_id: UUID
    limit: int
    want: int


def takings_of(
    rule: Rule, *, group_id: UUID, sale_id: UUID, member_id: UUID, business_date: date, want: int
) -> list[Taking]:
    """A row for each cap of a limited rule."""
    offer = rule.offer
    month = f"{business_date:%Y-%m}"
    caps: tuple[tuple[UUID, int], ...] = (
        (budget_id(group_id, rule.rule_id), offer.budget_points),
        (ids.derive("cap", group_id, rule.rule_id, member_id, business_date), offer.max_points_per_member_day),
        (ids.derive("cap", group_id, rule.rule_id, member_id, month), offer.max_points_per_member_month),
    )
    if offer.shared_budget is not None:
        caps = (*caps, (shared_budget_id(group_id, offer.shared_budget.budget_id), offer.shared_budget.points))
    return [Taking(cap_id, sale_id, rule.rule_id, group_id, limit, want) for cap_id, limit in caps if limit]


def budget_id(group_id: UUID, rule_id: str) -> UUID:
    """The cap that is a rule's budget: the same for all versions of the rule."""
    return ids.derive("cap", group_id, rule_id, "budget")


def shared_budget_id(group_id: UUID, name: str) -> UUID:
    """The cap that is the budget of the offers that name it: the same for all versions of the rules."""
    return ids.derive("campaign-cap", group_id, name)


class Granted(NamedTuple):
    """What a rule, or the whole sale, may give; and what each of its caps had left."""

    points: int
    left: dict[UUID, int]


class Caps:
    """Takes from caps over one connection, whatever has arrived in one call."""

    def __init__(self, url: str) -> None:
        self._calls = BatchedCalls(url, (_TAKE,), settings=_SETTINGS)
        self.open, self.close = self._calls.open, self._calls.close

    async def take(self, takings: Sequence[Taking]) -> dict[tuple[UUID, str], Granted]:
        """What each sale and rule was given, now or before. Raises Overloaded, and Unavailable (ask again)."""
        found: dict[tuple[UUID, str], Granted] = {}
        for some in _calls_of(takings):
            for taking, row in zip(some, await self._calls.ask(_TAKE, some), strict=True):
                granted = found.setdefault((taking.sale_id, taking.rule_id), Granted(row["granted"], {}))
                granted.left[taking.cap_id] = row["left_points"]
        return found


def _calls_of(takings: Sequence[Taking]) -> Iterator[list[Taking]]:
    """What is asked together, in order: a whole batch of sales may be more than fits into a queue.

    What one rule takes for one sale, which stands together, is asked together: it gets what the tightest cap has left.
    """
    call: list[Taking] = []
    for _, group in groupby(takings, key=lambda taking: (taking.sale_id, taking.rule_id)):
        rows = list(group)
        if call and len(call) + len(rows) > BATCH_ROWS:
            yield call
            call = []
        call += rows
    if call:
        yield call
