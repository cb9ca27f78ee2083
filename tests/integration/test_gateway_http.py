"""The gateway over HTTP, in front of a scratch service and a real Valkey."""

from __future__ import annotations

import asyncio
import gzip
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from chassis.errors import InvalidArgument
from chassis.identity import MEMBER_ACCESS, Caller, CallerKind, TokenBook
from gateway import limits
from gateway.auth import lookups
from tests import gateway_scratch as scratch
from tests.gateway_backend import (
    GROUP,
    KEY,
    MEMBER,
    OTHER_MEMBER,
    OTHER_STORE,
    PAGE,
    PARK,
    STORE,
    Door,
    StoreUnknown,
    open_door,
)
from tests.support import Sandbox

SALES, BATCH = "/v1/scratch/sales", "/v1/scratch/sales:batch"
NDJSON = "application/x-ndjson"


@pytest_asyncio.fixture
async def door(sandbox: Sandbox) -> AsyncIterator[Door]:
    async with open_door(sandbox.redis_url) as opened:
        yield opened


def sale(**changes: Any) -> bytes:
    return orjson.dumps(scratch.sale(**changes))


def problem(answer: httpx.Response, status: int, reason: str) -> dict[str, Any]:
    """The problem in `answer`, checked for what every problem must be."""
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["reason"]) == (status, reason), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == status and body["detail"] and body["trace_id"] == answer.headers["x-trace-id"]
    for inside in ("Traceback", "grpc", "127.0.0.1", "redis", "asyncpg"):
        assert inside not in answer.text
    return body


# --- calls that work ---


async def test_a_signed_sale_reaches_the_service_as_its_terminal(door: Door) -> None:
    answer = await door.signed("POST", SALES, sale(store_id=""))
    assert answer.status_code == 200
    assert answer.json() == {"sale_id": "sale-R-1", "points": 0, "balance_points": 0, "note": ""}
    name, request, caller, metadata = door.backend.calls[0]
    assert name == "RecordSale" and request.store_id == STORE and len(request.lines) == 10
    assert (caller.kind, caller.subject, caller.bound_id, caller.group_id) == (
        CallerKind.TERMINAL,
        "trm_1",
        STORE,
        GROUP,
    )
    assert caller.scopes == {"merchant_id": "mch_1"}
    assert metadata["traceparent"][3:35] == answer.headers["x-trace-id"]


async def test_a_client_s_trace_is_handed_on(door: Door) -> None:
    mine = f"00-{uuid.uuid4().hex}-00f067aa0ba902b7-01"
    await door.client.get("/v1/scratch/balance", headers={**door.member(), "traceparent": mine})
    assert door.backend.calls[0][3]["traceparent"] == mine


async def test_a_member_reads_its_own_balance_by_either_path(door: Door) -> None:
    for path in (f"/v1/scratch/members/{MEMBER}/balance", "/v1/scratch/balance"):
        answer = await door.client.get(path, headers=door.member())
        assert answer.json()["member_id"] == MEMBER


async def test_query_parameters_arrive(door: Door) -> None:
    path = f"{SALES}?store_ids=a&store_ids=b&page.size=5&channel=CHANNEL_ONLINE&since=2026-01-31T09:30:00%2B08:00"
    answer = await door.signed("GET", path, key_id="key_system")
    assert answer.status_code == 200, answer.text
    request = door.backend.calls[0][1]
    assert list(request.store_ids) == ["a", "b"] and request.page.size == 5 and request.channel == 2
    assert request.since.seconds == 1769823000


async def test_a_named_body_and_a_custom_verb(door: Door) -> None:
    answer = await door.signed("PUT", "/v1/scratch/kinds/k1?dry_run=true", b'{"i64": 5}', key_id="key_system")
    assert answer.json()["i64"] == 5
    assert door.backend.calls[0][1].name == "k1" and door.backend.calls[0][1].dry_run
    for path in ("/v1/scratch/sales/s1:cancel", "/v1/scratch/sales/s1%3Acancel"):
        answer = await door.signed("POST", path, b'{"request_id": "r"}', key_id="key_gate")
        assert answer.json()["sale_id"] == "s1"


