"""Publishing and finding rule sets. A version never changes."""

from __future__ import annotations

from datetime import date

from sqlalchemy import insert, select

from chassis.db import Tx
from chassis.errors import InvalidArgument
from huitong.points.v1 import points_pb2
from services.points import rules, store
from services.points.convert import rule_set_of
from services.points.errors import EffectiveDateTaken, RulesInvalid


async def publish_rule_set(tx: Tx, draft: points_pb2.RuleSet) -> points_pb2.RuleSet:
    """Store `draft` as the group's next version. Raises RulesInvalid, EffectiveDateTaken."""
    # Also locks the group: two publications at once get two versions.
    await store.count_change(tx, [tx.group_id])
    versions = (
        await tx.execute(
            select(store.rule_set.c.version, store.rule_set.c.effective_date).where(
                store.rule_set.c.group_id == tx.group_id
            )
        )
    ).all()
    published = points_pb2.RuleSet()
    published.CopyFrom(draft)
    published.version = max((row.version for row in versions), default=0) + 1
    try:
        parsed = rule_set_of(published)
    except InvalidArgument as error:
        raise RulesInvalid(problem=error.values["fields"]) from None
    if problem := rules.find_problem(parsed):
        raise RulesInvalid(problem=problem)
    if parsed.effective_date in {row.effective_date for row in versions}:
        raise EffectiveDateTaken(effective_date=parsed.effective_date)
    await tx.execute(
        insert(store.rule_set).values(
            group_id=tx.group_id,
            version=published.version,
            effective_date=parsed.effective_date,
            content=published.SerializeToString(deterministic=True),
            create_time=tx.now,
        )
    )
    return published


async def find_rule_set(tx: Tx, day: date) -> points_pb2.RuleSet | None:
    """The rule set in force on `day`, or None."""
    columns = store.rule_set.c
    content = (
        await tx.execute(
            select(columns.content)
            .where(columns.group_id == tx.group_id, columns.effective_date <= day)
            .order_by(columns.effective_date.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    return points_pb2.RuleSet.FromString(content) if content is not None else None
