"""Queries about settings and erasures, and what an erasure takes away here.

Lock order: the erasure's row, then the member's, then everything else of the member.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import MetaData, Table, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.privacy.rules import OPEN, Erasure, Settings, State
from services.member.privacy_tables import erasure, privacy_settings
from services.member.rules import member_no_of
from services.member.store import among
from services.member.tables import member, metadata

_columns = [column for column in erasure.c if column.name != "next_attempt_time"]
_CLOCK = func.clock_timestamp()


async def get_settings(tx: Tx) -> Settings:
    """The group's, or the defaults."""
    row = (
        await tx.execute(
            select(privacy_settings.c.erasure_wait_hours, privacy_settings.c.birthday_change_limit).where(
                privacy_settings.c.group_id == tx.group_id
            )
        )
    ).first()
    return Settings(**row._mapping) if row else Settings()


async def save_settings(tx: Tx, settings: Settings) -> None:
    """Replace the group's."""
    new = insert(privacy_settings).values(group_id=tx.group_id, **asdict(settings))
    await tx.execute(new.on_conflict_do_update(index_elements=["group_id"], set_=asdict(settings)))


async def is_member(tx: Tx, member_id: UUID) -> bool:
    """Whether the group has this member, and has not erased it."""
    whose = select(member.c.member_id).where(
        member.c.member_id == member_id, member.c.group_id == tx.group_id, member.c.erase_time.is_(None)
    )
    return (await tx.execute(whose)).first() is not None


async def add_erasure(tx: Tx, new: Erasure) -> Erasure:
    """Keep it, unless one of this member is open; answers the open one, locked."""
    await tx.execute(
        insert(erasure)
        .values(**asdict(new), next_attempt_time=_CLOCK)
        .on_conflict_do_nothing(index_elements=["member_id"], index_where=text("state IN (1, 2, 3)"))
    )
    row = await tx.execute(
        select(*_columns).where(erasure.c.member_id == new.member_id, erasure.c.state.in_(OPEN)).with_for_update()
    )
    return Erasure(**row.one()._mapping)


async def find_erasure(tx: Tx, member_id: UUID, *, lock: bool = False) -> Erasure | None:
    """The newest of one of the group's members."""
    statement = (
        select(*_columns)
        .where(erasure.c.member_id == member_id, erasure.c.group_id == tx.group_id)
        .order_by(erasure.c.request_time.desc())
        .limit(1)
    )
    row = (await tx.execute(statement.with_for_update() if lock else statement)).first()
    return Erasure(**row._mapping) if row else None


async def find_erased(tx: Tx, member_ids: Collection[UUID]) -> UUID | None:
    """One of these members who has an erasure that is open or done."""
    rows = await tx.execute(
        select(erasure.c.member_id)
        .where(
            erasure.c.group_id == tx.group_id,
            erasure.c.state != State.WITHDRAWN,
            among(erasure.c.member_id, member_ids),
        )
        .order_by(erasure.c.member_id)
        .limit(1)
    )
    return rows.scalar_one_or_none()


async def lock_erasure(tx: Tx, erasure_id: UUID) -> Erasure:
    """One that exists, locked."""
    row = await tx.execute(select(*_columns).where(erasure.c.erasure_id == erasure_id).with_for_update())
    return Erasure(**row.one()._mapping)


async def list_due(tx: Tx, *, limit: int) -> Sequence[Erasure]:
    """Open ones of all groups whose time has come, the longest due first."""
    rows = await tx.execute(
        select(*_columns)
        .where(
            erasure.c.state.in_(OPEN),
            or_(erasure.c.state == State.RUNNING, erasure.c.due_time <= tx.now),
            erasure.c.next_attempt_time <= _CLOCK,
        )
        .order_by(erasure.c.next_attempt_time)
        .limit(limit)
    )
    return [Erasure(**row._mapping) for row in rows]


async def save_state(tx: Tx, erasure_id: UUID, state: State, *, pause_seconds: int = 0, **values: Any) -> None:
    """Move on; `values` are other columns."""
    next_time = _CLOCK + text(f"interval '{pause_seconds} seconds'")
    await tx.execute(
        update(erasure)
        .where(erasure.c.erasure_id == erasure_id)
        .values(state=state, next_attempt_time=next_time, **values)
    )


async def confirm(tx: Tx, erasure_id: UUID, service: str) -> None:
    """A service is done; twice is once."""
    await tx.execute(
        update(erasure)
        .where(erasure.c.erasure_id == erasure_id, func.array_position(erasure.c.confirmed_services, service).is_(None))
        .values(confirmed_services=func.array_append(erasure.c.confirmed_services, service))
    )


async def take_away(tx: Tx, member_id: UUID, *, now: datetime) -> None:
    """Take all that is personal away, and all that leads to the member. The pseudonymous row stays."""
    values = {"member_id": member_id, "group_id": tx.group_id, "now": now}
    found = await tx.execute(text("SELECT card_no FROM member WHERE member_id = :member_id FOR UPDATE"), values)
    values["member_no"] = member_no_of(found.scalar_one())
    for statement in _TAKE_AWAY:
        await tx.execute(text(statement), values)
    for table in of_members(metadata, but=OWN_WAY):
        await tx.execute(
            text(f"DELETE FROM {table.name} WHERE member_id = :member_id AND group_id = :group_id"), values
        )


def of_members(tables: MetaData, *, but: Collection[str]) -> list[Table]:
    """Tables whose rows lie under a member's id, without those that are named."""
    return [
        table
        for table in tables.sorted_tables
        if {"member_id", "group_id"} <= set(table.columns.keys()) and table.name not in but
    ]


# Tables that are shown and taken away in a way of their own, below and in records.py. Of every other one, a member's
# rows are shown as they are, and deleted: who adds a table has nothing to forget.
OWN_WAY = frozenset(
    {
        *("member", "member_identity", "member_profile", "member_import_row", "join_request"),
        *("session", "standing", "consent", "erasure"),
    }
)


_PHONES = """SELECT value_index FROM member_identity
             WHERE member_id = :member_id AND group_id = :group_id AND kind = 'phone'"""
# A request id stays claimed, so that a late retry is refused instead of making somebody; its fingerprint goes, since
# the phone is in it. A card number that is gone is nobody's.
_TAKE_AWAY = (
    f"DELETE FROM login_challenge WHERE group_id = :group_id AND phone_index IN ({_PHONES})",
    f"DELETE FROM login_outbox WHERE group_id = :group_id AND phone_index IN ({_PHONES})",
    "DELETE FROM member_identity WHERE member_id = :member_id AND group_id = :group_id",
    "DELETE FROM session WHERE member_id = :member_id AND group_id = :group_id",
    "DELETE FROM code_use WHERE group_id = :group_id AND member_no = :member_no",
    "DELETE FROM member_profile WHERE member_id = :member_id AND group_id = :group_id",
    "DELETE FROM standing WHERE member_id = :member_id AND group_id = :group_id",
    "UPDATE consent SET sealed_evidence = NULL WHERE member_id = :member_id AND group_id = :group_id",
    "UPDATE join_request SET fingerprint = '' WHERE member_id = :member_id AND group_id = :group_id",
    "UPDATE member_import_row SET fingerprint = '' WHERE member_id = :member_id AND group_id = :group_id",
    """UPDATE member SET card_no = 'erased-' || replace(CAST(member_id AS text), '-', ''), sealed_phone = '',
                         birth_month = 0, time_zone = '', store_id = NULL, erase_time = CAST(:now AS timestamptz)
       WHERE member_id = :member_id AND group_id = :group_id""",
)
