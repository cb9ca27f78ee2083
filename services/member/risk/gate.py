"""Who may come in: asked ahead of the transaction that joins somebody or opens a session.

Only somebody new counts in the limits. When Valkey is gone a till still lets people join, since they stand there with a
purchase and can spend nothing without a code of theirs; over the network nobody new gets in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import AppError, Unavailable
from chassis.identity import Caller, CallerKind
from chassis.valkey import ValkeyGone
from chassis.velocity import Velocity
from services.member import store as member_store
from services.member.merging import store as merge_store
from services.member.operations import phone_index
from services.member.risk import rules, store
from services.member.risk.errors import IdentityDenied, JoinTooOften
from services.member.risk.operations import DENIABLE, device_index
from services.member.risk.rules import DEVICE, Policy
from services.member.rules import PHONE

log = structlog.get_logger()
ADDRESS_PURPOSE = "member.address"


@dataclass(frozen=True, slots=True)
class Entrant:
    """Somebody at the door: "" for what they do not show; `accounts` as (kind, index)."""

    phone: str = ""
    device_id: str = ""
    accounts: Sequence[tuple[str, bytes]] = ()


class JoinGate:
    """Lets people join and log in, or says why not."""

    def __init__(self, db: Database, vault: Vault, velocity: Velocity) -> None:
        self._db, self._vault, self._velocity = db, vault, velocity

    async def admit(self, by: Caller, of: Caller, entrants: Sequence[Entrant]) -> list[AppError | None]:
        """Why each of those who come through `by` to the group of `of` may not join, in order.

        Somebody who is a member already is not looked at. Errors: IdentityDenied, JoinTooOften, Unavailable.
        """
        group_id = of.group_id
        phones = [phone_index(self._vault, group_id, entrant.phone) for entrant in entrants]
        async with self._db.reading(of) as tx:
            known = (await member_store.find_identities(tx, PHONE, set(phones))).keys()
            new = {place: self._shown(of, entrants[place]) for place, phone in enumerate(phones) if phone not in known}
            denied = await store.find_denied(tx, [each for shown in new.values() for each in shown]) if new else set()
            policy = await store.get_policy(tx) if new else Policy()
        answers: list[AppError | None] = [None] * len(entrants)
        for place, shown in new.items():
            answers[place] = _denial(shown, denied) or await self._count(
                by, of, policy, phones[place].hex(), entrants[place].device_id
            )
        return answers

    async def check_login(self, by: Caller, of: Caller, entrant: Entrant) -> None:
        """Let somebody who has proven who they are log in, and join when they are new (and show a phone).

        A member whose phone or account is denied does not come in by another of theirs.
        Raises IdentityDenied, JoinTooOften, Unavailable.
        """
        shown = self._shown(of, entrant)
        async with self._db.reading(of) as tx:
            theirs = [*shown, *await _known_beside(tx, shown)]
            denied = await store.find_denied(tx, theirs)
        if denial := _denial(theirs, denied):
            raise denial
        if entrant.phone:
            (refusal,) = await self.admit(by, of, [entrant])
            if refusal is not None:
                raise refusal

    def _shown(self, of: Caller, entrant: Entrant) -> list[tuple[str, bytes]]:
        shown = list(entrant.accounts)
        if entrant.phone:
            shown.append((PHONE, phone_index(self._vault, of.group_id, entrant.phone)))
        if entrant.device_id:
            shown.append((DEVICE, device_index(self._vault, of.group_id, entrant.device_id)))
        return shown

    async def _count(self, by: Caller, of: Caller, policy: Policy, who: str, device_id: str) -> AppError | None:
        is_public = by.kind is CallerKind.PUBLIC
        address = self._vault.blind_index(ADDRESS_PURPOSE, by.subject).hex() if is_public and by.subject else ""
        windows = rules.windows_of(
            policy,
            by.kind,
            address=address,
            terminal=by.subject if by.kind is CallerKind.TERMINAL else "",
            device=device_index(self._vault, of.group_id, device_id).hex() if device_id else "",
        )
        try:
            # Known by the phone: whoever tries again is the same one.
            full = await self._velocity.take(of.group_id, who, windows)
        except ValkeyGone:
            if by.kind is not CallerKind.TERMINAL:
                return Unavailable()
            log.warning("join_velocity_not_checked", terminal=by.subject)
            return None
        if full is None:
            return None
        window = full.window
        return JoinTooOften(what=window.name, limit=window.limit, hours=window.seconds // 3_600, retry_ms=full.retry_ms)


def _denial(shown: Sequence[tuple[str, bytes]], denied: set[tuple[str, bytes]]) -> IdentityDenied | None:
    kind = next((kind for kind, index in shown if (kind, index) in denied), None)
    if kind is None:
        return None
    return IdentityDenied(kind=kind if kind in (PHONE, DEVICE) else "account")


async def _known_beside(tx: Tx, shown: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Phones and accounts of whoever is known by what is shown, with those that merges have made theirs."""
    members = set(await store.find_known(tx, shown))
    for merged in (await merge_store.find_merged(tx, members)).values():
        members |= set(merged)
    return await store.list_identities(tx, members, DENIABLE) if members else []
