"""`huitong tiers recalculate`: grade every member of a group on the ladder in force, and watch how far it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis import ids
from chassis.errors import AppError
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.inside import Inside, running_settings

tiers = typer.Typer(no_args_is_help=True, help="Tiers of a group's members.")
console = Console()
LOOK_SECONDS = 0.5


async def follow(
    start: Callable[[], Awaitable[Any]], look: Callable[[str], Awaitable[Any]], show: Callable[[Any], None]
) -> Any:
    """Begin, or go along with the one that runs already, and show how far it is until it ends; answers the end.

    It goes on in the service whoever looks. Raises AppError.
    """
    try:
        now = await start()
    except AppError as error:
        if error.reason != "RECALCULATION_RUNNING":
            raise
        now = await look(error.values["recalculation_id"])
    while True:
        show(now)
        if now.HasField("end_time"):
            return now
        await asyncio.sleep(LOOK_SECONDS)
        now = await look(now.recalculation_id)


async def recalculate_group(inside: Inside, group_code: str, may_downgrade: bool, show: Callable[[Any], None]) -> Any:
    """Grade a group of the running suite. Raises AppError."""
    from huitong.member.v1 import tiers_pb2, tiers_pb2_grpc

    stub = tiers_pb2_grpc.TierProgramServiceStub(inside.channel("member"))
    group_id = ids.derive("group", group_code)

    async def start() -> Any:
        request = tiers_pb2.StartTierRecalculationRequest(request_id=ids.new().hex, may_downgrade=may_downgrade)
        return (await inside.call(stub.StartTierRecalculation, request, group_id=group_id)).recalculation

    async def look(recalculation_id: str) -> Any:
        request = tiers_pb2.GetTierRecalculationRequest(recalculation_id=recalculation_id)
        return (await inside.call(stub.GetTierRecalculation, request, group_id=group_id)).recalculation

    return await follow(start, look, show)


@tiers.command("recalculate")
def recalculate(
    group: Annotated[str, typer.Option("--group", help="code of the group")],
    may_downgrade: Annotated[bool, typer.Option("--may-downgrade", help="who reaches less steps down now")] = False,
) -> None:
    """Grade every member anew. Broken off, it goes on by itself; given again, it shows the one that runs."""

    async def run() -> Any:
        inside = Inside(running_settings(Home(default_home())), ["member"])
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}/s"),
            TimeRemainingColumn(),
        )
        try:
            with Progress(*columns, console=console) as bar:
                task = bar.add_task(say("Grading members", "计算会员等级"), rate=0)

                def show(now: Any) -> None:
                    bar.update(task, completed=now.done_count, total=now.total_count, rate=now.rate_per_second)

                return await recalculate_group(inside, group, may_downgrade, show)
        finally:
            await inside.close()

    try:
        end = asyncio.run(run())
    except (SuiteError, AppError) as error:
        console.print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    line = say(
        f"{end.done_count} members graded, {end.changed_count} tiers changed.",
        f"已计算 {end.done_count} 名会员，{end.changed_count} 人等级变化。",
    )
    console.print(line, highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(tiers, name="tiers")
