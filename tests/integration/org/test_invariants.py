"""org's invariants: each kind of damage is noticed by the one that is there for it."""

from __future__ import annotations

from services.org.invariants import INVARIANTS
from tests.apps import Apps
from tests.damage import Damage, names_of, noticed
from tests.integration.org.test_approvals import Desk
from tests.people import People, grant

GAPS = "11 a group's audit has no gap, and ends at its head"
CHAIN = "11 an audit entry continues the one before it"
SECOND = "11 an approval that was given has somebody else behind it"
SESSIONS = "11 an operator who is disabled or invited has no open session"

SILENT = "ALTER TABLE audit_entry DISABLE TRIGGER USER;"
# What is done to sound data, and the invariants that must notice.
DAMAGE: list[Damage] = [
    # The newest entry is gone, or any other one; the head has counted one that is not there.
    (
        f"""{SILENT} DELETE FROM audit_entry a USING org_group g
              WHERE g.group_id = a.group_id AND a.entry_no = g.audit_no""",
        {GAPS},
    ),
    (f"{SILENT} DELETE FROM audit_entry WHERE entry_no = 2", {GAPS, CHAIN}),
    ("UPDATE org_group SET audit_no = audit_no + 1", {GAPS}),
    # The second one was written anew.
    (f"{SILENT} UPDATE audit_entry SET hash = sha256('x') WHERE entry_no = 2", {CHAIN}),
    # Who asked agreed, nobody did, or at no time.
    ("UPDATE approval SET decided_by = asked_by WHERE state = 'APPROVED'", {SECOND}),
    ("UPDATE approval SET decided_by = '' WHERE state = 'APPROVED'", {SECOND}),
    ("UPDATE approval SET decide_time = NULL WHERE state = 'USED'", {SECOND}),
    # Somebody was shut out, or has to enrol again, and is still there.
    ("UPDATE operator SET is_disabled = true", {SESSIONS}),
    ("UPDATE operator SET password_hash = NULL", {SESSIONS}),
]


async def test_damage_is_noticed(apps: Apps) -> None:
    people = await People(apps).start()
    desk = await Desk(people).start()
    given, used = [(await desk.issue(desk.ann)).approval.approval_id for _ in range(2)]
    for approval_id in (given, used):
        await desk.decide("Approve", approval_id, desk.bob)
    await desk.issue(desk.ann, used)
    await people.log_in(await people.enrol(grant("AUDITOR")))
    url = apps.sandbox.database_url("org")
    assert await noticed(url, INVARIANTS) == set()
    for damage, expected in DAMAGE:
        assert await noticed(url, INVARIANTS, damage) == expected, damage


def test_every_invariant_has_a_case() -> None:
    assert names_of(DAMAGE) == set(INVARIANTS)
