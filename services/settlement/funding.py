"""Who pays for issued points beside their issuer: pure. What the issuer is charged or gets back stays as it is; the
others pay it their shares of that, and get them back."""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from services.settlement import rules
from services.settlement.rules import Account, Line, Part


class FunderKind(enum.IntEnum):
    """As in huitong.points.v1.FunderKind."""

    MERCHANT = 1
    BUSINESS_UNIT = 2
    PLATFORM = 3
    NAMED_MERCHANT = 4


class Funder(NamedTuple):
    """Who pays; the id is of a named merchant only: unit and issuer are the entry's."""

    kind: FunderKind
    merchant_id: UUID | None


class FunderShare(NamedTuple):
    """Somebody's part of the points of a sale; the issuer's own is one of them."""

    funder: Funder
    points: int


@dataclass(slots=True)
class Shares:
    """What funders pay for one movement of an issuer (negative: get back), lot by lot."""

    points: dict[Funder, int] = field(default_factory=lambda: defaultdict(int))
    amounts: dict[Funder, int] = field(default_factory=lambda: defaultdict(int))
    parts: dict[Funder, list[Part]] = field(default_factory=lambda: defaultdict(list))

    def add(
        self,
        shares: Sequence[FunderShare],
        *,
        lot_id: UUID | None,
        issuer_id: UUID,
        points: tuple[int, int],
        amounts: tuple[int, int],
        sign: int,
    ) -> None:
        """Share a movement of some points and money of one lot; both as they were before and are after it, in all."""
        weights = [share.points for share in shares]
        changed = zip(
            shares, rules.funded_change(weights, *points), rules.funded_change(weights, *amounts), strict=True
        )
        for share, share_points, share_minor in changed:
            if share.funder.kind is FunderKind.MERCHANT or not (share_points or share_minor):
                continue
            self.points[share.funder] += share_points
            self.amounts[share.funder] += sign * share_minor
            if lot_id is not None:
                self.parts[share.funder].append(Part(lot_id, issuer_id, share_points, sign * share_minor))

    def issuer_side(self) -> tuple[int, list[Line], list[Part]]:
        """Points, lines and lots of the issuer's entry. Other merchants pay by way of the platform."""
        lines = [
            line
            for funder, amount in self.amounts.items()
            for line in rules.funding_lines(
                Account.UNIT if funder.kind is FunderKind.BUSINESS_UNIT else Account.PLATFORM, amount
            )
        ]
        return sum(self.points.values()), lines, [part for parts in self.parts.values() for part in parts]

    def merchant_sides(self) -> list[tuple[UUID, int, list[Line], list[Part]]]:
        """For each other merchant that pays: points, lines and lots of its entry."""
        return [
            (
                funder.merchant_id,
                self.points[funder],
                rules.funding_lines(Account.PLATFORM, -amount),
                [Part(part.lot_id, part.issuer_id, part.points, -part.amount_minor) for part in self.parts[funder]],
            )
            for funder, amount in self.amounts.items()
            if funder.merchant_id is not None
        ]
