"""From org's protos to the rows of their copies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from chassis import ids
from huitong.org.v1 import org_pb2


def unit_row(group_id: UUID, unit: org_pb2.BusinessUnit) -> dict[str, Any]:
    """The copy of a business unit."""
    return {
        "business_unit_id": ids.from_edge("unt", unit.business_unit_id, "business_unit_id"),
        "group_id": group_id,
        "time_zone": unit.time_zone,
        "currency_code": unit.currency_code,
    }


def merchant_row(group_id: UUID, merchant: org_pb2.Merchant) -> dict[str, Any]:
    """The copy of a merchant."""
    return {
        "merchant_id": ids.from_edge("mch", merchant.merchant_id, "merchant_id"),
        "group_id": group_id,
        "business_unit_id": ids.from_edge("unt", merchant.business_unit_id, "business_unit_id"),
    }
