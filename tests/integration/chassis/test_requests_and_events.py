"""Ask twice, do once; the message is the event: on real servers, between two services."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from sqlalchemy import text

from chassis import ids, rpc
from chassis.control import ClockGoesBack
from chassis.db import Tx
from chassis.errors import AppError, NotYours, PermissionDenied, RemoteError, RequestIdReused, Unauthenticated
from chassis.events import Fact, consumer
from chassis.identity import Caller, CallerKind
from chassis.run import App
from huitong.common.v1 import control_pb2, control_pb2_grpc
from huitong.org.v1 import events_pb2, org_pb2, org_pb2_grpc
from tests.apps import GROUP, Apps, internal, system, terminal

pytestmark = pytest.mark.timeout(60)


class Stores(org_pb2_grpc.StructureServiceServicer):
    """A producer of one kind of event."""

    def __init__(self, app: App) -> None:
        self._db = app.db
        self.runs = 0

    async def CreateStore(self, request: Any, context: Any) -> org_pb2.CreateStoreResponse:
        async def create(tx: Tx) -> org_pb2.CreateStoreResponse:
            self.runs += 1
            store = org_pb2.Store(store_id=ids.to_edge("sto", ids.new()), code=request.code)
            tx.emit(events_pb2.StoreSaved(store=store), key=request.code)
            if request.name == "fails":
                raise ValueError("secret detail")
            return org_pb2.CreateStoreResponse(store=store)

        return await self._db.run_once(request, org_pb2.CreateStoreResponse, create)

    async def GetStore(self, request: Any, context: Any) -> org_pb2.GetStoreResponse:
        return org_pb2.GetStoreResponse(store=org_pb2.Store(store_id=request.store_id))


class Pair:
    """`org` produces StoreSaved, `member` writes the codes into a table."""

    def __init__(self, apps: Apps) -> None:
        self.apps = apps
        self.poison: set[str] = set()

    async def start(self) -> Pair:
        for name in ("org", "member"):
            await self.apps.migrate(name)
        await self.start_org()
        await self.start_member()
        self.stub = self.apps.stub(org_pb2_grpc.StructureServiceStub, "org")
        return self

    async def start_org(self) -> None:
        self.org = App("org", self.apps.settings)
        self.stores = Stores(self.org)  # type: ignore[abstract]  # the RPCs that the tests need
        self.org.serve(org_pb2_grpc.add_StructureServiceServicer_to_server, self.stores)
        await self.apps.start_app(self.org)

    async def start_member(self, needed: Callable[[], Awaitable[bool]] | None = None) -> None:
        self.member = App("member", self.apps.settings)
        self.consumer = self.member.consume("org", {events_pb2.StoreSaved: self.take}, needed=needed)
        await self.apps.as_owner(
            "member",
            """CREATE TABLE IF NOT EXISTS seen (position bigserial, code text);
               GRANT ALL ON seen, seen_position_seq TO PUBLIC""",
        )
        await self.apps.start_app(self.member)

    async def take(self, tx: Tx, facts: Sequence[Fact[events_pb2.StoreSaved]]) -> None:
        for fact in facts:
            code = fact.payload.store.code
            await tx.execute(text("INSERT INTO seen (code) VALUES (:code)"), {"code": code})
            if code in self.poison:
                raise ValueError(f"cannot take {code}")

    async def create(self, code: str, request_id: str = "", name: str = "n") -> org_pb2.CreateStoreResponse:
        request = org_pb2.CreateStoreRequest(
            request_id=request_id or f"create-{code}", code=code, name=name, merchant_id="mch_1"
        )
        return await self.apps.call(self.stub.CreateStore, request, system())

    async def seen(self) -> list[str]:
        rows = await self.member.db.pool.fetch("SELECT code FROM seen ORDER BY position")
        return [row["code"] for row in rows]


@pytest.fixture
async def pair(apps: Apps) -> Pair:
    pair = await Pair(apps).start()
    await apps.drain()
    await pair.member.db.pool.execute("DELETE FROM seen")
    return pair


async def test_fifty_identical_calls_make_one_effect_one_event_and_one_answer(pair: Pair) -> None:
    answers = await asyncio.gather(*(pair.create("fifty") for _ in range(50)))
    await pair.apps.drain()
    assert len({answer.store.store_id for answer in answers}) == 1
    assert pair.stores.runs == 1
    assert await pair.seen() == ["fifty"]


async def test_the_same_request_id_with_other_content_is_refused(pair: Pair) -> None:
    await pair.create("first", request_id="request-1")
    with pytest.raises(RemoteError) as refused:
        await pair.create("second", request_id="request-1")
    assert refused.value.reason == RequestIdReused.reason


async def test_a_failure_leaves_no_trace_and_its_stack_stays_inside(pair: Pair) -> None:
    with pytest.raises(AppError) as failed:
        await pair.create("broken", name="fails")
    assert failed.value.reason == "INTERNAL"
    assert "secret detail" not in str(failed.value)
    counts = await pair.org.db.pool.fetchrow(
        "SELECT (SELECT count(*) FROM request_log WHERE request_id = 'create-broken') AS requests,"
        " (SELECT count(*) FROM outbox WHERE key = 'broken') AS events"
    )
    assert tuple(counts) == (0, 0)


async def test_a_writer_that_commits_late_is_never_skipped(pair: Pair) -> None:
    who = internal("org")
    early = pair.org.db.transaction(who)
    tx = await early.__aenter__()
    tx.emit(events_pb2.StoreSaved(store=org_pb2.Store(code="early")), key="early")
    await tx._write_events()  # numbered before the others, committed after them
    tx._events.clear()
    for number in range(5):
        await pair.create(f"late-{number}")
    await early.__aexit__(None, None, None)
    await pair.apps.drain()
    assert sorted(await pair.seen()) == ["early", *(f"late-{number}" for number in range(5))]


async def test_what_a_writer_waited_for_is_told_before_its_own(pair: Pair) -> None:
    pool, who = pair.org.db.pool, internal("org")
    await pair.apps.as_owner(
        "org", "CREATE TABLE IF NOT EXISTS thing (id integer PRIMARY KEY); GRANT ALL ON thing TO PUBLIC"
    )
    await pool.execute("INSERT INTO thing VALUES (1) ON CONFLICT DO NOTHING")

    async def tell(code: str, began: asyncio.Event, go_on: asyncio.Event) -> None:
        async with pair.org.db.transaction(who) as tx:
            await tx.execute(text("SELECT pg_current_xact_id()"))  # as a claim of the request does
            began.set()
            await go_on.wait()
            await tx.execute(text("SELECT FROM thing FOR UPDATE"))
            tx.emit(events_pb2.StoreSaved(store=org_pb2.Store(code=code)), key="thing")

    signals = {name: (asyncio.Event(), asyncio.Event()) for name in ("first", "second", "third")}
    tasks = {}
    for name, (began, go_on) in signals.items():
        tasks[name] = asyncio.create_task(tell(name, began, go_on))
        await began.wait()
    for name in ("second", "third", "first"):  # not as they began
        signals[name][1].set()
        await tasks[name]
    await pair.apps.drain()
    assert await pair.seen() == ["second", "third", "first"]


async def test_a_consumer_fills_a_gap_and_skips_duplicates(pair: Pair) -> None:
    await pair.apps.stop("member")
    for number in range(3):
        await pair.create(f"gap-{number}")
        await pair.apps.drain()
    await pair.start_member()
    consumer = pair.member.consumers[0]
    await pair.apps.drain()
    async with pair.org.db.pool.acquire() as connection:
        packs = await pair.org.relay.load_packs(connection, 0, 1, 1000)
    await consumer.take([*packs[1:], *packs])
    assert await pair.seen() == ["gap-0", "gap-1", "gap-2"]


async def test_a_lost_stream_is_rebuilt_from_the_outbox(pair: Pair) -> None:
    await pair.apps.stop("member")
    await pair.create("before-loss")
    await pair.apps.drain()
    async with pair.apps.sandbox.jetstream() as jetstream:
        await jetstream.delete_stream(pair.apps.settings.stream)
    await pair.start_member()
    await pair.create("after-loss")
    await pair.apps.drain(30)
    assert await pair.seen() == ["before-loss", "after-loss"]


async def test_an_event_that_keeps_failing_is_parked_and_can_be_retried(pair: Pair) -> None:
    pair.poison.add("poison")
    for code in ("well", "poison", "fine"):
        await pair.create(code)
    await pair.apps.drain()
    assert await pair.seen() == ["well", "fine"]
    control = pair.apps.stub(control_pb2_grpc.ControlServiceStub, "member")
    listed = await pair.apps.call(control.ListParkedEvents, control_pb2.ListParkedEventsRequest(), internal("suite"))
    assert [(event.type, "poison" in event.reason) for event in listed.events] == [("huitong.org.v1.StoreSaved", True)]
    pair.poison.clear()
    retry = control_pb2.RetryParkedEventsRequest(event_ids=[listed.events[0].event_id])
    answer = await pair.apps.call(control.RetryParkedEvents, retry, internal("suite"))
    assert (answer.applied_count, answer.still_parked_count) == (1, 0)
    assert await pair.seen() == ["well", "fine", "poison"]


@pytest.mark.parametrize("told", [True, False], ids=["told", "asking"])
async def test_events_that_nobody_needs_pass_until_somebody_does(
    pair: Pair, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who is told looks once by itself, and not again.
    monkeypatch.setattr(consumer, "IDLE_CHECK_SECONDS", 60 if told else 0.05)
    needed = False

    async def is_needed() -> bool:
        return needed

    await pair.apps.stop("member")
    async with pair.apps.sandbox.jetstream() as jetstream:
        await jetstream.delete_consumer(pair.apps.settings.stream, "member-org")
    await pair.start_member(is_needed)
    await pair.create(f"passes-{told}")
    await pair.apps.drain()
    assert pair.member.producers == [] and not (await pair.apps.progress())["member"].consumed
    heads = {lane.lane: lane.pack_no for lane in (await pair.apps.progress())["org"].produced if lane.pack_no}
    if told:
        rpc.speak_as("member", pair.apps.tokens)
        await pair.consumer.listen()
        assert await pair.consumer.watermarks() == heads
    async with asyncio.timeout(10):
        while await pair.consumer.watermarks() != heads:
            await asyncio.sleep(0.01)
        needed = True
        while not pair.consumer.is_listening:
            await asyncio.sleep(0.01)
    for number in range(3):
        await pair.create(f"heard-{told}-{number}")
    await pair.apps.drain()
    assert await pair.seen() == [f"heard-{told}-{number}" for number in range(3)]
    assert pair.member.producers == ["org"] and (await pair.apps.progress())["member"].consumed


async def test_packs_are_the_same_to_the_byte_when_built_again(pair: Pair) -> None:
    for number in range(3):
        await pair.create(f"byte-{number}")
    await pair.apps.drain()

    async def build() -> list[bytes]:
        async with pair.org.db.pool.acquire() as connection:
            packs: Sequence[Message] = await pair.org.relay.load_packs(connection, 0, 1, 1000)
        return [pack.SerializeToString(deterministic=True) for pack in packs]

    assert await build() == await build() != []


async def test_business_time_goes_forward_only_and_wakes_jobs(apps: Apps) -> None:
    await apps.migrate("member")
    app = App("member", apps.settings)
    ran_at: list[datetime] = []
    woken = asyncio.Event()

    async def run(now: datetime) -> None:
        ran_at.append(now)
        woken.set()

    app.job("close", run, every_seconds=3600)
    await apps.start_app(app)
    control = apps.stub(control_pb2_grpc.ControlServiceStub, "member")
    await asyncio.wait_for(woken.wait(), 5)
    woken.clear()
    target = datetime.now(UTC) + timedelta(days=3650)
    request = control_pb2.SetBusinessTimeRequest()
    request.business_time.FromDatetime(target)
    await apps.call(control.SetBusinessTime, request, internal("suite"))
    await asyncio.wait_for(woken.wait(), 5)
    assert target <= ran_at[-1] < target + timedelta(minutes=1)
    request.business_time.FromDatetime(target - timedelta(days=1))
    with pytest.raises(RemoteError) as refused:
        await apps.call(control.SetBusinessTime, request, internal("suite"))
    assert refused.value.reason == ClockGoesBack.reason


async def test_business_time_is_refused_in_production(apps: Apps) -> None:
    await apps.migrate("org")
    production = apps.settings.model_copy(update={"mode": "production"})
    await apps.start_app(App("org", production))
    control = apps.stub(control_pb2_grpc.ControlServiceStub, "org")
    request = control_pb2.SetBusinessTimeRequest()
    request.business_time.FromDatetime(datetime.now(UTC))
    with pytest.raises(RemoteError) as refused:
        await apps.call(control.SetBusinessTime, request, internal("suite"))
    assert refused.value.reason == "CLOCK_NOT_SETTABLE"


@pytest.mark.parametrize(
    ("caller", "store_id", "reason"),
    [
        (terminal("sto_own"), "sto_own", ""),  # its own store
        (terminal("sto_own"), "sto_other", NotYours.reason),  # the store of another
        (Caller(CallerKind.MEMBER, "mbr_1", GROUP), "sto_own", PermissionDenied.reason),  # not an audience
        (Caller(CallerKind.PUBLIC, ""), "sto_own", PermissionDenied.reason),
        (system(), "", "INVALID_ARGUMENT"),  # the proto's own rule
    ],
)
async def test_the_access_rule_is_checked_again_inside(pair: Pair, caller: Caller, store_id: str, reason: str) -> None:
    request = org_pb2.GetStoreRequest(store_id=store_id)
    if not reason:
        assert (await pair.apps.call(pair.stub.GetStore, request, caller)).store.store_id == store_id
        return
    with pytest.raises(RemoteError) as refused:
        await pair.apps.call(pair.stub.GetStore, request, caller)
    assert refused.value.reason == reason


async def test_a_call_without_a_token_or_with_a_forged_one_is_refused(pair: Pair) -> None:
    request = org_pb2.GetStoreRequest(store_id="sto_1")
    for metadata in ((), (("authorization", "Bearer forged"),)):
        with pytest.raises(Exception) as refused:
            await pair.stub.GetStore(request, timeout=5, metadata=metadata)
        assert refused.value.code() == Unauthenticated.code  # type: ignore[attr-defined]
