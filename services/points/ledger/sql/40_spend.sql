-- Spend points at once: lots by (expiry, id), none that has expired at p_now.
CREATE OR REPLACE FUNCTION ledger_redeem{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_chosen record;
  v_left bigint;
BEGIN
  v_chosen := ledger_choose{s}(p_wallet, p_item.points, p_now, NULL, NULL);
  IF v_chosen.taken < p_item.points THEN
    o := ROW(p_item.ord, 5, 0, 0, v_chosen.taken, NULL, NULL, NULL);
    RETURN;
  END IF;
  IF p_wallet.owner_id IS NOT NULL AND p_item.ref_id IS NOT NULL THEN
    v_left := ledger_pool_spend{s}(p_item, p_now);
    IF v_left IS NOT NULL THEN
      o := ROW(p_item.ord, 27, v_left, 0, p_wallet.available_points, NULL, NULL, NULL);
      RETURN;
    END IF;
  END IF;
  PERFORM ledger_use{s}(p_item, p_lane, v_chosen.takes, 1, false, 'redeemed');
  PERFORM ledger_slot{s}(p_lane, p_item.merchant_id, p_item.group_id, 0, 0, 0, 0, p_item.points, 0, 0, p_item.currency_id);
  UPDATE wallet{s} w
    SET available_points = w.available_points - p_item.points, spent_points = w.spent_points + p_item.points,
        version = w.version + 1,
        idle_since = (p_now AT TIME ZONE 'UTC')::date,  -- a date: its index changes once a day at most
        -- Everything ahead of the last lot taken is spent, unless some of it is held or waits for the expiry run.
        first_expire_time = CASE WHEN w.held_points = 0 AND w.first_expire_time > p_now
                                 THEN (v_chosen.takes[cardinality(v_chosen.takes)]).expire_time
                                 ELSE w.first_expire_time END
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -p_item.points, 0, 0, v_chosen.takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;

-- Give points of the redemption p_item.ref_id back to the lots they came from, the last one taken first; 0 means all that
-- is left of it. A lot that has expired meanwhile gets them too, and expires again at the next run.
CREATE OR REPLACE FUNCTION ledger_reverse{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_use record;
  v_redemption txn{s};
  v_takes ledger_take[] := '{}';
  v_takeable bigint := 0;
  v_left bigint;
  v_take bigint;
BEGIN
  SELECT t.* INTO v_redemption FROM txn{s} t
    WHERE t.wallet_id = p_item.wallet_id AND t.txn_id = p_item.ref_id AND t.kind IN (3, 7);
  IF NOT FOUND THEN
    o := ROW(p_item.ord, 11, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  SELECT sum(u.points - u.restored_points) INTO v_takeable FROM lot_use{s} u
    WHERE u.wallet_id = p_item.wallet_id AND u.txn_id = p_item.ref_id;
  IF p_item.points = 0 THEN
    p_item.points := v_takeable;
  END IF;
  IF p_item.points > v_takeable OR v_takeable = 0 THEN
    o := ROW(p_item.ord, 12, v_takeable, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  v_left := p_item.points;
  FOR v_use IN
    SELECT u.lot_id, u.expire_time, u.merchant_id, u.points - u.restored_points AS takeable FROM lot_use{s} u
      WHERE u.wallet_id = p_item.wallet_id AND u.txn_id = p_item.ref_id AND u.points > u.restored_points
      ORDER BY u.expire_time DESC, u.lot_id DESC
  LOOP
    EXIT WHEN v_left = 0;
    v_take := least(v_left, v_use.takeable);
    v_takes := v_takes || ROW(v_use.lot_id, v_use.expire_time, v_use.merchant_id, v_take)::ledger_take;
    v_left := v_left - v_take;
  END LOOP;
  UPDATE lot_use{s} u SET restored_points = u.restored_points + t.points FROM unnest(v_takes) t
    WHERE u.wallet_id = p_item.wallet_id AND u.txn_id = p_item.ref_id AND u.lot_id = t.lot_id
      AND u.expire_time = t.expire_time;
  IF p_wallet.owner_id IS NOT NULL THEN
    UPDATE pool_spend{s} s SET points = s.points - p_item.points
      WHERE s.wallet_id = p_item.wallet_id
        AND s.txn_id = CASE v_redemption.kind WHEN 7 THEN v_redemption.ref_id ELSE v_redemption.txn_id END;
  END IF;
  PERFORM ledger_use{s}(p_item, p_lane, v_takes, -1, false, 'redeemed');
  PERFORM ledger_slot{s}(p_lane, v_redemption.merchant_id, p_item.group_id, 0, 0, 0, 0, -p_item.points, 0, 0, p_item.currency_id);
  UPDATE wallet{s} w
    SET available_points = w.available_points + p_item.points, spent_points = w.spent_points - p_item.points,
        version = w.version + 1,
        first_expire_time = least(w.first_expire_time, (SELECT min(t.expire_time) FROM unnest(v_takes) t))
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  p_item.merchant_id := v_redemption.merchant_id;
  p_item.store_id := v_redemption.store_id;
  p_item.reference := v_redemption.reference;
  p_item.payload := v_redemption.detail;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, p_item.points, 0, 0, v_takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;

-- Expire what is left, and not held, of the unlocked lots that expire at p_item.expire_time. A pending one is activated
-- first, whatever the time: it expires in the run after that.
CREATE OR REPLACE FUNCTION ledger_expire{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_takes ledger_take[];
  v_points bigint;
BEGIN
  SELECT array_agg(ROW(l.lot_id, l.expire_time, l.merchant_id, l.left_points - l.held_points)::ledger_take
                   ORDER BY l.lot_id), sum(l.left_points - l.held_points)
    INTO v_takes, v_points FROM lot{s} l
    WHERE l.wallet_id = p_item.wallet_id AND l.expire_time = p_item.expire_time AND l.expire_time <= p_now
      AND l.unlock_time IS NULL AND l.left_points > l.held_points;
  IF v_takes IS NULL THEN
    -- Nothing to expire, maybe because it was spent: the wallet's lower bound may be behind, and is brought up to date.
    UPDATE wallet{s} w
      SET first_expire_time = (SELECT min(l.expire_time) FROM lot{s} l
                               WHERE l.wallet_id = p_item.wallet_id AND l.expire_time >= w.first_expire_time
                                 AND l.unlock_time IS NULL AND l.left_points > 0)
      WHERE w.wallet_id = p_item.wallet_id AND w.first_expire_time <= p_now;
    o := ROW(p_item.ord, 13, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  p_item.points := v_points;
  PERFORM ledger_use{s}(p_item, p_lane, v_takes, 1, false, 'expired');
  UPDATE wallet{s} w
    SET available_points = w.available_points - v_points, expired_points = w.expired_points + v_points,
        version = w.version + 1,
        first_expire_time = (SELECT min(l.expire_time) FROM lot{s} l
                             WHERE l.wallet_id = p_item.wallet_id AND l.expire_time >= w.first_expire_time
                               AND l.unlock_time IS NULL AND l.left_points > 0)
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -v_points, 0, 0, v_takes, n);
  o := ROW(p_item.ord, 1, v_points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;

-- Unlock the pending lots whose time p_item.unlock_time has come. Only this makes pending points available: it moves them
-- within the wallet, so it has no postings.
CREATE OR REPLACE FUNCTION ledger_activate{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_takes ledger_take[];
  v_points bigint;
  v_first_expire_time timestamptz;
BEGIN
  IF p_item.unlock_time > p_now THEN
    o := ROW(p_item.ord, 13, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  SELECT array_agg(ROW(l.lot_id, l.expire_time, l.merchant_id, l.left_points)::ledger_take
                   ORDER BY l.expire_time, l.lot_id) FILTER (WHERE l.left_points > 0),
         coalesce(sum(l.left_points), 0), min(l.expire_time) FILTER (WHERE l.left_points > 0)
    INTO v_takes, v_points, v_first_expire_time FROM lot{s} l
    WHERE l.wallet_id = p_item.wallet_id AND l.unlock_time = p_item.unlock_time;
  -- Also those that returns have emptied meanwhile.
  UPDATE lot{s} l SET unlock_time = NULL
    WHERE l.wallet_id = p_item.wallet_id AND l.unlock_time = p_item.unlock_time;
  IF v_points = 0 THEN
    o := ROW(p_item.ord, 13, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  UPDATE wallet{s} w
    SET available_points = w.available_points + v_points, pending_points = w.pending_points - v_points,
        version = w.version + 1, first_expire_time = least(w.first_expire_time, v_first_expire_time)
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, 0, -v_points, 0, v_takes, n);
  o := ROW(p_item.ord, 1, v_points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;
