"""The invariants themselves: each kind of damage is noticed by the one that is there for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from huitong.points.v1 import doors_pb2, points_pb2
from services.points.doors.operations import Doors
from services.points.invariants import CHECKS, INVARIANTS, checks, invariants
from services.points.ledger.ledger import Kind, Ledger
from tests.damage import names_of, noticed
from tests.integration.points.bank import GROUP, NOW, Bank, applied, open_bank
from tests.integration.points.cases import Office
from tests.integration.points.test_adjustments import Desk
from tests.integration.points.test_cost_governor import Desk as CostDesk
from tests.integration.points.test_devices import numbered
from tests.integration.points.test_one_purchase import paid, record
from tests.integration.points.test_rules_life import offer, with_offers
from tests.integration.points.world import World
from tests.support import Sandbox

CURRENCIES = "1 all postings of each currency sum to zero"
PENDING = "2 pending points are not held and unlock before they expire"
TRANSIT = "3 in transit = what was taken and has not arrived"
MERGED = "3 between merged members: what was taken arrives once, as it was taken"
NEGATIVE = "4 nothing is negative"
RECEIPTS = "5 one earn for each receipt"
PAYMENTS = "5 one earn for each payment"
AWARDS = "5 awards are of their member's sales, in another currency"
CAPS = "5 caps are what sales took of them"
COSTS = "5 sales and points counted by the cost governor are those of its lanes"
ADJUSTMENTS = "5 an adjustment moved points once, when and only when it is applied"
REJECTED = "5 a rejected sale gave all of its points back, or they were written off"
RELEASED = "5 a released sale waits for its return window alone"
DEVICES = "5 devices are told of what is recorded"
REQUESTS = "9 every request id that was answered leads to its receipt"


def forged(kind: Kind, points: int = 0, *, ref: str = "NULL", wallet: str = "{one}", txn: str = "{forged}") -> str:
    """A movement that nobody asked for."""
    return f"""INSERT INTO txn{{s}} (wallet_id, txn_id, group_id, version, kind, points, pending_points, debt_points,
                 available_points, request_hash, occur_time, record_time, ref_id, reference, amount_minor)
               VALUES ({wallet}, {txn}, {{group}}, 99, {kind:d}, {points}, 0, 0, 0, '', now(), now(), {ref}, '', 0);"""


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
    # A leg of one currency is higher, one of another is lower: together they come to nothing.
    (
        """UPDATE wallet{s} SET currency_id = {shop}, owner_id = {shop} WHERE wallet_id = {one};
           UPDATE posting{s} SET points = points + 1 WHERE txn_id = {sale} AND leg = 0;
           UPDATE posting{s} SET points = points - 1 WHERE txn_id = {other} AND leg = 0""",
        {CURRENCIES},
    ),
    # A running balance that counted a replay.
    (
        "UPDATE wallet{s} SET available_points = available_points + 1",
        {"2 wallet = its postings", "2 wallet = what its lots hold"},
    ),
    # A wallet whose totals went astray.
    ("UPDATE wallet{s} SET spent_points = spent_points + 1", {"2 wallet = its totals, its transactions and its debts"}),
    # Points that wait are held; others wait longer than they live.
    (
        """ALTER TABLE lot{s} DROP CONSTRAINT lot_pending_not_held;
           UPDATE lot{s} SET unlock_time = now() WHERE held_points > 0""",
        {PENDING},
    ),
    (
        """ALTER TABLE lot{s} DROP CONSTRAINT lot_pending_not_held;
           UPDATE lot{s} SET unlock_time = expire_time WHERE held_points = 0""",
        {PENDING},
    ),
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
    # What is under way was never taken; what has arrived is not there; another number arrived than was taken.
    (
        "INSERT INTO transfer{s} VALUES ({one}, {forged}, {group}, {two}, 5, now(), false, '[]', NULL)",
        {TRANSIT},
    ),
    (
        "INSERT INTO transfer{s} VALUES ({one}, {forged}, {group}, {two}, 0, now(), true, '[]', NULL)",
        {TRANSIT},
    ),
    (
        forged(Kind.TRANSFER_IN, 6, ref="{forged}", wallet="{two}")
        + "INSERT INTO transfer{s} VALUES ({one}, {forged}, {group}, {two}, 5, now(), true, '[]', NULL)",
        {TRANSIT},
    ),
    # Of two members that were merged: a debt that left nobody; a row without its movement, a movement without its row;
    # another number arrived than was taken; it arrived twice.
    ("INSERT INTO posting{s} VALUES ({one}, {forged}, 0, {group}, 'debt_transit', {shop}, -5)", {MERGED}),
    (
        "INSERT INTO merge_move{s} VALUES ({one}, {forged}, {group}, {group}, {two}, 0, 0, NULL, now(), false, '[]')",
        {MERGED},
    ),
    (forged(Kind.MERGE_OUT), {MERGED}),
    (
        forged(Kind.MERGE_OUT, -5)
        + forged(Kind.MERGE_IN, 6, ref="{forged}", wallet="{two}")
        + "INSERT INTO merge_move{s} VALUES ({one}, {forged}, {group}, {group}, {two}, 5, 0, NULL, now(), true, '[]')",
        {MERGED},
    ),
    (forged(Kind.MERGE_IN, ref="{sale}") + forged(Kind.MERGE_IN, ref="{sale}", wallet="{two}"), {MERGED}),
    # A balance, a lot, and a debt that somebody repaid twice.
    (
        """ALTER TABLE wallet{s} DROP CONSTRAINT wallet_not_negative;
           UPDATE wallet{s} SET pending_points = -1 WHERE wallet_id = {one}""",
        {NEGATIVE},
    ),
    (
        """ALTER TABLE lot{s} DROP CONSTRAINT lot_not_negative;
           UPDATE lot{s} SET held_points = left_points + 1 WHERE wallet_id = {one}""",
        {NEGATIVE},
    ),
    (
        """ALTER TABLE debt{s} DROP CONSTRAINT debt_not_negative;
           INSERT INTO debt{s} VALUES ({one}, {forged}, {group}, 1, {shop}, 5, -5)""",
        {NEGATIVE},
    ),
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
    # An award in the group's own points; one of a sale that is not the member's.
    (forged(Kind.AWARD, ref="{sale}"), {AWARDS}),
    (
        "UPDATE wallet{s} SET currency_id = {shop}, owner_id = {one} WHERE wallet_id = {two};"
        + forged(Kind.AWARD, ref="{other}", wallet="{two}"),
        {AWARDS},
    ),
]

# What is done to a sound database of the whole service, which has receipts, requests and people's decisions.
SERVICE_DAMAGE = [
    # A receipt that nobody claimed, one with other content, one that earned in two wallets.
    ("DELETE FROM receipt_claim WHERE sale_id = {paid}", {RECEIPTS}),
    ("UPDATE receipt_claim SET content_hash = '' WHERE sale_id = {paid}", {RECEIPTS}),
    (forged(Kind.EARN, txn="{paid}", wallet="{two}"), {RECEIPTS}),
    # Two sales of one payment; a payment that nobody claimed, and one that another sale did.
    (
        """INSERT INTO txn SELECT (jsonb_populate_record(t, jsonb_build_object('txn_id', {forged}, 'version', 99))).*
           FROM txn t WHERE txn_id = {paid}""",
        {PAYMENTS},
    ),
    ("DELETE FROM payment_claim", {PAYMENTS}),
    ("UPDATE payment_claim SET sale_id = {released}", {PAYMENTS}),
    # The same payment is claimed as another merchant's.
    ("UPDATE payment_claim SET payment_key = {forged}", {PAYMENTS}),
    # A limit that forgot a sale; one of which sales took that is not there.
    ("UPDATE cap SET used_points = used_points - 1", {CAPS}),
    ("DELETE FROM cap", {CAPS}),
    # An event that was counted twice; a unit that is not counted.
    ("UPDATE unit_cost SET points = points + 1", {COSTS}),
    ("UPDATE unit_cost SET sales_minor = sales_minor + 1", {COSTS}),
    ("DELETE FROM unit_cost", {COSTS}),
    # An adjustment that was refused and moved points all the same; one that moved none; one that nobody asked for.
    ("UPDATE adjustment SET state = 4 WHERE adjustment_id = {approved}", {ADJUSTMENTS}),
    ("UPDATE adjustment SET state = 3 WHERE adjustment_id = {refused}", {ADJUSTMENTS}),
    ("UPDATE adjustment SET points = points + 1 WHERE adjustment_id = {approved}", {ADJUSTMENTS}),
    ("DELETE FROM adjustment WHERE adjustment_id = {approved}", {ADJUSTMENTS}),
    # A rejected sale's member has kept a point.
    ("UPDATE sale_refund SET clawed_back_points = clawed_back_points - 1 WHERE sale_id = {rejected}", {REJECTED}),
    # A released sale still waits for what was decided.
    ("UPDATE lot SET unlock_time = unlock_time + interval '1 day' WHERE lot_id = {released}", {RELEASED}),
    # A device is told less than is recorded, and more.
    ("UPDATE device SET contiguous_seq = contiguous_seq - 1", {DEVICES}),
    ("UPDATE device_sale SET is_recorded = false WHERE seq = 1", {DEVICES}),
    ("DELETE FROM device_sale WHERE seq = 1", {DEVICES}),
    # An id that was answered is free again.
    ("DELETE FROM request_claim WHERE target_id = {paid}", {REQUESTS}),
]


@pytest.fixture
async def bank(sandbox: Sandbox) -> Bank:
    """A shard's tables, where a query that forgets the suffix fails; the service below has a database of its own."""
    return await open_bank(sandbox, lane_count=4, suffix="_102008")


