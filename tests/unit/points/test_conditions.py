"""Conditions: what they are given, how often they are asked, and what is said of those that cannot be computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from services.points.earning.conditions import (
    LINE_FACTS,
    SALE_FACTS,
    Condition,
    ConditionFailed,
    ConditionInvalid,
)
from tests.unit.points.earned import earn, given_by, offer, rule_set


@pytest.mark.parametrize(
    ("text", "column", "problem"),
    [
        ("sale.hours < 9", 5, "undeclared reference"),
        ("sale.hour <", 12, "Syntax error"),
        ('"tea" + 1 == 2', 7, "no matching overload"),
        ("sale.hour", 0, "must be true or false"),
        ("1 / 0 == 1", 0, "divide by zero"),
        ("10 / line.quantity > 3", 0, "divide by zero"),
        # Ends, but not for the largest sale.
        ("sale.categories.all(a, sale.categories.all(b, a == b || true))", 0, "budget exceeded"),
        ('sale.categories[0] == "TEA"', 0, "Index error"),
        ("(" * 500 + "true" + ")" * 500, 0, "recursion"),
    ],
)
def test_a_condition_that_cannot_be_saved_says_where_and_why(text: str, column: int, problem: str) -> None:
    with pytest.raises(ConditionInvalid) as caught:
        Condition(text)
    assert caught.value.column == column
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    "text",
    [
        "sale.hour < 10",
        "sale\n  .hour < 10",
        "sale // of the day\n  .hour < 10",
        'sale.hour < 10 && sale.source != "line.category"',
        'sale.hour < 10 && line.category == "TEA"',
        'sale.hour < 10 && line // of the sale\n.category == "TEA"',
    ],
)
def test_a_condition_is_given_what_it_names_however_it_is_written(text: str) -> None:
    condition = Condition(text)
    facts = {name: empty for name, (_, empty) in SALE_FACTS.items()}
    if condition.uses_line:
        facts |= {name: empty for name, (_, empty) in LINE_FACTS.items()} | {"line.category": "TEA"}
    assert [condition.holds(facts | {"sale.hour": hour}) for hour in (9, 10)] == [True, False]


@pytest.mark.parametrize("name", [*SALE_FACTS, *LINE_FACTS])
def test_every_fact_that_a_condition_may_name_is_there(name: str) -> None:
    asked = Condition(f"{name} == {name}")
    assert given_by(earn(rule_set(offer("double", 10_000, condition=asked)), (1_000, "TEA"))) == {
        "base": 10,
        "double": 10,
    }


def test_lines_that_are_alike_to_a_condition_are_asked_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    holds = Condition.holds

    def counted(self: Condition, facts: Mapping[str, Any]) -> bool:
        asked.append(facts["line.category"])
        return holds(self, facts)

    monkeypatch.setattr(Condition, "holds", counted)
    lines = (1_000, "TEA"), (2_000, "CAKE"), (3_000, "TEA"), (4_000, "TEA")
    # By what they name the third and the fourth line are as the first, or another one.
    for text, points, categories in (
        ('line.category == "TEA"', 80, ["TEA", "CAKE"]),
        ('line.category == "TEA" && line.amount_minor > 1000', 70, ["TEA", "CAKE", "TEA", "TEA"]),
    ):
        double = offer("double", 10_000, condition=Condition(text))
        asked.clear()
        assert given_by(earn(rule_set(double), *lines))["double"] == points
        assert asked == categories


def test_a_condition_that_fails_on_a_sale_says_why() -> None:
    failing = Condition("line.quantity == 0 || 100 / (line.quantity - 7) > 3")
    with pytest.raises(ConditionFailed, match=r"^divide by zero$"):
        failing.holds({"line.quantity": 7})
