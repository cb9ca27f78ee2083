"""Tells the keeper of the audit what operators did here."""

from __future__ import annotations

import asyncio
import contextlib
from uuid import UUID

import structlog

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import AppError
from huitong.common.v1 import acts_pb2, acts_pb2_grpc

log = structlog.get_logger()
# Looked for now and then even so: another process, or one that died, may have written some.
BATCH, POLL_SECONDS, RETRY_SECONDS = 200, 5.0, 1.0


class ActSender:
    """Delivers the rows of operator_act and removes them. The keeper knows what it had before, so that two replicas,
    or an answer that is lost, do no harm; while it is away the rows wait."""

    def __init__(self, database: Database, keeper: acts_pb2_grpc.ActServiceStub) -> None:
        self._db, self._keeper = database, keeper

    async def run(self) -> None:
        """Deliver for ever."""
        while True:
            self._db.acts_waiting.clear()
            seconds = POLL_SECONDS if await self.send_all() else RETRY_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._db.acts_waiting.wait(), seconds)

    async def send_all(self) -> bool:
        """Deliver what is due, and answer whether all was. A group whose acts cannot be told now holds up no other."""
        is_told = True
        due = "SELECT DISTINCT group_id FROM operator_act WHERE deliver_time <= clock_timestamp()"
        for row in await self._db.pool.fetch(due):
            try:
                await self._send_group(row["group_id"])
            except AppError as error:
                log.warning("acts_wait", group_id=str(row["group_id"]), reason=error.reason)
                is_told = False
        return is_told

    async def _send_group(self, group_id: UUID) -> None:
        while rows := await self._db.pool.fetch(_DUE, group_id, BATCH):
            acts = [acts_pb2.Act.FromString(row["act"]) for row in rows]
            told = ids.derive(*(act.act_id for act in acts)).hex
            request = acts_pb2.RecordActsRequest(request_id=told, acts=acts)
            await rpc.call(self._keeper.RecordActs, request, group_id=group_id, timeout_s=10.0)
            # Only as it was told: an act that was let go in this moment with its outcome is told once more.
            await self._db.pool.executemany(
                "DELETE FROM operator_act WHERE act_id = $1 AND act = $2", [(row["act_id"], row["act"]) for row in rows]
            )


_DUE = """SELECT act_id, act FROM operator_act WHERE group_id = $1 AND deliver_time <= clock_timestamp()
    ORDER BY deliver_time, act_id LIMIT $2"""
