"""What points cost compared with sales, and what follows from it. Pure.

cost = points × offset minor / offset points, compared with thresholds as fractions: nothing is rounded before it is
shown. A state is entered above its threshold and left when cost is `hysteresis_bps` or more below it, so that a cost
that hovers does not switch a campaign on and off.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import NamedTuple

from chassis.units import BPS


class CostState(IntEnum):
    """As in huitong.points.v1.CostState."""

    CALM = 1
    WARNED = 2
    THROTTLED = 3


class CostGovernor(NamedTuple):
    """How a rule set watches what points cost. Shares in basis points of sales."""

    window_days: int
    warn_bps: int
    throttle_bps: int
    hysteresis_bps: int
    min_sales_minor: int

    def window(self, today: date) -> tuple[date, date]:
        """First and last business date."""
        return today - timedelta(days=self.window_days - 1), today


class Throttle(NamedTuple):
    """A unit is throttled since `effective_time`, because of a cost above a threshold."""

    effective_time: datetime
    cost_bps: int
    threshold_bps: int


class UnitCost(NamedTuple):
    """Net figures of a window. So many points pay `offset_minor` for each `offset_points`."""

    sales_minor: int
    points: int
    offset_minor: int
    offset_points: int

    @property
    def cost_minor(self) -> int:
        """What the points pay, rounded down."""
        return self.points * self.offset_minor // self.offset_points

    @property
    def cost_bps(self) -> int:
        """Share of sales, rounded down; 0 without sales."""
        if self.sales_minor <= 0:
            return 0
        return self.points * self.offset_minor * BPS // (self.offset_points * self.sales_minor)

    def exceeds(self, share_bps: int) -> bool:
        """Whether the cost is more than that share of the sales, exactly. Nothing is, without sales."""
        if self.sales_minor <= 0:
            return False
        return self.points * self.offset_minor * BPS > share_bps * self.sales_minor * self.offset_points


class Change(NamedTuple):
    """A new state and the threshold that led to it."""

    state: CostState
    threshold_bps: int
    is_above: bool


def change_of(governor: CostGovernor, state: CostState, cost: UnitCost) -> Change | None:
    """What state follows; None while it stays."""
    if cost.sales_minor < governor.min_sales_minor:
        return None
    if state is not CostState.THROTTLED and cost.exceeds(governor.throttle_bps):
        return Change(CostState.THROTTLED, governor.throttle_bps, True)
    if state is CostState.CALM and cost.exceeds(governor.warn_bps):
        return Change(CostState.WARNED, governor.warn_bps, True)
    calm_bps = max(0, governor.warn_bps - governor.hysteresis_bps)
    released_bps = max(0, governor.throttle_bps - governor.hysteresis_bps)
    if state is CostState.THROTTLED and not cost.exceeds(released_bps):
        if cost.exceeds(calm_bps):
            return Change(CostState.WARNED, released_bps, False)
        return Change(CostState.CALM, calm_bps, False)
    if state is CostState.WARNED and not cost.exceeds(calm_bps):
        return Change(CostState.CALM, calm_bps, False)
    return None


_DONE = {
    CostState.CALM: ("all offers give what they say", "所有活动恢复正常"),
    CostState.WARNED: ("a warning, no offer is changed", "仅预警，活动不变"),
    CostState.THROTTLED: ("offers with a throttle give less", "可限流的活动减少赠分"),
}


def explain(change: Change, cost: UnitCost, first: date, last: date) -> tuple[str, str]:
    """Why a state changed, and what follows, in English and Chinese."""
    done, done_zh = _DONE[change.state]
    share, threshold = f"{cost.cost_bps / 100:.2f}%", f"{change.threshold_bps / 100:.2f}%"
    relation, relation_zh = ("above", "高于") if change.is_above else ("no more than", "不高于")
    return (
        f"Points cost {share} of sales from {first} to {last}, {relation} {threshold}: {done}.",
        f"{first} 至 {last} 积分成本占销售额 {share}，{relation_zh} {threshold}：{done_zh}。",
    )
