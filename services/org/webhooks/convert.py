"""What partners are told of an event, and webhooks as protos."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.ids import to_edge
from huitong.mall.v1 import events_pb2 as mall
from huitong.member.v1 import events_pb2 as member
from huitong.org.v1 import webhooks_pb2 as pb
from huitong.parking.v1 import events_pb2 as parking
from huitong.points.v1 import events_pb2 as points
from huitong.settlement.v1 import events_pb2 as settlement
from services.org.webhooks.rules import PENDING, Delivery, Endpoint, event_edge

_COUPON = "write_off_id coupon_id template_id member_id merchant_id store_id discount"
_SALE = "sale_id member_id store_id merchant_id business_unit_id"
_SPENT = "spending.merchant_id spending.store_id spending.kind spending.reference"
# By the type that partners know: the event, and which of its fields leave the house, by name, so that a field that an
# event gains stays inside until somebody adds it here. "tier.code" goes out as tier_code, "spending.kind" as kind.
# No personal data.
PUBLISHED: dict[str, tuple[type[Message], str]] = {
    "points.earned": (
        points.PointsEarned,
        "txn_id member_id points debt_repaid_points business_unit_id store_id sale_id expire_time unlock_time"
        " business_date",
    ),
    "points.activated": (points.PointsActivated, "txn_id member_id points unlock_time"),
    "points.credited": (
        points.PointsCredited,
        "txn_id member_id points debt_repaid_points expire_time adjustment_id reason_code",
    ),
    "points.debited": (points.PointsDebited, "txn_id member_id points adjustment_id reason_code"),
    "points.redeemed": (points.PointsRedeemed, f"txn_id member_id points {_SPENT}"),
    "points.redemption_reversed": (
        points.RedemptionReversed,
        f"txn_id redemption_txn_id member_id points {_SPENT}",
    ),
    "points.expired": (points.PointsExpired, "txn_id member_id points"),
    "points.clawed_back": (
        points.PointsClawedBack,
        "txn_id member_id points debt_points written_off_points sale_id refund_id",
    ),
    "sale.recorded": (points.SaleRecorded, f"{_SALE} receipt_no sale_time business_date total"),
    "sale.refunded": (points.SaleRefunded, f"refund_id {_SALE} refund_time business_date refunded"),
    "member.joined": (member.MemberJoined, "member_id tier.code"),
    "member.tier_changed": (member.TierChanged, "member_id tier.code previous_tier_code effective_date growth"),
    "order.completed": (mall.OrderCompleted, "order_id member_id item_id merchant_id points"),
    "order.cancelled": (mall.OrderCancelled, "order_id member_id item_id merchant_id points"),
    "voucher.used": (mall.VoucherUsed, "order_id merchant_id store_id"),
    "coupon.written_off": (mall.CouponWrittenOff, _COUPON),
    "coupon.write_off_reversed": (mall.CouponWriteOffReversed, _COUPON),
    "parking.stay_ended": (
        parking.StayEnded,
        "stay_id car_park_id merchant_id member_id entry_time exit_time fee",
    ),
    "settlement.period_closed": (settlement.PeriodClosed, "period merchants_net_minor fund_minor platform_minor"),
}
TYPE_OF: dict[str, str] = {message.DESCRIPTOR.full_name: name for name, (message, _) in PUBLISHED.items()}


def _key(path: str) -> str:
    """The name under which a field goes out."""
    return path.removeprefix("spending.").replace(".", "_")


def names_of(type_name: str) -> list[str]:
    """The names of what partners may be told of an event."""
    return [_key(path) for path in PUBLISHED[type_name][1].split()]


def data_of(type_name: str, payload: Message) -> dict[str, Any]:
    """The fields of an event that partners may see; what has no value is left out."""
    found = {}
    for path in PUBLISHED[type_name][1].split():
        holder: Message = payload
        *outer, last = path.split(".")
        for name in outer:
            holder = getattr(holder, name)
        field = holder.DESCRIPTOR.fields_by_name[last]
        if not field.has_presence or holder.HasField(last):
            found[_key(path)] = _plain(field, getattr(holder, last))
    return found


def _plain(field: Any, value: Any) -> Any:
    """The value of a field (its descriptor) as the gateway writes it: whole numbers, RFC 3339 times, names of enums."""
    if isinstance(value, Timestamp):
        return value.ToJsonString()
    if isinstance(value, Message):
        inside = [inner for inner in value.DESCRIPTOR.fields if not inner.is_repeated]
        return {
            inner.name: _plain(inner, getattr(value, inner.name))
            for inner in inside
            if not inner.has_presence or value.HasField(inner.name)
        }
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else value
    return value


def envelope(*, event_id: UUID, group_id: UUID, type_name: str, time: datetime, data: dict[str, Any]) -> bytes:
    """The body of a webhook: the same bytes at every try."""
    return orjson.dumps(
        {
            "id": event_edge(event_id),
            "type": type_name,
            "timestamp": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "group_id": to_edge("grp", group_id),
            "data": data,
        }
    )


def endpoint_message(one: Endpoint) -> pb.WebhookEndpoint:
    """The endpoint at the edge; it never holds a secret."""
    cause = f"WEBHOOK_DISABLE_CAUSE_{one.disable_cause or 'UNSPECIFIED'}"
    message = pb.WebhookEndpoint(
        webhook_endpoint_id=one.edge,
        name=one.name,
        url=one.url,
        event_types=one.event_types,
        disable_cause=cause,
        partner_id=to_edge("ptn", one.partner_id) if one.partner_id else "",
    )
    _set_times(
        message,
        disable_time=one.disable_time,
        failing_since_time=one.failing_since_time,
        last_success_time=one.last_success_time,
        create_time=one.create_time,
    )
    return message


def delivery_message(one: Delivery) -> pb.WebhookDelivery:
    """The delivery at the edge."""
    message = pb.WebhookDelivery(
        event_id=event_edge(one.event_id),
        event_type=one.type,
        state=f"WEBHOOK_DELIVERY_STATE_{one.state}",
        attempt_count=one.attempt_count,
        last_status=one.last_status,
        last_error=one.last_error,
        last_answer=one.last_answer,
    )
    waits = one.state == PENDING
    _set_times(
        message,
        create_time=one.create_time,
        last_attempt_time=one.last_attempt_time,
        next_attempt_time=one.next_attempt_time if waits else None,
    )
    return message


def _set_times(message: Message, **times: datetime | None) -> None:
    for name, time in times.items():
        if time is not None:
            getattr(message, name).FromDatetime(time)


def event_classes(package: str) -> Iterable[type[Message]]:
    """The events of one service that partners may be told of."""
    return [message for message, _ in PUBLISHED.values() if message.DESCRIPTOR.full_name.split(".")[1] == package]
