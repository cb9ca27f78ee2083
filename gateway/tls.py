"""A second door for machines with client certificates: TLS, on a port of its own, in front of the same application."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from chassis.config import Settings
from gateway.headers import STRICT
from gateway.http import CERTIFICATE
from gateway.protocol import Protocol


class WithCertificate(Protocol):
    """Tells the application the SHA-256 of the client's certificate."""

    more_headers = STRICT

    _certificate = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The handshake is over: whoever got here has a certificate of our authority."""
        super().connection_made(transport)
        der: bytes | None = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        self._certificate = hashlib.sha256(der).hexdigest() if der else ""

    def on_message_begin(self) -> None:
        """A request of this connection begins."""
        super().on_message_begin()
        self.scope["extensions"] = {CERTIFICATE: {"sha256": self._certificate}}


class TlsServer(uvicorn.Server):
    """Starts and stops with the server beside it, which also gets the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of its own."""
        yield


def tls_server(config: Settings, app: Any, **same: Any) -> TlsServer | None:
    """The second door, not started; None when the settings name no certificate. `same` is what both doors share."""
    if not config.tls_certificate:
        return None
    return TlsServer(
        uvicorn.Config(
            app,
            **same,
            port=config.tls_port,
            http=WithCertificate,
            lifespan="off",
            ssl_certfile=config.tls_certificate,
            ssl_keyfile=config.tls_key,
            ssl_ca_certs=config.tls_client_ca,
            ssl_cert_reqs=ssl.CERT_REQUIRED,
        )
    )
