"""What must hold in org's database. Each query returns the rows that violate it."""

from __future__ import annotations

INVARIANTS: dict[str, str] = {
    "11 a group's audit has no gap, and ends at its head": """
        SELECT g.code, g.audit_no, count(a.entry_no) AS entries
        FROM org_group AS g LEFT JOIN audit_entry AS a ON a.group_id = g.group_id
        GROUP BY g.group_id, g.code, g.audit_no
        HAVING count(a.entry_no) <> g.audit_no OR coalesce(max(a.entry_no), 0) <> g.audit_no""",
    "11 an audit entry continues the one before it": """
        SELECT group_id, entry_no FROM (
            SELECT group_id, entry_no, previous_hash, lag(hash, 1, decode(repeat('00', 32), 'hex')) OVER (
                       PARTITION BY group_id ORDER BY entry_no) AS before
            FROM audit_entry) AS entries
        WHERE previous_hash <> before""",
    "11 an approval that was given has somebody else behind it": """
        SELECT approval_id FROM approval
        WHERE state IN ('APPROVED', 'USED') AND (decided_by IN ('', asked_by) OR decide_time IS NULL)""",
    "11 an operator who is disabled or invited has no open session": """
        SELECT s.session_id FROM operator_session AS s JOIN operator AS o ON o.operator_id = s.operator_id
        WHERE s.end_time IS NULL AND (o.is_disabled OR o.password_hash IS NULL)""",
}
