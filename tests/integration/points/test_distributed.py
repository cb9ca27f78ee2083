"""Ready to be distributed: the rules by which the ledger's tables could be spread over servers as they are.

Checked on the catalogue of a migrated database and on the text of the functions, so that a new table, key or query
that breaks a rule is noticed on the day it is written.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest

from services import points
from tests.integration.points.bank import HOT_TABLES, LANE_TABLES, LEDGER_TABLES, Bank, applied, open_bank
from tests.integration.points.wire import Wire
from tests.support import Sandbox

# Unique or limited over all wallets, so by nature not by wallet: claimed ahead of the ledger call, in calls of their
# own. They are never joined with the ledger's tables in a change, and may live on a server of their own.
CLAIM_TABLES = (
    *("receipt_claim", "request_claim", "cap", "cap_use", "first_purchase"),
    *("payment_claim", "device_sale", "device", "sale_seen", "sale_case"),
)
# A lane's row is locked first, and a lane lives on one server: `lane` and the lane's sums for each merchant need no
# wallet id, because only batches of that lane, which hold its row, ever write them (LANE_TABLES).
# Everything else is not written by the ledger call: rules, copies of what others own, and the chassis' mechanics.
COLD_TABLES = {
    *(
        "cache_version",
        "rule_set",
        "rule_draft",
        "notice_source",
        "rule_simulation",
        "adjustment",
        "expiry_reminder",
        "hoarder",
        "store",
        "merchant",
        "member",
        "member_tier",
        "member_segment",
        "spend_policy",
        "reward",
        "cost_position",
        "unit_cost",
        "cost_action",
        "currency",
        "conversion_rate",
        "family_pool",
        "pool_member",
        "member_merge",
        "erased_member",
        "notice_source",
    ),
    *(
        "alembic_version",
        "alembic_version_chassis",
        "request_log",
        "operator_act",
        "outbox",
        "relay_lane",
        "event_pack",
        "watermark",
    ),
    *("parked_event", "job_state", "business_clock"),
}
TEMPLATES = {
    file.name: re.sub(r"--[^\n]*", "", file.read_text(encoding="utf-8"))
    for file in files("services.points.ledger.sql").iterdir()
    if file.name.endswith(".sql")
}
# Types are shared by all suffixes, and claims have none: they are not a shard's.
UNSUFFIXED = ("10_types.sql", "70_claims.sql", "72_doors.sql", "80_caps.sql", "82_first_purchases.sql")
SUFFIXED = {name: text for name, text in TEMPLATES.items() if name not in UNSUFFIXED}
_LEDGER_NAME = "|".join(sorted(LEDGER_TABLES, key=len, reverse=True))
# What follows a table's name when it has no other.
_AFTER_TABLE = {"SET", "WHERE", "ON", "JOIN", "LEFT", "USING", "GROUP", "ORDER", "LIMIT", "CROSS", "UNION"}
_HOT_NAME = "|".join(sorted(HOT_TABLES, key=len, reverse=True))


@pytest.fixture
async def bank(sandbox: Sandbox) -> Bank:
    """The tables as migrated."""
    return await open_bank(sandbox)


async def keys_without_a_wallet(bank: Bank) -> set[str]:
    """Primary keys, unique constraints and unique indexes of hot tables that lack the wallet id."""
    rows = await bank.fetch(
        """SELECT i.indexrelid::regclass::text AS name FROM pg_index i
           WHERE i.indrelid = ANY($1::text[]::regclass[]) AND i.indisunique
             AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attname = 'wallet_id'
                             AND a.attnum = ANY (i.indkey::int2[]))""",
        list(HOT_TABLES),
    )
    return {row["name"] for row in rows}


async def made_by_the_server(bank: Bank) -> set[str]:
    """Defaults, generated and identity columns, sequences, triggers and foreign keys (which are triggers)."""
    rows = await bank.fetch(
        """WITH tables AS (SELECT unnest($1::text[]::regclass[]) AS oid)
           SELECT t.oid::regclass || '.' || a.attname AS name FROM tables t
             JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE a.atthasdef OR a.attidentity <> '' OR a.attgenerated <> ''
           UNION ALL SELECT t.oid::regclass || ' trigger ' || g.tgname
             FROM tables t JOIN pg_trigger g ON g.tgrelid = t.oid
           UNION ALL SELECT t.oid::regclass || ' rule ' || r.rulename
             FROM tables t JOIN pg_rewrite r ON r.ev_class = t.oid
           UNION ALL SELECT d.objid::regclass::text FROM tables t
             JOIN pg_depend d ON d.refobjid = t.oid AND d.classid = 'pg_class'::regclass
             JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'""",
        [*LEDGER_TABLES, *CLAIM_TABLES],
    )
    return {row["name"] for row in rows}


