"""What attributes refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class AttributeUnknown(AppError):
    """There is no attribute {key}."""

    code, reason = StatusCode.NOT_FOUND, "ATTRIBUTE_UNKNOWN"
    zh = "会员属性 {key} 不存在。"


class AttributeTypeFixed(AppError):
    """The attribute {key} is there already with another type."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ATTRIBUTE_TYPE_FIXED"
    zh = "会员属性 {key} 已存在，类型不可更改。"


class AttributeChoicesWrong(AppError):
    """The choices of the attribute {key} are wrong: {problem}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "ATTRIBUTE_CHOICES_WRONG"
    zh = "会员属性 {key} 的选项有误：{problem}。"


class AttributesTooMany(AppError):
    """A group has at most {limit} attributes."""

    code, reason = StatusCode.FAILED_PRECONDITION, "ATTRIBUTES_TOO_MANY"
    zh = "每个集团最多 {limit} 个会员属性。"


class AttributeValueWrong(AppError):
    """This is no value of the attribute {key}: it takes {expected}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "ATTRIBUTE_VALUE_WRONG"
    zh = "会员属性 {key} 的值无效，应为 {expected}。"
