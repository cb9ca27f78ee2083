"""A payment platform's notices, signed and sealed as it does, through the gateway: paying earns, once."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chassis import ids
from chassis.rpc import internal_caller
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import points_pb2
from services.points.rule_sets.operations import publish_rule_set
from suite.simulators.wechat import WeChatSimulator
from tests.anna import day
from tests.apps import Apps, internal
from tests.integration.points.world import violations
from tests.integration.test_gateway_with_members import Town, gateway
from tests.support import Sandbox

SECRET, PHONE = "a-secret-of-the-app", "+8613800000001"
MALL_NO, API_KEY, SERIAL = "1230000109", "0123456789abcdefghijklmnopqrstuv", "PUB_KEY_ID_0001"
NOW = datetime.now(UTC).replace(microsecond=0)
CSV = """kind,code,name,parent_code,unit_kind,time_zone,currency_code,category,floor
unit,MALL,Mall,,mall,Asia/Shanghai,CNY,,
unit,HK,Harbour,,mall,Asia/Hong_Kong,HKD,,
merchant,M1,Grocer,MALL,,,,supermarket,
merchant,H1,Tailor,HK,,,,clothing,
store,S1,Grocer 1,M1,,,,,L1
store,H1,Tailor 1,H1,,,,,L1
"""


def make_key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


def pem_of(key: RSAPrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Platform:
    """WeChat Pay as far as a mall's notices go, and the mall that gets them."""

    def __init__(self, town: Town, simulator: WeChatSimulator, group_id: UUID, app: str) -> None:
        self.town, self.simulator, self.app, self.key, self.path = town, simulator, app, make_key(), ""
        self.openid = simulator.add_person(PHONE).openid(app)
        self.store_id = ids.to_edge("sto", ids.derive(group_id, "store", "S1"))

    async def register(self, **keys: str) -> dict[str, Any]:
        listed = [
            {"serial": serial, "public_key_pem": pem} for serial, pem in (keys or {SERIAL: pem_of(self.key)}).items()
        ]
        fields = {"mch_id": MALL_NO, "api_v3_key": API_KEY, "platform_keys": listed}
        source: dict[str, Any] = (await self.town.done("POST", "/v1/notice-sources", **fields))["notice_source"]
        self.path = source["path"]
        return source

    def body(self, kind: str, api_key: str = API_KEY, **content: Any) -> bytes:
        nonce, about = "0123456789ab", "transaction"
        plain = json.dumps(content).encode()
        sealed = base64.b64encode(AESGCM(api_key.encode()).encrypt(nonce.encode(), plain, about.encode())).decode()
        resource = {"algorithm": "AEAD_AES_256_GCM", "ciphertext": sealed, "nonce": nonce, "associated_data": about}
        whole = {"id": "EV-1", "event_type": kind, "resource_type": "encrypt-resource", "resource": resource}
        return json.dumps(whole).encode()

    def headers(self, body: bytes, *, at: float | None = None, key: RSAPrivateKey | None = None) -> dict[str, str]:
        timestamp, nonce = str(int(time.time() if at is None else at)), "c5ac7061fccab6bf3e254dcf98995b8c"
        signed = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
        signature = base64.b64encode((key or self.key).sign(signed, PKCS1v15(), SHA256())).decode()
        said = {"timestamp": timestamp, "nonce": nonce, "serial": SERIAL, "signature": signature}
        return {f"Wechatpay-{name}": value for name, value in said.items()} | {"content-type": "application/json"}

    def paid(self, number: str = "4200000001", amount: int = 58_800, **changed: Any) -> bytes:
        content = {
            "mchid": MALL_NO,
            "merchant_name": "Mall",
            "shop_name": "Grocer",
            "shop_number": "S1",
            "appid": self.app,
        }
        content |= {"openid": self.openid, "time_end": NOW.isoformat(), "transaction_id": number}
        return self.body("MALL_TRANSACTION.SUCCESS", **(content | {"amount": amount} | changed))

    def refunded(self, number: str = "4200000001", refund: str = "5030000001", amount: int = 8_800) -> bytes:
        content: dict[str, Any] = {"mchid": MALL_NO, "shop_number": "S1", "appid": self.app, "openid": self.openid}
        content |= {"refund_id": refund}
        content |= {"refund_time": NOW.isoformat(), "transaction_id": number, "pay_amount": 58_800}
        return self.body("MALL_REFUND.SUCCESS", **content, refund_amount=amount)

    async def send(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.town.client.post(self.path, content=body, headers=headers or self.headers(body))

    async def taken(self, body: bytes) -> None:
        answer = await self.send(body)
        assert (answer.status_code, answer.json()) == (200, {"code": "SUCCESS", "message": "OK"})

    async def refused(self, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, str]:
        answer = await self.send(body, headers)
        return answer.status_code, answer.json()["reason"]

    async def log_in(self) -> None:
        """The payer joins through the mall's mini-program."""
        login = {"app_id": self.app, "login_code": self.simulator.login_code(self.app, PHONE)}
        login["phone_code"] = self.simulator.phone_code(self.app, PHONE)
        done = await self.town.client.post("/v1/login:miniProgram", json=login)
        assert done.status_code == 200, done.text
        self.member_id: str = done.json()["member"]["member_id"]
        await self.town.apps.drain()

    async def balance(self) -> int:
        found = await self.town.done("GET", f"/v1/members/{self.member_id}/balance")
        return int(found.get("available_points", 0))

    async def till(self, receipt: str, payment_id: str, amount: int = 58_800) -> dict[str, Any]:
        return await self.town.done(
            "POST",
            "/v1/sales",
            store_id=self.store_id,
            receipt_no=receipt,
            sale_time=NOW.isoformat(),
            member_id=self.member_id,
            total={"currency_code": "CNY", "amount_minor": amount},
            lines=[{"line_no": 1, "amount_minor": amount}],
            origin={"payment_provider": "wechat-pay", "payment_id": payment_id},
        )


@pytest.fixture(scope="module")
async def suite(sandbox: Sandbox) -> AsyncIterator[tuple[Apps, WeChatSimulator]]:
    """Services, and the simulator that they log people in by."""
    simulator, apps = WeChatSimulator(), Apps(sandbox)
    server = uvicorn.Server(uvicorn.Config(simulator.app(), host="127.0.0.1", port=0, log_level="error"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    apps.settings = apps.settings.model_copy(update={"wechat_url": f"http://127.0.0.1:{port}"})
    await apps.start("org", "member", "points")
    yield apps, simulator
    await apps.stop()
    server.should_exit = True
    await serving


@pytest.fixture
async def platform(suite: tuple[Apps, WeChatSimulator]) -> AsyncIterator[Platform]:
    """A group of its own."""
    apps, simulator = suite
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    code = f"town-{ids.new().hex[-8:]}"
    create = org_pb2.CreateGroupRequest(request_id=f"create-{code}", code=code, name="Town")
    made = await apps.call(structure.CreateGroup, create, internal("suite"))
    group_id, app = ids.derive("group", code), f"wx-{code}"
    simulator.add_app(app, SECRET)
    rule_set = points_pb2.RuleSet(
        effective_date=day(NOW - timedelta(days=2)),
        base_points=1,
        base_step_minor=100,
        rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
        expiry_months=24,
    )
    async with gateway(apps) as client:
        town = Town(client, made, apps)
        await town.done("POST", "/v1/structure:import", csv=CSV)
        await apps.drain()
        await town.done("POST", "/v1/mini-programs", app_id=app, app_secret=SECRET)
        async with apps.running["points"].db.transaction(internal_caller("points", group_id)) as tx:
            await publish_rule_set(tx, rule_set)
        yield Platform(town, simulator, group_id, app)
    assert await violations(apps.settings.database_url("points")) == {}


async def test_who_pays_earns_once_and_what_is_given_back_goes(platform: Platform) -> None:
    await platform.register()
    await platform.log_in()
    assert await platform.refused(platform.refunded()) == (404, "SALE_UNKNOWN")  # sent again by the platform
    for _ in range(2):
        await platform.taken(platform.paid())
    assert await platform.balance() == 588
    for _ in range(2):
        await platform.taken(platform.refunded())
    assert await platform.balance() == 500
    assert await platform.refused(platform.refunded(refund="5030000002", amount=50_001)) == (422, "REFUND_EXCEEDS_SALE")
    assert await platform.refused(platform.paid(amount=1)) == (409, "RECEIPT_CHANGED")
    assert await platform.balance() == 500


async def test_a_purchase_that_the_till_sends_too_earns_once_and_its_return_is_the_till_s(platform: Platform) -> None:
    await platform.register()
    await platform.log_in()
    sold = await platform.till("R-1", "4200000001")
    assert sold["points"] == 588, sold
    await platform.taken(platform.paid("4200000001"))
    await platform.taken(platform.refunded("4200000001"))
    assert await platform.balance() == 588
    await platform.taken(platform.paid("4200000002"))
    assert (await platform.till("R-2", "4200000002"))["outcome"] == "SALE_OUTCOME_DUPLICATE"
    assert await platform.balance() == 1176


async def test_who_joins_while_the_platform_goes_on_telling_earns(platform: Platform) -> None:
    await platform.register()
    assert await platform.refused(platform.paid()) == (404, "MEMBER_UNKNOWN")
    await platform.log_in()
    await platform.taken(platform.paid())
    assert await platform.balance() == 588


async def test_what_the_platform_did_not_send_is_refused(platform: Platform) -> None:
    await platform.register()
    await platform.log_in()
    body, other = platform.paid(), platform.paid(amount=999_900)
    forged = (401, "NOTICE_SIGNATURE_INVALID")
    assert await platform.refused(body, {"content-type": "application/json"}) == forged
    assert await platform.refused(other, platform.headers(body)) == forged
    assert await platform.refused(body, platform.headers(body, key=make_key())) == forged
    for seconds in (-301, 400):
        assert await platform.refused(body, platform.headers(body, at=time.time() + seconds)) == forged
    for name, value in (("Serial", "PUB_KEY_ID_0002"), ("Signature", "!"), ("Nonce", "x"), ("Timestamp", "\u00b9")):
        changed = platform.headers(body) | {f"Wechatpay-{name}": value}
        headers = {key: value.encode("latin-1") for key, value in changed.items()}
        assert await platform.refused(body, headers) == forged  # type: ignore[arg-type]
    # Signed by the platform, but meant for others.
    sealed_for_another = platform.body("MALL_TRANSACTION.SUCCESS", api_key="x" * 32, mchid=MALL_NO)
    assert await platform.refused(sealed_for_another) == (400, "NOTICE_INVALID")
    assert await platform.refused(platform.paid(mchid="1230000110")) == (400, "NOTICE_INVALID")
    assert await platform.refused(platform.paid(shop_number="NOWHERE")) == (404, "STORE_UNKNOWN")
    assert await platform.refused(platform.paid(shop_number="H1")) == (400, "CURRENCY_MISMATCH")
    wrong: Any
    for wrong in ({"amount": -1}, {"amount": "x"}, {"time_end": "2026-01-01T10:00:00"}, {"openid": ""}):
        assert await platform.refused(platform.paid(**wrong)) == (400, "NOTICE_INVALID")
    assert await platform.refused(platform.body("MALL_AUTH.ACTIVATE_CARD", x=1)) == (400, "NOTICE_KIND_UNKNOWN")
    for raw in (b"{}", b"[1]", b"\xff\x00", b'{"event_type": "MALL_TRANSACTION.SUCCESS"}'):
        assert await platform.refused(raw) == (400, "NOTICE_INVALID")
    platform.path = f"/v1/notice-sources/nts_{'0' * 32}/notices"
    assert await platform.refused(body) == (404, "NOTICE_SOURCE_UNKNOWN")
    assert await platform.balance() == 0


async def test_the_platform_s_keys_may_overlap_and_secrets_are_not_told(platform: Platform) -> None:
    old, new = platform.key, make_key()
    await platform.register(PUB_KEY_ID_0000=pem_of(new), **{SERIAL: pem_of(old)})
    await platform.log_in()
    await platform.taken(platform.paid())
    source = await platform.register(PUB_KEY_ID_0000=pem_of(new))
    assert source["serials"] == ["PUB_KEY_ID_0000"]
    assert await platform.refused(platform.paid()) == (401, "NOTICE_SIGNATURE_INVALID")
    listed = await platform.town.done("GET", "/v1/notice-sources")
    assert listed == {"notice_sources": [source], "next_page_token": ""} and API_KEY not in json.dumps(listed)
    row = await platform.town.apps.running["points"].db.pool.fetchrow(
        "SELECT sealed_key FROM notice_source ORDER BY update_time DESC LIMIT 1"
    )
    assert row is not None and API_KEY.encode() not in row["sealed_key"]
    small = generate_private_key(public_exponent=65537, key_size=1024)
    for pem in ("-----BEGIN PUBLIC KEY-----" + "x" * 64, pem_of(small)):
        keys = [{"serial": SERIAL, "public_key_pem": pem}]
        fields = {"mch_id": MALL_NO, "api_v3_key": API_KEY, "platform_keys": keys}
        answer = await platform.town.call("POST", "/v1/notice-sources", **fields)
        assert (answer.status_code, answer.json()["reason"]) == (400, "NOTICE_KEY_INVALID")
