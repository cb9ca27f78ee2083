-- Another expiry for points that the member has: p_item.expire_time for what expires before p_item.unlock_time. They leave
-- their lots for ones with the same ids and issuers, so nobody owes anybody anything for it and there are no postings.
-- Points that are held or pending stay, and so do those that expire later anyway or whose time is over. Spending that is
-- reversed comes back to the lots it was taken from.
CREATE OR REPLACE FUNCTION ledger_renew{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_takes ledger_take[];
BEGIN
  SELECT array_agg(ROW(l.lot_id, l.expire_time, l.merchant_id, l.left_points - l.held_points)::ledger_take
                   ORDER BY l.expire_time, l.lot_id), sum(l.left_points - l.held_points)
    INTO v_takes, p_item.unmoved_points FROM lot{s} l
    WHERE l.wallet_id = p_item.wallet_id AND l.expire_time > p_now AND l.expire_time >= p_wallet.first_expire_time
      AND l.expire_time < least(p_item.unlock_time, p_item.expire_time)
      AND l.unlock_time IS NULL AND l.left_points > l.held_points;
  IF v_takes IS NULL THEN
    o := ROW(p_item.ord, 13, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  UPDATE lot{s} l SET left_points = l.left_points - t.points FROM unnest(v_takes) t
    WHERE l.wallet_id = p_item.wallet_id AND l.expire_time = t.expire_time AND l.lot_id = t.lot_id;
  INSERT INTO lot_use{s} (wallet_id, txn_id, lot_id, group_id, expire_time, merchant_id, points, restored_points)
    SELECT p_item.wallet_id, p_item.txn_id, t.lot_id, p_item.group_id, t.expire_time, t.merchant_id, t.points, 0
    FROM unnest(v_takes) t;
  -- One lot may come from several expiries; it may be there already, from an earlier renewal.
  INSERT INTO lot{s} AS l (wallet_id, expire_time, lot_id, group_id, merchant_id, points, left_points, held_points,
                           unlock_time)
    SELECT p_item.wallet_id, p_item.expire_time, t.lot_id, p_item.group_id, t.merchant_id, sum(t.points), sum(t.points), 0,
           NULL
    FROM unnest(v_takes) t GROUP BY t.lot_id, t.merchant_id
    ON CONFLICT (wallet_id, expire_time, lot_id) DO UPDATE
      SET points = l.points + excluded.points, left_points = l.left_points + excluded.left_points;
  -- Where a return of the sale finds its lot.
  INSERT INTO lot_renewal{s} (wallet_id, lot_id, expire_time, group_id)
    SELECT DISTINCT p_item.wallet_id, t.lot_id, p_item.expire_time, p_item.group_id FROM unnest(v_takes) t
    ON CONFLICT (wallet_id, lot_id, expire_time) DO NOTHING;
  UPDATE wallet{s} w
    SET version = w.version + 1,
        first_expire_time = (SELECT min(l.expire_time) FROM lot{s} l
                             WHERE l.wallet_id = p_item.wallet_id AND l.expire_time >= w.first_expire_time
                               AND l.unlock_time IS NULL AND l.left_points > 0)
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  p_item.unlock_time := NULL;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, 0, 0, 0, v_takes, n);
  o := ROW(p_item.ord, 1, p_item.unmoved_points, 0, p_wallet.available_points, p_item.expire_time, NULL, NULL);
END $$;
