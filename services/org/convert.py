"""Between org's plain values and its protos."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from chassis.errors import InvalidArgument
from chassis.ids import to_edge
from huitong.common.v1 import types_pb2
from huitong.org.v1 import org_pb2
from services.org.rules import Fault, Group, Merchant, Store, Terminal, Unit, is_plain


def group_edge(group_id: UUID) -> str:
    """`grp_…`"""
    return to_edge("grp", group_id)


def unit_edge(unit_id: UUID) -> str:
    """`unt_…`"""
    return to_edge("unt", unit_id)


def merchant_edge(merchant_id: UUID) -> str:
    """`mch_…`"""
    return to_edge("mch", merchant_id)


def store_edge(store_id: UUID) -> str:
    """`sto_…`"""
    return to_edge("sto", store_id)


def terminal_edge(terminal_id: UUID) -> str:
    """`trm_…`"""
    return to_edge("trm", terminal_id)


def key_edge(key_id: UUID) -> str:
    """`key_…`"""
    return to_edge("key", key_id)


def group_message(group: Group) -> org_pb2.Group:
    """The group at the edge."""
    return org_pb2.Group(group_id=group_edge(group.group_id), code=group.code, name=group.name)


def unit_message(unit: Unit) -> org_pb2.BusinessUnit:
    """The unit at the edge."""
    return org_pb2.BusinessUnit(
        business_unit_id=unit_edge(unit.unit_id),
        code=unit.code,
        name=unit.name,
        kind=f"UNIT_KIND_{unit.kind}",
        time_zone=unit.time_zone,
        currency_code=unit.currency_code,
        is_open=unit.is_open,
    )


def merchant_message(merchant: Merchant) -> org_pb2.Merchant:
    """The merchant at the edge."""
    return org_pb2.Merchant(
        merchant_id=merchant_edge(merchant.merchant_id),
        code=merchant.code,
        name=merchant.name,
        business_unit_id=unit_edge(merchant.unit_id),
        category=merchant.category,
        is_open=merchant.is_open,
        legal_name=merchant.legal_name,
    )


def store_message(one: Store) -> org_pb2.Store:
    """The store at the edge."""
    return org_pb2.Store(
        store_id=store_edge(one.store_id),
        code=one.code,
        name=one.name,
        merchant_id=merchant_edge(one.merchant_id),
        business_unit_id=unit_edge(one.unit_id),
        category=one.category,
        floor=one.floor,
        is_open=one.is_open,
        time_zone=one.time_zone,
        currency_code=one.currency_code,
        opening_date=to_date(one.opening_date),
    )


def to_date(day: date | None) -> types_pb2.BusinessDate | None:
    """The date at the edge."""
    return types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day) if day is not None else None


def from_date(day: types_pb2.BusinessDate, field: str) -> date:
    """The date. Raises InvalidArgument when there is no such day."""
    try:
        return date(day.year, day.month, day.day)
    except ValueError:
        raise InvalidArgument([(field, "does not exist")]) from None


def terminal_message(terminal: Terminal) -> org_pb2.Terminal:
    """The terminal at the edge."""
    return org_pb2.Terminal(
        terminal_id=terminal_edge(terminal.terminal_id),
        code=terminal.code,
        store_id=store_edge(terminal.store_id),
        name=terminal.name,
        is_open=terminal.is_open,
    )


def fault_message(fault: Fault) -> org_pb2.RowError:
    """The fault as the import reports it, in both languages."""
    return org_pb2.RowError(
        line=fault.line,
        column=fault.column,
        reason=fault.problem.reason,
        message=fault.problem.message,
        message_zh=fault.problem.message_zh,
    )


def check_plain(**fields: str) -> None:
    """Raises InvalidArgument naming the fields that have control characters."""
    wrong = [(field, "has control characters") for field, text in fields.items() if not is_plain(text)]
    if wrong:
        raise InvalidArgument(wrong)
