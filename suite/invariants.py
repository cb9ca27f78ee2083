"""`huitong check-invariants`: every invariant of the design, over the real databases.

A service names its own in `services/<name>/invariants.py`: INVARIANTS (name → SQL that returns the violating rows)
and, for what SQL cannot tell, CHECKS (name → function that does). What spans services (events drained) is here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from chassis.config import SERVICES, Settings
from chassis.errors import AppError
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.inside import Inside, running_settings, undrained

DRAIN_SECONDS = 30.0
EXAMPLES = 3

# What every service's own tables must fulfil, whatever the service does.
_MECHANICS = {
    "6 packs have no gap": """
        SELECT lane, pack_no FROM (
          SELECT lane, pack_no, lag(pack_no, 1, 0::bigint) OVER (PARTITION BY lane ORDER BY pack_no) AS before
          FROM event_pack) AS packs WHERE pack_no <> before + 1""",
    "6 packs follow each other": """
        SELECT lane, pack_no FROM (
          SELECT lane, pack_no, after_position,
                 lag(last_position, 1, '') OVER (PARTITION BY lane ORDER BY pack_no) AS before
          FROM event_pack) AS packs WHERE after_position <> before""",
    "6 nothing is parked": "SELECT event_id, type, reason FROM parked_event",
    "9 every request that was answered has its answer": """
        SELECT method, request_id FROM request_log WHERE response IS NULL""",
}


@dataclass
class Result:
    """One invariant and how often it is violated."""

    service: str
    name: str
    violation_count: int
    examples: list[str] = field(default_factory=list)


async def check(config: Settings, services: tuple[str, ...] = SERVICES) -> list[Result]:
    """Evaluate all invariants. The suite may be running; what is on its way is waited for first."""
    drained = await _drained(config, services)
    results: list[Result] = []
    for service in services:
        own = import_module(f"services.{service}.invariants") if find_spec(f"services.{service}.invariants") else None
        connection = await asyncpg.connect(config.database_url(service), timeout=5)
        try:
            for name, sql in {**_MECHANICS, **getattr(own, "INVARIANTS", {})}.items():
                results.append(_result(service, name, await connection.fetch(sql)))
            for name, look in getattr(own, "CHECKS", {}).items():
                results.append(_result(service, name, await look(connection)))
        finally:
            await connection.close()
    return [*results, drained]


def _result(service: str, name: str, rows: Sequence[Any]) -> Result:
    return Result(service, name, len(rows), [str(dict(row)) for row in rows[:EXAMPLES]])


async def _drained(config: Settings, services: tuple[str, ...]) -> Result:
    """What is written has been applied by everyone who cares for it, once it had the time for that."""
    inside = Inside(config, services)
    try:
        with contextlib.suppress(TimeoutError):
            await inside.drain(timeout_s=DRAIN_SECONDS)
        waiting = undrained(await inside.progress())
    except AppError as error:
        waiting = [str(error)]
    finally:
        await inside.close()
    return Result("all", "6 after a drain every event is applied", len(waiting), waiting[:EXAMPLES])


def show(console: Console, results: list[Result]) -> int:
    """Print every invariant with its count; answers the number of violations."""
    table = Table(title=say("Invariants", "不变量"), title_justify="left", show_edge=False, pad_edge=False)
    table.add_column("service")
    table.add_column("invariant")
    table.add_column("violations", justify="right")
    for result in results:
        style = "bold red" if result.violation_count else ""
        table.add_row(result.service, result.name, str(result.violation_count), style=style)
        for example in result.examples:
            table.add_row("", f"  {example}", "", style="red")
    console.print(table)
    violations = sum(result.violation_count for result in results)
    console.print(
        say(
            f"{len(results)} invariants, {violations} violations",
            f"共 {len(results)} 项不变量，{violations} 处违反",
        )
    )
    return violations


def check_invariants() -> None:
    """Evaluate every invariant over the real databases. Exit code 1 when one is violated."""
    console = Console()
    try:
        results = asyncio.run(check(running_settings(Home(default_home()))))
    except SuiteError as error:
        console.print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    raise typer.Exit(1 if show(console, results) else 0)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check-invariants")(check_invariants)


__all__: list[Any] = ["Result", "check", "register", "show"]
