-- The ledger's one call: apply the items of one lane, answer each with an outcome. One call is one transaction.
--
-- Kinds: 1 earn, 2 claw back, 3 redeem, 4 reverse, 5 expire, 6 hold, 7 capture, 8 release, 9 activate,
--   10 credit, 11 debit, 12 transfer out, 13 transfer in, 14 renew, 16 unlock,
--   20 fund (a top-up, or what a conversion gives), 21 convert out, 22 refund of a top-up,
--   23 award (what a sale earns of another currency), 24 return of an award,
--   100 merge out, 101 merge in (between two records of one person).
-- Statuses: 1 applied, 2 replay, 3 conflict (same id, other content), 4 unknown wallet, 5 insufficient, 6 stale,
--   7 hold released, 8 hold unknown, 9 hold captured, 10 capture exceeds hold, 11 redemption unknown,
--   12 reversal exceeds redemption, 13 nothing to do, 14 sale unknown, 15 transfer limit reached,
--   25 balance limit reached, 26 conversion limit reached, 27 pool limit reached.
--
-- A refusal is an outcome; an exception undoes the whole batch and means a defect or a clash, after which the caller
-- splits the batch. LN001 says that the lane is not here, or not any more: the caller connects anew and asks again. One
-- batch must not contain the same transaction twice.
--
-- Lock order: the lane's row, which lets one batch of a lane run at a time over all processes, then the wallets by id.
-- A statement sees what was committed when it began, so rows are read by statements after the one that locked.
CREATE OR REPLACE FUNCTION ledger_apply{s}(
  p_lane integer, p_now timestamptz, p_kind smallint[], p_wallet uuid[], p_group uuid[], p_txn uuid[], p_hash bytea[],
  p_points bigint[], p_merchant uuid[], p_store uuid[], p_ref uuid[], p_occur timestamptz[], p_expire timestamptz[],
  p_amount bigint[], p_expected integer[], p_reference text[], p_detail bytea[], p_explanation bytea[],
  p_payload bytea[], p_unlock timestamptz[], p_limit bigint[])
RETURNS SETOF ledger_outcome LANGUAGE plpgsql AS $$
DECLARE
  v_n bigint;
  v_first_n bigint;
  v_slow uuid[];
  v_item ledger_item;
  v_wallet wallet{s};
  v_seen txn{s};
  v_done record;
  v_outcome ledger_outcome;
