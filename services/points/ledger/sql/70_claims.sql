-- What must be unique over all wallets is claimed here, ahead of the ledger call and in a transaction of its own. A claim
-- that a crash left behind is harmless: the retry brings the same content and finds it.

-- Claim receipts (key: the sale's id, made from store, source and receipt number) and the request ids they came with.
-- Status: 1 go on (claimed now, or before with the same content), 2 receipt changed, 3 request id used for another receipt.
CREATE OR REPLACE FUNCTION claim_receipts(
  p_sale uuid[], p_request uuid[], p_group uuid[], p_wallet uuid[], p_hash bytea[])
RETURNS TABLE (ord bigint, status smallint) LANGUAGE plpgsql AS $$
DECLARE
  v_new uuid[];
  v_kept uuid[];
  v_request_count integer;
BEGIN
  -- Keys are taken in order, receipts before request ids, so that two batches cannot wait for each other.
  WITH claimed AS (
    INSERT INTO receipt_claim (sale_id, group_id, wallet_id, content_hash)
    SELECT DISTINCT ON (i.sale_id) i.sale_id, i.group_id, i.wallet_id, i.content_hash
    FROM unnest(p_sale, p_group, p_wallet, p_hash) WITH ORDINALITY AS i (sale_id, group_id, wallet_id, content_hash, ord)
    ORDER BY i.sale_id, i.ord
    ON CONFLICT DO NOTHING RETURNING sale_id)
  SELECT array_agg(c.sale_id) INTO v_new FROM claimed c;
  -- As nearly always, all are new: what was just written need not be read again.
  IF cardinality(v_new) = cardinality(p_sale) THEN
    INSERT INTO request_claim (request_key, group_id, target_id)
      SELECT i.request_key, i.group_id, i.sale_id
      FROM unnest(p_sale, p_request, p_group) AS i (sale_id, request_key, group_id) ORDER BY i.request_key
      ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_request_count = ROW_COUNT;
    IF v_request_count = cardinality(p_sale) THEN
      RETURN QUERY SELECT i::bigint, 1::smallint FROM generate_series(1, v_request_count) i;
      RETURN;
    END IF;
  END IF;
  INSERT INTO request_claim (request_key, group_id, target_id)
    SELECT DISTINCT ON (i.request_key) i.request_key, i.group_id, i.sale_id
    FROM unnest(p_sale, p_request, p_group, p_hash) WITH ORDINALITY AS i (sale_id, request_key, group_id, content_hash, ord)
    JOIN receipt_claim c ON c.sale_id = i.sale_id AND c.content_hash = i.content_hash
    ORDER BY i.request_key, i.ord
    ON CONFLICT DO NOTHING;
  RETURN QUERY
    SELECT i.ord, CASE WHEN r.request_key IS NOT NULL AND r.target_id <> i.sale_id THEN 3
                       WHEN c.content_hash <> i.content_hash THEN 2 ELSE 1 END::smallint
    FROM unnest(p_sale, p_request, p_hash) WITH ORDINALITY AS i (sale_id, request_key, content_hash, ord)
    JOIN receipt_claim c ON c.sale_id = i.sale_id
    LEFT JOIN request_claim r ON r.request_key = i.request_key;
  IF v_new IS NOT NULL THEN
    -- A receipt claimed by nobody but refused calls is not claimed.
    SELECT array_agg(i.sale_id) INTO v_kept
      FROM unnest(p_sale, p_request, p_hash) AS i (sale_id, request_key, content_hash)
      JOIN receipt_claim c ON c.sale_id = i.sale_id AND c.content_hash = i.content_hash
      JOIN request_claim r ON r.request_key = i.request_key AND r.target_id = i.sale_id;
    IF cardinality(v_kept) IS DISTINCT FROM cardinality(p_sale) THEN
      DELETE FROM receipt_claim c WHERE c.sale_id = ANY (v_new) AND c.sale_id <> ALL (coalesce(v_kept, '{}'));
    END IF;
  END IF;
END $$;

-- Bind request ids to what they are for (a wallet, a sale): the first one stays. Answers the target that is bound.
CREATE OR REPLACE FUNCTION claim_requests(p_request uuid[], p_group uuid[], p_target uuid[])
RETURNS TABLE (ord bigint, target_id uuid) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO request_claim (request_key, group_id, target_id)
    SELECT DISTINCT ON (i.request_key) i.request_key, i.group_id, i.target_id
    FROM unnest(p_request, p_group, p_target) WITH ORDINALITY AS i (request_key, group_id, target_id, ord)
    ORDER BY i.request_key, i.ord
    ON CONFLICT DO NOTHING;
  RETURN QUERY
    SELECT i.ord, r.target_id FROM unnest(p_request) WITH ORDINALITY AS i (request_key, ord)
    JOIN request_claim r ON r.request_key = i.request_key;
END $$;
