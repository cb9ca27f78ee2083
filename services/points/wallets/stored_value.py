"""Stored value: money that was paid in ahead, and what of it is paid back."""

from __future__ import annotations

import json
from uuid import UUID

from chassis import ids
from chassis.db import Database
from chassis.errors import Internal, InvalidArgument, RequestIdReused
from huitong.common.v1 import types_pb2
from huitong.points.v1 import wallets_pb2 as pb
from services.points.convert import request_hash, to_expiry
from services.points.ledger.claims import Claims
from services.points.ledger.ledger import Item, Kind, Ledger, Status
from services.points.lookup import Lookup
from services.points.wallets.currencies import Currencies, Currency
from services.points.wallets.errors import (
    BalanceLimitReached,
    CurrencyNotSuitable,
    PaymentReferenceUsed,
    RefundExceedsTopUp,
    TopUpTooLarge,
    TopUpUnknown,
)


class StoredValue:
    """Top-ups and their refunds."""

    def __init__(
        self, database: Database, lookup: Lookup, claims: Claims, ledger: Ledger, currencies: Currencies
    ) -> None:
        self._db, self._lookup, self._claims, self._ledger = database, lookup, claims, ledger
        self._currencies = currencies

    async def top_up(self, group_id: UUID, request: pb.TopUpRequest) -> pb.TopUpResponse:
        """Put paid money into a wallet, as a lot of its own.

        Raises: MemberUnknown, MerchantUnknown, CurrencyUnknown, CurrencyNotSuitable, CurrencyClosed, TopUpTooLarge,
        BalanceLimitReached, PaymentReferenceUsed, RequestIdReused, Unavailable (unknown outcome: ask again).
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        merchant_id = ids.from_edge("mch", request.merchant_id, "merchant_id")
        amount_minor = request.paid.amount_minor
        if amount_minor <= 0:
            raise InvalidArgument([("paid.amount_minor", "must be positive")])
        money = await self._money(group_id, request.currency_id)
        if request.paid.currency_code != money.money_code:
            raise CurrencyNotSuitable(currency_code=money.code, problem=f"it is {money.money_code}")
        if amount_minor > money.max_top_up_minor:
            raise TopUpTooLarge(limit_minor=money.max_top_up_minor, requested_minor=amount_minor)
        await self._lookup.require_member(group_id, member_id)
        await self._lookup.require_merchant(group_id, merchant_id)
        data = await self._lookup.group(group_id)
        money.require_merchant(data, merchant_id)
        wallet_id = await self._currencies.open_wallet(group_id, member_id, money)
        txn_id = ids.derive("top-up", group_id, request.request_id)
        # A closed currency lets nothing new in, but a retry gets its first answer.
        if not await self._is_done(wallet_id, txn_id):
            money.require_open()
        if await self._claims.request(request_key=txn_id, group_id=group_id, target_id=wallet_id) != wallet_id:
            raise RequestIdReused(request_id=request.request_id)
        payment = ids.derive("top-up-payment", group_id, request.payment_reference)
        if await self._claims.request(request_key=payment, group_id=group_id, target_id=txn_id) != txn_id:
            raise PaymentReferenceUsed(payment_reference=request.payment_reference)
        now = await self._db.now()
        expire_time = money.expiry_at(data, now)
        limit_minor = money.max_balance_minor if request.is_identified else money.anonymous_max_balance_minor
        detail = pb.Funding(member_id=request.member_id, payment_reference=request.payment_reference).SerializeToString(
            deterministic=True
        )
        lot = {
            "lot_id": str(txn_id),
            "expire_time": expire_time.isoformat(),
            "merchant_id": str(merchant_id),
            "points": amount_minor,
        }
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.FUND,
                wallet_id=wallet_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=request_hash(request),
                points=amount_minor,
                occur_time=now,
                merchant_id=merchant_id,
                expire_time=expire_time,
                expected=limit_minor,
                reference=request.payment_reference,
                detail=detail,
                explanation=json.dumps([lot]).encode(),
                payload=detail,
            )
        )
        match outcome.status:
            case Status.APPLIED | Status.REPLAY:
                pass
            case Status.CONFLICT:
                raise RequestIdReused(request_id=request.request_id)
            case Status.BALANCE_LIMIT:
                raise BalanceLimitReached(limit_minor=limit_minor, left_minor=outcome.points)
            case _:
                raise Internal
        return pb.TopUpResponse(
            txn_id=ids.to_edge("txn", txn_id),
            points=outcome.points,
            available_points=outcome.available_points,
            expire_time=to_expiry(outcome.expire_time),
            is_replay=outcome.status is Status.REPLAY,
        )

    async def refund(self, group_id: UUID, request: pb.RefundTopUpRequest) -> pb.RefundTopUpResponse:
        """Take what is left of a top-up out of the wallet.

        Raises: MemberUnknown, CurrencyUnknown, CurrencyNotSuitable, TopUpUnknown, RefundExceedsTopUp, RequestIdReused,
        Unavailable (unknown outcome: ask again).
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        top_up_id = ids.from_edge("txn", request.top_up_txn_id, "top_up_txn_id")
        money = await self._money(group_id, request.currency_id)
        await self._lookup.require_member(group_id, member_id)
        wallet_id = money.wallet_of(member_id)
        top_up = await self._db.pool.fetchrow(
            """SELECT t.expire_time, t.merchant_id, t.reference FROM txn t
               WHERE t.wallet_id = $1 AND t.txn_id = $2 AND t.kind = 20 AND t.ref_id IS NULL""",
            wallet_id,
            top_up_id,
        )
        if top_up is None:
            raise TopUpUnknown(txn_id=request.top_up_txn_id)
        txn_id = ids.derive("top-up-refund", group_id, request.request_id)
        if await self._claims.request(request_key=txn_id, group_id=group_id, target_id=wallet_id) != wallet_id:
            raise RequestIdReused(request_id=request.request_id)
        detail = pb.Funding(member_id=request.member_id, payment_reference=top_up["reference"]).SerializeToString(
            deterministic=True
        )
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.REFUND_FUNDING,
                wallet_id=wallet_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=request_hash(request),
                points=request.amount_minor,
                occur_time=await self._db.now(),
                merchant_id=top_up["merchant_id"],
                ref_id=top_up_id,
                expire_time=top_up["expire_time"],
                reference=top_up["reference"],
                detail=detail,
                payload=detail,
            )
        )
        match outcome.status:
            case Status.APPLIED | Status.REPLAY:
                pass
            case Status.CONFLICT:
                raise RequestIdReused(request_id=request.request_id)
            case Status.INSUFFICIENT:
                raise RefundExceedsTopUp(left_minor=outcome.available_points, requested_minor=request.amount_minor)
            case _:
                raise Internal
        return pb.RefundTopUpResponse(
            txn_id=ids.to_edge("txn", txn_id),
            refunded=types_pb2.Money(amount_minor=outcome.points, currency_code=money.money_code),
            payment_reference=top_up["reference"],
            available_points=outcome.available_points,
            is_replay=outcome.status is Status.REPLAY,
        )

    async def _money(self, group_id: UUID, currency_id: str) -> Currency:
        money = await self._currencies.get(group_id, currency_id)
        if money.kind != pb.CURRENCY_KIND_STORED_VALUE:
            raise CurrencyNotSuitable(currency_code=money.code, problem="it is no stored value")
        return money

    async def _is_done(self, wallet_id: UUID, txn_id: UUID) -> bool:
        return bool(
            await self._db.pool.fetchval(
                "SELECT 1 FROM txn t WHERE t.wallet_id = $1 AND t.txn_id = $2", wallet_id, txn_id
            )
        )
