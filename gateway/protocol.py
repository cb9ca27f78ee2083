"""uvicorn's HTTP protocol, whose own refusals say to browsers what all other answers do."""

from __future__ import annotations

from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.headers import API


class Protocol(HttpToolsProtocol):
    """For connections as they come."""

    # What a refusal says besides.
    more_headers: ClassVar[dict[str, str]] = {}

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP: refused before there is a request that the application could answer."""
        headers = {
            "content-type": "text/plain; charset=utf-8",
            "content-length": str(len(msg)),
            "connection": "close",
            **API,
            **self.more_headers,
        }
        lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in headers.items()), "", msg]
        self.transport.write("\r\n".join(lines).encode("ascii"))
        self.transport.close()
