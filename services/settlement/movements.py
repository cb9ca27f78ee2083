"""From facts of other services to movements: proto → plain values, nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from chassis import ids
from huitong.common.v1 import types_pb2
from huitong.mall.v1 import events_pb2 as mall_events
from huitong.parking.v1 import events_pb2 as parking_events
from huitong.points.v1 import events_pb2 as points_events
from huitong.points.v1 import points_pb2
from services.settlement.funding import Funder, FunderKind, FunderShare
from services.settlement.journal import (
    ClawBack,
    Coupon,
    Debit,
    Expire,
    Issue,
    Lot,
    Movement,
    ParkingWaiver,
    Redeem,
    RedeemReversal,
)


def read_movements(payload: Message, occur_time: datetime) -> list[Movement]:
    """The movements of a fact; none when it moves nothing. Raises InvalidArgument for ids that are not ids."""
    return _READERS[payload.DESCRIPTOR.full_name](payload, occur_time)


def parse_payload(type_name: str, payload: bytes) -> Message:
    """The event message of a stored fact."""
    return MESSAGES[type_name].FromString(payload)


def _issue(event: points_events.PointsEarned, occur_time: datetime) -> list[Movement]:
    return [
        Issue(
            merchant_id=_merchant(event.lot.issuer_merchant_id),
            source_id=event.txn_id,
            occur_time=occur_time,
            business_date=_date(event.business_date) if event.HasField("business_date") else None,
            points=event.points,
            sale_id=_own_id(event.sale_id),
            lot_id=_own_id(event.lot.lot_id),
            lot_points=event.lot.points,
            funders=tuple(_funder_share(one) for one in event.funders),
        )
    ]


def _funder_share(funded: points_pb2.FundedPoints) -> FunderShare:
    kind = FunderKind(funded.kind)
    named = kind is FunderKind.NAMED_MERCHANT
    return FunderShare(Funder(kind, _merchant(funded.funder_id) if named else None), funded.points)


def _credit(event: points_events.PointsCredited, occur_time: datetime) -> list[Movement]:
    return [
        Issue(
            merchant_id=_merchant(event.lot.issuer_merchant_id),
            source_id=event.txn_id,
            occur_time=occur_time,
            points=event.points,
            sale_id=None,
            lot_id=_own_id(event.lot.lot_id),
            lot_points=event.lot.points,
        )
    ]


def _converted_in(event: points_events.PointsConvertedIn, occur_time: datetime) -> list[Movement]:
    # Points that were another currency are issued now, by each issuer of what they were.
    return [
        Issue(
            merchant_id=issuer,
            source_id=event.txn_id,
            occur_time=occur_time,
            points=points,
            sale_id=None,
            lot_id=lot_id,
            lot_points=points,
        )
        for lot_id, issuer, points in _lots(event.lots)
    ]


def _debit(
    event: points_events.PointsDebited | points_events.PointsConvertedOut, occur_time: datetime
) -> list[Movement]:
    return [
        Debit(
            merchant_id=issuer,
            source_id=event.txn_id,
            occur_time=occur_time,
            points=sum(points for _, _, points in lots),
            lots=lots,
        )
        for issuer, lots in _by_issuer(event.lots).items()
    ]


def _claw_back(event: points_events.PointsClawedBack, occur_time: datetime) -> list[Movement]:
    # What was written off stays as it is: the issuer has paid for it and does not get that back.
    if not event.points:
        return []
    sale_id = _own_id(event.sale_id)
    if sale_id is None:
        raise ValueError("a claw-back without a sale")
    return [
        ClawBack(
            merchant_id=_merchant(event.issuer_merchant_id),
            source_id=event.txn_id,
            occur_time=occur_time,
            points=event.points,
            sale_id=sale_id,
            lots=_lots(event.lots),
        )
    ]


def _redeem(event: points_events.PointsRedeemed, occur_time: datetime) -> list[Movement]:
    return [
        Redeem(
            merchant_id=_merchant(event.spending.merchant_id),
            source_id=event.txn_id,
            occur_time=occur_time,
            points=event.points,
            lots=_lots(event.lots),
        )
    ]


def _reversal(event: points_events.RedemptionReversed, occur_time: datetime) -> list[Movement]:
    return [
        RedeemReversal(
            merchant_id=_merchant(event.spending.merchant_id),
            source_id=event.txn_id,
            occur_time=occur_time,
            points=event.points,
            lots=_lots(event.lots),
            redemption_source_id=event.redemption_txn_id,
        )
    ]


def _expire(event: points_events.PointsExpired, occur_time: datetime) -> list[Movement]:
    return [
        Expire(
            merchant_id=issuer,
            source_id=event.txn_id,
            occur_time=occur_time,
            points=sum(points for _, _, points in lots),
            lots=lots,
        )
        for issuer, lots in _by_issuer(event.lots).items()
    ]


def _coupon(
    event: mall_events.CouponWrittenOff | mall_events.CouponWriteOffReversed, occur_time: datetime
) -> list[Movement]:
    return [
        Coupon(
            merchant_id=_merchant(event.merchant_id),
            source_id=event.write_off_id,
            occur_time=occur_time,
            discount_minor=event.discount.amount_minor,
            platform_share_bps=event.platform_share_bps,
            is_reversal=isinstance(event, mall_events.CouponWriteOffReversed),
        )
    ]


def _stay(event: parking_events.StayEnded, occur_time: datetime) -> list[Movement]:
    waived_minor = event.fee.tier_waived.amount_minor
    if not waived_minor:
        return []
    return [
        ParkingWaiver(
            merchant_id=_merchant(event.merchant_id),
            source_id=event.stay_id,
            # The day on which the fee became final, whenever the event was written.
            occur_time=event.exit_time.ToDatetime(tzinfo=UTC),
            waived_minor=waived_minor,
        )
    ]


_READERS: dict[str, Callable[[Any, datetime], list[Movement]]] = {
    points_events.PointsEarned.DESCRIPTOR.full_name: _issue,
    points_events.PointsClawedBack.DESCRIPTOR.full_name: _claw_back,
    points_events.PointsRedeemed.DESCRIPTOR.full_name: _redeem,
    points_events.RedemptionReversed.DESCRIPTOR.full_name: _reversal,
    points_events.PointsExpired.DESCRIPTOR.full_name: _expire,
    points_events.PointsCredited.DESCRIPTOR.full_name: _credit,
    points_events.PointsDebited.DESCRIPTOR.full_name: _debit,
    points_events.PointsConvertedOut.DESCRIPTOR.full_name: _debit,
    points_events.PointsConvertedIn.DESCRIPTOR.full_name: _converted_in,
    mall_events.CouponWrittenOff.DESCRIPTOR.full_name: _coupon,
    mall_events.CouponWriteOffReversed.DESCRIPTOR.full_name: _coupon,
    parking_events.StayEnded.DESCRIPTOR.full_name: _stay,
}
# What settlement takes from each producer.
FACTS: dict[str, list[type[Message]]] = {
    "points": [
        points_events.PointsEarned,
        points_events.PointsClawedBack,
        points_events.PointsRedeemed,
        points_events.RedemptionReversed,
        points_events.PointsExpired,
        points_events.PointsCredited,
        points_events.PointsDebited,
        points_events.PointsConvertedOut,
        points_events.PointsConvertedIn,
    ],
    "mall": [mall_events.CouponWrittenOff, mall_events.CouponWriteOffReversed],
    "parking": [parking_events.StayEnded],
}
MESSAGES = {message.DESCRIPTOR.full_name: message for messages in FACTS.values() for message in messages}


def _merchant(text: str) -> UUID:
    return ids.from_edge("mch", text, "merchant_id")


def _own_id(text: str) -> UUID | None:
    """An id of which only sameness matters here: its prefix is its owner's business. None for an empty one."""
    return UUID(hex=text.rpartition("_")[2]) if text else None


def _lots(shares: Iterable[points_events.LotShare]) -> tuple[Lot, ...]:
    return tuple(
        (UUID(hex=share.lot_id.rpartition("_")[2]), _merchant(share.issuer_merchant_id), share.points)
        for share in shares
        if share.points
    )


def _by_issuer(shares: Iterable[points_events.LotShare]) -> dict[UUID, tuple[Lot, ...]]:
    found: dict[UUID, tuple[Lot, ...]] = {}
    for lot in _lots(shares):
        found[lot[1]] = (*found.get(lot[1], ()), lot)
    return found


def _date(value: types_pb2.BusinessDate) -> date:
    return date(value.year, value.month, value.day)
