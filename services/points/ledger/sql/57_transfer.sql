-- Points from member to member: taken out of one wallet, put into another, two calls that may run in two lanes. What is
-- between them is on the transit account, with the issuer whose points they are; the row in `transfer` says what arrives.

-- Take p_item.points, earliest expiry first, for the wallet p_item.ref_id. `expected` is the most that may go out of this
-- wallet in 24 hours; -1 is a transfer into or out of a family pool, which no such limit counts. Who owes points has that much less to give away.
CREATE OR REPLACE FUNCTION ledger_transfer_out{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_chosen record;
  v_recent bigint;
BEGIN
  SELECT coalesce(sum(t.points), 0) INTO v_recent FROM transfer{s} t
    WHERE t.wallet_id = p_item.wallet_id AND t.record_time > p_now - interval '24 hours' AND t.pool_id IS NULL;
  IF p_item.expected >= 0 AND v_recent + p_item.points > p_item.expected THEN
    o := ROW(p_item.ord, 15, greatest(p_item.expected - v_recent, 0), 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  v_chosen := ledger_choose{s}(p_wallet, p_item.points + p_wallet.debt_points, p_now, NULL, NULL);
  IF v_chosen.taken < p_item.points + p_wallet.debt_points THEN
    o := ROW(p_item.ord, 5, 0, 0, greatest(v_chosen.taken - p_wallet.debt_points, 0), NULL, NULL, NULL);
    RETURN;
  END IF;
  IF p_wallet.debt_points > 0 THEN
    v_chosen := ledger_choose{s}(p_wallet, p_item.points, p_now, NULL, NULL);
  END IF;
  PERFORM ledger_use{s}(p_item, p_lane, v_chosen.takes, 1, false, 'transit');
  INSERT INTO transfer{s} (wallet_id, txn_id, group_id, to_wallet_id, points, record_time, has_arrived, lots,
                           pool_id)
    SELECT p_item.wallet_id, p_item.txn_id, p_item.group_id, p_item.ref_id, p_item.points, p_now, false,
           jsonb_agg(to_jsonb(t) ORDER BY t.expire_time, t.lot_id),
           CASE WHEN p_item.expected < 0
                THEN CASE WHEN p_wallet.owner_id IS NULL THEN p_item.ref_id ELSE p_item.wallet_id END END
    FROM unnest(v_chosen.takes) t;
  UPDATE wallet{s} w
    SET available_points = w.available_points - p_item.points,
        transferred_points = w.transferred_points - p_item.points, version = w.version + 1,
        first_expire_time = CASE WHEN w.held_points = 0 AND w.first_expire_time > p_now
                                 THEN (v_chosen.takes[cardinality(v_chosen.takes)]).expire_time
                                 ELSE w.first_expire_time END
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -p_item.points, 0, 0, v_chosen.takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;

-- Put what the transfer p_item.ref_id took into this wallet: the same lots, with their issuers and expiry. `explanation` is
-- `transfer.lots` as text, for the row itself may be on another server. It always goes through: a lot whose time is over
-- by now expires in the next run.
CREATE OR REPLACE FUNCTION ledger_transfer_in{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_takes ledger_take[];
BEGIN
  SELECT array_agg(t ORDER BY t.expire_time, t.lot_id) INTO v_takes
    FROM jsonb_populate_recordset(NULL::ledger_take, convert_from(p_item.explanation, 'UTF8')::jsonb) t;
  -- The member may have had points of the same lot before, and given them away.
  INSERT INTO lot{s} AS l (wallet_id, expire_time, lot_id, group_id, merchant_id, points, left_points, held_points,
                           unlock_time)
    SELECT p_item.wallet_id, t.expire_time, t.lot_id, p_item.group_id, t.merchant_id, t.points, t.points, 0, NULL
    FROM unnest(v_takes) t
    ON CONFLICT (wallet_id, expire_time, lot_id) DO UPDATE
      SET points = l.points + excluded.points, left_points = l.left_points + excluded.points;
  INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
    SELECT p_item.wallet_id, p_item.txn_id, 0::smallint, p_item.group_id, 'member', NULL, sum(t.points)
    FROM unnest(v_takes) t
    UNION ALL
    SELECT p_item.wallet_id, p_item.txn_id, (row_number() OVER (ORDER BY t.merchant_id))::smallint, p_item.group_id,
           'transit', t.merchant_id, -sum(t.points)
    FROM unnest(v_takes) t GROUP BY t.merchant_id;
  UPDATE wallet{s} w
    SET available_points = w.available_points + p_item.points,
        transferred_points = w.transferred_points + p_item.points, version = w.version + 1,
        first_expire_time = least(w.first_expire_time, (SELECT min(t.expire_time) FROM unnest(v_takes) t))
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  p_item.explanation := NULL;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, p_item.points, 0, 0, v_takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;
