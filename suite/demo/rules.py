"""`huitong rules simulate`: what a rule set would have done to past sales, before anybody approves it."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

from suite.demo import progress, published
from suite.demo.doors import Doors
from suite.demo.progress import Memory
from suite.demo.report import table_of
from suite.demo.tour import NoDemoYet
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.state import read

rules = typer.Typer(no_args_is_help=True, help="Earning rules of the demo's group.")
console = Console()
SHOWN = 5


class RulesUnreadable(SuiteError):
    """{path} is not a rule set: {problem}"""

    zh = "{path} 不是规则集：{problem}"


class SimulationFailed(SuiteError):
    """The simulation failed: {problem}"""

    zh = "模拟失败：{problem}"


@rules.command("simulate")
def simulate(
    file: Annotated[Path, typer.Argument(help="a rule set as JSON: docs/rules.md", exists=True, dir_okay=False)],
    first: Annotated[str, typer.Option("--from", help="first day, 2017-01-01")] = "2017-01-01",
    last: Annotated[str, typer.Option("--to", help="last day")] = "2017-12-31",
) -> None:
    """Keep FILE as a draft, compute past sales by it, and print what would be owed, who would gain and who lose.

    Nothing is published.
    """
    home = Home(default_home())
    memory = progress.load(home)
    try:
        if not memory.prepared:
            raise NoDemoYet
        state = read(home)
        days = _day(first), _day(last)
        draft, result = asyncio.run(_simulate(state.gateway_url if state else "", memory, _read(file, memory), days))
    except SuiteError as error:
        Console(stderr=True).print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    _show(memory, draft, result)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RulesUnreadable(path=text, problem=say("not a date", "日期无效")) from None


def _read(file: Path, memory: Memory) -> dict[str, Any]:
    """The rule set; names of the demo in braces, "{s367}" or "{mall}", stand for their ids."""
    known = {code: terminal["store_id"] for code, terminal in memory.terminals.items()}
    known |= memory.merchants | memory.units
    text = file.read_text(encoding="utf-8")
    for name, identifier in known.items():
        text = text.replace(f"{{{name}}}", identifier)
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RulesUnreadable(path=file, problem=error) from None
    if not isinstance(found, dict):
        raise RulesUnreadable(path=file, problem=say("not an object", "不是对象"))
    return found


async def _simulate(
    url: str, memory: Memory, rule_set: dict[str, Any], days: tuple[date, date]
) -> tuple[str, dict[str, Any]]:
    # The same rules and days are the same request: asking again shows the first answer.
    content = orjson.dumps([rule_set, *days], option=orjson.OPT_SORT_KEYS)
    name = hashlib.sha256(content).hexdigest()[:24]
    async with Doors(url) as doors:
        key = memory.system_key
        created = await doors.post(
            key,
            "/v1/rule-drafts",
            {"request_id": f"draft-{name}", "rule_set": rule_set, "note": "huitong rules simulate"},
        )
        draft_id = created["draft"]["draft_id"]
        started = await doors.post(
            key,
            "/v1/rule-simulations",
            {
                "request_id": f"simulation-{name}",
                "draft_id": draft_id,
                "first_date": published.as_date(days[0]),
                "last_date": published.as_date(days[1]),
            },
        )
        path = f"/v1/rule-simulations/{started['simulation']['simulation_id']}"
        with Progress(
            TextColumn(say("sales", "消费")),
            BarColumn(bar_width=40),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
            console=console,
            disable=not console.is_terminal,
        ) as bar:
            task = bar.add_task("", total=1)
            while True:
                found = (await doors.get(key, path))["simulation"]
                bar.update(task, completed=found["done_sale_count"], total=max(1, found["total_sale_count"]))
                if found["state"] == "RULE_SIMULATION_STATE_DONE":
                    return draft_id, found["result"]
                if found["state"] == "RULE_SIMULATION_STATE_FAILED":
                    raise SimulationFailed(problem=found["problem"])
                await asyncio.sleep(0.3)


def _show(memory: Memory, draft_id: str, result: dict[str, Any]) -> None:
    names = {member_id: household for household, member_id in memory.members.items()}
    names |= {terminal["store_id"]: code for code, terminal in memory.terminals.items()}
    table = table_of(
        say("Simulation", "规则模拟"), "", say("as it was", "实际"), say("by the draft", "草稿"), say("change", "变化")
    )
    table.add_row(say("points", "积分"), *_changes(result["actual_points"], result["draft_points"], "{:,}"))
    before, after = result["actual_cost_minor"] / 100, result["draft_cost_minor"] / 100
    table.add_row(say("worth ¥", "价值 ¥"), *_changes(before, after, "{:,.2f}"))
    sales = max(1, result["sales_minor"] / 100)
    table.add_row(say("of sales %", "占销售额 %"), *_changes(100 * before / sales, 100 * after / sales, "{:.2f}"))
    outstanding = result["actual_outstanding_points"], result["draft_outstanding_points"]
    table.add_row(say("outstanding points", "未清积分"), *_changes(*outstanding, "{:,}"))
    liabilities = result.get("liabilities", [])
    table.add_row(say("owed ¥", "负债 ¥"), *_changes(*_owed(liabilities), "{:,.2f}"))
    console.print(table)
    console.print(_owed_by(memory, liabilities))
    gave = table_of(say("What each rule gives", "各规则积分"), say("rule", "规则"), say("points", "积分"))
    for rule in sorted(result.get("rules", []), key=lambda rule: -rule["points"]):
        gave.add_row(f"{rule['rule_id']} {rule['name_zh'] or rule['name']}", f"{rule['points']:,}")
    console.print(gave)
    who = table_of(
        say(
            f"{result['winning_member_count']:,} members gain, {result['losing_member_count']:,} lose",
            f"{result['winning_member_count']:,} 名会员增加，{result['losing_member_count']:,} 名减少",
        ),
        *(say("who", "对象"), say("as it was", "实际"), say("by the draft", "草稿"), say("change", "变化")),
    )
    member, shop = say("member", "会员"), say("store", "店铺")
    for kind, field in (
        (member, "member_winners"),
        (member, "member_losers"),
        (shop, "store_winners"),
        (shop, "store_losers"),
    ):
        for change in result.get(field, [])[:SHOWN]:
            name = names.get(change["id"], change["id"])
            who.add_row(f"{kind} {name}", *_changes(change["actual_points"], change["draft_points"], "{:,}"))
    console.print(who)
    if throttled_count := result.get("throttled_count", 0):
        console.print(
            say(
                f"{throttled_count:,} sales throttled as they were; when the draft itself would throttle is not known.",
                f"{throttled_count:,} 笔消费按当时的限流计算；草稿自身何时会限流无法得知。",
            ),
            highlight=False,
            soft_wrap=True,
        )
    sale_count, skipped = f"{result['sale_count']:,}", f"{result['skipped_count']:,}"
    approve = f"POST /v1/rule-drafts/{draft_id}:approve"
    console.print(
        say(
            f"{sale_count} sales; {skipped} on which a condition failed. A second person approves it with {approve}",
            f"共 {sale_count} 笔消费，其中 {skipped} 笔有条件无法计算。由另一人审批后生效：{approve}",
        ),
        highlight=False,
        soft_wrap=True,
    )


def _owed_by(memory: Memory, liabilities: list[dict[str, Any]]) -> Table:
    """Who pays for outstanding points and how much: the largest changes, and the others together."""
    names = {identifier: code for code, identifier in (memory.merchants | memory.units).items()}
    kinds = {
        "FUNDER_KIND_MERCHANT": say("merchant", "商户"),
        "FUNDER_KIND_BUSINESS_UNIT": say("unit", "业态"),
        "FUNDER_KIND_PLATFORM": say("platform", "平台"),
    }
    table = table_of(
        say("Who would owe it ¥", "由谁承担 ¥"),
        *(say("who", "对象"), say("as it was", "实际"), say("by the draft", "草稿"), say("change", "变化")),
    )

    ranked = sorted(liabilities, key=lambda each: -abs(each["draft_minor"] - each["actual_minor"]))
    for each in ranked[:SHOWN]:
        funder_id = each["funder_id"]
        name = f"{kinds[each['kind']]} {names.get(funder_id, funder_id)}".rstrip()
        table.add_row(name, *_changes(*_owed([each]), "{:,.2f}"))
    if others := ranked[SHOWN:]:
        name = say(f"{len(others)} others", f"其余 {len(others)} 个")
        table.add_row(name, *_changes(*_owed(others), "{:,.2f}"))
    return table


def _owed(liabilities: list[dict[str, Any]]) -> tuple[float, float]:
    """Yuan, as it is and by the draft."""
    return sum(each["actual_minor"] for each in liabilities) / 100, sum(
        each["draft_minor"] for each in liabilities
    ) / 100


def _changes(before: float, after: float, shape: str) -> list[str]:
    sign = "+" if after > before else ""
    return [shape.format(before), shape.format(after), sign + shape.format(after - before)]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(rules, name="rules")
