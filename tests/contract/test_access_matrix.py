"""Every RPC, called by every audience with ids of its own, of others in its group and of another group.

What is expected is read from the protos' options alone. What answers is the gateway's real door (caller, routes,
bindings, batches) with the services' real guard behind it; only what services do after their guard is left out, and the
limits on calls. tests/whole/test_other_peoples_things.py has what the bound fields do not cover.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import orjson
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from chassis.errors import AppError
from chassis.identity import MEMBER_ACCESS, PROOF_SCOPE, Caller, CallerKind, TokenBook
from chassis.ids import derive, to_edge
from chassis.rpc import Guard
from gateway.auth.callers import Callers
from gateway.auth.credentials import Credentials
from gateway.auth.places import Places
from gateway.auth.sessions import Sessions
from gateway.auth.signing import sign_request
from gateway.browsers import Browsers
from gateway.contract import Operation
from gateway.door import Door
from gateway.reception import Reception
from huitong.common.v1 import access_pb2
from huitong.org.v1 import operators_pb2, org_pb2, places_pb2
from tests.access_reviewed import REVIEWED
from tests.access_table import (
    BELOW,
    DENIED,
    GROUP,
    IDS,
    LET_IN,
    METHODS,
    NOT_YOURS,
    OPERATIONS,
    OUTSIDE,
    PREFIX_OF_AUDIENCE,
    UNKNOWN_CALLER,
    Cell,
    Declared,
    Sent,
    cells,
    message_of,
    prefix_of,
    request_of,
    sendings,
    texts_of,
)
from tests.apps import member

KEY = "k" * 40

# --- the door, with the services' guard behind it ---


class _Open:
    """Lets everybody in as often as they like."""

    async def admit(self, *_: Any) -> None:
        return None

    def check_failures(self, _: str) -> None:
        """Nobody is barred."""

    async def count_failure(self, _: str) -> None:
        """Nor counted."""


class _Proved:
    """Takes it that members have proved themselves; without a proof see tests/integration/test_gateway_with_members."""

    async def proved(self, operation: Operation, caller: Caller, *_: Any) -> Caller:
        return replace(caller, scopes={PROOF_SCOPE: operation.proof}) if operation.proof else caller


@dataclass
class Inside:
    """The services as far as their guard: answers what is let in with what is empty."""

    book: TokenBook = field(default_factory=lambda: TokenBook(KEY))
    calls: list[tuple[Caller, Message]] = field(default_factory=list)
    # Also those that the guard refuses: the gateway has to have refused them before.
    asked_count: int = 0

    def call(self, _: str, rpc: str) -> Any:
        operation = OPERATIONS[rpc[1:].replace("/", ".")]
        guard = Guard(operation.method)

        async def invoke(wire: bytes, _: float, metadata: Any) -> bytes:
            who = self.book.check(dict(metadata)["authorization"][7:])
            request = GetMessageClass(operation.request)()
            request.ParseFromString(wire)
            self.asked_count += 1
            guard.check(who, request)
            self.calls.append((who, request))
            answer = GetMessageClass(operation.response)()
            door = operation.door
            if door.ndjson_field:
                for _each in getattr(request, door.ndjson_field):
                    getattr(answer, door.ndjson_result_field).add()
            return answer.SerializeToString()

        return invoke


class SomethingUnknown(AppError):
    """There is no such thing."""

    code, reason = grpc.StatusCode.NOT_FOUND, "PLACE_UNKNOWN"


class Street:
    """One RPC's door, and everybody who might come to it."""

    def __init__(self, method: MethodDescriptor) -> None:
        self.method, self.inside = method, Inside()
        self.rule = Declared.of(method)
        self.members = TokenBook(KEY, issuer=MEMBER_ACCESS)
        callers = Callers(Credentials(self._credential), self.members, Sessions(self._session))
        self.door = Door(
            [OPERATIONS[method.full_name]],
            upstream=self.inside,  # type: ignore[arg-type]
            reception=Reception(callers, _Open(), TokenBook(KEY), _Proved(), Places(self._below)),  # type: ignore[arg-type]
            browsers=Browsers(""),
        )
        self._permissions: dict[str, str] = {}

    async def _credential(self, key_id: str) -> org_pb2.GetCredentialSecretResponse:
        kind = key_id.partition("_")[2]
        own = {"TERMINAL": "sto", "VENDOR": "unt", "MERCHANT": "mch", "PARTNER": "ptn"}.get(kind)
        return org_pb2.GetCredentialSecretResponse(
            kind=f"CREDENTIAL_KIND_{kind}", group_id=to_edge("grp", GROUP), subject_id=key_id, secrets=["secret"],
            bound_id=IDS[own]["own"] if own else "", scopes=self._permissions if kind == "PARTNER" else {},
        )  # fmt: skip

    async def _session(self, _: bytes) -> operators_pb2.GetOperatorSessionResponse:
        return operators_pb2.GetOperatorSessionResponse(
            group_id=to_edge("grp", GROUP), operator_id="opr_1", session_id="ops_1", permissions=self._permissions
        )

    @staticmethod
    async def _below(place_id: str) -> places_pb2.GetPlacesBelowResponse:
        if place_id not in BELOW:
            raise SomethingUnknown
        return places_pb2.GetPlacesBelowResponse(group_id=to_edge("grp", GROUP), place_ids=BELOW[place_id])

    def headers(self, cell: Cell, sent: Sent) -> dict[str, str]:
        """What shows who calls."""
        if cell.audience == "PUBLIC":
            return {}
        if cell.audience == "MEMBER":
            own = IDS["mbr"]["own"]
            return {"Authorization": f"Bearer {self.members.mint(Caller(CallerKind.MEMBER, own, GROUP, own))}"}
        if cell.audience == "OPERATOR":
            self._permissions = permissions_of(self.rule, cell)
            # A session for each set of permissions: what they are is kept.
            token = "hts_" + derive(repr(sorted(self._permissions.items()))).hex.ljust(43, "0")
            return {"Authorization": f"Bearer {token}"}
        if cell.audience == "PARTNER":
            self._permissions = {"": cell.grant}
        return sign_request(
            key_id=f"{derive(cell.grant).hex}_{cell.audience}", secret="secret", method=sent.verb, path=sent.path,
            query=sent.query, body=sent.body,
        )  # fmt: skip

    async def ask(self, cell: Cell, sent: Sent) -> tuple[int, bytes]:
        """Status and body."""
        headers = {"content-type": sent.content_type, **self.headers(cell, sent)}
        scope = {
            "type": "http", "method": sent.verb, "path": sent.path, "raw_path": sent.path.encode(),
            "query_string": sent.query.encode(), "client": ("10.0.0.1", 1),
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        answers: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": sent.body, "more_body": False}

        async def send(message: Any) -> None:
            answers.append(message)

        await self.door(scope, receive, send)
        return answers[0]["status"], b"".join(each.get("body", b"") for each in answers[1:])


def permissions_of(rule: Declared, cell: Cell) -> dict[str, str]:
    """By place, what an operator may do: what the RPC needs, there, and something else for the whole group."""
    if cell.grant == "no permission":
        return {"": "nothing.at.all", IDS["mch"]["own"]: "nothing.else.here"}
    if cell.grant in IDS:
        return {"": "nothing.at.all", IDS[cell.grant]["own"]: rule.permission}
    return {"": rule.permission}


def reason_of(status: int, body: bytes) -> str:
    return LET_IN if status == 200 else str(orjson.loads(body)["reason"])


each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.full_name.removeprefix("huitong."))
each_open = pytest.mark.parametrize(
    "method",
    [method for method in METHODS if method.full_name in OPERATIONS],
    ids=lambda method: method.full_name.removeprefix("huitong."),
)
each_batch = pytest.mark.parametrize(
    "method", [method for method in METHODS if Declared.of(method).batch], ids=lambda method: method.name
)


