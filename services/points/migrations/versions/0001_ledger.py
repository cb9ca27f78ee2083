"""The ledger, claims, rules and copies."""

from alembic import op

from services.points.ledger.sql import statements

revision, down_revision, deploy = "0001", None, "before"

TABLES = (
    """CREATE TABLE lane (
        lane INTEGER NOT NULL,
        batch_count BIGINT NOT NULL,
        n BIGINT NOT NULL,
        PRIMARY KEY (lane)
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE wallet (
        wallet_id UUID NOT NULL,
        group_id UUID NOT NULL,
        lane INTEGER NOT NULL,
        available_points BIGINT NOT NULL,
        held_points BIGINT NOT NULL,
        pending_points BIGINT NOT NULL,
        debt_points BIGINT NOT NULL,
        earned_points BIGINT NOT NULL,
        clawed_back_points BIGINT NOT NULL,
        spent_points BIGINT NOT NULL,
        expired_points BIGINT NOT NULL,
        transferred_points BIGINT NOT NULL,
        version BIGINT NOT NULL,
        first_expire_time TIMESTAMP WITH TIME ZONE,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        idle_since DATE,
        currency_id UUID,
        owner_id UUID,
        PRIMARY KEY (wallet_id),
        CONSTRAINT wallet_not_negative CHECK (available_points >= 0 AND held_points >= 0 AND pending_points >= 0 AND debt_points >= 0),
        CONSTRAINT wallet_in_bounds CHECK (greatest(available_points + held_points + pending_points, earned_points, abs(transferred_points))
          < 9007199254740992)
    ) WITH (fillfactor = 70)""",
    """CREATE INDEX wallet_by_expiry ON wallet (first_expire_time, wallet_id) WHERE first_expire_time IS NOT NULL""",
    """CREATE INDEX wallet_by_idle ON wallet (group_id, idle_since, wallet_id)""",
    """CREATE INDEX wallet_by_owner ON wallet (owner_id) WHERE owner_id IS NOT NULL AND currency_id IS NOT NULL""",
    """CREATE TABLE txn (
        wallet_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        group_id UUID NOT NULL,
        version BIGINT NOT NULL,
        kind SMALLINT NOT NULL,
        points BIGINT NOT NULL,
        pending_points BIGINT NOT NULL,
        debt_points BIGINT NOT NULL,
        available_points BIGINT NOT NULL,
        request_hash BYTEA NOT NULL,
        occur_time TIMESTAMP WITH TIME ZONE NOT NULL,
        record_time TIMESTAMP WITH TIME ZONE NOT NULL,
        merchant_id UUID,
        store_id UUID,
        ref_id UUID,
        reference TEXT NOT NULL,
        expire_time TIMESTAMP WITH TIME ZONE,
        unlock_time TIMESTAMP WITH TIME ZONE,
        amount_minor BIGINT NOT NULL,
        detail BYTEA,
        explanation BYTEA,
        unmoved_points BIGINT,
        PRIMARY KEY (wallet_id, txn_id)
    )""",
    """CREATE UNIQUE INDEX txn_by_version ON txn (wallet_id, version)
        WHERE points <> 0 OR pending_points <> 0 OR unmoved_points IS NOT NULL""",
    """CREATE INDEX txn_by_time ON txn USING brin (occur_time)""",
    """CREATE TABLE posting (
        wallet_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        leg SMALLINT NOT NULL,
        group_id UUID NOT NULL,
        account TEXT NOT NULL,
        merchant_id UUID,
        points BIGINT NOT NULL,
        PRIMARY KEY (wallet_id, txn_id, leg)
    )""",
    """CREATE TABLE lot (
        wallet_id UUID NOT NULL,
        expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
        lot_id UUID NOT NULL,
        group_id UUID NOT NULL,
        merchant_id UUID NOT NULL,
        points BIGINT NOT NULL,
        left_points BIGINT NOT NULL,
        held_points BIGINT NOT NULL,
        unlock_time TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (wallet_id, expire_time, lot_id),
        CONSTRAINT lot_not_negative CHECK (held_points >= 0 AND held_points <= left_points AND left_points <= points),
        CONSTRAINT lot_pending_not_held CHECK (unlock_time IS NULL OR (held_points = 0 AND unlock_time < expire_time))
    ) WITH (fillfactor = 85)""",
    """CREATE INDEX lot_by_unlock ON lot (unlock_time, wallet_id) WHERE unlock_time IS NOT NULL""",
    """CREATE INDEX lot_pending ON lot (wallet_id, unlock_time) WHERE unlock_time IS NOT NULL""",
    """CREATE TABLE lot_use (
        wallet_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        lot_id UUID NOT NULL,
        expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
        group_id UUID NOT NULL,
        merchant_id UUID NOT NULL,
        points BIGINT NOT NULL,
        restored_points BIGINT NOT NULL,
        PRIMARY KEY (wallet_id, txn_id, lot_id, expire_time),
        CONSTRAINT lot_use_not_over_restored CHECK (restored_points >= 0 AND restored_points <= abs(points))
    )""",
    """CREATE TABLE lot_renewal (
        wallet_id UUID NOT NULL,
        lot_id UUID NOT NULL,
        expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
        group_id UUID NOT NULL,
        PRIMARY KEY (wallet_id, lot_id, expire_time)
    )""",
    """CREATE TABLE debt (
        wallet_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        group_id UUID NOT NULL,
        version BIGINT NOT NULL,
        merchant_id UUID NOT NULL,
        points BIGINT NOT NULL,
        left_points BIGINT NOT NULL,
        PRIMARY KEY (wallet_id, txn_id),
        CONSTRAINT debt_not_negative CHECK (left_points >= 0 AND left_points <= points)
    )""",
    """CREATE TABLE sale_refund (
        wallet_id UUID NOT NULL,
        sale_id UUID NOT NULL,
        group_id UUID NOT NULL,
        refund_count INTEGER NOT NULL,
        clawed_back_points BIGINT NOT NULL,
        written_off_points BIGINT NOT NULL,
        refunded_minor BIGINT NOT NULL,
        returned_lines BYTEA NOT NULL,
        PRIMARY KEY (wallet_id, sale_id)
    )""",
    """CREATE TABLE transfer (
        wallet_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        group_id UUID NOT NULL,
        to_wallet_id UUID NOT NULL,
        points BIGINT NOT NULL,
        record_time TIMESTAMP WITH TIME ZONE NOT NULL,
        has_arrived BOOLEAN NOT NULL,
        lots JSONB NOT NULL,
        pool_id UUID,
        PRIMARY KEY (wallet_id, txn_id)
    )""",
    """CREATE INDEX transfer_by_time ON transfer (wallet_id, record_time)""",
    """CREATE INDEX transfer_under_way ON transfer (wallet_id, txn_id) WHERE NOT has_arrived""",
    """CREATE TABLE conversion (
        wallet_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        group_id UUID NOT NULL,
        to_wallet_id UUID NOT NULL,
        rate_id UUID NOT NULL,
        points BIGINT NOT NULL,
        to_points BIGINT NOT NULL,
        record_time TIMESTAMP WITH TIME ZONE NOT NULL,
        to_expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
        has_arrived BOOLEAN NOT NULL,
        lots JSONB NOT NULL,
        PRIMARY KEY (wallet_id, txn_id)
    )""",
    """CREATE INDEX conversion_by_time ON conversion (wallet_id, rate_id, record_time)""",
    """CREATE INDEX conversion_under_way ON conversion (wallet_id, txn_id) WHERE NOT has_arrived""",
    """CREATE TABLE pool_spend (
        wallet_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        group_id UUID NOT NULL,
        member_id UUID NOT NULL,
        points BIGINT NOT NULL,
        record_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (wallet_id, txn_id),
        CONSTRAINT pool_spend_not_negative CHECK (points >= 0)
    )""",
    """CREATE INDEX pool_spend_by_member ON pool_spend (wallet_id, member_id, record_time)""",
    """CREATE TABLE currency (
        currency_id UUID NOT NULL,
        group_id UUID NOT NULL,
        kind SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        code TEXT NOT NULL,
        name TEXT NOT NULL,
        name_zh TEXT NOT NULL,
        business_unit_id UUID,
        expiry_months INTEGER NOT NULL,
        money_code TEXT NOT NULL,
        max_balance_minor BIGINT NOT NULL,
        anonymous_max_balance_minor BIGINT NOT NULL,
        max_top_up_minor BIGINT NOT NULL,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (currency_id)
    )""",
    """CREATE UNIQUE INDEX currency_by_code ON currency (group_id, code)""",
    """CREATE TABLE conversion_rate (
        rate_id UUID NOT NULL,
        group_id UUID NOT NULL,
        from_currency_id UUID NOT NULL,
        to_currency_id UUID NOT NULL,
        state SMALLINT NOT NULL,
        numerator BIGINT NOT NULL,
        denominator BIGINT NOT NULL,
        min_points BIGINT NOT NULL,
        max_points BIGINT NOT NULL,
        step_points BIGINT NOT NULL,
        daily_limit_points BIGINT NOT NULL,
        start_time TIMESTAMP WITH TIME ZONE NOT NULL,
        end_time TIMESTAMP WITH TIME ZONE,
        proposed_by TEXT NOT NULL,
        decided_by TEXT NOT NULL,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        decide_time TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (rate_id),
        CONSTRAINT conversion_rate_second_person CHECK (decided_by <> proposed_by),
        CONSTRAINT conversion_rate_positive CHECK (numerator > 0 AND denominator > 0)
    )""",
    """CREATE INDEX conversion_rate_by_pair ON conversion_rate (group_id, from_currency_id, to_currency_id, start_time)""",
    """CREATE TABLE family_pool (
        pool_id UUID NOT NULL,
        group_id UUID NOT NULL,
        owner_id UUID NOT NULL,
        state SMALLINT NOT NULL,
        name TEXT NOT NULL,
        max_members INTEGER NOT NULL,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        dissolve_time TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (pool_id)
    )""",
    """CREATE INDEX family_pool_dissolved ON family_pool (pool_id) WHERE state = 2""",
    """CREATE TABLE pool_member (
        pool_id UUID NOT NULL,
        member_id UUID NOT NULL,
        group_id UUID NOT NULL,
        state SMALLINT NOT NULL,
        may_spend BOOLEAN NOT NULL,
        spend_limit_points BIGINT NOT NULL,
        change_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (pool_id, member_id)
    )""",
    """CREATE UNIQUE INDEX pool_member_once ON pool_member (member_id) WHERE state = 2""",
    """CREATE TABLE hold (
        wallet_id UUID NOT NULL,
        hold_id UUID NOT NULL,
        group_id UUID NOT NULL,
        state SMALLINT NOT NULL,
        points BIGINT NOT NULL,
        captured_points BIGINT NOT NULL,
        available_points BIGINT NOT NULL,
        request_hash BYTEA NOT NULL,
        merchant_id UUID,
        store_id UUID,
        reference TEXT NOT NULL,
        detail BYTEA,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (wallet_id, hold_id)
    )""",
    """CREATE INDEX hold_by_expiry ON hold (expire_time, wallet_id, hold_id) WHERE state = 1""",
    """CREATE INDEX hold_by_time ON hold (wallet_id, create_time)""",
    """CREATE TABLE hold_lot (
        wallet_id UUID NOT NULL,
        hold_id UUID NOT NULL,
        lot_id UUID NOT NULL,
        expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
        group_id UUID NOT NULL,
        merchant_id UUID NOT NULL,
        points BIGINT NOT NULL,
        PRIMARY KEY (wallet_id, hold_id, lot_id, expire_time),
        CONSTRAINT hold_lot_not_negative CHECK (points >= 0)
    )""",
    """CREATE TABLE issuer_slot (
        lane INTEGER NOT NULL,
        merchant_id UUID NOT NULL,
        group_id UUID NOT NULL,
        issued_points BIGINT NOT NULL,
        clawed_back_points BIGINT NOT NULL,
        redeemed_points BIGINT NOT NULL,
        expired_points BIGINT NOT NULL,
        outstanding_points BIGINT NOT NULL,
        debt_points BIGINT NOT NULL,
        accepted_points BIGINT NOT NULL,
        sale_count BIGINT NOT NULL,
        sales_minor BIGINT NOT NULL,
        written_off_points BIGINT,
        currency_id UUID NOT NULL,
        PRIMARY KEY (lane, merchant_id, currency_id)
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE ledger_outbox (
        lane INTEGER NOT NULL,
        n BIGINT NOT NULL,
        wallet_id UUID NOT NULL,
        group_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        ref_id UUID,
        kind SMALLINT NOT NULL,
        points BIGINT NOT NULL,
        debt_points BIGINT NOT NULL,
        merchant_id UUID,
        occur_time TIMESTAMP WITH TIME ZONE NOT NULL,
        expire_time TIMESTAMP WITH TIME ZONE,
        unlock_time TIMESTAMP WITH TIME ZONE,
        lot_ids UUID[],
        lot_merchant_ids UUID[],
        lot_points BIGINT[],
        payload BYTEA,
        unmoved_points BIGINT,
        currency_id UUID,
        owner_id UUID,
        PRIMARY KEY (lane, n, wallet_id)
    )""",
    """CREATE TABLE adjustment (
        adjustment_id UUID NOT NULL,
        group_id UUID NOT NULL,
        member_id UUID NOT NULL,
        wallet_id UUID NOT NULL,
        currency_id UUID,
        direction SMALLINT NOT NULL,
        state SMALLINT NOT NULL,
        points BIGINT NOT NULL,
        merchant_id UUID,
        reason_code TEXT NOT NULL,
        reason_text TEXT NOT NULL,
        requested_by TEXT NOT NULL,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        lapse_time TIMESTAMP WITH TIME ZONE NOT NULL,
        decided_by TEXT,
        decision_note TEXT,
        decide_time TIMESTAMP WITH TIME ZONE,
        points_expire_time TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (adjustment_id),
        CONSTRAINT adjustment_positive CHECK (points > 0),
        CONSTRAINT adjustment_second_person CHECK (decided_by IS NULL OR decided_by <> requested_by OR state = 4)
    )""",
    """CREATE INDEX adjustment_by_time ON adjustment (group_id, create_time, adjustment_id)""",
    """CREATE INDEX adjustment_by_member ON adjustment (member_id, create_time, adjustment_id)""",
    """CREATE INDEX adjustment_under_way ON adjustment (decide_time) WHERE state = 2""",
    """CREATE TABLE expiry_reminder (
        expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
        wallet_id UUID NOT NULL,
        days_ahead INTEGER NOT NULL,
        group_id UUID NOT NULL,
        PRIMARY KEY (expire_time, wallet_id, days_ahead)
    )""",
    """CREATE TABLE hoarder (
        group_id UUID NOT NULL,
        wallet_id UUID NOT NULL,
        idle_since DATE NOT NULL,
        flag_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (group_id, wallet_id)
    )""",
    """CREATE TABLE receipt_claim (
        sale_id UUID NOT NULL,
        group_id UUID NOT NULL,
        wallet_id UUID NOT NULL,
        content_hash BYTEA NOT NULL,
        PRIMARY KEY (sale_id)
    )""",
    """CREATE TABLE request_claim (
        request_key UUID NOT NULL,
        group_id UUID NOT NULL,
        target_id UUID NOT NULL,
        PRIMARY KEY (request_key)
    )""",
    """CREATE TABLE cap (
        cap_id UUID NOT NULL,
        group_id UUID NOT NULL,
        used_points BIGINT NOT NULL,
        PRIMARY KEY (cap_id),
        CONSTRAINT cap_not_negative CHECK (used_points >= 0)
    ) WITH (fillfactor = 50)""",
    """CREATE TABLE cap_use (
        cap_id UUID NOT NULL,
        sale_id UUID NOT NULL,
        rule_id TEXT NOT NULL,
        group_id UUID NOT NULL,
        points BIGINT NOT NULL,
        left_points BIGINT NOT NULL,
        PRIMARY KEY (cap_id, sale_id, rule_id)
    )""",
    """CREATE TABLE first_purchase (
        claim_id UUID NOT NULL,
        group_id UUID NOT NULL,
        sale_id UUID NOT NULL,
        PRIMARY KEY (claim_id)
    )""",
    """CREATE TABLE member_segment (
        member_id UUID NOT NULL,
        segment TEXT NOT NULL,
        start_time TIMESTAMP WITH TIME ZONE NOT NULL,
        group_id UUID NOT NULL,
        end_time TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (member_id, segment, start_time),
        CONSTRAINT member_segment_ends_last CHECK (end_time >= start_time)
    )""",
    """CREATE TABLE cost_position (
        lane INTEGER NOT NULL,
        n BIGINT NOT NULL,
        PRIMARY KEY (lane)
    )""",
    """CREATE TABLE unit_cost (
        group_id UUID NOT NULL,
        business_unit_id UUID NOT NULL,
        business_date DATE NOT NULL,
        sales_minor BIGINT NOT NULL,
        points BIGINT NOT NULL,
        PRIMARY KEY (group_id, business_unit_id, business_date)
    )""",
    """CREATE TABLE cost_action (
        group_id UUID NOT NULL,
        business_unit_id UUID NOT NULL,
        effective_time TIMESTAMP WITH TIME ZONE NOT NULL,
        state SMALLINT NOT NULL,
        previous_state SMALLINT NOT NULL,
        first_date DATE NOT NULL,
        last_date DATE NOT NULL,
        sales_minor BIGINT NOT NULL,
        points BIGINT NOT NULL,
        cost_minor BIGINT NOT NULL,
        cost_bps BIGINT NOT NULL,
        threshold_bps INTEGER NOT NULL,
        rule_set_version BIGINT NOT NULL,
        explanation TEXT NOT NULL,
        explanation_zh TEXT NOT NULL,
        PRIMARY KEY (group_id, business_unit_id, effective_time)
    )""",
    """CREATE TABLE cache_version (
        group_id UUID NOT NULL,
        version BIGINT NOT NULL,
        PRIMARY KEY (group_id)
    )""",
    # What counts for sales from an instant on has to be committed before it: lookup.soonest says until when.
    """CREATE FUNCTION cache_version_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF clock_timestamp() > nullif(current_setting('huitong.commit_by', true), '')::timestamptz THEN
        RAISE EXCEPTION 'the commit comes too late for what it changes' USING ERRCODE = 'serialization_failure';
      END IF;
      RETURN NULL;
    END $$""",
    """CREATE CONSTRAINT TRIGGER cache_version_in_time AFTER INSERT OR UPDATE ON cache_version
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cache_version_in_time()""",
    """CREATE TABLE rule_set (
        group_id UUID NOT NULL,
        version BIGINT NOT NULL,
        effective_date DATE NOT NULL,
        content BYTEA NOT NULL,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (group_id, version)
    )""",
    """CREATE TABLE rule_draft (
        group_id UUID NOT NULL,
        draft_id UUID NOT NULL,
        state SMALLINT NOT NULL,
        content BYTEA NOT NULL,
        note TEXT NOT NULL,
        author TEXT NOT NULL,
        decided_by TEXT NOT NULL,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        decide_time TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (group_id, draft_id)
    )""",
    """CREATE INDEX rule_draft_by_time ON rule_draft (group_id, create_time, draft_id)""",
    """CREATE TABLE rule_simulation (
        group_id UUID NOT NULL,
        simulation_id UUID NOT NULL,
        draft_id UUID NOT NULL,
        first_date DATE NOT NULL,
        last_date DATE NOT NULL,
        state SMALLINT NOT NULL,
        done_sale_count BIGINT NOT NULL,
        total_sale_count BIGINT NOT NULL,
        problem TEXT NOT NULL,
        result BYTEA,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (group_id, simulation_id)
    )""",
    """CREATE INDEX rule_simulation_running ON rule_simulation (create_time) WHERE state = 1""",
    """CREATE TABLE store (
        store_id UUID NOT NULL,
        group_id UUID NOT NULL,
        merchant_id UUID NOT NULL,
        business_unit_id UUID NOT NULL,
        time_zone TEXT NOT NULL,
        currency_code TEXT NOT NULL,
        opening_date DATE,
        category TEXT NOT NULL,
        PRIMARY KEY (store_id)
    )""",
    """CREATE INDEX store_by_unit ON store (business_unit_id)""",
    """CREATE TABLE merchant (
        merchant_id UUID NOT NULL,
        group_id UUID NOT NULL,
        business_unit_id UUID NOT NULL,
        PRIMARY KEY (merchant_id)
    )""",
    """CREATE TABLE member (
        member_id UUID NOT NULL,
        group_id UUID NOT NULL,
        birth_month SMALLINT NOT NULL,
        time_zone TEXT NOT NULL,
        join_time TIMESTAMP WITH TIME ZONE,
        state SMALLINT NOT NULL,
        state_version INTEGER NOT NULL,
        close_time TIMESTAMP WITH TIME ZONE,
        survivor_id UUID,
        is_merged BOOLEAN,
        PRIMARY KEY (member_id)
    )""",
    """CREATE INDEX member_by_survivor ON member (survivor_id) WHERE survivor_id IS NOT NULL""",
    """CREATE TABLE merge_move (
        wallet_id UUID NOT NULL,
        txn_id UUID NOT NULL,
        group_id UUID NOT NULL,
        merge_id UUID NOT NULL,
        to_wallet_id UUID NOT NULL,
        points BIGINT NOT NULL,
        debt_points BIGINT NOT NULL,
        debt_merchant_id UUID,
        record_time TIMESTAMP WITH TIME ZONE NOT NULL,
        has_arrived BOOLEAN NOT NULL,
        lots JSONB NOT NULL,
        for_txn_id UUID,
        PRIMARY KEY (wallet_id, txn_id)
    )""",
    """CREATE INDEX merge_move_under_way ON merge_move (wallet_id, txn_id) WHERE NOT has_arrived""",
    """CREATE INDEX merge_move_fetched ON merge_move (to_wallet_id, record_time) WHERE for_txn_id IS NOT NULL""",
    """CREATE TABLE member_merge (
        merge_id UUID NOT NULL,
        group_id UUID NOT NULL,
        survivor_id UUID NOT NULL,
        absorbed_id UUID NOT NULL,
        state SMALLINT NOT NULL,
        merge_time TIMESTAMP WITH TIME ZONE NOT NULL,
        charges JSONB,
        PRIMARY KEY (merge_id)
    )""",
    """CREATE INDEX member_merge_by_absorbed ON member_merge (absorbed_id, merge_time)""",
    """CREATE INDEX member_merge_by_survivor ON member_merge (survivor_id, merge_time)""",
    """CREATE INDEX member_merge_open ON member_merge (merge_id) WHERE state <> 4""",
    """CREATE TABLE reward (
        reward_id UUID NOT NULL,
        group_id UUID NOT NULL,
        member_id UUID NOT NULL,
        points BIGINT NOT NULL,
        merchant_id UUID NOT NULL,
        reason_code TEXT NOT NULL,
        reference TEXT NOT NULL,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        points_expire_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (reward_id)
    )""",
    """CREATE INDEX reward_by_member ON reward (member_id, create_time)""",
    """CREATE TABLE spend_policy (
        group_id UUID NOT NULL,
        cool_down_hours INTEGER NOT NULL,
        spends_per_hour INTEGER NOT NULL,
        PRIMARY KEY (group_id)
    )""",
    """CREATE TABLE member_tier (
        member_id UUID NOT NULL,
        effective_date DATE NOT NULL,
        group_id UUID NOT NULL,
        tier_code TEXT NOT NULL,
        multiplier_bps INTEGER NOT NULL,
        PRIMARY KEY (member_id, effective_date)
    )""",
    """CREATE TABLE payment_claim (
        payment_key UUID NOT NULL,
        group_id UUID NOT NULL,
        sale_id UUID NOT NULL,
        PRIMARY KEY (payment_key)
    )""",
    """CREATE TABLE device_sale (
        device_key UUID NOT NULL,
        seq BIGINT NOT NULL,
        group_id UUID NOT NULL,
        sale_id UUID NOT NULL,
        is_recorded BOOLEAN NOT NULL,
        PRIMARY KEY (device_key, seq)
    )""",
    """CREATE TABLE device (
        device_key UUID NOT NULL,
        group_id UUID NOT NULL,
        contiguous_seq BIGINT NOT NULL,
        highest_seq BIGINT NOT NULL,
        PRIMARY KEY (device_key)
    )""",
    """CREATE TABLE sale_seen (
        sale_id UUID NOT NULL,
        group_id UUID NOT NULL,
        wallet_id UUID NOT NULL,
        merchant_id UUID NOT NULL,
        store_id UUID NOT NULL,
        source TEXT NOT NULL,
        terminal TEXT NOT NULL,
        payment_provider TEXT,
        receipt_no TEXT NOT NULL,
        receipt_serial BIGINT,
        amount_minor BIGINT NOT NULL,
        points BIGINT NOT NULL,
        sale_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (sale_id)
    )""",
    """CREATE INDEX sale_seen_by_member ON sale_seen (wallet_id, sale_time)""",
    """CREATE INDEX sale_seen_by_terminal ON sale_seen (store_id, terminal, sale_time)""",
    """CREATE INDEX sale_seen_by_store ON sale_seen (store_id, sale_time)""",
    """CREATE INDEX sale_seen_by_time ON sale_seen (sale_time)""",
    """CREATE TABLE sale_case (
        case_id UUID NOT NULL,
        sale_id UUID NOT NULL,
        kind SMALLINT NOT NULL,
        group_id UUID NOT NULL,
        wallet_id UUID NOT NULL,
        store_id UUID NOT NULL,
        state SMALLINT NOT NULL,
        until_time TIMESTAMP WITH TIME ZONE NOT NULL,
        window_time TIMESTAMP WITH TIME ZONE,
        other_sale_id UUID,
        evidence JSONB,
        create_time TIMESTAMP WITH TIME ZONE NOT NULL,
        decided_by TEXT,
        decision_note TEXT,
        decide_time TIMESTAMP WITH TIME ZONE,
        is_applied BOOLEAN NOT NULL,
        PRIMARY KEY (case_id)
    )""",
    """CREATE INDEX sale_case_by_sale ON sale_case (sale_id)""",
    """CREATE INDEX sale_case_by_other ON sale_case (other_sale_id) WHERE other_sale_id IS NOT NULL""",
    """CREATE INDEX sale_case_by_time ON sale_case (group_id, create_time, case_id)""",
    """CREATE INDEX sale_case_under_way ON sale_case (decide_time) WHERE state <> 1 AND NOT is_applied""",
    """CREATE TABLE notice_source (
        notice_source_id UUID NOT NULL,
        group_id UUID NOT NULL,
        mch_id TEXT NOT NULL,
        sealed_key BYTEA NOT NULL,
        platform_keys JSONB NOT NULL,
        update_time TIMESTAMP WITH TIME ZONE NOT NULL,
        PRIMARY KEY (notice_source_id),
        UNIQUE (group_id, mch_id)
    )""",
    """CREATE TABLE erased_member (
        member_id UUID NOT NULL,
        group_id UUID NOT NULL,
        told_time TIMESTAMP WITH TIME ZONE NOT NULL,
        done_time TIMESTAMP WITH TIME ZONE,
        PRIMARY KEY (member_id)
    )""",
)


def upgrade() -> None:
    for ddl in TABLES:
        op.execute(ddl)
    for function in statements():
        op.get_bind().exec_driver_sql(function)


def downgrade() -> None:
    raise NotImplementedError("a ledger is not thrown away")
