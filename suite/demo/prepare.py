"""Before the first day: the group, its structure, keys, terms, catalogue and members. Safe to run again."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, time, timedelta
from typing import Any

import orjson

from suite.demo import published
from suite.demo.data import Year
from suite.demo.doors import DoorRefused, Doors, Key
from suite.demo.people import approver, invite_approver
from suite.demo.progress import Memory
from suite.inside import Inside

SETUP_TIME = datetime(2016, 12, 31, 12, tzinfo=published.ZONE)
LINES_A_CALL = 500
AT_ONCE = 16
Say = Callable[[str], None]


async def prepare(doors: Doors, inside: Inside, year: Year, memory: Memory, say: Say) -> None:
    """Build the demo group through the gateway and remember every key and id."""
    await inside.set_time(SETUP_TIME)
    say("group and structure 集团结构")
    group = await inside.create_group(code=published.GROUP_CODE, name=published.GROUP_NAME)
    memory.group_id = group.group.group_id
    memory.system = {"key_id": group.system_credential.key_id, "secret": group.secret}
    await _structure(doors, year, memory)
    say("keys of tills and of the car park 终端与车场密钥")
    await _keys(doors, memory)
    await inside.drain()
    say("tiers, rules, tariff, contracts 等级、规则、费率、合同")
    await _terms(doors, memory)
    say("vouchers and coupons 券")
    await _catalogue(doors, year, memory)
    say("members and plates 会员与车牌")
    await _members(doors, year, memory)
    await inside.drain()  # the car park knows them by now, and need not ask for each
    await _plates(doors, year, memory)
    await inside.drain()
    memory.prepared = True


async def is_same_group(inside: Inside, memory: Memory) -> bool:
    """Whether the group in the databases is the one remembered: asking again for it answers the same key."""
    group = await inside.create_group(code=published.GROUP_CODE, name=published.GROUP_NAME)
    return group.system_credential.key_id == memory.system["key_id"] and group.secret == memory.system["secret"]


def structure_csv(year: Year) -> str:
    """The whole structure in org's import format."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["kind", "code", "name", "parent_code", "unit_kind", "time_zone", "currency_code", "category", "floor"]
    )
    for code, name, kind in (
        ("mall", "Huitong Mall 汇通广场", "MALL"),
        ("hotel", "Huitong Hotel 汇通酒店", "HOTEL"),
        ("office", "Huitong Tower 汇通大厦", "OFFICE"),
        ("car-park", "Huitong Parking 汇通停车场", "PARKING"),
    ):
        writer.writerow(["unit", code, name, "", kind, published.ZONE_NAME, published.CURRENCY, "", ""])
    for number in range(published.MALL_MERCHANTS):
        writer.writerow(["merchant", f"m{number:02d}", f"Merchant {number:02d}", "mall", "", "", "", "supermarket", ""])
    for code, unit in (("hotel", "hotel"), ("office", "office"), ("parking", "car-park")):
        writer.writerow(["merchant", code, code.capitalize(), unit, "", "", "", code, ""])
    stores = [(f"s{store}", f"Store {store}", published.merchant_of_store(store)) for store in year.stores()]
    stores += [("hotel-desk", "Hotel desk", "hotel"), ("office-desk", "Office desk", "office")]
    for code, name, merchant in stores:
        writer.writerow(["store", code, name, merchant, "", "", "", "", "1F"])
    for code, *_ in stores:
        writer.writerow(["terminal", f"{code}-t1", f"{code} till 1", code, "", "", "", "", ""])
    return out.getvalue()


async def _structure(doors: Doors, year: Year, memory: Memory) -> None:
    answer = await doors.post(
        memory.system_key, "/v1/structure:import", {"request_id": "demo-structure", "csv": structure_csv(year)}
    )
    if answer.get("errors"):
        raise DoorRefused(path="/v1/structure:import", status="row", reason="ROWS", detail=answer["errors"][:3])
    units = await doors.pages(memory.system_key, "/v1/business-units", "business_units")
    memory.units = {unit["code"]: unit["business_unit_id"] for unit in units}
    merchants = await doors.pages(memory.system_key, "/v1/merchants", "merchants")
    memory.merchants = {merchant["code"]: merchant["merchant_id"] for merchant in merchants}
    stores = await doors.pages(memory.system_key, "/v1/stores", "stores")
    memory.terminals = {store["code"]: {"store_id": store["store_id"]} for store in stores}


async def _keys(doors: Doors, memory: Memory) -> None:
    answer = await doors.post(
        memory.system_key,
        "/v1/credentials:terminals",
        {"request_id": "demo-terminal-keys", "terminal_codes": [f"{code}-t1" for code in memory.terminals]},
    )
    for terminal in answer["credentials"]:
        code = terminal["terminal_code"].removesuffix("-t1")
        memory.terminals[code] |= {"key_id": terminal["key_id"], "secret": terminal["secret"]}
    vendor = await doors.post(
        memory.system_key,
        "/v1/credentials",
        {
            "request_id": "demo-vendor-key",
            "kind": "CREDENTIAL_KIND_VENDOR",
            "subject_id": memory.units["car-park"],
            "name": "Gate vendor",
        },
    )
    memory.vendor = {"key_id": vendor["credential"]["key_id"], "secret": vendor["secret"]}
    await invite_approver(doors, memory)


