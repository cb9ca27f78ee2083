"""RPCs about doors: cases of sales, and devices that send later."""

from __future__ import annotations

from typing import Any

from chassis import ids, rpc
from chassis.db import Database
from chassis.pages import encode_token, page_size
from huitong.points.v1 import devices_pb2, devices_pb2_grpc, sale_cases_pb2, sale_cases_pb2_grpc
from services.points.doors import queries as door_queries
from services.points.doors.operations import device_key_of
from services.points.doors.sale_cases import SaleCases, place_of, to_message


class SaleCaseServicer(sale_cases_pb2_grpc.SaleCaseServiceServicer):
    """Sales whose points wait."""

    def __init__(self, database: Database, cases: SaleCases) -> None:
        self._db, self._cases = database, cases

    async def ConfirmSale(
        self, request: sale_cases_pb2.ConfirmSaleRequest, context: Any
    ) -> sale_cases_pb2.ConfirmSaleResponse:
        """The event has come."""
        return await self._cases.confirm(rpc.caller().group_id, request)

    async def RejectSale(
        self, request: sale_cases_pb2.RejectSaleRequest, context: Any
    ) -> sale_cases_pb2.RejectSaleResponse:
        """It will not come."""
        return await self._cases.reject(rpc.caller().group_id, request)

    async def ListSaleCases(
        self, request: sale_cases_pb2.ListSaleCasesRequest, context: Any
    ) -> sale_cases_pb2.ListSaleCasesResponse:
        """The group's, newest first."""
        before, size = place_of(request.page_token), page_size(request.page_size)
        unit_id = ids.optional_from_edge("unt", request.business_unit_id, "business_unit_id")
        async with self._db.reading(rpc.caller()) as tx:
            rows = await door_queries.list_cases(
                tx, state=request.state, kind=request.kind, unit_id=unit_id, before=before, limit=size + 1
            )
        more, rows = len(rows) > size, rows[:size]
        last = (rows[-1]["create_time"].isoformat(), rows[-1]["case_id"]) if more else ()
        return sale_cases_pb2.ListSaleCasesResponse(
            cases=map(to_message, rows), next_page_token=encode_token(*last) if more else ""
        )

    async def DecideSaleCase(
        self, request: sale_cases_pb2.DecideSaleCaseRequest, context: Any
    ) -> sale_cases_pb2.DecideSaleCaseResponse:
        """Release or reject."""
        return await self._cases.decide(rpc.caller().group_id, request)


class DeviceServicer(devices_pb2_grpc.DeviceServiceServicer):
    """Tills that send later."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def GetDeviceProgress(
        self, request: devices_pb2.GetDeviceProgressRequest, context: Any
    ) -> devices_pb2.GetDeviceProgressResponse:
        """What is recorded."""
        store_id = ids.from_edge("sto", request.store_id, "store_id")
        device_key = device_key_of(rpc.caller().group_id, store_id, request.device_id)
        found = await door_queries.find_device(
            self._db.pool, device_key, newest_seq=request.newest_seq, after_seq=request.after_seq
        )
        return devices_pb2.GetDeviceProgressResponse(**found._asdict())
