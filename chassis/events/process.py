"""A relay in a process of its own, as its service sees it.

Over two pipes each side tells the other with a byte that it should look: the service that there are new events, the
relay that it has published some. The pipes carry nothing that matters: the relay also polls, and what is to be
published stands in the database. When the service ends, however it ends, its pipe closes, and the relay ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import cast

END_SECONDS = 5.0
LOOK = b"."


class RelayEnded(Exception):
    """The relay's process ended by itself."""


class RelayProcess:
    """Runs `python -m chassis.relay_process <service>`."""

    def __init__(self, service: str, environment: Mapping[str, str], *, moved: Callable[[], None]) -> None:
        """`environment` is the settings'. `moved` is called when the relay has published something."""
        self._service, self._environment, self._moved = service, environment, moved
        self._to_relay: asyncio.StreamWriter | None = None

    def wake(self) -> None:
        """There may be new events."""
        pipe = self._to_relay
        if pipe is not None and not pipe.is_closing() and not pipe.transport.get_write_buffer_size():
            pipe.write(LOOK)

    async def run(self) -> None:
        """Start the relay and stay with it. Raises RelayEnded; cancelled, it ends the relay."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "chassis.relay_process",
            self._service,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **self._environment},
        )
        to_relay = cast(asyncio.StreamWriter, process.stdin)
        from_relay = cast(asyncio.StreamReader, process.stdout)
        self._to_relay = to_relay
        try:
            while await from_relay.read(4096):
                self._moved()
            raise RelayEnded
        finally:
            self._to_relay = None
            to_relay.close()
            try:
                async with asyncio.timeout(END_SECONDS):
                    await process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
