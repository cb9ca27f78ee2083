"""RPCs of currencies, stored value, conversion and family pools."""

from __future__ import annotations

from typing import Any

from chassis import ids, rpc
from chassis.db import Database
from huitong.points.v1 import family_pools_pb2, family_pools_pb2_grpc, wallets_pb2, wallets_pb2_grpc
from services.points import queries
from services.points.api import NEXT_EXPIRIES, expiry_messages, statement_page
from services.points.lookup import Lookup
from services.points.spending.till_payments import TillPayments
from services.points.wallets.conversion import Conversions
from services.points.wallets.currencies import Currencies
from services.points.wallets.family_pools import FamilyPools
from services.points.wallets.stored_value import StoredValue


class CurrencyServicer(wallets_pb2_grpc.CurrencyServiceServicer):
    """Currencies, and what members have of them."""

    def __init__(self, database: Database, lookup: Lookup, currencies: Currencies) -> None:
        self._db, self._lookup, self._currencies = database, lookup, currencies

    async def CreateCurrency(
        self, request: wallets_pb2.CreateCurrencyRequest, context: Any
    ) -> wallets_pb2.CreateCurrencyResponse:
        """A new one."""
        return await self._currencies.create(rpc.caller().group_id, request)

    async def CloseCurrency(
        self, request: wallets_pb2.CloseCurrencyRequest, context: Any
    ) -> wallets_pb2.CloseCurrencyResponse:
        """Nothing comes in any more."""
        return await self._currencies.close(request)

    async def ListCurrencies(
        self, request: wallets_pb2.ListCurrenciesRequest, context: Any
    ) -> wallets_pb2.ListCurrenciesResponse:
        """The group's."""
        found = await self._currencies.all(rpc.caller().group_id)
        return wallets_pb2.ListCurrenciesResponse(currencies=[one.message() for one in found])

    async def ListWallets(
        self, request: wallets_pb2.ListWalletsRequest, context: Any
    ) -> wallets_pb2.ListWalletsResponse:
        """What a member has of each currency."""
        group_id = rpc.caller().group_id
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        await self._lookup.require_member(group_id, member_id)
        answer = wallets_pb2.ListWalletsResponse()
        currencies = await self._currencies.all(group_id)
        async with self._db.reading(rpc.caller()) as tx:
            for currency in currencies:
                wallet_id = currency.wallet_of(member_id)
                row = await queries.find_balance(tx, wallet_id)
                if row is None:
                    continue
                answer.wallets.add(
                    currency=currency.message(),
                    available_points=row["available_points"],
                    held_points=row["held_points"],
                    pending_points=row["pending_points"],
                    debt_points=row["debt_points"],
                    next_expiries=expiry_messages(await queries.list_next_expiries(tx, wallet_id, NEXT_EXPIRIES)),
                )
        return answer


class StoredValueServicer(wallets_pb2_grpc.StoredValueServiceServicer):
    """Money in, and back."""

    def __init__(self, stored_value: StoredValue) -> None:
        self._stored_value = stored_value

    async def TopUp(self, request: wallets_pb2.TopUpRequest, context: Any) -> wallets_pb2.TopUpResponse:
        """Put in what was paid."""
        return await self._stored_value.top_up(rpc.caller().group_id, request)

    async def RefundTopUp(
        self, request: wallets_pb2.RefundTopUpRequest, context: Any
    ) -> wallets_pb2.RefundTopUpResponse:
        """Take out what is paid back."""
        return await self._stored_value.refund(rpc.caller().group_id, request)


class TillPaymentServicer(wallets_pb2_grpc.TillPaymentServiceServicer):
    """Other currencies at tills."""

    def __init__(self, till_payments: TillPayments) -> None:
        self._till_payments = till_payments

    async def PayAtTill(self, request: wallets_pb2.PayAtTillRequest, context: Any) -> wallets_pb2.PayAtTillResponse:
        """Spend of the member who shows a code."""
        return await self._till_payments.pay(rpc.caller(), request)

    async def RefundTillPayment(
        self, request: wallets_pb2.RefundTillPaymentRequest, context: Any
    ) -> wallets_pb2.RefundTillPaymentResponse:
        """Give a payment back."""
        return await self._till_payments.refund(rpc.caller().group_id, request)


