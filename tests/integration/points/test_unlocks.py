"""One lot unlocked out of its turn, on plain and on suffixed tables."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from services.points.ledger.ledger import Item, Kind, Ledger, Status
from tests.integration.points.bank import NOW, Bank, applied

# The lanes of these tests run by the server's clock: what lies ahead lies far ahead.
SOON, LATER = NOW + timedelta(days=36_500), NOW + timedelta(days=40_000)
EXPIRY = NOW + timedelta(days=50_000)


def waiting(bank: Bank, wallet: object, points: int = 10) -> Item:
    return bank.earn(wallet, points, unlock_time=LATER, expire_time=EXPIRY)  # type: ignore[arg-type]


def unlock(bank: Bank, sale: Item, **changes: object) -> Item:
    return bank.move(
        Kind.UNLOCK, sale.wallet_id, 0, **{"ref_id": sale.txn_id, "expire_time": sale.expire_time, **changes}
    )


async def test_one_lot_unlocks_and_the_others_go_on_waiting(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    first, second = waiting(bank, wallet, 10), waiting(bank, wallet, 7)
    applied(await ledger.apply([first, second]))
    item = unlock(bank, first)
    (outcome,) = applied([await ledger.apply_one(item)])
    assert (outcome.points, outcome.available_points) == (10, 10)
    again = await ledger.apply_one(item)
    assert (again.status, again.points) == (Status.REPLAY, 10)
    assert (await ledger.apply_one(unlock(bank, first))).status is Status.NOTHING
    row = await bank.wallet(wallet)
    assert (row["available_points"], row["pending_points"], row["version"]) == (10, 7, 3)
    assert row["first_expire_time"] == EXPIRY
    applied([await ledger.apply_one(bank.move(Kind.REDEEM, wallet, 10))])


async def test_a_wait_is_only_ever_brought_forward(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    sale = waiting(bank, wallet)
    applied(await ledger.apply([sale]))
    for unlock_time, left in ((SOON, SOON), (LATER, SOON), (SOON + timedelta(days=1), SOON)):
        outcome = await ledger.apply_one(unlock(bank, sale, unlock_time=unlock_time))
        assert outcome.status is Status.NOTHING
        (lot,) = await bank.fetch("SELECT unlock_time FROM lot{s} WHERE wallet_id = $1", wallet)
        assert lot["unlock_time"] == left
    # A time that has passed is now.
    applied([await ledger.apply_one(unlock(bank, sale, unlock_time=NOW - timedelta(days=9_000)))])


async def test_what_was_taken_back_does_not_unlock(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    part, whole = waiting(bank, wallet), waiting(bank, wallet)
    applied(await ledger.apply([part, whole]))
    applied([await ledger.apply_one(bank.claw_back(part, 4)), await ledger.apply_one(bank.claw_back(whole, 10))])
    (outcome,) = applied([await ledger.apply_one(unlock(bank, part))])
    assert outcome.points == 6
    assert (await ledger.apply_one(unlock(bank, whole))).status is Status.NOTHING
    assert not await bank.fetch("SELECT FROM lot{s} WHERE wallet_id = $1 AND unlock_time IS NOT NULL", wallet)


async def test_unlocks_returns_and_spending_at_once_keep_the_lots_exact(bank: Bank, ledger: Ledger) -> None:
    wallets = await bank.open_wallets(4)
    sales = [waiting(bank, wallets[number % 4]) for number in range(40)]
    applied(await ledger.apply(sales))
    items = [unlock(bank, sale) for sale in sales] + [unlock(bank, sale) for sale in sales]
    items += [bank.claw_back(sale, 3) for sale in sales]
    items += [bank.move(Kind.REDEEM, wallet, 5) for wallet in wallets for _ in range(10)]
    items += [unlock(bank, sale, unlock_time=SOON) for sale in sales]
    await asyncio.gather(*(ledger.apply(items[start::7]) for start in range(7)))
    for wallet in wallets:
        row = await bank.wallet(wallet)
        assert row["pending_points"] == 0
        assert row["clawed_back_points"] == 30


async def test_a_lot_of_another_wallet_is_not_found(bank: Bank, ledger: Ledger) -> None:
    wallet, other = await bank.open_wallets(2)
    sale = waiting(bank, wallet)
    applied(await ledger.apply([sale]))
    stranger = bank.move(Kind.UNLOCK, other, 0, ref_id=sale.txn_id, expire_time=sale.expire_time)
    assert (await ledger.apply_one(stranger)).status is Status.NOTHING
    assert (await bank.wallet(wallet))["pending_points"] == 10
