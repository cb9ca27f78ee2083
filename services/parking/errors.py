"""What parking refuses."""

from __future__ import annotations

import grpc

from chassis.errors import AppError


class PlateInvalid(AppError):
    """{plate_no} is not a number plate."""

    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "PLATE_INVALID"
    zh = "{plate_no} 不是有效的车牌号。"


class PlateTaken(AppError):
    """Plate {plate_no} belongs to another member."""

    code, reason = grpc.StatusCode.ALREADY_EXISTS, "PLATE_TAKEN"
    zh = "车牌 {plate_no} 已被其他会员绑定。"


class PlateUnknown(AppError):
    """Plate {plate_no} is not bound to this member."""

    code, reason = grpc.StatusCode.NOT_FOUND, "PLATE_UNKNOWN"
    zh = "该会员未绑定车牌 {plate_no}。"


class MemberUnknown(AppError):
    """There is no member {member_id}."""

    code, reason = grpc.StatusCode.NOT_FOUND, "MEMBER_UNKNOWN"
    zh = "会员 {member_id} 不存在。"


class MerchantUnknown(AppError):
    """There is no merchant {merchant_id}."""

    code, reason = grpc.StatusCode.NOT_FOUND, "MERCHANT_UNKNOWN"
    zh = "商户 {merchant_id} 不存在。"


class CarParkUnknown(AppError):
    """There is no car park {car_park_id}."""

    code, reason = grpc.StatusCode.NOT_FOUND, "CAR_PARK_UNKNOWN"
    zh = "停车场 {car_park_id} 不存在。"


class TariffInvalid(AppError):
    """The tariff cannot be used: {problem}."""

    code, reason = grpc.StatusCode.INVALID_ARGUMENT, "TARIFF_INVALID"
    zh = "停车费率无效：{problem}。"


class TariffUnknown(AppError):
    """Car park {car_park_id} has no tariff at that time."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "TARIFF_UNKNOWN"
    zh = "停车场 {car_park_id} 在该时间没有生效的费率。"


class EntryConflict(AppError):
    """Plate {plate_no} is known to be inside at or after that time already, since {entry_time}."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "ENTRY_CONFLICT"
    zh = "车牌 {plate_no} 在该时间或之后已有入场记录（{entry_time}）。"


class PlateNotInside(AppError):
    """Plate {plate_no} is not inside."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "PLATE_NOT_INSIDE"
    zh = "车牌 {plate_no} 当前不在场内。"


class NotYourVehicle(AppError):
    """Plate {plate_no} does not belong to this member."""

    code, reason = grpc.StatusCode.PERMISSION_DENIED, "NOT_YOUR_VEHICLE"
    zh = "车牌 {plate_no} 不属于该会员。"


class NothingDue(AppError):
    """Nothing is due for plate {plate_no}."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "NOTHING_DUE"
    zh = "车牌 {plate_no} 当前无需缴费。"


class PaymentInProgress(AppError):
    """A payment for this stay is being worked on; ask again shortly."""

    code, reason = grpc.StatusCode.ABORTED, "PAYMENT_IN_PROGRESS"
    zh = "该次停车的缴费正在处理中，请稍后重试。"
    retry_after_ms = 500
