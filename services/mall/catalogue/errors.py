"""Errors of the catalogue."""

from __future__ import annotations

import grpc

from chassis.errors import AppError


class ItemUnknown(AppError):
    """There is no item {item_id}."""

    code, reason = grpc.StatusCode.NOT_FOUND, "ITEM_UNKNOWN"
    zh = "商品 {item_id} 不存在。"


class OutOfStock(AppError):
    """The item {item_id} is out of stock."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "OUT_OF_STOCK"
    zh = "商品 {item_id} 已兑完。"
