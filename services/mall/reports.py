"""MallReportService: sums over the mall."""

from __future__ import annotations

import grpc
from sqlalchemy import text

from chassis.db import Database
from chassis.rpc import caller
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc

_TOTALS = text(
    """SELECT o.*, i.*, w.*, c.*
       FROM (SELECT count(*) FILTER (WHERE state = 'COMPLETED') AS order_completed_count,
                    count(*) FILTER (WHERE state = 'CANCELLED') AS order_cancelled_count,
                    coalesce(sum(points) FILTER (WHERE state = 'COMPLETED'), 0)::bigint AS order_points,
                    count(use_time) AS voucher_used_count
             FROM voucher_order WHERE group_id = :group_id) AS o,
            (SELECT count(*) AS coupon_issued_count FROM coupon WHERE group_id = :group_id) AS i,
            (SELECT count(*) AS coupon_used_count, coalesce(sum(discount_minor), 0)::bigint AS coupon_discount_minor
             FROM coupon_write_off WHERE group_id = :group_id AND reverse_time IS NULL) AS w,
            (SELECT count(*) AS checkout_count, coalesce(sum(offset_minor), 0)::bigint AS checkout_offset_minor
             FROM checkout WHERE group_id = :group_id AND state = 'COMMITTED') AS c"""
)


class MallReportServicer(mall_pb2_grpc.MallReportServiceServicer):
    """Orders, vouchers, coupons and checkouts in numbers; what was cancelled, reversed or voided does not count."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def GetMallTotals(
        self, _request: mall_pb2.GetMallTotalsRequest, _: grpc.aio.ServicerContext
    ) -> mall_pb2.GetMallTotalsResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            row = (await tx.execute(_TOTALS, {"group_id": tx.group_id})).one()
        return mall_pb2.GetMallTotalsResponse(**row._mapping)
