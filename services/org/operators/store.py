"""Queries about operators; the tables are in services/org/tables.py.

Lock order: an operator, then tries (a login's, then an address'), then the group's row, to write the audit. Times of
invitations, sessions and tries are real time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.org.operators.rules import (
    FIRST_LOCK_SECONDS,
    IDLE_MINUTES,
    INVITATION_DAYS,
    LONGEST_LOCK_SECONDS,
    SESSION_HOURS,
    Grant,
    Operator,
    Session,
)
from services.org.tables import login_tries, operator, operator_grant, operator_session

_now = func.clock_timestamp


async def add_operator(tx: Tx, one: Operator) -> bool:
    """Whether the operator is new; False when the login is taken. Its invitation begins now."""
    row = {**asdict(one), "invitation_expire_time": _now() + text(f"interval '{INVITATION_DAYS} days'")}
    added = await tx.execute(insert(operator).values(row).on_conflict_do_nothing())
    return bool(added.rowcount)


async def find_operator(tx: Tx, operator_id: UUID) -> Operator | None:
    """One operator of the group."""
    return await _one(tx, operator.c.operator_id == operator_id, operator.c.group_id == tx.group_id)


async def lock_operator(tx: Tx, operator_id: UUID) -> Operator | None:
    """One operator of the group, locked."""
    return await _one(tx, operator.c.operator_id == operator_id, operator.c.group_id == tx.group_id, lock=True)


async def find_by_login(tx: Tx, login: str) -> Operator | None:
    """The operator of the group who logs in so."""
    return await _one(tx, operator.c.login == login, operator.c.group_id == tx.group_id)


async def lock_by_invitation(tx: Tx, invitation_hash: bytes) -> Operator | None:
    """The operator, of any group, whose invitation this is, locked, while it is valid."""
    return await _one(
        tx,
        operator.c.invitation_hash == invitation_hash,
        operator.c.invitation_expire_time > _now(),
        ~operator.c.is_disabled,
        lock=True,
    )


async def _one(tx: Tx, *conditions: ColumnElement[bool], lock: bool = False) -> Operator | None:
    statement = select(operator).where(*conditions)
    row = (await tx.execute(statement.with_for_update() if lock else statement)).first()
    return Operator(**row._mapping) if row else None


async def find_inviters(tx: Tx, subject: str) -> set[str]:
    """Who invited (or reset) an operator, who invited those, and so on: subjects, edge ids of keys and operators.

    Nobody for whoever is no operator.
    """
    rows = await tx.execute(
        text(
            """WITH RECURSIVE above (subject) AS (
                 SELECT invited_by FROM operator
                 WHERE 'opr_' || replace(operator_id::text, '-', '') = :subject AND group_id = :group_id
                 UNION
                 SELECT o.invited_by FROM above JOIN operator AS o
                   ON 'opr_' || replace(o.operator_id::text, '-', '') = above.subject AND o.group_id = :group_id)
               SELECT subject FROM above"""
        ),
        {"subject": subject, "group_id": tx.group_id},
    )
    return {row.subject for row in rows}


async def list_operators(tx: Tx, *, after_login: str, limit: int) -> list[Operator]:
    """Operators by login, from the one after `after_login`."""
    statement = select(operator).where(operator.c.group_id == tx.group_id, operator.c.login > after_login)
    return [Operator(**row._mapping) for row in await tx.execute(statement.order_by(operator.c.login).limit(limit))]


async def invite(tx: Tx, operator_id: UUID, invitation_hash: bytes) -> None:
    """Give a new invitation in place of password, TOTP secret and any invitation before."""
    await change(
        tx,
        operator_id,
        invitation_hash=invitation_hash,
        invited_by=tx.caller.subject,
        invitation_expire_time=_now() + text(f"interval '{INVITATION_DAYS} days'"),
        password_hash=None,
        sealed_totp=None,
        last_totp_step=None,
    )


async def change(tx: Tx, operator_id: UUID, **values: Any) -> None:
    """Set columns of an operator."""
    await tx.execute(update(operator).where(operator.c.operator_id == operator_id).values(**values))


async def find_grants(tx: Tx, operator_ids: Iterable[UUID]) -> dict[UUID, list[Grant]]:
    """The grants of each operator, in order."""
    found: dict[UUID, list[Grant]] = {operator_id: [] for operator_id in operator_ids}
    rows = await tx.execute(select(operator_grant).where(operator_grant.c.operator_id.in_(list(found))))
    for row in rows:
        found[row.operator_id].append(Grant(row.role, row.scope_id))
    return {operator_id: sorted(grants) for operator_id, grants in found.items()}


async def set_grants(tx: Tx, operator_id: UUID, grants: Iterable[Grant]) -> None:
    """Replace all grants of an operator."""
    await tx.execute(delete(operator_grant).where(operator_grant.c.operator_id == operator_id))
    rows = [{"operator_id": operator_id, **asdict(grant)} for grant in sorted(set(grants))]
    if rows:
        await tx.execute(insert(operator_grant), rows)


# --- tries to log in ---

# The clock is read in the update, after the row's lock was waited for.
_TAKE_TRY = text(
    f"""INSERT INTO login_tries AS t (tried_hash, failed_count, last_time, locked_until)
        VALUES (:tried_hash, 1, clock_timestamp(), clock_timestamp())
        ON CONFLICT (tried_hash) DO UPDATE SET
            failed_count = CASE WHEN t.last_time < clock_timestamp() - interval '1 day' THEN 1
                                ELSE t.failed_count + 1 END,
            last_time = clock_timestamp(),
            locked_until = clock_timestamp() + CASE
                WHEN t.last_time < clock_timestamp() - interval '1 day' OR t.failed_count + 1 < :free
                THEN interval '0'
                ELSE make_interval(secs => least(
                    {FIRST_LOCK_SECONDS} * 2.0 ^ least(t.failed_count + 1 - :free, 20), {LONGEST_LOCK_SECONDS})) END
        WHERE t.locked_until <= clock_timestamp()
        RETURNING 1"""
)


async def take_try(tx: Tx, tried_hash: bytes, *, free: int) -> int:
    """Count a try as a failure before it is made, so that tries at once cannot pass together.

    Answers 0, or the seconds to wait when it may not be made.
    """
    if (await tx.execute(_TAKE_TRY, {"tried_hash": tried_hash, "free": free})).first():
        return 0
    left = func.extract("epoch", login_tries.c.locked_until - _now())
    seconds = (await tx.execute(select(left).where(login_tries.c.tried_hash == tried_hash))).scalar_one()
    return max(1, int(seconds) + 1)


async def forgive(tx: Tx, *, login_hash: bytes, address_hash: bytes) -> None:
    """A try succeeded: its login's failures are forgotten, of its address' failures this one."""
    await tx.execute(delete(login_tries).where(login_tries.c.tried_hash == login_hash))
    await tx.execute(
        update(login_tries)
        .where(login_tries.c.tried_hash == address_hash)
        .values(failed_count=login_tries.c.failed_count - 1, locked_until=_now())
    )


# --- sessions ---


def _is_open() -> ColumnElement[bool]:
    sessions = operator_session.c
    idle = text(f"interval '{IDLE_MINUTES} minutes'")
    return sessions.end_time.is_(None) & (sessions.expire_time > _now()) & (sessions.last_use_time > _now() - idle)


_SESSION = [operator_session.c[name] for name in Session.__dataclass_fields__]


async def add_session(tx: Tx, session_id: UUID, operator_id: UUID, token_hash: bytes, address: str) -> Session:
    """Open a session."""
    hours = text(f"interval '{SESSION_HOURS} hours'")
    added = await tx.execute(
        insert(operator_session)
        .values(
            session_id=session_id,
            group_id=tx.group_id,
            operator_id=operator_id,
            token_hash=token_hash,
            address=address,
            create_time=_now(),
            last_use_time=_now(),
            expire_time=_now() + hours,
            end_time=None,
        )
        .returning(*_SESSION)
    )
    return Session(**added.one()._mapping)


async def use_session(tx: Tx, token_hash: bytes) -> tuple[UUID, Session] | None:
    """The group and session behind a token, of any group, while it is open; this counts as use of it."""
    used = await tx.execute(
        update(operator_session)
        .where(
            operator_session.c.token_hash == token_hash,
            _is_open(),
            operator.c.operator_id == operator_session.c.operator_id,
            ~operator.c.is_disabled,
        )
        .values(last_use_time=_now())
        .returning(operator_session.c.group_id, *_SESSION)
    )
    row = used.first()
    if row is None:
        return None
    values = dict(row._mapping)
    return values.pop("group_id"), Session(**values)


async def list_sessions(tx: Tx, operator_id: UUID, *, limit: int) -> list[Session]:
    """An operator's open sessions, newest first."""
    statement = select(*_SESSION).where(operator_session.c.operator_id == operator_id, _is_open())
    rows = await tx.execute(statement.order_by(operator_session.c.create_time.desc()).limit(limit))
    return [Session(**row._mapping) for row in rows]


