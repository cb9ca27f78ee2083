"""What org refuses, and what it finds wrong in a row of an import."""

from __future__ import annotations

from grpc import StatusCode

from chassis.errors import AppError


class GroupUnknown(AppError):
    """This group does not exist."""

    code, reason = StatusCode.NOT_FOUND, "GROUP_UNKNOWN"
    zh = "集团不存在。"


class BusinessUnitUnknown(AppError):
    """The group has no business unit {business_unit_id}."""

    code, reason = StatusCode.NOT_FOUND, "BUSINESS_UNIT_UNKNOWN"
    zh = "集团中没有业态单元 {business_unit_id}。"


class BusinessUnitClosed(AppError):
    """The business unit {business_unit_id} is closed; its merchants cannot be open."""

    code, reason = StatusCode.FAILED_PRECONDITION, "BUSINESS_UNIT_CLOSED"
    zh = "业态单元 {business_unit_id} 已关闭，其商户不能营业。"


class MerchantUnknown(AppError):
    """The group has no merchant {merchant_id}."""

    code, reason = StatusCode.NOT_FOUND, "MERCHANT_UNKNOWN"
    zh = "集团中没有商户 {merchant_id}。"


class MerchantClosed(AppError):
    """The merchant {merchant_id} is closed; its stores cannot be open."""

    code, reason = StatusCode.FAILED_PRECONDITION, "MERCHANT_CLOSED"
    zh = "商户 {merchant_id} 已关闭，其门店不能营业。"


class StoreUnknown(AppError):
    """The group has no store {store_id}."""

    code, reason = StatusCode.NOT_FOUND, "STORE_UNKNOWN"
    zh = "集团中没有门店 {store_id}。"


class TerminalUnknown(AppError):
    """The group has no terminal {terminal}."""

    code, reason = StatusCode.NOT_FOUND, "TERMINAL_UNKNOWN"
    zh = "集团中没有终端 {terminal}。"


class TerminalClosed(AppError):
    """The terminal {terminal} is closed; its keys do not work. Open it first."""

    code, reason = StatusCode.FAILED_PRECONDITION, "TERMINAL_CLOSED"
    zh = "终端 {terminal} 已停用，其凭证无效，请先启用。"


class CredentialUnknown(AppError):
    """There is no credential {key_id}."""

    code, reason = StatusCode.NOT_FOUND, "CREDENTIAL_UNKNOWN"
    zh = "凭证 {key_id} 不存在。"


class CredentialRevoked(AppError):
    """The credential {key_id} is revoked."""

    code, reason = StatusCode.FAILED_PRECONDITION, "CREDENTIAL_REVOKED"
    zh = "凭证 {key_id} 已被吊销。"


class NotACarPark(AppError):
    """The business unit {business_unit_id} is no car park; a vendor's credential is for one car park."""

    code, reason = StatusCode.FAILED_PRECONDITION, "NOT_A_CAR_PARK"
    zh = "业态单元 {business_unit_id} 不是停车场，停车厂商凭证只能绑定停车场。"


class CodeTaken(AppError):
    """The code {value} already names another {kind}."""

    code, reason = StatusCode.ALREADY_EXISTS, "CODE_TAKEN"
    zh = "编码 {value} 已被另一个 {kind} 使用。"


class TimeZoneUnknown(AppError):
    """{value} is not a time zone; use an IANA name such as Asia/Shanghai."""

    code, reason = StatusCode.INVALID_ARGUMENT, "TIME_ZONE_UNKNOWN"
    zh = "{value} 不是有效时区，请使用 IANA 名称，如 Asia/Shanghai。"


class CsvUnreadable(AppError):
    """The file cannot be read as CSV: {problem}."""

    code, reason = StatusCode.INVALID_ARGUMENT, "CSV_UNREADABLE"
    zh = "无法按 CSV 读取文件：{problem}。"


class RowProblem(AppError):
    """A row of an import was left out."""

    code = StatusCode.INVALID_ARGUMENT


class RowUnreadable(RowProblem):
    """The row cannot be read as CSV; look for a quotation mark that is not closed or not doubled."""

    reason = "ROW_UNREADABLE"
    zh = "该行不是有效的 CSV，请检查未闭合或未加倍的引号。"


