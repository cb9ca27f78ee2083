-- What a member spends or holds of a family pool.

-- Count p_item.points as spent by the member p_item.ref_id, unless that exceeds what this member may spend in 30 days
-- (`expected`, 0 means any amount): then answer what of it is left, and count nothing. What a hold does not capture and what
-- is given back is taken off again.
CREATE OR REPLACE FUNCTION ledger_pool_spend{s}(p_item ledger_item, p_now timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_recent bigint;
BEGIN
  IF p_item.expected > 0 THEN
    SELECT coalesce(sum(s.points), 0) INTO v_recent FROM pool_spend{s} s
      WHERE s.wallet_id = p_item.wallet_id AND s.member_id = p_item.ref_id AND s.record_time > p_now - interval '30 days';
    IF v_recent + p_item.points > p_item.expected THEN
      RETURN greatest(p_item.expected - v_recent, 0);
    END IF;
  END IF;
  INSERT INTO pool_spend{s} (wallet_id, txn_id, group_id, member_id, points, record_time)
    VALUES (p_item.wallet_id, p_item.txn_id, p_item.group_id, p_item.ref_id, p_item.points, p_now);
  RETURN NULL;
END $$;
