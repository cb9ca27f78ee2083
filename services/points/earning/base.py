"""What of a sale earns: the lines less excluded items, tax, and what excluded tenders paid. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chassis.units import largest_remainder
from huitong.points.v1 import points_pb2
from services.points.earning.rules import NOT_COUNTING, RuleSet
from services.points.errors import TaxInvalid


class EarningBase(NamedTuple):
    """What lines earn by, in their order, and what was taken off all of them together."""

    amounts_minor: list[int]
    categories: list[str]
    excluded_tax_minor: int
    excluded_tender_minor: int


def earning_base(
    rule_set: RuleSet, request: points_pb2.RecordSaleRequest, amounts_minor: Sequence[int], categories: Sequence[str]
) -> EarningBase:
    """The part of each line that earns. Raises TaxInvalid.

    Tax comes off the line that has it. Of the rest the excluded tenders paid their share of the total, rounded up to
    the minor unit, and every line gives up its share of that, by largest remainder.
    """
    before = list(amounts_minor)
    if rule_set.excludes_tax:
        before = [amount - tax for amount, tax in zip(before, line_taxes(request), strict=True)]
    net_minor, total_minor = sum(before), sum(amounts_minor)
    after, earning_minor = before, net_minor
    paid_minor = sum(one.amount_minor for one in request.tenders if one.kind in rule_set.excluded_tenders)
    if paid_minor:
        earning_minor = net_minor * (total_minor - paid_minor) // total_minor
        after = largest_remainder(earning_minor, before)
    if rule_set.excluded_items:
        categories = [
            NOT_COUNTING if line.item_code in rule_set.excluded_items else category
            for line, category in zip(request.lines, categories, strict=True)
        ]
    return EarningBase(after, list(categories), total_minor - net_minor, net_minor - earning_minor)


def line_taxes(request: points_pb2.RecordSaleRequest) -> list[int]:
    """The tax that each line contains: its own, or its share of the sale's by amounts, largest remainder.

    None when the sale does not say what its tax is. Raises TaxInvalid when it is more than the amount, or the lines' do
    not sum to the sale's.
    """
    if not request.tax_minor:
        return [0] * len(request.lines)
    taxes = [line.tax_minor for line in request.lines]
    amounts = [line.amount_minor for line in request.lines]
    if not any(taxes):
        if request.tax_minor > sum(amounts):
            raise TaxInvalid(problem="it is more than the total")
        return largest_remainder(request.tax_minor, amounts)
    for line, tax in zip(request.lines, taxes, strict=True):
        if tax > line.amount_minor:
            raise TaxInvalid(problem=f"line {line.line_no} has more tax than it amounts to")
    if sum(taxes) != request.tax_minor:
        raise TaxInvalid(problem=f"the lines have {sum(taxes)}, the sale has {request.tax_minor}")
    return taxes
