"""What keeps a member from being erased here. None of them tells a person's data: they are kept with the erasure."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class PointsHeld(AppError):
    """{points} points are held for an order that is open."""

    code, reason = StatusCode.FAILED_PRECONDITION, "POINTS_HELD"
    zh = "有 {points} 积分正被未完成的订单占用。"


class PointsUnderWay(AppError):
    """Points of this member are on their way between two wallets."""

    code, reason = StatusCode.FAILED_PRECONDITION, "POINTS_UNDER_WAY"
    zh = "该会员有积分正在转移途中。"


class StoredValueLeft(AppError):
    """There is stored value left in {currency_code}; it has to be spent or refunded first."""

    code, reason = StatusCode.FAILED_PRECONDITION, "STORED_VALUE_LEFT"
    zh = "储值账户 {currency_code} 仍有余额，请先使用或退款。"


class FamilyPoolJoined(AppError):
    """The member is in family pool {pool_id}; it has to be left or dissolved first."""

    code, reason = StatusCode.FAILED_PRECONDITION, "FAMILY_POOL_JOINED"
    zh = "该会员仍在家庭积分池 {pool_id} 中，请先退出或解散。"
