"""parking's invariants: each kind of damage is noticed by the one that is there for it."""

from __future__ import annotations

from services.parking.invariants import INVARIANTS
from tests.damage import Damage, names_of, noticed
from tests.integration.parking.lot import Lot

FEE = "10 paid + waived + due is the tariff's fee, none below zero"
ENDED = "10 a stay that has ended owes nothing and has its times"
ONE_STAY = "10 one stay of a plate at a time"
PAID = "10 what stays were paid is what payments and gates say"
REDEEMED = "10 a payment with points names its redemption"
HALF_DONE = "10 no payment is left half done"
OWNER = "10 a plate has one owner"

# What is done to sound data, and the invariants that must notice. The stay of the first two hours has ended.
DAMAGE: list[Damage] = [
    # A fee that nobody pays, and one that a waiver below nothing pays for.
    (
        "ALTER TABLE stay DROP CONSTRAINT stay_fee; UPDATE stay SET tariff_fee_minor = tariff_fee_minor + 1",
        {FEE},
    ),
    (
        """ALTER TABLE stay DROP CONSTRAINT stay_not_negative;
           UPDATE stay SET tier_waived_minor = -1, due_minor = due_minor + 1 WHERE state = 'inside'""",
        {FEE},
    ),
    # Who has left owes something, left at no time, or before they came; who is inside has left.
    (
        """ALTER TABLE stay DROP CONSTRAINT stay_ended_owes_nothing;
           UPDATE stay SET tariff_fee_minor = tariff_fee_minor + 1, due_minor = 1 WHERE state = 'left'""",
        {ENDED},
    ),
    ("UPDATE stay SET exit_time = NULL WHERE state = 'left'", {ENDED, ONE_STAY}),
    ("UPDATE stay SET exit_time = entry_time - interval '1 minute' WHERE state = 'left'", {ENDED}),
    ("UPDATE stay SET exit_time = entry_time + interval '1 minute' WHERE state = 'inside'", {ENDED}),
    # The second stay begins before the first one has ended.
    ("UPDATE stay SET entry_time = entry_time - interval '3 hours' WHERE state = 'inside'", {ONE_STAY}),
    # A payment that is not written down, and ones that paid another amount: of points, their worth, money.
    ("DELETE FROM pay_intent", {PAID}),
    ("UPDATE pay_intent SET points = points + 1", {PAID}),
    ("UPDATE pay_intent SET points_minor = points_minor + 1", {PAID}),
    ("UPDATE pay_intent SET money_minor = money_minor + 1", {PAID}),
    ("UPDATE stay SET gate_paid_minor = gate_paid_minor + 1 WHERE state = 'left'", {PAID}),
    ("UPDATE pay_intent SET redeem_txn_id = ''", {REDEEMED}),
    ("UPDATE pay_intent SET response = NULL", {REDEEMED}),
    # Whoever worked on it has been gone for two minutes.
    (
        """UPDATE pay_intent SET state = 'reversing', points = 0, points_minor = 0, money_minor = 0,
             lease_until_time = clock_timestamp() - interval '2 minutes';
           UPDATE stay SET tariff_fee_minor = due_minor, points = 0, points_paid_minor = 0, money_paid_minor = 0,
             gate_paid_minor = 0""",
        {HALF_DONE},
    ),
    (
        """DROP INDEX plate_binding_owner;
           INSERT INTO plate_binding SELECT gen_random_uuid(), group_id, plate_no, gen_random_uuid(), bind_time, NULL
           FROM plate_binding""",
        {OWNER},
    ),
]


async def test_damage_is_noticed(lot: Lot) -> None:
    await lot.enter()
    await lot.pay(100, points=True)
    assert (await lot.leave(115)).may_leave
    await lot.enter(200)
    url = lot.apps.sandbox.database_url("parking")
    assert await noticed(url, INVARIANTS) == set()
    for damage, expected in DAMAGE:
        assert await noticed(url, INVARIANTS, damage) == expected, damage


def test_every_invariant_has_a_case() -> None:
    assert names_of(DAMAGE) == set(INVARIANTS)
