"""The end of a qualifying period, with the real points service beside member: who comes late is waited for."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from chassis import ids, rpc
from huitong.common.v1 import control_pb2, control_pb2_grpc, types_pb2
from huitong.member.v1 import member_pb2, member_pb2_grpc, tier_policy_pb2
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from services.points.convert import to_timestamp
from tests.apps import Apps, internal, member, system, wake_jobs
from tests.integration.member.conftest import STRUCTURE, People

pytestmark = pytest.mark.timeout(120)
ZONE = ZoneInfo("Asia/Shanghai")


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=ZONE).astimezone(UTC)


class Year:
    """A group whose tiers are for a calendar year, with ten days of grace. Each service has a clock that is told."""

    def __init__(self, apps: Apps) -> None:
        self.apps, self.people = apps, People(apps)
        self.phones = (f"+86138{number:08}" for number in itertools.count(1))
        self.receipts = itertools.count(1)
        self.tiers = apps.stub(member_pb2_grpc.TierServiceStub, "member")
        self.sales = apps.stub(points_pb2_grpc.SalesServiceStub, "points")

    async def begin(self, day: date) -> Year:
        await self.apps.start("org", "member", "points")
        for name in self.apps.running:
            await self.tell(name, noon(day))
        await self.people.start()
        structure = self.apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        load = org_pb2.ImportStructureRequest(request_id="import-again", csv=STRUCTURE)
        await self.apps.call(structure.ImportStructure, load, system())
        self.store_id = (
            (await self.apps.call(structure.ListStores, org_pb2.ListStoresRequest(), system())).stores[0].store_id
        )
        rule_set = points_pb2.RuleSet(
            effective_date=types_pb2.BusinessDate(year=2015, month=1, day=1),
            base_points=1,
            base_step_minor=100,
            rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
            expiry_months=12,
        )
        rules = self.apps.stub(points_pb2_grpc.RuleServiceStub, "points")
        publish = points_pb2.PublishRuleSetRequest(request_id="rule-set-1", rule_set=rule_set)
        await self.apps.call(rules.PublishRuleSet, publish, system())
        ladder = member_pb2.SetTierLadderRequest(
            request_id="ladder-year",
            tiers=[
                member_pb2.Tier(code=code, name=code.title(), min_growth=least, earn_multiplier_bps=10_000)
                for code, least in (("MEMBER", 0), ("SILVER", 500), ("GOLD", 2000))
            ],
            policy=tier_policy_pb2.TierPolicy(
                window=tier_policy_pb2.QUALIFICATION_WINDOW_CALENDAR_YEAR, grace_days=10, spend_growth_bps=10_000
            ),
        )
        await self.apps.call(self.tiers.SetTierLadder, ladder, system())
        await self.apps.drain()
        return self

    async def tell(self, service: str, now: datetime) -> None:
        control = self.apps.stub(control_pb2_grpc.ControlServiceStub, service)
        request = control_pb2.SetBusinessTimeRequest(business_time=to_timestamp(now))
        await self.apps.call(control.SetBusinessTime, request, internal("suite"))

    async def join(self) -> str:
        return str((await self.people.join(next(self.phones))).member.member_id)

    async def sell(self, who: str, yuan: int, day: date) -> None:
        """A till sends what it has sold on that day, now."""
        request = points_pb2.RecordSaleRequest(
            request_id=ids.new().hex,
            store_id=self.store_id,
            receipt_no=f"r{next(self.receipts)}",
            sale_time=to_timestamp(noon(day)),
            member_id=who,
            total=types_pb2.Money(amount_minor=yuan * 100, currency_code="CNY"),
            lines=[points_pb2.SaleLine(line_no=1, amount_minor=yuan * 100)],
        )
        await self.apps.call(self.sales.RecordSale, request, system())

    async def close(self) -> None:
        """A whole turn of the job that ends periods."""
        app = self.apps.running["member"]
        rpc.speak_as("member", app.tokens)
        (job,) = (job for job in app.jobs if job.name == "tiers.close-day")
        while not await job.run_once():  # its own turn is under way
            await asyncio.sleep(0.01)

    async def tier_of(self, who: str) -> str:
        request = member_pb2.GetTierProgressRequest(member_id=who)
        return str((await self.apps.call(self.tiers.GetTierProgress, request, member(who))).tier.code)

    async def points_is_past(self, time: datetime) -> None:
        """Every job of points has done what is due until then."""
        async with asyncio.timeout(20):
            while True:
                progress = (await self.apps.progress())["points"]
                if all(job.done_until.ToDatetime(tzinfo=UTC) >= time for job in progress.jobs):
                    return
                wake_jobs(self.apps.running["points"])
                await asyncio.sleep(0.02)


async def test_nobody_steps_down_before_points_is_past_the_day_and_all_of_it_is_in(apps: Apps) -> None:
    year = await Year(apps).begin(date(2026, 3, 10))
    falls, keeps, late = [await year.join() for _ in range(3)]
    for one in (falls, keeps, late):
        await year.sell(one, 2_100, date(2026, 3, 10))
    await year.apps.drain()
    assert [await year.tier_of(one) for one in (falls, keeps, late)] == ["GOLD"] * 3

    # 2026 keeps them all; 2027 decides.
    for day in (date(2027, 1, 12), date(2027, 6, 1)):
        for name in ("points", "member"):
            await year.tell(name, noon(day))
        await year.points_is_past(noon(day))
        await year.apps.drain()
        await year.close()
    for one, yuan in ((falls, 600), (keeps, 2_000), (late, 1_900)):
        await year.sell(one, yuan, date(2027, 6, 1))

    # The last day of grace, on which a till comes back that was offline on New Year's Eve.
    grace_ends = datetime(2028, 1, 11, tzinfo=ZONE).astimezone(UTC)
    for name in ("points", "member"):
        await year.tell(name, grace_ends - timedelta(hours=2))
    await year.apps.drain()
    # Member's day is over, points' is not, though there is nothing that it has not told.
    await year.tell("member", grace_ends + timedelta(minutes=5))
    await year.close()
    assert [await year.tier_of(one) for one in (falls, keeps, late)] == ["GOLD"] * 3
    async with apps.running["member"].db.pool.acquire() as connection:
        holding = connection.transaction()
        await holding.start()
        await connection.execute("SELECT FROM watermark WHERE producer = 'points' FOR UPDATE")  # member hears nothing
        await year.sell(late, 100, date(2027, 12, 31))
        # Points is past it, and what it told is not here yet.
        await year.tell("points", grace_ends + timedelta(minutes=5))
        await year.points_is_past(grace_ends)
        await year.close()
        assert [await year.tier_of(one) for one in (falls, keeps, late)] == ["GOLD"] * 3
        await holding.rollback()
    await year.apps.drain()
    await year.close()
    assert [await year.tier_of(one) for one in (falls, keeps, late)] == ["SILVER", "GOLD", "GOLD"]
    (fell,) = [event for event in await year.people.events("TierChanged") if event.previous_tier_code == "GOLD"]
    assert (fell.member_id, fell.tier.code, fell.effective_date) == (
        falls, "SILVER", types_pb2.BusinessDate(year=2028, month=1, day=12),
    )  # fmt: skip
    await year.people.assert_invariants()
