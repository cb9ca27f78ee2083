"""Which purchase is a member's first, in the group, a business unit or a store: the first to arrive, for ever.

A claim names that sale, so that a retry finds its own and of many tills at once one wins. A member may have bought
before any rule asked: then the oldest of those sales is the first one. Goods that come back change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from chassis import ids
from services.points.earning.offers import FirstIn
from services.points.ledger.batched import BatchedCalls
from services.points.ledger.ledger import LEDGER_SETTINGS
from services.points.lookup import Store

_SETTINGS = {**LEDGER_SETTINGS, "application_name": "huitong-points-first-purchases"}
_CLAIMED = """SELECT i.ord, f.sale_id FROM unnest($1::uuid[]) WITH ORDINALITY AS i (claim_id, ord)
    LEFT JOIN first_purchase f ON f.claim_id = i.claim_id"""
# The oldest sale of each member in each store, with those of the members that it has absorbed.
_BEFORE = """SELECT i.ord, b.store_ids, b.sale_ids
    FROM unnest($1::uuid[]) WITH ORDINALITY AS i (wallet_id, ord)
    CROSS JOIN LATERAL (
        SELECT array_agg(o.store_id ORDER BY o.record_time, o.version) AS store_ids,
               array_agg(o.txn_id ORDER BY o.record_time, o.version) AS sale_ids
        FROM (SELECT DISTINCT ON (t.store_id) t.store_id, t.txn_id, t.record_time, t.version FROM txn t
              WHERE t.wallet_id = ANY (i.wallet_id || ARRAY(SELECT m.member_id FROM member m
                                                            WHERE m.survivor_id = i.wallet_id))
                AND t.kind = 1 AND t.amount_minor > 0
              ORDER BY t.store_id, t.record_time, t.version) o) b"""
_CLAIM = "SELECT ord, sale_id FROM claim_first_purchases($1, $2, $3)"


class Purchase(NamedTuple):
    """A sale of more than nothing, and where it is asked whether it is the member's first."""

    group_id: UUID
    member_id: UUID
    sale_id: UUID
    place: Store
    scopes: Sequence[FirstIn]

    def claim_id(self, scope: FirstIn) -> UUID:
        """The claim of all its member's purchases in the scope."""
        where = {
            FirstIn.GROUP: self.group_id,
            FirstIn.UNIT: self.place.business_unit_id,
            FirstIn.STORE: self.place.store_id,
        }
        return ids.derive("first-purchase", self.group_id, self.member_id, scope, where[scope])

    def has_in_scope(self, scope: FirstIn, other: Store | None) -> bool:
        """Whether a sale in another store counts too."""
        if scope is FirstIn.GROUP or other is None:
            return scope is FirstIn.GROUP
        if scope is FirstIn.UNIT:
            return other.business_unit_id == self.place.business_unit_id
        return other.store_id == self.place.store_id


class FirstPurchases:
    """Decides over one connection, whatever has arrived in one call."""

    def __init__(self, url: str) -> None:
        self._calls = BatchedCalls(url, (_CLAIMED, _BEFORE, _CLAIM), settings=_SETTINGS)
        self.open, self.close = self._calls.open, self._calls.close

    async def decide(
        self, purchases: Sequence[Purchase], stores: Mapping[UUID, Store], *, claim: bool
    ) -> list[frozenset[FirstIn]]:
        """For each purchase the scopes in which it is its member's first; in the order given, and claimed when told so.

        Without `claim` it says what a claim would. Raises Overloaded, and Unavailable (ask again).
        """
        asked = [(number, scope) for number, purchase in enumerate(purchases) for scope in purchase.scopes]
        if not asked:
            return [frozenset()] * len(purchases)
        claims = [purchases[number].claim_id(scope) for number, scope in asked]
        rows = await self._calls.ask(_CLAIMED, [(each,) for each in claims])
        firsts: list[UUID | None] = [row["sale_id"] for row in rows]
        new = [position for position, first in enumerate(firsts) if first is None]
        if new:
            for position, oldest in zip(new, await self._oldest(purchases, asked, new, stores), strict=True):
                firsts[position] = oldest
            if claim:
                group_id = purchases[0].group_id
                bound = [(claims[position], group_id, firsts[position]) for position in new]
                for position, row in zip(new, await self._calls.ask(_CLAIM, bound), strict=True):
                    firsts[position] = row["sale_id"]
        found: list[set[FirstIn]] = [set() for _ in purchases]
        for (number, scope), first in zip(asked, firsts, strict=True):
            if first == purchases[number].sale_id:
                found[number].add(scope)
        return [frozenset(scopes) for scopes in found]

    async def _oldest(
        self,
        purchases: Sequence[Purchase],
        asked: Sequence[tuple[int, FirstIn]],
        new: Sequence[int],
        stores: Mapping[UUID, Store],
    ) -> list[UUID]:
        """Of what nobody has claimed: the oldest sale that is recorded, or the purchase itself."""
        numbers = sorted({asked[position][0] for position in new})
        rows = await self._calls.ask(_BEFORE, [(purchases[number].member_id,) for number in numbers])
        before = {
            number: list(zip(row["store_ids"] or (), row["sale_ids"] or (), strict=True))
            for number, row in zip(numbers, rows, strict=True)
        }
        found = []
        for position in new:
            number, scope = asked[position]
            purchase = purchases[number]
            older = (
                sale_id for store_id, sale_id in before[number] if purchase.has_in_scope(scope, stores.get(store_id))
            )
            found.append(next(older, purchase.sale_id))
        return found
