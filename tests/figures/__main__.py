"""`python -m tests.figures [RECEIPTS]`: print the figures and how long it took."""

from __future__ import annotations

import sys
import time

from tests.figures.book import STATEMENT_MONEY, TOTALS
from tests.figures.recompute import Figures, recompute


def main() -> None:
    """Recompute and print."""
    receipts = int(sys.argv[1]) if len(sys.argv) > 1 else None
    begun = time.perf_counter()
    figures = recompute(receipts)
    seconds = time.perf_counter() - begun
    show(figures)
    print(f"\n{figures.receipt_count:,} receipts of the data in {seconds:.1f} s")


def show(figures: Figures) -> None:
    """Print the tables."""
    print(f"{figures.first_day} – {figures.last_day}: {figures.receipt_count:,} receipts, {figures.sale_count:,} sales")
    _print("Members by tier", [("tier", "members"), *((code, f"{count:,}") for code, count in figures.tiers.items())])
    names = [*TOTALS, "accepted_points"]
    rows = [*figures.merchants.items()]
    accepted = sum(row["accepted_points"] for _, row in rows)
    rows.append(("all", {**figures.points_total, "accepted_points": accepted}))
    _print(
        "Points by issuing merchant",
        [("merchant", *(name.removesuffix("_points") for name in names))]
        + [(code, *(f"{row[name]:,}" for name in names)) for code, row in rows],
    )
    money = [*STATEMENT_MONEY, "net_minor"]
    settled = [*figures.settlement.items()]
    settled.append(("all", {name: sum(row[name] for _, row in settled) for name in money}))
    _print(
        "Settlement by merchant, yuan",
        [("merchant", *(name.removesuffix("_minor") for name in money))]
        + [(code, *(_yuan(row[name]) for name in money)) for code, row in settled],
    )
    sums = ("merchants_net_minor", "fund_minor", "platform_minor", "imbalance_minor")
    total = {name: sum(row[name] for row in figures.periods.values()) for name in sums}
    _print(
        "Periods, yuan",
        [("period", *(name.removesuffix("_minor") for name in sums))]
        + [(code, *(_yuan(row[name]) for name in sums)) for code, row in [*figures.periods.items(), ("all", total)]],
    )
    for title, row in (("Parking", figures.parking), ("Mall", figures.mall)):
        _print(
            title, [(name, _yuan(value) if name.endswith("_minor") else f"{value:,}") for name, value in row.items()]
        )


def _yuan(minor: int) -> str:
    return f"{'-' if minor < 0 else ''}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"


def _print(title: str, rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    print(f"\n{title}")
    for row in rows:
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        print("  ".join(cells))


if __name__ == "__main__":
    main()
