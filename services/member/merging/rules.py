"""Pure: what a merge, and undoing it, make of two standings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from services.member.tiers.rules import Ladder, Standing

# Services that keep something by member. A merge is completed when each has followed.
FOLLOWERS = ("mall", "parking", "points")

MERGING, COMPLETED, UNMERGING, UNMERGED = 1, 2, 3, 4


def united(ladder: Ladder, survivor: Standing, absorbed: Standing) -> tuple[Standing, Standing]:
    """Growth added up, the highest tier of: the survivor's, the absorbed member's, and what both growths reach."""
    place = max(
        ladder.held(survivor.tier_code, survivor.growth),
        ladder.held(absorbed.tier_code, absorbed.growth),
        ladder.grade(max(0, survivor.growth_minor + absorbed.growth_minor) // 100),
    )
    return (
        replace(
            survivor,
            growth_minor=survivor.growth_minor + absorbed.growth_minor,
            tier_code=ladder.tiers[place].code,
            ladder_version=ladder.version,
        ),
        replace(absorbed, tier_code=None, survivor_id=survivor.member_id),
    )


def parted(
    ladder: Ladder,
    survivor: Standing,
    absorbed: Standing,
    *,
    survivor_codes: Iterable[str],
    absorbed_code: str,
) -> tuple[Standing, Standing]:
    """Each its own growth, that since the merge included, and the tier held before or reached by it.

    `survivor_codes` are the survivor's tier before the merge and those of others that it still has absorbed.
    """
    left = replace(survivor, growth_minor=survivor.growth_minor - absorbed.growth_minor)
    place = max(ladder.held(code, left.growth) for code in survivor_codes)
    own = max(ladder.held(absorbed_code, absorbed.growth), ladder.grade(absorbed.growth))
    return (
        replace(
            left,
            tier_code=ladder.tiers[max(place, ladder.grade(left.growth))].code,
            ladder_version=ladder.version,
        ),
        replace(absorbed, tier_code=ladder.tiers[own].code, ladder_version=ladder.version, survivor_id=None),
    )
