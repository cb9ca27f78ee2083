"""Queries over what the mall keeps about a member."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from chassis.db import Tx
from chassis.personal_data import Section

PREFIXES = {
    "member_id": "mbr",
    "order_id": "ord",
    "item_id": "itm",
    "coupon_id": "cpn",
    "template_id": "cpt",
    "checkout_id": "chk",
    "merchant_id": "mch",
    "store_id": "sto",
    "use_store_id": "sto",
}

SECTIONS: Sequence[Section] = (
    Section(
        "orders",
        """SELECT o.order_id, o.item_id, i.name AS item_name, o.merchant_id, o.points, o.benefit_code, o.order_time,
                  o.state, o.voucher_code, o.use_time, o.use_store_id
           FROM voucher_order o JOIN item i ON i.group_id = o.group_id AND i.item_id = o.item_id
           WHERE o.group_id = :group_id AND o.member_id = :member_id ORDER BY o.order_time, o.order_id""",
    ),
    Section(
        "coupons",
        """SELECT c.coupon_id, c.template_id, t.name, c.code, c.state, c.issue_time, c.use_time, c.valid_until_time
           FROM coupon c JOIN coupon_template t ON t.group_id = c.group_id AND t.template_id = c.template_id
           WHERE c.group_id = :group_id AND c.member_id = :member_id ORDER BY c.issue_time, c.coupon_id""",
    ),
    Section(
        "coupon_write_offs",
        """SELECT w.coupon_id, w.merchant_id, w.store_id, w.receipt_no, w.discount_minor, w.currency_code,
                  w.write_off_time, w.reverse_time
           FROM coupon_write_off w JOIN coupon c ON c.group_id = w.group_id AND c.coupon_id = w.coupon_id
           WHERE c.group_id = :group_id AND c.member_id = :member_id ORDER BY w.write_off_time, w.write_off_id""",
    ),
    Section(
        "checkouts",
        """SELECT checkout_id, store_id, merchant_id, receipt_no, sale_time, state, currency_code, total_minor,
                  discount_minor, offset_minor, offset_points, coupon_id, lines, earned_points, void_time
           FROM checkout WHERE group_id = :group_id AND member_id = :member_id ORDER BY sale_time, checkout_id""",
    ),
)


async def find_open_orders(tx: Tx, member_id: UUID) -> Sequence[UUID]:
    """Orders of the member that are being worked on."""
    rows = await tx.execute(
        text(
            """SELECT order_id FROM voucher_order
               WHERE group_id = :group_id AND member_id = :member_id AND next_attempt_time IS NOT NULL
               ORDER BY order_id"""
        ),
        {"group_id": tx.group_id, "member_id": member_id},
    )
    return rows.scalars().all()


async def find_open_checkouts(tx: Tx, member_id: UUID) -> Sequence[UUID]:
    """Checkouts of the member that are being worked on."""
    rows = await tx.execute(
        text(
            """SELECT checkout_id FROM checkout
               WHERE group_id = :group_id AND member_id = :member_id AND next_attempt_time IS NOT NULL
               ORDER BY checkout_id"""
        ),
        {"group_id": tx.group_id, "member_id": member_id},
    )
    return rows.scalars().all()


async def forget(tx: Tx, member_id: UUID) -> None:
    """The mall knows members by their ids alone: without the copy it does not know that there is one."""
    await tx.execute(
        text("DELETE FROM member_copy WHERE group_id = :group_id AND member_id = :member_id"),
        {"group_id": tx.group_id, "member_id": member_id},
    )
