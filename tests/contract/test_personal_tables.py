"""Every table that can lead to a person is shown by an export and cleared by an erasure, or says why it stays."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from sqlalchemy import Table

from chassis.config import SERVICES
from chassis.tables import declared_tables
from services.member.privacy.store import OWN_WAY, of_members

ROOT = Path(__file__).resolve().parents[2]
# Columns that lead to a member, a person or a vehicle.
LEADING = re.compile(r"(^|_)(member|owner|wallet|survivor|absorbed|referrer|referee|other)_(id|no)$|phone|plate|openid")
# Where a service says what it shows and takes away.
SAID_IN = {
    "member": ("services/member/privacy/records.py", "services/member/privacy/store.py"),
    "points": ("services/points/privacy/operations.py",),
    "mall": ("services/mall/privacy/store.py",),
    "parking": ("services/parking/privacy.py",),
}
_TOMBSTONE = "who was erased: an id that leads nowhere, so that nothing comes back"
_LEDGER = "the ledger behind the movements, lots and wallets that are shown; it balances for ever under an id"
_MERGED = "which id is part of which: ids alone, that lead nowhere once they are erased"
_CLAIM = "keeps a purchase from counting twice; leads from a receipt to an id"
STAYS = {
    **{(service, "erased_member"): _TOMBSTONE for service in ("points", "mall", "parking")},
    **{
        ("points", table): _LEDGER
        for table in (
            *("posting", "lot_use", "lot_renewal", "debt", "hold_lot", "ledger_outbox", "sale_refund", "transfer"),
            *("conversion", "pool_spend", "merge_move"),
        )
    },
    **{(service, "member_merge"): _MERGED for service in ("member", "points", "mall", "parking")},
    **{("points", table): _CLAIM for table in ("receipt_claim", "sale_seen", "sale_case")},
    ("member", "tier_recalculation"): "how far through the members' ids it is",
    ("points", "expiry_reminder"): "that a reminder was sent, until its lots have expired",
}


def leading_tables() -> list[tuple[str, Table]]:
    found = []
    for service in SERVICES:
        for table in declared_tables(service).sorted_tables:
            if any(LEADING.search(column.name) for column in table.columns):
                found.append((service, table))
    return found


TABLES = leading_tables()


@pytest.mark.parametrize(("service", "table"), TABLES, ids=lambda value: getattr(value, "name", value))
def test_a_table_that_leads_to_a_person_is_shown_and_cleared_or_says_why_it_stays(service: str, table: Table) -> None:
    if (service, table.name) in STAYS:
        return
    if service == "member" and table in of_members(table.metadata, but=OWN_WAY):
        return  # as every table of member's
    said = "".join((ROOT / file).read_text(encoding="utf-8") for file in SAID_IN.get(service, ()))
    assert re.search(rf"\b{table.name}\b", said), "name it in the export and the erasure (docs/personal-data.md)"


def test_no_reason_is_given_for_a_table_that_is_not_there() -> None:
    assert set(STAYS) <= {(service, table.name) for service, table in TABLES}
