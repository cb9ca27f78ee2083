"""What merges refuse."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class MergeWithSelf(AppError):
    """A member cannot be merged with itself."""

    code, reason = StatusCode.INVALID_ARGUMENT, "MERGE_WITH_SELF"
    zh = "会员不能与自己合并。"


class MemberAbsorbed(AppError):
    """Member {member_id} is absorbed by {survivor_id}."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_ABSORBED"
    zh = "会员 {member_id} 已并入 {survivor_id}。"


class MemberIsSurvivor(AppError):
    """Member {member_id} has absorbed others: merge the other way round, or undo those merges first."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MEMBER_IS_SURVIVOR"
    zh = "会员 {member_id} 已合并过其他会员：请反向合并，或先撤销那些合并。"


class MergeUnderWay(AppError):
    """A merge of member {member_id}, or its undoing, is not done yet; try again when it is."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MERGE_UNDER_WAY"
    zh = "会员 {member_id} 的合并或撤销尚未完成，请在完成后重试。"


class MergeUnknown(AppError):
    """There is no such merge: {merge_id}."""

    code, reason = StatusCode.NOT_FOUND, "MERGE_UNKNOWN"
    zh = "合并记录 {merge_id} 不存在。"


class MergeNotCompleted(AppError):
    """The merge {merge_id} waits for {waiting_for}; it can be undone when they have followed."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MERGE_NOT_COMPLETED"
    zh = "合并 {merge_id} 仍在等待 {waiting_for}，完成后才能撤销。"


class MergeUndone(AppError):
    """The merge {merge_id} is undone already."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MERGE_UNDONE"
    zh = "合并 {merge_id} 已撤销。"
