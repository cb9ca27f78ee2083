-- Choose lots of a wallet that give p_points: the lot p_own first (claw-back takes the sale's own, also while it is
-- pending, and wherever renewals have put it), then, unless p_own_only, the others that are unlocked and expire after p_now, earliest expiry first. Held points stay where they
-- are. May give less than was asked for; `pending` is what of it a pending lot gives.
CREATE OR REPLACE FUNCTION ledger_choose{s}(
  p_wallet wallet{s}, p_points bigint, p_now timestamptz, p_own uuid, p_own_expiry timestamptz,
  p_own_only boolean DEFAULT false, OUT takes ledger_take[], OUT taken bigint, OUT pending bigint)
LANGUAGE plpgsql AS $$
DECLARE
  v_lot record;
  v_take bigint;
BEGIN
  takes := '{}';
  taken := 0;
  pending := 0;
  IF p_own IS NOT NULL THEN
    FOR v_lot IN
      SELECT l.expire_time, l.merchant_id, l.left_points - l.held_points AS free, l.unlock_time FROM lot{s} l
        WHERE l.wallet_id = p_wallet.wallet_id AND l.lot_id = p_own AND l.left_points > l.held_points
          AND l.expire_time = ANY (p_own_expiry || ARRAY(SELECT r.expire_time FROM lot_renewal{s} r
                                                         WHERE r.wallet_id = p_wallet.wallet_id AND r.lot_id = p_own))
        ORDER BY l.expire_time
    LOOP
      EXIT WHEN taken = p_points;
      v_take := least(v_lot.free, p_points - taken);
      takes := takes || ROW(p_own, v_lot.expire_time, v_lot.merchant_id, v_take)::ledger_take;
      taken := taken + v_take;
      IF v_lot.unlock_time IS NOT NULL THEN
        pending := pending + v_take;
      END IF;
    END LOOP;
  END IF;
  IF taken = p_points OR p_own_only THEN
    RETURN;
  END IF;
  -- No unlocked lot that still holds points expires before first_expire_time: the scan starts there, past what is spent.
  FOR v_lot IN
    SELECT l.lot_id, l.expire_time, l.merchant_id, l.left_points - l.held_points AS free FROM lot{s} l
      WHERE l.wallet_id = p_wallet.wallet_id AND l.expire_time > p_now AND l.expire_time >= p_wallet.first_expire_time
        AND l.unlock_time IS NULL AND l.left_points > l.held_points AND l.lot_id IS DISTINCT FROM p_own
      ORDER BY l.expire_time, l.lot_id
  LOOP
    v_take := least(v_lot.free, p_points - taken);
    takes := takes || ROW(v_lot.lot_id, v_lot.expire_time, v_lot.merchant_id, v_take)::ledger_take;
    taken := taken + v_take;
    EXIT WHEN taken = p_points;
  END LOOP;
END $$;

