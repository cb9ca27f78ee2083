"""What merging, and undoing it, make of growth and tiers."""

from __future__ import annotations

import pytest

from chassis import ids
from services.member.merging.rules import parted, united
from services.member.tiers.rules import DEFAULT_LADDER, Standing

GROUP, ANNA, GUEST = (ids.derive("merging-rules", name) for name in ("group", "anna", "guest"))


def standing(member_id: object, growth: int, tier: str | None) -> Standing:
    return Standing(GROUP, member_id, growth * 100, tier, DEFAULT_LADDER.version)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("anna", "guest", "tier"),
    [
        ((100, "MEMBER"), (200, "MEMBER"), "MEMBER"),
        ((300, "MEMBER"), (300, "MEMBER"), "SILVER"),  # what both have bought reaches it
        ((0, "MEMBER"), (10, "GOLD"), "GOLD"),  # held by the absorbed member, whatever its growth
        ((10, "DIAMOND"), (2_500, "GOLD"), "DIAMOND"),  # held by the survivor
        ((-50, "MEMBER"), (520, "SILVER"), "SILVER"),  # more was returned than bought
        ((100, "RUBY"), (450, "MEMBER"), "SILVER"),  # a tier that the ladder has no more
    ],
)
def test_the_higher_tier_follows_and_growth_is_united(anna: tuple[int, str], guest: tuple[int, str], tier: str) -> None:
    survivor, absorbed = united(DEFAULT_LADDER, standing(ANNA, *anna), standing(GUEST, *guest))
    assert (survivor.growth_minor, survivor.tier_code) == ((anna[0] + guest[0]) * 100, tier)
    # The absorbed member's own growth goes on, its tier is nobody's to count.
    assert (absorbed.growth_minor, absorbed.tier_code, absorbed.survivor_id) == (guest[0] * 100, None, ANNA)


@pytest.mark.parametrize(
    ("since", "anna_tier", "guest_tier"),
    [
        ((0, 0), "MEMBER", "GOLD"),  # as before
        ((600, 0), "SILVER", "GOLD"),  # what each reached alone since
        ((0, 6_000), "MEMBER", "DIAMOND"),
        ((0, -100), "MEMBER", "GOLD"),  # nobody steps down by returning goods
    ],
)
def test_each_has_its_own_again(since: tuple[int, int], anna_tier: str, guest_tier: str) -> None:
    survivor, absorbed = united(DEFAULT_LADDER, standing(ANNA, 100, "MEMBER"), standing(GUEST, 2_100, "GOLD"))
    survivor = standing(ANNA, survivor.growth + sum(since), survivor.tier_code)
    absorbed = standing(GUEST, absorbed.growth + since[1], None)
    left, own = parted(DEFAULT_LADDER, survivor, absorbed, survivor_codes=["MEMBER"], absorbed_code="GOLD")
    assert (left.growth, left.tier_code) == (100 + since[0], anna_tier)
    assert (own.growth, own.tier_code, own.survivor_id) == (2_100 + since[1], guest_tier, None)


def test_the_tier_of_another_who_is_still_absorbed_stays() -> None:
    left, _ = parted(
        DEFAULT_LADDER,
        standing(ANNA, 200, "GOLD"),
        standing(GUEST, 100, None),
        survivor_codes=["MEMBER", "GOLD"],
        absorbed_code="MEMBER",
    )
    assert left.tier_code == "GOLD"
