"""MemberService: proto → plain values → operation → proto."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis import rpc
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from chassis.identity import CallerKind
from chassis.ids import from_edge, to_edge
from chassis.rpc import caller
from chassis.times import is_time_zone
from huitong.member.v1 import member_pb2, member_pb2_grpc
from huitong.org.v1 import org_pb2, org_pb2_grpc
from huitong.parking.v1 import parking_pb2, parking_pb2_grpc
from services.member import convert, operations, rules
from services.member.risk.gate import Entrant, JoinGate
from services.member.risk.operations import note_device
from services.member.rules import Joined, JoinLine

# Stores of a batch that org is asked about at once.
_ASKED_AT_ONCE = 16
# Who may use a code up: services for what they spend, and the group's own system, which spends without codes anyway.
_SPENDERS = {CallerKind.INTERNAL, CallerKind.SYSTEM}


class MemberServicer(member_pb2_grpc.MemberServiceServicer):
    """Members and how they are found."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        structure: org_pb2_grpc.StructureServiceStub,
        vehicles: parking_pb2_grpc.VehicleServiceStub,
        gate: JoinGate,
    ) -> None:
        self._db, self._vault, self._structure, self._vehicles, self._gate = db, vault, structure, vehicles, gate

    async def JoinMember(
        self, request: member_pb2.JoinMemberRequest, context: Context
    ) -> member_pb2.JoinMemberResponse:
        """See the proto."""
        (outcome,) = await self._join([request])
        if isinstance(outcome, AppError):
            raise outcome
        return _joined_message(outcome)

    async def JoinMembers(
        self, request: member_pb2.JoinMembersRequest, context: Context
    ) -> member_pb2.JoinMembersResponse:
        """See the proto."""
        outcomes = await self._join(request.members)
        return _join_results(outcomes)

    async def GetMember(self, request: member_pb2.GetMemberRequest, context: Context) -> member_pb2.GetMemberResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)
        async with self._db.reading(caller()) as tx:
            member = await operations.get_member(tx, self._vault, member_id)
        return member_pb2.GetMemberResponse(member=convert.member_message(member))

    async def IdentifyMember(
        self, request: member_pb2.IdentifyMemberRequest, context: Context
    ) -> member_pb2.IdentifyMemberResponse:
        """See the proto."""
        if not rules.is_plain(request.spend_request_id):
            raise InvalidArgument([("spend_request_id", "has control characters")])
        if request.spend_request_id and caller().kind not in _SPENDERS:
            # Else a code that was shown to look could be kept for a purchase of later.
            raise InvalidArgument([("spend_request_id", "is for those who spend: what spends takes the code itself")])
        kind = request.WhichOneof("identity")
        owner_id = await self._owner_of(request.plate_no) if kind == "plate_no" else None
        is_spending = kind == "member_code" and bool(request.spend_request_id)
        # Only a code that is used up is written down; all else reads.
        opened = self._db.transaction(caller()) if is_spending else self._db.reading(caller())
        async with opened as tx:
            if kind == "phone":
                found = await operations.identify_by_phone(tx, self._vault, request.phone)
            elif kind == "card_no":
                found = await operations.identify_by_card(tx, request.card_no)
            elif kind == "unit_number":
                found = await self._identify_by_number(tx, request.unit_number)
            elif kind == "plate_no":
                found = await operations.identify_owner(tx, owner_id)
            else:
                found = await operations.identify_by_code(
                    tx,
                    self._vault,
                    request.member_code,
                    spend_request_id=request.spend_request_id,
                    real_time_s=time.time(),
                )
        return member_pb2.IdentifyMemberResponse(
            member_id=convert.member_edge(found.member_id), tier_code=found.tier_code, may_spend=found.may_spend
        )

    async def GetMemberCode(
        self, request: member_pb2.GetMemberCodeRequest, context: Context
    ) -> member_pb2.GetMemberCodeResponse:
        """See the proto."""
        member_id = convert.member_id_of(request.member_id)
        async with self._db.reading(caller()) as tx:
            code, step = await operations.show_code(tx, self._vault, member_id, real_time_s=time.time())
        response = member_pb2.GetMemberCodeResponse(member_code=code)
        response.expire_time.FromDatetime(rules.expire_time_of(step))
        return response

    async def GetMemberCodeSeed(
        self, request: member_pb2.GetMemberCodeSeedRequest, context: Context
    ) -> member_pb2.GetMemberCodeSeedResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            member_no, seed = await operations.code_seed(tx, self._vault, convert.member_id_of(request.member_id))
        return member_pb2.GetMemberCodeSeedResponse(
            member_no=member_no,
            seed=seed.hex(),
            step_seconds=rules.STEP_SECONDS,
            first_serial=rules.PHONE_SERIALS[0],
            last_serial=rules.PHONE_SERIALS[-1],
        )

    async def _join(self, requests: Sequence[member_pb2.JoinMemberRequest]) -> list[Joined | AppError]:
        """Outcomes in the order of the requests; a bad line holds up no other."""
        outcomes: dict[int, Joined | AppError] = {}
        lines: dict[int, JoinLine] = {}
        for place, request in enumerate(requests):
            try:
                lines[place] = _join_line(request)
            except AppError as error:
                outcomes[place] = error
        problems = await self._store_problems({line.store_id for line in lines.values() if line.store_id})
        for place, line in list(lines.items()):
            if line.store_id in problems:
                outcomes[place] = problems[line.store_id]
                del lines[place]
        entrants = [Entrant(line.phone, line.device_id) for line in lines.values()]
        refusals = await self._gate.admit(caller(), caller(), entrants) if lines else []
        for place, refusal in zip(list(lines), refusals, strict=True):
            if refusal is not None:
                outcomes[place] = refusal
                del lines[place]
        if lines:
            async with self._db.transaction(caller()) as tx:
                joined = await operations.join_members(tx, self._vault, list(lines.values()))
                for line, one in zip(lines.values(), joined, strict=True):
                    if isinstance(one, Joined):
                        await note_device(tx, self._vault, one.member.member_id, line.device_id)
                if tx.caller.kind is CallerKind.OPERATOR:
                    tx.after = _join_results(joined)
            outcomes |= dict(zip(lines, joined, strict=True))
        return [outcomes[place] for place in range(len(requests))]

    async def _identify_by_number(self, tx: Tx, own: member_pb2.UnitNumber) -> operations.Identified:
        if not rules.is_plain(own.number):
            raise InvalidArgument([("unit_number.number", "has control characters")])
        unit_id = from_edge("unt", own.business_unit_id, "unit_number.business_unit_id")
        return await operations.identify_by_unit_number(
            tx, self._vault, unit_id=unit_id, scheme=own.scheme, number=own.number
        )

    async def _owner_of(self, plate_no: str) -> UUID | None:
        """Parking knows plates and their owners, and nobody else keeps them."""
        request = parking_pb2.GetPlateOwnerRequest(plate_no=plate_no)
        owner = await rpc.call(self._vehicles.GetPlateOwner, request)
        return convert.member_id_of(owner.member_id) if owner.member_id else None

    async def _store_problems(self, store_ids: set[UUID]) -> dict[UUID, AppError]:
        """What is wrong with which store; one that we have no copy of is asked for once."""
        if not store_ids or caller().kind is CallerKind.TERMINAL:
            return {}  # a terminal is bound to its own store
        async with self._db.reading(caller()) as tx:
            unknown = await operations.unknown_stores(tx, store_ids)
        turn = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def ask(store_id: UUID) -> AppError | None:
            async with turn:
                try:
                    request = org_pb2.GetStoreRequest(store_id=to_edge("sto", store_id))
                    await rpc.call(self._structure.GetStore, request)
                except AppError as error:
                    return error
            return None

        asked = sorted(unknown)
        answers = await asyncio.gather(*map(ask, asked))
        return {store_id: error for store_id, error in zip(asked, answers, strict=True) if error}


def _join_line(request: member_pb2.JoinMemberRequest) -> JoinLine:
    for field in ("request_id", "device_id"):
        if not rules.is_plain(getattr(request, field)):
            raise InvalidArgument([(field, "has control characters")])
    store_id = from_edge("sto", request.store_id, "store_id") if request.store_id else None
    if request.time_zone and not is_time_zone(request.time_zone):
        raise InvalidArgument([("time_zone", "is not an IANA time zone")])
    return JoinLine(
        request.request_id, request.phone, store_id, request.birth_month, request.time_zone, request.device_id
    )


def _join_results(outcomes: Iterable[Joined | AppError]) -> member_pb2.JoinMembersResponse:
    return member_pb2.JoinMembersResponse(
        results=[
            member_pb2.JoinMembersResult(problem=outcome.to_problem())
            if isinstance(outcome, AppError)
            else member_pb2.JoinMembersResult(joined=_joined_message(outcome))
            for outcome in outcomes
        ]
    )


def _joined_message(joined: Joined) -> member_pb2.JoinMemberResponse:
    return member_pb2.JoinMemberResponse(member=convert.member_message(joined.member), is_new=joined.is_new)
