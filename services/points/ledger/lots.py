"""The lots of a wallet, with what the sale that each came from says of funders and cost.

A lot has the id of the transaction that made it, and a sale's explanation is kept with that: what never changes stands
there once, and the lot's row, which every spending writes, carries only what spending needs (docs/decisions/0029).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import ids
from chassis.db import Tx
from chassis.errors import InvalidArgument
from chassis.pages import decode_token, encode_token, page_size
from huitong.points.v1 import lots_pb2, points_pb2
from services.points.convert import to_expiry, to_timestamp
from services.points.earning.rules import Offset
from services.points.ledger.ledger import Kind

_LOTS = text(
    """SELECT l.lot_id, l.expire_time, l.merchant_id, l.points, l.left_points, l.held_points, l.unlock_time, t.kind,
              t.explanation
       FROM lot l
       LEFT JOIN LATERAL (SELECT t.kind, t.explanation FROM txn t
                          WHERE t.wallet_id = ANY(CAST(:origin_ids AS uuid[])) AND t.txn_id = l.lot_id LIMIT 1) t
         ON true
       WHERE l.wallet_id = :wallet_id AND l.left_points > 0
         AND (l.expire_time, l.lot_id) > (:after_time, :after_id)
       ORDER BY l.expire_time, l.lot_id LIMIT :limit"""
)
_BEFORE_ALL = datetime(1900, 1, 1, tzinfo=UTC)


async def lots_page(
    tx: Tx, origin_ids: Sequence[UUID], offsets: Mapping[int, Offset | None], size: int, token: str
) -> tuple[list[lots_pb2.Lot], str]:
    """A page of lots that hold points, earliest expiry first, and the next page's token. `offsets` by rule version.

    `origin_ids` are the wallet, and those of absorbed members from whose sales it has lots.
    """
    after_time, after_id = _place_of(token) if token else (_BEFORE_ALL, UUID(int=0))
    size = page_size(size)
    values = {
        "wallet_id": origin_ids[0],
        "origin_ids": origin_ids,
        "after_time": after_time,
        "after_id": after_id,
        "limit": size + 1,
    }
    rows = (await tx.execute(_LOTS, values)).all()
    more, rows = len(rows) > size, rows[:size]
    next_token = encode_token(rows[-1].expire_time.isoformat(), rows[-1].lot_id) if more else ""
    return [_lot(row, offsets) for row in rows], next_token


def _place_of(token: str) -> tuple[datetime, UUID]:
    expire_time, lot_id = decode_token(token, 2)
    try:
        place = datetime.fromisoformat(expire_time), UUID(lot_id)
    except ValueError:
        place = None
    if place is None or place[0].tzinfo is None:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return place


def _lot(row: Any, offsets: Mapping[int, Offset | None]) -> lots_pb2.Lot:
    explanation = points_pb2.Explanation()
    issuer = ids.to_edge("mch", row.merchant_id)
    if row.kind == Kind.EARN and row.explanation is not None:
        explanation.ParseFromString(row.explanation)
        if not explanation.funders:
            explanation.funders.add(kind=points_pb2.FUNDER_KIND_MERCHANT, funder_id=issuer, points=row.points)
    offset = offsets.get(explanation.rule_set_version)
    return lots_pb2.Lot(
        lot_id=ids.to_edge("lot", row.lot_id),
        issuer_merchant_id=issuer,
        points=row.points,
        left_points=row.left_points,
        held_points=row.held_points,
        expire_time=to_expiry(row.expire_time),
        unlock_time=to_timestamp(row.unlock_time),
        funders=explanation.funders,
        cost_minor=row.points * offset.minor // offset.points if offset else 0,
    )
