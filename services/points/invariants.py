"""What must always hold in the ledger: each query, and each check beside them, answers a row for each violation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import asyncpg

from services.points.doors.payments import sales_beside_their_payments

# Names of the ledger's tables end in {s}, as in ledger/sql/. The numbers are those of the design's list of invariants.
_COUNTS: dict[str, str] = {
    "1 postings of every transaction sum to zero": """
        SELECT count(*) FROM (SELECT FROM posting{s} GROUP BY wallet_id, txn_id HAVING sum(points) <> 0) unbalanced""",
    "1 all postings sum to zero": "SELECT (coalesce(sum(points), 0) <> 0)::int FROM posting{s}",
    "1 all postings of each currency sum to zero": """
        SELECT count(*) FROM (SELECT FROM posting{s} p LEFT JOIN wallet{s} w ON w.wallet_id = p.wallet_id
                              GROUP BY coalesce(w.currency_id, p.group_id) HAVING sum(p.points) <> 0) unbalanced""",
    "1 every posting has its transaction, every movement its postings": """
        SELECT (SELECT count(*) FROM posting{s} p
                WHERE NOT EXISTS (SELECT FROM txn{s} t WHERE t.wallet_id = p.wallet_id AND t.txn_id = p.txn_id))
             + (SELECT count(*) FROM txn{s} t WHERE t.points <> 0
                  AND NOT EXISTS (SELECT FROM posting{s} p WHERE p.wallet_id = t.wallet_id AND p.txn_id = t.txn_id))""",
    "2 wallet = its postings": """
        SELECT count(*) FROM wallet{s} w
        FULL JOIN (SELECT wallet_id, coalesce(sum(points) FILTER (WHERE account = 'member'), 0) AS member_points,
                          coalesce(sum(points) FILTER (WHERE account = 'debt'), 0) AS debt_points
                   FROM posting{s} GROUP BY wallet_id) p USING (wallet_id)
        WHERE w.wallet_id IS NULL
           OR w.available_points + w.held_points + w.pending_points <> coalesce(p.member_points, 0)
           OR -w.debt_points <> coalesce(p.debt_points, 0)""",
    "2 wallet = what its lots hold": """
        SELECT count(*) FROM wallet{s} w
        FULL JOIN (SELECT wallet_id, sum(left_points) FILTER (WHERE unlock_time IS NULL) AS unlocked_points,
                          sum(left_points) FILTER (WHERE unlock_time IS NOT NULL) AS pending_points,
                          sum(held_points) AS held_points
                   FROM lot{s} GROUP BY wallet_id) l USING (wallet_id)
        WHERE w.wallet_id IS NULL OR w.available_points + w.held_points <> coalesce(l.unlocked_points, 0)
           OR w.pending_points <> coalesce(l.pending_points, 0) OR w.held_points <> coalesce(l.held_points, 0)""",
    "2 pending points are not held and unlock before they expire": """
        SELECT count(*) FROM lot{s}
        WHERE unlock_time IS NOT NULL AND (held_points <> 0 OR unlock_time >= expire_time)""",
    "2 wallet = its totals, its transactions and its debts": """
        SELECT count(*) FROM wallet{s} w
        LEFT JOIN (SELECT wallet_id, count(*) AS txn_count, sum(points) AS points,
                          sum(pending_points) AS pending_points FROM txn{s} GROUP BY wallet_id) t
          USING (wallet_id)
        LEFT JOIN (SELECT wallet_id, sum(left_points) AS points FROM debt{s} GROUP BY wallet_id) d USING (wallet_id)
        WHERE w.earned_points - w.clawed_back_points - w.spent_points - w.expired_points + w.transferred_points
                <> w.available_points + w.held_points + w.pending_points - w.debt_points
           OR coalesce(t.points, 0) <> w.available_points + w.held_points + w.pending_points - w.debt_points
           OR coalesce(t.pending_points, 0) <> w.pending_points
           OR coalesce(t.txn_count, 0) <> w.version OR coalesce(d.points, 0) <> w.debt_points""",
    "2 held = holds under way": """
        SELECT count(*) FROM wallet{s} w
        FULL JOIN (SELECT wallet_id, sum(points) AS points FROM hold{s} WHERE state = 1 GROUP BY wallet_id) h
          USING (wallet_id)
        FULL JOIN (SELECT wallet_id, sum(points) AS points FROM hold_lot{s} GROUP BY wallet_id) l USING (wallet_id)
        WHERE coalesce(w.held_points, 0) <> coalesce(h.points, 0) OR coalesce(h.points, 0) <> coalesce(l.points, 0)""",
    "3 issuer slots + wallets + expired + transit = 0": """
        SELECT count(*) FROM (
            SELECT currency_id, sum(points) AS points FROM (
                SELECT currency_id, debt_points - outstanding_points - expired_points AS points FROM issuer_slot{s}
                UNION ALL
                SELECT coalesce(currency_id, group_id), available_points + held_points + pending_points - debt_points
                FROM wallet{s}
                UNION ALL
                SELECT coalesce(w.currency_id, p.group_id), p.points
                FROM posting{s} p LEFT JOIN wallet{s} w ON w.wallet_id = p.wallet_id
                WHERE p.account IN ('expired', 'transit', 'debt_transit')) all_parts
            GROUP BY currency_id) each WHERE points <> 0""",
    "3 each issuer's slots = its lots, its debts, its postings": """
        WITH own AS (SELECT wallet_id, coalesce(currency_id, group_id) AS currency_id FROM wallet{s})
        SELECT count(*) FROM (
            SELECT merchant_id, currency_id, sum(outstanding_points) AS outstanding_points,
                   sum(debt_points) AS debt_points, sum(expired_points) AS expired_points,
                   sum(written_off_points) AS written_off_points
            FROM issuer_slot{s} GROUP BY merchant_id, currency_id) s
        FULL JOIN (SELECT merchant_id, currency_id, sum(left_points) AS points
                   FROM lot{s} LEFT JOIN own USING (wallet_id) GROUP BY merchant_id, currency_id) l
          USING (merchant_id, currency_id)
        FULL JOIN (SELECT merchant_id, currency_id, sum(left_points) AS points
                   FROM debt{s} LEFT JOIN own USING (wallet_id) GROUP BY merchant_id, currency_id) d
          USING (merchant_id, currency_id)
        FULL JOIN (SELECT merchant_id, currency_id,
                          coalesce(sum(points) FILTER (WHERE account IN ('issuer', 'converted')), 0) AS issuer_points,
                          -coalesce(sum(points) FILTER (WHERE account = 'written_off'), 0) AS written_off_points,
                          coalesce(sum(points) FILTER (WHERE account = 'expired'), 0) AS expired_points,
                          coalesce(sum(points) FILTER (WHERE account = 'transit'), 0) AS transit_points,
                          coalesce(sum(points) FILTER (WHERE account = 'debt_transit'), 0) AS debt_transit_points
                   FROM posting{s} LEFT JOIN own USING (wallet_id)
                   WHERE merchant_id IS NOT NULL GROUP BY merchant_id, currency_id) p USING (merchant_id, currency_id)
        WHERE coalesce(s.outstanding_points, 0) <> coalesce(l.points, 0) + coalesce(p.transit_points, 0)
           OR coalesce(s.debt_points, 0) <> coalesce(d.points, 0) - coalesce(p.debt_transit_points, 0)
           OR coalesce(s.expired_points, 0) <> coalesce(p.expired_points, 0)
           OR coalesce(s.written_off_points, 0) <> coalesce(p.written_off_points, 0)
           OR coalesce(s.debt_points - s.outstanding_points - s.expired_points, 0)
                <> coalesce(p.issuer_points - p.written_off_points, 0)""",
    "3 issued - clawed back - redeemed - expired = outstanding - debt": """
        SELECT count(*) FROM (SELECT FROM issuer_slot{s} GROUP BY currency_id
                              HAVING sum(issued_points - clawed_back_points - redeemed_points - expired_points
                                         - outstanding_points + debt_points) <> 0) unbalanced""",
    "3 redeemed = accepted": """
        SELECT count(*) FROM (SELECT FROM issuer_slot{s} GROUP BY currency_id
                              HAVING sum(redeemed_points - accepted_points) <> 0) unbalanced""",
    "3 converted = what was taken, and what of it arrived": """
        SELECT (SELECT count(*) FROM conversion{s} c
                LEFT JOIN txn{s} t ON t.wallet_id = c.wallet_id AND t.txn_id = c.txn_id AND t.kind = 21
                LEFT JOIN txn{s} i ON i.wallet_id = c.to_wallet_id AND i.ref_id = c.txn_id AND i.kind = 20
                WHERE t.points IS DISTINCT FROM -c.points OR (c.has_arrived AND i.txn_id IS NULL)
                   OR i.points <> c.to_points)
             + (SELECT count(*) FROM txn{s} t
                LEFT JOIN conversion{s} c ON c.wallet_id = t.wallet_id AND c.txn_id = t.txn_id
                WHERE t.kind = 21 AND c.txn_id IS NULL)
             + (SELECT count(*) FROM (SELECT ref_id FROM txn{s} WHERE kind = 20 AND ref_id IS NOT NULL
                                      GROUP BY ref_id HAVING count(*) > 1) twice)
             + (SELECT count(*) FROM txn{s} i WHERE i.kind = 20 AND i.ref_id IS NOT NULL
                  AND NOT EXISTS (SELECT FROM conversion{s} c
                                  WHERE c.txn_id = i.ref_id AND c.to_wallet_id = i.wallet_id))
             + (SELECT count(*) FROM (SELECT wallet_id, txn_id, sum(points) AS points FROM posting{s}
                                      WHERE account = 'converted' GROUP BY wallet_id, txn_id) p
                FULL JOIN (SELECT wallet_id, txn_id, points FROM txn{s}
                           WHERE kind = 21 OR (kind = 20 AND ref_id IS NOT NULL)) t USING (wallet_id, txn_id)
                WHERE p.points IS DISTINCT FROM -t.points)""",
    "4 other currencies are never owed": """
        SELECT (SELECT count(*) FROM wallet{s} WHERE owner_id IS NOT NULL AND debt_points <> 0)
             + (SELECT count(*) FROM wallet{s} WHERE currency_id IS NOT NULL AND owner_id IS NULL)""",
    "4 what members spent of a pool = its redemptions and holds": """
        SELECT count(*) FROM (
            SELECT t.wallet_id, t.spend_id AS txn_id, sum(t.net_points) AS points FROM (
                SELECT t.wallet_id, CASE t.kind WHEN 3 THEN t.txn_id ELSE t.ref_id END AS spend_id,
                       -t.points AS net_points
                FROM txn{s} t JOIN wallet{s} w ON w.wallet_id = t.wallet_id AND w.owner_id IS NOT NULL
                  AND w.currency_id IS NULL
                WHERE t.kind IN (3, 7)
                UNION ALL
                SELECT t.wallet_id, CASE o.kind WHEN 3 THEN o.txn_id ELSE o.ref_id END, -t.points
                FROM txn{s} t JOIN wallet{s} w ON w.wallet_id = t.wallet_id AND w.owner_id IS NOT NULL
                  AND w.currency_id IS NULL
                JOIN txn{s} o ON o.wallet_id = t.wallet_id AND o.txn_id = t.ref_id
                WHERE t.kind = 4
                UNION ALL
                SELECT h.wallet_id, h.hold_id, h.points
                FROM hold{s} h JOIN wallet{s} w ON w.wallet_id = h.wallet_id AND w.owner_id IS NOT NULL
                  AND w.currency_id IS NULL
                WHERE h.state = 1) t
            GROUP BY 1, 2) spent
        FULL JOIN pool_spend{s} s USING (wallet_id, txn_id)
        WHERE coalesce(spent.points, 0) IS DISTINCT FROM coalesce(s.points, 0)""",
    "3 in transit = what was taken and has not arrived": """
        SELECT ((SELECT coalesce(sum(points), 0) FROM posting{s} WHERE account = 'transit')
                <> (SELECT coalesce(sum(o.points), 0) FROM transfer{s} o
                    WHERE NOT EXISTS (SELECT FROM txn{s} t WHERE t.wallet_id = o.to_wallet_id AND t.ref_id = o.txn_id
                                        AND t.kind = 13))
                 + (SELECT coalesce(sum(o.points), 0) FROM merge_move{s} o
                    WHERE NOT EXISTS (SELECT FROM txn{s} t WHERE t.wallet_id = o.to_wallet_id AND t.ref_id = o.txn_id
                                        AND t.kind = 101)))::int
             + (SELECT count(*) FROM transfer{s} o
                LEFT JOIN txn{s} t ON t.wallet_id = o.to_wallet_id AND t.ref_id = o.txn_id AND t.kind = 13
                WHERE (o.has_arrived AND t.txn_id IS NULL) OR t.points <> o.points)""",
    "3 between merged members: what was taken arrives once, as it was taken": """
        SELECT ((SELECT coalesce(-sum(points), 0) FROM posting{s} WHERE account = 'debt_transit')
                <> (SELECT coalesce(sum(o.debt_points), 0) FROM merge_move{s} o
                    WHERE NOT EXISTS (SELECT FROM txn{s} t WHERE t.wallet_id = o.to_wallet_id AND t.ref_id = o.txn_id
                                        AND t.kind = 101)))::int
             + (SELECT count(*) FROM merge_move{s} o
                LEFT JOIN txn{s} t ON t.wallet_id = o.wallet_id AND t.txn_id = o.txn_id AND t.kind = 100
                LEFT JOIN txn{s} i ON i.wallet_id = o.to_wallet_id AND i.ref_id = o.txn_id AND i.kind = 101
                WHERE t.points IS DISTINCT FROM o.debt_points - o.points OR (o.has_arrived AND i.txn_id IS NULL)
                   OR i.points <> o.points - o.debt_points)
             + (SELECT count(*) FROM txn{s} t
                LEFT JOIN merge_move{s} o ON o.wallet_id = t.wallet_id AND o.txn_id = t.txn_id
                WHERE t.kind = 100 AND o.txn_id IS NULL)
             + (SELECT count(*) FROM (SELECT ref_id FROM txn{s} WHERE kind = 101 GROUP BY ref_id
                                      HAVING count(*) > 1) twice)""",
    "4 nothing is negative": """
        SELECT (SELECT count(*) FROM wallet{s}
                WHERE least(available_points, held_points, pending_points, debt_points) < 0)
             + (SELECT count(*) FROM lot{s} WHERE left_points < 0 OR held_points < 0 OR held_points > left_points)
             + (SELECT count(*) FROM debt{s} WHERE left_points < 0 OR left_points > points)""",
    "4 a lot gives what it had, no more": """
        SELECT count(*) FROM lot{s} l
        FULL JOIN (SELECT wallet_id, expire_time, lot_id, sum(points) AS points FROM lot_use{s}
                   GROUP BY wallet_id, expire_time, lot_id) u
          USING (wallet_id, expire_time, lot_id)
        WHERE l.lot_id IS NULL OR l.points - l.left_points <> coalesce(u.points, 0) OR l.left_points > l.points""",
    "4 a renewal takes what it gives another expiry": """
        SELECT count(*) FROM txn{s} t
        LEFT JOIN (SELECT wallet_id, txn_id, sum(points) AS points FROM lot_use{s} GROUP BY wallet_id, txn_id) u
          USING (wallet_id, txn_id)
        WHERE t.kind = 14 AND (t.unmoved_points IS DISTINCT FROM u.points
          OR EXISTS (SELECT FROM posting{s} p WHERE p.wallet_id = t.wallet_id AND p.txn_id = t.txn_id)
          OR NOT EXISTS (SELECT FROM lot_renewal{s} r
                         WHERE r.wallet_id = t.wallet_id AND r.expire_time = t.expire_time))""",
    "4 reversals give back no more than was taken": """
        SELECT (SELECT count(*) FROM lot_use{s} WHERE restored_points > greatest(points, 0))
             + (SELECT count(*) FROM (SELECT wallet_id, ref_id, sum(points) AS points FROM txn{s} WHERE kind = 4
                                      GROUP BY wallet_id, ref_id) r
                LEFT JOIN (SELECT wallet_id, txn_id, sum(restored_points) AS points FROM lot_use{s}
                           GROUP BY wallet_id, txn_id) u ON u.wallet_id = r.wallet_id AND u.txn_id = r.ref_id
                WHERE coalesce(u.points, 0) <> r.points)""",
    "5 one earn for each receipt": """
        SELECT (SELECT count(*) FROM (SELECT FROM txn{s} WHERE kind = 1 GROUP BY txn_id HAVING count(*) > 1) twice)
             + (SELECT count(*) FROM txn{s} t LEFT JOIN receipt_claim c ON c.sale_id = t.txn_id
                WHERE t.kind = 1 AND (c.wallet_id IS DISTINCT FROM t.wallet_id
                                      OR c.content_hash IS DISTINCT FROM t.request_hash))""",
    "5 claw-backs never exceed the earn": """
        SELECT count(*) FROM sale_refund{s} r
        LEFT JOIN txn{s} s ON s.wallet_id = r.wallet_id AND s.txn_id = r.sale_id AND s.kind IN (1, 23)
        LEFT JOIN (SELECT wallet_id, ref_id, -sum(points) AS points, count(*) AS refund_count,
                          sum(amount_minor) AS minor, coalesce(sum(unmoved_points), 0) AS written_off_points
                   FROM txn{s} WHERE kind IN (2, 24) GROUP BY wallet_id, ref_id) c
          ON c.wallet_id = r.wallet_id AND c.ref_id = r.sale_id
        WHERE s.txn_id IS NULL OR r.clawed_back_points + r.written_off_points > s.points
           OR r.refunded_minor > s.amount_minor
           OR r.written_off_points IS DISTINCT FROM c.written_off_points
           OR r.clawed_back_points IS DISTINCT FROM c.points OR r.refund_count IS DISTINCT FROM c.refund_count
           OR r.refunded_minor IS DISTINCT FROM c.minor""",
    "5 awards are of their member's sales, in another currency": """
        SELECT count(*) FROM txn{s} t LEFT JOIN wallet{s} w ON w.wallet_id = t.wallet_id
        LEFT JOIN txn{s} s ON s.wallet_id = w.owner_id AND s.txn_id = t.ref_id AND s.kind = 1
        WHERE t.kind = 23 AND (w.currency_id IS NULL OR s.txn_id IS NULL)""",
    "5 caps are what sales took of them": """
        SELECT count(*) FROM cap c
        FULL JOIN (SELECT cap_id, sum(points) AS points FROM cap_use GROUP BY cap_id) u USING (cap_id)
        WHERE c.used_points IS DISTINCT FROM coalesce(u.points, 0)""",
    "5 sales and points counted by the cost governor are those of its lanes": """
        SELECT count(*) FROM (SELECT group_id, sum(sales_minor) AS minor, sum(points) AS points FROM unit_cost
                              GROUP BY group_id) c
        FULL JOIN (SELECT o.group_id, sum(CASE o.kind WHEN 1 THEN t.amount_minor ELSE -t.amount_minor END) AS minor,
                          sum(o.points) AS points
                   FROM cost_position p JOIN ledger_outbox{s} o ON o.lane = p.lane AND o.n <= p.n AND o.kind IN (1, 2)
                   JOIN txn{s} t ON t.wallet_id = o.wallet_id AND t.txn_id = o.txn_id
                   GROUP BY o.group_id) o USING (group_id)
        WHERE c.minor IS DISTINCT FROM o.minor OR c.points IS DISTINCT FROM o.points""",
    "6 each transaction is in the outbox once, lanes have no gap": """
        SELECT (SELECT count(*) FROM txn{s} t
                FULL JOIN ledger_outbox{s} o ON o.wallet_id = t.wallet_id AND o.txn_id = t.txn_id
                WHERE t.txn_id IS NULL OR o.txn_id IS NULL OR t.points <> o.points)
             + (SELECT count(*) FROM (SELECT n - coalesce(lag(n) OVER (PARTITION BY lane ORDER BY n), 0) AS step,
                                             CASE WHEN kind <= 2 AND (points <> 0 OR unmoved_points IS NOT NULL)
                                                  THEN 2 ELSE 1 END AS event_count
                                      FROM ledger_outbox{s}) o WHERE o.step <> o.event_count)
             + (SELECT count(*) FROM lane{s} l
                LEFT JOIN (SELECT lane, max(n) AS n FROM ledger_outbox{s} GROUP BY lane) o USING (lane)
                WHERE l.n <> coalesce(o.n, 0))""",
    "5 an adjustment moved points once, when and only when it is applied": """
        SELECT (SELECT count(*) FROM adjustment a LEFT JOIN txn{s} t ON t.wallet_id = a.wallet_id
                  AND t.txn_id = a.adjustment_id
                WHERE CASE a.state
                      WHEN 3 THEN t.points IS DISTINCT FROM CASE a.direction WHEN 1 THEN a.points ELSE -a.points END
                      WHEN 5 THEN t.points IS DISTINCT FROM 0
                      WHEN 2 THEN false
                      ELSE t.txn_id IS NOT NULL END)
             + (SELECT count(*) FROM txn{s} t LEFT JOIN adjustment a ON a.adjustment_id = t.txn_id
                WHERE t.kind IN (10, 11)
                  AND NOT EXISTS (SELECT FROM reward r WHERE r.reward_id = t.txn_id AND r.member_id = t.wallet_id
                                  AND t.kind = 10 AND r.points = t.points AND r.merchant_id = t.merchant_id)
                  AND (a.wallet_id IS DISTINCT FROM t.wallet_id
                                              OR t.kind <> 9 + a.direction OR a.state NOT IN (2, 3, 5)))""",
    "5 a rejected sale gave all of its points back, or they were written off": """
        SELECT count(*) FROM sale_case c
        JOIN txn{s} t ON t.wallet_id = c.wallet_id AND t.txn_id = c.sale_id
        LEFT JOIN sale_refund{s} r ON r.wallet_id = c.wallet_id AND r.sale_id = c.sale_id
        WHERE c.state = 3 AND c.is_applied AND coalesce(r.clawed_back_points + r.written_off_points, 0) <> t.points""",
    "5 a released sale waits for its return window alone": """
        SELECT count(*) FROM lot{s} l
        JOIN (SELECT wallet_id, sale_id, max(window_time) AS window_time FROM sale_case
              GROUP BY wallet_id, sale_id HAVING bool_and(state = 2 AND is_applied)) c
          ON c.wallet_id = l.wallet_id AND c.sale_id = l.lot_id
        WHERE l.unlock_time IS NOT NULL AND l.unlock_time IS DISTINCT FROM c.window_time""",
    "5 devices are told of what is recorded": """
        SELECT count(*) FROM device d
        LEFT JOIN (SELECT device_key, seq FROM device_sale WHERE is_recorded) s
          ON s.device_key = d.device_key AND s.seq = d.contiguous_seq + 1
        WHERE s.seq IS NOT NULL
           OR d.contiguous_seq <> (SELECT count(*) FROM device_sale n WHERE n.device_key = d.device_key
                                   AND n.seq <= d.contiguous_seq AND n.is_recorded)""",
    "9 every request id that was answered leads to its receipt": """
        SELECT count(*) FROM receipt_claim c
        WHERE NOT EXISTS (SELECT FROM request_claim r WHERE r.target_id = c.sale_id)""",
}


def invariants(suffix: str = "") -> dict[str, str]:
    """The queries for tables whose names end with `suffix`.

    Each counts; as rows (at most a thousand) they have the form that every service's invariants have.
    """
    return {
        name: f"SELECT violations FROM ({query.replace('{s}', suffix)}) AS counted (violations),"
        " generate_series(1, least(violations, 1000))"
        for name, query in _COUNTS.items()
    }


def checks(suffix: str = "") -> dict[str, Callable[[asyncpg.Connection], Awaitable[list[dict[str, Any]]]]]:
    """What no query can tell, of the same tables."""
    return {"5 one earn for each payment": partial(sales_beside_their_payments, suffix=suffix)}


INVARIANTS: dict[str, str] = invariants()
CHECKS = checks()
