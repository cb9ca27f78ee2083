"""From a draft to rules in force: a second person, versions that never change, going back, trying out, simulating."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import AsyncMock
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy import delete, insert, update

from chassis import ids, rpc
from chassis.db import Tx
from chassis.identity import Caller, CallerKind
from chassis.run import build_app
from huitong.points.v1 import points_pb2, points_pb2_grpc, rules_pb2, rules_pb2_grpc
from services.points import lookup, store
from services.points.convert import to_date, to_timestamp
from services.points.rule_sets import operations as rule_sets
from services.points.rule_sets import simulation
from tests.apps import operator, system, terminal
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World, set_time

FIRST = date(2015, 1, 1)
# Within which every process switches when rules are published.
SECOND = timedelta(seconds=1)


class Office:
    """A back office of two people."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.author = system(world.group_id)
        self.second = operator("second", world.group_id)
        self.drafts = world.apps.stub(rules_pb2_grpc.RuleDraftServiceStub, "points")
        self.simulations = world.apps.stub(rules_pb2_grpc.RuleSimulationServiceStub, "points")

    async def draft(self, rule_set: points_pb2.RuleSet, note: str = "") -> rules_pb2.RuleDraft:
        request = rules_pb2.CreateRuleDraftRequest(request_id=self.world.request_id(), rule_set=rule_set, note=note)
        return (await self.world.call(self.drafts.CreateRuleDraft, request, self.author)).draft

    async def approve(self, draft: rules_pb2.RuleDraft, who: Caller | None = None) -> rules_pb2.RuleDraft:
        request = rules_pb2.ApproveRuleDraftRequest(request_id=self.world.request_id(), draft_id=draft.draft_id)
        return (await self.world.call(self.drafts.ApproveRuleDraft, request, who or self.second)).draft

    async def discard(self, draft: rules_pb2.RuleDraft) -> rules_pb2.RuleDraft:
        request = rules_pb2.DiscardRuleDraftRequest(request_id=self.world.request_id(), draft_id=draft.draft_id)
        return (await self.world.call(self.drafts.DiscardRuleDraft, request, self.author)).draft

    async def quote(self, sale: points_pb2.RecordSaleRequest, draft_id: str = "") -> rules_pb2.QuoteSaleResponse:
        request = rules_pb2.QuoteSaleRequest(sale=sale, draft_id=draft_id)
        return await self.world.call(self.simulations.QuoteSale, request, self.author)

    async def simulate(self, draft_id: str, first: date, last: date) -> rules_pb2.RuleSimulation:
        request = rules_pb2.StartRuleSimulationRequest(
            request_id=self.world.request_id(), draft_id=draft_id, first_date=to_date(first), last_date=to_date(last)
        )
        started = (await self.world.call(self.simulations.StartRuleSimulation, request, self.author)).simulation
        get = rules_pb2.GetRuleSimulationRequest(simulation_id=started.simulation_id)
        async with asyncio.timeout(30):
            while True:
                found = await self.world.call(self.simulations.GetRuleSimulation, get, self.author)
                if found.simulation.state != rules_pb2.RULE_SIMULATION_STATE_RUNNING:
                    return found.simulation
                await asyncio.sleep(0.05)


def begin_of(published: rules_pb2.RuleDraft) -> datetime:
    """From when an approved draft is in force: a moment ahead."""
    return published.rule_set.effective_time.ToDatetime(tzinfo=UTC)


def offer(rule_id: str = "offer", **values: Any) -> points_pb2.EarningRule:
    """An offer of half as much again unless told otherwise."""
    return points_pb2.EarningRule(rule_id=rule_id, kind=points_pb2.RULE_KIND_OFFER, **{"bonus_bps": 5_000, **values})


def with_offers(world: World, *offers: points_pb2.EarningRule, **changes: Any) -> points_pb2.RuleSet:
    """The world's rules and these."""
    return world.rule_set(rules=[*world.rule_set().rules, *offers], **changes)


async def give_back(
    world: World, sale: points_pb2.RecordSaleRequest, *lines: tuple[int, int]
) -> points_pb2.RefundSaleResponse:
    return await world.call(world.sales.RefundSale, world.refund(sale, *lines))


