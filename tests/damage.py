"""Damage that is done to sound data and undone again, and the invariants that notice it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import asyncpg

# What is done, and the names of the invariants that must notice.
Damage = tuple[str, set[str]]


async def noticed(
    url: str,
    queries: Mapping[str, str],
    damage: str = "",
    checks: Mapping[str, Callable[[Any], Awaitable[list[Any]]]] | None = None,
) -> set[str]:
    """The invariants that do not hold once this is done. `url` is the owner's: constraints may be in the way of it."""
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        if damage:
            await connection.execute(damage)
        found = {name for name, query in queries.items() if await connection.fetch(query)}
        return found | {name for name, look in (checks or {}).items() if await look(connection)}
    finally:
        await transaction.rollback()
        await connection.close()


def names_of(cases: Iterable[Damage]) -> set[str]:
    """Of the invariants that have a case."""
    return {name for _, expected in cases for name in expected}
