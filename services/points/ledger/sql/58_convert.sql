-- Points that change their currency, and money that becomes stored value.
--
-- A conversion is two calls, as a transfer: the first takes lots of one currency and leaves a row in `conversion` that says
-- what is to arrive; the second puts new lots of the other currency into the other wallet. A transaction has one currency,
-- so its postings sum to zero in that; the account `converted` says with whose points.

-- Put the lots that `explanation` holds as text into this wallet, issued now: of one top-up, or of the conversion
-- p_item.ref_id. `expected` is the most that the wallet may hold then, 0 means any amount; a conversion always goes through.
CREATE OR REPLACE FUNCTION ledger_fund{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_takes ledger_take[];
  v_there bigint := p_wallet.available_points + p_wallet.held_points + p_wallet.pending_points;
BEGIN
  IF p_item.expected > 0 AND v_there + p_item.points > p_item.expected THEN
    o := ROW(p_item.ord, 25, greatest(p_item.expected - v_there, 0), 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  SELECT array_agg(t ORDER BY t.merchant_id) INTO v_takes
    FROM jsonb_populate_recordset(NULL::ledger_take, convert_from(p_item.explanation, 'UTF8')::jsonb) t;
  INSERT INTO lot{s} (wallet_id, expire_time, lot_id, group_id, merchant_id, points, left_points, held_points, unlock_time)
    SELECT p_item.wallet_id, t.expire_time, t.lot_id, p_item.group_id, t.merchant_id, t.points, t.points, 0, NULL
    FROM unnest(v_takes) t;
  INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
    SELECT p_item.wallet_id, p_item.txn_id, 0::smallint, p_item.group_id, 'member', NULL, p_item.points
    UNION ALL
    SELECT p_item.wallet_id, p_item.txn_id, (row_number() OVER (ORDER BY t.merchant_id))::smallint, p_item.group_id,
           CASE WHEN p_item.ref_id IS NULL THEN 'issuer' ELSE 'converted' END, t.merchant_id, -t.points
    FROM unnest(v_takes) t;
  PERFORM ledger_slot{s}(p_lane, t.merchant_id, p_item.group_id, t.points, 0, t.points, 0, 0, 0, 0, p_item.currency_id)
    FROM unnest(v_takes) t;
  UPDATE wallet{s} w
    SET available_points = w.available_points + p_item.points, version = w.version + 1,
        earned_points = w.earned_points + CASE WHEN p_item.ref_id IS NULL THEN p_item.points ELSE 0 END,
        transferred_points = w.transferred_points + CASE WHEN p_item.ref_id IS NULL THEN 0 ELSE p_item.points END,
        first_expire_time = least(w.first_expire_time, (SELECT min(t.expire_time) FROM unnest(v_takes) t))
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  p_item.explanation := NULL;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, p_item.points, 0, 0, v_takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, p_item.expire_time, NULL, NULL);
END $$;

-- Take p_item.points, earliest expiry first, for a conversion at the rate p_item.store_id into amount_minor points in the
-- wallet p_item.ref_id, which expire at expire_time. `expected` is the most that may go out of this wallet at that rate in
-- 24 hours, 0 means any amount. Who owes points has that much less to convert.
CREATE OR REPLACE FUNCTION ledger_convert_out{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_chosen record;
  v_recent bigint;
  v_gives bigint := p_item.amount_minor;
BEGIN
  IF p_item.expected > 0 THEN
    SELECT coalesce(sum(c.points), 0) INTO v_recent FROM conversion{s} c
      WHERE c.wallet_id = p_item.wallet_id AND c.record_time > p_now - interval '24 hours' AND c.rate_id = p_item.store_id;
    IF v_recent + p_item.points > p_item.expected THEN
      o := ROW(p_item.ord, 26, greatest(p_item.expected - v_recent, 0), 0, p_wallet.available_points, NULL, NULL, NULL);
      RETURN;
    END IF;
  END IF;
  v_chosen := ledger_choose{s}(p_wallet, p_item.points + p_wallet.debt_points, p_now, NULL, NULL);
  IF v_chosen.taken < p_item.points + p_wallet.debt_points THEN
    o := ROW(p_item.ord, 5, 0, 0, greatest(v_chosen.taken - p_wallet.debt_points, 0), NULL, NULL, NULL);
    RETURN;
  END IF;
  IF p_wallet.debt_points > 0 THEN
    v_chosen := ledger_choose{s}(p_wallet, p_item.points, p_now, NULL, NULL);
  END IF;
  PERFORM ledger_use{s}(p_item, p_lane, v_chosen.takes, 1, false, 'converted');
  INSERT INTO conversion{s} (wallet_id, txn_id, group_id, to_wallet_id, rate_id, points, to_points, record_time,
                             to_expire_time, has_arrived, lots)
    SELECT p_item.wallet_id, p_item.txn_id, p_item.group_id, p_item.ref_id, p_item.store_id, p_item.points, v_gives, p_now,
           p_item.expire_time, false, jsonb_agg(to_jsonb(t) ORDER BY t.expire_time, t.lot_id)
    FROM unnest(v_chosen.takes) t;
  UPDATE wallet{s} w
    SET available_points = w.available_points - p_item.points,
        transferred_points = w.transferred_points - p_item.points, version = w.version + 1,
        first_expire_time = CASE WHEN w.held_points = 0 AND w.first_expire_time > p_now
                                 THEN (v_chosen.takes[cardinality(v_chosen.takes)]).expire_time
                                 ELSE w.first_expire_time END
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  -- What these fields carried is in the conversion's row; a transaction's own are a store and money.
  p_item.store_id := NULL;
  p_item.amount_minor := 0;
  p_item.expire_time := NULL;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -p_item.points, 0, 0, v_chosen.takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;

-- Give money of the top-up p_item.ref_id back: from its own lot, which expires at expire_time, what is neither spent nor
-- held. 0 points means all of that.
CREATE OR REPLACE FUNCTION ledger_refund_funding{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_takes ledger_take[];
  v_free bigint;
BEGIN
  SELECT l.left_points - l.held_points INTO v_free FROM lot{s} l
    WHERE l.wallet_id = p_item.wallet_id AND l.expire_time = p_item.expire_time AND l.lot_id = p_item.ref_id;
  IF p_item.points = 0 THEN
    p_item.points := v_free;
  END IF;
  IF v_free IS NULL OR v_free = 0 OR p_item.points > v_free THEN
    o := ROW(p_item.ord, 5, 0, 0, coalesce(v_free, 0), NULL, NULL, NULL);
    RETURN;
  END IF;
  v_takes := ARRAY[ROW(p_item.ref_id, p_item.expire_time, p_item.merchant_id, p_item.points)::ledger_take];
  PERFORM ledger_use{s}(p_item, p_lane, v_takes, 1, false, 'debited');
  UPDATE wallet{s} w
    SET available_points = w.available_points - p_item.points,
        clawed_back_points = w.clawed_back_points + p_item.points, version = w.version + 1
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -p_item.points, 0, 0, v_takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;
