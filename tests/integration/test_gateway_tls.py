"""A machine's key that works only beside its client certificate, over real TLS."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.config import SettingsError, load_settings
from chassis.errors import from_rpc_error
from gateway.__main__ import server
from gateway.auth.signing import sign_request
from huitong.org.v1 import org_pb2, org_pb2_grpc
from tests.apps import Apps, internal
from tests.integration.test_gateway_with_org import Outside
from tests.support import Sandbox


class Authority:
    """Signs certificates, and writes them as PEM files."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.file = folder / f"{name}.pem"
        own = self._build(self._name, self._key).add_extension(x509.BasicConstraints(True, 0), True)
        self.file.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> Issued:
        """A certificate for a client, or for a server at 127.0.0.1."""
        key = ec.generate_private_key(ec.SECP256R1())
        address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        certificate = self._build(subject, key).add_extension(address, False).sign(self._key, hashes.SHA256())
        files = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
        return Issued(str(files[0]), str(files[1]), certificate.fingerprint(hashes.SHA256()).hex())

    def _build(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(hours=1))
        )


@dataclass
class Issued:
    """Files of a certificate and its key, and its fingerprint."""

    certificate: str
    key: str
    sha256: str


class Town:
    """A gateway with all doors."""

    def __init__(self, folder: Path, plain: str, secure: str, authority: Authority, rpcs: str) -> None:
        self.folder, self.plain, self.secure, self.authority, self.rpcs = folder, plain, secure, authority, rpcs

    def client(self, shown: Issued | None) -> httpx.AsyncClient:
        """A machine at the TLS door, with a certificate or without."""
        context = ssl.create_default_context(cafile=str(self.authority.file))
        if shown:
            context.load_cert_chain(shown.certificate, shown.key)
        return httpx.AsyncClient(base_url=self.secure, verify=context, trust_env=False)


@pytest_asyncio.fixture
async def town(apps: Apps, sandbox: Sandbox, tmp_path: Path) -> AsyncIterator[Town]:
    await apps.start("org")
    authority, ports = Authority(tmp_path, "ours"), [sandbox.free_port() for _ in range(3)]
    own = authority.issue("gateway")
    files = {"tls_certificate": own.certificate, "tls_key": own.key, "tls_client_ca": str(authority.file)}
    where = {"gateway_port": ports[0], "tls_port": ports[1], "gateway_grpc_port": ports[2]}
    both = server(apps.settings.model_copy(update={**where, **files}))
    serving = asyncio.create_task(both.serve())
    while not (both.started and both.beside and both.beside.started):
        await asyncio.sleep(0.01)
    plain, secure = f"http://127.0.0.1:{ports[0]}", f"https://127.0.0.1:{ports[1]}"
    yield Town(tmp_path, plain, secure, authority, f"127.0.0.1:{ports[2]}")
    both.should_exit = True
    await serving
    assert not both.beside.servers[0].is_serving()


async def test_a_key_with_a_certificate_works_beside_it_only(town: Town, apps: Apps) -> None:
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id="create-tls", code="tls", name="TLS")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    mine, next_one, other = (town.authority.issue(name) for name in ("till-1", "till-1-next", "till-2"))
    stranger = Authority(town.folder, "theirs").issue("till-1-theirs")
    async with (
        httpx.AsyncClient(base_url=town.plain, trust_env=False) as plain,
        town.client(mine) as secure,
        town.client(next_one) as renewed,
        town.client(other) as wrong,
    ):
        system = Outside(plain, made.system_credential.key_id, made.secret)
        key = await system.done("POST", "/v1/credentials", kind="CREDENTIAL_KIND_SYSTEM")
        key_id, secret = key["credential"]["key_id"], key["secret"]
        door, path = f"/v1/credentials/{key_id}:setCertificates", "/v1/credentials"
        bad = await system.call("POST", door, certificate_sha256=[mine.sha256, mine.sha256])
        assert (bad.status_code, bad.json()["reason"]) == (400, "INVALID_ARGUMENT")
        set_to = [mine.sha256, next_one.sha256]
        answer = await system.done("POST", door, certificate_sha256=set_to)
        assert answer["credential"]["certificate_sha256"] == set_to
        for client in (secure, renewed):
            assert (await Outside(client, key_id, secret).call("GET", path)).status_code == 200
        # A certificate alone is nobody, and the signature is still looked at first.
        assert (await secure.get(path)).json()["reason"] == "UNAUTHENTICATED"
        assert (await Outside(secure, key_id, "another").call("GET", path)).json()["reason"] == "SIGNATURE_INVALID"
        for client in (plain, wrong):
            refused = await Outside(client, key_id, secret).call("GET", path)
            assert (refused.status_code, refused.json()["reason"]) == (401, "CERTIFICATE_NEEDED")
        # Nobody says in a header what only the handshake can.
        signed: dict[str, Any] = {"x-client-cert": mine.sha256, "x-forwarded-client-cert": mine.sha256}
        plain.headers.update(signed)
        assert (await Outside(plain, key_id, secret).call("GET", path)).status_code == 401
        # A key that needs none works at both doors.
        assert (await system.call("GET", path)).status_code == 200
        assert (await Outside(secure, system.key_id, system.secret).call("GET", path)).status_code == 200
        await system.done("POST", f"/v1/credentials/{key_id}:revoke")
        refused = await system.call("POST", door, certificate_sha256=[])
        assert (refused.status_code, refused.json()["reason"]) == (422, "CREDENTIAL_REVOKED")
    for shown in (None, stranger):
        async with town.client(shown) as client:
            with pytest.raises(httpx.TransportError):
                await client.get("/healthz")


