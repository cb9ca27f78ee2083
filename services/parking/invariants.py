"""What must hold in parking's database. Each query returns the rows that violate it."""

from __future__ import annotations

INVARIANTS: dict[str, str] = {
    "10 paid + waived + due is the tariff's fee, none below zero": """
        SELECT stay_id FROM stay
        WHERE tariff_fee_minor <> tier_waived_minor + points_paid_minor + money_paid_minor + due_minor
           OR least(tariff_fee_minor, tier_waived_minor, points_paid_minor, money_paid_minor, due_minor, points) < 0""",
    "10 a stay that has ended owes nothing and has its times": """
        SELECT stay_id FROM stay
        WHERE state <> 'inside' AND (due_minor <> 0 OR exit_time IS NULL OR exit_time < entry_time)
           OR state = 'inside' AND exit_time IS NOT NULL""",
    "10 one stay of a plate at a time": """
        SELECT stay_id FROM (
            SELECT stay_id, entry_time, lag(coalesce(exit_time, 'infinity')) OVER (
                       PARTITION BY car_park_id, plate_no ORDER BY entry_time) AS before
            FROM stay) AS s
        WHERE entry_time < before""",
    "10 what stays were paid is what payments and gates say": """
        SELECT s.stay_id FROM stay AS s
        LEFT JOIN (SELECT stay_id, sum(points) AS points, sum(points_minor) AS points_minor,
                          sum(money_minor) AS money_minor
                   FROM pay_intent WHERE state = 'done' GROUP BY stay_id) AS p ON p.stay_id = s.stay_id
        WHERE s.points <> coalesce(p.points, 0) OR s.points_paid_minor <> coalesce(p.points_minor, 0)
           OR s.money_paid_minor <> coalesce(p.money_minor, 0) + s.gate_paid_minor""",
    "10 a payment with points names its redemption": """
        SELECT group_id, request_id FROM pay_intent
        WHERE state = 'done' AND ((points > 0) <> (redeem_txn_id <> '') OR response IS NULL)""",
    "10 no payment is left half done": """
        SELECT group_id, request_id, state FROM pay_intent
        WHERE state IN ('pending', 'reversing') AND lease_until_time < clock_timestamp() - interval '1 minute'""",
    "10 a plate has one owner": """
        SELECT group_id, plate_no FROM plate_binding WHERE unbind_time IS NULL
        GROUP BY group_id, plate_no HAVING count(*) > 1""",
}
