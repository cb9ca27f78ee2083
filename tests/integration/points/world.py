"""A group with stores, members and rules in the points service alone, and calls to it."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from chassis import ids, rpc
from chassis.identity import Caller
from chassis.run import App
from huitong.common.v1 import types_pb2
from huitong.org.v1 import org_pb2
from huitong.points.v1 import points_pb2, points_pb2_grpc
from services.points import store
from services.points.convert import to_date, to_timestamp
from services.points.invariants import checks, invariants
from services.points.ledger.ledger import Item, Kind, Ledger, Status
from services.points.lookup import FIRST_DAY
from services.points.rule_sets import operations as rule_sets
from tests.apps import Apps, internal

_numbers = itertools.count(1)


class World:
    """One group of its own. Amounts are in fen; the base rate is one point a yuan unless told otherwise."""

    def __init__(self, apps: Apps, app: App) -> None:
        self.apps, self.app = apps, app
        self.number = next(_numbers)
        self.group_id = ids.derive("points-test-group", self.number)
        self.merchants = [ids.derive("merchant", self.group_id, n) for n in range(3)]
        self.stores = [ids.derive("store", self.group_id, n) for n in range(3)]
        self.members: list[UUID] = []
        self.receipts = itertools.count(1)
        self.requests = itertools.count(1)
        self.now = datetime.now(UTC)
        self.sales = apps.stub(points_pb2_grpc.SalesServiceStub, "points")
        self.wallets = apps.stub(points_pb2_grpc.WalletServiceStub, "points")
        self.rules = apps.stub(points_pb2_grpc.RuleServiceStub, "points")
        self.ledger = apps.stub(points_pb2_grpc.LedgerServiceStub, "points")

    async def build(self, member_count: int = 3, time_zone: str = "Asia/Shanghai") -> World:
        """Stores (one a merchant), members without a tier multiplier, and one rule set."""
        async with self.app.db.transaction(rpc.internal_caller("points", self.group_id)) as tx:
            await store.save_stores(
                tx,
                self.group_id,
                [
                    org_pb2.Store(
                        store_id=ids.to_edge("sto", store_id),
                        merchant_id=ids.to_edge("mch", merchant_id),
                        business_unit_id=ids.to_edge("unt", ids.derive("unit", self.group_id)),
                        time_zone=time_zone,
                        currency_code="CNY",
                    )
                    for store_id, merchant_id in zip(self.stores, self.merchants, strict=True)
                ],
            )
            await store.count_change(tx, [self.group_id])
        await self.join(member_count)
        await self.publish(self.rule_set())
        return self

    async def start_neighbours(self) -> None:
        """Start org and member, and wait until points has found them: it has been looking for them in vain."""
        await self.apps.start("org", "member")
        async with asyncio.timeout(20):
            for name in ("org", "member"):
                await self.app._channels[name].channel_ready()

    async def join(
        self,
        count: int,
        *,
        tier: str = "BASIC",
        multiplier_bps: int = 10_000,
        birth_month: int = 0,
        time_zone: str = "",
    ) -> None:
        """More members."""
        new = [ids.derive("member", self.group_id, len(self.members) + n) for n in range(count)]
        async with self.app.db.transaction(rpc.internal_caller("points", self.group_id)) as tx:
            await store.save_members(
                tx,
                [store.KnownMember(m, self.group_id, birth_month, time_zone) for m in new],
                self.app.settings.points_lanes,
            )
            await store.save_tiers(
                tx, [store.HeldTier(m, self.group_id, FIRST_DAY, tier, multiplier_bps) for m in new], overwrite=True
            )
        self.members += new

    async def fill(self, points: int, *, member: int = 0, wallet_id: UUID | None = None) -> None:
        """Far more than any door lets in at once, into the member's wallet or another one: a reward of the ledger's."""
        app, txn_id, merchant_id = self.app, ids.new(), self.merchants[0]
        wallet_id, expire_time = wallet_id or self.members[member], self.now + timedelta(days=2_000)
        await app.db.pool.execute(
            "INSERT INTO reward VALUES ($1, $2, $3, $4, $5, 'MUCH', '', $6, $7)",
            *(txn_id, self.group_id, wallet_id, points, merchant_id, self.now, expire_time),
        )
        ledger = Ledger(app.db.url, app.settings.points_lanes, now_sql=app.db.now_sql)
        await ledger.open()
        try:
            outcome = await ledger.apply_one(
                Item(
                    kind=Kind.CREDIT,
                    wallet_id=wallet_id,
                    group_id=self.group_id,
                    txn_id=txn_id,
                    request_hash=b"",
                    points=points,
                    occur_time=self.now,
                    merchant_id=merchant_id,
                    expire_time=expire_time,
                    detail=b"",
                    payload=b"",
                )
            )
        finally:
            await ledger.close()
        assert outcome.status is Status.APPLIED

    def rule_set(self, **changes: Any) -> points_pb2.RuleSet:
        """One point a yuan, 12 months, 100 points = 3 yuan up to 15%."""
        values: dict[str, Any] = {
            "effective_date": to_date(date(2015, 1, 1)),
            "base_points": 1,
            "base_step_minor": 100,
            "rules": [points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
            "expiry_months": 12,
            "offset": points_pb2.OffsetRule(offset_points=100, offset_minor=300, max_share_bps=1500),
        }
        return points_pb2.RuleSet(**{**values, **changes})

    async def publish(self, rule_set: points_pb2.RuleSet) -> points_pb2.RuleSet:
        """A version, also one of the past, which the doors would refuse."""
        async with self.app.db.transaction(rpc.internal_caller("points", self.group_id)) as tx:
            return await rule_sets.publish_rule_set(tx, rule_set)

    def request_id(self) -> str:
        """A new one."""
        return f"request-{next(self.requests):06d}"

    async def call(self, method: Any, request: Any, caller: Caller | None = None, why: str = "") -> Any:
        """Call as mall unless told otherwise. Raises AppError."""
        who = caller or internal("mall", self.group_id)
        return await self.apps.call(method, request, who, timeout_s=20, reason=why)

    def sale(
        self,
        *amounts: int,
        member: int = 0,
        shop: int = 0,
        receipt_no: str = "",
        request_id: str = "",
        sale_time: datetime | None = None,
        categories: Sequence[str] = (),
        **changes: Any,
    ) -> points_pb2.RecordSaleRequest:
        """A sale with a line for each amount."""
        values: dict[str, Any] = {
            "request_id": request_id or self.request_id(),
            "store_id": ids.to_edge("sto", self.stores[shop]),
            "receipt_no": receipt_no or f"r{next(self.receipts)}",
            "sale_time": to_timestamp(sale_time or self.now),
            "member_id": ids.to_edge("mbr", self.members[member]),
            "total": types_pb2.Money(amount_minor=sum(amounts), currency_code="CNY"),
            "lines": [
                points_pb2.SaleLine(
                    line_no=number, amount_minor=amount, category=categories[number - 1] if categories else ""
                )
                for number, amount in enumerate(amounts, 1)
            ],
        }
        return points_pb2.RecordSaleRequest(**{**values, **changes})

    async def sell(self, *amounts: int, **options: Any) -> points_pb2.RecordSaleResponse:
        """Record one sale."""
        return await self.call(self.sales.RecordSale, self.sale(*amounts, **options))

    def refund(
        self, sale: points_pb2.RecordSaleRequest, *lines: tuple[int, int], request_id: str = ""
    ) -> points_pb2.RefundSaleRequest:
        """A refund of (line_no, amount) of a sale; no line means all that is left."""
        return points_pb2.RefundSaleRequest(
            request_id=request_id or self.request_id(),
            store_id=sale.store_id,
            receipt_no=sale.receipt_no,
            refund_time=to_timestamp(self.now),
            lines=[points_pb2.RefundLine(line_no=number, amount_minor=amount) for number, amount in lines],
        )

    def member_id(self, member: int = 0) -> str:
        """At the edge."""
        return ids.to_edge("mbr", self.members[member])

    def spending(self, merchant: int = 0) -> points_pb2.Spending:
        """A voucher of a merchant."""
        return points_pb2.Spending(
            merchant_id=ids.to_edge("mch", self.merchants[merchant]),
            kind=points_pb2.SPENDING_KIND_VOUCHER,
            reference="order-1",
        )

    async def redeem(
        self, points: int, *, member: int = 0, merchant: int = 0, request_id: str = ""
    ) -> points_pb2.RedeemResponse:
        """Spend at once."""
        request = points_pb2.RedeemRequest(
            request_id=request_id or self.request_id(),
            member_id=self.member_id(member),
            points=points,
            spending=self.spending(merchant),
        )
        return await self.call(self.wallets.Redeem, request)

    async def reverse(
        self, redemption: Any, points: int = 0, *, member: int = 0, request_id: str = ""
    ) -> points_pb2.ReverseRedemptionResponse:
        """Give back."""
        request = points_pb2.ReverseRedemptionRequest(
            request_id=request_id or self.request_id(),
            member_id=self.member_id(member),
            redemption_txn_id=redemption.txn_id,
            points=points,
        )
        return await self.call(self.wallets.ReverseRedemption, request)

    async def hold(
        self, points: int, *, member: int = 0, request_id: str = "", hold_seconds: int = 600
    ) -> points_pb2.HoldResponse:
        """Reserve."""
        request = points_pb2.HoldRequest(
            request_id=request_id or self.request_id(),
            member_id=self.member_id(member),
            points=points,
            spending=self.spending(1),
            hold_seconds=hold_seconds,
        )
        return await self.call(self.wallets.Hold, request)

    async def capture(
        self, hold: points_pb2.HoldResponse, points: int = 0, *, member: int = 0, request_id: str = ""
    ) -> points_pb2.CaptureResponse:
        """Spend what is held."""
        request = points_pb2.CaptureRequest(
            request_id=request_id or self.request_id(),
            member_id=self.member_id(member),
            hold_id=hold.hold_id,
            points=points,
        )
        return await self.call(self.wallets.Capture, request)

    async def release(self, hold_request_id: str, *, member: int = 0) -> points_pb2.ReleaseResponse:
        """Give a hold back."""
        request = points_pb2.ReleaseRequest(
            request_id=self.request_id(), member_id=self.member_id(member), hold_request_id=hold_request_id
        )
        return await self.call(self.wallets.Release, request)

    async def balance(self, member: int = 0) -> points_pb2.GetBalanceResponse:
        """Of a member."""
        return await self.call(self.wallets.GetBalance, points_pb2.GetBalanceRequest(member_id=self.member_id(member)))

    async def statement(self, member: int = 0, page_size: int = 200) -> list[points_pb2.StatementEntry]:
        """Every movement, newest first, over all pages."""
        entries: list[points_pb2.StatementEntry] = []
        token = ""
        while True:
            request = points_pb2.ListStatementRequest(
                member_id=self.member_id(member), page_size=page_size, page_token=token
            )
            answer = await self.call(self.wallets.ListStatement, request)
            entries += answer.entries
            token = answer.next_page_token
            if not token:
                return entries

    async def totals(self) -> points_pb2.GetTotalsResponse:
        """Of the group."""
        return await self.call(self.ledger.GetTotals, points_pb2.GetTotalsRequest())


async def set_time(app: App, instant: datetime) -> None:
    """Tell the service's database what time it is for business, without waking its jobs."""
    await app.db.pool.execute(
        """INSERT INTO business_clock (id, business_time, set_time) VALUES (1, $1, clock_timestamp())
           ON CONFLICT (id) DO UPDATE SET business_time = $1, set_time = clock_timestamp()""",
        instant,
    )


async def violations(url: str, suffix: str = "") -> dict[str, int]:
    """Invariants of the ledger that do not hold, with their counts."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        counts = {name: await connection.fetchval(query) for name, query in invariants(suffix).items()}
        counts |= {name: len(await look(connection)) for name, look in checks(suffix).items()}
    finally:
        await connection.close()
    return {name: count for name, count in counts.items() if count}


LATER = timedelta(days=800)
