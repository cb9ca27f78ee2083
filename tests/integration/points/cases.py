"""Whoever confirms and decides sales whose points wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from chassis.identity import Caller
from huitong.points.v1 import devices_pb2, devices_pb2_grpc, points_pb2, sale_cases_pb2_grpc
from huitong.points.v1 import sale_cases_pb2 as pb
from services.points.doors.sale_cases import SaleCases
from services.points.ledger.ledger import Ledger
from services.points.lookup import Lookup
from services.points.merging.operations import Merges
from tests.apps import system
from tests.integration.points.world import World

RELEASE, REJECT = pb.SALE_CASE_DECISION_RELEASE, pb.SALE_CASE_DECISION_REJECT


class Office:
    """Calls about cases."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stub = world.apps.stub(sale_cases_pb2_grpc.SaleCaseServiceStub, "points")
        self.devices = world.apps.stub(devices_pb2_grpc.DeviceServiceStub, "points")

    async def confirm(
        self, sale: points_pb2.RecordSaleRequest, request_id: str = "", who: Caller | None = None, why: str = ""
    ) -> pb.ConfirmSaleResponse:
        """The event of a sale has come."""
        request = pb.ConfirmSaleRequest(
            request_id=request_id or self.world.request_id(),
            store_id=sale.store_id,
            source=sale.source,
            receipt_no=sale.receipt_no,
        )
        return await self.world.call(self.stub.ConfirmSale, request, who, why)

    async def reject(
        self, sale: points_pb2.RecordSaleRequest, request_id: str = "", who: Caller | None = None
    ) -> pb.RejectSaleResponse:
        """It will not come."""
        request = pb.RejectSaleRequest(
            request_id=request_id or self.world.request_id(),
            store_id=sale.store_id,
            source=sale.source,
            receipt_no=sale.receipt_no,
            note="cancelled",
        )
        return await self.world.call(self.stub.RejectSale, request, who)

    async def list(self, page_size: int = 200, **options: Any) -> list[pb.SaleCase]:
        """Over all pages."""
        found: list[pb.SaleCase] = []
        token = ""
        while True:
            request = pb.ListSaleCasesRequest(page_size=page_size, page_token=token, **options)
            answer = await self.world.call(self.stub.ListSaleCases, request, system(self.world.group_id))
            found += answer.cases
            token = answer.next_page_token
            if not token:
                return found

    async def decide(
        self, case: pb.SaleCase, decision: Any, request_id: str = "", unit_id: str = "", who: Caller | None = None
    ) -> pb.DecideSaleCaseResponse:
        """Decide one."""
        request = pb.DecideSaleCaseRequest(
            request_id=request_id or self.world.request_id(),
            case_id=case.case_id,
            decision=decision,
            note="looked at",
            business_unit_id=unit_id,
        )
        return await self.world.call(self.stub.DecideSaleCase, request, who or system(self.world.group_id))

    async def progress(
        self, shop: int, device_id: str, newest_seq: int = 0, after_seq: int = 0
    ) -> devices_pb2.GetDeviceProgressResponse:
        """What is recorded of a device."""
        store_id = self.world.sale(100, shop=shop).store_id
        request = devices_pb2.GetDeviceProgressRequest(
            store_id=store_id, device_id=device_id, newest_seq=newest_seq, after_seq=after_seq
        )
        return await self.world.call(self.devices.GetDeviceProgress, request)

    async def finish(self, now: datetime) -> None:
        """The job that does what was decided."""
        ledger = Ledger(self.world.app.db.url, self.world.app.settings.points_lanes, now_sql=self.world.app.db.now_sql)
        await ledger.open()
        try:
            lookup = Lookup(self.world.app.db, len(ledger.lanes), org=None, member=None, ladder=None)
            await SaleCases(self.world.app.db, lookup, ledger, Merges(self.world.app.db, lookup, ledger)).finish(now)
        finally:
            await ledger.close()


class Lost(Exception):
    """The process died here."""


@contextmanager
def dying(monkeypatch: Any, target: Any, name: str) -> Iterator[None]:
    """The first call of a method is the last thing that this process does: it raises instead."""

    async def die(*_: object, **__: object) -> None:
        raise Lost

    with monkeypatch.context() as patch:
        patch.setattr(target, name, die)
        yield
