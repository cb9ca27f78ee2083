"""Profiles: how complete they are, and how often a birthday changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.member.privacy.rules import Settings, due_time, pause_seconds
from services.member.profile import rules
from services.member.profile.errors import BirthdayChangesUsedUp
from services.member.profile.rules import Profile

MAY, JUNE = Profile(birthday=date(1990, 5, 4)), Profile(birthday=date(1990, 6, 4))


@pytest.mark.parametrize(
    ("profile", "percent", "missing"),
    [
        (Profile(), 0, ["name", "gender", "birthday", "email"]),
        (Profile(name="Anna"), 25, ["gender", "birthday", "email"]),
        (Profile("Anna", 1, date(1990, 5, 4)), 75, ["email"]),
        (Profile("Anna", 1, date(1990, 5, 4), "a@example.com"), 100, []),
    ],
)
def test_completeness_says_what_is_missing(profile: Profile, percent: int, missing: list[str]) -> None:
    assert (rules.percent_complete(profile), rules.missing_fields(profile)) == (percent, missing)


@pytest.mark.parametrize(
    ("before", "after", "birth_month", "counted"),
    [
        (Profile(), MAY, 0, 0),  # told for the first time
        (Profile(), MAY, 5, 0),  # as the month that was told when joining
        (Profile(), MAY, 6, 1),  # another month than that
        (MAY, MAY, 5, 0),  # nothing new
        (MAY, JUNE, 5, 1),
        (MAY, Profile(), 5, 1),  # taken out: or else it could be told for the first time again and again
    ],
)
def test_a_birthday_that_was_known_changes(before: Profile, after: Profile, birth_month: int, counted: int) -> None:
    count = rules.count_birthday_changes(before, after, birth_month=birth_month, count=0, limit=1)
    assert count == counted
    if counted:
        with pytest.raises(BirthdayChangesUsedUp):
            rules.count_birthday_changes(before, after, birth_month=birth_month, count=1, limit=1)
    assert rules.count_birthday_changes(before, after, birth_month=birth_month, count=9, limit=None) == 9 + counted


def test_rules_know_the_month_of_the_birthday_or_the_one_told_when_joining() -> None:
    assert rules.month_of(Profile(), Profile(name="Anna"), 5) == 5
    assert rules.month_of(Profile(), JUNE, 5) == 6
    assert rules.month_of(JUNE, Profile(), 6) == 0


def test_a_profile_is_read_as_it_was_sealed() -> None:
    for profile in (Profile(), Profile("林安娜", 1, date(2000, 2, 29), "a@example.com")):
        assert rules.from_text(rules.to_text(profile)) == profile


def test_only_a_member_s_own_erasure_waits() -> None:
    now = datetime(2026, 11, 1, tzinfo=UTC)
    assert due_time(Settings(), now, is_own=True) == now + timedelta(days=7)
    assert due_time(Settings(), now, is_own=False) == now
    assert [pause_seconds(count) for count in (0, 1, 5, 6, 10_000)] == [1, 2, 32, 60, 60]
