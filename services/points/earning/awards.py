"""Points of a business unit that sales earn: each a transaction of its own in the member's wallet of that currency.

What is given is written into the sale's explanation, which is stored with the sale. Everything later follows from that
alone: giving it (again, when the sale comes again), unlocking it with the sale, and taking it back with returned goods.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from chassis import ids
from chassis.db import Database
from chassis.errors import Internal, Unavailable
from huitong.points.v1 import points_pb2, wallets_pb2
from services.points import queries
from services.points.convert import content_hash, instant_of, to_expiry, to_timestamp
from services.points.earning import rules
from services.points.earning.earning import Computed
from services.points.earning.expiry import NEVER
from services.points.ledger.ledger import Item, Kind, Ledger, Status
from services.points.lookup import GroupData, Store
from services.points.merging.operations import Merges
from services.points.returns import ReturnedLine, clawed_back_points
from services.points.wallets.currencies import Currency, open_wallet

STALE_ATTEMPTS = 20
_NEVER_OWED = 0


def explain_awards(
    currencies: Mapping[UUID, Currency],
    data: GroupData,
    computed: Computed,
    place: Store,
    now: datetime,
    *,
    sale_id: UUID,
    sale_time: datetime,
    unlock_time: datetime | None,
) -> bytes:
    """What a sale gives of other currencies, as part of an Explanation, serialised. `unlock_time` is its own points'.

    `currencies` are those that its offers name. One that is closed, or of another unit than the store's, gives nothing.
    """
    explained = points_pb2.Explanation()
    for award in computed.awards:
        currency = currencies.get(award.rule.offer.currency_id or UUID(int=0))
        if currency is None or currency.state != wallets_pb2.CURRENCY_STATE_OPEN:
            continue
        if currency.business_unit_id != place.business_unit_id:
            continue
        expire_time = currency.expiry_at(data, sale_time)
        days = computed.rule_set.pending_days
        window = rules.unlock_of(computed.business_date, days, place.time_zone) if days else None
        # As long as the sale's own points wait, but never beyond their expiry.
        until_time = max((one for one in (window, unlock_time) if one is not None), default=now)
        until_time = min(until_time, expire_time - timedelta(seconds=1))
        explained.awards.add(
            txn_id=ids.to_edge("txn", ids.derive("award", sale_id, award.rule.rule_id)),
            currency_id=currency.edge,
            rule_id=award.rule.rule_id,
            name=award.rule.name,
            name_zh=award.rule.name_zh,
            rate_bps=award.rule.bonus_bps,
            points=award.points,
            capped_points=award.capped_points,
            lines=[
                points_pb2.LinePoints(line_no=computed.line_nos[index], points=points)
                for index, points in award.line_points
            ],
            issuer_merchant_id=place.merchant_edge,
            unlock_time=to_timestamp(until_time) if until_time > now else None,
            expire_time=to_expiry(expire_time),
        )
    return explained.SerializeToString()


def returned_awards(
    explanation: points_pb2.Explanation, lines: Sequence[ReturnedLine], amounts_minor: dict[int, int]
) -> list[points_pb2.ReturnedAward]:
    """What returned lines earned of other currencies; of each line the same share as of the sale's own points."""
    returned = []
    for award in explanation.awards:
        earned = {line.line_no: line.points for line in award.lines}
        points = 0
        for line in lines:
            own, amount_minor = earned.get(line.line_no, 0), amounts_minor[line.line_no]
            points += clawed_back_points(own, amount_minor, line.returned_minor)
            points -= clawed_back_points(own, amount_minor, line.returned_minor - line.amount_minor)
        if points:
            returned.append(
                points_pb2.ReturnedAward(
                    award_txn_id=award.txn_id, currency_id=award.currency_id, rule_id=award.rule_id, points=points
                )
            )
    return returned


