"""Shares of a total. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction


def largest_remainder(total: int, weights: Sequence[int | Fraction]) -> list[int]:
    """Share `total` by `weights`, exactly: floors first, the rest one each to the largest remainders.

    Ties go to the earlier. As chassis.units.largest_remainder, but a weight may be negative here: a tier that
    multiplies by less than one takes from what the other rules gave.
    """
    if len(weights) == 1:
        return [total]
    weight_sum = sum(weights)
    if weight_sum == 0:
        return [total if index == 0 else 0 for index in range(len(weights))]
    shares = [total * weight // weight_sum for weight in weights]
    left = total - sum(shares)
    if left == 1:  # as often as not: no need to sort
        rests = [total * weight % weight_sum for weight in weights]
        shares[rests.index(max(rests))] += 1
    elif left:
        order = sorted(range(len(weights)), key=lambda index: (-(total * weights[index] % weight_sum), index))
        for index in order[:left]:
            shares[index] += 1
    return shares
