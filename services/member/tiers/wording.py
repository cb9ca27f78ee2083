"""Pure: what a member is told about the next tier and about keeping this one, in English and Chinese."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.member.tiers.growth import MINOR_PER_GROWTH, Book, spend_for
from services.member.tiers.rules import Ladder, Standing, Tier, whole

_SYMBOLS = {"CNY": "¥", "HKD": "HK$", "MOP": "MOP$", "TWD": "NT$", "USD": "US$", "EUR": "€", "GBP": "£", "SGD": "S$"}
# Currencies whose minor unit is the whole.
_WHOLE = {"JPY", "KRW", "VND"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Missing:
    """Growth that is missing for something, and the spending (minor units) that gives it; None where none does."""

    growth: int
    spend_minor: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a member stands on a day; the last six are None or empty where there is nothing to say."""

    tier: Tier
    growth: int
    next_tier: Tier | None
    next_missing: Missing
    period_end: date | None
    keep_until: date | None
    keep_missing: Missing
    match_end: date | None
    next_texts: tuple[str, str]
    keep_texts: tuple[str, str]


def progress(ladder: Ladder, standing: Standing, book: Book | None, today: date) -> Progress:
    """Where a member stands. Without `book` growth is the running total."""
    policy = ladder.policy
    growth_minor = book.growth_minor(policy, today) if book else standing.growth_minor
    held = ladder.held(standing.tier_code, whole(growth_minor))
    tier = ladder.tiers[held]
    following = ladder.tiers[held + 1] if held + 1 < len(ladder.tiers) else None
    is_matched = standing.own_code is not None and standing.floor_end is not None
    if is_matched:
        period_end, keep_until = None, standing.floor_end
    else:
        period_end = standing.period_end
        keep_until = policy.last_kept_day(period_end) if period_end else None
    keeping_minor = growth_minor
    if book and period_end and keep_until:
        # What the review at the end of grace will look at, from what is known today.
        keeping_minor = max(book.growth_minor(policy, period_end), book.growth_minor(policy, keep_until))
    to_next = _missing(ladder, following, growth_minor)
    to_keep = _missing(ladder, tier if keep_until else None, keeping_minor)
    return Progress(
        tier=tier,
        growth=whole(growth_minor),
        next_tier=following,
        next_missing=to_next,
        period_end=period_end,
        keep_until=keep_until,
        keep_missing=to_keep,
        match_end=standing.floor_end if is_matched else None,
        next_texts=_next_texts(following, to_next, policy.currency_code) if following else ("", ""),
        keep_texts=_keep_texts(tier, keep_until, to_keep, policy.currency_code) if keep_until else ("", ""),
    )


def _missing(ladder: Ladder, tier: Tier | None, growth_minor: int) -> Missing:
    if tier is None:
        return Missing(0, 0)
    growth = max(0, tier.min_growth - whole(growth_minor))
    return Missing(growth, spend_for(ladder.policy, tier.min_growth * MINOR_PER_GROWTH - growth_minor))


def _next_texts(tier: Tier, missing: Missing, currency_code: str) -> tuple[str, str]:
    english, chinese = _amounts(missing, currency_code)
    return f"{english} more for {tier.name}", f"还差 {chinese}升级{_zh(tier)}"


def _keep_texts(tier: Tier, until: date, missing: Missing, currency_code: str) -> tuple[str, str]:
    day = f"{until.day} {_MONTHS[until.month - 1]} {until.year}"
    if not missing.growth:
        return f"{tier.name} until {day}, and beyond", f"{_zh(tier)}有效期至 {until}，已达到保级条件"
    english, chinese = _amounts(missing, currency_code)
    return f"{tier.name} until {day}; {english} more keeps it", f"{_zh(tier)}有效期至 {until}，还差 {chinese}可保级"


def _amounts(missing: Missing, currency_code: str) -> tuple[str, str]:
    if missing.spend_minor is None:
        return f"{missing.growth:,} growth", f"{missing.growth:,} 成长值"
    money = money_text(missing.spend_minor, currency_code)
    return money, f"{money} "  # Chinese sets figures apart, and words not


def _zh(tier: Tier) -> str:
    return tier.name_zh or tier.name


def money_text(amount_minor: int, currency_code: str) -> str:
    """An amount as people write it: "¥320", "¥1,319.50", "CHF 20"."""
    symbol = _SYMBOLS.get(currency_code, f"{currency_code} ")
    if currency_code in _WHOLE:
        return f"{symbol}{amount_minor:,}"
    units, cents = divmod(amount_minor, 100)
    return f"{symbol}{units:,}.{cents:02}" if cents else f"{symbol}{units:,}"
