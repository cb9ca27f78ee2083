"""Merged members: plates and stays follow the survivor, and go back when the merge is undone.

A stay with a payment under way keeps its member until that has ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, text

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.events import Fact
from chassis.jobs import Rows
from huitong.member.v1 import events_pb2 as member_events
from huitong.parking.v1 import events_pb2

MERGING, MERGED, UNMERGING, UNMERGED = 1, 2, 3, 4
_NO_GROUP = UUID(int=0)
_IS_FREE = """NOT EXISTS (SELECT FROM pay_intent AS p
                          WHERE p.stay_id = s.stay_id AND p.state IN ('pending', 'reversing'))"""


async def take_merges(tx: Tx, facts: Sequence[Fact[member_events.MemberMerged]]) -> None:
    """Two members became one; the job moves what they have."""
    for fact in facts:
        await tx.execute(
            text(
                """INSERT INTO member_merge (merge_id, group_id, survivor_id, absorbed_id, state, merge_time)
                   VALUES (:merge_id, :group_id, :survivor_id, :absorbed_id, 1, :now) ON CONFLICT DO NOTHING"""
            ),
            {
                "merge_id": ids.from_edge("mrg", fact.payload.merge_id, "merge_id"),
                "group_id": fact.group_id,
                "survivor_id": ids.from_edge("mbr", fact.payload.survivor_id, "survivor_id"),
                "absorbed_id": ids.from_edge("mbr", fact.payload.absorbed_id, "absorbed_id"),
                "now": tx.now,
            },
        )


async def take_unmerges(tx: Tx, facts: Sequence[Fact[member_events.MemberUnmerged]]) -> None:
    """They are two again."""
    for fact in facts:
        await tx.execute(
            text("UPDATE member_merge SET state = 3 WHERE merge_id = :merge_id AND state < 3"),
            {"merge_id": ids.from_edge("mrg", fact.payload.merge_id, "merge_id")},
        )


async def person_of(tx: Tx, member_id: UUID) -> UUID:
    """The member whose plates and stays these are: the survivor, for one who is absorbed by another."""
    return (await survivors_of(tx, [member_id])).get(member_id, member_id)


async def survivors_of(tx: Tx, member_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """By whom those of these members are absorbed who are."""
    found = await tx.execute(
        text(
            """SELECT absorbed_id, survivor_id FROM member_merge
               WHERE group_id = :group_id AND absorbed_id = ANY(:member_ids) AND state < 3"""
        ),
        {"group_id": tx.group_id, "member_ids": list(member_ids)},
    )
    return {row.absorbed_id: row.survivor_id for row in found}


async def note_as_absorbed(tx: Tx, *, member_id: UUID, item_id: UUID) -> None:
    """A plate of the survivor was bound under the absorbed member's own id: it is that one's in the end."""
    await tx.execute(
        text(
            """INSERT INTO merged_item (merge_id, item_id)
               SELECT merge_id, :item_id FROM member_merge
               WHERE group_id = :group_id AND absorbed_id = :member_id AND state < 3 ON CONFLICT DO NOTHING"""
        ),
        {"group_id": tx.group_id, "member_id": member_id, "item_id": item_id},
    )


def follower(db: Database) -> Callable[[datetime], Awaitable[None]]:
    """The job: every merge that has work left, each in a transaction of its own. Again changes nothing."""

    async def run(now: datetime) -> None:
        async with db.reading(rpc.internal_caller("parking", _NO_GROUP)) as tx:
            merges = (await tx.execute(_OPEN)).mappings().all()
        turn = Rows("parking.merges")
        for merge in merges:
            with turn.row(merge_id=merge["merge_id"]):
                async with db.transaction(rpc.internal_caller("parking", merge["group_id"])) as tx:
                    await _follow(tx, merge)
        turn.end()

    return run


_OPEN = text(
    """SELECT m.* FROM member_merge AS m
       WHERE m.state IN (1, 3) OR m.state = 2 AND (
         EXISTS (SELECT FROM plate_binding AS b WHERE b.member_id = m.absorbed_id AND b.unbind_time IS NULL)
         OR EXISTS (SELECT FROM stay AS s WHERE s.member_id = m.absorbed_id))
       ORDER BY m.merge_id"""
)


_LOCK_VEHICLES = text(
    """SELECT FROM vehicle AS v JOIN car_park AS c ON c.car_park_id = v.car_park_id
       WHERE c.group_id = :group_id AND v.plate_no IN (
         SELECT b.plate_no FROM merged_item AS m JOIN plate_binding AS b ON b.binding_id = m.item_id
         WHERE m.merge_id = :merge_id
         UNION SELECT s.plate_no FROM merged_item AS m JOIN stay AS s ON s.stay_id = m.item_id
         WHERE m.merge_id = :merge_id)
       ORDER BY v.car_park_id, v.plate_no FOR UPDATE OF v"""
)


async def _follow(tx: Tx, merge: RowMapping) -> None:
    values = {key: merge[key] for key in ("merge_id", "group_id", "survivor_id", "absorbed_id", "merge_time")}
    locked = await tx.execute(text("SELECT state FROM member_merge WHERE merge_id = :merge_id FOR UPDATE"), values)
    state = int(locked.scalar_one())
    if state in (MERGING, MERGED):
        is_done = await _move_over(tx, values)
    else:
        is_done = await _move_back(tx, values)
    if is_done and state in (MERGING, UNMERGING):
        await tx.execute(text("UPDATE member_merge SET state = state + 1 WHERE merge_id = :merge_id"), values)
        edge = ids.to_edge("mrg", merge["merge_id"])
        tx.emit(events_pb2.MergeFollowed(merge_id=edge, is_unmerge=state == UNMERGING), key=edge)


async def _move_over(tx: Tx, values: dict[str, Any]) -> bool:
    """Give the survivor what no payment is under way for, and note what it was. Answers whether that was all."""
    for table, key, is_free in (
        ("plate_binding", "binding_id", "s.unbind_time IS NULL"),
        ("stay", "stay_id", _IS_FREE),
    ):
        await tx.execute(
            text(
                f"""WITH moved AS (
                      UPDATE {table} AS s SET member_id = :survivor_id
                      WHERE s.group_id = :group_id AND s.member_id = :absorbed_id AND {is_free} RETURNING s.{key})
                    INSERT INTO merged_item (merge_id, item_id) SELECT :merge_id, {key} FROM moved
                    ON CONFLICT DO NOTHING"""
            ),
            values,
        )
    left = await tx.execute(
        text("SELECT EXISTS (SELECT FROM stay WHERE group_id = :group_id AND member_id = :absorbed_id)"), values
    )
    return not left.scalar_one()


async def _move_back(tx: Tx, values: dict[str, Any]) -> bool:
    """Give back what was noted, and the stays of those plates since. Answers whether that was all."""
    # Entries, exits and payments take a vehicle first: none of them ends in the survivor's name after this looked.
    await tx.execute(_LOCK_VEHICLES, values)
    await tx.execute(
        text(
            """INSERT INTO merged_item (merge_id, item_id)
               SELECT :merge_id, s.stay_id FROM merged_item AS m
               JOIN plate_binding AS b ON b.binding_id = m.item_id
               JOIN stay AS s ON s.member_id = :survivor_id AND s.group_id = b.group_id AND s.plate_no = b.plate_no
                 AND s.entry_time >= greatest(b.bind_time, :merge_time)
                 AND s.entry_time < coalesce(b.unbind_time, 'infinity')
               WHERE m.merge_id = :merge_id ON CONFLICT DO NOTHING"""
        ),
        values,
    )
    for table, key, is_free in (("plate_binding", "binding_id", "true"), ("stay", "stay_id", _IS_FREE)):
        await tx.execute(
            text(
                f"""UPDATE {table} AS s SET member_id = :absorbed_id FROM merged_item AS m
                    WHERE m.merge_id = :merge_id AND s.{key} = m.item_id AND s.group_id = :group_id
                      AND s.member_id = :survivor_id AND {is_free}"""
            ),
            values,
        )
    left = await tx.execute(
        text(
            """SELECT EXISTS (SELECT FROM merged_item AS m JOIN stay AS s ON s.stay_id = m.item_id
                              WHERE m.merge_id = :merge_id AND s.group_id = :group_id
                                AND s.member_id = :survivor_id)"""
        ),
        values,
    )
    return not left.scalar_one()
