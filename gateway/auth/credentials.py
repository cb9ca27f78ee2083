"""Credentials of machines, fetched from org and kept for seconds only, so that a revoked key stops working."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from chassis.errors import AppError, DeadlineExceeded, Unavailable
from chassis.identity import Caller, CallerKind
from chassis.ids import from_edge
from gateway.errors import KeyUnknownOrRevoked
from huitong.org.v1 import org_pb2

GOOD_SECONDS, BAD_SECONDS = 30.0, 5.0
# While org does not answer, what was known is good for as long again: in all, within the promise that a revoked key
# stops working within 60 seconds.
STALE_SECONDS = 30.0
# Lookups of keys that nobody has asked for lately: a guesser must not turn the gateway into a load on org.
LOOKUPS_PER_SECOND, LOOKUP_BURST = 200.0, 2000.0
MAX_KEPT = 50_000

_KINDS = {
    org_pb2.CREDENTIAL_KIND_TERMINAL: CallerKind.TERMINAL,
    org_pb2.CREDENTIAL_KIND_VENDOR: CallerKind.VENDOR,
    org_pb2.CREDENTIAL_KIND_SYSTEM: CallerKind.SYSTEM,
}
Fetch = Callable[[str], Awaitable[org_pb2.GetCredentialSecretResponse]]


@dataclass(frozen=True, slots=True)
class Credential:
    """A machine's secrets and whom they stand for."""

    caller: Caller
    secrets: tuple[str, ...]


class Credentials:
    """Answers from memory while fresh; one fetch at a time for each key."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch, self._clock = fetch, clock
        self._kept: dict[str, tuple[float, Credential | None]] = {}
        self._fetching: dict[str, asyncio.Task[Credential | None]] = {}
        self._budget, self._budget_time = LOOKUP_BURST, clock()

    async def get(self, key_id: str) -> Credential:
        """The credential of `key_id`. Raises KeyUnknownOrRevoked, Unavailable."""
        known = self._kept.get(key_id)
        if known is None or known[0] <= self._clock():
            task = self._fetching.get(key_id)
            if task is None:
                if known is None:
                    self._spend_lookup()
                task = asyncio.create_task(self._refresh(key_id))
                self._fetching[key_id] = task
                task.add_done_callback(lambda _: self._fetching.pop(key_id, None))
            # Shielded: a caller that goes away must not fail the others that wait for the same key.
            try:
                credential = await asyncio.shield(task)
            except (Unavailable, DeadlineExceeded):
                if known is None or known[1] is None or self._clock() > known[0] + STALE_SECONDS:
                    raise Unavailable from None
                credential = known[1]
        else:
            credential = known[1]
        if credential is None:
            raise KeyUnknownOrRevoked
        return credential

    async def _refresh(self, key_id: str) -> Credential | None:
        try:
            credential = _credential(await self._fetch(key_id))
        except AppError as error:
            if error.reason != "CREDENTIAL_UNKNOWN":
                raise
            credential = None
        if len(self._kept) >= MAX_KEPT:
            self._kept.clear()
        self._kept[key_id] = (self._clock() + (GOOD_SECONDS if credential else BAD_SECONDS), credential)
        return credential

    def _spend_lookup(self) -> None:
        now = self._clock()
        self._budget = min(LOOKUP_BURST, self._budget + (now - self._budget_time) * LOOKUPS_PER_SECOND)
        self._budget_time = now
        if self._budget < 1:
            raise Unavailable
        self._budget -= 1


def _credential(answer: org_pb2.GetCredentialSecretResponse) -> Credential | None:
    kind = _KINDS.get(answer.kind)
    if answer.is_revoked or kind is None or not answer.secrets:
        return None
    group_id: UUID = from_edge("grp", answer.group_id, "group_id")
    caller = Caller(kind, answer.subject_id, group_id, answer.bound_id, dict(answer.scopes))
    return Credential(caller, tuple(answer.secrets))
