"""How many questions about names that did not work yet may go to org: a share for each asker, within one whole."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from chassis.errors import Unavailable

# Whoever tries out names must not turn the gateway into a load on org …
LOOKUPS_PER_SECOND, LOOKUP_BURST = 200.0, 2000.0
# … nor spend what others need: a key or session that this gateway does not know yet must get in meanwhile.
SHARE_PER_SECOND, SHARE_BURST = 20.0, 500.0
MAX_ASKERS = 10_000


class Lookups:
    """What is left of the whole, and of each asker's share. A name that turns out to work costs nothing."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._whole = _Bucket(LOOKUPS_PER_SECOND, LOOKUP_BURST, clock())
        # The one that asked longest ago comes first.
        self._shares: OrderedDict[str, _Bucket] = OrderedDict()

    def spend(self, asker: str) -> None:
        """One question of `asker`'s. Raises Unavailable when there is none left."""
        now = self._clock()
        share = self._shares.get(asker)
        if share is None:
            share = self._shares[asker] = _Bucket(SHARE_PER_SECOND, SHARE_BURST, now)
            if len(self._shares) > MAX_ASKERS:
                self._shares.popitem(last=False)
        self._shares.move_to_end(asker)
        # Whose share is spent takes nothing from the whole.
        if not share.has_one(now) or not self._whole.has_one(now):
            raise Unavailable
        share.left -= 1
        self._whole.left -= 1

    def give_back(self, asker: str) -> None:
        """The name that was asked for works: the question was no guess."""
        self._whole.left += 1
        share = self._shares.get(asker)
        if share is not None:
            share.left += 1


class _Bucket:
    """`left`, filled up with so much a second to at most `size`."""

    __slots__ = ("_per_second", "_size", "_time", "left")

    def __init__(self, per_second: float, size: float, now: float) -> None:
        self._per_second, self._size, self._time, self.left = per_second, size, now, size

    def has_one(self, now: float) -> bool:
        """Whether there is one to take now."""
        self.left = min(self._size, self.left + (now - self._time) * self._per_second)
        self._time = now
        return self.left >= 1
