"""Merges where growth has a window: whoever was merged stands where somebody who never was would stand."""

from __future__ import annotations

import itertools
import random
from datetime import date, timedelta
from typing import Any

import pytest

from huitong.member.v1 import tier_policy_pb2
from tests.integration.member.test_merged_people import Merges
from tests.integration.member.test_tier_program import ROLLING, YEAR, Program
from tests.integration.member.test_tier_program import program as program

TASKS = [tier_policy_pb2.TaskGrowth(task_code="SURVEY", growth=150)]
WINDOWS = [
    pytest.param({"window": YEAR, "grace_days": 10}, id="calendar year"),
    pytest.param({"window": ROLLING, "months": 12}, id="rolling months"),
    # Visits are days: one on which both were there is two of theirs and one of the person.
    pytest.param({"window": YEAR, "visit_growth": 100, "spend_growth_bps": 5_000}, id="visits and half of the money"),
]
pytestmark = [pytest.mark.timeout(120), pytest.mark.parametrize("policy", WINDOWS)]


class Twins:
    """Two who are merged and parted, beside two who never are, and one who does what both do.

    Whatever is done is done by each of them on the same day.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.phones = itertools.count(1)
        self.merges = Merges(program.people)
        self.merge_id = ""
        self.doings: list[dict[str, str]] = []

    async def join(self) -> Twins:
        self.anna, self.guest, self.own_anna, self.own_guest, self.both = [
            (await self.program.people.join(f"+86138{next(self.phones):08}")).member.member_id for _ in range(5)
        ]
        return self

    def _those(self, who: str) -> list[str]:
        """The ids of `who` ("anna" or "guest"), of the one who never was merged, and of the one who does it all."""
        return [getattr(self, who), getattr(self, f"own_{who}"), self.both]

    async def buy(self, who: str, yuan: int, day: date, **more: Any) -> None:
        for one in self._those(who):
            await self.program.buy(one, yuan, day, **more)

    async def give_back(self, who: str, yuan: int, day: date, *, sold_on: date) -> None:
        for one in self._those(who):
            await self.program.give_back(one, yuan, day, sold_on=sold_on)

    async def do(self, who: str) -> int:
        """A task; answers its number."""
        reference = f"doing-{len(self.doings)}"
        made = {}
        for one in self._those(who):
            answer = await self.program.call("RecordGrowth", member_id=one, task_code="SURVEY", reference=reference)
            made[one] = answer.growth_id
        self.doings.append(made)
        return len(self.doings) - 1

    async def undo(self, doing: int) -> None:
        for growth_id in self.doings[doing].values():
            await self.program.call("ReverseGrowth", growth_id=growth_id)

    async def merge(self) -> None:
        self.merge_id = await self.merges.merge(self.anna, self.guest)

    async def unmerge(self) -> None:
        await self.merges.unmerge(self.merge_id)
        self.merge_id = ""

    async def turn(self, day: date) -> None:
        """Noon of a day; what has ended before it is looked at."""
        await self.program.set_time(day.year, day.month, day.day)
        await self.program.close_day()

    async def stand(self, who: str) -> tuple[int, str]:
        now = await self.program.progress(who)
        return now.growth, now.tier.code

    async def check(self, *, growth_only: bool = False) -> None:
        """Growth and tier are those of whoever was never merged."""
        last = 1 if growth_only else 2
        stands = {who: (await self.stand(getattr(self, who)))[:last] for who in ("anna", "guest")}
        if self.merge_id:
            both = (await self.stand(self.both))[:last]
            assert stands == {"anna": both, "guest": both}
        else:
            assert stands == {
                "anna": (await self.stand(self.own_anna))[:last],
                "guest": (await self.stand(self.own_guest))[:last],
            }


@pytest.fixture
async def twins(program: Program, policy: dict[str, Any]) -> Twins:
    await program.set_ladder(tasks=TASKS, **policy)
    return await Twins(program).join()


async def test_merged_within_a_period(twins: Twins) -> None:
    day = date(2026, 3, 10)
    await twins.buy("anna", 700, day)
    await twins.buy("anna", 200, day)
    await twins.buy("guest", 1300, day)
    doing = await twins.do("guest")
    await twins.turn(day + timedelta(days=1))
    await twins.check()

    await twins.merge()
    await twins.check()
    day = date(2026, 5, 1)
    await twins.turn(day)
    await twins.buy("guest", 400, day)
    await twins.buy("anna", 100, day)
    await twins.check()
    # What one brings back was bought before the merge; a task is taken back, and another done in the other's name.
    await twins.give_back("guest", 300, day, sold_on=date(2026, 3, 10))
    await twins.undo(doing)
    while_merged = await twins.do("anna")
    # It comes from a till that was offline when they were two.
    await twins.buy("guest", 250, date(2026, 3, 12), recorded=day)
    await twins.check()

    await twins.unmerge()
    await twins.check()
    await twins.give_back("guest", 200, day, sold_on=date(2026, 5, 1))
    await twins.undo(while_merged)
    await twins.buy("anna", 60, date(2026, 5, 1), recorded=day)
    await twins.do("guest")
    await twins.turn(date(2026, 6, 1))
    await twins.buy("guest", 900, date(2026, 6, 1))
    await twins.check()
    await twins.merge()
    await twins.check()


async def test_a_period_ends_while_they_are_one(twins: Twins) -> None:
    await twins.buy("anna", 300, date(2026, 3, 10))
    await twins.buy("guest", 2100, date(2026, 3, 10))
    await twins.buy("anna", 3000, date(2026, 3, 10))
    await twins.turn(date(2026, 3, 11))
    await twins.merge()
    await twins.check()
    # Of the year after both together keep what neither does alone.
    day = date(2027, 6, 1)
    await twins.turn(day)
    await twins.check()
    await twins.buy("anna", 1100, day)
    await twins.buy("guest", 1000, day)
    await twins.check()
    # They have done nothing since: all step down.
    await twins.turn(date(2029, 1, 15))
    await twins.check()
    await twins.unmerge()
    await twins.check()


async def test_each_keeps_what_the_own_periods_say_when_parted_after_their_end(twins: Twins) -> None:
    await twins.buy("anna", 700, date(2026, 3, 10))
    await twins.buy("guest", 5200, date(2026, 3, 10))
    await twins.turn(date(2026, 3, 11))
    await twins.merge()
    # Each alone keeps another tier than both together do: of the year after, and then of none.
    for yuan, day in ((600, date(2027, 2, 1)), (0, date(2028, 4, 1)), (0, date(2029, 6, 1))):
        await twins.turn(day)
        if yuan:
            await twins.buy("anna", yuan, day)
            await twins.buy("guest", 4 * yuan, day)
        await twins.check()
        await twins.unmerge()
        await twins.check()
        await twins.merge()


async def test_a_period_ends_after_they_were_parted(twins: Twins) -> None:
    await twins.buy("anna", 600, date(2026, 3, 10))
    await twins.buy("guest", 2100, date(2026, 3, 10))
    await twins.turn(date(2026, 3, 11))
    await twins.merge()
    await twins.turn(date(2026, 4, 1))
    await twins.buy("guest", 100, date(2026, 4, 1))
    await twins.unmerge()
    await twins.check()
    await twins.buy("anna", 700, date(2026, 7, 1))
    for day in (date(2027, 1, 12), date(2027, 4, 2), date(2028, 1, 12), date(2028, 7, 2)):
        await twins.turn(day)
        await twins.check(growth_only=True)
    await twins.check()


@pytest.mark.parametrize("seed", range(2))
async def test_whatever_happens_growth_is_the_same(twins: Twins, seed: int) -> None:
    chance = random.Random(seed)
    day = date(2026, 3, 10)
    sales: list[tuple[str, int, date]] = []
    for _ in range(40):
        day += timedelta(days=chance.choice((0, 0, 1, 9, 40)))
        await twins.turn(day)
        who = chance.choice(("anna", "guest"))
        match chance.choice(("buy", "buy", "buy", "return", "do", "undo", "merge")):
            case "buy":
                sold_on = day - timedelta(days=chance.choice((0, 0, 0, 20)))
                sales.append((who, chance.randrange(1, 900), sold_on))
                await twins.buy(*sales[-1], recorded=day)
            case "return" if sales:
                buyer, yuan, sold_on = sales.pop(chance.randrange(len(sales)))
                await twins.give_back(buyer, chance.randrange(1, yuan + 1), day, sold_on=sold_on)
            case "do":
                await twins.do(who)
            case "undo" if twins.doings:
                await twins.undo(chance.randrange(len(twins.doings)))  # again changes nothing
            case "merge":
                await (twins.unmerge() if twins.merge_id else twins.merge())
        await twins.check(growth_only=True)
