"""Queries about approvals; the table is in services/org/tables.py. Locked in this order: approval, operator, group."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, insert, literal, or_, select, tuple_, update

from chassis.db import Tx
from services.org.approvals.rules import APPROVED, EXPIRED, PENDING, PERMITS, USED, Approval
from services.org.tables import approval

_open = or_(
    approval.c.state == PENDING,
    and_(approval.c.state == APPROVED, approval.c.action.startswith(PERMITS, autoescape=True)),
)


async def add(tx: Tx, one: Approval) -> None:
    """Add an approval that is waited for."""
    await tx.execute(insert(approval).values(asdict(one)))


async def find(tx: Tx, approval_id: UUID, *, lock: bool = False) -> Approval | None:
    """One approval of the group."""
    statement = select(approval).where(approval.c.approval_id == approval_id, approval.c.group_id == tx.group_id)
    row = (await tx.execute(statement.with_for_update() if lock else statement)).first()
    return Approval(**row._mapping) if row else None


async def change(tx: Tx, approval_id: UUID, **values: Any) -> None:
    """Set columns of an approval."""
    await tx.execute(update(approval).where(approval.c.approval_id == approval_id).values(**values))


async def sum_approved(tx: Tx, *, permission: str, decided_by: str, since: datetime) -> int:
    """The sum of what somebody has approved with a permission after `since`. Exact while they are locked."""
    query = select(func.coalesce(func.sum(approval.c.amount), 0)).where(
        approval.c.group_id == tx.group_id,
        approval.c.decided_by == decided_by,
        approval.c.decide_time > since,
        approval.c.permission == permission,
        approval.c.state.in_((APPROVED, USED)),
    )
    return int((await tx.execute(query)).scalar_one())


async def list_approvals(tx: Tx, *, state: str, before: tuple[datetime, UUID] | None, limit: int) -> list[Approval]:
    """The group's approvals, newest first; "" means of every state, and what has expired counts as EXPIRED."""
    statement = select(approval).where(approval.c.group_id == tx.group_id)
    is_over = approval.c.expire_time <= tx.now
    if state == EXPIRED:
        statement = statement.where(_open, is_over)
    elif state in (PENDING, APPROVED):
        statement = statement.where(approval.c.state == state, ~(_open & is_over))
    elif state:
        statement = statement.where(approval.c.state == state)
    if before:
        columns = tuple_(approval.c.ask_time, approval.c.approval_id)
        statement = statement.where(columns < tuple_(literal(before[0]), literal(before[1])))
    statement = statement.order_by(approval.c.ask_time.desc(), approval.c.approval_id.desc()).limit(limit)
    return [Approval(**row._mapping) for row in await tx.execute(statement)]
