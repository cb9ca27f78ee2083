"""Answers of org about keys and sessions, kept for seconds only, so that what was revoked stops working."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from chassis.errors import DeadlineExceeded, Unavailable
from gateway.auth.lookups import Lookups

GOOD_SECONDS, BAD_SECONDS = 30.0, 5.0
# While org does not answer, what was known is good for as long again: in all, within the promise that what was revoked
# stops working within 60 seconds.
STALE_SECONDS = 30.0
# Of names that work, of which only org makes more, and of names that do not, of which anybody does.
MAX_KEPT, MAX_BAD = 50_000, 10_000

T = TypeVar("T")
V = TypeVar("V")


class Kept(Generic[T]):
    """Answers from memory while fresh; one fetch at a time for each name. None stands for what does not work.

    What works is kept apart from what does not, and asking about it again costs nobody anything: whoever tries names
    out can make the gateway forget only what they have tried.
    """

    def __init__(
        self, fetch: Callable[[str], Awaitable[T | None]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._clock = fetch, clock
        # With the moment until which each is fresh; the one that was asked about longest ago comes first.
        self._good: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._bad: OrderedDict[str, float] = OrderedDict()
        self._fetching: dict[str, asyncio.Task[T | None]] = {}
        self._lookups = Lookups(clock)

    def known(self, name: str) -> T | None:
        """What is known under `name` and fresh, without asking."""
        good = self._good.get(name)
        return good[1] if good is not None and good[0] > self._clock() else None

    async def get(self, name: str, asker: str, *, max_age: float = GOOD_SECONDS) -> T | None:
        """What is known under `name`, asked for at most `max_age` seconds ago, or longer while nobody answers.

        A question about a name that did not work so far is one of `asker`'s. Raises Unavailable, and what `fetch`
        raises.
        """
        now, good = self._clock(), self._good.get(name)
        if good is not None and good[0] - GOOD_SECONDS + max_age > now:
            return good[1]
        if good is None and name in self._bad and self._bad[name] > now:
            return None
        task = self._fetching.get(name)
        if task is None:
            if good is None:
                self._lookups.spend(asker)
            task = asyncio.create_task(self._refresh(name, "" if good else asker))
            self._fetching[name] = task
            task.add_done_callback(lambda _: self._fetching.pop(name, None))
        # Shielded: a caller that goes away must not fail the others that wait for the same name.
        try:
            return await asyncio.shield(task)
        except (Unavailable, DeadlineExceeded):
            if good is None or self._clock() > good[0] + STALE_SECONDS:
                raise Unavailable from None
            return good[1]

    async def _refresh(self, name: str, spender: str) -> T | None:
        # Counted from before the question: what is revoked while the answer is under way is not kept for longer.
        asked = self._clock()
        found = await self._fetch(name)
        if found is None:
            self._good.pop(name, None)
            _keep(self._bad, name, asked + BAD_SECONDS, MAX_BAD)
        else:
            self._bad.pop(name, None)
            _keep(self._good, name, (asked + GOOD_SECONDS, found), MAX_KEPT)
            if spender:
                self._lookups.give_back(spender)
        return found


def _keep(kept: OrderedDict[str, V], name: str, value: V, most: int) -> None:
    kept[name] = value
    kept.move_to_end(name)
    if len(kept) > most:
        kept.popitem(last=False)
