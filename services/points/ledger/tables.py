"""The ledger's tables.

They (and `lot_renewal`, `transfer`, `conversion`, `pool_spend`, `merge_move`) are written by the functions in
ledger/sql/ alone, one call a batch. Lock order there: the lane's row, then wallets by id. Every key of theirs holds the
wallet id, no value is made by the server (no sequence, default or trigger), so that they can be spread over shards as
they are.
"""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)

from chassis.tables import APPEND_ONLY
from services.points.metadata import metadata

_Time = DateTime(timezone=True)


def _points(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


# One row a lane: its lock, and the number of its newest event.
lane = Table(
    "lane",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("batch_count", BigInteger, nullable=False),
    Column("n", BigInteger, nullable=False),
)

# What its postings and lots sum up to, so that a balance is one row.
wallet = Table(
    "wallet",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),  # the member's id, a pool's, or made of member and currency
    Column("group_id", Uuid, nullable=False),
    Column("lane", Integer, nullable=False),
    _points("available_points"),
    _points("held_points"),
    _points("pending_points"),
    _points("debt_points"),
    _points("earned_points"),
    _points("clawed_back_points"),
    _points("spent_points"),
    _points("expired_points"),
    _points("transferred_points"),  # got from other members less given to them
    Column("version", BigInteger, nullable=False),  # number of its transactions
    Column("first_expire_time", _Time),  # no unlocked lot with points left expires before it
    Column("create_time", _Time, nullable=False),
    Column("idle_since", Date),  # in UTC: of the last spending, before the first one of joining
    Column("currency_id", Uuid),  # never changes; none: the group's own points
    Column("owner_id", Uuid),  # the member, where the wallet has an id of its own
    CheckConstraint(
        "available_points >= 0 AND held_points >= 0 AND pending_points >= 0 AND debt_points >= 0",
        name="wallet_not_negative",
    ),
    # What every JSON client can read: 2^53 - 1. Held and pending points count as if they were available, so that they
    # can always become it.
    CheckConstraint(
        "greatest(available_points + held_points + pending_points, earned_points, abs(transferred_points))"
        " < 9007199254740992",
        name="wallet_in_bounds",
    ),
    Index("wallet_by_expiry", "first_expire_time", "wallet_id", postgresql_where=text("first_expire_time IS NOT NULL")),
    Index("wallet_by_idle", "group_id", "idle_since", "wallet_id"),
    Index("wallet_by_owner", "owner_id", postgresql_where=text("owner_id IS NOT NULL AND currency_id IS NOT NULL")),
)

# Every movement, and for ever the ids that make asking twice do once. Never changed.
txn = Table(
    "txn",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),  # order within the wallet
    Column("kind", SmallInteger, nullable=False),
    _points("points"),  # signed: what it did to all of the member's points
    _points("pending_points"),  # signed: to the pending ones among them
    _points("debt_points"),  # repaid by an earn, made by a claw-back
    _points("available_points"),  # after it
    Column("request_hash", LargeBinary, nullable=False),
    Column("occur_time", _Time, nullable=False),
    Column("record_time", _Time, nullable=False),
    Column("merchant_id", Uuid),
    Column("store_id", Uuid),
    Column("ref_id", Uuid),  # claw-back: the sale; capture: the hold; reversal: the redemption
    Column("reference", Text, nullable=False),
    Column("expire_time", _Time),
    Column("unlock_time", _Time),
    Column("amount_minor", BigInteger, nullable=False),
    Column("detail", LargeBinary),  # sale: RecordSaleRequest; refund: RefundSaleResponse; spending: Spending
    Column("explanation", LargeBinary),  # sale: Explanation
    Column("unmoved_points", BigInteger),  # claw-back: written off; renewal: given another expiry
    # For statements. Partial also so that a plan made while the table was small cannot use it to look an id up.
    Index(
        "txn_by_version",
        "wallet_id",
        "version",
        unique=True,
        postgresql_where=text("points <> 0 OR pending_points <> 0 OR unmoved_points IS NOT NULL"),
    ),
    # For spans of sales (simulations): they come in nearly in the order of their time, and a sale pays nothing for it.
    Index("txn_by_time", "occur_time", postgresql_using="brin"),
    info=APPEND_ONLY,
)

# Double entry: a transaction's legs sum to zero. Never changed.
posting = Table(
    "posting",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("leg", SmallInteger, primary_key=True, autoincrement=False),
    Column("group_id", Uuid, nullable=False),
    Column(
        "account", Text, nullable=False
    ),  # member, issuer, expired, debt, transit, debt_transit, converted, written_off
    Column("merchant_id", Uuid),  # the issuer; none for the member's leg
    _points("points"),
    info=APPEND_ONLY,
)

