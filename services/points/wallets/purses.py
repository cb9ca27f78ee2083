"""Which wallet a member spends from: the own points, another currency, or a family pool."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from chassis import ids
from chassis.errors import InvalidArgument
from huitong.points.v1 import points_pb2
from services.points.lookup import Lookup, MemberLink
from services.points.wallets.currencies import Currencies
from services.points.wallets.family_pools import FamilyPools


class Purse(NamedTuple):
    """A wallet to spend from. From a family pool: who spends, and how much in 30 days (0: any amount)."""

    wallet_id: UUID
    spender_id: UUID | None = None
    limit_points: int = 0


class Purses:
    """Finds the wallet that a request means. Nothing is looked up for a member's own points."""

    def __init__(self, lookup: Lookup, currencies: Currencies, pools: FamilyPools) -> None:
        self._lookup, self._currencies, self._pools = lookup, currencies, pools

    async def to_spend(
        self, group_id: UUID, request: Any, txn_id: UUID, spending: points_pb2.Spending, link: MemberLink
    ) -> Purse:
        """For a redemption or hold of that id by a known member. Writes into `spending` whose pool it is, and who
        spends when that is not the wallet's owner: an absorbed member spends what is the survivor's now.

        Raises: CurrencyUnknown, CurrencyNotSuitable, FamilyPoolUnknown, FamilyPoolDissolved, NotInPool,
        PoolSpendingNotAllowed, InvalidArgument.
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        spending.ClearField("pool_id")
        spending.ClearField("member_id")
        if link.survivor_id is not None and not request.pool_id:
            member_id, spending.member_id = link.survivor_id, request.member_id
        if not request.currency_id and not request.pool_id:
            return Purse(member_id)
        if request.pool_id:
            _only_one(request)
            pool_id = ids.from_edge("fpl", request.pool_id, "pool_id")
            limit_points = await self._pools.spend_limit(group_id, pool_id, member_id, txn_id)
            spending.pool_id, spending.member_id = request.pool_id, request.member_id
            return Purse(pool_id, member_id, limit_points)
        currency = await self._currencies.get(group_id, request.currency_id)
        data = await self._lookup.group(group_id)
        currency.require_merchant(data, ids.from_edge("mch", spending.merchant_id, "spending.merchant_id"))
        return Purse(await self._currencies.open_wallet(group_id, member_id, currency))

    async def to_return(self, group_id: UUID, request: Any) -> UUID:
        """For what gives back, captures or frees: the wallet spent from, also by one who has left the pool since.

        Raises: CurrencyUnknown, FamilyPoolUnknown, InvalidArgument.
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        if not request.currency_id and not request.pool_id:
            return member_id
        if request.pool_id:
            _only_one(request)
            pool_id = ids.from_edge("fpl", request.pool_id, "pool_id")
            await self._pools.require_pool(group_id, pool_id)
            return pool_id
        currency = await self._currencies.get(group_id, request.currency_id)
        return await self._currencies.open_wallet(group_id, member_id, currency)


def _only_one(request: Any) -> None:
    if request.currency_id:
        raise InvalidArgument([("currency_id", "a family pool holds the group's points only")])
