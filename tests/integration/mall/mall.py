"""The mall under test: the real service on real PostgreSQL and NATS, its neighbours as stand-ins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.identity import Caller
from huitong.mall.v1 import events_pb2, mall_pb2, mall_pb2_grpc
from services.mall import jobs
from services.mall.invariants import INVARIANTS
from services.mall.saga import Saga
from tests.apps import GROUP, Apps, member, system, terminal
from tests.integration.mall.standins import Points, StandIns

OTHER_GROUP = ids.derive("group", "other-group")
ANNA, BORIS = (ids.to_edge("mbr", ids.derive("member", name)) for name in ("anna", "boris"))
TABLES = (
    "item, voucher_order, coupon_template, coupon, coupon_write_off, checkout, merchant_copy, store_copy, member_copy"
)
STUBS = {
    name: getattr(mall_pb2_grpc, f"{name}ServiceStub")
    for name in ("Catalogue", "Order", "Coupon", "Checkout", "MallReport")
}


def rid() -> str:
    """A request id of its own."""
    return ids.new().hex


def at(text: str) -> Any:
    """A protobuf timestamp."""
    from google.protobuf.timestamp_pb2 import Timestamp

    stamp = Timestamp()
    stamp.FromDatetime(datetime.fromisoformat(text).replace(tzinfo=UTC))
    return stamp


class Mall:
    """Calls, and looks inside."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.standins = StandIns(apps, GROUP.hex)
        self.points: Points = self.standins.points
        self.merchants, self.stores = self.standins.structure.merchants, self.standins.structure.stores
        self.standins.members.known = {(GROUP.hex, ANNA), (GROUP.hex, BORIS)}

    async def start(self) -> Mall:
        jobs.EVERY_SECONDS = 0.1
        await self.standins.start("org", "member", "points")
        self.db = (await self.apps.start("mall"))["mall"].db
        await self.apps.as_owner("mall", f"TRUNCATE {TABLES}, outbox, request_log")
        return self

    async def stop(self) -> None:
        await self.apps.stop()
        await self.standins.stop()

    async def call(self, service: str, rpc: str, request: Any, caller: Caller | None = None) -> Any:
        stub = self.apps.stub(STUBS[service], "mall")
        return await self.apps.call(getattr(stub, rpc), request, caller or system())

    # ---- catalogue and orders

    async def item(
        self, code: str = "COFFEE", *, stock: int = 10, price: int = 100, limit: int = 0, benefit: str = ""
    ) -> Any:
        request = mall_pb2.CreateItemRequest(
            request_id=rid(),
            code=code,
            name=code,
            merchant_id=self.merchants["A"],
            price_points=price,
            stock=stock,
            limit_per_member=limit,
            benefit_code=benefit,
        )
        return (await self.call("Catalogue", "CreateItem", request)).item

    async def order(self, item: Any, *, member_id: str = ANNA, request_id: str = "") -> Any:
        request = mall_pb2.PlaceOrderRequest(request_id=request_id or rid(), member_id=member_id, item_id=item.item_id)
        return (await self.call("Order", "PlaceOrder", request, member(member_id))).order

    async def cancel(self, order: Any, *, member_id: str = ANNA, request_id: str = "") -> Any:
        request = mall_pb2.CancelOrderRequest(
            request_id=request_id or rid(), member_id=member_id, order_id=order.order_id
        )
        return (await self.call("Order", "CancelOrder", request, member(member_id))).order

    async def use(self, code: str, *, store: str = "A1", request_id: str = "") -> Any:
        request = mall_pb2.UseVoucherRequest(
            request_id=request_id or rid(), store_id=self.stores[store], voucher_code=code
        )
        return (await self.call("Order", "UseVoucher", request, terminal(self.stores[store]))).order

    async def get_order(self, order: Any, *, member_id: str = ANNA) -> Any:
        request = mall_pb2.GetOrderRequest(member_id=member_id, order_id=order.order_id)
        return (await self.call("Order", "GetOrder", request, member(member_id))).order

    # ---- coupons

    def template(self, code: str = "TEN", **values: Any) -> mall_pb2.CreateTemplateRequest:
        defaults = {
            "request_id": rid(),
            "code": code,
            "name": code,
            "amount_off_minor": 1000,
            "valid_from_time": at("2020-01-01"),
            "valid_until_time": at("2100-01-01"),
        }
        return mall_pb2.CreateTemplateRequest(**{**defaults, **values})

    async def create_template(self, code: str = "TEN", **values: Any) -> Any:
        return (await self.call("Coupon", "CreateTemplate", self.template(code, **values))).template

    async def issue(self, template: Any, *, member_id: str = ANNA, request_id: str = "") -> Any:
        request = mall_pb2.IssueCouponRequest(
            request_id=request_id or rid(), template_id=template.template_id, member_id=member_id
        )
        return (await self.call("Coupon", "IssueCoupon", request)).coupon

    async def write_off(
        self, code: str, *, store: str = "A1", lines: Any = ((10000, "GROCERY"),), request_id: str = ""
    ) -> Any:
        request = mall_pb2.WriteOffCouponRequest(
            request_id=request_id or rid(),
            store_id=self.stores[store],
            coupon_code=code,
            lines=[{"line_no": no, "amount_minor": a, "category": c} for no, (a, c) in enumerate(lines, 1)],
        )
        return await self.call("Coupon", "WriteOffCoupon", request, terminal(self.stores[store]))

    async def reverse(self, code: str, *, store: str = "A1", request_id: str = "") -> Any:
        request = mall_pb2.ReverseWriteOffRequest(
            request_id=request_id or rid(), store_id=self.stores[store], coupon_code=code
        )
        return (await self.call("Coupon", "ReverseWriteOff", request, terminal(self.stores[store]))).coupon

    # ---- looking inside

    async def events(self, kind: str = "") -> list[tuple[str, Any]]:
        """(name, event) in the order they were written."""
        rows = await self.db.pool.fetch("SELECT type, payload FROM outbox ORDER BY xid::text::bigint, id")
        found = [(row["type"].rpartition(".")[2], row["payload"]) for row in rows]
        return [
            (name, getattr(events_pb2, name).FromString(payload)) for name, payload in found if name.startswith(kind)
        ]

    async def assert_invariants(self) -> None:
        for name, query in INVARIANTS.items():
            assert await self.db.pool.fetch(query) == [], name

    async def settle(self, timeout_s: float = 10.0) -> None:
        """Let the worker finish everything, without waiting for leases of drivers that died."""
        async with asyncio.timeout(timeout_s):
            while True:
                left = 0
                for table in ("voucher_order", "checkout"):
                    left += await self.db.pool.fetchval(
                        f"SELECT count(*) FROM {table} WHERE next_attempt_time IS NOT NULL"
                    )
                    await self.db.pool.execute(
                        f"UPDATE {table} SET next_attempt_time = clock_timestamp() WHERE next_attempt_time IS NOT NULL"
                    )
                if not left:
                    return
                await asyncio.sleep(0.2)

    def balance(self, member_id: str = ANNA) -> tuple[int, int, int]:
        """Available, held, spent."""
        return self.points.available[member_id], self.points.held[member_id], self.points.spent[member_id]


