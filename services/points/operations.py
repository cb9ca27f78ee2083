"""Sales: what to look up, what the rules say, claims, and the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from uuid import UUID

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import AppError, Internal, InvalidArgument, RequestIdReused
from huitong.points.v1 import doors_pb2, events_pb2, points_pb2
from services.points import queries
from services.points.convert import (
    content_hash,
    instant_of,
    to_date,
    to_expiry,
)
from services.points.doors.operations import Doors, Duplicate, Passage, passage_of
from services.points.earning.awards import Awards, explain_awards
from services.points.earning.caps import Caps
from services.points.earning.currency_offers import currencies_of
from services.points.earning.earning import (
    DEFAULT_SOURCE,
    NOTHING_KNOWN,
    Computation,
    Computed,
    Known,
    check_sale,
    lines_of,
    sale_id_of,
)
from services.points.earning.limited import Grants, Taker
from services.points.earning.limits import Limit
from services.points.earning.member_facts import Asked, MemberFacts
from services.points.errors import (
    MemberUnknown,
    ReceiptChanged,
    SaleEarnsTooMuch,
    SaleTooLate,
)
from services.points.ledger.claims import GO_ON, RECEIPT_CHANGED, Claims, ReceiptClaim
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import GroupData, Lookup, Member, Store
from services.points.merging.operations import Merges
from services.points.spending.errors import MemberClosed
from services.points.wallets.currencies import Currencies

_NEVER_LATE = timedelta(days=1)  # the shortest limit of how late a sale may come in


@dataclass(slots=True)
class _Sale:
    """A sale on its way: looked up, checked and ready for claim and ledger."""

    item: Item
    claim: ReceiptClaim
    request_id: str
    place: Store
    now: datetime
    computed: Computed
    # Of the sale's event: what does not depend on what it earns.
    recorded: bytes
    # The sale once more, when more is known.
    compute: Computation
    # What its door asks for; None, as nearly always, for nothing.
    passage: Passage | None
    # Whose limits it uses up: the member's, or the survivor's by whom the member is absorbed.
    person_id: UUID

    @property
    def taker(self) -> Taker:
        """The sale, as caps know it."""
        item = self.item
        return Taker(item.group_id, item.txn_id, self.person_id, self.place.store_id)

    def limit(self, grants: Grants) -> bool:
        """Let its limited offers give no more than was granted; answers whether others have to take in their turn."""
        known = self.taker.with_offers(self.computed, grants)
        if known is None:
            return False
        self.know(known)
        return bool(self.taker.takings(self.computed))

    def limit_all(self, limits: Sequence[Limit], grants: Grants) -> None:
        """Earn no more than was granted by `limits`."""
        known = self.taker.with_limits(self.computed, limits, grants)
        if known is not None:
            self.know(known)

    def asked(self) -> Asked:
        """What its rules want to know of its member."""
        item = self.item
        return Asked(
            self.computed.rule_set,
            item.group_id,
            self.person_id,
            item.txn_id,
            self.place,
            item.occur_time,
            item.amount_minor,
        )

    def know(self, known: Known) -> None:
        """Compute it once more, with more known."""
        self.computed = self.compute(known)
        self.item.points = self.computed.earning.points
        self.item.expire_time = self.computed.expire_time(self.place.time_zone)
        self.item.unlock_time = self.computed.unlock_time(self.place.time_zone, self.now)
        self.item.explanation = self.computed.explanation(self.item.unlock_time, self.place.time_zone)
        self.item.payload = self.recorded + self.computed.recorded_part


class Sales:
    """Records sales."""

    def __init__(
        self,
        database: Database,
        lookup: Lookup,
        claims: Claims,
        caps: Caps,
        ledger: Ledger,
        *,
        facts: MemberFacts,
        doors: Doors,
        currencies: Currencies,
        merges: Merges,
    ) -> None:
        self._db, self._lookup, self._claims, self._caps, self._ledger = database, lookup, claims, caps, ledger
        self._facts, self._doors = facts, doors
        self._currencies, self._awards, self._merges = currencies, Awards(database, ledger, merges), merges

    async def record_sales(
        self,
        group_id: UUID,
        requests: Sequence[points_pb2.RecordSaleRequest],
        *,
        timeout_s: float = 10.0,
        are_valid: bool = False,
    ) -> list[Recorded | Duplicate | AppError]:
        """Record sales, all at once; each gets its answer or its error. The requests are normalised in place.

        `are_valid` means that each has been checked by the rules of its proto.

        Errors: InvalidArgument, StoreUnknown, MemberUnknown, MemberClosed, LinesDoNotSum, SaleTimeInvalid,
        CurrencyMismatch, RuleSetUnknown, ReceiptChanged, RequestIdReused, SaleTooLate, DeviceSeqReused, what member
        answers to a code, Unavailable (unknown outcome: ask again).
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
                if not are_valid:
                    rpc.validate(request)
                member = members.get(member_id)
                if member is None:
                    raise MemberUnknown(member_id=ids.to_edge("mbr", member_id))
                if member.close_time is not None and instant_of(request.sale_time) >= member.close_time:
                    raise MemberClosed(member_id=ids.to_edge("mbr", member_id))
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
        asking = {position: sale for position, sale in sales.items() if sale.computed.rule_set.asks_of_member}
        if asking:
            known = await self._facts.of([sale.asked() for sale in asking.values()], data.stores, claim=True)
            for (position, sale), (segments, first_in) in zip(asking.items(), known, strict=True):
                try:
                    sale.know(sale.computed.known._replace(segments=segments, first_in=first_in))
                except SaleEarnsTooMuch as error:  # only now: an offer for first purchases or a segment
                    del sales[position]
                    answers[position] = error
        await self._limit(sales.values())
        if special:
            await self._doors.watch(list(_passing(special, sales).values()), now)
        awarding = {position: sale for position, sale in sales.items() if sale.computed.rule_set.currency_offers}
        if awarding:
            await self._explain_awards(group_id, awarding.values(), data, now)
        outcomes = await self._ledger.apply([sale.item for sale in sales.values()], timeout_s=timeout_s)
        for (position, sale), outcome in zip(sales.items(), outcomes, strict=True):
            answers[position] = outcome if isinstance(outcome, AppError) else _sale_answer(sale, outcome)
        if awarding:
            await self._give_awards(awarding, answers)
        if data.has_merges:
            await self._answer_absorbed(members, answers)
        if special:
            passing = _passing(special, sales)
            await self._doors.record_devices(
                [sale for position, sale in passing.items() if isinstance(answers[position], Recorded)]
            )
        return answers

    async def _explain_awards(self, group_id: UUID, sales: Collection[_Sale], data: GroupData, now: datetime) -> None:
        """Write into explanations what sales give of other currencies."""
        named = currencies_of(award for sale in sales for award in sale.computed.awards)
        currencies = await self._currencies.some(group_id, named) if named else {}
        for sale in sales:
            item = sale.item
            item.explanation = (item.explanation or b"") + explain_awards(
                currencies,
                data,
                sale.computed,
                sale.place,
                now,
                sale_id=item.txn_id,
                sale_time=item.occur_time,
                unlock_time=item.unlock_time,
            )

    async def _give_awards(self, sales: Mapping[int, _Sale], answers: list[Recorded | Duplicate | AppError]) -> None:
        """Give what recorded sales earned of other currencies; a sale that fails at it comes again."""

        async def give(position: int, recorded: Recorded) -> None:
            item, first = recorded.item, recorded.outcome.explanation
            request = points_pb2.RecordSaleRequest.FromString(item.detail or b"")
            explanation = (item.explanation if first is None else first) or b""
            try:
                await self._awards.give(item.group_id, item.wallet_id, request, item.txn_id, explanation)
            except AppError as error:
                answers[position] = error

        done = [(position, answer) for position in sales if isinstance(answer := answers[position], Recorded)]
        await asyncio.gather(*(give(position, answer) for position, answer in done))

    async def _answer_absorbed(
        self, members: Mapping[UUID, Member], answers: Sequence[Recorded | Duplicate | AppError]
    ) -> None:
        """What an absorbed member earned is the survivor's at once, and so is the balance that the till shows."""
        absorbed = {member_id for member_id, member in members.items() if member.survivor_id is not None}
        recorded = [one for one in answers if isinstance(one, Recorded) and one.item.wallet_id in absorbed]
        if not recorded:
            return
        available = await self._merges.available_after(one.item.wallet_id for one in recorded)
        for one in recorded:
            points = available.get(one.item.wallet_id, one.outcome.available_points)
            one.outcome = one.outcome._replace(available_points=points)

    async def _limit(self, sales: Collection[_Sale]) -> None:
        """Take what rules, and then whole sales, may give from what limits have left, and let them give no more."""
        limited = [sale for sale in sales if sale.computed.next_wants]
        while limited:
            grants = await self._caps.take([taking for sale in limited for taking in sale.taker.takings(sale.computed)])
            limited = [sale for sale in limited if sale.limit(grants)]
        budgeted = [(sale, limits) for sale in sales if (limits := sale.taker.limits(sale.computed))]
        if budgeted:
            grants = await self._caps.take(
                [taking for sale, limits in budgeted for taking in sale.taker.takings_in_all(sale.computed, limits)]
            )
            for sale, limits in budgeted:
                sale.limit_all(limits, grants)

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

    known_first = NOTHING_KNOWN
    if throttle := data.throttle_at(rule_set, place.business_unit_id, sale_time):
        known_first = Known(throttle=throttle)

    compute = Computation(request, lines, member=member, place=place, sale_time=sale_time, rule_set=rule_set)
    computed = compute(known_first)
    unlock_time = computed.unlock_time(place.time_zone, now)
    # A SaleRecorded in parts: what all sales of the store and day share is made once.
    own = events_pb2.SaleRecorded(
        sale_id=ids.to_edge("txn", sale_id),
        member_id=member_edge,
        receipt_no=reference,
        sale_time=request.sale_time,
        total=request.total,
    )
    recorded = own.SerializeToString() + place.recorded_part + _recorded_day(computed.business_date, place.time_zone)
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
        explanation=computed.explanation(unlock_time, place.time_zone),
        payload=recorded + computed.recorded_part,
        unlock_time=unlock_time,
    )
    claim = ReceiptClaim(sale_id, _request_keys(group_id)(request_id), group_id, member_id, hashed)
    person_id = member.survivor_id or member_id
    return _Sale(item, claim, request_id, place, now, computed, recorded, compute, passage, person_id)


