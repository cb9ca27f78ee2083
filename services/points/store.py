"""Tables and named queries of points.

The ledger's tables (from `lane` to `ledger_outbox`, and `lot_renewal`) are written by the functions in ledger_sql/
alone, one call a batch. Lock order there: the lane's row, then wallets by id. Every key of theirs holds the wallet id,
no value is made by the server (no sequence, default or trigger), so that they can be spread over shards as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple
from uuid import UUID

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

from chassis import ids
from chassis.db import Tx
from huitong.org.v1 import org_pb2
from services.points import door_tables  # noqa: F401  # its tables are among ours
from services.points.ledger import lane_of
from services.points.metadata import metadata

_Time = DateTime(timezone=True)


def _points(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


# ---- the ledger

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
    # What every JSON client can read: 2^53 - 1.
    CheckConstraint(
        "greatest(available_points, earned_points, abs(transferred_points)) < 9007199254740992",
        name="wallet_in_bounds",
    ),
    Index("wallet_by_expiry", "first_expire_time", "wallet_id", postgresql_where=text("first_expire_time IS NOT NULL")),
    Index("wallet_by_idle", "group_id", "idle_since", "wallet_id"),
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
)

# Double entry: a transaction's legs sum to zero. Never changed.
posting = Table(
    "posting",
    metadata,
    Column("wallet_id", Uuid, primary_key=True),
    Column("txn_id", Uuid, primary_key=True),
    Column("leg", SmallInteger, primary_key=True, autoincrement=False),
    Column("group_id", Uuid, nullable=False),
    Column("account", Text, nullable=False),  # member, issuer, expired, debt, transit, converted, written_off
    Column("merchant_id", Uuid),  # the issuer; none for the member's leg
    _points("points"),
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
)

# ---- adjustments by hand

# state: as huitong.points.v1.AdjustmentState; one that has lapsed stays PENDING, its time tells.
adjustment = Table(
    "adjustment",
    metadata,
    Column("adjustment_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("wallet_id", Uuid, nullable=False),
    Column("currency_id", Uuid),  # as in wallet
    Column("direction", SmallInteger, nullable=False),
    Column("state", SmallInteger, nullable=False),
    _points("points"),
    Column("merchant_id", Uuid),  # of a credit
    Column("reason_code", Text, nullable=False),
    Column("reason_text", Text, nullable=False),
    Column("requested_by", Text, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("lapse_time", _Time, nullable=False),
    Column("decided_by", Text),
    Column("decision_note", Text),
    Column("decide_time", _Time),
    Column("points_expire_time", _Time),  # of a credit, fixed with its approval
    CheckConstraint("points > 0", name="adjustment_positive"),
    CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="adjustment_second_person"),
    Index("adjustment_by_time", "group_id", "create_time", "adjustment_id"),
    Index("adjustment_by_member", "member_id", "create_time", "adjustment_id"),
    Index("adjustment_under_way", "decide_time", postgresql_where=text("state = 2")),
)

# ---- claims: what is unique over all wallets

receipt_claim = Table(
    "receipt_claim",
    metadata,
    Column("sale_id", Uuid, primary_key=True),  # made of store, source and receipt number
    Column("group_id", Uuid, nullable=False),
    Column("wallet_id", Uuid, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
)

request_claim = Table(
    "request_claim",
    metadata,
    Column("request_key", Uuid, primary_key=True),  # made of group, method and request id
    Column("group_id", Uuid, nullable=False),
    Column("target_id", Uuid, nullable=False),  # the sale or the wallet
)

# ---- rules, and copies of what org and member own

# Counts changes of rule sets and stores of a group: what is cached under another number is read anew.
cache_version = Table(
    "cache_version",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("version", BigInteger, nullable=False),
)

rule_set = Table(
    "rule_set",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("effective_date", Date, nullable=False),
    Column("content", LargeBinary, nullable=False),  # RuleSet
    Column("create_time", _Time, nullable=False),
)

rule_draft = Table(
    "rule_draft",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("draft_id", Uuid, primary_key=True),
    Column("state", SmallInteger, nullable=False),  # RuleDraftState
    Column("content", LargeBinary, nullable=False),  # RuleSet
    Column("note", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("decide_time", _Time),
    Index("rule_draft_by_time", "group_id", "create_time", "draft_id"),
)

rule_simulation = Table(
    "rule_simulation",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("simulation_id", Uuid, primary_key=True),
    Column("draft_id", Uuid, nullable=False),
    Column("first_date", Date, nullable=False),
    Column("last_date", Date, nullable=False),
    Column("state", SmallInteger, nullable=False),  # RuleSimulationState
    Column("done_sale_count", BigInteger, nullable=False),
    Column("total_sale_count", BigInteger, nullable=False),
    Column("problem", Text, nullable=False),
    Column("result", LargeBinary),  # SimulationResult
    Column("create_time", _Time, nullable=False),
    Index("rule_simulation_running", "create_time", postgresql_where=text("state = 1")),
)

store = Table(
    "store",
    metadata,
    Column("store_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("merchant_id", Uuid, nullable=False),
    Column("business_unit_id", Uuid, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("opening_date", Date),
    Index("store_by_unit", "business_unit_id"),
)

merchant = Table(
    "merchant",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("business_unit_id", Uuid, nullable=False),
)

member = Table(
    "member",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("birth_month", SmallInteger, nullable=False),  # 0 when not given
)

# The member holds the tier from the business day on.
member_tier = Table(
    "member_tier",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("effective_date", Date, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("tier_code", Text, nullable=False),
    Column("multiplier_bps", Integer, nullable=False),
)


# ---- queries


class KnownMember(NamedTuple):
    """A member as this service knows one."""

    member_id: UUID
    group_id: UUID
    birth_month: int


class HeldTier(NamedTuple):
    """A member's tier from a business day on."""

    member_id: UUID
    group_id: UUID
    effective_date: date
    tier_code: str
    multiplier_bps: int


