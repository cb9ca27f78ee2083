"""Pure: what an entry says, how entries are chained, and where a chain is broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from chassis.crypto import keyed_hash, same

NO_HASH = bytes(32)


@dataclass(frozen=True, slots=True)
class Entry:
    """One action. `before`, `request` and `after` are JSON of proto messages (chassis.plain), "" when there is none."""

    group_id: UUID
    entry_no: int
    time: datetime
    actor_kind: str
    actor: str
    # The key or session by which the actor came, or the network address of somebody who logs in.
    via: str
    # The RPC's name.
    action: str
    # Ids of what it was about, separated by blanks.
    subjects: str
    before: str
    after: str
    reason: str
    previous_hash: bytes
    service: str
    request: str
    traceparent: str = ""
    # By which a service that tells again is known; None for what org did itself.
    act_id: UUID | None = None
    is_outcome_unknown: bool = False
    hash: bytes = b""


@dataclass(frozen=True, slots=True)
class Head:
    """How long a chain is, and the hash of its last entry."""

    entry_no: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a chain was followed and found to hold, and whether that is its end."""

    head: Head
    is_end: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """Where a chain is broken first, and in which way."""

    entry_no: int
    problem: str


def hash_of(key: bytes, entry: Entry) -> bytes:
    """The hash over everything in the entry, and by `previous_hash` over all before it.

    It is keyed: whoever can write into the database alone cannot make a chain that fits.
    """
    return keyed_hash(
        key,
        entry.group_id,
        entry.entry_no,
        entry.time.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_kind,
        entry.actor,
        entry.via,
        entry.action,
        entry.subjects,
        entry.before,
        entry.after,
        entry.reason,
        entry.service,
        entry.request,
        entry.traceparent,
        entry.act_id or b"",
        int(entry.is_outcome_unknown),
        entry.previous_hash,
    )


def follow(key: bytes, entries: Iterable[Entry], after: Head) -> Head | Fault:
    """The head after `entries`, which should go on where `after` ended, or the first that does not."""
    for entry in entries:
        number = after.entry_no + 1
        if entry.entry_no != number:
            return Fault(number, "ENTRY_MISSING")
        if not same(entry.previous_hash, after.hash):
            return Fault(number, "CHAIN_BROKEN")
        if not same(entry.hash, hash_of(key, entry)):
            return Fault(number, "ENTRY_CHANGED")
        after = Head(number, entry.hash)
    return after


def check_known(known: Iterable[Head], found: Mapping[int, bytes]) -> Fault | None:
    """The first `known` head that is not among the hashes that were `found`, by number."""
    for head in sorted(known, key=lambda one: one.entry_no):
        if head.entry_no not in found:
            return Fault(head.entry_no, "ENTRY_MISSING")
        if not same(found[head.entry_no], head.hash):
            return Fault(head.entry_no, "KNOWN_HEAD_DIFFERS")
    return None


def check_end(reached: Head, head: Head) -> Fault | None:
    """What is wrong with a chain that ends at `reached` when it should end at `head`."""
    if reached.entry_no < head.entry_no:
        return Fault(reached.entry_no + 1, "ENTRY_MISSING")
    if reached.entry_no > head.entry_no:
        return Fault(head.entry_no + 1, "HEAD_BEHIND")
    return None if same(reached.hash, head.hash) else Fault(head.entry_no, "HEAD_DIFFERS")
