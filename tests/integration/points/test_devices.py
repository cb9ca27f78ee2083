"""Tills that sell without a line and send later: their own count, what is missing, what is too late, old rules."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis import ids, rpc
from chassis.errors import AppError, Unavailable
from huitong.points.v1 import devices_pb2, doors_pb2, points_pb2
from services.points import store
from services.points.convert import to_date
from services.points.doors.operations import Doors
from services.points.earning import rules
from services.points.ledger.ledger import Item, Ledger
from tests.apps import terminal
from tests.integration.points.cases import Office, dying
from tests.integration.points.test_one_purchase import paid, record, upload
from tests.integration.points.test_sales import refused
from tests.integration.points.world import World, set_time

TILL = "till-7"


def numbered(world: World, seq: int, amount: int = 1_000, *, device: str = TILL, **options: Any) -> Any:
    """A sale under a device's number."""
    options.setdefault("receipt_no", f"{device}-{seq}")
    options.setdefault("request_id", f"request-{device}-{seq}-{options['receipt_no']}")
    return world.sale(amount, origin=doors_pb2.SaleOrigin(device_id=device, device_seq=seq), **options)


async def test_device_is_told_what_is_recorded_and_what_is_missing(world: World) -> None:
    office = Office(world)
    nothing = await office.progress(0, TILL)
    assert (nothing.contiguous_seq, nothing.highest_seq, list(nothing.missing_seqs)) == (0, 0, [])
    assert list((await office.progress(0, TILL, newest_seq=3)).missing_seqs) == [1, 2, 3]
    await upload(world, [numbered(world, seq) for seq in (7, 2, 1, 4)])
    found = await office.progress(0, TILL, newest_seq=9)
    assert (found.contiguous_seq, found.highest_seq, list(found.missing_seqs)) == (2, 7, [3, 5, 6, 8, 9])
    # A batch that overlaps the last one closes the gaps.
    results = await upload(world, [numbered(world, seq) for seq in range(1, 10)])
    assert [result.recorded.is_replay for result in results] == [
        True,
        True,
        False,
        True,
        False,
        False,
        True,
        False,
        False,
    ]
    found = await office.progress(0, TILL, newest_seq=9)
    assert (found.contiguous_seq, found.highest_seq, list(found.missing_seqs)) == (9, 9, [])
    # Another store's till of the same name is another device.
    assert (await office.progress(1, TILL)).highest_seq == 0


async def test_long_gaps_are_told_in_parts(world: World) -> None:
    await record(world, numbered(world, 5_000))
    found = await Office(world).progress(0, TILL)
    assert (len(found.missing_seqs), found.missing_seqs[0], found.has_more) == (1_000, 1, True)
    # However far ahead a device says it is.
    assert len((await Office(world).progress(0, TILL, newest_seq=10**12)).missing_seqs) == 1_000
    found = await Office(world).progress(0, TILL, newest_seq=5_003, after_seq=4_990)
    assert (list(found.missing_seqs), found.has_more) == ([*range(4_991, 5_000), 5_001, 5_002, 5_003], False)


async def test_gap_with_many_recorded_numbers_behind_it_is_told_in_parts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.points.doors.queries.MOST_LOOKED_AT", 3)
    await upload(world, [numbered(world, seq) for seq in (2, 3, 4, 6, 7)])
    found = await Office(world).progress(0, TILL)
    assert (list(found.missing_seqs), found.has_more) == ([1], True)
    found = await Office(world).progress(0, TILL, newest_seq=8, after_seq=found.looked_at_seq)
    assert (list(found.missing_seqs), found.has_more) == ([5, 8], False)


async def test_number_of_one_receipt_is_refused_for_another(world: World) -> None:
    first = numbered(world, 1)
    await record(world, first)
    other = numbered(world, 1, receipt_no="another")
    error = await refused(record(world, other), "DEVICE_SEQ_REUSED")
    assert (error.values["device_id"], error.values["device_seq"]) == (TILL, "1")
    results = await upload(world, [numbered(world, 1, receipt_no="third"), numbered(world, 2)])
    assert results[0].problem.reason == "DEVICE_SEQ_REUSED"
    assert results[1].recorded.points == 10
    # Under its own number it is accepted: nothing of the refused one is left behind.
    right = numbered(world, 3, receipt_no="another", request_id=other.request_id)
    assert (await record(world, right)).points == 10
    assert (await world.balance()).available_points == 30


