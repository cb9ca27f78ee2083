"""The scratch contract's services, and a gateway in front of them, for tests."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
from google.protobuf.message import Message

from chassis.errors import AppError
from chassis.identity import (
    MEMBER_ACCESS,
    MEMBER_ACCESS_SECONDS,
    MEMBER_PROOF,
    MEMBER_PROOF_SECONDS,
    Caller,
    CallerKind,
    TokenBook,
)
from chassis.ids import derive, to_edge
from chassis.rpc import MESSAGE_BYTES
from gateway.app import App, Parts, mount
from gateway.auth.callers import Callers
from gateway.auth.credentials import Credentials
from gateway.auth.signing import sign_request
from gateway.browsers import Browsers
from gateway.contract import Contract
from gateway.limits import Gate, open_valkey
from gateway.upstream import Upstream
from huitong.org.v1 import org_pb2
from tests import gateway_scratch as scratch

KEY = "k" * 40
GROUP = derive("scratch", "group")
STORE, OTHER_STORE = "sto_" + "1" * 32, "sto_" + "2" * 32
PAGE = "https://app.example"
PARK = "unt_" + "5" * 32
MEMBER, OTHER_MEMBER = "mbr_" + "3" * 32, "mbr_" + "4" * 32


class StoreUnknown(AppError):
    """There is no store {store_id}."""

    code, reason, zh = grpc.StatusCode.NOT_FOUND, "STORE_UNKNOWN", "没有门店 {store_id}。"


@dataclass
class Backend:
    """Answers every scratch RPC; `calls` has what came: RPC, request, caller, metadata."""

    calls: list[tuple[str, Any, Caller, dict[str, str]]] = field(default_factory=list)
    answers: dict[str, Callable[[Any], Message]] = field(default_factory=dict)
    port: int = 0
    server: grpc.aio.Server | None = None

    async def start(self) -> None:
        self.server = grpc.aio.server(options=[("grpc.max_receive_message_length", MESSAGE_BYTES)])
        pool = scratch.pool()
        service = pool.FindServiceByName("huitong.scratch.v1.ScratchService")
        handlers = {
            method.name: grpc.unary_unary_rpc_method_handler(
                self._serve(method.name),
                request_deserializer=scratch.message(method.input_type.name).FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
            for method in service.methods
        }
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service.full_name, handlers),))
        self.port = self.server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self.server.start()

    def _serve(self, name: str) -> Any:
        inside = TokenBook(KEY)

        async def serve(request: Any, context: grpc.aio.ServicerContext) -> Message:
            metadata = dict(context.invocation_metadata())
            self.calls.append((name, request, inside.check(metadata["authorization"][7:]), metadata))
            try:
                return self.answers[name](request) if name in self.answers else self._default(name, request)
            except AppError as error:
                from grpc_status import rpc_status

                await context.abort_with_status(rpc_status.to_status(error.to_status()))
                raise

        return serve

    def _default(self, name: str, request: Any) -> Message:
        if name == "RecordSale":
            return scratch.message("RecordSaleResponse")(sale_id=f"sale-{request.receipt_no}", points=0)
        if name == "RecordSales":
            answer = scratch.message("RecordSalesResponse")()
            for sale in request.sales:
                if sale.receipt_no == "REFUSE":
                    problem = {"reason": "RECEIPT_CHANGED", "message": "Changed.", "message_zh": "已变。"}
                    answer.results.add(problem=problem | {"metadata": {"receipt_no": "REFUSE"}})
                else:
                    answer.results.add(sale={"sale_id": f"sale-{sale.receipt_no}", "points": len(sale.lines)})
            return answer
        if name == "GetBalance":
            return scratch.message("GetBalanceResponse")(member_id=request.member_id, points=7)
        if name == "ListSales":
            return scratch.message("ListSalesResponse")(seen=str(request))
        if name == "UpdateKinds":
            return request.kinds
        if name == "GiveAway":
            return scratch.message("RecordSaleResponse")(sale_id=f"gift-{request.points}")
        if name == "CancelSale":
            return scratch.message("RecordSaleResponse")(sale_id=request.sale_id)
        return scratch.message("LoginResponse")(token="t")


@dataclass
class Door:
    """A client of a gateway in front of a backend."""

    client: httpx.AsyncClient
    backend: Backend
    parts: Parts
    credentials: dict[str, org_pb2.GetCredentialSecretResponse]
    lookups: list[str]
    clock: list[float]
    app: App

    def sign(self, method: str, path: str, body: bytes = b"", key_id: str = "key_till", **more: Any) -> dict[str, str]:
        """Headers of a signed request; `more` goes to sign_request."""
        path, _, query = path.partition("?")
        secret = more.pop("secret", f"secret of {key_id}")
        return sign_request(key_id=key_id, secret=secret, method=method, path=path, query=query, body=body, **more)

    async def signed(
        self, method: str, path: str, body: bytes = b"", *, key_id: str = "key_till", **headers: str
    ) -> httpx.Response:
        """Send a signed request with a JSON body, unless `headers` say otherwise."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"content-type": "application/json", **named, **self.sign(method, path, body, key_id)}
        return await self.client.request(method, path, content=body, headers=sent)

    def member(self, member_id: str = MEMBER) -> dict[str, str]:
        """The headers of a member."""
        book = TokenBook(KEY, issuer=MEMBER_ACCESS, lifetime_seconds=MEMBER_ACCESS_SECONDS)
        return {"authorization": f"Bearer {book.mint(Caller(CallerKind.MEMBER, member_id, GROUP, member_id))}"}


