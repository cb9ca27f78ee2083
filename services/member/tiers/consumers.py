"""Sales and refunds from points, as growth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from chassis.db import Tx
from chassis.events import Fact
from chassis.ids import from_edge
from huitong.points.v1 import events_pb2
from services.member.tiers import operations
from services.member.tiers.growth import Day
from services.member.tiers.operations import MemberRefund, MemberSpending
from services.member.tiers.rules import Spending


async def on_sales(tx: Tx, facts: Sequence[Fact[events_pb2.SaleRecorded]]) -> None:
    """Add the sales of members to their growth; a sale without a member has none."""
    spendings = []
    for fact in facts:
        sale = fact.payload
        if sale.member_id:
            day = sale.business_date
            spending = Spending(
                amount_minor=sale.total.amount_minor,
                business_date=date(day.year, day.month, day.day),
                time_zone=sale.time_zone,
                record_time=fact.occur_time,
                currency_code=sale.total.currency_code,
            )
            member_id = from_edge("mbr", sale.member_id, "member_id")
            spendings.append(MemberSpending(fact.group_id, member_id, spending))
    if spendings:
        await operations.add_spendings(tx, spendings)


async def on_refunds(tx: Tx, facts: Sequence[Fact[events_pb2.SaleRefunded]]) -> None:
    """Take refunds off the growth of their members, on the days of their sales."""
    refunds = []
    for fact in facts:
        refund = fact.payload
        if not refund.member_id:
            continue
        day = refund.sale_business_date if refund.HasField("sale_business_date") else refund.business_date
        taken = Day(date(day.year, day.month, day.day), refund.refunded.currency_code, -refund.refunded.amount_minor)
        refunds.append(MemberRefund(fact.group_id, from_edge("mbr", refund.member_id, "member_id"), taken))
    if refunds:
        await operations.take_back(tx, refunds)
