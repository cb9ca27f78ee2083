"""Plates, entries, exits and fees on a real database."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.parking.v1 import parking_pb2 as pb
from tests.apps import GROUP, member, vendor
from tests.integration.parking.lot import CAR_PARK, ENTRY, MERCHANT, PLATE, Lot, at, member_id

OTHER_GROUP = ids.derive("group", "other")


async def refusal(call: Any) -> str:
    with pytest.raises(AppError) as refused:
        await call
    return refused.value.reason


def parts(fee: Any) -> tuple[int, ...]:
    return tuple(
        getattr(fee, name).amount_minor for name in ("tariff_fee", "tier_waived", "points_paid", "money_paid", "due")
    )


# ---- plates


async def test_a_plate_has_one_owner_in_a_group(lot: Lot) -> None:
    await lot.join("bob")
    assert await refusal(lot.bind("bob")) == "PLATE_TAKEN"
    assert (await lot.bind("ann", "沪a·12345")).plate.plate_no == PLATE  # hers already, however it is written
    plates = await lot.call("ListPlates", pb.ListPlatesRequest(member_id=member_id("ann")))
    assert [plate.plate_no for plate in plates.plates] == [PLATE]


async def test_a_plate_that_was_given_up_can_be_bound_by_another(lot: Lot) -> None:
    await lot.join("bob")
    unbind = pb.UnbindPlateRequest(request_id="unbind-1", member_id=member_id("ann"), plate_no=PLATE)
    await lot.call("UnbindPlate", unbind)
    await lot.call("UnbindPlate", unbind)  # a retry
    assert (await lot.bind("bob")).plate.plate_no == PLATE
    unbind.request_id = "unbind-2"
    assert await refusal(lot.call("UnbindPlate", unbind)) == "PLATE_UNKNOWN"


async def test_each_line_of_many_plates_has_its_own_answer_and_the_same_again(lot: Lot) -> None:
    for name in ("bob", "cat"):
        await lot.join(name)
    await lot.join("gone")
    erased = "INSERT INTO erased_member (member_id, group_id, told_time) VALUES ($1, $2, now())"
    await lot.app.db.pool.execute(erased, ids.from_edge("mbr", member_id("gone"), ""), GROUP)
    await lot.enter(plate_no="沪B00003")

    def line(number: int, name: str, plate_no: str) -> pb.BindPlateRequest:
        return pb.BindPlateRequest(request_id=f"plates-{number}", member_id=member_id(name), plate_no=plate_no)

    lines = [
        (line(1, "bob", "沪b00001"), ""),
        (line(2, "cat", "沪B00001"), "PLATE_TAKEN"),  # by the line above
        (line(3, "bob", PLATE), "PLATE_TAKEN"),  # Ann's
        (line(4, "ann", PLATE), ""),  # hers already
        (line(5, "gone", "沪B00002"), "MEMBER_UNKNOWN"),
        (line(6, "cat", "???"), "PLATE_INVALID"),
        (line(7, "cat", "沪B00003"), ""),
        (line(7, "cat", "沪B00004"), "REQUEST_ID_REUSED"),
        (line(1, "bob", "沪B00001"), ""),  # the first line again
    ]
    request = pb.BindPlatesRequest(plates=[one for one, _ in lines])
    # Three at once, and one later, are one.
    answers = await asyncio.gather(*(lot.call("BindPlates", request) for _ in range(3)))
    answers.append(await lot.call("BindPlates", request))
    for answer in answers:
        assert [one.problem.reason for one in answer.results] == [reason for _, reason in lines]
        assert answer == answers[0]
    assert [one.bound.plate.plate_no for one in answers[0].results if one.HasField("bound")] == [
        "沪B00001",
        PLATE,
        "沪B00003",
        "沪B00001",
    ]
    listed = {
        name: await lot.call("ListPlates", pb.ListPlatesRequest(member_id=member_id(name))) for name in ("bob", "cat")
    }
    assert {name: [plate.plate_no for plate in one.plates] for name, one in listed.items()} == {
        "bob": ["沪B00001"],
        "cat": ["沪B00003"],
    }
    stays = await lot.call("ListStays", pb.ListStaysRequest(member_id=member_id("cat")))
    assert [stay.plate_no for stay in stays.stays] == ["沪B00003"]
    told = "SELECT key FROM outbox WHERE type LIKE '%PlateBound' AND key = ANY($1) AND id > $2"
    people = [member_id("bob"), member_id("cat")]
    rows = await lot.app.db.pool.fetch(told, people, lot._outbox_id)
    assert sorted(row["key"] for row in rows) == sorted(people)


async def test_many_members_race_for_a_plate_and_one_gets_it(lot: Lot) -> None:
    names = [f"racer-{number}" for number in range(20)]
    for name in names:
        await lot.join(name)
    results = await asyncio.gather(*(lot.bind(name, "沪B00001") for name in names), return_exceptions=True)
    refused = [result.reason for result in results if isinstance(result, AppError)]
    assert refused == ["PLATE_TAKEN"] * 19


async def test_what_binding_is_refused_for(lot: Lot) -> None:
    assert await refusal(lot.bind("ann", "A1")) == "PLATE_INVALID"
    # member does not run here: whether the member exists cannot be known.
    assert await refusal(lot.bind("nobody", "沪B00002")) == "UNAVAILABLE"


async def test_a_member_can_only_act_for_itself(lot: Lot) -> None:
    request = pb.BindPlateRequest(request_id="bind-as-bob", member_id=member_id("ann"), plate_no="沪B00003")
    reason = await refusal(lot.apps.call(lot.vehicles.BindPlate, request, member(member_id("bob"))))
    assert reason == "NOT_YOURS"


# ---- entries


async def test_the_same_entry_is_one_stay_however_often_it_is_told(lot: Lot) -> None:
    first = await lot.enter(request_id="entry-000")
    assert first.is_member
    again = await asyncio.gather(*(lot.enter(request_id="entry-000") for _ in range(10)))
    told_anew = await asyncio.gather(*(lot.enter() for _ in range(10)))
    assert {answer.stay_id for answer in (*again, *told_anew)} == {first.stay_id}
    assert await refusal(lot.enter(5, request_id="entry-000")) == "REQUEST_ID_REUSED"


async def test_an_entry_older_than_the_latest_stay_is_refused(lot: Lot) -> None:
    await lot.enter(10)
    assert await refusal(lot.enter(9)) == "ENTRY_CONFLICT"
    await lot.leave(20)
    assert await refusal(lot.enter(15)) == "ENTRY_CONFLICT"  # inside a stay that has ended
    assert (await lot.enter(20)).stay_id  # the moment it left


async def test_a_second_entry_ends_the_stay_whose_exit_was_lost(lot: Lot) -> None:
    first = await lot.enter()
    assert not (await lot.leave(100)).may_leave  # refused at the gate, and never heard of again
    second = await lot.enter(500)
    assert second.stay_id != first.stay_id
    (event,) = await lot.ended()
    assert (event.stay_id, parts(event.fee)) == (first.stay_id, (0, 0, 0, 0, 0))
    assert event.exit_time == at(500)


async def test_a_lost_exit_that_comes_after_all_dates_its_stay(lot: Lot) -> None:
    first = await lot.enter()
    await lot.pay(100)
    await lot.enter(500)
    late = await lot.leave(110)
    assert (late.stay_id, late.may_leave, parts(late.fee)) == (first.stay_id, True, (1600, 0, 0, 1600, 0))
    assert late.fee.stay_minutes == 110
    assert len(await lot.ended()) == 1
    again = await lot.leave(110)
    assert (again.stay_id, again.fee) == (first.stay_id, late.fee)


async def test_what_entries_are_refused_for(lot: Lot) -> None:
    assert await refusal(lot.enter(plate_no="???")) == "PLATE_INVALID"
    assert await refusal(lot.enter(-200_000)) == "TARIFF_UNKNOWN"
    assert await refusal(lot.enter(60 * 24 * 365 * 30)) == "INVALID_ARGUMENT"
    request = pb.RecordEntryRequest(
        request_id="entry-unknown", car_park_id=ids.to_edge("unt", ids.new()), plate_no=PLATE, entry_time=at(0)
    )
    who = vendor(CAR_PARK)
    assert await refusal(lot.apps.call(lot.parking.RecordEntry, request, who)) == "NOT_YOURS"
    request.car_park_id = CAR_PARK
    # Another group's vendor: the car park does not exist there, and org is asked (it does not run here).
    reason = await refusal(lot.apps.call(lot.parking.RecordEntry, request, vendor(CAR_PARK, OTHER_GROUP)))
    assert reason == "UNAVAILABLE"


# ---- exits


@pytest.mark.parametrize(
    ("minutes", "due"),
    [
        (30, 0),  # free
        (30.99, 0),  # a begun minute does not count
        (31, 800),  # the first hour
        (24 * 60 + 31, 6800),  # the second day
    ],
)
async def test_the_gate_opens_when_nothing_is_due(lot: Lot, minutes: float, due: int) -> None:
    await lot.enter()
    answer = await lot.leave(minutes)
    assert (answer.may_leave, answer.due.amount_minor) == (due == 0, due)
    if due:
        assert (await lot.leave(minutes, paid=due)).may_leave
    (event,) = await lot.ended()
    assert parts(event.fee) == (due, 0, 0, due, 0)
    assert (event.merchant_id, event.member_id, event.car_park_id) == (MERCHANT, member_id(), CAR_PARK)


async def test_money_taken_at_the_gate_counts_also_when_it_is_too_little_or_too_much(lot: Lot) -> None:
    await lot.enter()
    first = await lot.leave(100, paid=1000)
    assert (first.may_leave, first.due.amount_minor) == (False, 600)
    second = await lot.leave(101, paid=1000)
    assert (second.may_leave, parts(second.fee)) == (True, (1600, 0, 0, 1600, 0))
    assert await lot.app.db.pool.fetchval("SELECT overpaid_minor FROM stay") == 400


async def test_an_exit_is_told_once_however_often_it_comes(lot: Lot) -> None:
    await lot.enter()
    answers = await asyncio.gather(*(lot.leave(20, request_id="exit-0000") for _ in range(10)))
    told_anew = await asyncio.gather(*(lot.leave(20) for _ in range(10)))
    assert {(answer.stay_id, answer.may_leave) for answer in (*answers, *told_anew)} == {(answers[0].stay_id, True)}
    assert len(await lot.ended()) == 1


async def test_what_exits_are_refused_for(lot: Lot) -> None:
    assert await refusal(lot.leave(10)) == "PLATE_NOT_INSIDE"
    await lot.enter(10)
    assert await refusal(lot.leave(9)) == "PLATE_NOT_INSIDE"  # before it came
    assert await refusal(lot.leave(20, plate_no="沪B99999")) == "PLATE_NOT_INSIDE"
    request = pb.RecordExitRequest(request_id="exit-other", car_park_id=CAR_PARK, plate_no=PLATE, exit_time=at(20))
    reason = await refusal(lot.apps.call(lot.parking.RecordExit, request, vendor(CAR_PARK, OTHER_GROUP)))
    assert reason == "CAR_PARK_UNKNOWN"


async def test_an_exit_that_was_refused_can_be_sent_again_once_the_entry_has_come(lot: Lot) -> None:
    assert await refusal(lot.leave(20, request_id="exit-early")) == "PLATE_NOT_INSIDE"
    await lot.enter()
    assert (await lot.leave(20, request_id="exit-early")).may_leave


# ---- benefits and tariffs


async def test_the_tier_of_the_day_of_entry_counts(lot: Lot) -> None:
    # 10:00 in Shanghai on 15 March: the tier from the 15th counts, the one from the 16th does not.
    await lot.change_tier("ann", 60, (2017, 3, 15))
    await lot.change_tier("ann", 600, (2017, 3, 16))
    await lot.enter()
    assert parts((await lot.quote(100)).fee) == (1600, 800, 0, 0, 800)
    await lot.leave(2000, paid=100_000)
    (event,) = await lot.ended()
    # 2000 minutes: 6000 and ten hours capped, 12000; an hour less is 1940 minutes, 6000 + 8 h capped at 6000
    assert parts(event.fee) == (12000, 0, 0, 12000, 0)


async def test_a_plate_bound_during_the_stay_brings_its_members_tier(lot: Lot) -> None:
    await lot.join("bob", free_minutes=120)
    await lot.enter(plate_no="沪B00001")
    assert await refusal(lot.quote(100, "bob", "沪B00001")) == "NOT_YOUR_VEHICLE"
    await lot.bind("bob", "沪B00001")
    assert parts((await lot.quote(100, "bob", "沪B00001")).fee) == (1600, 1600, 0, 0, 0)
    assert (await lot.leave(100, plate_no="沪B00001")).may_leave
    listed = await lot.call("ListStays", pb.ListStaysRequest(member_id=member_id("bob")))
    assert len(listed.stays) == 1


async def test_a_stay_keeps_the_tariff_of_its_entry(lot: Lot) -> None:
    await lot.set_tariff(50, hour_minor=1000)
    await lot.enter(49)
    assert (await lot.leave(49 + 31)).due.amount_minor == 800
    await lot.enter(50, plate_no="沪B00001")
    assert (await lot.leave(50 + 31, plate_no="沪B00001")).due.amount_minor == 1000


async def test_what_a_tariff_is_refused_for(lot: Lot) -> None:
    assert await refusal(lot.set_tariff(hour_minor=900)) == "TARIFF_INVALID"  # the time is taken
    assert await refusal(lot.set_tariff(5, day_cap_minor=799)) == "TARIFF_INVALID"
    assert await refusal(lot.set_tariff(5, hour_minor=-1)) == "INVALID_ARGUMENT"


async def test_a_car_park_in_another_zone_has_its_own_days(lot: Lot) -> None:
    from huitong.org.v1 import events_pb2 as org_events
    from huitong.org.v1 import org_pb2

    unit = org_pb2.BusinessUnit(
        business_unit_id=CAR_PARK,
        kind=org_pb2.UNIT_KIND_PARKING,
        time_zone="America/New_York",
        currency_code="CNY",
    )
    await lot.take("org", org_events.BusinessUnitSaved(business_unit=unit))
    await lot.change_tier("ann", 60, (2017, 3, 15))
    await lot.enter()  # still the 14th there
    assert parts((await lot.quote(100)).fee) == (1600, 0, 0, 0, 1600)


# ---- lists and sums


async def test_stays_are_listed_newest_first_and_only_to_their_member(lot: Lot) -> None:
    for number in range(3):
        await lot.enter(number * 100)
        await lot.leave(number * 100 + 31, paid=800)
    request = pb.ListStaysRequest(member_id=member_id(), page_size=2)
    first = await lot.call("ListStays", request)
    request.page_token = first.next_page_token
    second = await lot.call("ListStays", request)
    assert [stay.entry_time for stay in (*first.stays, *second.stays)] == [at(200), at(100), at(0)]
    assert not (await lot.call("ListStays", pb.ListStaysRequest(member_id=member_id("bob")))).stays
    assert not (await lot.call("ListStays", pb.ListStaysRequest(member_id=member_id()), OTHER_GROUP)).stays
    for car_park_id, count in ((CAR_PARK, 3), (MERCHANT.replace("mch_", "unt_"), 0)):
        there = pb.ListStaysRequest(member_id=member_id(), car_park_id=car_park_id)
        assert len((await lot.call("ListStays", there)).stays) == count
    request.page_token = "bm9uc2Vuc2U"
    assert await refusal(lot.call("ListStays", request)) == "INVALID_ARGUMENT"


async def test_totals_are_the_sums_of_stays(lot: Lot) -> None:
    await lot.enter()
    await lot.pay(100, points=True)
    await lot.leave(110)
    await lot.enter(200)
    (totals,) = (await lot.call("GetParkingTotals", pb.GetParkingTotalsRequest())).car_parks
    assert (totals.stay_count, totals.tariff_fee_minor, totals.points, totals.points_paid_minor) == (2, 1600, 500, 1500)
    assert (totals.money_paid_minor, totals.due_minor, totals.car_park_id) == (100, 0, CAR_PARK)
    for car_park_id, found in ((CAR_PARK, [totals]), (MERCHANT.replace("mch_", "unt_"), [])):
        request = pb.GetParkingTotalsRequest(car_park_id=car_park_id)
        assert list((await lot.call("GetParkingTotals", request)).car_parks) == found
    assert not (await lot.call("GetParkingTotals", pb.GetParkingTotalsRequest(), OTHER_GROUP)).car_parks


def test_entry_is_a_morning_in_shanghai() -> None:
    assert ENTRY.hour == 2
