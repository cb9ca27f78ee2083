"""How long a call may take, as its client says."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.contract import Contract
from gateway.http import Exchange
from gateway.reception import MOST_SECONDS, Entrance

SECONDS = {operation.method.name: Entrance(operation).seconds for operation in Contract.load().operations()}


async def nobody(*_: Any) -> Any:
    raise AssertionError


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 5),
        ("500m", 0.5),
        ("30S", 30),  # longer than the door would wait by itself
        ("1M", 60),
        ("2H", 60),  # never longer than this
        ("30", 5),  # no unit
        ("-1S", 5),
        ("1.5S", 5),
    ],
)
def test_a_client_waits_as_long_as_it_says_within_bounds(header: str, seconds: float) -> None:
    scope = {
        "method": "POST",
        "path": "/v1/structure:import",
        "query_string": b"",
        "headers": [(b"grpc-timeout", header.encode())] if header else [],
    }
    assert Exchange(scope, nobody, nobody).seconds(default=5, most=60) == seconds


def test_a_call_whose_client_does_not_say_gets_what_its_door_needs() -> None:
    assert (SECONDS["RecordSale"], SECONDS["RecordSales"]) == (5, 60)
    # A file of 5,000 rows on a slow machine.
    assert SECONDS["ImportStructure"] == 30
    assert max(SECONDS.values()) <= MOST_SECONDS
