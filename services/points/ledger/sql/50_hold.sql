-- States of a hold: 1 held, 2 captured, 3 released.

-- Reserve points of the lots that would be spent now. A hold whose release came first is answered `hold_released`.
CREATE OR REPLACE FUNCTION ledger_hold{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_hold hold{s};
  v_chosen record;
  v_left bigint;
BEGIN
  SELECT h.* INTO v_hold FROM hold{s} h WHERE h.wallet_id = p_item.wallet_id AND h.hold_id = p_item.txn_id;
  IF FOUND THEN
    o := ROW(p_item.ord,
             CASE WHEN v_hold.points = 0 THEN 7 WHEN v_hold.request_hash = p_item.request_hash THEN 2 ELSE 3 END,
             v_hold.points, 0, v_hold.available_points, v_hold.expire_time, NULL, NULL);
    RETURN;
  END IF;
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
  UPDATE lot{s} l SET held_points = l.held_points + t.points FROM unnest(v_chosen.takes) t
    WHERE l.wallet_id = p_item.wallet_id AND l.expire_time = t.expire_time AND l.lot_id = t.lot_id;
  INSERT INTO hold_lot{s} (wallet_id, hold_id, lot_id, group_id, expire_time, merchant_id, points)
    SELECT p_item.wallet_id, p_item.txn_id, t.lot_id, p_item.group_id, t.expire_time, t.merchant_id, t.points
    FROM unnest(v_chosen.takes) t;
  UPDATE wallet{s} w
    SET available_points = w.available_points - p_item.points, held_points = w.held_points + p_item.points
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  INSERT INTO hold{s} (wallet_id, hold_id, group_id, state, points, captured_points, available_points, request_hash,
                       merchant_id, store_id, reference, detail, create_time, expire_time)
    VALUES (p_item.wallet_id, p_item.txn_id, p_item.group_id, 1, p_item.points, 0, p_wallet.available_points,
            p_item.request_hash, p_item.merchant_id, p_item.store_id, p_item.reference, p_item.detail, p_now,
            p_item.expire_time);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, p_item.expire_time, NULL, NULL);
END $$;

-- Free what a hold still holds (all of it, or what a capture left) and set its final state.
CREATE OR REPLACE FUNCTION ledger_free{s}(
  p_hold hold{s}, p_state integer, p_captured bigint, INOUT p_wallet wallet{s})
LANGUAGE plpgsql AS $$
BEGIN
  -- The capture has taken its part out of hold_lot, so what is there goes back.
  UPDATE lot{s} l SET held_points = l.held_points - t.points FROM hold_lot{s} t
    WHERE t.wallet_id = p_hold.wallet_id AND t.hold_id = p_hold.hold_id
      AND l.wallet_id = t.wallet_id AND l.expire_time = t.expire_time AND l.lot_id = t.lot_id;
  DELETE FROM hold_lot{s} t WHERE t.wallet_id = p_hold.wallet_id AND t.hold_id = p_hold.hold_id;
  UPDATE hold{s} h SET state = p_state, captured_points = p_captured
    WHERE h.wallet_id = p_hold.wallet_id AND h.hold_id = p_hold.hold_id;
  IF p_wallet.owner_id IS NOT NULL THEN
    UPDATE pool_spend{s} s SET points = p_captured WHERE s.wallet_id = p_hold.wallet_id AND s.txn_id = p_hold.hold_id;
  END IF;
  UPDATE wallet{s} w
    SET available_points = w.available_points + p_hold.points - p_captured,
        held_points = w.held_points - p_hold.points + p_captured
    WHERE w.wallet_id = p_hold.wallet_id RETURNING w.* INTO p_wallet;
END $$;

