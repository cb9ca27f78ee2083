"""Sales and returns: what to look up, what the rules say, claims, and the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import AppError, Internal, InvalidArgument, RequestIdReused, Unavailable
from huitong.common.v1 import types_pb2
from huitong.points.v1 import events_pb2, points_pb2
from services.points import queries, rules
from services.points.claims import GO_ON, RECEIPT_CHANGED, Claims, ReceiptClaim
from services.points.convert import (
    content_hash,
    explanation_of,
    instant_of,
    request_hash,
    to_date,
    to_timestamp,
)
from services.points.errors import (
    CurrencyMismatch,
    LinesDoNotSum,
    LineUnknown,
    MemberUnknown,
    ReceiptChanged,
    RefundExceedsSale,
    SaleTimeInvalid,
    SaleUnknown,
)
from services.points.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import GroupData, Lookup, Member, Store

DEFAULT_SOURCE = "pos"
LATEST_SALE = timedelta(hours=24)
EARLIEST_YEAR = 2000
STALE_ATTEMPTS = 20


def sale_id_of(store_id: UUID, source: str, receipt_no: str) -> UUID:
    """The id of a sale: its natural key."""
    return ids.derive("sale", store_id, source or DEFAULT_SOURCE, receipt_no)


@dataclass(slots=True)
class _Sale:
    """A sale on its way: looked up, checked and ready for claim and ledger."""

    item: Item
    claim: ReceiptClaim
    request_id: str


class Sales:
    """Records sales and refunds."""

    def __init__(self, database: Database, lookup: Lookup, claims: Claims, ledger: Ledger) -> None:
        self._db, self._lookup, self._claims, self._ledger = database, lookup, claims, ledger

    async def record_sales(
        self, group_id: UUID, requests: Sequence[points_pb2.RecordSaleRequest], *, timeout_s: float = 10.0
    ) -> list[Recorded | AppError]:
        """Record sales, all at once; each gets its answer or its error. The requests are normalised in place.

        Errors: InvalidArgument, StoreUnknown, MemberUnknown, LinesDoNotSum, SaleTimeInvalid, CurrencyMismatch,
        RuleSetUnknown, ReceiptChanged, RequestIdReused, what member answers to a code, Unavailable (unknown outcome:
        ask again).
        """
        answers: list[Recorded | AppError] = [Internal()] * len(requests)
        member_ids: dict[int, UUID] = {}
        for position, found in enumerate(await self._find_members(group_id, requests)):
            if isinstance(found, AppError):
                answers[position] = found
            else:
                member_ids[position] = found
        data, members, now = await self._lookup.members(group_id, set(member_ids.values()))

        sales: dict[int, _Sale] = {}
        for position, member_id in member_ids.items():
            request = requests[position]
            try:
                rpc.validate(request)
                member = members.get(member_id)
                if member is None:
                    raise MemberUnknown(member_id=ids.to_edge("mbr", member_id))
                store_id = ids.from_edge("sto", request.store_id, "store_id")
                place = data.stores.get(store_id) or await self._lookup.store(group_id, store_id, data)
                sales[position] = prepare_sale(
                    request, group_id=group_id, member_id=member_id, member=member, place=place, data=data, now=now
                )
            except AppError as error:
                answers[position] = error

        statuses = await self._claims.receipts([sale.claim for sale in sales.values()])
        for (position, sale), status in zip(list(sales.items()), statuses, strict=True):
            if status != GO_ON:
                del sales[position]
                changed = status == RECEIPT_CHANGED
                answers[position] = (
                    ReceiptChanged(receipt_no=sale.item.reference)
                    if changed
                    else RequestIdReused(request_id=sale.request_id)
                )
        outcomes = await self._ledger.apply([sale.item for sale in sales.values()], timeout_s=timeout_s)
        for (position, sale), outcome in zip(sales.items(), outcomes, strict=True):
            answers[position] = outcome if isinstance(outcome, AppError) else _sale_answer(sale, outcome)
        return answers

    async def _find_members(
        self, group_id: UUID, requests: Sequence[points_pb2.RecordSaleRequest]
    ) -> list[UUID | AppError]:
        async def find(request: points_pb2.RecordSaleRequest) -> UUID | AppError:
            try:
                return await self._lookup.identify(group_id, request.member_code)
            except AppError as error:
                return error

        found: list[UUID | AppError] = []
        codes: list[int] = []
        for position, request in enumerate(requests):
            if request.WhichOneof("identity") == "member_code":
                codes.append(position)
                found.append(Internal())
                continue
            try:
                found.append(ids.from_edge("mbr", request.member_id, "member_id"))
            except InvalidArgument as error:
                found.append(error)
        if codes:
            answers = await asyncio.gather(*(find(requests[position]) for position in codes))
            for position, answer in zip(codes, answers, strict=True):
                found[position] = answer
        return found

    async def refund_sale(self, group_id: UUID, request: points_pb2.RefundSaleRequest) -> points_pb2.RefundSaleResponse:
        """Take back what the returned lines earned.

        Raises: StoreUnknown, SaleUnknown, LineUnknown, RefundExceedsSale, SaleTimeInvalid, RequestIdReused.
        """
        store_id = ids.from_edge("sto", request.store_id, "store_id")
        request.source = request.source or DEFAULT_SOURCE
        place = await self._lookup.store(group_id, store_id)
        sale_id = sale_id_of(store_id, request.source, request.receipt_no)
        refund_time = instant_of(request.refund_time)
        check_time(refund_time, await self._db.now())
        refund_id = ids.derive("refund", group_id, request.request_id)
        hashed = request_hash(request)
        wallet_id = await queries.find_wallet_of_sale(self._db.pool, group_id, sale_id)
        if wallet_id is None:
            raise SaleUnknown(sale=request.receipt_no)
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
                return _refund_answer(
                    points_pb2.RefundSaleResponse.FromString(seen["refund_detail"]),
                    points=-seen["refund_points"],
                    debt_points=seen["refund_debt_points"],
                    available_points=seen["refund_available_points"],
                    is_replay=True,
                )
            item, answer = _prepare_refund(
                request, seen, group_id=group_id, wallet_id=wallet_id, refund_id=refund_id, place=place, hashed=hashed
            )
            outcome = await self._ledger.apply_one(item)
            match outcome.status:
                case Status.APPLIED:
                    return _refund_answer(
                        answer,
                        points=outcome.points,
                        debt_points=outcome.debt_points,
                        available_points=outcome.available_points,
                        is_replay=False,
                    )
                case Status.STALE | Status.REPLAY | Status.CONFLICT:
                    continue  # another refund of this sale was faster, or our own first attempt: look again
                case _:
                    raise Internal
        raise Unavailable


def check_time(instant: datetime, now: datetime) -> None:
    """Raises SaleTimeInvalid for a time before 2000 or more than a day after `now`."""
    if instant.year < EARLIEST_YEAR or instant > now + LATEST_SALE:
        raise SaleTimeInvalid(sale_time=instant.isoformat())


def prepare_sale(
    request: points_pb2.RecordSaleRequest,
    *,
    group_id: UUID,
    member_id: UUID,
    member: Member,
    place: Store,
    data: GroupData,
    now: datetime,
) -> _Sale:
    """Check a sale, apply the rules, and make what claim and ledger need. Normalises the request in place.

    Raises: LinesDoNotSum, CurrencyMismatch, SaleTimeInvalid, RuleSetUnknown, InvalidArgument.
    """
    amounts: list[int] = []
    categories: list[str] = []
    line_nos: list[int] = []
    for line in request.lines:
        amounts.append(line.amount_minor)
        categories.append(line.category)
        line_nos.append(line.line_no)
    total_minor = request.total.amount_minor
    if sum(amounts) != total_minor:
        raise LinesDoNotSum(lines_minor=sum(amounts), total_minor=total_minor)
    if len(set(line_nos)) != len(line_nos):
        raise InvalidArgument([("lines.line_no", "each line needs a number of its own")])
    if request.total.currency_code != place.currency_code:
        raise CurrencyMismatch(expected=place.currency_code, currency_code=request.total.currency_code)
    sale_time = instant_of(request.sale_time)
    check_time(sale_time, now)

    # The same content in another spelling is the same content: what is hashed, and kept, is spelled one way.
    request_id = request.request_id
    request.ClearField("request_id")
    source = request.source = request.source or DEFAULT_SOURCE
    member_edge = request.member_id = ids.to_edge("mbr", member_id)
    request.store_id = place.store_edge
    content = request.SerializeToString(deterministic=True)
    hashed = content_hash(content)
    reference = request.receipt_no
    sale_id = sale_id_of(place.store_id, source, reference)

    business_date = rules.business_date_of(sale_time, place.time_zone)
    rule_set = data.rule_set_on(business_date)
    tier = rules.tier_on(member.tiers, business_date)
    earning = rules.points_for_sale(
        rule_set,
        amounts_minor=amounts,
        categories=categories,
        store_id=place.store_id,
        business_date=business_date,
        tier=tier,
        birth_month=member.birth_month,
    )
    unlock_time = None
    if rule_set.pending_days and earning.points:
        unlock_time = rules.unlock_of(business_date, rule_set.pending_days, place.time_zone)
        if unlock_time <= now:  # a sale that comes in late: its time is over, so nothing has to wait for it
            unlock_time = None
    explanation = explanation_of(
        earning,
        rule_set_version=rule_set.version,
        business_date=business_date,
        tier=tier,
        line_nos=line_nos,
        unlock_time=unlock_time,
    )
    expire_time = (
        rules.expiry_of(business_date.year, business_date.month, rule_set.expiry_months, place.time_zone)
        if earning.points
        else None
    )
    # A SaleRecorded in parts, in the order of its fields: what all sales of the store and day share is made once.
    payload = b"".join(
        (
            events_pb2.SaleRecorded(sale_id=ids.to_edge("txn", sale_id), member_id=member_edge).SerializeToString(),
            place.recorded_part,
            events_pb2.SaleRecorded(receipt_no=reference, sale_time=request.sale_time).SerializeToString(),
            _recorded_day(business_date, place.time_zone),
            events_pb2.SaleRecorded(total=request.total).SerializeToString(),
        )
    )
    item = Item(
        kind=Kind.EARN,
        wallet_id=member_id,
        group_id=group_id,
        txn_id=sale_id,
        request_hash=hashed,
        points=earning.points,
        occur_time=sale_time,
        merchant_id=place.merchant_id,
        store_id=place.store_id,
        expire_time=expire_time,
        amount_minor=total_minor,
        reference=reference,
        detail=content,
        explanation=explanation,
        payload=payload,
        unlock_time=unlock_time,
    )
    claim = ReceiptClaim(sale_id, ids.derive("record_sale", group_id, request_id), group_id, member_id, hashed)
    return _Sale(item, claim, request_id)


@lru_cache(maxsize=1024)
def _recorded_day(business_date: date, time_zone: str) -> bytes:
    return events_pb2.SaleRecorded(business_date=to_date(business_date), time_zone=time_zone).SerializeToString()


@dataclass(slots=True)
class Recorded:
    """A sale that is recorded, now or before, and what became of it."""

    item: Item
    outcome: Outcome

    def answer(self, message: points_pb2.RecordSaleResponse) -> points_pb2.RecordSaleResponse:
        """Write the answer into `message`, which is empty, and return it."""
        item, outcome = self.item, self.outcome
        message.sale_id = ids.to_edge("txn", item.txn_id)
        message.member_id = ids.to_edge("mbr", item.wallet_id)
        message.points = outcome.points
        message.debt_repaid_points = outcome.debt_points
        message.available_points = outcome.available_points
        if (expire_time := to_timestamp(outcome.expire_time)) is not None:
            message.expire_time.CopyFrom(expire_time)
        explanation = item.explanation if outcome.explanation is None else outcome.explanation
        message.explanation.MergeFromString(explanation or b"")
        if message.explanation.HasField("unlock_time") and outcome.points > outcome.debt_points:
            message.pending_points = outcome.points - outcome.debt_points
            message.unlock_time.CopyFrom(message.explanation.unlock_time)
        message.is_replay = outcome.status is Status.REPLAY
        return message


def _sale_answer(sale: _Sale, outcome: Outcome) -> Recorded | AppError:
    if outcome.status is not Status.APPLIED and outcome.status is not Status.REPLAY:
        # The claim went through, so neither content nor wallet can be at fault.
        return Internal()
    return Recorded(sale.item, outcome)


def _prepare_refund(
    request: points_pb2.RefundSaleRequest,
    seen: queries.SaleRow,
    *,
    group_id: UUID,
    wallet_id: UUID,
    refund_id: UUID,
    place: Store,
    hashed: bytes,
) -> tuple[Item, points_pb2.RefundSaleResponse]:
    sale = points_pb2.RecordSaleRequest.FromString(seen["detail"])
    explanation = points_pb2.Explanation.FromString(seen["explanation"])
    came_back = points_pb2.RefundSaleRequest.FromString(seen["returned_lines"] or b"")
    returned = {line.line_no: line.amount_minor for line in came_back.lines}
    earned = {line.line_no: line.points for line in explanation.lines}
    sold = [
        rules.SoldLine(line.line_no, line.amount_minor, earned[line.line_no], returned.get(line.line_no, 0))
        for line in sale.lines
    ]
    try:
        lines = rules.returned_lines(sold, [(line.line_no, line.amount_minor) for line in request.lines])
    except rules.LineNotSold as error:
        raise LineUnknown(line_no=error.line_no) from None
    except rules.ReturnTooLarge as error:
        raise RefundExceedsSale(
            line_no=error.line_no, left_minor=error.left_minor, refund_minor=error.refund_minor
        ) from None
    returned.update({line.line_no: line.returned_minor for line in lines})
    refunded_minor = sum(line.amount_minor for line in lines)
    refund_time = instant_of(request.refund_time)
    answer = points_pb2.RefundSaleResponse(
        refund_id=ids.to_edge("txn", refund_id),
        sale_id=ids.to_edge("txn", seen["txn_id"]),
        member_id=ids.to_edge("mbr", wallet_id),
        lines=[points_pb2.LinePoints(line_no=line.line_no, points=line.points) for line in lines],
        refunded_minor=refunded_minor,
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
        points=sum(line.points for line in lines),
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
    )
    return item, answer


def _refund_answer(
    answer: points_pb2.RefundSaleResponse, *, points: int, debt_points: int, available_points: int, is_replay: bool
) -> points_pb2.RefundSaleResponse:
    answer.clawed_back_points = points
    answer.debt_points = debt_points
    answer.available_points = available_points
    answer.is_replay = is_replay
    return answer
