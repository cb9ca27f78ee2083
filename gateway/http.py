"""The HTTP side of one request: headers, body within its limits, and the answer."""

from __future__ import annotations

import asyncio
import os
import re
import time
import zlib
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import orjson
from opentelemetry import trace
from starlette.types import Message, Receive, Scope, Send

from chassis import acts
from chassis.errors import AppError, DeadlineExceeded, InvalidArgument, Unauthenticated
from gateway.auth.addresses import network_of
from gateway.errors import (
    PROBLEM_TYPE,
    BadEncoding,
    BodyTooLarge,
    HeadersTooLarge,
    UnsupportedMediaType,
    problem,
    retry_after_seconds,
    status_of,
)
from gateway.headers import API
from gateway.upstream import Metadata

MAX_HEADER_BYTES, MAX_HEADERS = 32 * 1024, 100
# A body that trickles in must not hold a place for ever.
BODY_SECONDS = 30.0

# Where the TLS door tells whose certificate a request came with: scope["extensions"][CERTIFICATE]["sha256"], hex.
CERTIFICATE = "huitong.certificate"

_API_HEADERS = [(name.encode(), value.encode()) for name, value in API.items()]
_TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_TIMEOUT = re.compile(rb"([0-9]{1,8})([HMSmun])")
_TIMEOUT_SECONDS = {b"H": 3600.0, b"M": 60.0, b"S": 1.0, b"m": 1e-3, b"u": 1e-6, b"n": 1e-9}


class ClientGone(Exception):
    """The client went away before its request was complete; there is nobody to answer."""