async def test_the_first_rules_need_nobody_and_all_later_ones_a_second_person(world: World) -> None:
    caller = system(ids.derive("group without rules", world.number))
    request = points_pb2.PublishRuleSetRequest(request_id=world.request_id(), rule_set=world.rule_set())
    first = await world.call(world.rules.PublishRuleSet, request, caller)
    assert first == await world.call(world.rules.PublishRuleSet, request, caller)
    assert first.rule_set.version == 1
    again = points_pb2.PublishRuleSetRequest(request_id=world.request_id(), rule_set=world.rule_set())
    await refused(world.call(world.rules.PublishRuleSet, again, caller), "SECOND_PERSON_REQUIRED")


async def test_a_draft_changes_nothing_until_a_second_person_approves(world: World) -> None:
    office = Office(world)
    draft = await office.draft(with_offers(world, offer()), "summer")
    assert (draft.state, draft.author, draft.note) == (rules_pb2.RULE_DRAFT_STATE_DRAFT, "key_test", "summer")
    assert (await world.sell(1_000)).points == 10
    await refused(office.approve(draft, office.author), "SECOND_PERSON_REQUIRED")
    key = Caller(CallerKind.SYSTEM, "key_another", world.group_id)
    await refused(office.approve(draft, key), "SECOND_PERSON_REQUIRED")
    assert (await world.sell(1_000)).points == 10
    published = await office.approve(draft)
    assert (published.state, published.decided_by) == (rules_pb2.RULE_DRAFT_STATE_PUBLISHED, "opr_second")
    assert published.rule_set.version == 2
    answer = await world.sell(1_000, sale_time=begin_of(published))
    assert (answer.points, answer.explanation.rule_set_version) == (15, 2)
    await refused(office.approve(draft), "RULE_DRAFT_DECIDED")
    await refused(office.discard(draft), "RULE_DRAFT_DECIDED")


async def test_a_sale_that_arrives_late_is_computed_by_the_rules_of_its_time(world: World) -> None:
    office = Office(world)
    before = datetime.now(UTC)
    begin = begin_of(await office.approve(await office.draft(with_offers(world, offer()))))
    assert (await world.sell(1_000, sale_time=before)).points == 10
    assert (await world.sell(1_000, sale_time=begin - timedelta(microseconds=1))).points == 10
    assert (await world.sell(1_000, sale_time=begin)).points == 15


async def test_rules_are_never_in_force_before_everybody_knows_them(world: World) -> None:
    office = Office(world)
    for seconds in (-60, 1):
        soon = to_timestamp(datetime.now(UTC) + timedelta(seconds=seconds))
        draft = await office.draft(world.rule_set(effective_time=soon, base_points=2))
        await refused(office.approve(draft), "EFFECTIVE_TIME_PAST")
    # A date of the past, or of today, is from a moment ahead on.
    before = datetime.now(UTC)
    published = await office.approve(await office.draft(world.rule_set(base_points=2)))
    assert before + SECOND <= begin_of(published) <= datetime.now(UTC) + SECOND
    tomorrow = datetime.now(UTC).date() + timedelta(days=2)
    later = await office.approve(await office.draft(world.rule_set(effective_date=to_date(tomorrow), base_points=3)))
    assert not later.rule_set.HasField("effective_time")
    assert (await world.sell(1_000, sale_time=begin_of(published))).points == 20


async def test_both_processes_switch_within_a_second_also_when_the_approval_takes_long(world: World) -> None:
    office = Office(world)
    draft = await office.draft(world.rule_set(base_points=2))
    address = f"127.0.0.1:{world.apps.sandbox.free_port()}"
    second = build_app("points", world.apps.settings.model_copy(update={"points_address": address}))
    await asyncio.create_task(second.start())
    channel = rpc.open_channel(address)
    processes = (world.sales, points_pb2_grpc.SalesServiceStub(channel))
    answers: list[tuple[datetime, int, points_pb2.RecordSaleResponse]] = []
    published: datetime | None = None

    async def sell(sales: Any, member: int) -> None:
        sale_time = datetime.now(UTC)
        while published is None or sale_time < published + SECOND:
            sale_time = datetime.now(UTC)
            answer = await world.call(sales.RecordSale, world.sale(1_000, member=member, sale_time=sale_time))
            answers.append((sale_time, member, answer))

    try:
        for sales in processes:  # both know version 1
            assert (await world.call(sales.RecordSale, world.sale(1_000))).points == 10
        async with asyncio.TaskGroup() as tasks:
            selling = [tasks.create_task(sell(sales, member)) for member, sales in enumerate(processes)]
            async with world.app.db.pool.acquire() as connection, connection.transaction():
                # Somebody else changes the group, for longer than it takes to switch.
                await connection.execute("SELECT FROM cache_version WHERE group_id = $1 FOR UPDATE", world.group_id)
                approving = tasks.create_task(office.approve(draft))
                until = datetime.now(UTC) + SECOND * 1.2
                while not answers or answers[-1][0] < until:
                    await asyncio.wait(selling, timeout=0.05)
            approved = await approving
            published = datetime.now(UTC)
    finally:
        await channel.close()
        await second.stop()
    begin = begin_of(approved)
    assert until < begin <= published + SECOND
    for sale_time, _, answer in answers:
        expected = (2, 20) if sale_time >= begin else (1, 10)
        assert (answer.explanation.rule_set_version, answer.points) == expected
    # What a till sold a second after the publication counts as published, in whatever process.
    switched = {member for sale_time, member, _ in answers if sale_time >= published + SECOND}
    assert switched == {0, 1} == {member for sale_time, member, _ in answers if sale_time < begin}


