"""The command: bring the suite up, prepare, replay with progress, print the tables and the invariants."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from suite.demo import progress as remembered
from suite.demo import report
from suite.demo.doors import Doors
from suite.demo.progress import Memory
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.inside import Inside, running_settings
from suite.state import read

# A file or a pipe has no width of its own: give the tables room.
console = Console(width=None if sys.stdout.isatty() else 120)


class _Rate(ProgressColumn):
    """Receipts a second since the start."""

    def render(self, task: Task) -> Text:
        """The rate."""
        elapsed = task.elapsed or 0
        return Text(f"{task.completed / elapsed if elapsed else 0:,.0f}/s")


def demo(
    receipts: Annotated[
        int | None, typer.Option("--receipts", min=1, help="play whole days until so many receipts are in")
    ] = None,
    figures: Annotated[str, typer.Option("--json", help="also write the reports to this file")] = "",
) -> None:
    """Replay a year of real purchases and print the tables. Interrupted, it goes on where it stopped."""
    from suite.control import bring_up
    from suite.invariants import check, show

    home = Home(default_home())
    try:
        bring_up(home, mode="demo", console=console)
        memory, reports = uvloop.run(_run(home, receipts))
        report.show(console, memory, reports)
        if figures:
            with open(figures, "w") as file:
                json.dump(reports, file, ensure_ascii=False, indent=1)
        results = asyncio.run(check(running_settings(home)))
        violations = show(console, results)
        _closing_words(home, memory)
    except* KeyboardInterrupt:
        console.print(say("Stopped. `huitong demo` goes on from here.", "已中断。再次执行 huitong demo 将从此处继续。"))
        raise typer.Exit(130) from None
    except* SuiteError as failed:
        first = failed.exceptions[0]
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        console.print(f"[bold red]{say('Error', '错误')}:[/] {first}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    raise typer.Exit(1 if violations else 0)


async def _run(home: Home, receipts: int | None) -> tuple[Memory, dict[str, Any]]:
    from suite.demo.data import Year
    from suite.demo.prepare import is_same_group, prepare
    from suite.demo.replay import Replay

    state = read(home)
    url = state.gateway_url if state else ""
    memory = remembered.load(home)
    inside = Inside(running_settings(home))
    try:
        async with Doors(url) as doors:
            year = Year(receipts)
            if memory.prepared and not await is_same_group(inside, memory):
                memory = Memory()  # its databases are gone: begin anew
            if not memory.prepared:
                with console.status(say("Preparing", "准备中")) as status:
                    await prepare(doors, inside, year, memory, lambda what: status.update(what))
                remembered.save(home, memory)
            with _bar() as bar:
                task = bar.add_task("", total=max(year.receipt_count, memory.receipt_count) - memory.receipt_count)

                def advance(count: int) -> None:
                    bar.advance(task, count)
                    if not console.is_terminal:
                        _say_sometimes(bar, task)

                replay = Replay(doors, inside, memory, advance=advance)
                await replay.play(year, home)
            if memory.last_day == year.last_day:
                await replay.finish(year)
            return memory, await report.fetch(doors, memory)
    finally:
        await inside.close()


def _bar() -> Progress:
    return Progress(
        TextColumn(say("receipts", "小票")),
        BarColumn(bar_width=40),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        _Rate(),
        TextColumn(say("left", "剩余")),
        TimeRemainingColumn(),
        console=console,
        refresh_per_second=4,
        disable=not console.is_terminal,
    )


def _say_sometimes(bar: Progress, task_id: Any) -> None:
    """Without a terminal: a line at each tenth instead of a moving bar."""
    task = bar.tasks[task_id]
    total = task.total or 1
    tenth = int(task.completed * 10 // total)
    if tenth > task.fields.get("said", 0):
        bar.update(task_id, said=tenth)
        elapsed = task.elapsed or 1
        console.print(
            say(
                f"{task.completed:,.0f} of {total:,.0f} receipts, {task.completed / elapsed:,.0f}/s, "
                f"{(total - task.completed) / max(task.completed / elapsed, 1):,.0f} s left",
                f"已录入 {task.completed:,.0f}/{total:,.0f} 张小票，每秒 {task.completed / elapsed:,.0f} 张",
            ),
            highlight=False,
        )


def _closing_words(home: Home, memory: Memory) -> None:
    rate = memory.receipt_count / memory.replay_seconds if memory.replay_seconds else 0
    state = read(home)
    console.print(
        say(
            f"{memory.receipt_count:,} receipts until {memory.done_until} in {memory.replay_seconds:,.1f} s of replay: "
            f"{rate:,.0f} receipts/s.",
            f"截至 {memory.done_until} 共 {memory.receipt_count:,} 张小票，回放用时 {memory.replay_seconds:,.1f} 秒："
            f"每秒 {rate:,.0f} 张。",
        ),
        highlight=False,
    )
    if state is not None:
        console.print(
            say(
                f"The suite is still running at {state.gateway_url} (API: {state.gateway_url}/docs). The README's tour "
                "goes on from here; `make down` stops it.",
                f"套件仍在运行：{state.gateway_url}（接口文档 {state.gateway_url}/docs）。可继续阅读 README 的导览；"
                "make down 停止。",
            ),
            highlight=False,
            soft_wrap=True,
        )


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)
