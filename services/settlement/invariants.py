"""What must hold in settlement's database. Each query returns the rows that violate it."""

from __future__ import annotations

from services.settlement.journal import OTHERS_MONEY, TOTAL_FIGURES, TOTAL_MONEY

_MERCHANT_FIGURES = [
    (1, "issue_charge_minor"),
    (2, "claw_back_minor"),
    (3, "reimbursement_minor"),
    (4, "platform_fee_minor"),
    (5, "coupon_minor"),
    (6, "parking_waiver_minor"),
    (7, "breakage_minor"),
    (8, "funding_minor"),
]
_LINE_SUMS = ", ".join(
    f"coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 1 AND l.figure = {number}), 0) AS {name}"
    for number, name in _MERCHANT_FIGURES
)
_DIFFERS = " OR ".join(
    f"coalesce(t.{name}, 0) <> coalesce(x.{name}, 0)"
    for name in (*(name for _, name in _MERCHANT_FIGURES), *OTHERS_MONEY)
)

INVARIANTS: dict[str, str] = {
    "8 every entry's lines sum to zero": """
        SELECT merchant_id, entry_id, sum(amount_minor) AS amount_minor FROM line
        GROUP BY merchant_id, entry_id HAVING sum(amount_minor) <> 0""",
    "8 every line has its entry, which shows what its merchant gets": """
        SELECT coalesce(e.entry_id, l.entry_id) AS entry_id, e.amount_minor, l.merchant_minor
        FROM entry AS e
        FULL JOIN (SELECT merchant_id, entry_id,
                          coalesce(sum(amount_minor) FILTER (WHERE account = 1), 0) AS merchant_minor
                   FROM line GROUP BY merchant_id, entry_id) AS l
          ON l.merchant_id = e.merchant_id AND l.entry_id = e.entry_id
        WHERE e.entry_id IS NULL OR e.amount_minor <> coalesce(l.merchant_minor, 0)""",
    "8 every period nets to zero": f"""
        SELECT group_id, period, sum({" + ".join(TOTAL_MONEY)}) AS imbalance_minor FROM total
        GROUP BY group_id, period HAVING sum({" + ".join(TOTAL_MONEY)}) <> 0""",
    "8 totals are the sums of their lines": f"""
        SELECT coalesce(t.merchant_id, x.merchant_id) AS merchant_id, coalesce(t.period, x.period) AS period
        FROM total AS t
        FULL JOIN (SELECT e.merchant_id, e.period, {_LINE_SUMS},
                          coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 2), 0) AS fund_minor,
                          coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 3), 0) AS platform_minor,
                          coalesce(sum(l.amount_minor) FILTER (WHERE l.account = 4), 0) AS unit_minor
                   FROM entry AS e LEFT JOIN line AS l ON l.merchant_id = e.merchant_id AND l.entry_id = e.entry_id
                   GROUP BY e.merchant_id, e.period) AS x
          ON x.merchant_id = t.merchant_id AND x.period = t.period
        WHERE {_DIFFERS}""",
    "8 totals count their entries and points": """
        SELECT coalesce(t.merchant_id, x.merchant_id) AS merchant_id, coalesce(t.period, x.period) AS period
        FROM total AS t
        FULL JOIN (SELECT merchant_id, period, count(*) AS entry_count,
                          coalesce(sum(points) FILTER (WHERE kind = 1), 0) AS issued,
                          coalesce(sum(points) FILTER (WHERE kind = 2), 0) AS clawed,
                          coalesce(sum(CASE kind WHEN 3 THEN points WHEN 4 THEN -points END), 0) AS accepted,
                          coalesce(sum(points) FILTER (WHERE kind = 5), 0) AS expired
                   FROM entry GROUP BY merchant_id, period) AS x
          ON x.merchant_id = t.merchant_id AND x.period = t.period
        WHERE coalesce(t.entry_count, 0) <> coalesce(x.entry_count, 0)
           OR coalesce(t.issued_points, 0) <> coalesce(x.issued, 0)
           OR coalesce(t.clawed_back_points, 0) <> coalesce(x.clawed, 0)
           OR coalesce(t.accepted_points, 0) <> coalesce(x.accepted, 0)
           OR coalesce(t.expired_points, 0) <> coalesce(x.expired, 0)""",
    "8 what issuers' points were spent is what merchants accepted": """
        SELECT group_id, period, sum(spent_points) AS spent, sum(accepted_points) AS accepted FROM total
        GROUP BY group_id, period HAVING sum(spent_points) <> sum(accepted_points)""",
    "8 lots of a redemption carry its points and its reimbursement": """
        SELECT e.entry_id FROM entry AS e
        LEFT JOIN (SELECT merchant_id, entry_id, sum(points) AS points, sum(amount_minor) AS amount_minor
                   FROM lot_part GROUP BY merchant_id, entry_id) AS p
          ON p.merchant_id = e.merchant_id AND p.entry_id = e.entry_id
        LEFT JOIN (SELECT merchant_id, entry_id, sum(amount_minor) AS amount_minor FROM line
                   WHERE account = 1 AND figure = 3 GROUP BY merchant_id, entry_id) AS l
          ON l.merchant_id = e.merchant_id AND l.entry_id = e.entry_id
        WHERE e.kind IN (3, 4)
          AND (coalesce(p.points, 0) <> e.points OR coalesce(p.amount_minor, 0) <> coalesce(l.amount_minor, 0))""",
    "8 claw-backs and reversals are what their issue and redemption say": """
        SELECT 'claw-back' AS what, coalesce(i.merchant_id, e.merchant_id) AS merchant_id
        FROM (SELECT merchant_id, sum(clawed_points + debited_points) AS points FROM issue GROUP BY merchant_id) AS i
        FULL JOIN (SELECT merchant_id, sum(points) AS points FROM entry WHERE kind = 2 GROUP BY merchant_id) AS e
          ON e.merchant_id = i.merchant_id
        WHERE coalesce(i.points, 0) <> coalesce(e.points, 0)
        UNION ALL
        SELECT 'reversal', coalesce(r.merchant_id, e.merchant_id)
        FROM (SELECT merchant_id, sum(reversed_points) AS points FROM redemption GROUP BY merchant_id) AS r
        FULL JOIN (SELECT merchant_id, sum(points) AS points FROM entry WHERE kind = 4 GROUP BY merchant_id) AS e
          ON e.merchant_id = r.merchant_id
        WHERE coalesce(r.points, 0) <> coalesce(e.points, 0)""",
    "8 funders pay for all points of an issue that they share": """
        SELECT i.entry_id FROM issue AS i
        LEFT JOIN (SELECT merchant_id, entry_id, sum(points) AS points FROM issue_funder
                   GROUP BY merchant_id, entry_id) AS f ON f.merchant_id = i.merchant_id AND f.entry_id = i.entry_id
        WHERE i.is_shared <> (f.points IS NOT NULL) OR f.points <> i.points""",
    "8 statements of closed periods are their totals": f"""
        SELECT coalesce(s.merchant_id, t.merchant_id) AS merchant_id, coalesce(s.period, t.period) AS period
        FROM statement AS s
        FULL JOIN (SELECT total.* FROM total
                   JOIN period ON period.group_id = total.group_id AND period.period = total.period) AS t
          ON t.merchant_id = s.merchant_id AND t.period = s.period
        WHERE s.merchant_id IS NULL OR t.merchant_id IS NULL
           OR ({", ".join(f"s.{name}" for name in TOTAL_FIGURES)})
              IS DISTINCT FROM ({", ".join(f"t.{name}" for name in TOTAL_FIGURES)})""",
    "8 no facts are left waiting": "SELECT event_id, type, reason FROM deferred_fact",
}
