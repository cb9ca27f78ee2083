"""The README's walk, over HTTP: join, log in, sell, see why, spend at a till, park, look at a statement."""

from __future__ import annotations

import asyncio
import re
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson
import pytest

from chassis.config import SERVICES
from gateway.auth.signing import sign_request
from suite.demo import published
from suite.demo.doors import Key
from tests.collector import Collector
from tests.e2e.demo_suite import DemoSuite
from tests.e2e.written import PEOPLE, SECRETS, SHORT, Used, files, leaks, rows, strays
from tests.people import totp

pytestmark = pytest.mark.timeout(300)
PHONE, EMAIL = "+8613900000001", "wan.er@guests.example"
NAME, SECOND_NAME = "欧阳婉儿", "Ouyang Wan'er"
TIME = "2017-01-02T10:00:00+08:00"


# What the tour has said and heard: the last test looks for it in what was written.
USED = Used()


class Walker:
    """Requests that must succeed."""

    def __init__(self, suite: DemoSuite) -> None:
        self.suite, self.memory = suite, suite.memory
        self.till = self.memory.terminal_key("s367")
        self.store_id = self.memory.store_id("s367")

    async def post(
        self, path: str, body: dict[str, Any], *, key: Key | None = None, token: str = "", proof: str = ""
    ) -> dict[str, Any]:
        """POST JSON, signed by `key`, or as the member with `token` (and `proof`), or as nobody."""
        content = orjson.dumps(body)
        headers = {"Content-Type": "application/json"} | ({"Huitong-Proof": proof} if proof else {})
        if key:
            headers |= sign_request(key_id=key.key_id, secret=key.secret, method="POST", path=path, body=content)
        elif token:
            headers["Authorization"] = f"Bearer {token}"
        status, answer, _ = await self.suite.send("POST", path, body=content, headers=headers)
        assert status == 200, answer
        USED.note(body)
        USED.note(answer)
        return answer

    async def get(
        self, path: str, *, key: Key | None = None, token: str = "", proof: str = "", **query: str
    ) -> dict[str, Any]:
        """GET, likewise."""
        text = urlencode(query)
        if key:
            headers = sign_request(key_id=key.key_id, secret=key.secret, method="GET", path=path, query=text)
        else:
            headers = {"Authorization": f"Bearer {token}"} | ({"Huitong-Proof": proof} if proof else {})
        status, answer, _ = await self.suite.send("GET", f"{path}?{text}" if text else path, headers=headers)
        assert status == 200, answer
        USED.note(answer)
        return answer

    async def log_in(self, phone: str = PHONE) -> tuple[str, str]:
        """Log in by phone and one-time code: member id and access token."""
        login = {"group_code": "huitong-demo", "phone": phone}
        await self.post("/v1/login:start", login)
        done = await self.post("/v1/login:complete", {**login, "one_time_code": await self.newest_code(phone)})
        return done["member"]["member_id"], done["tokens"]["access_token"]

    async def newest_code(self, phone: str) -> str:
        """The one-time code that the phone got last."""
        sent = await self.get("/v1/simulator/messages", key=self.memory.system_key, phone=phone)
        code: str = sent["messages"][0]["one_time_code"]
        return code

    async def prove(self, member_id: str, token: str, purpose: str, phone: str = PHONE) -> str:
        """A proof by a code at the phone."""
        path, asked = f"/v1/members/{member_id}/proofs", {"request_id": f"tour-{phone[1:]}", "purpose": purpose}
        await self.post(f"{path}:start", asked, token=token)
        answered = {**asked, "one_time_code": await self.newest_code(phone)}
        done = await self.post(f"{path}:complete", answered, token=token)
        proof: str = done["proof"]
        return proof

    async def introduce(self, member_id: str, token: str, card_no: str) -> None:
        """The member says who they are, the office reads and corrects it, a till finds them by their card."""
        path, system = f"/v1/members/{member_id}/profile", self.memory.system_key
        profile = {"name": NAME, "email": EMAIL, "birthday": {"year": 1988, "month": 1, "day": 17}}
        told = {"request_id": "tour-profile-1", "profile": profile, "update_mask": "name,email,birthday"}
        await self.post(path, told, token=token)
        assert profile.items() <= (await self.get(path, key=system))["profile"].items()
        corrected = {"request_id": "tour-profile-2", "profile": {"name": SECOND_NAME}, "update_mask": "name"}
        await self.post(path, corrected, key=system)
        assert (await self.get(path, token=token))["profile"]["name"] == SECOND_NAME
        assert (await self.post("/v1/members:identify", {"card_no": card_no}, key=self.till))["member_id"] == member_id
        data = await self.get(f"/v1/members/{member_id}/personal-data", token=token)
        assert EMAIL in orjson.dumps(data).decode()

    def sale(self, member_id: str, receipt_no: str, amounts: dict[str, int]) -> dict[str, Any]:
        """A sale with a line for each category."""
        return {
            "request_id": f"tour-sale-{receipt_no}",
            "store_id": self.store_id,
            "receipt_no": receipt_no,
            "sale_time": TIME,
            "member_id": member_id,
            "total": {"amount_minor": sum(amounts.values()), "currency_code": "CNY"},
            "lines": [
                {"line_no": number, "amount_minor": amount, "category": category}
                for number, (category, amount) in enumerate(amounts.items(), start=1)
            ],
        }


