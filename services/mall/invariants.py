"""What must always hold in the mall's database: each query answers the rows that violate it (reliability.md, no. 7)."""

from __future__ import annotations

INVARIANTS: dict[str, str] = {
    "7 stock sold + left = stock put in": """
        SELECT i.group_id, i.item_id, i.stock_total, i.stock_left, count(o.order_id) AS taken
        FROM item AS i
        LEFT JOIN voucher_order AS o
          ON o.group_id = i.group_id AND o.item_id = i.item_id AND o.state NOT IN ('REJECTED', 'CANCELLED')
        GROUP BY i.group_id, i.item_id, i.stock_total, i.stock_left
        HAVING i.stock_total <> i.stock_left + count(o.order_id)""",
    "7 no member holds more of an item than its limit": """
        SELECT o.group_id, o.item_id, o.member_id, count(*) AS held
        FROM voucher_order AS o
        JOIN item AS i ON i.group_id = o.group_id AND i.item_id = o.item_id
        WHERE i.limit_per_member > 0 AND o.state NOT IN ('REJECTED', 'CANCELLED')
          AND NOT EXISTS (SELECT FROM merged_item AS m WHERE m.item_id = o.order_id)
        GROUP BY o.group_id, o.item_id, o.member_id, i.limit_per_member
        HAVING count(*) > i.limit_per_member""",
    "7 a completed order has points or a benefit spent and one voucher of its own": """
        SELECT group_id, order_id, state FROM voucher_order
        WHERE state = 'COMPLETED' AND (voucher_code IS NULL OR (points > 0) <> (redemption_txn_id IS NOT NULL)
                                       OR points = 0 AND benefit_code = '')
           OR state = 'REJECTED' AND (voucher_code IS NOT NULL OR reject_status IS NULL)""",
    "7 a voucher code has one holder": """
        SELECT group_id, voucher_code, count(*) AS holders FROM voucher_order
        WHERE voucher_code IS NOT NULL GROUP BY group_id, voucher_code HAVING count(*) > 1""",
    "7 only a completed order's voucher is used": """
        SELECT group_id, order_id, state FROM voucher_order WHERE use_time IS NOT NULL AND state <> 'COMPLETED'""",
    "7 a saga's row is open while there is work left, and only then": """
        SELECT group_id, order_id AS id, state FROM voucher_order
        WHERE (next_attempt_time IS NULL) <> (state IN ('COMPLETED', 'REJECTED', 'CANCELLED'))
        UNION ALL
        SELECT group_id, checkout_id, state FROM checkout
        WHERE (next_attempt_time IS NULL) <> (state IN ('COMMITTED', 'REJECTED', 'VOIDED'))""",
    "7 coupons issued = coupons counted, within the template's quantity": """
        SELECT t.group_id, t.template_id, t.quantity, t.issued_count, count(c.coupon_id) AS coupons
        FROM coupon_template AS t
        LEFT JOIN coupon AS c ON c.group_id = t.group_id AND c.template_id = t.template_id
        GROUP BY t.group_id, t.template_id, t.quantity, t.issued_count
        HAVING t.issued_count <> count(c.coupon_id) OR t.quantity > 0 AND count(c.coupon_id) > t.quantity""",
    "7 no member got more of a template than its limit": """
        SELECT c.group_id, c.template_id, c.member_id, count(*) AS coupons
        FROM coupon AS c
        JOIN coupon_template AS t ON t.group_id = c.group_id AND t.template_id = c.template_id
        WHERE t.limit_per_member > 0
          AND NOT EXISTS (SELECT FROM merged_item AS m WHERE m.item_id = c.coupon_id)
        GROUP BY c.group_id, c.template_id, c.member_id, t.limit_per_member
        HAVING count(*) > t.limit_per_member""",
    "7 a coupon is used exactly while it has one live write-off": """
        SELECT c.group_id, c.coupon_id, c.state, count(w.write_off_id) AS live
        FROM coupon AS c
        LEFT JOIN coupon_write_off AS w
          ON w.group_id = c.group_id AND w.coupon_id = c.coupon_id AND w.reverse_time IS NULL
        GROUP BY c.group_id, c.coupon_id, c.state
        HAVING count(w.write_off_id) <> (CASE WHEN c.state = 'USED' THEN 1 ELSE 0 END)""",
    "7 a coupon is locked exactly while its checkout is under way": """
        SELECT c.group_id, c.coupon_id, c.checkout_id, k.state
        FROM coupon AS c
        LEFT JOIN checkout AS k ON k.group_id = c.group_id AND k.checkout_id = c.checkout_id
        WHERE c.state = 'LOCKED' AND (k.state IS NULL OR k.state IN ('COMMITTED', 'REJECTED', 'VOIDED'))""",
    "7 a committed checkout has its sale, its points and its coupon": """
        SELECT k.group_id, k.checkout_id
        FROM checkout AS k
        LEFT JOIN coupon AS c
          ON c.group_id = k.group_id AND c.coupon_id = k.coupon_id AND c.checkout_id = k.checkout_id
        WHERE k.state = 'COMMITTED'
          AND (k.sale_id IS NULL OR (k.offset_points > 0) <> (k.redemption_txn_id IS NOT NULL)
               OR k.coupon_id IS NOT NULL AND c.state IS DISTINCT FROM 'USED')""",
    "7 a checkout's net lines sum to what is paid": """
        SELECT k.group_id, k.checkout_id
        FROM checkout AS k
        CROSS JOIN LATERAL (
          SELECT sum((line ->> 'amount_minor')::bigint) AS amount_minor,
                 sum((line ->> 'coupon_share_minor')::bigint) AS coupon_minor,
                 sum((line ->> 'offset_share_minor')::bigint) AS offset_minor,
                 min((line ->> 'amount_minor')::bigint - (line ->> 'coupon_share_minor')::bigint
                     - (line ->> 'offset_share_minor')::bigint) AS smallest_net_minor
          FROM jsonb_array_elements(k.lines) AS line) AS l
        WHERE l.amount_minor <> k.total_minor OR l.coupon_minor <> k.discount_minor
           OR l.offset_minor <> k.offset_minor OR l.smallest_net_minor < 0""",
}
