"""gRPC on both sides: identity, access rules, validation, deadlines and typed errors, once for all services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from functools import cache
from typing import Any
from uuid import UUID

import asyncpg
import grpc
import protovalidate
import structlog
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import Default as default_pool
from google.protobuf.message import DecodeError, Message
from grpc_status import rpc_status
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from chassis import acts
from chassis.context import caller, set_caller
from chassis.errors import (
    AppError,
    DeadlineExceeded,
    Internal,
    InvalidArgument,
    NotYours,
    PermissionDenied,
    ProofNeeded,
    Unauthenticated,
    Unavailable,
    from_rpc_error,
)
from chassis.identity import Caller, CallerKind, TokenBook
from chassis.permissions import WITH_PERMISSIONS, check_place, check_scope, narrowed
from chassis.times import impossible_times
from huitong.common.v1 import access_pb2

__all__ = ["Guard", "call", "caller", "open_channel", "open_server", "read_field"]

log = structlog.get_logger()
DEFAULT_DEADLINE_SECONDS = 10.0
LONGEST_DEADLINE_SECONDS = 120.0
MESSAGE_BYTES = 32 * 1024 * 1024
# A token may name each of a batch's thousand places.
METADATA_BYTES = 256 * 1024
# For calls that concern no group: events, progress, time.
NO_GROUP = UUID(int=0)

_AUDIENCES = {
    CallerKind.PUBLIC: access_pb2.AUDIENCE_PUBLIC,
    CallerKind.MEMBER: access_pb2.AUDIENCE_MEMBER,
    CallerKind.TERMINAL: access_pb2.AUDIENCE_TERMINAL,
    CallerKind.VENDOR: access_pb2.AUDIENCE_VENDOR,
    CallerKind.SYSTEM: access_pb2.AUDIENCE_SYSTEM,
    CallerKind.INTERNAL: access_pb2.AUDIENCE_INTERNAL,
    CallerKind.OPERATOR: access_pb2.AUDIENCE_OPERATOR,
    CallerKind.MERCHANT: access_pb2.AUDIENCE_MERCHANT,
    CallerKind.PARTNER: access_pb2.AUDIENCE_PARTNER,
}


def read_field(message: Message, path: str) -> Iterable[str]:
    """The values at a field path, "member_id" or "sales.store_id"; every element of a repeated field counts.

    Ids that may be given and are not, of a single field or a repeated one, are the empty text: it may mean all of them.
    """
    head, _, rest = path.partition(".")
    value: Any = getattr(message, head)
    if not rest and not isinstance(value, str) and not len(value):
        yield ""
    values: list[Any] = [value] if isinstance(value, str | Message) else list(value)
    for one in values:
        if rest:
            yield from read_field(one, rest)
        else:
            yield one


# Who does by day what others may do for them.
_DAILY = {access_pb2.AUDIENCE_MEMBER, access_pb2.AUDIENCE_TERMINAL, access_pb2.AUDIENCE_VENDOR}


class Guard:
    """Lets a call in or refuses it, by the access rule that its RPC declares."""

    def __init__(self, method: MethodDescriptor) -> None:
        self._name = f"{method.containing_service.name}.{method.name}"
        self.action = method.name
        rule: access_pb2.Access = method.GetOptions().Extensions[access_pb2.access]  # type: ignore[index]
        self._audiences = frozenset(rule.audiences)
        self._services, self._permission = frozenset(rule.services), rule.permission
        self._proof = access_pb2.Proof.Name(rule.proof) if rule.proof else ""
        self._is_for_every_place = rule.is_for_every_place
        # Whose calls leave an entry in the audit (chassis.acts).
        self.recorded_kinds = acts.recorded_kinds(rule.permission, is_for_all=bool(self._audiences & _DAILY))
        self._bindings = {
            audience: [binding.field for binding in rule.bindings if binding.audience == audience]
            for audience in self._audiences
        }

    def check(self, who: Caller, request: Message) -> None:
        """Raises PermissionDenied, NotYours or ProofNeeded when `who` may not make this call."""
        audience = _AUDIENCES[who.kind]
        if audience not in self._audiences:
            raise PermissionDenied(method=self._name)
        if who.kind is CallerKind.INTERNAL and self._services and who.subject not in self._services:
            raise PermissionDenied(method=self._name)
        bound = self._bindings[audience]
        if who.kind in WITH_PERMISSIONS:
            has_binding = bool(bound) or self._is_for_every_place
            who = narrowed(who, self._permission, self._name, has_binding=has_binding)
        check = _CHECKS.get(who.kind, _check_own)
        for field in bound:
            check(who, read_field(request, field), field)
        if self._proof and who.kind is CallerKind.MEMBER and self._proof not in who.proofs:
            raise ProofNeeded(self._proof, who.subject)


def _check_own(who: Caller, values: Iterable[str], field: str) -> None:
    # A caller that is bound to nothing owns nothing.
    if not who.bound_id or any(value != who.bound_id for value in values):
        raise NotYours(field=field)


_CHECKS = {
    CallerKind.OPERATOR: check_scope,
    CallerKind.MERCHANT: check_place,
}


def _read(read: Callable[[bytes], Message], wire: bytes) -> Message:
    try:
        return read(wire)
    except DecodeError:
        raise InvalidArgument([("", "is not a message of this request's type")]) from None


def validate(request: Message) -> None:
    """Check the rules that the request's proto declares. Raises InvalidArgument naming the wrong fields."""
    wrong = impossible_times(request)
    wrong += [(_field_path(v.proto.field), v.proto.message) for v in protovalidate.collect_violations(request)]
    if wrong:
        raise InvalidArgument(wrong)


