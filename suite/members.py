"""`huitong members import`: the member file of a hotel, an office or a community, brought under One ID.

Every row goes through the gateway's ImportMembers. The import's id comes from the unit, the kind and the file's name
and content, a row's from its place in it: an import that broke off is started again with the same file, and each row
answers what it answered first.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from suite.errors import SuiteError, say
from suite.imports import (
    ColumnsMissing,
    KeyId,
    Report,
    Secret,
    Url,
    console,
    fail,
    gateway,
    progress_bar,
    report_path,
    send_chunk,
)

members = typer.Typer(no_args_is_help=True, help="Member files that come in.")
# Calls under way at once. One at a time would leave the service idle while the file is read and answers are written.
IN_FLIGHT, MOST_ROWS, ENCODING = 4, 1_000, "utf-8-sig"
REPORT_COLUMNS = ("row", "number", "outcome", "member_id", "other_member_id", "reason", "message")


class Kind(StrEnum):
    """Whose file it is, and so what its numbers are."""

    hotel = "hotel"
    office = "office"
    community = "community"
    card = "card"


_SCHEMES = {Kind.hotel: "HOTEL_GUEST", Kind.office: "OFFICE_CARD", Kind.community: "HOUSEHOLD", Kind.card: "CARD"}
# Outcomes as they are told, in the order of the table, and whether somebody should look at such rows.
OUTCOMES = {
    "NEW": (("new members", "新会员"), False),
    "LINKED": (("known by phone, number added", "按手机号匹配，已关联编号"), False),
    "MATCHED": (("known by number", "按编号匹配"), False),
    "CONFLICT": (("conflict: number and phone are two members'", "冲突：编号与手机号属于两位会员"), True),
    "OTHER_PHONE": (("known by number, with another phone", "按编号匹配，但手机号不同"), True),
    "NO_PHONE": (("unknown, and no phone to join by", "未知且无手机号，无法入会"), True),
    "REFUSED": (("refused", "被拒绝"), True),
}


class NotInEncoding(SuiteError):
    """{path} is not {encoding}: give --encoding, gb18030 perhaps."""

    zh = "{path} 不是 {encoding} 编码：请用 --encoding 指定，例如 gb18030。"


class UnitUnknown(SuiteError):
    """The key's group has no business unit {unit}."""

    zh = "该密钥所属集团没有业务单元 {unit}。"


class OtherGroup(SuiteError):
    """The key is not of the group {group}: its unit {unit} is another one."""

    zh = "该密钥不属于集团 {group}：其业务单元 {unit} 不是同一个。"


@dataclass(slots=True)
class Row:
    """A person of the file, or what is wrong with the line, and later what became of it."""

    number: int  # of the line in the file, the head being 1
    content: dict[str, Any]
    problem: str = ""
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """A key of OUTCOMES."""
        if self.problem or "problem" in self.result:
            return "REFUSED"
        return str(self.result["outcome"]).removeprefix("IMPORT_OUTCOME_")

    def report(self) -> dict[str, Any]:
        """A line of the report."""
        problem = {"reason": "ROW_INVALID", "message": self.problem} if self.problem else self.result.get("problem", {})
        return {
            "row": self.number,
            "number": self.content.get("number", ""),
            "outcome": self.outcome.lower(),
            "member_id": self.result.get("member_id", ""),
            "other_member_id": self.result.get("other_member_id", ""),
            "reason": problem.get("reason", ""),
            "message": problem.get("message", ""),
        }


def read_rows(path: Path, country_code: str, encoding: str = ENCODING) -> Iterator[Row]:
    """The rows of a CSV file one after the other, however many there are.

    Columns: number, phone (may be empty; without + it is of `country_code`), and if there are any birth_month, level
    (of the unit's own card) and tags (separated by blanks). Raises ColumnsMissing.
    """
    with path.open(encoding=encoding, newline="") as file:
        table = csv.DictReader(file)
        if missing := {"number", "phone"} - set(table.fieldnames or ()):
            raise ColumnsMissing(path=path, columns=", ".join(sorted(missing)))
        for place, values in enumerate(table, 1):
            content: dict[str, Any] = {"request_id": f"row-{place:09d}", "number": (values["number"] or "").strip()}
            content["phone"] = _phone(values["phone"] or "", country_code)
            row = Row(table.line_num, content)
            month = (values.get("birth_month") or "").strip()
            if month.isascii() and month.isdigit():
                content["birth_month"] = int(month)
            elif month:
                row.problem = f"birth_month {month!r} is not a number"
            if level := (values.get("level") or "").strip():
                content["level"] = level
            if tags := (values.get("tags") or "").split():
                content["tags"] = tags
            yield row


def _phone(text: str, country_code: str) -> str:
    digits = "".join(character for character in text if character not in " -()")
    return f"+{country_code}{digits}" if digits and not digits.startswith("+") else digits


@dataclass(slots=True)
class File:
    """What is known of a file before it is sent."""

    sha256: str
    line_count: int

    @classmethod
    def of(cls, path: Path) -> File:
        """Read it once, in pieces."""
        digest, lines = hashlib.sha256(), 0
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
                lines += piece.count(b"\n")
        return cls(digest.hexdigest(), lines)


