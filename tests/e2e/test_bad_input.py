"""What must be refused at the gateway: each gets its typed reason and the right status, and nothing is half done."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
import pytest

from gateway.auth.signing import sign_request
from suite.demo.doors import Key
from suite.inside import Inside
from tests.e2e.demo_suite import DemoSuite

pytestmark = pytest.mark.timeout(300)
SALE_TIME = "2017-01-02T10:00:00+08:00"


class Till:
    """Signed requests of the store s367, raw."""

    def __init__(self, suite: DemoSuite) -> None:
        self.suite, self.memory = suite, suite.memory
        self.key = self.memory.terminal_key("s367")
        self.store_id = self.memory.store_id("s367")
        self.member_id = next(iter(self.memory.members.values()))

    def sale(self, receipt_no: str, **changes: Any) -> dict[str, Any]:
        """A good sale of 30.00, changed."""
        return {
            "request_id": f"bad-input-{receipt_no}",
            "store_id": self.store_id,
            "receipt_no": receipt_no,
            "sale_time": SALE_TIME,
            "member_id": self.member_id,
            "total": {"amount_minor": 3000, "currency_code": "CNY"},
            "lines": [{"line_no": 1, "amount_minor": 3000, "category": "GROCERY"}],
            **changes,
        }

    async def post(
        self, path: str, body: Any, *, key: Key | None = None, content_type: str = "application/json", **signing: Any
    ) -> tuple[int, dict[str, Any]]:
        """POST bytes or JSON, signed."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        key = key or self.key
        headers = sign_request(key_id=key.key_id, secret=key.secret, method="POST", path=path, body=content, **signing)
        status, answer, _ = await self.suite.send(
            "POST", path, body=content, headers={**headers, "Content-Type": content_type}
        )
        return status, answer

    async def get(self, path: str, *, key: Key | None = None) -> tuple[int, dict[str, Any]]:
        """GET, signed by the group's system unless another key is given."""
        key = key or self.memory.system_key
        headers = sign_request(key_id=key.key_id, secret=key.secret, method="GET", path=path)
        status, answer, _ = await self.suite.send("GET", path, headers=headers)
        return status, answer

    async def balance(self) -> int:
        """Points of the member."""
        _, answer = await self.get(f"/v1/members/{self.member_id}/balance")
        return int(answer["available_points"])


@pytest.fixture
def till(suite: DemoSuite) -> Till:
    """The till of s367."""
    return Till(suite)


_UNKNOWN = "0" * 32
_LINE = {"line_no": 1, "amount_minor": 3000}


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"store_id": f"sto_{_UNKNOWN}"}, 403, "NOT_YOURS"),  # another store than the till's
        ({"member_id": f"mbr_{_UNKNOWN}"}, 404, "MEMBER_UNKNOWN"),
        ({"member_id": "nonsense"}, 400, "INVALID_ARGUMENT"),
        ({"total": {"amount_minor": -3000, "currency_code": "CNY"}}, 400, None),  # negative
        ({"total": {"amount_minor": 2**60, "currency_code": "CNY"}}, 400, "INVALID_ARGUMENT"),  # huge
        ({"total": {"amount_minor": 30.5, "currency_code": "CNY"}}, 400, "INVALID_ARGUMENT"),  # fractional
        ({"lines": [{**_LINE, "amount_minor": -3000}]}, 400, "INVALID_ARGUMENT"),
        ({"lines": [{**_LINE, "amount_minor": 2999}]}, None, "LINES_DO_NOT_SUM"),
        ({"lines": [_LINE, _LINE]}, None, None),  # the same line number twice
        ({"lines": []}, 400, "INVALID_ARGUMENT"),
        ({"total": {"amount_minor": 3000, "currency_code": "USD"}}, None, "CURRENCY_MISMATCH"),
        ({"sale_time": "2031-01-01T00:00:00Z"}, None, "SALE_TIME_INVALID"),
        ({"sale_time": "yesterday"}, 400, "INVALID_ARGUMENT"),
        ({"tip": 1}, 400, "INVALID_ARGUMENT"),  # unknown field
        ({"lines": [{**_LINE, "colour": "red"}]}, 400, "INVALID_ARGUMENT"),
        ({"request_id": ""}, 400, "INVALID_ARGUMENT"),
    ],
)
async def test_a_bad_sale_is_refused_and_earns_nothing(
    till: Till, changes: dict[str, Any], status: int | None, reason: str | None
) -> None:
    before = await till.balance()
    got, problem = await till.post("/v1/sales", till.sale("refused", **changes))
    assert 400 <= got < 500, problem
    assert status in (None, got), problem
    assert reason in (None, problem["reason"]), problem
    assert problem["title"] and problem["detail"] and "Traceback" not in str(problem)
    assert await till.balance() == before


