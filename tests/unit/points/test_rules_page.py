"""The worked examples of docs/rules.md give the points that the page says, and it names every fact and field."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from google.protobuf import json_format

from chassis import ids
from huitong.points.v1 import doors_pb2, points_pb2
from services.points.convert import rule_set_of, to_date, to_timestamp
from services.points.earning import conditions
from services.points.earning.earning import Computation, Known, lines_of
from services.points.earning.expiry import NEVER
from services.points.earning.offset_terms import Line, Order, allow
from services.points.earning.rules import Tier
from services.points.lookup import FIRST_DAY, Member, Store
from services.points.retention.reminders import nearest_distance

PAGE = (Path(__file__).parents[3] / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"\*\*((?:\d+|[A-Z])\..*?)\.?\*\*.*?```json\n(.*?)```", PAGE, re.DOTALL)
ZONE = "Asia/Shanghai"
MULTIPLIERS = {"": 10_000, "GOLD": 12_500}


def merchant(number: int) -> str:
    return ids.to_edge("mch", ids.derive("page merchant", number))


def points_of(example: dict[str, Any], sale: dict[str, Any]) -> int:
    """What a sale of the page earns by rules of the page."""
    base = {"rule_id": "base", "kind": "RULE_KIND_BASE"}
    rule_set = json_format.ParseDict(
        {
            "base_points": 1,
            "base_step_minor": 100,
            "expiry_months": 12,
            "rules": [base, *example["rules"]],
            **example.get("rule_set", {}),
        },
        points_pb2.RuleSet(),
    )
    rule_set.effective_date.CopyFrom(to_date(date(2015, 1, 1)))
    place = Store(
        ids.derive("page store"),
        ids.derive("page merchant", sale.get("merchant", 1)),
        ids.derive("unit"),
        ZONE,
        "CNY",
        date.fromisoformat(sale["opened"]) if "opened" in sale else None,
        sale.get("store_category", ""),
    )
    tier = sale.get("tier", "")
    local = datetime.fromisoformat(sale.get("time", "2026-03-04T12:00")).replace(tzinfo=ZoneInfo(ZONE))
    lines = [{"line_no": number, **line} for number, line in enumerate(sale["lines"], 1)]
    request = json_format.ParseDict(
        {"lines": lines, "tenders": sale.get("tenders", []), "tax_minor": sale.get("tax_minor", 0)},
        points_pb2.RecordSaleRequest(),
    )
    request.sale_time.CopyFrom(to_timestamp(local.astimezone(UTC)) or request.sale_time)
    computed = Computation(
        request,
        lines_of(request),
        member=Member(0, [(FIRST_DAY, Tier(tier, MULTIPLIERS[tier]))]),
        place=place,
        sale_time=local.astimezone(UTC),
        rule_set=rule_set_of(rule_set),
    )(Known(segments=sale.get("segments", ()), first_in=sale.get("first_in", ())))
    assert sum(computed.earning.line_points) == computed.earning.points
    assert sum(applied.points for applied in computed.earning.applied) == computed.earning.points
    return computed.earning.points


def test_there_are_ten_examples() -> None:
    assert [title.partition(".")[0] for title, _ in EXAMPLES][:10] == [str(number) for number in range(1, 11)]


@pytest.mark.parametrize(("title", "block"), EXAMPLES, ids=[title.partition(".")[0] for title, _ in EXAMPLES])
def test_an_example_gives_the_points_that_the_page_says(title: str, block: str) -> None:
    example = json.loads(re.sub(r"\{merchant (\d+)\}", lambda found: merchant(int(found[1])), block))
    assert [points_of(example, sale) for sale in example["sales"]] == [sale["points"] for sale in example["sales"]]


def block_of(name: str) -> list[dict[str, Any]]:
    (text,) = re.findall(rf'```json\n(\{{"{name}".*?)```', PAGE, re.DOTALL)
    found: list[dict[str, Any]] = json.loads(text)[name]
    return found


@pytest.mark.parametrize("example", block_of("expiry_examples"), ids=lambda example: example["last_day"])
def test_points_can_be_spent_until_the_day_that_the_page_says(example: dict[str, Any]) -> None:
    rule_set = json_format.ParseDict(
        {
            "base_points": 1,
            "base_step_minor": 100,
            "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE"}],
            "effective_date": {"year": 2015, "month": 1, "day": 1},
            "expiry": example["expiry"],
        },
        points_pb2.RuleSet(),
    )
    expire_time = rule_set_of(rule_set).expire_time(date.fromisoformat(example["sold_on"]), ZONE)
    last_moment = (expire_time - timedelta(seconds=1)).astimezone(ZoneInfo(ZONE))
    assert example["last_day"] == ("never" if expire_time == NEVER else str(last_moment.date()))


@pytest.mark.parametrize("example", block_of("reminder_examples"), ids=lambda example: str(example["hours_left"]))
def test_the_distance_is_told_that_the_page_says(example: dict[str, Any]) -> None:
    left = timedelta(hours=example["hours_left"])
    assert nearest_distance(left, sorted(example["reminder_days"])) == example["told"]


def test_every_way_to_expire_and_to_owe_is_explained() -> None:
    terms = PAGE[PAGE.index("## When points expire") :]
    for names in (points_pb2.ExpiryKind, points_pb2.DebtPolicy):
        for name in list(names.keys())[1:]:
            assert f"`{name}`" in terms, name


def test_every_fact_is_explained() -> None:
    facts = PAGE[PAGE.index("### Facts") : PAGE.index("## Paying")]
    for name in {**conditions.SALE_FACTS, **conditions.LINE_FACTS}:
        assert f"`{name}`" in facts or f"`.{name.partition('.')[2]}`" in facts, name


def test_paying_with_points_is_as_the_page_says() -> None:
    example = json.loads(re.findall(r"```offset\n(.*?)```", PAGE, re.DOTALL)[0])
    rule_set = json_format.ParseDict(
        {
            "base_points": 1,
            "base_step_minor": 100,
            "expiry_months": 12,
            "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE"}],
            "offset_terms": example["offset_terms"],
        },
        points_pb2.RuleSet(),
    )
    rule_set.effective_date.CopyFrom(to_date(date(2015, 1, 1)))
    terms = rule_set_of(rule_set).offset_terms
    for paid in example["orders"]:
        lines = [Line(line["amount_minor"], line.get("category", "")) for line in paid.get("lines", [])]
        order = Order(paid["total"], ids.derive("shop"), None, "", date.fromisoformat(paid["date"]), lines)
        allowed = allow(terms, None, order)
        assert allowed.terms is not None
        found = (allowed.terms.terms_id, allowed.max_points, allowed.worth(allowed.max_points))
        assert found == (paid["terms"], paid["points"], paid["worth"])


def test_every_field_of_offset_terms_is_explained() -> None:
    page = PAGE[PAGE.index("## Paying with points") : PAGE.index("## Ten")]
    fields = {field.name for field in points_pb2.OffsetTerms.DESCRIPTOR.fields} - {"terms_id", "name", "name_zh"}
    assert {field for field in fields if f"`{field}`" not in page} == set()


def test_every_field_of_an_offer_is_explained() -> None:
    offers = PAGE[PAGE.index("## Offers") : PAGE.index("### Facts")]
    fields = {field.name for field in points_pb2.EarningRule.DESCRIPTOR.fields} - {"rule_id", "kind", "name", "name_zh"}
    assert {field for field in fields if f"`{field}`" not in offers} == set()


def test_a_campaign_of_the_page_is_a_rule_set() -> None:
    example = json.loads(re.findall(r"```campaign\n(.*?)```", PAGE, re.DOTALL)[0])
    base = {"rule_id": "base", "kind": "RULE_KIND_BASE"}
    values = {
        "base_points": 1,
        "base_step_minor": 100,
        "expiry_months": 12,
        **example,
        "rules": [base, *example["rules"]],
    }
    rule_set = json_format.ParseDict(values, points_pb2.RuleSet())
    rule_set.effective_date.CopyFrom(to_date(date(2015, 1, 1)))
    assert {rule.offer.shared_budget for rule in rule_set_of(rule_set).offers} == {("spring", 100_000)}


def test_every_limit_over_all_rules_is_explained() -> None:
    page = PAGE[PAGE.index("### Budgets over all rules") : PAGE.index("### Who pays")]
    for name in list(points_pb2.SaleLimit.keys())[1:]:
        assert f"`{name}`" in page, name
    limits = (points_pb2.StoreBudget, points_pb2.IssuanceCeiling, points_pb2.MemberCeiling)
    fields = {field.name for limit in limits for field in limit.DESCRIPTOR.fields} - {"store_id"}
    assert {field for field in fields if f"`{field}`" not in page} == set()


def test_every_scope_of_a_base_rate_is_explained() -> None:
    page = PAGE[PAGE.index("## How points are computed") : PAGE.index("## Kinds of rules")]
    fields = {field.name for field in points_pb2.BaseRate.DESCRIPTOR.fields} - {"rate_id", "name", "name_zh"}
    assert {field for field in fields if f"`{field}`" not in page} == set()


def test_the_rules_of_waiting_are_a_rule_set_and_name_every_field() -> None:
    section = PAGE[PAGE.index("## When points wait") :]
    block = re.findall(r"```json\n(.*?)```", section, re.DOTALL)[0]
    base = {"rule_id": "base", "kind": "RULE_KIND_BASE"}
    rule_set = json_format.ParseDict(
        {"base_points": 1, "base_step_minor": 100, "expiry_months": 12, "rules": [base], **json.loads(block)},
        points_pb2.RuleSet(),
    )
    rule_set.effective_date.CopyFrom(to_date(date(2015, 1, 1)))
    doors = rule_set_of(rule_set).doors
    assert doors is not None
    assert doors.waits_for_event("hotel-folio", ids.derive("any")) and not doors.waits_for_event(
        "pos", ids.derive("any")
    )
    assert (doors.pair_seconds, doors.latest_arrival_days, doors.interaction_limits) == (600, 30, {"CHECK_IN": 50})
    assert len(json.loads(doors.limits or "")) == 4
    for message in (doors_pb2.ConfirmationRule, doors_pb2.MatchingRule, doors_pb2.VelocityLimit):
        for field in message.DESCRIPTOR.fields:
            assert field.name in section, field.full_name
