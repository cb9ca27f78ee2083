"""What must hold in member's database. Each query returns the rows that violate it."""

from __future__ import annotations

from services.member.merging.rules import COMPLETED, MERGING
from services.member.tiers.growth import BPS, MINOR_PER_GROWTH, Window

# A ladder can be in force again only by a later time: whoever stands on one that nothing else came after was counted by
# it alone. Others are left out until they are graded on such a one. So a group's `counted` ladders have one currency.
_RUNNING_TOTALS = f"""
    WITH ladder AS (
        SELECT group_id, version, effective_time, currency_code,
               window_kind = {Window.LIFETIME:d} AND spend_growth_bps = {BPS} AND visit_growth = 0 AS is_additive
        FROM tier_ladder WHERE NOT is_cancelled
        UNION ALL
        SELECT group_id, 0, '-infinity', 'CNY', true FROM (SELECT DISTINCT group_id FROM standing) AS g),
    counted AS (
        SELECT l.group_id, l.version, l.currency_code FROM ladder AS l
        WHERE l.is_additive AND NOT EXISTS (
            SELECT FROM ladder AS o
            WHERE o.group_id = l.group_id AND o.effective_time >= l.effective_time
              AND (NOT o.is_additive OR o.currency_code <> l.currency_code))),
    total AS (
        SELECT d.member_id,
               sum(d.task_growth * {MINOR_PER_GROWTH}
                   + CASE WHEN d.currency_code = c.currency_code THEN d.spend_minor ELSE 0 END) AS growth_minor
        FROM growth_day AS d
        JOIN (SELECT DISTINCT group_id, currency_code FROM counted) AS c ON c.group_id = d.group_id
        GROUP BY d.member_id)"""

INVARIANTS: dict[str, str] = {
    # A survivor's days are those of both, and an absorbed member's own go on beside them: each by itself adds up.
    "12 growth is the sum of its days where it is a running total": f"""{_RUNNING_TOTALS}
        SELECT s.member_id, s.growth_minor, t.growth_minor AS of_days FROM standing AS s
        JOIN counted AS c ON c.group_id = s.group_id AND c.version = s.ladder_version
        LEFT JOIN total AS t ON t.member_id = s.member_id
        WHERE s.growth_minor <> coalesce(t.growth_minor, 0)""",
    "12 growth of tasks is that of the member's entries and of those whom it has absorbed": f"""
        SELECT member_id, business_date FROM (
            SELECT member_id, business_date, sum(task_growth) AS growth FROM growth_day
            WHERE task_growth <> 0 GROUP BY member_id, business_date) AS d
        FULL JOIN (
            SELECT member_id, business_date, sum(growth) AS growth FROM (
                SELECT member_id, business_date, growth FROM growth_entry
                UNION ALL
                SELECT g.survivor_id, e.business_date, e.growth
                FROM member_merge AS g JOIN growth_entry AS e ON e.member_id = g.absorbed_id
                WHERE g.state IN ({MERGING}, {COMPLETED})) AS named
            GROUP BY member_id, business_date) AS e USING (member_id, business_date)
        WHERE coalesce(d.growth, 0) <> coalesce(e.growth, 0)""",
    "12 a benefit's counter is what was used and not returned": """
        SELECT member_id, benefit_code, period_start, c.used, u.used AS in_uses
        FROM benefit_counter AS c
        FULL JOIN (SELECT member_id, benefit_code, period_start, sum(quantity) AS used
                   FROM benefit_use WHERE return_time IS NULL
                   GROUP BY member_id, benefit_code, period_start) AS u
          USING (member_id, benefit_code, period_start)
        WHERE coalesce(c.used, 0) <> coalesce(u.used, 0)""",
    "12 an identity leads to a member who is there": """
        SELECT i.group_id, i.kind, i.member_id FROM member_identity AS i
        LEFT JOIN member AS m ON m.member_id = i.member_id AND m.group_id = i.group_id
        WHERE m.member_id IS NULL OR m.erase_time IS NOT NULL""",
    "12 a member leads to a survivor exactly while a merge is open": f"""
        SELECT coalesce(m.member_id, g.absorbed_id) AS member_id, m.survivor_id, g.merge_id
        FROM (SELECT member_id, survivor_id FROM member WHERE survivor_id IS NOT NULL) AS m
        FULL JOIN (SELECT merge_id, absorbed_id, survivor_id FROM member_merge
                   WHERE state IN ({MERGING}, {COMPLETED})) AS g ON g.absorbed_id = m.member_id
        WHERE m.survivor_id IS DISTINCT FROM g.survivor_id""",
    "12 a survivor is absorbed by nobody": """
        SELECT m.member_id, m.survivor_id, s.survivor_id AS next_id
        FROM member AS m JOIN member AS s ON s.member_id = m.survivor_id WHERE s.survivor_id IS NOT NULL""",
    "12 a standing leads where its member does, and has no tier then": """
        SELECT s.member_id, s.survivor_id, s.tier_code
        FROM (SELECT member_id FROM standing WHERE survivor_id IS NOT NULL OR tier_code IS NULL
              UNION SELECT member_id FROM member WHERE survivor_id IS NOT NULL) AS one_of
        JOIN standing AS s ON s.member_id = one_of.member_id
        JOIN member AS m ON m.member_id = one_of.member_id
        WHERE m.erase_time IS NULL
          AND (s.survivor_id IS DISTINCT FROM m.survivor_id OR (s.tier_code IS NULL) <> (s.survivor_id IS NOT NULL))""",
    "12 an erased member has no session, attribute or tag": """
        WITH erased AS (SELECT member_id FROM member WHERE erase_time IS NOT NULL)
        SELECT 'session' AS what, s.member_id FROM erased AS e JOIN session AS s ON s.member_id = e.member_id
        UNION ALL
        SELECT 'attribute', a.member_id FROM erased AS e JOIN member_attribute AS a ON a.member_id = e.member_id
        UNION ALL
        SELECT 'tag', t.member_id FROM erased AS e JOIN member_tag AS t ON t.member_id = e.member_id""",
    # An erased member's card number is gone, and with it what its codes had in common with it.
    "12 a code that was used is that of a member who is there": """
        SELECT u.group_id, u.member_no, u.step FROM code_use AS u
        LEFT JOIN member AS m ON m.group_id = u.group_id AND substr(m.card_no, 6, 10) = u.member_no
                             AND m.erase_time IS NULL
        WHERE m.member_id IS NULL""",
    "12 a friend is brought once, and by somebody else": """
        SELECT friend_id FROM referral
        GROUP BY friend_id HAVING count(*) > 1 OR bool_or(referrer_id = friend_id)""",
}