@each_open
async def test_the_door_answers_as_declared(method: MethodDescriptor) -> None:
    street = Street(method)
    for cell in cells(street.rule, behind_the_gateway=False):
        for sent in sendings(method, request_of(method, cell)):
            street.inside.calls.clear()
            street.inside.asked_count = 0
            status, body = await street.ask(cell, sent)
            assert reason_of(status, body) == cell.expected, f"{cell} {sent} {body!r}"
            assert street.inside.asked_count == (cell.expected == LET_IN), "what is refused does not reach the service"
            for who, request in street.inside.calls:
                assert who.kind.name == (cell.seen_as or cell.audience)
                for path, _ in cell.whose:
                    if cell.audience != "OPERATOR":
                        own = IDS[prefix_of(cell.audience, path)]["own"]
                        assert values_at(request, path.split(".")) == {own}, "filled in, or checked"


def values_at(message: Any, path: list[str]) -> set[str]:
    """What is at the end of a path, in every element."""
    value = getattr(message, path[0])
    values = [value] if isinstance(value, str) or hasattr(value, "DESCRIPTOR") else list(value)
    return set(values) if len(path) == 1 else {each for one in values for each in values_at(one, path[1:])}


@each_method
def test_a_service_s_guard_answers_as_declared_whoever_is_in_front(method: MethodDescriptor) -> None:
    rule, guard = Declared.of(method), Guard(method)
    for cell in cells(rule, behind_the_gateway=True):
        who = _inside_caller(rule, cell)
        assert _decision(guard, who, message_of(method, request_of(method, cell))) == cell.expected, str(cell)
    if "INTERNAL" in rule.audiences and rule.services:
        stranger = Caller(CallerKind.INTERNAL, "somebody-else", GROUP)
        assert _decision(guard, stranger, message_of(method, request_of(method, Cell("INTERNAL")))) == DENIED


