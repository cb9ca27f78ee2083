"""Settlement on real servers, fed with packs as its producers would publish them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import nats
from google.protobuf.message import Message

from chassis import ids
from chassis.run import App
from huitong.common.v1 import events_pb2, types_pb2
from huitong.mall.v1 import events_pb2 as mall_events
from huitong.org.v1 import events_pb2 as org_events
from huitong.org.v1 import org_pb2
from huitong.parking.v1 import events_pb2 as parking_events
from huitong.points.v1 import events_pb2 as points_events
from huitong.settlement.v1 import settlement_pb2 as pb
from huitong.settlement.v1 import settlement_pb2_grpc
from services.settlement.invariants import INVARIANTS
from services.settlement.jobs import Jobs
from tests.apps import GROUP, Apps, system

NOON = datetime(2017, 3, 15, 4, tzinfo=UTC)
_numbers = Counter[str]()


def merchant_id(name: str) -> str:
    return ids.to_edge("mch", ids.derive(GROUP, "merchant", name))


def unit_id(name: str) -> str:
    return ids.to_edge("unt", ids.derive(GROUP, "unit", name))


def lot_id(name: str) -> str:
    return ids.to_edge("lot", ids.derive("lot", name))


def txn_id(name: str) -> str:
    return ids.to_edge("txn", ids.derive("txn", name))


def sale_id(name: str) -> str:
    return ids.to_edge("sal", ids.derive("sale", name))


def share(name: str, merchant: str, points: int) -> points_events.LotShare:
    return points_events.LotShare(lot_id=lot_id(name), issuer_merchant_id=merchant_id(merchant), points=points)


def spending(merchant: str) -> Any:
    from huitong.points.v1 import points_pb2

    return points_pb2.Spending(merchant_id=merchant_id(merchant), kind=points_pb2.SPENDING_KIND_VOUCHER)


def earned(name: str, points: int, merchant: str = "grocer", day: tuple[int, int, int] = (2017, 3, 15)) -> Message:
    return points_events.PointsEarned(
        txn_id=txn_id(f"earn-{name}"),
        member_id=ids.to_edge("mbr", ids.derive("member", "one")),
        lot=share(name, merchant, points),
        points=points,
        sale_id=sale_id(name),
        business_date=types_pb2.BusinessDate(year=day[0], month=day[1], day=day[2]),
    )


def funded(name: str, *funders: tuple[int, str, int], merchant: str = "grocer") -> Message:
    """A sale whose points are paid for by (kind, who, points)."""
    from huitong.points.v1 import points_pb2

    message = earned(name, sum(points for _, _, points in funders), merchant)
    assert isinstance(message, points_events.PointsEarned)
    for kind, who, points in funders:
        funder = unit_id(who) if kind == points_pb2.FUNDER_KIND_BUSINESS_UNIT else merchant_id(who) if who else ""
        message.funders.add(kind=kind, funder_id=funder, points=points)
    return message


def clawed(name: str, points: int, number: int = 1, merchant: str = "grocer") -> Message:
    return points_events.PointsClawedBack(
        txn_id=txn_id(f"claw-{name}-{number}"),
        issuer_merchant_id=merchant_id(merchant),
        points=points,
        lots=[share(name, merchant, points)],
        sale_id=sale_id(name),
    )


def redeemed(name: str, *lots: points_events.LotShare, merchant: str = "spa") -> Message:
    return points_events.PointsRedeemed(
        txn_id=txn_id(f"redeem-{name}"),
        points=sum(lot.points for lot in lots),
        lots=lots,
        spending=spending(merchant),
    )


def reversed_redemption(name: str, *lots: points_events.LotShare, number: int = 1, merchant: str = "spa") -> Message:
    return points_events.RedemptionReversed(
        txn_id=txn_id(f"reverse-{name}-{number}"),
        redemption_txn_id=txn_id(f"redeem-{name}"),
        points=sum(lot.points for lot in lots),
        lots=lots,
        spending=spending(merchant),
    )


def expired(name: str, *lots: points_events.LotShare) -> Message:
    return points_events.PointsExpired(
        txn_id=txn_id(f"expire-{name}"), points=sum(lot.points for lot in lots), lots=lots
    )


def credited(name: str, points: int, merchant: str = "grocer", repaid: int = 0) -> Message:
    return points_events.PointsCredited(
        txn_id=txn_id(f"credit-{name}"),
        lot=share(name, merchant, points - repaid),
        points=points,
        debt_repaid_points=repaid,
        adjustment_id=ids.to_edge("adj", ids.derive("adjustment", name)),
    )


def debited(name: str, *lots: points_events.LotShare) -> Message:
    return points_events.PointsDebited(
        txn_id=txn_id(f"debit-{name}"), points=sum(lot.points for lot in lots), lots=lots
    )


def coupon(name: str, discount_minor: int, bps: int, *, is_reversal: bool = False, merchant: str = "grocer") -> Message:
    message = mall_events.CouponWriteOffReversed if is_reversal else mall_events.CouponWrittenOff
    return message(
        write_off_id=ids.to_edge("wof", ids.derive("write-off", name)),
        merchant_id=merchant_id(merchant),
        discount=types_pb2.Money(amount_minor=discount_minor, currency_code="CNY"),
        platform_share_bps=bps,
    )


def stay(name: str, waived_minor: int, exit_time: datetime = NOON, merchant: str = "parking") -> Message:
    event = parking_events.StayEnded(
        stay_id=ids.to_edge("sty", ids.derive("stay", name)), merchant_id=merchant_id(merchant)
    )
    event.fee.tier_waived.amount_minor = waived_minor
    event.exit_time.FromDatetime(exit_time)
    return event


class Feed:
    """A running settlement and its producers' packs, applied through the real consumers."""

    def __init__(self, apps: Apps, app: App) -> None:
        self.apps, self.app = apps, app
        self._pack_numbers = Counter[tuple[str, int]]()
        self.sent: list[events_pb2.EventPack] = []
        self.contracts = apps.stub(settlement_pb2_grpc.ContractServiceStub, "settlement")
        self.statements = apps.stub(settlement_pb2_grpc.StatementServiceStub, "settlement")
        self.is_past = True
        self.jobs = Jobs(app.db, self._is_past)

    async def _is_past(self, time: datetime) -> bool:
        return self.is_past

    def pack(
        self,
        producer: str,
        messages: Sequence[Message],
        *,
        at: datetime = NOON,
        lane: int = 0,
        group_id: UUID = GROUP,
    ) -> events_pb2.EventPack:
        """The next pack of a lane."""
        self._pack_numbers[producer, lane] += 1
        pack = events_pb2.EventPack(producer=producer, lane=lane, pack_no=self._pack_numbers[producer, lane])
        for message in messages:
            event = pack.events.add(
                event_id=ids.new().bytes,
                type=message.DESCRIPTOR.full_name,
                group_id=group_id.bytes,
                key="k",
                payload=message.SerializeToString(),
            )
            event.occur_time.FromDatetime(at)
        return pack

    async def take(self, pack: events_pb2.EventPack) -> None:
        """Apply a pack as if it had come from the stream."""
        consumer = next(one for one in self.app.consumers if one.producer == pack.producer)
        await consumer.take([pack])

    async def send(self, producer: str, *messages: Message, at: datetime = NOON, lane: int = 0) -> None:
        """Pack, remember and apply events."""
        pack = self.pack(producer, messages, at=at, lane=lane)
        self.sent.append(pack)
        await self.take(pack)

    async def publish(self, pack: events_pb2.EventPack) -> None:
        """Put a pack on the real stream."""
        client = await nats.connect(self.apps.settings.nats_url)
        try:
            subject = f"{self.apps.settings.stream}.{pack.producer}.{pack.lane}"
            await client.jetstream().publish(subject, pack.SerializeToString())
        finally:
            await client.close()

    async def structure(self, *merchants: str, unit: str = "mall", time_zone: str = "Asia/Shanghai") -> None:
        """A business unit and merchants of it, as org tells."""
        await self.send("org", self.unit_saved(unit, time_zone))
        await self.send("org", *(self.merchant_saved(name, unit) for name in merchants))

    @staticmethod
    def unit_saved(unit: str, time_zone: str = "Asia/Shanghai") -> Message:
        return org_events.BusinessUnitSaved(
            business_unit=org_pb2.BusinessUnit(
                business_unit_id=unit_id(unit), code=unit, time_zone=time_zone, currency_code="CNY"
            )
        )

    @staticmethod
    def merchant_saved(name: str, unit: str = "mall") -> Message:
        return org_events.MerchantSaved(
            merchant=org_pb2.Merchant(merchant_id=merchant_id(name), code=name, business_unit_id=unit_id(unit))
        )

    async def call(self, rpc: str, request: Message, group_id: UUID = GROUP) -> Any:
        """Call as the group's back office."""
        owner = self.contracts if hasattr(self.contracts, rpc) else self.statements
        return await self.apps.call(getattr(owner, rpc), request, system(group_id))

    async def set_contract(self, merchant: str, day: tuple[int, int, int] = (2017, 1, 1), **terms: Any) -> None:
        contract = pb.Contract(
            merchant_id=merchant_id(merchant),
            effective_date=types_pb2.BusinessDate(year=day[0], month=day[1], day=day[2]),
            **terms,
        )
        await self.call("SetContract", pb.SetContractRequest(request_id=ids.new().hex, contract=contract))

    async def statement(self, merchant: str, period: str = "2017-03") -> Any:
        request = pb.GetStatementRequest(period=period, merchant_id=merchant_id(merchant))
        return await self.call("GetStatement", request)

    async def violations(self) -> dict[str, list[Any]]:
        """Invariants that do not hold, with their rows."""
        found = {name: await self.app.db.pool.fetch(query) for name, query in INVARIANTS.items()}
        return {name: rows for name, rows in found.items() if rows}

    async def snapshot(self) -> list[Any]:
        """All figures, to be compared."""
        return [
            await self.app.db.pool.fetch(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
            for table in (
                "entry",
                "line",
                "lot_part",
                "total",
                "issue",
                "issue_funder",
                "redemption",
                "statement",
                "period",
            )
        ]
