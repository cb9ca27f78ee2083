"""Answers of org about keys and sessions, kept for seconds only, so that what was revoked stops working."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from chassis.errors import DeadlineExceeded, Unavailable

GOOD_SECONDS, BAD_SECONDS = 30.0, 5.0
# While org does not answer, what was known is good for as long again: in all, within the promise that what was revoked
# stops working within 60 seconds.
STALE_SECONDS = 30.0
# Lookups of names that nobody has asked for lately: a guesser must not turn the gateway into a load on org.
LOOKUPS_PER_SECOND, LOOKUP_BURST = 200.0, 2000.0
MAX_KEPT = 50_000

T = TypeVar("T")


class Kept(Generic[T]):
    """Answers from memory while fresh; one fetch at a time for each name. None stands for what does not work."""

    def __init__(
        self, fetch: Callable[[str], Awaitable[T | None]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._clock = fetch, clock
        self._kept: dict[str, tuple[float, T | None]] = {}
        self._fetching: dict[str, asyncio.Task[T | None]] = {}
        self._budget, self._budget_time = LOOKUP_BURST, clock()

    def known(self, name: str) -> T | None:
        """What is known under `name` and fresh, without asking."""
        known = self._kept.get(name)
        return known[1] if known is not None and known[0] > self._clock() else None

    async def get(self, name: str, *, max_age: float = GOOD_SECONDS) -> T | None:
        """What is known under `name`, asked for at most `max_age` seconds ago, or longer while nobody answers.

        Raises Unavailable, and what `fetch` raises.
        """
        known = self._kept.get(name)
        if known is not None and known[0] - GOOD_SECONDS + max_age > self._clock():
            return known[1]
        task = self._fetching.get(name)
        if task is None:
            if known is None:
                self._spend_lookup()
            task = asyncio.create_task(self._refresh(name))
            self._fetching[name] = task
            task.add_done_callback(lambda _: self._fetching.pop(name, None))
        # Shielded: a caller that goes away must not fail the others that wait for the same name.
        try:
            return await asyncio.shield(task)
        except (Unavailable, DeadlineExceeded):
            if known is None or known[1] is None or self._clock() > known[0] + STALE_SECONDS:
                raise Unavailable from None
            return known[1]

    async def _refresh(self, name: str) -> T | None:
        # Counted from before the question: what is revoked while the answer is under way is not kept for longer.
        asked = self._clock()
        found = await self._fetch(name)
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[name] = (asked + (BAD_SECONDS if found is None else GOOD_SECONDS), found)
        return found

    def _spend_lookup(self) -> None:
        now = self._clock()
        self._budget = min(LOOKUP_BURST, self._budget + (now - self._budget_time) * LOOKUPS_PER_SECOND)
        self._budget_time = now
        if self._budget < 1:
            raise Unavailable
        self._budget -= 1
