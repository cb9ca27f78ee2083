"""MallReportService: sums over the mall."""

from __future__ import annotations

import grpc
from sqlalchemy import TextClause, text

from chassis.db import Database
from chassis.ids import optional_from_edge
from chassis.rpc import caller
from huitong.mall.v1 import mall_pb2, mall_pb2_grpc

_OF_UNIT = """AND ({} IN (SELECT merchant_id FROM merchant_copy
                     WHERE group_id = :group_id AND business_unit_id = :unit_id))"""


def _totals(*, of_unit: bool) -> TextClause:
    """The sums of a group, or of one unit's merchants: of coupons, those that are for one of them alone."""
    mine = _OF_UNIT.format("merchant_id") if of_unit else ""
    issued = (
        f"""AND template_id IN (SELECT template_id FROM coupon_template WHERE group_id = :group_id {mine})"""
        if of_unit
        else ""
    )
    return text(
        f"""SELECT o.*, i.*, w.*, c.*
       FROM (SELECT count(*) FILTER (WHERE state = 'COMPLETED') AS order_completed_count,
                    count(*) FILTER (WHERE state = 'CANCELLED') AS order_cancelled_count,
                    coalesce(sum(points) FILTER (WHERE state = 'COMPLETED'), 0)::bigint AS order_points,
                    count(use_time) AS voucher_used_count
             FROM voucher_order WHERE group_id = :group_id {mine}) AS o,
            (SELECT count(*) AS coupon_issued_count FROM coupon WHERE group_id = :group_id {issued}) AS i,
            (SELECT count(*) AS coupon_used_count, coalesce(sum(discount_minor), 0)::bigint AS coupon_discount_minor
             FROM coupon_write_off WHERE group_id = :group_id AND reverse_time IS NULL {mine}) AS w,
            (SELECT count(*) AS checkout_count, coalesce(sum(offset_minor), 0)::bigint AS checkout_offset_minor
             FROM checkout WHERE group_id = :group_id AND state = 'COMMITTED' {mine}) AS c"""
    )


_TOTALS, _TOTALS_OF_UNIT = _totals(of_unit=False), _totals(of_unit=True)


class MallReportServicer(mall_pb2_grpc.MallReportServiceServicer):
    """Orders, vouchers, coupons and checkouts in numbers; what was cancelled, reversed or voided does not count."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def GetMallTotals(
        self, request: mall_pb2.GetMallTotalsRequest, _: grpc.aio.ServicerContext
    ) -> mall_pb2.GetMallTotalsResponse:
        """See the proto."""
        unit_id = optional_from_edge("unt", request.business_unit_id, "business_unit_id")
        async with self._db.reading(caller()) as tx:
            if unit_id is None:
                row = (await tx.execute(_TOTALS, {"group_id": tx.group_id})).one()
            else:
                row = (await tx.execute(_TOTALS_OF_UNIT, {"group_id": tx.group_id, "unit_id": unit_id})).one()
        return mall_pb2.GetMallTotalsResponse(**row._mapping)