async def test_a_member_joins_buys_spends_parks_and_settles(suite: DemoSuite) -> None:
    walker = Walker(suite)
    joined = await walker.post(
        "/v1/members",
        {"request_id": "tour-join-1", "phone": PHONE, "store_id": walker.store_id, "birth_month": 1},
        key=walker.till,
    )
    assert joined["is_new"]
    member_id, token = await walker.log_in()
    assert member_id == joined["member"]["member_id"], "one phone, one member"
    await walker.introduce(member_id, token, joined["member"]["card_no"])

    sold = await walker.post(
        "/v1/sales", walker.sale(member_id, "tour-1", {"PRODUCE": 4800, "GROCERY": 80000}), key=walker.till
    )
    why = await walker.get(f"/v1/members/{member_id}/sales/{sold['sale_id']}", token=token)
    assert why["points"] == sold["points"] == sum(rule["points"] for rule in why["explanation"]["rules"])
    assert {rule["rule_id"] for rule in why["explanation"]["rules"]} == {
        "base",
        "spend-200",
        "fresh",
        "new-shops",
        "birthday",
    }

    code = (await walker.get(f"/v1/members/{member_id}/code", token=token))["member_code"]
    purchase = {
        "store_id": walker.store_id,
        "member_code": code,
        "sale_time": TIME,
        "total": {"amount_minor": 10_000, "currency_code": "CNY"},
        "lines": [{"line_no": 1, "amount_minor": 10_000, "category": "GROCERY"}],
    }
    quote = await walker.post("/v1/checkouts:quote", purchase, key=walker.till)
    assert (quote["max_points"], quote["max_offset"]["amount_minor"]) == (500, 1500)
    commit = {**purchase, "request_id": "tour-checkout-1", "receipt_no": "tour-2", "offset_points": 500}
    checkout = (await walker.post("/v1/checkouts", commit, key=walker.till))["checkout"]
    assert (checkout["state"], checkout["payable"]["amount_minor"]) == ("CHECKOUT_STATE_COMMITTED", 8500)
    assert (await walker.post("/v1/checkouts", commit, key=walker.till))["checkout"] == checkout, (
        "asked twice, done once"
    )

    car = {"car_park_id": walker.memory.units["car-park"], "plate_no": "沪AD12345"}
    await walker.post(
        f"/v1/members/{member_id}/plates", {"request_id": "tour-plate", "plate_no": car["plate_no"]}, token=token
    )
    entry = {"request_id": "tour-entry", **car, "entry_time": "2017-01-02T09:00:00+08:00"}
    await walker.post("/v1/parking/entries", entry, key=walker.memory.vendor_key)
    leave = {"request_id": "tour-exit-1", **car, "exit_time": "2017-01-02T11:40:00+08:00"}
    refused = await walker.post("/v1/parking/exits", leave, key=walker.memory.vendor_key)
    assert (refused["may_leave"], refused["due"]["amount_minor"]) == (False, 2400)
    pay = {"request_id": "tour-pay", **car, "member_id": member_id, "pay_time": leave["exit_time"], "use_points": True}
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    status, unproved, _ = await suite.send("POST", "/v1/parking/fees:pay", body=orjson.dumps(pay), headers=headers)
    assert (status, unproved["reason"]) == (403, "PROOF_NEEDED")
    proof = await walker.prove(member_id, token, "PROOF_SPENDING")
    paid = await walker.post("/v1/parking/fees:pay", pay, token=token, proof=proof)
    assert paid["fee"]["points"] == 800
    leave |= {"request_id": "tour-exit-2", "exit_time": "2017-01-02T11:45:00+08:00"}
    assert (await walker.post("/v1/parking/exits", leave, key=walker.memory.vendor_key))["may_leave"]

    statement = await walker.get(f"/v1/members/{member_id}/statement", token=token)
    kinds = [entry["kind"].removeprefix("MOVEMENT_KIND_") for entry in statement["entries"]]
    assert sorted(kinds) == ["EARN", "EARN", "REDEEM", "REDEEM"]
    balance = await walker.get(f"/v1/members/{member_id}/balance", token=token)
    assert balance["available_points"] == sum(entry["points"] for entry in statement["entries"])

    merchant_id = walker.memory.merchants["parking"]
    async with asyncio.timeout(10):  # settlement follows by events
        while True:
            path = f"/v1/settlement/periods/2017-01/statements/{merchant_id}"
            settled = await walker.get(path, key=walker.memory.system_key)
            if any(
                any(lot["points"] for lot in movement["lots"]) and movement["points"] == 800
                for movement in settled["movements"]
            ):
                break
            await asyncio.sleep(0.05)
    periods = await walker.get("/v1/settlement/periods", key=walker.memory.system_key)
    assert all(period["imbalance_minor"] == 0 for period in periods["periods"])