async def test_rules_that_would_be_committed_too_late_are_not_and_the_approval_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(world)
    draft = await office.draft(world.rule_set(base_points=2))
    left = lookup._UNTIL_COMMIT
    asked: list[datetime] = []

    async def soonest(tx: Tx) -> datetime:
        # The first time it is too late as soon as it is asked.
        monkeypatch.setattr(lookup, "_UNTIL_COMMIT", left if asked else timedelta(0))
        asked.append(await lookup.soonest(tx))
        return asked[-1]

    monkeypatch.setattr(rule_sets, "soonest", soonest)
    published = await office.approve(draft)
    assert (len(asked), begin_of(published), published.rule_set.version) == (2, asked[1], 2)
    listed = await world.call(office.drafts.ListRuleSets, rules_pb2.ListRuleSetsRequest(), office.author)
    assert [each.version for each in listed.rule_sets] == [2, 1]


async def test_going_back_drafts_an_older_version_anew(world: World) -> None:
    office = Office(world)
    begin = begin_of(await office.approve(await office.draft(world.rule_set(base_points=5))))
    assert (await world.sell(1_000, sale_time=begin)).points == 50
    request = rules_pb2.RollBackRulesRequest(request_id=world.request_id(), version=1)
    back = (await world.call(office.drafts.RollBackRules, request, office.author)).draft
    assert back.note == "back to version 1"
    approved = await office.approve(back)
    assert approved.rule_set.version == 3
    answer = await world.sell(1_000, sale_time=begin_of(approved))
    assert (answer.points, answer.explanation.rule_set_version) == (10, 3)
    unknown = rules_pb2.RollBackRulesRequest(request_id=world.request_id(), version=9)
    await refused(world.call(office.drafts.RollBackRules, unknown, office.author), "RULE_SET_UNKNOWN")
    listed = await world.call(office.drafts.ListRuleSets, rules_pb2.ListRuleSetsRequest(page_size=2), office.author)
    assert [each.version for each in listed.rule_sets] == [3, 2]
    rest = rules_pb2.ListRuleSetsRequest(page_size=2, page_token=listed.next_page_token)
    assert [each.version for each in (await world.call(office.drafts.ListRuleSets, rest, office.author)).rule_sets] == [
        1
    ]


async def test_a_draft_and_a_way_back_may_have_the_same_request_id(world: World) -> None:
    office = Office(world)
    request_id = world.request_id()
    draft = rules_pb2.CreateRuleDraftRequest(request_id=request_id, rule_set=world.rule_set(base_points=2))
    back = rules_pb2.RollBackRulesRequest(request_id=request_id, version=1)
    made = [
        (await world.call(rpc, request, office.author)).draft
        for rpc, request in ((office.drafts.CreateRuleDraft, draft), (office.drafts.RollBackRules, back)) * 2
    ]
    assert made[:2] == made[2:], "asked twice, done once"
    assert [each.rule_set.base_points for each in made[:2]] == [2, 1]


