"""Coupons: templates in bulk, exact quantities, write-off and reversal."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.mall.v1 import mall_pb2
from tests.apps import Apps, member, system, terminal
from tests.integration.mall.mall import ANNA, BORIS, OTHER_GROUP, Mall, at, rid, running_mall

pytestmark = pytest.mark.timeout(120)
ISSUED, USED = mall_pb2.COUPON_STATE_ISSUED, mall_pb2.COUPON_STATE_USED


@pytest.fixture
async def mall(apps: Apps) -> AsyncIterator[Mall]:
    async with running_mall(apps) as running:
        yield running


async def refusal(awaitable: Any) -> AppError:
    with pytest.raises(AppError) as caught:
        await awaitable
    return caught.value


async def reason_of(awaitable: Any) -> str:
    return (await refusal(awaitable)).reason


async def test_templates_in_bulk_answer_each_line(mall: Mall) -> None:
    good = mall.template("A1", categories=["GROCERY"], merchant_id=mall.merchants["A"], quantity=5)
    lines = {
        "": good,
        "CODE_TAKEN": mall.template("A1"),  # the code of the line before
        "TEMPLATE_INVALID": mall.template("B1", valid_until_time=at("2019-01-01")),
        "MERCHANT_UNKNOWN": mall.template("C1", merchant_id=ids.to_edge("mch", ids.new())),
        "INVALID_ARGUMENT": mall.template("D1", merchant_id="sto_1"),
        "REQUEST_ID_REUSED": mall.template("E1", request_id=good.request_id),
    }
    malformed = mall.template("no blanks", amount_off_minor=-5)
    request = mall_pb2.CreateTemplatesRequest(templates=[*lines.values(), good, malformed, mall.template("Z1")])
    results = (await mall.call("Coupon", "CreateTemplates", request)).results
    assert [result.problem.reason for result in results] == [*lines, "", "INVALID_ARGUMENT", ""]
    assert results[6].created == results[0].created
    made = results[0].created.template
    assert (list(made.categories), made.merchant_id, made.quantity) == (["GROCERY"], mall.merchants["A"], 5)
    assert (await mall.call("Coupon", "CreateTemplates", request)).results == results  # a replay
    assert (await mall.call("Coupon", "CreateTemplate", good)).template == made
    assert "商户" in results[3].problem.message_zh


async def test_a_thousand_templates_go_in_at_once_also_twice_at_the_same_time(mall: Mall) -> None:
    request = mall_pb2.CreateTemplatesRequest(templates=[mall.template(f"T{number}") for number in range(1000)])
    first, second = await asyncio.gather(*(mall.call("Coupon", "CreateTemplates", request) for _ in range(2)))
    assert first == second and not any(result.HasField("problem") for result in first.results)
    assert await mall.db.pool.fetchval("SELECT count(*) FROM coupon_template") == 1000


@pytest.mark.parametrize("count", [0, 1001])
async def test_no_templates_or_too_many_are_refused(mall: Mall, count: int) -> None:
    request = mall_pb2.CreateTemplatesRequest(templates=[mall.template(f"T{number}") for number in range(count)])
    assert await reason_of(mall.call("Coupon", "CreateTemplates", request)) == "INVALID_ARGUMENT"


async def test_the_quantity_is_exact_under_concurrency(mall: Mall) -> None:
    template = await mall.create_template(quantity=10)
    outcomes = await asyncio.gather(*(mall.issue(template) for _ in range(40)), return_exceptions=True)
    assert Counter(getattr(outcome, "reason", "issued") for outcome in outcomes) == {
        "issued": 10,
        "TEMPLATE_EXHAUSTED": 30,
    }
    await mall.assert_invariants()


async def test_the_limit_per_member_is_exact_and_issue_is_idempotent(mall: Mall) -> None:
    template = await mall.create_template(limit_per_member=1)
    request_id = rid()
    coupons = await asyncio.gather(*(mall.issue(template, request_id=request_id) for _ in range(10)))
    assert len({coupon.code for coupon in coupons}) == 1 and len(coupons[0].code) == 12
    assert await reason_of(mall.issue(template)) == "LIMIT_REACHED"
    assert (await mall.issue(template, member_id=BORIS)).state == ISSUED
    outcomes = await asyncio.gather(*(mall.issue(template, member_id=BORIS) for _ in range(5)), return_exceptions=True)
    assert {getattr(outcome, "reason", "") for outcome in outcomes} == {"LIMIT_REACHED"}
    await mall.assert_invariants()


async def test_nobody_unknown_gets_a_coupon_and_none_comes_from_a_template_that_is_over(mall: Mall) -> None:
    template = await mall.create_template()
    stranger = ids.to_edge("mbr", ids.new())
    assert await reason_of(mall.issue(template, member_id=stranger)) == "MEMBER_UNKNOWN"
    over = await mall.create_template("OVER", valid_until_time=at("2021-01-01"))
    assert await reason_of(mall.issue(over)) == "TEMPLATE_NOT_VALID_NOW"
    assert await reason_of(mall.issue(mall_pb2.CouponTemplate(template_id=ids.to_edge("cpt", ids.new())))) == (
        "TEMPLATE_UNKNOWN"
    )
    await mall.issue(template)
    await mall.issue(template)
    assert mall.standins.members.asked == 2  # the stranger and Anna, once


async def test_a_coupon_is_written_off_and_taken_back(mall: Mall) -> None:
    template = await mall.create_template(platform_share_bps=3000)
    coupon = await mall.issue(template)
    request_id = rid()
    done = await mall.write_off(coupon.code, request_id=request_id)
    assert (done.coupon.state, done.discount.amount_minor, done.discount.currency_code) == (USED, 1000, "CNY")
    assert await mall.write_off(coupon.code, request_id=request_id) == done
    assert await reason_of(mall.write_off(coupon.code)) == "COUPON_USED"
    assert await reason_of(mall.reverse(coupon.code, store="A2")) == "WRONG_STORE"
    assert (await mall.reverse(coupon.code)).state == ISSUED
    assert await reason_of(mall.reverse(coupon.code)) == "COUPON_NOT_USED"
    assert (await mall.write_off(coupon.code, store="B1")).coupon.state == USED

    names, events = zip(*await mall.events(), strict=True)
    assert names == ("CouponWrittenOff", "CouponWriteOffReversed", "CouponWrittenOff")
    assert events[0].write_off_id == events[1].write_off_id != events[2].write_off_id
    assert [event.merchant_id for event in events] == [mall.merchants[name] for name in "AAB"]
    assert {event.platform_share_bps for event in events} == {3000}
    totals = await mall.call("MallReport", "GetMallTotals", mall_pb2.GetMallTotalsRequest())
    assert (totals.coupon_issued_count, totals.coupon_used_count, totals.coupon_discount_minor) == (1, 1, 1000)
    await mall.assert_invariants()


async def test_tills_race_for_one_coupon(mall: Mall) -> None:
    coupon = await mall.issue(await mall.create_template())
    outcomes = await asyncio.gather(*(mall.write_off(coupon.code) for _ in range(20)), return_exceptions=True)
    assert Counter(getattr(outcome, "reason", "used") for outcome in outcomes) == {"used": 1, "COUPON_USED": 19}
    assert len(await mall.events()) == 1
    await mall.assert_invariants()


@pytest.mark.parametrize(
    ("values", "lines", "store", "outcome"),
    [
        ({}, [(10000, "")], "A1", 1000),
        ({}, [(700, "")], "A1", 700),  # never more than the eligible amount
        ({"min_spend_minor": 5000}, [(4999, "")], "A1", "MIN_SPEND"),
        ({"min_spend_minor": 5000}, [(5000, "")], "A1", 1000),
        ({"categories": ["G"]}, [(400, "G"), (9000, "H")], "A1", 400),  # only eligible lines count
        ({"categories": ["G"], "min_spend_minor": 500}, [(400, "G"), (9000, "H")], "A1", "MIN_SPEND"),
        ({"categories": ["G"]}, [(9000, "H")], "A1", "CATEGORY"),
        ({"merchant_id": "A"}, [(9000, "")], "A2", 1000),
        ({"merchant_id": "A"}, [(9000, "")], "B1", "STORE"),
        ({"valid_from_time": "2090-01-01"}, [(9000, "")], "A1", "NOT_YET_VALID"),
    ],
)
async def test_what_a_coupon_takes_off(mall: Mall, values: Any, lines: Any, store: str, outcome: Any) -> None:
    if "merchant_id" in values:
        values = {**values, "merchant_id": mall.merchants[values["merchant_id"]]}
    if "valid_from_time" in values:
        values = {**values, "valid_from_time": at(values["valid_from_time"])}
    coupon = await mall.issue(await mall.create_template(**values))
    if isinstance(outcome, int):
        done = await mall.write_off(coupon.code, store=store, lines=lines)
        assert done.discount.amount_minor == outcome
    else:
        error = await refusal(mall.write_off(coupon.code, store=store, lines=lines))
        assert (error.reason, error.values["why"]) == ("COUPON_NOT_APPLICABLE", outcome)


async def test_an_expired_coupon_stays_unused(mall: Mall) -> None:
    coupon = await mall.issue(await mall.create_template())
    await mall.db.pool.execute("UPDATE coupon_template SET valid_until_time = now() - interval '1 second'")
    assert await reason_of(mall.write_off(coupon.code)) == "COUPON_EXPIRED"


async def test_coupons_are_listed_soonest_expiry_first(mall: Mall) -> None:
    for code, until in (("LATE", "2090-01-01"), ("SOON", "2050-01-01"), ("MID", "2060-01-01")):
        await mall.issue(await mall.create_template(code, valid_until_time=at(until)))
    request = mall_pb2.ListCouponsRequest(member_id=ANNA, page_size=2)
    page = await mall.call("Coupon", "ListCoupons", request, member(ANNA))
    request.page_token = page.next_page_token
    rest = await mall.call("Coupon", "ListCoupons", request, member(ANNA))
    assert [coupon.template.code for coupon in [*page.coupons, *rest.coupons]] == ["SOON", "MID", "LATE"]
    assert not rest.next_page_token


async def test_nothing_crosses_groups(mall: Mall) -> None:
    template = await mall.create_template()
    coupon = await mall.issue(template)
    mall.standins.members.known.add((OTHER_GROUP.hex, ANNA))
    issue = mall_pb2.IssueCouponRequest(request_id=rid(), template_id=template.template_id, member_id=ANNA)
    assert await reason_of(mall.call("Coupon", "IssueCoupon", issue, system(OTHER_GROUP))) == "TEMPLATE_UNKNOWN"
    listed = await mall.call("Coupon", "ListCoupons", mall_pb2.ListCouponsRequest(member_id=ANNA), system(OTHER_GROUP))
    assert not listed.coupons
    write_off = mall_pb2.WriteOffCouponRequest(
        request_id=rid(), store_id=mall.stores["A1"], coupon_code=coupon.code, lines=[{"line_no": 1}]
    )
    foreign = terminal(mall.stores["A1"], OTHER_GROUP)
    assert await reason_of(mall.call("Coupon", "WriteOffCoupon", write_off, foreign)) == "STORE_UNKNOWN"
    assert await reason_of(mall.write_off("AAAAAAAAAAAA")) == "COUPON_UNKNOWN"