async def test_what_is_good_for_whoever_holds_it_comes_to_its_member(suite: DemoSuite) -> None:
    walk = Walker(suite)
    till, system, phone = walk.till, walk.memory.system_key, "+8613900000010"
    join = {"request_id": "tour-join-2", "phone": phone, "store_id": walk.store_id, "device_id": "tour-phone-4711"}
    member_id = (await walk.post("/v1/members", join, key=till))["member"]["member_id"]
    _, token = await walk.log_in(phone)
    she = f"/v1/members/{member_id}"
    proof = await walk.prove(member_id, token, "PROOF_SPENDING", phone)
    assert (await walk.get(f"{she}/code-seed", token=token, proof=proof))["seed"]
    assert (await walk.get(f"{she}/referral-code", token=token))["referral_code"]
    await walk.post("/v1/sales", walk.sale(member_id, "tour-bearer-1", {"GROCERY": 300_000}), key=till)

    template = {
        "request_id": "tour-template", "code": "TOUR", "name": "Five yuan off", "amount_off_minor": 500, "quantity": 5,
        "valid_from_time": "2016-01-01T00:00:00Z", "valid_until_time": "2030-01-01T00:00:00Z",
    }  # fmt: skip
    template_id = (await walk.post("/v1/coupon-templates", template, key=system))["template"]["template_id"]
    issue = {"request_id": "tour-coupon", "template_id": template_id, "member_id": member_id}
    coupon_code = (await walk.post("/v1/coupons", issue, key=system))["coupon"]["code"]
    code = (await walk.get(f"{she}/code", token=token))["member_code"]
    purchase = walk.sale(member_id, "tour-bearer-2", {"GROCERY": 10_000}) | {"member_code": code}
    for name in ("member_id", "request_id", "receipt_no"):
        del purchase[name]
    quote = await walk.post("/v1/checkouts:quote", purchase, key=till)
    assert coupon_code in {offer["coupon_code"] for offer in quote["coupons"]}
    commit = {
        **purchase, "request_id": "tour-checkout-2", "receipt_no": "tour-bearer-2", "coupon_code": coupon_code,
        "offset_points": quote["step_points"],
    }  # fmt: skip
    checkout = (await walk.post("/v1/checkouts", commit, key=till))["checkout"]
    assert checkout["state"] == "CHECKOUT_STATE_COMMITTED"
    item = {"request_id": "tour-item", "code": "cup", "name": "Cup", "price_points": 100, "stock": 1,
            "merchant_id": walk.memory.merchants["parking"]}  # fmt: skip
    item_id = (await walk.post("/v1/items", item, key=system))["item"]["item_id"]
    order = {"request_id": "tour-order-1", "member_id": member_id, "item_id": item_id}
    assert (await walk.post("/v1/orders", order, key=system))["order"]["voucher"]["code"]


