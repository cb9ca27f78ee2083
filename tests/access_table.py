"""What the protos declare about access, as a table of cells, and the requests that try each of them.

Read from the options alone: nothing here calls what is tested with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.ids import derive, to_edge
from gateway.contract import Contract
from gateway.schemas import Schemas
from huitong.common.v1 import access_pb2

CONTRACT = Contract.load()
METHODS = sorted(CONTRACT.methods(), key=lambda method: method.full_name)
OPERATIONS = {operation.method.full_name: operation for operation in CONTRACT.operations()}
EXAMPLES = Schemas(CONTRACT.comments, OPERATIONS.values())
GROUP = derive("group", "matrix")

OUTSIDE = ("PUBLIC", "MEMBER", "TERMINAL", "VENDOR", "MERCHANT", "OPERATOR", "PARTNER", "SYSTEM")
LET_IN, NOT_YOURS, DENIED, UNKNOWN_CALLER = "let in", "NOT_YOURS", "PERMISSION_DENIED", "UNAUTHENTICATED"


def _id(prefix: str, whose: str) -> str:
    return to_edge(prefix, derive(prefix, whose))


# Own: a unit with a merchant with a store and a till in it. Other: the same beside it, in the same group.
IDS = {prefix: {whose: _id(prefix, whose) for whose in ("own", "other", "foreign")} for prefix in
       ("mbr", "sto", "mch", "unt", "trm", "ptn")}  # fmt: skip
BELOW = {IDS["unt"][whose]: [IDS["mch"][whose], IDS["sto"][whose]] for whose in ("own", "other", "foreign")} | {
    IDS["mch"][whose]: [IDS["sto"][whose]] for whose in ("own", "other", "foreign")
}
PREFIX_OF_AUDIENCE = {"MEMBER": "mbr", "TERMINAL": "sto", "VENDOR": "unt"}
# What the bound fields of those who are bound to a place hold, by the end of the field's name.
PREFIX_OF_FIELD = {"store_id": "sto", "merchant_id": "mch", "business_unit_id": "unt", "car_park_id": "unt",
                   "partner_id": "ptn"}  # fmt: skip
# A place of any kind: a store is below all of them.
PREFIX_OF_FIELD |= {"place_id": "sto"}


def prefix_of(audience: str, path: str) -> str:
    if audience in PREFIX_OF_AUDIENCE:
        return PREFIX_OF_AUDIENCE[audience]
    return next(prefix for name, prefix in PREFIX_OF_FIELD.items() if path.endswith(name))


# --- the declarations, read here and nowhere else ---


@dataclass(frozen=True)
class Declared:
    """One RPC's access rule."""

    audiences: frozenset[str]
    permission: str
    services: tuple[str, ...]
    bound: dict[str, tuple[str, ...]]
    batch: str
    is_for_every_place: bool

    @classmethod
    def of(cls, method: MethodDescriptor) -> Declared:
        options: Any = method.GetOptions()
        rule, door = options.Extensions[access_pb2.access], options.Extensions[access_pb2.door]

        def name(number: Any) -> str:
            return access_pb2.Audience.Name(number).removeprefix("AUDIENCE_")

        bound: dict[str, tuple[str, ...]] = {}
        for binding in rule.bindings:
            bound[name(binding.audience)] = (*bound.get(name(binding.audience), ()), binding.field)
        return cls(
            frozenset(map(name, rule.audiences)), rule.permission, tuple(rule.services), bound, door.ndjson_field,
            rule.is_for_every_place,
        )  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """Who calls with what, and what has to come of it. `grant`: an operator's place, or a partner's permission."""

    audience: str
    grant: str = ""
    # By bound field, whose id it holds: own, other, foreign, empty.
    whose: tuple[tuple[str, str], ...] = ()
    expected: str = LET_IN
    # Whom the service sees.
    seen_as: str = ""

    def __str__(self) -> str:
        return f"{self.audience} {self.grant} {dict(self.whose)} → {self.expected}"


def cells(rule: Declared, *, behind_the_gateway: bool) -> Iterator[Cell]:
    """Every cell of an RPC's row. The guard behind the gateway gets no empty field from who may not leave it so."""
    audiences = (*OUTSIDE, "INTERNAL") if behind_the_gateway else OUTSIDE
    for audience in audiences:
        if audience not in rule.audiences:
            yield from _cells_of_others(rule, audience, behind_the_gateway)
        elif audience in ("PUBLIC", "SYSTEM", "INTERNAL"):
            yield Cell(audience)
        elif audience == "PARTNER":
            yield from _cells_of_bound(rule, audience, behind_the_gateway, rule.permission)
            yield Cell(audience, rule.permission.rpartition(".")[0] + ".*", _own(rule, audience))
            yield Cell(audience, "nothing.at.all", expected=DENIED)
            yield Cell(audience, rule.permission + "-not", expected=DENIED)
        elif audience == "OPERATOR":
            yield from _cells_of_operators(rule)
        else:
            yield from _cells_of_bound(rule, audience, behind_the_gateway)


def _cells_of_others(rule: Declared, audience: str, behind_the_gateway: bool) -> Iterator[Cell]:
    if behind_the_gateway:
        yield Cell(audience, rule.permission, expected=DENIED)
    elif "PUBLIC" in rule.audiences:
        yield Cell(audience, rule.permission, seen_as="PUBLIC")
    else:
        yield Cell(audience, rule.permission, expected=UNKNOWN_CALLER if audience == "PUBLIC" else DENIED)


