"""`huitong sales import`: a hotel's folios, bills of offices and communities, a payment platform's notices, as a file.

Every row goes through the gateway's RecordSales as its source's sale. Its natural key (store, source, receipt number)
makes it count once: an import that broke off, or a file that overlaps the last one, is simply sent again.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from suite.errors import SuiteError, say
from suite.imports import (
    ColumnsMissing,
    KeyId,
    Report,
    Secret,
    Send,
    Url,
    console,
    fail,
    gateway,
    progress_bar,
    report_path,
    send_chunk,
)

sales = typer.Typer(no_args_is_help=True, help="Sales that come in as files.")
CHUNK = 500
REPORT_COLUMNS = ("row", "store_id", "receipt_no", "outcome", "points", "sale_id", "reason", "message")
_NUMBERS = ("amount_minor", "quantity")


@dataclass(slots=True)
class Row:
    """A sale of the file, or what is wrong with it, and later what became of it."""

    number: int  # of its first line in the file
    sale: dict[str, Any] = field(default_factory=dict)
    problem: str = ""
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def content(self) -> dict[str, Any]:
        """The sale."""
        return self.sale

    def report(self) -> dict[str, Any]:
        """A line of the report."""
        line: dict[str, Any] = dict.fromkeys(REPORT_COLUMNS, "")
        line |= {"row": self.number, "store_id": self.sale.get("store_id"), "receipt_no": self.sale.get("receipt_no")}
        if self.problem:
            return line | {"outcome": "refused", "reason": "ROW_INVALID", "message": self.problem}
        if problem := self.result.get("problem"):
            return line | {"outcome": "refused", "reason": problem.get("reason"), "message": problem.get("message")}
        recorded = self.result.get("recorded", {})
        outcome = "recorded before" if recorded.get("is_replay") else "recorded"
        if recorded.get("outcome") == "SALE_OUTCOME_DUPLICATE":
            return line | {"outcome": "duplicate", "points": 0, "sale_id": recorded.get("duplicate_of_sale_id")}
        if recorded.get("outcome") == "SALE_OUTCOME_WAITING":
            outcome += ", points wait"
        return line | {"outcome": outcome, "points": recorded.get("points", 0), "sale_id": recorded.get("sale_id")}


def read_rows(path: Path, source: str, currency_code: str) -> list[Row]:
    """The sales of a file: NDJSON (a RecordSaleRequest a line) or CSV (a sale line a row, see docs/sales-in.md).

    A bad row is a Row with a problem and does not hold up the others. Raises ColumnsMissing.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(_ndjson(file) if path.suffix in (".ndjson", ".jsonl") else _csv(path, file, currency_code))
    for row in rows:
        if not row.problem:
            row.sale["source"] = source
            # The same receipt has the same request id, whichever file it comes in.
            key = "\n".join((str(row.sale.get("store_id")), source, str(row.sale.get("receipt_no"))))
            row.sale["request_id"] = "import-" + hashlib.sha256(key.encode()).hexdigest()[:40]
    return rows


def _ndjson(file: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            sale = json.loads(line)
        except json.JSONDecodeError as error:
            yield Row(number, problem=str(error))
            continue
        yield Row(number, sale) if isinstance(sale, dict) else Row(number, problem="not an object")


def _csv(path: Path, file: Iterator[str], currency_code: str) -> Iterator[Row]:
    table = csv.DictReader(file)
    columns = set(table.fieldnames or ())
    missing = {"store_id", "receipt_no", "sale_time", "amount_minor"} - columns
    if not columns & {"member_id", "member_code"}:
        missing.add("member_id")
    if missing:
        raise ColumnsMissing(path=path, columns=", ".join(sorted(missing)))
    found: dict[tuple[str, str], Row] = {}
    for values in table:
        # Rows of one receipt are its lines.
        named = {name: values[name] for name in ("store_id", "receipt_no")}
        row = found.setdefault((values["store_id"], values["receipt_no"]), Row(table.line_num, named))
        try:
            _add_line(row.sale, values, currency_code)
        except (ValueError, TypeError) as error:
            row.problem = row.problem or str(error)
    yield from found.values()


def _add_line(sale: dict[str, Any], values: dict[str, str], currency_code: str) -> None:
    """Raises ValueError."""
    if datetime.fromisoformat(values["sale_time"]).tzinfo is None:
        raise ValueError(f"sale_time {values['sale_time']!r} has no zone")
    head = {name: values[name] for name in ("store_id", "receipt_no", "sale_time")}
    head |= {name: values[name] for name in ("member_id", "member_code") if values.get(name)}
    if "lines" not in sale:
        sale |= head | {"total": {"amount_minor": 0, "currency_code": currency_code}, "lines": []}
        if values.get("payment_id"):
            sale["origin"] = {name: values.get(name) or "" for name in ("payment_provider", "payment_id")}
    elif any(sale.get(name) != value for name, value in head.items()):
        raise ValueError("rows of one receipt differ in time or member")
    line: dict[str, Any] = {"line_no": len(sale["lines"]) + 1}
    line |= {name: int(values[name]) for name in _NUMBERS if values.get(name)}
    line |= {name: values[name] for name in ("category", "item_code") if values.get(name)}
    sale["lines"].append(line)
    sale["total"]["amount_minor"] += line["amount_minor"]


async def send_rows(rows: Sequence[Row], send: Send, *, done: Callable[[int], None] = lambda _: None) -> None:
    """Send what is valid in chunks and keep each row's result. A chunk that is refused as a whole is sent in halves."""
    valid = [row for row in rows if not row.problem]
    for start in range(0, len(valid), CHUNK):
        chunk = valid[start : start + CHUNK]
        await send_chunk(chunk, send)
        done(len(chunk))


def write_report(path: Path, rows: Sequence[Row]) -> Counter[str]:
    """A line for each sale. Answers how many of each outcome there are."""
    counts: Counter[str] = Counter()
    with path.open("w", encoding="utf-8", newline="") as file:
        report = csv.DictWriter(file, REPORT_COLUMNS)
        report.writeheader()
        for row in rows:
            line = row.report()
            counts[line["outcome"]] += 1
            report.writerow(line)
    return counts


@sales.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV or NDJSON: docs/sales-in.md", exists=True, dir_okay=False)],
    source: Annotated[str, typer.Option(help="what numbered the receipts: hotel-folio, office-bill, …")],
    key_id: KeyId = "",
    secret: Secret = "",
    url: Url = "",
    currency: Annotated[str, typer.Option(help="of a CSV file's amounts")] = "CNY",
    report: Report = None,
) -> None:
    """Record the sales of FILE; after a break send it again. Exit code 1: some were refused, see the report."""
    report = report_path(file, report)
    try:
        rows = read_rows(file, source, currency)
        asyncio.run(_import(url, key_id, secret, rows))
    except SuiteError as error:
        raise fail(error) from None
    counts = write_report(report, rows)
    for outcome, count in sorted(counts.items()):
        console.print(f"{count:,} {outcome}", highlight=False)
    console.print(say(f"Report: {report}", f"报告：{report}"), highlight=False, soft_wrap=True)
    raise typer.Exit(1 if counts["refused"] else 0)


async def _import(url: str, key_id: str, secret: str, rows: Sequence[Row]) -> None:
    async with gateway(url, key_id, secret) as (doors, key):

        async def send(chunk: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
            results: list[dict[str, Any]] = (await doors.post(key, "/v1/sales:batch", {"sales": chunk}))["results"]
            return results

        with progress_bar(say("sales", "消费"), sum(not row.problem for row in rows)) as done:
            await send_rows(rows, send, done=done)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(sales, name="sales")