async def test_an_unknown_field_is_named_with_its_path(till: Till) -> None:
    _, problem = await till.post("/v1/sales", till.sale("named", lines=[{**_LINE, "colour": "red"}]))
    assert "lines[0].colour" in str(problem)


async def test_an_unknown_store_is_refused_to_the_groups_own_system(till: Till) -> None:
    sale = till.sale("unknown-store", store_id=f"sto_{_UNKNOWN}")
    status, problem = await till.post("/v1/sales", sale, key=till.memory.system_key)
    assert (status, problem["reason"]) == (404, "STORE_UNKNOWN")


async def test_an_unknown_plate_is_refused_at_the_exit(till: Till) -> None:
    body = {
        "request_id": "bad-input-exit",
        "car_park_id": till.memory.units["car-park"],
        "plate_no": "沪A99999",
        "exit_time": SALE_TIME,
    }
    status, problem = await till.post("/v1/parking/exits", body, key=till.memory.vendor_key)
    assert (status // 100, problem["reason"]) == (4, "PLATE_NOT_INSIDE")


async def test_a_receipt_twice_counts_once_and_changed_is_refused(till: Till) -> None:
    before = await till.balance()
    status, first = await till.post("/v1/sales", till.sale("twice"))
    assert (status, first["points"] > 0) == (200, True)
    status, again = await till.post("/v1/sales", till.sale("twice"))
    assert (status, again["is_replay"], again["sale_id"], again["points"]) == (
        200,
        True,
        first["sale_id"],
        first["points"],
    )
    changed = till.sale(
        "twice", total={"amount_minor": 9000, "currency_code": "CNY"}, lines=[{**_LINE, "amount_minor": 9000}]
    )
    status, problem = await till.post("/v1/sales", changed)
    assert status == 409
    assert problem["reason"] in ("RECEIPT_CHANGED", "REQUEST_ID_REUSED")
    status, problem = await till.post("/v1/sales", {**changed, "request_id": "bad-input-other"})
    assert (status, problem["reason"]) == (409, "RECEIPT_CHANGED")
    assert await till.balance() == before + first["points"]


async def test_a_foreign_groups_ids_lead_nowhere(suite: DemoSuite, till: Till) -> None:
    inside = Inside(suite.settings)
    try:
        other = await inside.create_group(code="foreign", name="Foreign")
    finally:
        await inside.close()
    key = Key(other.system_credential.key_id, other.secret)
    for path in (
        f"/v1/members/{till.member_id}/balance",
        f"/v1/members/{till.member_id}",
        f"/v1/stores/{till.store_id}",
    ):
        status, problem = await till.get(path, key=key)
        assert status == 404, problem
    status, problem = await till.post("/v1/sales", till.sale("foreign"), key=key)
    assert (status, problem["reason"] in ("STORE_UNKNOWN", "MEMBER_UNKNOWN")) == (404, True)
    status, merchants = await till.get("/v1/merchants", key=key)
    assert (status, merchants.get("merchants", [])) == (200, [])


async def test_an_expired_signature_is_refused(till: Till) -> None:
    status, problem = await till.post("/v1/sales", till.sale("expired"), timestamp=int(time.time()) - 600)
    assert (status, problem["reason"]) == (401, "SIGNATURE_EXPIRED")


async def test_a_replayed_request_is_refused(till: Till) -> None:
    nonce = "n" * 32
    first, _ = await till.post("/v1/sales", till.sale("nonce"), nonce=nonce)
    second, problem = await till.post("/v1/sales", till.sale("nonce"), nonce=nonce)
    assert (first, second, problem["reason"]) == (200, 401, "NONCE_REUSED")


async def test_a_tampered_body_is_refused(suite: DemoSuite, till: Till) -> None:
    body = orjson.dumps(till.sale("tampered"))
    headers = sign_request(key_id=till.key.key_id, secret=till.key.secret, method="POST", path="/v1/sales", body=body)
    status, problem, _ = await suite.send(
        "POST",
        "/v1/sales",
        body=body.replace(b"3000", b"9000"),
        headers={**headers, "Content-Type": "application/json"},
    )
    assert (status, problem["reason"]) == (401, "SIGNATURE_INVALID")


async def test_without_a_signature_nobody_sells(suite: DemoSuite, till: Till) -> None:
    body = orjson.dumps(till.sale("anonymous"))
    status, problem, _ = await suite.send("POST", "/v1/sales", body=body, headers={"Content-Type": "application/json"})
    assert status in (401, 403)
    assert problem["reason"] in ("UNAUTHENTICATED", "PERMISSION_DENIED")


async def test_a_body_that_is_too_large_is_refused(till: Till) -> None:
    status, problem = await till.post("/v1/sales", b" " * (1024 * 1024 + 1))
    assert (status, bool(problem["reason"])) == (413, True)


async def test_broken_json_is_refused(till: Till) -> None:
    status, problem = await till.post("/v1/sales", b'{"request_id": ')
    assert (status, bool(problem["reason"])) == (400, True)


async def test_good_lines_of_a_batch_count_and_each_bad_one_is_answered(till: Till) -> None:
    before = await till.balance()
    lines = [
        orjson.dumps(till.sale("line-1")),
        b'{"request_id": "broken',
        orjson.dumps(till.sale("line-3", tip=1)),
        orjson.dumps(till.sale("line-4", member_id=f"mbr_{_UNKNOWN}")),
        orjson.dumps(till.sale("line-5", lines=[{**_LINE, "amount_minor": 1}])),
        orjson.dumps(till.sale("line-6")),
    ]
    status, answer = await till.post("/v1/sales:batch", b"\n".join(lines), content_type="application/x-ndjson")
    assert status == 200
    reasons = [line["error"]["reason"] if "error" in line else "" for line in answer["lines"]]
    assert [bool(reason) for reason in reasons] == [False, True, True, True, True, False]
    assert reasons[3:5] == ["MEMBER_UNKNOWN", "LINES_DO_NOT_SUM"]
    assert [line["line"] for line in answer["lines"]] == [1, 2, 3, 4, 5, 6]
    earned = sum(line["result"]["recorded"]["points"] for line in answer["lines"] if "result" in line)
    assert await till.balance() == before + earned


async def test_a_stopped_service_is_answered_quickly_and_comes_back(suite: DemoSuite, till: Till) -> None:
    statuses = []
    dead = suite.kill("points")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        begun = time.monotonic()
        status, problem = await till.get(f"/v1/members/{till.member_id}/balance")
        assert time.monotonic() - begun < 6
        assert status in (200, 503, 504), problem
        if status != 200:
            assert problem["reason"] in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
            assert "127.0.0.1" not in str(problem) and "grpc" not in str(problem).lower()
        statuses.append(status)
        if status == 200 and 503 in statuses:
            break
        await asyncio.sleep(0.05)
    assert 503 in statuses and statuses[-1] == 200
    assert suite.state.part("points").pid != dead
