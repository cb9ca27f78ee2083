"""The demo's year as docs/demo-year.md publishes it: names, terms and derivations. Nothing here knows the services."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
ZONE_NAME = "Asia/Shanghai"
CURRENCY = "CNY"
GROUP_CODE, GROUP_NAME = "huitong-demo", "Huitong Demo Group 汇通示范集团"
MALL_MERCHANTS = 40
FIRST_DAY, HALF_YEAR = date(2017, 1, 1), date(2017, 7, 1)


def h(*parts: object) -> int:
    """The published hash: a stable number in [0, 2^32)."""
    text = "|".join(["huitong-2017", *(str(part) for part in parts)])
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8], 16)


def merchant_of_store(store: int) -> str:
    """Code of the mall merchant that runs a store of the data."""
    return f"m{store % MALL_MERCHANTS:02d}"


def phone_of(household: int) -> str:
    """A made-up phone number."""
    return f"+86138{household:08d}"


def birth_month_of(household: int) -> int:
    """1 to 12."""
    return 1 + household % 12


def plate_of(household: int) -> str | None:
    """The household's plate, when it has a car."""
    return f"沪A{household:05d}" if household % 3 else None


# ---- sales that the data does not have


@dataclass(frozen=True, slots=True)
class UnitSale:
    """A sale of one line at the hotel's or the office's desk."""

    store_code: str
    receipt_no: str
    household: int
    local_time: datetime
    amount_minor: int
    category: str


