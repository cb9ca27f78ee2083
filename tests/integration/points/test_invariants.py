"""The invariants themselves: each kind of damage is noticed by the one that is there for it."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from services.points.invariants import invariants
from services.points.ledger.ledger import Kind, Ledger
from tests.integration.points.bank import GROUP, NOW, Bank, applied, open_bank
from tests.support import Sandbox

# What is done to a sound ledger, and the invariants that must notice.
DAMAGE = [
    # An unknown wallet's sale once wrote postings, a lot and its issuer's sum, but no wallet and no transaction: the
    # postings still summed to zero.
    (
        """INSERT INTO posting{s} SELECT {stranger}, {stranger}, leg, {group}, account, merchant, points FROM (VALUES
             (0, 'member', NULL, 10), (1, 'issuer', {shop}, -10)) v (leg, account, merchant, points);
           INSERT INTO lot{s} SELECT {stranger}, now(), {stranger}, {group}, {shop}, 10, 10, 0;
           UPDATE issuer_slot{s} SET issued_points = issued_points + 10, outstanding_points = outstanding_points + 10
             WHERE (lane, merchant_id) = (SELECT min(lane), {shop} FROM issuer_slot{s} WHERE merchant_id = {shop})""",
        {
            "3 issuer slots + wallets + expired + transit = 0",
            "1 every posting has its transaction, every movement its postings",
        },
    ),
    # A leg of a posting is lost.
    (
        "DELETE FROM posting{s} WHERE leg = 1",
        {"1 postings of every transaction sum to zero", "1 all postings sum to zero"},
    ),
    # A running balance that counted a replay.
    (
        "UPDATE wallet{s} SET available_points = available_points + 1",
        {"2 wallet = its postings", "2 wallet = what its lots hold"},
    ),
    # A wallet whose totals went astray.
    ("UPDATE wallet{s} SET spent_points = spent_points + 1", {"2 wallet = its totals, its transactions and its debts"}),
    # A hold is forgotten, its points are not.
    ("UPDATE hold{s} SET state = 3", {"2 held = holds under way"}),
    # One issuer's sum is another's.
    (
        "UPDATE issuer_slot{s} SET outstanding_points = outstanding_points + 1",
        {"3 each issuer's slots = its lots, its debts, its postings"},
    ),
    (
        "UPDATE issuer_slot{s} SET issued_points = 0",
        {"3 issued - clawed back - redeemed - expired = outstanding - debt"},
    ),
    # Points taken by nobody.
    ("UPDATE issuer_slot{s} SET accepted_points = 0", {"3 redeemed = accepted"}),
    # A lot gave more than is written down.
    ("UPDATE lot_use{s} SET points = points + 1 WHERE points > 0", {"4 a lot gives what it had, no more"}),
    # More was given back than the reversals say.
    ("UPDATE lot_use{s} SET restored_points = 0", {"4 reversals give back no more than was taken"}),
    # A refund is forgotten, so that it could be claimed again.
    ("UPDATE sale_refund{s} SET refund_count = 0, clawed_back_points = 0", {"5 claw-backs never exceed the earn"}),
    # What was written off is forgotten; a renewal says another number than it took.
    (
        "UPDATE issuer_slot{s} SET written_off_points = NULL",
        {"3 each issuer's slots = its lots, its debts, its postings"},
    ),
    ("UPDATE sale_refund{s} SET written_off_points = 0", {"5 claw-backs never exceed the earn"}),
    ("UPDATE txn{s} SET unmoved_points = 1 WHERE kind = 14", {"4 a renewal takes what it gives another expiry"}),
    # An event is lost; one is there twice.
    ("DELETE FROM ledger_outbox{s} WHERE kind = 3", {"6 each transaction is in the outbox once, lanes have no gap"}),
    (
        "INSERT INTO ledger_outbox{s} SELECT lane, n + 1000, wallet_id, group_id, txn_id, ref_id, kind, points,"
        " debt_points, merchant_id, occur_time FROM ledger_outbox{s} WHERE kind = 3",
        {"6 each transaction is in the outbox once, lanes have no gap"},
    ),
    # A wallet's points are taken for another currency's.
    (
        "UPDATE wallet{s} SET currency_id = {shop}, owner_id = {shop}",
        {
            "3 issuer slots + wallets + expired + transit = 0",
            "3 each issuer's slots = its lots, its debts, its postings",
        },
    ),
    (
        "UPDATE issuer_slot{s} SET currency_id = {shop}",
        {"3 each issuer's slots = its lots, its debts, its postings"},
    ),
    # What was converted never left.
    (
        "INSERT INTO conversion{s} SELECT wallet_id, {shop}, group_id, wallet_id, {shop}, 5, 5, now(), now(), true,"
        " '[]' FROM wallet{s} LIMIT 1",
        {"3 converted = what was taken, and what of it arrived"},
    ),
    # A member's use of a pool is counted that was none.
    (
        "INSERT INTO pool_spend{s} SELECT wallet_id, {shop}, group_id, {shop}, 5, now() FROM wallet{s} LIMIT 1",
        {"4 what members spent of a pool = its redemptions and holds"},
    ),
    # Stored value is owed.
    ("UPDATE wallet{s} SET owner_id = {shop}, debt_points = 1", {"4 other currencies are never owed"}),
]


@pytest.fixture
async def bank(sandbox: Sandbox) -> Bank:
    """One set of tables is enough: on the other one a query that forgets the suffix fails."""
    return await open_bank(sandbox)


@pytest.mark.parametrize(("damage", "expected"), DAMAGE, ids=[sorted(expected)[0] for _, expected in DAMAGE])
async def test_damage_is_noticed(bank: Bank, ledger: Ledger, damage: str, expected: set[str]) -> None:
    one, two = await bank.open_wallets(2)
    sale, other = bank.earn(one, 50), bank.earn(two, 50)
    spent = bank.move(Kind.REDEEM, two, 20, detail=b"")
    applied(await ledger.apply([sale, other]))
    applied(await ledger.apply([spent, bank.claw_back(sale, 10)]))
    applied(await ledger.apply([bank.move(Kind.REVERSE, two, 5, ref_id=spent.txn_id)]))
    gone = bank.earn(two, 30)
    until = NOW + timedelta(days=40_000)
    applied(await ledger.apply([gone, bank.move(Kind.RENEW, one, expire_time=until, unlock_time=until)]))
    applied(await ledger.apply([bank.move(Kind.REDEEM, two, 65, detail=b"")]))
    applied(await ledger.apply([bank.claw_back(gone, 30, limit_points=10)]))
    applied(await ledger.apply([bank.earn(two, 40)]))
    held = bank.move(Kind.HOLD, two, 5, expire_time=NOW + timedelta(days=30_000), detail=b"")
    applied(await ledger.apply([held]))
    names = {
        "{s}": bank.suffix,
        "{stranger}": f"uuid '{GROUP}'",
        "{group}": f"uuid '{GROUP}'",
        "{shop}": f"uuid '{sale.merchant_id}'",
    }
    for name, value in names.items():
        damage = damage.replace(name, value)
    connection = await asyncpg.connect(bank.owner_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(damage)
        noticed = {name for name, query in invariants(bank.suffix).items() if await connection.fetch(query)}
        await transaction.rollback()
    finally:
        await connection.close()
    assert expected <= noticed