def _inside_caller(rule: Declared, cell: Cell) -> Caller:
    """The caller as a gateway would tell: whatever of its own lies below is in the scopes."""
    kind = CallerKind(cell.audience.lower())
    if cell.audience == "INTERNAL":
        return Caller(kind, rule.services[0] if rule.services else "mall", GROUP)
    if cell.audience == "OPERATOR":
        told = permissions_of(rule, cell)
        below = BELOW.get(IDS[cell.grant]["own"], ()) if cell.grant in IDS else ()
        return Caller(kind, "opr_1", GROUP, "ops_1", told | dict.fromkeys(below, rule.permission))
    if cell.audience == "PARTNER":
        own = IDS["ptn"]["own"]
        return Caller(kind, own, GROUP, own, scopes={"": cell.grant})
    if cell.audience == "MERCHANT":
        own = IDS["mch"]["own"]
        return Caller(kind, own, GROUP, own, dict.fromkeys(BELOW[own], ""))
    if cell.audience == "MEMBER":
        return member(IDS["mbr"]["own"], GROUP)
    prefix = PREFIX_OF_AUDIENCE.get(cell.audience)
    return Caller(kind, "somebody", GROUP, IDS[prefix]["own"] if prefix else "")


def _decision(guard: Guard, who: Caller, request: Message) -> str:
    try:
        guard.check(who, request)
    except AppError as error:
        return error.reason
    return LET_IN


@each_method
def test_who_is_bound_to_nothing_owns_nothing(method: MethodDescriptor) -> None:
    rule, guard = Declared.of(method), Guard(method)
    for audience in rule.bound:
        for whose in ("own", "empty"):
            cell = Cell(audience, whose=tuple((path, whose) for path in rule.bound[audience]))
            scopes = {"": rule.permission} if audience == "PARTNER" else {}
            who = Caller(CallerKind(audience.lower()), "somebody", GROUP, scopes=scopes)
            expected = DENIED if audience == "OPERATOR" else NOT_YOURS
            assert _decision(guard, who, message_of(method, request_of(method, cell))) == expected