# Points of one sale, with who issued them and until when they live.
lot = Table(
    "lot",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("expire_time", _Time, primary_key=True),
    Column("lot_id", Uuid, primary_key=True),  # the sale's or the credit's transaction
    Column("group_id", Uuid, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    _points("points"),
    _points("left_points"),  # held ones included
    _points("held_points"),
    Column("unlock_time", _Time),  # set while the lot is pending; its activation clears it
    CheckConstraint(
        "held_points >= 0 AND held_points <= left_points AND left_points <= points", name="lot_not_negative"
    ),
    CheckConstraint(
        "unlock_time IS NULL OR (held_points = 0 AND unlock_time < expire_time)", name="lot_pending_not_held"
    ),
    Index("lot_by_unlock", "unlock_time", "wallet_id", postgresql_where=text("unlock_time IS NOT NULL")),
    Index("lot_pending", "wallet_id", "unlock_time", postgresql_where=text("unlock_time IS NOT NULL")),
)

# Which lot gave how much to which transaction; negative when it was given back.
lot_use = Table(
    "lot_use",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("lot_id", Uuid, primary_key=True),
    Column("expire_time", _Time, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    _points("points"),
    _points("restored_points"),  # given back by reversals of this transaction
    CheckConstraint("restored_points >= 0 AND restored_points <= abs(points)", name="lot_use_not_over_restored"),
)

# Claw-backs that found nothing to take: owed, repaid by later sales, oldest first.
debt = Table(
    "debt",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    _points("points"),
    _points("left_points"),
    CheckConstraint("left_points >= 0 AND left_points <= points", name="debt_not_negative"),
)

# What has come back of a sale so far.
sale_refund = Table(
    "sale_refund",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("sale_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("refund_count", Integer, nullable=False),
    _points("clawed_back_points"),
    _points("written_off_points"),  # neither taken nor owed
    Column("refunded_minor", BigInteger, nullable=False),
    Column("returned_lines", LargeBinary, nullable=False),  # RefundSaleRequest: what came back of each line in all
)

# Points reserved for an order. state: 1 held, 2 captured, 3 released. One of 0 points was released before it came.
hold = Table(
    "hold",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("hold_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    _points("points"),
    _points("captured_points"),
    _points("available_points"),  # of the wallet, after it was made
    Column("request_hash", LargeBinary, nullable=False),
    Column("merchant_id", Uuid),
    Column("store_id", Uuid),
    Column("reference", Text, nullable=False),
    Column("detail", LargeBinary),  # Spending
    Column("create_time", _Time, nullable=False),
    Column("expire_time", _Time, nullable=False),
    Index("hold_by_time", "wallet_id", "create_time"),
    Index("hold_by_expiry", "expire_time", "wallet_id", "hold_id", postgresql_where=text("state = 1")),
)

# What each hold reserves of which lot; gone once it is captured or released.
hold_lot = Table(
    "hold_lot",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("hold_id", Uuid, primary_key=True),
    Column("lot_id", Uuid, primary_key=True),
    Column("expire_time", _Time, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    _points("points"),
    CheckConstraint("points >= 0", name="hold_lot_not_negative"),
)

# Sums for each merchant, a row a lane, so that sales of two lanes never wait for one row.
issuer_slot = Table(
    "issuer_slot",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("merchant_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    _points("issued_points"),
    _points("clawed_back_points"),
    _points("redeemed_points"),
    _points("expired_points"),
    _points("outstanding_points"),  # left in its lots
    _points("debt_points"),  # clawed back and not yet repaid
    _points("accepted_points"),  # taken as payment, less what was given back
    Column("sale_count", BigInteger, nullable=False),
    Column("sales_minor", BigInteger, nullable=False),
    Column("written_off_points", BigInteger),  # of returned goods, neither taken nor owed; none is 0
    Column("currency_id", Uuid, primary_key=True),  # the group's id for its own points
)

# Events in the order of their lane: n is the number of the row's last event (a sale with points has two).
ledger_outbox = Table(
    "ledger_outbox",
    metadata,
    Column("lane", Integer, primary_key=True, autoincrement=False),
    Column("n", BigInteger, primary_key=True, autoincrement=False),
    Column("wallet_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("txn_id", Uuid, nullable=False),
    Column("ref_id", Uuid),
    Column("kind", SmallInteger, nullable=False),
    _points("points"),
    _points("debt_points"),
    Column("merchant_id", Uuid),
    Column("occur_time", _Time, nullable=False),
    Column("expire_time", _Time),
    Column("unlock_time", _Time),
    Column("lot_ids", ARRAY(Uuid)),
    Column("lot_merchant_ids", ARRAY(Uuid)),
    Column("lot_points", ARRAY(BigInteger)),
    Column("payload", LargeBinary),  # sale: SaleRecorded; refund: SaleRefunded; spending: Spending
    Column("unmoved_points", BigInteger),  # as of txn
    Column("currency_id", Uuid),  # as in wallet, and so the next
    Column("owner_id", Uuid),
    info=APPEND_ONLY,
)