async def test_anyone_may_log_in_even_with_an_expired_token(door: Door) -> None:
    headers = {"authorization": "Bearer expired"}
    answer = await door.client.post("/v1/scratch/login", json={"phone": "1"}, headers=headers)
    assert answer.status_code == 200
    assert door.backend.calls[0][2].kind is CallerKind.PUBLIC


async def test_a_gzipped_body_is_unpacked_and_signed_as_sent(door: Door) -> None:
    answer = await door.signed("POST", SALES, gzip.compress(sale()), content_encoding="gzip")
    assert answer.status_code == 200


# --- who may not ---


async def test_somebody_else_s_object_is_refused(door: Door) -> None:
    answer = await door.client.get(f"/v1/scratch/members/{OTHER_MEMBER}/balance", headers=door.member())
    assert problem(answer, 403, "NOT_YOURS")["metadata"] == {"field": "member_id"}
    problem(await door.signed("POST", SALES, sale(store_id=OTHER_STORE)), 403, "NOT_YOURS")
    batch = orjson.dumps({"sales": [scratch.sale(), scratch.sale(store_id=OTHER_STORE)]})
    answer = await door.signed("POST", BATCH, batch)
    assert problem(answer, 403, "NOT_YOURS")["metadata"] == {"field": "sales[1].store_id"}
    assert door.backend.calls == []


async def test_a_system_is_bound_to_nothing(door: Door) -> None:
    assert (await door.signed("POST", SALES, sale(store_id=OTHER_STORE), key_id="key_system")).status_code == 200


async def test_the_wrong_kind_of_caller_is_refused(door: Door) -> None:
    problem(await door.client.post(SALES, content=sale(), headers=door.member()), 403, "PERMISSION_DENIED")
    problem(await door.signed("POST", SALES, sale(), key_id="key_gate"), 403, "PERMISSION_DENIED")
    assert door.backend.calls == []


async def test_nobody_is_refused_before_the_body_is_read(door: Door) -> None:
    answer = await door.client.post(SALES, content=sale())
    problem(answer, 401, "UNAUTHENTICATED")
    assert "HUITONG-HMAC-SHA256" in answer.headers["www-authenticate"]


async def test_what_is_for_the_suite_only_is_not_there(door: Door) -> None:
    problem(await door.signed("POST", "/v1/scratch/inside", b"{}", key_id="key_system"), 404, "ROUTE_UNKNOWN")


async def test_a_signed_request_works_once(door: Door) -> None:
    headers = {"content-type": "application/json", **door.sign("POST", SALES, sale())}
    assert (await door.client.post(SALES, content=sale(), headers=headers)).status_code == 200
    problem(await door.client.post(SALES, content=sale(), headers=headers), 401, "NONCE_REUSED")
    assert len(door.backend.calls) == 1


