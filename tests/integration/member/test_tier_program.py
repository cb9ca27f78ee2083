"""Running the tier programme: versions, windows, tasks, other cards, and a whole group graded anew."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.errors import AppError
from chassis.events import Fact
from huitong.common.v1 import types_pb2
from huitong.member.v1 import events_pb2, imports_pb2, imports_pb2_grpc, member_pb2, tier_policy_pb2, tiers_pb2_grpc
from huitong.member.v1 import tiers_pb2 as pb
from huitong.points.v1 import events_pb2 as points
from services.member.tiers import consumers, ladders, recalculation, store
from services.member.tiers import jobs as jobs_module
from services.member.tiers.jobs import TierJobs
from services.member.tiers.rules import Standing, whole
from suite.inside import Inside
from suite.tiers import follow, recalculate_group
from tests.apps import GROUP, acts_told, internal, member, operator, system
from tests.audits import assert_told
from tests.integration.member.conftest import OTHER_GROUP, People

HOTEL = ids.to_edge("unt", ids.derive(GROUP, "unit", "HOTEL"))
YEAR, ROLLING = tier_policy_pb2.QUALIFICATION_WINDOW_CALENDAR_YEAR, tier_policy_pb2.QUALIFICATION_WINDOW_ROLLING_MONTHS
TIERS = (("MEMBER", "普卡", 0), ("SILVER", "银卡", 500), ("GOLD", "金卡", 2000), ("DIAMOND", "钻石卡", 5000))


class Program:
    """A group that runs a tier programme; time is told."""

    def __init__(self, people: People) -> None:
        self.people, self.apps = people, people.apps
        self.stub = people.apps.stub(tiers_pb2_grpc.TierProgramServiceStub, "member")

    @property
    def db(self) -> Any:
        return self.people.db

    async def call(self, rpc: str, who: Any = None, why: str = "", **values: Any) -> Any:
        request_type = getattr(pb, f"{rpc}Request")
        if "request_id" in request_type.DESCRIPTOR.fields_by_name:
            values.setdefault("request_id", ids.new().hex)
        return await self.apps.call(getattr(self.stub, rpc), request_type(**values), who or system(), reason=why)

    async def acts(self, action: str) -> list[Any]:
        """What the audit says of an RPC."""
        return [entry for entry in await acts_told(self.apps) if entry.action == action]

    async def set_time(self, year: int, month: int, day: int, *, is_midnight: bool = False) -> datetime:
        """Noon of a day in Shanghai, or a minute after its beginning."""
        now = datetime(year, month, day, tzinfo=UTC) + timedelta(hours=4)
        if is_midnight:
            now -= timedelta(hours=11, minutes=59)
        await self.db.pool.execute(
            """INSERT INTO business_clock (id, business_time, set_time) VALUES (1, $1, clock_timestamp())
               ON CONFLICT (id) DO UPDATE SET business_time = $1, set_time = clock_timestamp()""",
            now,
        )
        return now

    async def set_ladder(self, *, since: date | None = None, tiers: Any = TIERS, **policy: Any) -> Any:
        request = member_pb2.SetTierLadderRequest(
            request_id=ids.new().hex,
            tiers=[
                member_pb2.Tier(code=code, name=code.title(), name_zh=zh, min_growth=least, earn_multiplier_bps=10_000)
                for code, zh, least in tiers
            ],
        )
        if policy:
            request.policy.CopyFrom(tier_policy_pb2.TierPolicy(**{"spend_growth_bps": 10_000, **policy}))
        if since:
            request.effective_date.CopyFrom(_date(since))
        return await self.apps.call(self.people.tiers.SetTierLadder, request, system())

    async def buy(self, member_id: str, yuan: int, day: date, *, recorded: date | None = None, **more: Any) -> None:
        payload = points.SaleRecorded(
            member_id=member_id,
            business_date=_date(day),
            time_zone="Asia/Shanghai",
            total=types_pb2.Money(amount_minor=yuan * 100, currency_code=more.get("currency", "CNY")),
        )
        noon = datetime.combine(recorded or day, datetime.min.time(), UTC) + timedelta(hours=4)
        async with self.db.transaction(internal("member", UUID(int=0))) as tx:
            await consumers.on_sales(tx, [Fact(ids.new(), GROUP, member_id, noon, payload)])

    async def give_back(self, member_id: str, yuan: int, day: date, *, sold_on: date) -> None:
        payload = points.SaleRefunded(
            member_id=member_id,
            business_date=_date(day),
            sale_business_date=_date(sold_on),
            refunded=types_pb2.Money(amount_minor=yuan * 100, currency_code="CNY"),
        )
        async with self.db.transaction(internal("member", UUID(int=0))) as tx:
            await consumers.on_refunds(tx, [Fact(ids.new(), GROUP, member_id, tx.now, payload)])

    async def progress(self, member_id: str) -> Any:
        request = member_pb2.GetTierProgressRequest(member_id=member_id)
        return await self.apps.call(self.people.tiers.GetTierProgress, request, member(member_id))

    async def close_day(self, *, is_past: bool = True) -> None:
        async def answer(_: datetime) -> bool:
            return is_past

        await TierJobs(self.db, answer).close_day(await self.db.now())

    async def changes(self, member_id: str) -> list[tuple[str, str, str, str]]:
        """(previous, new, effective date, reason) of every TierChanged of a member."""
        return [
            (
                one.previous_tier_code,
                one.tier.code,
                str(date(one.effective_date.year, one.effective_date.month, one.effective_date.day)),
                events_pb2.TierChangeReason.Name(one.reason).removeprefix("TIER_CHANGE_REASON_"),
            )
            for one in await self.people.events("TierChanged")
            if one.member_id == member_id
        ]


def _date(day: date) -> Any:
    return types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day)


@pytest.fixture
async def program(people: People) -> AsyncIterator[Program]:
    program = Program(people)
    await program.set_time(2026, 3, 10)
    yield program
    await people.db.pool.execute("DELETE FROM business_clock")


async def test_a_year_decides_at_the_end_of_its_grace(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    await program.set_ladder(window=YEAR, grace_days=10)
    anna, bert, cora = [(await program.people.join(f"+861380000000{n}")).member.member_id for n in range(3)]
    for one in (anna, bert, cora):
        await program.buy(one, 2100, date(2026, 3, 10))
    now = await program.progress(anna)
    assert (now.tier.code, now.growth, now.next_text, now.next_text_zh) == (
        "GOLD", 2100, "¥2,900 more for Diamond", "还差 ¥2,900 升级钻石卡",
    )  # fmt: skip
    assert now.missing_spend == types_pb2.Money(amount_minor=290_000, currency_code="CNY")
    assert (now.period_end_date, now.keep_until_date) == (_date(date(2026, 12, 31)), _date(date(2027, 1, 10)))
    assert now.keep_text == "Gold until 10 Jan 2027, and beyond" and now.keep_text_zh.endswith("已达到保级条件")

    # The last day of grace is over at midnight in Shanghai, and not before.
    await program.set_time(2027, 1, 10)
    await program.close_day()
    assert (await program.progress(anna)).period_end_date == _date(date(2026, 12, 31))
    await program.set_time(2027, 1, 11, is_midnight=True)
    await program.close_day(is_past=False)  # points is not past that midnight yet
    assert (await program.progress(anna)).period_end_date == _date(date(2026, 12, 31))
    await program.close_day()
    now = await program.progress(anna)
    assert (now.tier.code, now.growth, now.period_end_date) == ("GOLD", 0, _date(date(2027, 12, 31)))
    assert (now.keep_missing_growth, now.keep_missing_spend.amount_minor) == (2000, 200_000)
    assert now.keep_text == "Gold until 10 Jan 2028; ¥2,000 more keeps it"
    assert now.keep_text_zh == "金卡有效期至 2028-01-10，还差 ¥2,000 可保级"

    await program.buy(anna, 600, date(2027, 6, 1))
    await program.buy(bert, 2500, date(2027, 6, 1))
    await program.give_back(bert, 1000, date(2028, 1, 5), sold_on=date(2027, 6, 1))  # of the year of its sale
    await program.buy(cora, 1900, date(2027, 6, 1))
    await program.buy(cora, 100, date(2027, 12, 31), recorded=date(2028, 1, 8))  # comes late, and still counts
    await program.set_time(2028, 1, 11, is_midnight=True)

    # It dies after the first member, and goes on.
    monkeypatch.setattr(jobs_module, "CHUNK", 1)
    reviewed = jobs_module._review
    seen: list[Any] = []

    async def dies(tx: Any, member_ids: Any) -> None:
        if seen:
            raise ConnectionError
        seen.append(member_ids)
        await reviewed(tx, member_ids)

    with monkeypatch.context() as dying:
        dying.setattr(jobs_module, "_review", dies)
        with pytest.raises(ConnectionError):
            await program.close_day()
    for _ in range(2):
        await program.close_day()
    gold = ("MEMBER", "GOLD", "2026-03-11", "GROWTH")
    fell = ("GOLD", "SILVER", "2028-01-12", "PERIOD_END")
    assert [await program.changes(one) for one in (anna, bert, cora)] == [[gold, fell], [gold, fell], [gold]]
    # What counts on the day of the change is still the tier before.
    standing = await _standing(program, anna)
    assert [standing.tier_on(date(2028, 1, day)) for day in (11, 12)] == ["GOLD", "SILVER"]


async def test_a_review_that_comes_years_late_ends_as_one_in_time(program: Program) -> None:
    await program.set_ladder(window=ROLLING, months=12)
    on_time, late = [(await program.people.join(f"+861380000000{n}")).member.member_id for n in range(2)]
    for one in (on_time, late):
        await program.buy(one, 5200, date(2026, 3, 10))
        await program.buy(one, 700, date(2026, 11, 1))
    await program.db.pool.execute(
        "UPDATE standing SET review_date = NULL WHERE member_id = $1", ids.from_edge("mbr", late, "")
    )
    for day in ((2027, 3, 12), (2028, 3, 12), (2029, 3, 12)):
        await program.set_time(*day)
        await program.close_day()
    assert [new for _, new, _, _ in await program.changes(on_time)] == ["DIAMOND", "SILVER", "MEMBER"]
    await program.db.pool.execute(
        "UPDATE standing SET review_date = '2027-03-11' WHERE member_id = $1", ids.from_edge("mbr", late, "")
    )
    await program.close_day()
    assert [new for _, new, _, _ in await program.changes(late)] == ["DIAMOND", "MEMBER"]
    one, other = [await _standing(program, each) for each in (on_time, late)]
    assert (one.tier_code, one.period_end, one.review_date) == (other.tier_code, other.period_end, other.review_date)


async def test_visits_and_tasks_give_growth_once(program: Program, refusal: Any) -> None:
    tasks = [tier_policy_pb2.TaskGrowth(task_code="SURVEY", growth=300)]
    await program.set_ladder(window=YEAR, spend_growth_bps=0, visit_growth=100, tasks=tasks)
    anna = (await program.people.join()).member.member_id
    for yuan, day in ((10, 9), (20, 9), (30, 10)):
        await program.buy(anna, yuan, date(2026, 3, day))
    now = await program.progress(anna)
    assert (now.growth, now.next_text, now.next_text_zh) == (
        200,
        "300 growth more for Silver",
        "还差 300 成长值升级银卡",
    )
    assert not now.HasField("missing_spend")
    task = {"member_id": anna, "task_code": "SURVEY"}
    first = await program.call("RecordGrowth", reference="spring", request_id="survey-1", **task)
    assert (first.growth, first.is_repeated, first.tier_code) == (300, False, "SILVER")
    assert await program.call("RecordGrowth", reference="spring", request_id="survey-1", **task) == first
    again = await program.call("RecordGrowth", internal("engagement"), reference="spring", **task)
    assert (again.growth_id, again.is_repeated) == (first.growth_id, True)
    assert await program.changes(anna) == [("MEMBER", "SILVER", "2026-03-11", "GROWTH")]
    back = await program.call("ReverseGrowth", growth_id=first.growth_id)
    assert (await program.call("ReverseGrowth", growth_id=first.growth_id)) == back
    assert ((await program.progress(anna)).growth, back.growth) == (200, 300)
    assert [event.growth for event in await program.people.events("GrowthRecorded")] == [300, -300]
    assert (await program.progress(anna)).tier.code == "SILVER"  # nobody steps down before the period's end
    for call, reason in (
        (program.call("RecordGrowth", member_id=anna, task_code="DANCE", reference="x"), "TASK_UNKNOWN"),
        (program.call("RecordGrowth", system(OTHER_GROUP), reference="x", **task), "MEMBER_UNKNOWN"),
        (program.call("ReverseGrowth", growth_id=back.growth_id), "GROWTH_UNKNOWN"),
        (program.call("ReverseGrowth", system(OTHER_GROUP), growth_id=first.growth_id), "GROWTH_UNKNOWN"),
    ):
        assert await refusal(call) == reason


async def test_versions_of_the_ladder_have_their_days(program: Program, refusal: Any) -> None:
    high = [(code, zh, least * 10) for code, zh, least in TIERS]
    assert (await program.set_ladder()).version == 1
    coming = await program.set_ladder(since=date(2026, 4, 1), tiers=high, window=YEAR, time_zone="Asia/Tokyo")
    assert coming.effective_time.ToDatetime(UTC) == datetime(2026, 3, 31, 15, tzinfo=UTC)
    mistake = await program.set_ladder(since=date(2026, 3, 11), tiers=high[:2])
    listed = (await program.call("ListTierLadders", page_size=2)).ladders
    assert [(one.version, one.is_in_force) for one in listed] == [(3, False), (2, False)]
    assert (await program.call("CancelTierLadder", version=mistake.version)).ladder.is_cancelled
    anna = (await program.people.join()).member.member_id
    await program.set_time(2026, 3, 31)
    await program.buy(anna, 600, date(2026, 3, 31))
    await program.set_time(2026, 4, 1)
    assert (await program.call("ListTierLadders")).ladders[1].is_in_force
    await program.buy(anna, 500, date(2026, 4, 1))
    now = await program.progress(anna)
    assert (now.tier.code, now.tier.min_growth, now.growth, now.missing_growth) == ("SILVER", 5000, 1100, 18_900)
    assert (await program.changes(anna))[-1] == ("SILVER", "SILVER", "2026-04-02", "LADDER")
    for version, reason in ((2, "LADDER_IN_FORCE"), (9, "LADDER_UNKNOWN")):
        assert await refusal(program.call("CancelTierLadder", version=version)) == reason
    bad: list[dict[str, Any]] = [
        {"since": date(2026, 4, 1)},  # is today
        {"window": ROLLING},  # without months
        {"window": YEAR, "months": 3},
        {"window": tier_policy_pb2.QUALIFICATION_WINDOW_LIFETIME, "grace_days": 1},
        {"window": YEAR, "spend_growth_bps": 0},  # nothing gives growth
        {"tiers": [("A", "普卡", 0), ("B", "普卡", 1)]},
        {"tiers": [("AB", "普", 0), ("Ab".upper() + "C", "银", 0)]},
    ]
    for values in bad:
        assert await refusal(program.set_ladder(**values)) == "LADDER_INVALID"
    worse: list[dict[str, Any]] = [
        {"window": YEAR, "time_zone": "Mars/Olympus"},
        {"since": date(2026, 4, 2), "window": 9},
    ]
    for values in worse:
        assert await refusal(program.set_ladder(**values)) == "INVALID_ARGUMENT"


async def test_another_card_is_a_floor_for_its_time(program: Program, refusal: Any) -> None:
    await program.set_ladder(window=YEAR)
    anna, bert = [(await program.people.join(f"+861380000000{n}")).member.member_id for n in (1, 2)]
    await program.buy(anna, 700, date(2026, 3, 10))
    matches = [
        pb.TierMatch(level="PLATINUM", tier_code="GOLD", months=3),
        pb.TierMatch(level="BLACK", tier_code="DIAMOND", months=1),
    ]
    await program.call("SetTierMatches", business_unit_id=HOTEL, matches=matches)
    assert len((await program.call("ListTierMatches", business_unit_id=HOTEL)).matches) == 2
    stub = program.apps.stub(imports_pb2_grpc.MemberImportServiceStub, "member")
    begin = imports_pb2.CreateMemberImportRequest(
        request_id=ids.new().hex, business_unit_id=HOTEL, scheme=imports_pb2.NUMBER_SCHEME_HOTEL_GUEST, name="guests"
    )
    made = (await program.apps.call(stub.CreateMemberImport, begin, system())).member_import
    rows = [
        ("1", "G-1", "+8613800000001", "PLATINUM"),
        ("2", "G-2", "+8613800000002", "UNHEARD"),
        ("3", "G-3", "", "BLACK"),
    ]
    send = imports_pb2.ImportMembersRequest(
        request_id=ids.new().hex,
        import_id=made.import_id,
        rows=[
            imports_pb2.MemberRow(request_id=key, number=no, phone=phone, level=level) for key, no, phone, level in rows
        ],
    )
    for _ in range(2):
        await program.apps.call(stub.ImportMembers, send, system())
    now = await program.progress(anna)
    assert (now.tier.code, now.match_end_date) == ("GOLD", _date(date(2026, 6, 10)))
    assert now.keep_text == "Gold until 10 Jun 2026; ¥1,300 more keeps it"
    (grant,) = (await program.call("ListTierGrants", member(anna), member_id=anna)).grants
    assert (grant.level, grant.import_id, grant.import_row_id, grant.tier_code) == (
        "PLATINUM",
        made.import_id,
        "1",
        "GOLD",
    )
    number: dict[str, Any] = {"business_unit_id": HOTEL, "scheme": 1, "number": "G-2"}
    who = operator("desk")
    granted = (await program.call("GrantTierMatch", who, "a guest of honour", level="BLACK", **number)).grant
    assert (await program.call("GrantTierMatch", who, "once more", level="BLACK", **number)).grant == granted
    first, again = await program.acts("GrantTierMatch")
    about, one = {HOTEL, granted.grant_id, bert}, {"grant_id": granted.grant_id, "tier_code": "DIAMOND"}
    assert_told("TierProgramService.GrantTierMatch", first, who, reason="a guest of honour", subjects=about,
                after={"grant": one})  # fmt: skip
    assert_told("TierProgramService.GrantTierMatch", again, who, reason="once more", subjects=about,
                before={"grants": [one]}, after={"grant": one})  # fmt: skip
    assert (granted.member_id, granted.end_date, granted.import_id) == (bert, _date(date(2026, 4, 10)), "")
    for call, reason in (
        (program.call("GrantTierMatch", level="UNHEARD", **number), "TIER_MATCH_UNKNOWN"),
        (program.call("GrantTierMatch", level="BLACK", **{**number, "number": "G-3"}), "MEMBER_UNKNOWN"),
        (program.call("SetTierMatches", business_unit_id=HOTEL, matches=[matches[0]] * 2), "TIER_MATCH_INVALID"),
        (
            program.call("SetTierMatches", system(OTHER_GROUP), business_unit_id=HOTEL, matches=matches),
            "BUSINESS_UNIT_UNKNOWN",
        ),
        (program.call("ListTierGrants", system(OTHER_GROUP), member_id=anna), "MEMBER_UNKNOWN"),
        (
            program.call(
                "SetTierMatches", business_unit_id=HOTEL, matches=[pb.TierMatch(level="X", tier_code="X", months=1)]
            ),
            "TIER_UNKNOWN",
        ),
    ):
        assert await refusal(call) == reason
    for day in ((2026, 6, 10), (2026, 6, 11)):
        await program.set_time(*day)
        await program.close_day()
    silver = ("MEMBER", "SILVER", "2026-03-11", "GROWTH")
    # The own tier is there again, with its own period.
    assert await program.changes(anna) == [
        silver, ("SILVER", "GOLD", "2026-03-11", "MATCH"), ("GOLD", "SILVER", "2026-06-12", "MATCH_END"),
    ]  # fmt: skip
    assert (await program.changes(bert))[-1][:2] == ("DIAMOND", "MEMBER")
    assert (await program.progress(anna)).period_end_date == _date(date(2026, 12, 31))
    assert len(await program.people.events("TierMatched")) == 2


async def _standing(program: Program, member_id: str) -> Standing:
    async with program.db.reading(system()) as tx:
        found = await store.find_standing(tx, ids.from_edge("mbr", member_id, "member_id"))
    assert found is not None
    return found


async def _history(program: Program, count: int, luck: random.Random) -> list[str]:
    """Members with purchases and returns over two years, graded as they came on a ladder for good."""
    lines = [{"request_id": f"join-{n:05}", "phone": f"+86139{n:08}"} for n in range(count)]
    joined = [one.joined.member.member_id for one in await program.people.join_all(lines)]
    days = [date(2025, 1, 1) + timedelta(days=luck.randrange(430)) for _ in range(count * 4)]
    async with program.db.transaction(internal("member", UUID(int=0))) as tx:
        facts = []
        for day in sorted(days):
            amount = types_pb2.Money(
                amount_minor=luck.randrange(1, 120_000), currency_code=luck.choice(["CNY"] * 5 + ["USD"])
            )
            one = luck.choice(joined)
            payload = points.SaleRecorded(
                member_id=one, business_date=_date(day), time_zone="Asia/Shanghai", total=amount
            )
            facts.append(Fact(ids.new(), GROUP, one, datetime.combine(day, datetime.min.time(), UTC), payload))
        await consumers.on_sales(tx, facts)
        for fact in luck.sample(facts, count // 3):
            back = points.SaleRefunded(
                member_id=fact.payload.member_id,
                refunded=fact.payload.total,
                sale_business_date=fact.payload.business_date,
            )
            await consumers.on_refunds(tx, [Fact(ids.new(), GROUP, fact.key, NOON, back)])
    return joined


NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)


@pytest.mark.parametrize("may_downgrade", [False, True])
async def test_a_group_is_graded_anew_as_each_member_would_be(
    program: Program, refusal: Any, may_downgrade: bool
) -> None:
    luck = random.Random(7)
    joined = await _history(program, 60, luck)
    before = {one: await _standing(program, one) for one in joined}
    told = len(await program.people.events("TierChanged"))
    policy: dict[str, Any] = {"window": YEAR, "grace_days": 5, "visit_growth": 30, "spend_growth_bps": 8_000}
    await program.set_ladder(tiers=[("MEMBER", "普卡", 0), ("GOLD", "金卡", 900), ("TOP", "顶级", 1500)], **policy)
    async with program.db.transaction(system()) as tx:  # without the RPC, so that the job does not begin by itself
        started = await recalculation.start(tx, request_id="anew", may_downgrade=may_downgrade)
        assert await recalculation.go_on(tx, started.recalculation_id, batch_size=7)
    edge = ids.to_edge("trc", started.recalculation_id)
    assert await refusal(program.call("StartTierRecalculation")) == "RECALCULATION_RUNNING"
    now = (await program.call("GetTierRecalculation", recalculation_id=edge)).recalculation
    assert (now.total_count, now.done_count, now.state) == (60, 7, pb.RECALCULATION_STATE_RUNNING)
    with pytest.raises(ConnectionError):  # it dies in the middle of a batch
        async with program.db.transaction(system()) as tx:
            await recalculation.go_on(tx, started.recalculation_id, batch_size=7)
            raise ConnectionError
    await program.close_day()
    await TierJobs(program.db, None).recalculate(NOON)  # type: ignore[arg-type]
    now = (await program.call("GetTierRecalculation", recalculation_id=edge)).recalculation
    assert (now.done_count, now.state, now.remaining_seconds) == (60, pb.RECALCULATION_STATE_DONE, 0)

    today, last_year = date(2026, 3, 10), date(2025, 12, 31)
    changed = 0
    async with program.db.reading(system()) as tx:
        ladder = await ladders.get_ladder(tx)
        member_ids = [ids.from_edge("mbr", one, "") for one in joined]
        books = await store.load_books(tx, dict.fromkeys(member_ids, date.min))
    for one, member_id in zip(joined, member_ids, strict=True):
        growth_minor = books[member_id].growth_minor(ladder.policy, today)
        reached = ladder.grade(whole(growth_minor))
        old = ladder.index(before[one].tier_code)
        if may_downgrade:
            kept = ladder.grade(whole(books[member_id].growth_minor(ladder.policy, last_year)))
            own = max(reached, min(reached if old is None else old, kept))
        else:
            own = max(reached, reached if old is None else old)
        after = await _standing(program, one)
        assert (after.growth_minor, after.tier_code) == (growth_minor, ladder.tiers[own].code)
        assert after.period_end == (date(2026, 12, 31) if own else None)
        assert after.review_date == (date(2027, 1, 6) if own else None)
        changed += after.tier_code != before[one].tier_code
    assert now.changed_count == changed > 10
    events = (await program.people.events("TierChanged"))[told:]
    # SILVER is gone and TOP is new; who stays GOLD is told, for the default GOLD earned more. MEMBER stays as it was.
    after_codes = [(await _standing(program, one)).tier_code for one in joined]
    stayed_gold = sum(before[one].tier_code == code == "GOLD" for one, code in zip(joined, after_codes, strict=True))
    assert len(events) == changed + stayed_gold
    assert {events_pb2.TierChangeReason.Name(one.reason) for one in events} == {"TIER_CHANGE_REASON_LADDER"}


async def test_recalculation_runs_by_itself_and_can_be_cancelled(
    program: Program, refusal: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _history(program, 30, random.Random(1))
    shown: list[Any] = []
    inside = Inside(program.apps.settings, ["member"])
    try:  # as `huitong tiers recalculate` does
        async with asyncio.timeout(20):
            now = await recalculate_group(inside, "test-group", False, shown.append)
            with pytest.raises(AppError) as unknown:
                await recalculate_group(inside, "no-such-group", False, shown.append)
    finally:
        await inside.close()
    assert unknown.value.reason == "GROUP_UNKNOWN"
    edge = now.recalculation_id
    assert {one.recalculation_id for one in shown} == {edge} and shown[-1] == now
    assert (now.state, now.done_count, now.changed_count) == (pb.RECALCULATION_STATE_DONE, 30, 0)
    assert await refusal(program.call("CancelTierRecalculation", recalculation_id=edge)) == "RECALCULATION_ENDED"
    with monkeypatch.context() as patch:

        async def does_nothing(*_: object) -> bool:
            return False

        patch.setattr(recalculation, "go_on", does_nothing)
        edge = (await program.call("StartTierRecalculation")).recalculation.recalculation_id
        who = operator("desk")
        cancelled = (
            await program.call("CancelTierRecalculation", who, "the wrong ladder", recalculation_id=edge)
        ).recalculation
    assert cancelled.state == pb.RECALCULATION_STATE_CANCELLED
    (act,) = await program.acts("CancelTierRecalculation")
    before, after = [{"recalculation": {"recalculation_id": edge, "state": f"RECALCULATION_STATE_{state}"}}
                     for state in ("RUNNING", "CANCELLED")]  # fmt: skip
    assert_told("TierProgramService.CancelTierRecalculation", act, who, reason="the wrong ladder", subjects={edge},
                before=before, after=after)  # fmt: skip
    async with program.db.transaction(system()) as tx:
        assert not await recalculation.go_on(tx, ids.from_edge("trc", edge, "recalculation_id"))
        running = await recalculation.start(tx, request_id="third", may_downgrade=False)

    async def start() -> Any:
        return (await program.call("StartTierRecalculation")).recalculation

    async def look(recalculation_id: str) -> Any:
        await TierJobs(program.db, None).recalculate(NOON)  # type: ignore[arg-type]
        return (await program.call("GetTierRecalculation", recalculation_id=recalculation_id)).recalculation

    # Who asks for another one goes along with the one that runs.
    joined = await follow(start, look, shown.append)
    assert joined.recalculation_id == ids.to_edge("trc", running.recalculation_id)
    foreign = program.call("GetTierRecalculation", system(OTHER_GROUP), recalculation_id=edge)
    assert await refusal(foreign) == "RECALCULATION_UNKNOWN"