async def test_what_came_by_tls_is_to_come_by_tls_for_a_year(town: Town) -> None:
    async with town.client(town.authority.issue("till-3")) as secure, httpx.AsyncClient(trust_env=False) as plain:
        for path in ("/healthz", "/docs", "/openapi.json", "/v1/credentials", "/v1/nothing"):
            answer = await secure.get(path)
            assert answer.headers.get_list("strict-transport-security") == ["max-age=31536000"], path
            assert answer.headers.get_list("x-content-type-options") == ["nosniff"], path
            assert "strict-transport-security" not in (await plain.get(town.plain + path)).headers


async def test_what_is_no_http_is_refused_with_the_same_headers(town: Town) -> None:
    context = ssl.create_default_context(cafile=str(town.authority.file))
    shown = town.authority.issue("till-4")
    context.load_cert_chain(shown.certificate, shown.key)
    for url, by_tls in ((httpx.URL(town.plain), None), (httpx.URL(town.secure), context)):
        reader, writer = await asyncio.open_connection(url.host, url.port, ssl=by_tls)
        writer.write(b"GET / HTTP/one\r\n\r\n")
        answer = (await reader.read()).decode()
        writer.close()
        assert answer.startswith("HTTP/1.1 400 Bad Request\r\n") and answer.endswith(
            "\r\n\r\nInvalid HTTP request received."
        )
        for name in ("x-content-type-options", "content-security-policy", "referrer-policy", "cache-control"):
            assert answer.count(f"\r\n{name}: ") == 1
        assert answer.count("strict-transport-security") == (1 if by_tls else 0)


def test_the_three_files_come_together(apps_settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=r"TLS_CLIENT_CA: .*come together"):
        load_settings(**apps_settings, tls_certificate="a.pem")


@pytest.fixture
def apps_settings(sandbox: Sandbox) -> dict[str, Any]:
    return {name.removeprefix("HUITONG_").lower(): value for name, value in sandbox.environment.items()}


async def test_grpc_calls_come_by_tls_and_a_key_with_a_certificate_does_not(town: Town, apps: Apps) -> None:
    structure = apps.stub(org_pb2_grpc.StructureServiceStub, "org")
    request = org_pb2.CreateGroupRequest(request_id="create-rpcs", code="rpcs", name="RPCs")
    made = await apps.call(structure.CreateGroup, request, internal("suite"))
    rpc = "/huitong.org.v1.StructureService/CreateBusinessUnit"
    unit: dict[str, Any] = {"code": "MALL", "name": "商场", "kind": org_pb2.UNIT_KIND_MALL}
    create = org_pb2.CreateBusinessUnitRequest(
        request_id="create-unit-1", **unit, time_zone="Asia/Shanghai", currency_code="CNY"
    )

    async def call(channel: grpc.aio.Channel, key_id: str, secret: str) -> Any:
        wire = create.SerializeToString()
        signed = sign_request(key_id=key_id, secret=secret, method="POST", path=rpc, query="", body=wire)
        answer = await channel.unary_unary(rpc)(
            wire, metadata=(("authorization", signed["Authorization"]),), timeout=10
        )
        return org_pb2.CreateBusinessUnitResponse.FromString(answer).business_unit

    trusted = grpc.ssl_channel_credentials(town.authority.file.read_bytes())
    async with (
        grpc.aio.secure_channel(town.rpcs, trusted) as secure,
        grpc.aio.insecure_channel(town.rpcs) as plain,
        httpx.AsyncClient(base_url=town.plain, trust_env=False) as client,
    ):
        found = await call(secure, made.system_credential.key_id, made.secret)
        assert (found.code, found.name) == ("MALL", "商场")
        with pytest.raises(grpc.RpcError):
            await call(plain, made.system_credential.key_id, made.secret)
        system = Outside(client, made.system_credential.key_id, made.secret)
        key = await system.done("POST", "/v1/credentials", kind="CREDENTIAL_KIND_SYSTEM")
        key_id = key["credential"]["key_id"]
        mine = town.authority.issue("till-9")
        await system.done("POST", f"/v1/credentials/{key_id}:setCertificates", certificate_sha256=[mine.sha256])
        with pytest.raises(grpc.RpcError) as refused:
            await call(secure, key_id, key["secret"])
        assert from_rpc_error(refused.value).reason == "CERTIFICATE_NEEDED"
