"""How often members may spend is set in member and holds in points, both of them real."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.member.v1 import risk_pb2
from huitong.points.v1 import points_pb2
from tests.apps import internal
from tests.integration.member.test_referrals import Circle
from tests.integration.member.test_referrals import circle as circle


async def set_limit(circle: Circle, spends_per_member_hour: int) -> None:
    policy = risk_pb2.RiskPolicy(spends_per_member_hour=spends_per_member_hour)
    request = risk_pb2.SetRiskPolicyRequest(request_id=ids.new().hex, policy=policy)
    await circle.call(circle.risk.SetRiskPolicy, request)
    await circle.apps.drain()


async def spend(circle: Circle, who: str, request_id: str = "") -> str:
    """Spends a point; answers "", or why not."""
    request = points_pb2.RedeemRequest(
        request_id=request_id or ids.new().hex,
        member_id=who,
        points=1,
        spending=points_pb2.Spending(merchant_id=circle.merchant_id, kind=points_pb2.SPENDING_KIND_VOUCHER),
    )
    try:
        await circle.apps.call(circle.wallets.Redeem, request, internal("mall", circle.group_id))
    except AppError as error:
        return error.reason
    return ""


async def test_a_limit_of_member_holds_in_points_for_each_member_of_its_group(circle: Circle) -> None:
    anna, ben = await circle.join(), await circle.join()
    for who in (anna, ben):
        await circle.sell(who, 10_000)
    assert [await spend(circle, anna) for _ in range(5)] == [""] * 5

    # What was spent within the hour counts, also from before there was a limit.
    await set_limit(circle, 8)
    first = ids.new().hex
    answers: list[Any] = await asyncio.gather(*(spend(circle, anna) for _ in range(7)), spend(circle, anna, first))
    assert sorted(answers) == [""] * 3 + ["SPENDING_TOO_OFTEN"] * 5
    assert await circle.available(anna) == 100 - 8
    # What was done is answered again; somebody else has spent nothing yet.
    assert await spend(circle, ben, "redeem-of-ben-1") == ""
    assert [await spend(circle, ben, "redeem-of-ben-1") for _ in range(4)] == [""] * 4
    assert await circle.available(ben) == 99

    await set_limit(circle, 9)
    assert [await spend(circle, anna) for _ in range(2)] == ["", "SPENDING_TOO_OFTEN"]
    await set_limit(circle, 0)
    assert await spend(circle, anna) == ""
    assert await circle.available(anna) == 100 - 10


async def test_a_limit_is_its_groups_alone(circle: Circle, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run_already(*_: str) -> None: ...

    monkeypatch.setattr(circle.apps, "start", run_already)
    other = await Circle(circle.apps).build()
    await set_limit(circle, 1)
    anna, somebody = await circle.join(), await other.join()
    for group, who in ((circle, anna), (other, somebody)):
        await group.sell(who, 10_000)
    assert [await spend(circle, anna) for _ in range(2)] == ["", "SPENDING_TOO_OFTEN"]
    assert [await spend(other, somebody) for _ in range(3)] == [""] * 3