async def count_change(tx: Tx, group_ids: Iterable[UUID]) -> None:
    """Stores, merchants or rule sets of these groups change with this transaction: caches have to be read anew.

    Locks the groups' rows, in order.
    """
    await tx.execute(
        text(
            """INSERT INTO cache_version AS c (group_id, version)
               SELECT g, 1 FROM unnest(CAST(:groups AS uuid[])) g ORDER BY g
               ON CONFLICT (group_id) DO UPDATE SET version = c.version + 1"""
        ),
        {"groups": sorted(set(group_ids))},
    )


async def save_stores(tx: Tx, group_id: UUID, stores: Sequence[org_pb2.Store]) -> None:
    """Keep copies of stores (each at most once), and of their merchants."""
    await tx.execute(
        text(
            """INSERT INTO store (store_id, group_id, merchant_id, business_unit_id, time_zone, currency_code,
                                  opening_date)
               SELECT s.store_id, :group_id, s.merchant_id, s.unit_id, s.time_zone, s.currency_code, s.opening_date
               FROM unnest(CAST(:store_ids AS uuid[]), CAST(:merchant_ids AS uuid[]), CAST(:unit_ids AS uuid[]),
                           CAST(:time_zones AS text[]), CAST(:currencies AS text[]), CAST(:openings AS date[]))
                    AS s (store_id, merchant_id, unit_id, time_zone, currency_code, opening_date)
               ORDER BY s.store_id
               ON CONFLICT (store_id) DO UPDATE
               SET merchant_id = excluded.merchant_id, business_unit_id = excluded.business_unit_id,
                   time_zone = excluded.time_zone, currency_code = excluded.currency_code,
                   opening_date = excluded.opening_date"""
        ),
        {
            "group_id": group_id,
            "store_ids": [ids.from_edge("sto", s.store_id, "store_id") for s in stores],
            "merchant_ids": [ids.from_edge("mch", s.merchant_id, "merchant_id") for s in stores],
            "unit_ids": [ids.from_edge("unt", s.business_unit_id, "business_unit_id") for s in stores],
            "time_zones": [s.time_zone for s in stores],
            "currencies": [s.currency_code for s in stores],
            "openings": [
                date(s.opening_date.year, s.opening_date.month, s.opening_date.day)
                if s.HasField("opening_date")
                else None
                for s in stores
            ],
        },
    )
    merchants = {
        s.merchant_id: org_pb2.Merchant(merchant_id=s.merchant_id, business_unit_id=s.business_unit_id) for s in stores
    }
    await save_merchants(tx, group_id, list(merchants.values()))