def _credential(kind: str, subject: str, bound: str) -> org_pb2.GetCredentialSecretResponse:
    return org_pb2.GetCredentialSecretResponse(
        kind=f"CREDENTIAL_KIND_{kind}",
        group_id=to_edge("grp", GROUP),
        subject_id=subject,
        bound_id=bound,
        scopes={"merchant_id": "mch_1"} if kind == "TERMINAL" else {},
    )


@asynccontextmanager
async def open_door(redis_url: str) -> AsyncIterator[Door]:
    """A gateway for the scratch contract with three machine credentials, in this process."""
    import time

    backend, lookups, clock = Backend(), [], [0.0]
    await backend.start()
    credentials = {
        "key_till": _credential("TERMINAL", "trm_1", STORE),
        "key_gate": _credential("VENDOR", PARK, PARK),
        "key_system": _credential("SYSTEM", "key_system", ""),
    }
    for key_id, credential in credentials.items():
        credential.secrets.append(f"secret of {key_id}")

    class CredentialUnknown(AppError):
        """Unknown."""

        code, reason = grpc.StatusCode.NOT_FOUND, "CREDENTIAL_UNKNOWN"

    async def fetch(key_id: str) -> org_pb2.GetCredentialSecretResponse:
        lookups.append(key_id)
        if key_id not in credentials:
            raise CredentialUnknown
        return credentials[key_id]

    parts = Parts(
        contract=Contract.of(scratch.files(), scratch.pool()),
        upstream=Upstream({"scratch": f"127.0.0.1:{backend.port}"}),
        gate=Gate(open_valkey(redis_url), prefix=secrets.token_hex(4)),
        callers=Callers(
            Credentials(fetch, clock=lambda: time.monotonic() + clock[0]),
            TokenBook(KEY, issuer=MEMBER_ACCESS, lifetime_seconds=MEMBER_ACCESS_SECONDS),
        ),
        inside=TokenBook(KEY),
        proofs=TokenBook(KEY, issuer=MEMBER_PROOF, lifetime_seconds=MEMBER_PROOF_SECONDS),
        browsers=Browsers(f"{PAGE}, https://other.example"),
    )
    app = App()
    mount(app, parts)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://gateway")
    try:
        yield Door(client, backend, parts, credentials, lookups, clock, app)
    finally:
        await client.aclose()
        await parts.upstream.close()
        await parts.gate.close()
        assert backend.server is not None
        await backend.server.stop(0)
