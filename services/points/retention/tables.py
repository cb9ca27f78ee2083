"""Tables of renewals, reminders and hoarding members.

`lot_renewal` is the ledger's: written by ledger/sql/58_renew.sql alone, under the rules that ledger/tables.py names.
The others keep what was told, so that it is told once, and are written by jobs.
"""

from __future__ import annotations

from sqlalchemy import Column, Date, DateTime, Integer, Table, Uuid

from chassis.tables import APPEND_ONLY
from services.points.metadata import metadata

_Time = DateTime(timezone=True)

# The expiries that renewals have given to lots; a return of the sale finds its lot there too.
lot_renewal = Table(
    "lot_renewal",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("lot_id", Uuid, primary_key=True),
    Column("expire_time", _Time, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    info=APPEND_ONLY,
)

# Reminders that were sent, until their points have expired.
expiry_reminder = Table(
    "expiry_reminder",
    metadata,
    Column("expire_time", _Time, primary_key=True),
    Column("wallet_id", Uuid, primary_key=True),
    Column("days_ahead", Integer, primary_key=True, autoincrement=False),
    Column("group_id", Uuid, nullable=False),
)

# Members who are noted as hoarding.
hoarder = Table(
    "hoarder",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("wallet_id", Uuid, primary_key=True),
    Column("idle_since", Date, nullable=False),
    Column("flag_time", _Time, nullable=False),
)
