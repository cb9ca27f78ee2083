"""Hold what the services report against what the rules say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from tests.figures.recompute import Figures


class Reported(TypedDict, total=False):
    """What the report RPCs said, as plain dicts. Every section may be left out; a section that is there must be whole.

    Rows are named by codes ("m07", "hotel"), households (int), tier codes and months ("2017-03"), never by ids. Their
    fields have the names and meaning of the report messages. Within a row only the fields that were reported are
    compared; a row that is missing counts as zeros, so a merchant without movements may be left out (a member may not).

    - members: by household; fields earned (GetBalance.earned_points_total), spent (spent_points_total, net of
      reversals), expired, available, debt, clawed_back, reversed, tier (code), growth.
    - tiers: CountMembersByTier, number by tier code.
    - merchants: GetTotals by merchant code; the fields of `issued` (PointsTotals) and accepted_points in one flat row.
    - points_total: GetTotals.total.
    - settlement: GetSettlementTotals.merchants by merchant code, fields of Statement (points, *_minor).
    - settlement_months: ListStatements, by period and then by merchant code.
    - periods: ListPeriods by period: merchants_net_minor, fund_minor, platform_minor, imbalance_minor.
    - settlement_totals: fund_minor, platform_minor, imbalance_minor of GetSettlementTotals.
    - parking: CarParkTotals of the car park.
    - mall: GetMallTotals.
    """

    members: Mapping[int, Mapping[str, int | str]]
    tiers: Mapping[str, int]
    merchants: Mapping[str, Mapping[str, int]]
    points_total: Mapping[str, int]
    settlement: Mapping[str, Mapping[str, int]]
    settlement_months: Mapping[str, Mapping[str, Mapping[str, int]]]
    periods: Mapping[str, Mapping[str, int]]
    settlement_totals: Mapping[str, int]
    parking: Mapping[str, int]
    mall: Mapping[str, int]


def differences(figures: Figures, reported: Reported) -> list[str]:
    """One sentence for each figure that differs, "merchants m07 issued_points: expected 12, reported 13"; best empty.

    Fields that the rules do not decide (ids, is_closed …) are passed over: only fields that `figures` has are compared.
    """
    found: list[str] = []
    for section, rows in reported.items():
        expected = getattr(figures, section)
        if section == "members":
            missing = sorted(expected.keys() - _mapping(rows).keys())
            found.extend(f"members {household}: not reported" for household in missing)
            expected = {household: row for household, row in expected.items() if household not in missing}
        _compare(section, expected, _mapping(rows), found)
    return found


def _mapping(value: object) -> Mapping[Any, Any]:
    assert isinstance(value, Mapping)
    return value


def _compare(where: str, expected: Mapping[Any, Any], reported: Mapping[Any, Any], found: list[str]) -> None:
    nested = any(isinstance(value, Mapping) for value in (*expected.values(), *reported.values()))
    if not nested:
        for name, value in reported.items():
            if name in expected and expected[name] != value:
                found.append(f"{where} {name}: expected {expected[name]}, reported {value}")
        return
    for name in sorted({*expected, *reported}, key=str):
        if name in expected and name in reported:
            _compare(f"{where} {name}", expected[name], reported[name], found)
        elif name in expected:
            found.extend(
                f"{where} {name} {path}: expected {value}, not reported" for path, value in _figures(expected[name])
            )
        else:
            found.extend(
                f"{where} {name} {path}: not expected, reported {value}" for path, value in _figures(reported[name])
            )


def _figures(row: Mapping[Any, Any], before: str = "") -> list[tuple[str, int]]:
    """The figures of a row, and of rows in it, that are not zero."""
    found: list[tuple[str, int]] = []
    for name, value in row.items():
        if isinstance(value, Mapping):
            found.extend(_figures(value, f"{before}{name} "))
        elif isinstance(value, int) and not isinstance(value, bool) and value:
            found.append((f"{before}{name}", value))
    return found
