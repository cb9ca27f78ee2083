"""A service's part of a person's data, shown whole and taken away: huitong.common.v1.PersonalDataService.

A service says what it keeps (sections: a query each), what keeps a member from being erased, and how it erases. Its
table `erased_member` remembers who was: the fact that a member is erased puts the row there, in the order of all facts
about that member, so that no older fact can bring back what is taken away after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from grpc import StatusCode
from grpc.aio import ServicerContext as Context
from sqlalchemy import Column, DateTime, MetaData, Table, Uuid, text

from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from chassis.events import Fact
from chassis.ids import from_edge, to_edge
from chassis.pages import decode_token, encode_token, page_size
from chassis.rpc import caller
from huitong.common.v1 import personal_data_pb2 as pb
from huitong.common.v1 import personal_data_pb2_grpc
from huitong.common.v1.types_pb2 import Problem

# How long a call waits for the fact that makes it possible.
PATIENCE_SECONDS, PATIENCE_STEP_SECONDS = 2.0, 0.05


class ErasureNotTold(AppError):
    """The fact that the member is erased has not arrived yet; ask again."""

    code, reason = StatusCode.UNAVAILABLE, "ERASURE_NOT_TOLD"
    zh = "尚未收到会员已注销的通知，请稍后重试。"
    retry_after_ms = 1000


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of thing that is kept about a member.

    `query` selects it by :member_id and :group_id in an order that is always the same; a column is a name in the JSON.
    `convert` makes the object of a row where the row itself cannot be shown.
    """

    name: str
    query: str
    convert: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict


def erased_member_table(metadata: MetaData) -> Table:
    """Who was erased here: `done_time` is null while there is something left to do."""
    return Table(
        "erased_member",
        metadata,
        Column("member_id", Uuid, primary_key=True),
        Column("group_id", Uuid, nullable=False),
        Column("told_time", DateTime(timezone=True), nullable=False),
        Column("done_time", DateTime(timezone=True)),
    )


async def on_members_erased(tx: Tx, facts: Sequence[Fact[Any]]) -> None:
    """Remember who is to be erased; takes huitong.member.v1.MemberErased."""
    await tx.execute(
        text(
            """INSERT INTO erased_member (member_id, group_id, told_time)
               SELECT DISTINCT m, g, CAST(:now AS timestamptz)
               FROM unnest(CAST(:member_ids AS uuid[]), CAST(:group_ids AS uuid[])) AS told (m, g)
               ON CONFLICT DO NOTHING"""
        ),
        {
            "member_ids": [from_edge("mbr", fact.payload.member_id, "member_id") for fact in facts],
            "group_ids": [fact.group_id for fact in facts],
            "now": tx.now,
        },
    )


async def was_erased(tx: Tx, member_id: UUID) -> bool:
    """Whether the group's member is, or is being, erased."""
    return await _erasure(tx, member_id) is not None


async def _erasure(tx: Tx, member_id: UUID) -> Any:
    statement = text("SELECT done_time FROM erased_member WHERE member_id = :member_id AND group_id = :group_id")
    return (await tx.execute(statement, {"member_id": member_id, "group_id": tx.group_id})).one_or_none()


async def read_records(
    tx: Tx,
    sections: Sequence[Section],
    member_id: UUID,
    *,
    service: str,
    prefixes: Mapping[str, str],
    token: str,
    size: int,
    values: Mapping[str, Any] | None = None,
) -> tuple[list[pb.PersonalRecord], str]:
    """A page of a member's records, and the token of the next one, "" on the last.

    `prefixes` has the prefix of ids for each column that holds some, `values` what queries want besides the member.
    Raises InvalidArgument for a token of others.
    """
    number, offset = _position(token, len(sections))
    records: list[pb.PersonalRecord] = []
    while number < len(sections):
        wanted = size - len(records)
        section = sections[number]
        rows = (
            (
                await tx.execute(
                    text(f"{section.query} LIMIT :wanted_count OFFSET :seen_count"),
                    {
                        "member_id": member_id,
                        "group_id": tx.group_id,
                        "wanted_count": wanted + 1,
                        "seen_count": offset,
                        **(values or {}),
                    },
                )
            )
            .mappings()
            .all()
        )
        for row in rows[:wanted]:
            shown = section.convert(row)  # type: ignore[arg-type]
            records.append(pb.PersonalRecord(service=service, section=section.name, json=_json(shown, prefixes)))
        if len(rows) > wanted:
            return records, encode_token(number, offset + wanted)
        number, offset = number + 1, 0
    return records, ""


