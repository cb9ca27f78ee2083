"""Tables and named queries of points, beside those of the ledger and of the capabilities in *_tables.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
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
from chassis.tables import APPEND_ONLY
from huitong.org.v1 import org_pb2
from services.points.ledger.ledger import lane_of
from services.points.metadata import metadata

_Time = DateTime(timezone=True)


def _points(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


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
    # Who asked may take it back (state REJECTED).
    CheckConstraint("decided_by IS NULL OR decided_by <> requested_by OR state = 4", name="adjustment_second_person"),
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
    info=APPEND_ONLY,
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
    Column("category", Text, nullable=False),
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
    Column("time_zone", Text, nullable=False),  # "" when not known
    Column("join_time", _Time),  # none of members that were known before it was kept
    Column("state", SmallInteger, nullable=False),  # as huitong.member.v1.MemberState
    Column("state_version", Integer, nullable=False),
    Column("close_time", _Time),  # what is sold from then on earns nothing
    Column("survivor_id", Uuid),  # while it is absorbed: by whom
    Column("is_merged", Boolean),  # it has, or had, a part in a merge
    Index("member_by_survivor", "survivor_id", postgresql_where=text("survivor_id IS NOT NULL")),
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
    time_zone: str = ""
    join_time: datetime | None = None
    state: int = 1
    state_version: int = 0
    close_time: datetime | None = None


class MemberChange(NamedTuple):
    """A member's state after the change of that number; `close_time` of one that was closed."""

    member_id: UUID
    state: int
    state_version: int
    close_time: datetime | None


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
                                  opening_date, category)
               SELECT s.store_id, :group_id, s.merchant_id, s.unit_id, s.time_zone, s.currency_code, s.opening_date,
                      s.category
               FROM unnest(CAST(:store_ids AS uuid[]), CAST(:merchant_ids AS uuid[]), CAST(:unit_ids AS uuid[]),
                           CAST(:time_zones AS text[]), CAST(:currencies AS text[]), CAST(:openings AS date[]),
                           CAST(:categories AS text[]))
                    AS s (store_id, merchant_id, unit_id, time_zone, currency_code, opening_date, category)
               ORDER BY s.store_id
               ON CONFLICT (store_id) DO UPDATE
               SET merchant_id = excluded.merchant_id, business_unit_id = excluded.business_unit_id,
                   time_zone = excluded.time_zone, currency_code = excluded.currency_code,
                   opening_date = excluded.opening_date, category = excluded.category"""
        ),
        {
            "group_id": group_id,
            "store_ids": [ids.from_edge("sto", s.store_id, "store_id") for s in stores],
            "merchant_ids": [ids.from_edge("mch", s.merchant_id, "merchant_id") for s in stores],
            "unit_ids": [ids.from_edge("unt", s.business_unit_id, "business_unit_id") for s in stores],
            "time_zones": [s.time_zone for s in stores],
            "currencies": [s.currency_code for s in stores],
            "categories": [s.category for s in stores],
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
        "time_zones": [m.time_zone for m in members],
        "join_times": [m.join_time for m in members],
        "states": [m.state for m in members],
        "state_versions": [m.state_version for m in members],
        "close_times": [m.close_time for m in members],
        "lanes": [lane_of(m.member_id, lane_count) for m in members],
        "now": tx.now,
    }
    await tx.execute(
        text(
            """INSERT INTO member AS known (member_id, group_id, birth_month, time_zone, join_time, state,
                                            state_version, close_time)
               SELECT * FROM unnest(CAST(:member_ids AS uuid[]), CAST(:group_ids AS uuid[]),
                                    CAST(:birth_months AS smallint[]), CAST(:time_zones AS text[]),
                                    CAST(:join_times AS timestamptz[]), CAST(:states AS smallint[]),
                                    CAST(:state_versions AS integer[]), CAST(:close_times AS timestamptz[]))
                    AS m (member_id, b, c, d, e, f, g, h)
               WHERE NOT EXISTS (SELECT FROM erased_member e WHERE e.member_id = m.member_id)
               ORDER BY m.member_id
               ON CONFLICT (member_id) DO UPDATE
                 SET birth_month = excluded.birth_month, time_zone = excluded.time_zone,
                     join_time = coalesce(known.join_time, excluded.join_time)"""
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


async def save_states(tx: Tx, changes: Sequence[MemberChange]) -> None:
    """Keep what states members are in (each at most once), unless a newer change is known."""
    await tx.execute(
        text(
            """UPDATE member AS known
               SET state = c.state, state_version = c.state_version, close_time = c.close_time
               FROM unnest(CAST(:member_ids AS uuid[]), CAST(:states AS smallint[]), CAST(:versions AS integer[]),
                           CAST(:close_times AS timestamptz[])) AS c (member_id, state, state_version, close_time)
               WHERE known.member_id = c.member_id AND known.state_version < c.state_version"""
        ),
        {
            "member_ids": [c.member_id for c in changes],
            "states": [c.state for c in changes],
            "versions": [c.state_version for c in changes],
            "close_times": [c.close_time for c in changes],
        },
    )


async def save_spend_policy(tx: Tx, group_id: UUID, *, cool_down_hours: int, spends_per_hour: int) -> None:
    """Keep a group's limits of spending."""
    await tx.execute(
        text(
            """INSERT INTO spend_policy (group_id, cool_down_hours, spends_per_hour)
               VALUES (:group_id, :cool_down_hours, :spends_per_hour)
               ON CONFLICT (group_id) DO UPDATE SET cool_down_hours = excluded.cool_down_hours,
                                                    spends_per_hour = excluded.spends_per_hour"""
        ),
        {"group_id": group_id, "cool_down_hours": cool_down_hours, "spends_per_hour": spends_per_hour},
    )


async def save_birth_months(tx: Tx, months: Mapping[UUID, int]) -> None:
    """Change the months of birth of members that are known."""
    await tx.execute(
        text(
            """UPDATE member SET birth_month = m.birth_month
               FROM unnest(CAST(:member_ids AS uuid[]), CAST(:months AS smallint[])) AS m (member_id, birth_month)
               WHERE member.member_id = m.member_id"""
        ),
        {"member_ids": list(months), "months": list(months.values())},
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