-- Spend p_item.points of the hold p_item.ref_id (0 means all) and free the rest. Refused once the hold is over its time.
CREATE OR REPLACE FUNCTION ledger_capture{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_hold hold{s};
  v_lot record;
  v_takes ledger_take[] := '{}';
  v_left bigint;
  v_take bigint;
BEGIN
  SELECT h.* INTO v_hold FROM hold{s} h WHERE h.wallet_id = p_item.wallet_id AND h.hold_id = p_item.ref_id;
  IF NOT FOUND THEN
    o := ROW(p_item.ord, 8, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  IF v_hold.state = 1 AND v_hold.expire_time <= p_now THEN
    p_wallet := ledger_free{s}(v_hold, 3, 0, p_wallet);
    v_hold.state := 3;
  END IF;
  IF v_hold.state <> 1 THEN
    o := ROW(p_item.ord, CASE v_hold.state WHEN 3 THEN 7 ELSE 9 END, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  IF p_item.points = 0 THEN
    p_item.points := v_hold.points;
  END IF;
  IF p_item.points > v_hold.points THEN
    o := ROW(p_item.ord, 10, v_hold.points, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  v_left := p_item.points;
  FOR v_lot IN
    SELECT t.lot_id, t.expire_time, t.merchant_id, t.points FROM hold_lot{s} t
      WHERE t.wallet_id = p_item.wallet_id AND t.hold_id = p_item.ref_id ORDER BY t.expire_time, t.lot_id
  LOOP
    EXIT WHEN v_left = 0;
    v_take := least(v_left, v_lot.points);
    v_takes := v_takes || ROW(v_lot.lot_id, v_lot.expire_time, v_lot.merchant_id, v_take)::ledger_take;
    v_left := v_left - v_take;
  END LOOP;
  UPDATE hold_lot{s} t SET points = t.points - taken.points FROM unnest(v_takes) taken
    WHERE t.wallet_id = p_item.wallet_id AND t.hold_id = p_item.ref_id AND t.lot_id = taken.lot_id
      AND t.expire_time = taken.expire_time;
  p_item.merchant_id := v_hold.merchant_id;
  p_item.store_id := v_hold.store_id;
  p_item.reference := v_hold.reference;
  p_item.detail := v_hold.detail;
  p_item.payload := v_hold.detail;
  PERFORM ledger_use{s}(p_item, p_lane, v_takes, 1, true, 'redeemed');
  PERFORM ledger_slot{s}(p_lane, p_item.merchant_id, p_item.group_id, 0, 0, 0, 0, p_item.points, 0, 0, p_item.currency_id);
  UPDATE wallet{s} w
    SET held_points = w.held_points - p_item.points, spent_points = w.spent_points + p_item.points,
        version = w.version + 1, idle_since = (p_now AT TIME ZONE 'UTC')::date
    WHERE w.wallet_id = p_item.wallet_id;
  -- What the hold has beyond the capture is free again.
  p_wallet := ledger_free{s}(v_hold, 2, p_item.points, p_wallet);
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -p_item.points, 0, 0, v_takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;

-- Free the hold p_item.ref_id. One that never came is marked, so that it is refused when it comes after all. `expected`
-- 1 is the time-out: it frees only what is over its time and marks nothing.
CREATE OR REPLACE FUNCTION ledger_release{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_hold hold{s};
  v_status smallint := 1;
BEGIN
  SELECT h.* INTO v_hold FROM hold{s} h WHERE h.wallet_id = p_item.wallet_id AND h.hold_id = p_item.ref_id;
  IF NOT FOUND THEN
    IF p_item.expected = 0 THEN
      INSERT INTO hold{s} (wallet_id, hold_id, group_id, state, points, captured_points, available_points,
                           request_hash, merchant_id, store_id, reference, detail, create_time, expire_time)
        VALUES (p_item.wallet_id, p_item.ref_id, p_item.group_id, 3, 0, 0, p_wallet.available_points, '', NULL, NULL,
                '', NULL, p_now, p_now);
    END IF;
  ELSIF v_hold.state = 2 THEN
    v_status := 9;
  ELSIF v_hold.state = 1 AND (p_item.expected = 0 OR v_hold.expire_time <= p_now) THEN
    p_wallet := ledger_free{s}(v_hold, 3, 0, p_wallet);
  END IF;
  o := ROW(p_item.ord, v_status, coalesce(v_hold.points, 0), 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;