@asynccontextmanager
async def running_mall(apps: Apps) -> AsyncIterator[Mall]:
    """A mall that is stopped before its neighbours."""
    mall = await Mall(apps).start()
    try:
        yield mall
    finally:
        await mall.stop()


class Crash(Exception):
    """The process died here."""


class CrashPoint:
    """Kills the saga's driver at its n-th point: before its first step, and around every write of a move."""

    def __init__(self, monkeypatch: Any, number: int) -> None:
        self.number, self.seen, self.is_armed = number, 0, True
        advance: Callable[..., Any] = Saga.advance
        write: Callable[..., Any] = Saga._write
        point = self

        async def crashing_advance(saga: Any, row: Any) -> Any:
            point.pass_by()
            return await advance(saga, row)

        async def crashing_write(saga: Any, row: Any, move: Any) -> Any:
            point.pass_by()
            written = await write(saga, row, move)
            point.pass_by()
            return written

        monkeypatch.setattr(Saga, "advance", crashing_advance)
        monkeypatch.setattr(Saga, "_write", crashing_write)

    def pass_by(self) -> None:
        """Die here once, if this is the point."""
        self.seen += 1
        if self.is_armed and self.seen == self.number:
            self.is_armed = False
            raise Crash


def as_uuid(edge_id: str) -> UUID:
    """The uuid of an edge id."""
    return UUID(hex=edge_id.partition("_")[2])
