"""The wire between a lane and its server: what goes over it is kept, and it can be made deaf or be cut."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit


class Wire:
    """Forwards connections to PostgreSQL. `url` is the database behind it."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self.url = ""
        self.is_deaf = False  # what the server answers is lost on the way
        self.deaf_after: bytes | None = None  # becomes deaf as soon as the client has said this
        self.connection_count = 0
        self._said = bytearray()
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        credentials = self._target.netloc.rpartition("@")[0]
        self.url = urlunsplit(self._target._replace(netloc=f"{credentials}@127.0.0.1:{port}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Both ends lose the connections that there are; new ones can be made."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def forget(self) -> None:
        """`said()` begins anew."""
        self._said.clear()

    def said(self) -> list[tuple[str, bytes]]:
        """The client's messages since `forget()`: type and body, as in PostgreSQL's protocol."""
        messages, rest = [], bytes(self._said)
        while rest:
            length = int.from_bytes(rest[1:5], "big")
            messages.append((chr(rest[0]), rest[5 : 1 + length]))
            rest = rest[1 + length :]
        return messages

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection(self._target.hostname, self._target.port)
        except OSError:
            writer.transport.abort()
            return
        self.connection_count += 1
        self._writers += [writer, there[1]]
        self._tasks += [
            asyncio.create_task(self._forward(reader, there[1], is_client=True)),
            asyncio.create_task(self._forward(there[0], writer, is_client=False)),
        ]

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_client: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if is_client:
                    self._said += data
                    if self.deaf_after is not None and self.deaf_after in self._said:
                        self.is_deaf = True
                elif self.is_deaf:
                    continue
                writer.write(data)
                await writer.drain()
        writer.close()
