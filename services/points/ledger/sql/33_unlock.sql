-- What held the points of the sale p_item.ref_id (its lot expires at expire_time) is over, or some of it: they unlock now,
-- or, when unlock_time lies ahead, no later than then. A lot that is not pending any more, by time or by a return, is left
-- as it is. Like an activation it moves points within the wallet, so it has no postings; unlike one it takes a single lot
-- out of its turn.
CREATE OR REPLACE FUNCTION ledger_unlock{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_lot record;
BEGIN
  SELECT l.merchant_id, l.left_points, l.unlock_time INTO v_lot FROM lot{s} l
    WHERE l.wallet_id = p_item.wallet_id AND l.expire_time = p_item.expire_time AND l.lot_id = p_item.ref_id
      AND l.unlock_time IS NOT NULL;
  IF FOUND THEN
    UPDATE lot{s} l
      SET unlock_time = CASE WHEN p_item.unlock_time > p_now THEN least(l.unlock_time, p_item.unlock_time) END
      WHERE l.wallet_id = p_item.wallet_id AND l.expire_time = p_item.expire_time AND l.lot_id = p_item.ref_id;
  END IF;
  IF NOT FOUND OR v_lot.left_points = 0 OR p_item.unlock_time > p_now THEN
    o := ROW(p_item.ord, 13, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  UPDATE wallet{s} w
    SET available_points = w.available_points + v_lot.left_points,
        pending_points = w.pending_points - v_lot.left_points, version = w.version + 1,
        first_expire_time = least(w.first_expire_time, p_item.expire_time)
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  p_item.unlock_time := p_now;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, 0, -v_lot.left_points, 0,
                        ARRAY[ROW(p_item.ref_id, p_item.expire_time, v_lot.merchant_id, v_lot.left_points)::ledger_take],
                        n);
  o := ROW(p_item.ord, 1, v_lot.left_points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;
