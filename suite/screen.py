"""What the commands show: progress while things start and stop, tables, where to look."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import BinaryIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table

from suite.errors import say
from suite.home import Home
from suite.state import PartState, Phase, SuiteState, read

MARKS = {
    Phase.WAITING: ("[dim]·[/]", "等待"),
    Phase.STARTING: ("", "启动中"),
    Phase.READY: ("[green]✓[/]", "就绪"),
    Phase.UNREADY: ("[yellow]![/]", "未就绪"),
    Phase.RESTARTING: ("[yellow]↻[/]", "重启中"),
    Phase.FAILED: ("[red]✗[/]", "失败"),
    Phase.STOPPING: ("", "停止中"),
    Phase.STOPPED: ("[dim]■[/]", "已停止"),
}
COLOURS = {
    Phase.READY: "green",
    Phase.FAILED: "bold red",
    Phase.UNREADY: "yellow",
    Phase.RESTARTING: "yellow",
    Phase.STARTING: "cyan",
    Phase.STOPPING: "cyan",
}


def phase_word(phase: Phase) -> str:
    """The phase in the user's language."""
    return say(phase.value, MARKS[phase][1])


def _mark(part: PartState, spinner: Spinner) -> RenderableType:
    return spinner if part.phase in (Phase.STARTING, Phase.STOPPING) else MARKS[part.phase][0]


def _progress(state: SuiteState, spinner: Spinner) -> Table:
    table = Table.grid(padding=(0, 2))
    for part in state.parts:
        colour = COLOURS.get(part.phase, "dim")
        took = f"{part.seconds:.1f} s" if part.phase == Phase.READY and part.seconds else ""
        table.add_row(
            _mark(part, spinner), part.name, f"[{colour}]{phase_word(part.phase)}[/]", part.address, took, part.detail
        )
    return table


def watch(console: Console, current: Callable[[], SuiteState | None]) -> None:
    """Show the start until it is over, one way or the other: live on a terminal, a line per step elsewhere."""
    _follow(console, current, until=lambda state: state.phase not in (Phase.STARTING, Phase.STOPPING))


def watch_stopping(console: Console, home: Home, alive: Callable[[], bool]) -> None:
    """Show the stop while `alive`."""
    _follow(console, lambda: read(home), until=lambda _state: not alive())


def _follow(console: Console, current: Callable[[], SuiteState | None], until: Callable[[SuiteState], bool]) -> None:
    spinner = Spinner("dots")
    seen: dict[str, Phase] = {}
    live = Live(console=console, refresh_per_second=10, transient=False) if console.is_terminal else None
    if live:
        live.start()
    try:
        while (state := current()) is not None:
            over = until(state)
            if live:
                live.update(_progress(state, spinner))
            else:
                for part in state.parts:
                    if seen.get(part.name) != part.phase and part.phase != Phase.WAITING:
                        console.print(f"{part.name}: {phase_word(part.phase)} {part.address}".rstrip(), highlight=False)
                    seen[part.name] = part.phase
            if over:
                return
            time.sleep(0.1)
    finally:
        if live:
            live.stop()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def status_table(state: SuiteState) -> Table:
    """Every part with its state, process, address, age and restarts."""
    table = Table(title=f"Huitong · {state.mode}", title_justify="left")
    heads = (
        ("part", "部件"),
        ("state", "状态"),
        ("pid", "进程"),
        ("address", "地址"),
        ("up", "已运行"),
        ("restarts", "重启"),
    )
    for en, zh in heads:
        table.add_column(say(en, zh), justify="right" if en in {"pid", "up", "restarts"} else "left")
    for part in state.parts:
        process = part.process
        phase = part.phase
        if part.pid and process is None and phase == Phase.READY:
            phase = Phase.RESTARTING if state.supervised else Phase.STOPPED
        table.add_row(
            part.name,
            f"[{COLOURS.get(phase, 'dim')}]{phase_word(phase)}[/]",
            str(part.pid) if process else "",
            part.address,
            _duration(time.time() - part.since) if process else "",
            str(part.restarts) if part.kind != "step" else "",
        )
    return table


def show_result(console: Console, home: Home, state: SuiteState) -> None:
    """Where to look and how to stop."""
    rows = [
        (say("Gateway", "网关"), state.gateway_url),
        (say("API page", "接口页面"), f"{state.gateway_url}/docs"),
        ("PostgreSQL", f"{state.part('postgres').address}  huitong_org … huitong_settlement"),
        ("NATS · Valkey", f"{state.part('nats').address} · {state.part('valkey').address}"),
        (say("Settings", "配置"), 'eval "$(huitong env)"'),
        (say("Logs", "日志"), f"{home.logs}  (huitong logs -f)"),
        (say("Stop", "停止"), "make down  (huitong down)"),
    ]
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(f"[bold]{name}[/]", value)
    console.print(say(f"Huitong is up ({state.mode} mode).", f"会通已启动（{state.mode} 模式）。"), highlight=False)
    console.print(table, highlight=False, soft_wrap=True)


def show_logs(console: Console, home: Home, names: list[str], *, lines: int, follow: bool) -> None:
    """Print the last `lines` of each log, and with `follow` what is added, until interrupted."""
    from suite.servers import tail

    width = max((len(name) for name in names), default=0)
    files: dict[str, BinaryIO] = {}

    def show(name: str, line: str) -> None:
        prefix = f"{name:<{width}} │ " if len(names) > 1 else ""
        console.print(prefix + line, markup=False, highlight=False, soft_wrap=True)

    for name in names:
        if follow:
            files[name] = home.log(name).open("rb")
            files[name].seek(0, os.SEEK_END)
        for line in tail(home.log(name), lines) if lines else []:
            show(name, line)
    while follow:
        time.sleep(0.3)
        for name, file in files.items():
            if home.log(name).exists() and (home.log(name).stat().st_ino, home.log(name).stat().st_size) != (
                os.fstat(file.fileno()).st_ino,
                max(file.tell(), home.log(name).stat().st_size),
            ):
                file.close()  # started anew, or cut
                files[name] = file = home.log(name).open("rb")
            for line in file.read().decode(errors="replace").splitlines():
                show(name, line)
