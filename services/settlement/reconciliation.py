"""The points ledger's totals against what was accrued: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

# The ledger's figure → settlement's. "redeemed" is of the points that a merchant issued, "accepted" what it took.
FIGURES = {
    "issued_points": "issued_points",
    "clawed_back_points": "clawed_back_points",
    "redeemed_points": "spent_points",
    "expired_points": "expired_points",
    "accepted_points": "accepted_points",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One merchant's figure that is not the same on both sides."""

    merchant_id: UUID
    figure: str
    ledger_points: int
    settlement_points: int


def differences(
    ledger: Mapping[UUID, Mapping[str, int]], settlement: Mapping[UUID, Mapping[str, int]]
) -> list[Difference]:
    """Every figure of every merchant that differs; a merchant that one side does not know counts as zeros."""
    found = []
    for merchant_id in sorted(ledger.keys() | settlement.keys()):
        for figure in FIGURES:
            theirs = ledger.get(merchant_id, {}).get(figure, 0)
            ours = settlement.get(merchant_id, {}).get(figure, 0)
            if theirs != ours:
                found.append(Difference(merchant_id, figure, theirs, ours))
    return found