@lru_cache(maxsize=1024)
def _request_keys(group_id: UUID) -> Callable[[str], UUID]:
    return ids.deriver("record_sale", group_id)


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
        points, debt_points = outcome.points, outcome.debt_points
        message.sale_id = ids.to_edge("txn", item.txn_id)
        message.member_id = ids.to_edge("mbr", item.wallet_id)
        message.points = points
        message.debt_repaid_points = debt_points
        message.available_points = outcome.available_points
        if (expire_time := to_expiry(outcome.expire_time)) is not None:
            message.expire_time.CopyFrom(expire_time)
        explained = message.explanation
        explained.MergeFromString((item.explanation if outcome.explanation is None else outcome.explanation) or b"")
        if explained.HasField("unlock_time") and points > debt_points:
            message.pending_points = points - debt_points
            message.unlock_time.CopyFrom(explained.unlock_time)
            if explained.waits:
                message.outcome = doors_pb2.SALE_OUTCOME_WAITING
        message.is_replay = outcome.status is Status.REPLAY
        return message


def _sale_answer(sale: _Sale, outcome: Outcome) -> Recorded | AppError:
    if outcome.status is not Status.APPLIED and outcome.status is not Status.REPLAY:
        # The claim went through, so neither content nor wallet can be at fault.
        return Internal()
    return Recorded(sale.item, outcome)