-- Take p_takes out of their lots (p_sign 1) or give them back (p_sign -1), for a transaction that is their use; of the
-- held part when p_held. Writes the issuers' legs of the postings and their slots; p_flow names what the issuer's points
-- became. Leg 0 is the member's and is written here too, so that the postings sum to zero.
CREATE OR REPLACE FUNCTION ledger_use{s}(
  p_item ledger_item, p_lane integer, p_takes ledger_take[], p_sign integer, p_held boolean, p_flow text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF cardinality(p_takes) = 0 THEN
    RETURN;
  END IF;
  UPDATE lot{s} l
    SET left_points = l.left_points - p_sign * t.points,
        held_points = l.held_points - CASE WHEN p_held THEN t.points ELSE 0 END
    FROM unnest(p_takes) t
    WHERE l.wallet_id = p_item.wallet_id AND l.expire_time = t.expire_time AND l.lot_id = t.lot_id;
  INSERT INTO lot_use{s} (wallet_id, txn_id, lot_id, group_id, expire_time, merchant_id, points, restored_points)
    SELECT p_item.wallet_id, p_item.txn_id, t.lot_id, p_item.group_id, t.expire_time, t.merchant_id,
           p_sign * t.points, 0
    FROM unnest(p_takes) t;
  INSERT INTO posting{s} (wallet_id, txn_id, leg, group_id, account, merchant_id, points)
    SELECT p_item.wallet_id, p_item.txn_id, 0::smallint, p_item.group_id, 'member', NULL, -p_sign * sum(t.points)
    FROM unnest(p_takes) t
    UNION ALL
    SELECT p_item.wallet_id, p_item.txn_id, (row_number() OVER (ORDER BY t.merchant_id))::smallint, p_item.group_id,
           CASE WHEN p_flow IN ('expired', 'transit', 'converted') THEN p_flow ELSE 'issuer' END, t.merchant_id,
           p_sign * sum(t.points)
    FROM unnest(p_takes) t GROUP BY t.merchant_id;
  IF p_flow = 'transit' THEN
    RETURN;  -- still outstanding: on the way to another member
  END IF;
  INSERT INTO issuer_slot{s} AS slot (lane, merchant_id, group_id, issued_points, clawed_back_points, redeemed_points,
                                   expired_points, outstanding_points, debt_points, accepted_points, sale_count,
                                   sales_minor, currency_id)
    SELECT p_lane, t.merchant_id, p_item.group_id, 0,
           CASE WHEN p_flow IN ('debited', 'converted') THEN p_sign * sum(t.points) ELSE 0 END,
           CASE WHEN p_flow = 'redeemed' THEN p_sign * sum(t.points) ELSE 0 END,
           CASE WHEN p_flow = 'expired' THEN p_sign * sum(t.points) ELSE 0 END,
           -p_sign * sum(t.points), 0, 0, 0, 0, p_item.currency_id
    FROM unnest(p_takes) t GROUP BY t.merchant_id
    ON CONFLICT (lane, merchant_id, currency_id) DO UPDATE
      SET clawed_back_points = slot.clawed_back_points + excluded.clawed_back_points,
          redeemed_points = slot.redeemed_points + excluded.redeemed_points,
          expired_points = slot.expired_points + excluded.expired_points,
          outstanding_points = slot.outstanding_points + excluded.outstanding_points;
END $$;

-- Add to one merchant's slot of this lane and currency; the group's own points have the group's id as their currency.
CREATE OR REPLACE FUNCTION ledger_slot{s}(
  p_lane integer, p_merchant uuid, p_group uuid, p_issued bigint, p_clawed bigint, p_outstanding bigint, p_debt bigint,
  p_accepted bigint, p_sales integer, p_sales_minor bigint, p_currency uuid)
RETURNS void LANGUAGE sql AS $$
  INSERT INTO issuer_slot{s} AS slot (lane, merchant_id, group_id, issued_points, clawed_back_points, redeemed_points,
                                   expired_points, outstanding_points, debt_points, accepted_points, sale_count,
                                   sales_minor, currency_id)
    VALUES (p_lane, p_merchant, p_group, p_issued, p_clawed, 0, 0, p_outstanding, p_debt, p_accepted, p_sales,
            p_sales_minor, p_currency)
    ON CONFLICT (lane, merchant_id, currency_id) DO UPDATE
      SET issued_points = slot.issued_points + excluded.issued_points,
          clawed_back_points = slot.clawed_back_points + excluded.clawed_back_points,
          outstanding_points = slot.outstanding_points + excluded.outstanding_points,
          debt_points = slot.debt_points + excluded.debt_points,
          accepted_points = slot.accepted_points + excluded.accepted_points,
          sale_count = slot.sale_count + excluded.sale_count,
          sales_minor = slot.sales_minor + excluded.sales_minor;
$$;

-- Write a transaction's row and its outbox row. p_wallet is the wallet as it is after the transaction; p_points is what
-- the transaction did to all of the member's points, p_pending what it did to the pending ones among them.
CREATE OR REPLACE FUNCTION ledger_record{s}(
  p_item ledger_item, p_wallet wallet{s}, p_lane integer, p_now timestamptz, p_points bigint, p_pending bigint,
  p_debt bigint, p_takes ledger_take[], INOUT n bigint)
LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO txn{s} (wallet_id, txn_id, group_id, version, kind, points, pending_points, debt_points,
                      available_points, request_hash, occur_time, record_time, merchant_id, store_id, ref_id, reference,
                      expire_time, unlock_time, amount_minor, detail, explanation, unmoved_points)
    VALUES (p_item.wallet_id, p_item.txn_id, p_item.group_id, p_wallet.version, p_item.kind, p_points,
            p_pending, p_debt, p_wallet.available_points, p_item.request_hash, p_item.occur_time, p_now,
            p_item.merchant_id, p_item.store_id, p_item.ref_id, p_item.reference, p_item.expire_time,
            p_item.unlock_time, p_item.amount_minor, p_item.detail, p_item.explanation, p_item.unmoved_points);
  -- A sale and a refund are two events each, when points moved or were written off: n is the number of the row's last event.
  n := n + CASE WHEN p_item.kind <= 2 AND (p_points <> 0 OR p_item.unmoved_points IS NOT NULL) THEN 2 ELSE 1 END;
  INSERT INTO ledger_outbox{s} (lane, n, wallet_id, group_id, txn_id, ref_id, kind, points, debt_points, merchant_id,
                                occur_time, expire_time, unlock_time, lot_ids, lot_merchant_ids, lot_points, payload,
                                unmoved_points, currency_id, owner_id)
    SELECT p_lane, n, p_item.wallet_id, p_item.group_id, p_item.txn_id, p_item.ref_id, p_item.kind, p_points, p_debt,
           p_item.merchant_id, p_item.occur_time, p_item.expire_time, p_item.unlock_time, array_agg(t.lot_id),
           array_agg(t.merchant_id), array_agg(t.points), p_item.payload, p_item.unmoved_points,
           p_wallet.currency_id, p_wallet.owner_id
    FROM unnest(p_takes) t;
END $$;