def _own(rule: Declared, audience: str) -> tuple[tuple[str, str], ...]:
    return tuple((path, "own") for path in rule.bound.get(audience, ()))


def _cells_of_bound(rule: Declared, audience: str, behind_the_gateway: bool, grant: str = "") -> Iterator[Cell]:
    paths = rule.bound.get(audience, ())
    yield Cell(audience, grant, whose=_own(rule, audience))
    for path in paths:
        rest = tuple((each, "own") for each in paths if each != path)
        for whose in ("other", "foreign"):
            yield Cell(audience, grant, whose=((path, whose), *rest), expected=NOT_YOURS)
        # The gateway fills in who calls; nobody can guess which of its stores a merchant means.
        is_filled_in = not behind_the_gateway and (audience != "MERCHANT" or prefix_of(audience, path) == "mch")
        expected = LET_IN if is_filled_in else NOT_YOURS
        yield Cell(audience, grant, whose=((path, "empty"), *rest), expected=expected)


def _cells_of_operators(rule: Declared) -> Iterator[Cell]:
    paths = rule.bound.get("OPERATOR", ())
    yield Cell("OPERATOR", "no permission", expected=DENIED)
    for whose in ("own", "other", "foreign", "empty"):
        # For the whole group any id may be named: what is of another group is not there for the service.
        yield Cell("OPERATOR", "group", whose=tuple((path, whose) for path in paths))
    if not paths:
        for place in ("unt", "mch", "sto"):
            yield Cell("OPERATOR", place, expected=LET_IN if rule.is_for_every_place else DENIED)
        return
    for path in paths:
        holds = prefix_of("OPERATOR", path)
        for place in ("unt", "mch", "sto"):
            reaches = IDS[holds]["own"] == IDS[place]["own"] or IDS[holds]["own"] in BELOW.get(IDS[place]["own"], ())
            rest = tuple((each, "own") for each in paths if each != path)
            rest_is_reached = all(
                IDS[prefix_of("OPERATOR", each)]["own"] in (IDS[place]["own"], *BELOW.get(IDS[place]["own"], ()))
                for each, _ in rest
            )
            expected = LET_IN if reaches and rest_is_reached else NOT_YOURS
            yield Cell("OPERATOR", place, ((path, "own"), *rest), expected)
            for whose in ("other", "foreign", "empty"):
                yield Cell("OPERATOR", place, ((path, whose), *rest), NOT_YOURS)


# --- requests ---


def request_of(method: MethodDescriptor, cell: Cell) -> dict[str, Any]:
    """The contract's example, with the cell's ids where they are bound."""
    request: dict[str, Any] = deepcopy(EXAMPLES.example(method.input_type))
    for path, whose in cell.whose:
        put(request, path.split("."), "" if whose == "empty" else IDS[prefix_of(cell.audience, path)][whose])
    return request


def put(holder: Any, path: list[str], value: str) -> None:
    """Set every element's field at the end of the path."""
    for each in holder if isinstance(holder, list) else [holder]:
        if len(path) == 1:
            each[path[0]] = [value] if isinstance(each.get(path[0]), list) else value
        else:
            put(each[path[0]], path[1:], value)


def message_of(method: MethodDescriptor, request: dict[str, Any]) -> Message:
    return json_format.ParseDict(request, GetMessageClass(method.input_type)())


@dataclass
class Sent:
    """An HTTP request in parts."""

    verb: str
    path: str
    query: str = ""
    body: bytes = b""
    content_type: str = "application/json"


def sendings(method: MethodDescriptor, request: dict[str, Any]) -> Iterator[Sent]:
    """The request by each of the RPC's routes. A path has no place for an empty variable: such a route is left out."""
    options: Any = method.GetOptions()
    rule = options.Extensions[annotations_pb2.http]
    for http in (rule, *rule.additional_bindings):
        verb = http.WhichOneof("pattern")
        left, template, is_whole = deepcopy(request), getattr(http, verb), True
        path = ""
        for part in template.replace("}", "{").split("{"):
            if part in {field.name for field in method.input_type.fields} and f"{{{part}}}" in template:
                value = left.pop(part)
                is_whole = is_whole and bool(value)
                path += quote(str(value), safe="")
            else:
                path += part
        if not is_whole:
            continue
        if http.body == "*":
            yield Sent(verb.upper(), path, body=orjson.dumps(left))
        elif http.body:
            yield Sent(verb.upper(), path, body=orjson.dumps(left[http.body]))
        else:
            yield Sent(verb.upper(), path, query=urlencode(list(_pairs(method.input_type, left, "")), doseq=True))


def _pairs(message: Descriptor, request: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in request.items():
        inner = message.fields_by_name[name]
        if isinstance(value, dict) and inner.message_type is not None:
            yield from _pairs(inner.message_type, value, f"{prefix}{name}.")
        elif value not in ("", []):
            yield prefix + name, str(value).lower() if isinstance(value, bool) else value


def texts_of(message: Descriptor, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """The paths of all strings in a request."""
    for field in message.fields:
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            yield prefix + field.name
        elif field.message_type and depth < 3 and not field.message_type.full_name.startswith("google."):
            yield from texts_of(field.message_type, f"{prefix}{field.name}.", depth + 1)
