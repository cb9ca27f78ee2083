"""Who owes whom: each movement in money, by merchant and month, between merchants, the points fund and the platform."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from tests.figures import rules
from tests.figures.rules import half_up, terms

STATEMENT_POINTS = ("issued_points", "clawed_back_points", "redeemed_points", "expired_points")
STATEMENT_MONEY = (
    "issue_charge_minor",
    "claw_back_minor",
    "reimbursement_minor",
    "platform_fee_minor",
    "coupon_minor",
    "parking_waiver_minor",
    "breakage_minor",
)
STATEMENT = (*STATEMENT_POINTS, *STATEMENT_MONEY, "net_minor")
TOTALS = (
    "issued_points",
    "clawed_back_points",
    "redeemed_points",
    "expired_points",
    "outstanding_points",
    "debt_points",
    "sale_count",
    "sales_minor",
)


def month_of(day: date) -> str:
    """ "2017-03"."""
    return f"{day.year:04d}-{day.month:02d}"


class Book:
    """Sums of movements. Every movement moves as much out of one account as into others."""

    def __init__(self) -> None:
        self.statements: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: dict.fromkeys(STATEMENT, 0))
        self.fund: dict[str, int] = defaultdict(int)
        self.platform: dict[str, int] = defaultdict(int)
        self.issuers: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys((*TOTALS, "accepted_points"), 0))
        self._clawed: dict[str, int] = defaultdict(int)

    def sale(self, merchant: str, total_minor: int) -> None:
        """A sale was recorded, with or without points."""
        self.issuers[merchant]["sale_count"] += 1
        self.issuers[merchant]["sales_minor"] += total_minor

    def issue(self, merchant: str, day: date, points: int) -> None:
        """Points of a sale of `day`, those that repaid debt included: the issuer pays the fund."""
        self.issuers[merchant]["issued_points"] += points
        charge = half_up(points * terms(merchant, day).issue, 100)
        self._post(merchant, day, "issue_charge_minor", -charge, fund=charge, issued_points=points)

    def claw_back(self, merchant: str, day: date, sold_on: date, sale: str, points: int) -> None:
        """Points of a return, found or owed: the fund returns what they cost, cumulatively rounded over the sale."""
        self.issuers[merchant]["clawed_back_points"] += points
        price, before = terms(merchant, sold_on).issue, self._clawed[sale]
        self._clawed[sale] = before + points
        back = half_up((before + points) * price, 100) - half_up(before * price, 100)
        self._post(merchant, day, "claw_back_minor", back, fund=-back, clawed_back_points=points)

    def redeem(self, merchant: str, day: date, points: int) -> tuple[int, int]:
        """The fund pays the merchant that took points, which pays the platform. Gives both amounts."""
        contract = terms(merchant, day)
        paid = half_up(points * contract.redeem, 100)
        fee = half_up(paid * contract.fee_bps, 10_000)
        self._reimburse(merchant, day, points, paid, fee)
        return paid, fee

    def reverse(self, merchant: str, day: date, points: int, amounts: tuple[int, int]) -> None:
        """A redemption is taken back wholly."""
        self._reimburse(merchant, day, -points, -amounts[0], -amounts[1])

    def _reimburse(self, merchant: str, day: date, points: int, paid: int, fee: int) -> None:
        self.issuers[merchant]["accepted_points"] += points
        self._post(merchant, day, "reimbursement_minor", paid, fund=-paid, redeemed_points=points)
        self._post(merchant, day, "platform_fee_minor", -fee, platform=fee)

    def expire(self, merchant: str, day: date, issued_on: date, points: int) -> None:
        """What is left of a lot expires: the fund gives up what it was paid for it."""
        self.issuers[merchant]["expired_points"] += points
        worth = half_up(points * terms(merchant, issued_on).issue, 100)
        if terms(merchant, day).keeps_breakage:
            self._post(merchant, day, "breakage_minor", worth, fund=-worth, expired_points=points)
        else:
            self._post(merchant, day, "breakage_minor", 0, fund=-worth, platform=worth, expired_points=points)

    def coupon(self, merchant: str, day: date, discount_minor: int) -> None:
        """The platform bears its share of a coupon."""
        share = half_up(discount_minor * rules.COUPON_PLATFORM_BPS, 10_000)
        self._post(merchant, day, "coupon_minor", share, platform=-share)

    def waiver(self, merchant: str, day: date, waived_minor: int) -> None:
        """The platform bears its share of a parking fee that a tier took off."""
        share = half_up(waived_minor * terms(merchant, day).waiver_bps, 10_000)
        self._post(merchant, day, "parking_waiver_minor", share, platform=-share)

    def _post(
        self, merchant: str, day: date, figure: str, amount: int, *, fund: int = 0, platform: int = 0, **points: int
    ) -> None:
        month = month_of(day)
        row = self.statements[merchant, month]
        row[figure] += amount
        row["net_minor"] += amount
        for name, value in points.items():
            row[name] += value
        self.fund[month] += fund
        self.platform[month] += platform
