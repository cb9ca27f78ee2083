"""The whole points service, step by step beside a small model: its own calls on a real database, drawn at random.

Every sequence has a group, members and a pool of its own; the process and its database stay. `make nightly` plays ten
thousand sequences.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from chassis import ids
from chassis.context import set_caller
from chassis.errors import AppError
from chassis.events import Fact
from chassis.identity import Caller, CallerKind
from chassis.rpc import internal_caller
from chassis.run import App, build_app
from huitong.common.v1 import types_pb2
from huitong.member.v1 import events_pb2 as member_events
from huitong.org.v1 import org_pb2
from huitong.points.v1 import adjustments_pb2, family_pools_pb2, points_pb2
from services.points import store
from services.points.api import AdjustmentServicer
from services.points.convert import to_date, to_timestamp
from services.points.earning.earning import DEFAULT_SOURCE, sale_id_of
from services.points.errors import AdjustmentDecided, InsufficientPoints
from services.points.ledger.ledger import OWN_LOT_ONLY, Outcome, Status
from services.points.lookup import FIRST_DAY
from services.points.merging import operations as merging
from services.points.rule_sets import operations as rule_sets
from tests.apps import Apps, operator
from tests.integration.points.bank import on_shard
from tests.integration.points.model_group import ModelGroup, Told
from tests.integration.points.world import violations
from tests.support import Sandbox

SEQUENCES = int(os.environ.get("HUITONG_TEST_SEQUENCES", "200"))
STEPS = 14
NOON = datetime(2019, 3, 15, 4, tzinfo=UTC)
WAITING_FROM, WAITING_DAYS = date(2019, 3, 10), 7  # sales from that day on are pending for a week
TRANSFER_LIMIT = 250
SHANGHAI = ZoneInfo("Asia/Shanghai")
NUMBERS = itertools.count(1)
DEBT_POLICIES = {
    points_pb2.DEBT_POLICY_UNSPECIFIED: None,
    points_pb2.DEBT_POLICY_WITHIN_BALANCE: 0,
    points_pb2.DEBT_POLICY_LIMITED: 25,
    points_pb2.DEBT_POLICY_WRITTEN_OFF: OWN_LOT_ONLY,
}
PICK, YUAN = st.integers(0, 5), st.integers(1, 150)
# Points to spend or give: so many, or (below 2) all that is there, and one less or more.
POINTS = st.one_of(st.integers(2, 60), st.integers(-1, 1))
ACCOUNTS = ("issued", "clawed_back", "redeemed", "expired", "debt", "accepted", "written_off")


class Waiting:
    """A caller that waits."""

    @staticmethod
    def time_remaining() -> float:
        return 20.0


class Stage:
    """The service as it is wired, without its doors, and its jobs when they are told to run."""

    def __init__(self, apps: Apps) -> None:
        self.app: App = build_app("points", apps.settings)
        self.runner = asyncio.Runner()
        self.seen: Counter[str] = Counter()  # what was asked for, and answered
        self._servicers = [servicer for _, servicer in self.app._services]
        self._jobs = {job.name: job._run for job in self.app.jobs}

    def run(self, coroutine: Any) -> Any:
        return self.runner.run(coroutine)

    async def open(self) -> None:
        await self.app.db.open()
        for hook in self.app._start_hooks:
            await hook()

    async def close(self) -> None:
        await self.app.db.pool.execute("DELETE FROM business_clock")
        for hook in self.app._stop_hooks:
            await hook()
        await self.app.db.close()

    async def call(self, name: str, request: Any, caller: Caller) -> Any:
        set_caller(caller)
        if name == "ApproveAdjustment":
            outcome = await self.approve(ids.from_edge("adj", request.adjustment_id, "adjustment_id"), caller)
            if outcome.status is Status.INSUFFICIENT:
                raise InsufficientPoints(available_points=outcome.available_points, requested_points=0)
            return outcome
        servicer = next(one for one in self._servicers if hasattr(one, name))
        return await getattr(servicer, name)(type(request).FromString(request.SerializeToString()), Waiting)

    async def approve(self, adjustment_id: UUID, caller: Caller) -> Outcome:
        """As decided at org's door, and applied by the job. Again finds it decided, and applies it again."""
        adjustments = next(one for one in self._servicers if isinstance(one, AdjustmentServicer))._adjustments
        content = adjustments_pb2.Adjustment(adjustment_id=ids.to_edge("adj", adjustment_id)).SerializeToString()
        with contextlib.suppress(AdjustmentDecided):
            async with self.app.db.transaction(caller) as tx:
                await adjustments.carry_out(tx, content, True, "fine")
        return (await adjustments.apply(adjustment_id))[1]

    async def job(self, name: str, now: datetime) -> None:
        await self._jobs[name](now)


