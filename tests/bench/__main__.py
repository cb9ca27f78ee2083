"""Measure everything in shuffled rounds, print one table, write build/bench.json, and check the books afterwards."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # pgbench is started beside open channels

import asyncpg
import uvloop
from rich.console import Console
from rich.table import Table

from services.points.invariants import INVARIANTS
from suite.local import erase
from tests.bench.stage import LANES, MERCHANTS, ROOT, WALLETS, Stage
from tests.bench.variants import Measured, Variant, open_bench


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds, each with all variants in another order (7)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each variant in each round (2)")
    parser.add_argument("--only", default="", help="names separated by commas; baselines are added")
    parser.add_argument("--small", action="store_true", help="leave out growth, which fills a database of 5 GB first")
    return parser.parse_args()


def _value(measured: Measured) -> float:
    return measured.latency_ms["p50"] if measured.latency_ms else measured.per_second


def _chosen(variants: list[Variant], only: str) -> list[Variant]:
    if not only:
        return variants
    wanted = set(only.split(","))
    for variant in reversed(variants):  # a baseline stands before what is compared with it, and may have one of its own
        if variant.name in wanted and variant.baseline:
            wanted.add(variant.baseline)
    return [variant for variant in variants if variant.name in wanted]


# The first change of a page after a checkpoint writes the whole page to the log. A checkpoint comes every quarter of an
# hour; what the grown database does is measured as it is in between, not right after it was filled.
TOUCH_SECONDS = 90.0
# The grown database was filled with wallets and lots that have no history.
GROWN = ("2 wallet = what its lots hold", "4 nothing is negative", "4 a lot gives what it had, no more")


async def _violations(url: str, names: Collection[str] = tuple(INVARIANTS)) -> dict[str, int]:
    connection = await asyncpg.connect(url)
    try:
        counts = {name: len(await connection.fetch(INVARIANTS[name])) for name in names}
    finally:
        await connection.close()
    return {name: count for name, count in counts.items() if count}


async def _violations_after(stage: Stage, variant: Variant) -> dict[str, int]:
    """Of the books that a variant wrote, all invariants, named by it."""
    if not variant.books:
        return {}
    url = stage.lanes_url if variant.books == "lanes" else stage.service_url
    # The lanes are fed without claims of receipts; the service is not.
    names = [name for name in INVARIANTS if variant.books == "service" or "receipt" not in name]
    return {f"{variant.name}: {name}": count for name, count in (await _violations(url, names)).items()}


async def _machine(stage: Stage) -> dict[str, Any]:
    connection = await asyncpg.connect(stage.lanes_url)
    try:
        names = ("server_version", "fsync", "synchronous_commit", "full_page_writes", "shared_buffers")
        postgres = {name: await connection.fetchval(f"SHOW {name}") for name in names}
    finally:
        await connection.close()
    return {
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "postgres": postgres,
        "members": WALLETS,
        "merchants": MERCHANTS,
        "lanes": LANES,
    }


def _row(variant: Variant, results: dict[str, list[Measured]]) -> dict[str, Any]:
    runs = results[variant.name]
    row: dict[str, Any] = {"name": variant.name, "what": variant.what, "baseline": variant.baseline or None}
    value = statistics.median(_value(run) for run in runs)
    row["p50_ms" if variant.is_latency else "per_second"] = round(value, 3)
    if variant.baseline:
        ratios = [_value(run) / _value(base) for run, base in zip(runs, results[variant.baseline], strict=True)]
        row |= {
            "ratio": round(statistics.median(ratios), 3),
            "ratio_min": round(min(ratios), 3),
            "ratio_max": round(max(ratios), 3),
        }
    if variant.target is not None:
        reached = row["ratio"] if variant.baseline else value
        row["target"] = variant.target
        row["is_met"] = reached <= variant.target if variant.is_latency else reached >= variant.target
    parts = {part for run in runs for part in run.cpu_us}
    if parts:
        row["cpu_us_per_item"] = {
            part: round(statistics.median(run.cpu_us[part] for run in runs if part in run.cpu_us), 1)
            for part in sorted(parts)
        }
    samples_ms = sorted(sample for run in runs for sample in run.samples_ms)
    if samples_ms:
        row["latency_ms"] = {
            f"p{percent:g}": round(samples_ms[int(len(samples_ms) * percent / 100)], 2) for percent in (50, 99, 99.9)
        }
    if runs[0].batch_items is not None:
        row["batch_items"] = round(statistics.median(run.batch_items or 0 for run in runs), 1)
    return row


def _print(console: Console, machine: dict[str, Any], rows: list[dict[str, Any]], rounds: int) -> None:
    postgres = machine["postgres"]
    table = Table(title=f"Points ledger, median of {rounds} rounds")
    for column in (
        "what",
        "per second",
        "ratio",
        "min–max",
        "against",
        "target",
        "batch",
        "p50/p99/p99.9 ms",
        "CPU µs an item",
    ):
        table.add_column(column, justify="left" if column in ("what", "against") else "right")
    for row in rows:
        value = f"{row['p50_ms']:.2f} ms" if "p50_ms" in row else f"{row['per_second']:,.0f}"
        target = ""
        if "target" in row:
            target = f"{'≤' if 'p50_ms' in row else '≥'} {row['target']:,g} {'✓' if row['is_met'] else '✗'}"
        cpu = ", ".join(f"{part} {micros:,.0f}" for part, micros in row.get("cpu_us_per_item", {}).items())
        table.add_row(
            f"{row['name']}: {row['what']}",
            value,
            f"{row['ratio']:.2f}×" if "ratio" in row else "1",
            f"{row['ratio_min']:.2f}–{row['ratio_max']:.2f}" if "ratio" in row else "",
            row["baseline"] or "",
            target,
            f"{row['batch_items']:.0f}" if "batch_items" in row else "",
            " / ".join(f"{latency:.1f}" for latency in row.get("latency_ms", {}).values()),
            cpu,
        )
    console.print(table)
    console.print(
        f"PostgreSQL {postgres['server_version']}, fsync {postgres['fsync']}, synchronous_commit"
        f" {postgres['synchronous_commit']}, shared_buffers {postgres['shared_buffers']}; Python {machine['python']},"
        f" {machine['cores']} cores shared by everything; {machine['members']:,} members, {machine['lanes']} lanes"
    )


async def main() -> int:
    """Returns the exit status: 1 when an invariant is violated, which voids the figures."""
    options = _arguments()
    home = Path(tempfile.mkdtemp(prefix="huitong-bench-home-"))
    console = Console(width=None if sys.stdout.isatty() else 200)
    try:
        async with Stage(home / "servers") as stage:
            grows = not options.small and (not options.only or "growth" in options.only.split(","))
            if grows:
                console.print("filling a database with 1,000,000 members and 20,000,000 lots …")
                await stage.fill_growth()
            bench = await open_bench(stage, grows=grows)
            variants = _chosen(bench.variants(), options.only)
            results: dict[str, list[Measured]] = {variant.name: [] for variant in variants}
            violations: dict[str, int] = {}
            for variant in variants:  # plans, caches and pages that every first call has to make
                await variant.run(min(options.seconds, 0.5))
                violations |= await _violations_after(stage, variant)
            for variant in variants:
                if variant.name == "growth":
                    console.print(f"{variant.name}: until most pages have been written since the checkpoint …")
                    await variant.run(TOUCH_SECONDS)
            for number in range(options.rounds):
                order = random.sample(variants, len(variants))
                for position, variant in enumerate(order, 1):
                    console.print(f"round {number + 1}/{options.rounds}, {position}/{len(order)}: {variant.name}")
                    gc.collect()
                    results[variant.name].append(await variant.run(options.seconds))
                    if number + 1 == options.rounds:  # not in each: it takes as long as what is measured
                        violations |= await _violations_after(stage, variant)
            await bench.close()
            machine = await _machine(stage)
            rows = [_row(variant, results) for variant in variants]
            if grows:
                violations |= {f"growth: {n}": c for n, c in (await _violations(stage.growth_url, GROWN)).items()}
    finally:
        await asyncio.to_thread(erase, home / "servers")
        shutil.rmtree(home, ignore_errors=True)
    _print(console, machine, rows, options.rounds)
    report = {"machine": machine, "rounds": options.rounds, "rows": rows, "violations": violations}
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build" / "bench.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    if violations:
        console.print(f"[red]The figures are void: {violations}")
        return 1
    console.print(f"{len(INVARIANTS)} invariants after each scenario: 0 violations. Written to build/bench.json")
    return 0


if __name__ == "__main__":
    sys.exit(uvloop.run(main()))
