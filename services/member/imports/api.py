"""MemberImportService: proto → plain values → operation → proto."""

from __future__ import annotations

from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis import ids, pages, rpc
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from chassis.rpc import caller
from huitong.member.v1 import imports_pb2, imports_pb2_grpc
from huitong.org.v1 import org_pb2_grpc
from services.member import convert, rules
from services.member.imports import operations, store
from services.member.imports.operations import Line
from services.member.imports.rules import Found
from services.member.imports.store import MemberImport
from services.member.units import check_unit

MOST_ROWS = 1_000


class MemberImportServicer(imports_pb2_grpc.MemberImportServiceServicer):
    """Imports of members."""

    def __init__(self, db: Database, vault: Vault, structure: org_pb2_grpc.StructureServiceStub) -> None:
        self._db, self._vault, self._structure = db, vault, structure

    async def CreateMemberImport(
        self, request: imports_pb2.CreateMemberImportRequest, context: Context
    ) -> imports_pb2.CreateMemberImportResponse:
        """See the proto."""
        unit_id = ids.from_edge("unt", request.business_unit_id, "business_unit_id")
        await check_unit(self._structure, request.business_unit_id)

        async def operation(tx: Tx) -> imports_pb2.CreateMemberImportResponse:
            new = await operations.create_import(
                tx, request_id=request.request_id, unit_id=unit_id, scheme=request.scheme, name=request.name
            )
            return imports_pb2.CreateMemberImportResponse(member_import=_message(new))

        return await self._db.run_once(request, imports_pb2.CreateMemberImportResponse, operation)

    async def ImportMembers(
        self, request: imports_pb2.ImportMembersRequest, context: Context
    ) -> imports_pb2.ImportMembersResponse:
        """See the proto."""
        import_id = _import_id(request.import_id)
        if not 1 <= len(request.rows) <= MOST_ROWS:
            raise InvalidArgument([("rows", f"must be 1 to {MOST_ROWS}")])
        answers: dict[int, Found | AppError] = {}
        lines: dict[int, Line] = {}
        for place, row in enumerate(request.rows):
            try:
                lines[place] = _line(row)
            except AppError as error:
                answers[place] = error
        async with self._db.transaction(caller()) as tx:
            found = await operations.import_lines(tx, self._vault, import_id, list(lines.values()))
        answers |= dict(zip(lines, found, strict=True))
        return imports_pb2.ImportMembersResponse(
            results=[_imported(row.request_id, answers[place]) for place, row in enumerate(request.rows)]
        )

    async def GetMemberImport(
        self, request: imports_pb2.GetMemberImportRequest, context: Context
    ) -> imports_pb2.GetMemberImportResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            of = await operations.get_import(tx, _import_id(request.import_id))
            counts = await store.count_rows(tx, of.import_id)
        return imports_pb2.GetMemberImportResponse(
            member_import=_message(of),
            counts=[
                imports_pb2.OutcomeCount(outcome=outcome, row_count=count)  # type: ignore[arg-type]
                for outcome, count in counts.items()
            ],
        )

    async def ListImportedMembers(
        self, request: imports_pb2.ListImportedMembersRequest, context: Context
    ) -> imports_pb2.ListImportedMembersResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        after = pages.decode_token(request.page_token, 1)[0] if request.page_token else ""
        async with self._db.reading(caller()) as tx:
            of = await operations.get_import(tx, _import_id(request.import_id))
            rows = await store.list_rows(tx, of.import_id, outcome=request.outcome, after=after, limit=size + 1)
        token = pages.encode_token(rows[size - 1].request_id) if len(rows) > size else ""
        return imports_pb2.ListImportedMembersResponse(
            rows=[_imported(row.request_id, row.found) for row in rows[:size]], next_page_token=token
        )


def _import_id(text: str) -> UUID:
    return ids.from_edge("imp", text, "import_id")


def _line(row: imports_pb2.MemberRow) -> Line:
    rpc.validate(row)
    for field in ("request_id", "number", "level"):
        if not rules.is_plain(getattr(row, field)):
            raise InvalidArgument([(field, "has control characters")])
    return Line(row.request_id, row.number, row.phone, row.birth_month, tuple(row.tags), row.level)


def _message(of: MemberImport) -> imports_pb2.MemberImport:
    message = imports_pb2.MemberImport(
        import_id=ids.to_edge("imp", of.import_id),
        business_unit_id=ids.to_edge("unt", of.unit_id),
        scheme=of.scheme,  # type: ignore[arg-type]
        name=of.name,
    )
    message.create_time.FromDatetime(of.create_time)
    return message


def _imported(request_id: str, answer: Found | AppError) -> imports_pb2.ImportedMember:
    if isinstance(answer, AppError):
        return imports_pb2.ImportedMember(request_id=request_id, problem=answer.to_problem())
    return imports_pb2.ImportedMember(
        request_id=request_id,
        outcome=int(answer.outcome),  # type: ignore[arg-type]
        member_id=convert.member_edge(answer.member_id) if answer.member_id else "",
        other_member_id=convert.member_edge(answer.other_id) if answer.other_id else "",
    )
