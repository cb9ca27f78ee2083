"""The embedded servers, for real: start, crash, take over, move aside, keep data, leave nothing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import nats
import pytest
from redis.asyncio import Redis

from suite.errors import DataIncompatible, HomeBusy, HomeUnusable, ServerFailed, ServerMissing, ServerUnreachable
from suite.home import Home
from suite.local import LocalServers, ensure_databases, erase, stop_servers
from suite.processes import postgres_processes
from tests.support import Sandbox


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A home of the test's own; also what is kept outside of it is removed."""
    yield tmp_path / "home"
    erase(tmp_path / "home")


async def write_everywhere(servers: LocalServers) -> None:
    connection = await asyncpg.connect(f"{servers.postgres_url}/postgres")
    await connection.execute("CREATE TABLE kept (value int)")
    await connection.execute("INSERT INTO kept VALUES (7)")
    await connection.close()
    client = await nats.connect(servers.nats_url)
    await client.jetstream().add_stream(name="kept", subjects=["kept.>"])
    await client.jetstream().publish("kept.one", b"7")
    await client.close()
    redis = Redis.from_url(servers.redis_url)
    await redis.set("kept", "7")
    await redis.aclose()


async def read_everywhere(servers: LocalServers) -> tuple[object, int, object]:
    connection = await asyncpg.connect(f"{servers.postgres_url}/postgres")
    value = await connection.fetchval("SELECT value FROM kept")
    await connection.close()
    client = await nats.connect(servers.nats_url)
    messages = (await client.jetstream().stream_info("kept")).state.messages
    await client.close()
    redis = Redis.from_url(servers.redis_url)
    kept = await redis.get("kept")
    await redis.aclose()
    return value, messages, kept


def test_servers_start_within_three_seconds(folder: Path) -> None:
    seconds: list[float] = []
    while not seconds or (min(seconds) >= 3.0 and len(seconds) < 3):  # others may be using the machine
        erase(folder)
        began = time.monotonic()
        with LocalServers(folder, usual_ports=False, environment={}):
            seconds.append(time.monotonic() - began)
    assert min(seconds) < 3.0


async def test_data_ports_and_keys_are_kept(folder: Path) -> None:
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        await write_everywhere(servers)
        first = servers.environment()
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        assert servers.environment() == first
        assert await read_everywhere(servers) == (7, 1, b"7")


async def test_killed_servers_come_back_with_their_data(own_servers: LocalServers) -> None:
    await write_everywhere(own_servers)
    time.sleep(1.1)  # Valkey syncs every second
    for name in own_servers.names:
        own_servers.kill(name)
        assert not own_servers.answers(name)
        own_servers.restart(name)
    assert await read_everywhere(own_servers) == (7, 1, b"7")


