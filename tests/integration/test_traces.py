"""What the processes of a login export as traces: all of the way, and nothing of the person."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from chassis import ids
from gateway.auth.signing import sign_request
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import Apps, internal
from tests.collector import Collector
from tests.e2e.written import PEOPLE, SECRETS, SHORT, Used, leaks
from tests.support import Sandbox

ROOT = Path(__file__).resolve().parents[2]
PHONE, NEW_PHONE = "+8613900000021", "+8613900000022"


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


@pytest.fixture
def processes(sandbox: Sandbox, apps: Apps, collector: Collector, tmp_path: Path) -> Iterator[str]:
    """org, member and the gateway as processes that log and export all that they can; answers the gateway's address."""
    asyncio.run(_migrate(apps))
    port = sandbox.free_port()
    environment = {
        **os.environ,
        **apps.settings.environment(),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}",
        "HUITONG_GATEWAY_PORT": str(port),
        "HUITONG_OTLP_ENDPOINT": collector.address,
        "HUITONG_LOG_LEVEL": "debug",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    parts = {"org": "services.org", "member": "services.member", "gateway": "gateway"}
    started = []
    for name, module in parts.items():
        with (tmp_path / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", module]
            started.append(subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=log))
    yield f"http://127.0.0.1:{port}"
    for process in started:
        process.kill()
        process.wait()


async def _migrate(apps: Apps) -> None:
    for name in ("org", "member"):
        await apps.migrate(name)


async def until_ready(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(60):
        while True:
            try:
                parts = (await client.get("/readyz")).json()["parts"]
                if parts["org"] and parts["member"]:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def test_traces_tell_the_way_and_not_who_went_it(
    processes: str, apps: Apps, collector: Collector, tmp_path: Path
) -> None:
    used = Used()
    async with httpx.AsyncClient(base_url=processes, timeout=20, trust_env=False) as client:
        await until_ready(client)
        structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        request = org_pb2.CreateGroupRequest(request_id="create-traced", code="traced", name="Traced")
        made = await apps.call(structure.CreateGroup, request, internal("suite"))

        async def post(path: str, token: str = "", **fields: Any) -> httpx.Response:
            headers = {"authorization": f"Bearer {token}"} if token else {}
            answer = await client.post(path, json=fields, headers=headers)
            used.note(fields)
            used.note(answer.json())
            return answer

        async def newest_code(phone: str) -> str:
            path, query = "/v1/simulator/messages", f"phone=%2B{phone[1:]}"
            key = {"key_id": made.system_credential.key_id, "secret": made.secret}
            headers = sign_request(**key, method="GET", path=path, query=query)
            sent = (await client.get(f"{path}?{query}", headers=headers)).json()
            used.note(sent)
            code: str = sent["messages"][0]["one_time_code"]
            return code

        login = {"group_code": "traced", "phone": PHONE}
        async with asyncio.timeout(20):
            while (await post("/v1/login:start", **login)).status_code != 200:
                await asyncio.sleep(0.05)
        done = (await post("/v1/login:complete", **login, one_time_code=await newest_code(PHONE))).json()
        member_id, token = done["member"]["member_id"], done["tokens"]["access_token"]
        change = {"request_id": ids.new().hex, "new_phone": NEW_PHONE}
        assert (await post(f"/v1/members/{member_id}/phone:startChange", token, **change)).status_code == 200
        change |= {"request_id": ids.new().hex, "one_time_code": await newest_code(NEW_PHONE)}
        assert (await post(f"/v1/members/{member_id}/phone:change", token, **change)).status_code == 403
        assert (await client.get(f"/v1/members/{member_id}/balance?phone={PHONE[1:]}")).status_code == 401
        assert (await client.get(f"/v1/{PHONE}?phone={PHONE[1:]}")).status_code == 404
        async with asyncio.timeout(20):
            seen = (b"StartPhoneChange", b"/v1/members/{member_id}/phone:change", b"SELECT", b"huitong-member")
            while any(each not in collector.traces for each in seen):
                await asyncio.sleep(0.05)
    told = {path.name: path.read_bytes() for path in tmp_path.glob("*.log")}
    assert b"phone:change" in told["gateway.log"]
    used.values["secret"] |= {made.secret, apps.settings.access_key.get_secret_value()}
    assert {"phone", "new_phone", "one_time_code", "access_token", "refresh_token"} <= used.values.keys()
    assert leaks({**told, "traces": collector.traces}, used.of(SECRETS, PEOPLE, SHORT)) == []
