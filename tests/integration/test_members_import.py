"""`huitong members import` through a real gateway: thousands of rows, killed halfway, started again, and the report.

`make nightly` brings in 300,000.
"""

from __future__ import annotations

import asyncio
import csv
import os
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis import ids
from huitong.member.v1 import imports_pb2
from suite.cli import app as huitong
from tests.integration.test_sales_import import Mall, mall  # noqa: F401  the fixture

ROWS = int(os.environ.get("HUITONG_IMPORT_ROWS", "5000"))


def write(path: Path, lines: list[str], head: str = "number,phone,birth_month") -> Path:
    path.write_text("\n".join([head, *lines, ""]), encoding="utf-8")
    return path


def environment(place: Mall) -> dict[str, str]:
    return {"HUITONG_IMPORT_KEY_ID": place.outside.key_id, "HUITONG_IMPORT_SECRET": place.outside.secret, "LANG": "C"}


def command(file: Path, place: Mall, *more: str) -> list[str]:
    return ["members", "import", str(file), "--unit", "HOTEL", "--kind", "hotel", "--url", place.url, *more]


async def run(place: Mall, file: Path, *more: str) -> tuple[int, str, list[dict[str, str]]]:
    result = await asyncio.to_thread(CliRunner().invoke, huitong, command(file, place, *more), env=environment(place))
    report = file.with_name(f"{file.name}.report.csv")
    lines = list(csv.DictReader(report.open(encoding="utf-8"))) if report.exists() else []
    return result.exit_code, result.output, lines


def counts(output: str) -> dict[str, int]:
    """The table's rows by the first word of their outcome."""
    cells = [[cell.strip() for cell in line.strip("│┃ ").split("│")] for line in output.splitlines() if "│" in line]
    return {label: int(number.replace(",", "")) for label, number in cells}


async def test_thousands_of_members_come_in_once_though_the_command_is_killed(
    mall: Mall,  # noqa: F811
    tmp_path: Path,
) -> None:
    # Two phones are members' already; two rows are one person; one has no phone, one a bad month, one a bad phone.
    lines = [f"G{n:05d},1390{n:07d},{n % 12 + 1}" for n in range(ROWS - 6)]
    lines += ["A1,13800000010,", "A2,+86 138-0000-0011,", "A1,13800000010,", "N1,,", "N2,13900000000,x", "N3,12,"]
    file = write(tmp_path / "guests.csv", lines)
    database = mall.members_database
    program = [sys.executable, "-m", "suite.cli", *command(file, mall, "--rows-a-call", "50")]
    killed = await asyncio.create_subprocess_exec(*program, env={**os.environ, **environment(mall)})
    counted, people = (f"SELECT count(*) FROM {table}" for table in ("member_import_row", "member"))
    before = await database.pool.fetchval(people)
    while await database.pool.fetchval(counted) < ROWS // 3:
        await asyncio.sleep(0.01)
    killed.kill()
    await killed.wait()
    done = await database.pool.fetchval(counted)
    assert ROWS // 3 <= done < ROWS - 2, "killed halfway"

    code, output, report = await run(mall, file, "--group", mall.group_code)
    assert (code, counts(output)) == (
        1,
        {
            "new members": ROWS - 6, "known by phone, number added": 2, "known by number": 1,
            "conflict: number and phone are two members'": 0, "known by number, with another phone": 0,
            "unknown, and no phone to join by": 1, "refused": 2,
        },
    )  # fmt: skip
    assert [(line["row"], line["number"], line["outcome"], line["reason"]) for line in report] == [
        (str(ROWS - 1), "N1", "no_phone", ""),
        (str(ROWS), "N2", "refused", "ROW_INVALID"),
        (str(ROWS + 1), "N3", "refused", "INVALID_ARGUMENT"),
    ]
    assert await database.pool.fetchval("SELECT count(DISTINCT import_id) FROM member_import_row") == 1
    assert await database.pool.fetchval(people) == before + ROWS - 6
    # Once more changes nothing, and answers the same.
    again = await run(mall, file, "--group", mall.group_code)
    assert (again[0], counts(again[1]), again[2]) == (code, counts(output), report)
    assert await database.pool.fetchval(people) == before + ROWS - 6

    # The next file has somebody's number with another's phone, and with nobody's.
    second = write(tmp_path / "later.csv", ["A1,13800000011", "A2,13911111111", "G00007,13900000007"], "number,phone")
    code, output, report = await run(mall, second)
    assert code == 0 and counts(output)["known by number"] == 1
    first, other = mall.members
    assert [(line["outcome"], line["member_id"], line["other_member_id"]) for line in report] == [
        ("conflict", first, other),
        ("other_phone", other, ""),
    ]


