"""Points of a business unit that sales earn by offers that name their currency."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.errors import Unavailable
from huitong.points.v1 import doors_pb2, points_pb2, rules_pb2, rules_pb2_grpc, wallets_pb2
from services.points.earning.awards import Awards
from services.points.ledger.events_source import events_of
from tests.apps import system
from tests.integration.points.bank import on_a_shard
from tests.integration.points.cases import Office
from tests.integration.points.test_sales import refused
from tests.integration.points.test_spending import run_jobs
from tests.integration.points.test_wallets import NOON, Wallets
from tests.integration.points.test_wallets import wallets as wallets
from tests.integration.points.world import set_time

pytestmark = on_a_shard

BASE = points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")


def offer(wallets: Wallets, **values: Any) -> points_pb2.EarningRule:
    """Two of the hotel's points a yuan unless told otherwise."""
    given = {"rule_id": "stay", "name": "Stay", "name_zh": "住店", "bonus_bps": 20_000, "currency_id": wallets.hotel}
    return points_pb2.EarningRule(**{**given, "kind": points_pb2.RULE_KIND_OFFER, **values})


async def publish(wallets: Wallets, *offers: points_pb2.EarningRule, **changes: Any) -> None:
    await wallets.world.publish(wallets.world.rule_set(rules=[BASE, *offers], **changes))


async def of_hotel(wallets: Wallets) -> tuple[int, int]:
    balance = await wallets.balance(wallets.hotel)
    return balance.available_points, balance.pending_points


async def test_a_sale_earns_the_unit_s_points_beside_its_own(wallets: Wallets) -> None:
    world = wallets.world
    gift = offer(wallets, rule_id="gift", bonus_bps=0, fixed_points=7)
    await publish(wallets, offer(wallets, categories=["ROOM"]), gift)
    request = world.sale(10_000, 5_050, shop=2, categories=["ROOM", "BAR"])
    sold = await world.call(world.sales.RecordSale, request)
    assert (sold.points, [rule.rule_id for rule in sold.explanation.rules]) == (150, ["base"])
    stay, fixed = sold.explanation.awards
    assert (stay.rule_id, stay.points, stay.currency_id) == ("stay", 200, wallets.hotel)
    assert [(line.line_no, line.points) for line in stay.lines] == [(1, 200)]
    assert (fixed.points, sum(line.points for line in fixed.lines)) == (7, 7)
    assert await of_hotel(wallets) == (207, 0)
    entries = await wallets.statement(wallets.hotel)
    assert {(entry.kind, entry.points, entry.rules[0].name) for entry in entries} == {
        (points_pb2.MOVEMENT_KIND_EARN, 200, "Stay"),
        (points_pb2.MOVEMENT_KIND_EARN, 7, "Stay"),
    }
    # The currency's terms, not the rule set's: 24 months after March 2019, in Shanghai.
    assert {entry.expire_time.ToDatetime(UTC) for entry in entries} == {datetime(2021, 3, 31, 16, tzinfo=UTC)}
    again = await world.call(world.sales.RecordSale, request)
    assert (again.is_replay, len(again.explanation.awards)) == (True, 2)
    assert await of_hotel(wallets) == (207, 0)
    assert (await world.balance()).available_points == 150
    issued = await wallets.totals(wallets.hotel)
    assert (issued.issued_points, issued.sale_count) == (207, 0)
    assert (await world.totals()).total.issued_points == 150
    rows = await world.app.db.pool.fetch("SELECT * FROM ledger_outbox WHERE currency_id IS NOT NULL ORDER BY n")
    (event, *_) = [event for row in rows for event in events_of(row)]
    assert event.type.endswith("CurrencyMoved")