@pytest.mark.parametrize("zones", [["America/New_York"], ["Asia/Shanghai", "America/New_York"]], ids=", ".join)
@pytest.mark.parametrize("hour", [1, 15, 20])  # UTC: the two have one date only in between
async def test_going_back_is_at_once_wherever_the_stores_are(world: World, zones: list[str], hour: int) -> None:
    office = Office(world)
    await move_stores(world, zones)
    now = datetime(2026, 3, 10, hour, tzinfo=UTC)
    await set_time(world.app, now)
    await world.publish(world.rule_set(base_points=5))
    request = rules_pb2.RollBackRulesRequest(request_id=world.request_id(), version=1)
    back = (await world.call(office.drafts.RollBackRules, request, office.author)).draft
    begin = begin_of(await office.approve(back))
    assert now < begin <= await world.app.db.now() + SECOND
    for shop in range(len(zones)):
        answer = await world.sell(1_000, shop=shop, sale_time=begin)
        assert (answer.points, answer.explanation.rule_set_version) == (10, 3)


async def test_a_date_to_come_is_waited_for_also_where_no_store_is_known_yet(world: World) -> None:
    office = Office(world)
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        await tx.execute(delete(store.store).where(store.store.c.group_id == world.group_id))
    in_two_days = datetime.now(UTC).date() + timedelta(days=2)
    published = await office.approve(await office.draft(world.rule_set(effective_date=to_date(in_two_days))))
    assert not published.rule_set.HasField("effective_time")
    assert (await office.approve(await office.draft(world.rule_set()))).rule_set.HasField("effective_time")


async def move_stores(world: World, zones: list[str]) -> None:
    """Put the group's stores into these time zones, in turn."""
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        for store_id, zone in zip(world.stores, itertools.cycle(zones), strict=False):
            await tx.execute(update(store.store).where(store.store.c.store_id == store_id).values(time_zone=zone))
        await store.count_change(tx, [world.group_id])


