"""Ports, processes, folders and state of a suite, without a server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from suite.errors import HomeBusy, HomeUnusable, NoFreePort, PortsGiven, ServerFailed, SuiteError, SuiteNotRunning
from suite.home import Home, default_home, write_atomically
from suite.local import LocalServers
from suite.parts import SERVICES, addresses, own_variable, suite_parts, told
from suite.processes import Process, choose_port, port_is_free
from suite.servers import last_words, tail
from suite.state import PartState, Phase, SuiteState, environment, read, write, write_environment


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_free_port_is_kept_and_a_taken_one_replaced() -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken = stranger.getsockname()[1]
        assert not port_is_free(taken)
        chosen = choose_port("x", preferred=[taken])
        assert chosen != taken
        assert 20_000 <= chosen < 32_000  # where no outgoing connection will sit on it
    assert choose_port("x", preferred=[taken]) == taken


def test_port_taken_on_all_addresses_counts_as_taken() -> None:
    with socket.create_server(("0.0.0.0", 0)) as stranger:
        assert not port_is_free(stranger.getsockname()[1])


def test_no_free_port_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("suite.processes.port_is_free", lambda _port: False)
    with pytest.raises(NoFreePort, match="nats"):
        choose_port("nats", preferred=[4222])


def test_process_is_told_from_a_later_one_with_its_pid() -> None:
    child = sleeper()
    process = Process.of(child.pid)
    assert process is not None
    assert process.alive()
    assert not Process(child.pid, "another boot:1").alive()
    assert process.stop()
    assert not process.alive()  # a zombie by now
    assert child.wait() == -signal.SIGTERM
    process.send(signal.SIGKILL)  # nobody there: nothing happens


def test_process_that_ignores_the_request_is_killed() -> None:
    program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    process = Process.of(child.pid)
    assert process is not None
    assert not process.stop(seconds=0.2)
    assert child.wait() == -signal.SIGKILL


def test_record_of_another_process_is_not_believed(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    home.record("points", Process(os.getpid(), "an earlier process"))
    assert home.recorded("points") is None
    me = Process.of(os.getpid())
    assert me is not None
    home.record("points", me)
    assert home.all_recorded() == {"points": me}


def test_one_owner_at_a_time(tmp_path: Path) -> None:
    home = Home(tmp_path)
    held = home.lock("supervisor")
    assert home.locked("supervisor")
    with pytest.raises(HomeBusy):
        home.lock("supervisor")
    os.close(held)
    assert not home.locked("supervisor")


def test_ports_chosen_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    threads = [threading.Thread(target=home.keep_port, args=(f"part{number}", number)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert home.ports() == {f"part{number}": number for number in range(20)}


def test_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "state.json"
    write_atomically(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(HomeUnusable, match="No space left"):
        write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [found.name for found in tmp_path.iterdir()] == ["state.json"]


def test_home_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUITONG_HOME", str(tmp_path / "elsewhere"))
    assert default_home() == tmp_path / "elsewhere"
    monkeypatch.delenv("HUITONG_HOME")
    assert default_home().name == ".huitong"


def test_every_part_has_an_address_of_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    parts = suite_parts(home, usual_ports=False, environment={})
    assert [part.name for part in parts] == [*SERVICES, "gateway"]
    assert len({part.port for part in parts}) == len(parts)
    settings = addresses(parts)
    assert settings["HUITONG_POINTS_ADDRESS"] == parts[2].address
    assert settings["HUITONG_GATEWAY_PORT"] == str(parts[-1].port)
    assert addresses(suite_parts(home, usual_ports=False, environment={})) == settings


def test_simulators_are_parts_unless_the_real_ones_are_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    parts = suite_parts(home, usual_ports=False, environment={}, simulated=True)
    assert [part.name for part in parts] == ["wechat-simulator", *SERVICES, "gateway"]
    assert addresses(parts)["HUITONG_WECHAT_URL"] == f"http://{parts[0].address}"
    given = {"HUITONG_WECHAT_URL": "https://wechat.example"}
    parts = suite_parts(home, usual_ports=False, environment=given, simulated=True)
    assert [part.name for part in parts] == [*SERVICES, "gateway"]


def test_given_addresses_are_used(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    given = {"HUITONG_MALL_ADDRESS": "127.0.0.2:7001", "HUITONG_GATEWAY_PORT": "7002"}
    settings = addresses(suite_parts(home, usual_ports=False, environment=given))
    assert settings["HUITONG_MALL_ADDRESS"] == "127.0.0.2:7001"
    assert settings["HUITONG_GATEWAY_PORT"] == "7002"


@pytest.mark.parametrize(
    "given",
    [{"HUITONG_MALL_ADDRESS": "127.0.0.1"}, {"HUITONG_MALL_ADDRESS": ":7001"}, {"HUITONG_GATEWAY_PORT": "eighty"}],
)
def test_address_that_makes_no_sense_is_named(tmp_path: Path, given: dict[str, str]) -> None:
    home = Home(tmp_path)
    home.prepare()
    with pytest.raises(PortsGiven, match=next(iter(given))):
        suite_parts(home, usual_ports=False, environment=given)


def test_state_is_read_as_it_was_written(tmp_path: Path) -> None:
    home = Home(tmp_path)
    me = Process.of(os.getpid())
    assert me is not None
    state = SuiteState(mode="demo", phase=Phase.READY, pid=me.pid, identity=me.identity)
    state.parts = [PartState("points", "service", Phase.READY, pid=me.pid, identity=me.identity)]
    write(home, state)
    assert read(home) == state
    assert state.ready
    assert state.part("points").process == me
    state.parts[0].phase = Phase.UNREADY
    assert not state.ready


def test_damaged_state_counts_as_none(tmp_path: Path) -> None:
    home = Home(tmp_path)
    for content in ("", "{", "[]", '{"parts": 1}', '{"mode": "demo", "phase": "odd", "parts": []}'):
        (tmp_path / "state.json").write_text(content)
        assert read(home) is None


def test_settings_of_a_suite_that_is_gone_are_not_given(tmp_path: Path) -> None:
    home = Home(tmp_path)
    write_environment(home, {"HUITONG_MODE": "demo"})
    assert (tmp_path / "environment.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(SuiteNotRunning):
        environment(home)
    write(home, SuiteState(mode="demo", pid=os.getpid(), identity="an earlier process"))
    with pytest.raises(SuiteNotRunning):
        environment(home)


def test_errors_speak_the_users_language(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"name": "nats", "problem": "no.", "log": "nats.log"}
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert str(ServerFailed(**values)) == "nats did not start: no. Its log: nats.log"
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert str(ServerFailed(**values)) == "nats 未能启动：no. 日志：nats.log"


def test_every_error_has_both_sentences_with_the_same_values() -> None:
    def fields(template: str) -> set[str]:
        return {part.partition("}")[0] for part in template.split("{")[1:]}

    for kind in SuiteError.__subclasses__():
        assert kind.__doc__
        assert kind.zh != SuiteError.zh, kind
        assert fields(kind.__doc__) == fields(kind.zh), kind


def test_log_says_why_in_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert tail(log) == []
    log.write_text("\n".join(f"LOG: line {number}" for number in range(1000)) + "\nFATAL: no\nLOG: bye\n")
    assert tail(log, 2) == ["FATAL: no", "LOG: bye"]
    assert last_words("\n".join(tail(log))) == "FATAL: no"
    assert last_words("") == "it wrote nothing."


def test_shown_addresses_hold_no_password(tmp_path: Path) -> None:
    servers = LocalServers(tmp_path, environment={"HUITONG_POSTGRES_URL": "postgresql://a:secret@db.example:6543"})
    assert servers.address("postgres") == "db.example:6543"
    assert servers.names == ("nats", "valkey")
    assert "secret" not in servers.address("nats")


def test_a_part_is_told_its_own_users_of_the_servers_and_nobody_elses(tmp_path: Path) -> None:
    servers = LocalServers(tmp_path, environment={})
    settings = servers.environment()
    passwords = {name: servers.home.secrets().password_of(name) for name in SERVICES}
    assert len({*passwords.values(), servers.home.secrets().server_password}) == len(SERVICES) + 1
    for part in (*SERVICES, "gateway", "wechat-simulator"):
        got = told(part, settings)
        for variable in ("HUITONG_POSTGRES_URL", "HUITONG_NATS_URL"):
            user = f"huitong_{part}:{passwords[part]}@" if part in SERVICES else ""
            assert (
                got[variable] == f"{got[variable].partition('://')[0]}://{user}{settings[variable].rpartition('@')[2]}"
            )
            assert not any(own_variable(variable, service) in got for service in SERVICES)
        assert got["HUITONG_REDIS_URL"] == settings["HUITONG_REDIS_URL"]
        others = "".join(value for name, value in got.items() if "NATS" in name or "POSTGRES" in name)
        assert not any(password in others for name, password in passwords.items() if name != part)


def test_one_user_of_a_given_server_serves_all_who_have_none_of_their_own(tmp_path: Path) -> None:
    given = {
        "HUITONG_POSTGRES_URL": "postgresql://all:x@db.example:5432",
        "HUITONG_NATS_URL": "nats://all:x@nats.example:4222",
        "HUITONG_REDIS_URL": "redis://cache.example:6379/0",
    }
    settings = LocalServers(tmp_path, environment=given).environment()
    assert told("points", settings)["HUITONG_POSTGRES_URL"] == given["HUITONG_POSTGRES_URL"]
    own = {"HUITONG_POINTS_NATS_URL": "nats://points:y@nats.example:4222"}
    assert told("points", {**settings, **own})["HUITONG_NATS_URL"] == own["HUITONG_POINTS_NATS_URL"]
    assert told("member", {**settings, **own})["HUITONG_NATS_URL"] == given["HUITONG_NATS_URL"]
