"""`huitong audit verify`: recompute the audit's chain from the database itself, past the service."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

import typer
from rich.console import Console

from chassis.config import Settings
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.inside import running_settings

audit = typer.Typer(no_args_is_help=True, help="The record of what operators did.")
_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


@dataclass(frozen=True)
class Result:
    """One group's chain: its number of entries and last hash, or the first entry that is wrong and how."""

    group_code: str
    entry_no: int
    hash: str
    problem: str


class GroupUnknown(SuiteError):
    """There is no group {group_code}."""

    zh: ClassVar[str] = "没有集团 {group_code}。"


async def check(config: Settings, *, group_code: str = "", head: tuple[int, str] | None = None) -> list[Result]:
    """Verify the chain of one group, or of all; `head` (number, hash) was noted earlier and must be in it.

    Raises GroupUnknown.
    """
    from sqlalchemy import text

    from chassis.crypto import Vault
    from chassis.db import Database
    from chassis.identity import Caller, CallerKind
    from services.org.audit.operations import Audit
    from services.org.audit.rules import Fault, Head

    database = Database(config.database_url("org"), may_set_time=config.may_set_time, name="huitong-audit")
    book = Audit(Vault(config.data_key.get_secret_value()))
    known = [Head(head[0], bytes.fromhex(head[1]))] if head else []
    results = []
    try:
        async with database.reading(Caller(CallerKind.INTERNAL, "suite", UUID(int=0))) as tx:
            statement = text("SELECT code, group_id FROM org_group WHERE :code IN ('', code) ORDER BY code")
            groups = (await tx.execute(statement, {"code": group_code})).all()
            for group in groups:
                found = await book.verify(tx, group.group_id, known)
                if isinstance(found, Fault):
                    results.append(Result(group.code, found.entry_no, "", found.problem))
                else:
                    results.append(Result(group.code, found.entry_no, found.hash.hex(), ""))
    finally:
        await database.close()
    if group_code and not results:
        raise GroupUnknown(group_code=group_code)
    return results


def show(console: Console, results: list[Result]) -> bool:
    """Print a line for each group; answers whether all chains are whole."""
    for result in results:
        if result.problem:
            line = say(
                f"{result.group_code}: broken at entry {result.entry_no}: {result.problem}",
                f"{result.group_code}：第 {result.entry_no} 条记录处断裂：{result.problem}",
            )
            console.print(f"[bold red]{line}[/]", highlight=False, soft_wrap=True)
        else:
            line = say(
                f"{result.group_code}: {result.entry_no} entries, intact, head {result.entry_no}:{result.hash}",
                f"{result.group_code}：{result.entry_no} 条记录，完整，末条 {result.entry_no}:{result.hash}",
            )
            console.print(line, highlight=False, soft_wrap=True)
    return not any(result.problem for result in results)


@audit.command("verify")
def verify(
    group: Annotated[str, typer.Option("--group", help="code of a group; all when left out")] = "",
    head: Annotated[str, typer.Option("--head", help="NUMBER:HASH as printed earlier; needs --group")] = "",
) -> None:
    """Recompute every entry's hash and name the first that is wrong. Exit code 1 when there is one."""
    console = Console()
    match = _HEAD.fullmatch(head)
    if head and (match is None or not group):
        raise typer.BadParameter("NUMBER:HASH, together with --group", param_hint="--head")
    try:
        config = running_settings(Home(default_home()))
        noted = (int(match[1]), match[2]) if match else None
        results = asyncio.run(check(config, group_code=group, head=noted))
    except SuiteError as error:
        console.print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    raise typer.Exit(0 if show(console, results) else 1)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(audit, name="audit")