async def test_two_approvals_at_once_publish_once(world: World) -> None:
    office = Office(world)
    draft = await office.draft(world.rule_set(base_points=2))
    answers = await asyncio.gather(*(office.approve(draft) for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(answer, rules_pb2.RuleDraft) for answer in answers) == 1
    listed = await world.call(office.drafts.ListRuleSets, rules_pb2.ListRuleSetsRequest(), office.author)
    assert [each.version for each in listed.rule_sets] == [2, 1]


async def test_drafts_are_listed_newest_first_and_can_be_given_up(world: World) -> None:
    office = Office(world)
    drafts = [await office.draft(world.rule_set(), f"number {number}") for number in range(3)]
    assert (await office.discard(drafts[0])).state == rules_pb2.RULE_DRAFT_STATE_DISCARDED
    await refused(office.approve(drafts[0]), "RULE_DRAFT_DECIDED")
    notes: list[str] = []
    token = ""
    while True:
        request = rules_pb2.ListRuleDraftsRequest(page_size=2, page_token=token)
        page = await world.call(office.drafts.ListRuleDrafts, request, office.author)
        notes += [draft.note for draft in page.drafts]
        token = page.next_page_token
        if not token:
            break
    assert notes == ["number 2", "number 1", "number 0"]


async def test_all_that_is_wrong_with_a_draft_is_said_at_once(world: World) -> None:
    office = Office(world)
    wrong = with_offers(
        world,
        offer("a", condition="sale.hours < 9"),
        offer("b", recurrence="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
        offer("c", fixed_points=5),
        offer("d", condition="sale.categories.all(a, sale.categories.all(b, a == b || true))"),
        offer("e", condition="10 / line.quantity > 3"),
        offer("f", combination=points_pb2.COMBINATION_EXCLUSIVE, categories=["TEA", "RICE"]),
        offer("g", combination=points_pb2.COMBINATION_EXCLUSIVE, categories=["TEA"]),
        offer("h", combination=points_pb2.COMBINATION_EXCLUSIVE, recurrence="FREQ=DAILY;INTERVAL=0"),
        offset_terms=[
            points_pb2.OffsetTerms(
                terms_id="i",
                offset=points_pb2.OffsetRule(offset_points=1, offset_minor=1, max_share_bps=1000),
                recurrence="FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            )
        ],
    )
    error = await refused(office.draft(wrong), "RULES_INVALID")
    assert "rule a, condition: column 5: undeclared reference to 'sale.hours'" in error.values["problem"]
    assert "rule b: its recurrence has no day" in error.values["problem"]
    assert "rule c gives either bonus_bps or fixed_points" in error.values["problem"]
    assert "rule d, condition: cannot be computed for every sale: " in error.values["problem"]  # it does not end
    assert "rule e, condition: cannot be computed for every sale: divide by zero" in error.values["problem"]
    assert "rules f and g are both exclusive with the same priority" in error.values["problem"]
    assert "rule h: its recurrence must have an INTERVAL of 1 or more" in error.values["problem"]
    assert "offset terms i: its recurrence has no day" in error.values["problem"]


async def test_a_recurrence_that_is_over_is_not_drafted_and_going_back_to_one_is(world: World) -> None:
    office = Office(world)
    over = with_offers(world, offer("over", recurrence="FREQ=DAILY;UNTIL=20200229"))
    error = await refused(office.draft(over), "RULES_INVALID")
    assert "rule over: its recurrence has no day from" in error.values["problem"]
    # Of a campaign whose dates say that it is over, everybody knows.
    ended = offer("over", recurrence="FREQ=DAILY;UNTIL=20200229", end_date=to_date(date(2020, 2, 29)))
    await office.draft(with_offers(world, ended))
    version = (await world.publish(over)).version
    request = rules_pb2.RollBackRulesRequest(request_id=world.request_id(), version=version)
    back = (await world.call(office.drafts.RollBackRules, request, office.author)).draft
    assert [rule.rule_id for rule in back.rule_set.rules] == ["base", "over"]


async def test_a_version_that_would_be_refused_today_still_sells(world: World) -> None:
    office = Office(world)
    published = with_offers(
        world,
        # As if each had been in order when it was published.
        offer("half", combination=points_pb2.COMBINATION_EXCLUSIVE),
        offer("same", combination=points_pb2.COMBINATION_EXCLUSIVE),
        offer("slow", recurrence="FREQ=DAILY;INTERVAL=0"),
        offer("cel", condition="sale.hours < 9"),
        expiry_months=0,
        expiry=points_pb2.ExpiryPolicy(kind=points_pb2.EXPIRY_KIND_NONE, grace_days=1),
        version=2,
    )
    await refused(office.draft(published), "RULES_INVALID")
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        row = {"group_id": world.group_id, "version": 2, "effective_date": FIRST, "create_time": tx.now}
        await tx.execute(insert(store.rule_set).values(**row, content=published.SerializeToString()))
        await store.count_change(tx, [world.group_id])
    answer = await world.sell(1_000)
    assert (answer.points, answer.explanation.rule_set_version) == (15, 2)
    assert not answer.HasField("expire_time")
    assert [one.rule_id for one in answer.explanation.skipped] == ["cel"]
    request = points_pb2.GetRuleSetRequest()
    assert (await world.call(world.rules.GetRuleSet, request, office.author)).rule_set == published


async def test_drafts_of_others_are_not_there(world: World) -> None:
    office = Office(world)
    draft = await office.draft(world.rule_set())
    stranger = system(ids.derive("another group", world.number))
    get = rules_pb2.GetRuleDraftRequest(draft_id=draft.draft_id)
    await refused(world.call(office.drafts.GetRuleDraft, get, stranger), "RULE_DRAFT_UNKNOWN")
    await refused(office.approve(draft, stranger), "RULE_DRAFT_UNKNOWN")
    till = terminal(ids.to_edge("sto", world.stores[0]), world.group_id)
    await refused(world.call(office.drafts.GetRuleDraft, get, till), "PERMISSION_DENIED")


async def test_a_quote_says_what_a_sale_would_earn_and_earns_nothing(world: World) -> None:
    office = Office(world)
    draft = await office.draft(with_offers(world, offer(condition='line.category == "TEA"')))
    sale = world.sale(1_000, 2_000, categories=["TEA", "RICE"])
    assert (await office.quote(sale)).points == 30
    quoted = await office.quote(sale, draft.draft_id)
    assert (quoted.points, [line.points for line in quoted.explanation.lines]) == (35, [15, 20])
    assert (await world.balance(0)).earned_points_total == 0
    till = terminal(ids.to_edge("sto", world.stores[1]), world.group_id)
    request = rules_pb2.QuoteSaleRequest(sale=sale)
    await refused(world.call(office.simulations.QuoteSale, request, till), "NOT_YOURS")
    wrong = world.sale(1_000)
    wrong.total.amount_minor = 999
    await refused(office.quote(wrong), "LINES_DO_NOT_SUM")


async def test_an_item_category_has_a_rate_of_its_own_from_the_draft_to_the_return(world: World) -> None:
    office = Office(world)
    rates = [
        points_pb2.BaseRate(rate_id="gold", item_categories=["GOLD"], base_points=1, base_step_minor=1_000),
        points_pb2.BaseRate(
            rate_id="own-gold",
            name_zh="自营黄金",
            item_categories=["GOLD"],
            merchant_ids=[ids.to_edge("mch", world.merchants[0])],
            base_points=3,
            base_step_minor=1_000,
        ),
    ]
    tea = offer("tea", categories=["TEA"], bonus_bps=10_000)
    draft = await office.draft(with_offers(world, tea, base_rates=rates))
    sale = world.sale(5_005, 2_000, 5_995, categories=["GOLD", "TEA", "GOLD"])
    assert (await office.quote(sale)).points == 130
    quoted = await office.quote(sale, draft.draft_id)
    # 110.00 of gold at 3 for 10.00, 20.00 of tea at the group's rate, twice.
    assert [(line.line_no, line.points) for line in quoted.explanation.lines] == [(1, 15), (2, 40), (3, 18)]
    in_force = begin_of(await office.approve(draft))
    sale.sale_time.CopyFrom(to_timestamp(in_force) or sale.sale_time)
    answer = await world.call(world.sales.RecordSale, sale)
    assert (answer.points, answer.explanation.lines) == (73, quoted.explanation.lines)
    assert [
        (rated.rate.rate_id, rated.rate.name_zh, list(rated.line_nos), rated.points)
        for rated in answer.explanation.rated_lines
    ] == [("own-gold", "自营黄金", [1, 3], 33), ("", "", [2], 20)]
    assert [(rule.rule_id, rule.points) for rule in answer.explanation.rules] == [("base", 53), ("tea", 20)]
    elsewhere = await world.sell(5_000, shop=1, categories=["GOLD"], sale_time=in_force)
    assert (elsewhere.points, elsewhere.explanation.rated_lines[0].rate.rate_id) == (5, "gold")
    # The same by lines, in parts, and the rest.
    first, half = await give_back(world, sale, (1, 5_005)), await give_back(world, sale, (2, 1_000))
    assert (first.clawed_back_points, half.clawed_back_points) == (15, 20)
    assert (await give_back(world, sale)).clawed_back_points == 73 - 15 - 20
    # A simulation of the same day computes it anew: nothing changes.
    day = in_force.astimezone(ZoneInfo("Asia/Shanghai")).date()
    again = (await office.simulate((await office.draft(draft.rule_set)).draft_id, day, day)).result
    assert (again.actual_points, again.draft_points, again.winning_member_count) == (78, 78, 0)


async def test_a_simulation_computes_past_sales_by_a_draft_beside_what_they_earned(world: World) -> None:
    office = Office(world)
    day = datetime(2017, 3, 8, 4, tzinfo=UTC)
    await world.sell(1_000, sale_time=day, categories=["TEA"])
    await world.sell(2_000, sale_time=day, member=1, shop=1, categories=["RICE"])
    # Outside of the span: in Shanghai it is April already.
    await world.sell(5_000, sale_time=datetime(2017, 3, 31, 16, tzinfo=UTC), member=1, categories=["TEA"])
    draft = await office.draft(
        with_offers(
            world,
            offer("tea", condition='line.category == "TEA"', bonus_bps=20_000),
            base_step_minor=200,
        )
    )
    done = await office.simulate(draft.draft_id, date(2017, 3, 1), date(2017, 3, 31))
    result = done.result
    assert (done.state, done.done_sale_count, done.total_sale_count) == (rules_pb2.RULE_SIMULATION_STATE_DONE, 2, 2)
    assert (result.sale_count, result.sales_minor) == (2, 3_000)
    assert (result.actual_points, result.draft_points) == (30, 25)  # 10 + 20 became 5 × 3 + 10
    # 100 points pay 3 yuan, before and after.
    assert (result.actual_cost_minor, result.draft_cost_minor, result.liability_change_minor) == (90, 75, -15)
    assert (result.winning_member_count, result.losing_member_count) == (1, 1)
    winner, loser = result.member_winners[0], result.member_losers[0]
    assert (winner.id, winner.actual_points, winner.draft_points) == (ids.to_edge("mbr", world.members[0]), 10, 15)
    assert (loser.id, loser.actual_points, loser.draft_points) == (ids.to_edge("mbr", world.members[1]), 20, 10)
    assert [change.id for change in result.store_losers] == [ids.to_edge("sto", world.stores[1])]
    assert {rule.rule_id: rule.points for rule in result.rules} == {"base": 15, "tea": 10}
    assert (await world.balance(0)).earned_points_total == 10  # nothing was earned again


async def test_a_simulation_says_what_finance_would_owe_and_who_pays(world: World) -> None:
    """The example of docs/rules.md."""
    office = Office(world)
    day = datetime(2017, 3, 8, 4, tzinfo=UTC)
    await world.sell(1_000, sale_time=day, categories=["TEA"])
    sale = world.sale(1_000, 1_000, sale_time=day, member=1, shop=1, categories=["RICE", "TEA"])
    await world.call(world.sales.RecordSale, sale)
    await give_back(world, sale, (2, 500))
    shares = [
        points_pb2.FunderShare(kind=kind, share_bps=5_000)
        for kind in (points_pb2.FUNDER_KIND_PLATFORM, points_pb2.FUNDER_KIND_MERCHANT)
    ]
    cheaper = points_pb2.OffsetRule(offset_points=1, offset_minor=2, max_share_bps=1_500)
    tea = offer("tea", categories=["TEA"], bonus_bps=20_000, funders=shares)
    draft = await office.draft(with_offers(world, tea, offset=cheaper))
    result = (await office.simulate(draft.draft_id, date(2017, 3, 1), date(2017, 3, 31))).result
    assert {
        each.funder_id: (each.actual_points, each.actual_minor, each.draft_points, each.draft_minor)
        for each in result.liabilities
    } == {
        ids.to_edge("mch", world.merchants[0]): (10, 30, 20, 40),
        ids.to_edge("mch", world.merchants[1]): (15, 45, 19, 38),
        "": (0, 0, 16, 32),
    }
    assert (result.actual_outstanding_points, result.draft_outstanding_points) == (25, 55)
    assert result.liability_change_minor == 35
    # Before returns.
    assert (result.actual_cost_minor, result.draft_cost_minor) == (90, 140)
    # Published, it is what is: every funder's part comes back out of the explanations of its sales.
    published = await office.approve(draft)
    again = await world.sell(1_000, sale_time=begin_of(published), categories=["TEA"])
    today = begin_of(published).astimezone(ZoneInfo("Asia/Shanghai")).date()
    same = (await office.simulate((await office.draft(draft.rule_set)).draft_id, today, today)).result
    assert again.points == same.actual_outstanding_points == same.draft_outstanding_points == 30
    assert [(each.actual_points, each.draft_points) for each in same.liabilities] == [(20, 20), (10, 10)]
    assert same.liability_change_minor == 0


async def test_a_simulation_that_fails_says_so_and_keeps_no_other_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(world)
    await world.sell(1_000, sale_time=datetime(2017, 3, 8, 4, tzinfo=UTC))
    await world.sell(1_000, sale_time=datetime(2017, 7, 8, 4, tzinfo=UTC))
    draft = await office.draft(world.rule_set(base_points=2))
    # The database refuses what reads a sale of July.
    guard = "1 / (CASE WHEN occur_time < timestamptz '2017-06-01' THEN 1 ELSE 0 END) = 1"
    monkeypatch.setattr(simulation, "_SPAN", f"{simulation._SPAN} AND {guard}")
    failing, fine = await asyncio.gather(
        office.simulate(draft.draft_id, date(2017, 7, 1), date(2017, 7, 31)),
        office.simulate(draft.draft_id, date(2017, 3, 1), date(2017, 3, 31)),
    )
    assert (failing.state, fine.state) == (
        rules_pb2.RULE_SIMULATION_STATE_FAILED,
        rules_pb2.RULE_SIMULATION_STATE_DONE,
    )
    assert failing.problem == "an error of the service; it is in its log"
    assert (fine.result.sale_count, fine.result.draft_points) == (1, 20)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), "too long to read"),
        (KeyError("rule"), "an error of the service"),
    ],
)
async def test_a_simulation_says_why_it_failed(
    world: World, monkeypatch: pytest.MonkeyPatch, error: Exception, reason: str
) -> None:
    office = Office(world)
    draft = await office.draft(world.rule_set(base_points=2))
    monkeypatch.setattr(simulation.Simulations, "run", AsyncMock(side_effect=error))
    failed = await office.simulate(draft.draft_id, date(2017, 3, 1), date(2017, 3, 31))
    assert failed.state == rules_pb2.RULE_SIMULATION_STATE_FAILED
    assert reason in failed.problem


