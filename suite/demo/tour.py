"""`huitong sign` and `huitong id`: the demo's keys and ids for a walk with curl."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.auth.signing import sign_request
from suite.demo import progress
from suite.demo.doors import Doors, Key
from suite.demo.people import approver
from suite.demo.progress import Memory
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.state import read


class NoDemoYet(SuiteError):
    """There is no demo yet; run `huitong demo` first."""

    zh = "还没有演示数据；请先执行 huitong demo。"


class NoSuchName(SuiteError):
    """The demo has nothing named {name}."""

    zh = "演示中没有名为 {name} 的对象。"


def _memory() -> Memory:
    memory = progress.load(Home(default_home()))
    if not memory.prepared:
        raise NoDemoYet
    return memory


def _key(memory: Memory, who: str) -> Key:
    if who == "system":
        return memory.system_key
    if who == "vendor":
        return memory.vendor_key
    if who in memory.terminals:
        return memory.terminal_key(who)
    raise NoSuchName(name=who)


async def _approver_s() -> str:
    """The header of the second person, who has no key but a session: opened here when there is none."""
    home, memory = Home(default_home()), _memory()
    state = read(home)
    async with Doors(state.gateway_url if state else "") as doors:
        session = await approver(doors, memory)
    progress.save(home, memory)
    return session.headers()["Authorization"]


def _fail(error: SuiteError) -> typer.Exit:
    Console(stderr=True).print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False)
    return typer.Exit(1)


def sign(
    method: Annotated[str, typer.Argument(help="GET, POST, PATCH")],
    path: Annotated[str, typer.Argument(help="path and query, /v1/sales")],
    body: Annotated[Path | None, typer.Argument(help="file with the body", exists=True, dir_okay=False)] = None,
    who: Annotated[
        str, typer.Option("--as", help="system, approver, vendor, or a store's code for its till")
    ] = "system",
) -> None:
    """Print the Authorization header for one request with a key of the demo; good for one use within five minutes."""
    try:
        if who == "approver":
            print(f"Authorization: {asyncio.run(_approver_s())}")
            return
        key = _key(_memory(), who)
    except SuiteError as error:
        raise _fail(error) from None
    bare_path, _, query = path.partition("?")
    headers = sign_request(
        key_id=key.key_id,
        secret=key.secret,
        method=method,
        path=bare_path,
        query=query,
        body=body.read_bytes() if body else b"",
    )
    print(f"Authorization: {headers['Authorization']}")


def show_id(
    name: Annotated[str, typer.Argument(help="code of a store, merchant, unit or voucher, or a household's number")],
) -> None:
    """Print the id of something in the demo."""
    try:
        memory = _memory()
        stores = {code: terminal["store_id"] for code, terminal in memory.terminals.items()}
        for known in (stores, memory.merchants, memory.units, memory.items, memory.members):
            if name in known:
                print(known[name])
                return
        raise NoSuchName(name=name)
    except SuiteError as error:
        raise _fail(error) from None


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("sign")(sign)
    app.command("id")(show_id)
