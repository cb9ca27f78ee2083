"""How often something happened lately: exact sliding windows in Valkey, in which each thing counts once.

A window is a sorted set of marks by the time they came. A mark that is there already (a retry) is let through and
counts no second time; what is refused leaves no mark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from redis.asyncio import Redis

from chassis.valkey import Script

HOUR, DAY = 3_600, 86_400

# KEYS: the windows. ARGV: the mark; for each window its limit and its length in ms; then marks that are known to belong
# into all of them, each with its age in ms. Either all windows take the mark or none. Answers the number of the window
# that was full (0 for none) and the ms until it has room.
_SCRIPT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
for i, key in ipairs(KEYS) do
  local limit, length = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  for known = 2 * #KEYS + 2, #ARGV, 2 do
    redis.call('ZADD', key, 'NX', now - tonumber(ARGV[known + 1]), ARGV[known])
    redis.call('PEXPIRE', key, length)
  end
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - length)
  if not redis.call('ZSCORE', key, ARGV[1]) and redis.call('ZCARD', key) >= limit then
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    return {i, math.max(tonumber(oldest[2]) + length - now, 1)}
  end
end
for i, key in ipairs(KEYS) do
  redis.call('ZADD', key, 'NX', now, ARGV[1])
  redis.call('PEXPIRE', key, ARGV[2 * i + 1])
end
return {0, 0}
"""


@dataclass(frozen=True, slots=True)
class Window:
    """At most `limit` marks of `what` within `seconds`. `name` tells whoever is refused which one was full."""

    name: str
    what: str
    limit: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Full:
    """A window that was full, and when it has room again."""

    window: Window
    retry_ms: int


class Velocity:
    """Counts. One round trip, however many windows."""

    def __init__(self, valkey: Redis, *, prefix: str) -> None:
        self._script, self._prefix = Script(valkey, _SCRIPT), prefix

    async def take(
        self, group_id: UUID, mark: str, windows: Sequence[Window], *, known: Sequence[tuple[str, int]] = ()
    ) -> Full | None:
        """Put `mark` into all windows unless one is full, and answer that one. Raises ValkeyGone.

        `known` marks (each with its age in ms) are put in first: what the caller can count itself stands also when
        Valkey has lost its counts, or has old ones back.
        """
        if not windows:
            return None
        # All keys of a group are in one slot of a cluster.
        keys = [f"{self._prefix}:{{{group_id.hex}}}:{window.name}:{window.what}" for window in windows]
        sizes = [size for window in windows for size in (window.limit, window.seconds * 1_000)]
        more: list[str | int] = [part for pair in known for part in pair]
        number, retry_ms = (int(part) for part in await self._script.run(keys, [mark, *sizes, *more]))
        return Full(windows[number - 1], retry_ms) if number else None