async def end_sessions(tx: Tx, operator_id: UUID) -> int:
    """End all sessions of an operator; answers how many were open."""
    of_operator = (operator_session.c.operator_id == operator_id) & operator_session.c.end_time.is_(None)
    ended = await tx.execute(
        update(operator_session).where(of_operator).values(end_time=_now()).returning(_is_open_before())
    )
    return sum(row[0] for row in ended)


def _is_open_before() -> ColumnElement[bool]:
    idle = text(f"interval '{IDLE_MINUTES} minutes'")
    sessions = operator_session.c
    return (sessions.expire_time > _now()) & (sessions.last_use_time > _now() - idle)


async def end_session(tx: Tx, token_hash: bytes) -> tuple[UUID, UUID, UUID] | None:
    """End the open session of a token; answers its group, operator and session."""
    sessions = operator_session.c
    ended = await tx.execute(
        update(operator_session)
        .where(sessions.token_hash == token_hash, _is_open())
        .values(end_time=_now())
        .returning(sessions.group_id, sessions.operator_id, sessions.session_id)
    )
    row = ended.first()
    return (row.group_id, row.operator_id, row.session_id) if row else None


async def delete_old(tx: Tx) -> None:
    """Forget tries, and sessions that ended long ago; the audit keeps that they were."""
    await tx.execute(delete(login_tries).where(login_tries.c.last_time < _now() - text("interval '2 days'")))
    await tx.execute(
        delete(operator_session).where(operator_session.c.expire_time < _now() - text("interval '30 days'"))
    )
