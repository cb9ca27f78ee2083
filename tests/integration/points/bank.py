"""A ledger of its own with wallets, on plain or suffixed tables, and items that move their points."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

import asyncpg
import pytest

from chassis import ids
from chassis.config import load_settings
from chassis.errors import AppError
from chassis.migrate import migrate
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status, lane_of
from services.points.ledger.sql import statements
from tests.apps import Apps
from tests.integration.points.world import violations
from tests.support import Sandbox

GROUP = ids.derive("lane-tests")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
SHOPS = [ids.derive("shop", n) for n in range(4)]
# Every key of these holds the wallet id.
HOT_TABLES = (
    *("wallet", "txn", "posting", "lot", "lot_use", "debt", "sale_refund", "hold", "hold_lot", "transfer"),
    *("lot_renewal", "conversion", "pool_spend", "merge_move", "ledger_outbox"),
)
# These belong to a lane, whose row is locked first.
LANE_TABLES = ("lane", "issuer_slot")
LEDGER_TABLES = HOT_TABLES + LANE_TABLES
_BANKS = itertools.count(1)
# How many lanes, and what the names of their tables end in.
TABLES = [
    pytest.param((2, ""), id="two_lanes_on_plain_tables"),
    pytest.param((4, "_102008"), id="four_lanes_on_the_tables_of_a_shard"),
]
# For modules whose worlds have four lanes on the tables of a shard: the same tests that would run on plain ones, where
# the others run.
on_a_shard = pytest.mark.parametrize("points_service", ["_102008"], ids=["shard"], indirect=True, scope="module")


class Bank:
    """A migrated database with wallets, and items that move their points."""

    def __init__(self, url: str, *, owner_url: str = "", lane_count: int = 2, suffix: str = "") -> None:
        """`url` is the service's; `owner_url` is for what its role may not."""
        self.url, self.owner_url, self.lane_count, self.suffix = url, owner_url, lane_count, suffix
        self.wallets: list[UUID] = []
        self.number = next(_BANKS) * 1_000_000

    async def open_wallets(self, count: int, lane: int | None = None) -> list[UUID]:
        new: list[UUID] = []
        while len(new) < count:
            self.number += 1
            wallet_id = ids.derive("lane-wallet", self.url, self.number)
            if lane is None or lane_of(wallet_id, self.lane_count) == lane:
                new.append(wallet_id)
        connection = await asyncpg.connect(self.url)
        await connection.execute(
            f"""INSERT INTO wallet{self.suffix} SELECT w, $2, l, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, now()
               FROM unnest($1::uuid[], $3::integer[]) AS x (w, l)""",
            new,
            GROUP,
            [lane_of(wallet_id, self.lane_count) for wallet_id in new],
        )
        await connection.close()
        self.wallets += new
        return new

    def earn(self, wallet_id: UUID, points: int = 10, *, shop: int = 0, **changes: Any) -> Item:
        self.number += 1
        values: dict[str, Any] = {
            "kind": Kind.EARN,
            "wallet_id": wallet_id,
            "group_id": GROUP,
            "txn_id": ids.derive("lane-sale", self.url, self.number),
            "request_hash": b"content",
            "points": points,
            "occur_time": NOW,
            "merchant_id": SHOPS[shop],
            "store_id": SHOPS[shop],
            "expire_time": NOW + timedelta(days=400),
            "amount_minor": points * 100,
            "detail": b"d",
            "explanation": b"e",
            "payload": b"",
        }
        return Item(**{**values, **changes})

    def move(self, kind: Kind, wallet_id: UUID, points: int = 0, **changes: Any) -> Item:
        self.number += 1
        values: dict[str, Any] = {
            "kind": kind,
            "wallet_id": wallet_id,
            "group_id": GROUP,
            "txn_id": ids.derive("lane-move", self.url, self.number),
            "request_hash": b"content",
            "points": points,
            "occur_time": NOW,
            "merchant_id": SHOPS[0],
            "payload": b"",
        }
        return Item(**{**values, **changes})

    def claw_back(self, sale: Item, points: int, **changes: Any) -> Item:
        """What came back of a sale, as its first refund."""
        values = {"ref_id": sale.txn_id, "expire_time": sale.expire_time, "detail": b"d", "explanation": b"l"}
        return self.move(Kind.CLAW_BACK, sale.wallet_id, points, **{**values, **changes})

    @property
    def tables(self) -> tuple[str, str]:
        """As arguments of a process."""
        return str(self.lane_count), self.suffix

    def ledger(self, url: str = "", **options: Any) -> Ledger:
        """A process' lanes, not open yet."""
        return Ledger(url or self.url, self.lane_count, suffix=self.suffix, **options)

    async def fetch(self, query: str, *values: Any) -> list[Any]:
        """Rows of a query whose table names end in {s}."""
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetch(query.replace("{s}", self.suffix), *values)
        finally:
            await connection.close()

    async def wallet(self, wallet_id: UUID) -> Any:
        (row,) = await self.fetch("SELECT * FROM wallet{s} WHERE wallet_id = $1", wallet_id)
        return row

    async def violations(self) -> dict[str, int]:
        """Invariants that do not hold. There are no receipts and no requests here: the lanes are fed without them."""
        found = await violations(self.url, self.suffix)
        return {name: count for name, count in found.items() if "receipt" not in name and "adjustment" not in name}