def _field_path(path: Any) -> str:
    """The field, "" when a rule is about the request as a whole."""
    parts = []
    for element in path.elements if path else ():
        subscript = element.subscript
        index = getattr(subscript, "value", None)
        parts.append(element.field_name + (f"[{index}]" if index is not None else ""))
    return ".".join(parts)


class _Server(grpc.aio.ServerInterceptor):
    """Wraps each RPC: who calls, may they, is the request valid, is there time, and what an exception means."""

    def __init__(self, service: str, tokens: TokenBook) -> None:
        self._service, self._tokens = service, tokens
        self._wrapped: dict[str, grpc.RpcMethodHandler] = {}

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]],
        details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler | None:
        name = details.method
        if name in self._wrapped:
            return self._wrapped[name]
        handler = await continuation(details)
        if handler is None or not name.startswith("/huitong.") or handler.unary_unary is None:
            return handler
        service, _, method = name[1:].rpartition("/")
        descriptor = default_pool().FindServiceByName(service).methods_by_name[method]
        self._wrapped[name] = grpc.unary_unary_rpc_method_handler(
            self._wrap(handler.unary_unary, handler.request_deserializer, Guard(descriptor), name),
            # Left as bytes: what the library says of a message that it cannot read names our classes.
            request_deserializer=None,
            response_serializer=handler.response_serializer,
        )
        return self._wrapped[name]

    def _wrap(
        self, behaviour: Callable[..., Awaitable[Message]], read: Callable[[bytes], Message], guard: Guard, name: str
    ) -> Callable[..., Any]:
        async def serve(wire: bytes, context: grpc.aio.ServicerContext) -> Message:
            try:
                metadata = context.invocation_metadata() or ()
                who = self._identify(metadata)
                request = _read(read, wire)
                guard.check(who, request)
                validate(request)
                set_caller(who)
                speak_as(self._service, self._tokens)
                if who.kind in guard.recorded_kinds:
                    acts.tell_reason(next((value for key, value in metadata if key == acts.REASON), ""))
                    if self._service != acts.KEEPER:
                        acts.begin(acts.Act(self._service, guard.action, who, request))
                left = context.time_remaining()
                seconds = DEFAULT_DEADLINE_SECONDS if left is None else min(left, LONGEST_DEADLINE_SECONDS)
                async with asyncio.timeout(seconds):
                    return await behaviour(request, context)
            except Exception as error:
                failure = classify(error, name)
            await context.abort_with_status(rpc_status.to_status(failure.to_status()))
            raise AssertionError("abort raises")

        return serve

    def _identify(self, metadata: Iterable[tuple[str, Any]]) -> Caller:
        for key, value in metadata:
            if key == "authorization" and value.startswith("Bearer "):
                return self._tokens.check(value[7:])
        raise Unauthenticated