class LedgerMachine(RuleBasedStateMachine):
    """One sequence."""

    stage: Stage

    @initialize(policy=st.sampled_from(list(DEBT_POLICIES)))
    def begin(self, policy: Any) -> None:
        self.group_id = ids.derive("machine", os.getpid(), next(NUMBERS))
        self.members = [ids.derive("member", self.group_id, n) for n in range(3)]
        self.shops = [ids.derive("shop", self.group_id, n) for n in range(3)]
        self.pool_id: UUID | None = None
        self.is_dissolved = False
        self.now, self.number, self.merge_number = NOON, 0, 0
        self.sales: list[tuple[UUID, points_pb2.RecordSaleRequest]] = []
        self.spends: list[tuple[UUID, str, str]] = []  # txn, who spent, pool
        self.holds: list[tuple[UUID, str, str]] = []  # hold, who, request id
        self.asked: list[tuple[str, Any, Told, Caller]] = []  # what was done, to be asked again
        self.caller = internal_caller("mall", self.group_id)
        self.model = ModelGroup(
            self.members, debt_limit=DEBT_POLICIES[policy], transfer_limit=TRANSFER_LIMIT, now=self.now
        )
        self.run(self._open(policy))
        for member in range(3):
            self.sell(member, member, [100, 60], 30 * (member + 1))

    async def _open(self, policy: Any) -> None:
        await self._set_clock()
        db, lane_count = self.stage.app.db, self.stage.app.settings.points_lanes
        async with db.transaction(internal_caller("points", self.group_id)) as tx:
            stores = [
                org_pb2.Store(
                    store_id=ids.to_edge("sto", shop),
                    merchant_id=ids.to_edge("mch", shop),
                    business_unit_id=ids.to_edge("unt", self.group_id),
                    time_zone="Asia/Shanghai",
                    currency_code="CNY",
                )
                for shop in self.shops
            ]
            await store.save_stores(tx, self.group_id, stores)
            known = [store.KnownMember(member, self.group_id, 0, "") for member in self.members]
            await store.save_members(tx, known, lane_count)
            tiers = [store.HeldTier(member, self.group_id, FIRST_DAY, "BASIC", 10_000) for member in self.members]
            await store.save_tiers(tx, tiers, overwrite=True)
            for start, days in ((date(2015, 1, 1), 0), (WAITING_FROM, WAITING_DAYS)):
                rules = points_pb2.RuleSet(
                    effective_date=to_date(start),
                    base_points=1,
                    base_step_minor=100,
                    rules=[points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE, name="Base")],
                    expiry_months=12,
                    pending_days=days,
                    transfer_limit_points=TRANSFER_LIMIT,
                    family_pool_members=3,
                    debt_policy=policy,
                    debt_limit_points=max(DEBT_POLICIES[policy] or 0, 0),
                )
                await rule_sets.publish_rule_set(tx, rules)

    async def _set_clock(self) -> None:
        await self.stage.app.db.pool.execute(
            """INSERT INTO business_clock (id, business_time, set_time) VALUES (1, $1, clock_timestamp())
               ON CONFLICT (id) DO UPDATE SET business_time = $1, set_time = clock_timestamp()""",
            self.now,
        )

    def run(self, coroutine: Any) -> Any:
        return self.stage.run(coroutine)

    # ---- asking

    def request_id(self) -> str:
        self.number += 1
        return f"request-{self.number:06d}"

    def ask(self, name: str, request: Any, expected: Told, *, caller: Caller | None = None) -> None:
        """Call, and compare the answer and every balance with the model."""
        self.stage.seen[f"{name} {expected if isinstance(expected, str) else 'OK'}"] += 1
        caller = caller or self.caller
        _, told = self.run(self._ask(name, request, caller))
        assert told == expected, (name, request)
        self.run(self._compare_balances())
        if not isinstance(expected, str):
            self.asked.append((name, request, expected, caller))

    async def _ask(self, name: str, request: Any, caller: Caller) -> tuple[Any, Told]:
        answer: Any = None
        told: Told
        try:
            answer = await self.stage.call(name, request, caller)
            told = FIGURES[name](answer)
        except AppError as error:
            told = error.reason
        if self.model.merge is not None:
            await self.stage.job("points-merges", self.now)
        return answer, told

    async def _compare_balances(self) -> None:
        rows = await self._fetch("SELECT * FROM wallet WHERE wallet_id = ANY($1)", list(self.model.wallets))
        columns = ("available_points", "held_points", "pending_points", "debt_points")
        assert {row["wallet_id"]: tuple(row[column] for column in columns) for row in rows} == {
            wallet: (model.available, model.held, model.pending, model.debt)
            for wallet, model in self.model.wallets.items()
        }

    async def _fetch(self, query: str, *values: Any) -> Any:
        return await self.stage.app.db.pool.fetch(query, *values)

    def edge(self, member: int) -> str:
        return ids.to_edge("mbr", self.members[member % 3])

    def amount(self, points: int, wallet: UUID) -> int:
        """As POINTS says."""
        return points if points > 1 else max(1, self.model.wallets[wallet].available + points)

    def spending(self, shop: int) -> points_pb2.Spending:
        return points_pb2.Spending(
            merchant_id=ids.to_edge("mch", self.shops[shop % 3]),
            kind=points_pb2.SPENDING_KIND_VOUCHER,
            reference="order-1",
        )

    # ---- what is asked for

    @rule(member=PICK, shop=PICK, yuan=st.lists(YUAN, min_size=1, max_size=2), days=st.sampled_from([0, 3, 30, 330]))
    def sell(self, member: int, shop: int, yuan: list[int], days: int) -> None:
        place, sale_time = self.shops[shop % 3], self.now - timedelta(days=days)
        request = points_pb2.RecordSaleRequest(
            request_id=self.request_id(),
            store_id=ids.to_edge("sto", place),
            receipt_no=f"r{self.number}",
            sale_time=to_timestamp(sale_time),
            member_id=self.edge(member),
            total=types_pb2.Money(amount_minor=sum(yuan) * 100, currency_code="CNY"),
            lines=[points_pb2.SaleLine(line_no=n, amount_minor=one * 100) for n, one in enumerate(yuan, 1)],
        )
        day = sale_time.astimezone(SHANGHAI).date()
        unlock_time = midnight(day + timedelta(days=WAITING_DAYS)) if day >= WAITING_FROM else self.now
        sale_id = sale_id_of(place, DEFAULT_SOURCE, request.receipt_no)
        expected = self.model.record(
            sale_id,
            self.members[member % 3],
            place,
            [one * 100 for one in yuan],
            a_year_after(day),
            unlock_time if unlock_time > self.now else None,
        )
        self.ask("RecordSale", request, expected)
        self.sales.append((sale_id, request))

    @precondition(lambda self: self.sales)
    @rule(sale=PICK, lines=st.lists(st.tuples(st.integers(1, 2), st.integers(1, 4_000)), max_size=1))
    def refund(self, sale: int, lines: list[tuple[int, int]]) -> None:
        sale_id, sold = self.sales[-1 - sale % len(self.sales)]
        lines = [(min(line, len(sold.lines)), fen) for line, fen in lines]
        request = points_pb2.RefundSaleRequest(
            request_id=self.request_id(),
            store_id=sold.store_id,
            receipt_no=sold.receipt_no,
            refund_time=to_timestamp(self.now),
            lines=[points_pb2.RefundLine(line_no=line, amount_minor=fen) for line, fen in lines],
        )
        self.ask("RefundSale", request, self.model.refund(sale_id, lines))

    @rule(member=PICK, shop=PICK, points=POINTS, from_pool=st.booleans())
    def redeem(self, member: int, shop: int, points: int, from_pool: bool) -> None:
        pool = self.pool_id if from_pool and not self.is_dissolved else None
        member = 2 if pool else member
        points = self.amount(points, pool or self.model.person(self.members[member % 3]))
        request = points_pb2.RedeemRequest(
            request_id=self.request_id(),
            member_id=self.edge(member),
            points=points,
            spending=self.spending(shop),
            pool_id=ids.to_edge("fpl", pool) if pool else "",
        )
        txn = ids.derive("redeem", self.group_id, request.request_id)
        expected = self.model.redeem(txn, self.members[member % 3], points, self.shops[shop % 3], pool)
        self.ask("Redeem", request, expected)
        if not isinstance(expected, str):
            self.spends.append((txn, request.member_id, request.pool_id))

    @precondition(lambda self: self.spends)
    @rule(spend=PICK, points=st.integers(0, 40))
    def reverse(self, spend: int, points: int) -> None:
        txn, member_id, pool_id = self.spends[-1 - spend % len(self.spends)]
        request = points_pb2.ReverseRedemptionRequest(
            request_id=self.request_id(),
            member_id=member_id,
            redemption_txn_id=ids.to_edge("txn", txn),
            points=points,
            pool_id=pool_id,
        )
        expected = self.model.reverse(txn, points)
        if pool_id and not isinstance(expected, str):
            assert self.pool_id
            expected = expected[0], self.model.wallets[self.pool_id].available
        self.ask("ReverseRedemption", request, expected)

    # Never over at the very instant of a closed day: the service's clock goes on between the call and the close.
    @rule(member=PICK, shop=PICK, points=POINTS, hours=st.sampled_from([12, 90]))
    def hold(self, member: int, shop: int, points: int, hours: int) -> None:
        points = self.amount(points, self.model.person(self.members[member % 3]))
        request = points_pb2.HoldRequest(
            request_id=self.request_id(),
            member_id=self.edge(member),
            points=points,
            spending=self.spending(shop),
            hold_seconds=hours * 3600,
        )
        hold = ids.derive("hold", self.group_id, request.request_id)
        until = self.now + timedelta(hours=hours)
        expected = self.model.hold(hold, self.members[member % 3], points, until, self.shops[shop % 3])
        self.ask("Hold", request, expected)
        if not isinstance(expected, str):
            self.holds.append((hold, request.member_id, request.request_id))

    @precondition(lambda self: self.holds)
    @rule(hold=PICK, shop=PICK)
    def overdraw(self, hold: int, shop: int) -> None:
        """One point more than there is, by who has something held."""
        _, member_id, _ = self.holds[-1 - hold % len(self.holds)]
        member = next(n for n in range(3) if self.edge(n) == member_id)
        self.redeem(member, shop, 1, from_pool=False)

    @precondition(lambda self: self.holds)
    @rule(hold=PICK, points=st.integers(0, 40))
    def capture(self, hold: int, points: int) -> None:
        hold_id, member_id, _ = self.holds[-1 - hold % len(self.holds)]
        request = points_pb2.CaptureRequest(
            request_id=self.request_id(), member_id=member_id, hold_id=ids.to_edge("hld", hold_id), points=points
        )
        txn = ids.derive("capture", self.group_id, request.request_id)
        expected = self.model.capture(hold_id, txn, points)
        self.ask("Capture", request, expected)
        if not isinstance(expected, str):
            self.spends.append((txn, member_id, ""))

    @precondition(lambda self: self.holds)
    @rule(hold=PICK)
    def release(self, hold: int) -> None:
        hold_id, member_id, hold_request_id = self.holds[-1 - hold % len(self.holds)]
        request = points_pb2.ReleaseRequest(
            request_id=self.request_id(), member_id=member_id, hold_request_id=hold_request_id
        )
        self.ask("Release", request, self.model.release(hold_id))
        self.asked = [one for one in self.asked if one[1] is not request]  # has no answer of its own to repeat

    @rule(giver=PICK, step=st.integers(1, 2), points=POINTS)
    def transfer(self, giver: int, step: int, points: int) -> None:
        points = self.amount(points, self.members[giver % 3])
        request = points_pb2.TransferPointsRequest(
            request_id=self.request_id(),
            member_id=self.edge(giver),
            to_member_id=self.edge(giver + step),
            points=points,
        )
        expected = self.model.transfer(self.members[giver % 3], self.members[(giver + step) % 3], points)
        self.ask("TransferPoints", request, expected)

    @rule(member=PICK, shop=PICK, points=st.integers(-60, 60).filter(bool))
    def adjust(self, member: int, shop: int, points: int) -> None:
        """One asks, another approves."""
        is_credit = points > 0
        ask = adjustments_pb2.RequestAdjustmentRequest(
            request_id=self.request_id(),
            member_id=self.edge(member),
            direction=adjustments_pb2.ADJUSTMENT_DIRECTION_CREDIT
            if is_credit
            else adjustments_pb2.ADJUSTMENT_DIRECTION_DEBIT,
            points=abs(points),
            merchant_id=ids.to_edge("mch", self.shops[shop % 3]) if is_credit else "",
            reason_code="GOODWILL",
            reason_text="The till was down.",
        )
        anna, bo = Caller(CallerKind.SYSTEM, "key_anna", self.group_id), operator("bo", self.group_id)
        waiting = self.run(self.stage.call("RequestAdjustment", ask, anna)).adjustment
        request = adjustments_pb2.ApproveAdjustmentRequest(
            request_id=self.request_id(), adjustment_id=waiting.adjustment_id, decision_note="fine"
        )
        txn = ids.from_edge("adj", waiting.adjustment_id, "adjustment_id")
        expire_time = a_year_after(self.now.astimezone(SHANGHAI).date())
        expected = self.model.adjust(txn, self.members[member % 3], points, expire_time, self.shops[shop % 3])
        self.ask("ApproveAdjustment", request, expected, caller=bo)

    @rule(points=POINTS)
    def contribute(self, points: int) -> None:
        """The third member, who is never merged, has a pool."""
        if self.pool_id is None:
            create = family_pools_pb2.CreateFamilyPoolRequest(
                request_id=self.request_id(), member_id=self.edge(2), name="Ours"
            )
            pool = self.run(self.stage.call("CreateFamilyPool", create, self.caller)).pool
            self.pool_id = ids.from_edge("fpl", pool.pool_id, "pool_id")
            self.model.add_pool(self.pool_id)
        points = self.amount(points, self.members[2])
        request = family_pools_pb2.ContributeToPoolRequest(
            request_id=self.request_id(),
            member_id=self.edge(2),
            pool_id=ids.to_edge("fpl", self.pool_id),
            points=points,
        )
        expected: Told = "FAMILY_POOL_DISSOLVED"
        if not self.is_dissolved:
            expected = self.model.transfer(self.members[2], self.pool_id, points, is_limited=False)
        self.ask("ContributeToPool", request, expected)

    @precondition(lambda self: self.pool_id and not self.is_dissolved and self.model.wallets[self.pool_id].available)
    @rule()
    def dissolve(self) -> None:
        assert self.pool_id
        request = family_pools_pb2.DissolveFamilyPoolRequest(
            request_id=self.request_id(), member_id=self.edge(2), pool_id=ids.to_edge("fpl", self.pool_id)
        )
        self.is_dissolved = True
        self.model.empty_pool(self.pool_id, self.members[2])
        self.ask("DissolveFamilyPool", request, ())

    @rule(days=st.sampled_from([1, 5, 40, 200]))
    def close_days(self, days: int) -> None:
        self.now += timedelta(days=days, hours=1)
        self.model.now = self.now
        self.model.close_day()
        if self.pool_id and self.is_dissolved:
            self.model.empty_pool(self.pool_id, self.members[2])
        self.run(self._close_days())
        self.stage.seen["day closed"] += 1

    async def _close_days(self) -> None:
        await self._set_clock()
        for name in ("points-day-close", "points-transfers", "points-dissolved-pools", "points-merges"):
            await self.stage.job(name, self.now)
        await self._compare_balances()

    @precondition(lambda self: self.model.merge is None)
    @rule(survivor=st.integers(0, 1))
    def merge(self, survivor: int) -> None:
        self.merge_number += 1
        self.pair = survivor, 1 - survivor
        self.model.begin_merge(self.members[survivor], self.members[1 - survivor])
        self.run(self._tell(merging.on_merged, member_events.MemberMerged))
        self.stage.seen["merged"] += 1

    @precondition(lambda self: self.model.merge and not self.model.has_open_hold(self.model.merge.survivor))
    @rule()
    def unmerge(self) -> None:
        self.model.unmerge()
        self.run(self._tell(merging.on_unmerged, member_events.MemberUnmerged))
        self.stage.seen["unmerged"] += 1

    async def _tell(self, handler: Any, kind: Any) -> None:
        survivor, absorbed = self.pair
        event = kind(
            merge_id=ids.to_edge("mrg", ids.derive("merge", self.group_id, self.merge_number)),
            survivor_id=self.edge(survivor),
            absorbed_id=self.edge(absorbed),
        )
        fact = Fact(ids.new(), self.group_id, event.absorbed_id, self.now, event)
        async with self.stage.app.db.transaction(internal_caller("member", self.group_id)) as tx:
            await handler(tx, [fact])
        await self.stage.job("points-merges", self.now)
        await self._compare_balances()

    # ---- asking again

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0, 30))
    def again(self, which: int) -> None:
        """The same once more changes nothing, and is answered as it was."""
        name, request, expected, caller = self.asked[-1 - which % len(self.asked)]
        answer, told = self.run(self._ask(name, request, caller))
        assert not hasattr(answer, "is_replay") or answer.is_replay, (name, request)
        if self.merge_number and not isinstance(told, str):
            # What a person can spend is told as it is now.
            told, expected = told[:-1], expected[:-1]
        assert told == expected, (name, request)
        self.run(self._compare_balances())
        self.stage.seen[f"{name} again"] += 1

    @precondition(lambda self: any(name in CHANGES for name, *_ in self.asked))
    @rule(which=st.integers(0, 30))
    def again_with_other_content(self, which: int) -> None:
        asked = [one for one in self.asked if one[0] in CHANGES]
        name, request, _, caller = asked[-1 - which % len(asked)]
        other = type(request).FromString(request.SerializeToString())
        reason = CHANGES[name](other)
        _, told = self.run(self._ask(name, other, caller))
        assert told == reason, (name, other)
        self.run(self._compare_balances())
        self.stage.seen[f"{name} {reason}"] += 1

    # ---- the end

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.run(self._compare_all())

    async def _compare_all(self) -> None:
        wallets = list(self.model.wallets)
        lots = await self._fetch("SELECT * FROM lot WHERE wallet_id = ANY($1)", wallets)
        columns = ("wallet_id", "lot_id", "expire_time", "merchant_id", "left_points", "held_points")
        assert {tuple(row[column] for column in columns) for row in lots if row["left_points"]} == {
            (wallet, lot.lot_id, lot.expire_time, lot.issuer, lot.left, lot.held)
            for wallet, model in self.model.wallets.items()
            for lot in model.lots
            if lot.left
        }
        waiting = {(row["wallet_id"], row["lot_id"], row["unlock_time"]) for row in lots if row["left_points"]}
        assert waiting == {
            (wallet, lot.lot_id, lot.unlock_time)
            for wallet, model in self.model.wallets.items()
            for lot in model.lots
            if lot.left
        }
        sums = ", ".join(f"sum(coalesce({name}_points, 0))::bigint AS {name}" for name in (*ACCOUNTS, "outstanding"))
        slots = await self._fetch(
            f"SELECT merchant_id, {sums} FROM issuer_slot WHERE group_id = $1 GROUP BY 1", self.group_id
        )
        found = {row["merchant_id"]: dict(row) for row in slots}
        outstanding: Counter[UUID | None] = Counter()
        for model in self.model.wallets.values():
            for lot in model.lots:
                outstanding[lot.issuer] += lot.left
        for shop in self.shops:
            slot = found.get(shop, Counter())
            assert {name: slot[name] for name in ACCOUNTS} == {
                name: self.model.books[shop, name] for name in ACCOUNTS
            }, shop
            assert slot["outstanding"] == outstanding[shop], shop
        postings = await self._fetch(
            """SELECT wallet_id, txn_id, sum(points)::bigint AS points,
                      (sum(points) FILTER (WHERE account IN ('member', 'debt')))::bigint AS own
               FROM posting WHERE wallet_id = ANY($1) GROUP BY 1, 2""",
            wallets,
        )
        assert not [row for row in postings if row["points"]]


