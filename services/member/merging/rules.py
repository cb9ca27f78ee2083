"""Pure: what a merge, and undoing it, make of two standings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from services.member.tiers.growth import Book, Window
from services.member.tiers.rules import Change, Floor, Ladder, Reason, Standing, review, settle, whole

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


@dataclass(frozen=True, slots=True)
class Held:
    """A tier that was somebody's own before a merge, and the last day of its qualifying period (None: for good)."""

    tier_code: str
    period_end: date | None


def parted(
    ladder: Ladder,
    standing: Standing,
    before: Iterable[Held],
    book: Book,
    floor: Floor | None,
    *,
    merged_on: date,
    today: date,
) -> tuple[Standing, Change | None]:
    """The standing of one of the two by its own days, those since the merge included, and what is to be announced.

    `before` is what it held then and, of a survivor, what others held that it still has absorbed: each as if there had
    been no merge, looked at on every day since then, so that what was reached meanwhile is held and a period that has
    ended is over. The best of them counts. (What was reached and brought back meanwhile is not known any more.)
    """
    standing = replace(standing, survivor_id=None)
    # A ladder that was one for good then begins its periods now; one that is by now has none.
    is_for_good = ladder.policy.window is Window.LIFETIME
    found = []
    for held in before:
        period_end = None if is_for_good else held.period_end or ladder.policy.period_end(today)
        own = replace(standing, own_code=held.tier_code, period_end=period_end)
        for day in book.dates(merged_on) if not is_for_good else ():
            if day < today:
                then, _ = review(ladder, own, book, None, day)
                own = replace(own, own_code=own_code(then), period_end=then.period_end)
        found.append(review(ladder, own, book, floor, today))
    after, change = max(found, key=lambda each: (ladder.held(own_code(each[0]), 0), each[0].period_end or date.max))
    return after, replace(change, reason=Reason.MERGE) if change else None


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
