-- One sale of a member who owes points, one manual credit, or one award: the debt is repaid first, oldest first, the lot gets the rest. What repays debt
-- does so at once, also when the rest is pending: the points are the member's, only spending them has to wait.
CREATE OR REPLACE FUNCTION ledger_earn{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_debt record;
  v_left bigint := p_item.points;
  v_repaid bigint := 0;
  v_take bigint;
  v_pending bigint;
  v_leg smallint := 2;
BEGIN
  FOR v_debt IN
    SELECT d.txn_id, d.merchant_id, d.left_points FROM debt{s} d
      WHERE d.wallet_id = p_item.wallet_id AND d.left_points > 0 ORDER BY d.version
  LOOP
    EXIT WHEN v_left = 0;
    v_take := least(v_left, v_debt.left_points);
    UPDATE debt{s} d SET left_points = d.left_points - v_take
      WHERE d.wallet_id = p_item.wallet_id AND d.txn_id = v_debt.txn_id;
    -- The member's debt shrinks, and so does what its issuer has to come: that issuer's claim is settled.
    INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
      VALUES (p_item.wallet_id, p_item.txn_id, v_leg, p_item.group_id, 'debt', v_debt.merchant_id, v_take),
             (p_item.wallet_id, p_item.txn_id, v_leg + 1, p_item.group_id, 'issuer', v_debt.merchant_id, -v_take);
    PERFORM ledger_slot{s}(p_lane, v_debt.merchant_id, p_item.group_id, 0, 0, 0, -v_take, 0, 0, 0, p_item.currency_id);
    v_leg := v_leg + 2;
    v_left := v_left - v_take;
    v_repaid := v_repaid + v_take;
  END LOOP;
  v_pending := CASE WHEN p_item.unlock_time IS NULL THEN 0 ELSE v_left END;
  IF v_left > 0 THEN
    INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
      VALUES (p_item.wallet_id, p_item.txn_id, 0, p_item.group_id, 'member', NULL, v_left),
             (p_item.wallet_id, p_item.txn_id, 1, p_item.group_id, 'issuer', p_item.merchant_id, -v_left);
    INSERT INTO lot{s} (wallet_id, expire_time, lot_id, group_id, merchant_id, points, left_points, held_points,
                        unlock_time)
      VALUES (p_item.wallet_id, p_item.expire_time, p_item.txn_id, p_item.group_id, p_item.merchant_id, v_left, v_left,
              0, p_item.unlock_time);
  END IF;
  PERFORM ledger_slot{s}(p_lane, p_item.merchant_id, p_item.group_id, p_item.points, 0, v_left, 0, 0,
                         CASE WHEN p_item.kind = 1 THEN 1 ELSE 0 END, p_item.amount_minor, p_item.currency_id);
  UPDATE wallet{s} w
    SET available_points = w.available_points + v_left - v_pending, pending_points = w.pending_points + v_pending,
        debt_points = w.debt_points - v_repaid, earned_points = w.earned_points + p_item.points, version = w.version + 1,
        first_expire_time = CASE WHEN v_left > v_pending THEN least(w.first_expire_time, p_item.expire_time)
                                 ELSE w.first_expire_time END
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, p_item.points, v_pending, v_repaid, NULL, n);
  o := ROW(p_item.ord, 1, p_item.points, v_repaid, p_wallet.available_points, p_item.expire_time, NULL, NULL);
END $$;

