"""Recording what was done, in the transaction that does it, and checking the chain."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC
from uuid import UUID

from google.protobuf.message import Message

from chassis import acts
from chassis.crypto import Vault
from chassis.db import Tx
from chassis.identity import Caller, CallerKind
from chassis.ids import to_edge
from chassis.plain import plain_json
from chassis.telemetry import traceparent
from huitong.common.v1 import acts_pb2
from huitong.org.v1 import events_pb2
from services.org.audit import rules, store
from services.org.audit.rules import Entry, Fault, Head, Reached
from services.org.errors import GroupUnknown

PURPOSE, BATCH = "org.audit", 1_000


class Audit:
    """Writes entries, and checks them."""

    def __init__(self, vault: Vault) -> None:
        self._key = vault.key(PURPOSE)

    async def record(
        self,
        tx: Tx,
        request: Message,
        *subjects: str,
        before: Message | None = None,
        after: Message | None = None,
        who: Caller | None = None,
        group_id: UUID | None = None,
    ) -> None:
        """Record that `request` was carried out: who, when, on which ids, what was and is, and why.

        `who` and `group_id` are the transaction's when left out. Raises GroupUnknown.
        """
        who, group_id = who or tx.caller, group_id or tx.group_id
        head = await store.lock_head(tx, group_id)
        if head is None:
            raise GroupUnknown
        entry = Entry(
            group_id=group_id,
            entry_no=head.entry_no + 1,
            time=tx.now,
            actor_kind=who.kind.value,
            actor=who.subject,
            via=who.bound_id if who.kind is CallerKind.OPERATOR else who.subject,
            action=request.DESCRIPTOR.name.removesuffix("Request"),
            subjects=" ".join(subjects),
            before=plain_json(before),
            after=plain_json(after),
            reason=acts.why(request),
            service="org",
            request=plain_json(request),
            traceparent=traceparent(),
            previous_hash=head.hash,
        )
        await self._add(tx, [replace(entry, hash=rules.hash_of(self._key, entry))])

    async def append(self, tx: Tx, told: Sequence[acts_pb2.Act]) -> int:
        """Append what another service tells to the chain of the caller's group; answers how much of it was new.

        Raises GroupUnknown.
        """
        head = await store.lock_head(tx, tx.group_id)
        if head is None:
            raise GroupUnknown
        by_id = {UUID(act.act_id): act for act in told}
        known = await store.find_acts(tx, by_id.keys())
        entries: list[Entry] = []
        for act_id, act in by_id.items():
            if act_id in known:
                continue
            entry = Entry(
                group_id=tx.group_id,
                entry_no=head.entry_no + 1,
                time=act.time.ToDatetime(tzinfo=UTC),
                actor_kind=act.actor_kind,
                actor=act.actor,
                via=act.via,
                action=act.action,
                subjects=" ".join(act.subject_ids),
                before=act.before_json,
                after=act.after_json,
                reason=act.reason,
                service=act.service,
                request=act.request_json,
                traceparent=act.traceparent,
                act_id=act_id,
                is_outcome_unknown=act.is_outcome_unknown,
                previous_hash=head.hash,
            )
            entry = replace(entry, hash=rules.hash_of(self._key, entry))
            head = Head(entry.entry_no, entry.hash)
            entries.append(entry)
        if entries:
            await self._add(tx, entries)
        return len(entries)

    async def _add(self, tx: Tx, entries: Sequence[Entry]) -> None:
        entry = entries[-1]
        await store.add_entries(tx, entries)
        group = to_edge("grp", entry.group_id)
        # Out of this database: whoever cuts the chain and its head here cannot take back what others have read.
        event = events_pb2.AuditHeadMoved(group_id=group, entry_no=entry.entry_no, hash=entry.hash)
        tx.emit(event, key=group, group_id=entry.group_id)

    async def verify(self, tx: Tx, group_id: UUID, known: Iterable[Head] = ()) -> Head | Fault:
        """The group's head when its whole chain holds and has `known` heads in it; else the first fault.

        Raises GroupUnknown.
        """
        result = await self.verify_part(tx, group_id, known)
        return result.head if isinstance(result, Reached) else result

    async def verify_part(
        self, tx: Tx, group_id: UUID, known: Iterable[Head] = (), *, after: Head | None = None, most: int | None = None
    ) -> Reached | Fault:
        """As `verify`, going on after a head that was found to hold, and at most some `most` entries far.

        Raises GroupUnknown.
        """
        head = await store.find_head(tx, group_id)
        if head is None:
            raise GroupUnknown
        start = reached = after or Head(0, rules.NO_HASH)
        noted = [*known, after] if after else list(known)
        passed = [one for one in noted if one.entry_no <= start.entry_no]
        found = await store.find_hashes(tx, group_id, {one.entry_no for one in passed})
        if fault := rules.check_known(passed, found):
            return fault
        wanted = {one.entry_no: one.hash for one in noted if one.entry_no > start.entry_no}
        while entries := await store.read_chain(tx, group_id, after_no=reached.entry_no, limit=BATCH):
            result = rules.follow(self._key, entries, reached)
            if isinstance(result, Fault):
                return result
            for entry in entries:
                if wanted.pop(entry.entry_no, entry.hash) != entry.hash:
                    return Fault(entry.entry_no, "KNOWN_HEAD_DIFFERS")
            reached = result
            if most is not None and most <= reached.entry_no - start.entry_no and reached.entry_no < head.entry_no:
                return Reached(reached, is_end=False)
        if wanted:
            return Fault(reached.entry_no + 1, "ENTRY_MISSING")
        return rules.check_end(reached, head) or Reached(reached, is_end=True)
