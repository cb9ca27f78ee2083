"""The `huitong` command.

Commands about running are here. Others live in modules of `suite` that have `register(app)`; see EXTENSIONS.
What a command needs of the services it imports when it runs, so that `huitong --help` stays quick.
"""

from __future__ import annotations

import asyncio
import os
import sys
from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer
from rich.console import Console

from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.state import read

# Each adds its commands by `register(app: typer.Typer)`: `app.command("demo")(demo)` or `app.add_typer(…)`.
EXTENSIONS = (
    "suite.demo",
    "suite.invariants",
    "suite.events",
    "suite.clock",
    "suite.audit",
    "suite.sales",
    "suite.members",
    "suite.members_export",
)

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Huitong 会通: run the suite on this machine.")
console = Console()
errors = Console(stderr=True)


class Mode(StrEnum):
    """`demo` and `test` allow business time to be told."""

    demo = "demo"
    test = "test"
    production = "production"


def _fail(problem: object) -> typer.Exit:
    errors.print(f"[bold red]{say('Error', '错误')}:[/] {problem}", highlight=False, soft_wrap=True)
    return typer.Exit(1)


@app.command()
def up(
    mode: Annotated[Mode, typer.Option(envvar="HUITONG_MODE", help="what the suite is for")] = Mode.production,
) -> None:
    """Start everything in the background and wait until it serves."""
    from suite.control import bring_up
    from suite.screen import show_result

    home = Home(default_home())
    try:
        state, started = bring_up(home, mode=mode, console=console)
    except KeyboardInterrupt:
        console.print(
            say(
                "It goes on starting in the background; `huitong down` stops it.",
                "启动仍在后台进行；执行 huitong down 可停止。",
            )
        )
        raise typer.Exit(130) from None
    except SuiteError as error:
        raise _fail(error) from None
    if not started:
        console.print(say("Already up.", "套件已在运行。"))
    show_result(console, home, state)


@app.command()
def down(
    erase: Annotated[bool, typer.Option("--erase", help="also remove all data, logs and secrets")] = False,
) -> None:
    """Stop everything in order: the gateway, the services, then the servers. Data is kept."""
    from suite.control import bring_down
    from suite.local import erase as erase_home

    home = Home(default_home())
    try:
        if left := bring_down(home, console=console):
            console.print(say(f"Stopped what was left: {', '.join(left)}.", f"已停止遗留进程：{', '.join(left)}。"))
        console.print(say("Stopped.", "已停止。"))
        if erase:
            erase_home(home.path)
            console.print(say(f"Removed {home.path}.", f"已清除 {home.path}。"), highlight=False, soft_wrap=True)
    except SuiteError as error:
        raise _fail(error) from None


@app.command()
def status() -> None:
    """Show every part. Exit code 1 when something is not ready."""
    from suite.screen import status_table

    home = Home(default_home())
    state = read(home)
    if state is None or (not state.supervised and not home.all_recorded()):
        console.print(say("The suite is not running.", "套件未运行。"))
        raise typer.Exit(1)
    console.print(status_table(state))
    if not state.supervised:
        raise _fail(
            say(
                "its supervisor is gone; `huitong up` takes over, `huitong down` stops the rest.",
                "监控进程已不存在；huitong up 可接管，huitong down 可停止其余进程。",
            )
        )
    raise typer.Exit(0 if state.ready else 1)


@app.command()
def serve(
    services: Annotated[list[str], typer.Argument(help="org member points mall parking settlement, or all")],
) -> None:
    """Run several services in this one process, with settings from the environment."""
    from suite.parts import SERVICES

    names = list(SERVICES) if services == ["all"] else list(dict.fromkeys(services))
    if unknown := [name for name in names if name not in SERVICES]:
        raise _fail(
            say(
                f"no such service: {', '.join(unknown)}. There are {', '.join(SERVICES)}.",
                f"没有这样的服务：{', '.join(unknown)}。可选：{', '.join(SERVICES)}。",
            )
        )
    asyncio.run(import_module("chassis.run").serve(names))


@app.command()
def logs(
    part: Annotated[str | None, typer.Argument(help="a part's name; all when left out")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="how many to begin with")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="go on as they are written")] = False,
) -> None:
    """Show the parts' logs."""
    from suite.screen import show_logs

    home = Home(default_home())
    names = sorted(path.stem for path in home.logs.glob("*.log")) if home.logs.exists() else []
    if part is not None and part not in names:
        raise _fail(
            say(f"no log of {part}; there are: {', '.join(names)}.", f"没有 {part} 的日志；现有：{', '.join(names)}。")
        )
    try:
        show_logs(console, home, [part] if part else names, lines=lines, follow=follow)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.stderr.close()


@app.command()
def env() -> None:
    """Print the running suite's settings as shell exports: eval "$(huitong env)"."""
    import shlex

    from suite.state import environment

    try:
        for name, value in environment(Home(default_home())).items():
            typer.echo(f"export {name}={shlex.quote(value)}")
    except SuiteError as error:
        raise _fail(error) from None


for _module in EXTENSIONS:
    if find_spec(_module) is not None:
        import_module(_module).register(app)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    app()
