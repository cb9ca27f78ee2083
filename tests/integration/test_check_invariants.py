"""`huitong check-invariants` tells what does not hold: of the mechanics, a service's queries and checks, the drain."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from chassis import ids
from huitong.points.v1 import points_pb2
from services.points.invariants import CHECKS, INVARIANTS
from suite.invariants import check, show
from tests.apps import GROUP, Apps

DRAINED = "6 after a drain every event is applied"
PAID = points_pb2.RecordSaleRequest(origin={"payment_provider": "wechat-pay", "payment_id": "4200001"})
SALE = ids.derive("sale that nobody claimed")

# What is done to a database in which nothing has happened yet, and how often it violates what.
DAMAGE: list[tuple[str, dict[str, int]]] = [
    (
        "INSERT INTO event_pack VALUES (7, 1, '', 'a', 1, now()), (7, 3, 'a', 'c', 1, now())",
        {"6 packs have no gap": 1},
    ),
    (
        "INSERT INTO event_pack VALUES (8, 1, '', 'a', 1, now()), (8, 2, 'b', 'c', 1, now())",
        {"6 packs follow each other": 1},
    ),
    (
        f"""INSERT INTO parked_event SELECT gen_random_uuid(), 'org', 0, 1, 'a.type', '', 'a reason', 1, now()
            FROM generate_series(1, 5); INSERT INTO request_log VALUES ('{GROUP}', 'm', 'r', '', NULL, now())""",
        {"6 nothing is parked": 5, "9 every request that was answered has its answer": 1},
    ),
    (
        f"""INSERT INTO txn (wallet_id, txn_id, group_id, version, kind, points, pending_points, debt_points,
              available_points, request_hash, occur_time, record_time, merchant_id, reference, amount_minor, detail)
            VALUES ('{GROUP}', '{SALE}', '{GROUP}', 1, 1, 0, 0, 0, 0, '', now(), now(), '{GROUP}', '', 0,
                    '\\x{PAID.SerializeToString().hex()}')""",
        {"5 one earn for each receipt": 1, "5 one earn for each payment": 1},
    ),
]


async def test_what_does_not_hold_is_told_with_its_count_and_examples(
    apps: Apps, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = (await apps.start("points"))["points"].settings
    sound = await check(config, ("points",))
    assert {one.violation_count for one in sound} == {0}
    assert {*INVARIANTS, *CHECKS, DRAINED} <= {one.name for one in sound}
    await apps.stop()
    monkeypatch.setattr("suite.invariants.DRAIN_SECONDS", 0.5)
    for damage, _ in DAMAGE:
        await apps.as_owner("points", damage)
    results = await check(config, ("points",))
    found = {one.name: one.violation_count for one in results}
    for _, expected in DAMAGE:
        assert expected.items() <= found.items()
    # Nobody answers any more: what is on its way nobody knows.
    assert found[DRAINED] == 1
    page = StringIO()
    assert show(Console(file=page, width=200), results) == sum(found.values())
    printed = page.getvalue()
    assert printed.count("a reason") == 3, "examples are a few"
    assert str(SALE) in printed