def hotel_stays(household: int, year: int) -> list[UnitSale]:
    """The household's hotel bills of a year."""
    stays = []
    for month in range(1, 13):
        x = h("hotel", household, month)
        if x % 40 == 0:
            day = 1 + x // 40 % 28
            stays.append(
                UnitSale(
                    "hotel-desk",
                    f"H{household}-{month:02d}",
                    household,
                    datetime(year, month, day, 11),  # noqa: DTZ001 local time by definition
                    38_800 + 1_000 * (x // 1_120 % 40),
                    "ROOM",
                )
            )
    return stays


def office_fees(household: int, year: int) -> list[UnitSale]:
    """The household's office bills of a year."""
    if household % 20 != 3:
        return []
    amount = 19_900 + 1_000 * (household % 7)
    return [
        UnitSale(
            "office-desk",
            f"O{household}-{month:02d}",
            household,
            datetime(year, month, 5, 9, 30),  # noqa: DTZ001
            amount,
            "OFFICE",
        )
        for month in range(1, 13)
    ]


# ---- returns, parking, orders


def return_kind(basket: int) -> str:
    """ "none", "line" (the dearest one) or "receipt"."""
    x = h("return", basket)
    if x % 50:
        return "none"
    return "line" if x % 250 else "receipt"


@dataclass(frozen=True, slots=True)
class Stay:
    """A derived visit to the car park."""

    household: int
    plate_no: str
    entry: datetime
    exit: datetime
    use_points: bool


def parking_stay(household: int, day: date, first_receipt: datetime) -> Stay | None:
    """The household's stay on a day with a mall receipt; local times."""
    plate_no = plate_of(household)
    x = h("park", household, day)
    if plate_no is None or x % 60:
        return None
    entry = first_receipt - timedelta(minutes=20 + x // 60 % 60)
    return Stay(household, plate_no, entry, entry + timedelta(minutes=30 + x // 3_600 % 300), x // 1_080_000 % 2 == 0)


def order_plan(household: int, day: date) -> str:
    """What the household does about vouchers on a day with a mall receipt: "none", "keep", "use" or "cancel"."""
    x = h("order", household, day)
    if x % 40:
        return "none"
    if x // 40 % 16 == 1:
        return "cancel"
    return "use" if x // 40 % 4 == 0 else "keep"


# ---- terms


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """A voucher of the catalogue."""

    code: str
    name: str
    name_zh: str
    merchant_code: str
    price_points: int
    face_value_minor: int


ITEMS = (
    CatalogueItem("coffee", "A coffee", "咖啡一杯", "m01", 200, 1_800),
    CatalogueItem("lunch", "Lunch for one", "单人午餐", "m02", 500, 4_500),
    CatalogueItem("spa", "An hour at the spa", "水疗一小时", "m03", 1_000, 9_800),
    CatalogueItem("hotel-night", "A night at the hotel", "酒店一晚", "hotel", 3_000, 38_800),
)

TIERS = (
    {"code": "MEMBER", "name": "Member", "name_zh": "普卡", "min_growth": 0, "earn_multiplier_bps": 10_000},
    {"code": "SILVER", "name": "Silver", "name_zh": "银卡", "min_growth": 500, "earn_multiplier_bps": 11_000},
    {"code": "GOLD", "name": "Gold", "name_zh": "金卡", "min_growth": 2_000, "earn_multiplier_bps": 12_500},
    {"code": "DIAMOND", "name": "Diamond", "name_zh": "钻石卡", "min_growth": 5_000, "earn_multiplier_bps": 15_000},
)
FREE_PARKING_MINUTES = {"MEMBER": 0, "SILVER": 60, "GOLD": 120, "DIAMOND": 180}

TARIFF = {"free_minutes": 30, "hour_minor": 800, "day_cap_minor": 6_000, "exit_grace_minutes": 15}

NEW_SHOPS = ("s367", "s406", "s31782")


def rule_set(effective: date, store_ids: dict[str, str]) -> dict[str, object]:
    """The rule set in force from `effective`; `store_ids` by store code."""
    second_half = effective >= HALF_YEAR
    top_bonus = 10_000 if second_half else 5_000
    week_days = [3] if second_half else []
    rules: list[dict[str, object]] = [
        {"rule_id": "base", "kind": "RULE_KIND_BASE", "name": "1 point per yuan", "name_zh": "每元1分"},
        _threshold("spend-50", 5_000, 1_000),
        _threshold("spend-100", 10_000, 2_500),
        _threshold("spend-200", 20_000, top_bonus),
        {
            "rule_id": "fresh",
            "kind": "RULE_KIND_CATEGORY",
            "name": "Fresh food",
            "name_zh": "生鲜加赠",
            "bonus_bps": 5_000,
            "categories": ["PRODUCE", "SEAFOOD", "SALAD BAR"],
        },
        {
            "rule_id": "new-shops",
            "kind": "RULE_KIND_STORE",
            "name": "New shops",
            "name_zh": "新店加赠",
            "bonus_bps": 2_000,
            "store_ids": [store_ids[code] for code in NEW_SHOPS],
        },
        {
            "rule_id": "member-day",
            "kind": "RULE_KIND_DAY",
            "name": "Member day",
            "name_zh": "会员日",
            "bonus_bps": 5_000,
            "month_days": [8, 18, 28],
            "week_days": week_days,
        },
        {
            "rule_id": "birthday",
            "kind": "RULE_KIND_BIRTHDAY",
            "name": "Month of birth",
            "name_zh": "生日月",
            "bonus_bps": 10_000,
        },
    ]
    return {
        "effective_date": as_date(effective),
        "base_points": 1,
        "base_step_minor": 100,
        "rules": rules,
        "excluded_categories": ["FUEL", "SPIRITS", "COUPON", "MISCELLANEOUS"],
        "expiry_months": 6,
        "offset": {"offset_points": 100, "offset_minor": 300, "max_share_bps": 1_500},
    }


def _threshold(rule_id: str, min_amount_minor: int, bonus_bps: int) -> dict[str, object]:
    yuan = min_amount_minor // 100
    return {
        "rule_id": rule_id,
        "kind": "RULE_KIND_THRESHOLD",
        "name": f"From {yuan} yuan",
        "name_zh": f"满{yuan}元加赠",
        "bonus_bps": bonus_bps,
        "min_amount_minor": min_amount_minor,
    }


def contracts() -> list[dict[str, object]]:
    """Every merchant's terms, `merchant_code` beside the fields of Contract."""
    terms: list[dict[str, object]] = []
    for n in range(MALL_MERCHANTS):
        common = {
            "merchant_code": f"m{n:02d}",
            "redeem_price_centi": 270 + 10 * (n % 3),
            "platform_fee_bps": 200 + 100 * (n % 3),
            "merchant_keeps_breakage": n % 2 == 0,
        }
        terms.append({**common, "effective_date": FIRST_DAY, "issue_price_centi": 300 + 10 * (n % 5)})
        if n < 10:
            terms.append({**common, "effective_date": HALF_YEAR, "issue_price_centi": 360})
    for code in ("hotel", "office"):
        terms.append(
            {
                "merchant_code": code,
                "effective_date": FIRST_DAY,
                "issue_price_centi": 300,
                "redeem_price_centi": 270,
                "platform_fee_bps": 200,
            }
        )
    terms.append(
        {
            "merchant_code": "parking",
            "effective_date": FIRST_DAY,
            "issue_price_centi": 300,
            "redeem_price_centi": 300,
            "parking_waiver_bps": 5_000,
        }
    )
    return terms


def coupon_amount_off(upc: int) -> int:
    """What a coupon takes off, fen."""
    return 50 + 50 * (upc % 10)


def as_date(day: date) -> dict[str, int]:
    """A BusinessDate."""
    return {"year": day.year, "month": day.month, "day": day.day}


def as_time(local: datetime) -> str:
    """RFC 3339 of a local time of the demo's zone."""
    return local.replace(tzinfo=ZONE).isoformat()
