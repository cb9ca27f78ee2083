"""`huitong members export`: a person's whole data, from every service, in one file."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar
from uuid import UUID

import typer
from rich.console import Console

from chassis import ids
from chassis.config import Settings
from chassis.errors import AppError
from huitong.member.v1 import member_pb2, member_pb2_grpc, privacy_pb2, privacy_pb2_grpc
from suite.errors import SuiteError, say
from suite.home import Home, default_home
from suite.inside import Inside, running_settings

PAGE_SIZE = 200


class ExportFailed(SuiteError):
    """Nothing was written: {problem} ({reason})"""

    zh: ClassVar[str] = "未写入文件：{problem}（{reason}）"


async def find_member(inside: Inside, group_id: UUID, wanted: str) -> str:
    """The member id behind an id, a phone (+86…) or a card number. Raises AppError."""
    if wanted.startswith("mbr_"):
        return wanted
    stub = member_pb2_grpc.MemberServiceStub(inside.channel("member"))
    is_phone = wanted.startswith("+")
    request = member_pb2.IdentifyMemberRequest(**{"phone" if is_phone else "card_no": wanted})  # type: ignore[arg-type]
    found: str = (await inside.call(stub.IdentifyMember, request, group_id=group_id)).member_id
    return found


async def collect(inside: Inside, group_id: UUID, member_id: str) -> list[dict[str, Any]]:
    """All sections of all services: {service, section, member_id, records}; of merged members one for each id.

    Raises AppError; half of it is never answered.
    """
    sections: dict[tuple[str, str, str], list[Any]] = {}
    async for record in _records(inside, group_id, member_id):
        key = record.service, record.section, record.member_id
        sections.setdefault(key, []).append(json.loads(record.json))
    return [
        {"service": service, "section": section, "member_id": whose, "records": records}
        for (service, section, whose), records in sections.items()
    ]


async def _records(inside: Inside, group_id: UUID, member_id: str) -> AsyncIterator[Any]:
    stub = privacy_pb2_grpc.PrivacyServiceStub(inside.channel("member"))
    token = ""
    while True:
        request = privacy_pb2.ExportMemberDataRequest(member_id=member_id, page_size=PAGE_SIZE, page_token=token)
        page = await inside.call(stub.ExportMemberData, request, group_id=group_id, timeout_s=30.0)
        for record in page.records:
            yield record
        token = page.next_page_token
        if not token:
            return


async def export_member(config: Settings, *, group_code: str, member: str, path: Path) -> int:
    """Write the file and answer how many records are in it. It is there whole or not at all. Raises ExportFailed."""
    inside = Inside(config, services=["member"])
    group_id = ids.derive("group", group_code)
    try:
        member_id = await find_member(inside, group_id, member)
        sections = await collect(inside, group_id, member_id)
    except AppError as error:
        raise ExportFailed(problem=say(error.message, error.message_zh), reason=error.reason) from None
    finally:
        await inside.close()
    document = {
        "group": group_code,
        "member_id": member_id,
        "export_time": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "sections": sections,
    }
    try:
        _write_whole(path, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise ExportFailed(problem=f"{path}: {error.strerror}", reason="FILE") from None
    return sum(len(section["records"]) for section in sections)


def _write_whole(path: Path, text: str) -> None:
    """Readable by its owner only; takes its name once everything is in it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def export(
    group: Annotated[str, typer.Option("--group", help="code of the group")],
    member: Annotated[str, typer.Option("--member", help="member id (mbr_…), phone (+86…) or card number")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the file to write")] = Path("member.json"),
) -> None:
    """Write everything that all services keep about a person into one JSON file. Exit code 1 when it is not whole."""
    console = Console()
    try:
        config = running_settings(Home(default_home()))
        count = asyncio.run(export_member(config, group_code=group, member=member, path=output))
    except SuiteError as error:
        console.print(f"[bold red]{say('Error', '错误')}:[/] {error}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    line = say(f"Wrote {count} records to {output}.", f"已将 {count} 条记录写入 {output}。")
    console.print(line, highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the command to the group `members`, which may be there already."""
    known = [group.typer_instance for group in app.registered_groups if group.name == "members"]
    members = known[0] if known and known[0] is not None else None
    if members is None:
        members = typer.Typer(no_args_is_help=True, help=say("The group's members.", "集团会员。"))
        app.add_typer(members, name="members")
    members.command("export")(export)