async def save_merchants(tx: Tx, group_id: UUID, merchants: Sequence[org_pb2.Merchant]) -> int:
    """Keep copies of merchants (each at most once); answers how many are new or changed."""
    result = await tx.execute(
        text(
            """INSERT INTO merchant AS known (merchant_id, group_id, business_unit_id)
               SELECT m.merchant_id, :group_id, m.business_unit_id
               FROM unnest(CAST(:merchant_ids AS uuid[]), CAST(:unit_ids AS uuid[]))
                    AS m (merchant_id, business_unit_id)
               ORDER BY m.merchant_id
               ON CONFLICT (merchant_id) DO UPDATE SET business_unit_id = excluded.business_unit_id
               WHERE known.business_unit_id <> excluded.business_unit_id RETURNING 1"""
        ),
        {
            "group_id": group_id,
            "merchant_ids": [ids.from_edge("mch", m.merchant_id, "merchant_id") for m in merchants],
            "unit_ids": [ids.from_edge("unt", m.business_unit_id, "business_unit_id") for m in merchants],
        },
    )
    return len(result.all())


async def save_unit(tx: Tx, *, business_unit_id: UUID, time_zone: str, currency_code: str) -> None:
    """A business unit's zone and currency, for its stores."""
    await tx.execute(
        text(
            """UPDATE store SET time_zone = :time_zone, currency_code = :currency_code
               WHERE business_unit_id = :business_unit_id"""
        ),
        {"time_zone": time_zone, "currency_code": currency_code, "business_unit_id": business_unit_id},
    )


async def save_members(tx: Tx, members: Sequence[KnownMember], lane_count: int) -> None:
    """Keep copies of members (each at most once) and make their wallets."""
    parameters = {
        "member_ids": [m.member_id for m in members],
        "group_ids": [m.group_id for m in members],
        "birth_months": [m.birth_month for m in members],
        "lanes": [lane_of(m.member_id, lane_count) for m in members],
        "now": tx.now,
    }
    await tx.execute(
        text(
            """INSERT INTO member (member_id, group_id, birth_month)
               SELECT * FROM unnest(CAST(:member_ids AS uuid[]), CAST(:group_ids AS uuid[]),
                                    CAST(:birth_months AS smallint[])) AS m (member_id, group_id, birth_month)
               ORDER BY m.member_id
               ON CONFLICT (member_id) DO UPDATE SET birth_month = excluded.birth_month"""
        ),
        parameters,
    )
    await tx.execute(
        text(
            """INSERT INTO wallet (wallet_id, group_id, lane, available_points, held_points, pending_points,
                                   debt_points, earned_points, clawed_back_points, spent_points, expired_points,
                                   transferred_points, version, first_expire_time, create_time, idle_since, currency_id,
                                   owner_id)
               SELECT m.member_id, m.group_id, m.lane, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, CAST(:now AS timestamptz),
                      (CAST(:now AS timestamptz) AT TIME ZONE 'UTC')::date, NULL, NULL
               FROM unnest(CAST(:member_ids AS uuid[]), CAST(:group_ids AS uuid[]), CAST(:lanes AS integer[]))
                    AS m (member_id, group_id, lane)
               ORDER BY m.member_id ON CONFLICT (wallet_id) DO NOTHING"""
        ),
        parameters,
    )


async def save_tiers(tx: Tx, tiers: Sequence[HeldTier], *, overwrite: bool) -> None:
    """Keep what tiers members hold from which day on (each member and day at most once)."""
    conflict = "UPDATE SET tier_code = excluded.tier_code, multiplier_bps = excluded.multiplier_bps"
    await tx.execute(
        text(
            f"""INSERT INTO member_tier (member_id, group_id, effective_date, tier_code, multiplier_bps)
               SELECT * FROM unnest(CAST(:member_ids AS uuid[]), CAST(:group_ids AS uuid[]), CAST(:dates AS date[]),
                                    CAST(:codes AS text[]), CAST(:multipliers AS integer[])) AS t (a, b, c, d, e)
               ORDER BY t.a, t.c
               ON CONFLICT (member_id, effective_date) DO {conflict if overwrite else "NOTHING"}"""
        ),
        {
            "member_ids": [t.member_id for t in tiers],
            "group_ids": [t.group_id for t in tiers],
            "dates": [t.effective_date for t in tiers],
            "codes": [t.tier_code for t in tiers],
            "multipliers": [t.multiplier_bps for t in tiers],
        },
    )
