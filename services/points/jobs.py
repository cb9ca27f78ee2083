"""Recurring work: holds that are over their time, and points that expire. Both may run again at any time."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from chassis import ids
from chassis.db import Database
from chassis.errors import AppError
from services.points import queries
from services.points.ledger import Item, Kind, Ledger
from services.points.spending import release_item

CHUNK = 500


class Jobs:
    """What is due by business time."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._db, self._ledger = database, ledger

    async def release_holds(self, now: datetime) -> None:
        """Free every hold whose time is over. Until this runs a capture is refused all the same."""
        while holds := await queries.list_due_holds(self._db.pool, now=now, limit=CHUNK):
            await self._apply(
                [
                    release_item(hold["group_id"], hold["wallet_id"], hold["hold_id"], now, by_timeout=True)
                    for hold in holds
                ]
            )

    async def expire_points(self, now: datetime) -> None:
        """Expire what is left of every lot that is over its time: one transaction for a wallet and an instant.

        Timed-out holds go first, so that what they held expires in the same run. Held points stay until their release.
        """
        await self.release_holds(now)
        after = UUID(int=0)
        while wallets := await queries.list_due_expiries(self._db.pool, now=now, after_wallet_id=after, limit=CHUNK):
            await self._apply([_expiry(row) for row in wallets])
            after = wallets[-1]["wallet_id"]

    async def _apply(self, items: list[Item]) -> None:
        for answer in await self._ledger.apply(items, timeout_s=60.0):
            if isinstance(answer, AppError):
                raise answer  # the job runs again and finds what is left


def _expiry(row: queries.SaleRow) -> Item:
    expire_time = row["expire_time"] or row["first_expire_time"]
    return Item(
        kind=Kind.EXPIRE,
        wallet_id=row["wallet_id"],
        group_id=row["group_id"],
        # Points that came back to an expired lot expire later once more; the wallet's version tells the runs apart.
        txn_id=ids.derive("expire", row["wallet_id"], expire_time.isoformat(), row["version"]),
        request_hash=b"",
        points=0,
        occur_time=expire_time,
        expire_time=expire_time,
    )
