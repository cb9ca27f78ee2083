"""What a member's points consist of: issuers, funders, costs, expiries."""

from __future__ import annotations

from datetime import UTC, date, datetime

from chassis import ids
from huitong.points.v1 import lots_pb2, lots_pb2_grpc
from services.points.convert import to_date
from tests.apps import system
from tests.integration.points.test_funders import NAMED, OWN, PLATFORM, paid, shares
from tests.integration.points.test_rules_life import offer, with_offers
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World

EARLY, LATE = datetime(2017, 3, 8, 4, tzinfo=UTC), datetime(2017, 5, 8, 4, tzinfo=UTC)


async def test_lots_say_who_issued_who_pays_what_they_cost_and_when_they_expire(world: World) -> None:
    brand = ids.to_edge("mch", world.merchants[2])
    funded = offer(
        bonus_bps=10_000,
        start_date=to_date(date(2017, 5, 1)),
        funders=shares((PLATFORM, 5_000), (NAMED, 5_000), merchant=brand),
    )
    await world.publish(with_offers(world, funded, effective_date=to_date(date(2016, 1, 1)), expiry_months=120))
    await world.sell(100_000, sale_time=LATE, shop=1)
    await world.sell(50_000, sale_time=EARLY)
    await world.redeem(300)

    stub = world.apps.stub(lots_pb2_grpc.LotServiceStub, "points")
    request = lots_pb2.ListLotsRequest(member_id=world.member_id(0), page_size=1)
    first = await world.call(stub.ListLots, request, system(world.group_id))
    request.page_token = first.next_page_token
    second = await world.call(stub.ListLots, request, system(world.group_id))
    assert not second.next_page_token
    (early,), (late,) = first.lots, second.lots

    # Spending took the earlier expiry; 100 points pay 3 yuan.
    assert (early.points, early.left_points, early.held_points, early.cost_minor) == (500, 200, 0, 1_500)
    assert early.expire_time.ToDatetime(tzinfo=UTC) == datetime(2027, 3, 31, 16, tzinfo=UTC)
    own = ids.to_edge("mch", world.merchants[0])
    assert early.issuer_merchant_id == own and paid(early.funders) == {(OWN, own): 500}
    assert (late.points, late.left_points, late.cost_minor) == (2_000, 2_000, 6_000)
    issuer = ids.to_edge("mch", world.merchants[1])
    assert late.issuer_merchant_id == issuer
    assert paid(late.funders) == {(OWN, issuer): 1_000, (PLATFORM, ""): 500, (NAMED, brand): 500}


async def test_lots_of_nobody_and_of_no_page_are_refused(world: World) -> None:
    stub, asker = world.apps.stub(lots_pb2_grpc.LotServiceStub, "points"), system(world.group_id)
    stranger = lots_pb2.ListLotsRequest(member_id=ids.to_edge("mbr", ids.derive("nobody")))
    await world.start_neighbours()
    await refused(world.call(stub.ListLots, stranger, asker), "MEMBER_UNKNOWN")
    torn = lots_pb2.ListLotsRequest(member_id=world.member_id(0), page_token="WyJ4IiwieSJd")
    await refused(world.call(stub.ListLots, torn, asker), "INVALID_ARGUMENT")
    empty = await world.call(stub.ListLots, lots_pb2.ListLotsRequest(member_id=world.member_id(0)), asker)
    assert empty == lots_pb2.ListLotsResponse()
