"""Contracts, the money ledger, totals, statements and periods."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
deploy = "before"


def upgrade() -> None:
    """Create settlement's tables."""
    for statement in _STATEMENTS:
        op.execute(statement)


_STATEMENTS = (
    """CREATE TABLE book (
        group_id uuid NOT NULL, closed_period text NOT NULL, PRIMARY KEY (group_id))""",
    """CREATE TABLE merchant (
        merchant_id uuid NOT NULL, group_id uuid NOT NULL, business_unit_id uuid NOT NULL,
        PRIMARY KEY (merchant_id))""",
    "CREATE INDEX merchant_by_group ON merchant (group_id, merchant_id)",
    """CREATE TABLE business_unit (
        business_unit_id uuid NOT NULL, group_id uuid NOT NULL, time_zone text NOT NULL,
        currency_code text NOT NULL, PRIMARY KEY (business_unit_id))""",
    """CREATE TABLE contract (
        merchant_id uuid NOT NULL, effective_date date NOT NULL, group_id uuid NOT NULL,
        issue_price_centi integer NOT NULL, redeem_price_centi integer NOT NULL,
        platform_fee_bps integer NOT NULL, parking_waiver_bps integer NOT NULL,
        merchant_keeps_breakage boolean NOT NULL, PRIMARY KEY (merchant_id, effective_date))""",
    "CREATE INDEX contract_by_group ON contract (group_id, merchant_id, effective_date)",
    """CREATE TABLE entry (
        merchant_id uuid NOT NULL, entry_id uuid NOT NULL, group_id uuid NOT NULL, kind smallint NOT NULL,
        period text NOT NULL, business_date date NOT NULL, occur_time timestamptz NOT NULL,
        source_id text NOT NULL, points bigint NOT NULL, amount_minor bigint NOT NULL,
        PRIMARY KEY (merchant_id, entry_id))""",
    "CREATE INDEX entry_by_time ON entry (merchant_id, period, occur_time, entry_id)",
    """CREATE TABLE line (
        merchant_id uuid NOT NULL, entry_id uuid NOT NULL, line_no smallint NOT NULL, group_id uuid NOT NULL,
        account smallint NOT NULL, figure smallint NOT NULL, amount_minor bigint NOT NULL,
        PRIMARY KEY (merchant_id, entry_id, line_no))""",
    """CREATE TABLE lot_part (
        merchant_id uuid NOT NULL, entry_id uuid NOT NULL, part_no smallint NOT NULL, group_id uuid NOT NULL,
        lot_id uuid NOT NULL, issuer_merchant_id uuid NOT NULL, points bigint NOT NULL,
        amount_minor bigint NOT NULL, PRIMARY KEY (merchant_id, entry_id, part_no))""",
    """CREATE TABLE issue (
        merchant_id uuid NOT NULL, entry_id uuid NOT NULL, group_id uuid NOT NULL, sale_id uuid, lot_id uuid,
        lot_points bigint NOT NULL, points bigint NOT NULL, price_centi integer NOT NULL,
        clawed_points bigint NOT NULL, debited_points bigint NOT NULL, is_shared boolean NOT NULL,
        PRIMARY KEY (merchant_id, entry_id),
        CONSTRAINT issue_clawed CHECK (clawed_points BETWEEN 0 AND points),
        CONSTRAINT issue_debited CHECK (debited_points BETWEEN 0 AND lot_points),
        CONSTRAINT issue_by_sale UNIQUE (merchant_id, sale_id),
        CONSTRAINT issue_by_lot UNIQUE (merchant_id, lot_id))""",
    """CREATE TABLE issue_funder (
        merchant_id uuid NOT NULL, entry_id uuid NOT NULL, funder_no smallint NOT NULL, group_id uuid NOT NULL,
        kind smallint NOT NULL, funder_merchant_id uuid, points bigint NOT NULL,
        PRIMARY KEY (merchant_id, entry_id, funder_no),
        CONSTRAINT issue_funder_named CHECK ((kind = 4) = (funder_merchant_id IS NOT NULL)))""",
    """CREATE TABLE redemption (
        merchant_id uuid NOT NULL, entry_id uuid NOT NULL, group_id uuid NOT NULL, points bigint NOT NULL,
        paid_minor bigint NOT NULL, fee_minor bigint NOT NULL, reversed_points bigint NOT NULL,
        PRIMARY KEY (merchant_id, entry_id),
        CONSTRAINT redemption_reversed CHECK (reversed_points BETWEEN 0 AND points))""",
    """CREATE TABLE total (
        merchant_id uuid NOT NULL, period text NOT NULL, group_id uuid NOT NULL,
        issued_points bigint NOT NULL, clawed_back_points bigint NOT NULL, accepted_points bigint NOT NULL,
        expired_points bigint NOT NULL, spent_points bigint NOT NULL, issue_charge_minor bigint NOT NULL,
        claw_back_minor bigint NOT NULL, reimbursement_minor bigint NOT NULL,
        platform_fee_minor bigint NOT NULL, coupon_minor bigint NOT NULL,
        parking_waiver_minor bigint NOT NULL, breakage_minor bigint NOT NULL, funding_minor bigint NOT NULL,
        fund_minor bigint NOT NULL, platform_minor bigint NOT NULL, unit_minor bigint NOT NULL, entry_count bigint NOT NULL, PRIMARY KEY (merchant_id, period),
        CONSTRAINT total_balanced CHECK (issue_charge_minor + claw_back_minor + reimbursement_minor + platform_fee_minor + coupon_minor + parking_waiver_minor + breakage_minor + funding_minor + fund_minor + platform_minor + unit_minor = 0))""",
    "CREATE INDEX total_by_period ON total (group_id, period, merchant_id)",
    """CREATE TABLE statement (
        merchant_id uuid NOT NULL, period text NOT NULL, group_id uuid NOT NULL,
        issued_points bigint NOT NULL, clawed_back_points bigint NOT NULL, accepted_points bigint NOT NULL,
        expired_points bigint NOT NULL, spent_points bigint NOT NULL, issue_charge_minor bigint NOT NULL,
        claw_back_minor bigint NOT NULL, reimbursement_minor bigint NOT NULL,
        platform_fee_minor bigint NOT NULL, coupon_minor bigint NOT NULL,
        parking_waiver_minor bigint NOT NULL, breakage_minor bigint NOT NULL, funding_minor bigint NOT NULL,
        fund_minor bigint NOT NULL, platform_minor bigint NOT NULL, unit_minor bigint NOT NULL, entry_count bigint NOT NULL, PRIMARY KEY (merchant_id, period))""",
    "CREATE INDEX statement_by_period ON statement (group_id, period, merchant_id)",
    """CREATE TABLE period (
        group_id uuid NOT NULL, period text NOT NULL, close_time timestamptz NOT NULL,
        merchants_net_minor bigint NOT NULL, fund_minor bigint NOT NULL, platform_minor bigint NOT NULL,
        unit_minor bigint NOT NULL, entry_count bigint NOT NULL, PRIMARY KEY (group_id, period))""",
    """CREATE TABLE deferred_fact (
        event_id uuid NOT NULL, group_id uuid NOT NULL, arrival_no bigint GENERATED BY DEFAULT AS IDENTITY,
        type text NOT NULL, key text NOT NULL, occur_time timestamptz NOT NULL, payload bytea NOT NULL,
        reason text NOT NULL, PRIMARY KEY (event_id))""",
    "CREATE INDEX deferred_fact_by_group ON deferred_fact (group_id, arrival_no)",
)
