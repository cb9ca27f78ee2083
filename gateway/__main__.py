"""`python -m gateway` serves the gateway until SIGTERM, then ends what is under way and stops."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import uvicorn
import uvloop
from opentelemetry.trace import Span
from starlette.applications import Starlette
from starlette.types import Scope

from chassis.config import Settings, settings
from chassis.telemetry import setup_telemetry
from gateway.app import create_app
from gateway.protocol import Protocol
from gateway.tls import TlsServer, tls_server


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

    beside: TlsServer | None = None
    _serving: asyncio.Task[None] | None = None

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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and then at the door beside, whose application is ready with ours."""
        await super().startup(sockets=sockets)
        if self.beside:
            self._serving = asyncio.create_task(self.beside.serve())
            while not self.beside.started and not self._serving.done():
                await asyncio.sleep(0.01)
            if self._serving.done():
                await self._serving
                self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """The door beside ends first: what it serves needs our application."""
        if self.beside and self._serving:
            self.beside.should_exit = True
            await self._serving
        await super().shutdown(sockets=sockets)


def server(config: Settings) -> Server:
    """The HTTP server with the TLS server beside it when there is one, not started."""
    app = traced(create_app(config), config)
    same: dict[str, Any] = {
        "host": config.gateway_host,
        "loop": "none",
        "ws": "none",
        "log_config": None,
        "access_log": False,
        "server_header": False,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": int(config.drain_seconds),
        "backlog": 2048,
    }
    plain = Server(
        uvicorn.Config(
            app,
            **same,
            port=config.gateway_port,
            http=Protocol,
            lifespan="on",
            # From anybody else an address that is forwarded counts for nothing: else anyone could pose as somebody else
            # and have a rate limit of their own.
            proxy_headers=bool(config.trusted_proxies),
            forwarded_allow_ips=config.trusted_proxies,
        )
    )
    plain.beside = tls_server(config, app, proxy_headers=False, **same)
    return plain


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
