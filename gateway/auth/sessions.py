"""Sessions of operators, fetched from org and kept for seconds only."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Awaitable, Callable

from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from chassis.ids import from_edge
from gateway.auth.kept import Kept
from gateway.errors import SessionEnded
from huitong.org.v1 import operators_pb2

PREFIX = "hts_"
_TOKEN = re.compile(r"hts_[A-Za-z0-9_-]{43}")
# By the SHA-256 of the token: what is kept and sent on opens nothing from outside.
Fetch = Callable[[bytes], Awaitable[operators_pb2.GetOperatorSessionResponse]]


class Sessions:
    """The operators behind sessions' tokens."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._kept = Kept(self._ask, clock=clock)

    async def get(self, token: str, address: str) -> Caller:
        """The operator at `address`, with all their permissions. Raises SessionEnded, Unavailable."""
        if not _TOKEN.fullmatch(token):
            raise SessionEnded
        caller = await self._kept.get(hashlib.sha256(token.encode()).hexdigest(), address)
        if caller is None:
            raise SessionEnded
        return caller

    async def _ask(self, name: str) -> Caller | None:
        try:
            found = await self._fetch(bytes.fromhex(name))
        except AppError as error:
            if error.reason != "SESSION_UNKNOWN":
                raise
            return None
        group_id = from_edge("grp", found.group_id, "group_id")
        return Caller(CallerKind.OPERATOR, found.operator_id, group_id, found.session_id, dict(found.permissions))