async def test_same_receipt_under_another_number_is_the_same_sale(world: World) -> None:
    await record(world, numbered(world, 1))
    again = await record(world, numbered(world, 2, receipt_no=f"{TILL}-1", request_id="renumbered"))
    assert again.is_replay
    # It may also have come without a number first.
    await record(world, world.sale(1_000, receipt_no="plain", request_id="request-plain"))
    assert (await record(world, numbered(world, 3, receipt_no="plain", request_id="request-plain"))).is_replay
    assert (await Office(world).progress(0, TILL)).contiguous_seq == 3
    assert (await world.balance()).available_points == 20


async def test_refused_sale_stays_missing_until_it_is_right(world: World) -> None:
    wrong = numbered(world, 1)
    wrong.total.amount_minor = 999
    results = await upload(world, [wrong, numbered(world, 2)])
    assert (results[0].problem.reason, results[1].recorded.points) == ("LINES_DO_NOT_SUM", 10)
    assert list((await Office(world).progress(0, TILL)).missing_seqs) == [1]
    await record(world, numbered(world, 1))
    assert (await Office(world).progress(0, TILL)).contiguous_seq == 2


async def test_duplicate_of_another_door_is_not_missing(world: World) -> None:
    await record(world, paid(world, 1_000, "payment-notice", "seen"))
    sale = numbered(world, 1)
    sale.origin.payment_provider, sale.origin.payment_id = "wechat-pay", "seen"
    assert (await record(world, sale)).outcome == doors_pb2.SALE_OUTCOME_DUPLICATE
    assert (await Office(world).progress(0, TILL)).contiguous_seq == 1


async def test_batches_out_of_order_overlapping_and_at_once_count_once(world: World) -> None:
    chance = random.Random(14)
    batches = []
    for start in range(1, 181, 20):
        batches.append([*range(start, start + 30)])  # overlaps the next one by ten
    batches += batches[:4]
    for batch in batches:
        chance.shuffle(batch)
    chance.shuffle(batches)
    await asyncio.gather(*(upload(world, [numbered(world, seq, member=seq % 3) for seq in batch]) for batch in batches))
    found = await Office(world).progress(0, TILL, newest_seq=190)
    assert (found.contiguous_seq, found.highest_seq, list(found.missing_seqs)) == (190, 190, [])
    assert (await world.totals()).total.sale_count == 190


@pytest.mark.parametrize("step", ["ledger", "mark"])
async def test_a_number_counts_only_once_its_sale_is_recorded(
    world: World, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = numbered(world, 1)
    target, name = (Ledger, "apply") if step == "ledger" else (Doors, "record_devices")
    with dying(monkeypatch, target, name):
        await refused(record(world, sale), "INTERNAL")
    # Claimed, maybe even recorded, but not known to be: the device sends it again.
    assert list((await Office(world).progress(0, TILL, newest_seq=1)).missing_seqs) == [1]
    assert (await record(world, sale)).is_replay == (step == "mark")
    assert (await Office(world).progress(0, TILL, newest_seq=1)).contiguous_seq == 1
    assert (await world.balance()).available_points == 10


async def test_a_sale_of_unknown_outcome_is_missing_and_so_is_what_was_only_claimed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(_: Ledger, items: Sequence[Item], **__: Any) -> list[AppError]:
        return [Unavailable() for _ in items]

    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "apply", lose)
        await refused(record(world, numbered(world, 1)), "UNAVAILABLE")
    await record(world, numbered(world, 2))
    found = await Office(world).progress(0, TILL)
    assert (found.contiguous_seq, found.highest_seq, list(found.missing_seqs)) == (0, 2, [1])
    await record(world, numbered(world, 1))
    assert (await Office(world).progress(0, TILL)).contiguous_seq == 2


async def test_device_sees_its_own_store_alone(world: World) -> None:
    office = Office(world)
    own, other = (ids.to_edge("sto", world.stores[number]) for number in (0, 1))
    request = office.world.sale(100, shop=1)
    assert request.store_id == other
    ask = devices_pb2.GetDeviceProgressRequest(store_id=other, device_id=TILL)
    await refused(world.apps.call(office.devices.GetDeviceProgress, ask, terminal(own, world.group_id)), "NOT_YOURS")
    await world.apps.call(office.devices.GetDeviceProgress, ask, terminal(other, world.group_id))