def unbound_references(text: str) -> list[str]:
    """Hot tables that are read, joined or changed in `text` without naming the wallet whose rows are meant."""
    found = []
    for match in re.finditer(rf"\b(?:FROM|JOIN|UPDATE)\s+({_HOT_NAME})\b(?:\{{s\}})?(?:\s+AS)?(?:\s+(\w+))?", text):
        alias = match[2] if match[2] and match[2].upper() not in _AFTER_TABLE else None
        start = match.end() if alias or not match[2] else match.start(2)
        clause = _rest_of_clause(text, start)
        own = rf"\b{alias}\.wallet_id" if alias else r"(?<![.\w])wallet_id"
        if not re.search(rf"{own}\s*=|=\s*{own}\b", clause):
            found.append(f"{match[0]}{clause[:60]}")
    return found


def _rest_of_clause(text: str, start: int) -> str:
    """From `start` to where the query that it stands in ends: its closing bracket or a semicolon."""
    depth = 0
    for position in range(start, len(text)):
        character = text[position]
        depth += (character == "(") - (character == ")")
        if depth < 0 or (character == ";" and depth == 0):
            return text[start:position]
    return text[start:]


def names_without_suffix(text: str) -> list[str]:
    """Tables (also as types of variables) and functions of the ledger whose names do not end in {s}."""
    places = (
        rf"\b(?:FROM|JOIN|UPDATE|INSERT INTO|DELETE FROM)\s+(?:{_LEDGER_NAME})\b(?!\{{s\}})",
        rf"\b[pv]_\w+\s+(?:{_LEDGER_NAME})\b(?!\{{s\}})",
        r"\bledger_(?!outbox\b)\w+\(",
    )
    return [found for place in places for found in re.findall(place, text)]


async def test_every_table_is_known_to_be_hot_or_exempt(bank: Bank) -> None:
    rows = await bank.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
    )
    assert {row["relname"] for row in rows} == {*LEDGER_TABLES, *CLAIM_TABLES, *COLD_TABLES}


async def test_every_key_of_a_hot_table_contains_the_wallet(bank: Bank) -> None:
    assert await keys_without_a_wallet(bank) == set()
    keys = await bank.fetch(
        """SELECT conrelid::regclass::text AS name FROM pg_constraint
           WHERE contype = 'p' AND conrelid = ANY($1::text[]::regclass[])""",
        list(HOT_TABLES),
    )
    assert {row["name"] for row in keys} == set(HOT_TABLES)


async def test_the_wallet_of_a_row_never_changes() -> None:
    for name, text in TEMPLATES.items():
        for update in re.findall(
            r"(?:UPDATE \w+\{s\} \w+|DO UPDATE)\s+SET(.*?)(?:WHERE|FROM|;|RETURNING)", text, re.DOTALL
        ):
            assert not re.search(r"\bwallet_id\s*=", update), name


def test_every_use_of_a_hot_table_names_the_wallet() -> None:
    uses = sum(len(re.findall(rf"\b(?:FROM|JOIN|UPDATE)\s+(?:{_HOT_NAME})\{{s\}}", text)) for text in SUFFIXED.values())
    assert uses > 30, "the queries are not found any more"
    assert {name: unbound for name, text in SUFFIXED.items() if (unbound := unbound_references(text))} == {}