@each_batch
async def test_a_batch_with_one_foreign_item(method: MethodDescriptor) -> None:
    """As JSON it is refused as a whole, as lines for the foreign ones alone."""
    street = Street(method)
    batch = street.rule.batch
    for audience, paths in street.rule.bound.items():
        inner = [path for path in paths if path.startswith(f"{batch}.")]
        assert inner, "an item's own field is what has to be bound"
        for whose in ("other", "foreign"):
            own = Cell(audience, "unt", tuple((path, "own") for path in paths))
            bad = Cell(audience, "unt", tuple((path, whose if path in inner else "own") for path in paths))
            good_item, bad_item = (request_of(method, cell)[batch][0] for cell in (own, bad))
            items = [good_item, bad_item, good_item]
            whole = {**request_of(method, own), batch: items}
            for sent in sendings(method, whole):
                assert reason_of(*await street.ask(own, sent)) == NOT_YOURS
                assert street.inside.asked_count == 0
                sent.body = b"\n".join(map(orjson.dumps, items))
                sent.content_type = "application/x-ndjson"
                status, body = await street.ask(own, sent)
                lines = [orjson.loads(line) for line in body.splitlines()]
                told = [line["error"]["reason"] if "error" in line else LET_IN for line in lines]
                assert (status, told) == (200, [LET_IN, NOT_YOURS, LET_IN]), (audience, whose)
                ((_, request),) = street.inside.calls
                assert len(getattr(request, batch)) == 2
                street.inside.calls.clear()
                street.inside.asked_count = 0


@each_open
async def test_what_services_say_among_themselves_opens_no_door(method: MethodDescriptor) -> None:
    street = Street(method)
    for who in (Caller(CallerKind.INTERNAL, "mall", GROUP), Caller(CallerKind.SYSTEM, "key_1", GROUP)):
        street.headers = lambda *_, who=who: {"Authorization": f"Bearer {TokenBook(KEY).mint(who)}"}  # type: ignore[method-assign]
        for sent in sendings(method, request_of(method, Cell("SYSTEM"))):
            expected = LET_IN if street.rule.audiences == {"PUBLIC"} else UNKNOWN_CALLER
            assert reason_of(*await street.ask(Cell("SYSTEM"), sent)) == expected
    assert all(who.kind is CallerKind.PUBLIC for who, _ in street.inside.calls)


IDS_END_IN = ("_id", "_ids", "_no", "_code", "_codes", "_token", "_key")
# What is written in these names nobody.
NO_IDS = ("request_id", "page_token", "currency_code", "item_code")


@each_open
def test_an_id_that_nothing_binds_was_looked_at(method: MethodDescriptor) -> None:
    rule = Declared.of(method)
    reviewed = REVIEWED.get(method.full_name.removeprefix("huitong."), {})
    named = [
        path
        for path in texts_of(method.input_type)
        if path.endswith(IDS_END_IN) and path.rpartition(".")[2] not in NO_IDS
    ]
    bound_audiences = {*PREFIX_OF_AUDIENCE, "MERCHANT", "PARTNER", *({"OPERATOR"} & rule.bound.keys())}
    for audience in rule.audiences & bound_audiences:
        free = {path for path in named if path not in rule.bound.get(audience, ())}
        looked_at = {path for audiences, fields in reviewed.items() if audience in audiences for path in fields}
        assert free == looked_at, f"{audience}: bind it, or say in tests/access_reviewed.py why nothing has to"


def test_nothing_is_reviewed_that_is_not_there() -> None:
    names = {method.full_name.removeprefix("huitong."): Declared.of(method) for method in METHODS}
    for name, reviewed in REVIEWED.items():
        for audiences in reviewed:
            assert set(audiences) <= names[name].audiences


def test_the_matrix_is_as_large_as_the_contract() -> None:
    counted = {"door": 0, "guard": 0}
    seen: set[str] = set()
    for method in METHODS:
        rule = Declared.of(method)
        seen |= rule.audiences
        counted["guard"] += sum(1 for _ in cells(rule, behind_the_gateway=True))
        if method.full_name in OPERATIONS:
            counted["door"] += sum(1 for _ in cells(rule, behind_the_gateway=False))
    assert (
        seen
        == {*OUTSIDE, "INTERNAL"}
        == {
            name.removeprefix("AUDIENCE_")
            for name in access_pb2.Audience.DESCRIPTOR.values_by_name
            if not name.endswith("UNSPECIFIED")
        }
    )
    assert counted["door"] > 1_200 and counted["guard"] > 1_500, counted
