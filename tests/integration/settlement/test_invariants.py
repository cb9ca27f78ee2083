"""settlement's invariants: each kind of damage is noticed by the one that is there for it."""

from __future__ import annotations

from huitong.points.v1 import points_pb2
from services.settlement.invariants import INVARIANTS
from tests.damage import Damage, names_of, noticed
from tests.integration.settlement.feed import (
    Feed,
    clawed,
    coupon,
    credited,
    debited,
    earned,
    expired,
    funded,
    redeemed,
    reversed_redemption,
    share,
    stay,
)
from tests.integration.settlement.test_settlement_accrual import with_contracts
from tests.integration.settlement.test_settlement_periods import MARCH_CLOSES

LINES = "8 every entry's lines sum to zero"
ENTRIES = "8 every line has its entry, which shows what its merchant gets"
PERIODS = "8 every period nets to zero"
TOTALS = "8 totals are the sums of their lines"
COUNTS = "8 totals count their entries and points"
SPENT = "8 what issuers' points were spent is what merchants accepted"
LOTS = "8 lots of a redemption carry its points and its reimbursement"
RETURNS = "8 claw-backs and reversals are what their issue and redemption say"
FUNDERS = "8 funders pay for all points of an issue that they share"
STATEMENTS = "8 statements of closed periods are their totals"
WAITING = "8 no facts are left waiting"

# A merchant's, so that no damage hides behind another's.
GROCER = "merchant_id = (SELECT merchant_id FROM entry WHERE kind = 2 LIMIT 1)"

# What is done to sound books, and the invariants that must notice.
DAMAGE: list[Damage] = [
    # The platform's side of an issue is a fen short, in the books or in the line alone; so is the merchant's.
    (f"UPDATE line SET amount_minor = amount_minor + 1 WHERE account = 2 AND {GROCER}", {LINES, TOTALS}),
    (
        f"UPDATE line SET amount_minor = amount_minor + 1 WHERE account = 1 AND {GROCER}",
        {LINES, ENTRIES, TOTALS},
    ),
    ("UPDATE entry SET amount_minor = amount_minor + 1 WHERE kind = 1", {ENTRIES}),
    # A coupon's lines have lost their entry.
    ("DELETE FROM entry WHERE kind = 6", {ENTRIES, TOTALS, COUNTS}),
    # A month in which somebody gets what nobody pays.
    (
        f"""ALTER TABLE total DROP CONSTRAINT total_balanced;
            UPDATE total SET fund_minor = fund_minor + 1 WHERE {GROCER}""",
        {PERIODS, TOTALS, STATEMENTS},
    ),
    # What the fund pays is booked as the platform's, in the total and, once the month is closed, in its statement.
    (
        "UPDATE total SET fund_minor = fund_minor + 1, platform_minor = platform_minor - 1",
        {TOTALS, STATEMENTS},
    ),
    ("UPDATE total SET unit_minor = unit_minor + 1, platform_minor = platform_minor - 1", {TOTALS, STATEMENTS}),
    (
        "UPDATE total SET coupon_minor = coupon_minor + 1, funding_minor = funding_minor - 1",
        {TOTALS, STATEMENTS},
    ),
    ("DELETE FROM total", {TOTALS, COUNTS, STATEMENTS}),
    # An entry that was counted twice; each kind of points that was.
    ("UPDATE total SET entry_count = entry_count + 1", {COUNTS, STATEMENTS}),
    ("UPDATE total SET issued_points = issued_points + 1", {COUNTS, STATEMENTS}),
    ("UPDATE total SET clawed_back_points = clawed_back_points + 1", {COUNTS, STATEMENTS}),
    ("UPDATE total SET expired_points = expired_points + 1", {COUNTS, STATEMENTS}),
    ("UPDATE total SET accepted_points = accepted_points + 1", {COUNTS, SPENT, STATEMENTS}),
    ("UPDATE total SET spent_points = spent_points + 1", {SPENT, STATEMENTS}),
    # A redemption that took more of a lot than it was; one that pays for another amount; one without lots.
    ("UPDATE lot_part SET points = points + 1", {LOTS}),
    ("UPDATE lot_part SET amount_minor = amount_minor + 1", {LOTS}),
    ("DELETE FROM lot_part", {LOTS}),
    # Returns that could be taken once more.
    ("UPDATE issue SET clawed_points = 0", {RETURNS}),
    ("UPDATE issue SET debited_points = 0", {RETURNS}),
    ("UPDATE redemption SET reversed_points = 0", {RETURNS}),
    # A funder who pays for more, for nothing any more, and for what nobody agreed to.
    ("UPDATE issue_funder SET points = points + 1", {FUNDERS}),
    ("DELETE FROM issue_funder", {FUNDERS}),
    ("UPDATE issue SET is_shared = false", {FUNDERS}),
    # A closed month shows another figure, or is not there for somebody; one that nobody closed is.
    ("UPDATE statement SET entry_count = entry_count + 1", {STATEMENTS}),
    (f"DELETE FROM statement WHERE {GROCER}", {STATEMENTS}),
    ("DELETE FROM period", {STATEMENTS}),
    # What came before its merchant was known is still there.
    (
        "INSERT INTO deferred_fact SELECT gen_random_uuid(), group_id, 1, 't', 'k', now(), '', 'why' FROM book LIMIT 1",
        {WAITING},
    ),
]


async def test_damage_is_noticed(feed: Feed) -> None:
    await with_contracts(feed)
    own, unit = points_pb2.FUNDER_KIND_MERCHANT, points_pb2.FUNDER_KIND_BUSINESS_UNIT
    platform, named = points_pb2.FUNDER_KIND_PLATFORM, points_pb2.FUNDER_KIND_NAMED_MERCHANT
    await feed.send(
        "points",
        earned("a", 1000),
        earned("b", 101, merchant="baker"),
        funded("c", (own, "grocer", 50), (unit, "mall", 20), (platform, "", 20), (named, "spa", 10)),
        credited("d", 100),
    )
    await feed.send("points", clawed("a", 333), debited("d", share("d", "grocer", 40)))
    await feed.send("points", redeemed("r", share("a", "grocer", 400), share("b", "baker", 100)))
    await feed.send("points", reversed_redemption("r", share("a", "grocer", 50)))
    await feed.send("points", expired("x", share("a", "grocer", 7), share("b", "baker", 1)))
    await feed.send("mall", coupon("c", 125, 5000))
    await feed.send("parking", stay("s", 801))
    await feed.jobs.close_periods(MARCH_CLOSES)
    url = feed.apps.sandbox.database_url("settlement")
    assert await noticed(url, INVARIANTS) == set()
    for damage, expected in DAMAGE:
        assert await noticed(url, INVARIANTS, damage) == expected, damage


def test_every_invariant_has_a_case() -> None:
    assert names_of(DAMAGE) == set(INVARIANTS)