-- Take back what returned goods earned: p_item.points of the sale p_item.ref_id, whose lot expires at expire_time. That
-- lot gives first, pending or not, then what is available; pending points of other sales are left alone, the rest is debt, as
-- far as it does not make the member owe more than limit_points (none: no limit; less than 0: only the sale's own lot gives).
-- What goes beyond that is written off: nothing of it moves, its issuer does not get it back.
-- `expected` is how many refunds of the sale the caller has seen; another count is answered `stale`.
CREATE OR REPLACE FUNCTION ledger_claw_back{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_chosen record;
  v_rest bigint;
  v_debt bigint;
  v_written_off bigint;
  v_refund_count integer;
BEGIN
  IF NOT EXISTS (SELECT FROM txn{s} t
                 WHERE t.wallet_id = p_item.wallet_id AND t.txn_id = p_item.ref_id AND t.kind IN (1, 23)) THEN
    o := ROW(p_item.ord, 14, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  SELECT r.refund_count INTO v_refund_count FROM sale_refund{s} r
    WHERE r.wallet_id = p_item.wallet_id AND r.sale_id = p_item.ref_id;
  IF coalesce(v_refund_count, 0) <> p_item.expected THEN
    o := ROW(p_item.ord, 6, 0, 0, p_wallet.available_points, NULL, NULL, NULL);
    RETURN;
  END IF;
  v_chosen := ledger_choose{s}(p_wallet, p_item.points, p_now, p_item.ref_id, p_item.expire_time,
                               coalesce(p_item.limit_points < 0, false));
  v_rest := p_item.points - v_chosen.taken;
  v_debt := CASE WHEN p_item.limit_points IS NULL THEN v_rest
                 ELSE least(v_rest, greatest(p_item.limit_points - p_wallet.debt_points, 0)) END;
  v_written_off := v_rest - v_debt;
  p_item.points := v_chosen.taken + v_debt;
  -- explanation holds what has come back of each line, this refund included.
  INSERT INTO sale_refund{s} AS r (wallet_id, sale_id, group_id, refund_count, clawed_back_points, written_off_points,
                                   refunded_minor, returned_lines)
    VALUES (p_item.wallet_id, p_item.ref_id, p_item.group_id, 1, p_item.points, v_written_off, p_item.amount_minor,
            p_item.explanation)
    ON CONFLICT (wallet_id, sale_id) DO UPDATE
      SET refund_count = r.refund_count + 1, clawed_back_points = r.clawed_back_points + excluded.clawed_back_points,
          written_off_points = r.written_off_points + excluded.written_off_points,
          refunded_minor = r.refunded_minor + excluded.refunded_minor, returned_lines = excluded.returned_lines;
  PERFORM ledger_use{s}(p_item, p_lane, v_chosen.takes, 1, false, 'clawed_back');
  IF v_debt > 0 THEN
    INSERT INTO debt{s} (wallet_id, txn_id, group_id, version, merchant_id, points, left_points)
      VALUES (p_item.wallet_id, p_item.txn_id, p_item.group_id, p_wallet.version + 1, p_item.merchant_id, v_debt, v_debt);
    INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
      VALUES (p_item.wallet_id, p_item.txn_id, 10001, p_item.group_id, 'debt', p_item.merchant_id, -v_debt),
             (p_item.wallet_id, p_item.txn_id, 10002, p_item.group_id, 'issuer', p_item.merchant_id, v_debt);
  END IF;
  PERFORM ledger_slot{s}(p_lane, p_item.merchant_id, p_item.group_id, 0, p_item.points, 0, v_debt, 0, 0, 0, p_item.currency_id);
  IF v_written_off > 0 THEN
    p_item.unmoved_points := v_written_off;
    INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
      VALUES (p_item.wallet_id, p_item.txn_id, 10003, p_item.group_id, 'written_off', p_item.merchant_id, -v_written_off),
             (p_item.wallet_id, p_item.txn_id, 10004, p_item.group_id, 'issuer', p_item.merchant_id, v_written_off);
    INSERT INTO issuer_slot{s} AS slot (lane, merchant_id, group_id, issued_points, clawed_back_points, redeemed_points,
                                     expired_points, outstanding_points, debt_points, accepted_points, sale_count,
                                     sales_minor, written_off_points, currency_id)
      VALUES (p_lane, p_item.merchant_id, p_item.group_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, v_written_off, p_item.currency_id)
      ON CONFLICT (lane, merchant_id, currency_id) DO UPDATE
        SET written_off_points = coalesce(slot.written_off_points, 0) + excluded.written_off_points;
  END IF;
  UPDATE wallet{s} w
    SET available_points = w.available_points - v_chosen.taken + v_chosen.pending,
        pending_points = w.pending_points - v_chosen.pending, debt_points = w.debt_points + v_debt,
        clawed_back_points = w.clawed_back_points + p_item.points, version = w.version + 1
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  p_item.explanation := NULL;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -p_item.points, -v_chosen.pending, v_debt, v_chosen.takes, n);
  o := ROW(p_item.ord, 1, p_item.points, v_debt, p_wallet.available_points, NULL, NULL, NULL);
END $$;
