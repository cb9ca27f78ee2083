"""Queries about mini-programs; the table is in services/member/tables.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.tables import mini_program


@dataclass(frozen=True, slots=True)
class MiniProgram:
    """A mini-program of a group."""

    app_id: str
    group_id: UUID
    sealed_secret: bytes
    update_time: datetime


_columns = (mini_program.c.app_id, mini_program.c.group_id, mini_program.c.sealed_secret, mini_program.c.update_time)


async def save_mini_program(tx: Tx, *, app_id: str, sealed_secret: bytes) -> MiniProgram | None:
    """Keep it, or its new secret; None when it is another group's."""
    new = insert(mini_program).values(
        app_id=app_id, group_id=tx.group_id, sealed_secret=sealed_secret, update_time=func.clock_timestamp()
    )
    saved = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["app_id"],
            set_={"sealed_secret": new.excluded.sealed_secret, "update_time": new.excluded.update_time},
            where=mini_program.c.group_id == tx.group_id,
        ).returning(*_columns)
    )
    row = saved.first()
    return MiniProgram(**row._mapping) if row else None


async def find_mini_program(tx: Tx, app_id: str) -> MiniProgram | None:
    """Whosever it is: the app id alone says which group somebody logs in to."""
    row = (await tx.execute(select(*_columns).where(mini_program.c.app_id == app_id))).first()
    return MiniProgram(**row._mapping) if row else None


async def list_mini_programs(tx: Tx, *, after_app_id: str, limit: int) -> list[MiniProgram]:
    """The group's, by app id."""
    rows = await tx.execute(
        select(*_columns)
        .where(mini_program.c.group_id == tx.group_id, mini_program.c.app_id > after_app_id)
        .order_by(mini_program.c.app_id)
        .limit(limit)
    )
    return [MiniProgram(**row._mapping) for row in rows]
