"""The gateway in front of real points: two people adjust a member's points, who then sees why, all over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from chassis import ids
from gateway.app import App, Parts, mount
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import Apps, internal, member
from tests.integration.test_gateway_with_org import Outside
from tests.people import People, grant
from tests.support import Sandbox


class Door(Outside):
    """The group's first key, and the services behind the door."""

    def __init__(self, client: httpx.AsyncClient, made: org_pb2.CreateGroupResponse, apps: Apps) -> None:
        super().__init__(client, made.system_credential.key_id, made.secret)
        self.apps, self.group_id = apps, ids.from_edge("grp", made.group.group_id, "group_id")

    async def approved(self, path: str) -> Any:
        """The answer to an administrator of the group who posts there."""
        people = People(self.apps)
        people.db = self.apps.running["org"].db
        administrator = await people.enrol(grant("GROUP_ADMIN"), group_id=self.group_id)
        headers = {"authorization": f"Bearer {await people.log_in(administrator, group_code='door')}"}
        answer = await self.client.post(path, json={"request_id": ids.new().hex}, headers=headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest_asyncio.fixture
async def first(sandbox: Sandbox) -> AsyncIterator[Door]:
    apps = Apps(sandbox)
    await apps.start("org", "member", "points")
    parts, app = Parts.of(apps.settings), App()
    mount(app, parts)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway")
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id="create-door", code="door", name="Door")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    try:
        yield Door(client, made, apps)
    finally:
        await client.aclose()
        await parts.upstream.close()
        await parts.gate.close()
        await apps.stop()


async def test_a_key_asks_for_points_and_a_person_not_another_key_gives_them(first: Door) -> None:
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
    assert [each["field"] for each in refused.json()["errors"]] == ["rule_set.pending_days"]
    coffee = {"rule_id": "coffee", "kind": "RULE_KIND_OFFER", "bonus_bps": 1, "condition": "sale.hours < 9"}
    refused = await first.call("POST", "/v1/rule-sets", rule_set=rule_set | {"rules": [*rule_set["rules"], coffee]})
    (mistake,) = refused.json()["errors"]
    place = (mistake["field"], mistake["part_id"], mistake["column"])
    assert place == ("rule_set.rules[1].condition", "coffee", 5)
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
    for caller in (first, second):
        refused = await caller.call("POST", f"{door}:approve")
        assert (refused.status_code, refused.json()["reason"]) == (403, "SECOND_PERSON_REQUIRED")
    approved = await first.approved(f"{door}:approve")
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


async def test_a_till_s_key_takes_stored_value_of_who_shows_a_code(first: Door) -> None:
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
    stores, tills, merchants = [], [], []
    for code in ("A", "B"):
        merchant = await first.done("POST", "/v1/merchants", code=code, name=code, business_unit_id=unit_id)
        merchants.append(merchant["merchant"]["merchant_id"])
        store = await first.done("POST", "/v1/stores", code=code, name=code, merchant_id=merchants[-1])
        stores.append(store["store"]["store_id"])
        terminal = await first.done("POST", "/v1/terminals", code=code, store_id=stores[-1])
        subject_id = terminal["terminal"]["terminal_id"]
        key = await first.done("POST", "/v1/credentials", kind="CREDENTIAL_KIND_TERMINAL", subject_id=subject_id)
        tills.append(Outside(first.client, key["credential"]["key_id"], key["secret"]))
    ladder = [{"code": "BASIC", "name": "Basic", "min_growth": 0, "earn_multiplier_bps": 10000}]
    await first.done("POST", "/v1/tier-ladder", tiers=ladder)
    joined = await first.done("POST", "/v1/members", phone="+8613800000001")
    member_id = joined["member"]["member_id"]
    card = await first.done(
        "POST",
        "/v1/currencies",
        kind="CURRENCY_KIND_STORED_VALUE",
        code="CARD",
        name="Card",
        name_zh="储值卡",
        money_code="CNY",
    )
    currency_id = card["currency"]["currency_id"]
    await first.done(
        "POST",
        f"/v1/members/{member_id}/top-ups",
        currency_id=currency_id,
        merchant_id=merchants[0],
        paid={"amount_minor": 5_000, "currency_code": "CNY"},
        payment_reference="pay-1",
    )
    code = await first.apps.call(
        first.apps.stub(member_pb2_grpc.MemberServiceStub, "member").GetMemberCode,
        member_pb2.GetMemberCodeRequest(member_id=member_id),
        member(member_id, first.group_id),
    )

    paying = {"store_id": stores[0], "currency_id": currency_id, "points": 3_000, "reference": "receipt-1"}
    shown = paying | {"member_code": code.member_code}
    refused = await tills[1].call("POST", "/v1/till-payments", **shown)
    assert (refused.status_code, refused.json()["reason"]) == (403, "NOT_YOURS")
    refused = await tills[0].call("POST", "/v1/till-payments", **paying, member_id=member_id)
    assert (refused.status_code, refused.json()["reason"]) == (422, "SPENDING_NEEDS_CODE")
    refused = await tills[0].call("POST", "/v1/till-payments", **shown | {"points": 5_001})
    assert (refused.status_code, refused.json()["reason"]) == (422, "INSUFFICIENT_POINTS")
    paid = await tills[0].done("POST", "/v1/till-payments", **shown)
    assert (paid["member_id"], paid["points"], paid["available_points"]) == (member_id, 3_000, 2_000)
    refused = await tills[0].call("POST", "/v1/till-payments", **shown)
    assert refused.json()["reason"] == "MEMBER_CODE_USED"

    back = {"member_id": member_id, "currency_id": currency_id, "payment_txn_id": paid["txn_id"]}
    refused = await tills[1].call("POST", "/v1/till-payments:refund", store_id=stores[1], **back)
    assert (refused.status_code, refused.json()["reason"]) == (404, "TILL_PAYMENT_UNKNOWN")
    refund = await tills[0].done("POST", "/v1/till-payments:refund", store_id=stores[0], points=1_000, **back)
    assert (refund["points"], refund["available_points"]) == (1_000, 3_000)
    rest = await tills[0].done("POST", "/v1/till-payments:refund", store_id=stores[0], **back)
    assert (rest["points"], rest["available_points"]) == (2_000, 5_000)
