"""Credentials of machines, fetched from org and kept for seconds only."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from chassis.ids import from_edge
from gateway.auth.kept import Kept
from gateway.errors import KeyUnknownOrRevoked
from huitong.org.v1 import org_pb2

_KINDS = {
    org_pb2.CREDENTIAL_KIND_TERMINAL: CallerKind.TERMINAL,
    org_pb2.CREDENTIAL_KIND_VENDOR: CallerKind.VENDOR,
    org_pb2.CREDENTIAL_KIND_SYSTEM: CallerKind.SYSTEM,
    org_pb2.CREDENTIAL_KIND_MERCHANT: CallerKind.MERCHANT,
    org_pb2.CREDENTIAL_KIND_PARTNER: CallerKind.PARTNER,
}
Fetch = Callable[[str], Awaitable[org_pb2.GetCredentialSecretResponse]]


@dataclass(frozen=True, slots=True)
class Credential:
    """A machine's secrets and whom they stand for."""

    caller: Caller
    secrets: tuple[str, ...]
    # SHA-256 of the client certificates that it needs one of; empty when it needs none.
    certificates: frozenset[str] = frozenset()


class Credentials:
    """Credentials by key id."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._kept = Kept(self._ask, clock=clock)

    async def get(self, key_id: str, address: str) -> Credential:
        """The credential of `key_id`, which somebody at `address` shows. Raises KeyUnknownOrRevoked, Unavailable."""
        credential = await self._kept.get(key_id, address)
        if credential is None:
            raise KeyUnknownOrRevoked
        return credential

    async def _ask(self, key_id: str) -> Credential | None:
        try:
            return _credential(await self._fetch(key_id))
        except AppError as error:
            if error.reason != "CREDENTIAL_UNKNOWN":
                raise
            return None


def _credential(answer: org_pb2.GetCredentialSecretResponse) -> Credential | None:
    kind = _KINDS.get(answer.kind)
    if answer.is_revoked or kind is None or not answer.secrets:
        return None
    group_id: UUID = from_edge("grp", answer.group_id, "group_id")
    caller = Caller(kind, answer.subject_id, group_id, answer.bound_id, dict(answer.scopes))
    return Credential(caller, tuple(answer.secrets), frozenset(answer.certificate_sha256))
