"""What is wrong with a rule set, and where, so that a console can mark the spot. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache, reduce
from typing import Any

from chassis.errors import Violation
from huitong.points.v1 import points_pb2
from services.points.errors import RulesInvalid

# Lists whose elements have ids of the author's, by the field that is the id.
_IDS = {
    "rules": "rule_id",
    "offset_terms": "terms_id",
    "base_rates": "rate_id",
    "store_budgets": "store_id",
    "campaign_budgets": "budget_id",
    "velocity.limits": "limit_id",
    "interaction_limits": "reason_code",
}
_CALENDAR = "calendar_days"  # whose id is the date


class Mistake(str):
    """A sentence about a mistake; `field` is of the rule set, or of the element `part_id` of its list `part`.

    Either may be empty. `column` is in the text of the field, 1 the first; 0 when it is about all of it.
    """

    field: str
    part: str
    part_id: str
    column: int

    def __new__(cls, sentence: str, field: str = "", *, part: str = "", part_id: str = "", column: int = 0) -> Mistake:
        made = super().__new__(cls, sentence)
        made.field, made.part, made.part_id, made.column = field, part, part_id, column
        return made

    def saying(self, sentence: str) -> Mistake:
        """At the same place."""
        return Mistake(sentence, self.field, part=self.part, part_id=self.part_id, column=self.column)


def of_rule(rule_id: str, sentence: str, field: str = "", column: int = 0) -> Mistake:
    """A mistake of one rule."""
    return Mistake(sentence, field, part="rules", part_id=rule_id, column=column)


def refusal(rule_set: points_pb2.RuleSet, mistakes: Iterable[Mistake]) -> RulesInvalid:
    """The error that names all of them, with their places in a request's rule_set."""

    @cache
    def places(part: str) -> dict[str, int]:
        # Of each list once: in one of thousands there may be thousands of mistakes.
        elements: Any = reduce(getattr, part.split("."), rule_set)
        found: dict[str, int] = {}
        for index, element in enumerate(elements):
            found.setdefault(_id_of(part, element), index)
        return found

    return RulesInvalid(
        [Violation(_path(mistake, places), str(mistake), mistake.part_id, mistake.column) for mistake in mistakes]
    )


def _path(mistake: Mistake, places: Callable[[str], Mapping[str, int]]) -> str:
    """As protovalidate writes it: "rule_set.rules[2].condition"."""
    path = ["rule_set"]
    if mistake.part:
        index = places(mistake.part).get(mistake.part_id)
        path.append(mistake.part if index is None else f"{mistake.part}[{index}]")
    if mistake.field:
        path.append(mistake.field)
    return ".".join(path)


def _id_of(part: str, element: object) -> str:
    if part == _CALENDAR and isinstance(element, points_pb2.CalendarDay):
        return f"{element.date.year:04}-{element.date.month:02}-{element.date.day:02}"
    return str(getattr(element, _IDS[part]))
