"""What the tier programme refuses."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class LadderUnknown(AppError):
    """There is no version {version} of the ladder."""

    code, reason = StatusCode.NOT_FOUND, "LADDER_UNKNOWN"
    zh = "会员等级设置的版本 {version} 不存在。"


class LadderInForce(AppError):
    """Version {version} of the ladder has been in force already."""

    code, reason = StatusCode.FAILED_PRECONDITION, "LADDER_IN_FORCE"
    zh = "会员等级设置的版本 {version} 已生效，无法取消。"


class TaskUnknown(AppError):
    """The ladder has no task {task_code}."""

    code, reason = StatusCode.NOT_FOUND, "TASK_UNKNOWN"
    zh = "会员等级设置中没有任务 {task_code}。"


class GrowthUnknown(AppError):
    """There is no such entry of growth."""

    code, reason = StatusCode.NOT_FOUND, "GROWTH_UNKNOWN"
    zh = "成长值记录不存在。"


class TierUnknown(AppError):
    """The ladder has no tier {tier_code}."""

    code, reason = StatusCode.NOT_FOUND, "TIER_UNKNOWN"
    zh = "会员等级设置中没有等级 {tier_code}。"


class TierMatchInvalid(AppError):
    """The level {level} comes twice."""

    code, reason = StatusCode.INVALID_ARGUMENT, "TIER_MATCH_INVALID"
    zh = "级别 {level} 重复。"


class TierMatchUnknown(AppError):
    """The business unit's table has no level {level}."""

    code, reason = StatusCode.NOT_FOUND, "TIER_MATCH_UNKNOWN"
    zh = "该业态的等级匹配表中没有级别 {level}。"


class RecalculationRunning(AppError):
    """The group is being graded anew already: {recalculation_id}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "RECALCULATION_RUNNING"
    zh = "该集团正在重新计算会员等级：{recalculation_id}。"


class RecalculationUnknown(AppError):
    """There is no such recalculation."""

    code, reason = StatusCode.NOT_FOUND, "RECALCULATION_UNKNOWN"
    zh = "重新计算任务不存在。"


class RecalculationEnded(AppError):
    """The recalculation has ended."""

    code, reason = StatusCode.FAILED_PRECONDITION, "RECALCULATION_ENDED"
    zh = "重新计算任务已结束。"
