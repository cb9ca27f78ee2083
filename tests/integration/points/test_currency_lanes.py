"""Wallets of other currencies, conversion and pools in the ledger's call alone, on plain tables and on a shard's."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg

from chassis import ids
from services.points.invariants import invariants
from services.points.ledger.ledger import Item, Kind, Ledger, Status
from tests.integration.points.bank import GROUP, NOW, SHOPS, Bank, applied

COINS = ids.derive("coins")
EXPIRY = NOW + timedelta(days=4_000)


async def open_wallet(bank: Bank, lane: int, *, currency: UUID | None) -> UUID:
    """One that is not a member's own points: of another currency, or a pool."""
    (wallet,) = await bank.open_wallets(1, lane=lane)
    connection = await asyncpg.connect(bank.url)
    await connection.execute(
        f"UPDATE wallet{bank.suffix} SET currency_id = $2, owner_id = $3 WHERE wallet_id = $1",
        wallet,
        currency,
        ids.derive("owner", wallet),
    )
    await connection.close()
    return wallet


def fund(bank: Bank, wallet: UUID, lots: list[tuple[int, int]], **changes: Any) -> Item:
    """Lots of (shop, points)."""
    item = bank.move(Kind.FUND, wallet, sum(points for _, points in lots), expire_time=EXPIRY, detail=b"", **changes)
    item.explanation = json.dumps(
        [
            {
                "lot_id": str(ids.derive(item.txn_id, shop)),
                "expire_time": EXPIRY.isoformat(),
                "merchant_id": str(SHOPS[shop]),
                "points": points,
            }
            for shop, points in lots
        ]
    ).encode()
    return item


async def slots(bank: Bank, currency: UUID) -> dict[UUID, tuple[int, int, int]]:
    """Issued, taken back and outstanding points of each merchant."""
    rows = await bank.fetch(
        """SELECT merchant_id, sum(issued_points)::bigint, sum(clawed_back_points)::bigint,
                  sum(outstanding_points)::bigint
           FROM issuer_slot{s} WHERE currency_id = $1 GROUP BY merchant_id""",
        currency,
    )
    return {row[0]: tuple(row)[1:] for row in rows}


async def test_a_conversion_between_lanes_keeps_each_currency_exact(bank: Bank, ledger: Ledger) -> None:
    (own,) = await bank.open_wallets(1, lane=0)
    coins = await open_wallet(bank, 1, currency=COINS)
    before = await slots(bank, GROUP)
    applied(await ledger.apply([bank.earn(own, 60, shop=0), bank.earn(own, 40, shop=1), bank.earn(own, 7, shop=2)]))
    out = bank.move(
        Kind.CONVERT_OUT, own, 50, ref_id=coins, store_id=COINS, amount_minor=25, expire_time=EXPIRY, detail=b""
    )
    again = [await ledger.apply_one(out), await ledger.apply_one(out)]
    assert [(one.status, one.points, one.available_points) for one in again] == [
        (Status.APPLIED, 50, 57),
        (Status.REPLAY, 50, 57),
    ]
    (row,) = await bank.fetch("SELECT * FROM conversion{s} WHERE txn_id = $1", out.txn_id)
    taken = json.loads(row["lots"])
    assert (row["to_points"], row["has_arrived"], sum(lot["points"] for lot in taken)) == (25, False, 50)
    # Between the two calls: what was taken is outstanding no more, and the other currency has nothing yet.
    assert await bank.violations() == {}
    arriving = fund(bank, coins, [(0, 20), (1, 5)], ref_id=out.txn_id)
    assert [(await ledger.apply_one(arriving)).status for _ in range(2)] == [Status.APPLIED, Status.REPLAY]
    there = await slots(bank, COINS)
    assert (there[SHOPS[0]], there[SHOPS[1]]) == ((20, 0, 20), (5, 0, 5))
    after = await slots(bank, GROUP)
    assert sum(one[1] for one in after.values()) - sum(one[1] for one in before.values()) == 50
    accounts = await bank.fetch(
        "SELECT DISTINCT account FROM posting{s} WHERE txn_id = ANY($1)", [out.txn_id, arriving.txn_id]
    )
    assert {one["account"] for one in accounts} == {"member", "converted"}
    # A conversion that gives other than its row says is noticed.
    short = bank.move(
        Kind.CONVERT_OUT, own, 10, ref_id=coins, store_id=COINS, amount_minor=5, expire_time=EXPIRY, detail=b""
    )
    applied(await ledger.apply([short]))
    connection = await asyncpg.connect(bank.url)
    transaction = connection.transaction()
    await transaction.start()
    values = "wallet_id, txn_id, group_id, version, kind, points, pending_points, debt_points, available_points"
    await connection.execute(
        f"""INSERT INTO txn{bank.suffix} ({values}, request_hash, occur_time, record_time, ref_id, reference,
                                     amount_minor)
            SELECT $1, $2, group_id, 99, 20, 6, 0, 0, 6, '', now(), now(), $3, '', 0
            FROM wallet{bank.suffix} WHERE wallet_id = $1""",
        coins,
        ids.derive("forged"),
        short.txn_id,
    )

    query = invariants(bank.suffix)["3 converted = what was taken, and what of it arrived"]
    assert await connection.fetch(query)
    await transaction.rollback()
    await connection.close()


