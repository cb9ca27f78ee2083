"""Queries about profiles; the table is in services/member/privacy_tables.py."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.privacy_tables import member_profile
from services.member.tables import member


@dataclass(frozen=True, slots=True)
class Kept:
    """A member's row and profile row; `sealed` is None for one who never told anything."""

    birth_month: int
    sealed: bytes | None
    birthday_change_count: int


async def find_profile(tx: Tx, member_id: UUID, *, lock: bool = False) -> Kept | None:
    """One of the group's members; `lock` makes changes of one profile follow each other."""
    whose = select(member.c.birth_month).where(
        member.c.member_id == member_id, member.c.group_id == tx.group_id, member.c.erase_time.is_(None)
    )
    birth_month = (await tx.execute(whose.with_for_update() if lock else whose)).scalar_one_or_none()
    if birth_month is None:
        return None
    columns = (member_profile.c.sealed, member_profile.c.birthday_change_count)
    row = (await tx.execute(select(*columns).where(member_profile.c.member_id == member_id))).first()
    return Kept(birth_month, row.sealed if row else None, row.birthday_change_count if row else 0)


async def save_profile(tx: Tx, member_id: UUID, *, sealed: bytes, birthday_change_count: int) -> None:
    """Keep it in place of the one before."""
    values = {"sealed": sealed, "birthday_change_count": birthday_change_count, "update_time": tx.now}
    new = insert(member_profile).values(member_id=member_id, group_id=tx.group_id, **values)
    await tx.execute(new.on_conflict_do_update(index_elements=["member_id"], set_=values))


async def save_birth_month(tx: Tx, member_id: UUID, birth_month: int) -> None:
    """What rules may know of the birthday."""
    await tx.execute(update(member).where(member.c.member_id == member_id).values(birth_month=birth_month))
