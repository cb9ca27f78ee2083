"""Sales whose points wait: confirming events, doubtful pairs, suspicious earning, and what is decided about them.

A decision is committed first, with all cases of the sale locked, and is final; then the ledger unlocks the lot or
takes its points back, under ids made of the sale. So whatever breaks in between, a retry or the job only has to ask
the ledger again. The lot unlocks when the last of what held it is over: each decision tells the ledger until when what
is still open may hold it, and the ledger only ever brings that forward.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import RowMapping, text

from chassis import ids
from chassis.db import Database, Tx
from chassis.errors import Internal, InvalidArgument, Unavailable
from chassis.jobs import Rows
from chassis.pages import decode_token
from huitong.points.v1 import points_pb2
from huitong.points.v1 import sale_cases_pb2 as pb
from services.points import queries
from services.points.convert import optional_edge, request_hash, to_timestamp
from services.points.doors import queries as door_queries
from services.points.doors.operations import CONFIRMATION, REMEMBERED
from services.points.earning.awards import Awards
from services.points.earning.earning import DEFAULT_SOURCE, sale_id_of
from services.points.errors import SaleCaseDecided, SaleCaseUnknown, SaleNotAwaited, SaleUnknown
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import Lookup
from services.points.merging.operations import Merges
from services.points.refunds import STALE_ATTEMPTS, prepare_refund

CHUNK = 100
OPEN, RELEASED, REJECTED = (
    int(state) for state in (pb.SALE_CASE_STATE_OPEN, pb.SALE_CASE_STATE_RELEASED, pb.SALE_CASE_STATE_REJECTED)
)
_NOTHING = Outcome(Status.NOTHING)


class SaleCases:
    """Decisions, and what the ledger makes of them."""

    def __init__(self, database: Database, lookup: Lookup, ledger: Ledger, merges: Merges) -> None:
        self._db, self._lookup, self._ledger = database, lookup, ledger
        self._awards, self._merges = Awards(database, ledger, merges), merges

    async def confirm(self, group_id: UUID, request: pb.ConfirmSaleRequest) -> pb.ConfirmSaleResponse:
        """The event has come. Raises StoreUnknown, SaleUnknown, SaleCaseDecided, RequestIdReused, Unavailable."""
        sale_id, wallet_id = await self._find(group_id, request)

        async def decide(tx: Tx) -> pb.ConfirmSaleResponse:
            await _decide(tx, sale_id, kind=CONFIRMATION, state=RELEASED, note="", if_unknown=None)
            return pb.ConfirmSaleResponse(sale_id=ids.to_edge("txn", sale_id), member_id=ids.to_edge("mbr", wallet_id))

        await self._db.run_once(request, pb.ConfirmSaleResponse, decide)
        outcome = await self._apply(group_id, wallet_id, sale_id)
        unlock_time = await door_queries.find_unlock_time(self._db.pool, wallet_id, sale_id)
        return pb.ConfirmSaleResponse(
            sale_id=ids.to_edge("txn", sale_id),
            member_id=ids.to_edge("mbr", wallet_id),
            activated_points=outcome.points,
            unlock_time=to_timestamp(unlock_time),
        )

    async def reject(self, group_id: UUID, request: pb.RejectSaleRequest) -> pb.RejectSaleResponse:
        """The event will not come.

        Raises: StoreUnknown, SaleUnknown, SaleNotAwaited, SaleCaseDecided, RequestIdReused, Unavailable.
        """
        sale_id, wallet_id = await self._find(group_id, request)

        async def decide(tx: Tx) -> pb.RejectSaleResponse:
            unknown = SaleNotAwaited(receipt_no=request.receipt_no)
            await _decide(tx, sale_id, kind=CONFIRMATION, state=REJECTED, note=request.note, if_unknown=unknown)
            return pb.RejectSaleResponse(sale_id=ids.to_edge("txn", sale_id), member_id=ids.to_edge("mbr", wallet_id))

        await self._db.run_once(request, pb.RejectSaleResponse, decide)
        outcome = await self._apply(group_id, wallet_id, sale_id)
        return pb.RejectSaleResponse(
            sale_id=ids.to_edge("txn", sale_id),
            member_id=ids.to_edge("mbr", wallet_id),
            clawed_back_points=outcome.points,
            debt_points=outcome.debt_points,
        )

    async def decide(self, group_id: UUID, request: pb.DecideSaleCaseRequest) -> pb.DecideSaleCaseResponse:
        """Decide a case. Raises SaleCaseUnknown, SaleCaseDecided, SaleUnknown, RequestIdReused, Unavailable."""
        case_id = ids.from_edge("cas", request.case_id, "case_id")
        unit_id = ids.optional_from_edge("unt", request.business_unit_id, "business_unit_id")
        row = await door_queries.find_case(self._db.pool, group_id, case_id)
        if row is None or (unit_id and not await door_queries.is_of_unit(self._db.pool, case_id, unit_id)):
            raise SaleCaseUnknown(case_id=request.case_id)
        wallet_id, sale_id = row["wallet_id"], row["sale_id"]
        if await queries.find_sale(self._db.pool, wallet_id, sale_id, sale_id) is None:
            raise SaleUnknown(sale=ids.to_edge("txn", sale_id))
        state = RELEASED if request.decision == pb.SALE_CASE_DECISION_RELEASE else REJECTED

        async def decide(tx: Tx) -> pb.DecideSaleCaseResponse:
            unknown = SaleCaseUnknown(case_id=request.case_id)
            await _decide(tx, sale_id, kind=row["kind"], state=state, note=request.note, if_unknown=unknown)
            return pb.DecideSaleCaseResponse()

        await self._db.run_once(request, pb.DecideSaleCaseResponse, decide)
        outcome = await self._apply(group_id, wallet_id, sale_id)
        is_release = state == RELEASED
        return pb.DecideSaleCaseResponse(
            sale_case=to_message(await door_queries.find_case(self._db.pool, group_id, case_id)),
            activated_points=outcome.points if is_release else 0,
            clawed_back_points=0 if is_release else outcome.points,
            debt_points=0 if is_release else outcome.debt_points,
        )

    async def finish(self, now: datetime) -> None:
        """Do what was decided and, after a crash, never reached the ledger or was not marked."""
        run = Rows("points-sale-cases")
        after: tuple[datetime, UUID] | None = None
        while rows := await door_queries.list_decided(self._db.pool, after=after, limit=CHUNK):
            for row in rows:
                with run.row(case_id=row["case_id"]):
                    await self._apply(row["group_id"], row["wallet_id"], row["sale_id"])
            after = (rows[-1]["decide_time"], rows[-1]["case_id"])
        run.end()

    async def forget(self, now: datetime) -> None:
        """Sales that no window reaches any more are compared with nothing."""
        await door_queries.forget_seen(self._db.pool, now - REMEMBERED)

    async def _find(self, group_id: UUID, request: Message) -> tuple[UUID, UUID]:
        """The sale of a natural key, and its wallet."""
        store_id = ids.from_edge("sto", request.store_id, "store_id")  # type: ignore[attr-defined]
        request.source = request.source or DEFAULT_SOURCE  # type: ignore[attr-defined]
        receipt_no: str = request.receipt_no  # type: ignore[attr-defined]
        await self._lookup.store(group_id, store_id)
        sale_id = sale_id_of(store_id, request.source, receipt_no)  # type: ignore[attr-defined]
        wallet_id = await queries.find_wallet_of_sale(self._db.pool, group_id, sale_id)
        if wallet_id is None or await queries.find_sale(self._db.pool, wallet_id, sale_id, sale_id) is None:
            raise SaleUnknown(sale=receipt_no)
        return sale_id, wallet_id

    async def _apply(self, group_id: UUID, wallet_id: UUID, sale_id: UUID) -> Outcome:
        """Let the ledger do what was decided about a sale so far. Again changes nothing."""
        cases = await door_queries.list_cases_of_sale(self._db.pool, sale_id)
        decided = [case for case in cases if case["state"] != OPEN]
        if not decided:
            return _NOTHING
        rejected = [case for case in decided if case["state"] == REJECTED]
        if rejected:
            outcome = await self._take_back(group_id, wallet_id, rejected[0])
        else:
            outcome = await self._unlock(group_id, wallet_id, sale_id, cases)
        if not all(case["is_applied"] for case in decided):
            await door_queries.mark_applied(self._db.pool, [case["case_id"] for case in decided])
        return outcome

    async def _unlock(
        self, group_id: UUID, wallet_id: UUID, sale_id: UUID, cases: Sequence[Mapping[str, Any]]
    ) -> Outcome:
        seen = await queries.find_sale(self._db.pool, wallet_id, sale_id, sale_id)
        if seen is None:
            raise SaleUnknown(sale=ids.to_edge("txn", sale_id))
        if seen["expire_time"] is None:
            return _NOTHING
        held_until = [case["until_time"] for case in cases if case["state"] == OPEN]
        held_until += [cases[0]["window_time"]] if cases[0]["window_time"] is not None else []
        until_time = max(held_until, default=None)
        decide_time = max(case["decide_time"] for case in cases if case["state"] != OPEN)
        await self._awards.unlock(group_id, wallet_id, seen, decide_time, until_time)
        txn_id = ids.derive("unlock", sale_id)
        await self._merges.fetch_back(
            wallet_id=wallet_id,
            lot_id=sale_id,
            expire_time=seen["expire_time"],
            points=seen["points"],
            own_only=True,
            for_txn_id=txn_id,
        )
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.UNLOCK,
                wallet_id=wallet_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=b"",
                points=0,
                occur_time=decide_time,
                merchant_id=seen["merchant_id"],
                ref_id=sale_id,
                expire_time=seen["expire_time"],
                unlock_time=until_time,
            )
        )
        if outcome.status not in (Status.APPLIED, Status.REPLAY, Status.NOTHING):
            raise Internal
        return outcome

    async def _take_back(self, group_id: UUID, wallet_id: UUID, case: Mapping[str, Any]) -> Outcome:
        """All that the sale earned and that no return took back before."""
        sale_id = case["sale_id"]
        refund_id = ids.derive("reject", sale_id)
        data = await self._lookup.group(group_id)
        place = await self._lookup.store(group_id, case["store_id"], data)
        for _ in range(STALE_ATTEMPTS):
            seen = await queries.find_sale(self._db.pool, wallet_id, sale_id, refund_id)
            if seen is None:
                raise SaleUnknown(sale=ids.to_edge("txn", sale_id))
            if seen["refund_hash"] is not None:
                done = points_pb2.RefundSaleResponse.FromString(seen["refund_detail"])
                if done.returned_awards:
                    await self._awards.take_back(group_id, wallet_id, seen, refund_id, done.returned_awards)
                return Outcome(Status.REPLAY, -seen["refund_points"], seen["refund_debt_points"])
            sale = points_pb2.RecordSaleRequest.FromString(seen["detail"])
            request = points_pb2.RefundSaleRequest(
                store_id=sale.store_id,
                source=sale.source,
                receipt_no=sale.receipt_no,
                refund_time=to_timestamp(case["decide_time"]),
            )
            item, answer = prepare_refund(
                request,
                seen,
                group_id=group_id,
                wallet_id=wallet_id,
                refund_id=refund_id,
                place=place,
                data=data,
                hashed=request_hash(request),
                take_all=True,
            )
            if not answer.lines and not item.points:
                return _NOTHING  # all of it came back before
            await self._merges.before_return(item)
            outcome = await self._ledger.apply_one(item)
            match outcome.status:
                case Status.APPLIED | Status.REPLAY:
                    if answer.returned_awards:
                        await self._awards.take_back(group_id, wallet_id, seen, refund_id, answer.returned_awards)
                    return outcome
                case Status.STALE:
                    continue  # a return of this sale was faster: look again
                case _:
                    raise Internal
        raise Unavailable


async def _decide(tx: Tx, sale_id: UUID, *, kind: int, state: int, note: str, if_unknown: Exception | None) -> None:
    """Decide a case of a sale; rejecting one rejects the open ones beside it. Raises SaleCaseDecided, `if_unknown`."""
    cases = {row["kind"]: row for row in await door_queries.lock_cases_of_sale(tx, sale_id)}
    if kind not in cases:
        if if_unknown is not None:
            raise if_unknown
        return
    tx.before = tx.after = pb.ListSaleCasesResponse(cases=map(to_message, cases.values()))
    if cases[kind]["state"] == state:
        return
    if cases[kind]["state"] != OPEN:
        name = pb.SaleCaseState.Name(cases[kind]["state"]).removeprefix("SALE_CASE_STATE_")
        raise SaleCaseDecided(case_id=ids.to_edge("cas", cases[kind]["case_id"]), state=name)
    chosen = [cases[kind]] if state == RELEASED else [case for case in cases.values() if case["state"] == OPEN]
    case_ids = [case["case_id"] for case in chosen]
    decision = {"state": state, "decided_by": tx.caller.subject, "decision_note": note, "decide_time": tx.now}
    await tx.execute(
        text(
            """UPDATE sale_case SET state = :state, decided_by = :decided_by, decision_note = :decision_note,
                   decide_time = :decide_time WHERE case_id = ANY(CAST(:case_ids AS uuid[]))"""
        ),
        {**decision, "case_ids": case_ids},
    )
    decided = [{**case, **decision} if case["case_id"] in case_ids else case for case in cases.values()]
    tx.after = pb.ListSaleCasesResponse(cases=map(to_message, decided))


def place_of(token: str) -> tuple[datetime, UUID] | None:
    """What a page token says. Raises InvalidArgument."""
    if not token:
        return None
    create_time, case_id = decode_token(token, 2)
    try:
        place = datetime.fromisoformat(create_time), UUID(case_id)
    except ValueError:
        place = None
    if place is None or place[0].tzinfo is None:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return place


def to_message(row: RowMapping | Mapping[str, Any] | None) -> pb.SaleCase:
    """A case with what is known of its sale."""
    if row is None:
        raise Internal
    evidence = json.loads(row["evidence"]) if isinstance(row["evidence"], str) else row["evidence"] or []
    return pb.SaleCase(
        case_id=ids.to_edge("cas", row["case_id"]),
        kind=row["kind"],
        state=row["state"],
        sale_id=ids.to_edge("txn", row["sale_id"]),
        member_id=ids.to_edge("mbr", row["wallet_id"]),
        store_id=ids.to_edge("sto", row["store_id"]),
        receipt_no=row["reference"] or "",
        sale_time=to_timestamp(row["occur_time"]),
        amount_minor=row["amount_minor"] or 0,
        points=row["points"] or 0,
        other_sale_id=optional_edge("txn", row["other_sale_id"]),
        other_source=row["other_source"] or "",
        other_receipt_no=row["other_receipt_no"] or "",
        evidence=[pb.CaseEvidence(**one) for one in evidence],
        create_time=to_timestamp(row["create_time"]),
        until_time=to_timestamp(row["until_time"]),
        decided_by=row["decided_by"] or "",
        decision_note=row["decision_note"] or "",
        decide_time=to_timestamp(row["decide_time"]),
    )