async def test_limits_are_kept_under_the_wallet_s_lock(bank: Bank, ledger: Ledger) -> None:
    card = await open_wallet(bank, 0, currency=COINS)
    answers = await ledger.apply([fund(bank, card, [(0, 40)], expected=100) for _ in range(4)])
    assert sorted(one.status for one in answers) == [  # type: ignore[union-attr]
        Status.APPLIED,
        Status.APPLIED,
        Status.BALANCE_LIMIT,
        Status.BALANCE_LIMIT,
    ]
    convert = {"ref_id": card, "store_id": COINS, "amount_minor": 1, "expire_time": EXPIRY, "detail": b""}
    items = [bank.move(Kind.CONVERT_OUT, card, 20, expected=50, **convert) for _ in range(4)]
    answers = await ledger.apply(items)
    assert sorted(one.status for one in answers)[2:] == [Status.CONVERSION_LIMIT] * 2  # type: ignore[union-attr]
    # Another rate has a limit of its own.
    convert["store_id"] = GROUP
    applied(await ledger.apply([bank.move(Kind.CONVERT_OUT, card, 20, expected=50, **convert)]))


async def test_what_a_member_spends_of_a_pool_is_counted_until_it_is_given_back(bank: Bank, ledger: Ledger) -> None:
    pool = await open_wallet(bank, 1, currency=None)
    anna, ben = ids.derive("anna"), ids.derive("ben")
    applied(await ledger.apply([bank.earn(pool, 100)]))

    async def counted(member: UUID) -> int:
        (row,) = await bank.fetch(
            """SELECT coalesce(sum(points), 0)::bigint AS points FROM pool_spend{s}
               WHERE wallet_id = $1 AND member_id = $2""",
            pool,
            member,
        )
        return int(row["points"])

    def spend(member: UUID, points: int, limit: int = 50) -> Item:
        return bank.move(Kind.REDEEM, pool, points, ref_id=member, expected=limit, detail=b"")

    first = spend(anna, 30)
    answers = await ledger.apply([first, first, spend(anna, 21), spend(ben, 21, limit=0)])
    assert [one.status for one in answers] == [  # type: ignore[union-attr]
        Status.APPLIED,
        Status.REPLAY,
        Status.POOL_LIMIT,
        Status.APPLIED,
    ]
    assert answers[2].points == 20  # type: ignore[union-attr]
    hold = bank.move(
        Kind.HOLD, pool, 20, ref_id=anna, expected=50, expire_time=NOW + timedelta(days=30_000), detail=b""
    )
    applied(await ledger.apply([hold]))
    assert await counted(anna) == 50
    capture = bank.move(Kind.CAPTURE, pool, 5, ref_id=hold.txn_id)
    applied(await ledger.apply([capture]))
    assert await counted(anna) == 35
    applied(await ledger.apply([bank.move(Kind.REVERSE, pool, 3, ref_id=capture.txn_id)]))
    applied(await ledger.apply([bank.move(Kind.REVERSE, pool, 0, ref_id=first.txn_id)]))
    assert (await counted(anna), await counted(ben)) == (2, 21)
    # A member's own wallet counts nothing.
    (own,) = await bank.open_wallets(1)
    applied(await ledger.apply([bank.earn(own, 9)]))
    applied(await ledger.apply([bank.move(Kind.REDEEM, own, 9, detail=b"")]))
    assert not await bank.fetch("SELECT FROM pool_spend{s} WHERE wallet_id = $1", own)
