"""What points may pay: quoted by the terms that apply, and paid as quoted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2
from services.points.convert import to_date
from tests.apps import internal, system
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World, set_time

NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)
WORTH_2 = points_pb2.OffsetRule(offset_points=1, offset_minor=2, max_share_bps=5_000)
WORTH_3 = points_pb2.OffsetRule(offset_points=1, offset_minor=3, max_share_bps=5_000)


@pytest.fixture
async def shop(world: World) -> World:
    """A point is worth two fen at merchant 0, three until 15 March; 50 at least, in tens; not for gold. Elsewhere the
    group's own offset."""
    await set_time(world.app, NOON)
    world.now = NOON
    merchant_ids = [ids.to_edge("mch", world.merchants[0])]
    common: dict[str, Any] = {
        "merchant_ids": merchant_ids,
        "step_points": 10,
        "min_points": 50,
        "excluded_categories": ["GOLD"],
    }
    await world.publish(
        world.rule_set(
            effective_date=to_date(date(2016, 1, 1)),
            offset_terms=[
                points_pb2.OffsetTerms(terms_id="usual", name="Usual", name_zh="平日", offset=WORTH_2, **common),
                points_pb2.OffsetTerms(
                    terms_id="spring", offset=WORTH_3, end_date=to_date(date(2019, 3, 15)), **common
                ),
            ],
        )
    )
    await world.sell(100_000)
    return world


async def quote(world: World, total_minor: int = 10_000, *, place: int = 0, **values: Any) -> Any:
    request = points_pb2.QuoteOffsetRequest(
        member_id=world.member_id(),
        order_total=types_pb2.Money(amount_minor=total_minor, currency_code="CNY"),
        **{"store_id": ids.to_edge("sto", world.stores[place]), **values},
    )
    return await world.call(world.wallets.QuoteOffset, request)


def paying(world: World, points: int, offset_minor: int, token: str, *, place: int = 0, **values: Any) -> Any:
    spending = points_pb2.Spending(
        merchant_id=ids.to_edge("mch", world.merchants[place]),
        kind=points_pb2.SPENDING_KIND_CHECKOUT_OFFSET,
        reference="checkout-1",
        offset_minor=offset_minor,
        quote_token=token,
    )
    values = {"request_id": world.request_id(), "member_id": world.member_id(), "points": points, **values}
    return points_pb2.HoldRequest(**values, spending=spending, hold_seconds=600)


async def pay(world: World, *args: Any, **values: Any) -> points_pb2.HoldResponse:
    return await world.call(world.wallets.Hold, paying(world, *args, **values), internal("mall", world.group_id))


async def test_a_quote_says_which_terms_apply_and_why(shop: World) -> None:
    found = await quote(shop)
    # Half of 100 yuan is 50 yuan: 1666 points of three fen, whole tens; the member has 1000.
    assert (found.order_max_points, found.max_points, found.max_offset.amount_minor) == (1_660, 1_000, 3_000)
    assert (found.terms_id, found.min_points, found.step_points, found.step_minor) == ("spring", 50, 10, 30)
    assert [(one.terms_id, one.reason) for one in found.skipped_terms] == [
        ("usual", points_pb2.SKIPPED_OFFSET_REASON_LESS_SPECIFIC)
    ]
    elsewhere = await quote(shop, place=1)
    assert (elsewhere.terms_id, elsewhere.max_points, elsewhere.step_minor) == ("", 500, 300)
    assert {one.reason for one in elsewhere.skipped_terms} == {points_pb2.SKIPPED_OFFSET_REASON_PLACE}
    lines = [
        points_pb2.SaleLine(line_no=1, amount_minor=9_000, category="GOLD"),
        points_pb2.SaleLine(line_no=2, amount_minor=1_000, category="FOOD"),
    ]
    some = await quote(shop, lines=lines)
    assert (some.eligible.amount_minor, some.max_points) == (1_000, 160)
    assert (await quote(shop, 290)).max_points == 0  # 48 points are fewer than the least


async def test_a_car_park_is_quoted_by_its_merchant(shop: World) -> None:
    parking: dict[str, Any] = {"store_id": "", "spending_kind": points_pb2.SPENDING_KIND_PARKING}
    merchant_ids = [ids.to_edge("mch", merchant) for merchant in shop.merchants]
    assert (await quote(shop, merchant_id=merchant_ids[0], **parking)).terms_id == "spring"
    # The group's own offset pays all of a fee.
    assert (await quote(shop, 600, merchant_id=merchant_ids[1], **parking)).max_offset.amount_minor == 600
    await refused(quote(shop, merchant_id=merchant_ids[0]), "INVALID_ARGUMENT")
    await refused(quote(shop, store_id=""), "INVALID_ARGUMENT")


