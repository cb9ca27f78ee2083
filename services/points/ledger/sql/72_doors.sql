-- What the doors of a sale need to know over all wallets: payments, devices' counters, sales alike. All of it is asked
-- ahead of the ledger call and in a transaction of its own, like a claim: a retry finds what was said the first time.

-- Claim payments for sales: the first one stays. Answers whose sale each payment is.
CREATE OR REPLACE FUNCTION claim_payments(p_payment uuid[], p_group uuid[], p_sale uuid[])
RETURNS TABLE (ord bigint, sale_id uuid) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO payment_claim (payment_key, group_id, sale_id)
    SELECT DISTINCT ON (i.payment_key) i.payment_key, i.group_id, i.sale_id
    FROM unnest(p_payment, p_group, p_sale) WITH ORDINALITY AS i (payment_key, group_id, sale_id, ord)
    ORDER BY i.payment_key, i.ord
    ON CONFLICT DO NOTHING;
  RETURN QUERY
    SELECT i.ord, c.sale_id FROM unnest(p_payment) WITH ORDINALITY AS i (payment_key, ord)
    JOIN payment_claim c ON c.payment_key = i.payment_key;
END $$;

-- Bind numbers of devices to sales: the first one stays. Answers whose sale each number is.
CREATE OR REPLACE FUNCTION claim_device_sales(p_device uuid[], p_seq bigint[], p_group uuid[], p_sale uuid[])
RETURNS TABLE (ord bigint, sale_id uuid) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO device_sale (device_key, seq, group_id, sale_id, is_recorded)
    SELECT DISTINCT ON (i.device_key, i.seq) i.device_key, i.seq, i.group_id, i.sale_id, false
    FROM unnest(p_device, p_seq, p_group, p_sale) WITH ORDINALITY AS i (device_key, seq, group_id, sale_id, ord)
    ORDER BY i.device_key, i.seq, i.ord
    ON CONFLICT DO NOTHING;
  RETURN QUERY
    SELECT i.ord, d.sale_id FROM unnest(p_device, p_seq) WITH ORDINALITY AS i (device_key, seq, ord)
    JOIN device_sale d ON d.device_key = i.device_key AND d.seq = i.seq;
END $$;

-- Numbers of devices whose sales are recorded now: a number that was only claimed may have been lost on the way.
CREATE OR REPLACE FUNCTION record_device_sales(p_device uuid[], p_seq bigint[], p_group uuid[])
RETURNS TABLE (ord bigint) LANGUAGE plpgsql AS $$
DECLARE
  v_device record;
  v_seq bigint;
BEGIN
  INSERT INTO device (device_key, group_id, contiguous_seq, highest_seq)
    SELECT DISTINCT ON (i.device_key) i.device_key, i.group_id, 0, 0
    FROM unnest(p_device, p_group) AS i (device_key, group_id) ORDER BY i.device_key
    ON CONFLICT DO NOTHING;
  -- Devices are locked in order; the statements after this one see what others have recorded of them.
  PERFORM FROM device d WHERE d.device_key = ANY (p_device) ORDER BY d.device_key FOR UPDATE;
  UPDATE device_sale d SET is_recorded = true
    FROM unnest(p_device, p_seq) AS i (device_key, seq)
    WHERE d.device_key = i.device_key AND d.seq = i.seq AND NOT d.is_recorded;
  FOR v_device IN
    SELECT d.device_key, d.contiguous_seq, i.highest_seq
    FROM (SELECT u.device_key, max(u.seq) AS highest_seq FROM unnest(p_device, p_seq) AS u (device_key, seq)
          GROUP BY u.device_key) i
    JOIN device d ON d.device_key = i.device_key
  LOOP
    v_seq := v_device.contiguous_seq;
    WHILE EXISTS (SELECT FROM device_sale s WHERE s.device_key = v_device.device_key AND s.seq = v_seq + 1
                    AND s.is_recorded) LOOP
      v_seq := v_seq + 1;
    END LOOP;
    UPDATE device d SET contiguous_seq = v_seq, highest_seq = greatest(d.highest_seq, v_device.highest_seq)
      WHERE d.device_key = v_device.device_key;
  END LOOP;
  RETURN QUERY SELECT i::bigint FROM generate_series(1, cardinality(p_device)) i;
END $$;

