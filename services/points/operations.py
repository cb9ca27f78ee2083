"""Sales and returns: what to look up, what the rules say, claims, and the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import AppError, Internal, InvalidArgument, RequestIdReused, Unavailable
from huitong.common.v1 import types_pb2
from huitong.points.v1 import doors_pb2, events_pb2, points_pb2
from services.points import queries, rules
from services.points.caps import Caps, Taking, takings_of
from services.points.claims import GO_ON, RECEIPT_CHANGED, Claims, ReceiptClaim
from services.points.convert import (
    content_hash,
    instant_of,
    request_hash,
    to_date,
    to_timestamp,
)
from services.points.doors import Doors, Duplicate, Passage, passage_of
from services.points.earning import DEFAULT_SOURCE, Computed, check_sale, check_time, compute_sale, lines_of
from services.points.errors import (
    LineUnknown,
    MemberUnknown,
    ReceiptChanged,
    RefundExceedsSale,
    SaleTooLate,
    SaleUnknown,
)
from services.points.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import GroupData, Lookup, Member, Store
from services.points.returns import LineNotSold, ReturnTooLarge, SoldLine, returned_lines

STALE_ATTEMPTS = 20
_NEVER_LATE = timedelta(days=1)  # the shortest limit of how late a sale may come in


def sale_id_of(store_id: UUID, source: str, receipt_no: str) -> UUID:
    """The id of a sale: its natural key."""
    return ids.derive("sale", store_id, source or DEFAULT_SOURCE, receipt_no)


@dataclass(slots=True)
class _Sale:
    """A sale on its way: looked up, checked and ready for claim and ledger."""

    item: Item
    claim: ReceiptClaim
    request_id: str
    place: Store
    now: datetime
    computed: Computed
    # The sale once more, with what limited offers were granted, by rule id.
    compute: Callable[[Mapping[str, int]], Computed]
    # What its door asks for; None, as nearly always, for nothing.
    passage: Passage | None

    @property
    def takings(self) -> list[Taking]:
        """What it has to take from caps before it may give it."""
        item = self.item
        return [
            taking
            for rule, want in self.computed.earning.wants
            for taking in takings_of(
                rule,
                group_id=item.group_id,
                sale_id=item.txn_id,
                member_id=item.wallet_id,
                business_date=self.computed.business_date,
                want=want,
            )
        ]

    def limit(self, granted: Mapping[tuple[UUID, str], int]) -> None:
        """Give no more than was granted."""
        own = {rule.rule_id: granted[self.item.txn_id, rule.rule_id] for rule, _ in self.computed.earning.wants}
        if any(own[rule.rule_id] < want for rule, want in self.computed.earning.wants):
            self.computed = self.compute(own)
            self.item.points = self.computed.earning.points
            self.item.expire_time = self.computed.expire_time(self.place.time_zone)
            self.item.unlock_time = self.computed.unlock_time(self.place.time_zone, self.now)
            self.item.explanation = self.computed.explanation(self.item.unlock_time)


class Sales:
    """Records sales and refunds."""

    def __init__(
        self, database: Database, lookup: Lookup, claims: Claims, caps: Caps, doors: Doors, ledger: Ledger
    ) -> None:
        self._db, self._lookup, self._claims, self._caps, self._ledger = database, lookup, claims, caps, ledger
        self._doors = doors

    async def record_sales(
        self, group_id: UUID, requests: Sequence[points_pb2.RecordSaleRequest], *, timeout_s: float = 10.0
    ) -> list[Recorded | Duplicate | AppError]:
        """Record sales, all at once; each gets its answer or its error. The requests are normalised in place.

        Errors: InvalidArgument, StoreUnknown, MemberUnknown, LinesDoNotSum, SaleTimeInvalid, CurrencyMismatch,
        RuleSetUnknown, ReceiptChanged, RequestIdReused, SaleTooLate, DeviceSeqReused, what member answers to a code,
        Unavailable (unknown outcome: ask again).
        """
        answers: list[Recorded | Duplicate | AppError] = [Internal()] * len(requests)
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

        special = [position for position, sale in sales.items() if sale.passage is not None]
        if special:
            await self._refuse_late(special, sales, answers)
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
        if special:
            for position, stopped in (await self._doors.admit(_passing(special, sales))).items():
                answers[position] = stopped
                sale = sales.pop(position)
                if isinstance(stopped, Duplicate):
                    await self._doors.record_devices([(sale.item, sale.passage)] if sale.passage else [])
        limited = [sale for sale in sales.values() if sale.computed.earning.wants]
        if limited:
            granted = await self._caps.take([taking for sale in limited for taking in sale.takings])
            for sale in limited:
                sale.limit(granted)
        if special:
            await self._doors.watch(list(_passing(special, sales).values()), now)
        outcomes = await self._ledger.apply([sale.item for sale in sales.values()], timeout_s=timeout_s)
        for (position, sale), outcome in zip(sales.items(), outcomes, strict=True):
            answers[position] = outcome if isinstance(outcome, AppError) else _sale_answer(sale, outcome)
        if special:
            passing = _passing(special, sales)
            await self._doors.record_devices(
                [sale for position, sale in passing.items() if isinstance(answers[position], Recorded)]
            )
        return answers

    async def _refuse_late(
        self,
        special: Sequence[int],
        sales: dict[int, _Sale],
        answers: list[Recorded | Duplicate | AppError],
    ) -> None:
        """Refuse what comes in later than the rules accept, unless it came before and is only asked about again."""
        late = [position for position in special if (passage := sales[position].passage) and passage.late_days]
        known = await queries.list_claimed(self._db.pool, [sales[one].item.txn_id for one in late]) if late else set()
        for position in late:
            item, passage = sales[position].item, sales[position].passage
            if passage is not None and item.txn_id not in known:
                del sales[position]
                answers[position] = SaleTooLate(
                    sale_time=item.occur_time.isoformat(), latest_arrival_days=passage.late_days
                )

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
            item, answer = prepare_refund(
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


def _passing(special: Sequence[int], sales: Mapping[int, _Sale]) -> dict[int, tuple[Item, Passage]]:
    """Those of `special` that are still on their way."""
    return {
        position: (sales[position].item, passage)
        for position in special
        if position in sales and (passage := sales[position].passage) is not None
    }


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
    lines = lines_of(request)
    sale_time = check_sale(request, lines, place=place, now=now)

    # The same content in another spelling is the same content: what is hashed, and kept, is spelled one way.
    request_id = request.request_id
    request.ClearField("request_id")
    source = request.source = request.source or DEFAULT_SOURCE
    member_edge = request.member_id = ids.to_edge("mbr", member_id)
    request.store_id = place.store_edge
    rule_set = data.rule_set_at(sale_time, place.time_zone)
    late_days = 0
    if sale_time < now - _NEVER_LATE and (current := data.rule_set_at(now, place.time_zone).doors) is not None:
        late_days = current.latest_arrival_days
        late_days = late_days if sale_time < now - timedelta(days=late_days) else 0
    passage = passage_of(
        request,
        source=source,
        group_id=group_id,
        store_id=place.store_id,
        merchant_id=place.merchant_id,
        rules=rule_set.doors,
        late_days=late_days,
    )
    content = request.SerializeToString(deterministic=True)
    hashed = content_hash(content)
    reference = request.receipt_no
    sale_id = sale_id_of(place.store_id, source, reference)

    def compute(granted: Mapping[str, int] | None = None) -> Computed:
        return compute_sale(
            request, lines, member=member, place=place, sale_time=sale_time, rule_set=rule_set, granted=granted
        )

    computed = compute()
    unlock_time = computed.unlock_time(place.time_zone, now)
    # A SaleRecorded in parts, in the order of its fields: what all sales of the store and day share is made once.
    payload = b"".join(
        (
            events_pb2.SaleRecorded(sale_id=ids.to_edge("txn", sale_id), member_id=member_edge).SerializeToString(),
            place.recorded_part,
            events_pb2.SaleRecorded(receipt_no=reference, sale_time=request.sale_time).SerializeToString(),
            _recorded_day(computed.business_date, place.time_zone),
            events_pb2.SaleRecorded(total=request.total).SerializeToString(),
        )
    )
    item = Item(
        kind=Kind.EARN,
        wallet_id=member_id,
        group_id=group_id,
        txn_id=sale_id,
        request_hash=hashed,
        points=computed.earning.points,
        occur_time=sale_time,
        merchant_id=place.merchant_id,
        store_id=place.store_id,
        expire_time=computed.expire_time(place.time_zone),
        amount_minor=request.total.amount_minor,
        reference=reference,
        detail=content,
        explanation=computed.explanation(unlock_time),
        payload=payload,
        unlock_time=unlock_time,
    )
    claim = ReceiptClaim(sale_id, ids.derive("record_sale", group_id, request_id), group_id, member_id, hashed)
    return _Sale(item, claim, request_id, place, now, computed, compute, passage)


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
            if message.explanation.waits:
                message.outcome = doors_pb2.SALE_OUTCOME_WAITING
        message.is_replay = outcome.status is Status.REPLAY
        return message


def _sale_answer(sale: _Sale, outcome: Outcome) -> Recorded | AppError:
    if outcome.status is not Status.APPLIED and outcome.status is not Status.REPLAY:
        # The claim went through, so neither content nor wallet can be at fault.
        return Internal()
    return Recorded(sale.item, outcome)


def prepare_refund(
    request: points_pb2.RefundSaleRequest,
    seen: queries.SaleRow,
    *,
    group_id: UUID,
    wallet_id: UUID,
    refund_id: UUID,
    place: Store,
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
        points=seen["points"] - seen["clawed_back_points"] if take_all else sum(line.points for line in lines),
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
