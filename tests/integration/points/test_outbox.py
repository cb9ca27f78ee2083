"""The ledger's events: numbered under the lane's lock, read without gaps, packed and published once."""

from __future__ import annotations

import asyncpg
import pytest

from services.points import events_source
from services.points.events_source import LedgerOutbox
from services.points.ledger import Ledger
from tests.integration.points.bank import Bank


async def test_outbox_is_read_without_gaps_however_it_is_cut(
    bank: Bank, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_source, "READ_SECONDS", 0)
    wallets = await bank.open_wallets(6, lane=0)
    for _ in range(4):
        await ledger.apply([bank.earn(wallet, points) for points, wallet in enumerate(wallets)])
    connection = await asyncpg.connect(bank.url)
    source = LedgerOutbox(bank.lane_count, suffix=bank.suffix)
    everything = await source.read(connection, 0, "", 100_000)
    assert [int(each.position) for each in everything] == list(range(1, len(everything) + 1))
    assert await source.count_after(connection, 0, everything[-1].position) == 0
    for limit in (1, 2, 3, 7):
        pieces, after = [], ""
        while piece := await source.read(connection, 0, after, limit):
            assert len(piece) <= limit
            pieces += piece
            after = piece[-1].position
        assert pieces == everything
    middle = await source.read(connection, 0, "3", 100, "6")
    assert [each.position for each in middle] == ["4", "5", "6"]
    assert len({each.event.event_id for each in everything}) == len(everything)
    await connection.close()