async def test_a_member_logs_in_through_the_mini_program(suite: DemoSuite) -> None:
    walk = Walker(suite)
    joined = await walk.post(
        "/v1/members",
        {"request_id": "walk-join-mini", "phone": "+8613900000007", "store_id": walk.store_id},
        key=walk.till,
    )
    app = {"app_id": "wx-walk", "app_secret": "walk-app-secret"}
    person = {"app_id": "wx-walk", "phone": "+8613900000007"}
    async with httpx.AsyncClient(base_url=suite.settings.wechat_url) as phone:
        for path, body in (("apps", app), ("people", {"phone": person["phone"]})):
            assert (await phone.post(f"/simulator/{path}", json=body)).status_code == 200
        login_code = (await phone.post("/simulator/login-codes", json=person)).json()["code"]
        phone_code = (await phone.post("/simulator/phone-codes", json=person)).json()["code"]
        USED.note({"login_code": login_code, "phone_code": phone_code})
        # Who the platform says they are, as the member service is told.
        again = (await phone.post("/simulator/login-codes", json=person)).json()["code"]
        asked = {"appid": app["app_id"], "secret": app["app_secret"], "js_code": again}
        USED.note((await phone.get("/sns/jscode2session", params=asked)).json())
    await walk.post("/v1/mini-programs", {"request_id": "walk-mini-program-1", **app}, key=walk.memory.system_key)
    linking = await walk.post("/v1/login:miniProgram", {"app_id": "wx-walk", "login_code": login_code})
    assert set(linking) == {"link_ticket"}
    done = await walk.post(
        "/v1/login:miniProgram",
        {"app_id": "wx-walk", "link_ticket": linking["link_ticket"], "phone_code": phone_code},
    )
    assert done["member"]["member_id"] == joined["member"]["member_id"]
    async with httpx.AsyncClient(base_url=suite.settings.wechat_url) as platform:
        for key in (await platform.get("/simulator/session-keys")).json()["session_keys"]:
            USED.note({"session_key": key})
    token = done["tokens"]["access_token"]
    balance = await walk.get(f"/v1/members/{done['member']['member_id']}/balance", token=token)
    assert balance["available_points"] == 0


async def test_a_hotel_guest_becomes_one_with_the_member_who_she_is(suite: DemoSuite) -> None:
    walk = Walker(suite)
    system, till = walk.memory.system_key, walk.till
    join = {"request_id": "tour-join-one", "phone": "+8613900000008", "store_id": walk.store_id}
    member_id = (await walk.post("/v1/members", join, key=till))["member"]["member_id"]
    await walk.post("/v1/sales", walk.sale(member_id, "tour-one-1", {"GROCERY": 10_000}), key=till)
    file = {
        "request_id": "tour-hotel-file",
        "business_unit_id": walk.memory.units["mall"],
        "scheme": "NUMBER_SCHEME_HOTEL_GUEST",
        "name": "guests.csv",
    }
    import_id = (await walk.post("/v1/member-imports", file, key=system))["member_import"]["import_id"]
    row = {"request_id": "row-1", "number": "H-4711-GUEST", "phone": "+8613900000009"}
    rows = {"request_id": "tour-hotel-rows", "rows": [row]}
    (imported,) = (await walk.post(f"/v1/member-imports/{import_id}/rows", rows, key=system))["results"]
    assert imported["outcome"] == "IMPORT_OUTCOME_NEW"
    guest_id = imported["member_id"]
    await walk.post("/v1/sales", walk.sale(guest_id, "tour-one-2", {"GROCERY": 20_000}), key=till)

    async def merged(path: str, body: dict[str, Any], state: str) -> dict[str, Any]:
        merge = (await walk.post(path, body, key=system))["merge"]
        async with asyncio.timeout(30):
            while merge["state"] != f"MERGE_STATE_{state}":
                await asyncio.sleep(0.05)
                merge = (await walk.get(f"/v1/member-merges/{merge['merge_id']}", key=system))["merge"]
        return merge

    async def points(member_id: str) -> int:
        return (await walk.get(f"/v1/members/{member_id}/balance", key=system))["available_points"]

    apart = (await points(member_id), await points(guest_id))
    body = {"request_id": "tour-merge-1", "survivor_id": member_id, "absorbed_id": guest_id, "reason": "one person"}
    merge = await merged("/v1/member-merges", body, "COMPLETED")
    assert merge["waiting_for"] == []
    found = await walk.post("/v1/members:identify", {"phone": "+8613900000009"}, key=till)
    assert found["member_id"] == member_id
    assert await points(member_id) == sum(apart)
    undo = {"request_id": "tour-unmerge-1", "reason": "two people after all"}
    await merged(f"/v1/member-merges/{merge['merge_id']}:unmerge", undo, "UNMERGED")
    assert (await points(member_id), await points(guest_id)) == apart


