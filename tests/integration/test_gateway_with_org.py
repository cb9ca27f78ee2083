"""The gateway in front of the real org: keys made through a door open doors, within their bounds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest_asyncio

from chassis import ids
from gateway.app import App, Parts, mount
from gateway.auth.signing import sign_request
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import Apps, internal
from tests.support import Sandbox


class Outside:
    """Somebody with a key, calling the gateway."""

    def __init__(self, client: httpx.AsyncClient, key_id: str, secret: str) -> None:
        self.client, self.key_id, self.secret = client, key_id, secret

    async def call(self, method: str, path: str, **fields: Any) -> httpx.Response:
        body = orjson.dumps({"request_id": ids.new().hex} | fields) if method != "GET" else b""
        bare, _, query = path.partition("?")
        headers = sign_request(key_id=self.key_id, secret=self.secret, method=method, path=bare, query=query, body=body)
        headers["content-type"] = "application/json"
        return await self.client.request(method, path, content=body, headers=headers)

    async def done(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        answer = await self.call(method, path, **fields)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest_asyncio.fixture
async def system(sandbox: Sandbox) -> AsyncIterator[Outside]:
    apps = Apps(sandbox)
    await apps.start("org")
    parts, app = Parts.of(apps.settings), App()
    mount(app, parts)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway")
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id="create-door", code="door", name="Door")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    try:
        yield Outside(client, made.system_credential.key_id, made.secret)
    finally:
        await client.aclose()
        await parts.upstream.close()
        await parts.gate.close()
        await apps.stop()


async def test_a_terminal_s_key_works_for_its_own_store_only(system: Outside) -> None:
    unit = await system.done(
        "POST",
        "/v1/business-units",
        code="MALL",
        name="商场",
        kind="UNIT_KIND_MALL",
        time_zone="Asia/Shanghai",
        currency_code="CNY",
    )
    unit_id = unit["business_unit"]["business_unit_id"]
    merchant = await system.done("POST", "/v1/merchants", code="M", name="Grocer", business_unit_id=unit_id)
    stores = [
        (
            await system.done(
                "POST", "/v1/stores", code=code, name=code, merchant_id=merchant["merchant"]["merchant_id"]
            )
        )["store"]["store_id"]
        for code in ("S1", "S2")
    ]
    terminal = await system.done("POST", "/v1/terminals", code="T1", store_id=stores[0])
    key = await system.done(
        "POST",
        "/v1/credentials",
        kind="CREDENTIAL_KIND_TERMINAL",
        subject_id=terminal["terminal"]["terminal_id"],
    )
    till = Outside(system.client, key["credential"]["key_id"], key["secret"])
    assert (await till.done("GET", f"/v1/stores/{stores[0]}"))["store"]["code"] == "S1"

    refused = await till.call("GET", f"/v1/stores/{stores[1]}")
    assert (refused.status_code, refused.json()["reason"]) == (403, "NOT_YOURS")
    refused = await till.call("GET", "/v1/stores?page_size=5")
    assert (refused.status_code, refused.json()["reason"]) == (403, "PERMISSION_DENIED")
    listed = await system.done("GET", "/v1/stores?page_size=5")
    assert [store["store_id"] for store in listed["stores"]] == stores

    unknown = await system.call("GET", f"/v1/stores/sto_{'0' * 32}")
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "STORE_UNKNOWN")
    missing = await system.call("POST", "/v1/stores", request_id="", code="!", name="")
    assert missing.status_code == 400
    assert {"request_id", "code", "name"} <= {each["field"] for each in missing.json()["errors"]}

    spare = await system.done(
        "POST", "/v1/credentials", kind="CREDENTIAL_KIND_TERMINAL", subject_id=terminal["terminal"]["terminal_id"]
    )
    closing = {"store_id": stores[0], "is_open": False, "reason": "taken away"}
    await system.done("PATCH", f"/v1/terminals/{terminal['terminal']['terminal_id']}", **closing)
    (listed_terminal,) = (await system.done("GET", f"/v1/terminals?store_id={stores[0]}"))["terminals"]
    assert (listed_terminal["code"], listed_terminal["is_open"]) == ("T1", False)
    refused = await Outside(system.client, spare["credential"]["key_id"], spare["secret"]).call(
        "GET", f"/v1/stores/{stores[0]}"
    )
    assert (refused.status_code, refused.json()["reason"]) == (401, "KEY_UNKNOWN_OR_REVOKED")

    stranger = Outside(system.client, f"key_{'0' * 32}", "secret")
    refused = await stranger.call("GET", "/v1/stores")
    assert (refused.status_code, refused.json()["reason"]) == (401, "KEY_UNKNOWN_OR_REVOKED")


async def test_a_file_of_five_thousand_rows_comes_in_through_the_door(system: Outside) -> None:
    header = "kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor\n"
    rows = ["unit,FILE,Mall,,mall,Asia/Shanghai,CNY,,\n"]
    rows += [f"merchant,FM{n},商户 {n},FILE,,,,fashion,\n" for n in range(99)]
    rows += [f"store,FS{n:04d},门店 {n},FM{n % 99},,,,,L{n % 9}\n" for n in range(2_400)]
    rows += [f"terminal,FT{n:04d},收银 {n},FS{n % 2_400:04d},,,,,\n" for n in range(2_499)]
    rows.append("store,FS9999,Nobody's,FM999,,,,,L1\n")
    assert len(rows) == 5_000
    file = {"request_id": "import-5000", "csv": header + "".join(rows)}
    answer = await system.done("POST", "/v1/structure:import", **file)
    assert answer["created_count"] == 4_999
    assert [(one["line"], one["reason"]) for one in answer["errors"]] == [(5_001, "PARENT_UNKNOWN")]
    assert await system.done("POST", "/v1/structure:import", **file) == answer
    listed = await system.done("GET", "/v1/terminals?page_size=200")
    assert len(listed["terminals"]) == 200 and listed["next_page_token"]
    # One row more is too many, however long one would wait.
    refused = await system.call("POST", "/v1/structure:import", csv=header + "".join(rows) + rows[1])
    assert (refused.status_code, refused.json()["reason"]) == (400, "CSV_UNREADABLE")