# Statements of the service that name no wallet, and why they may.
REVIEWED = {
    # Work that is due is looked for by time, or by what is under way, on each server, while nobody waits for it.
    "queries.list_due_expiries": {"wallet"},
    "queries.list_due_holds": {"hold"},
    "queries.list_due_unlocks": {"lot"},
    "queries.list_transfers_under_way": {"transfer"},
    "merging.queries.list_moves_under_way": {"merge_move"},
    "wallets.conversion.Conversions.finish": {"conversion"},
    "retention.reminders._DUE": {"wallet"},
    # A lane's events in their order, read by the lane's own number.
    "ledger.events_source._READ": {"ledger_outbox"},
    "governor.operations._READ": {"ledger_outbox"},
    # Simulations look at all sales of a span of time, in the background.
    "rule_sets.simulation.Simulations.run": {"txn"},
    "rule_sets.simulation.Simulations._chunks": {"txn"},
    "queries._USED_BETWEEN": {"txn"},
    # An invariant, over all sales: asked for by an operator, as those in invariants.py.
    "doors.payments._SALES": {"txn"},
    # What is on its way to a wallet lies with whose it was: asked for merged members alone.
    "merging.queries.is_fetching": {"merge_move"},
}


def test_every_statement_of_the_service_names_the_wallet() -> None:
    unbound: dict[str, set[str]] = {}
    count = 0
    for name, text in statements_of_the_service():
        count += 1
        for found in unbound_references(re.sub(r"--[^\n]*", "", text)):
            unbound.setdefault(name, set()).add(found.split()[1].removesuffix("{s}"))
    assert count > 60, "the statements are not found any more"
    assert unbound == REVIEWED


def statements_of_the_service() -> Iterator[tuple[str, str]]:
    """Every text in the service's modules that uses a hot table, with the function, method or constant it is in.

    Constants of the module are filled in; the audit by invariants, which looks at everything, is left out.
    """
    root = Path(inspect.getfile(points)).parent
    for path in root.rglob("*.py"):
        if path.name == "invariants.py" or "migrations" in path.parts:
            continue
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = {
            name: value.value
            for name, node in _named(tree.body)
            if isinstance(value := getattr(node, "value", None), ast.Constant) and isinstance(value.value, str)
        }
        for name, node in _named(tree.body):
            for text in _texts(node, constants):
                if re.search(rf"\b(?:FROM|JOIN|UPDATE)\s+(?:{_HOT_NAME})\b", text):
                    yield f"{module}.{name}", text


