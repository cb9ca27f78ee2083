"""When points expire, by examples and by laws."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitong.points.v1 import points_pb2
from services.points.convert import rule_set_of, to_date, to_expiry, to_timestamp
from services.points.earning import expiry, rules
from services.points.earning.expiry import ExpiryKind, ExpiryPolicy, ExpiryRounding
from services.points.errors import RulesInvalid

ZONE = "Asia/Shanghai"
KINDS = list(ExpiryKind)[1:]
DAYS = st.dates(date(2000, 1, 1), date(2100, 12, 31))


def rolling(months: int, rounding: ExpiryRounding = ExpiryRounding.DAY, grace_days: int = 0) -> ExpiryPolicy:
    return ExpiryPolicy(ExpiryKind.ROLLING_MONTHS, months, rounding, grace_days=grace_days)


def year_end(years: int = 0) -> ExpiryPolicy:
    return ExpiryPolicy(ExpiryKind.CALENDAR_YEAR_END, years=years)


def fixed(day: date, grace_days: int = 0) -> ExpiryPolicy:
    return ExpiryPolicy(ExpiryKind.FIXED_DATE, fixed_date=day, grace_days=grace_days)


@pytest.mark.parametrize(
    ("policy", "sold_on", "last_day"),
    [
        (rolling(12), date(2026, 3, 15), date(2027, 3, 15)),
        (rolling(1), date(2026, 1, 31), date(2026, 2, 28)),  # February has no 31st
        (rolling(12), date(2024, 2, 29), date(2025, 2, 28)),  # a leap day
        (rolling(48), date(2024, 2, 29), date(2028, 2, 29)),
        (rolling(24, ExpiryRounding.MONTH), date(2026, 3, 15), date(2028, 3, 31)),
        (rolling(24, ExpiryRounding.UNSPECIFIED), date(2026, 2, 1), date(2028, 2, 29)),
        (rolling(1, ExpiryRounding.QUARTER), date(2026, 3, 15), date(2026, 6, 30)),
        (rolling(3, ExpiryRounding.QUARTER), date(2026, 9, 30), date(2026, 12, 31)),
        (rolling(3, ExpiryRounding.YEAR), date(2026, 10, 1), date(2027, 12, 31)),
        (year_end(), date(2026, 1, 1), date(2026, 12, 31)),
        (year_end(), date(2026, 12, 31), date(2026, 12, 31)),
        (year_end(1), date(2026, 12, 31), date(2027, 12, 31)),
        (fixed(date(2026, 6, 30)), date(2026, 1, 1), date(2026, 6, 30)),
    ],
)
def test_the_last_day(policy: ExpiryPolicy, sold_on: date, last_day: date) -> None:
    assert policy.last_day(sold_on) == last_day
    expire_time = expiry.expire_time(policy, sold_on, ZONE)
    local = expire_time.astimezone(ZoneInfo(ZONE))
    assert (local.date(), local.hour) == (last_day + timedelta(days=1), 0)


def test_days_of_grace_move_the_instant_and_leave_the_nominal_one() -> None:
    policy, day = rolling(12, grace_days=30), date(2026, 3, 15)
    assert expiry.nominal_expire_time(policy, day, ZONE) == datetime(2027, 3, 15, 16, tzinfo=UTC)
    assert expiry.expire_time(policy, day, ZONE) == datetime(2027, 4, 14, 16, tzinfo=UTC)
    assert expiry.nominal_expire_time(rolling(12), day, ZONE) is None


def test_points_that_never_expire_have_no_expire_time() -> None:
    never = expiry.expire_time(ExpiryPolicy(ExpiryKind.NONE), date(2026, 3, 15), ZONE)
    assert never == expiry.NEVER
    assert to_expiry(never) is None
    assert to_expiry(datetime(2027, 1, 1, tzinfo=UTC)) == to_timestamp(datetime(2027, 1, 1, tzinfo=UTC))


@given(day=DAYS, months=st.integers(1, 120))
def test_expiry_months_is_a_rolling_expiry_to_the_end_of_the_month(day: date, months: int) -> None:
    assert expiry.expiry_of(day.year, day.month, months, ZONE) == expiry.expire_time(expiry.rolling(months), day, ZONE)


POLICIES = st.one_of(
    st.builds(rolling, st.integers(1, 14), st.sampled_from(ExpiryRounding), st.integers(0, 40)),
    st.builds(year_end, st.integers(0, 2)),
    st.builds(fixed, st.dates(date(2026, 1, 1), date(2026, 1, 10)), st.integers(0, 40)),
)


@given(policy=POLICIES, day=st.dates(date(2020, 1, 1), date(2026, 1, 10)))
def test_points_that_pend_as_long_as_allowed_unlock_before_they_expire(policy: ExpiryPolicy, day: date) -> None:
    if policy.is_over(day):
        return  # earns nothing
    most_days = expiry.most_pending_days(policy)
    assert rules.unlock_of(day, most_days, ZONE) < expiry.expire_time(policy, day, ZONE)


@pytest.mark.parametrize(
    ("policy", "most_days"),
    [
        (rolling(1), 28),  # 28 February is the last day for a sale on 31 January
        (rolling(1, ExpiryRounding.MONTH), 28),
        (rolling(1, ExpiryRounding.QUARTER, grace_days=7), 30 + 7),  # 31 May to 30 June
        (rolling(12), 365),
        (year_end(), 0),
        (year_end(1), 365),
        (fixed(date(2026, 6, 30)), 0),
        (fixed(date(2026, 6, 30), grace_days=14), 14),
        (ExpiryPolicy(ExpiryKind.NONE), 366),  # no rule set lets points pend longer
    ],
)
def test_the_most_pending_days(policy: ExpiryPolicy, most_days: int) -> None:
    assert expiry.most_pending_days(policy) == most_days


def rule_set(**changes: Any) -> points_pb2.RuleSet:
    values: dict[str, Any] = {
        "effective_date": to_date(date(2026, 1, 1)),
        "base_points": 1,
        "base_step_minor": 100,
        "rules": [points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE)],
    }
    return points_pb2.RuleSet(**{**values, **changes})


def policy(kind: points_pb2.ExpiryKind, **changes: Any) -> points_pb2.ExpiryPolicy:
    return points_pb2.ExpiryPolicy(kind=kind, **changes)


ROLLING, YEAR_END, FIXED, NONE = (
    points_pb2.EXPIRY_KIND_ROLLING_MONTHS,
    points_pb2.EXPIRY_KIND_CALENDAR_YEAR_END,
    points_pb2.EXPIRY_KIND_FIXED_DATE,
    points_pb2.EXPIRY_KIND_NONE,
)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, "either by expiry_months or by expiry"),
        ({"expiry_months": 12, "expiry": policy(NONE)}, "either by expiry_months or by expiry"),
        ({"expiry": points_pb2.ExpiryPolicy(months=3)}, "names no kind"),
        ({"expiry": policy(ROLLING)}, "needs 1 to 120 months"),
        ({"expiry": policy(ROLLING, months=12, years=1)}, "ROLLING_MONTHS cannot have years"),
        ({"expiry": policy(YEAR_END, rounding=1)}, "CALENDAR_YEAR_END cannot have rounding"),
        ({"expiry": policy(NONE, grace_days=3)}, "NONE cannot have grace_days"),
        ({"expiry": policy(FIXED)}, "needs a fixed_date that exists"),
        ({"expiry": policy(FIXED, fixed_date={"year": 2026, "month": 2, "day": 30})}, "needs a fixed_date that exists"),
        ({"expiry": policy(FIXED, fixed_date=to_date(date(2025, 12, 31)))}, "before the rules are in force"),
        ({"expiry": policy(YEAR_END), "pending_days": 1}, "at most 0 pending days"),
    ],
)
def test_an_expiry_that_does_not_fit_together_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(RulesInvalid, match=problem):
        rule_set_of(rule_set(**changes))


@pytest.mark.parametrize("kind", KINDS)
def test_a_policy_comes_through(kind: ExpiryKind) -> None:
    values: dict[ExpiryKind, dict[str, Any]] = {
        ExpiryKind.ROLLING_MONTHS: {"months": 24, "rounding": 3, "grace_days": 5},
        ExpiryKind.CALENDAR_YEAR_END: {"years": 1, "grace_days": 90},
        ExpiryKind.FIXED_DATE: {"fixed_date": to_date(date(2026, 6, 30))},
        ExpiryKind.NONE: {},
    }
    parsed = rule_set_of(rule_set(expiry=policy(int(kind), **values[kind]))).expiry  # type: ignore[arg-type]
    assert parsed is not None
    assert parsed.kind is kind
    assert (parsed.months, parsed.years, parsed.grace_days) == tuple(
        values[kind].get(name, 0) for name in ("months", "years", "grace_days")
    )
    assert parsed.rounding == values[kind].get("rounding", 0)
    assert parsed.fixed_date == (date(2026, 6, 30) if kind is ExpiryKind.FIXED_DATE else None)
