-- What limits hold over many sales (a member's day or month, a campaign's budget) is taken here, ahead of the ledger call
-- and in a transaction of its own, like a claim: a retry finds what it was given.

-- Take up to p_want for each sale and rule, from all of its caps together: one row for each cap, `p_limit` is how much the
-- cap gives in all. Answers for each row what the sale and rule got, the same on every row of theirs.
CREATE OR REPLACE FUNCTION take_caps(
  p_cap uuid[], p_sale uuid[], p_rule text[], p_group uuid[], p_limit bigint[], p_want bigint[])
RETURNS TABLE (ord bigint, granted bigint) LANGUAGE plpgsql AS $$
DECLARE
  v_taking record;
  v_granted bigint;
BEGIN
  INSERT INTO cap (cap_id, group_id, rule_id, used_points)
    SELECT DISTINCT ON (i.cap_id) i.cap_id, i.group_id, i.rule_id, 0
    FROM unnest(p_cap, p_group, p_rule) AS i (cap_id, group_id, rule_id) ORDER BY i.cap_id
    ON CONFLICT DO NOTHING;
  -- Caps are locked in order, so that two batches cannot wait for each other.
  PERFORM FROM cap c WHERE c.cap_id = ANY (p_cap) ORDER BY c.cap_id FOR UPDATE;
  FOR v_taking IN
    SELECT i.sale_id, i.rule_id, array_agg(i.ord) AS ords, array_agg(i.cap_id) AS caps, max(i.want) AS want,
           min(i.group_id::text)::uuid AS group_id, array_agg(i.cap_limit) AS limits
    FROM unnest(p_cap, p_sale, p_rule, p_group, p_limit, p_want) WITH ORDINALITY
         AS i (cap_id, sale_id, rule_id, group_id, cap_limit, want, ord)
    GROUP BY i.sale_id, i.rule_id ORDER BY min(i.ord)
  LOOP
    SELECT u.points INTO v_granted FROM cap_use u
      WHERE u.cap_id = v_taking.caps[1] AND u.sale_id = v_taking.sale_id;
    IF NOT FOUND THEN
      SELECT greatest(0, least(v_taking.want, min(i.cap_limit - c.used_points))) INTO v_granted
        FROM unnest(v_taking.caps, v_taking.limits) AS i (cap_id, cap_limit) JOIN cap c ON c.cap_id = i.cap_id;
      UPDATE cap c SET used_points = c.used_points + v_granted WHERE c.cap_id = ANY (v_taking.caps);
      INSERT INTO cap_use (cap_id, sale_id, group_id, points)
        SELECT i, v_taking.sale_id, v_taking.group_id, v_granted FROM unnest(v_taking.caps) i;
    END IF;
    RETURN QUERY SELECT i, v_granted FROM unnest(v_taking.ords) i;
  END LOOP;
END $$;
