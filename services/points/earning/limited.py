"""What limits over many sales leave of one: the caps that it takes from, and what it earns with what they give. Pure.

Offers take first, those that may keep others out before the others; then what the whole sale earns is taken from
budgets and ceilings over all rules. Sales that are recorded take from the database, many at once
(caps.py); a quote and a simulation take from a `Count`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from services.points.earning.caps import Granted, Taking, budget_id, shared_budget_id, takings_of
from services.points.earning.earning import Computation, Computed, Known
from services.points.earning.limits import AppliedLimit, Limit
from services.points.earning.rules import RuleSet

# What every sale and rule was given.
Grants = Mapping[tuple[UUID, str], Granted]


class Taker(NamedTuple):
    """A sale, as caps know it; `member_id` is whose limits it uses up."""

    group_id: UUID
    sale_id: UUID
    member_id: UUID
    store_id: UUID

    def takings(self, computed: Computed) -> list[Taking]:
        """What its offers have to take from caps next, before they may give it."""
        return [
            taking
            for rule, want in computed.next_wants
            for taking in takings_of(
                rule,
                group_id=self.group_id,
                sale_id=self.sale_id,
                member_id=self.member_id,
                business_date=computed.business_date,
                want=want,
            )
        ]

    def with_offers(self, computed: Computed, grants: Grants) -> Known | None:
        """What is known once its offers have taken; None when they may give all that they want."""
        new = {rule.rule_id: grants[self.sale_id, rule.rule_id].points for rule, _ in computed.next_wants}
        own = {**(computed.known.granted or {}), **new}
        if all(own.get(rule.rule_id, -1) >= want for rule, want in computed.earning.wants if want):
            return None
        return computed.known._replace(granted=own)

    def limits(self, computed: Computed) -> list[Limit]:
        """The budgets and ceilings over all rules that it falls under."""
        limits = computed.rule_set.sale_limits
        if limits is None or not computed.earning.points:
            return []
        return limits.of_sale(self.group_id, self.store_id, computed.business_date, member_id=self.member_id)

    def takings_in_all(self, computed: Computed, limits: Sequence[Limit]) -> list[Taking]:
        """What the whole sale has to take from `limits`."""
        return [
            Taking(limit.cap_id, self.sale_id, "", self.group_id, limit.points, computed.earning.points)
            for limit in limits
        ]

    def with_limits(self, computed: Computed, limits: Sequence[Limit], grants: Grants) -> Known | None:
        """What is known once the whole sale has taken; None when it may give all."""
        want, granted = computed.earning.points, grants[self.sale_id, ""]
        if granted.points >= want:
            return None
        bit = [
            AppliedLimit(limit.limit, limit.points, left)
            for limit in limits
            if (left := granted.left[limit.cap_id]) < want
        ]
        return computed.known._replace(granted_points=granted.points, limits=bit)


class Count:
    """Caps counted by themselves, from what they have given already, as take_caps counts them."""

    def __init__(self, used_points: Mapping[UUID, int]) -> None:
        self._used_points = dict(used_points)

    def take(self, takings: Sequence[Taking]) -> Grants:
        """What each sale and rule is given, in their order; for none of them anything has been taken before."""
        asked: dict[tuple[UUID, str], list[Taking]] = {}
        for taking in takings:
            asked.setdefault((taking.sale_id, taking.rule_id), []).append(taking)
        return {key: self._take(own) for key, own in asked.items()}

    def _take(self, takings: Sequence[Taking]) -> Granted:
        used_points = self._used_points
        left = {each.cap_id: max(0, each.limit - used_points.get(each.cap_id, 0)) for each in takings}
        points = min(takings[0].want, *left.values())
        for cap_id in left:
            used_points[cap_id] = used_points.get(cap_id, 0) + points
        return Granted(points, left)


def limit(computed: Computed, compute: Computation, taker: Taker, count: Count) -> Computed:
    """The sale with what `count` has left for it, which is taken from there."""
    while takings := taker.takings(computed):
        known = taker.with_offers(computed, count.take(takings))
        if known is None:
            break
        computed = compute(known)
    if limits := taker.limits(computed):
        known = taker.with_limits(computed, limits, count.take(taker.takings_in_all(computed, limits)))
        if known is not None:
            computed = compute(known)
    return computed


def caps_of(computed: Computed, taker: Taker) -> list[UUID]:
    """Every cap that a sale may take from."""
    rule_set, business_date = computed.rule_set, computed.business_date
    caps = [
        taking.cap_id
        for rule in rule_set.offers
        for taking in takings_of(
            rule,
            group_id=taker.group_id,
            sale_id=taker.sale_id,
            member_id=taker.member_id,
            business_date=business_date,
            want=0,
        )
    ]
    if rule_set.sale_limits is not None:
        limits = rule_set.sale_limits.of_sale(taker.group_id, taker.store_id, business_date, member_id=taker.member_id)
        caps += [each.cap_id for each in limits]
    return caps


def lasting_caps(rule_set: RuleSet, group_id: UUID) -> list[UUID]:
    """The caps of a rule set that no day and no month begins anew."""
    caps = [budget_id(group_id, rule.rule_id) for rule in rule_set.offers if rule.offer.budget_points]
    shared = {rule.offer.shared_budget.budget_id for rule in rule_set.offers if rule.offer.shared_budget}
    caps += [shared_budget_id(group_id, name) for name in sorted(shared)]
    return caps + (rule_set.sale_limits.lasting_caps(group_id) if rule_set.sale_limits else [])


def has_months(rule_set: RuleSet) -> bool:
    """Whether any of its caps begins anew with a month."""
    limits = rule_set.sale_limits
    return any(rule.offer.max_points_per_member_month for rule in rule_set.offers) or (
        limits is not None and limits.has_months
    )
