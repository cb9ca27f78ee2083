"""What merging, and undoing it, make of growth and tiers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from chassis import ids
from services.member.merging.rules import Held, parted, told, united
from services.member.tiers.growth import DEFAULT_POLICY, Book, Day, Window
from services.member.tiers.rules import DEFAULT_LADDER, Floor, Reason, Standing

GROUP, ANNA, GUEST = (ids.derive("merging-rules", name) for name in ("group", "anna", "guest"))
TODAY = date(2026, 5, 4)
TODAYS = {"merged_on": date(2026, 5, 1), "today": TODAY}
YEARLY = replace(DEFAULT_LADDER, policy=replace(DEFAULT_POLICY, window=Window.CALENDAR_YEAR, grace_days=31))


def bought(yuan: int) -> Book:
    return Book([Day(date(2026, 5, 3), "CNY", spend_minor=yuan * 100)])


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
    survivor, absorbed = standing(ANNA, *anna), standing(GUEST, *guest)
    growth_minor = survivor.growth_minor + absorbed.growth_minor
    after, change, gone = united(DEFAULT_LADDER, survivor, absorbed, growth_minor=growth_minor, floor=None, today=TODAY)
    assert (after.growth_minor, after.tier_code) == (growth_minor, tier)
    assert (change is not None) is (tier != anna[1])
    if change is not None:
        assert (change.tier.code, change.effective_date, change.reason) == (tier, date(2026, 5, 5), Reason.MERGE)
    # The absorbed member's own growth goes on, its tier is nobody's to count.
    assert (gone.growth_minor, gone.tier_code, gone.survivor_id) == (guest[0] * 100, None, ANNA)


def test_a_tier_comes_with_its_period_and_a_grant_with_its_end() -> None:
    anna = replace(standing(ANNA, 600, "SILVER"), period_end=date(2026, 12, 31))
    guest = replace(standing(GUEST, 2_100, "GOLD"), period_end=date(2027, 12, 31), review_date=date(2028, 2, 1))
    floor = Floor("DIAMOND", date(2026, 6, 30))
    after, _, gone = united(YEARLY, anna, guest, growth_minor=270_000, floor=floor, today=TODAY)
    assert (after.tier_code, after.own_code, after.period_end) == ("DIAMOND", "GOLD", date(2027, 12, 31))
    assert (after.floor_end, after.review_date) == (date(2026, 6, 30), date(2026, 7, 1))
    assert gone.review_date is None  # nothing of it ends while it is absorbed


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
    survivor, absorbed = standing(ANNA, 100, "MEMBER"), standing(GUEST, 2_100, "GOLD")
    after, _, gone = united(DEFAULT_LADDER, survivor, absorbed, growth_minor=220_000, floor=None, today=TODAY)
    mine, theirs = 100 + since[0], 2_100 + since[1]
    left, change = parted(DEFAULT_LADDER, after, [Held("MEMBER", None)], bought(mine), None, **TODAYS)
    own, own_change = parted(DEFAULT_LADDER, told(gone, after), [Held("GOLD", None)], bought(theirs), None, **TODAYS)
    assert (left.growth_minor, left.tier_code) == (mine * 100, anna_tier)
    assert (own.growth_minor, own.tier_code, own.survivor_id) == (theirs * 100, guest_tier, None)
    # Whoever has been told of the survivor's tier is told of another one.
    assert (change is not None, own_change is not None) == (anna_tier != "GOLD", guest_tier != "GOLD")


def test_the_tier_of_another_who_is_still_absorbed_stays() -> None:
    before = [Held("MEMBER", None), Held("GOLD", None)]
    left, _ = parted(DEFAULT_LADDER, standing(ANNA, 200, "GOLD"), before, bought(200), None, **TODAYS)
    assert left.tier_code == "GOLD"


@pytest.mark.parametrize(
    ("period_end", "spent", "tier", "new_end"),
    [
        (date(2026, 12, 31), 0, "GOLD", date(2026, 12, 31)),  # it goes on
        (date(2025, 12, 31), 0, "GOLD", date(2025, 12, 31)),  # its grace does
        (date(2024, 12, 31), 0, "MEMBER", None),  # it has ended while they were one
        (date(2024, 12, 31), 700, "SILVER", date(2026, 12, 31)),
        (date(2024, 12, 31), 2_500, "GOLD", date(2026, 12, 31)),
        (None, 0, "GOLD", date(2026, 12, 31)),  # the ladder was one for good
    ],
)
def test_a_period_that_ended_meanwhile_has_ended(
    period_end: date | None, spent: int, tier: str, new_end: date | None
) -> None:
    today = date(2026, 1, 20)
    book = Book([Day(date(2026, 1, 10), "CNY", spend_minor=spent * 100, sale_count=1)])
    left, change = parted(
        YEARLY,
        standing(ANNA, 0, "DIAMOND"),
        [Held("GOLD", period_end)],
        book,
        None,
        merged_on=date(2024, 6, 1),
        today=today,
    )
    assert (left.tier_code, left.period_end, left.growth_minor) == (tier, new_end, spent * 100)
    assert change is not None and (change.tier.code, change.reason) == (tier, Reason.MERGE)


def test_what_each_reached_meanwhile_is_held_for_its_period() -> None:
    # Reached in the year of the merge, parted in the next one, when the window has begun anew.
    days = [Day(date(2026, 3, 1), "CNY", spend_minor=210_000), Day(date(2026, 3, 2), "CNY", spend_minor=100)]
    left, _ = parted(
        YEARLY,
        standing(ANNA, 0, "DIAMOND"),
        [Held("MEMBER", None)],
        Book(days),
        None,
        merged_on=date(2026, 2, 1),
        today=date(2026, 12, 20),
    )
    assert (left.tier_code, left.period_end) == ("GOLD", date(2026, 12, 31))
    later, _ = parted(
        YEARLY,
        standing(ANNA, 0, "DIAMOND"),
        [Held("MEMBER", None)],
        Book(days),
        None,
        merged_on=date(2026, 2, 1),
        today=date(2027, 1, 20),
    )
    assert (later.tier_code, later.period_end) == ("GOLD", date(2026, 12, 31))  # in its grace
    over, _ = parted(
        YEARLY,
        standing(ANNA, 0, "DIAMOND"),
        [Held("MEMBER", None)],
        Book(days),
        None,
        merged_on=date(2026, 2, 1),
        today=date(2027, 2, 20),
    )
    assert over.tier_code == "GOLD" and over.period_end == date(2027, 12, 31)  # that year's growth keeps it
    gone, _ = parted(
        YEARLY,
        standing(ANNA, 0, "DIAMOND"),
        [Held("MEMBER", None)],
        Book(days),
        None,
        merged_on=date(2026, 2, 1),
        today=date(2028, 2, 20),
    )
    assert gone.tier_code == "MEMBER"
