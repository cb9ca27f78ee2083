"""Webhooks' pure parts: signatures, waiting, addresses; and what the courier makes of names and certificates."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from buf.validate import validate_pb2
from chassis import ids
from huitong.common.v1 import types_pb2
from huitong.member.v1 import events_pb2 as member_events
from huitong.member.v1 import member_pb2
from huitong.org.v1 import webhooks_pb2 as pb
from huitong.points.v1 import events_pb2 as points_events
from services.org.webhooks import convert, rules
from services.org.webhooks import courier as courier_module
from services.org.webhooks.courier import Courier
from services.org.webhooks.errors import WebhookUrlRefused


def test_a_signature_is_the_one_that_the_standard_s_libraries_make() -> None:
    made = rules.signature_of(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        webhook_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_waits_grow_to_six_hours_and_are_spread() -> None:
    waits = [rules.wait_seconds(count, first_seconds=5, chance=0.5) for count in range(1, 10)]
    assert waits == [5, 20, 80, 320, 1280, 5120, 20480, 21600, 21600]
    assert rules.wait_seconds(500, first_seconds=5, chance=0.5) == 21600
    spread = [rules.wait_seconds(1, first_seconds=5, chance=chance) for chance in (0.0, 1.0)]
    assert spread == pytest.approx([4, 6])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
        "169.254.169.254",  # clouds' metadata
        "100.100.100.200",  # another cloud's, in the range that carriers share
        "168.63.129.16",  # one cloud's own service, at a public address
        "192.0.0.192", "198.18.0.1", "192.0.2.1", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "192.88.99.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::7f00:1",
        "2002:7f00:1::", "2002:a9fe:a9fe::1",  # 6to4 around 127.0.0.1 and 169.254.169.254
        "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1",  # NAT64
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",  # Teredo
        "localhost", "0x7f.1", "2130706433", "",
    ],
)  # fmt: skip
def test_an_address_that_leads_inwards_is_refused(address: str) -> None:
    assert not rules.is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "::ffff:1.1.1.1", "64:ff9b::101:101", "2606:4700::1111"]
)
def test_an_address_of_the_internet_is_not(address: str) -> None:
    assert rules.is_public(address)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://partner.example/huitong", ""),
        ("https://partner.example:8443/huitong?a=1", ""),
        ("http://partner.example/", "https"),
        ("ftp://partner.example/", "https"),
        ("https:///path", "host"),
        ("https://user@partner.example/", "user name"),
        ("https://user:secret@partner.example/", "user name"),
        ("https://partner.example/#part", "fragment"),
        ("https://partner.example:22/", "port"),
        ("https://partner.example:80/", "port"),
    ],
)
def test_which_urls_may_be_called(url: str, problem: str) -> None:
    found = rules.url_problem(httpx.URL(url), is_local=False)
    assert (problem in found) if problem else found == ""


def test_the_contract_lists_what_is_published_and_every_published_field_exists() -> None:
    for request in (pb.CreateWebhookEndpointRequest, pb.UpdateWebhookEndpointRequest):
        options = request.DESCRIPTOR.fields_by_name["event_types"].GetOptions()
        items: Any = options.Extensions[validate_pb2.field].repeated.items  # type: ignore[index]
        assert list(getattr(items.string, "in")) == list(convert.PUBLISHED)
    for type_name, (message, _) in convert.PUBLISHED.items():
        convert.data_of(type_name, message())


def test_what_leaves_the_house_is_what_is_listed_and_nothing_personal() -> None:
    joined = member_events.MemberJoined(
        member_id="mbr_1", card_no="9654787819067093", birth_month=7, tier=member_pb2.Tier(code="GOLD", min_growth=5)
    )
    assert convert.data_of("member.joined", joined) == {"member_id": "mbr_1", "tier_code": "GOLD"}
    sale = points_events.SaleRecorded(
        sale_id="txn_1",
        total=types_pb2.Money(amount_minor=2**52, currency_code="CNY"),
        business_date=types_pb2.BusinessDate(year=2026, month=1, day=31),
    )
    sale.sale_time.FromDatetime(datetime(2026, 1, 31, 1, 30, tzinfo=UTC))
    event_id = ids.new()
    time = datetime(2026, 1, 31, 9, 30, 0, 250000, tzinfo=UTC)
    data = convert.data_of("sale.recorded", sale)
    body = convert.envelope(event_id=event_id, group_id=event_id, type_name="sale.recorded", time=time, data=data)
    assert orjson.loads(body) == {
        "id": f"evt_{event_id.hex}",
        "type": "sale.recorded",
        "timestamp": "2026-01-31T09:30:00.250000Z",
        "group_id": f"grp_{event_id.hex}",
        "data": {
            "sale_id": "txn_1", "member_id": "", "store_id": "", "merchant_id": "", "business_unit_id": "",
            "receipt_no": "",
            "sale_time": "2026-01-31T01:30:00Z", "business_date": {"year": 2026, "month": 1, "day": 31},
            "total": {"amount_minor": 2**52, "currency_code": "CNY"},
        },
    }  # fmt: skip


class Names:
    """A resolver that answers one list after the other, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), 0

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


async def test_a_name_that_changes_its_address_after_it_was_checked_is_not_called() -> None:
    names = Names(["93.184.216.34"], ["127.0.0.1"])
    courier = Courier(timeout_s=5, resolve=names.resolve)
    try:
        await courier.check("https://partner.example/")
        answer = await courier.post("https://partner.example/", {}, b"{}")
        assert (answer.status, answer.error, names.asked) == (0, rules.ADDRESS_REFUSED, 2)
        mixed = Courier(timeout_s=5, resolve=Names(["93.184.216.34", "10.0.0.1"]).resolve)
        with pytest.raises(WebhookUrlRefused):
            await mixed.check("https://partner.example/")
        await mixed.close()
    finally:
        await courier.close()


