-- What limits hold over many sales (a member's day or month, a campaign's or a store's budget, a ceiling) is taken here,
-- ahead of the ledger call and in a transaction of its own, like a claim: a retry finds what it was given.

-- Take up to p_want for each sale and rule ('' is the sale as a whole), from all of its caps together: one row for each
-- cap, `p_limit` is how much the cap gives in all. Rules may share a cap. Sales take in their order. Answers for each row what was granted and
-- what its cap had left before; of one sale and rule the same is granted on every row.
CREATE OR REPLACE FUNCTION take_caps(
  p_cap uuid[], p_sale uuid[], p_rule text[], p_group uuid[], p_limit bigint[], p_want bigint[])
RETURNS TABLE (ord bigint, granted bigint, left_points bigint) LANGUAGE plpgsql AS $$
DECLARE
  v_caps uuid[];
  v_used bigint[];
  v_taking record;
  v_granted bigint;
  v_new_caps uuid[] := '{}';
  v_new_sales uuid[] := '{}';
  v_new_rules text[] := '{}';
  v_new_groups uuid[] := '{}';
  v_new_points bigint[] := '{}';
  v_new_left bigint[] := '{}';
BEGIN
  INSERT INTO cap (cap_id, group_id, used_points)
    SELECT DISTINCT ON (i.cap_id) i.cap_id, i.group_id, 0
    FROM unnest(p_cap, p_group) AS i (cap_id, group_id) ORDER BY i.cap_id
    ON CONFLICT DO NOTHING;
  -- Caps are locked in order, so that two batches cannot wait for each other.
  SELECT array_agg(c.cap_id ORDER BY c.cap_id), array_agg(c.used_points ORDER BY c.cap_id) INTO v_caps, v_used
    FROM (SELECT k.cap_id, k.used_points FROM cap k WHERE k.cap_id = ANY (p_cap) ORDER BY k.cap_id FOR UPDATE) c;
  -- A cap that every sale of the batch takes from is counted here and written once.
  FOR v_taking IN
    SELECT i.sale_id, i.rule_id, min(i.group_id::text)::uuid AS group_id, max(i.want) AS want, array_agg(i.slot) AS slots,
           array_agg(i.cap_limit) AS limits
    FROM (SELECT DISTINCT ON (t.cap_id, t.sale_id, t.rule_id) t.*, dense_rank() OVER (ORDER BY t.cap_id) AS slot
          FROM unnest(p_cap, p_sale, p_rule, p_group, p_limit, p_want) WITH ORDINALITY
               AS t (cap_id, sale_id, rule_id, group_id, cap_limit, want, ord)
          ORDER BY t.cap_id, t.sale_id, t.rule_id, t.ord) i
    WHERE NOT EXISTS (SELECT FROM cap_use u
                      WHERE u.cap_id = i.cap_id AND u.sale_id = i.sale_id AND u.rule_id = i.rule_id)
    GROUP BY i.sale_id, i.rule_id ORDER BY min(i.ord)
  LOOP
    v_granted := v_taking.want;
    FOR j IN 1 .. cardinality(v_taking.slots) LOOP
      v_granted := least(v_granted, greatest(0, v_taking.limits[j] - v_used[v_taking.slots[j]]));
    END LOOP;
    FOR j IN 1 .. cardinality(v_taking.slots) LOOP
      v_new_caps := array_append(v_new_caps, v_caps[v_taking.slots[j]]);
      v_new_sales := array_append(v_new_sales, v_taking.sale_id);
      v_new_rules := array_append(v_new_rules, v_taking.rule_id);
      v_new_groups := array_append(v_new_groups, v_taking.group_id);
      v_new_points := array_append(v_new_points, v_granted);
      v_new_left := array_append(v_new_left, greatest(0, v_taking.limits[j] - v_used[v_taking.slots[j]]));
      v_used[v_taking.slots[j]] := v_used[v_taking.slots[j]] + v_granted;
    END LOOP;
  END LOOP;
  UPDATE cap c SET used_points = n.used_points
    FROM unnest(v_caps, v_used) AS n (cap_id, used_points)
    WHERE c.cap_id = n.cap_id AND c.used_points <> n.used_points;
  INSERT INTO cap_use (cap_id, sale_id, rule_id, group_id, points, left_points)
    SELECT * FROM unnest(v_new_caps, v_new_sales, v_new_rules, v_new_groups, v_new_points, v_new_left);
  RETURN QUERY
    SELECT i.ord, u.points, u.left_points
    FROM unnest(p_cap, p_sale, p_rule) WITH ORDINALITY AS i (cap_id, sale_id, rule_id, ord)
    JOIN cap_use u ON u.cap_id = i.cap_id AND u.sale_id = i.sale_id AND u.rule_id = i.rule_id;
END $$;
