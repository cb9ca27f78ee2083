"""Parking on real servers, with a small points ledger behind a real gRPC door that can be told to misbehave."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids, rpc
from chassis.errors import AppError, Unavailable
from chassis.run import App
from huitong.common.v1 import events_pb2, types_pb2
from huitong.member.v1 import events_pb2 as member_events
from huitong.member.v1 import member_pb2
from huitong.org.v1 import events_pb2 as org_events
from huitong.org.v1 import org_pb2
from huitong.parking.v1 import events_pb2 as parking_events
from huitong.parking.v1 import parking_pb2 as pb
from huitong.parking.v1 import parking_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from services.parking.invariants import INVARIANTS
from tests.apps import GROUP, Apps, system, vendor

ENTRY = datetime(2017, 3, 15, 2, 0, tzinfo=UTC)
CAR_PARK = ids.to_edge("unt", ids.derive(GROUP, "unit", "car-park"))
MERCHANT = ids.to_edge("mch", ids.derive(GROUP, "merchant", "parking"))
PLATE = "沪A12345"


def member_id(name: str = "ann") -> str:
    return ids.to_edge("mbr", ids.derive(GROUP, "member", name))


def at(minutes: float) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(ENTRY + timedelta(minutes=minutes))
    return time


class InsufficientPoints(AppError):
    """Not enough."""

    code, reason = grpc.StatusCode.FAILED_PRECONDITION, "INSUFFICIENT_POINTS"


class Points(points_pb2_grpc.WalletServiceServicer, points_pb2_grpc.RuleServiceServicer):
    """A ledger that takes and gives back once for a request id, as points promises."""

    def __init__(self) -> None:
        self.balances = Counter[str]()
        self.redemptions: dict[str, Any] = {}
        self.by_txn: dict[str, Any] = {}
        self.reversals: dict[str, str] = {}
        # Names of RPCs that fail: before they did anything, or after.
        self.fail_before: set[str] = set()
        self.fail_after: set[str] = set()
        self.calls = Counter[str]()
        # What a quote answers where the rules have offset terms; the token is asked for again when points pay.
        self.quote: points_pb2.QuoteOffsetResponse | None = None

    def _enter(self, name: str) -> None:
        self.calls[name] += 1
        if name in self.fail_before:
            raise Unavailable

    def _leave(self, name: str) -> None:
        if name in self.fail_after:
            raise Unavailable

    async def GetRuleSet(self, request: Any, context: Any) -> Any:
        self._enter("GetRuleSet")
        offset = points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1500)
        rule_set = points_pb2.RuleSet(offset=offset)
        if self.quote is not None:
            rule_set.offset_terms.add(terms_id="terms", offset=offset)
        return points_pb2.GetRuleSetResponse(rule_set=rule_set)

    async def QuoteOffset(self, request: Any, context: Any) -> Any:
        self._enter("QuoteOffset")
        assert request.merchant_id == MERCHANT
        assert request.spending_kind == points_pb2.SPENDING_KIND_PARKING
        return self.quote

    async def GetBalance(self, request: Any, context: Any) -> Any:
        self._enter("GetBalance")
        return points_pb2.GetBalanceResponse(
            member_id=request.member_id, available_points=self.balances[request.member_id]
        )

    async def Redeem(self, request: Any, context: Any) -> Any:
        self._enter("Redeem")
        assert request.spending.quote_token == (self.quote.quote_token if self.quote is not None else "")
        if request.request_id not in self.redemptions:
            if self.balances[request.member_id] < request.points:
                raise InsufficientPoints
            self.balances[request.member_id] -= request.points
            txn_id = ids.to_edge("txn", ids.derive("redeem", request.request_id))
            self.redemptions[request.request_id] = self.by_txn[txn_id] = request
        assert self.redemptions[request.request_id] == request
        self._leave("Redeem")
        return points_pb2.RedeemResponse(
            txn_id=ids.to_edge("txn", ids.derive("redeem", request.request_id)), points=request.points
        )

    async def ReverseRedemption(self, request: Any, context: Any) -> Any:
        self._enter("ReverseRedemption")
        original = self.by_txn[request.redemption_txn_id]
        if request.request_id not in self.reversals:
            assert request.redemption_txn_id not in self.reversals.values(), "given back twice"
            self.reversals[request.request_id] = request.redemption_txn_id
            self.balances[request.member_id] += original.points
        self._leave("ReverseRedemption")
        return points_pb2.ReverseRedemptionResponse(txn_id="txn_x", points=original.points)

    @property
    def taken(self) -> int:
        """Points that are spent and not given back."""
        back = set(self.reversals.values())
        return sum(request.points for txn_id, request in self.by_txn.items() if txn_id not in back)


class Lot:
    """A running car park: parking's app, the ledger, and calls as everybody."""

    def __init__(self, apps: Apps, app: App) -> None:
        self.apps, self.app = apps, app
        self.points = Points()  # type: ignore[abstract]  # only what parking calls
        self.vehicles = apps.stub(parking_pb2_grpc.VehicleServiceStub, "parking")
        self.parking = apps.stub(parking_pb2_grpc.ParkingServiceStub, "parking")
        self._pack_numbers = Counter[str]()
        self._server: grpc.aio.Server | None = None
        self._outbox_id = 0

    async def open_points(self) -> None:
        """The ledger answers."""
        self._server = rpc.open_server("points", self.apps.tokens)
        points_pb2_grpc.add_WalletServiceServicer_to_server(self.points, self._server)
        points_pb2_grpc.add_RuleServiceServicer_to_server(self.points, self._server)
        self._server.add_insecure_port(self.apps.settings.address("points"))
        await self._server.start()

    async def close_points(self) -> None:
        """The ledger is gone."""
        if self._server is not None:
            await self._server.stop(None)
            self._server = None

    async def take(self, producer: str, *messages: Message, group_id: UUID = GROUP) -> None:
        """Events of another service, through the real consumer."""
        self._pack_numbers[producer] += 1
        pack = events_pb2.EventPack(producer=producer, pack_no=self._pack_numbers[producer])
        for message in messages:
            event = pack.events.add(
                event_id=ids.new().bytes,
                type=message.DESCRIPTOR.full_name,
                group_id=group_id.bytes,
                payload=message.SerializeToString(),
            )
            event.occur_time.FromDatetime(ENTRY)
        await next(one for one in self.app.consumers if one.producer == producer).take([pack])

    async def set_up(self) -> None:
        """A car park with its tariff, and Ann, who has a plate and 10,000 points."""
        self._outbox_id = await self.app.db.pool.fetchval("SELECT coalesce(max(id), 0) FROM outbox")
        unit = org_pb2.BusinessUnit(
            business_unit_id=CAR_PARK,
            kind=org_pb2.UNIT_KIND_PARKING,
            time_zone="Asia/Shanghai",
            currency_code="CNY",
        )
        merchant = org_pb2.Merchant(merchant_id=MERCHANT, business_unit_id=CAR_PARK)
        await self.take(
            "org", org_events.BusinessUnitSaved(business_unit=unit), org_events.MerchantSaved(merchant=merchant)
        )
        await self.join("ann")
        await self.set_tariff()
        await self.bind("ann")
        self.points.balances[member_id()] = 10_000

    async def join(self, name: str, free_minutes: int = 0) -> None:
        tier = member_pb2.Tier(code="MEMBER", free_parking_minutes=free_minutes)
        await self.take("member", member_events.MemberJoined(member_id=member_id(name), tier=tier))

    async def change_tier(self, name: str, free_minutes: int, day: tuple[int, int, int]) -> None:
        tier = member_pb2.Tier(code="GOLD", free_parking_minutes=free_minutes)
        date = types_pb2.BusinessDate(year=day[0], month=day[1], day=day[2])
        await self.take("member", member_events.TierChanged(member_id=member_id(name), tier=tier, effective_date=date))

    async def set_tariff(self, minutes: float = -100_000, **changes: int) -> None:
        values = {"free_minutes": 30, "hour_minor": 800, "day_cap_minor": 6000, "exit_grace_minutes": 15, **changes}
        request = pb.SetTariffRequest(
            request_id=ids.new().hex,
            car_park_id=CAR_PARK,
            merchant_id=MERCHANT,
            tariff=pb.Tariff(**values),
            effective_time=at(minutes),
        )
        await self.call("SetTariff", request)

    async def bind(self, name: str, plate_no: str = PLATE) -> Any:
        request = pb.BindPlateRequest(request_id=ids.new().hex, member_id=member_id(name), plate_no=plate_no)
        return await self.call("BindPlate", request)

    async def call(self, name: str, request: Message, group_id: UUID = GROUP) -> Any:
        """Call as the group's back office, or as the car park's vendor where only that may."""
        owner = self.vehicles if hasattr(self.vehicles, name) else self.parking
        who = vendor(CAR_PARK, group_id) if name in ("RecordEntry", "RecordExit") else system(group_id)
        return await self.apps.call(getattr(owner, name), request, who)

    async def enter(self, minutes: float = 0, plate_no: str = PLATE, request_id: str = "") -> Any:
        request = pb.RecordEntryRequest(
            request_id=request_id or ids.new().hex, car_park_id=CAR_PARK, plate_no=plate_no, entry_time=at(minutes)
        )
        return await self.call("RecordEntry", request)

    async def leave(self, minutes: float, paid: int = 0, plate_no: str = PLATE, request_id: str = "") -> Any:
        request = pb.RecordExitRequest(
            request_id=request_id or ids.new().hex,
            car_park_id=CAR_PARK,
            plate_no=plate_no,
            exit_time=at(minutes),
            gate_paid_minor=paid,
        )
        return await self.call("RecordExit", request)

    async def quote(self, minutes: float, name: str = "ann", plate_no: str = PLATE) -> Any:
        request = pb.QuoteFeeRequest(
            member_id=member_id(name), car_park_id=CAR_PARK, plate_no=plate_no, at_time=at(minutes)
        )
        return await self.call("QuoteFee", request)

    async def pay(
        self, minutes: float, *, points: bool = False, name: str = "ann", plate_no: str = PLATE, request_id: str = ""
    ) -> Any:
        request = pb.PayFeeRequest(
            request_id=request_id or ids.new().hex,
            member_id=member_id(name),
            car_park_id=CAR_PARK,
            plate_no=plate_no,
            pay_time=at(minutes),
            use_points=points,
        )
        return await self.call("PayFee", request)

    async def ended(self) -> list[parking_events.StayEnded]:
        """StayEnded of this test, in order."""
        rows = await self.app.db.pool.fetch(
            "SELECT payload FROM outbox WHERE type = $1 AND id > $2 ORDER BY id",
            parking_events.StayEnded.DESCRIPTOR.full_name,
            self._outbox_id,
        )
        return [parking_events.StayEnded.FromString(row["payload"]) for row in rows]

    async def states(self) -> list[str]:
        """States of all payments."""
        rows = await self.app.db.pool.fetch("SELECT state FROM pay_intent ORDER BY create_time, request_id")
        return [row["state"] for row in rows]

    async def lapse_leases(self) -> None:
        """As if whoever drove the open payments had died a while ago."""
        await self.app.db.pool.execute("UPDATE pay_intent SET lease_until_time = clock_timestamp() - interval '1 s'")

    async def work(self) -> None:
        """One turn of the worker."""
        job = next(job for job in self.app.jobs if job.name == "parking.finish-payments")
        rpc.speak_as("parking", self.apps.tokens)
        await job._run(ENTRY)

    async def violations(self) -> dict[str, list[Any]]:
        """Invariants that do not hold, with their rows; and points taken beyond what stays show."""
        found = {name: await self.app.db.pool.fetch(query) for name, query in INVARIANTS.items()}
        paid = await self.app.db.pool.fetchval("SELECT coalesce(sum(points), 0) FROM stay")
        if paid != self.points.taken:
            found["points taken are points paid"] = [f"{paid} paid, {self.points.taken} taken"]
        return {name: rows for name, rows in found.items() if rows}
