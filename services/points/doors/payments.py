"""What sales say of their payments, beside what payments are claimed by: of each payment one sale earns.

A payment's key is made of what a sale's content says, which SQL cannot read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import asyncpg

from huitong.points.v1 import points_pb2
from services.points.doors.operations import payment_key_of

# How an origin begins, without its length. What has not got these bytes has no payment and need not be read.
_ORIGIN = points_pb2.RecordSaleRequest(origin={}).SerializeToString().removesuffix(b"\0")
_SALES = """SELECT group_id, merchant_id, txn_id, detail FROM txn{s}
    WHERE kind = 1 AND position($1::bytea IN detail) > 0"""
_CLAIMS = "SELECT payment_key, sale_id FROM payment_claim WHERE payment_key = ANY ($1)"
_AT_ONCE = 5_000


async def sales_beside_their_payments(connection: asyncpg.Connection, suffix: str = "") -> list[dict[str, Any]]:
    """A row for each sale that earned though its payment is another sale's, or nobody's."""
    found: list[dict[str, Any]] = []
    async with connection.transaction():
        sales = await connection.cursor(_SALES.replace("{s}", suffix), _ORIGIN)
        while rows := await sales.fetch(_AT_ONCE):
            found += await _beside(connection, rows)
    return found


async def _beside(connection: asyncpg.Connection, sales: Sequence[asyncpg.Record]) -> list[dict[str, Any]]:
    keys = {}
    for sale in sales:
        origin = points_pb2.RecordSaleRequest.FromString(sale["detail"]).origin
        if origin.payment_id:
            keys[sale["txn_id"]] = payment_key_of(
                sale["group_id"], sale["merchant_id"], origin.payment_provider, origin.payment_id
            )
    # Claims come before their sales, and stay: each of them is there by now.
    claims = dict(await connection.fetch(_CLAIMS, list(keys.values())))
    return [
        {"sale_id": sale_id, "payment_key": key, "claimed_by": claims.get(key)}
        for sale_id, key in keys.items()
        if claims.get(key) != sale_id
    ]
