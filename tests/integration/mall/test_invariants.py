"""The mall's invariants: each kind of damage is noticed by the one that is there for it."""

from __future__ import annotations

from chassis.errors import AppError
from services.mall.invariants import INVARIANTS
from tests.damage import Damage, names_of, noticed
from tests.integration.mall.mall import ANNA
from tests.integration.mall.test_checkout import Till
from tests.integration.mall.test_checkout import till as till

STOCK = "7 stock sold + left = stock put in"
ITEM_LIMIT = "7 no member holds more of an item than its limit"
ORDERS = "7 a completed order has points or a benefit spent and one voucher of its own"
HOLDER = "7 a voucher code has one holder"
USED = "7 only a completed order's voucher is used"
OPEN = "7 a saga's row is open while there is work left, and only then"
ISSUED = "7 coupons issued = coupons counted, within the template's quantity"
COUPON_LIMIT = "7 no member got more of a template than its limit"
WRITE_OFFS = "7 a coupon is used exactly while it has one live write-off"
LOCKED = "7 a coupon is locked exactly while its checkout is under way"
COMMITTED = "7 a committed checkout has its sale, its points and its coupon"
LINES = "7 a checkout's net lines sum to what is paid"

# What is done to sound data, and the invariants that must notice.
DAMAGE: list[Damage] = [
    # One was sold twice; one came back and was not put back.
    ("UPDATE item SET stock_left = stock_left - 1 WHERE code = 'COFFEE'", {STOCK}),
    ("UPDATE voucher_order SET state = 'CANCELLED' WHERE use_time IS NULL AND state = 'COMPLETED'", {STOCK}),
    # Anna has two, and may have one.
    ("UPDATE item SET limit_per_member = 1", {ITEM_LIMIT}),
    # An order that nobody paid for, one without its voucher, one that was refused and has one; a gift of nothing.
    ("UPDATE voucher_order SET redemption_txn_id = NULL", {ORDERS}),
    ("UPDATE voucher_order SET voucher_code = NULL", {ORDERS}),
    ("UPDATE voucher_order SET voucher_code = '1' WHERE state = 'REJECTED'", {ORDERS}),
    ("UPDATE voucher_order SET points = 0, redemption_txn_id = NULL WHERE state = 'COMPLETED'", {ORDERS}),
    (
        """ALTER TABLE voucher_order DROP CONSTRAINT voucher_order_voucher_code_key;
           UPDATE voucher_order SET voucher_code = '1' WHERE state = 'COMPLETED'""",
        {HOLDER},
    ),
    (
        """ALTER TABLE voucher_order DROP CONSTRAINT voucher_order_use_check;
           UPDATE voucher_order SET use_time = now() WHERE state = 'CANCELLED'""",
        {USED},
    ),
    # Work that is taken up again though it is done.
    ("UPDATE voucher_order SET next_attempt_time = now() + interval '1 day'", {OPEN}),
    ("UPDATE checkout SET next_attempt_time = now() + interval '1 day'", {OPEN}),
    # A coupon that was not counted; more of them than there should be; more than Anna should have.
    ("UPDATE coupon_template SET issued_count = issued_count - 1", {ISSUED}),
    (
        """ALTER TABLE coupon_template DROP CONSTRAINT coupon_template_quantity_check;
           UPDATE coupon_template SET quantity = 1""",
        {ISSUED},
    ),
    ("UPDATE coupon_template SET limit_per_member = 1", {COUPON_LIMIT}),
    # A coupon that could be used again, and one that never can though it was given back.
    ("UPDATE coupon SET state = 'ISSUED' WHERE state = 'USED' AND checkout_id IS NULL", {WRITE_OFFS}),
    ("UPDATE coupon SET state = 'USED' WHERE state = 'ISSUED'", {WRITE_OFFS}),
    ("UPDATE coupon_write_off SET reverse_time = now()", {WRITE_OFFS}),
    # A checkout that is done and has not let go; one that took no coupon, earned nothing, spent nothing.
    (
        """UPDATE coupon_write_off w SET reverse_time = now() FROM coupon c
             WHERE c.coupon_id = w.coupon_id AND c.checkout_id IS NOT NULL;
           UPDATE coupon SET state = 'LOCKED' WHERE checkout_id IS NOT NULL""",
        {LOCKED, COMMITTED},
    ),
    ("UPDATE coupon SET state = 'LOCKED', checkout_id = gen_random_uuid() WHERE state = 'ISSUED'", {LOCKED}),
    ("UPDATE coupon SET checkout_id = NULL", {COMMITTED}),
    ("UPDATE checkout SET sale_id = NULL", {COMMITTED}),
    ("UPDATE checkout SET redemption_txn_id = NULL", {COMMITTED}),
    # A fen that no line has: of the total, of the coupon, of the points. A line below nothing.
    ("UPDATE checkout SET total_minor = total_minor + 1", {LINES}),
    ("UPDATE checkout SET discount_minor = discount_minor + 1", {LINES}),
    ("UPDATE checkout SET offset_minor = offset_minor + 1", {LINES}),
    (
        """UPDATE checkout SET total_minor = 1, discount_minor = 0, offset_minor = 0,
             lines = '[{"amount_minor": 1, "coupon_share_minor": 1, "offset_share_minor": 1},
                       {"amount_minor": 0, "coupon_share_minor": -1, "offset_share_minor": -1}]'""",
        {LINES},
    ),
]


async def test_damage_is_noticed(till: Till) -> None:
    coffee = await till.item("COFFEE", price=100)
    used, _, cancelled = [await till.order(coffee) for _ in range(3)]
    await till.use(used.voucher.code)
    await till.cancel(cancelled)
    dear = await till.item("DEAR", price=100_000)
    try:
        await till.order(dear)
    except AppError as error:
        assert error.reason == "INSUFFICIENT_POINTS"
    template = await till.create_template(amount_off_minor=2_500)
    plain, returned, of_checkout = [await till.issue(template) for _ in range(3)]
    await till.write_off(plain.code)
    await till.write_off(returned.code)
    await till.reverse(returned.code)
    await till.commit(till.request(coupon_code=of_checkout.code, offset_points=300))
    assert till.points.available[ANNA] < 1_000
    url = till.apps.sandbox.database_url("mall")
    assert await noticed(url, INVARIANTS) == set()
    for damage, expected in DAMAGE:
        assert await noticed(url, INVARIANTS, damage) == expected, damage


def test_every_invariant_has_a_case() -> None:
    assert names_of(DAMAGE) == set(INVARIANTS)
