"""Recurring work: sagas that a crash or an unknown outcome left are finished."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from services.mall.saga import Saga

EVERY_SECONDS = 1.0


def finisher(*sagas: Saga[Any]) -> Callable[[], Awaitable[None]]:
    """A loop that drives what is due. Every replica runs it: rows are taken with SKIP LOCKED and a lease each.

    It is not under the leader lock of other jobs, so that a killed leader does not hold orders up for its lease.
    """

    async def run() -> None:
        while True:
            counts = [await saga.finish_due() for saga in sagas]
            if not any(counts):
                await asyncio.sleep(EVERY_SECONDS)

    return run
