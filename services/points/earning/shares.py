"""Shares of a total. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def keep_within(shares: list[int], most: Mapping[int, int], exact: Sequence[int | Fraction]) -> None:
    """Take from each share what it has beyond its `most` (by index; the others have none), so that the sum stays.

    One by one to those without, first to whoever misses most of its `exact` part; ties go to the earlier.
    """
    left = 0
    for index, limit in most.items():
        if shares[index] > limit:
            left += shares[index] - limit
            shares[index] = limit
    others = [index for index in range(len(shares)) if index not in most]
    while left:
        index = max(others, key=lambda other: exact[other] - shares[other])
        given = min(left, max(1, int(exact[index] - shares[index])))
        shares[index] += given
        left -= given
