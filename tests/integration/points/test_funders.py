"""Who pays for points is explained, told to everybody, and stays so."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from chassis import ids
from huitong.points.v1 import events_pb2, points_pb2
from services.points.convert import to_date
from services.points.ledger.events_source import events_of
from tests.integration.points.test_budgets import budget
from tests.integration.points.test_rules_life import Office, offer, with_offers
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World

DAY = datetime(2017, 3, 8, 4, tzinfo=UTC)
OWN, UNIT = points_pb2.FUNDER_KIND_MERCHANT, points_pb2.FUNDER_KIND_BUSINESS_UNIT
PLATFORM, NAMED = points_pb2.FUNDER_KIND_PLATFORM, points_pb2.FUNDER_KIND_NAMED_MERCHANT


def shares(*given: tuple[Any, int], merchant: str = "") -> list[points_pb2.FunderShare]:
    return [
        points_pb2.FunderShare(kind=kind, share_bps=bps, merchant_id=merchant if kind == NAMED else "")
        for kind, bps in given
    ]


async def publish(world: World, *offers: points_pb2.EarningRule, **changes: Any) -> None:
    await world.publish(with_offers(world, *offers, effective_date=to_date(date(2016, 1, 1)), **changes))


def paid(funders: Any) -> dict[tuple[int, str], int]:
    return {(one.kind, one.funder_id): one.points for one in funders}


async def told(world: World) -> list[Any]:
    """What was told of points earned, and the sales they are of."""
    rows = await world.app.db.pool.fetch(
        "SELECT * FROM ledger_outbox WHERE group_id = $1 AND kind = 1 ORDER BY lane, n", world.group_id
    )
    events = [event for row in rows for event in events_of(row)]
    messages = {"huitong.points.v1.SaleRecorded": events_pb2.SaleRecorded}
    return [messages.get(event.type, events_pb2.PointsEarned).FromString(event.payload) for event in events]


async def test_the_explanation_and_the_events_say_who_pays(world: World) -> None:
    brand = ids.to_edge("mch", world.merchants[2])
    await publish(
        world, offer(bonus_bps=10_000, funders=shares((PLATFORM, 2_500), (UNIT, 2_500), (NAMED, 5_000), merchant=brand))
    )
    sale = world.sale(1_000, sale_time=DAY)
    answer = await world.call(world.sales.RecordSale, sale)
    own, unit = ids.to_edge("mch", world.merchants[0]), ids.to_edge("unt", ids.derive("unit", world.group_id))
    by_rule = {rule.rule_id: paid(rule.funders) for rule in answer.explanation.rules}
    # Of 10 points a quarter is 2.5: the odd point goes to the earlier.
    assert by_rule == {
        "base": {(OWN, own): 10},
        "offer": {(PLATFORM, ""): 3, (UNIT, unit): 2, (NAMED, brand): 5},
    }
    in_all = {(OWN, own): 10, **by_rule["offer"]}
    assert paid(answer.explanation.funders) == in_all
    recorded, earned = await told(world)
    assert paid(recorded.funders) == paid(earned.funders) == in_all
    assert earned.lot.issuer_merchant_id == own  # the issuer stays who it was
    assert paid((await world.call(world.sales.RecordSale, sale)).explanation.funders) == in_all
    assert paid((await Office(world).quote(world.sale(1_000, sale_time=DAY))).explanation.funders) == in_all


async def test_a_limit_takes_from_everybody_who_pays(world: World) -> None:
    await publish(
        world,
        offer(bonus_bps=10_000, funders=shares((PLATFORM, 10_000)), budget_points=6),
        store_budgets=[budget(world, points_in_all=8)],
    )
    answer = await world.sell(1_000, sale_time=DAY)
    own = ids.to_edge("mch", world.merchants[0])
    assert paid(answer.explanation.funders) == {(OWN, own): 5, (PLATFORM, ""): 3}  # 8 of 10 + 6
    recorded, earned = await told(world)
    assert paid(recorded.funders) == paid(earned.funders) == paid(answer.explanation.funders)
    nothing = await world.sell(1_000, sale_time=DAY)
    assert (nothing.points, list(nothing.explanation.funders)) == (0, [])


async def test_where_no_rule_says_who_pays_nothing_is_said(world: World) -> None:
    answer = await world.sell(1_000, sale_time=DAY)
    recorded, earned = await told(world)
    assert not (answer.explanation.funders or answer.explanation.rules[0].funders or recorded.funders or earned.funders)


async def test_a_merchant_of_nobody_s_cannot_be_made_to_pay(world: World) -> None:
    stranger = ids.to_edge("mch", ids.derive("merchant of another group"))
    wrong = with_offers(world, offer(funders=shares((NAMED, 10_000), merchant=stranger)))
    error = await refused(Office(world).draft(wrong), "RULES_INVALID")
    assert error.values["problem"] == f"rule offer: there is no merchant {stranger}"