def figures(text: str, name: str) -> list[float]:
    """The numbers of a table's row."""
    (row,) = re.findall(rf"^{re.escape(name)} .*$", text, re.MULTILINE)
    return [float(number.replace(",", "")) for number in re.findall(r"[-+]?[\d,]+\.\d+", row)]


async def test_rules_are_simulated_by_command_and_approved_by_another(suite: DemoSuite, tmp_path: Path) -> None:
    walker = Walker(suite)
    double = {"rule_id": "double", "kind": "RULE_KIND_OFFER", "bonus_bps": 10_000, "business_unit_ids": ["{mall}"]}
    rule_set = {
        "effective_date": {"year": 2017, "month": 2, "day": 1},
        "base_points": 1,
        "base_step_minor": 100,
        "expiry_months": 6,
        "offset": {"offset_points": 100, "offset_minor": 300, "max_share_bps": 1_500},
        "rules": [{"rule_id": "base", "kind": "RULE_KIND_BASE"}, double],
    }
    file = tmp_path / "rules.json"
    file.write_bytes(orjson.dumps(rule_set))
    done = suite.run("rules", "simulate", str(file), "--from", "2017-01-01", "--to", "2017-01-01")
    assert done.returncode == 0, done.stderr
    assert "double" in done.stdout
    # What would be owed, and by whom: the points of the mall double, at the same worth.
    before, after, change = figures(done.stdout, "owed ¥")
    assert 0 < before < after == pytest.approx(before + change)
    table = done.stdout.partition("Who would owe it ¥")[2].partition("What each rule gives")[0]
    rows = [figures(table, name) for name in re.findall(r"^(merchant \S+|\d+ others)", table, re.MULTILINE)]
    assert len(rows) > 1
    assert [sum(column) for column in zip(*rows, strict=True)] == pytest.approx([before, after, change])
    found = re.search(r"/v1/rule-drafts/(rdr_[0-9a-f]{32}):approve", done.stdout)
    assert found, done.stdout
    path = f"/v1/rule-drafts/{found[1]}:approve"
    body = orjson.dumps({"request_id": "tour-approve-1"})
    system = walker.memory.system_key
    signed = sign_request(key_id=system.key_id, secret=system.secret, method="POST", path=path, body=body)
    status, refused, _ = await suite.send(
        "POST", path, body=body, headers={"Content-Type": "application/json", **signed}
    )
    assert (status, refused["reason"]) == (403, "SECOND_PERSON_REQUIRED")
    approve = tmp_path / "approve.json"
    approve.write_bytes(body)
    header = suite.run("sign", "POST", path, str(approve), "--as", "approver")
    assert header.returncode == 0, header.stderr
    approved = await walker.post(path, {"request_id": "tour-approve-1"}, token=header.stdout.split()[-1])
    assert approved["draft"]["state"] == "RULE_DRAFT_STATE_PUBLISHED"
    file.write_bytes(orjson.dumps({**rule_set, "rules": [{**double, "condition": "sale.hours < 9"}]}))
    wrong = suite.run("rules", "simulate", str(file))
    assert wrong.returncode == 1
    assert "column 5" in wrong.stderr


async def test_a_member_reaches_only_what_is_their_own(suite: DemoSuite) -> None:
    walker = Walker(suite)
    await asyncio.sleep(0)
    other = next(iter(walker.memory.members.values()))
    headers = {"Authorization": "Bearer forged"}
    status, problem, _ = await suite.send("GET", f"/v1/members/{other}/balance", headers=headers)
    assert (status, problem["reason"]) == (401, "UNAUTHENTICATED")


