"""What operators did, for the audit: noted in the transaction that does it, then told to the service that keeps it.

The door (chassis.rpc) opens an Act for the call; the transaction that commits for its caller notes it (chassis.db), so
what is refused or rolled back leaves nothing. ActSender delivers the notes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import text

from chassis import ids
from chassis.errors import AppError, DeadlineExceeded, Internal, Unavailable
from chassis.identity import Caller, CallerKind
from chassis.plain import is_private, plain_json
from chassis.telemetry import traceparent
from huitong.common.v1 import acts_pb2

if TYPE_CHECKING:
    from chassis.db import Database, Tx

M = TypeVar("M", bound=Message)
# Keeps the audit, and writes entries of its own actions itself.
KEEPER = "org"
MOST_JSON, MOST_SUBJECTS = 32_000, 50
# What a system does all day, and in place of members and tills, is no news; that it sets terms or decides is.
_SYSTEM_VERBS = frozenset({"write", "decide", "approve", "publish"})
# Where a call says why it is made when its request has no words for it: a header outside, metadata inside. Its text
# is percent-encoded UTF-8.
REASON, MOST_REASON_BYTES = "huitong-reason", 1_500
_WORDS, _CODES = ("reason", "reason_text", "decision_note", "note"), ("reason_code",)
_EDGE_ID = re.compile(r"[a-z]{3}_[0-9a-f]{32}")


def recorded_kinds(permission: str, *, is_for_all: bool = False) -> frozenset[CallerKind]:
    """Whose calls of an RPC with this permission leave an entry when they change something.

    `is_for_all` when members, tills or vendors may call it too.
    """
    verb = permission.rpartition(".")[2]
    if verb == "read":
        return frozenset()
    return frozenset({CallerKind.OPERATOR, *([CallerKind.SYSTEM] if verb in _SYSTEM_VERBS and not is_for_all else [])})


@dataclass(frozen=True, slots=True)
class Act:
    """A call under way."""

    service: str
    action: str
    who: Caller
    request: Message

    def message(
        self,
        time: datetime,
        *,
        request: Message | None = None,
        before: Message | None = None,
        after: Message | None = None,
        is_outcome_unknown: bool = False,
    ) -> acts_pb2.Act:
        """The act as it is told. `request` is the part that one transaction did, of a call with many."""
        part = self.request if request is None else request
        # What a service keeps in place of a request hides more of it than chassis.plain does.
        shown = self.request if type(part) is type(self.request) else part
        wire = part.SerializeToString(deterministic=True)
        key = (self.service, self.action, self.who.group_id, self.who.subject, part.DESCRIPTOR.full_name)
        # Without a request id nobody can send it again.
        repeated = getattr(part, "request_id", "") or ids.new().hex
        act = acts_pb2.Act(
            act_id=ids.derive("act", *key, repeated, hashlib.sha256(wire).hexdigest()).hex,
            service=self.service,
            action=self.action,
            actor_kind=self.who.kind.value,
            actor=self.who.subject,
            via=self.who.bound_id if self.who.kind is CallerKind.OPERATOR else self.who.subject,
            subject_ids=subjects_of(shown, after),
            before_json=_bounded(plain_json(before)),
            request_json=_bounded(plain_json(shown)),
            after_json=_bounded(plain_json(after)),
            reason=why(shown),
            traceparent=traceparent(),
            is_outcome_unknown=is_outcome_unknown,
        )
        act.time.FromDatetime(time)
        return act


_act: ContextVar[Act | None] = ContextVar("act", default=None)
_told: ContextVar[str] = ContextVar("told", default="")


def begin(act: Act) -> None:
    """Record what this task's call changes."""
    _act.set(act)


def tell_reason(encoded: str) -> None:
    """Keep what this task's call says in its metadata for why()."""
    _told.set(unquote(encoded))


def why(request: Message) -> str:
    """Why a request is made: in its own words, else in those that came beside it, else by its code of a reason."""
    own, codes = ([getattr(request, name, "") for name in names] for names in (_WORDS, _CODES))
    return next(filter(None, [*own, _told.get(), *codes]), "").replace("\0", "")


async def note(tx: Tx, request: Message | None = None, after: Message | None = None) -> bool:
    """Note the current act in the transaction that carries it out, if it is one to record. Answers whether it was.

    `after` is what is there afterwards if the transaction has said nothing of it.
    """
    act = _act.get()
    # Not what a service does for itself on the way, a copy that it fetches, say.
    if act is None or tx.caller is not act.who:
        return False
    message = act.message(tx.now, request=request, before=tx.before, after=tx.after or after)
    values = {"act_id": UUID(message.act_id), "group_id": tx.group_id, "act": message.SerializeToString()}
    await tx.execute(_NOTE, values)
    return True


_NOTE = text(
    """INSERT INTO operator_act (act_id, group_id, deliver_time, act)
       VALUES (:act_id, :group_id, clock_timestamp(), :act) ON CONFLICT (act_id) DO NOTHING"""
)
# Longer than any call lasts.
_HELD = "INSERT INTO operator_act VALUES ($1, $2, clock_timestamp() + interval '5 minutes', $3) ON CONFLICT DO NOTHING"
_DONE = """INSERT INTO operator_act VALUES ($1, $2, clock_timestamp(), $3) ON CONFLICT (act_id)
    DO UPDATE SET deliver_time = excluded.deliver_time, act = excluded.act"""
_UNKNOWN_OUTCOMES = (Unavailable, DeadlineExceeded, Internal)


async def noted(database: Database, operation: Callable[[], Awaitable[M]]) -> M:
    """Run an operation that has no Tx (the ledger's), and note the current act around it.

    It is written first, held back, and let go or removed after the operation. If the process dies in between it is
    told some minutes later, as one whose outcome is unknown.
    """
    act = _act.get()
    if act is None:
        return await operation()
    now = await database.now()
    begun = act.message(now, is_outcome_unknown=True)
    act_id, group_id = UUID(begun.act_id), act.who.group_id
    await database.pool.execute(_HELD, act_id, group_id, begun.SerializeToString())
    try:
        response = await operation()
    except AppError as error:
        if not isinstance(error, _UNKNOWN_OUTCOMES):
            await database.pool.execute("DELETE FROM operator_act WHERE act_id = $1", act_id)
        raise
    await database.pool.execute(_DONE, act_id, group_id, act.message(now, after=response).SerializeToString())
    database.acts_waiting.set()
    return response


def subjects_of(*messages: Message | None) -> list[str]:
    """The ids that messages speak of, each once, in their order."""
    found: dict[str, None] = {}
    for message in messages:
        if message is not None:
            found |= dict.fromkeys(_ids_in(message))
    return list(found)[:MOST_SUBJECTS]


def _ids_in(message: Message) -> Iterable[str]:
    for field, value in message.ListFields():
        if is_private(field):
            continue
        values = value if isinstance(value, Iterable) and not isinstance(value, str | bytes) else [value]
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        for one in values:
            if isinstance(one, Message):
                yield from _ids_in(one)
            elif isinstance(one, str) and _EDGE_ID.fullmatch(one):
                yield one


def _bounded(plain: str) -> str:
    if len(plain) <= MOST_JSON:
        return plain
    return json.dumps({"length": len(plain), "sha256": hashlib.sha256(plain.encode()).hexdigest()})
