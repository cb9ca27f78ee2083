"""Recurring work: holds that are over their time, pending points that unlock, points that expire.

All of it may run again at any time, and a run that a crash cut short is finished by the next one. What one wallet
refuses holds up no other. A day closes in one
order, so that the same history always ends in the same ledger: holds that timed out are freed, pending points are
activated, what is over its time expires. (Tiers, which follow from sales alone, are member's own day close.) Each
movement is dated with the instant it was due at and not with that of the run.

Only the activation makes pending points available, and not the moment their time comes: until it has run they count as
pending and cannot be spent, so that available + held + pending = what the lots hold at every commit. It runs every
minute and whenever business time was told.
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from chassis import ids
from chassis.db import Database
from chassis.errors import AppError
from chassis.jobs import Rows
from services.points import queries
from services.points.ledger.ledger import Item, Kind, Ledger
from services.points.spending.operations import release_item

CHUNK = 500


class Jobs:
    """What is due by business time."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._db, self._ledger = database, ledger

    async def release_holds(self, now: datetime) -> None:
        """Free every hold whose time is over. Until this runs a capture is refused all the same."""
        run = Rows("points-holds")
        await self._release_holds(now, run)
        run.end()

    async def close_day(self, now: datetime) -> None:
        """Free what timed out, activate what unlocked, expire what is over its time: in this order."""
        run = Rows("points-day-close")
        for part in (self._release_holds, self.activate_points, self.expire_points):
            await part(now, run)
            run.require_known()
        run.end()

    async def _release_holds(self, now: datetime, run: Rows) -> None:
        after = (datetime.min.replace(tzinfo=UTC), UUID(int=0), UUID(int=0))
        while holds := await queries.list_due_holds(self._db.pool, now=now, after=after, limit=CHUNK):
            items = [
                release_item(hold["group_id"], hold["wallet_id"], hold["hold_id"], now, by_timeout=True)
                for hold in holds
            ]
            await self._apply(items, run)
            after = (holds[-1]["expire_time"], holds[-1]["wallet_id"], holds[-1]["hold_id"])

    async def activate_points(self, now: datetime, run: Rows) -> None:
        """Make every pending lot available whose time has come: one transaction for a wallet and an instant."""
        after = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
        while wallets := await queries.list_due_unlocks(self._db.pool, now=now, after=after, limit=CHUNK):
            await self._apply([_activation(row) for row in wallets], run)
            after = (wallets[-1]["unlock_time"], wallets[-1]["wallet_id"])

    async def expire_points(self, now: datetime, run: Rows) -> None:
        """Expire what is left of every unlocked lot that is over its time: one transaction for a wallet and an instant.

        Held points stay until their release.
        """
        after = UUID(int=0)
        while wallets := await queries.list_due_expiries(self._db.pool, now=now, after_wallet_id=after, limit=CHUNK):
            await self._apply([_expiry(row) for row in wallets], run)
            after = wallets[-1]["wallet_id"]

    async def _apply(self, items: list[Item], run: Rows) -> None:
        # In order, and no more at once than a lane takes: a wallet may have years of days that are due.
        for first in range(0, len(items), CHUNK):
            chunk = items[first : first + CHUNK]
            for item, answer in zip(chunk, await self._ledger.apply(chunk, timeout_s=60.0), strict=True):
                if isinstance(answer, AppError):
                    run.failed(answer, wallet_id=item.wallet_id, txn_id=item.txn_id)


def _activation(row: queries.SaleRow) -> Item:
    return Item(
        kind=Kind.ACTIVATE,
        wallet_id=row["wallet_id"],
        group_id=row["group_id"],
        # A sale may bring a lot of the same time just after a run; the wallet's version tells the runs apart.
        txn_id=ids.derive("activate", row["wallet_id"], row["unlock_time"].isoformat(), row["version"]),
        request_hash=b"",
        points=0,
        occur_time=row["unlock_time"],
        unlock_time=row["unlock_time"],
    )


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
