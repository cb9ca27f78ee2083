"""Queries about logins and sessions; the tables are in services/member/tables.py. All times are real time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, literal, select, text, tuple_, update

from chassis.db import Tx
from chassis.identity import MEMBER_ACCESS_SECONDS
from services.member.sessions.rules import (
    CODE_MINUTES,
    CODE_TRIES,
    CODES_A_DAY,
    MESSAGE_MINUTES,
    RESEND_SECONDS,
    SESSION_DAYS,
    Session,
)
from services.member.store import end_codes
from services.member.tables import login_challenge, login_outbox, member, session

_now = func.clock_timestamp


@dataclass(frozen=True, slots=True)
class Challenge:
    """A one-time code that was sent."""

    code_hash: bytes | None
    tries_left: int
    is_expired: bool


@dataclass(frozen=True, slots=True)
class SentMessage:
    """What the simulated provider has sent."""

    message_id: UUID
    sealed_phone: bytes
    sealed_code: bytes
    purpose: str
    send_time: datetime


async def put_challenge(tx: Tx, phone_index: bytes, code_hash: bytes) -> bool:
    """Note a new code in place of the one before; False when it is too early or too much for one day."""
    put = await tx.execute(
        text(
            f"""INSERT INTO login_challenge AS c (group_id, phone_index, code_hash, tries_left, send_time, expire_time,
                                                 day_start_time, day_count)
               SELECT :group_id, :phone_index, :code_hash, {CODE_TRIES}, t.now,
                      t.now + interval '{CODE_MINUTES} minutes', t.now, 1
               FROM (SELECT clock_timestamp() AS now) AS t
               ON CONFLICT (group_id, phone_index) DO UPDATE SET
                   code_hash = excluded.code_hash, tries_left = excluded.tries_left,
                   send_time = excluded.send_time, expire_time = excluded.expire_time,
                   day_start_time = CASE WHEN c.day_start_time <= excluded.send_time - interval '1 day'
                                         THEN excluded.send_time ELSE c.day_start_time END,
                   day_count = CASE WHEN c.day_start_time <= excluded.send_time - interval '1 day'
                                    THEN 1 ELSE c.day_count + 1 END
               WHERE c.send_time <= excluded.send_time - interval '{RESEND_SECONDS} seconds'
                 AND (c.day_count < {CODES_A_DAY} OR c.day_start_time <= excluded.send_time - interval '1 day')
               RETURNING 1"""
        ),
        {"group_id": tx.group_id, "phone_index": phone_index, "code_hash": code_hash},
    )
    return put.first() is not None


async def seconds_to_wait(tx: Tx, phone_index: bytes) -> int:
    """How long until another code may be asked for, at least 1."""
    seconds = (
        await tx.execute(
            text(
                f"""SELECT greatest(
                       extract(epoch FROM send_time + interval '{RESEND_SECONDS} seconds' - clock_timestamp()),
                       CASE WHEN day_count >= {CODES_A_DAY}
                            THEN extract(epoch FROM day_start_time + interval '1 day' - clock_timestamp()) END, 1)
                   FROM login_challenge WHERE group_id = :group_id AND phone_index = :phone_index"""
            ),
            {"group_id": tx.group_id, "phone_index": phone_index},
        )
    ).scalar_one_or_none()
    return int(seconds or 0) + 1


def _of_phone(tx: Tx, phone_index: bytes) -> Any:
    return (login_challenge.c.group_id == tx.group_id) & (login_challenge.c.phone_index == phone_index)


async def find_challenge(tx: Tx, phone_index: bytes, *, lock: bool = False) -> Challenge | None:
    """The newest code of a phone."""
    query = select(
        login_challenge.c.code_hash,
        login_challenge.c.tries_left,
        (login_challenge.c.expire_time <= _now()).label("is_expired"),
    ).where(_of_phone(tx, phone_index))
    row = (await tx.execute(query.with_for_update() if lock else query)).first()
    return Challenge(**row._mapping) if row else None


async def lock_challenge(tx: Tx, phone_index: bytes) -> Challenge | None:
    """The newest code of a phone, locked: guesses at once are counted one by one."""
    return await find_challenge(tx, phone_index, lock=True)


async def count_wrong_try(tx: Tx, phone_index: bytes) -> None:
    """One try less."""
    await tx.execute(
        update(login_challenge).where(_of_phone(tx, phone_index)).values(tries_left=login_challenge.c.tries_left - 1)
    )


async def use_up_challenge(tx: Tx, phone_index: bytes) -> None:
    """The code was used; the row stays, since it says when the next may be sent."""
    await tx.execute(update(login_challenge).where(_of_phone(tx, phone_index)).values(code_hash=None))


async def add_message(
    tx: Tx, *, message_id: UUID, phone_index: bytes, sealed_phone: bytes, sealed_code: bytes, purpose: str
) -> None:
    """Put a message into the simulated provider's outbox."""
    await tx.execute(
        login_outbox.insert().values(
            message_id=message_id,
            group_id=tx.group_id,
            phone_index=phone_index,
            sealed_phone=sealed_phone,
            sealed_code=sealed_code,
            purpose=purpose,
            send_time=_now(),
        )
    )


