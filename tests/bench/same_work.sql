-- The fair baseline: one sale a call, the same rows in the same tables, written as one would without batches.
-- Slots are picked at random so that callers do not wait for one merchant's row.
CREATE SCHEMA per_row;
CREATE TABLE per_row.wallet (LIKE public.wallet INCLUDING ALL) WITH (fillfactor = 70);
CREATE TABLE per_row.txn (LIKE public.txn INCLUDING ALL);
CREATE TABLE per_row.posting (LIKE public.posting INCLUDING ALL);
CREATE TABLE per_row.lot (LIKE public.lot INCLUDING ALL) WITH (fillfactor = 85);
CREATE TABLE per_row.issuer_slot (LIKE public.issuer_slot INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE per_row.ledger_outbox (LIKE public.ledger_outbox INCLUDING ALL);
CREATE SEQUENCE per_row.event_number CACHE 1;
CREATE FUNCTION per_row.post(p_wallet integer, p_merchant integer, p_slot integer, p_points bigint)
RETURNS bigint LANGUAGE plpgsql SET search_path = per_row AS $$
DECLARE
  v_wallet_id uuid := md5('wallet' || p_wallet)::uuid;
  v_merchant_id uuid := md5('merchant' || p_merchant)::uuid;
  v_group_id uuid := md5('group')::uuid;
  v_txn_id uuid := gen_random_uuid();
  v_now timestamptz := clock_timestamp();
  v_expire_time timestamptz := date_trunc('month', clock_timestamp()) + interval '13 months';
  v_hash bytea := decode(md5('content'), 'hex');
  v_wallet wallet;
  v_seen txn;
BEGIN
  SELECT w.* INTO v_wallet FROM wallet w WHERE w.wallet_id = v_wallet_id FOR UPDATE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  SELECT t.* INTO v_seen FROM txn t WHERE t.wallet_id = v_wallet_id AND t.txn_id = v_txn_id;
  IF FOUND THEN
    RETURN CASE WHEN v_seen.request_hash = v_hash THEN v_seen.available_points END;
  END IF;
  UPDATE wallet w
    SET available_points = w.available_points + p_points, earned_points = w.earned_points + p_points,
        version = w.version + 1, first_expire_time = least(w.first_expire_time, v_expire_time)
    WHERE w.wallet_id = v_wallet_id RETURNING w.* INTO v_wallet;
  INSERT INTO txn (wallet_id, txn_id, group_id, version, kind, points, pending_points, debt_points, available_points,
                   request_hash, occur_time, record_time, merchant_id, store_id, ref_id, reference, expire_time,
                   amount_minor, detail, explanation)
    VALUES (v_wallet_id, v_txn_id, v_group_id, v_wallet.version, 1, p_points, 0, 0, v_wallet.available_points, v_hash,
            v_now, v_now, v_merchant_id, v_merchant_id, NULL, 'receipt', v_expire_time, p_points * 100,
            convert_to(repeat('d', 260), 'UTF8'), convert_to(repeat('e', 80), 'UTF8'));
  INSERT INTO posting (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
    VALUES (v_wallet_id, v_txn_id, 0, v_group_id, 'member', NULL, p_points),
           (v_wallet_id, v_txn_id, 1, v_group_id, 'issuer', v_merchant_id, -p_points);
  INSERT INTO lot (wallet_id, expire_time, lot_id, group_id, merchant_id, points, left_points, held_points)
    VALUES (v_wallet_id, v_expire_time, v_txn_id, v_group_id, v_merchant_id, p_points, p_points, 0);
  INSERT INTO issuer_slot AS slot (lane, merchant_id, group_id, issued_points, clawed_back_points, redeemed_points,
                                   expired_points, outstanding_points, debt_points, accepted_points, sale_count,
                                   sales_minor, currency_id)
    VALUES (p_slot, v_merchant_id, v_group_id, p_points, 0, 0, 0, p_points, 0, 0, 1, p_points * 100, v_group_id)
    ON CONFLICT (lane, merchant_id, currency_id) DO UPDATE
      SET issued_points = slot.issued_points + excluded.issued_points,
          outstanding_points = slot.outstanding_points + excluded.outstanding_points,
          sale_count = slot.sale_count + 1, sales_minor = slot.sales_minor + excluded.sales_minor;
  INSERT INTO ledger_outbox (lane, n, wallet_id, group_id, txn_id, ref_id, kind, points, debt_points, merchant_id,
                             occur_time, expire_time, lot_ids, lot_merchant_ids, lot_points, payload)
    VALUES (0, nextval('event_number'), v_wallet_id, v_group_id, v_txn_id, NULL, 1, p_points, 0, v_merchant_id, v_now,
            v_expire_time, NULL, NULL, NULL, convert_to(repeat('p', 300), 'UTF8'));
  RETURN v_wallet.available_points;
END $$;