async def test_of_many_replays_at_once_one_gets_in(door: Door) -> None:
    headers = {"content-type": "application/json", **door.sign("POST", SALES, sale())}
    answers = await asyncio.gather(*(door.client.post(SALES, content=sale(), headers=headers) for _ in range(30)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 29


async def test_tampered_expired_and_unknown_signatures(door: Door) -> None:
    headers = {"content-type": "application/json", **door.sign("POST", SALES, sale())}
    problem(await door.client.post(SALES, content=sale(receipt_no="R-2"), headers=headers), 401, "SIGNATURE_INVALID")
    headers = door.sign("POST", SALES, sale(), timestamp=int(time.time()) - 400)
    problem(await door.client.post(SALES, content=sale(), headers=headers), 401, "SIGNATURE_EXPIRED")
    problem(await door.signed("POST", SALES, sale(), key_id="key_nobody"), 401, "KEY_UNKNOWN_OR_REVOKED")
    # a forged signature must not use up the nonce of the real one
    forged = door.sign("POST", SALES, sale(), nonce="m" * 20, secret="guess")
    problem(await door.client.post(SALES, content=sale(), headers=forged), 401, "SIGNATURE_INVALID")
    real = {"content-type": "application/json", **door.sign("POST", SALES, sale(), nonce="m" * 20)}
    assert (await door.client.post(SALES, content=sale(), headers=real)).status_code == 200


async def test_a_revoked_key_stops_within_thirty_seconds(door: Door) -> None:
    assert (await door.signed("POST", SALES, sale())).status_code == 200
    door.credentials["key_till"].is_revoked = True
    door.clock[0] = 31
    problem(await door.signed("POST", SALES, sale()), 401, "KEY_UNKNOWN_OR_REVOKED")
    assert door.lookups == ["key_till"] * 2


# --- bad input ---

BAD_BODIES = [
    (b"{", "MALFORMED_JSON", None),
    (b"\xff\xfe", "MALFORMED_JSON", None),
    (b"[]", "INVALID_ARGUMENT", ""),
    (sale(foo=1), "INVALID_ARGUMENT", "foo"),
    (sale(lines=[{}, {"foo": 1}]), "INVALID_ARGUMENT", "lines[1].foo"),
    (sale(lines=[{"amount_minor": 12.5}]), "INVALID_ARGUMENT", "lines[0].amount_minor"),
    (sale(lines=[{"amount_minor": 10**18}]), "INVALID_ARGUMENT", "lines[0].amount_minor"),
    (sale(paid={"amount_minor": "12.50"}), "INVALID_ARGUMENT", "paid.amount_minor"),
    (sale(sale_time="yesterday"), "INVALID_ARGUMENT", "sale_time"),
    (sale(receipt_no="a\0"), "INVALID_ARGUMENT", "receipt_no"),
]


@pytest.mark.parametrize(("body", "reason", "field"), BAD_BODIES)
async def test_a_bad_body_is_refused_with_its_field(door: Door, body: bytes, reason: str, field: str | None) -> None:
    found = problem(await door.signed("POST", SALES, body), 400, reason)
    if field is not None:
        assert [each["field"] for each in found["errors"]] == [field]
    assert door.backend.calls == []


async def test_paths_verbs_types_and_sizes(door: Door) -> None:
    problem(await door.client.get("/v1/nothing"), 404, "ROUTE_UNKNOWN")
    problem(await door.client.get("/nothing"), 404, "ROUTE_UNKNOWN")
    answer = await door.client.delete(SALES)
    problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, POST"
    problem(await door.signed("POST", SALES, sale(), content_type="text/xml"), 415, "UNSUPPORTED_MEDIA_TYPE")
    problem(await door.signed("POST", SALES, sale(), content_type=NDJSON), 415, "UNSUPPORTED_MEDIA_TYPE")
    problem(await door.signed("POST", SALES, sale(), content_encoding="br"), 415, "UNSUPPORTED_MEDIA_TYPE")
    problem(await door.signed("POST", SALES, sale(), content_encoding="gzip"), 400, "BAD_CONTENT_ENCODING")
    problem(await door.signed("POST", SALES, b" " * (1024 * 1024 + 1)), 413, "BODY_TOO_LARGE")
    bomb = gzip.compress(b" " * 50_000_000)
    problem(await door.signed("POST", SALES, bomb, content_encoding="gzip"), 413, "BODY_TOO_LARGE")
    problem(await door.client.get(SALES, headers={"x-long": "x" * 40_000}), 431, "HEADERS_TOO_LARGE")
    assert door.backend.calls == []


async def test_a_body_without_an_announced_length_is_limited_too(door: Door) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    headers = {"content-type": "application/json", **door.sign("POST", SALES)}
    problem(await door.client.post(SALES, content=chunks(), headers=headers), 413, "BODY_TOO_LARGE")


# --- errors of services ---


def refuse(error: Exception) -> Any:
    def answer(_: Any) -> Any:
        raise error

    return answer


async def test_a_service_s_error_passes_through_in_both_languages(door: Door) -> None:
    door.backend.answers["RecordSale"] = refuse(StoreUnknown(store_id="sto_9"))
    english = problem(await door.signed("POST", SALES, sale()), 404, "STORE_UNKNOWN")
    assert english["detail"] == "There is no store sto_9." and english["metadata"] == {"store_id": "sto_9"}
    for header, chinese in (
        ("zh-CN,zh;q=0.9,en;q=0.8", True),
        ("en,zh;q=0.5", False),
        ("fr", False),
        ("zh;q=0", False),
    ):
        answer = await door.signed("POST", SALES, sale(), accept_language=header)
        detail = problem(answer, 404, "STORE_UNKNOWN")["detail"]
        assert detail == ("没有门店 sto_9。" if chinese else "There is no store sto_9.")
        assert answer.headers["content-language"] == ("zh-CN" if chinese else "en")


async def test_violations_of_a_service_become_errors(door: Door) -> None:
    door.backend.answers["RecordSale"] = refuse(InvalidArgument([("lines", "too few"), ("paid", "too little")]))
    found = problem(await door.signed("POST", SALES, sale()), 400, "INVALID_ARGUMENT")
    assert found["errors"] == [
        {"field": "lines", "description": "too few"},
        {"field": "paid", "description": "too little"},
    ]


async def test_an_unexpected_failure_tells_nothing(door: Door) -> None:
    door.backend.answers["RecordSale"] = refuse(RuntimeError("password is 127.0.0.1"))
    problem(await door.signed("POST", SALES, sale()), 500, "INTERNAL")


async def test_a_deadline_is_kept(door: Door) -> None:
    def sleep(_: Any) -> Any:
        time.sleep(0.3)
        return scratch.message("RecordSaleResponse")()

    door.backend.answers["RecordSale"] = sleep
    problem(await door.signed("POST", SALES, sale(), grpc_timeout="50m"), 504, "DEADLINE_EXCEEDED")


async def test_a_stopped_service_is_told_quickly_and_found_again(door: Door) -> None:
    assert (await door.signed("POST", SALES, sale())).status_code == 200
    assert door.backend.server is not None
    await door.backend.server.stop(0)
    began = time.perf_counter()
    answer = await door.signed("POST", SALES, sale())
    problem(answer, 503, "UNAVAILABLE")
    assert answer.headers["retry-after"] == "1" and time.perf_counter() - began < 1
    assert (await door.client.get("/readyz")).status_code == 503
    await door.backend.start()
    for _ in range(50):
        if (await door.signed("POST", SALES, sale())).status_code == 200:
            return
        await asyncio.sleep(0.1)
    pytest.fail("the service was not found again within 5 s")


# --- bulk ---


def lines_of(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200 and answer.headers["content-type"] == NDJSON, answer.text
    return [orjson.loads(line) for line in answer.content.splitlines()]


async def test_each_line_gets_its_answer_and_the_good_ones_count(door: Door) -> None:
    rows = [
        sale(receipt_no="A"),
        b"{broken",
        sale(receipt_no="B", foo=1),
        b"",
        sale(receipt_no="REFUSE"),
        sale(receipt_no="C", store_id=OTHER_STORE),
        sale(receipt_no=""),
        sale(receipt_no="D", lines=[{"amount_minor": -1}]),
        sale(receipt_no="E", store_id=""),
    ]
    found = lines_of(await door.signed("POST", BATCH, b"\n".join(rows) + b"\n", content_type=NDJSON))
    assert [row["line"] for row in found] == [1, 2, 3, 5, 6, 7, 8, 9]
    reasons = [row["error"]["reason"] if "error" in row else row["result"]["sale"]["sale_id"] for row in found]
    assert reasons == [
        "sale-A",
        "MALFORMED_JSON",
        "INVALID_ARGUMENT",
        "RECEIPT_CHANGED",
        "NOT_YOURS",
        "INVALID_ARGUMENT",
        "INVALID_ARGUMENT",
        "sale-E",
    ]
    assert found[2]["error"]["errors"][0]["field"] == "foo"
    assert found[5]["error"]["errors"][0]["field"] == "receipt_no"
    assert found[6]["error"]["errors"][0]["field"] == "lines[0].amount_minor"
    assert found[3]["error"]["metadata"] == {"receipt_no": "REFUSE"}
    [(name, request, _, _)] = door.backend.calls
    assert name == "RecordSales"
    assert [(sale.receipt_no, sale.store_id) for sale in request.sales] == [
        ("A", STORE),
        ("REFUSE", STORE),
        ("E", STORE),
    ]


async def test_a_batch_of_bad_lines_asks_nobody(door: Door) -> None:
    found = lines_of(await door.signed("POST", BATCH, b"{\n{\n", content_type=NDJSON, accept_language="zh"))
    assert [row["error"]["reason"] for row in found] == ["MALFORMED_JSON"] * 2
    assert found[0]["error"]["detail"].startswith("请求体")
    assert door.backend.calls == []


async def test_an_empty_batch_has_an_empty_answer(door: Door) -> None:
    assert lines_of(await door.signed("POST", BATCH, b"\n\n", content_type=NDJSON)) == []


async def test_a_batch_has_at_most_a_thousand_lines(door: Door) -> None:
    body = b"\n".join([b'{"receipt_no":"x","request_id":"r"}'] * 1000)
    found = lines_of(await door.signed("POST", BATCH, body, content_type=NDJSON))
    assert len(found) == 1000 and all("result" in row for row in found)
    problem(await door.signed("POST", BATCH, body + b"\n{}", content_type=NDJSON), 413, "TOO_MANY_LINES")


async def test_a_bulk_door_takes_plain_json_and_query_fields_too(door: Door) -> None:
    body = orjson.dumps({"sales": [scratch.sale()], "device": "d"})
    answer = await door.signed("POST", BATCH, body)
    assert answer.json()["results"][0]["sale"]["sale_id"] == "sale-R-1"
    lines_of(await door.signed("POST", f"{BATCH}?device=d2", sale(), content_type=NDJSON))
    assert [call[1].device for call in door.backend.calls] == ["d", "d2"]


async def test_a_gzipped_batch(door: Door) -> None:
    body = gzip.compress(b"\n".join([sale()] * 500))
    found = lines_of(await door.signed("POST", BATCH, body, content_type=NDJSON, content_encoding="gzip"))
    assert len(found) == 500


MEBIBYTE = 1024 * 1024


def batch_of(size_bytes: int) -> bytes:
    """A thousand sales, with blanks behind them up to this size."""
    about = (size_bytes - MEBIBYTE // 8) // 1_000
    padding = "c" * (about - 300)
    lines = [sale(receipt_no=f"R-{number}", lines=[], member_code=padding) for number in range(1_000)]
    body = b"\n".join(lines)
    assert about * 900 < len(body) <= size_bytes
    return body.ljust(size_bytes)


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_batch_has_at_most_sixteen_mebibytes(door: Door, encoding: str) -> None:
    async def send(size_bytes: int) -> httpx.Response:
        body = batch_of(size_bytes)
        sent = gzip.compress(body, 1) if encoding == "gzip" else body
        return await door.signed("POST", BATCH, sent, content_type=NDJSON, content_encoding=encoding)

    for size_bytes in (MEBIBYTE + 1, 16 * MEBIBYTE):
        found = lines_of(await send(size_bytes))
        assert [row["result"]["sale"]["sale_id"] for row in found] == [f"sale-R-{number}" for number in range(1_000)]
    assert [len(call[1].sales) for call in door.backend.calls] == [1_000, 1_000]
    assert door.backend.calls[1][1].ByteSize() > 15 * MEBIBYTE, "nearly all of it goes to the service"
    refused = problem(await send(16 * MEBIBYTE + 1), 413, "BODY_TOO_LARGE")
    assert refused["metadata"] == {"limit_bytes": str(16 * MEBIBYTE)}
    assert len(door.backend.calls) == 2


async def test_a_batch_that_goes_on_for_ever_is_read_up_to_its_limit(door: Door) -> None:
    read_bytes = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal read_bytes
        while True:
            read_bytes += MEBIBYTE
            yield b" " * MEBIBYTE

    headers = {"content-type": NDJSON, **door.sign("POST", BATCH)}
    problem(await door.client.post(BATCH, content=chunks(), headers=headers), 413, "BODY_TOO_LARGE")
    assert read_bytes <= 18 * MEBIBYTE


async def test_a_service_that_answers_too_few_lines_is_our_fault(door: Door) -> None:
    door.backend.answers["RecordSales"] = lambda _: scratch.message("RecordSalesResponse")()
    problem(await door.signed("POST", BATCH, sale(), content_type=NDJSON), 500, "INTERNAL")


# --- limits ---


async def test_a_caller_over_its_rate_is_told_when_to_come_again(door: Door) -> None:
    path, body = "/v1/scratch/sales/s1:cancel", b'{"request_id": "r"}'
    answers = [await door.signed("POST", path, body, key_id="key_gate") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    problem(answers[3], 429, "RATE_LIMITED")
    assert 15 <= int(answers[3].headers["retry-after"]) <= 20
    # another caller, and another action of the same one, have buckets of their own
    assert (await door.signed("POST", path, body, key_id="key_system")).status_code == 200
    assert (await door.client.get("/v1/scratch/balance", headers=door.member())).status_code == 200


async def test_every_answer_says_how_many_calls_are_left(door: Door) -> None:
    path, body = "/v1/scratch/sales/s1:cancel", b'{"request_id": "r"}'
    answers = [await door.signed("POST", path, body, key_id="key_gate") for _ in range(4)]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"calls";q=3;w=60'}
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == ["r=2", "r=1", "r=0", "r=0"]
    assert [answer.headers["ratelimit"].split(";")[2] for answer in answers[:2]] == ["t=20", "t=40"]
    refused = await door.client.post("/v1/scratch/login", json={"unknown": 1})
    assert refused.status_code == 400 and refused.headers["ratelimit"].startswith('"calls";r=29')


async def test_pages_of_listed_origins_may_call_and_no_others(door: Door) -> None:
    asked = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    may = await door.client.options("/v1/scratch/login", headers=asked)
    assert (may.status_code, may.content) == (204, b"")
    assert may.headers["access-control-allow-origin"] == PAGE and may.headers["vary"] == "origin"
    assert may.headers["access-control-allow-methods"] == "POST"
    assert {"authorization", "huitong-reason"} <= set(may.headers["access-control-allow-headers"].split(", "))
    assert "access-control-allow-credentials" not in may.headers
    foreign = await door.client.options("/v1/scratch/login", headers={**asked, "origin": "https://app.example.evil"})
    problem(foreign, 405, "METHOD_NOT_ALLOWED")
    assert "access-control-allow-origin" not in foreign.headers
    for origin, shown in ((PAGE, PAGE), ("null", None), ("https://evil.example", None)):
        good = await door.client.post("/v1/scratch/login", json={}, headers={"origin": origin})
        bad = await door.client.get("/v1/scratch/balance", headers={"origin": origin})
        assert (good.status_code, bad.status_code) == (200, 401)
        for answer in (good, bad):
            assert answer.headers.get("access-control-allow-origin") == shown
            assert answer.headers["vary"] == "origin"
    plain = await door.client.post("/v1/scratch/login", json={})
    assert "vary" not in plain.headers and "access-control-allow-origin" not in plain.headers


async def test_a_request_that_was_not_let_in_keeps_its_nonce(door: Door) -> None:
    path, body = "/v1/scratch/sales/s1:cancel", b'{"request_id": "r"}'
    for _ in range(3):
        await door.signed("POST", path, body, key_id="key_gate")
    headers = {"content-type": "application/json", **door.sign("POST", path, body, "key_gate")}
    for _ in range(2):
        problem(await door.client.post(path, content=body, headers=headers), 429, "RATE_LIMITED")


async def test_the_public_is_limited_by_address(door: Door) -> None:
    answers = [await door.client.post("/v1/scratch/login", json={}) for _ in range(31)]
    assert [answer.status_code for answer in answers] == [200] * 30 + [429]


# --- failed authentications ---


class Unread:
    """A body that tells whether somebody has begun to read it."""

    is_read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.is_read = True
        yield sale()


def at(door: Door, address: str) -> httpx.AsyncClient:
    """A client with an address of its own."""
    transport = httpx.ASGITransport(app=door.app, client=(address, 50_000))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


async def knock(door: Door, client: httpx.AsyncClient, content: Any = None, **more: Any) -> httpx.Response:
    """A sale by a till that signs with `more`."""
    headers = {"content-type": "application/json", **door.sign("POST", SALES, sale(), **more)}
    return await client.post(SALES, content=content or sale(), headers=headers)


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


async def test_an_address_that_fails_too_often_is_refused_before_its_body_is_read(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "FAILURES_PER_MINUTE", 3)
    async with at(door, "10.0.0.1") as here, at(door, "10.0.0.2") as elsewhere:
        for _ in range(5):
            assert (await knock(door, here)).status_code == 200, "who is known is not counted"
        problem(await knock(door, here, secret="wrong"), 401, "SIGNATURE_INVALID")
        problem(await knock(door, here, key_id="key_unknown"), 401, "KEY_UNKNOWN_OR_REVOKED")
        problem(await here.get("/v1/scratch/balance", headers=bearer("x.y.z")), 401, "UNAUTHENTICATED")
        body = Unread()
        for answer in (await knock(door, here, secret="wrong"), await knock(door, here, body)):
            problem(answer, 429, "RATE_LIMITED")
            assert 15 <= int(answer.headers["retry-after"]) <= 20
            assert answer.headers["ratelimit-policy"] == '"calls";q=3;w=60'
            assert answer.headers["ratelimit"] == '"calls";r=0;t=60'
        assert not body.is_read
        assert (await knock(door, elsewhere)).status_code == 200
        assert (await here.post("/v1/scratch/login", json={}, headers=bearer("x"))).status_code == 200


async def test_who_guesses_key_ids_keeps_no_other_address_out(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "SHARE_BURST", 3.0)
    monkeypatch.setattr(lookups, "SHARE_PER_SECOND", 0.001)
    async with at(door, "10.0.0.1") as here, at(door, "10.0.0.2") as elsewhere:
        answers = [await knock(door, here, key_id=f"key_guess{number}") for number in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 503, 503]
        assert (await knock(door, elsewhere)).status_code == 200, "the first use of a key"
        assert (await knock(door, here)).status_code == 200, "known by now, so nobody is asked"


async def test_failures_of_one_ipv6_network_count_together(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FAILURES_PER_MINUTE", 2)
    for address, status in (("2001:db8:0:1::1", 401), ("2001:db8:0:1::2", 401), ("2001:db8:0:1:2::", 429)):
        async with at(door, address) as client:
            assert (await knock(door, client, secret="wrong")).status_code == status
    async with at(door, "2001:db8:0:2::1") as client:
        assert (await knock(door, client)).status_code == 200


async def test_tokens_of_ours_that_have_expired_are_no_guesses(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FAILURES_PER_MINUTE", 2)
    member = Caller(CallerKind.MEMBER, MEMBER, GROUP, MEMBER)
    expired = TokenBook(KEY, issuer=MEMBER_ACCESS).mint_until(member, time.time() - 1)
    for _ in range(5):
        problem(await door.client.get("/v1/scratch/balance", headers=bearer(expired)), 401, "UNAUTHENTICATED")
    assert (await door.signed("POST", SALES, sale())).status_code == 200


async def test_a_token_is_looked_at_before_the_body_is_read(door: Door) -> None:
    body = Unread()
    problem(await door.client.post(SALES, content=body, headers=bearer("x.y.z")), 401, "UNAUTHENTICATED")
    assert not body.is_read


async def test_without_valkey_no_failure_bars_anybody(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "FAILURES_PER_MINUTE", 2)
    async with open_door(f"redis://127.0.0.1:{sandbox.free_port()}/0") as door:
        for _ in range(5):
            problem(await door.signed("POST", SALES, sale(), key_id="key_unknown"), 401, "KEY_UNKNOWN_OR_REVOKED")
        assert (await door.client.get("/v1/scratch/balance", headers=door.member())).status_code == 200


async def test_without_valkey_members_get_in_and_others_do_not(sandbox: Sandbox) -> None:
    async with open_door(f"redis://127.0.0.1:{sandbox.free_port()}/0") as door:
        assert (await door.client.get("/v1/scratch/balance", headers=door.member())).status_code == 200
        problem(await door.signed("POST", SALES, sale()), 503, "UNAVAILABLE")
        problem(await door.client.post("/v1/scratch/login", json={}), 503, "UNAVAILABLE")
        assert (await door.client.get("/readyz")).json()["parts"]["valkey"] is False


async def test_a_restarted_valkey_is_used_again(door: Door) -> None:
    assert (await door.signed("POST", SALES, sale())).status_code == 200
    await door.parts.gate._valkey.script_flush()
    answers = await asyncio.gather(*(door.signed("POST", SALES, sale()) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}


# --- pages ---


async def test_the_pages_are_there(door: Door) -> None:
    for path in ("/", "/docs", "/pages/docs.js", "/pages/style.css"):
        answer = await door.client.get(path)
        assert answer.status_code == 200 and answer.headers["x-content-type-options"] == "nosniff"
        assert "http://" not in answer.text.replace("http://www.w3.org", "") and "https://" not in answer.text
    assert (await door.client.get("/healthz")).json() == {"status": "alive"}


NO_SNIFFING = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}
OF_DATA = NO_SNIFFING | {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
OF_PAGES = NO_SNIFFING | {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
}


async def test_every_answer_says_what_a_browser_may_do_with_it(door: Door) -> None:
    answers = {
        "an answer": (await door.signed("POST", SALES, sale()), 200, OF_DATA),
        "lines": (await door.signed("POST", BATCH, sale(), content_type=NDJSON), 200, OF_DATA),
        "a refusal": (await door.signed("POST", SALES, b"{"), 400, OF_DATA),
        "nobody": (await door.client.get(SALES), 401, OF_DATA),
        "nowhere": (await door.client.get("/nothing"), 404, OF_DATA),
        "a wrong verb at a page": (await door.client.post("/docs"), 404, OF_DATA),
        "a preflight": (await door.client.options(SALES, headers=preflight("POST")), 204, OF_DATA),
        "health": (await door.client.get("/healthz"), 200, OF_DATA),
        "readiness": (await door.client.get("/readyz"), 503, OF_DATA),
        "the contract": (await door.client.get("/openapi.json"), 200, OF_PAGES),
        **{path: (await door.client.get(path), 200, OF_PAGES) for path in ("/", "/docs", "/pages/docs.js")},
    }
    for name, (answer, status, expected) in answers.items():
        said = [(key, value) for key, value in answer.headers.multi_items() if key in OF_DATA]
        assert (answer.status_code, sorted(said)) == (status, sorted(expected.items())), name
        assert "strict-transport-security" not in answer.headers, "it did not come by TLS"


def preflight(method: str) -> dict[str, str]:
    return {"origin": PAGE, "access-control-request-method": method}


async def test_openapi_has_the_rules(door: Door) -> None:
    document = (await door.client.get("/openapi.json")).json()
    assert document["openapi"] == "3.1.0"
    operation = document["paths"][SALES]["post"]
    assert operation["x-audiences"] == ["system", "terminal"]
    assert operation["x-errors"] == ["STORE_UNKNOWN", "RECEIPT_CHANGED"]
    assert operation["summary"] == "Records one sale"
    schema = document["components"]["schemas"]["scratch.RecordSaleRequest"]
    assert schema["required"] == ["request_id", "receipt_no"] and schema["additionalProperties"] is False
    assert schema["properties"]["request_id"]["maxLength"] == 64
    assert document["components"]["schemas"]["scratch.Line"]["properties"]["amount_minor"]["minimum"] == 0
    assert set(document["paths"][BATCH]["post"]["requestBody"]["content"]) == {"application/json", NDJSON}
    assert not any("inside" in path for path in document["paths"])


async def test_openapi_s_examples_are_requests_that_the_gateway_takes(door: Door) -> None:
    document = (await door.client.get("/openapi.json")).json()
    for path, entry in document["paths"].items():
        for verb, operation in entry.items():
            if "requestBody" in operation:
                example = operation["requestBody"]["content"]["application/json"]["example"]
                filled = path.replace("{", "").replace("}", "")
                key_id = "key_gate" if "vendor" in operation["x-audiences"] else "key_system"
                if key_id == "key_gate":
                    example |= {"park_id": PARK}
                answer = await door.signed(verb.upper(), filled, orjson.dumps(example), key_id=key_id)
                assert answer.status_code == 200, (path, answer.text)
