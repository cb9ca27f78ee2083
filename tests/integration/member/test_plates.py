"""Found by a number plate: parking, the real one, says whose it is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.member.v1 import risk_pb2, risk_pb2_grpc
from huitong.parking.v1 import parking_pb2, parking_pb2_grpc
from tests.apps import system
from tests.integration.member.conftest import OTHER_GROUP, People
from tests.integration.member.test_merged_people import Merges

PLATE, ELECTRIC = "沪A12345", "沪AD12345"


class Drivers:
    """Members and their plates."""

    def __init__(self, people: People) -> None:
        self.people, self.apps = people, people.apps

    async def join(self, number: int) -> str:
        return str((await self.people.join(f"+86138{number:08}")).member.member_id)

    async def bind(self, who: str, plate_no: str = PLATE) -> str:
        """Answers "", or why not."""
        request = parking_pb2.BindPlateRequest(request_id=ids.new().hex, member_id=who, plate_no=plate_no)
        stub = self.apps.stub(parking_pb2_grpc.VehicleServiceStub, "parking")
        try:
            await self.apps.call(stub.BindPlate, request, system())
        except AppError as error:
            return error.reason
        return ""

    async def unbind(self, who: str, plate_no: str = PLATE) -> None:
        request = parking_pb2.UnbindPlateRequest(request_id=ids.new().hex, member_id=who, plate_no=plate_no)
        stub = self.apps.stub(parking_pb2_grpc.VehicleServiceStub, "parking")
        await self.apps.call(stub.UnbindPlate, request, system())

    async def find(self, plate_no: str = PLATE) -> str:
        return str((await self.people.identify(plate_no=plate_no)).member_id)


@pytest.fixture
async def drivers(people: People) -> Drivers:
    await people.apps.start("parking")
    await people.apps.as_owner("parking", "TRUNCATE plate_binding, member_merge, merged_item, request_log")
    return Drivers(people)


async def test_a_plate_finds_its_member_however_it_is_written(drivers: Drivers, refusal: Any) -> None:
    anna, ben = await drivers.join(1), await drivers.join(2)
    identify = drivers.people.identify
    assert await refusal(identify(plate_no=PLATE)) == "MEMBER_UNKNOWN"
    assert (await drivers.bind(anna), await drivers.bind(anna, ELECTRIC)) == ("", "")
    for written in (PLATE, "沪a·12345", " 沪Ａ１２３４５ ", ELECTRIC):
        found = await identify(plate_no=written)
        assert (found.member_id, found.tier_code, found.may_spend) == (anna, "MEMBER", False), written
    assert await refusal(identify(plate_no="沪A1")) == "PLATE_INVALID"
    assert await refusal(identify(OTHER_GROUP, plate_no=PLATE)) == "MEMBER_UNKNOWN"

    # Of many who say that it is theirs it is one's.
    assert await drivers.bind(ben) == "PLATE_TAKEN"
    await drivers.unbind(anna)
    assert await refusal(identify(plate_no=PLATE)) == "MEMBER_UNKNOWN"
    bound = await asyncio.gather(*(drivers.bind(who) for who in [anna, ben] * 5))
    owner = await drivers.find()
    assert owner in (anna, ben)
    assert [reason for who, reason in zip([anna, ben] * 5, bound, strict=True) if who == owner] == [""] * 5
    assert bound.count("PLATE_TAKEN") == 5


async def test_a_plate_of_merged_members_finds_the_survivor_until_they_are_parted(drivers: Drivers) -> None:
    anna, guest = await drivers.join(1), await drivers.join(2)
    await drivers.bind(guest)
    merges = Merges(drivers.people)
    merge_id = await merges.merge(anna, guest)
    # At once, whether or not parking has followed.
    assert await drivers.find() == anna
    await drivers.apps.drain()
    assert await drivers.find() == anna
    await merges.unmerge(merge_id)
    await drivers.apps.drain()
    async with asyncio.timeout(10):
        while await drivers.find() != guest:  # parking gives it back with its next turn
            for job in drivers.apps.running["parking"].jobs:
                job.wake()
            await asyncio.sleep(0.05)


async def test_a_plate_of_a_closed_member_says_so(drivers: Drivers, refusal: Any) -> None:
    anna = await drivers.join(1)
    await drivers.bind(anna)
    stub = drivers.apps.stub(risk_pb2_grpc.RiskServiceStub, "member")
    close = risk_pb2.CloseMemberRequest(request_id=ids.new().hex, member_id=anna, reason_code="FRAUD")
    await drivers.apps.call(stub.CloseMember, close, system())
    assert await refusal(drivers.people.identify(plate_no=PLATE)) == "MEMBER_CLOSED"


async def test_without_parking_all_but_plates_are_found(drivers: Drivers, refusal: Any) -> None:
    anna = await drivers.join(1)
    await drivers.bind(anna)
    await drivers.apps.stop("parking")
    assert await refusal(drivers.people.identify(plate_no=PLATE)) == "UNAVAILABLE"
    assert (await drivers.people.identify(phone="+8613800000001")).member_id == anna