def midnight(day: date) -> datetime:
    """In Shanghai."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def a_year_after(day: date) -> datetime:
    """The end of the month, twelve months later."""
    return midnight(date(day.year + 1 + day.month // 12, day.month % 12 + 1, 1))


def _other_points(request: Any) -> str:
    request.points += 1
    return "REQUEST_ID_REUSED"


def _other_total(request: Any) -> str:
    request.total.amount_minor += 100
    request.lines[0].amount_minor += 100
    return "RECEIPT_CHANGED"


def _other_lines(request: Any) -> str:
    request.lines.add(line_no=9, amount_minor=1)
    return "REQUEST_ID_REUSED"


# What may differ when an id comes again, and how that is refused.
CHANGES: dict[str, Callable[[Any], str]] = {
    "RecordSale": _other_total,
    "RefundSale": _other_lines,
    **dict.fromkeys(
        ("Redeem", "ReverseRedemption", "Hold", "Capture", "TransferPoints", "ContributeToPool"), _other_points
    ),
}
# What of an answer is compared; what can be spent afterwards is the last.
FIGURES: dict[str, Callable[[Any], Told]] = {
    "RecordSale": lambda a: (a.points, a.debt_repaid_points, a.pending_points, a.available_points),
    "RefundSale": lambda a: (a.clawed_back_points, a.debt_points, a.written_off_points, a.available_points),
    "Hold": lambda a: (a.available_points,),
    "Release": lambda a: (a.released_points, a.available_points),
    "ApproveAdjustment": lambda a: (a.debt_points, a.available_points),
    "DissolveFamilyPool": lambda a: (),
    **dict.fromkeys(
        ("Redeem", "ReverseRedemption", "Capture", "TransferPoints", "ContributeToPool"),
        lambda a: (a.points, a.available_points),
    ),
}


@pytest.mark.parametrize("suffix", ["", "_102008"], ids=["plain", "shard"])
async def test_random_sequences_follow_the_model(sandbox: Sandbox, suffix: str) -> None:
    apps = Apps(sandbox)
    async with on_shard(apps, suffix):
        await apps.migrate("points")
        stage = Stage(apps)
        # In a thread of its own: the machine is not async, and its loop is the service's.
        await asyncio.to_thread(play_all, stage)
    assert await violations(apps.settings.database_url("points")) == {}
    # Sequences prove nothing about what they never did.
    if SEQUENCES >= 1_000:
        done = {f"{name} OK" for name in FIGURES} | {f"{name} again" for name in CHANGES}
        assert done | {"merged", "unmerged", "day closed"} <= set(stage.seen)
    if SEQUENCES >= 200:
        assert len(stage.seen) > 20


def play_all(stage: Stage) -> None:
    """Half of the sequences."""
    machine = type("PlayedMachine", (LedgerMachine,), {"stage": stage})
    with stage.runner:
        stage.run(stage.open())
        try:
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=SEQUENCES // 2,
                    stateful_step_count=STEPS,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            stage.run(stage.close())
