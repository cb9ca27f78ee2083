"""The tables at the end: what a manager would ask, from the gateway's own reports."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from suite.demo.doors import Doors
from suite.demo.progress import Memory
from suite.errors import say

TOP = 10
WIDE = 110  # columns of a terminal that shows every figure of a statement


async def fetch(doors: Doors, memory: Memory) -> dict[str, Any]:
    """Every report, as the gateway answers it."""
    key = memory.system_key
    return {
        "tiers": await doors.get(key, "/v1/reports/members-by-tier"),
        "points": await doors.get(key, "/v1/reports/points-totals"),
        "parking": await doors.get(key, "/v1/reports/parking"),
        "mall": await doors.get(key, "/v1/reports/mall"),
        "settlement": await doors.get(key, "/v1/reports/settlement"),
        "periods": await doors.get(key, "/v1/settlement/periods"),
        "reconciliation": await doors.get(key, "/v1/settlement/reconciliation"),
    }


def show(console: Console, memory: Memory, reports: dict[str, Any]) -> None:
    """Print the tables."""
    merchant_codes = {merchant_id: code for code, merchant_id in memory.merchants.items()}
    unit_codes = {unit_id: code for code, unit_id in memory.units.items()}
    console.print(_tiers(reports["tiers"]))
    console.print(_units(reports["points"], unit_codes))
    console.print(_top_merchants(reports["points"], merchant_codes))
    console.print(_parking(reports["parking"], reports["mall"]))
    console.print(_settlement(reports["settlement"], merchant_codes, wide=console.width >= WIDE))
    console.print(_periods(reports["periods"]))
    equal = reports["reconciliation"]["is_equal"]
    count = reports["reconciliation"]["merchant_count"]
    console.print(
        say(
            f"Settlement against the points ledger, {count} merchants: {'equal' if equal else 'DIFFERENT'}",
            f"结算与积分账本对账，{count} 家商户：{'一致' if equal else '不一致'}",
        )
    )


def table_of(title: str, *columns: str) -> Table:
    """An empty table, its first column to the left and the others to the right."""
    table = Table(title=title, title_justify="left", header_style="bold", show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _tiers(answer: dict[str, Any]) -> Table:
    table = table_of("Members by tier 会员等级", "tier", "members", "earning", "free parking")
    for row in answer["tiers"]:
        tier = row["tier"]
        table.add_row(
            f"{tier['name']} {tier['name_zh']}",
            f"{row['member_count']:,}",
            f"×{tier['earn_multiplier_bps'] / 10_000:.2f}",
            f"{tier['free_parking_minutes']} min",
        )
    table.add_row("all", f"{sum(row['member_count'] for row in answer['tiers']):,}", "", "")
    return table


_FIGURES = ("issued_points", "clawed_back_points", "redeemed_points", "expired_points", "outstanding_points")


def _units(answer: dict[str, Any], unit_codes: dict[str, str]) -> Table:
    table = table_of(
        "Points by issuing unit 各业态积分",
        "unit",
        "sales ¥",
        "issued",
        "taken back",
        "spent",
        "expired",
        "outstanding",
        "accepted",
    )
    units: dict[str, dict[str, int]] = {}
    for merchant in answer["merchants"]:
        code = unit_codes.get(merchant["business_unit_id"], "?")
        sums = units.setdefault(code, dict.fromkeys((*_FIGURES, "sales_minor", "accepted_points"), 0))
        for figure in (*_FIGURES, "sales_minor"):
            sums[figure] += merchant["issued"][figure]
        sums["accepted_points"] += merchant["accepted_points"]
    for code, sums in sorted(units.items()):
        table.add_row(
            code, _yuan(sums["sales_minor"]), *(f"{sums[f]:,}" for f in _FIGURES), f"{sums['accepted_points']:,}"
        )
    total = answer["total"]
    accepted = sum(merchant["accepted_points"] for merchant in answer["merchants"])
    table.add_row(
        "all", _yuan(total["sales_minor"]), *(f"{total[f]:,}" for f in _FIGURES), f"{accepted:,}", style="bold"
    )
    return table


def _top_merchants(answer: dict[str, Any], merchant_codes: dict[str, str]) -> Table:
    table = table_of(f"Top {TOP} merchants 头部商户", "merchant", "sales ¥", "receipts", "issued", "accepted")
    ranked = sorted(answer["merchants"], key=lambda merchant: -merchant["issued"]["sales_minor"])
    for merchant in ranked[:TOP]:
        table.add_row(
            merchant_codes.get(merchant["merchant_id"], "?"),
            _yuan(merchant["issued"]["sales_minor"]),
            f"{merchant['issued']['sale_count']:,}",
            f"{merchant['issued']['issued_points']:,}",
            f"{merchant['accepted_points']:,}",
        )
    return table


def _parking(parking: dict[str, Any], mall: dict[str, Any]) -> Table:
    table = table_of("Parking and vouchers 停车与券", "what", "count", "¥", "points")
    for park in parking["car_parks"]:
        table.add_row("stays, tariff", f"{park['stay_count']:,}", _yuan(park["tariff_fee_minor"]), "")
        table.add_row("  waived by tier", "", _yuan(park["tier_waived_minor"]), "")
        table.add_row("  paid with points", "", _yuan(park["points_paid_minor"]), f"{park['points']:,}")
        table.add_row("  paid with money", "", _yuan(park["money_paid_minor"]), "")
    table.add_row("vouchers ordered", f"{mall['order_completed_count']:,}", "", f"{mall['order_points']:,}")
    table.add_row("  cancelled", f"{mall['order_cancelled_count']:,}", "", "")
    table.add_row("  used", f"{mall['voucher_used_count']:,}", "", "")
    table.add_row("coupons issued", f"{mall['coupon_issued_count']:,}", "", "")
    table.add_row("  written off", f"{mall['coupon_used_count']:,}", _yuan(mall["coupon_discount_minor"]), "")
    return table


# Figures of a statement under short headings; a narrow terminal shows those in the second list as one sum, "other".
_ALWAYS = {"issued": "issue_charge_minor", "accepted": "reimbursement_minor"}
_OTHER = {
    "taken back": "claw_back_minor",
    "fee": "platform_fee_minor",
    "coupons": "coupon_minor",
    "parking": "parking_waiver_minor",
    "expired": "breakage_minor",
}


def _settlement(answer: dict[str, Any], merchant_codes: dict[str, str], *, wide: bool) -> Table:
    headings = [*_ALWAYS, *(_OTHER if wide else ["other"])]
    table = table_of("Settlement by merchant 商户结算 ¥", "merchant", *headings, "net")

    def amounts(row: dict[str, Any]) -> list[int]:
        other = [row[figure] for figure in _OTHER.values()]
        return [*(row[figure] for figure in _ALWAYS.values()), *(other if wide else [sum(other)]), row["net_minor"]]

    rows = sorted((merchant_codes.get(row["merchant_id"], "?"), amounts(row)) for row in answer["merchants"])
    for code, figures in rows:
        table.add_row(code, *(_yuan(amount) for amount in figures))
    sums = [sum(column) for column in zip(*(figures for _, figures in rows), strict=True)]
    blanks = [""] * len(headings)
    table.add_row("all merchants", *(_yuan(amount) for amount in sums), style="bold")
    table.add_row("points fund", *blanks, _yuan(answer["fund_minor"]))
    table.add_row("platform", *blanks, _yuan(answer["platform_minor"]))
    table.add_row("sum of all", *blanks, _yuan(answer["imbalance_minor"]), style="bold")
    return table


def _periods(answer: dict[str, Any]) -> Table:
    table = table_of("Periods 账期 ¥", "month", "state", "entries", "merchants", "fund", "platform", "sum")
    for period in answer["periods"]:
        table.add_row(
            period["period"],
            "closed" if period["is_closed"] else "open",
            f"{period['entry_count']:,}",
            _yuan(period["merchants_net_minor"]),
            _yuan(period["fund_minor"]),
            _yuan(period["platform_minor"]),
            _yuan(period["imbalance_minor"]),
        )
    return table


def _yuan(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"
