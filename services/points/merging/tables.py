"""Tables of merged members.

`merge_move` is the ledger's: written by ledger/sql/56_merge.sql alone, under the rules that ledger/tables.py names.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, SmallInteger, Table, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from services.points.metadata import metadata

_Time = DateTime(timezone=True)

# What moved between the wallets of two members of a merge, from the moment it is taken: lots, or one debt.
merge_move = Table(
    "merge_move",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("merge_id", Uuid, nullable=False),
    Column("to_wallet_id", Uuid, nullable=False),
    Column("points", BigInteger, nullable=False),
    Column("debt_points", BigInteger, nullable=False),
    Column("debt_merchant_id", Uuid),
    Column("record_time", _Time, nullable=False),
    Column("has_arrived", Boolean, nullable=False),
    Column("lots", JSONB, nullable=False),
    Column("for_txn_id", Uuid),  # fetched back for this movement of the other wallet
    Index("merge_move_under_way", "wallet_id", "txn_id", postgresql_where=text("NOT has_arrived")),
    Index("merge_move_fetched", "to_wallet_id", "record_time", postgresql_where=text("for_txn_id IS NOT NULL")),
)

# Merges as member told of them, and how far this service has followed. state: 1 merging, 2 merged, 3 unmerging, 4
# unmerged.
member_merge = Table(
    "member_merge",
    metadata,
    Column("merge_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("survivor_id", Uuid, nullable=False),
    Column("absorbed_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("merge_time", _Time, nullable=False),
    Column("charges", JSONB),  # of an unmerge: [{from_wallet_id, to_wallet_id, points, versions}]
    Index("member_merge_by_absorbed", "absorbed_id", "merge_time"),
    Index("member_merge_by_survivor", "survivor_id", "merge_time"),
    Index("member_merge_open", "merge_id", postgresql_where=text("state <> 4")),
)
