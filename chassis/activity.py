"""Something moved: for whoever waits for progress without asking again and again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable


class Activity:
    """Told by what makes progress, waited for by what needs it. A waiter always looks for itself at what it needs."""

    def __init__(self) -> None:
        self._moved = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    def moved(self) -> None:
        """Wake everyone who waits."""
        self._moved.set()
        self._moved = asyncio.Event()
        for listener in self._listeners:
            listener()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener` at every move."""
        self._listeners.append(listener)

    async def wait(self, timeout_s: float) -> None:
        """Wait for the next move, at most `timeout_s` (another replica may have moved unheard)."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._moved.wait()