async def open_bank(sandbox: Sandbox, *, lane_count: int = 2, suffix: str = "", under_views: bool = False) -> Bank:
    """A bank on the tables as migrated, or, with a suffix, on the same tables under names that end in it.

    `under_views`: for what asks the plain names, too; those are views then, in a database of their own.
    """
    values = {name.removeprefix("HUITONG_").lower(): value for name, value in sandbox.environment.items()}
    # The databases of a sandbox are found, and removed, by what their names begin with.
    part = suffix.removeprefix("_") + ("views_" if suffix and under_views else "")
    config = load_settings(**{**values, "database_prefix": f"{sandbox.prefix}{part}"})
    await migrate("points", config)
    url, owner_url = config.database_url("points"), config.owner_database_url("points")
    if suffix:
        await _rename_tables(owner_url, suffix, under_views=under_views)
    return Bank(url, owner_url=owner_url, lane_count=lane_count, suffix=suffix)


async def _rename_tables(url: str, suffix: str, *, under_views: bool = False) -> None:
    """Afterwards no table of the ledger has its plain name: a call that forgets the suffix fails.

    `under_views`: the plain names are views of them, as they are the distributed tables of a cluster, for all that is
    not the ledger's call.
    """
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            if await connection.fetchval(f"SELECT to_regclass('wallet{suffix}') IS NULL"):
                plain = await connection.fetch(
                    """SELECT proname FROM pg_proc
                       WHERE pronamespace = 'public'::regnamespace AND proname LIKE 'ledger%'"""
                )
                for row in plain:
                    await connection.execute(f"DROP FUNCTION {row['proname']}")
                for table in LEDGER_TABLES:
                    await connection.execute(f"ALTER TABLE {table} RENAME TO {table}{suffix}")
                for statement in statements(suffix):
                    await connection.execute(statement)
            # Migrating grants what the service may do anew, and knows no views.
            for table in LEDGER_TABLES if under_views else ():
                await connection.execute(f"CREATE OR REPLACE VIEW {table} AS SELECT * FROM {table}{suffix}")
                await connection.execute(f"GRANT ALL ON {table} TO PUBLIC")
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def on_shard(apps: Apps, suffix: str) -> AsyncIterator[None]:
    """Inside, the points service of `apps` has four lanes, whose calls run on tables with a suffix (none: as usual)."""
    if not suffix:
        yield
        return
    names = {name: f"{getattr(apps.settings, name)}shard_" for name in ("database_prefix", "stream")}
    apps.settings = apps.settings.model_copy(update={**names, "points_lanes": 4})
    await apps.migrate("points")
    await _rename_tables(apps.settings.owner_database_url("points"), suffix, under_views=True)
    with mock.patch.dict(Ledger.__init__.__kwdefaults__ or {}, suffix=suffix):
        yield


def applied(answers: list[Outcome | AppError]) -> list[Outcome]:
    assert all(isinstance(answer, Outcome) and answer.status is Status.APPLIED for answer in answers), answers
    return answers  # type: ignore[return-value]