async def test_what_fits_the_quote_is_paid_and_nothing_else(shop: World) -> None:
    token = (await quote(shop, 3_000)).quote_token  # half of 30 yuan: 500 points at most
    for points, minor in (
        (510, 1_530),  # more than the order allows
        (40, 120),  # fewer than the least
        (105, 315),  # no whole step
        (100, 200),  # the worth of other terms
        (100, 0),
    ):
        error = await refused(pay(shop, points, minor, token), "OFFSET_NOT_ALLOWED")
        assert (error.values["min_points"], error.values["max_points"]) == ("50", "500")
    await refused(pay(shop, 100, 300, ""), "OFFSET_QUOTE_REQUIRED")
    assert (await pay(shop, 100, 300, token)).available_points == 900
    assert (await shop.balance()).held_points == 100
    # A redemption at once is checked alike; an item priced in points is no offset.
    request = points_pb2.RedeemRequest(
        request_id=shop.request_id(), member_id=shop.member_id(), points=100, spending=paying(shop, 0, 99, "").spending
    )
    await refused(shop.call(shop.wallets.Redeem, request), "OFFSET_QUOTE_REQUIRED")
    assert (await shop.redeem(100)).available_points == 800


async def test_a_token_is_one_member_s_at_one_merchant(shop: World) -> None:
    token = (await quote(shop)).quote_token
    await shop.sell(100_000, member=1)
    await refused(pay(shop, 100, 300, token, member_id=shop.member_id(1)), "OFFSET_QUOTE_INVALID")
    await refused(pay(shop, 100, 300, token, place=1), "OFFSET_QUOTE_INVALID")
    for bad in ("x", "é", token[:-4], token[4:], "A" * len(token)):
        await refused(pay(shop, 100, 300, bad), "OFFSET_QUOTE_INVALID")
    await refused(quote(shop, place=1, quote_token=token), "OFFSET_QUOTE_INVALID")


async def test_a_campaign_that_ends_does_not_change_what_was_quoted(shop: World) -> None:
    await set_time(shop.app, datetime(2019, 3, 15, 15, 55, tzinfo=UTC))  # five minutes to midnight
    first = await quote(shop)
    await set_time(shop.app, datetime(2019, 3, 15, 16, 5, tzinfo=UTC))
    assert (await quote(shop)).terms_id == "usual"
    # The till commits by its quote, of the order as it is by now.
    again = await quote(shop, 8_000, quote_token=first.quote_token)
    assert (again.terms_id, again.step_minor, again.order_max_points) == ("spring", 30, 1_330)
    assert again.quote_expire_time == first.quote_expire_time
    request = paying(shop, 100, 300, again.quote_token)
    assert (await shop.call(shop.wallets.Hold, request)).available_points == 900
    await refused(pay(shop, 100, 300, (await quote(shop)).quote_token), "OFFSET_NOT_ALLOWED")
    # Not for ever; but what was done stays done.
    await set_time(shop.app, datetime(2019, 3, 15, 16, 11, tzinfo=UTC))
    await refused(quote(shop, quote_token=first.quote_token), "OFFSET_QUOTE_EXPIRED")
    await set_time(shop.app, NOON + timedelta(days=3))
    await refused(pay(shop, 100, 300, again.quote_token), "OFFSET_QUOTE_EXPIRED")
    assert (await shop.call(shop.wallets.Hold, request)).is_replay


async def test_rules_without_terms_need_no_token(world: World) -> None:
    await world.sell(100_000)
    assert (await quote(world)).quote_token == ""
    assert (await pay(world, 100, 300, "")).available_points == 900


async def test_bad_terms_are_refused_with_all_that_is_wrong(world: World) -> None:
    rules = world.rule_set(
        offset_terms=[
            points_pb2.OffsetTerms(terms_id="a", offset=WORTH_2, merchant_ids=["shop"], recurrence="FREQ=SOMETIMES"),
            points_pb2.OffsetTerms(
                terms_id="a", offset=points_pb2.OffsetRule(offset_points=3, offset_minor=1), step_points=4
            ),
        ]
    )
    request = points_pb2.PublishRuleSetRequest(request_id=world.request_id(), rule_set=rules)
    error = await refused(
        world.call(world.rules.PublishRuleSet, request, system(ids.derive("a group without rules"))), "RULES_INVALID"
    )
    for part in ("'shop' of merchant_ids", "not an RRULE", "come 2 times", "4 points are not worth whole minor units"):
        assert part in error.values["problem"]
