"""Bulk doors: NDJSON in, one line of answer for each line, in order.

A bad line is answered with its reason and does not hold up the others: the good ones go to the service in one call.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
from google.protobuf.message import Message

from chassis.errors import AppError, Internal, NotYours
from chassis.rpc import validate
from gateway import codec
from gateway.auth.places import Reach
from gateway.binding import find_field, guards, no_guard
from gateway.contract import Operation
from gateway.errors import TooManyLines, line_problem, problem

NDJSON = (b"application/x-ndjson", b"application/ndjson", b"application/jsonl")
MAX_LINES = 1_000
# Other requests get their turn after so many lines.
LINES_PER_TURN = 100


@dataclass
class Lines:
    """A batch while it is under way: what is to be sent, and what was refused already, by line number from 1."""

    good: list[tuple[int, Message]] = field(default_factory=list)
    bad: dict[int, dict[str, Any]] = field(default_factory=dict)
    # Whether one was refused with NOT_YOURS.
    has_foreign: bool = False

    @property
    def count(self) -> int:
        """Lines that get an answer."""
        return len(self.good) + len(self.bad)


class Batch:
    """The NDJSON side of one operation."""

    accepted = "application/json or application/x-ndjson"

    def __init__(self, operation: Operation) -> None:
        """Raises ValueError when the door's fields are not repeated messages."""
        door = operation.door
        element = find_field(operation.request, [door.ndjson_field])
        result = find_field(operation.response, [door.ndjson_result_field])
        if not (element.is_repeated and element.message_type and result.is_repeated and result.message_type):
            raise ValueError(f"{operation.rpc}: an NDJSON door needs repeated messages on both sides")
        self._field, self._result_field = door.ndjson_field, door.ndjson_result_field
        self._decode = codec.from_json(element.message_type)
        self._encode = codec.to_plain(result.message_type)
        inner = tuple(each for each in operation.bindings if each.path[0] == self._field and len(each.path) > 1)
        self._guards = guards(element.message_type, inner, skip=1)
        self._outer_guards = guards(operation.request, tuple(each for each in operation.bindings if each not in inner))
        problem_field = result.message_type.fields_by_name.get("problem")
        self._has_problem = problem_field is not None and problem_field.message_type is not None

    async def read(self, body: bytes, reach: Reach, *, chinese: bool) -> Lines:
        """Decode, bind and validate every line. Blank lines have a number but no answer. Raises TooManyLines."""
        lines = await self._read(body, reach, chinese=chinese)
        while lines.has_foreign and await reach.widen():
            lines = await self._read(body, reach, chinese=chinese)
        return lines

    async def _read(self, body: bytes, reach: Reach, *, chinese: bool) -> Lines:
        lines, guard = Lines(), self._guards.get(reach.caller.kind, no_guard)
        for number, line in enumerate(body.split(b"\n"), start=1):
            if not line.strip():
                continue
            if lines.count >= MAX_LINES:
                raise TooManyLines(limit=MAX_LINES)
            try:
                lines.good.append((number, self._element(line, reach, guard)))
            except AppError as error:
                lines.has_foreign |= isinstance(error, NotYours)
                lines.bad[number] = problem(error, chinese=chinese)
            if number % LINES_PER_TURN == 0:
                await asyncio.sleep(0)
        return lines

    def _element(self, line: bytes, reach: Reach, guard: Any) -> Message:
        element = self._decode(codec.parse_json(line))
        guard(element, reach)
        validate(element)
        return element

    def request(self, lines: Lines, request: Message, reach: Reach) -> Message:
        """`request` with the good lines in it. Raises NotYours, and is then the same as before."""
        self._outer_guards.get(reach.caller.kind, no_guard)(request, reach)
        getattr(request, self._field).extend(message for _, message in lines.good)
        return request

    def write(self, lines: Lines, answer: Message | None, *, chinese: bool) -> tuple[bytes, int]:
        """The answer, a line for each line, and how many of them are refusals."""
        results = list(getattr(answer, self._result_field)) if answer is not None else []
        if len(results) != len(lines.good):
            raise Internal
        rows = dict(lines.bad)
        refused, answers = len(rows), {}
        for (number, _), result in zip(lines.good, results, strict=True):
            if self._has_problem and result.HasField("problem"):
                rows[number] = line_problem(result.problem, chinese=chinese)
                refused += 1
            else:
                answers[number] = self._encode(result)
        out = []
        for number in sorted([*rows, *answers]):
            key, row = ("error", rows[number]) if number in rows else ("result", answers[number])
            out.append(orjson.dumps({"line": number, key: row}))
        return b"\n".join(out) + (b"\n" if out else b""), refused
