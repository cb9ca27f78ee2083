-- What goes into the ledger's one call, what comes out, and a part of a lot. Shared by all suffixes.
DO $$
BEGIN
  IF to_regtype('ledger_item') IS NULL THEN
    CREATE TYPE ledger_item AS (
      kind smallint, wallet_id uuid, group_id uuid, txn_id uuid, request_hash bytea, points bigint,
      merchant_id uuid, store_id uuid, ref_id uuid, occur_time timestamptz, expire_time timestamptz,
      amount_minor bigint, expected integer, reference text, detail bytea, explanation bytea, payload bytea, unlock_time timestamptz,
      limit_points bigint, ord bigint,
      unmoved_points bigint, currency_id uuid);  -- found by the call: what goes into txn.unmoved_points; the wallet's
    CREATE TYPE ledger_outcome AS (
      ord bigint, status smallint, points bigint, debt_points bigint, available_points bigint,
      expire_time timestamptz, detail bytea, explanation bytea);
    CREATE TYPE ledger_take AS (lot_id uuid, expire_time timestamptz, merchant_id uuid, points bigint);
  END IF;
END $$;