async def test_an_operator_logs_in(suite: DemoSuite) -> None:
    walker = Walker(suite)
    invite = {
        "request_id": "tour-invite-1",
        "login": "tour",
        "name": "Wang Xiaoming",
        "grants": [{"role": "ROLE_AUDITOR"}],
    }
    invitation = (await walker.post("/v1/operators", invite, key=walker.memory.system_key))["invitation"]
    begun = await walker.post("/v1/operator-enrolment:begin", {"invitation": invitation})
    secret, password = begun["totp_secret"], "correct horse battery"
    enrol = {"invitation": invitation, "password": password, "totp_code": totp(secret)}
    await walker.post("/v1/operator-enrolment:complete", enrol)
    login = {"group_code": "huitong-demo", "login": "tour", "password": password, "totp_code": totp(secret, step=1)}
    session = await walker.post("/v1/operator-sessions", login)
    assert (await walker.get("/v1/operators", token=session["session_token"]))["operators"]


async def test_nothing_of_this_is_in_logs_events_or_traces(suite: DemoSuite, collector: Collector) -> None:
    """Runs last: what the tour used must be in nothing that was written, besides what keeps it for people."""
    walker = Walker(suite)
    # What is refused is not told either: with a person in the body, the query and the path.
    phone = {"request_id": "tour-bad-1", "phone": PHONE + "x", "store_id": PHONE, "birth_month": 99}
    signed = sign_request(
        key_id=walker.till.key_id,
        secret=walker.till.secret,
        method="POST",
        path="/v1/members",
        body=orjson.dumps(phone),
    )
    headers = {"Content-Type": "application/json", **signed}
    assert (await suite.send("POST", "/v1/members", body=orjson.dumps(phone), headers=headers))[0] in (400, 403)
    lost = f"/v1/nowhere/{PHONE}/x?phone={PHONE[1:]}"
    assert (await suite.send("GET", lost, headers={"Authorization": f"Bearer {PHONE}"}))[0] == 404
    wrong = {"group_code": "huitong-demo", "phone": PHONE, "one_time_code": "000000"}
    body = orjson.dumps(wrong)
    status, _, _ = await suite.send(
        "POST", "/v1/login:complete", body=body, headers={"Content-Type": "application/json"}
    )
    assert status in (400, 422)
    home, memory = suite.home.secrets(), suite.memory
    USED.values["secret"] |= {home.server_password, home.internal_key, home.access_key, home.data_key}
    USED.values["secret"] |= {key["secret"] for key in (memory.system, memory.vendor)}
    USED.values["secret"] |= {memory.approver[name] for name in ("password", "totp_secret", "session_token")}
    USED.values["secret"] |= {till["secret"] for till in list(memory.terminals.values())[:5]}
    households = [int(household) for household in list(memory.members)[:10]]
    USED.values["phone"] |= {published.phone_of(each) for each in households}
    USED.values["plate_no"] |= {plate for each in households if (plate := published.plate_of(each))}
    for name in SECRETS - {"code"} | SHORT | PEOPLE - {"new_phone"}:
        assert USED.values[name], f"the tour uses no {name}, so this test shows nothing of it"

    logs = files(suite, "logs")
    assert b"/v1/login:complete" in logs["logs/gateway.log"]
    assert leaks(logs, USED.of(SECRETS, PEOPLE, SHORT)) == []
    traces = await exported(suite, collector)
    assert leaks({"traces": traces}, USED.of(SECRETS, PEOPLE, SHORT)) == []
    events = {**files(suite, "nats"), **await rows(suite, "outbox", "parked_event")}
    assert any(b"huitong.member.v1.MemberJoined" in content for content in events.values())
    assert leaks(events, USED.of(SECRETS, PEOPLE - {"name"})) == []
    # At rest: no secret, and of people only what has to be found again, where it is looked for.
    kept = {**await rows(suite), **files(suite, "valkey")}
    assert strays(kept, USED.of(SECRETS, PEOPLE - {"name"})) == []


async def exported(suite: DemoSuite, collector: Collector) -> bytes:
    """The traces of all parts, up to a last request."""
    trace_id = secrets.token_hex(16)
    await suite.send("GET", "/v1/periods-of-nothing", headers={"traceparent": f"00-{trace_id}-{'1' * 16}-01"})
    wanted = [bytes.fromhex(trace_id), *(f"huitong-{name}".encode() for name in (*SERVICES, "gateway"))]
    async with asyncio.timeout(20):
        while any(each not in collector.traces for each in wanted):
            await asyncio.sleep(0.1)
    return collector.traces