async def test_damage_is_noticed(bank: Bank, ledger: Ledger) -> None:
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
        "group": GROUP,
        "stranger": GROUP,
        "shop": sale.merchant_id,
        "one": one,
        "two": two,
        "sale": sale.txn_id,
        "other": other.txn_id,
        "forged": ids.derive("forged"),
    }
    queries, looks = invariants(bank.suffix), checks(bank.suffix)
    # There are no receipts here: the lanes are fed without them.
    assert await noticed(bank.owner_url, queries, "", looks) == {RECEIPTS}
    for damage, expected in DAMAGE:
        done = damage.format(s=bank.suffix, **quoted(names))
        assert expected <= await noticed(bank.owner_url, queries, done, looks), damage


async def test_damage_to_what_the_service_keeps_is_noticed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.publish(
        with_offers(
            world,
            offer(budget_points=1_000),
            pending_days=7,
            confirmation=doors_pb2.ConfirmationRule(sources=["hotel-folio"], longest_wait_days=30),
            cost_governor=points_pb2.CostGovernor(window_days=7),
        )
    )
    office, desk = Office(world), Desk(world)
    payment = await record(world, paid(world, 10_000, "pos", "4200001"))
    # The bytes that a payment begins with, in a sale that has none.
    await world.sell(402)
    for seq in (1, 2):
        await record(world, numbered(world, seq))
    stays = [world.sale(5_000, source="hotel-folio") for _ in range(2)]
    released, rejected = [await record(world, stay) for stay in stays]
    await office.confirm(stays[0])
    await office.reject(stays[1])
    approved, refused = await desk.ask(50), await desk.ask(20)
    await desk.approve(approved)
    await desk.reject(refused)
    await CostDesk(world).run()
    names = {
        "group": world.group_id,
        "one": world.members[0],
        "two": world.members[1],
        "forged": ids.derive("forged"),
        "paid": ids.from_edge("txn", payment.sale_id, ""),
        "released": ids.from_edge("txn", released.sale_id, ""),
        "rejected": ids.from_edge("txn", rejected.sale_id, ""),
        "approved": ids.from_edge("adj", approved.adjustment_id, ""),
        "refused": ids.from_edge("adj", refused.adjustment_id, ""),
    }
    url = world.apps.settings.owner_database_url("points")
    assert await noticed(url, INVARIANTS, "", CHECKS) == set()
    for damage, expected in SERVICE_DAMAGE:
        assert expected <= await noticed(url, INVARIANTS, damage.format(s="", **quoted(names)), CHECKS), damage

    # A second door that nobody stopped: everything else agrees with what it recorded.
    with monkeypatch.context() as patch:
        patch.setattr(Doors, "admit", _everybody)
        second = await record(world, paid(world, 10_000, "payment-notice", "4200001"))
    assert second.points == payment.points
    assert await noticed(url, INVARIANTS, "", CHECKS) == {PAYMENTS}
    sale_id = ids.from_edge("txn", second.sale_id, "")
    await world.apps.as_owner("points", f"UPDATE txn SET detail = NULL WHERE txn_id = '{sale_id}'")


async def _everybody(*_: Any) -> dict[int, Any]:
    return {}


def test_every_invariant_has_a_case() -> None:
    assert names_of((*DAMAGE, *SERVICE_DAMAGE)) == {*INVARIANTS, *CHECKS}


def quoted(names: Mapping[str, UUID | None]) -> dict[str, str]:
    """As SQL."""
    return {name: f"uuid '{value}'" for name, value in names.items()}
