"""The way of a request: route, caller, limits, JSON → proto, bound fields, call, proto → JSON."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson
import structlog
from google.protobuf.message import Message
from starlette.types import Receive, Scope, Send

from chassis.errors import AppError, Internal, Overloaded
from chassis.identity import Caller
from gateway import codec
from gateway.auth.callers import SignedParts
from gateway.auth.places import within
from gateway.auth.signing import SCHEME
from gateway.batch import NDJSON, Batch
from gateway.binding import RequestShape
from gateway.browsers import Browsers
from gateway.contract import HttpBinding, Operation
from gateway.errors import MethodNotAllowed, RateLimited, RouteUnknown, UnsupportedMediaType
from gateway.http import ClientGone, Exchange, reason_told
from gateway.limits import Quota
from gateway.reception import MAX_UNDER_WAY, MOST_SECONDS, Entrance, Reception
from gateway.routing import RouteTable, Template
from gateway.upstream import Metadata, Upstream

log = structlog.get_logger("gateway.access")


class Route:
    """One way into one operation, with everything about it worked out beforehand."""

    def __init__(self, operation: Operation, http: HttpBinding, upstream: Upstream) -> None:
        """Raises ValueError for annotations that cannot work."""
        self.operation, self.http, self.entrance = operation, http, Entrance(operation)
        self.template = Template.parse(http.template)
        self.shape = RequestShape(operation, http, self.template.variables)
        self.decode = codec.from_json(operation.request)
        self.parse_response, self.encode = _encoder(operation, http)
        self.invoke: Callable[[bytes, float, Metadata], Any] = upstream.call(operation.service, operation.rpc)
        self.batch = Batch(operation) if operation.door.ndjson_field else None


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
        reception: Reception,
        browsers: Browsers,
    ) -> None:
        self._reception, self._browsers = reception, browsers
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
        request = self._request(exchange, entered)
        caller = await self._reception.let_in(route.entrance, caller, request, exchange.proof)
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
        entrance = route.entrance
        notes["route"] = route.http.template
        exchange.name_trace(route.http.template)
        authorization = entrance.credentials(exchange.authorization)
        self._reception.check_failures(authorization, exchange.address)
        # Only a signature needs the body; nobody else's is read before it is known who sends it.
        is_signed = authorization.startswith(SCHEME)
        wire = await exchange.body(entrance.body_bytes) if is_signed else b""
        query = exchange.query.decode("latin-1")
        parts = SignedParts(exchange.method, exchange.path, query, wire, exchange.certificate)
        caller, quota = await self._reception.receive(entrance, authorization, parts, exchange.address, notes)
        exchange.more_headers |= quota.headers if quota else {}
        if not is_signed:
            wire = await exchange.body(entrance.body_bytes)
        return _Entered(route, variables, caller, exchange.inflated(wire, entrance.body_bytes))

    @staticmethod
    def _request(exchange: Exchange, entered: _Entered) -> Message:
        route, body = entered.route, entered.body
        value: Any = {}
        if route.shape.is_raw:
            value = base64.b64encode(body).decode()
        elif route.shape.has_body and body:
            kind = exchange.content_type
            if kind and kind != b"application/json" and not (kind[:12] == b"application/" and kind[-5:] == b"+json"):
                raise UnsupportedMediaType(accepted=route.batch.accepted if route.batch else "application/json")
            value = codec.parse_json(body)
        composed = route.shape.compose(value, exchange.query, entered.variables)
        route.shape.add_headers(composed, exchange.headers)
        return route.decode(composed)

    async def _call(self, exchange: Exchange, route: Route, caller: Caller, request: Message) -> Message:
        metadata: Metadata = (self._reception.token(caller), *reason_told(exchange.reason))
        if not exchange.is_traced:
            metadata += (("traceparent", exchange.traceparent),)
        seconds = exchange.seconds(default=route.entrance.seconds, most=MOST_SECONDS)
        return route.parse_response(await route.invoke(request.SerializeToString(), seconds, metadata))

    async def _serve_batch(self, exchange: Exchange, entered: _Entered, batch: Batch, notes: dict[str, Any]) -> None:
        route, reach = entered.route, self._reception.reach_of(entered.caller)
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
