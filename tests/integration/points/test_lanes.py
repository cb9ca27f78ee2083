"""The lanes themselves: batches, defects, lost connections, several processes on one lane."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from chassis import ids
from chassis.errors import AppError, DeadlineExceeded, Internal, Overloaded
from services.points.ledger import ledger as ledger_module
from services.points.ledger.ledger import Kind, Lane, LaneCountChanged, Ledger, Outcome, Status
from tests.integration.points.bank import HOT_TABLES, Bank, applied, open_bank
from tests.support import Sandbox


async def test_running_balances_inside_a_batch_leave_replays_out(bank: Bank, ledger: Ledger) -> None:
    one, two = await bank.open_wallets(2)
    old = bank.earn(one, 7)
    applied(await ledger.apply([old]))
    other_content = bank.earn(one, 3, txn_id=old.txn_id, request_hash=b"other")
    batch = [bank.earn(one, 1), old, bank.earn(two, 5), bank.earn(one, 2), bank.earn(one, 0), bank.earn(one, 4)]
    answers = await ledger.apply(batch)
    assert [(a.status, a.points, a.available_points) for a in answers if isinstance(a, Outcome)] == [
        (Status.APPLIED, 1, 8),
        (Status.REPLAY, 7, 7),
        (Status.APPLIED, 5, 5),
        (Status.APPLIED, 2, 10),
        (Status.APPLIED, 0, 10),
        (Status.APPLIED, 4, 14),
    ]
    assert (await ledger.apply_one(other_content)).status is Status.CONFLICT
    assert (await bank.wallet(one))["available_points"] == 14


async def test_twins_in_one_call_have_one_effect(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    item = bank.earn(wallet)
    answers = await ledger.apply([item] * 40 + [bank.earn(wallet)])
    statuses = [answer.status for answer in answers if isinstance(answer, Outcome)]
    assert statuses.count(Status.APPLIED) == 2
    assert statuses.count(Status.REPLAY) == 39
    assert (await bank.wallet(wallet))["available_points"] == 20


async def test_unknown_wallet_leaves_no_trace(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    nobody = ids.derive("nobody")
    lane = ledger.lane_of(nobody)
    (stranger,) = await bank.open_wallets(1, lane=(lane + 1) % bank.lane_count)
    items = [
        bank.earn(nobody),
        bank.earn(wallet),
        *(bank.move(kind, nobody, 1, ref_id=nobody) for kind in Kind if kind > 1),
    ]
    answers = await ledger.apply(items)
    assert [answer.status for answer in answers if isinstance(answer, Outcome)] == [
        Status.UNKNOWN_WALLET,
        Status.APPLIED,
        *[Status.UNKNOWN_WALLET] * (len(Kind) - 1),
    ]
    # A wallet of another lane is unknown to this one: two lanes never touch the same wallet.
    call = ledger_module._Call(1)
    ledger.lanes[lane].put(
        [ledger_module._Waiting(bank.earn(stranger), call, 0, asyncio.get_running_loop().time() + 5)], 1
    )
    await call.future
    assert isinstance(call.answers[0], Outcome)
    assert call.answers[0].status is Status.UNKNOWN_WALLET
    for table in set(HOT_TABLES) - {"wallet"}:
        rows = await bank.fetch(f"SELECT FROM {table}{{s}} WHERE wallet_id = ANY($1)", [nobody, stranger])
        assert rows == [], table


async def test_items_of_one_wallet_are_applied_in_their_order(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    sale = bank.earn(wallet, 10)
    answers = await ledger.apply(
        [
            bank.move(Kind.REDEEM, wallet, 1),
            sale,
            bank.move(Kind.REDEEM, wallet, 4),
            bank.move(Kind.REDEEM, wallet, 7),
            bank.move(
                Kind.CLAW_BACK,
                wallet,
                10,
                ref_id=sale.txn_id,
                expire_time=sale.expire_time,
                detail=b"d",
                explanation=b"l",
                payload=b"",
            ),
            bank.earn(wallet, 3),
            bank.earn(wallet, 3),
        ]
    )
    assert [(a.status, a.debt_points, a.available_points) for a in answers if isinstance(a, Outcome)] == [
        (Status.INSUFFICIENT, 0, 0),
        (Status.APPLIED, 0, 10),
        (Status.APPLIED, 0, 6),
        (Status.INSUFFICIENT, 0, 6),
        (Status.APPLIED, 4, 0),
        (Status.APPLIED, 3, 0),
        (Status.APPLIED, 1, 2),
    ]


async def test_bad_item_is_split_off_and_its_neighbours_are_applied(bank: Bank, ledger: Ledger) -> None:
    wallets = await bank.open_wallets(20, lane=0)
    items = [bank.earn(wallet) for wallet in wallets]
    items[13].merchant_id = None  # a slot needs a merchant: the whole call raises
    answers = await ledger.apply(items)
    assert isinstance(answers[13], Internal)
    applied(answers[:13] + answers[14:])


async def test_lost_connection_in_mid_batch_is_retried_with_one_effect(bank: Bank, ledger: Ledger) -> None:
    wallets = await bank.open_wallets(50)
    killer = await asyncpg.connect(bank.url)
    stopping = asyncio.Event()
    kills = 0

    async def kill() -> None:
        nonlocal kills
        while not stopping.is_set() and kills < 12:
            kills += await killer.fetchval(
                """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
                   WHERE application_name LIKE 'huitong-points-lane-%' AND datname = current_database()
                     AND state = 'active'"""
            )
            await asyncio.sleep(0.02)

    items = [bank.earn(wallet, 1) for _ in range(60) for wallet in wallets]
    killing = asyncio.create_task(kill())
    answers: list[Outcome | AppError] = []
    for start in range(0, len(items), 500):
        answers += await ledger.apply(items[start : start + 500], timeout_s=60)
    stopping.set()
    await killing
    await killer.close()
    assert kills > 0
    assert {a.status for a in answers if isinstance(a, Outcome)} <= {Status.APPLIED, Status.REPLAY}
    assert all(isinstance(answer, Outcome) for answer in answers)
    for wallet in wallets:
        assert (await bank.wallet(wallet))["available_points"] == 60


async def test_commit_that_was_not_heard_of_is_answered_as_replay(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    item = bank.earn(wallet)
    lane = ledger.lanes[ledger.lane_of(wallet)]
    call, lost = lane._call, [True]

    async def deaf(items: Any) -> Any:
        rows = await call(items)
        if lost.pop():
            lost.append(False)
            raise ConnectionResetError
        return rows

    lane._call = deaf  # type: ignore[method-assign]
    outcome = await ledger.apply_one(item)
    assert (outcome.status, outcome.available_points) == (Status.REPLAY, 10)


async def test_several_processes_may_run_the_same_lane(bank: Bank, ledger: Ledger) -> None:
    others = [bank.ledger() for _ in range(2)]
    for other in others:
        await other.open()
    wallets = await bank.open_wallets(10)
    items = [bank.earn(wallet, 2) for _ in range(30) for wallet in wallets]
    spends = [bank.move(Kind.REDEEM, wallet, 3) for wallet in wallets for _ in range(30)]
    answers = await asyncio.gather(
        *(each.apply(items) for each in [ledger, *others]), *(each.apply(spends) for each in [ledger, *others])
    )
    for item_number in range(len(items)):
        statuses = [run[item_number].status for run in answers[:3]]  # type: ignore[union-attr]
        assert sorted(statuses) == [Status.APPLIED, Status.REPLAY, Status.REPLAY]
    for wallet in wallets:
        spent = sum(
            run[number].status is Status.APPLIED  # type: ignore[union-attr]
            for number, item in enumerate(spends)
            if item.wallet_id == wallet
            for run in answers[3:]
        )
        assert (await bank.wallet(wallet))["available_points"] == 60 - 3 * spent
    for other in others:
        await other.close()


async def test_cancelled_caller_does_not_take_the_batch_along(bank: Bank, ledger: Ledger) -> None:
    (wallet,) = await bank.open_wallets(1)
    callers = [asyncio.create_task(ledger.apply([bank.earn(wallet)])) for _ in range(30)]
    await asyncio.sleep(0)
    for caller in callers[::2]:
        caller.cancel()
    done = await asyncio.gather(*callers, return_exceptions=True)
    assert sum(isinstance(each, asyncio.CancelledError) for each in done) == 15
    for each in done[1::2]:
        applied(each)  # type: ignore[arg-type]
    async with asyncio.timeout(5):
        while (await bank.wallet(wallet))["available_points"] != 300:
            await asyncio.sleep(0.01)


async def test_items_past_their_deadline_are_dropped_and_a_full_queue_refuses(
    bank: Bank, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wallet,) = await bank.open_wallets(1)
    answers = await ledger.apply([bank.earn(wallet)], timeout_s=-1)
    assert isinstance(answers[0], DeadlineExceeded)
    monkeypatch.setattr(ledger_module, "WAITING_ITEMS", 10)
    answers = await ledger.apply([bank.earn(wallet) for _ in range(11)])
    assert all(isinstance(answer, Overloaded) for answer in answers)
    applied(await ledger.apply([bank.earn(wallet)]))
    assert (await bank.wallet(wallet))["available_points"] == 10


async def test_bulk_upload_does_not_starve_the_tills(bank: Bank) -> None:
    lane = Lane(0, bank.url, suffix=bank.suffix)
    (wallet,) = await bank.open_wallets(1, lane=0)
    call = ledger_module._Call(2_003)
    bulk = [bank.earn(wallet, shop=0) for _ in range(2_000)]
    tills = [bank.earn(wallet, shop=shop) for shop in (1, 2, 3)]
    for position, item in enumerate([*bulk, *tills]):
        lane.put([ledger_module._Waiting(item, call, position, asyncio.get_running_loop().time() + 60)], 1)
    batch = [one.item for one in lane._take()]
    assert len(batch) == ledger_module.BATCH_ITEMS
    assert {item.txn_id for item in tills} <= {item.txn_id for item in batch}


async def test_a_lane_full_of_uploads_has_room_for_a_till(
    bank: Bank, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_module, "WAITING_ITEMS", 4_000)
    wallets = await bank.open_wallets(100, lane=0)
    uploads = [
        asyncio.create_task(ledger.apply([bank.earn(wallets[n % 100]) for n in range(1_000)], timeout_s=60))
        for _ in range(3)
    ]
    await asyncio.sleep(0)
    assert ledger.lanes[0].waiting_count == 3_000
    refused = await ledger.apply([bank.earn(wallets[0]) for _ in range(1_000)])
    assert all(isinstance(answer, Overloaded) for answer in refused)
    applied(await ledger.apply([bank.earn(wallets[0], shop=1)]))
    for answers in await asyncio.gather(*uploads):
        applied(answers)


async def test_twins_go_back_into_a_lane_that_has_no_room_for_more(
    bank: Bank, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    (wallet,) = await bank.open_wallets(1)
    monkeypatch.setattr(ledger_module, "WAITING_ITEMS", 200)
    monkeypatch.setattr(ledger_module, "BATCH_ITEMS", 10)
    async with asyncio.timeout(20):
        twins, others = await asyncio.gather(
            ledger.apply([bank.earn(wallet)] * 100), ledger.apply([bank.earn(wallet) for _ in range(50)])
        )
    applied(others)
    statuses = [answer.status for answer in twins if isinstance(answer, Outcome)]
    assert (statuses.count(Status.APPLIED), statuses.count(Status.REPLAY)) == (1, 99)


async def test_lane_count_is_fixed_once_wallets_exist(bank: Bank, ledger: Ledger) -> None:
    await bank.open_wallets(1)
    with pytest.raises(LaneCountChanged):
        await Ledger(bank.url, bank.lane_count + 1, suffix=bank.suffix).open()


async def test_lanes_that_nobody_used_are_not_counted_once_there_are_wallets(sandbox: Sandbox) -> None:
    # Started once with four lanes, then, before anybody joined, for good with two.
    bank = await open_bank(sandbox, suffix="_nobody_yet")
    for lane_count in (4, 2):
        ledger = Ledger(bank.url, lane_count, suffix=bank.suffix)
        await ledger.open()
        await ledger.close()
    (wallet,) = await bank.open_wallets(1)
    again = bank.ledger()
    await again.open()
    applied(await again.apply([bank.earn(wallet)]))
    await again.close()
    assert await bank.violations() == {}