-- Look at sales beside the others of their member, terminal and store, and open the cases that their points have to wait
-- for. Only a sale that was not seen before is looked at; answers all cases of each, with when their waits end.
-- While members are merged, all of them are one: the survivor's limits count, whichever card was shown.
--
-- p_pair_seconds: how far apart a pair may be, 0 does not look for one. p_limits: VelocityLimit as JSON, NULL for none.
-- p_…_until: until when a case of the kind would wait; NULL opens none.
CREATE OR REPLACE FUNCTION watch_sales(
  p_sale uuid[], p_group uuid[], p_wallet uuid[], p_merchant uuid[], p_store uuid[], p_source text[], p_terminal text[],
  p_provider text[], p_receipt text[], p_serial bigint[], p_amount bigint[], p_points bigint[], p_time timestamptz[],
  p_now timestamptz[], p_window timestamptz[], p_pair_seconds integer[], p_limits text[],
  p_confirm_case uuid[], p_confirm_until timestamptz[], p_pair_case uuid[], p_pair_until timestamptz[],
  p_risk_case uuid[], p_risk_until timestamptz[])
RETURNS TABLE (ord bigint, case_ids uuid[], kinds smallint[], until_times timestamptz[]) LANGUAGE plpgsql AS $$
DECLARE
  v_sale record;
  v_limit record;
  v_counted record;
  v_other uuid;
  v_evidence jsonb;
  v_since timestamptz;
  v_most integer;
  v_person uuid;
  v_wallets uuid[];