async def test_everything_killed_with_its_owner_is_taken_over(folder: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from suite.local import LocalServers\n"
        "LocalServers(Path(sys.argv[1]), usual_ports=False, environment={}).start()\n"
        "print('started', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    assert owner.stdout.readline() == "started\n"
    left = LocalServers(folder, environment={})
    with pytest.raises(HomeBusy):
        left.start()
    await write_everywhere(left)
    owner.kill()
    owner.wait()
    assert left.answers("postgres")  # an orphan
    postgres = left.process("postgres")
    assert postgres is not None
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        assert servers.process("postgres") == postgres  # it was well, so it was kept
        assert await read_everywhere(servers) == (7, 1, b"7")
        assert servers.process("nats") == left.process("nats")
    assert not list(postgres_processes(LocalServers(folder, environment={}).data("postgres")))


def test_orphan_without_a_record_is_stopped_first(folder: Path) -> None:
    servers = LocalServers(folder, usual_ports=False, environment={})
    servers.start()
    servers.detach()
    (folder / "run" / "postgres.json").unlink()
    began = time.monotonic()
    with LocalServers(folder, usual_ports=False, environment={}) as again:
        assert again.answers("postgres")
    assert time.monotonic() - began < 5.0
    assert not list(postgres_processes(LocalServers(folder, environment={}).data("postgres")))


def test_port_taken_in_between_is_replaced_and_remembered(folder: Path) -> None:
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        before = Home(folder).ports()
        assert set(before) == set(servers.names)
    strangers = [socket.create_server(("127.0.0.1", port)) for port in before.values()]
    try:
        with LocalServers(folder, usual_ports=False, environment={}) as servers:
            after = Home(folder).ports()
            assert not set(before.values()) & set(after.values())
            assert all(servers.answers(name) for name in servers.names)
    finally:
        for stranger in strangers:
            stranger.close()
    with LocalServers(folder, usual_ports=False, environment={}):
        assert Home(folder).ports() == after


def test_port_lost_while_starting_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        choices = {name: [taken, Sandbox.free_port()] for name in ("postgres", "nats", "valkey")}
        monkeypatch.setattr("suite.servers.choose_port", lambda name, **_: choices[name].pop(0))
        with LocalServers(folder, usual_ports=False, environment={}) as servers:
            assert all(servers.answers(name) for name in servers.names)
            assert not any(choices.values())


def test_half_made_database_and_stale_pid_file_do_not_stop_it(folder: Path) -> None:
    half = LocalServers(folder, environment={}).data("postgres").with_name("postgres.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        assert not half.exists()
        data = servers.data("postgres")
    # The pid of the killed server belongs to somebody else now: to us.
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n5432\n\n\n  1 1\n")
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        assert servers.answers("postgres")


def test_address_in_the_environment_is_used_instead(folder: Path, local_servers: LocalServers) -> None:
    given = {"HUITONG_POSTGRES_URL": local_servers.postgres_url, "HUITONG_NATS_URL": local_servers.nats_url}
    with LocalServers(folder, usual_ports=False, environment=given) as servers:
        assert servers.names == ("valkey",)
        assert servers.postgres_url == local_servers.postgres_url
        assert all(servers.answers(name) for name in ("postgres", "nats", "valkey"))
        assert not (folder / "postgres").exists()
    assert local_servers.answers("postgres")


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("HUITONG_POSTGRES_URL", "postgresql://a:b@127.0.0.1:{port}"),
        ("HUITONG_NATS_URL", "nats://127.0.0.1:{port}"),
        ("HUITONG_REDIS_URL", "redis://127.0.0.1:{port}/0"),
    ],
)
def test_address_where_nobody_answers_is_named(folder: Path, variable: str, url: str) -> None:
    address = url.format(port=Sandbox.free_port())
    with pytest.raises(ServerUnreachable, match=variable) as caught:
        LocalServers(folder, usual_ports=False, environment={variable: address}).start()
    assert "a:b" not in str(caught.value)
    assert not Home(folder).all_recorded()


def test_secrets_are_private_and_lasting(folder: Path) -> None:
    home = Home(folder)
    home.prepare()
    first = home.secrets()
    assert home.secrets() == first
    assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert len(first.internal_key) >= 32
    assert len(first.data_key) >= 32
    (folder / "secrets.json").write_text("{")
    with pytest.raises(HomeUnusable):
        home.secrets()
    (folder / "secrets.json").unlink()
    (folder / "postgres").mkdir()
    with pytest.raises(HomeUnusable):
        home.secrets()


def test_passwords_are_not_among_the_arguments(own_servers: LocalServers) -> None:
    password = own_servers.home.secrets().server_password
    for name in own_servers.names:
        process = own_servers.process(name)
        assert process is not None
        assert password.encode() not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    for conf in ("nats.conf", "valkey.conf"):
        assert (own_servers.home.run / conf).stat().st_mode & 0o077 == 0


async def test_wrong_password_is_refused(own_servers: LocalServers) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://huitong:wrong@{own_servers.address('postgres')}/postgres")


def test_data_of_another_version_is_refused_untouched(folder: Path) -> None:
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        data = servers.data("postgres")
    (data / "PG_VERSION").write_text("14\n")
    with pytest.raises(DataIncompatible, match="14"):
        LocalServers(folder, usual_ports=False, environment={}).start()
    assert not Home(folder).all_recorded()


def test_setting_it_does_not_know_is_named_from_its_log(folder: Path) -> None:
    servers = LocalServers(
        folder, usual_ports=False, environment={}, postgres_settings={"shared_buffers": "not a size"}
    )
    with pytest.raises(ServerFailed, match="shared_buffers"):
        servers.start()
    assert not Home(folder).all_recorded()