async def test_levels_and_tags_of_a_file_are_the_members(mall: Mall, tmp_path: Path) -> None:  # noqa: F811
    outside, pool = mall.outside, mall.members_database.pool
    (unit,) = (await outside.done("GET", "/v1/business-units"))["business_units"]
    tiers = [
        {"code": code, "name": code, "min_growth": growth, "earn_multiplier_bps": 10000}
        for code, growth in (("BASIC", 0), ("GOLD", 2000))
    ]
    await outside.done("POST", "/v1/tier-ladder", tiers=tiers)
    matches = [{"level": "PLATINUM 白金", "tier_code": "GOLD", "months": 12}]
    path = f"/v1/business-units/{unit['business_unit_id']}/tier-matches"
    await outside.done("POST", path, matches=matches)
    head = "tags,number,level,phone,room"
    lines = [
        "VIP  TENANT_2026,L1, PLATINUM 白金 ,13911110001,1204",
        ",L2,SILVER,13911110002,1205",  # a level that nobody knows of
        "VIP,L3,,13911110003,",
        "vip,L4,PLATINUM 白金,13911110004,",  # no tag
        "VIP,L1,,13911110001,",  # once more
    ]
    code, output, report = await run(mall, write(tmp_path / "levels.csv", lines, head), "--kind", "card")
    assert (code, counts(output)["new members"], counts(output)["known by number"]) == (1, 3, 1)
    assert [(line["row"], line["reason"]) for line in report] == [("5", "INVALID_ARGUMENT")]
    found = {}
    for number in range(1, 4):
        who = (await outside.done("POST", "/v1/members", phone=f"+8613911110{number:03}"))["member"]
        tags = await pool.fetch(
            "SELECT tag FROM member_tag WHERE member_id = $1 ORDER BY tag", ids.from_edge("mbr", who["member_id"], "")
        )
        found[number] = who["tier_code"], [row["tag"] for row in tags]
    assert found == {1: ("GOLD", ["TENANT_2026", "VIP"]), 2: ("BASIC", []), 3: ("BASIC", ["VIP"])}
    granted = await pool.fetch("SELECT level, scheme FROM tier_grant")
    assert [tuple(row) for row in granted] == [("PLATINUM 白金", imports_pb2.NUMBER_SCHEME_CARD)]


async def test_what_the_command_cannot_do_is_said_before_anything_is_sent(
    mall: Mall,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = write(tmp_path / "few.csv", ["N1,13800000099"], "number,phone")
    for more, problem in (
        (("--unit", "NOWHERE"), "no business unit NOWHERE"),
        (("--group", "another"), "not of the group another"),
        (("--key-id", ""), "HUITONG_IMPORT_SECRET"),
    ):
        result = await run(mall, file, *more)
        assert result[0] == 1 and problem in result[1]
    assert "lacks the columns phone" in (await run(mall, write(tmp_path / "short.csv", ["N1"], "number")))[1]
    (tmp_path / "gbk.csv").write_bytes("number,phone,name\nN1,13800000098,张三\n".encode("gb18030"))
    assert "is not utf-8-sig" in (await run(mall, tmp_path / "gbk.csv"))[1]
    assert (await run(mall, tmp_path / "gbk.csv", "--encoding", "gb18030"))[0] == 0
