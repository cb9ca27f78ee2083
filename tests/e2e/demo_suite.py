"""The whole suite in a folder of its own, with real processes, driven through `huitong` and the gateway's doors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from chassis.config import Settings
from suite.demo import progress, report
from suite.demo.doors import Doors
from suite.demo.prepare import in_turn
from suite.demo.progress import Memory
from suite.home import Home
from suite.inside import running_settings
from suite.local import erase
from suite.state import SuiteState, read
from tests.figures.compare import Reported

HUITONG = Path(sys.executable).parent / "huitong"


class DemoSuite:
    """One suite in demo mode. Always `close()` it."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """`settings` are environment variables of its own."""
        self.home = Home(folder)
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("HUITONG_")},
            "HUITONG_HOME": str(folder),
            "HUITONG_USUAL_PORTS": "0",
            "LANG": "C.UTF-8",
            "COLUMNS": "160",
            **settings,
        }

    def run(self, *arguments: str, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
        """Run a `huitong` command to its end."""
        return subprocess.run(
            [HUITONG, *arguments],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a `huitong` command."""
        return subprocess.Popen(
            [HUITONG, *arguments],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def demo(self, receipts: int) -> str:
        """Replay to the end; answers what was printed. Fails with it when the exit code is not 0."""
        done = self.run("demo", "--receipts", str(receipts))
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:] + self.logs()
        return done.stdout

    def logs(self) -> str:
        """The last lines of every log."""
        parts = []
        for log in sorted(self.home.logs.glob("*.log")):
            lines = [line for line in log.read_text(errors="replace").splitlines() if "error" in line.lower()]
            parts.append(f"--- {log.name}\n" + "\n".join(lines[-5:]))
        return "\n".join(parts)

    @property
    def state(self) -> SuiteState:
        """What the supervisor last said."""
        state = read(self.home)
        assert state is not None
        return state

    @property
    def url(self) -> str:
        """The gateway."""
        return self.state.gateway_url

    @property
    def memory(self) -> Memory:
        """Keys and ids of the demo."""
        return progress.load(self.home)

    @property
    def settings(self) -> Settings:
        """What the services run with."""
        return running_settings(self.home)

    def kill(self, part: str) -> int:
        """kill -9 a service or server; the supervisor starts it again. Answers the pid that died."""
        pid = self.state.part(part).pid
        os.kill(pid, signal.SIGKILL)
        return pid

    def close(self) -> None:
        """Stop everything and remove it."""
        self.run("down")
        erase(self.home.path)

    async def reports(self) -> dict[str, Any]:
        """Every report of the gateway."""
        async with Doors(self.url) as doors:
            return await report.fetch(doors, self.memory)

    async def reported(self, *, members: bool = True) -> Reported:
        """The figures in the shape that `tests.figures` compares."""
        memory = self.memory
        reports = await self.reports()
        merchants = {merchant_id: code for code, merchant_id in memory.merchants.items()}
        found: dict[str, Any] = {
            "tiers": {row["tier"]["code"]: row["member_count"] for row in reports["tiers"]["tiers"]},
            "merchants": {
                merchants[row["merchant_id"]]: {**row["issued"], "accepted_points": row["accepted_points"]}
                for row in reports["points"]["merchants"]
            },
            "points_total": reports["points"]["total"],
            "settlement": {merchants[row["merchant_id"]]: _numbers(row) for row in reports["settlement"]["merchants"]},
            "settlement_totals": _numbers(reports["settlement"]),
            "periods": {row["period"]: _numbers(row) for row in reports["periods"]["periods"]},
            "parking": _numbers(reports["parking"]["car_parks"][0]) if reports["parking"]["car_parks"] else {},
            "mall": _numbers(reports["mall"]),
        }
        if members:
            found["members"] = await self._members()
        return found  # type: ignore[return-value]

    async def _members(self) -> dict[int, dict[str, int | str]]:
        rows: dict[int, dict[str, int | str]] = {}
        memory = self.memory
        async with Doors(self.url) as doors:

            async def ask(household: str, member_id: str) -> None:
                balance = await doors.get(memory.system_key, f"/v1/members/{member_id}/balance")
                tier = await doors.get(memory.system_key, f"/v1/members/{member_id}/tier")
                rows[int(household)] = {
                    "earned": balance["earned_points_total"],
                    "spent": balance["spent_points_total"],
                    "expired": balance["expired_points_total"],
                    "available": balance["available_points"],
                    "debt": balance["debt_points"],
                    "tier": tier["tier"]["code"],
                    "growth": tier["growth"],
                }

            await in_turn((ask(household, member_id) for household, member_id in memory.members.items()))
        return rows

    async def database(self, service: str) -> asyncpg.Connection:
        """A connection to a service's database."""
        return await asyncpg.connect(self.settings.database_url(service))

    async def send(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> tuple[int, dict[str, Any], Mapping[str, str]]:
        """A raw request: status, JSON body (NDJSON as {"lines": [...]}), headers."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, f"{self.url}{path}", data=body or None, headers=dict(headers or {})) as response,
        ):
            text = await response.text()
            if "ndjson" in response.headers.get("Content-Type", ""):
                return response.status, {"lines": [json.loads(line) for line in text.splitlines()]}, response.headers
            return response.status, json.loads(text) if text else {}, response.headers


def _numbers(row: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in row.items() if isinstance(value, int) and not isinstance(value, bool)}