async def test_a_simulation_begins_anew_when_the_database_was_gone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(world)
    draft = await office.draft(world.rule_set(base_points=2))
    run = AsyncMock(side_effect=[asyncpg.ConnectionDoesNotExistError("gone"), rules_pb2.SimulationResult(sale_count=7)])
    monkeypatch.setattr(simulation.Simulations, "run", run)
    done = await office.simulate(draft.draft_id, date(2017, 3, 1), date(2017, 3, 31))
    assert (done.state, done.result.sale_count) == (rules_pb2.RULE_SIMULATION_STATE_DONE, 7)


async def test_how_far_a_simulation_is_can_be_seen_while_it_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(world)
    day = datetime(2017, 3, 8, 4, tzinfo=UTC)
    await asyncio.gather(*(world.sell(1_000, sale_time=day) for _ in range(5)))
    draft = await office.draft(world.rule_set(base_points=2))
    monkeypatch.setattr(simulation, "CHUNK_SALES", 2)
    reached, go_on = [asyncio.Event() for _ in range(3)], [asyncio.Event() for _ in range(3)]
    chunks = iter(range(3))
    add = simulation.Simulations._add

    async def add_slowly(*arguments: Any) -> None:
        number = next(chunks)
        reached[number].set()
        await go_on[number].wait()
        await add(*arguments)

    monkeypatch.setattr(simulation.Simulations, "_add", add_slowly)
    simulating = asyncio.create_task(office.simulate(draft.draft_id, date(2017, 3, 1), date(2017, 3, 31)))
    query = "SELECT simulation_id FROM rule_simulation WHERE group_id = $1"
    seen = []
    for number in range(3):
        await asyncio.wait_for(reached[number].wait(), 30)
        simulation_id = ids.to_edge("rsm", await world.app.db.pool.fetchval(query, world.group_id))
        get = rules_pb2.GetRuleSimulationRequest(simulation_id=simulation_id)
        found = (await world.call(office.simulations.GetRuleSimulation, get, office.author)).simulation
        seen.append((found.state, found.done_sale_count, found.total_sale_count))
        go_on[number].set()
    assert seen == [(rules_pb2.RULE_SIMULATION_STATE_RUNNING, done, 5) for done in (0, 2, 4)]
    assert (await simulating).done_sale_count == 5


