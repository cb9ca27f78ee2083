"""`huitong clock`: the suite's business time, in demo and test mode."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from chassis.errors import AppError
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.inside import Inside, running_settings

console = Console()


def clock(
    time: Annotated[
        datetime | None,
        typer.Argument(formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"], help="default: only show it"),
    ] = None,
) -> None:
    """Show the business time, or tell the suite what time it is (refused in production; time never goes back)."""

    async def run() -> None:
        inside = Inside(running_settings(Home(default_home())))
        try:
            if time is not None:
                await inside.set_time(time if time.tzinfo else time.replace(tzinfo=UTC), strict=True)
            for service, answer in (await inside.progress()).items():
                console.print(f"{service:<12}{answer.business_time.ToDatetime(tzinfo=UTC).isoformat()}")
        finally:
            await inside.close()

    try:
        asyncio.run(run())
    except (SuiteError, AppError) as error:
        console.print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("clock")(clock)
