"""The lanes themselves: batches, defects, lost connections, several processes on one lane, events."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from chassis import ids
from chassis.config import load_settings
from chassis.errors import AppError, DeadlineExceeded, Internal, Overloaded
from chassis.migrate import migrate
from services.points import events_source
from services.points import ledger as ledger_module
from services.points.events_source import LedgerOutbox
from services.points.ledger import Item, Kind, Lane, LaneCountChanged, Ledger, Outcome, Status, lane_of
from tests.integration.points.world import violations
from tests.support import Sandbox

GROUP = ids.derive("lane-tests")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LANES = 2
SHOPS = [ids.derive("shop", n) for n in range(4)]
_BANKS = itertools.count(1)


class Bank:
    """A migrated database with wallets, and items that move their points."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.wallets: list[UUID] = []
        self.number = next(_BANKS) * 1_000_000

    async def open_wallets(self, count: int, lane: int | None = None) -> list[UUID]:
        new: list[UUID] = []
        while len(new) < count:
            self.number += 1
            wallet_id = ids.derive("lane-wallet", self.url, self.number)
            if lane is None or lane_of(wallet_id, LANES) == lane:
                new.append(wallet_id)
        connection = await asyncpg.connect(self.url)
        await connection.execute(
            """INSERT INTO wallet SELECT w, $2, l, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, now()
               FROM unnest($1::uuid[], $3::integer[]) AS x (w, l)""",
            new,
            GROUP,
            [lane_of(wallet_id, LANES) for wallet_id in new],
        )
        await connection.close()
        self.wallets += new
        return new

    def earn(self, wallet_id: UUID, points: int = 10, *, shop: int = 0, **changes: Any) -> Item:
        self.number += 1
        values: dict[str, Any] = {
            "kind": Kind.EARN,
            "wallet_id": wallet_id,
            "group_id": GROUP,
            "txn_id": ids.derive("lane-sale", self.url, self.number),
            "request_hash": b"content",
            "points": points,
            "occur_time": NOW,
            "merchant_id": SHOPS[shop],
            "store_id": SHOPS[shop],
            "expire_time": NOW + timedelta(days=400),
            "amount_minor": points * 100,
            "detail": b"d",
            "explanation": b"e",
            "payload": b"",
        }
        return Item(**{**values, **changes})

    def move(self, kind: Kind, wallet_id: UUID, points: int = 0, **changes: Any) -> Item:
        self.number += 1
        values: dict[str, Any] = {
            "kind": kind,
            "wallet_id": wallet_id,
            "group_id": GROUP,
            "txn_id": ids.derive("lane-move", self.url, self.number),
            "request_hash": b"content",
            "points": points,
            "occur_time": NOW,
            "merchant_id": SHOPS[0],
            "payload": b"",
        }
        return Item(**{**values, **changes})

    async def wallet(self, wallet_id: UUID) -> Any:
        connection = await asyncpg.connect(self.url)
        try:
            return await connection.fetchrow("SELECT * FROM wallet WHERE wallet_id = $1", wallet_id)
        finally:
            await connection.close()


@pytest.fixture
async def bank(sandbox: Sandbox) -> AsyncIterator[Bank]:
    settings = load_settings(
        **{name.removeprefix("HUITONG_").lower(): value for name, value in sandbox.environment.items()}
    )
    await migrate("points", settings)
    bank = Bank(sandbox.database_url("points"))
    yield bank
    found = await violations(bank.url)
    # There are no receipts and no requests here: the lanes are fed without claims and decisions.
    assert {name: count for name, count in found.items() if "receipt" not in name and "adjustment" not in name} == {}


@pytest.fixture
async def ledger(bank: Bank) -> AsyncIterator[Ledger]:
    opened = Ledger(bank.url, LANES)
    await opened.open()
    yield opened
    await opened.close()


def applied(answers: list[Outcome | AppError]) -> list[Outcome]:
    assert all(isinstance(answer, Outcome) and answer.status is Status.APPLIED for answer in answers), answers
    return answers  # type: ignore[return-value]


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
    (stranger,) = await bank.open_wallets(1, lane=1 - lane)
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
    connection = await asyncpg.connect(bank.url)
    for table in ("txn", "posting", "lot", "ledger_outbox", "hold", "debt"):
        count = await connection.fetchval(f"SELECT count(*) FROM {table} WHERE wallet_id = ANY($1)", [nobody, stranger])
        assert count == 0, table
    await connection.close()


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
    others = [Ledger(bank.url, LANES) for _ in range(2)]
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
    lane = Lane(0, bank.url)
    (wallet,) = await bank.open_wallets(1, lane=0)
    call = ledger_module._Call(2_003)
    bulk = [bank.earn(wallet, shop=0) for _ in range(2_000)]
    tills = [bank.earn(wallet, shop=shop) for shop in (1, 2, 3)]
    for position, item in enumerate([*bulk, *tills]):
        lane.put([ledger_module._Waiting(item, call, position, asyncio.get_running_loop().time() + 60)], 1)
    batch = [one.item for one in lane._take()]
    assert len(batch) == ledger_module.BATCH_ITEMS
    assert {item.txn_id for item in tills} <= {item.txn_id for item in batch}


async def test_lane_count_is_fixed_once_wallets_exist(bank: Bank, ledger: Ledger) -> None:
    await bank.open_wallets(1)
    with pytest.raises(LaneCountChanged):
        await Ledger(bank.url, LANES + 1).open()


async def test_outbox_is_read_without_gaps_however_it_is_cut(
    bank: Bank, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_source, "READ_SECONDS", 0)
    wallets = await bank.open_wallets(6, lane=0)
    for _ in range(4):
        await ledger.apply([bank.earn(wallet, points) for points, wallet in enumerate(wallets)])
    connection = await asyncpg.connect(bank.url)
    source = LedgerOutbox(LANES)
    everything = await source.read(connection, 0, "", 100_000)
    assert [int(each.position) for each in everything] == list(range(1, len(everything) + 1))
    assert await source.count_after(connection, 0, everything[-1].position) == 0
    for limit in (1, 2, 3, 7):
        pieces, after = [], ""
        while piece := await source.read(connection, 0, after, limit):
            assert len(piece) <= limit
            pieces += piece
            after = piece[-1].position
        assert pieces == everything
    middle = await source.read(connection, 0, "3", 100, "6")
    assert [each.position for each in middle] == ["4", "5", "6"]
    assert len({each.event.event_id for each in everything}) == len(everything)
    await connection.close()