def classify(error: Exception, where: str) -> AppError:
    """What `error` means to the caller. What is unexpected becomes a bare INTERNAL, with the stack in our log."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, grpc.RpcError):
        return from_rpc_error(error)
    if isinstance(error, TimeoutError) and not isinstance(error, PoolTimeout):
        return DeadlineExceeded()
    if is_connection_loss(error):
        log.warning("database_unavailable", where=where, error=type(error).__name__)
        return Unavailable()
    if _sqlstate(error) == "22021":  # a NUL character: no text that PostgreSQL stores has one
        return InvalidArgument([("", "a text has a character that cannot be stored")])
    log.error("unexpected_error", where=where, exc_info=error)
    return Internal()


def _sqlstate(error: BaseException) -> str:
    source = error.orig if isinstance(error, DBAPIError) else error
    return getattr(source, "sqlstate", None) or ""


def is_connection_loss(error: BaseException) -> bool:
    """Whether the database (or a connection to it) went away, so that the outcome is unknown or nothing happened."""
    if isinstance(error, DBAPIError):
        code = getattr(error.orig, "sqlstate", None) or ""
        return error.connection_invalidated or isinstance(error, InterfaceError) or _is_passing(code)
    if isinstance(error, asyncpg.PostgresError):
        return _is_passing(getattr(error, "sqlstate", "") or "")
    return isinstance(error, PoolTimeout | OSError | asyncpg.InterfaceError | asyncpg.InternalClientError)


def _is_passing(sqlstate: str) -> bool:
    # 08 connection, 53 resources, 57P server going down, 55P03 lock timeout, 40 rolled back to let others go on
    return sqlstate[:2] in ("08", "53", "40") or sqlstate[:3] == "57P" or sqlstate == "55P03"


_OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_BYTES),
    ("grpc.max_send_message_length", MESSAGE_BYTES),
    ("grpc.max_metadata_size", METADATA_BYTES),
    ("grpc.absolute_max_metadata_size", METADATA_BYTES),
    ("grpc.so_reuseport", 0),
    # Clients ask every 20 s whether we live (open_channel); the default would take that for abuse.
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
]


def open_server(service: str, tokens: TokenBook) -> grpc.aio.Server:
    """A server for `service` whose every huitong RPC is guarded."""
    return grpc.aio.server(interceptors=[_Server(service, tokens)], options=_OPTIONS, maximum_concurrent_rpcs=2000)


_SERVICE_CONFIG = '{"loadBalancingConfig": [{"round_robin": {}}]}'


def open_channel(address: str) -> grpc.aio.Channel:
    """A channel that spreads calls over all addresses behind the name and notices a dead peer."""
    target = address if ":///" in address else f"dns:///{address}"
    return grpc.aio.insecure_channel(
        target,
        options=[
            ("grpc.max_receive_message_length", MESSAGE_BYTES),
            ("grpc.max_send_message_length", MESSAGE_BYTES),
            ("grpc.service_config", _SERVICE_CONFIG),
            # Each channel retries on its own: a service that starts does not inherit another channel's back-off.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 1_000),
        ],
    )


# Whom this task speaks as when it calls another service. One process may hold several services.
_speaker: ContextVar[tuple[str, TokenBook]] = ContextVar("speaker")


def speak_as(service: str, tokens: TokenBook) -> None:
    """Sign calls to other services as `service`, in this task and those that it starts."""
    _speaker.set((service, tokens))


@cache
def internal_caller(service: str, group_id: UUID) -> Caller:
    """The identity of a service acting for a group."""
    return Caller(CallerKind.INTERNAL, service, group_id)


async def call(
    method: Any,
    request: Message,
    *,
    group_id: UUID | None = None,
    timeout_s: float = 3.0,
) -> Any:
    """Call another service for a group (the current caller's when none is named), waiting at most `timeout_s`.

    Raises AppError: what the other service answered (RemoteError with its reason), Unavailable or DeadlineExceeded.
    """
    service, tokens = _speaker.get()
    who = internal_caller(service, group_id if group_id is not None else caller().group_id)
    metadata = (("authorization", f"Bearer {tokens.mint(who)}"),)
    try:
        return await method(request, timeout=timeout_s, metadata=metadata)
    except grpc.RpcError as error:
        raise from_rpc_error(error) from None
