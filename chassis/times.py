"""Times in messages: protobuf carries numbers that are no time, and reading those raises far from the caller. Zones."""

from __future__ import annotations

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from buf.validate import validate_pb2

_TIMESTAMP, _DURATION = "google.protobuf.Timestamp", "google.protobuf.Duration"
# The years 1 to 9999, and ten thousand years: what the protos' own documentation allows.
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
_LONGEST_SECONDS = 315_576_000_000
_MOST_NANOS = 999_999_999


def impossible_times(message: Message) -> list[tuple[str, str]]:
    """The paths of timestamps and durations in `message` that are out of range, each with what is wrong."""
    found: list[tuple[str, str]] = []
    _collect(message, "", found)
    return found


def _collect(message: Any, prefix: str, found: list[tuple[str, str]]) -> None:
    for name, kind, repeated in _roads_to_times(message.DESCRIPTOR):
        if repeated:
            values = [(f"{prefix}{name}[{index}]", each) for index, each in enumerate(getattr(message, name))]
        elif message.HasField(name):
            values = [(prefix + name, getattr(message, name))]
        else:
            continue
        for path, value in values:
            if kind == _TIMESTAMP:
                if not is_possible(value):
                    found.append((path, "is not a time between the years 1 and 9999"))
            elif kind == _DURATION:
                if not is_possible(value):
                    found.append((path, "is not a duration"))
            else:
                _collect(value, f"{path}.", found)


def is_possible(value: Any) -> bool:
    """Whether a Timestamp or Duration is in its range; whether it is another message."""
    kind = value.DESCRIPTOR.full_name
    if kind == _TIMESTAMP:
        return _FIRST_SECOND <= value.seconds <= _LAST_SECOND and 0 <= value.nanos <= _MOST_NANOS
    if kind == _DURATION:
        seconds, nanos = value.seconds, value.nanos
        return abs(seconds) <= _LONGEST_SECONDS and abs(nanos) <= _MOST_NANOS and bool(seconds * nanos >= 0)
    return True


def is_time_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone."""
    return name in _time_zones()


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def _roads_to_times(descriptor: Descriptor) -> tuple[tuple[str, str, bool], ...]:
    """The fields of a message that are times or lead to some: name, type, whether repeated.

    Maps are not followed, nor fields that are not to be validated with the message: somebody looks at their elements.
    """
    return tuple(
        (field.name, field.message_type.full_name, field.is_repeated)
        for field in descriptor.fields
        if field.message_type is not None
        and not _is_map(field)
        and not _is_apart(field)
        and _leads_to_time(field.message_type, set())
    )


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _is_apart(field: FieldDescriptor) -> bool:
    rules: validate_pb2.FieldRules = field.GetOptions().Extensions[validate_pb2.field]  # type: ignore[index]
    return rules.ignore == validate_pb2.IGNORE_ALWAYS


def _leads_to_time(descriptor: Descriptor, seen: set[str]) -> bool:
    if descriptor.full_name in (_TIMESTAMP, _DURATION):
        return True
    if descriptor.full_name in seen:
        return False
    seen.add(descriptor.full_name)
    return any(
        _leads_to_time(field.message_type, seen)
        for field in descriptor.fields
        if field.message_type is not None and not _is_map(field)
    )