async def list_messages(
    tx: Tx, *, phone_index: bytes | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[SentMessage]:
    """Messages of the last minutes, newest first."""
    statement = select(
        login_outbox.c.message_id,
        login_outbox.c.sealed_phone,
        login_outbox.c.sealed_code,
        login_outbox.c.purpose,
        login_outbox.c.send_time,
    ).where(
        login_outbox.c.group_id == tx.group_id,
        login_outbox.c.send_time > _now() - text(f"interval '{MESSAGE_MINUTES} minutes'"),
    )
    if phone_index is not None:
        statement = statement.where(login_outbox.c.phone_index == phone_index)
    if before:
        columns = tuple_(login_outbox.c.send_time, login_outbox.c.message_id)
        statement = statement.where(columns < tuple_(literal(before[0]), literal(before[1])))
    statement = statement.order_by(login_outbox.c.send_time.desc(), login_outbox.c.message_id.desc()).limit(limit)
    return [SentMessage(**row._mapping) for row in await tx.execute(statement)]


async def add_session(tx: Tx, one: Session) -> None:
    """Open a session."""
    days = text(f"interval '{SESSION_DAYS} days'")
    await tx.execute(
        session.insert().values(**asdict(one), create_time=_now(), expire_time=_now() + days, end_time=None)
    )


async def lock_session(tx: Tx, session_id: UUID) -> Session | None:
    """A session that has not ended, of any group, locked: two uses of its token follow each other."""
    row = (
        await tx.execute(
            select(
                session.c.session_id,
                session.c.group_id,
                session.c.member_id,
                session.c.salt,
                session.c.generation,
                session.c.previous_generation,
                session.c.is_previous_spent,
            )
            .where(
                session.c.session_id == session_id,
                session.c.end_time.is_(None),
                session.c.expire_time > _now(),
                # One that was opened while its member was being erased.
                ~exists().where(member.c.member_id == session.c.member_id, member.c.erase_time.is_not(None)),
            )
            .with_for_update()
        )
    ).first()
    return Session(**row._mapping) if row else None


async def save_rotation(tx: Tx, one: Session) -> None:
    """Write the generations after a rotation; the session is good for its whole time again."""
    await tx.execute(
        update(session)
        .where(session.c.session_id == one.session_id)
        .values(
            generation=one.generation,
            previous_generation=one.previous_generation,
            is_previous_spent=one.is_previous_spent,
            expire_time=_now() + text(f"interval '{SESSION_DAYS} days'"),
        )
    )


async def end_session(tx: Tx, session_id: UUID) -> None:
    """End a session for good."""
    await tx.execute(update(session).where(session.c.session_id == session_id).values(end_time=_now()))


async def log_out(tx: Tx, member_id: UUID, *, but: UUID | None = None) -> int:
    """As end_all_sessions, and no code that any phone makes is good any more."""
    await end_codes(tx, member_id)
    return await end_all_sessions(tx, member_id, but=but)


async def end_all_sessions(tx: Tx, member_id: UUID, *, but: UUID | None = None) -> int:
    """End every session of one of the group's members, `but` one; answers how many were open."""
    ended = await tx.execute(
        update(session)
        .where(
            session.c.member_id == member_id,
            session.c.session_id.is_distinct_from(but),
            session.c.group_id == tx.group_id,
            session.c.end_time.is_(None),
            session.c.expire_time > _now(),
        )
        .values(end_time=_now())
    )
    return ended.rowcount


async def take_ended(tx: Tx, *, limit: int) -> list[UUID]:
    """Sessions that have ended and that gateways were not told of; they count as told when this transaction commits."""
    rows = await tx.execute(
        text(
            f"""UPDATE session AS s SET is_end_told = true
                FROM (SELECT session_id FROM session WHERE end_time IS NOT NULL AND NOT is_end_told
                      ORDER BY end_time LIMIT :most FOR UPDATE SKIP LOCKED) AS l
                WHERE s.session_id = l.session_id
                RETURNING s.session_id,
                          s.end_time > clock_timestamp() - interval '{MEMBER_ACCESS_SECONDS + 60} seconds' AS matters"""
        ),
        {"most": limit},
    )
    return [row.session_id for row in rows if row.matters]


async def delete_old(tx: Tx) -> None:
    """Forget sent messages, codes and sessions that mean nothing any more."""
    minutes = text(f"interval '{MESSAGE_MINUTES} minutes'")
    await tx.execute(delete(login_outbox).where(login_outbox.c.send_time < _now() - minutes))
    await tx.execute(delete(login_challenge).where(login_challenge.c.send_time < _now() - text("interval '2 days'")))
    await tx.execute(delete(session).where(session.c.expire_time < _now()))