def _position(token: str, section_count: int) -> tuple[int, int]:
    if not token:
        return 0, 0
    number, offset = decode_token(token, 2)
    if not (number.isdecimal() and offset.isdecimal() and int(number) < section_count and int(offset) < 10**12):
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return int(number), int(offset)


def _json(row: Mapping[str, Any], prefixes: Mapping[str, str]) -> str:
    return orjson.dumps({name: _plain(value, prefixes.get(name)) for name, value in row.items()}).decode()


def _plain(value: Any, prefix: str | None) -> Any:
    if isinstance(value, UUID):
        return to_edge(prefix, value) if prefix else value.hex
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value)
    return value


def problem_of(error: AppError) -> Problem:
    """A refusal as a message."""
    return Problem(reason=error.reason, message=error.message, message_zh=error.message_zh, metadata=error.values)


class PersonalDataServicer(personal_data_pb2_grpc.PersonalDataServiceServicer):
    """What a service keeps about a member.

    `find_values` answers what sections want besides the member. `find_blockers` answers what keeps a member from being
    erased. `erase(group_id, member_id)` takes away what is
    personal; it may be called again after a crash, and raises a blocker that has come up meanwhile.
    """

    def __init__(
        self,
        db: Database,
        *,
        service: str,
        sections: Sequence[Section],
        prefixes: Mapping[str, str],
        find_blockers: Callable[[Tx, UUID], Awaitable[list[AppError]]],
        erase: Callable[[UUID, UUID], Awaitable[None]],
        find_values: Callable[[Tx, UUID], Awaitable[Mapping[str, Any]]] | None = None,
    ) -> None:
        self._db, self._service, self._sections, self._prefixes = db, service, sections, prefixes
        self._find_blockers, self._erase, self._find_values = find_blockers, erase, find_values

    async def ExportMember(self, request: pb.ExportMemberRequest, context: Context) -> pb.ExportMemberResponse:
        """See the proto."""
        member_id = from_edge("mbr", request.member_id, "member_id")
        async with self._db.reading(caller()) as tx:
            if await was_erased(tx, member_id):
                return pb.ExportMemberResponse()
            records, token = await read_records(
                tx,
                self._sections,
                member_id,
                service=self._service,
                prefixes=self._prefixes,
                token=request.page_token,
                size=page_size(request.page_size),
                values=await self._find_values(tx, member_id) if self._find_values else None,
            )
        return pb.ExportMemberResponse(records=records, next_page_token=token)

    async def CheckErasure(self, request: pb.CheckErasureRequest, context: Context) -> pb.CheckErasureResponse:
        """See the proto."""
        member_id = from_edge("mbr", request.member_id, "member_id")
        async with self._db.reading(caller()) as tx:
            blockers = await self._find_blockers(tx, member_id)
        return pb.CheckErasureResponse(blockers=map(problem_of, blockers))

    async def EraseMember(self, request: pb.EraseMemberRequest, context: Context) -> pb.EraseMemberResponse:
        """See the proto."""
        member_id = from_edge("mbr", request.member_id, "member_id")
        if not await self._wait_until_told(member_id):
            await self._erase(caller().group_id, member_id)
            async with self._db.transaction(caller()) as tx:
                await tx.execute(
                    text("UPDATE erased_member SET done_time = :now WHERE member_id = :member_id"),
                    {"now": tx.now, "member_id": member_id},
                )
        return pb.EraseMemberResponse()

    async def _wait_until_told(self, member_id: UUID) -> bool:
        """Whether it is done already. Raises ErasureNotTold."""
        clock = asyncio.get_running_loop().time
        give_up = clock() + PATIENCE_SECONDS
        while True:
            async with self._db.reading(caller()) as tx:
                row = await _erasure(tx, member_id)
            if row is not None:
                return row.done_time is not None
            if clock() > give_up:
                raise ErasureNotTold
            await asyncio.sleep(PATIENCE_STEP_SECONDS)
