"""The contract's doors over gRPC, for those who can: the same RPCs, callers, limits and refusals as over HTTP.

Who calls is said in the metadata: `authorization` (and `huitong-proof`) as the headers of HTTP; so is
`huitong-reason`. A signature covers
POST, the RPC's path ("/huitong.points.v1.SalesService/RecordSale"), no query, and the request as it is serialised.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import grpc
import structlog
from google.protobuf.message import DecodeError
from grpc.aio import ServicerContext as Context
from grpc_status import rpc_status

from chassis import acts
from chassis.config import Settings
from chassis.errors import AppError, Internal, InvalidArgument, Overloaded, Unauthenticated
from gateway import codec
from gateway.auth.addresses import network_of
from gateway.auth.callers import SignedParts
from gateway.contract import Operation
from gateway.errors import BodyTooLarge, RateLimited
from gateway.http import reason_told, trace_of
from gateway.limits import Quota
from gateway.reception import MAX_UNDER_WAY, MOST_SECONDS, Entrance, Reception
from gateway.upstream import Metadata, Upstream

log = structlog.get_logger("gateway.access")

LARGEST_BODY_BYTES = 16 * 1024 * 1024
_PEER = re.compile(r"ipv[46]:(?:\[([^\]]+)\]|([^:]+)):\d+")


class GrpcDoor(grpc.GenericRpcHandler):
    """Answers every RPC that can be reached from outside; all others are UNIMPLEMENTED, as if they were not there."""

    def __init__(self, operations: Iterable[Operation], *, upstream: Upstream, reception: Reception) -> None:
        self._reception, self._under_way = reception, 0
        self._handlers = {
            operation.rpc: grpc.unary_unary_rpc_method_handler(self._serve(Entrance(operation), upstream))
            for operation in operations
        }

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """What serves an RPC."""
        return self._handlers.get(details.method)

    def _serve(self, entrance: Entrance, upstream: Upstream) -> Callable[[bytes, Context], Awaitable[bytes]]:
        operation = entrance.operation
        invoke = upstream.call(operation.service, operation.rpc)
        read = codec.message_class(operation.request).FromString

        async def answer(wire: bytes, context: Context, call: _Call) -> bytes:
            if len(wire) > entrance.body_bytes:
                raise BodyTooLarge(limit_bytes=entrance.body_bytes)
            authorization = entrance.credentials(call.one("authorization"))
            self._reception.check_failures(authorization, call.address)
            parts = SignedParts("POST", operation.rpc, "", wire)
            caller, call.quota = await self._reception.receive(entrance, authorization, parts, call.address, call.notes)
            try:
                request = read(wire)
            except DecodeError:
                raise InvalidArgument([("", "is not a message of this RPC")]) from None
            caller = await self._reception.let_in(entrance, caller, request, call.one("huitong-proof"))
            reason = call.one(acts.REASON).encode()
            metadata: Metadata = (self._reception.token(caller), *reason_told(reason))
            if not call.is_traced:
                metadata += (("traceparent", call.traceparent),)
            left = context.time_remaining()
            seconds = entrance.seconds if left is None else min(left, MOST_SECONDS)
            found: bytes = await invoke(request.SerializeToString(), seconds, metadata)
            return found

        async def serve(wire: bytes, context: Context) -> bytes:
            call = _Call(operation.rpc, context)
            self._under_way += 1
            failure: AppError | None = None
            try:
                if self._under_way > MAX_UNDER_WAY:
                    raise Overloaded
                return await answer(wire, context, call)
            except AppError as error:
                failure = error
                if isinstance(error, RateLimited):
                    call.quota = Quota(error.calls_per_minute, 0)
            except Exception:
                log.exception("request_failed", **call.notes, trace_id=call.trace_id)
                failure = Internal()
            finally:
                self._under_way -= 1
                told = call.end(failure)
                context.set_trailing_metadata(told)
            status = rpc_status.to_status(failure.to_status())
            await context.abort(status.code, status.details, (*told, *status.trailing_metadata))
            raise AssertionError("abort raises")

        return serve


class _Call:
    """One call: what its metadata says, and what is told and noted of it in the end."""

    def __init__(self, rpc: str, context: Context) -> None:
        self._metadata = [
            (key, value if isinstance(value, str) else "") for key, value in context.invocation_metadata() or ()
        ]
        self.began = time.perf_counter()
        self.address = address_of(context.peer())
        given = next((value for key, value in self._metadata if key == "traceparent"), "")
        self.is_traced, self.traceparent = trace_of(given)
        self.notes: dict[str, Any] = {"route": rpc, "caller": "", "subject": ""}
        self.quota: Quota | None = None

    @property
    def trace_id(self) -> str:
        """The trace that the call belongs to, 32 hex digits."""
        return self.traceparent[3:35]

    def one(self, name: str) -> str:
        """The value of `name`, "" when there is none. Raises Unauthenticated for two: which of them would count?"""
        values = [value for key, value in self._metadata if key == name]
        if len(values) > 1:
            raise Unauthenticated
        return values[0] if values else ""

    def end(self, failure: AppError | None) -> Metadata:
        """Log what became of the call; answers what its answer says besides: how many calls are left, and its trace."""
        seen = {"method": "grpc", "status": failure.code.name if failure else "OK"}
        if failure:
            seen["reason"] = failure.reason
        ms = round((time.perf_counter() - self.began) * 1000, 2)
        log.info("request", **self.notes, **seen, ms=ms, trace_id=self.trace_id)
        more = self.quota.headers if self.quota else {}
        return (*((name.replace("_", "-"), value) for name, value in more.items()), ("trace-id", self.trace_id))


def address_of(peer: str) -> str:
    """Whom gRPC's name of a peer ("ipv4:192.0.2.1:5000", "ipv6:[2001:db8::1]:5000") stands for."""
    match = _PEER.fullmatch(peer.replace("%5B", "[").replace("%5D", "]"))
    return network_of(match[1] or match[2]) if match else "unknown"


def grpc_server(config: Settings, door: GrpcDoor) -> grpc.aio.Server | None:
    """The server, not started, by TLS when the gateway has a certificate; None when the settings name no port.

    Raises RuntimeError when the port is taken.
    """
    if not config.gateway_grpc_port:
        return None
    server = grpc.aio.server(
        options=[
            ("grpc.max_receive_message_length", LARGEST_BODY_BYTES),
            ("grpc.max_metadata_size", 32 * 1024),
            ("grpc.so_reuseport", 0),
        ]
    )
    server.add_generic_rpc_handlers((door,))
    address = f"{config.gateway_host}:{config.gateway_grpc_port}"
    if config.tls_certificate:
        pair = (Path(config.tls_key).read_bytes(), Path(config.tls_certificate).read_bytes())
        server.add_secure_port(address, grpc.ssl_server_credentials([pair]))
    else:
        server.add_insecure_port(address)
    return server
