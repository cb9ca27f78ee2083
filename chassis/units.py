"""Integer money and points. Each function names its rounding."""

from __future__ import annotations

from collections.abc import Sequence

BPS = 10_000


def share_floor(amount: int, rate_bps: int) -> int:
    """`rate_bps` ten-thousandths of `amount` (>= 0), rounded down to a whole unit."""
    return amount * rate_bps // BPS


def divide_half_up(numerator: int, denominator: int) -> int:
    """`numerator / denominator` (both >= 0, denominator > 0), halves rounded up."""
    return (2 * numerator + denominator) // (2 * denominator)


def share_half_up(amount: int, rate_bps: int) -> int:
    """`rate_bps` ten-thousandths of `amount` (>= 0), halves rounded up to a whole unit."""
    return divide_half_up(amount * rate_bps, BPS)


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` (>= 0) by `weights` (>= 0) so that the shares add up to it exactly.

    Each gets the floor of its exact share; what is left goes, one each, to the largest remainders, ties to the earlier
    (Hamilton's method). With all weights zero everything goes to the first.
    """
    weight_sum = sum(weights)
    if weight_sum == 0:
        return [total if index == 0 else 0 for index in range(len(weights))]
    shares = [total * weight // weight_sum for weight in weights]
    left = total - sum(shares)
    if left:
        by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % weight_sum), i))
        for index in by_remainder[:left]:
            shares[index] += 1
    return shares
