"""What is measured. Each variant runs for some seconds and counts what succeeded."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson

from chassis import ids
from gateway.auth.signing import sign_request
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2
from services.member.rules import judge_code, make_code, member_seed, read_code
from services.points.convert import to_timestamp
from services.points.ledger.ledger import Item, Ledger, Outcome, Status
from tests.bench.items import RICH, Items
from tests.bench.simulations import MOST_LINES, SALES, Past
from tests.bench.stage import GROUP, GROWN_WALLETS, LANES, MERCHANTS, WALLETS, Stage, named, tree_seconds

CLIENTS = 16
# More than any machine so far could take; what is missing is made while the clock runs.
READY_CALLS_PER_SECOND = 150
LINES = 3
# A simulation of the demo's year is to take no longer than this.
YEAR_SALES, YEAR_SECONDS = 155_848, 60
CATEGORIES = ("GROCERY", "PRODUCE", "MEAT", "FUEL", "DRUG GM")


@dataclass
class Measured:
    """One run of one variant."""

    per_second: float
    # CPU microseconds an item: by part.
    cpu_us: dict[str, float] = field(default_factory=dict)
    batch_items: float | None = None
    latency_ms: dict[str, float] = field(default_factory=dict)
    # Of each call, in an open loop.
    samples_ms: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Variant:
    """A name, what it is, what it is compared with, and how to run it for some seconds."""

    name: str
    what: str
    baseline: str
    run: Callable[[float], Awaitable[Measured]]
    # A ratio, or without a baseline a number a second.
    target: float | None = None
    # Whether a lower ratio is the better one.
    is_latency: bool = False
    # Whose books it writes: "lanes", "service", or nobody's.
    books: str = ""


class Bench(Items):
    """Runs variants on a stage."""

    def __init__(self, stage: Stage, ledger: Ledger, grown: Ledger | None) -> None:
        self.stage, self.ledger, self.grown = stage, ledger, grown
        super().__init__()
        self.capacity = 1_000.0  # unary sales a second, as measured last
        self._past: Past | None = None
        self._scripts = Path(tempfile.mkdtemp(prefix="huitong-bench-"))
        (self._scripts / "per_row.sql").write_text(
            f"\\set w random(1, {WALLETS})\n\\set m random(1, {MERCHANTS})\n\\set s random(100, 115)\n"
            "\\set p random(1, 50)\nSELECT per_row.post(:w, :m, :s, :p);\n"
        )

    def variants(self) -> list[Variant]:
        """All, baselines first."""
        lanes = self.lanes
        return [
            Variant("tpcb", "pgbench TPC-B, 16 clients", "per_row", self.tpcb),
            Variant("per_row", "pgbench, same-work SQL function per row, 16 clients", "", self.per_row),
            Variant("lanes_64", "in-process lanes, 64 in flight", "per_row", lanes(64), books="lanes"),
            Variant("lanes_256", "in-process lanes, 256 in flight", "per_row", lanes(256), 2.5, books="lanes"),
            Variant(
                "lanes_shared",
                "the same, as two processes share the lanes",
                "lanes_256",
                self.lanes_shared,
                books="lanes",
            ),
            *self._growth(),
            *(
                Variant(name, f"the same, {what}", "per_row", lanes(256, make), books="lanes")
                for name, what, make in (
                    ("lanes_zipf", "members by Zipf 1.0", self.zipf_item),
                    ("lanes_hot_member", "one member", self.hot_member_item),
                    ("lanes_hot_merchant", "one merchant", self.hot_merchant_item),
                    ("lanes_80_20", "20% spending", self.mixed_item),
                    ("lanes_replays", "10% replays", self.replayed_item),
                )
            ),
            Variant(
                "record_sales_100",
                f"RecordSales, 100 sales of {LINES} lines a call, {CLIENTS} calls in flight",
                "per_row",
                self.record_sales,
                1.5,
                books="service",
            ),
            Variant("member_codes", "dynamic member codes verified, in process", "", self.member_codes, 10_000),
            Variant(
                "simulate_year",
                f"past sales by a draft with limits, {SALES:,} of 1–{MOST_LINES} lines, in process",
                "",
                self.simulate_year,
                YEAR_SALES / YEAR_SECONDS,
                books="service",
            ),
            Variant("echo_unary", "unary gRPC echo, 64 in flight", "", self.echo),
            Variant(
                "record_sale_unary",
                "unary RecordSale, 64 in flight",
                "echo_unary",
                self.record_sale,
                0.6,
                books="service",
            ),
            *(
                Variant(
                    f"open_{share}",
                    f"the same in an open loop, at {share}% of that",
                    "record_sale_unary",
                    self.open_loop(share / 100),
                    books="service",
                )
                for share in (50, 80)
            ),
            Variant("echo_http", "POST to an empty HTTP→gRPC echo, 64 in flight", "", self.http_echo),
            Variant(
                "gateway_sale",
                "POST of a signed sale, 64 in flight",
                "echo_http",
                self.gateway_sale,
                0.6,
                books="service",
            ),
            Variant("alone_floor", "scalar SQL call + echo, one caller (p50 ms)", "", self.alone_floor, None, True),
            Variant(
                "alone_p50",
                "unary RecordSale, one caller (p50 ms)",
                "alone_floor",
                self.alone,
                1.5,
                True,
                books="service",
            ),
        ]

    def _growth(self) -> list[Variant]:
        if self.grown is None:
            return []
        what = f"the same, {GROWN_WALLETS:,} members with 20 lots each"
        return [Variant("growth", what, "lanes_256", self.lanes(256, self.grown_item, self.grown), 0.8)]

    async def close(self) -> None:
        """Close the lanes, and take away what pgbench was given."""
        shutil.rmtree(self._scripts, ignore_errors=True)
        if self._past is not None:
            await self._past.close()
        await self.ledger.close()
        if self.grown is not None:
            await self.grown.close()

    # ---- baselines

    async def tpcb(self, seconds: float) -> Measured:
        """Known to everyone."""
        return await self._pgbench([], f"{self.stage.servers.postgres_url}/bench_tpcb", seconds)

    async def per_row(self, seconds: float) -> Measured:
        """The fair one."""
        return await self._pgbench(["-f", str(self._scripts / "per_row.sql")], self.stage.lanes_url, seconds)

    async def _pgbench(self, arguments: list[str], url: str, seconds: float) -> Measured:
        whole = str(max(1, round(seconds)))
        before, children = self.stage.postgres_seconds(), os.times()
        output = await self.stage.pgbench(
            ["-n", "-c", str(CLIENTS), "-j", "2", "-M", "prepared", "-T", whole, *arguments], url
        )
        after = self.stage.postgres_seconds()
        found = re.search(r"^tps = ([0-9.]+)", output, re.MULTILINE)
        count = re.search(r"actually processed: (\d+)", output)
        if found is None or count is None:
            raise SystemExit(f"pgbench answered something else:\n{output}")
        ended = os.times()  # pgbench is the only child that has ended meanwhile
        own = ended.children_user + ended.children_system - children.children_user - children.children_system
        cpu = {"client": own / int(count[1]) * 1e6}
        if before is not None and after is not None:
            cpu["postgres"] = (after - before) / int(count[1]) * 1e6
        return Measured(float(found[1]), cpu)

    async def alone_floor(self, seconds: float) -> Measured:
        """What a lone call cannot do without: one durable statement and one round trip."""
        connection = await asyncpg.connect(self.stage.lanes_url)
        try:
            statement = await connection.prepare("SELECT per_row.post($1, $2, $3, $4)")

            async def scalar() -> None:
                await statement.fetchval(
                    self.random.randrange(1, WALLETS + 1), self.random.randrange(1, MERCHANTS + 1), 100, 10
                )

            statement_alone = await self._one_by_one(scalar, seconds / 2)
        finally:
            await connection.close()
        echo_alone = await self._one_by_one(lambda: self.stage.echo.RecordSale(self._sale()), seconds / 2, "echo")
        cpu = Counter(statement_alone.cpu_us) + Counter(echo_alone.cpu_us)
        p50_ms = statement_alone.latency_ms["p50"] + echo_alone.latency_ms["p50"]
        return Measured(0.0, dict(cpu), latency_ms={"p50": p50_ms})

    async def member_codes(self, seconds: float) -> Measured:
        """Each of another member: the seed is derived anew."""
        key, step = b"k" * 32, 58_000_000
        numbers = [f"{self.random.randrange(10**10):010}" for _ in range(1_000)]
        codes = [
            make_code(member_seed(key, GROUP, number), member_no=number, step=step, serial=0) for number in numbers
        ]
        done, began, own = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() < began + seconds:
            for text in codes:
                code = read_code(text)
                if code is None or judge_code(member_seed(key, GROUP, code.member_no), code, now_step=step)[1] != step:
                    raise SystemExit(f"the code {text} is not valid")
            done += len(codes)
        cpu = {"client": (time.process_time() - own) / done * 1e6}
        return Measured(done / (time.perf_counter() - began), cpu)

    async def echo(self, seconds: float) -> Measured:
        """The wire by itself."""
        return await self._unary(self.stage.echo.RecordSale, seconds, "echo")

    # ---- ours

    def lanes(
        self, in_flight: int, make: Callable[[], Item] | None = None, ledger: Ledger | None = None
    ) -> Callable[[float], Awaitable[Measured]]:
        """Callers that each wait for their own item before they bring the next."""

        async def run(seconds: float) -> Measured:
            make_item, of = make or self.item, ledger or self.ledger
            done = 0
            for lane in of.lanes:
                lane.batch_sizes.clear()
            end = time.perf_counter() + seconds

            async def caller() -> None:
                nonlocal done
                while time.perf_counter() < end:
                    answer = (await of.apply([make_item()]))[0]
                    if not isinstance(answer, Outcome) or answer.status not in (Status.APPLIED, Status.REPLAY):
                        raise SystemExit(f"a lane answered {answer!r}")
                    done += 1

            postgres, own, began = self.stage.postgres_seconds(), time.process_time(), time.perf_counter()
            await asyncio.gather(*(caller() for _ in range(in_flight)))
            elapsed = time.perf_counter() - began
            done = max(done, 1)  # a loaded machine may not finish a batch in a short warm-up
            cpu = {"client": (time.process_time() - own) / done * 1e6}
            if postgres is not None:
                cpu["postgres"] = ((self.stage.postgres_seconds() or 0.0) - postgres) / done * 1e6
            sizes = [size for lane in of.lanes for size in lane.batch_sizes]
            return Measured(done / elapsed, cpu, statistics.mean(sizes))

        return run

    async def lanes_shared(self, seconds: float) -> Measured:
        """Two processes' lanes: they wait for each other at the lane's row, and each has half of what has arrived."""
        other = Ledger(self.stage.lanes_url, LANES)
        await other.open()
        try:
            halves = await asyncio.gather(*(self.lanes(128, ledger=each)(seconds) for each in (self.ledger, other)))
        finally:
            await other.close()
        # Both ran in this process at the same time: what it and PostgreSQL took is in both figures whole.
        per_second = sum(half.per_second for half in halves)
        cpu = {part: micros * halves[0].per_second / per_second for part, micros in halves[0].cpu_us.items()}
        return Measured(
            per_second,
            cpu,
            batch_items=statistics.mean(half.batch_items or 0 for half in halves),
        )

    async def record_sales(self, seconds: float) -> Measured:
        """Real rules, claims, lots, outbox and relay, in a process of its own.

        What tills send is made before the clock starts: the baseline's client makes four numbers a sale, ours would
        make messages of a dozen fields, on the cores that are measured.
        """
        ready = [self._sales() for _ in range(int(seconds * READY_CALLS_PER_SECOND))]
        end = time.perf_counter() + seconds
        done = 0

        async def caller() -> None:
            nonlocal done
            while time.perf_counter() < end:
                request = ready.pop() if ready else self._sales()
                answer = await self.stage.sales.RecordSales(request, metadata=self.stage.metadata, timeout=30)
                for result in answer.results:
                    if result.HasField("problem"):
                        raise SystemExit(f"a sale was refused: {result.problem.reason}")
                done += len(answer.results)

        return await self._watched(lambda: asyncio.gather(*(caller() for _ in range(CLIENTS))), lambda: done, "points")

    async def record_sale(self, seconds: float) -> Measured:
        """One sale a call."""
        measured = await self._unary(self.stage.sales.RecordSale, seconds, "points")
        self.capacity = measured.per_second
        return measured

    async def simulate_year(self, seconds: float) -> Measured:
        """Whole simulations, one after the other."""
        if self._past is None:
            self._past = Past(self.stage, self._sale)
            await self._past.open()
        past, done, end = self._past, 0, time.perf_counter() + seconds

        async def all_of_them() -> None:
            nonlocal done
            while time.perf_counter() < end:
                done += await past.simulate()

        return await self._watched(all_of_them, lambda: done)

    def open_loop(self, share: float) -> Callable[[float], Awaitable[Measured]]:
        """Calls that come at their times, by chance and whoever still waits; latency counts from those times."""

        async def run(seconds: float) -> Measured:
            clock = asyncio.get_running_loop().time
            samples_ms: list[float] = []
            calls: list[asyncio.Task[None]] = []

            async def one(due: float) -> None:
                await self.stage.sales.RecordSale(self._sale(), metadata=self.stage.metadata, timeout=30)
                samples_ms.append((clock() - due) * 1_000)

            async def all_of_them() -> None:
                due = began = clock()
                while (due := due + self.random.expovariate(self.capacity * share)) < began + seconds:
                    await asyncio.sleep(max(0.0, due - clock()))
                    calls.append(asyncio.create_task(one(due)))
                await asyncio.gather(*calls)

            measured = await self._watched(all_of_them, lambda: len(samples_ms), "points")
            measured.samples_ms = samples_ms
            return measured

        return run

    async def alone(self, seconds: float) -> Measured:
        """Nobody else is there."""

        async def one() -> None:
            await self.stage.sales.RecordSale(self._sale(), metadata=self.stage.metadata)

        return await self._one_by_one(one, seconds, "points")

    async def _one_by_one(self, call: Callable[[], Awaitable[Any]], seconds: float, *parts: str) -> Measured:
        """One caller; the p50 of how long each call took."""
        taken_ms: list[float] = []

        async def all_of_them() -> None:
            end = time.perf_counter() + seconds
            while time.perf_counter() < end or len(taken_ms) < 20:
                began = time.perf_counter()
                await call()
                taken_ms.append((time.perf_counter() - began) * 1_000)

        measured = await self._watched(all_of_them, lambda: len(taken_ms), *parts)
        measured.latency_ms = {"p50": statistics.median(taken_ms)}
        return measured

    async def _unary(self, method: Any, seconds: float, part: str) -> Measured:
        end = time.perf_counter() + seconds
        done = 0

        async def caller() -> None:
            nonlocal done
            while time.perf_counter() < end:
                await method(self._sale(), metadata=self.stage.metadata, timeout=30)
                done += 1

        return await self._watched(lambda: asyncio.gather(*(caller() for _ in range(64))), lambda: done, part)

    async def http_echo(self, seconds: float) -> Measured:
        """The doors by themselves; the client does the same work as for a sale."""
        return await self._posted(self.stage.http_echo_port, seconds, "http_echo", "echo")

    async def gateway_sale(self, seconds: float) -> Measured:
        """One sale a request, signed, through the gateway."""
        return await self._posted(self.stage.gateway_port, seconds, "gateway", "points")

    async def _posted(self, port: int, seconds: float, *parts: str) -> Measured:
        end = time.perf_counter() + seconds
        done = 0
        key_id, secret = self.stage.key
        url = f"http://127.0.0.1:{port}/v1/sales"

        async def caller(session: aiohttp.ClientSession) -> None:
            nonlocal done
            while time.perf_counter() < end:
                body = self._sale_json()
                headers = sign_request(key_id=key_id, secret=secret, method="POST", path="/v1/sales", body=body)
                headers["Content-Type"] = "application/json"
                async with session.post(url, data=body, headers=headers) as response:
                    if response.status != 200:
                        raise SystemExit(f"{url} answered {response.status}: {await response.text()}")
                    await response.read()
                done += 1

        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=64)) as session:
            return await self._watched(
                lambda: asyncio.gather(*(caller(session) for _ in range(64))), lambda: done, *parts
            )

    async def _watched(self, run: Callable[[], Awaitable[Any]], count: Callable[[], int], *parts: str) -> Measured:
        """Run, and see what of processor time each named process, this one and PostgreSQL took."""
        before, began = self._seconds(parts), time.perf_counter()
        await run()
        elapsed, done, after = time.perf_counter() - began, max(count(), 1), self._seconds(parts)
        cpu = {part: (after[part] - seconds) / done * 1e6 for part, seconds in before.items()}
        await self.stage.drained()
        return Measured(done / elapsed, cpu)

    def _seconds(self, parts: Sequence[str]) -> dict[str, float]:
        seconds = {part: tree_seconds(self.stage.pids[part]) for part in parts} | {"client": time.process_time()}
        if (postgres := self.stage.postgres_seconds()) is not None:
            seconds["postgres"] = postgres
        return seconds

    def _sale_json(self) -> bytes:
        sale = self._sale()
        return orjson.dumps(
            {
                "request_id": sale.request_id,
                "store_id": sale.store_id,
                "receipt_no": sale.receipt_no,
                "sale_time": sale.sale_time.ToJsonString(),
                "member_id": sale.member_id,
                "total": {"amount_minor": sale.total.amount_minor, "currency_code": "CNY"},
                "lines": [
                    {
                        "line_no": line.line_no,
                        "amount_minor": line.amount_minor,
                        "category": line.category,
                        "item_code": line.item_code,
                        "quantity": line.quantity,
                    }
                    for line in sale.lines
                ],
            }
        )

    def _sales(self) -> points_pb2.RecordSalesRequest:
        return points_pb2.RecordSalesRequest(sales=[self._sale() for _ in range(100)])

    def _sale(self, sale_time: datetime | None = None, line_count: int = LINES) -> points_pb2.RecordSaleRequest:
        number = next(self.numbers)
        amounts = [100 + self.random.randrange(5_000) for _ in range(line_count)]
        return points_pb2.RecordSaleRequest(
            request_id=f"bench-{number:010d}",
            store_id=ids.to_edge("sto", named("store", 1 + number % MERCHANTS)),
            receipt_no=str(number),
            sale_time=to_timestamp(sale_time or self.now),
            member_id=ids.to_edge("mbr", self.wallets[self.random.randrange(WALLETS)]),
            total=types_pb2.Money(amount_minor=sum(amounts), currency_code="CNY"),
            lines=[
                points_pb2.SaleLine(
                    line_no=line_no,
                    amount_minor=amount,
                    category=CATEGORIES[(number + line_no) % len(CATEGORIES)],
                    item_code=str(1_000_000 + number % 90_000),
                    quantity=1,
                )
                for line_no, amount in enumerate(amounts, 1)
            ],
        )


async def open_bench(stage: Stage, *, grows: bool) -> Bench:
    """With its in-process lanes connected, also those of the grown database when there is one."""
    ledger = Ledger(stage.lanes_url, LANES)
    await ledger.open()
    grown = Ledger(stage.growth_url, LANES) if grows else None
    if grown is not None:
        await grown.open()
    bench = Bench(stage, ledger, grown)
    # Whoever will spend has something to spend.
    await ledger.apply([bench.item(wallet) for wallet in bench.wallets[:RICH] for _ in range(20)], timeout_s=60)
    return bench
