"""Growth from sales, tiers from growth."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis import ids
from chassis.events import Fact
from huitong.common.v1 import types_pb2
from huitong.member.v1 import member_pb2
from huitong.points.v1 import events_pb2 as points
from services.member.tiers import consumers
from tests.apps import GROUP, internal, member, system
from tests.integration.member.conftest import OTHER_GROUP, People

NOON = datetime(2026, 3, 10, 4, tzinfo=UTC)


def sale(member_id: str, yuan: int, day: int = 10, group_id: UUID = GROUP) -> Fact[Any]:
    payload = points.SaleRecorded(
        sale_id="sal_1",
        member_id=member_id,
        business_date=types_pb2.BusinessDate(year=2026, month=3, day=day),
        time_zone="Asia/Shanghai",
        total=types_pb2.Money(amount_minor=yuan * 100, currency_code="CNY"),
    )
    return Fact(ids.new(), group_id, member_id, NOON, payload)


def refund(member_id: str, yuan: int, group_id: UUID = GROUP) -> Fact[Any]:
    payload = points.SaleRefunded(
        member_id=member_id,
        business_date=types_pb2.BusinessDate(year=2026, month=3, day=10),
        refunded=types_pb2.Money(amount_minor=yuan * 100, currency_code="CNY"),
    )
    return Fact(ids.new(), group_id, member_id, NOON, payload)


async def record(people: People, *facts: Fact[Any]) -> None:
    is_sale = isinstance(facts[0].payload, points.SaleRecorded)
    async with people.db.transaction(internal("member", UUID(int=0))) as tx:
        await (consumers.on_sales if is_sale else consumers.on_refunds)(tx, facts)


async def progress(people: People, member_id: str) -> Any:
    request = member_pb2.GetTierProgressRequest(member_id=member_id)
    return await people.apps.call(people.tiers.GetTierProgress, request, member(member_id))


async def set_ladder(people: People, *tiers: tuple[str, int], group_id: UUID = GROUP) -> Any:
    request = member_pb2.SetTierLadderRequest(
        request_id=ids.new().hex,
        tiers=[
            member_pb2.Tier(code=code, name=code.title(), min_growth=growth, earn_multiplier_bps=10_000)
            for code, growth in tiers
        ],
    )
    return await people.apps.call(people.tiers.SetTierLadder, request, system(group_id))


async def count_by_tier(people: People, group_id: UUID = GROUP) -> dict[str, int]:
    request = member_pb2.CountMembersByTierRequest()
    answer = await people.apps.call(people.tiers.CountMembersByTier, request, system(group_id))
    return {row.tier.code: row.member_count for row in answer.tiers}


async def test_sales_lift_a_member_and_refunds_do_not_lower(people: People) -> None:
    joined = (await people.join()).member
    await record(people, sale(joined.member_id, 300), sale(joined.member_id, 300, day=11), sale(joined.member_id, 1500))
    changes = await people.events("TierChanged")
    assert [(change.previous_tier_code, change.tier.code, change.effective_date.day) for change in changes] == [
        ("MEMBER", "SILVER", 12),
        ("SILVER", "GOLD", 11),
    ]
    assert changes[1].tier.earn_multiplier_bps == 12_500
    await record(people, refund(joined.member_id, 1800), refund(joined.member_id, 100))
    now = await progress(people, joined.member_id)
    assert (now.tier.code, now.growth, now.next_tier.code, now.missing_growth) == ("GOLD", 200, "DIAMOND", 4800)
    assert (await people.identify(card_no=joined.card_no)).tier_code == "GOLD"
    assert len(await people.events("TierChanged")) == 2


async def test_run_of_sales_of_several_members_and_groups_is_counted_apart(people: People) -> None:
    here = [(await people.join(f"+861380000000{number}")).member.member_id for number in range(3)]
    there = (await people.join("+8613800000001", OTHER_GROUP)).member.member_id
    await set_ladder(people, ("BASE", 0), ("TOP", 50), group_id=OTHER_GROUP)
    run = [sale(here[number % 3], 100 * (number % 3)) for number in range(12)]
    await record(people, *run, sale(there, 60, group_id=OTHER_GROUP), sale("", 9999))
    assert [(await progress(people, member_id)).growth for member_id in here] == [0, 400, 800]
    assert await count_by_tier(people) == {"MEMBER": 2, "SILVER": 1, "GOLD": 0, "DIAMOND": 0}
    assert await count_by_tier(people, OTHER_GROUP) == {"BASE": 0, "TOP": 1}
    rows = await people.db.pool.fetch("SELECT group_id, key FROM outbox WHERE type LIKE '%TierChanged'")
    assert {(row["group_id"], row["key"]) for row in rows} == {(GROUP, here[2]), (OTHER_GROUP, there)}


async def test_growth_of_an_unknown_member_is_kept_until_the_join(people: People, refusal: Any) -> None:
    later = ids.to_edge("mbr", ids.derive(GROUP, "member", "join-later"))
    await record(people, sale(later, 700))
    assert await refusal(progress(people, later)) == "MEMBER_UNKNOWN"
    assert sum((await count_by_tier(people)).values()) == 0
    assert (await people.join(request_id="join-later")).member.tier_code == "SILVER"
    (event,) = await people.events()
    assert event.tier.code == "SILVER"
    assert (await progress(people, later)).growth == 700


async def test_ladder_is_replaced_and_members_are_graded_with_their_next_sale(people: People, refusal: Any) -> None:
    request = member_pb2.GetTierLadderRequest()
    default = await people.apps.call(people.tiers.GetTierLadder, request, system())
    assert [(tier.code, tier.name_zh, tier.min_growth) for tier in default.tiers] == [
        ("MEMBER", "普卡", 0), ("SILVER", "银卡", 500), ("GOLD", "金卡", 2000), ("DIAMOND", "钻石卡", 5000),
    ]  # fmt: skip
    joined = (await people.join()).member.member_id
    await record(people, sale(joined, 600))
    await set_ladder(people, ("BASE", 0), ("PLUS", 100), ("SUPER", 1000))
    await set_ladder(people, ("BASE", 0), ("PLUS", 200), ("SUPER", 1000))
    ladder = await people.apps.call(people.tiers.GetTierLadder, request, system())
    assert [tier.min_growth for tier in ladder.tiers] == [0, 200, 1000]
    assert await count_by_tier(people) == {"BASE": 0, "PLUS": 1, "SUPER": 0}  # SILVER is gone: what 600 reaches
    assert (await progress(people, joined)).tier.code == "PLUS"
    await record(people, sale(joined, 1))
    assert (await people.events("TierChanged"))[-1].tier.code == "PLUS"
    assert (await people.events("TierChanged"))[-1].previous_tier_code == "SILVER"
    foreign = await people.apps.call(people.tiers.GetTierLadder, request, system(OTHER_GROUP))
    assert foreign == default


@pytest.mark.parametrize(
    "tiers",
    [
        [("BASE", 1)],  # nobody could be below
        [("BASE", 0), ("PLUS", 0)],  # does not rise
        [("BASE", 0), ("BASE", 10)],  # a code twice
    ],
)
async def test_ladder_that_is_none_is_refused(people: People, refusal: Any, tiers: list[tuple[str, int]]) -> None:
    assert await refusal(set_ladder(people, *tiers)) == "LADDER_INVALID"


async def test_progress_is_for_the_member_only(people: People, refusal: Any) -> None:
    mine, other = (await people.join()).member.member_id, (await people.join("+8613800000002")).member.member_id
    request = member_pb2.GetTierProgressRequest(member_id=mine)
    for who, reason in ((member(other), "NOT_YOURS"), (system(OTHER_GROUP), "MEMBER_UNKNOWN")):
        assert await refusal(people.apps.call(people.tiers.GetTierProgress, request, who)) == reason
