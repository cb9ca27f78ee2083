"""Signed requests and tokens, changed in every way we could think of: each is refused for its reason.

The gateway is the real one with a real Valkey; behind it stands the scratch service, which must see nothing.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import itertools
import socket
import string
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey

from chassis.errors import AppError
from chassis.identity import (
    MEMBER_ACCESS,
    MEMBER_PROOF,
    PROOF_ID_SCOPE,
    PROOF_SCOPE,
    SESSION_SCOPE,
    Caller,
    CallerKind,
    TokenBook,
    key_id_of,
)
from gateway import limits
from gateway.auth.callers import SignedParts
from gateway.auth.proofs import Proofs
from gateway.auth.signing import SCHEME, sign_request
from gateway.errors import ProofInvalid, status_of
from tests import gateway_scratch as scratch
from tests.gateway_backend import GROUP, KEY, MEMBER, OTHER_MEMBER, Door, open_door
from tests.support import Sandbox

SALES, BATCH = "/v1/scratch/sales", "/v1/scratch/sales:batch"
BODY = orjson.dumps(scratch.sale())
JSON = {"content-type": "application/json"}
BALANCE, GIFTS = f"/v1/scratch/members/{MEMBER}/balance", f"/v1/scratch/members/{MEMBER}/gifts"
INVALID, EXPIRED, UNKNOWN, NOBODY = (
    "SIGNATURE_INVALID",
    "SIGNATURE_EXPIRED",
    "KEY_UNKNOWN_OR_REVOKED",
    "UNAUTHENTICATED",
)


@pytest_asyncio.fixture
async def door(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    # Hundreds of refusals at one address: the limit would answer instead of the verifier.
    monkeypatch.setattr(limits, "FAILURES_PER_MINUTE", 1_000_000)
    async with open_door(sandbox.redis_url) as opened:
        yield opened


def reason(answer: httpx.Response) -> str:
    """Why a request was not known for anybody's."""
    found: str = answer.json()["reason"]
    assert answer.status_code == 401, answer.text
    assert answer.headers["www-authenticate"]
    return found


