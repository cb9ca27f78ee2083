-- Points and debts between two records of one person: merged, or apart again. Two calls that may run in two lanes, like a
-- transfer; but the lots keep also their time of unlocking, and a debt moves as a debt. What is between the two calls is on
-- the accounts `transit` and `debt_transit`; the row in `merge_move` says what arrives.

-- Take something out for the wallet p_item.ref_id: one debt, or else lots, at most `expected` of them. p_item.explanation
-- says in JSON which: {"merge_id", "mode", ...}.
--   all:    every debt, everything that is not held
--   lots:   of "lots" [{lot_id, expire_time, points}] what is there, wherever renewals have put it; debts named in "debts"
--   up_to:  p_item.points at most, of the lot "own_lot_id" (expiring at p_item.expire_time) first, then, unless "own_only",
--           of what can be spent; "for_txn_id" is the movement that waits for them
CREATE OR REPLACE FUNCTION ledger_merge_out{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_ask jsonb := convert_from(p_item.explanation, 'UTF8')::jsonb;
  v_debt record;
  v_takes ledger_take[];
  v_lots jsonb;
  v_points bigint;
  v_pending bigint;
BEGIN
  p_item.explanation := NULL;
  SELECT d.txn_id, d.merchant_id, d.left_points INTO v_debt FROM debt{s} d
    WHERE d.wallet_id = p_item.wallet_id AND d.left_points > 0
      AND (v_ask->>'mode' = 'all' OR (v_ask->'debts') ? d.txn_id::text)
    ORDER BY d.version LIMIT 1;
  IF FOUND THEN
    UPDATE debt{s} d SET left_points = 0 WHERE d.wallet_id = p_item.wallet_id AND d.txn_id = v_debt.txn_id;
    INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
      VALUES (p_item.wallet_id, p_item.txn_id, 0, p_item.group_id, 'debt', v_debt.merchant_id, v_debt.left_points),
             (p_item.wallet_id, p_item.txn_id, 1, p_item.group_id, 'debt_transit', v_debt.merchant_id,
              -v_debt.left_points);
    INSERT INTO merge_move{s} (wallet_id, txn_id, group_id, merge_id, to_wallet_id, points, debt_points, debt_merchant_id,
                               record_time, has_arrived, lots, for_txn_id)
      VALUES (p_item.wallet_id, p_item.txn_id, p_item.group_id, (v_ask->>'merge_id')::uuid, p_item.ref_id, 0,
              v_debt.left_points, v_debt.merchant_id, p_now, false, '[]', NULL);
    UPDATE wallet{s} w
      SET debt_points = w.debt_points - v_debt.left_points,
          transferred_points = w.transferred_points + v_debt.left_points, version = w.version + 1
      WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
    n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, v_debt.left_points, 0, v_debt.left_points, NULL, n);
    o := ROW(p_item.ord, 1, 0, v_debt.left_points, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;

  CASE v_ask->>'mode'
    WHEN 'all' THEN
      SELECT array_agg(ROW(f.lot_id, f.expire_time, f.merchant_id, f.points)::ledger_take ORDER BY f.expire_time, f.lot_id)
        INTO v_takes
        FROM (SELECT l.lot_id, l.expire_time, l.merchant_id, l.left_points - l.held_points AS points FROM lot{s} l
              WHERE l.wallet_id = p_item.wallet_id AND l.left_points > l.held_points
                AND (l.unlock_time IS NOT NULL OR l.expire_time >= p_wallet.first_expire_time)
              ORDER BY l.expire_time, l.lot_id LIMIT p_item.expected) f;
    WHEN 'lots' THEN
      SELECT array_agg(ROW(f.lot_id, f.expire_time, f.merchant_id, f.points)::ledger_take ORDER BY f.expire_time, f.lot_id)
        INTO v_takes
        FROM (SELECT l.lot_id, l.expire_time, l.merchant_id,
                     least(l.left_points - l.held_points,
                           greatest(a.points - coalesce(sum(l.left_points - l.held_points) OVER before_it, 0), 0))::bigint
                       AS points
              FROM jsonb_to_recordset(v_ask->'lots') AS a (lot_id uuid, expire_time timestamptz, points bigint)
              CROSS JOIN LATERAL (SELECT a.expire_time
                                  UNION SELECT r.expire_time FROM lot_renewal{s} r
                                  WHERE r.wallet_id = p_item.wallet_id AND r.lot_id = a.lot_id) e
              JOIN lot{s} l ON l.wallet_id = p_item.wallet_id AND l.expire_time = e.expire_time AND l.lot_id = a.lot_id
              WHERE l.left_points > l.held_points
              WINDOW before_it AS (PARTITION BY l.lot_id ORDER BY l.expire_time
                                   ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) f
        WHERE f.points > 0;
    WHEN 'up_to' THEN
      v_takes := (ledger_choose{s}(p_wallet, p_item.points, p_now, (v_ask->>'own_lot_id')::uuid, p_item.expire_time,
                                   coalesce((v_ask->>'own_only')::boolean, false))).takes;
  END CASE;
  SELECT jsonb_agg(jsonb_build_object('lot_id', t.lot_id, 'expire_time', t.expire_time, 'merchant_id', t.merchant_id,
                                      'points', t.points, 'unlock_time', l.unlock_time, 'is_renewed',
                                      EXISTS (SELECT FROM lot_renewal{s} r
                                              WHERE r.wallet_id = p_item.wallet_id AND r.lot_id = t.lot_id
                                                AND r.expire_time = t.expire_time))
                   ORDER BY t.expire_time, t.lot_id),
         coalesce(sum(t.points), 0), coalesce(sum(t.points) FILTER (WHERE l.unlock_time IS NOT NULL), 0)
    INTO v_lots, v_points, v_pending
    FROM unnest(v_takes) t
    JOIN lot{s} l ON l.wallet_id = p_item.wallet_id AND l.expire_time = t.expire_time AND l.lot_id = t.lot_id;
  IF v_points = 0 THEN
    o := ROW(p_item.ord, 13, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  PERFORM ledger_use{s}(p_item, p_lane, v_takes, 1, false, 'transit');
  INSERT INTO merge_move{s} (wallet_id, txn_id, group_id, merge_id, to_wallet_id, points, debt_points, debt_merchant_id,
                             record_time, has_arrived, lots, for_txn_id)
    VALUES (p_item.wallet_id, p_item.txn_id, p_item.group_id, (v_ask->>'merge_id')::uuid, p_item.ref_id, v_points, 0,
            NULL, p_now, false, v_lots, (v_ask->>'for_txn_id')::uuid);
  UPDATE wallet{s} w
    SET available_points = w.available_points - v_points + v_pending, pending_points = w.pending_points - v_pending,
        transferred_points = w.transferred_points - v_points, version = w.version + 1,
        first_expire_time = (SELECT min(l.expire_time) FROM lot{s} l
                             WHERE l.wallet_id = p_item.wallet_id AND l.expire_time >= w.first_expire_time
                               AND l.unlock_time IS NULL AND l.left_points > 0)
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  p_item.expire_time := NULL;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -v_points, -v_pending, 0, v_takes, n);
  o := ROW(p_item.ord, 1, v_points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;

-- Put what the movement p_item.ref_id took into this wallet; p_item.explanation is its row in `merge_move` as JSON. It always
-- goes through. A lot that is here already, from before, gets its points back.
CREATE OR REPLACE FUNCTION ledger_merge_in{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_move jsonb := convert_from(p_item.explanation, 'UTF8')::jsonb;
  v_merchant uuid := (v_move->>'debt_merchant_id')::uuid;
  v_debt bigint := (v_move->>'debt_points')::bigint;
  v_takes ledger_take[];
  v_pending bigint;
  v_first timestamptz;
BEGIN
  p_item.explanation := NULL;
  IF v_debt > 0 THEN
    INSERT INTO debt{s} (wallet_id, txn_id, group_id, version, merchant_id, points, left_points)
      VALUES (p_item.wallet_id, p_item.txn_id, p_item.group_id, p_wallet.version + 1, v_merchant, v_debt, v_debt);
    INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
      VALUES (p_item.wallet_id, p_item.txn_id, 0, p_item.group_id, 'debt', v_merchant, -v_debt),
             (p_item.wallet_id, p_item.txn_id, 1, p_item.group_id, 'debt_transit', v_merchant, v_debt);
    UPDATE wallet{s} w
      SET debt_points = w.debt_points + v_debt, transferred_points = w.transferred_points - v_debt, version = w.version + 1
      WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
    n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -v_debt, 0, v_debt, NULL, n);
    o := ROW(p_item.ord, 1, 0, v_debt, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  WITH arrived AS MATERIALIZED (
    SELECT a.* FROM jsonb_to_recordset(v_move->'lots')
      AS a (lot_id uuid, expire_time timestamptz, merchant_id uuid, points bigint, unlock_time timestamptz)
  ), put AS (
    INSERT INTO lot{s} AS l (wallet_id, expire_time, lot_id, group_id, merchant_id, points, left_points, held_points,
                             unlock_time)
    SELECT p_item.wallet_id, a.expire_time, a.lot_id, p_item.group_id, a.merchant_id, a.points, a.points, 0, a.unlock_time
    FROM arrived a
    ON CONFLICT (wallet_id, expire_time, lot_id) DO UPDATE
      SET points = l.points + excluded.points, left_points = l.left_points + excluded.points,
          unlock_time = CASE WHEN l.left_points = 0 THEN excluded.unlock_time ELSE l.unlock_time END
    RETURNING l.lot_id, l.expire_time, l.unlock_time
  )
  SELECT array_agg(ROW(a.lot_id, a.expire_time, a.merchant_id, a.points)::ledger_take ORDER BY a.expire_time, a.lot_id),
         coalesce(sum(a.points) FILTER (WHERE p.unlock_time IS NOT NULL), 0),
         min(a.expire_time) FILTER (WHERE p.unlock_time IS NULL)
    INTO v_takes, v_pending, v_first
    FROM arrived a JOIN put p ON p.lot_id = a.lot_id AND p.expire_time = a.expire_time;
  -- A return of the sale has to find its lot here too.
  INSERT INTO lot_renewal{s} (wallet_id, lot_id, expire_time, group_id)
    SELECT p_item.wallet_id, a.lot_id, a.expire_time, p_item.group_id
    FROM jsonb_to_recordset(v_move->'lots') AS a (lot_id uuid, expire_time timestamptz, is_renewed boolean)
    WHERE a.is_renewed ON CONFLICT DO NOTHING;
  INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
    SELECT p_item.wallet_id, p_item.txn_id, 0::smallint, p_item.group_id, 'member', NULL, sum(t.points)
    FROM unnest(v_takes) t
    UNION ALL
    SELECT p_item.wallet_id, p_item.txn_id, (row_number() OVER (ORDER BY t.merchant_id))::smallint, p_item.group_id,
           'transit', t.merchant_id, -sum(t.points)
    FROM unnest(v_takes) t GROUP BY t.merchant_id;
  UPDATE wallet{s} w
    SET available_points = w.available_points + p_item.points - v_pending, pending_points = w.pending_points + v_pending,
        transferred_points = w.transferred_points + p_item.points, version = w.version + 1,
        first_expire_time = least(w.first_expire_time, v_first)
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, p_item.points, v_pending, 0, v_takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;
