"""How the ledger's call reaches its rows: by key, joined, whatever the tables' sizes were when the plan was made."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from services.points.ledger.ledger import LEDGER_SETTINGS, Item, Kind, Ledger, columns
from services.points.rule_sets.simulation import _SPAN
from tests.integration.points.bank import HOT_TABLES, NOW, Bank, applied

# The statements of a call are inside functions: this tells their plans to the client.
_TELL_PLANS = """LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0;
    SET auto_explain.log_nested_statements = on; SET auto_explain.log_level = notice"""


async def plans_of(bank: Bank, items: list[Item]) -> list[str]:
    """The plans of every statement that one call of lane 0 ran, on a connection like a lane's."""
    connection = await asyncpg.connect(bank.owner_url, server_settings=LEDGER_SETTINGS)
    told: list[str] = []
    try:
        await connection.execute(_TELL_PLANS)
        connection.add_log_listener(lambda _, message: told.append(message.message))
        call = bank.ledger().lanes[0]._statement_text
        rows: list[Any] = await connection.fetch(call, 0, *columns(items))
        assert {row["status"] for row in rows} == {1}
    finally:
        await connection.close()
    return [plan for plan in told if "Query Text:" in plan]


@pytest.fixture
async def items(bank: Bank, ledger: Ledger) -> list[Item]:
    """Sales of many members, and one of everything else."""
    wallets = await bank.open_wallets(40, lane=0)
    first = [bank.earn(wallet, 50) for wallet in wallets]
    hold = bank.move(Kind.HOLD, wallets[3], 5, expire_time=NOW.replace(year=2100), detail=b"")
    spent = [bank.move(Kind.REDEEM, wallet, 5, detail=b"") for wallet in (wallets[0], wallets[4])]
    for before in (first, [hold, *spent]):
        applied(await ledger.apply(before))
    return [
        *(bank.earn(wallet) for wallet in wallets[10:]),
        bank.claw_back(first[0], 50),
        bank.earn(wallets[0], 20),  # repays what the return left owing
        bank.move(Kind.REDEEM, wallets[1], 5, detail=b""),
        bank.move(Kind.HOLD, wallets[2], 5, expire_time=NOW.replace(year=2100), detail=b""),
        bank.move(Kind.CAPTURE, wallets[3], 3, ref_id=hold.txn_id),
        bank.move(Kind.REVERSE, wallets[4], 5, ref_id=spent[1].txn_id),
    ]


async def test_all_sales_of_a_batch_are_one_statement_without_a_subselect_for_each_row(
    bank: Bank, items: list[Item]
) -> None:
    # A correlated subselect is a look-up for each row on top of the joins, and halved the throughput.
    plans = await plans_of(bank, items)
    (batch,) = [plan for plan in plans if "WITH item AS MATERIALIZED" in plan]
    assert "Insert on txn" in batch.partition("CTE put_txn")[2], "this is not the plan that was looked for"
    assert "SubPlan" not in batch


async def test_every_row_is_reached_by_its_key(bank: Bank, items: list[Item]) -> None:
    plans = await plans_of(bank, items)
    assert len(plans) > 20, "the statements inside the functions are told too"
    for plan in plans:
        for table in HOT_TABLES:
            assert f"Seq Scan on {table}{bank.suffix} " not in plan, plan
        assert "Hash Join" not in plan
        assert "Merge Join" not in plan


async def test_a_span_of_sales_is_read_without_all_the_others(bank: Bank, items: list[Item]) -> None:
    connection = await asyncpg.connect(bank.url, server_settings={"enable_seqscan": "off"})  # the table is small
    try:
        query = f"EXPLAIN SELECT count(*) FROM txn{bank.suffix} WHERE {_SPAN}"
        plan = [row[0] for row in await connection.fetch(query, items[0].group_id, NOW, NOW)]
    finally:
        await connection.close()
    assert any("Bitmap Index Scan on txn_by_time" in line for line in plan), plan
