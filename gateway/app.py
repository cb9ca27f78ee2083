"""The gateway as an ASGI application: the contract's doors, the API page, and whether it is well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from chassis.config import SERVICES, Settings
from chassis.ended_sessions import gateway_prefix
from chassis.identity import Caller, CallerKind, TokenBook, access_tokens, proof_tokens
from gateway import headers
from gateway.auth.callers import Callers
from gateway.auth.credentials import Credentials
from gateway.auth.places import Places
from gateway.auth.proofs import Proofs
from gateway.auth.sessions import Sessions
from gateway.browsers import Browsers
from gateway.contract import Contract
from gateway.door import Door
from gateway.grpc_door import GrpcDoor, grpc_server
from gateway.limits import Gate, open_valkey
from gateway.openapi import describe
from gateway.reception import Reception
from gateway.upstream import Upstream
from huitong.org.v1 import operators_pb2, org_pb2, places_pb2

PAGES = Path(__file__).parent / "pages"
_CREDENTIAL_RPC = "/huitong.org.v1.CredentialService/GetCredentialSecret"
_SESSION_RPC = "/huitong.org.v1.OperatorSessionService/GetOperatorSession"
_PLACES_RPC = "/huitong.org.v1.PlaceService/GetPlacesBelow"
_LOOKUP_SECONDS = 2.0


@dataclass(frozen=True)
class Parts:
    """What the application is put together from; tests put in their own."""

    contract: Contract
    upstream: Upstream
    gate: Gate
    callers: Callers
    inside: TokenBook
    proofs: TokenBook
    browsers: Browsers
    # What narrow grants and merchants reach down to; None: nothing but what they are for.
    places: Places | None = None

    @property
    def reception(self) -> Reception:
        """Whom every door lets in."""
        proofs = Proofs(self.proofs, self.gate.claim)
        return Reception(self.callers, self.gate, self.inside, proofs, self.places)

    @classmethod
    def of(cls, config: Settings) -> Parts:
        """The suite's own. Opens no connection yet, but needs a running event loop."""
        upstream = Upstream({name: config.address(name) for name in SERVICES})
        inside = TokenBook(config.internal_key.get_secret_value())
        return cls(
            contract=Contract.load(),
            upstream=upstream,
            gate=Gate(open_valkey(config.redis_url), prefix=gateway_prefix(config.stream)),
            callers=Callers(
                Credentials(fetch_from_org(upstream, inside)),
                access_tokens(config),
                Sessions(fetch_session(upstream, inside)),
            ),
            inside=inside,
            proofs=proof_tokens(config),
            browsers=Browsers(config.cors_origins),
            places=Places(fetch_places(upstream, inside)),
        )


def fetch_from_org(upstream: Upstream, inside: TokenBook):  # type: ignore[no-untyped-def]
    """A function that asks org for the credential behind a key id. It raises AppError."""
    invoke = upstream.call("org", _CREDENTIAL_RPC)
    gateway = Caller(CallerKind.INTERNAL, "gateway")

    async def fetch(key_id: str) -> org_pb2.GetCredentialSecretResponse:
        request = org_pb2.GetCredentialSecretRequest(key_id=key_id).SerializeToString()
        metadata = (("authorization", f"Bearer {inside.mint(gateway)}"),)
        return org_pb2.GetCredentialSecretResponse.FromString(await invoke(request, _LOOKUP_SECONDS, metadata))

    return fetch


def fetch_session(upstream: Upstream, inside: TokenBook):  # type: ignore[no-untyped-def]
    """A function that asks org for the operator behind the hash of a session's token. It raises AppError."""
    invoke = upstream.call("org", _SESSION_RPC)
    gateway = Caller(CallerKind.INTERNAL, "gateway")

    async def fetch(token_hash: bytes) -> operators_pb2.GetOperatorSessionResponse:
        request = operators_pb2.GetOperatorSessionRequest(token_hash=token_hash).SerializeToString()
        metadata = (("authorization", f"Bearer {inside.mint(gateway)}"),)
        return operators_pb2.GetOperatorSessionResponse.FromString(await invoke(request, _LOOKUP_SECONDS, metadata))

    return fetch


def fetch_places(upstream: Upstream, inside: TokenBook):  # type: ignore[no-untyped-def]
    """A function that asks org what lies below a place. It raises AppError."""
    invoke = upstream.call("org", _PLACES_RPC)
    gateway = Caller(CallerKind.INTERNAL, "gateway")

    async def fetch(place_id: str) -> places_pb2.GetPlacesBelowResponse:
        request = places_pb2.GetPlacesBelowRequest(place_id=place_id).SerializeToString()
        metadata = (("authorization", f"Bearer {inside.mint(gateway)}"),)
        return places_pb2.GetPlacesBelowResponse.FromString(await invoke(request, _LOOKUP_SECONDS, metadata))

    return fetch


def create_app(config: Settings, make_parts: type[Parts] = Parts) -> App:
    """The application; its connections open and close with its lifespan."""

    @asynccontextmanager
    async def lifespan(app: App) -> AsyncIterator[None]:
        parts = make_parts.of(config)
        mount(app, parts)
        rpcs = GrpcDoor(parts.contract.operations(), upstream=parts.upstream, reception=parts.reception)
        beside = grpc_server(config, rpcs)
        if beside:
            await beside.start()
        try:
            yield
        finally:
            if beside:
                await beside.stop(config.drain_seconds)
            await asyncio.gather(parts.upstream.close(), parts.gate.close())

    return App(lifespan=lifespan)


class App(Starlette):
    """Starlette with a short way for the contract's own paths, past its router and error pages."""

    door: Door | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope.get("scheme") == "https":
            send = headers.strictly(send)
        # Middleware (a tracer's) must see every request, so with any the long way is taken.
        if self.door and scope["type"] == "http" and scope["path"].startswith("/v1/") and not self.user_middleware:
            await self.door(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def mount(app: App, parts: Parts) -> None:
    """Give `app` its routes. Raises ValueError for a contract that cannot be served."""
    openapi = orjson.dumps(describe(parts.contract))

    async def is_alive(_: Request) -> Response:
        return _json({"status": "alive"})

    async def is_ready(_: Request) -> Response:
        services, valkey = await asyncio.gather(parts.upstream.readiness(), parts.gate.is_ready())
        found = {**services, "valkey": valkey}
        well = all(found.values())
        body = {"status": "ready" if well else "not ready", "parts": found}
        return _json(body, status=200 if well else 503)

    async def contract(_: Request) -> Response:
        return Response(openapi, media_type="application/json", headers=headers.PAGES)

    door = Door(
        parts.contract.operations(), upstream=parts.upstream, reception=parts.reception, browsers=parts.browsers
    )
    app.door = door
    app.router.redirect_slashes = False
    app.router.routes[:] = [
        Route("/healthz", is_alive),
        Route("/readyz", is_ready),
        Route("/openapi.json", contract),
        *(Route(path, _page(name)) for path, name in _FILES.items()),
        Mount("", app=door),  # also answers what is nowhere, as problem+json
    ]


_FILES = {
    "/": "index.html",
    "/docs": "docs.html",
    "/pages/style.css": "style.css",
    "/pages/docs.js": "docs.js",
    "/pages/icon.svg": "icon.svg",
}


def _page(name: str):  # type: ignore[no-untyped-def]
    async def page(_: Request) -> Response:
        return FileResponse(PAGES / name, headers=headers.PAGES)

    return page


def _json(body: object, *, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status_code=status, media_type="application/json", headers=headers.API)
