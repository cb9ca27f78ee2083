"""Traces and logs. Logs are one JSON object a line: an event name, ids and reasons, never a person's data."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog
from opentelemetry import propagate, trace

from chassis.config import Settings

_tracing = False


def setup_logging(level: str) -> None:
    """Log JSON to stderr from `level` up, with the trace id when there is one."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _add_trace_id,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _json(event: object, **_: object) -> str:
    # Several times faster than the standard library's, and a busy door writes a line for each request.
    return orjson.dumps(event, default=str).decode()


def _add_trace_id(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    if _tracing:
        context = trace.get_current_span().get_span_context()
        if context.is_valid:
            event["trace_id"] = f"{context.trace_id:032x}"
    return event


def setup_telemetry(service_name: str, config: Settings) -> None:
    """Set up logs, and traces through gRPC, SQL, Valkey and HTTP when a collector is configured."""
    global _tracing
    setup_logging(config.log_level)
    if not config.otlp_endpoint or _tracing:
        return
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
    from opentelemetry.instrumentation.grpc import GrpcAioInstrumentorClient, GrpcAioInstrumentorServer
    from opentelemetry.instrumentation.redis import RedisInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": f"huitong-{service_name}"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=config.otlp_endpoint, insecure=True)))
    trace.set_tracer_provider(provider)
    kinds: list[Any] = [
        AsyncPGInstrumentor,
        GrpcAioInstrumentorClient,
        GrpcAioInstrumentorServer,
        RedisInstrumentor,
    ]
    for kind in kinds:
        kind().instrument()
    _tracing = True


def traceparent() -> str:
    """The current trace as a W3C traceparent; empty when tracing is off."""
    if not _tracing:
        return ""
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent", "")