async def _terms(doors: Doors, memory: Memory) -> None:
    key = memory.system_key
    tiers = [
        {**tier, "free_parking_minutes": published.FREE_PARKING_MINUTES[str(tier["code"])]} for tier in published.TIERS
    ]
    await doors.post(key, "/v1/tier-ladder", {"request_id": "demo-ladder-1", "tiers": tiers})
    store_ids = {code: terminal["store_id"] for code, terminal in memory.terminals.items()}
    first, second = (published.rule_set(day, store_ids) for day in (published.FIRST_DAY, published.HALF_YEAR))
    await doors.post(key, "/v1/rule-sets", {"request_id": "demo-rules-1", "rule_set": first})
    draft = await doors.post(key, "/v1/rule-drafts", {"request_id": "demo-rules-2", "rule_set": second})
    await doors.post(
        await approver(doors, memory),
        f"/v1/rule-drafts/{draft['draft']['draft_id']}:approve",
        {"request_id": "demo-rules-2-approved"},
    )
    await doors.post(
        key,
        f"/v1/car-parks/{memory.units['car-park']}/tariffs",
        {
            "request_id": "demo-tariff-1",
            "merchant_id": memory.merchants["parking"],
            "tariff": published.TARIFF,
            "effective_time": "2016-12-01T00:00:00+08:00",
        },
    )
    lines = []
    for terms in published.contracts():
        contract: dict[str, Any] = {**terms, "merchant_id": memory.merchants[str(terms["merchant_code"])]}
        code, day = contract.pop("merchant_code"), contract.pop("effective_date")
        contract["effective_date"] = published.as_date(day)
        lines.append(orjson.dumps({"request_id": f"demo-contract-{code}-{day}", "contract": contract}))
    await doors.post_lines(key, "/v1/contracts:batch", lines)


async def _catalogue(doors: Doors, year: Year, memory: Memory) -> None:
    for item in published.ITEMS:
        answer = await doors.post(
            memory.system_key,
            "/v1/items",
            {
                "request_id": f"demo-item-{item.code}",
                "code": item.code,
                "name": item.name,
                "name_zh": item.name_zh,
                "merchant_id": memory.merchants[item.merchant_code],
                "price_points": item.price_points,
                "face_value_minor": item.face_value_minor,
                "stock": 100_000,
            },
        )
        memory.items[item.code] = answer["item"]["item_id"]
    templates = year.coupon_templates()
    names = [f"{template.campaign}-{template.upc}" for template in templates]
    lines = [
        orjson.dumps(
            {
                "request_id": f"demo-coupon-{name}",
                "code": f"c{name}",
                "name": f"Campaign {template.campaign}",
                "amount_off_minor": published.coupon_amount_off(template.upc),
                "valid_from_time": published.as_time(datetime.combine(template.start, time())),
                "valid_until_time": published.as_time(datetime.combine(template.end + timedelta(days=1), time())),
                "platform_share_bps": 5_000,
            }
        )
        for name, template in zip(names, templates, strict=True)
    ]
    answers = await _lines(doors, memory.system_key, "/v1/coupon-templates:batch", lines)
    memory.templates = {
        name: answer["result"]["created"]["template"]["template_id"]
        for name, answer in zip(names, answers, strict=True)
    }


async def _members(doors: Doors, year: Year, memory: Memory) -> None:
    households = year.households()
    lines = [
        orjson.dumps(
            {
                "request_id": f"demo-join-{household}",
                "phone": published.phone_of(household),
                "birth_month": published.birth_month_of(household),
            }
        )
        for household in households
    ]
    answers = await _lines(doors, memory.system_key, "/v1/members:batch", lines)
    memory.members = {
        str(household): answer["result"]["joined"]["member"]["member_id"]
        for household, answer in zip(households, answers, strict=True)
    }


async def _plates(doors: Doors, year: Year, memory: Memory) -> None:
    lines = [
        orjson.dumps(
            {
                "request_id": f"demo-plate-{household}",
                "member_id": memory.members[str(household)],
                "plate_no": plate_no,
            }
        )
        for household in year.households()
        if (plate_no := published.plate_of(household))
    ]
    for answer in await _lines(doors, memory.system_key, "/v1/plates:batch", lines):
        if "bound" not in answer["result"]:
            raise DoorRefused(path="/v1/plates:batch", status="line", reason="PLATE", detail=answer["result"])


async def _lines(doors: Doors, key: Key, path: str, lines: list[bytes]) -> list[dict[str, Any]]:
    answers: list[dict[str, Any]] = []
    for start in range(0, len(lines), LINES_A_CALL):
        answers += await doors.post_lines(key, path, lines[start : start + LINES_A_CALL])
    return answers


async def in_turn(calls: Iterable[Awaitable[None]], *, at_once: int = AT_ONCE) -> None:
    """Run calls, `at_once` of them at a time; the first failure ends it."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())