def test_home_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    with pytest.raises(HomeUnusable, match="home"):
        LocalServers(tmp_path / "home", environment={})


def test_missing_program_is_a_clear_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite.postgres.find_binaries", lambda: None)
    with pytest.raises(ServerMissing, match="HUITONG_POSTGRES_URL"):
        LocalServers(folder, usual_ports=False, environment={}).start()


def test_erase_leaves_nothing_of_ours_and_everything_else(folder: Path) -> None:
    servers = LocalServers(folder, usual_ports=False, environment={})
    servers.start()
    process = servers.process("postgres")
    assert process is not None
    segments = _segments()
    for name in servers.names:
        servers.kill(name)
    servers.detach()
    (folder / "mine.txt").write_text("keep")
    (folder / "secrets.json").write_text("damaged")  # no reason to keep the rest
    erase(folder)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]
    assert not (_segments() & segments - _segments_before(segments, process.pid))


def _segments() -> set[tuple[str, str]]:
    lines = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
    return {(line.split()[1], line.split()[4]) for line in lines}


def _segments_before(segments: set[tuple[str, str]], creator: int) -> set[tuple[str, str]]:
    return {(segment, pid) for segment, pid in segments if pid != str(creator)}


def test_stop_servers_ends_what_another_process_detached(folder: Path) -> None:
    servers = LocalServers(folder, usual_ports=False, environment={})
    servers.start()
    servers.detach()
    assert servers.answers("valkey")
    stop_servers(folder)
    assert not any(servers.answers(name) for name in servers.names)
    assert not Home(folder).all_recorded()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_without_user_namespaces_root_runs_it_as_nobody(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        await write_everywhere(servers)
    monkeypatch.setenv("HUITONG_POSTGRES_AS", "nobody")
    tmp_path.chmod(0o700)  # a private home: the data made elsewhere cannot be reached, a fresh one goes elsewhere
    private = tmp_path / "private"
    try:
        with LocalServers(private, usual_ports=False, environment={}) as servers:
            process = servers.process("postgres")
            assert process is not None
            assert Path(f"/proc/{process.pid}").stat().st_uid == 65534
            await ensure_databases(servers.postgres_url, ["huitong_points"])
        location = Path((private / "postgres.location").read_text())
        assert location.exists()
        monkeypatch.delenv("HUITONG_POSTGRES_AS")
        with LocalServers(private, usual_ports=False, environment={}) as servers:
            assert await ensure_databases(servers.postgres_url, ["huitong_points"]) == []
    finally:
        erase(private)
    assert not location.parent.exists()
    assert not private.exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission_is_a_clear_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(HomeUnusable):
            LocalServers(tmp_path / "home", environment={})
    finally:
        tmp_path.chmod(0o700)


@pytest.mark.skipif(not shutil.which("mount") or os.geteuid() != 0, reason="needs a small disk")
def test_full_disk_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUITONG_POSTGRES_AS", raising=False)
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=False)
    if mounted.returncode != 0:
        pytest.skip("may not mount")
    try:
        with pytest.raises(HomeUnusable, match="space"):
            LocalServers(small / "home", usual_ports=False, environment={}).start()
        assert not (small / "home" / "postgres").exists()
    finally:
        subprocess.run(["umount", "-l", str(small)], check=False)


async def test_sandboxes_share_the_servers_but_nothing_else(sandbox: Sandbox) -> None:
    await sandbox.create_database("points")
    connection = await asyncpg.connect(sandbox.database_url("points"))
    assert await connection.fetchval("SHOW server_version_num") >= "150000"
    await connection.close()
    redis = Redis.from_url(sandbox.redis_url)
    assert await redis.dbsize() == 0
    await redis.aclose()


def test_stopping_is_orderly(folder: Path) -> None:
    with LocalServers(folder, usual_ports=False, environment={}) as servers:
        process, data = servers.process("postgres"), servers.data("postgres")
    assert process is not None
    assert not process.alive()
    assert "database system is shut down" in (folder / "logs" / "postgres.log").read_text()
    assert not (data / "postmaster.pid").exists()
    process.send(signal.SIGTERM)  # a process that is gone is left alone
