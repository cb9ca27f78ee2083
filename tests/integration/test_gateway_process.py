"""`python -m gateway` as its own process: settings, pages, drain."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc
import httpx
import pytest

from chassis.identity import MEMBER_ACCESS, Caller, CallerKind, TokenBook
from chassis.ids import derive
from huitong.points.v1 import points_pb2, points_pb2_grpc
from tests.support import Sandbox

ROOT = Path(__file__).resolve().parents[2]
MEMBER = Caller(CallerKind.MEMBER, "mbr_" + "3" * 32, derive("g"), "mbr_" + "3" * 32)


class SlowWallet(points_pb2_grpc.WalletServiceServicer):
    """Answers a balance when `go` is set."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()

    def GetBalance(self, request, context):
        self.asked.set()
        self.go.wait(5)
        return points_pb2.GetBalanceResponse(member_id=request.member_id, available_points=7)


@pytest.fixture
def wallet() -> Iterator[tuple[SlowWallet, int]]:
    server, slow = grpc.server(futures.ThreadPoolExecutor(4)), SlowWallet()  # type: ignore[abstract]
    points_pb2_grpc.add_WalletServiceServicer_to_server(slow, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield slow, port
    server.stop(0)


@pytest.fixture
def gateway(sandbox: Sandbox, wallet: tuple[SlowWallet, int]) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = sandbox.free_port()
    environment = {
        **os.environ,
        **sandbox.environment,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}",
        "HUITONG_GATEWAY_PORT": str(port),
        "HUITONG_POINTS_ADDRESS": f"127.0.0.1:{wallet[1]}",
        "HUITONG_LOG_LEVEL": "info",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway"], env=environment, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    for _ in range(1200):
        with socket.socket() as probe:
            if process.poll() is not None or probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}", process
    process.kill()
    process.wait()


def headers(sandbox: Sandbox) -> dict[str, str]:
    token = TokenBook(sandbox.environment["HUITONG_ACCESS_KEY"], issuer=MEMBER_ACCESS).mint(MEMBER)
    return {"authorization": f"Bearer {token}"}


def test_what_is_under_way_is_finished_after_sigterm(
    sandbox: Sandbox, gateway: tuple[str, subprocess.Popen[bytes]], wallet: tuple[SlowWallet, int]
) -> None:
    base, process = gateway
    assert httpx.get(f"{base}/healthz").status_code == 200
    answers: list[httpx.Response] = []
    path = f"{base}/v1/members/{MEMBER.subject}/balance"
    call = threading.Thread(target=lambda: answers.append(httpx.get(path, headers=headers(sandbox))))
    call.start()
    assert wallet[0].asked.wait(10)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{base}/healthz", timeout=2)
    wallet[0].go.set()
    call.join()
    assert answers[0].status_code == 200 and answers[0].json()["available_points"] == 7
    assert process.wait(10) == 0
    assert process.stderr is not None
    log = process.stderr.read().decode()
    assert '"route":"/v1/members/{member_id}/balance"' in log and '"status":200' in log
    assert "Bearer" not in log and "eyJ" not in log


def test_missing_settings_are_listed_and_end_it() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HUITONG_")}
    environment["PYTHONPATH"] = f"{ROOT}:{ROOT / 'gen'}"
    done = subprocess.run(
        [sys.executable, "-m", "gateway"], env=environment, cwd=ROOT, capture_output=True, timeout=30, check=False
    )
    assert done.returncode == 1
    assert b"HUITONG_INTERNAL_KEY" in done.stderr and b"HUITONG_REDIS_URL" in done.stderr
