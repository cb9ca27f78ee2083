"""Claims are taken ahead of the ledger call, so they have to last from the moment they are answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg

from chassis import ids
from chassis.config import load_settings
from chassis.migrate import migrate
from services.points.doors.operations import Doors, Duplicate, Passage
from services.points.earning.caps import Caps
from services.points.earning.first_purchases import FirstPurchases
from services.points.ledger.claims import GO_ON, Claims, ReceiptClaim
from services.points.ledger.ledger import Item, Kind
from services.points.lookup import Lookup
from suite.local import LocalServers
from tests.integration.points.world import World
from tests.support import Sandbox

GROUP = ids.derive("claim-tests")
KILLS = 3


def claim(number: int) -> ReceiptClaim:
    """The claim of a receipt of its own."""
    sale_id = ids.derive("sale", number)
    return ReceiptClaim(
        sale_id, ids.derive("request", number), GROUP, ids.derive("wallet", number), b"0123456789abcdef"
    )


async def test_an_answered_claim_outlives_a_killed_server(own_servers: LocalServers) -> None:
    # A lane that lost its connection sends its items again, without asking for their claims a second time. A claim that
    # the server forgot would leave the sale without one, and the receipt open to other content.
    sandbox = Sandbox(own_servers, valkey_database=1)
    url = await sandbox.create_database("points")
    await migrate("points", load_settings(**_values(sandbox)))
    claims = Claims(url)
    await claims.open()
    try:
        for number in range(KILLS):
            assert await claims.receipts([claim(number)]) == [GO_ON]
            await asyncio.to_thread(own_servers.kill, "postgres")
            await asyncio.to_thread(own_servers.restart, "postgres")
    finally:
        await claims.close()
    connection = await asyncpg.connect(url)
    try:
        kept = await connection.fetch("SELECT sale_id FROM receipt_claim")
        asked = await connection.fetch("SELECT target_id FROM request_claim")
    finally:
        await connection.close()
    expected = {claim(number).sale_id for number in range(KILLS)}
    assert {row["sale_id"] for row in kept} == expected
    assert {row["target_id"] for row in asked} == expected


async def test_an_answered_payment_and_a_device_s_number_outlive_a_killed_server(own_servers: LocalServers) -> None:
    # Otherwise the purchase's other door would claim the payment a second time, and both would earn.
    sandbox = Sandbox(own_servers, valkey_database=2)
    url = await sandbox.create_database("points")
    await migrate("points", load_settings(**_values(sandbox)))
    doors = Doors(url)
    await doors.open()
    try:
        for number in range(KILLS):
            for source in ("pos", "payment-notice"):
                item = _item(number, source)
                passage = Passage(source, payment_key=ids.derive("payment", number))
                if source == "pos":
                    passage.device_key, passage.device_seq = ids.derive("till"), number + 1
                stopped = await doors.admit({0: (item, passage)})
                first = None if source == "pos" else _item(number, "pos").txn_id
                assert stopped == ({} if first is None else {0: Duplicate(item.wallet_id, first)})
                await asyncio.to_thread(own_servers.kill, "postgres")
                await asyncio.to_thread(own_servers.restart, "postgres")
    finally:
        await doors.close()
    connection = await asyncpg.connect(url)
    try:
        numbers = await connection.fetch("SELECT seq, sale_id, is_recorded FROM device_sale ORDER BY seq")
    finally:
        await connection.close()
    assert [tuple(row) for row in numbers] == [
        (number + 1, _item(number, "pos").txn_id, False) for number in range(KILLS)
    ]


def _item(number: int, source: str) -> Item:
    return Item(
        kind=Kind.EARN,
        wallet_id=ids.derive("wallet", number),
        group_id=GROUP,
        txn_id=ids.derive("sale", number, source),
        request_hash=b"",
        points=1,
        occur_time=datetime(2026, 3, 4, tzinfo=UTC),
    )


def _values(sandbox: Sandbox) -> dict[str, str]:
    return {name.removeprefix("HUITONG_").lower(): value for name, value in sandbox.environment.items()}


async def test_connections_are_warm_before_they_are_used(world: World) -> None:
    url, settings = world.app.db.url, world.app.settings
    lookup = Lookup(world.app.db, settings.points_lanes, org=None, member=None, ladder=None)
    doors = Doors(url)
    owners = (Claims(url), Caps(url), FirstPurchases(url), lookup)
    for calls in (*(owner._calls for owner in owners), doors._calls, doors._comparing):
        await calls.open()
        try:
            assert calls._connection is not None
            rows = await calls._connection.fetch(
                "SELECT statement FROM pg_prepared_statements WHERE generic_plans + custom_plans > 0"
            )
            assert {row["statement"] for row in rows} >= set(calls._queues)
        finally:
            await calls.close()