BEGIN
  -- Of two alike at the same time one waits here and then sees the other. Members in order, so that two batches cannot
  -- wait for each other.
  PERFORM pg_advisory_xact_lock(p.key)
    FROM (SELECT DISTINCT hashtextextended('watch_sales' || coalesce(m.survivor_id, w), 0) AS key
          FROM unnest(p_wallet) w LEFT JOIN member m ON m.member_id = w ORDER BY 1) p;
  FOR v_sale IN
    SELECT i.* FROM unnest(p_sale, p_group, p_wallet, p_merchant, p_store, p_source, p_terminal, p_provider, p_receipt,
                           p_serial, p_amount, p_points, p_time, p_now, p_window, p_pair_seconds, p_limits,
                           p_confirm_case, p_confirm_until, p_pair_case, p_pair_until, p_risk_case, p_risk_until)
                    WITH ORDINALITY
      AS i (sale_id, group_id, wallet_id, merchant_id, store_id, source, terminal, payment_provider, receipt_no,
            receipt_serial, amount_minor, points, sale_time, now_time, window_time, pair_seconds, limits,
            confirm_case, confirm_until, pair_case, pair_until, risk_case, risk_until, ord)
    ORDER BY i.ord
  LOOP
    INSERT INTO sale_seen (sale_id, group_id, wallet_id, merchant_id, store_id, source, terminal, payment_provider,
                           receipt_no, receipt_serial, amount_minor, points, sale_time)
      VALUES (v_sale.sale_id, v_sale.group_id, v_sale.wallet_id, v_sale.merchant_id, v_sale.store_id, v_sale.source,
              v_sale.terminal, v_sale.payment_provider, v_sale.receipt_no, v_sale.receipt_serial, v_sale.amount_minor,
              v_sale.points, v_sale.sale_time)
      ON CONFLICT DO NOTHING;
    IF FOUND THEN
      v_other := NULL;
      v_evidence := '[]';
      SELECT coalesce(m.survivor_id, m.member_id) INTO v_person FROM member m WHERE m.member_id = v_sale.wallet_id;
      v_wallets := coalesce(v_person, v_sale.wallet_id)
                   || ARRAY(SELECT m.member_id FROM member m WHERE m.survivor_id = v_person);
      IF v_sale.pair_seconds > 0 AND v_sale.pair_until IS NOT NULL THEN
        -- Payments of one platform are told apart by their ids. One that is half of a pair already is less likely.
        SELECT s.sale_id INTO v_other FROM sale_seen s
          WHERE s.wallet_id = ANY (v_wallets) AND s.sale_id <> v_sale.sale_id
            AND s.sale_time BETWEEN v_sale.sale_time - make_interval(secs => v_sale.pair_seconds)
                                AND v_sale.sale_time + make_interval(secs => v_sale.pair_seconds)
            AND s.merchant_id = v_sale.merchant_id AND s.amount_minor = v_sale.amount_minor
            AND s.source <> v_sale.source
            AND (v_sale.payment_provider IS NULL OR s.payment_provider IS DISTINCT FROM v_sale.payment_provider)
          ORDER BY EXISTS (SELECT FROM sale_case c WHERE c.other_sale_id = s.sale_id),
                   abs(extract(epoch FROM s.sale_time - v_sale.sale_time)), s.sale_id
          LIMIT 1;
      END IF;
      IF v_sale.limits IS NOT NULL AND v_sale.risk_until IS NOT NULL THEN
        FOR v_limit IN
          SELECT l.* FROM jsonb_to_recordset(v_sale.limits::jsonb)
            AS l (limit_id text, scope integer, window_seconds integer, max_sales integer, max_points bigint,
                  max_same_amount integer, max_successive_receipts integer, max_times_average integer)
        LOOP
          v_since := v_sale.sale_time - make_interval(secs => v_limit.window_seconds);
          -- One more than allowed tells as much as all of them; sums and patterns need them, and get so many.
          v_most := CASE WHEN greatest(v_limit.max_points, v_limit.max_same_amount, v_limit.max_successive_receipts,
                                       v_limit.max_times_average) = 0 THEN v_limit.max_sales + 1 ELSE 1000 END;
          SELECT count(*) AS sales, coalesce(sum(s.points), 0)::bigint AS points,
                 count(*) FILTER (WHERE s.amount_minor = v_sale.amount_minor) AS same_amount,
                 count(DISTINCT s.receipt_serial) FILTER (
                   WHERE s.store_id = v_sale.store_id AND s.source = v_sale.source
                     AND s.receipt_serial BETWEEN v_sale.receipt_serial - v_limit.max_successive_receipts
                                              AND v_sale.receipt_serial) AS successive,
                 count(*) FILTER (WHERE s.sale_id <> v_sale.sale_id) AS others,
                 avg(s.amount_minor) FILTER (WHERE s.sale_id <> v_sale.sale_id) AS average
            INTO v_counted
            FROM (
              (SELECT s.sale_id, s.store_id, s.source, s.receipt_serial, s.amount_minor, s.points
                FROM sale_seen s
                WHERE v_limit.scope = 1 AND s.wallet_id = ANY (v_wallets)
                  AND s.sale_time <= v_sale.sale_time AND s.sale_time > v_since
                ORDER BY s.sale_time DESC LIMIT v_most)
              UNION ALL
              (SELECT s.sale_id, s.store_id, s.source, s.receipt_serial, s.amount_minor, s.points
                FROM sale_seen s
                WHERE v_limit.scope = 2 AND s.store_id = v_sale.store_id AND s.terminal = v_sale.terminal
                  AND s.sale_time <= v_sale.sale_time AND s.sale_time > v_since
                ORDER BY s.sale_time DESC LIMIT v_most)
              UNION ALL
              (SELECT s.sale_id, s.store_id, s.source, s.receipt_serial, s.amount_minor, s.points
                FROM sale_seen s
                WHERE v_limit.scope = 3 AND s.store_id = v_sale.store_id
                  AND s.sale_time <= v_sale.sale_time AND s.sale_time > v_since
                ORDER BY s.sale_time DESC LIMIT v_most)) s;
          v_evidence := v_evidence || (
            SELECT coalesce(jsonb_agg(jsonb_build_object(
                     'limit_id', v_limit.limit_id, 'measure', m.measure, 'seen', m.seen, 'allowed', m.allowed)), '[]')
            FROM (VALUES
              ('SALES', v_counted.sales, v_limit.max_sales::bigint),
              ('POINTS', v_counted.points, v_limit.max_points),
              ('SAME_AMOUNT', v_counted.same_amount, v_limit.max_same_amount::bigint),
              ('SUCCESSIVE_RECEIPTS', v_counted.successive, v_limit.max_successive_receipts::bigint),
              ('TIMES_AVERAGE', CASE WHEN v_counted.others >= 20 AND v_counted.average > 0
                                     THEN ceil(v_sale.amount_minor / v_counted.average)::bigint END,
               v_limit.max_times_average::bigint)) m (measure, seen, allowed)
            WHERE m.allowed > 0 AND m.seen > m.allowed);
        END LOOP;
      END IF;
      INSERT INTO sale_case (case_id, sale_id, kind, group_id, wallet_id, store_id, state, until_time, window_time,
                             other_sale_id, evidence, create_time, is_applied)
        SELECT c.case_id, v_sale.sale_id, c.kind, v_sale.group_id, v_sale.wallet_id, v_sale.store_id, 1, c.until_time,
               v_sale.window_time, c.other_sale_id, c.evidence, v_sale.now_time, false
        FROM (VALUES
          (v_sale.confirm_case, 1::smallint, v_sale.confirm_until, NULL::uuid, NULL::jsonb, true),
          (v_sale.pair_case, 2::smallint, v_sale.pair_until, v_other, NULL, v_other IS NOT NULL),
          (v_sale.risk_case, 3::smallint, v_sale.risk_until, NULL, v_evidence, v_evidence <> '[]'))
          c (case_id, kind, until_time, other_sale_id, evidence, is_found)
        WHERE c.until_time IS NOT NULL AND c.is_found
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN QUERY
      SELECT v_sale.ord::bigint, array_agg(c.case_id ORDER BY c.kind), array_agg(c.kind ORDER BY c.kind),
             array_agg(c.until_time ORDER BY c.kind)
      FROM sale_case c WHERE c.sale_id = v_sale.sale_id;
  END LOOP;
END $$;
