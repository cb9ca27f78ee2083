"""Sales and refunds from points, as purchases of friends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from chassis.db import Tx
from chassis.events import Fact
from chassis.ids import from_edge
from huitong.points.v1 import events_pb2
from services.member.referral import operations
from services.member.referral.operations import Purchase


async def on_sales(tx: Tx, facts: Sequence[Fact[events_pb2.SaleRecorded]]) -> None:
    """Purchases may qualify the referrals that wait for one."""
    await operations.follow(
        tx,
        [
            Purchase(
                from_edge("mbr", sale.member_id, "member_id"),
                sale.sale_id,
                sale.total.amount_minor,
                sale.total.currency_code,
                sale.sale_time.ToDatetime(UTC),
            )
            for sale in (fact.payload for fact in facts)
            if sale.member_id
        ],
    )


async def on_refunds(tx: Tx, facts: Sequence[Fact[events_pb2.SaleRefunded]]) -> None:
    """What is brought back within the window counts against it."""
    await operations.follow(
        tx,
        [
            Purchase(
                from_edge("mbr", refund.member_id, "member_id"),
                refund.sale_id,
                refund.refunded.amount_minor,
                refund.refunded.currency_code,
                refund.refund_time.ToDatetime(UTC),
                is_return=True,
            )
            for refund in (fact.payload for fact in facts)
            if refund.member_id
        ],
    )
