"""TierProgramService: proto → plain values → operation → proto."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from grpc.aio import ServicerContext as Context

from chassis import pages
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from chassis.ids import from_edge, to_edge
from chassis.rpc import caller
from huitong.member.v1 import tiers_pb2, tiers_pb2_grpc
from huitong.org.v1 import org_pb2_grpc
from services.member import errors
from services.member.rules import is_plain
from services.member.tiers import convert, grants, ladders, matching, operations, recalculation, store
from services.member.tiers.grants import Grant, Match
from services.member.tiers.operations import date_message
from services.member.tiers.regrade import Recalculation
from services.member.units import check_unit


class TierProgramServicer(tiers_pb2_grpc.TierProgramServiceServicer):
    """The tier programme. `wake` makes a recalculation begin at once."""

    def __init__(
        self, db: Database, vault: Vault, structure: org_pb2_grpc.StructureServiceStub, wake: Callable[[], None]
    ) -> None:
        self._db, self._vault, self._structure, self._wake = db, vault, structure, wake

    async def ListTierLadders(
        self, request: tiers_pb2.ListTierLaddersRequest, context: Context
    ) -> tiers_pb2.ListTierLaddersResponse:
        """See the proto."""
        size = pages.page_size(request.page_size)
        before = _number(request.page_token)
        async with self._db.reading(caller()) as tx:
            in_force = (await store.get_ladder(tx)).version
            found = await ladders.list_ladders(tx, before_version=before, limit=size + 1)
        return tiers_pb2.ListTierLaddersResponse(
            ladders=[convert.ladder_message(one, version_in_force=in_force) for one in found[:size]],
            next_page_token=pages.encode_token(found[size - 1].version) if len(found) > size else "",
        )

    async def CancelTierLadder(
        self, request: tiers_pb2.CancelTierLadderRequest, context: Context
    ) -> tiers_pb2.CancelTierLadderResponse:
        """See the proto."""

        async def operation(tx: Tx) -> tiers_pb2.CancelTierLadderResponse:
            ladder = await operations.cancel_ladder(tx, request.version)
            before = convert.ladder_message(replace(ladder, is_cancelled=False), version_in_force=-1)
            tx.before = tiers_pb2.CancelTierLadderResponse(ladder=before)
            return tiers_pb2.CancelTierLadderResponse(ladder=convert.ladder_message(ladder, version_in_force=-1))

        return await self._db.run_once(request, tiers_pb2.CancelTierLadderResponse, operation)

    async def RecordGrowth(
        self, request: tiers_pb2.RecordGrowthRequest, context: Context
    ) -> tiers_pb2.RecordGrowthResponse:
        """See the proto."""
        member_id = from_edge("mbr", request.member_id, "member_id")
        _check_plain("reference", request.reference)

        async def operation(tx: Tx) -> tiers_pb2.RecordGrowthResponse:
            entry, is_repeated, tier_code = await operations.record_growth(
                tx, member_id=member_id, task_code=request.task_code, reference=request.reference
            )
            return tiers_pb2.RecordGrowthResponse(
                growth_id=to_edge("grw", entry.growth_id),
                growth=entry.growth,
                is_repeated=is_repeated,
                tier_code=tier_code,
            )

        return await self._db.run_once(request, tiers_pb2.RecordGrowthResponse, operation)

    async def ReverseGrowth(
        self, request: tiers_pb2.ReverseGrowthRequest, context: Context
    ) -> tiers_pb2.ReverseGrowthResponse:
        """See the proto."""
        growth_id = from_edge("grw", request.growth_id, "growth_id")

        async def operation(tx: Tx) -> tiers_pb2.ReverseGrowthResponse:
            entry = await operations.reverse_growth(tx, growth_id)
            return tiers_pb2.ReverseGrowthResponse(growth_id=to_edge("grw", entry.growth_id), growth=-entry.growth)

        return await self._db.run_once(request, tiers_pb2.ReverseGrowthResponse, operation)

    async def SetTierMatches(
        self, request: tiers_pb2.SetTierMatchesRequest, context: Context
    ) -> tiers_pb2.SetTierMatchesResponse:
        """See the proto."""
        unit_id = _unit_id(request.business_unit_id)
        await check_unit(self._structure, request.business_unit_id)
        matches = [Match(one.level, one.tier_code, one.months) for one in request.matches]
        for one in matches:
            _check_plain("matches.level", one.level)

        async def operation(tx: Tx) -> tiers_pb2.SetTierMatchesResponse:
            before = await grants.list_matches(tx, unit_id)
            tx.before = tiers_pb2.SetTierMatchesResponse(matches=map(_match_message, before))
            return tiers_pb2.SetTierMatchesResponse(
                matches=map(_match_message, await matching.set_matches(tx, unit_id, matches))
            )

        return await self._db.run_once(request, tiers_pb2.SetTierMatchesResponse, operation)

    async def ListTierMatches(
        self, request: tiers_pb2.ListTierMatchesRequest, context: Context
    ) -> tiers_pb2.ListTierMatchesResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            found = await grants.list_matches(tx, _unit_id(request.business_unit_id))
        return tiers_pb2.ListTierMatchesResponse(matches=map(_match_message, found))

    async def GrantTierMatch(
        self, request: tiers_pb2.GrantTierMatchRequest, context: Context
    ) -> tiers_pb2.GrantTierMatchResponse:
        """See the proto."""
        unit_id = _unit_id(request.business_unit_id)
        for field in ("number", "level"):
            _check_plain(field, getattr(request, field))

        async def operation(tx: Tx) -> tiers_pb2.GrantTierMatchResponse:
            earlier, grant = await matching.grant_by_number(
                tx, self._vault, unit_id=unit_id, scheme=request.scheme, number=request.number, level=request.level
            )
            tx.before = tiers_pb2.ListTierGrantsResponse(grants=map(_grant_message, earlier))
            return tiers_pb2.GrantTierMatchResponse(grant=_grant_message(grant))

        # The answer has no number, so it may be kept; the request is kept as a hash only.
        return await self._db.run_once(request, tiers_pb2.GrantTierMatchResponse, operation)

    async def ListTierGrants(
        self, request: tiers_pb2.ListTierGrantsRequest, context: Context
    ) -> tiers_pb2.ListTierGrantsResponse:
        """See the proto."""
        member_id = from_edge("mbr", request.member_id, "member_id")
        size = pages.page_size(request.page_size)
        before = None
        if request.page_token:
            seen, grant_id = pages.decode_token(request.page_token, 2)
            try:
                before = datetime.fromisoformat(seen), UUID(grant_id)
            except ValueError:
                raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None
        async with self._db.reading(caller()) as tx:
            if await store.find_standing(tx, member_id) is None:
                raise errors.MemberUnknown
            found = await grants.list_grants(tx, member_id, before=before, limit=size + 1)
        token = ""
        if len(found) > size:
            token = pages.encode_token(found[size - 1].create_time.isoformat(), found[size - 1].grant_id)
        return tiers_pb2.ListTierGrantsResponse(grants=map(_grant_message, found[:size]), next_page_token=token)

    async def StartTierRecalculation(
        self, request: tiers_pb2.StartTierRecalculationRequest, context: Context
    ) -> tiers_pb2.StartTierRecalculationResponse:
        """See the proto."""

        async def operation(tx: Tx) -> tiers_pb2.StartTierRecalculationResponse:
            started = await recalculation.start(tx, request_id=request.request_id, may_downgrade=request.may_downgrade)
            return tiers_pb2.StartTierRecalculationResponse(recalculation=_recalculation_message(started))

        answer = await self._db.run_once(request, tiers_pb2.StartTierRecalculationResponse, operation)
        self._wake()
        return answer

    async def GetTierRecalculation(
        self, request: tiers_pb2.GetTierRecalculationRequest, context: Context
    ) -> tiers_pb2.GetTierRecalculationResponse:
        """See the proto."""
        async with self._db.reading(caller()) as tx:
            found = await recalculation.get(tx, _recalculation_id(request.recalculation_id))
        return tiers_pb2.GetTierRecalculationResponse(recalculation=_recalculation_message(found))

    async def CancelTierRecalculation(
        self, request: tiers_pb2.CancelTierRecalculationRequest, context: Context
    ) -> tiers_pb2.CancelTierRecalculationResponse:
        """See the proto."""
        recalculation_id = _recalculation_id(request.recalculation_id)

        async def operation(tx: Tx) -> tiers_pb2.CancelTierRecalculationResponse:
            before, ended = await recalculation.cancel(tx, recalculation_id)
            tx.before = tiers_pb2.CancelTierRecalculationResponse(recalculation=_recalculation_message(before))
            return tiers_pb2.CancelTierRecalculationResponse(recalculation=_recalculation_message(ended))

        return await self._db.run_once(request, tiers_pb2.CancelTierRecalculationResponse, operation)


def _check_plain(field: str, text: str) -> None:
    if not is_plain(text):
        raise InvalidArgument([(field, "has control characters")])


def _unit_id(text: str) -> UUID:
    return from_edge("unt", text, "business_unit_id")


def _recalculation_id(text: str) -> UUID:
    return from_edge("trc", text, "recalculation_id")


def _number(token: str) -> int:
    if not token:
        return 2**31 - 1
    (text,) = pages.decode_token(token, 1)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return int(text)


def _match_message(one: Match) -> tiers_pb2.TierMatch:
    return tiers_pb2.TierMatch(level=one.level, tier_code=one.tier_code, months=one.months)


def _grant_message(grant: Grant) -> tiers_pb2.TierGrant:
    return tiers_pb2.TierGrant(
        grant_id=to_edge("tgr", grant.grant_id),
        member_id=to_edge("mbr", grant.member_id),
        business_unit_id=to_edge("unt", grant.unit_id),
        level=grant.level,
        tier_code=grant.tier_code,
        start_date=date_message(grant.start_date),
        end_date=date_message(grant.end_date),
        scheme=grant.scheme,  # type: ignore[arg-type]
        import_id=to_edge("imp", grant.import_id) if grant.import_id else "",
        import_row_id=grant.import_row_id or "",
        create_time=grant.create_time,
    )


def _recalculation_message(one: Recalculation) -> tiers_pb2.TierRecalculation:
    return tiers_pb2.TierRecalculation(
        recalculation_id=to_edge("trc", one.recalculation_id),
        state=one.state,  # type: ignore[arg-type]
        ladder_version=one.ladder_version,
        may_downgrade=one.may_downgrade,
        total_count=one.total_count,
        done_count=one.done_count,
        changed_count=one.changed_count,
        rate_per_second=one.rate_per_second,
        remaining_seconds=one.remaining_seconds,
        start_time=one.start_time,
        end_time=one.end_time,
    )
