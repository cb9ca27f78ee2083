"""What is refused about places."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class PlaceUnknown(AppError):
    """There is no business unit, merchant or store {place_id}."""

    code, reason = StatusCode.NOT_FOUND, "PLACE_UNKNOWN"
    zh = "业态单元、商户或门店 {place_id} 不存在。"
