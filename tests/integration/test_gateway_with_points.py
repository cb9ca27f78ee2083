"""The gateway in front of real points: two people adjust a member's points, who then sees why, all over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from gateway.app import App, Parts, mount
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import Apps, internal
from tests.integration.test_gateway_with_org import Outside
from tests.support import Sandbox


@pytest_asyncio.fixture
async def first(sandbox: Sandbox) -> AsyncIterator[Outside]:
    apps = Apps(sandbox)
    await apps.start("org", "member", "points")
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


async def test_two_keys_of_the_group_adjust_what_a_member_has(first: Outside) -> None:
    unit = await first.done(
        "POST",
        "/v1/business-units",
        code="MALL",
        name="商场",
        kind="UNIT_KIND_MALL",
        time_zone="Asia/Shanghai",
        currency_code="CNY",
    )
    unit_id = unit["business_unit"]["business_unit_id"]
    merchant = await first.done("POST", "/v1/merchants", code="M", name="Grocer", business_unit_id=unit_id)
    merchant_id = merchant["merchant"]["merchant_id"]
    store = await first.done("POST", "/v1/stores", code="S", name="Grocer", merchant_id=merchant_id)
    ladder = [{"code": "BASIC", "name": "Basic", "min_growth": 0, "earn_multiplier_bps": 10000}]
    await first.done("POST", "/v1/tier-ladder", tiers=ladder)
    rule_set: dict[str, Any] = {
        "effective_date": {"year": 2015, "month": 1, "day": 1},
        "base_points": 1,
        "base_step_minor": 100,
        "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE", "name": "Base"}],
        "expiry_months": 12,
        "pending_days": 7,
    }
    refused = await first.call("POST", "/v1/rule-sets", rule_set=rule_set | {"expiry_months": 1, "pending_days": 29})
    assert (refused.status_code, refused.json()["reason"]) == (400, "RULES_INVALID")
    await first.done("POST", "/v1/rule-sets", rule_set=rule_set)
    key = await first.done("POST", "/v1/credentials", kind="CREDENTIAL_KIND_SYSTEM")
    second = Outside(first.client, key["credential"]["key_id"], key["secret"])
    joined = await first.done("POST", "/v1/members", phone="+8613800000001")
    member_id = joined["member"]["member_id"]

    asking = {
        "member_id": member_id,
        "direction": "ADJUSTMENT_DIRECTION_CREDIT",
        "points": 120,
        "merchant_id": merchant_id,
        "reason_code": "GOODWILL",
        "reason_text": "The till was down.",
    }
    asked = (await first.done("POST", "/v1/adjustments", **asking))["adjustment"]
    door = f"/v1/adjustments/{asked['adjustment_id']}"
    refused = await first.call("POST", f"{door}:approve")
    assert (refused.status_code, refused.json()["reason"]) == (403, "SECOND_PERSON_REQUIRED")
    approved = await second.done("POST", f"{door}:approve")
    assert approved["adjustment"]["state"] == "ADJUSTMENT_STATE_APPLIED"
    refused = await second.call("POST", f"{door}:reject")
    assert (refused.status_code, refused.json()["reason"]) == (422, "ADJUSTMENT_DECIDED")
    beyond = await first.call("POST", "/v1/adjustments", **asking | {"points": 2**53})
    assert (beyond.status_code, beyond.json()["reason"]) == (400, "INVALID_ARGUMENT")
    listed = await second.done("GET", "/v1/adjustments?state=ADJUSTMENT_STATE_APPLIED&page_size=5")
    assert [one["adjustment_id"] for one in listed["adjustments"]] == [asked["adjustment_id"]]

    sale = {
        "store_id": store["store"]["store_id"],
        "receipt_no": "r1",
        "sale_time": approved["adjustment"]["decide_time"],
        "member_id": member_id,
        "total": {"amount_minor": 5_000, "currency_code": "CNY"},
        "lines": [{"line_no": 1, "amount_minor": 5_000}],
    }
    sold = await first.done("POST", "/v1/sales", **sale)
    assert (sold["points"], sold["pending_points"], sold["available_points"]) == (50, 50, 120)
    balance = await first.done("GET", f"/v1/members/{member_id}/balance")
    assert (balance["available_points"], balance["pending_points"]) == (120, 50)
    assert balance["next_unlocks"][0]["unlock_time"] == sold["unlock_time"]
    earned, credited = (await first.done("GET", f"/v1/members/{member_id}/statement"))["entries"]
    assert (credited["reason_code"], credited["points"]) == ("GOODWILL", 120)
    assert (earned["unlock_time"], [rule["name"] for rule in earned["rules"]]) == (sold["unlock_time"], ["Base"])
