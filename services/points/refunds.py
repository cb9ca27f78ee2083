"""Returns of goods: what came back, what of the sale's points goes with it, and the ledger."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.db import Database
from chassis.errors import Internal, RequestIdReused, Unavailable
from huitong.common.v1 import types_pb2
from huitong.points.v1 import events_pb2, points_pb2
from services.points import queries
from services.points.convert import instant_of, request_hash, to_date
from services.points.earning import rules
from services.points.earning.awards import Awards, returned_awards
from services.points.earning.earning import DEFAULT_SOURCE, check_time, sale_id_of
from services.points.errors import LineUnknown, RefundExceedsSale, SaleOfAnotherMember, SaleUnknown
from services.points.ledger.claims import Claims
from services.points.ledger.ledger import OWN_LOT_ONLY, Item, Kind, Ledger, Status
from services.points.lookup import GroupData, Lookup, Store
from services.points.merging.operations import Merges
from services.points.returns import LineNotSold, ReturnTooLarge, SoldLine, returned_lines

STALE_ATTEMPTS = 20


class Refunds:
    """Records returns."""

    def __init__(self, database: Database, lookup: Lookup, claims: Claims, ledger: Ledger, merges: Merges) -> None:
        self._db, self._lookup, self._claims, self._ledger = database, lookup, claims, ledger
        self._awards, self._merges = Awards(database, ledger, merges), merges

    async def refund_sale(self, group_id: UUID, request: points_pb2.RefundSaleRequest) -> points_pb2.RefundSaleResponse:
        """Take back what the returned lines earned.

        Raises: StoreUnknown, SaleUnknown, SaleOfAnotherMember, LineUnknown, RefundExceedsSale, SaleTimeInvalid,
        RequestIdReused.
        """
        store_id = ids.from_edge("sto", request.store_id, "store_id")
        request.source = request.source or DEFAULT_SOURCE
        data = await self._lookup.group(group_id)
        place = await self._lookup.store(group_id, store_id, data)
        sale_id = sale_id_of(store_id, request.source, request.receipt_no)
        refund_time = instant_of(request.refund_time)
        check_time(refund_time, await self._db.now())
        refund_id = ids.derive("refund", group_id, request.request_id)
        hashed = request_hash(request)
        wallet_id = await queries.find_wallet_of_sale(self._db.pool, group_id, sale_id)
        if wallet_id is None:
            raise SaleUnknown(sale=request.receipt_no)
        if request.member_id:
            await self._check_member(group_id, request, wallet_id)
        bound = await self._claims.request(request_key=refund_id, group_id=group_id, target_id=sale_id)
        if bound != sale_id:
            raise RequestIdReused(request_id=request.request_id)
        for _ in range(STALE_ATTEMPTS):
            seen = await queries.find_sale(self._db.pool, wallet_id, sale_id, refund_id)
            if seen is None:
                raise SaleUnknown(sale=request.receipt_no)
            if seen["refund_hash"] is not None:
                if seen["refund_hash"] != hashed:
                    raise RequestIdReused(request_id=request.request_id)
                answer = points_pb2.RefundSaleResponse.FromString(seen["refund_detail"])
                if answer.returned_awards:
                    await self._awards.take_back(group_id, wallet_id, seen, refund_id, answer.returned_awards)
                return _refund_answer(
                    answer,
                    points=-seen["refund_points"],
                    debt_points=seen["refund_debt_points"],
                    written_off_points=seen["refund_written_off_points"] or 0,
                    available_points=seen["refund_available_points"],
                    is_replay=True,
                )
            item, answer = prepare_refund(
                request,
                seen,
                group_id=group_id,
                wallet_id=wallet_id,
                refund_id=refund_id,
                place=place,
                data=data,
                hashed=hashed,
            )
            if data.has_merges:
                await self._merges.before_return(item)
            outcome = await self._ledger.apply_one(item)
            match outcome.status:
                case Status.APPLIED:
                    if answer.returned_awards:
                        await self._awards.take_back(group_id, wallet_id, seen, refund_id, answer.returned_awards)
                    if data.has_merges:
                        available = await self._merges.available_after([wallet_id])
                        outcome = outcome._replace(available_points=available.get(wallet_id, outcome.available_points))
                    return _refund_answer(
                        answer,
                        points=outcome.points,
                        debt_points=outcome.debt_points,
                        written_off_points=item.points - outcome.points,
                        available_points=outcome.available_points,
                        is_replay=False,
                    )
                case Status.STALE | Status.REPLAY | Status.CONFLICT:
                    continue  # another refund of this sale was faster, or our own first attempt: look again
                case _:
                    raise Internal
        raise Unavailable

    async def _check_member(self, group_id: UUID, request: points_pb2.RefundSaleRequest, wallet_id: UUID) -> None:
        named = ids.from_edge("mbr", request.member_id, "member_id")
        if named == wallet_id:
            return
        link = await self._lookup.find_link(group_id, wallet_id)
        if link is None or link.survivor_id != named:
            raise SaleOfAnotherMember(sale=request.receipt_no, member_id=request.member_id)


def prepare_refund(
    request: points_pb2.RefundSaleRequest,
    seen: queries.SaleRow,
    *,
    group_id: UUID,
    wallet_id: UUID,
    refund_id: UUID,
    place: Store,
    data: GroupData,
    hashed: bytes,
    take_all: bool = False,
) -> tuple[Item, points_pb2.RefundSaleResponse]:
    """A return as the ledger takes it, and its answer. `take_all`: whatever is left of goods and points, if anything.

    Raises: LineUnknown, RefundExceedsSale.
    """
    sale = points_pb2.RecordSaleRequest.FromString(seen["detail"])
    explanation = points_pb2.Explanation.FromString(seen["explanation"])
    came_back = points_pb2.RefundSaleRequest.FromString(seen["returned_lines"] or b"")
    returned = {line.line_no: line.amount_minor for line in came_back.lines}
    earned = {line.line_no: line.points for line in explanation.lines}
    sold = [
        SoldLine(line.line_no, line.amount_minor, earned[line.line_no], returned.get(line.line_no, 0))
        for line in sale.lines
    ]
    try:
        lines = returned_lines(sold, [(line.line_no, line.amount_minor) for line in request.lines])
    except LineNotSold as error:
        raise LineUnknown(line_no=error.line_no) from None
    except ReturnTooLarge as error:
        if not take_all:
            raise RefundExceedsSale(
                line_no=error.line_no, left_minor=error.left_minor, refund_minor=error.refund_minor
            ) from None
        lines = []
    returned.update({line.line_no: line.returned_minor for line in lines})
    refunded_minor = sum(line.amount_minor for line in lines)
    refund_time = instant_of(request.refund_time)
    answer = points_pb2.RefundSaleResponse(
        refund_id=ids.to_edge("txn", refund_id),
        sale_id=ids.to_edge("txn", seen["txn_id"]),
        member_id=ids.to_edge("mbr", wallet_id),
        lines=[points_pb2.LinePoints(line_no=line.line_no, points=line.points) for line in lines],
        refunded_minor=refunded_minor,
        returned_awards=returned_awards(explanation, lines, {line.line_no: line.amount_minor for line in sold}),
    )
    refunded = events_pb2.SaleRefunded(
        refund_id=answer.refund_id,
        sale_id=answer.sale_id,
        member_id=answer.member_id,
        store_id=ids.to_edge("sto", place.store_id),
        # The merchant that issued the points, also when the store has changed hands since.
        merchant_id=ids.to_edge("mch", seen["merchant_id"]),
        business_unit_id=ids.to_edge("unt", place.business_unit_id),
        refund_time=request.refund_time,
        business_date=to_date(rules.business_date_of(refund_time, place.time_zone)),
        time_zone=place.time_zone,
        refunded=types_pb2.Money(amount_minor=refunded_minor, currency_code=sale.total.currency_code),
        sale_business_date=to_date(rules.business_date_of(instant_of(sale.sale_time), place.time_zone)),
    )
    all_returned = points_pb2.RefundSaleRequest(
        lines=[
            points_pb2.RefundLine(line_no=line_no, amount_minor=amount_minor)
            for line_no, amount_minor in sorted(returned.items())
        ]
    )
    item = Item(
        kind=Kind.CLAW_BACK,
        wallet_id=wallet_id,
        group_id=group_id,
        txn_id=refund_id,
        request_hash=hashed,
        points=seen["points"] - seen["clawed_back_points"] - seen["written_off_points"]
        if take_all
        else sum(line.points for line in lines),
        occur_time=refund_time,
        merchant_id=seen["merchant_id"],
        store_id=place.store_id,
        ref_id=seen["txn_id"],
        expire_time=seen["expire_time"],
        amount_minor=refunded_minor,
        expected=seen["refund_count"],
        reference=request.receipt_no,
        detail=answer.SerializeToString(),
        explanation=all_returned.SerializeToString(),
        payload=refunded.SerializeToString(deterministic=True),
        limit_points=_debt_limit(data, explanation.rule_set_version),
    )
    return item, answer


def _debt_limit(data: GroupData, version: int) -> int | None:
    """For Item.limit_points, by the rules that the sale earned by: a return keeps the terms of its purchase."""
    rule_set = next((each for each in data.rule_sets if each.version == version), None)
    if rule_set is None:  # published while this was looked up
        raise Unavailable
    match rule_set.debt_policy:
        case rules.DebtPolicy.UNLIMITED:
            return None
        case rules.DebtPolicy.WRITTEN_OFF:
            return OWN_LOT_ONLY
        case _:
            return rule_set.debt_limit_points  # WITHIN_BALANCE has none


def _refund_answer(
    answer: points_pb2.RefundSaleResponse,
    *,
    points: int,
    debt_points: int,
    written_off_points: int,
    available_points: int,
    is_replay: bool,
) -> points_pb2.RefundSaleResponse:
    answer.clawed_back_points = points
    answer.debt_points = debt_points
    answer.written_off_points = written_off_points
    answer.available_points = available_points
    answer.is_replay = is_replay
    return answer
