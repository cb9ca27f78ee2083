"""Paying with unit points or stored value at a till, and giving it back.

A payment is a redemption and its refund a reversal: here is only who may ask for them. A till's request id is bound to
the content it came with, the member's code included, before the code is used up. So a code that was used pays for
nothing but what it was shown for, whenever and however often a till asks again.
"""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.db import Database
from chassis.errors import RequestIdReused
from chassis.identity import Caller, CallerKind
from huitong.points.v1 import points_pb2
from huitong.points.v1 import wallets_pb2 as pb
from services.points import queries
from services.points.convert import request_hash
from services.points.errors import InsufficientPoints
from services.points.ledger.claims import Claims
from services.points.ledger.ledger import Kind
from services.points.lookup import Lookup, Store
from services.points.spending.operations import Spendings
from services.points.spending.spenders import Spenders
from services.points.wallets.currencies import Currencies, Currency
from services.points.wallets.errors import CurrencyNotSuitable, SpendingNeedsCode, TillPaymentUnknown


class TillPayments:
    """Payments at tills, and their refunds."""

    def __init__(
        self,
        database: Database,
        lookup: Lookup,
        claims: Claims,
        currencies: Currencies,
        spendings: Spendings,
        spenders: Spenders,
    ) -> None:
        self._db, self._lookup, self._claims = database, lookup, claims
        self._currencies, self._spendings, self._spenders = currencies, spendings, spenders

    async def pay(self, caller: Caller, request: pb.PayAtTillRequest) -> pb.PayAtTillResponse:
        """Spend of the member who shows a code; the group's own systems may name the member instead.

        Raises: StoreUnknown, CurrencyUnknown, CurrencyNotSuitable, SpendingNeedsCode, InsufficientPoints,
        RequestIdReused, what Spenders.require does, what member answers to a code, Unavailable (unknown outcome: ask
        again).
        """
        group_id = caller.group_id
        has_code = request.WhichOneof("identity") == "member_code"
        if not has_code and caller.kind is not CallerKind.SYSTEM:
            raise SpendingNeedsCode
        place = await self._lookup.store(group_id, ids.from_edge("sto", request.store_id, "store_id"))
        currency = await self._currencies.get(group_id, request.currency_id)
        await self._require_good_at(group_id, place, currency)
        payment_id = ids.derive("till-payment", group_id, request.request_id)
        content = ids.derive("till-payment-content", request_hash(request).hex())
        bound = await queries.find_request(self._db.pool, payment_id)
        if bound is None:
            # The code is used up last: what can be refused for another reason is refused before.
            member_id = await self._look_who(group_id, payment_id, request)
            await self._spenders.look(group_id, member_id)
            await self._require_points(caller, currency.wallet_of(member_id), request.points)
            bound = await self._claims.request(request_key=payment_id, group_id=group_id, target_id=content)
        if bound != content:
            raise RequestIdReused(request_id=request.request_id)
        member_id = await self._payer(group_id, payment_id, request)
        redeemed = await self._spendings.redeem(
            group_id,
            points_pb2.RedeemRequest(
                request_id=_inner(payment_id),
                member_id=ids.to_edge("mbr", member_id),
                points=request.points,
                spending=points_pb2.Spending(
                    merchant_id=place.merchant_edge,
                    store_id=place.store_edge,
                    kind=points_pb2.SPENDING_KIND_TILL_PAYMENT,
                    reference=request.reference,
                    offset_minor=request.points if currency.kind == pb.CURRENCY_KIND_STORED_VALUE else 0,
                ),
                currency_id=currency.edge,
            ),
        )
        return pb.PayAtTillResponse(
            txn_id=redeemed.txn_id,
            member_id=ids.to_edge("mbr", member_id),
            points=redeemed.points,
            available_points=redeemed.available_points,
            is_replay=redeemed.is_replay,
        )

    async def refund(self, group_id: UUID, request: pb.RefundTillPaymentRequest) -> pb.RefundTillPaymentResponse:
        """Give a payment back that the store's merchant took.

        Raises: StoreUnknown, CurrencyUnknown, TillPaymentUnknown, ReversalExceedsRedemption, RequestIdReused,
        Unavailable (unknown outcome: ask again).
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        payment_id = ids.from_edge("txn", request.payment_txn_id, "payment_txn_id")
        place = await self._lookup.store(group_id, ids.from_edge("sto", request.store_id, "store_id"))
        currency = await self._currencies.get(group_id, request.currency_id)
        paid = await queries.find_txn(self._db.pool, currency.wallet_of(member_id), payment_id)
        if (
            paid is None
            or paid["group_id"] != group_id
            or paid["kind"] != Kind.REDEEM
            or paid["merchant_id"] != place.merchant_id
            or points_pb2.Spending.FromString(paid["detail"]).kind != points_pb2.SPENDING_KIND_TILL_PAYMENT
        ):
            raise TillPaymentUnknown(txn_id=request.payment_txn_id)
        refund_id = ids.derive("till-refund", group_id, request.request_id)
        reversed_ = await self._spendings.reverse(
            group_id,
            points_pb2.ReverseRedemptionRequest(
                request_id=_inner(refund_id),
                member_id=request.member_id,
                redemption_txn_id=request.payment_txn_id,
                points=request.points,
                currency_id=currency.edge,
            ),
        )
        return pb.RefundTillPaymentResponse(
            txn_id=reversed_.txn_id,
            points=reversed_.points,
            available_points=reversed_.available_points,
            is_replay=reversed_.is_replay,
        )

    async def _look_who(self, group_id: UUID, payment_id: UUID, request: pb.PayAtTillRequest) -> UUID:
        """Who would pay; uses no code up."""
        if request.WhichOneof("identity") == "member_id":
            return ids.from_edge("mbr", request.member_id, "member_id")
        member_id, may_spend = await self._lookup.look_at_code(group_id, request.member_code)
        if not may_spend:  # another payment has used it: member says so
            await self._lookup.identify_to_spend(group_id, request.member_code, str(payment_id))
        return member_id

    async def _require_good_at(self, group_id: UUID, place: Store, currency: Currency) -> None:
        """Raises CurrencyNotSuitable."""
        if currency.is_own:
            raise CurrencyNotSuitable(currency_code=currency.code, problem="the group's points pay at a checkout")
        currency.require_merchant(await self._lookup.group(group_id), place.merchant_id)
        if currency.money_code not in ("", place.currency_code):
            raise CurrencyNotSuitable(currency_code=currency.code, problem=f"it is {currency.money_code}")

    async def _require_points(self, caller: Caller, wallet_id: UUID, points: int) -> None:
        """Raises InsufficientPoints. Only a look: what counts is what the ledger says."""
        async with self._db.reading(caller) as tx:
            row = await queries.find_balance(tx, wallet_id)
        available_points = row["available_points"] if row is not None else 0
        if available_points < points:
            raise InsufficientPoints(available_points=available_points, requested_points=points)

    async def _payer(self, group_id: UUID, payment_id: UUID, request: pb.PayAtTillRequest) -> UUID:
        """Who pays; uses the code up. A payment that is done needs no code: a till may have been offline for a day."""
        if request.WhichOneof("identity") == "member_id":
            return ids.from_edge("mbr", request.member_id, "member_id")
        txn_id = ids.derive("redeem", group_id, _inner(payment_id))
        wallet_id = await queries.find_request(self._db.pool, txn_id)
        if wallet_id is not None:
            owner_id = await queries.find_owner_of_txn(self._db.pool, wallet_id, txn_id)
            if owner_id is not None:
                return owner_id
        return await self._lookup.identify_to_spend(group_id, request.member_code, str(payment_id))


def _inner(payment_id: UUID) -> str:
    """The request id of the redemption or reversal: no till can name one of another service."""
    return f"till-{payment_id.hex}"