async def send(
    door: Door, authorization: str, path: str = SALES, body: bytes = BODY, method: str = "POST", **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await door.client.request(
        method, path, content=body, headers={**JSON, **named, "authorization": authorization}
    )


def signed(door: Door, method: str = "POST", path: str = SALES, body: bytes = BODY, **more: Any) -> str:
    return door.sign(method, path, body, **more)["Authorization"]


def other(character: str) -> str:
    """Another character of the same kind, so that the form stays right and the content is wrong."""
    if character.isdigit():
        return str((int(character) + 1) % 10)
    if character.isalpha():
        return "b" if character != "b" else "c"
    return "~"


# --- signatures ---


def altered(text: str) -> Iterator[str]:
    """`text` with each character changed, in another case, left out, doubled, with noise behind; and its beginnings."""
    for place, character in enumerate(text):
        head, tail = text[:place], text[place + 1 :]
        for middle in (other(character), character.swapcase(), "", character * 2, character + "!"):
            if middle != character:
                yield head + middle + tail
        yield head


async def judged(door: Door, authorization: str, method: str = "POST", path: str = SALES, body: bytes = BODY) -> str:
    """What the gateway's verifier says of a header: a reason, "" when it is somebody's."""
    try:
        await door.parts.callers.identify(authorization, SignedParts(method, path, "", body), "10.0.0.1")
    except AppError as error:
        assert status_of(error) == 401
        return error.reason
    return ""


async def test_a_signature_with_any_character_changed_left_out_or_doubled_is_refused(door: Door) -> None:
    header = signed(door)
    for each in altered(header):
        # A blank after a comma may be left out.
        if each and each.replace(", ", ",") != header.replace(", ", ","):
            assert await judged(door, each) in {INVALID, EXPIRED, UNKNOWN, NOBODY}, each
    assert await judged(door, header) == "" and (await send(door, header)).status_code == 200


async def test_parts_in_another_order_or_twice_are_refused(door: Door) -> None:
    scheme, _, rest = signed(door).partition(" ")
    parts = rest.split(", ")
    for order in itertools.permutations(parts):
        if list(order) != parts:
            assert reason(await send(door, f"{scheme} {', '.join(order)}")) == INVALID
    for part in parts:
        assert reason(await send(door, f"{scheme} {rest}, {part}")) == INVALID
        assert reason(await send(door, f"{scheme} {part}, {rest}")) == INVALID
        assert reason(await send(door, f"{scheme} {', '.join(each for each in parts if each != part)}")) == INVALID
    assert door.backend.calls == []


def wrong_signatures(door: Door) -> Iterator[tuple[str, str, str]]:
    """(what, header, reason)"""
    header = signed(door)
    for scheme in ("HUITONG-HMAC-SHA1", "HUITONG-HMAC-SHA512", "HUITONG-NONE", "none", "hmac-sha256", SCHEME.lower()):
        yield f"algorithm {scheme}", header.replace(SCHEME, scheme), NOBODY
    yield "a longer name", header.replace(SCHEME, f"{SCHEME}-X"), INVALID
    yield "no signature", header.partition("signature=")[0] + "signature=", INVALID
    yield "signature of nothing", header.partition("signature=")[0] + "signature=" + "0" * 64, INVALID
    yield "another key's secret", signed(door, secret="secret of key_gate"), INVALID
    yield "another key's name", header.replace("key_till", "key_gate"), INVALID
    yield "nobody's key", signed(door, key_id="key_nobody"), UNKNOWN
    for shift in (-301, 301, -86_400, 86_400 * 365 * 50):
        yield f"{shift} s away", signed(door, timestamp=int(time.time()) + shift), EXPIRED
    yield "before all time", header.replace("timestamp=", "timestamp=-"), INVALID
    for method, path, body in (
        ("PUT", SALES, BODY),
        ("GET", SALES, BODY),
        ("POST", BATCH, BODY),
        ("POST", SALES.upper(), BODY),
        ("POST", SALES + "/", BODY),
        ("POST", "/v1/scratch/%73ales", BODY),
        ("POST", "http://gateway" + SALES, BODY),
        ("POST", f"{SALES}?", BODY + b" "),
        ("POST", f"{SALES}?a=1", BODY),
        ("POST", SALES, b""),
        ("POST", SALES, BODY[:-1]),
        ("POST", SALES, BODY + b" "),
        ("POST", SALES, BODY.replace(b":", b": ", 1)),
        ("POST", SALES, gzip.compress(BODY)),
    ):
        yield f"signed for {method} {path}", signed(door, method, path, body), INVALID


async def test_what_was_signed_otherwise_is_refused_for_its_reason(door: Door) -> None:
    for what, header, expected in wrong_signatures(door):
        assert reason(await send(door, header)) == expected, what
    assert door.backend.calls == []


async def test_a_request_that_was_changed_on_its_way_is_refused(door: Door) -> None:
    zipped = gzip.compress(BODY)
    for body, headers in ((BODY.replace(b"1", b"2", 1), {}), (b"", {}), (zipped, {"content_encoding": "gzip"})):
        assert reason(await send(door, signed(door), body=body, **headers)) == INVALID
    query = f"{BALANCE}?a=1&b=2%20x"
    sent = {
        query: 400,  # known for the system's: only now is it told that there are no such fields
        f"{BALANCE}?b=2%20x&a=1": 401,
        f"{BALANCE}?a=1&b=2+x": 401,
        f"{BALANCE}?a=1&b=2%20x&": 401,
        f"{BALANCE}?a=1": 401,
        f"{BALANCE}?a=1&a=1&b=2%20x": 401,
        BALANCE: 401,
        BALANCE.replace("mbr", "%6dbr") + "?a=1&b=2%20x": 401,
        BALANCE.replace("mbr", "Mbr") + "?a=1&b=2%20x": 401,
        f"/v1/scratch/members/{OTHER_MEMBER}/balance?a=1&b=2%20x": 401,
        # Not the same place at all: there is nothing to sign for.
        BALANCE.upper(): 404,
        BALANCE + "/": 404,
        "/" + BALANCE: 404,
        "/v1/scratch/../scratch" + BALANCE.removeprefix("/v1/scratch"): 404,
    }
    async with listening(door) as port:
        for target, status in sent.items():
            header = signed(door, "GET", query, b"", key_id="key_system")
            lines = [f"GET {target} HTTP/1.1", "host: gateway", f"authorization: {header}", "connection: close"]
            answered, found = await raw(port, "\r\n".join(lines).encode() + b"\r\n\r\n")
            assert answered == status, (target, found)
            assert status != 401 or INVALID.encode() in found
        # The colon of a custom verb may be sent either way, and is signed as it is sent.
        for signed_as, sent_as in itertools.product((BATCH, BATCH.replace(":", "%3A")), repeat=2):
            body = orjson.dumps({"sales": [scratch.sale()]})
            answer = await send(door, signed(door, "POST", signed_as, body), sent_as, body)
            assert answer.status_code == (200 if signed_as == sent_as else 401)


async def test_a_nonce_works_once_for_its_key_and_for_another_key_as_well(door: Door) -> None:
    nonce = "n" * 24
    first = signed(door, nonce=nonce)
    assert (await send(door, first)).status_code == 200
    assert reason(await send(door, first)) == "NONCE_REUSED"
    body = orjson.dumps(scratch.sale(receipt_no="R-2"))
    assert reason(await send(door, signed(door, body=body, nonce=nonce), body=body)) == "NONCE_REUSED"
    as_system = signed(door, key_id="key_system", nonce=nonce)
    assert (await send(door, as_system)).status_code == 200
    assert reason(await send(door, as_system)) == "NONCE_REUSED"
    assert len(door.backend.calls) == 2


@asynccontextmanager
async def listening(door: Door) -> AsyncIterator[int]:
    """The same gateway behind its HTTP server, for what no client library would send."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(door.app, http="httptools", lifespan="off", log_config=None, access_log=False)
        )
        serving = asyncio.create_task(server._serve([listener]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        await serving


async def raw(port: int, sent: bytes, *, ends: bool = False) -> tuple[int, bytes]:
    """The first status that comes back for these bytes, 0 when none does, and all that came; `ends` hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    if ends:
        writer.write_eof()
    found = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return int(found.split(b" ")[1]) if found.startswith(b"HTTP/1.1 ") else 0, found


async def test_two_headers_and_untrue_lengths_get_nothing_through(door: Door) -> None:
    def request(*headers: str, body: bytes = BODY) -> bytes:
        lines = [f"POST {SALES} HTTP/1.1", "host: gateway", "content-type: application/json", *headers]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def authorization() -> str:
        return f"authorization: {signed(door)}"

    length, close = f"content-length: {len(BODY)}", "connection: close"
    chunked = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"
    more = BODY + b'{"x": 1}'
    stranger = door.member()["authorization"]
    cases = [
        ("two of one kind", request(authorization(), authorization(), length, close), {401}),
        ("a member's behind it", request(authorization(), f"authorization: {stranger}", length, close), {401}),
        ("in another case", request(authorization(), f"AUTHORIZATION: {stranger}", length, close), {401}),
        ("two in one line", request(f"{authorization()}, {stranger}", length, close), {401}),
        ("on two lines", request(authorization().replace(", nonce", ",\r\n nonce"), length, close), {400, 401}),
        ("too short", request(authorization(), f"content-length: {len(BODY) - 1}", close), {400, 401}),
        ("too long", request(authorization(), f"content-length: {len(BODY) + 1}", close), {0, 400, 401}),
        ("none", request(authorization(), close), {401, 400}),
        ("negative", request(authorization(), "content-length: -1", close), {400}),
        ("no number", request(authorization(), "content-length: 0x10", close), {400}),
        ("two lengths", request(authorization(), length, "content-length: 1", close), {400}),
        ("length and chunks", request(authorization(), length, "transfer-encoding: chunked", close), {400}),
        ("more than signed", request(authorization(), f"content-length: {len(more)}", close, body=more), {401}),
        ("a NUL in the header", request(f"{authorization()}\0", length, close), {400, 401}),
    ]
    async with listening(door) as port:
        for what, sent, expected in cases:
            status, found = await raw(port, sent, ends=what == "too long")
            assert status in expected, (what, found)
            assert b"HTTP/1.1 5" not in found and b"HTTP/1.1 200" not in found, what
        assert door.backend.calls == []
        whole = request(authorization(), "transfer-encoding: chunked", close, body=chunked)
        assert (await raw(port, whole))[0] == 200, "chunks are signed as the body that they are"


# --- tokens ---

ISSUED = Caller(CallerKind.MEMBER, MEMBER, GROUP, MEMBER, {SESSION_SCOPE: "mss_" + "7" * 32})


def claims_now() -> dict[str, Any]:
    """What a good token says."""
    return {**CLAIMS, "exp": int(time.time()) + 600}


CLAIMS: dict[str, Any] = {
    "iss": MEMBER_ACCESS,
    "sub": MEMBER,
    "kind": "member",
    "grp": GROUP.hex,
    "bnd": MEMBER,
    "scp": {SESSION_SCOPE: "mss_" + "7" * 32},
}
HEADER = {"alg": "HS256", "kid": key_id_of(KEY)}


def token(header: dict[str, Any] | None = None, key: str = KEY, **claims: Any) -> str:
    """A token, as if whoever makes it knew the key; a claim of None is left out."""
    made = {name: value for name, value in {**claims_now(), **claims}.items() if value is not None}
    algorithm = (header or HEADER).get("alg", "HS256")
    return jwt.encode(header or HEADER, made, OctKey.import_key(key.encode()), algorithms=[algorithm])


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(value)).rstrip(b"=").decode()


