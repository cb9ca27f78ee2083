"""Pure: types and their values, and who sets something for what."""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from chassis.identity import CallerKind
from services.member.attributes.errors import AttributeChoicesWrong, AttributeValueWrong

MOST_ATTRIBUTES = 200
Value = str | int | bool | date


class Type(enum.IntEnum):
    """As in huitong.member.v1.AttributeType."""

    TEXT = 1
    INTEGER = 2
    DECIMAL = 3
    BOOLEAN = 4
    DATE = 5
    CHOICE = 6


class Source(enum.IntEnum):
    """As in huitong.member.v1.AttributeSource."""

    OPERATOR = 1
    IMPORT = 2
    TASK = 3
    SEGMENT = 4
    SYSTEM = 5


def segment_tag(segment: str) -> str:
    """The tag that whoever is in a segment has: "SEGMENT_NEW_PARENTS" of "new-parents"."""
    return f"SEGMENT_{segment.upper().replace('-', '_')}"


@dataclass(frozen=True, slots=True)
class Definition:
    """An attribute as far as its values depend on it."""

    key: str
    type: Type
    choices: frozenset[str] = frozenset()


def check_choices(key: str, kind: Type, codes: Collection[str]) -> None:
    """Raises AttributeChoicesWrong."""
    if kind is not Type.CHOICE:
        if codes:
            raise AttributeChoicesWrong(key=key, problem="only a CHOICE has any")
    elif not codes:
        raise AttributeChoicesWrong(key=key, problem="a CHOICE has at least one")
    elif len(set(codes)) < len(codes):
        raise AttributeChoicesWrong(key=key, problem="a code is there twice")


def text_of(definition: Definition, kind: Type, value: Value) -> str:
    """A value as it is kept. Raises AttributeValueWrong."""
    if kind is not definition.type:
        raise AttributeValueWrong(key=definition.key, expected=definition.type.name)
    if kind is Type.CHOICE and value not in definition.choices:
        raise AttributeValueWrong(key=definition.key, expected=", ".join(sorted(definition.choices)))
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, date) else str(value)


def value_of(kind: Type, text: str) -> Value:
    """What was kept."""
    if kind is Type.INTEGER:
        return int(text)
    if kind is Type.BOOLEAN:
        return text == "true"
    return date.fromisoformat(text) if kind is Type.DATE else text


def source_of(kind: CallerKind, told: int) -> Source:
    """What a person sets is an operator's; others say for what they do it."""
    if kind is CallerKind.OPERATOR:
        return Source.OPERATOR
    return Source(told) if told else Source.SYSTEM