class SlowNames:
    """The system's resolver: names of `slow.example` get no answer before the end."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.end, self.asked = threading.Event(), list[str]()
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        monkeypatch.setattr(courier_module, "RESOLVE_SECONDS", 1.0)

    def _look_up(self, host: str, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        if host.endswith("slow.example"):
            self.end.wait(60)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]


@pytest_asyncio.fixture
async def partner() -> AsyncIterator[int]:
    """The port of somebody who takes everything."""

    async def hear(_: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.router.add_post("/", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


SLOW = {
    "one name, tried again and again": ["slow.example"] * 40,
    "many names": [f"{number}.slow.example" for number in range(40)],
}


@pytest.mark.parametrize("hosts", SLOW.values(), ids=SLOW)
async def test_names_that_take_long_hold_up_nobody_else(
    hosts: list[str], partner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = SlowNames(monkeypatch)
    courier = Courier(timeout_s=5, is_local=True)
    try:
        slow = await asyncio.gather(*(courier.post(f"http://{host}/", {}, b"{}") for host in hosts))
        assert {(answer.status, answer.error) for answer in slow} == {(0, "HOST_UNKNOWN")}
        assert (await courier.post(f"http://partner.example:{partner}/", {}, b"{}")).status == 200
        assert sorted(names.asked) == sorted({*hosts, "partner.example"}), "each name holds one thread"
    finally:
        names.end.set()
        await courier.close()


async def test_addresses_that_are_tried_out_hold_up_nothing_that_is_sent(
    partner: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = SlowNames(monkeypatch)
    courier = Courier(timeout_s=5, is_local=True)
    tried = [courier.check(f"http://{number}.slow.example/") for number in range(300)]
    try:
        refused = await asyncio.gather(*tried, return_exceptions=True)
        assert {type(each) for each in refused} == {WebhookUrlRefused}
        assert len(names.asked) == courier_module.CHECKING_LOOKUPS
        assert (await courier.post(f"http://partner.example:{partner}/", {}, b"{}")).status == 200
    finally:
        names.end.set()
        await courier.close()


async def test_a_name_that_was_slow_is_asked_for_anew(partner: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = SlowNames(monkeypatch)
    courier = Courier(timeout_s=5, is_local=True)
    try:
        url = f"http://slow.example:{partner}/"
        for _ in range(2):
            assert (await courier.post(url, {}, b"{}")).error == "HOST_UNKNOWN"
        assert len(names.asked) == 1, "its first lookup still goes on"
        names.end.set()
        assert (await courier.post(url, {}, b"{}")).status == 200
        known = len(names.asked)
        assert (await courier.post(url, {}, b"{}")).status == 200
        assert len(names.asked) == known + 1, "no answer is kept"
    finally:
        await courier.close()


@pytest.mark.parametrize(
    "url",
    ["https://localhost/", "https://127.0.0.1/", "https://[::1]/", "https://127.1/", "https://2130706433/", "https://0/",
     "https://[::ffff:169.254.169.254]/", "https://localhost./", "http://1.1.1.1/", "https://x:99999/", "https://[::"],
)  # fmt: skip
async def test_real_names_and_strange_spellings_of_our_own_machine_are_refused(url: str) -> None:
    courier = Courier(timeout_s=5)
    try:
        with pytest.raises(WebhookUrlRefused):
            await courier.check(url)
        assert not (await courier.post(url, {}, b"{}")).is_success
    finally:
        await courier.close()


@pytest.fixture
async def tls(tmp_path: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """A server with a certificate for partner.example, and the trust in it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "partner.example")])
    names: list[Any] = [x509.DNSName("partner.example")]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "server.pem").write_bytes(private + pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")

    async def hear(request: web.Request) -> web.Response:
        return web.Response(text=request.headers["host"])

    app = web.Application()
    app.router.add_post("/", hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    yield runner.addresses[0][1], ssl.create_default_context(cadata=pem.decode())
    await runner.cleanup()


async def test_the_certificate_is_the_name_s_though_an_address_is_connected_to(tls: tuple[int, ssl.SSLContext]) -> None:
    port, trust = tls
    # Nobody listens at the first address: the next one is tried.
    courier = Courier(timeout_s=5, is_local=True, trust=trust, resolve=Names(["127.0.0.9", "127.0.0.1"]).resolve)
    try:
        answer = await courier.post(f"https://partner.example:{port}/", {}, b"{}")
        assert (answer.status, answer.excerpt) == (200, f"partner.example:{port}")
        other = await courier.post(f"https://another.example:{port}/", {}, b"{}")
        assert (other.status, other.error) == (0, "TLS_FAILED")
    finally:
        await courier.close()


@pytest.mark.parametrize(
    ("start_days", "enable_days", "is_over"),
    [
        (2.9, None, False),
        (3, None, True),
        # the endpoint was enabled before it began, and since then
        (3, 5, True),
        (5, 3, True),
        (5, 2.9, False),
        (5, 0, False),
    ],
)
def test_an_event_is_tried_for_three_days_since_its_endpoint_was_enabled(
    start_days: float, enable_days: float | None, is_over: bool
) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    enable_time = None if enable_days is None else now - timedelta(days=enable_days)
    assert rules.is_over(now - timedelta(days=start_days), now, enable_time=enable_time) is is_over