# ---- late


async def test_late_batch_is_computed_by_the_rules_and_the_tier_of_its_time(world: World) -> None:
    """A till was without a line from April to June: rules, month and tier have changed meanwhile."""
    zone = rules.zone("Asia/Shanghai")
    now = datetime(2020, 6, 10, 4, tzinfo=UTC)
    await set_time(world.app, now)
    await world.publish(world.rule_set(effective_date=to_date(date(2020, 1, 1)), base_points=2))
    await world.publish(world.rule_set(effective_date=to_date(date(2020, 5, 1)), base_points=3, expiry_months=24))
    async with world.app.db.transaction(rpc.internal_caller("points", world.group_id)) as tx:
        gold = store.HeldTier(world.members[0], world.group_id, date(2020, 5, 20), "GOLD", 20_000)
        await store.save_tiers(tx, [gold], overwrite=True)
    cases = [
        (datetime(2019, 12, 31, 23, 59, tzinfo=zone), 1, 100, (2021, 1, 1)),  # the rules before
        (datetime(2020, 1, 1, 0, 0, tzinfo=zone), 2, 200, (2021, 2, 1)),
        (datetime(2020, 4, 30, 23, 59, tzinfo=zone), 2, 200, (2021, 5, 1)),  # the last minute of April
        (datetime(2020, 5, 1, 0, 0, tzinfo=zone), 3, 300, (2022, 6, 1)),  # the first of May, by its rules
        (datetime(2020, 5, 19, 23, 59, tzinfo=zone), 3, 300, (2022, 6, 1)),  # the last evening before gold
        (datetime(2020, 5, 20, 0, 0, tzinfo=zone), 3, 600, (2022, 6, 1)),
    ]
    order = list(range(len(cases)))
    random.Random(3).shuffle(order)
    sales = [numbered(world, seq + 1, 10_000, sale_time=cases[seq][0]) for seq in order]
    for seq, result in zip(order, await upload(world, sales), strict=True):
        time, version, points, expiry = cases[seq]
        recorded = result.recorded
        assert (recorded.points, recorded.explanation.rule_set_version) == (points, version), time
        assert recorded.expire_time.ToDatetime(tzinfo=UTC) == datetime(*expiry, tzinfo=zone), time
    assert (await Office(world).progress(0, TILL)).contiguous_seq == len(cases)


async def test_how_late_is_accepted_is_what_the_rules_of_the_day_say(world: World) -> None:
    now = datetime(2020, 6, 10, 4, tzinfo=UTC)
    await set_time(world.app, now)
    old = numbered(world, 1, sale_time=now - timedelta(days=31))
    await record(world, old)
    await world.publish(world.rule_set(effective_date=to_date(date(2020, 6, 1)), latest_arrival_days=30))
    late = numbered(world, 2, sale_time=now - timedelta(days=31))
    error = await refused(record(world, late), "SALE_TOO_LATE")
    assert error.values["latest_arrival_days"] == "30"
    results = await upload(
        world,
        [
            late,
            numbered(world, 3, sale_time=now - timedelta(days=29)),
            numbered(world, 4, sale_time=now - timedelta(hours=30)),
            old,  # recorded in time: its answer may be asked for at any time
        ],
    )
    assert [result.problem.reason for result in results] == ["SALE_TOO_LATE", "", "", ""]
    assert [result.recorded.is_replay for result in results] == [False, False, False, True]
    assert list((await Office(world).progress(0, TILL)).missing_seqs) == [2]
    # The receipt was not claimed: under rules that accept it, it is recorded.
    await world.publish(world.rule_set(effective_date=to_date(date(2020, 6, 2)), latest_arrival_days=60))
    assert (await record(world, late)).points == 10


async def test_sale_of_a_month_ago_earns_points_that_live_from_then(world: World) -> None:
    now = datetime(2020, 6, 10, 4, tzinfo=UTC)
    await set_time(world.app, now)
    answer = await record(world, numbered(world, 1, 10_000, sale_time=now - timedelta(days=500)))
    # Expired on arrival: recorded all the same, and the next day close says so.
    assert answer.points == 100
    assert isinstance(answer, points_pb2.RecordSaleResponse)
    assert (await world.balance()).available_points == 0
