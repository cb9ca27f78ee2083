"""Between parking's plain values and its protos."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.errors import InvalidArgument
from huitong.common.v1 import types_pb2
from huitong.member.v1 import member_pb2
from huitong.org.v1 import org_pb2
from huitong.parking.v1 import parking_pb2 as pb
from services.parking.rules import Fee

# A member's first tier counts for every day before the next one's.
BEGINNING = date(1900, 1, 1)


def read_time(value: Timestamp, field: str) -> datetime:
    """The instant in `value`. Raises InvalidArgument when it is none of the calendar."""
    try:
        time = value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidArgument([(field, "is not a time")]) from None
    if not 1900 <= time.year <= 9000:
        raise InvalidArgument([(field, "is not a time")])
    return time


def to_timestamp(time: datetime) -> Timestamp:
    """The proto of an instant."""
    value = Timestamp()
    value.FromDatetime(time)
    return value


def to_money(amount_minor: int, currency_code: str) -> types_pb2.Money:
    """The proto of an amount."""
    return types_pb2.Money(amount_minor=amount_minor, currency_code=currency_code)


def to_fee(fee: Fee, currency_code: str) -> pb.Fee:
    """The proto of a fee."""
    return pb.Fee(
        tariff_fee=to_money(fee.tariff_fee_minor, currency_code),
        tier_waived=to_money(fee.tier_waived_minor, currency_code),
        points_paid=to_money(fee.points_paid_minor, currency_code),
        money_paid=to_money(fee.money_paid_minor, currency_code),
        due=to_money(fee.due_minor, currency_code),
        points=fee.points,
        stay_minutes=fee.stay_minutes,
    )


def car_park_row(group_id: UUID, unit: org_pb2.BusinessUnit) -> dict[str, Any]:
    """The copy of a car park."""
    return {
        "car_park_id": ids.from_edge("unt", unit.business_unit_id, "business_unit_id"),
        "group_id": group_id,
        "time_zone": unit.time_zone,
        "currency_code": unit.currency_code,
    }


def tier_row(group_id: UUID, member_id: UUID, tier: member_pb2.Tier, day: date) -> dict[str, Any]:
    """The copy of a member's tier from a day on."""
    return {
        "member_id": member_id,
        "effective_date": day,
        "group_id": group_id,
        "tier_code": tier.code,
        "free_parking_minutes": tier.free_parking_minutes,
    }