class Exchange:
    """One request and its answer."""

    __slots__ = (
        "_receive",
        "_send",
        "address",
        "began",
        "certificate",
        "headers",
        "is_ambiguous",
        "is_traced",
        "method",
        "more_headers",
        "path",
        "query",
        "status",
        "traceparent",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self.began = time.perf_counter()
        self.method: str = scope["method"]
        self.path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        self.query: bytes = scope["query_string"]
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        # Which of two would count is not for a proxy on the way and us to see differently.
        self.is_ambiguous = len(self.headers) < len(scope["headers"]) and _has_two(scope["headers"])
        self.address = network_of((scope.get("client") or ("unknown",))[0])
        self.certificate: str = scope.get("extensions", {}).get(CERTIFICATE, {}).get("sha256", "")
        self.is_traced, self.traceparent = trace_of(self.headers.get(b"traceparent", b"").decode("latin-1"))
        self.status = 0
        # What the answer says besides, whichever it is: ratelimit="…" is RateLimit.
        self.more_headers: dict[str, str] = {}

    @property
    def trace_id(self) -> str:
        """The trace that this request belongs to, 32 hex digits."""
        return self.traceparent[3:35]

    def name_trace(self, route: str) -> None:
        """Tell the tracer, when there is one, where the request goes."""
        if self.is_traced:
            span = trace.get_current_span()
            span.update_name(f"{self.method} {route}")
            span.set_attribute("http.route", route)

    @property
    def elapsed_ms(self) -> float:
        """Since the request came in."""
        return round((time.perf_counter() - self.began) * 1000, 2)

    @property
    def authorization(self) -> str:
        """The Authorization header, or ""."""
        return self.headers.get(b"authorization", b"").decode("latin-1")

    @property
    def proof(self) -> str:
        """The Huitong-Proof header, or ""."""
        return self.headers.get(b"huitong-proof", b"").decode("latin-1")

    @property
    def reason(self) -> bytes:
        """The Huitong-Reason header, or nothing."""
        return self.headers.get(b"huitong-reason", b"")

    @property
    def content_type(self) -> bytes:
        """Without parameters, lower case; empty when there is none."""
        return self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()

    @property
    def wants_chinese(self) -> bool:
        """Whether the client prefers Chinese to English."""
        return _prefers_chinese(self.headers.get(b"accept-language", b"").decode("latin-1"))

    def seconds(self, *, default: float, most: float) -> float:
        """How long the call may take: what `grpc-timeout` says, at most `most`."""
        match = _TIMEOUT.fullmatch(self.headers.get(b"grpc-timeout", b""))
        return min(int(match[1]) * _TIMEOUT_SECONDS[match[2]], most) if match else default

    def check_headers(self) -> None:
        """Raises HeadersTooLarge, Unauthenticated."""
        if self.is_ambiguous:
            raise Unauthenticated
        if len(self.headers) > MAX_HEADERS or sum(map(len, self.headers.values())) > MAX_HEADER_BYTES:
            raise HeadersTooLarge(limit_bytes=MAX_HEADER_BYTES)

    async def body(self, limit_bytes: int) -> bytes:
        """The body as it was sent. Raises BodyTooLarge, DeadlineExceeded, ClientGone."""
        announced = self.headers.get(b"content-length", b"0")
        if announced.isdigit() and int(announced) > limit_bytes:
            raise BodyTooLarge(limit_bytes=limit_bytes)
        message = await self._receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            first: bytes = message.get("body", b"")
            if len(first) > limit_bytes:
                raise BodyTooLarge(limit_bytes=limit_bytes)
            return first
        try:
            async with asyncio.timeout(BODY_SECONDS):
                return await self._rest_of_body(message, limit_bytes)
        except TimeoutError:
            raise DeadlineExceeded from None

    async def _rest_of_body(self, message: Message, limit_bytes: int) -> bytes:
        chunks, size = [], 0
        while True:
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit_bytes:
                raise BodyTooLarge(limit_bytes=limit_bytes)
            chunks.append(chunk)
            if not message.get("more_body"):
                return b"".join(chunks)
            message = await self._receive()

    def inflated(self, body: bytes, limit_bytes: int) -> bytes:
        """The body without its Content-Encoding. Raises BodyTooLarge, BadEncoding, UnsupportedMediaType."""
        encoding = self.headers.get(b"content-encoding", b"identity").strip().lower()
        if encoding in (b"identity", b""):
            return body
        if encoding != b"gzip":
            raise UnsupportedMediaType(accepted="plain or gzip")
        inflater = zlib.decompressobj(wbits=31)
        try:
            # One byte past the limit tells a bomb without unpacking it.
            result = inflater.decompress(body, limit_bytes + 1)
        except zlib.error:
            raise BadEncoding from None
        if len(result) > limit_bytes:
            raise BodyTooLarge(limit_bytes=limit_bytes)
        if not inflater.eof or inflater.unused_data:
            raise BadEncoding
        return result

    async def answer(self, body: bytes, *, status: int = 200, kind: bytes = b"application/json", **more: str) -> None:
        """Send the whole answer; `more` are headers, retry_after="1" is Retry-After."""
        self.status = status
        headers = [
            (b"content-type", kind),
            (b"content-length", str(len(body)).encode()),
            *_API_HEADERS,
            (b"x-trace-id", self.trace_id.encode()),
        ]
        more = {**self.more_headers, **more}
        headers += [(name.replace("_", "-").encode(), value.encode()) for name, value in more.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, error: AppError) -> None:
        """Answer with problem+json."""
        status, chinese = status_of(error), self.wants_chinese
        more = {"content_language": "zh-CN" if chinese else "en"}
        seconds = retry_after_seconds(error)
        if seconds is not None:
            more["retry_after"] = str(seconds)
        if status == 401:
            more["www_authenticate"] = "Bearer, HUITONG-HMAC-SHA256"
        if status == 405:
            more["allow"] = error.values.get("allowed", "")
        if status in (413, 431):
            more["connection"] = "close"  # what is still to come is not read
        body = problem(error, chinese=chinese, trace_id=self.trace_id)
        await self.answer(orjson.dumps(body), status=status, kind=PROBLEM_TYPE.encode(), **more)


def _has_two(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a header that says who calls is there twice."""
    names = [name for name, _ in headers]
    return names.count(b"authorization") > 1 or names.count(b"huitong-proof") > 1


def _prefers_chinese(accept_language: str) -> bool:
    """Whether the first of zh and en in order of weight is zh."""
    best: tuple[float, bool] | None = None
    for part in accept_language.lower().split(","):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.partition("-")[0]
        if language in ("zh", "en"):
            try:
                value = float(weight) if weight else 1.0
            except ValueError:
                continue
            if value > 0 and (best is None or value > best[0]):
                best = (value, language == "zh")
    return best is not None and best[1]


def reason_told(given: bytes) -> Metadata:
    """What a service is told of the reason for a call, percent-encoded or not. Raises InvalidArgument."""
    if not given:
        return ()
    text = unquote_to_bytes(given)
    if len(text) > acts.MOST_REASON_BYTES:
        raise InvalidArgument([(acts.REASON, f"is longer than {acts.MOST_REASON_BYTES} bytes of UTF-8")])
    return ((acts.REASON, quote(text)),)


def trace_of(given: str) -> tuple[bool, str]:
    """Whether a tracer is at work (which then hands its context on by itself), and the trace's W3C traceparent.

    Without a tracer it is the client's, `given`, or a new one, so that logs of all services can still be joined.
    """
    span: Any = trace.get_current_span().get_span_context()
    if span.is_valid:
        return True, f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"
    if _TRACEPARENT.fullmatch(given):
        return False, given
    random = os.urandom(24).hex()
    return False, f"00-{random[:32]}-{random[32:]}-00"
