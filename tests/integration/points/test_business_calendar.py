"""Days that a group states: for its units, where their stores are, and by the version of a sale's time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import update

from chassis import ids, rpc
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2, rules_pb2
from services.points import store
from services.points.convert import to_date
from services.points.earning.calendars import STATUTORY_YEARS
from tests.apps import system
from tests.integration.points.test_rules_life import Office, begin_of, offer, with_offers
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World

HOLIDAY, NOTHING = points_pb2.DAY_KIND_HOLIDAY, points_pb2.DAY_KIND_UNSPECIFIED
WOMENS_DAY = date(2017, 3, 8)


def stated(day: date, kind: points_pb2.DayKind = HOLIDAY, *units: str, name: str = "") -> points_pb2.CalendarDay:
    return points_pb2.CalendarDay(date=to_date(day), kind=kind, name=name, business_unit_ids=units)


def on_holidays(world: World, *days: points_pb2.CalendarDay, since: date = date(2016, 1, 1)) -> points_pb2.RuleSet:
    """Double points on holidays by these days."""
    double = offer("holidays", bonus_bps=10_000, day_kind=HOLIDAY)
    return with_offers(world, double, calendar_days=days, effective_date=to_date(since))


async def test_a_units_days_are_those_where_its_stores_are(world: World) -> None:
    abroad = ids.derive("unit abroad", world.group_id)
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        moved = update(store.store).where(store.store.c.store_id == world.stores[1])
        await tx.execute(moved.values(time_zone="America/New_York", business_unit_id=abroad))
        await store.count_change(tx, [world.group_id])
    named = offer("fair", bonus_bps=0, fixed_points=7, condition='"fair" in calendar.day_names')
    rule_set = on_holidays(
        world, stated(WOMENS_DAY, HOLIDAY, ids.to_edge("unt", abroad)), stated(WOMENS_DAY, NOTHING, name="fair")
    )
    rule_set.rules.append(named)
    await world.publish(rule_set)
    # In New York it is the evening of the 7th, then of the 8th; in Shanghai noon of the 8th, then the 9th.
    earned = [
        [(await world.sell(1_000, shop=shop, sale_time=instant)).points for shop in (0, 1)]
        for instant in (datetime(2017, 3, 8, 4, tzinfo=UTC), datetime(2017, 3, 9, 2, tzinfo=UTC))
    ]
    assert earned == [[17, 10], [10, 27]]


async def test_a_sale_has_the_calendar_of_its_time_and_going_back_brings_it_back(world: World) -> None:
    office = Office(world)
    today = datetime.now(ZoneInfo("Asia/Shanghai")).date()
    days = [stated(day) for day in (WOMENS_DAY, today, today + timedelta(days=1))]
    older = await world.publish(on_holidays(world, *days))
    await world.publish(on_holidays(world, since=date(2018, 1, 1)))
    late = await world.sell(1_000, sale_time=datetime(2017, 3, 8, 4, tzinfo=UTC))
    assert (late.points, late.explanation.rule_set_version) == (20, older.version)
    assert (await world.sell(1_000)).points == 10
    request = rules_pb2.RollBackRulesRequest(request_id=world.request_id(), version=older.version)
    back = (await world.call(office.drafts.RollBackRules, request, office.author)).draft
    assert back.rule_set.calendar_days == older.calendar_days
    published = await office.approve(back)
    assert (await world.sell(1_000, sale_time=begin_of(published))).points == 20
    assert (await world.sell(1_000, sale_time=begin_of(published) - timedelta(microseconds=1))).points == 10


async def test_whoever_drafts_and_decides_is_told_of_days_that_nobody_knows(world: World) -> None:
    office = Office(world)
    unknown = date(STATUTORY_YEARS.stop, 1, 1)
    draft = await office.draft(on_holidays(world))
    (warning,) = draft.warnings
    assert (warning.reason, warning.metadata["rule_id"], warning.metadata["unknown_from"]) == (
        "CALENDAR_UNKNOWN",
        "holidays",
        str(unknown),
    )
    assert warning.metadata["field"] == "rule_set.rules[1].day_kind"
    assert str(unknown) in warning.message and str(unknown) in warning.message_zh
    get = rules_pb2.GetRuleDraftRequest(draft_id=draft.draft_id)
    seen = (await world.call(office.drafts.GetRuleDraft, get, office.author)).draft
    assert list(seen.warnings) == list((await office.approve(draft)).warnings) == [warning]
    ending = on_holidays(world, stated(unknown + timedelta(days=31)))
    ending.rules[1].end_date.CopyFrom(to_date(unknown + timedelta(days=360)))
    assert not (await office.draft(ending)).warnings
    request = points_pb2.PublishRuleSetRequest(request_id=world.request_id(), rule_set=on_holidays(world))
    other = system(ids.derive("group without rules or days", world.number))
    assert list((await world.call(world.rules.PublishRuleSet, request, other)).warnings) == [warning]


async def test_a_calendar_that_contradicts_itself_is_refused(world: World) -> None:
    wrong = on_holidays(world, stated(WOMENS_DAY), stated(WOMENS_DAY, points_pb2.DAY_KIND_WORKDAY))
    wrong.calendar_days.add(kind=HOLIDAY, date=types_pb2.BusinessDate(year=2017, month=2, day=30))
    wrong.calendar_days.add(kind=HOLIDAY, business_unit_ids=["sto_1"]).date.CopyFrom(to_date(date(2017, 5, 1)))
    error = await refused(Office(world).draft(wrong), "RULES_INVALID")
    assert "the kind of 2017-03-08 is said twice" in error.message
    assert "a day does not exist" in error.message and "'sto_1' of business_unit_ids" in error.message