async def read(door: Door, bearer: str) -> httpx.Response:
    return await door.client.get(BALANCE, headers={"authorization": f"Bearer {bearer}"})


async def test_an_access_token_with_any_character_changed_is_refused(door: Door) -> None:
    good = token()
    for each in altered(f"Bearer {good}"):
        if each:
            assert await judged(door, each) == NOBODY, each
    # Every bit of the last character, those that stand for nothing included.
    for character in set(string.ascii_letters + string.digits + "-_=") - {good[-1]}:
        assert await judged(door, f"Bearer {good[:-1]}{character}") == NOBODY, character
    for each in (f"{good}=", f"{good}.", f"{good}.AA", ".".join(good.split(".")[::-1]), f" {good}", f"Bearer {good}"):
        assert await judged(door, f"Bearer {each}") == NOBODY, each
    assert await judged(door, f"Bearer {good}") == "" and (await read(door, good)).status_code == 200


def forged_tokens() -> Iterator[tuple[str, str]]:
    head, payload, signature = token().split(".")
    for name in ("none", "None", "NONE", ""):
        yield f"alg {name}", f"{part({'alg': name, 'kid': HEADER['kid']})}.{payload}."
        yield f"alg {name}, signed", f"{part({'alg': name, 'kid': HEADER['kid']})}.{payload}.{signature}"
    for name in ("HS384", "HS512"):
        yield f"alg {name} with our key", token({"alg": name, "kid": HEADER["kid"]})
    foreign: tuple[Any, ...] = ("RS256", "ES256", "EdDSA", "dir", 256, None, ["HS256"])
    for each in foreign:
        yield f"alg {each}", f"{part({'alg': each, 'kid': HEADER['kid']})}.{payload}.{signature}"
    yield "no key id", token({"alg": "HS256"})
    for key_id in ("", "x", key_id_of("x" * 40), KEY):
        yield f"key id {key_id}", token({"alg": "HS256", "kid": key_id})
    no_names: tuple[Any, ...] = (None, 1, ["a"], {"a": 1})
    for no_name in no_names:
        yield f"key id {no_name}", f"{part({'alg': 'HS256', 'kid': no_name})}.{payload}.{signature}"
    yield "another key under our name", token(key="x" * 40)
    yield "another key under its own name", token({"alg": "HS256", "kid": key_id_of("x" * 40)}, key="x" * 40)
    yield "a header that nobody can read", f"{head}x.{payload}.{signature}"
    for change in (
        {"sub": OTHER_MEMBER, "bnd": OTHER_MEMBER},
        {"grp": "0" * 32},
        {"kind": "system"},
        {"exp": claims_now()["exp"] + 1},
        {"scp": {PROOF_SCOPE: "PROOF_GIFTING"}},
    ):
        yield f"{change} under the signature of another", f"{head}.{part({**claims_now(), **change})}.{signature}"
    # Signed by us, and yet not what a member carries.
    yield "expired", token(exp=int(time.time()) - 1)
    yield "expires now", token(exp=int(time.time()))
    yield "expires never", token(exp="9999999999")
    for name in claims_now():
        less: dict[str, Any] = {name: None}
        yield f"without {name}", token(**less)
    for issuer in (MEMBER_PROOF, "huitong-inside", "", ["huitong-member"]):
        yield f"made for {issuer}", token(iss=issuer)
    for kind in ("system", "operator", "internal", "terminal", "public", "MEMBER", "", 1):
        yield f"a {kind}'s", token(kind=kind)
    for group in ("", "x", 1, GROUP.hex + "0"):
        yield f"of group {group}", token(grp=group)
    yield "an operator's session", "hts_" + "A" * 43
    yield "a refresh token", "mrt_" + "A" * 70
    yield "JSON", orjson.dumps(claims_now()).decode()
    yield "nothing", ""


