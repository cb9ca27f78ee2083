"""Recurring work: what merged members have follows the survivor, as soon as no saga works on it any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import RowMapping

from chassis.db import Database, Tx
from chassis.ids import to_edge
from chassis.jobs import Rows
from chassis.rpc import internal_caller
from huitong.mall.v1 import events_pb2
from services.mall.merging import store

_NO_GROUP = UUID(int=0)


def follower(db: Database) -> Callable[[datetime], Awaitable[None]]:
    """The job: every merge that has work left, each in a transaction of its own. Again changes nothing."""

    async def run(now: datetime) -> None:
        async with db.reading(internal_caller("mall", _NO_GROUP)) as tx:
            merges = await store.list_open(tx)
        turn = Rows("mall-merges")
        for merge in merges:
            with turn.row(merge_id=merge["merge_id"]):
                async with db.transaction(internal_caller("mall", merge["group_id"])) as tx:
                    await _follow(tx, merge)
        turn.end()

    return run


async def _follow(tx: Tx, merge: RowMapping) -> None:
    state = await store.lock_merge(tx, merge["merge_id"])
    if state in (store.MERGING, store.MERGED):
        is_done = await store.move_over(tx, merge)
    else:
        is_done = await store.move_back(tx, merge)
    if is_done and state in (store.MERGING, store.UNMERGING):
        await store.set_state(tx, merge["merge_id"], state + 1)
        _tell(tx, merge["merge_id"], is_unmerge=state == store.UNMERGING)


def _tell(tx: Tx, merge_id: UUID, *, is_unmerge: bool) -> None:
    edge = to_edge("mrg", merge_id)
    tx.emit(events_pb2.MergeFollowed(merge_id=edge, is_unmerge=is_unmerge), key=edge)
