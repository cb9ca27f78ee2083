"""`huitong sales import` through a real gateway into real points: formats, bad rows, duplicates, sent again."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx
import orjson
import pytest
import pytest_asyncio
import uvicorn
from typer.testing import CliRunner

from chassis.db import Database
from gateway.app import App, Parts, mount
from huitong.org.v1 import org_pb2, org_pb2_grpc
from suite import sales
from suite.cli import app as huitong
from tests.apps import Apps, internal
from tests.integration.test_gateway_with_org import Outside
from tests.support import Sandbox

TIME = datetime.now(UTC).isoformat()


class Mall:
    """A group behind a gateway that listens: a store, two members, and the keys of its system."""

    def __init__(self, outside: Outside, url: str) -> None:
        self.outside, self.url = outside, url
        self.store_id = ""
        self.members: list[str] = []
        self.group_code, self.members_database = "", cast(Database, None)

    async def build(self) -> Mall:
        done = self.outside.done
        unit = await done(
            "POST",
            "/v1/business-units",
            code="HOTEL",
            name="酒店",
            kind="UNIT_KIND_HOTEL",
            time_zone="Asia/Shanghai",
            currency_code="CNY",
        )
        unit_id = unit["business_unit"]["business_unit_id"]
        merchant = await done("POST", "/v1/merchants", code="M", name="Rooms", business_unit_id=unit_id)
        store = await done("POST", "/v1/stores", code="S", name="Desk", merchant_id=merchant["merchant"]["merchant_id"])
        self.store_id = store["store"]["store_id"]
        ladder = [{"code": "BASIC", "name": "Basic", "min_growth": 0, "earn_multiplier_bps": 10000}]
        await done("POST", "/v1/tier-ladder", tiers=ladder)
        rule_set: dict[str, Any] = {
            "effective_date": {"year": 2015, "month": 1, "day": 1},
            "base_points": 1,
            "base_step_minor": 100,
            "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE", "name": "Base"}],
            "expiry_months": 12,
            "confirmation": {"sources": ["hotel-folio"], "longest_wait_days": 60},
        }
        await done("POST", "/v1/rule-sets", rule_set=rule_set)
        for number in range(2):
            joined = await done("POST", "/v1/members", phone=f"+86138000000{number + 10}")
            self.members.append(joined["member"]["member_id"])
        return self

    async def take(self, file: Path, source: str) -> list[dict[str, str]]:
        """Import a file; the lines of the report."""
        rows = sales.read_rows(file, source, "CNY")
        await sales._import(self.url, self.outside.key_id, self.outside.secret, rows)
        sales.write_report(file.with_suffix(".report"), rows)
        return list(csv.DictReader(file.with_suffix(".report").open(encoding="utf-8")))


@pytest_asyncio.fixture
async def mall(sandbox: Sandbox) -> AsyncIterator[Mall]:
    apps = Apps(sandbox)
    await apps.start("org", "member", "points")
    parts, app = Parts.of(apps.settings), App()
    mount(app, parts)
    port = sandbox.free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    url = f"http://127.0.0.1:{port}"
    client = httpx.AsyncClient(base_url=url)
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id=f"create-door-{port}", code=f"door-{port}", name="Door")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    try:
        place = Mall(Outside(client, made.system_credential.key_id, made.secret), url)
        place.group_code, place.members_database = request.code, apps.running["member"].db
        yield await place.build()
    finally:
        await client.aclose()
        server.should_exit = True
        await serving
        await parts.upstream.close()
        await parts.gate.close()
        await apps.stop()


async def test_files_of_two_doors_come_in_once(mall: Mall, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sales, "CHUNK", 2)
    folios = tmp_path / "folios.csv"
    head = "store_id,receipt_no,sale_time,member_id,amount_minor,category,payment_provider,payment_id"
    first, second = mall.members
    lines = [
        f"{mall.store_id},F1,{TIME},{first},80000,ROOM,wechat-pay,p1",
        f"{mall.store_id},F1,{TIME},{first},20000,BREAKFAST,wechat-pay,p1",
        f"{mall.store_id},F2,{TIME},{second},30000,ROOM,,",
        f"{mall.store_id},F3,2026-01-01T12:00:00,{first},100,ROOM,,",  # no zone
        f"{mall.store_id},F4,{TIME},{first},1o0,ROOM,,",
        f"{mall.store_id},F5,{TIME},mbr_00000000000000000000000000000000,100,ROOM,,",
        f"{mall.store_id},F6,{TIME},{second},5000,ROOM,,",
    ]
    folios.write_text("\n".join([head, *lines]), encoding="utf-8")
    report = await mall.take(folios, "hotel-folio")
    assert [(line["receipt_no"], line["outcome"], line["points"], line["reason"]) for line in report] == [
        ("F1", "recorded, points wait", "1000", ""),
        ("F2", "recorded, points wait", "300", ""),
        ("F3", "refused", "", "ROW_INVALID"),
        ("F4", "refused", "", "ROW_INVALID"),
        ("F5", "refused", "", "MEMBER_UNKNOWN"),
        ("F6", "recorded, points wait", "50", ""),
    ]
    # After a break the whole file is sent again: the same answers, counted once.
    again = await mall.take(folios, "hotel-folio")
    assert [line["outcome"] for line in again if line["outcome"] != "refused"] == ["recorded before, points wait"] * 3

    notices = tmp_path / "notices.ndjson"
    sold = {
        "store_id": mall.store_id,
        "sale_time": TIME,
        "member_id": first,
        "total": {"amount_minor": 100_000, "currency_code": "CNY"},
        "lines": [{"line_no": 1, "amount_minor": 100_000}],
    }
    rows: list[Any] = [
        sold | {"receipt_no": "n1", "origin": {"payment_provider": "wechat-pay", "payment_id": "p1"}},
        sold | {"receipt_no": "n2", "origin": {"payment_provider": "wechat-pay", "payment_id": "p2"}},
        sold | {"receipt_no": "n3", "no_such_field": 1},
    ]
    notices.write_bytes(b"\n".join([*map(orjson.dumps, rows), b"{", b"[]", b""]))
    report = await mall.take(notices, "payment-notice")
    assert [(line["receipt_no"], line["outcome"], line["points"]) for line in report] == [
        ("n1", "duplicate", "0"),
        ("n2", "recorded", "1000"),
        ("n3", "refused", ""),
        ("", "refused", ""),
        ("", "refused", ""),
    ]
    assert report[0]["sale_id"] == again[0]["sale_id"]
    assert report[2]["reason"] == "INVALID_ARGUMENT"
    balance = await mall.outside.done("GET", f"/v1/members/{first}/balance")
    assert (balance["available_points"], balance["pending_points"]) == (1_000, 1_000)
    # The desk says that the guest has left, and what is to be decided is listed over HTTP too.
    confirmed = await mall.outside.done(
        "POST", "/v1/sales:confirm", store_id=mall.store_id, source="hotel-folio", receipt_no="F1"
    )
    assert confirmed["activated_points"] == 1_000
    listed = await mall.outside.done("GET", "/v1/sale-cases?state=SALE_CASE_STATE_OPEN")
    assert sorted(case["receipt_no"] for case in listed["cases"]) == ["F2", "F6"]
    progress = await mall.outside.done("GET", f"/v1/stores/{mall.store_id}/devices/till-1/progress?newest_seq=2")
    assert progress["missing_seqs"] == [1, 2]


async def test_command_says_what_became_of_the_file(mall: Mall, tmp_path: Path) -> None:
    file = tmp_path / "bill.csv"
    file.write_text(
        "store_id,receipt_no,sale_time,member_id,amount_minor\n"
        f"{mall.store_id},B1,{TIME},{mall.members[0]},10000\n{mall.store_id},B2,{TIME},,10000\n",
        encoding="utf-8",
    )
    key = {"HUITONG_IMPORT_KEY_ID": mall.outside.key_id, "HUITONG_IMPORT_SECRET": mall.outside.secret}
    command = ["sales", "import", str(file), "--source", "office-bill", "--url", mall.url]
    result = await asyncio.to_thread(CliRunner().invoke, huitong, command, env=key)
    assert result.exit_code == 1
    assert "1 recorded" in result.output and "1 refused" in result.output
    report = list(csv.DictReader((tmp_path / "bill.csv.report.csv").open(encoding="utf-8")))
    assert [(line["outcome"], line["points"]) for line in report] == [("recorded", "100"), ("refused", "")]
    result = await asyncio.to_thread(CliRunner().invoke, huitong, command, env={"HUITONG_IMPORT_SECRET": ""})
    assert result.exit_code == 1
    file.write_text("store_id,receipt_no\n", encoding="utf-8")
    result = await asyncio.to_thread(CliRunner().invoke, huitong, command, env=key)
    assert result.exit_code == 1