async def test_forged_and_foreign_tokens_are_refused(door: Door) -> None:
    for what, bearer in forged_tokens():
        assert reason(await read(door, bearer)) == NOBODY, what
    assert door.backend.calls == []
    answer = await door.client.get(f"/v1/scratch/members/{OTHER_MEMBER}/balance", headers=door.member())
    assert (answer.status_code, answer.json()["reason"]) == (403, "NOT_YOURS")


async def test_a_proof_with_any_character_changed_or_for_something_else_is_refused(door: Door) -> None:
    def proof(
        scopes: dict[str, str] | None = None, *, seconds: float = 300, issuer: str = MEMBER_PROOF, key: str = KEY
    ) -> str:
        shown = {**ISSUED.scopes, PROOF_SCOPE: "PROOF_GIFTING", PROOF_ID_SCOPE: "a" * 32, **(scopes or {})}
        who = Caller(CallerKind.MEMBER, MEMBER, GROUP, MEMBER, {name: text for name, text in shown.items() if text})
        return TokenBook(key, issuer=issuer).mint_until(who, time.time() + seconds)

    async def give(shown: str, points: int = 5) -> httpx.Response:
        body = {"request_id": "gift-1", "points": points}
        headers = {"authorization": f"Bearer {token()}", "huitong-proof": shown}
        return await door.client.post(GIFTS, json=body, headers=headers)

    good = proof()
    operation = next(each for each in door.parts.contract.operations() if each.proof)
    proofs, gift = Proofs(door.parts.proofs, door.parts.gate.claim), scratch.message("GiveAwayRequest")()
    for each in altered(good):
        if each:
            with pytest.raises(ProofInvalid):
                await proofs.proved(operation, ISSUED, each, gift)
    refused = await give("")
    assert (refused.status_code, refused.json()["reason"]) == (403, "PROOF_NEEDED")
    for what in (
        proof(seconds=-1),
        proof(issuer=MEMBER_ACCESS),
        proof(key="x" * 40),
        proof({PROOF_SCOPE: "PROOF_SPENDING"}),
        proof({PROOF_SCOPE: "PROOF_GIFTING PROOF_SPENDING"}),
        proof({PROOF_SCOPE: ""}),
        proof({PROOF_ID_SCOPE: ""}),
        proof({SESSION_SCOPE: "mss_" + "8" * 32}),
        proof({SESSION_SCOPE: ""}),
        token(
            sub=OTHER_MEMBER, iss=MEMBER_PROOF, scp={**ISSUED.scopes, PROOF_SCOPE: "PROOF_GIFTING", PROOF_ID_SCOPE: "b"}
        ),
    ):
        assert reason(await give(what)) == "PROOF_INVALID"
    assert door.backend.calls == []
    assert (await give(good)).json()["sale_id"] == "gift-5"
    assert (await give(good)).json()["sale_id"] == "gift-5"
    assert reason(await give(good, points=6)) == "PROOF_USED"
    told = [call[2].scopes[PROOF_SCOPE] for call in door.backend.calls]
    assert told == ["PROOF_GIFTING", "PROOF_GIFTING"], "the service is told what was proved"


async def test_without_valkey_a_proof_is_refused(sandbox: Sandbox) -> None:
    async with open_door("redis://127.0.0.1:1/0") as door:
        shown = {**ISSUED.scopes, PROOF_SCOPE: "PROOF_GIFTING", PROOF_ID_SCOPE: "a" * 32}
        proof = TokenBook(KEY, issuer=MEMBER_PROOF).mint(Caller(CallerKind.MEMBER, MEMBER, GROUP, MEMBER, shown))
        headers = {"authorization": f"Bearer {token()}", "huitong-proof": proof}
        answer = await door.client.post(GIFTS, json={"request_id": "gift-1", "points": 1}, headers=headers)
        assert (answer.status_code, answer.json()["reason"]) == (503, "UNAVAILABLE")
        assert (await read(door, token())).status_code == 200
        signed_header = sign_request(
            key_id="key_till",
            secret="secret of key_till",
            method="POST",
            path=SALES,
            body=BODY,
        )
        assert (await send(door, signed_header["Authorization"])).status_code == 503
        assert [call[0] for call in door.backend.calls] == ["GetBalance"]
