"""What a simulation adds up: points, what they cost, what stays owed and by whom, who gains and who loses. Pure.

Cost is what the sales earned. What stays owed is less: returned goods take back what their lines earned, and would take
back what they would have earned. Nobody knows what members would have spent of other points, or let expire, so neither
is taken off on either side.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.units import largest_remainder
from huitong.points.v1 import points_pb2, rules_pb2
from services.points.earning import rules
from services.points.earning.earning import Computed
from services.points.earning.explanations import funded_from_proto, funded_to_proto
from services.points.earning.funding import Funded, Funder, FunderKind
from services.points.lookup import GroupData, Store
from services.points.returns import clawed_back_points

MOST_CHANGES = 20
# A sale of the span as recorded: columns of txn, and returned_lines of sale_refund.
SaleRow = Mapping[str, Any]
# What points pay: so much money for so many points.
Worth = tuple[int, int]


class Owed:
    """Points that nobody has given back, by who pays for them and by what they pay."""

    def __init__(self) -> None:
        self._points: dict[Funder, Counter[Worth]] = {}

    def add(self, points: int, funders: Sequence[Funded], worth: Worth) -> None:
        """What is left of a sale, shared as the sale's points are."""
        shares = largest_remainder(points, [funded.points for funded in funders]) if points else []
        for funded, share in zip(funders, shares, strict=False):
            # Whoever pays, pays as one, named by a rule or because the store is theirs.
            is_named = funded.funder.kind is FunderKind.NAMED_MERCHANT
            funder = Funder(FunderKind.MERCHANT, funded.funder.id) if is_named else funded.funder
            self._points.setdefault(funder, Counter())[worth] += share

    @property
    def funders(self) -> set[Funder]:
        """Who pays for any."""
        return set(self._points)

    def points(self, funder: Funder) -> int:
        """How many somebody pays for."""
        return self._points.get(funder, Counter()).total()

    def minor(self, funder: Funder) -> int:
        """What they pay; rounded down once for each worth."""
        return sum(points * worth[0] // worth[1] for worth, points in self._points.get(funder, Counter()).items())


class Sums:
    """What a simulation adds up."""

    def __init__(self, data: GroupData, draft: rules.RuleSet, first_date: date, last_date: date) -> None:
        self.data, self.draft = data, draft
        self._first_date, self._last_date = first_date, last_date
        self.sale_count = self.sales_minor = self.draft_points = self.skipped_count = self.throttled_count = 0
        # Points by what they pay, so that the division rounds once: (offset minor, offset points) → points.
        self._actual: Counter[Worth] = Counter()
        self._actual_owed, self._draft_owed = Owed(), Owed()
        self._members: dict[UUID, list[int]] = {}
        self._stores: dict[UUID, list[int]] = {}
        self._rules: dict[str, points_pb2.AppliedRule] = {}

    def has_in_span(self, business_date: date) -> bool:
        """Whether sales of a date are to be added."""
        return self._first_date <= business_date <= self._last_date

    def add(self, sale: SaleRow, request: points_pb2.RecordSaleRequest, computed: Computed, place: Store) -> None:
        """One sale of the span, what it earned (in the record) and what it would earn."""
        actual, earning = sale["points"], computed.earning
        self.sale_count += 1
        self.sales_minor += sale["amount_minor"]
        self.draft_points += earning.points
        self.skipped_count += bool(earning.skipped)
        self.throttled_count += any(applied.throttled_points for applied in earning.applied)
        worth = _worth(self.data.rule_set_at(sale["occur_time"], place.time_zone))
        self._actual[worth] += actual
        self._add_owed(sale, request, computed, place, worth)
        for changes, key in ((self._members, sale["wallet_id"]), (self._stores, sale["store_id"])):
            change = changes.setdefault(key, [0, 0])
            change[0] += actual
            change[1] += earning.points
        for applied in earning.applied:
            rule = self._rules.get(applied.rule_id)
            if rule is None:
                rule = self._rules[applied.rule_id] = points_pb2.AppliedRule(
                    rule_id=applied.rule_id,
                    kind=int(applied.kind),  # type: ignore[arg-type]
                    name=applied.name,
                    name_zh=applied.name_zh,
                )
            rule.points += applied.points
            rule.capped_points += applied.capped_points
            rule.throttled_points += applied.throttled_points

    def _add_owed(
        self, sale: SaleRow, request: points_pb2.RecordSaleRequest, computed: Computed, place: Store, worth: Worth
    ) -> None:
        """What of the sale's points stays when the goods that came back have taken theirs."""
        explanation = points_pb2.Explanation.FromString(sale["explanation"])
        issuer = Funder(FunderKind.MERCHANT, sale["merchant_id"])
        actual = [Funded(issuer, sale["points"])]
        if explanation.funders:
            actual = [funded_from_proto(funded) for funded in explanation.funders]
        draft = [Funded(issuer, computed.earning.points)]
        if computed.funding is not None:
            # The store may have changed hands since.
            today = Funder(FunderKind.MERCHANT, place.merchant_id)
            draft = [
                funded._replace(funder=issuer) if funded.funder == today else funded
                for funded in computed.funding.in_all
            ]
        actual_lines = {line.line_no: line.points for line in explanation.lines}
        draft_lines = dict(zip(computed.line_nos, computed.earning.line_points, strict=True))
        taken = [
            _taken_back(request, sale["returned_lines"], line_points) for line_points in (actual_lines, draft_lines)
        ]
        self._actual_owed.add(sale["points"] - taken[0], actual, worth)
        self._draft_owed.add(computed.earning.points - taken[1], draft, _worth(self.draft))

    def _liabilities(self) -> list[rules_pb2.FunderLiability]:
        def told(funder: Funder) -> rules_pb2.FunderLiability:
            named = funded_to_proto(Funded(funder, 0))
            return rules_pb2.FunderLiability(
                kind=named.kind,
                funder_id=named.funder_id,
                actual_points=self._actual_owed.points(funder),
                draft_points=self._draft_owed.points(funder),
                actual_minor=self._actual_owed.minor(funder),
                draft_minor=self._draft_owed.minor(funder),
            )

        found = map(told, self._actual_owed.funders | self._draft_owed.funders)
        return sorted(found, key=lambda each: (each.kind, each.funder_id))

    def result(self) -> rules_pb2.SimulationResult:
        """The whole."""
        minor, points = _worth(self.draft)
        actual_cost = sum(count * minor // points for (minor, points), count in self._actual.items())
        draft_cost = self.draft_points * minor // points
        liabilities = self._liabilities()
        return rules_pb2.SimulationResult(
            sale_count=self.sale_count,
            sales_minor=self.sales_minor,
            actual_points=self._actual.total(),
            draft_points=self.draft_points,
            actual_cost_minor=actual_cost,
            draft_cost_minor=draft_cost,
            liability_change_minor=sum(each.draft_minor - each.actual_minor for each in liabilities),
            actual_outstanding_points=sum(each.actual_points for each in liabilities),
            draft_outstanding_points=sum(each.draft_points for each in liabilities),
            liabilities=liabilities,
            winning_member_count=sum(after > before for before, after in self._members.values()),
            losing_member_count=sum(after < before for before, after in self._members.values()),
            member_winners=_most(self._members, "mbr", sign=1),
            member_losers=_most(self._members, "mbr", sign=-1),
            store_winners=_most(self._stores, "sto", sign=1),
            store_losers=_most(self._stores, "sto", sign=-1),
            rules=[self._rules[rule_id] for rule_id in sorted(self._rules)],
            skipped_count=self.skipped_count,
            throttled_count=self.throttled_count,
        )


def _taken_back(request: points_pb2.RecordSaleRequest, returned: bytes | None, line_points: Mapping[int, int]) -> int:
    """What returned lines take back when the sale's lines have earned these points, by line number."""
    if returned is None:
        return 0
    came_back = points_pb2.RefundSaleRequest.FromString(returned)
    amounts = {line.line_no: line.amount_minor for line in request.lines}
    return sum(
        clawed_back_points(line_points[line.line_no], amounts[line.line_no], line.amount_minor)
        for line in came_back.lines
    )


def _worth(rule_set: rules.RuleSet) -> Worth:
    """What points pay at a till."""
    return (rule_set.offset.minor, rule_set.offset.points) if rule_set.offset else (0, 1)


def _most(changes: dict[UUID, list[int]], prefix: str, *, sign: int) -> list[rules_pb2.SimulatedChange]:
    """Those whose points change most in one direction, the most first."""
    changed = ((key, before, after) for key, (before, after) in changes.items() if sign * (after - before) > 0)
    most = heapq.nsmallest(MOST_CHANGES, changed, key=lambda one: (-sign * (one[2] - one[1]), one[0]))
    return [
        rules_pb2.SimulatedChange(id=ids.to_edge(prefix, key), actual_points=before, draft_points=after)
        for key, before, after in most
    ]