async def test_a_simulation_of_no_span_is_refused_and_of_no_sales_is_empty(world: World) -> None:
    office = Office(world)
    draft = await office.draft(world.rule_set())
    await refused(office.simulate(draft.draft_id, date(2017, 3, 2), date(2017, 3, 1)), "SPAN_INVALID")
    await refused(office.simulate("rdr_" + "0" * 32, FIRST, FIRST), "RULE_DRAFT_UNKNOWN")
    assert (await office.simulate(draft.draft_id, FIRST, FIRST)).result.sale_count == 0


async def test_an_offer_that_fails_on_a_sale_gives_nothing_and_is_named(world: World) -> None:
    office = Office(world)
    # Computable for the emptiest and the largest sale that was tried when it was saved, not for this one.
    draft = await office.draft(
        with_offers(world, offer("share", condition="line.quantity == 0 || 100 / (line.quantity - 7) > 3"))
    )
    sale = world.sale(1_000)
    sale.lines[0].quantity = 7
    quoted = await office.quote(sale, draft.draft_id)
    assert quoted.points == 10
    assert [(skipped.rule_id, skipped.problem) for skipped in quoted.explanation.skipped] == [
        ("share", "divide by zero")
    ]


async def test_returns_take_back_what_offers_gave(world: World) -> None:
    await world.publish(
        with_offers(
            world,
            offer("tea", categories=["TEA"], bonus_bps=10_000),
            offer("welcome", bonus_bps=0, fixed_points=50),
            effective_date=to_date(date(2016, 1, 1)),
        )
    )
    sale = world.sale(1_000, 1_000, categories=["TEA", "RICE"])
    answer = await world.call(world.sales.RecordSale, sale)
    assert (answer.points, [line.points for line in answer.explanation.lines]) == (80, [45, 35])
    refund = await give_back(world, sale, (1, 1_000))
    assert refund.clawed_back_points == 45
    refund = await give_back(world, sale, (2, 500))
    assert refund.clawed_back_points == 17
    refund = await give_back(world, sale, (2, 500))
    assert refund.clawed_back_points == 18
