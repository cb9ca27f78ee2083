"""AuditService: proto → plain values → operation → proto."""

from __future__ import annotations

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from grpc.aio import ServicerContext as Context

from chassis import pages
from chassis.crypto import Vault
from chassis.db import Database
from chassis.errors import InvalidArgument
from chassis.rpc import caller
from huitong.common.v1 import acts_pb2, acts_pb2_grpc
from huitong.org.v1 import audit_pb2, audit_pb2_grpc
from services.org.audit import store
from services.org.audit.operations import Audit
from services.org.audit.rules import Entry, Fault, Head

# Entries that one call follows: a second or two, within the door's patience.
VERIFY_MOST = 10_000


class AuditServicer(audit_pb2_grpc.AuditServiceServicer):
    """What was done in the caller's group."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._audit = db, Audit(vault)

    async def ListAuditEntries(
        self, request: audit_pb2.ListAuditEntriesRequest, context: Context
    ) -> audit_pb2.ListAuditEntriesResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        async with self._db.reading(caller()) as tx:
            entries = await store.list_entries(
                tx,
                before_no=_before_no(request.page_token),
                limit=size + 1,
                actor=request.actor,
                action=request.action,
                subject=request.subject_id,
                after_time=_time(request.after_time) if request.HasField("after_time") else None,
                before_time=_time(request.before_time) if request.HasField("before_time") else None,
            )
        token = pages.encode_token(entries[size - 1].entry_no) if len(entries) > size else ""
        return audit_pb2.ListAuditEntriesResponse(entries=map(_message, entries[:size]), next_page_token=token)

    async def VerifyAudit(
        self, request: audit_pb2.VerifyAuditRequest, context: Context
    ) -> audit_pb2.VerifyAuditResponse:
        """See the proto."""
        known = [Head(request.known_entry_no, bytes.fromhex(request.known_hash))] if request.known_entry_no else []
        if bool(request.from_entry_no) != bool(request.from_hash):
            raise InvalidArgument([("from_hash", "goes with from_entry_no")])
        after = Head(request.from_entry_no, bytes.fromhex(request.from_hash)) if request.from_entry_no else None
        async with self._db.reading(caller()) as tx:
            result = await self._audit.verify_part(tx, tx.group_id, known, after=after, most=VERIFY_MOST)
        if isinstance(result, Fault):
            return audit_pb2.VerifyAuditResponse(entry_no=result.entry_no, problem=result.problem)
        head = audit_pb2.AuditHead(entry_no=result.head.entry_no, hash=result.head.hash.hex())
        return audit_pb2.VerifyAuditResponse(
            is_intact=result.is_end, entry_no=head.entry_no, hash=head.hash, next=None if result.is_end else head
        )


class ActServicer(acts_pb2_grpc.ActServiceServicer):
    """What other services tell of their operators."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._audit = db, Audit(vault)

    async def RecordActs(self, request: acts_pb2.RecordActsRequest, context: Context) -> acts_pb2.RecordActsResponse:
        """See the proto."""
        async with self._db.transaction(caller()) as tx:
            count = await self._audit.append(tx, request.acts)
        return acts_pb2.RecordActsResponse(recorded_count=count)


def _message(entry: Entry) -> audit_pb2.AuditEntry:
    message = audit_pb2.AuditEntry(
        entry_no=entry.entry_no,
        actor_kind=entry.actor_kind,
        actor=entry.actor,
        via=entry.via,
        action=entry.action,
        subject_ids=entry.subjects.split(),
        before_json=entry.before,
        after_json=entry.after,
        reason=entry.reason,
        service=entry.service,
        request_json=entry.request,
        traceparent=entry.traceparent,
        is_outcome_unknown=entry.is_outcome_unknown,
        previous_hash=entry.previous_hash.hex(),
        hash=entry.hash.hex(),
    )
    message.time.FromDatetime(entry.time)
    return message


def _time(stamp: Timestamp) -> datetime:
    return stamp.ToDatetime(tzinfo=UTC)


def _before_no(token: str) -> int | None:
    if not token:
        return None
    (number,) = pages.decode_token(token, 1)
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return int(number)