class ConversionServicer(wallets_pb2_grpc.ConversionServiceServicer):
    """Rates and conversion."""

    def __init__(self, conversions: Conversions) -> None:
        self._conversions = conversions

    async def ProposeConversionRate(
        self, request: wallets_pb2.ProposeConversionRateRequest, context: Any
    ) -> wallets_pb2.ProposeConversionRateResponse:
        """Propose a rate."""
        return await self._conversions.propose(rpc.caller().group_id, request)

    async def DecideConversionRate(
        self, request: wallets_pb2.DecideConversionRateRequest, context: Any
    ) -> wallets_pb2.DecideConversionRateResponse:
        """Approve or reject it."""
        return await self._conversions.decide(request)

    async def ListConversionRates(
        self, request: wallets_pb2.ListConversionRatesRequest, context: Any
    ) -> wallets_pb2.ListConversionRatesResponse:
        """The group's."""
        return await self._conversions.list_rates(request.state)

    async def QuoteConversion(
        self, request: wallets_pb2.QuoteConversionRequest, context: Any
    ) -> wallets_pb2.QuoteConversionResponse:
        """What an amount becomes."""
        return await self._conversions.quote(rpc.caller().group_id, request)

    async def ConvertPoints(
        self, request: wallets_pb2.ConvertPointsRequest, context: Any
    ) -> wallets_pb2.ConvertPointsResponse:
        """Convert."""
        return await self._conversions.convert(rpc.caller().group_id, request)


class FamilyPoolServicer(family_pools_pb2_grpc.FamilyPoolServiceServicer):
    """A household's points."""

    def __init__(self, database: Database, pools: FamilyPools) -> None:
        self._db, self._pools = database, pools

    async def CreateFamilyPool(
        self, request: family_pools_pb2.CreateFamilyPoolRequest, context: Any
    ) -> family_pools_pb2.CreateFamilyPoolResponse:
        """A new one."""
        return await self._pools.create(rpc.caller().group_id, request)

    async def SetPoolMember(
        self, request: family_pools_pb2.SetPoolMemberRequest, context: Any
    ) -> family_pools_pb2.SetPoolMemberResponse:
        """Invite, or change."""
        return await self._pools.set_member(rpc.caller().group_id, request)

    async def JoinFamilyPool(
        self, request: family_pools_pb2.JoinFamilyPoolRequest, context: Any
    ) -> family_pools_pb2.JoinFamilyPoolResponse:
        """Accept."""
        return await self._pools.join(request)

    async def LeaveFamilyPool(
        self, request: family_pools_pb2.LeaveFamilyPoolRequest, context: Any
    ) -> family_pools_pb2.LeaveFamilyPoolResponse:
        """Leave, decline, remove."""
        return await self._pools.leave(request)

    async def DissolveFamilyPool(
        self, request: family_pools_pb2.DissolveFamilyPoolRequest, context: Any
    ) -> family_pools_pb2.DissolveFamilyPoolResponse:
        """End it."""
        return await self._pools.dissolve(request)

    async def ContributeToPool(
        self, request: family_pools_pb2.ContributeToPoolRequest, context: Any
    ) -> family_pools_pb2.ContributeToPoolResponse:
        """Put points in."""
        return await self._pools.contribute(rpc.caller().group_id, request)

    async def GetFamilyPool(
        self, request: family_pools_pb2.GetFamilyPoolRequest, context: Any
    ) -> family_pools_pb2.GetFamilyPoolResponse:
        """One, with its points."""
        pool_id = ids.from_edge("fpl", request.pool_id, "pool_id")
        async with self._db.reading(rpc.caller()) as tx:
            pool = await self._pools.get(tx, request.member_id, request.pool_id, also_invited=True)
            row = await queries.find_balance(tx, pool_id)
            expiries = await queries.list_next_expiries(tx, pool_id, NEXT_EXPIRIES)
        return family_pools_pb2.GetFamilyPoolResponse(
            pool=pool,
            available_points=row["available_points"] if row else 0,
            held_points=row["held_points"] if row else 0,
            next_expiries=expiry_messages(expiries),
        )

    async def ListFamilyPools(
        self, request: family_pools_pb2.ListFamilyPoolsRequest, context: Any
    ) -> family_pools_pb2.ListFamilyPoolsResponse:
        """A member's."""
        found = await self._pools.list_of(ids.from_edge("mbr", request.member_id, "member_id"))
        return family_pools_pb2.ListFamilyPoolsResponse(pools=found)

    async def ListPoolStatement(
        self, request: family_pools_pb2.ListPoolStatementRequest, context: Any
    ) -> family_pools_pb2.ListPoolStatementResponse:
        """Every movement of a pool."""
        pool_id = ids.from_edge("fpl", request.pool_id, "pool_id")
        async with self._db.reading(rpc.caller()) as tx:
            await self._pools.get(tx, request.member_id, request.pool_id, also_invited=False)
            entries, token = await statement_page(tx, pool_id, request.page_size, request.page_token)
        return family_pools_pb2.ListPoolStatementResponse(entries=entries, next_page_token=token)
