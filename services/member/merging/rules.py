"""Pure: what a merge, and undoing it, make of two standings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

from services.member.tiers.rules import Change, Floor, Ladder, Reason, Standing, settle, whole

# Services that keep something by member. A merge is completed when each has followed.
FOLLOWERS = ("mall", "parking", "points")

MERGING, COMPLETED, UNMERGING, UNMERGED = 1, 2, 3, 4


def own_code(standing: Standing) -> str:
    """The code of the tier that a member has by itself, not by a grant."""
    return standing.own_code or standing.tier_code or ""


def united(
    ladder: Ladder,
    survivor: Standing,
    absorbed: Standing,
    *,
    growth_minor: int,
    floor: Floor | None,
    today: date,
) -> tuple[Standing, Change | None, Standing]:
    """The survivor's standing with the growth of both, what is to be announced of it, and the absorbed member's.

    The highest tier of: the survivor's own, the absorbed member's own, and what both growths reach. `floor` is the best
    tier that either was granted.
    """
    held = ladder.held(own_code(survivor), survivor.growth)
    brought = ladder.held(own_code(absorbed), absorbed.growth)
    reached = ladder.grade(whole(growth_minor))
    period_end = survivor.period_end
    if brought > held and brought >= reached:
        period_end = absorbed.period_end
    elif reached > held:
        period_end = ladder.policy.period_end(today)
    after, change = _settled(ladder, survivor, max(held, brought, reached), growth_minor, floor, period_end, today)
    return after, change, replace(_cleared(absorbed), survivor_id=survivor.member_id)


def parted(
    ladder: Ladder,
    standing: Standing,
    *,
    growth_minor: int,
    codes: Iterable[str],
    floor: Floor | None,
    today: date,
) -> tuple[Standing, Change | None]:
    """The standing of one of the two with its own growth, that since the merge included, and what is to be announced.

    The tier is the one held before or reached by that growth. `codes` are the own tier before the merge and, of a
    survivor, those of others that it still has absorbed. A tier has a new period where none is under way.
    """
    growth = whole(growth_minor)
    place = max(ladder.grade(growth), *(ladder.held(code, growth) for code in codes))
    period_end = standing.period_end or ladder.policy.period_end(today)
    return _settled(ladder, replace(standing, survivor_id=None), place, growth_minor, floor, period_end, today)


def told(standing: Standing, survivor: Standing) -> Standing:
    """An absorbed member's standing with the tier that the others know it by, which is its survivor's."""
    return replace(standing, tier_code=survivor.tier_code, ladder_version=survivor.ladder_version)


def _settled(
    ladder: Ladder,
    standing: Standing,
    place: int,
    growth_minor: int,
    floor: Floor | None,
    period_end: date | None,
    today: date,
) -> tuple[Standing, Change | None]:
    standing = replace(
        standing,
        growth_minor=growth_minor,
        floor_code=floor.tier_code if floor else None,
        floor_end=floor.end_date if floor else None,
        ladder_version=ladder.version,
    )
    return settle(ladder, standing, place, period_end, today + timedelta(days=1), Reason.MERGE)


def _cleared(standing: Standing) -> Standing:
    return replace(
        standing,
        tier_code=None,
        own_code=None,
        period_end=None,
        floor_code=None,
        floor_end=None,
        review_date=None,
        since_date=None,
        previous_code=None,
    )
