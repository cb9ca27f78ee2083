"""`python -m gateway` serves the gateway until SIGTERM, then ends what is under way and stops."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import uvicorn
import uvloop
from opentelemetry.trace import Span
from starlette.applications import Starlette
from starlette.types import Scope

from chassis.config import Settings, settings
from chassis.telemetry import setup_telemetry
from gateway.app import create_app


def traced(app: Starlette, config: Settings) -> Starlette:
    """`app` with a span for each request when a collector is configured."""
    if config.otlp_endpoint:
        from opentelemetry.instrumentation.starlette import StarletteInstrumentor

        StarletteInstrumentor.instrument_app(app, server_request_hook=_forget_address)
    return app


def _forget_address(span: Span, scope: Scope) -> None:
    """A query may hold a phone, and a path that is nowhere may hold anything: the door tells the route instead."""
    for name in ("http.url", "http.target", "url.full", "url.path", "url.query"):
        span.set_attribute(name, "")


class Server(uvicorn.Server):
    """uvicorn, but a stop that was asked for is a success: it would end itself by the signal after all is done."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop in order at the first SIGTERM or SIGINT, at once at the second SIGINT."""
        loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
        for each in signals:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)


def server(config: Settings) -> Server:
    """The HTTP server, not started."""
    # Addresses told by a proxy count only when the operator says which proxies to trust; else anyone could pose as
    # somebody else and have a rate limit of their own.
    proxies = os.environ.get("FORWARDED_ALLOW_IPS", "")
    return Server(
        uvicorn.Config(
            traced(create_app(config), config),
            host=config.gateway_host,
            port=config.gateway_port,
            loop="none",
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=proxies or None,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=int(config.drain_seconds),
            backlog=2048,
        )
    )


async def main() -> None:
    """Serve until told to stop."""
    config = settings()
    setup_telemetry("gateway", config)
    log = structlog.get_logger("gateway")
    log.info("gateway_starting", host=config.gateway_host, port=config.gateway_port, mode=config.mode)
    await server(config).serve()
    log.info("gateway_stopped")


if __name__ == "__main__":
    # Requests leave no cycles behind; looking for some after every few hundred objects only costs time.
    gc.set_threshold(20_000, 20, 50)
    uvloop.install()
    asyncio.run(main())