def _named(body: Sequence[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.stmt]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _named(node.body, f"{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{node.name}", node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target), node


def _texts(node: ast.AST, constants: Mapping[str, str]) -> Iterator[str]:
    """Whole literals: the parts of an f-string are one."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(
            str(part.value) if isinstance(part, ast.Constant) else constants.get(ast.unparse(part.value), "{}")
            for part in node.values
            if isinstance(part, ast.Constant | ast.FormattedValue)
        )
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from _texts(child, constants)


def test_lane_tables_are_named_by_lane() -> None:
    for name, text in SUFFIXED.items():
        for match in re.finditer(r"\b(?:FROM|UPDATE)\s+lane\{s\} l\b", text):
            assert re.search(r"\bl\.lane = p_lane\b", _rest_of_clause(text, match.end())), name
        for match in re.finditer(r"INTO issuer_slot\{s\}", text):
            assert "ON CONFLICT (lane, merchant_id, currency_id)" in text[match.end() : match.end() + 1200], name
        assert not re.search(r"(?:FROM|JOIN|UPDATE) issuer_slot", text), name
    assert LANE_TABLES == ("lane", "issuer_slot")


def test_claims_and_ledger_never_meet_in_one_statement() -> None:
    for name in ("70_claims.sql", "72_doors.sql", "80_caps.sql", "82_first_purchases.sql"):
        assert not re.search(rf"\b(?:{_LEDGER_NAME})\b", re.sub(r"\b\w+\.\w+", "", TEMPLATES[name])), name
    for name, text in SUFFIXED.items():
        assert not re.search(rf"\b(?:{'|'.join(CLAIM_TABLES)})\b", text), name


def test_every_table_and_function_of_the_call_carries_the_suffix() -> None:
    assert {name: plain for name, text in SUFFIXED.items() if (plain := names_without_suffix(text))} == {}


async def test_no_plain_table_is_left_behind_the_suffixed_call(sandbox: Sandbox) -> None:
    # The suite of test_lanes and test_model runs on tables without plain names: a forgotten suffix fails there too.
    bank = await open_bank(sandbox, suffix="_102008")
    rows = await bank.fetch("SELECT to_regclass(t) AS found FROM unnest($1::text[]) t", list(LEDGER_TABLES))
    assert all(row["found"] is None for row in rows)


async def test_the_hot_call_is_one_autocommit_statement(bank: Bank) -> None:
    (wallet,) = await bank.open_wallets(1)
    items = [bank.earn(wallet, shop=shop) for shop in range(4)]
    async with Wire(bank.url) as wire:
        ledger = bank.ledger(wire.url)
        await ledger.open()
        lane = ledger.lanes[ledger.lane_of(wallet)]
        lane._replan_at = float("inf")  # throwing plans away now and then is a statement of its own
        wire.forget()
        try:
            applied(await ledger.apply(items))
            said = wire.said()
        finally:
            await ledger.close()
    # Bind, execute, sync: the statement that was prepared, and no BEGIN or COMMIT before or after it.
    assert [kind for kind, _ in said] == ["B", "E", "S"]
    assert re.fullmatch(r"SELECT \* FROM ledger_apply\(\$1, clock_timestamp\(\)(, \$\d+)+\)", lane._statement_text)
    rows = await bank.fetch("SELECT DISTINCT xmin::text FROM txn{s} WHERE wallet_id = $1", wallet)
    assert len(rows) == 1, "one statement, one transaction"


async def test_the_call_locks_its_lane_and_then_its_wallets_by_id_before_it_looks_at_anything(bank: Bank) -> None:
    (row,) = await bank.fetch("SELECT prosrc FROM pg_proc WHERE proname = 'ledger_apply'")
    declared, body = re.split(r"\bBEGIN\b", re.sub(r"--[^\n]*", "", row["prosrc"]), maxsplit=1)
    assert not re.search(r"\b(SELECT|FROM)\b|:=", declared), "a value is read before anything is locked"
    lane, guard, end_guard, wallets = (" ".join(statement.split()) for statement in body.split(";")[:4])
    # The row that is the fence: without it nothing is done.
    assert re.fullmatch(r"UPDATE lane l SET .* WHERE l\.lane = p_lane RETURNING l\.n INTO v_n", lane)
    assert re.fullmatch(r"IF NOT FOUND THEN RAISE EXCEPTION .* USING ERRCODE = 'LN001'", guard)
    assert end_guard == "END IF"
    assert re.search(r"FROM wallet w WHERE w\.wallet_id = ANY \(p_wallet\) ORDER BY w\.wallet_id FOR UPDATE\)", wallets)
    # Nothing locks rows in another order later.
    locking = {name: re.findall(r"FOR (?:NO KEY )?UPDATE|FOR (?:KEY )?SHARE", text) for name, text in SUFFIXED.items()}
    assert {name: found for name, found in locking.items() if found} == {"60_apply.sql": ["FOR UPDATE"]}


async def test_wallets_are_locked_in_the_order_of_their_ids(bank: Bank) -> None:
    low, middle, high = sorted(await bank.open_wallets(3, lane=0))
    ledger = bank.ledger()
    await ledger.open()
    first, second = await asyncpg.connect(bank.url), await asyncpg.connect(bank.url)
    lock = "SELECT FROM wallet WHERE wallet_id = $1 FOR UPDATE NOWAIT"
    try:
        async with first.transaction():
            await first.execute(lock, middle)
            answering = asyncio.create_task(ledger.apply([bank.earn(wallet) for wallet in (high, middle, low)]))
            async with asyncio.timeout(15):
                while not await second.fetchval(
                    """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                         AND application_name = 'huitong-points-lane-0' AND wait_event_type = 'Lock'"""
                ):
                    await asyncio.sleep(0.01)
            await second.execute(lock, high)
            with pytest.raises(asyncpg.LockNotAvailableError):
                await second.execute(lock, low)
        applied(await answering)
    finally:
        await first.close()
        await second.close()
        await ledger.close()


async def test_the_call_controls_no_transaction_of_its_own(bank: Bank) -> None:
    for name, text in TEMPLATES.items():
        assert not re.search(r"\b(COMMIT|ROLLBACK|SAVEPOINT|PROCEDURE|EXCEPTION WHEN|dblink)\b", text), name


async def test_nothing_on_a_hot_table_is_made_by_the_server(bank: Bank) -> None:
    assert await made_by_the_server(bank) == set()
    for name, text in SUFFIXED.items():
        assert not re.search(r"\b(nextval|gen_random_uuid|uuid_generate\w*|now|clock_timestamp|random)\s*\(", text), (
            name
        )
        assert "CURRENT_TIMESTAMP" not in text.upper(), name


async def test_every_table_has_a_primary_key(bank: Bank) -> None:
    rows = await bank.fetch(
        """SELECT relname FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
             AND NOT EXISTS (SELECT FROM pg_constraint p WHERE p.conrelid = c.oid AND p.contype = 'p')"""
    )
    assert [row["relname"] for row in rows] == []


async def test_tables_that_hold_idempotency_keys_are_not_partitioned(bank: Bank) -> None:
    # A key that is unique only within its partition protects nothing: asked again a month later it would run again.
    tables = ["txn", "hold", "sale_refund", "receipt_claim", "request_claim", "request_log"]
    tables += ["payment_claim", "device_sale", "sale_case"]
    rows = await bank.fetch(
        """SELECT relname FROM pg_class WHERE oid = ANY($1::text[]::regclass[]) AND relkind = 'r' AND NOT relispartition
             AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhparent = pg_class.oid OR inhrelid = pg_class.oid)""",
        tables,
    )
    assert {row["relname"] for row in rows} == set(tables)


@pytest.mark.parametrize(
    ("breakage", "check"),
    [
        ("CREATE UNIQUE INDEX broken ON txn (txn_id)", keys_without_a_wallet),
        ("ALTER TABLE hold ADD CONSTRAINT broken UNIQUE (hold_id, group_id)", keys_without_a_wallet),
        ("ALTER TABLE txn ALTER points SET DEFAULT 0", made_by_the_server),
        ("ALTER TABLE lot ADD broken bigint GENERATED ALWAYS AS IDENTITY", made_by_the_server),
        ("ALTER TABLE debt ADD broken bigserial", made_by_the_server),
        ("ALTER TABLE posting ADD FOREIGN KEY (wallet_id, txn_id) REFERENCES txn", made_by_the_server),
    ],
)
async def test_what_breaks_a_rule_is_noticed(sandbox: Sandbox, breakage: str, check: object) -> None:
    bank = await open_bank(sandbox)
    connection = await asyncpg.connect(bank.owner_url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(breakage)
        bank.fetch = connection.fetch  # type: ignore[method-assign]  # looks into the transaction, which is undone
        assert await check(bank) != set()  # type: ignore[operator]
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM lot{s} l WHERE l.lot_id = p_item.ref_id;",
        "UPDATE lot_use{s} u SET points = 0 WHERE u.txn_id = p_item.txn_id;",
        # The first table is bound, the joined one is not.
        "SELECT * FROM hold_lot{s} t JOIN lot{s} l ON l.lot_id = t.lot_id WHERE t.wallet_id = p_item.wallet_id;",
        # Bound outside of the subselect only.
        "SELECT * FROM txn{s} t WHERE t.wallet_id = p_w AND EXISTS (SELECT FROM lot{s} l WHERE l.lot_id = t.txn_id);",
        # Without another name, and the other end of a transfer.
        "UPDATE hold SET state = 3 WHERE hold_id = $1",
        "SELECT points FROM transfer WHERE to_wallet_id = $1",
    ],
)
def test_a_query_that_forgets_the_wallet_is_noticed(query: str) -> None:
    assert len(unbound_references(query)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE wallet w SET version = 1",
        "INSERT INTO ledger_outbox (lane) SELECT 1",
        "v_hold hold;",
        "PERFORM ledger_use(p_item)",
        "DELETE FROM hold_lot t",
    ],
)
def test_a_name_that_forgets_the_suffix_is_noticed(text: str) -> None:
    assert names_without_suffix(text) != []
