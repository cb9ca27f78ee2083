"""Whether business units that are named are the group's, as org says."""

from __future__ import annotations

from chassis import rpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from services.member.errors import BusinessUnitUnknown


async def check_unit(structure: org_pb2_grpc.StructureServiceStub, unit_id: str) -> None:
    """Make sure that the caller's group has the unit. Raises BusinessUnitUnknown."""
    page_token = ""
    while True:
        listed = org_pb2.ListBusinessUnitsRequest(page_size=200, page_token=page_token)
        page = await rpc.call(structure.ListBusinessUnits, listed)
        if any(unit.business_unit_id == unit_id for unit in page.business_units):
            return
        page_token = page.next_page_token
        if not page_token:
            raise BusinessUnitUnknown(business_unit_id=unit_id)