class CellCountWrong(RowProblem):
    """The row has {actual} cells, the header has {expected}."""

    reason = "CELL_COUNT_WRONG"
    zh = "该行有 {actual} 个单元格，表头有 {expected} 个。"


class KindUnknown(RowProblem):
    """The kind {value} is none of unit, merchant, store, terminal."""

    reason = "KIND_UNKNOWN"
    zh = "类型 {value} 不是 unit、merchant、store、terminal 之一。"


class CodeInvalid(RowProblem):
    """The code {value} must be 1 to 64 letters, digits, - or _, and begin with a letter or digit."""

    reason = "CODE_INVALID"
    zh = "编码 {value} 须为 1 至 64 位字母、数字、- 或 _，并以字母或数字开头。"


class CodeRepeated(RowProblem):
    """The code {value} came before in this file, in line {first_line}."""

    reason = "CODE_REPEATED"
    zh = "编码 {value} 在本文件第 {first_line} 行已出现。"


class NameInvalid(RowProblem):
    """The name must have 1 to 100 characters (of a terminal it may be empty) and no control characters."""

    reason = "NAME_INVALID"
    zh = "名称须为 1 至 100 个字符（终端可为空），且不含控制字符。"


class CategoryInvalid(RowProblem):
    """The category may have at most 64 characters and no control characters."""

    reason = "CATEGORY_INVALID"
    zh = "业态类别最多 64 个字符，且不含控制字符。"


class LegalNameInvalid(RowProblem):
    """The legal name may have at most 200 characters and no control characters."""

    reason = "LEGAL_NAME_INVALID"
    zh = "法定名称最多 200 个字符，且不含控制字符。"


class FloorInvalid(RowProblem):
    """The floor may have at most 16 characters and no control characters."""

    reason = "FLOOR_INVALID"
    zh = "楼层最多 16 个字符，且不含控制字符。"


class UnitKindUnknown(RowProblem):
    """The unit kind {value} is none of mall, office, hotel, community, parking, other."""

    reason = "UNIT_KIND_UNKNOWN"
    zh = "业态类型 {value} 不是 mall、office、hotel、community、parking、other 之一。"


class CurrencyInvalid(RowProblem):
    """The currency {value} is not a three-letter code such as CNY."""

    reason = "CURRENCY_INVALID"
    zh = "币种 {value} 不是三位字母代码，如 CNY。"


class ParentUnknown(RowProblem):
    """There is no {parent_kind} with the code {value} in the group, nor a good row for one in this file."""

    reason = "PARENT_UNKNOWN"
    zh = "集团中没有编码为 {value} 的 {parent_kind}，本文件中也没有它的有效行。"


class ParentNotEmpty(RowProblem):
    """A business unit stands directly under the group; leave parent_code empty."""

    reason = "PARENT_NOT_EMPTY"
    zh = "业态单元直属集团，parent_code 须为空。"


class ParentFixed(RowProblem):
    """The {kind} {value} belongs to another parent, and its history stays there; use a new code."""

    reason = "PARENT_FIXED"
    zh = "{kind} {value} 属于另一个上级，历史记录不可迁移，请使用新编码。"


class ParentClosed(RowProblem):
    """The {parent_kind} {value} is closed and gets nothing new."""

    reason = "PARENT_CLOSED"
    zh = "{parent_kind} {value} 已关闭，不能新增下级。"


class UnitKindFixed(RowProblem):
    """The kind of an existing business unit stays what it was, {value}; use a new code."""

    reason = "UNIT_KIND_FIXED"
    zh = "已有业态单元的类型不可更改，仍为 {value}，请使用新编码。"


class TimeZoneFixed(RowProblem):
    """The time zone of an existing business unit stays what it was, {value}."""

    reason = "TIME_ZONE_FIXED"
    zh = "已有业态单元的时区不可更改，仍为 {value}。"


class CurrencyFixed(RowProblem):
    """The currency of an existing business unit stays what it was, {value}."""

    reason = "CURRENCY_FIXED"
    zh = "已有业态单元的币种不可更改，仍为 {value}。"