class Import:
    """One import: sends the rows of a file, some calls at once, and hands each back with its result, in order."""

    def __init__(self, doors: Any, key: Any, import_id: str, rows_a_call: int) -> None:
        self._doors, self._key, self._rows_a_call = doors, key, rows_a_call
        self._path = f"/v1/member-imports/{import_id}/rows"

    async def _send(self, contents: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        # Of this call only: what makes sending again safe is each row's own id.
        name = hashlib.sha256(f"{self._path}{contents[0]['request_id']}{len(contents)}".encode()).hexdigest()[:40]
        answer = await self._doors.post(self._key, self._path, {"request_id": name, "rows": list(contents)})
        results: list[dict[str, Any]] = answer["results"]
        return results

    async def _send_chunk(self, rows: list[Row]) -> list[Row]:
        if valid := [row for row in rows if not row.problem]:
            await send_chunk(valid, self._send)
        return rows

    async def run(self, rows: Iterator[Row], done: Any) -> None:
        """Send all; `done` is called with every chunk's rows, in the order of the file."""
        under_way: deque[asyncio.Task[list[Row]]] = deque()
        try:
            for chunk in _chunks(rows, self._rows_a_call):
                under_way.append(asyncio.create_task(self._send_chunk(chunk)))
                if len(under_way) >= IN_FLIGHT:
                    done(await under_way.popleft())
            while under_way:
                done(await under_way.popleft())
        finally:
            for task in under_way:
                task.cancel()


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    chunk: list[Row] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@members.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV: number, phone, birth_month, level, tags", exists=True, dir_okay=False)
    ],
    unit: Annotated[str, typer.Option(help="code of the business unit whose file it is")],
    kind: Annotated[
        Kind, typer.Option(help="what the file's numbers are: of guests, access cards, households, member cards")
    ],
    group: Annotated[str, typer.Option(help="code of the group, to be sure that the key is of it")] = "",
    key_id: KeyId = "",
    secret: Secret = "",
    url: Url = "",
    country_code: Annotated[str, typer.Option(help="of phones without +")] = "86",
    encoding: Annotated[str, typer.Option(help="of the file")] = ENCODING,
    rows_a_call: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="how many rows are sent at once")] = MOST_ROWS,
    report: Report = None,
) -> None:
    """Bring the members of FILE under One ID; after a break start it again with the same file. Exit code 1: some rows
    were refused. The report has the rows that somebody should look at."""
    report = report_path(file, report)
    try:
        options = {"group": group, "country_code": country_code, "encoding": encoding}
        sending = _import(url, key_id, secret, file, unit, kind, report, size=rows_a_call, **options)
        counts = asyncio.run(sending)
    except (UnicodeDecodeError, LookupError):
        raise fail(NotInEncoding(path=file, encoding=encoding)) from None
    except SuiteError as error:
        raise fail(error) from None
    table = Table(title=say("Members", "会员导入"), title_justify="left")
    table.add_column(say("outcome", "结果"))
    table.add_column(say("rows", "行数"), justify="right")
    for name, (label, _) in OUTCOMES.items():
        table.add_row(say(*label), f"{counts[name]:,}")
    console.print(table)
    console.print(say(f"To look at: {report}", f"待处理：{report}"), highlight=False, soft_wrap=True)
    raise typer.Exit(1 if counts["REFUSED"] else 0)


async def _import(
    url: str,
    key_id: str,
    secret: str,
    path: Path,
    unit: str,
    kind: Kind,
    report: Path,
    *,
    group: str = "",
    country_code: str = "86",
    encoding: str = ENCODING,
    size: int = MOST_ROWS,
) -> Counter[str]:
    """Answers how many rows had which outcome. Raises SuiteError."""
    known = File.of(path)
    counts: Counter[str] = Counter()
    rows = read_rows(path, country_code, encoding)
    async with gateway(url, key_id, secret) as (doors, key):
        unit_id = await _unit_id(doors, key, unit, group)
        name = hashlib.sha256(f"{unit_id}\n{kind}\n{country_code}\n{path.name}\n{known.sha256}".encode()).hexdigest()[
            :40
        ]
        begin = {"business_unit_id": unit_id, "scheme": f"NUMBER_SCHEME_{_SCHEMES[kind]}", "name": path.name[:200]}
        begun = await doors.post(key, "/v1/member-imports", {"request_id": f"import-{name}", **begin})
        with (
            report.open("w", encoding="utf-8", newline="") as out,
            progress_bar(say("members", "会员"), max(known.line_count - 1, 0)) as advance,
        ):
            writer = csv.DictWriter(out, REPORT_COLUMNS)
            writer.writeheader()

            def done(chunk: list[Row]) -> None:
                for row in chunk:
                    counts[row.outcome] += 1
                    if OUTCOMES[row.outcome][1]:
                        writer.writerow(row.report())
                advance(len(chunk))

            await Import(doors, key, begun["member_import"]["import_id"], size).run(rows, done)
    return counts


async def _unit_id(doors: Any, key: Any, unit: str, group: str) -> str:
    from chassis import ids

    units = await doors.pages(key, "/v1/business-units", "business_units")
    found = next((one["business_unit_id"] for one in units if one["code"] == unit), None)
    if found is None:
        raise UnitUnknown(unit=unit)
    # The id of a unit follows from the codes (docs/decisions/0001).
    if group and found != ids.to_edge("unt", ids.derive(ids.derive("group", group), "unit", unit)):
        raise OtherGroup(group=group, unit=unit)
    return str(found)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(members, name="members")
