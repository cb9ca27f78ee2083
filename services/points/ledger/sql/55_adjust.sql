-- A manual debit: take p_item.points of what is available, earliest expiry first, back to the issuers of the lots.
--
-- Whether there is enough is decided here, once and for ever: a refusal leaves a transaction of no points behind, and every
-- later attempt with the same id finds it. Whoever asks twice, or after a crash, can therefore not be told two things.
CREATE OR REPLACE FUNCTION ledger_debit{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, INOUT n bigint, OUT o ledger_outcome)
LANGUAGE plpgsql AS $$
DECLARE
  v_chosen record;
BEGIN
  v_chosen := ledger_choose{s}(p_wallet, p_item.points, p_now, NULL, NULL);
  IF v_chosen.taken < p_item.points THEN
    UPDATE wallet{s} w SET version = w.version + 1 WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
    -- What could have been taken, not what a run that is late has still to expire.
    p_wallet.available_points := v_chosen.taken;
    n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, 0, 0, 0, NULL, n);
    o := ROW(p_item.ord, 5, 0, 0, v_chosen.taken, NULL, NULL, NULL);
    RETURN;
  END IF;
  PERFORM ledger_use{s}(p_item, p_lane, v_chosen.takes, 1, false, 'debited');
  UPDATE wallet{s} w
    SET available_points = w.available_points - p_item.points,
        clawed_back_points = w.clawed_back_points + p_item.points, version = w.version + 1,
        first_expire_time = CASE WHEN w.held_points = 0 AND w.first_expire_time > p_now
                                 THEN (v_chosen.takes[cardinality(v_chosen.takes)]).expire_time
                                 ELSE w.first_expire_time END
    WHERE w.wallet_id = p_item.wallet_id RETURNING w.* INTO p_wallet;
  n := ledger_record{s}(p_item, p_wallet, p_lane, p_now, -p_item.points, 0, 0, v_chosen.takes, n);
  o := ROW(p_item.ord, 1, p_item.points, 0, p_wallet.available_points, NULL, NULL, NULL);
END $$;