async def test_it_is_earned_in_the_unit_s_stores_only_while_the_currency_is_open(wallets: Wallets) -> None:
    world = wallets.world
    await publish(wallets, offer(wallets))
    assert not (await world.sell(10_000, shop=0)).explanation.awards
    assert await of_hotel(wallets) == (0, 0)
    sold = world.sale(1_000, shop=2)
    await world.call(world.sales.RecordSale, sold)
    close = wallets_pb2.CloseCurrencyRequest(request_id=world.request_id(), currency_id=wallets.hotel)
    await wallets.call(wallets.currencies.CloseCurrency, close)
    assert not (await world.sell(10_000, shop=2)).explanation.awards
    assert await of_hotel(wallets) == (20, 0)
    # What was given before is still taken back.
    await world.call(world.sales.RefundSale, world.refund(sold))
    assert await of_hotel(wallets) == (0, 0)


async def test_a_return_takes_it_back_in_the_same_share_and_nobody_owes(wallets: Wallets) -> None:
    world = wallets.world
    await publish(wallets, offer(wallets, max_points=150))
    sale = world.sale(10_000, shop=2)
    sold = await world.call(world.sales.RecordSale, sale)
    (award,) = sold.explanation.awards
    assert (award.points, award.capped_points) == (150, 50)
    first = world.refund(sale, (1, 3_333), request_id="return-1")
    back = await world.call(world.sales.RefundSale, first)
    assert [(one.rule_id, one.points) for one in back.returned_awards] == [("stay", 49)]
    assert await of_hotel(wallets) == (101, 0)
    again = await world.call(world.sales.RefundSale, first)
    assert again.is_replay
    assert again.returned_awards == back.returned_awards
    assert await of_hotel(wallets) == (101, 0)
    # Of what was spent nothing is owed.
    await wallets.redeem(80, wallets.hotel)
    rest = await world.call(world.sales.RefundSale, world.refund(sale))
    assert rest.returned_awards[0].points == 101
    balance = await wallets.balance(wallets.hotel)
    assert (balance.available_points, balance.debt_points) == (0, 0)
    entry = (await wallets.statement(wallets.hotel))[0]
    assert (entry.kind, entry.points, entry.written_off_points) == (points_pb2.MOVEMENT_KIND_CLAW_BACK, -21, 80)
    assert entry.reversed_txn_id == award.txn_id


async def test_returns_at_once_take_back_all_of_it(wallets: Wallets) -> None:
    world = wallets.world
    await publish(wallets, offer(wallets))
    sale = world.sale(*[1_050] * 6, shop=2)
    await world.call(world.sales.RecordSale, sale)
    assert await of_hotel(wallets) == (126, 0)
    await asyncio.gather(
        *(world.call(world.sales.RefundSale, world.refund(sale, (line_no, 1_050))) for line_no in range(1, 7))
    )
    assert await of_hotel(wallets) == (0, 0)


@pytest.mark.parametrize("is_returned", [False, True], ids=["sale_again", "return_first"])
async def test_what_was_not_given_comes_with_the_next_try_once(
    wallets: Wallets, monkeypatch: pytest.MonkeyPatch, is_returned: bool
) -> None:
    world = wallets.world
    await publish(wallets, offer(wallets))
    sale = world.sale(10_000, shop=2)
    request = points_pb2.RecordSaleRequest()
    request.CopyFrom(sale)
    give = Awards.give

    async def fail(*_: Any) -> None:
        monkeypatch.setattr(Awards, "give", give)
        raise Unavailable

    monkeypatch.setattr(Awards, "give", fail)
    await refused(world.call(world.sales.RecordSale, sale), "UNAVAILABLE")
    assert (await world.balance()).available_points == 100
    assert await of_hotel(wallets) == (0, 0)
    if is_returned:
        await world.call(world.sales.RefundSale, world.refund(sale))
    # What the sale has been told stays true.
    close = wallets_pb2.CloseCurrencyRequest(request_id=world.request_id(), currency_id=wallets.hotel)
    await wallets.call(wallets.currencies.CloseCurrency, close)
    sold = await world.call(world.sales.RecordSale, request)
    assert sold.is_replay
    assert await of_hotel(wallets) == ((0, 0) if is_returned else (200, 0))
    assert len(await wallets.statement(wallets.hotel)) == (2 if is_returned else 1)