class Awards:
    """Gives, unlocks and takes back what sales' explanations say. Again changes nothing."""

    def __init__(self, database: Database, ledger: Ledger, merges: Merges) -> None:
        self._db, self._ledger, self._merges = database, ledger, merges

    async def give(
        self, group_id: UUID, member_id: UUID, sale: points_pb2.RecordSaleRequest, sale_id: UUID, explanation: bytes
    ) -> None:
        """Give what the sale earned of other currencies. Raises Unavailable (unknown outcome: ask again)."""
        for award in points_pb2.Explanation.FromString(explanation).awards:
            currency_id = ids.from_edge("cur", award.currency_id, "currency_id")
            wallet_id = _wallet_of(member_id, award)
            await open_wallet(
                self._db,
                wallet_id,
                group_id=group_id,
                currency_id=currency_id,
                owner_id=member_id,
                lane_count=len(self._ledger.lanes),
            )
            why = points_pb2.AppliedRule(
                rule_id=award.rule_id,
                kind=points_pb2.RULE_KIND_OFFER,
                name=award.name,
                name_zh=award.name_zh,
                rate_bps=award.rate_bps,
                points=award.points,
                capped_points=award.capped_points,
            )
            outcome = await self._ledger.apply_one(
                Item(
                    kind=Kind.AWARD,
                    wallet_id=wallet_id,
                    group_id=group_id,
                    txn_id=_txn_of(award),
                    request_hash=content_hash(award.SerializeToString(deterministic=True)),
                    points=award.points,
                    occur_time=instant_of(sale.sale_time),
                    merchant_id=ids.from_edge("mch", award.issuer_merchant_id, "issuer_merchant_id"),
                    store_id=ids.from_edge("sto", sale.store_id, "store_id"),
                    ref_id=sale_id,
                    expire_time=_expiry_of(award),
                    reference=sale.receipt_no,
                    explanation=points_pb2.Explanation(rules=[why]).SerializeToString(),
                    unlock_time=instant_of(award.unlock_time) if award.HasField("unlock_time") else None,
                )
            )
            if outcome.status not in (Status.APPLIED, Status.REPLAY):
                raise Internal

    async def unlock(
        self,
        group_id: UUID,
        member_id: UUID,
        seen: queries.SaleRow,
        occur_time: datetime,
        until_time: datetime | None,
    ) -> None:
        """Let what a sale gave be spent, or from `until_time` on. Raises Unavailable (unknown outcome: ask again)."""
        awards = points_pb2.Explanation.FromString(seen["explanation"]).awards
        if awards:
            await self._give_seen(group_id, member_id, seen)
        for award in awards:
            txn_id = ids.derive("unlock", _txn_of(award))
            await self._merges.fetch_back(
                wallet_id=_wallet_of(member_id, award),
                lot_id=_txn_of(award),
                expire_time=_expiry_of(award),
                points=award.points,
                own_only=True,
                for_txn_id=txn_id,
            )
            outcome = await self._ledger.apply_one(
                Item(
                    kind=Kind.UNLOCK,
                    wallet_id=_wallet_of(member_id, award),
                    group_id=group_id,
                    txn_id=txn_id,
                    request_hash=b"",
                    points=0,
                    occur_time=occur_time,
                    merchant_id=ids.from_edge("mch", award.issuer_merchant_id, "issuer_merchant_id"),
                    ref_id=_txn_of(award),
                    expire_time=_expiry_of(award),
                    unlock_time=until_time,
                )
            )
            if outcome.status not in (Status.APPLIED, Status.REPLAY, Status.NOTHING):
                raise Internal

    async def take_back(
        self,
        group_id: UUID,
        member_id: UUID,
        seen: queries.SaleRow,
        refund_id: UUID,
        returned: Iterable[points_pb2.ReturnedAward],
    ) -> None:
        """Take back what a return says, as far as it is there: other currencies are never owed.

        Raises Unavailable (unknown outcome: ask again).
        """
        sale = await self._give_seen(group_id, member_id, seen)
        given = {award.txn_id: award for award in points_pb2.Explanation.FromString(seen["explanation"]).awards}
        for one in returned:
            await self._take(group_id, member_id, given[one.award_txn_id], sale, refund_id, one.points)

    async def _give_seen(self, group_id: UUID, member_id: UUID, seen: queries.SaleRow) -> points_pb2.RecordSaleRequest:
        """A sale may have been recorded without anybody staying to see what else it gives."""
        sale = points_pb2.RecordSaleRequest.FromString(seen["detail"])
        await self.give(group_id, member_id, sale, seen["txn_id"], seen["explanation"])
        return sale

    async def _take(
        self,
        group_id: UUID,
        member_id: UUID,
        award: points_pb2.CurrencyAward,
        sale: points_pb2.RecordSaleRequest,
        refund_id: UUID,
        points: int,
    ) -> None:
        wallet_id, award_id = _wallet_of(member_id, award), _txn_of(award)
        txn_id = ids.derive("award-return", refund_id, award_id)
        await self._merges.fetch_back(
            wallet_id=wallet_id,
            lot_id=award_id,
            expire_time=_expiry_of(award),
            points=points,
            own_only=False,
            for_txn_id=txn_id,
        )
        for _ in range(STALE_ATTEMPTS):
            outcome = await self._ledger.apply_one(
                Item(
                    kind=Kind.AWARD_RETURN,
                    wallet_id=wallet_id,
                    group_id=group_id,
                    txn_id=txn_id,
                    request_hash=content_hash(refund_id.bytes),
                    points=points,
                    occur_time=await self._db.now(),
                    merchant_id=ids.from_edge("mch", award.issuer_merchant_id, "issuer_merchant_id"),
                    store_id=ids.from_edge("sto", sale.store_id, "store_id"),
                    ref_id=award_id,
                    expire_time=_expiry_of(award),
                    expected=await queries.count_refunds(self._db.pool, wallet_id, award_id),
                    reference=sale.receipt_no,
                    explanation=b"",  # the lines are kept with the sale's own returns
                    limit_points=_NEVER_OWED,
                )
            )
            match outcome.status:
                case Status.APPLIED | Status.REPLAY:
                    return
                case Status.STALE:
                    continue  # another return of this sale was faster: look again
                case _:
                    raise Internal
        raise Unavailable


def _wallet_of(member_id: UUID, award: points_pb2.CurrencyAward) -> UUID:
    return ids.derive("wallet", member_id, ids.from_edge("cur", award.currency_id, "currency_id"))


def _txn_of(award: points_pb2.CurrencyAward) -> UUID:
    return ids.from_edge("txn", award.txn_id, "txn_id")


def _expiry_of(award: points_pb2.CurrencyAward) -> datetime:
    return instant_of(award.expire_time) if award.HasField("expire_time") else NEVER
