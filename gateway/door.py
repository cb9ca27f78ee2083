"""The way of a request: route, caller, limits, JSON → proto, bound fields, call, proto → JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from google.protobuf.message import Message
from grpc import StatusCode
from starlette.types import Receive, Scope, Send

from chassis.errors import AppError, Internal, Overloaded, PermissionDenied, Unauthenticated
from chassis.identity import Caller, CallerKind, TokenBook, TokenExpired
from chassis.permissions import WITH_PERMISSIONS, narrowed
from gateway import codec
from gateway.auth.callers import Callers, Identified, SignedParts
from gateway.auth.places import Places, Reach, no_reach, within
from gateway.auth.proofs import Proofs
from gateway.auth.signing import SCHEME
from gateway.batch import NDJSON, Batch
from gateway.binding import RequestShape, guards, no_guard
from gateway.browsers import Browsers
from gateway.contract import HttpBinding, Operation
from gateway.errors import MethodNotAllowed, RateLimited, RouteUnknown, UnsupportedMediaType
from gateway.http import ClientGone, Exchange
from gateway.limits import Gate, Quota
from gateway.routing import RouteTable, Template
from gateway.upstream import Metadata, Upstream

log = structlog.get_logger("gateway.access")

CALL_SECONDS, BATCH_SECONDS, MOST_SECONDS = 5.0, 60.0, 60.0
BODY_BYTES = 1024 * 1024
# Beyond this many requests at once, waiting would only make everybody slower.
MAX_UNDER_WAY = 1_000
_PUBLIC_ONLY = frozenset({CallerKind.PUBLIC})


class Route:
    """One way into one operation, with everything about it worked out beforehand."""

    def __init__(self, operation: Operation, http: HttpBinding, upstream: Upstream) -> None:
        """Raises ValueError for annotations that cannot work."""
        self.operation, self.http = operation, http
        self.template = Template.parse(http.template)
        self.shape = RequestShape(operation, http, self.template.variables)
        self.decode = codec.from_json(operation.request)
        self.parse_response, self.encode = _encoder(operation, http)
        self.invoke: Callable[[bytes, float, Metadata], Any] = upstream.call(operation.service, operation.rpc)
        self.guards = guards(operation.request, operation.bindings)
        self.batch = Batch(operation) if operation.door.ndjson_field else None
        self.body_bytes = operation.door.max_body_bytes or BODY_BYTES
        self.seconds = BATCH_SECONDS if self.batch else CALL_SECONDS

    def caller(self, identified: Identified, address: str) -> Caller:
        """Whom the call is made for. Raises PermissionDenied, Unauthenticated."""
        caller, audiences = identified.caller, self.operation.audiences
        if caller.kind in audiences:
            if caller.kind in WITH_PERMISSIONS:
                # The service is told what this call needs, not all that the caller may do.
                name, has_binding = self.operation.method.name, caller.kind in self.guards
                return narrowed(caller, self.operation.permission, name, has_binding=has_binding)
            return caller
        if CallerKind.PUBLIC in audiences:
            return Caller(CallerKind.PUBLIC, address)
        raise (
            Unauthenticated if caller.kind is CallerKind.PUBLIC else PermissionDenied(method=self.operation.method.name)
        )


def _encoder(operation: Operation, http: HttpBinding) -> tuple[Callable[[bytes], Message], Callable[[Message], Any]]:
    parse = codec.message_class(operation.response).FromString
    if not http.response_body:
        return parse, codec.to_plain(operation.response)
    whole = codec.to_plain(operation.response)
    return parse, lambda message: whole(message).get(http.response_body)


@dataclass(frozen=True, slots=True)
class _Entered:
    """A request that was let in."""

    route: Route
    variables: dict[str, str]
    caller: Caller
    body: bytes


class Door:
    """An ASGI application that serves every operation of the contract."""

    def __init__(
        self,
        operations: Iterable[Operation],
        *,
        upstream: Upstream,
        callers: Callers,
        gate: Gate,
        inside: TokenBook,
        proofs: Proofs,
        browsers: Browsers,
        places: Places | None = None,
    ) -> None:
        self._reach_of: Callable[[Caller], Reach] = places.reach if places else no_reach
        self._callers, self._gate, self._inside, self._browsers = callers, gate, inside, browsers
        self._proofs = proofs
        routes = [Route(operation, http, upstream) for operation in operations for http in operation.http]
        self._routes = RouteTable((route.http.verb, route.template, route) for route in routes)
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; whatever goes wrong is answered as problem+json."""
        exchange = Exchange(scope, receive, send)
        notes: dict[str, Any] = {"route": "", "caller": "", "subject": ""}
        self._under_way += 1
        try:
            if self._under_way > MAX_UNDER_WAY:
                raise Overloaded
            exchange.more_headers |= self._browsers.headers(exchange.headers)
            if self._browsers.is_preflight(exchange.method, exchange.headers):
                exchange.more_headers |= self._browsers.permissions(self._routes.verbs(exchange.path))
                await exchange.answer(b"", status=204)
            else:
                await self._serve(exchange, notes)
        except ClientGone:
            exchange.status = 499
        except AppError as error:
            notes["reason"] = error.reason
            if isinstance(error, RateLimited):
                exchange.more_headers |= Quota(error.calls_per_minute, 0).headers
            await self._refuse(exchange, error)
        except Exception:
            log.exception("request_failed", **notes, method=exchange.method, trace_id=exchange.trace_id)
            await self._refuse(exchange, Internal())
        finally:
            self._under_way -= 1
            seen = {"method": exchange.method, "status": exchange.status, "ms": exchange.elapsed_ms}
            log.info("request", **notes, **seen, trace_id=exchange.trace_id)

    @staticmethod
    async def _refuse(exchange: Exchange, error: AppError) -> None:
        if not exchange.status:  # else the answer has begun, and the connection is all that can be ended
            await exchange.refuse(error)

    async def _serve(self, exchange: Exchange, notes: dict[str, Any]) -> None:
        entered = await self._enter(exchange, notes)
        route, caller = entered.route, entered.caller
        if route.batch and exchange.content_type in NDJSON:
            await self._serve_batch(exchange, entered, route.batch, notes)
            return
        request, reach = self._request(exchange, entered), self._reach_of(caller)
        guard = route.guards.get(caller.kind, no_guard)
        await within(reach, lambda: guard(request, reach))
        caller = await self._proofs.proved(route.operation, reach.told(), exchange.proof, request)
        answer = await self._call(exchange, route, caller, request)
        await exchange.answer(orjson.dumps(route.encode(answer)))

    async def _enter(self, exchange: Exchange, notes: dict[str, Any]) -> _Entered:
        exchange.check_headers()
        found = self._routes.find(exchange.method, exchange.path)
        if found is None and "%3" in exchange.path:
            # Some clients encode the colon of a custom verb. The signature still covers the path as sent.
            found = self._routes.find(exchange.method, exchange.path.replace("%3A", ":").replace("%3a", ":"))
        if found is None:
            verbs = self._routes.verbs(exchange.path)
            if verbs:
                raise MethodNotAllowed(path=exchange.path[:200], allowed=", ".join(verbs))
            raise RouteUnknown(path=exchange.path[:200])
        route, variables = found
        operation = route.operation
        notes["route"] = route.http.template
        exchange.name_trace(route.http.template)
        authorization = exchange.authorization
        if operation.audiences == _PUBLIC_ONLY:
            authorization = ""  # an expired token must not keep anyone from logging in
        elif not authorization and CallerKind.PUBLIC not in operation.audiences:
            raise Unauthenticated  # before a large body is read for nothing
        identified, wire = await self._identify(exchange, authorization, route.body_bytes)
        caller = route.caller(identified, exchange.address)
        notes["caller"] = caller.kind.value
        if caller.kind is not CallerKind.PUBLIC:  # of the public only the address is known, and that stays out of logs
            notes["subject"] = caller.subject
        exchange.more_headers |= await self._admit(operation, caller, identified.nonce)
        body = exchange.inflated(wire, route.body_bytes)
        return _Entered(route, variables, caller, body)

    async def _identify(self, exchange: Exchange, authorization: str, body_bytes: int) -> tuple[Identified, bytes]:
        """Who calls, and the body as it was sent, which only a signature needs to be read for.

        Raises RateLimited when too many authentications of the address failed.
        """
        is_signed, wire = authorization.startswith(SCHEME), b""
        if authorization:
            self._gate.check_failures(exchange.address)
        if is_signed:
            wire = await exchange.body(body_bytes)
        parts = SignedParts(
            exchange.method, exchange.path, exchange.query.decode("latin-1"), wire, exchange.certificate
        )
        try:
            identified = await self._callers.identify(authorization, parts, exchange.address)
        except TokenExpired:
            raise  # every app shows one now and then, many of them at one address; nobody can make one up
        except AppError as error:
            if error.code is StatusCode.UNAUTHENTICATED:
                await self._gate.count_failure(exchange.address)
            raise
        return identified, wire if is_signed else await exchange.body(body_bytes)

    async def _admit(self, operation: Operation, caller: Caller, nonce: str) -> dict[str, str]:
        """Take a call of the caller's; answers what the answer is to say of those that are left."""
        quota = await self._gate.admit(operation, caller, nonce)
        return quota.headers if quota else {}

    @staticmethod
    def _request(exchange: Exchange, entered: _Entered) -> Message:
        route, body = entered.route, entered.body
        value: Any = {}
        if route.shape.has_body and body:
            kind = exchange.content_type
            if kind and kind != b"application/json" and not (kind[:12] == b"application/" and kind[-5:] == b"+json"):
                raise UnsupportedMediaType(accepted=route.batch.accepted if route.batch else "application/json")
            value = codec.parse_json(body)
        return route.decode(route.shape.compose(value, exchange.query, entered.variables))

    async def _call(self, exchange: Exchange, route: Route, caller: Caller, request: Message) -> Message:
        metadata: Metadata = (("authorization", f"Bearer {self._inside.mint(caller)}"),)
        if not exchange.is_traced:
            metadata += (("traceparent", exchange.traceparent),)
        seconds = exchange.seconds(default=route.seconds, most=MOST_SECONDS)
        return route.parse_response(await route.invoke(request.SerializeToString(), seconds, metadata))

    async def _serve_batch(self, exchange: Exchange, entered: _Entered, batch: Batch, notes: dict[str, Any]) -> None:
        route, reach = entered.route, self._reach_of(entered.caller)
        top: dict[str, Any] = {}
        # The lines are the body; the request's other fields may come from the query.
        route.shape.add_query(top, exchange.query)
        lines = await batch.read(entered.body, reach, chinese=exchange.wants_chinese)
        answer = None
        if lines.good:
            request = await within(reach, lambda: batch.request(lines, route.decode(top), reach))
            answer = await self._call(exchange, route, reach.told(), request)
        body, refused = batch.write(lines, answer, chinese=exchange.wants_chinese)
        notes["lines"], notes["refused_lines"] = lines.count, refused
        await exchange.answer(body, kind=NDJSON[0])
