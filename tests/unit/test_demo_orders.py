"""The demo's voucher orders: on a day that is played again, and while the mall is still at work on one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from suite.demo import published, replay
from suite.demo.data import Day
from suite.demo.doors import DoorRefused, Doors, Who
from suite.demo.progress import Memory
from suite.demo.replay import Replay
from suite.inside import Inside

DAY = date(2017, 3, 4)
HOUSEHOLD, MEMBER = 7, "mbr_7"
COFFEE, SPA = published.ITEMS[0], published.ITEMS[2]
MEMORY = Memory(
    system={"key_id": "key", "secret": "secret"},
    members={str(HOUSEHOLD): MEMBER},
    items={item.code: f"itm_{item.code}" for item in published.ITEMS},
    # Store s1 is the coffee shop's, s3 the spa's.
    terminals={f"s{n}": {"store_id": f"sto_{n}", "key_id": "key", "secret": "secret"} for n in (1, 3)},
)


def order(item: published.CatalogueItem, state: str = "COMPLETED", day: date = DAY) -> dict[str, Any]:
    """An order as the mall answers it."""
    at = datetime(day.year, day.month, day.day, 23, 45, tzinfo=published.ZONE)
    answer = {
        "order_id": f"ord_{item.code}_{day}",
        "member_id": MEMBER,
        "item_id": f"itm_{item.code}",
        "state": f"ORDER_STATE_{state}",
        "order_time": at.isoformat(),
    }
    return {**answer, "voucher": {"code": "V1"}} if state == "COMPLETED" else answer


class ScriptedDoors(Doors):
    """Answers from a list; remembers what was posted."""

    def __init__(self, *, balance: int, orders: list[dict[str, Any]], placed: Any = None, later: Any = ()) -> None:
        super().__init__("http://nowhere")
        self.balance, self.orders, self.placed, self.later = balance, orders, placed, list(later)
        self.posted: list[tuple[str, dict[str, Any]]] = []

    async def get(self, key: Who, path: str, **parameters: object) -> dict[str, Any]:
        if path.endswith("/balance"):
            return {"available_points": self.balance}
        if path.endswith("/orders"):
            return {"orders": self.orders} if self.orders else {}
        return {"order": self.later.pop(0)}

    async def post(self, key: Who, path: str, body: dict[str, Any]) -> dict[str, Any]:
        self.posted.append((path, body))
        if path != "/v1/orders":
            return {"order": order(COFFEE, "CANCELLED")}
        if isinstance(self.placed, Exception):
            raise self.placed
        return {"order": self.placed}


async def play(doors: ScriptedDoors, plan: str = "keep", *, again: bool = True) -> list[str]:
    """Play the household's order; answers the paths that were posted to."""
    player = Replay(doors, Inside.__new__(Inside), MEMORY, advance=lambda _: None)
    player._again = again
    await player._order(Day(DAY, [], []), HOUSEHOLD, plan)
    return [path for path, _ in doors.posted]


async def test_who_cannot_afford_a_thing_orders_nothing_also_on_a_day_played_again() -> None:
    # An order that points refuse may still be under way while points is restarted, and would then be cancelled by plan.
    doors = ScriptedDoors(balance=published.ITEMS[0].price_points - 1, orders=[])
    assert await play(doors, "cancel") == []


async def test_the_order_of_the_first_time_is_used_whatever_the_balance_is_now() -> None:
    doors = ScriptedDoors(balance=5_000, orders=[order(SPA, day=date(2017, 3, 5)), order(SPA)])
    assert await play(doors, "use") == ["/v1/vouchers:use"]
    assert doors.posted[0][1]["store_id"] == "sto_3"  # a store of the merchant of what was ordered then


async def test_an_order_of_another_day_is_not_this_days() -> None:
    doors = ScriptedDoors(balance=1_000, orders=[order(COFFEE, day=date(2017, 3, 3))], placed=order(SPA))
    assert await play(doors) == ["/v1/orders"]
    assert doors.posted[0][1]["item_id"] == "itm_spa"


async def test_an_order_that_was_on_its_way_is_found_when_its_request_id_is_refused() -> None:
    reused = DoorRefused(path="/v1/orders", status=409, reason="REQUEST_ID_REUSED", detail="")
    doors = ScriptedDoors(balance=400, orders=[], placed=reused)

    async def post(key: Who, path: str, body: dict[str, Any]) -> dict[str, Any]:
        doors.orders = [order(SPA)]
        return await ScriptedDoors.post(doors, key, path, body)

    doors.post = post  # type: ignore[method-assign]
    assert await play(doors, "cancel") == ["/v1/orders", f"/v1/members/{MEMBER}/orders/ord_spa_{DAY}:cancel"]


async def test_a_pending_order_is_waited_for_before_its_voucher_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    pending = order(COFFEE, "PENDING")
    doors = ScriptedDoors(balance=200, orders=[], placed=pending, later=[pending, order(COFFEE)])
    monkeypatch.setattr(replay, "ORDER_POLL_SECONDS", 0.0)
    assert await play(doors, "use", again=False) == ["/v1/orders", "/v1/vouchers:use"]
    assert doors.posted[1][1]["voucher_code"] == "V1"


async def test_any_other_refusal_ends_the_replay() -> None:
    out_of_stock = DoorRefused(path="/v1/orders", status=409, reason="OUT_OF_STOCK", detail="")
    with pytest.raises(DoorRefused):
        await play(ScriptedDoors(balance=200, orders=[], placed=out_of_stock))
