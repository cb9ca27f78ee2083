"""What imports of files have in common: whose key, which gateway, a bar, and chunks of rows, in halves if need be."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any, Protocol, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.state import read

console = Console()
KeyId = Annotated[str, typer.Option(envvar="HUITONG_IMPORT_KEY_ID", help="credential of the system")]
Secret = Annotated[str, typer.Option(envvar="HUITONG_IMPORT_SECRET", help="its secret", hidden=True)]
Url = Annotated[str, typer.Option(help="the gateway; that of the running suite when left out")]
Report = Annotated[Path | None, typer.Option(help="FILE.report.csv when left out")]


class ColumnsMissing(SuiteError):
    """{path} lacks the columns {columns}."""

    zh = "{path} 缺少列 {columns}。"


class KeyMissing(SuiteError):
    """Give --key-id and the secret in HUITONG_IMPORT_SECRET: whose system sends this file?"""

    zh = "请提供 --key-id，并在 HUITONG_IMPORT_SECRET 中提供密钥：由哪个系统上传？"


class Sendable(Protocol):
    """A row of a file: what is sent of it, and what was answered."""

    result: dict[str, Any]

    @property
    def content(self) -> dict[str, Any]:
        """The row as the API takes it."""


R = TypeVar("R", bound=Sendable)
# Answers the results of some rows, in their order.
Send = Callable[[Sequence[dict[str, Any]]], Awaitable[Sequence[dict[str, Any]]]]


async def send_chunk(rows: Sequence[R], send: Send) -> None:
    """Send rows and keep each one's result. What is refused as a whole is sent in halves, so that one names itself."""
    from suite.demo.doors import DoorRefused

    try:
        results = await send([row.content for row in rows])
    except DoorRefused as error:
        if len(rows) == 1:
            rows[0].result = {"problem": {"reason": error.reason, "message": str(error)}}
            return
        middle = len(rows) // 2
        await send_chunk(rows[:middle], send)
        await send_chunk(rows[middle:], send)
        return
    for row, result in zip(rows, results, strict=True):
        row.result = result


@asynccontextmanager
async def gateway(url: str, key_id: str, secret: str) -> AsyncIterator[tuple[Any, Any]]:
    """Doors of the gateway and the key to send with. Raises KeyMissing."""
    from suite.demo.doors import Doors, Key

    if not key_id or not secret:
        raise KeyMissing
    state = read(Home(default_home()))
    async with Doors(url or (state.gateway_url if state else "")) as doors:
        yield doors, Key(key_id, secret)


@contextmanager
def progress_bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar that is moved by calling it with how many more are done; none where nobody looks."""
    with Progress(
        TextColumn(label),
        BarColumn(bar_width=40),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=total)
        yield lambda count: bar.advance(task, count)


def report_path(file: Path, report: Path | None) -> Path:
    """Where the report goes."""
    return report or file.with_name(f"{file.name}.report.csv")


def fail(error: SuiteError) -> typer.Exit:
    """Say what is wrong; to be raised."""
    Console(stderr=True).print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False, soft_wrap=True)
    return typer.Exit(1)
