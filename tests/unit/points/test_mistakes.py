"""Where a rule set is wrong: the field of a request, the rule by its id, the column of a condition."""

from __future__ import annotations

from datetime import date

import pytest
from google.rpc import error_details_pb2

from chassis.errors import RemoteError, Violation
from gateway.errors import problem
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2
from services.points.convert import rule_set_of, to_date
from services.points.earning import mistakes
from services.points.errors import RulesInvalid


def offer(rule_id: str, **values: object) -> points_pb2.EarningRule:
    return points_pb2.EarningRule(rule_id=rule_id, kind=points_pb2.RULE_KIND_OFFER, **{"bonus_bps": 1, **values})  # type: ignore[arg-type]


def refused(*offers: points_pb2.EarningRule, **values: object) -> RulesInvalid:
    base = points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE)
    given: dict[str, object] = {"base_points": 1, "base_step_minor": 100, "expiry_months": 12, **values}
    message = points_pb2.RuleSet(effective_date=to_date(date(2026, 1, 1)), rules=[base, *offers], **given)  # type: ignore[arg-type]
    with pytest.raises(RulesInvalid) as caught:
        rule_set_of(message)
    return caught.value


RATE = points_pb2.BaseRate(rate_id="nowhere", base_points=1, base_step_minor=1)
TERMS = points_pb2.OffsetTerms(terms_id="t", offset={"offset_points": 3, "offset_minor": 1}, step_points=1)
SPRING = points_pb2.CampaignBudget(budget_id="spring", points=100)
FEBRUARY_30 = points_pb2.CalendarDay(date={"year": 2026, "month": 2, "day": 30})
NOTHING = points_pb2.CalendarDay(date=to_date(date(2026, 2, 3)))


@pytest.mark.parametrize(
    ("error", "field", "part_id", "column"),
    [
        (refused(offer("a"), offer("b", condition="1 == sale.hours")), "rules[2].condition", "b", 10),
        (refused(offer("a", condition="sale.hour +")), "rules[1].condition", "a", 12),
        (refused(offer("a", condition="1 / sale.hour > 1")), "rules[1].condition", "a", 0),
        (refused(offer("a", recurrence="FREQ=SOMETIMES")), "rules[1].recurrence", "a", 0),
        (refused(offer("a", fixed_points=1)), "rules[1].bonus_bps", "a", 0),
        (refused(offer("a", merchant_ids=["sto_1"])), "rules[1].merchant_ids", "a", 0),
        (refused(expiry_months=0), "expiry_months", "", 0),
        (refused(debt_limit_points=5), "debt_limit_points", "", 0),
        (refused(base_rates=[RATE]), "base_rates[0]", "nowhere", 0),
        (refused(offset_terms=[TERMS]), "offset_terms[0].step_points", "t", 0),
        (refused(calendar_days=[FEBRUARY_30]), "calendar_days[0].date", "", 0),
        (refused(calendar_days=[FEBRUARY_30, NOTHING]), "calendar_days[1]", "2026-02-03", 0),
        (refused(store_budgets=[points_pb2.StoreBudget(store_id="x")]), "store_budgets[0]", "x", 0),
        (refused(offer("a", budget_id="spring")), "rules[1].budget_id", "a", 0),
        (refused(campaign_budgets=[SPRING]), "campaign_budgets[0].budget_id", "spring", 0),
        (
            refused(offer("a", budget_id="spring"), campaign_budgets=[SPRING, SPRING]),
            "campaign_budgets[0].budget_id",
            "spring",
            0,
        ),
        (refused(issuance_ceiling=points_pb2.IssuanceCeiling()), "issuance_ceiling", "", 0),
        (refused(member_ceiling=points_pb2.MemberCeiling()), "member_ceiling", "", 0),
        (
            refused(velocity={"limits": [{"limit_id": "l", "scope": 2, "max_successive_receipts": 3}]}),
            "velocity.limits[0].max_successive_receipts",
            "l",
            0,
        ),
    ],
)
def test_a_mistake_names_its_place(error: RulesInvalid, field: str, part_id: str, column: int) -> None:
    *_, last = error.violations
    assert (last.field, last.part_id, last.column) == (f"rule_set.{field}", part_id, column)
    assert last.description in error.message and "fields" not in error.values


def test_places_come_through_to_problem_json() -> None:
    error = refused(offer("coffee", condition="sale.hours < 9"), debt_limit_points=5)
    status = error.to_status()
    bad, spots = error_details_pb2.BadRequest(), types_pb2.Spots()
    assert any(detail.Unpack(bad) for detail in status.details)
    assert any(detail.Unpack(spots) for detail in status.details)
    assert [each.field for each in bad.field_violations] == [
        "rule_set.debt_limit_points",
        "rule_set.rules[1].condition",
    ]
    assert [(spot.part_id, spot.column) for spot in spots.spots] == [("", 0), ("coffee", 5)]
    body = problem(RemoteError(status), chinese=True)
    assert (body["status"], body["reason"], set(body["metadata"])) == (400, "RULES_INVALID", {"problem"})
    first, second = body["errors"]
    assert set(first) == {"field", "description"}
    assert (second["field"], second["part_id"], second["column"]) == ("rule_set.rules[1].condition", "coffee", 5)
    assert "undeclared reference to 'sale.hours'" in second["description"]


def test_a_rule_set_of_many_mistakes_fits_into_the_headers_that_carry_its_refusal() -> None:
    error = refused(*(offer(f"rule-{number:03}-{'x' * 38}", condition="sale.hours < 9") for number in range(199)))
    assert len(error.to_status().SerializeToString()) < 4_000
    assert error.violations[-1] == Violation("", f"and {199 - len(error.violations) + 1} more")


def test_places_of_many_mistakes_are_found_by_one_look_at_their_list(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[object] = []

    id_of = mistakes._id_of

    def noted(part: str, element: object) -> str:
        looked_at.append(element)
        return id_of(part, element)

    monkeypatch.setattr(mistakes, "_id_of", noted)
    twice = points_pb2.CalendarDay(date=to_date(date(2026, 2, 3)), kind=points_pb2.DAY_KIND_HOLIDAY)
    error = refused(calendar_days=[twice] * 2_000)
    assert error.violations[0].field == "rule_set.calendar_days[0].kind"
    assert len(looked_at) == 2_000
