"""Play the year: each day's sales, returns, coupons, parking and orders through the gateway, then drain its events."""

from __future__ import annotations

import asyncio
import time as clock
from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

import orjson

from suite.demo import progress as remembered
from suite.demo import published
from suite.demo.data import CouponUse, Day, Receipt, Return, Year
from suite.demo.doors import DoorRefused, Doors
from suite.demo.prepare import in_turn
from suite.demo.progress import Memory
from suite.home import Home
from suite.inside import Inside

BATCH_RECEIPTS = 200
AT_ONCE = 64
ORDER_PATIENCE_SECONDS, ORDER_POLL_SECONDS = 90.0, 0.2


class Replay:
    """Plays days in order. Every request id is derived from what it is about, so a day can be played again."""

    def __init__(self, doors: Doors, inside: Inside, memory: Memory, *, advance: Callable[[int], None]) -> None:
        self._doors, self._inside, self._memory = doors, inside, memory
        self._advance = advance
        self._parked_until: dict[int, datetime] = {}
        # The first day may have been begun by a run that was interrupted.
        self._again = True

    async def play(self, year: Year, home: Home) -> None:
        """Play every day that was not played before; remember each one that is done."""
        last = self._memory.last_day
        for day in year.days():
            stays = self._stays(day)
            if last is not None and day.day <= last:
                continue
            begun = clock.monotonic()
            await self.play_day(day, stays)
            self._again = False
            self._memory.done_until = day.day.isoformat()
            self._memory.receipt_count += len(day.receipts)
            self._memory.replay_seconds += clock.monotonic() - begun
            remembered.save(home, self._memory)

    async def play_day(self, day: Day, stays: dict[int, published.Stay]) -> None:
        """One day, in the published order."""
        night = datetime.combine(day.day, time(23, 30), published.ZONE)
        await self._inside.set_time(night, hold_at=night + timedelta(minutes=29))
        await in_turn(self._sales(day), at_once=AT_ONCE)
        households = sorted({*day.returns, *day.coupons, *stays, *day.first_receipts})
        await in_turn((self._household(day, household, stays) for household in households), at_once=AT_ONCE)
        await self._inside.drain()

    async def finish(self, year: Year) -> None:
        """Let the day after the last one come, so that what is due by then (expiry, closes) is done."""
        after = datetime.combine(year.last_day + timedelta(days=1), time(12), published.ZONE)
        await self._inside.set_time(after)
        await self._inside.drain()

    # ---- sales

    def _sales(self, day: Day) -> Iterator[Any]:
        by_store: dict[str, list[bytes]] = {}
        for receipt in day.receipts:
            by_store.setdefault(f"s{receipt.store}", []).append(self._sale(receipt))
        for sale in day.unit_sales:
            by_store.setdefault(sale.store_code, []).append(self._unit_sale(sale))
        for store_code, lines in by_store.items():
            for start in range(0, len(lines), BATCH_RECEIPTS):
                yield self._send_sales(store_code, lines[start : start + BATCH_RECEIPTS])

    async def _send_sales(self, store_code: str, lines: list[bytes]) -> None:
        await self._doors.post_lines(self._memory.terminal_key(store_code), "/v1/sales:batch", lines)
        if store_code.startswith("s"):
            self._advance(len(lines))

    def _sale(self, receipt: Receipt) -> bytes:
        return orjson.dumps(
            {
                "request_id": f"sale-{receipt.basket}",
                "store_id": self._memory.store_id(f"s{receipt.store}"),
                "receipt_no": str(receipt.basket),
                "sale_time": published.as_time(receipt.local_time),
                "member_id": self._memory.members[str(receipt.household)],
                "total": {"amount_minor": receipt.total_minor, "currency_code": published.CURRENCY},
                "lines": _lines(receipt),
            }
        )

    def _unit_sale(self, sale: published.UnitSale) -> bytes:
        line = {"line_no": 1, "amount_minor": sale.amount_minor, "category": sale.category, "quantity": 1}
        return orjson.dumps(
            {
                "request_id": f"sale-{sale.receipt_no}",
                "store_id": self._memory.store_id(sale.store_code),
                "receipt_no": sale.receipt_no,
                "sale_time": published.as_time(sale.local_time),
                "member_id": self._memory.members[str(sale.household)],
                "total": {"amount_minor": sale.amount_minor, "currency_code": published.CURRENCY},
                "lines": [line],
            }
        )

    # ---- what members do

    async def _household(self, day: Day, household: int, stays: dict[int, published.Stay]) -> None:
        for back in day.returns.get(household, []):
            await self._return(back)
        for use in day.coupons.get(household, []):
            await self._coupon(day, use)
        if household in stays:
            await self._park(day, stays[household])
        plan = published.order_plan(household, day.day) if household in day.first_receipts else "none"
        if plan != "none":
            await self._order(day, household, plan)

    async def _return(self, back: Return) -> None:
        body: dict[str, Any] = {
            "request_id": f"return-{back.basket}",
            "store_id": self._memory.store_id(f"s{back.store}"),
            "receipt_no": str(back.basket),
            "refund_time": published.as_time(back.local_time),
        }
        if back.line_no:
            body["lines"] = [{"line_no": back.line_no, "amount_minor": back.amount_minor}]
        await self._doors.post(self._memory.terminal_key(f"s{back.store}"), "/v1/refunds", body)

    async def _coupon(self, day: Day, use: CouponUse) -> None:
        name = f"{use.household}-{use.campaign}-{use.upc}-{day.day}"
        issued = await self._doors.post(
            self._memory.system_key,
            "/v1/coupons",
            {
                "request_id": f"issue-{name}",
                "template_id": self._memory.templates[f"{use.campaign}-{use.upc}"],
                "member_id": self._memory.members[str(use.household)],
            },
        )
        store_code, receipt_no = "s367", ""
        lines: list[dict[str, Any]] = [{"line_no": 1, "amount_minor": 1_000}]
        if use.receipt is not None:
            store_code, receipt_no = f"s{use.receipt.store}", str(use.receipt.basket)
            lines = _lines(use.receipt)
        await self._doors.post(
            self._memory.terminal_key(store_code),
            "/v1/coupons:writeOff",
            {
                "request_id": f"write-off-{name}",
                "store_id": self._memory.store_id(store_code),
                "coupon_code": issued["coupon"]["code"],
                "receipt_no": receipt_no,
                "lines": lines,
            },
        )

    def _stays(self, day: Day) -> dict[int, published.Stay]:
        stays = {}
        for household, first in day.first_receipts.items():
            stay = published.parking_stay(household, day.day, first)
            before = self._parked_until.get(household)
            if stay is not None and (before is None or stay.entry >= before):
                stays[household] = stay
                self._parked_until[household] = stay.exit
        return stays

    async def _park(self, day: Day, stay: published.Stay) -> None:
        name = f"{stay.household}-{day.day}"
        car_park = {"car_park_id": self._memory.units["car-park"], "plate_no": stay.plate_no}
        await self._doors.post(
            self._memory.vendor_key,
            "/v1/parking/entries",
            {"request_id": f"entry-{name}", **car_park, "entry_time": published.as_time(stay.entry)},
        )
        pay = {
            "request_id": f"pay-{name}",
            **car_park,
            "member_id": self._memory.members[str(stay.household)],
            "pay_time": published.as_time(stay.exit - timedelta(minutes=5)),
            "use_points": stay.use_points,
        }
        try:
            await self._doors.post(self._memory.system_key, "/v1/parking/fees:pay", pay)
        except DoorRefused as refusal:
            # On a day that is played again the car may have left already: what was due was paid then.
            if refusal.reason not in ("NOTHING_DUE", "PLATE_NOT_INSIDE"):
                raise
        leave = {"request_id": f"exit-{name}", **car_park, "exit_time": published.as_time(stay.exit)}
        answer = await self._doors.post(self._memory.vendor_key, "/v1/parking/exits", leave)
        if not answer.get("may_leave"):
            due = answer["due"]["amount_minor"]
            leave |= {"request_id": f"exit-paid-{name}", "gate_paid_minor": due}
            await self._doors.post(self._memory.vendor_key, "/v1/parking/exits", leave)

    async def _order(self, day: Day, household: int, plan: str) -> None:
        order = await self._placed_order(day, household)
        if order is None:
            return
        name, member_id = f"{household}-{day.day}", self._memory.members[str(household)]
        if plan == "cancel":
            path = f"/v1/members/{member_id}/orders/{order['order_id']}:cancel"
            cancelled = await self._doors.post(self._memory.system_key, path, {"request_id": f"cancel-{name}"})
            await self._finished(cancelled["order"])
        elif plan == "use":
            item = next(item for item in published.ITEMS if self._memory.items[item.code] == order["item_id"])
            store_code = "hotel-desk" if item.merchant_code == "hotel" else self._first_store(item.merchant_code)
            use = {
                "request_id": f"use-{name}",
                "store_id": self._memory.store_id(store_code),
                "voucher_code": order["voucher"]["code"],
            }
            await self._doors.post(self._memory.terminal_key(store_code), "/v1/vouchers:use", use)

    async def _placed_order(self, day: Day, household: int) -> dict[str, Any] | None:
        """The household's order of the day, seen through to its end; None when it cannot afford any.

        On a day that is played again the balance lacks what the order of the first time took, so that order is looked
        for before one is placed.
        """
        member_id, key = self._memory.members[str(household)], self._memory.system_key
        order = await self._order_of(day, member_id) if self._again else None
        if order is None:
            balance = await self._doors.get(key, f"/v1/members/{member_id}/balance")
            wanted = [item for item in published.ITEMS if item.price_points <= balance["available_points"]]
            if not wanted:
                return None
            body = {
                "request_id": f"order-{household}-{day.day}",
                "member_id": member_id,
                "item_id": self._memory.items[wanted[-1].code],
            }
            try:
                order = (await self._doors.post(key, "/v1/orders", body))["order"]
            except DoorRefused as refusal:
                # The first time's order was still on its way when it was looked for.
                if refusal.reason != "REQUEST_ID_REUSED":
                    raise
                order = await self._order_of(day, member_id)
        return None if order is None else await self._finished(order)

    async def _order_of(self, day: Day, member_id: str) -> dict[str, Any] | None:
        path = f"/v1/members/{member_id}/orders"
        for order in (await self._doors.get(self._memory.system_key, path)).get("orders", []):
            if datetime.fromisoformat(order["order_time"]).astimezone(published.ZONE).date() == day.day:
                return order
        return None

    async def _finished(self, order: dict[str, Any]) -> dict[str, Any]:
        """The order when no work is left on it: the mall goes on by itself where an outage stopped it."""
        path = f"/v1/members/{order['member_id']}/orders/{order['order_id']}"
        async with asyncio.timeout(ORDER_PATIENCE_SECONDS):
            while order["state"] == "ORDER_STATE_PENDING":
                await asyncio.sleep(ORDER_POLL_SECONDS)
                order = (await self._doors.get(self._memory.system_key, path))["order"]
        return order

    def _first_store(self, merchant_code: str) -> str:
        return min(
            code
            for code in self._memory.terminals
            if code[1:].isdigit() and published.merchant_of_store(int(code[1:])) == merchant_code
        )


def _lines(receipt: Receipt) -> list[dict[str, Any]]:
    return [
        {"line_no": number, "amount_minor": amount, "category": category, "item_code": item, "quantity": quantity}
        for number, (amount, category, item, quantity) in enumerate(receipt.lines, start=1)
    ]
