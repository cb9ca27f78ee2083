-- Which purchase was a member's first is claimed like a receipt: the first claim stays, whoever asks later finds it.

-- Claim for each sale that it is the first of its claim (a member in a group, unit or store), in their order. Answers the
-- sale that is.
CREATE OR REPLACE FUNCTION claim_first_purchases(p_claim uuid[], p_group uuid[], p_sale uuid[])
RETURNS TABLE (ord bigint, sale_id uuid) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO first_purchase (claim_id, group_id, sale_id)
    SELECT DISTINCT ON (i.claim_id) i.claim_id, i.group_id, i.sale_id
    FROM unnest(p_claim, p_group, p_sale) WITH ORDINALITY AS i (claim_id, group_id, sale_id, ord)
    ORDER BY i.claim_id, i.ord
    ON CONFLICT DO NOTHING;
  RETURN QUERY
    SELECT i.ord, f.sale_id FROM unnest(p_claim) WITH ORDINALITY AS i (claim_id, ord)
    JOIN first_purchase f ON f.claim_id = i.claim_id;
END $$;
