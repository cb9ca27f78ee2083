"""What rules may want to know of a member beyond tier and birthday: segments, and whether a purchase is the first.

Only sales whose rules ask cost a question.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.points.earning.first_purchases import FirstPurchases, Purchase
from services.points.earning.offers import FirstIn
from services.points.earning.rules import RuleSet
from services.points.earning.segments import Segments
from services.points.lookup import Store


class Asked(NamedTuple):
    """A sale whose rules ask."""

    rule_set: RuleSet
    group_id: UUID
    member_id: UUID
    sale_id: UUID
    place: Store
    sale_time: datetime
    amount_minor: int


class MemberFacts:
    """Answers for many sales at once."""

    def __init__(self, url: str) -> None:
        self._segments, self._firsts = Segments(url), FirstPurchases(url)

    async def open(self) -> None:
        """Connect."""
        await self._segments.open()
        await self._firsts.open()

    async def close(self) -> None:
        """Stop."""
        await self._segments.close()
        await self._firsts.close()

    async def of(
        self, asked: Sequence[Asked], stores: Mapping[UUID, Store], *, claim: bool
    ) -> list[tuple[tuple[str, ...], frozenset[FirstIn]]]:
        """For each sale (of one group) its member's segments then, and where it is the member's first purchase.

        With `claim` it is so from now on. Raises Overloaded, and Unavailable (ask again).
        """
        segments: list[tuple[str, ...]] = [()] * len(asked)
        wanting = [number for number, one in enumerate(asked) if one.rule_set.uses_segments]
        found = await self._segments.at([(asked[number].member_id, asked[number].sale_time) for number in wanting])
        for number, names in zip(wanting, found, strict=True):
            segments[number] = names
        purchases = [
            # A sale of nothing is nobody's first purchase.
            Purchase(
                one.group_id, one.member_id, one.sale_id, one.place, one.rule_set.uses_first if one.amount_minor else ()
            )
            for one in asked
        ]
        firsts = await self._firsts.decide(purchases, stores, claim=claim)
        return list(zip(segments, firsts, strict=True))
