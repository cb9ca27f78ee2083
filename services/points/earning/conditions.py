"""Conditions that operators write: CEL over the facts of a sale, checked when they are saved.

A small port in front of the CEL library. Facts have names with a dot ("sale.hour"); docs/rules.md explains each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

# A fact's type, and what it is in the emptiest sale.
INT: tuple[Any, Any] = (cel.Type.INT, 0)
TEXT: tuple[Any, Any] = (cel.Type.STRING, "")
TEXTS: tuple[Any, Any] = (cel.Type.List(cel.Type.STRING), [])
YES_NO: tuple[Any, Any] = (cel.Type.BOOL, False)
SALE_FACTS = {
    "sale.amount_minor": INT,  # all lines
    "sale.eligible_minor": INT,  # the lines that count
    "sale.line_count": INT,
    "sale.categories": TEXTS,  # of the lines, in their order
    "sale.hour": INT,  # 0 to 23, where the store is
    "sale.source": TEXT,
    "sale.tenders": TEXTS,  # kinds, in their order
    "member.tier": TEXT,
    "member.birth_month": INT,  # 0 when unknown
    "member.is_birth_month": YES_NO,  # by the member's own calendar
    "member.segments": TEXTS,  # by name
    "member.first_in_group": YES_NO,  # whether this is the member's first purchase there
    "member.first_in_unit": YES_NO,
    "member.first_in_store": YES_NO,
    "store.id": TEXT,
    "store.merchant_id": TEXT,
    "store.category": TEXT,
    "store.business_unit_id": TEXT,
    "store.days_open": INT,  # 1 on the opening day; 0 when unknown
    "calendar.date": TEXT,  # "2026-03-04", the business date
    "calendar.year": INT,
    "calendar.month": INT,
    "calendar.day": INT,
    "calendar.weekday": INT,  # 1 Monday to 7 Sunday
    "calendar.is_day_off": YES_NO,
    "calendar.is_holiday": YES_NO,
    "calendar.day_names": TEXTS,  # as the rule set's calendar has them
}
LINE_FACTS = {
    "line.category": TEXT,
    "line.item_code": TEXT,
    "line.amount_minor": INT,
    "line.quantity": INT,
}
_FACTS = {**SALE_FACTS, **LINE_FACTS}
_SALE_ENV = cel.NewEnv(variables={name: kind for name, (kind, _) in SALE_FACTS.items()})
_LINE_ENV = cel.NewEnv(variables={name: kind for name, (kind, _) in _FACTS.items()})
_PROBLEM = re.compile(r"<input>:(\d+):(\d+): ([^\n]*)")
# A condition must be computable for the emptiest sale and for the largest one.
_EMPTIEST = {name: empty for name, (_, empty) in _FACTS.items()}
_LARGEST = _EMPTIEST | {
    "sale.line_count": 1000,
    "sale.categories": [f"CATEGORY {number}" for number in range(1000)],
    "sale.tenders": [f"TENDER_{number}" for number in range(20)],
    "calendar.day_names": [f"day {number}" for number in range(100)],
    "member.segments": [f"segment-{number}" for number in range(100)],
}


class ConditionInvalid(Exception):
    """A condition that cannot be saved: `problem` in words, at `column` (1 is the first; 0 when it has none)."""

    def __init__(self, problem: str, column: int = 0) -> None:
        super().__init__(f"column {column}: {problem}" if column else problem)
        self.problem, self.column = problem, column


class ConditionFailed(Exception):
    """A condition that could not be computed for the facts of a sale."""


class Condition:
    """A checked condition, or one that was published once (`condition`)."""

    __slots__ = ("_expression", "_names", "_problem", "line_facts", "sale_facts", "text", "uses_line")

    def __init__(self, text: str) -> None:
        """Raises ConditionInvalid."""
        self._compile(text)
        for sample in (_EMPTIEST, _LARGEST):
            try:
                self.holds(sample)
            except ConditionFailed as failed:
                raise ConditionInvalid(f"cannot be computed for every sale: {failed}") from None

    def _compile(self, text: str) -> None:
        self.text, self.uses_line, self._problem = text, False, ""
        self.sale_facts: tuple[str, ...] = ()
        self.line_facts: tuple[str, ...] = ()
        try:
            self._expression = _SALE_ENV.compile(text)
        except RuntimeError:
            try:
                self._expression, self.uses_line = _LINE_ENV.compile(text), True
            except RuntimeError as error:
                raise _invalid(str(error)) from None
        if self._expression.return_type() != cel.Type.BOOL:
            raise ConditionInvalid(f"must be true or false, not {self._expression.return_type().name()}")
        self._names = self._find_names()
        self.sale_facts = tuple(name for name in self._names if name in SALE_FACTS)
        # Lines that are alike in these are alike to the condition.
        self.line_facts = tuple(name for name in self._names if name in LINE_FACTS)

    def _find_names(self) -> tuple[str, ...]:
        """The facts that it names: handing over all of them takes four times as long as the rest of an evaluation."""
        known = _FACTS if self.uses_line else SALE_FACTS
        named = {name: kind for name, (kind, _) in known.items() if self.uses(name)}
        try:
            cel.NewEnv(variables=named).compile(self.text)
        except RuntimeError:  # written in a way that uses() does not know
            return tuple(known)
        return tuple(named)

    @classmethod
    def unchecked(cls, text: str) -> Condition:
        """The condition as it is; one that is none fails on every sale."""
        made = cls.__new__(cls)
        try:
            made._compile(text)
        except ConditionInvalid as invalid:
            made._problem, made.uses_line = str(invalid), False
        return made

    def find_problem(self) -> ConditionInvalid | None:
        """Why it cannot be saved; None when it can."""
        try:
            Condition(self.text)
        except ConditionInvalid as invalid:
            return invalid
        return None

    def uses(self, fact: str) -> bool:
        """Whether it names a fact; also true when a text in it does."""
        name = r"\s*\.\s*".join(fact.split("."))
        return re.search(rf"\b{name}\b", self.text) is not None

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it is true of `facts`, which hold those that it names: `sale_facts` and `line_facts`.

        Raises ConditionFailed: a division by zero, a missing list element, too many steps.
        """
        if self._problem:
            raise ConditionFailed(self._problem)
        try:
            value = self._expression.eval(data={name: facts[name] for name in self._names})
        except RuntimeError as error:
            raise ConditionFailed(_words(str(error))) from None
        if value.type() != cel.Type.BOOL:
            raise ConditionFailed(_words(str(value.value())))
        return bool(value.value())


@lru_cache(maxsize=4096)
def condition(text: str) -> Condition:
    """The condition of a rule, compiled once and not checked: what is published goes on, whatever checks are new."""
    return Condition.unchecked(text)


def _invalid(message: str) -> ConditionInvalid:
    found = _PROBLEM.search(message)
    if found is None:
        return ConditionInvalid(_words(message))
    line, column, problem = int(found[1]), int(found[2]), found[3]
    place = f"line {line}: " if line > 1 else ""
    return ConditionInvalid(f"{place}{problem.replace(' (in container ' + repr('') + ')', '')}", column)


def _words(message: str) -> str:
    """The library's message without its codes: "INVALID_ARGUMENT: divide by zero" is "divide by zero"."""
    return re.sub(r"^[A-Z_]+: | \[[A-Z_]+\]$", "", message.strip())
