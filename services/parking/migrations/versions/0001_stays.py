"""Plates, tariffs, stays and payments, and copies of what they need."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
deploy = "before"


def upgrade() -> None:
    """Create the tables of parking."""
    for statement in _STATEMENTS:
        op.execute(statement)


_STATEMENTS = (
    """CREATE TABLE car_park (
        car_park_id uuid NOT NULL, group_id uuid NOT NULL, time_zone text NOT NULL,
        currency_code text NOT NULL, PRIMARY KEY (car_park_id))""",
    """CREATE TABLE merchant (
        merchant_id uuid NOT NULL, group_id uuid NOT NULL, PRIMARY KEY (merchant_id))""",
    """CREATE TABLE member (
        member_id uuid NOT NULL, group_id uuid NOT NULL, PRIMARY KEY (member_id))""",
    """CREATE TABLE member_tier (
        member_id uuid NOT NULL, effective_date date NOT NULL, group_id uuid NOT NULL,
        tier_code text NOT NULL, free_parking_minutes integer NOT NULL,
        PRIMARY KEY (member_id, effective_date))""",
    """CREATE TABLE member_merge (
        merge_id uuid NOT NULL, group_id uuid NOT NULL, survivor_id uuid NOT NULL, absorbed_id uuid NOT NULL,
        state integer NOT NULL, merge_time timestamptz NOT NULL, PRIMARY KEY (merge_id))""",
    """CREATE INDEX member_merge_by_absorbed ON member_merge (absorbed_id)""",
    """CREATE INDEX member_merge_open ON member_merge (merge_id) WHERE state <> 4""",
    """CREATE TABLE merged_item (
        merge_id uuid NOT NULL, item_id uuid NOT NULL, PRIMARY KEY (merge_id, item_id))""",
    """CREATE TABLE plate_binding (
        binding_id uuid NOT NULL, group_id uuid NOT NULL, plate_no text NOT NULL, member_id uuid NOT NULL,
        bind_time timestamptz NOT NULL, unbind_time timestamptz, PRIMARY KEY (binding_id))""",
    "CREATE INDEX plate_binding_by_member ON plate_binding (member_id, bind_time)",
    "CREATE UNIQUE INDEX plate_binding_owner ON plate_binding (group_id, plate_no) WHERE unbind_time IS NULL",
    """CREATE TABLE tariff (
        car_park_id uuid NOT NULL, effective_time timestamptz NOT NULL, group_id uuid NOT NULL,
        merchant_id uuid NOT NULL, free_minutes integer NOT NULL, hour_minor bigint NOT NULL,
        day_cap_minor bigint NOT NULL, exit_grace_minutes integer NOT NULL,
        PRIMARY KEY (car_park_id, effective_time))""",
    """CREATE TABLE vehicle (
        car_park_id uuid NOT NULL, plate_no text NOT NULL, group_id uuid NOT NULL, latest_stay_id uuid,
        PRIMARY KEY (car_park_id, plate_no))""",
    """CREATE TABLE stay (
        stay_id uuid NOT NULL, group_id uuid NOT NULL, car_park_id uuid NOT NULL, plate_no text NOT NULL,
        merchant_id uuid NOT NULL, member_id uuid, state text NOT NULL, currency_code text NOT NULL,
        entry_time timestamptz NOT NULL, entry_date date NOT NULL, exit_time timestamptz,
        free_minutes integer NOT NULL, hour_minor bigint NOT NULL, day_cap_minor bigint NOT NULL,
        exit_grace_minutes integer NOT NULL, tariff_fee_minor bigint NOT NULL,
        tier_waived_minor bigint NOT NULL, points_paid_minor bigint NOT NULL,
        money_paid_minor bigint NOT NULL, due_minor bigint NOT NULL, points bigint NOT NULL,
        gate_paid_minor bigint NOT NULL, overpaid_minor bigint NOT NULL, stay_minutes integer NOT NULL,
        counted_until_time timestamptz, leave_before_time timestamptz, PRIMARY KEY (stay_id),
        CONSTRAINT stay_state CHECK (state IN ('inside', 'left', 'lost')),
        CONSTRAINT stay_fee CHECK (tariff_fee_minor = tier_waived_minor + points_paid_minor + money_paid_minor + due_minor),
        CONSTRAINT stay_not_negative CHECK (tier_waived_minor >= 0 AND points_paid_minor >= 0 AND money_paid_minor >= 0 AND due_minor >= 0),
        CONSTRAINT stay_ended_owes_nothing CHECK (state = 'inside' OR due_minor = 0))""",
    "CREATE INDEX stay_by_member ON stay (member_id, entry_time, stay_id)",
    "CREATE INDEX stay_by_vehicle ON stay (car_park_id, plate_no, entry_time)",
    "CREATE UNIQUE INDEX stay_inside ON stay (car_park_id, plate_no) WHERE state = 'inside'",
    "CREATE INDEX stay_inside_by_plate ON stay (group_id, plate_no) WHERE state = 'inside'",
    """CREATE TABLE pay_intent (
        group_id uuid NOT NULL, request_id text NOT NULL, request_hash bytea NOT NULL,
        intent_id uuid NOT NULL, attempt integer NOT NULL, state text NOT NULL, stay_id uuid NOT NULL,
        member_id uuid NOT NULL, pay_time timestamptz NOT NULL, points bigint NOT NULL,
        points_minor bigint NOT NULL, money_minor bigint NOT NULL, quote_token text NOT NULL,
        redeem_txn_id text NOT NULL,
        response bytea, lease_until_time timestamptz NOT NULL, create_time timestamptz NOT NULL,
        PRIMARY KEY (group_id, request_id),
        CONSTRAINT pay_intent_state CHECK (state IN ('pending', 'done', 'refused', 'reversing', 'reversed')))""",
    "CREATE INDEX pay_intent_open ON pay_intent (lease_until_time) WHERE state IN ('pending', 'reversing')",
    "CREATE UNIQUE INDEX pay_intent_pending ON pay_intent (stay_id) WHERE state = 'pending'",
    "CREATE INDEX pay_intent_by_member ON pay_intent (member_id)",
    """CREATE TABLE erased_member (
        member_id uuid PRIMARY KEY, group_id uuid NOT NULL, told_time timestamptz NOT NULL, done_time timestamptz)""",
)
