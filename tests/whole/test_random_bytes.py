"""Bytes that nobody meant: random messages and noise at every RPC, directly and through the gateway, random JSON and
NDJSON at every door.

Whatever comes, the answer comes in time, says what was wrong, is never our fault and tells nothing of the inside; what
was logged meanwhile is looked through at the end (conftest.py).
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import orjson
import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message

from chassis.config import SERVICES
from chassis.identity import CallerKind
from gateway import codec
from gateway.contract import HttpBinding, Operation, access_of, audience_kind
from tests.whole.inside import internal_words
from tests.whole.suite import CONTRACT, WholeSuite

pytestmark = pytest.mark.timeout(300)

# Fixed, so that what was found is found again; each method draws from its own.
SEED = 20260131
MESSAGES, NOISES, BODIES = 24, 12, 24
# Longer is a hang: no request here is large.
SECONDS = 15.0
METHODS = sorted(
    (method for method in CONTRACT.methods() if method.full_name.split(".")[1] in SERVICES),
    key=lambda method: method.full_name,
)
CONTROL = [method for method in CONTRACT.methods() if method.full_name.split(".")[1] not in SERVICES]
OPERATIONS = CONTRACT.operations()
DOORS = [(operation, http) for operation in OPERATIONS for http in operation.http]
OURS = (
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.DATA_LOSS,
)
NASTY_TEXTS = (
    "",
    " ",
    "0",
    "-1",
    "null",
    "\x00",
    "a\x00b",
    "\ufffe\U0010ffff",
    "\u202e‮会员",
    "'; DROP TABLE member; --",
    "%s%n{0}{member_id}",
    "../../etc/passwd",
    "a" * 3_000,
    "mbr_" + "g" * 32,
    "2026-02-30",
    "1e400",
    "\r\nX-Header: 1",
)
NASTY_INTEGERS = (0, 1, -1, 2**31 - 1, -(2**31), 2**32 - 1, 2**53, 2**63 - 1, -(2**63))


@pytest.fixture(scope="module")
def suite(whole: WholeSuite) -> WholeSuite:
    """A group to be shaken."""
    return whole.neighbour("random")


@pytest.mark.parametrize("method", [*METHODS, *CONTROL], ids=lambda method: method.full_name.removeprefix("huitong."))
def test_no_bytes_break_an_rpc(suite: WholeSuite, method: MethodDescriptor) -> None:
    chance = random.Random(f"{SEED}:{method.full_name}")
    wire = [_message(method.input_type, suite.ids, chance).SerializeToString() for _ in range(MESSAGES)]
    noise = [_noise(chance, chance.choice(wire)) for _ in range(NOISES)]
    kinds = [audience_kind(audience) for audience in access_of(method).audiences]
    services = [method.full_name.split(".")[1]] if method in METHODS else list(SERVICES)
    suite.run(_call_all(suite, method, services, kinds, [*wire, *noise], chance))


async def _call_all(
    suite: WholeSuite,
    method: MethodDescriptor,
    services: list[str],
    kinds: list[CallerKind],
    requests: list[bytes],
    chance: random.Random,
) -> None:
    for index, request in enumerate(requests):
        caller = suite.callers[kinds[index % len(kinds)]]
        metadata = (("authorization", f"Bearer {suite.apps.tokens.mint(caller)}"),)
        await _call(suite.apps.channel(chance.choice(services)), method, request, metadata)


async def _call(
    channel: grpc.aio.Channel, method: MethodDescriptor, request: bytes, metadata: tuple[tuple[str, str], ...]
) -> grpc.StatusCode:
    """The status, which is the caller's fault or OK."""
    call = channel.unary_unary(f"/{method.containing_service.full_name}/{method.name}")
    try:
        answer = await call(request, timeout=SECONDS, metadata=metadata)
        codec.message_class(method.output_type).FromString(answer)
    except grpc.aio.AioRpcError as error:
        said = f"{error.code()} {error.details()} for {request!r}"
        assert error.code() not in OURS, said
        told = [error.details() or "", *(str(value) for _, value in error.trailing_metadata() or ())]
        assert not internal_words("\n".join(told).encode()), said
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.rpc)
def test_no_bytes_break_an_rpc_at_the_gateway(suite: WholeSuite, operation: Operation) -> None:
    chance = random.Random(f"{SEED}:gateway:{operation.rpc}")
    wire = [_message(operation.request, suite.ids, chance).SerializeToString() for _ in range(MESSAGES // 2)]
    noise = [_noise(chance, chance.choice(wire)) for _ in range(NOISES // 2)]
    statuses = suite.run(_send_all(suite, operation, [*wire, *noise]))
    assert grpc.StatusCode.UNIMPLEMENTED not in statuses
    # Not all is refused for who calls: something is answered about what was sent.
    assert statuses != {grpc.StatusCode.UNAUTHENTICATED}


async def _send_all(suite: WholeSuite, operation: Operation, requests: list[bytes]) -> set[grpc.StatusCode]:
    kinds, statuses = sorted(operation.audiences), set()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{suite.rpc_port}") as channel:
        for index, request in enumerate(requests):
            signed = suite.sign(kinds[index % len(kinds)], "POST", operation.rpc, "", request)
            metadata = tuple((name.lower(), value) for name, value in signed.items())
            statuses.add(await _call(channel, operation.method, request, metadata))
    return statuses


@pytest.mark.parametrize("door", DOORS, ids=lambda door: f"{door[1].verb} {door[1].template}")
def test_no_body_breaks_a_door(suite: WholeSuite, door: tuple[Operation, HttpBinding]) -> None:
    operation, http = door
    chance = random.Random(f"{SEED}:{http.verb}:{http.template}")
    suite.run(_knock(suite, operation, http, chance))


async def _knock(suite: WholeSuite, operation: Operation, http: HttpBinding, chance: random.Random) -> None:
    kinds = sorted(operation.audiences)
    async with httpx.AsyncClient(base_url=suite.url, timeout=SECONDS, trust_env=False) as client:
        for index in range(BODIES):
            path = _path(http.template, suite.ids, chance)
            query = "" if http.body == "*" and chance.random() < 0.8 else _query(operation.request, chance)
            body = _body(operation, http, suite.ids, chance) if http.body else b""
            headers = suite.sign(kinds[index % len(kinds)], http.verb, path, query, body)
            headers["content-type"] = _content_type(operation, chance)
            headers["accept-language"] = chance.choice(["en", "zh-CN", "\x7f;q=x", ""])
            target = f"{path}?{query}" if query else path
            answer = await client.request(http.verb, target, content=body, headers=headers)
            said = f"{answer.status_code} {answer.text[:500]} for {target!r} {body[:500]!r}"
            assert answer.status_code < 500, said
            assert not internal_words(_own_words(answer.content, body)), said


def _own_words(answer: bytes, sent: bytes) -> bytes:
    """The answer when it is a refusal; what a caller stored may come back to it as it was."""
    return answer if b'"reason"' in answer or b'"error"' in answer else b""


# --- messages ---


def _message(descriptor: Descriptor, ids: dict[str, str], chance: random.Random, depth: int = 0) -> Message:
    """A message of any values, half of its ids real, so that some get past the first check."""
    message = codec.message_class(descriptor)()
    for field in descriptor.fields:
        if depth > 3 or chance.random() < 0.2:
            continue
        if field.is_repeated:
            if field.message_type is not None and field.message_type.GetOptions().map_entry:
                continue
            for _ in range(chance.choice([0, 1, 1, 2])):
                _put(message, field, ids, chance, depth)
        else:
            _put(message, field, ids, chance, depth)
    return message


def _put(message: Message, field: FieldDescriptor, ids: dict[str, str], chance: random.Random, depth: int) -> None:
    if field.message_type is not None:
        inner = _message(field.message_type, ids, chance, depth + 1)
        holder = getattr(message, field.name)
        holder.append(inner) if field.is_repeated else holder.CopyFrom(inner)
        return
    value = _scalar(field, ids, chance)
    if field.is_repeated:
        getattr(message, field.name).append(value)
    else:
        setattr(message, field.name, value)


_RANGES = {
    FieldDescriptor.CPPTYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 2**64 - 1),
}


def _scalar(field: FieldDescriptor, ids: dict[str, str], chance: random.Random) -> Any:
    if field.type == FieldDescriptor.TYPE_BYTES:  # of the same C++ type as text
        return chance.randbytes(chance.randrange(20))
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return _text(field.name, ids, chance)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return chance.random() < 0.5
    if field.enum_type is not None:
        return chance.choice([value.number for value in field.enum_type.values] + [77])
    if field.cpp_type in _RANGES:
        low, high = _RANGES[field.cpp_type]
        return min(max(chance.choice([*NASTY_INTEGERS, chance.randrange(1, 5_000)]), low), high)
    return chance.choice([0.0, -1.5, 1e308, float("inf"), float("nan")])


def _text(name: str, ids: dict[str, str], chance: random.Random) -> str:
    if name == "request_id":
        return f"random-{chance.getrandbits(64):x}"
    if name in ids and chance.random() < 0.6:
        return ids[name]
    texts = [*NASTY_TEXTS, "example", "A1", f"mbr_{chance.getrandbits(128):032x}", "CNY", "+8613800000001"]
    return chance.choice(texts)


def _noise(chance: random.Random, wire: bytes) -> bytes:
    """A message with some bytes changed, cut off, or none at all."""
    kind = chance.randrange(3)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 80))
    if kind == 1:
        return wire[: chance.randrange(len(wire) + 1)]
    changed = bytearray(wire or b"\x0a")
    for _ in range(3):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


# --- bodies ---


def _path(template: str, ids: dict[str, str], chance: random.Random) -> str:
    def fill(name: str) -> str:
        text = ids.get(name) if chance.random() < 0.7 else None
        odd = chance.choice(["%00", "%2F", "%ff%fe", "a" * 300, "..%2f..", "%E4%BC%9A", "x'y", f"mbr_{'0' * 32}"])
        return text if text and text.isascii() else odd

    return "".join(part if index % 2 == 0 else fill(part) for index, part in enumerate(_split(template)))


def _split(template: str) -> list[str]:
    return template.replace("}", "{").split("{")


def _query(request: Descriptor, chance: random.Random) -> str:
    names = [field.name for field in request.fields] + ["nothing", "a.b.c", ""]
    values = ["", "0", "-1", "%00", "%ff", "9" * 30, "true", "x=y", "a" * 500, "2026-01-31T00%3A00%3A00Z", "NaN"]
    return "&".join(f"{chance.choice(names)}={chance.choice(values)}" for _ in range(chance.randrange(4)))


def _content_type(operation: Operation, chance: random.Random) -> str:
    kinds = ["application/json"] * 6 + ["text/plain", "application/json; charset=latin-1"]
    if operation.door.ndjson_field:
        kinds += ["application/x-ndjson"] * 8
    return chance.choice(kinds)


def _body(operation: Operation, http: HttpBinding, ids: dict[str, str], chance: random.Random) -> bytes:
    shapes: list[Callable[[], bytes]] = [
        lambda: chance.randbytes(chance.randrange(200)),
        lambda: orjson.dumps(_json(ids, chance)),
        lambda: b"[" * 5_000,
        lambda: b'{"a":' * 3_000,
        lambda: b"\xef\xbb\xbf{}",
        lambda: b'{"points": 1e999, "x": NaN}',
        lambda: b"\n".join(orjson.dumps(_json(ids, chance)) for _ in range(3)),
    ]
    if chance.random() < 0.35:
        return chance.choice(shapes)()
    lines = [_fields(operation.request, ids, chance) for _ in range(chance.choice([1, 1, 2]))]
    if operation.door.ndjson_field and chance.random() < 0.6:
        element = operation.request.fields_by_name[operation.door.ndjson_field].message_type
        assert element is not None
        lines = [_fields(element, ids, chance) for _ in range(3)]
    text = b"\n".join(orjson.dumps(line) for line in lines)
    return text if chance.random() < 0.8 else _noise(chance, text)


def _fields(descriptor: Descriptor, ids: dict[str, str], chance: random.Random, depth: int = 0) -> dict[str, Any]:
    """An object with the names of a message's fields, and mostly values of their kind."""
    found: dict[str, Any] = {}
    for field in descriptor.fields:
        if depth > 3 or chance.random() < 0.25:
            continue
        value: Any
        if chance.random() < 0.1:
            value = _json(ids, chance)
        elif field.message_type is not None and not field.message_type.full_name.startswith("google."):
            value = _fields(field.message_type, ids, chance, depth + 1)
        elif field.message_type is not None:
            value = chance.choice(["2026-01-31T09:30:00+08:00", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "1s"])
        elif field.enum_type is not None:
            value = chance.choice([each.name for each in field.enum_type.values])
        else:
            value = _scalar(field, ids, chance)
            value = value.hex() if isinstance(value, bytes) else value
        found[field.name] = [value] if field.is_repeated and chance.random() < 0.9 else value
    return found


def _json(ids: dict[str, str], chance: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kind = chance.randrange(8 if depth < 3 else 6)
    if kind == 6:
        return [_json(ids, chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind == 7:
        return {_text("", ids, chance): _json(ids, chance, depth + 1) for _ in range(chance.randrange(4))}
    simple: list[Any] = [None, True, chance.choice(NASTY_INTEGERS), 1.5, _text("", ids, chance), 2**53]
    return simple[kind]