async def test_it_waits_as_long_as_the_sale_s_own_points(wallets: Wallets) -> None:
    world = wallets.world
    await publish(wallets, offer(wallets), pending_days=7)
    sale = world.sale(10_000, shop=2)
    sold = await world.call(world.sales.RecordSale, sale)
    assert sold.explanation.awards[0].unlock_time == sold.unlock_time
    assert await of_hotel(wallets) == (0, 200)
    await refused(wallets.redeem(1, wallets.hotel), "INSUFFICIENT_POINTS")
    await world.call(world.sales.RefundSale, world.refund(sale, (1, 5_000)))
    assert await of_hotel(wallets) == (0, 100)
    await set_time(world.app, NOON + timedelta(days=8))
    await run_jobs(world, NOON + timedelta(days=8))
    assert await of_hotel(wallets) == (100, 0)


@pytest.mark.parametrize("is_confirmed", [True, False], ids=["confirmed", "rejected"])
async def test_it_waits_for_the_event_that_the_sale_waits_for(wallets: Wallets, is_confirmed: bool) -> None:
    world = wallets.world
    rule = doors_pb2.ConfirmationRule(sources=["hotel-folio"], longest_wait_days=30)
    await publish(wallets, offer(wallets), confirmation=rule)
    sale = world.sale(10_000, shop=2, source="hotel-folio")
    sold = await world.call(world.sales.RecordSale, sale)
    assert sold.explanation.awards[0].unlock_time == sold.unlock_time
    assert await of_hotel(wallets) == (0, 200)
    office = Office(world)
    if is_confirmed:
        await office.confirm(sale)
        await office.confirm(sale)
    else:
        await office.reject(sale)
        await office.reject(sale)
    assert await of_hotel(wallets) == ((200, 0) if is_confirmed else (0, 0))


async def test_a_quote_says_what_a_sale_would_earn_of_it(wallets: Wallets) -> None:
    world = wallets.world
    await publish(wallets, offer(wallets))
    quotes = world.apps.stub(rules_pb2_grpc.RuleSimulationServiceStub, "points")
    request = rules_pb2.QuoteSaleRequest(sale=world.sale(10_000, shop=2))
    quoted = await world.call(quotes.QuoteSale, request, system(world.group_id))
    assert (quoted.points, quoted.explanation.awards[0].points) == (100, 200)
    assert await of_hotel(wallets) == (0, 0)


async def test_rules_that_give_no_open_points_of_a_unit_are_refused(wallets: Wallets) -> None:
    world = wallets.world
    drafts = world.apps.stub(rules_pb2_grpc.RuleDraftServiceStub, "points")

    async def problem(**values: Any) -> str:
        rule_set = world.rule_set(rules=[BASE, offer(wallets, **values)])
        request = rules_pb2.CreateRuleDraftRequest(request_id=world.request_id(), rule_set=rule_set)
        error = await refused(world.call(drafts.CreateRuleDraft, request, system(world.group_id)), "RULES_INVALID")
        return error.values["problem"]

    assert "none of the group's open points of a unit" in await problem(currency_id=wallets.card)
    assert "starts with cur_" in await problem(currency_id="hotel")
    assert "max_points is its only limit" in await problem(budget_points=5)
    assert "can only STACK" in await problem(combination=points_pb2.COMBINATION_EXCLUSIVE)
    assert "no throttle and no funders" in await problem(throttle=points_pb2.OfferThrottle(factor_bps=1))
    assert "either bonus_bps or fixed_points" in await problem(fixed_points=5)
    assert "is no OFFER" in await problem(kind=points_pb2.RULE_KIND_DAY, week_days=[1])
