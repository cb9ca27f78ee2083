"""Valkey for what may be forgotten: scripts that run there, and how its absence is noticed quickly."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

log = structlog.get_logger()

VALKEY_SECONDS = 0.5
# After a failure Valkey is taken as gone for this long, so that requests do not queue up behind its timeouts.
PAUSE_SECONDS = 0.5


class ValkeyGone(Exception):
    """Valkey does not answer."""


def open_valkey(url: str) -> Redis:
    """A client that gives up quickly: whoever counts in Valkey has an answer for one that is gone."""
    return Redis.from_url(
        url,
        socket_timeout=VALKEY_SECONDS,
        socket_connect_timeout=VALKEY_SECONDS,
        retry=Retry(NoBackoff(), 1),
        decode_responses=True,
    )


class Script:
    """A Lua script that Valkey keeps; it is loaded when first used, and again after a restart of Valkey."""

    def __init__(self, valkey: Redis, source: str) -> None:
        self._valkey, self._source = valkey, source
        self._sha = ""
        self._gone_until = 0.0

    @property
    def is_gone(self) -> bool:
        """Whether Valkey failed just now: there is no use in asking."""
        return time.monotonic() < self._gone_until

    async def run(self, keys: Sequence[str], values: Sequence[str | int]) -> list[Any]:
        """What the script answers. Raises ValkeyGone."""
        if self.is_gone:
            raise ValkeyGone
        try:
            return await self._run(keys, values)
        except (RedisError, OSError, TimeoutError) as error:
            self._gone_until = time.monotonic() + PAUSE_SECONDS
            log.warning("valkey_gone", error=type(error).__name__)
            raise ValkeyGone from None

    async def _run(self, keys: Sequence[str], values: Sequence[str | int]) -> list[Any]:
        if not self._sha:
            self._sha = str(await self._valkey.script_load(self._source))
        try:
            return list(await self._valkey.evalsha(self._sha, len(keys), *keys, *values))
        except NoScriptError:  # Valkey was restarted
            self._sha = str(await self._valkey.script_load(self._source))
            return list(await self._valkey.evalsha(self._sha, len(keys), *keys, *values))