BEGIN
  UPDATE lane{s} l SET batch_count = l.batch_count + 1 WHERE l.lane = p_lane RETURNING l.n INTO v_n;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'lane % is not here', p_lane USING ERRCODE = 'LN001';
  END IF;
  SELECT coalesce(array_agg(w.wallet_id) FILTER (WHERE w.debt_points > 0), '{}') INTO v_slow
    FROM (SELECT w.wallet_id, w.debt_points FROM wallet{s} w WHERE w.wallet_id = ANY (p_wallet)
          ORDER BY w.wallet_id FOR UPDATE) w;

  -- Wallets whose items have to go one after the other: those that owe, and those with anything but sales.
  IF 1 <> ANY (p_kind) THEN
    SELECT v_slow || array_agg(DISTINCT i.wallet_id) INTO v_slow
      FROM unnest(p_kind, p_wallet) i (kind, wallet_id) WHERE i.kind <> 1;
  END IF;

  -- All other sales at once.
  IF 1 = ANY (p_kind) THEN
  RETURN QUERY
  WITH item AS MATERIALIZED (
    SELECT i.wallet_id, i.group_id, i.txn_id, i.request_hash, i.points, i.merchant_id, i.store_id, i.occur_time,
           i.expire_time, i.amount_minor, i.reference, i.detail, i.explanation, i.payload, i.unlock_time, i.ord,
           CASE WHEN i.unlock_time IS NULL THEN 0 ELSE i.points END AS pending_points,
           w.available_points AS before_points, w.version AS before_version,
           w.wallet_id IS NOT NULL AS is_known, t.txn_id IS NOT NULL AS is_seen, t.request_hash AS seen_hash,
           t.points AS seen_points, t.debt_points AS seen_debt, t.available_points AS seen_available,
           t.expire_time AS seen_expire_time, t.explanation AS seen_explanation
    FROM unnest(p_kind, p_wallet, p_group, p_txn, p_hash, p_points, p_merchant, p_store, p_occur, p_expire, p_amount,
                p_reference, p_detail, p_explanation, p_payload, p_unlock) WITH ORDINALITY
         AS i (kind, wallet_id, group_id, txn_id, request_hash, points, merchant_id, store_id, occur_time, expire_time,
               amount_minor, reference, detail, explanation, payload, unlock_time, ord)
    -- OFFSET 0 keeps these look-ups by key, also in a plan that was made while the tables were empty.
    LEFT JOIN LATERAL (SELECT * FROM wallet{s} w WHERE w.wallet_id = i.wallet_id AND w.lane = p_lane OFFSET 0) w ON true
    LEFT JOIN LATERAL (SELECT * FROM txn{s} t WHERE t.wallet_id = i.wallet_id AND t.txn_id = i.txn_id OFFSET 0) t
      ON true
    WHERE i.kind = 1 AND i.wallet_id <> ALL (v_slow)
  ), fresh AS MATERIALIZED (
    -- Replays are left out before the running sums are made: they move nothing.
    SELECT i.*, (i.before_points + sum(i.points - i.pending_points) OVER before_it)::bigint AS after_points,
           i.before_version + row_number() OVER before_it AS version,
           v_n + (sum(CASE WHEN i.points > 0 THEN 2 ELSE 1 END) OVER (ORDER BY i.ord))::bigint AS n
    FROM item i WHERE i.is_known AND NOT i.is_seen
    WINDOW before_it AS (PARTITION BY i.wallet_id ORDER BY i.ord ROWS UNBOUNDED PRECEDING)
  ), put_txn AS (
    INSERT INTO txn{s} (wallet_id, txn_id, group_id, version, kind, points, pending_points, debt_points,
                        available_points, request_hash, occur_time, record_time, merchant_id, store_id, ref_id,
                        reference, expire_time, unlock_time, amount_minor, detail, explanation)
    SELECT f.wallet_id, f.txn_id, f.group_id, f.version, 1, f.points, f.pending_points, 0, f.after_points,
           f.request_hash, f.occur_time, p_now, f.merchant_id, f.store_id, NULL, f.reference, f.expire_time,
           f.unlock_time, f.amount_minor, f.detail, f.explanation
    FROM fresh f
  ), put_posting AS (
    INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
    SELECT f.wallet_id, f.txn_id, leg.leg, f.group_id, leg.account,
           CASE leg.leg WHEN 1 THEN f.merchant_id END, leg.sign * f.points
    FROM fresh f CROSS JOIN (VALUES (0::smallint, 'member', 1), (1::smallint, 'issuer', -1)) leg (leg, account, sign)
    WHERE f.points > 0
  ), put_lot AS (
    INSERT INTO lot{s} (wallet_id, expire_time, lot_id, group_id, merchant_id, points, left_points, held_points,
                        unlock_time)
    SELECT f.wallet_id, f.expire_time, f.txn_id, f.group_id, f.merchant_id, f.points, f.points, 0, f.unlock_time
    FROM fresh f WHERE f.points > 0
  ), put_outbox AS (
    INSERT INTO ledger_outbox{s} (lane, n, wallet_id, group_id, txn_id, ref_id, kind, points, debt_points, merchant_id,
                                  occur_time, expire_time, unlock_time, lot_ids, lot_merchant_ids, lot_points, payload)
    SELECT p_lane, f.n, f.wallet_id, f.group_id, f.txn_id, NULL, 1, f.points, 0, f.merchant_id, f.occur_time,
           f.expire_time, f.unlock_time, NULL, NULL, NULL, f.payload
    FROM fresh f
  ), put_wallet AS (
    UPDATE wallet{s} w
    SET available_points = w.available_points + s.points - s.pending_points,
        pending_points = w.pending_points + s.pending_points, earned_points = w.earned_points + s.points,
        version = w.version + s.txn_count, first_expire_time = least(w.first_expire_time, s.first_expire_time)
    FROM (SELECT f.wallet_id, sum(f.points) AS points, sum(f.pending_points) AS pending_points, count(*) AS txn_count,
                 min(f.expire_time) FILTER (WHERE f.points > f.pending_points) AS first_expire_time
          FROM fresh f GROUP BY f.wallet_id) s
    WHERE w.wallet_id = s.wallet_id
  ), put_slot AS (
    INSERT INTO issuer_slot{s} AS slot (lane, merchant_id, group_id, issued_points, clawed_back_points,
                                        redeemed_points, expired_points, outstanding_points, debt_points,
                                        accepted_points, sale_count, sales_minor, currency_id)
    SELECT p_lane, f.merchant_id, f.group_id, sum(f.points), 0, 0, 0, sum(f.points), 0, 0, count(*),
           sum(f.amount_minor), f.group_id
    FROM fresh f GROUP BY f.merchant_id, f.group_id
    ON CONFLICT (lane, merchant_id, currency_id) DO UPDATE
      SET issued_points = slot.issued_points + excluded.issued_points,
          outstanding_points = slot.outstanding_points + excluded.outstanding_points,
          sale_count = slot.sale_count + excluded.sale_count, sales_minor = slot.sales_minor + excluded.sales_minor
  ), put_lane AS (
    UPDATE lane{s} l SET n = (SELECT max(f.n) FROM fresh f)
    WHERE l.lane = p_lane AND EXISTS (SELECT FROM fresh)
  )
  SELECT f.ord, 1::smallint, f.points, 0::bigint, f.after_points, f.expire_time, NULL::bytea, NULL::bytea
  FROM fresh f
  UNION ALL
  SELECT i.ord, CASE WHEN NOT i.is_known THEN 4 WHEN i.seen_hash = i.request_hash THEN 2 ELSE 3 END::smallint,
         i.seen_points, i.seen_debt, i.seen_available, i.seen_expire_time, NULL, i.seen_explanation
  FROM item i WHERE i.is_seen OR NOT i.is_known;
  END IF;

  IF cardinality(v_slow) = 0 THEN
    RETURN;
  END IF;

  SELECT l.n INTO v_n FROM lane{s} l WHERE l.lane = p_lane;
  v_first_n := v_n;
  FOR v_item IN
    SELECT i.*, NULL::bigint, NULL::uuid
    FROM unnest(p_kind, p_wallet, p_group, p_txn, p_hash, p_points, p_merchant, p_store, p_ref, p_occur, p_expire,
                p_amount, p_expected, p_reference, p_detail, p_explanation, p_payload, p_unlock, p_limit)
                    WITH ORDINALITY AS i (kind, wallet_id, group_id, txn_id, request_hash, points, merchant_id, store_id,
                                          ref_id, occur_time, expire_time, amount_minor, expected, reference, detail,
                                          explanation, payload, unlock_time, limit_points, ord)
    WHERE i.wallet_id = ANY (v_slow) ORDER BY i.ord
  LOOP
    SELECT w.* INTO v_wallet FROM wallet{s} w WHERE w.wallet_id = v_item.wallet_id AND w.lane = p_lane;
    IF NOT FOUND THEN
      v_outcome := ROW(v_item.ord, 4, 0, 0, 0, NULL, NULL, NULL);
      RETURN NEXT v_outcome;
      CONTINUE;
    END IF;
    v_item.currency_id := coalesce(v_wallet.currency_id, v_wallet.group_id);
    IF v_item.kind IN (6, 8) THEN  -- they have their own table of ids
      IF v_item.kind = 6 THEN
        v_outcome := ledger_hold{s}(v_item, v_wallet, p_lane, p_now);
      ELSE
        v_outcome := ledger_release{s}(v_item, v_wallet, p_lane, p_now);
      END IF;
      RETURN NEXT v_outcome;
      CONTINUE;
    END IF;
    SELECT t.* INTO v_seen FROM txn{s} t WHERE t.wallet_id = v_item.wallet_id AND t.txn_id = v_item.txn_id;
    IF FOUND THEN
      v_outcome := ROW(v_item.ord,
                       CASE WHEN v_seen.request_hash <> v_item.request_hash THEN 3
                            WHEN v_seen.kind = 11 AND v_seen.points = 0 THEN 5 ELSE 2 END,
                       CASE WHEN v_item.kind IN (9, 16) THEN -v_seen.pending_points
                            WHEN v_item.kind = 14 THEN v_seen.unmoved_points ELSE abs(v_seen.points) END,
                       v_seen.debt_points, v_seen.available_points, v_seen.expire_time,
                       v_seen.detail, v_seen.explanation);
      RETURN NEXT v_outcome;
      CONTINUE;
    END IF;
    CASE v_item.kind
      WHEN 1, 10, 23 THEN v_done := ledger_earn{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 2, 24 THEN v_done := ledger_claw_back{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 3 THEN v_done := ledger_redeem{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 4 THEN v_done := ledger_reverse{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 5 THEN v_done := ledger_expire{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 7 THEN v_done := ledger_capture{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 9 THEN v_done := ledger_activate{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 11 THEN v_done := ledger_debit{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 12 THEN v_done := ledger_transfer_out{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 13 THEN v_done := ledger_transfer_in{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 14 THEN v_done := ledger_renew{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 16 THEN v_done := ledger_unlock{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 20 THEN v_done := ledger_fund{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 21 THEN v_done := ledger_convert_out{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 22 THEN v_done := ledger_refund_funding{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 100 THEN v_done := ledger_merge_out{s}(v_item, v_wallet, p_lane, p_now, v_n);
      WHEN 101 THEN v_done := ledger_merge_in{s}(v_item, v_wallet, p_lane, p_now, v_n);
    END CASE;
    v_n := v_done.n;
    v_outcome := v_done.o;
    RETURN NEXT v_outcome;
  END LOOP;
  IF v_n > v_first_n THEN
    UPDATE lane{s} l SET n = v_n WHERE l.lane = p_lane;
  END IF;
END $$;
