"""What a service's role may not do, tried as that role in its own migrated database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from chassis import tables
from chassis.config import SERVICES, Settings, load_settings
from chassis.migrate import migrate
from tests.support import Sandbox

# What no code ever changes; a table that is added here, or leaves, is a decision (docs/decisions/0035).
WRITTEN_ONCE = {
    "org": {"audit_entry"},
    "member": {"consent_text"},
    "points": {
        *("posting", "txn", "ledger_outbox", "lot_renewal", "cap_use", "cost_action"),
        *("request_claim", "payment_claim", "first_purchase"),
    },
    "mall": set(),
    "parking": set(),
    "settlement": {"entry", "line", "lot_part", "issue_funder"},
}


@pytest.fixture(scope="module")
async def settings(package_sandbox: Sandbox) -> Settings:
    """Every service's database, migrated."""
    values = {name.removeprefix("HUITONG_").lower(): value for name, value in package_sandbox.environment.items()}
    settings = load_settings(**values)
    for service in SERVICES:
        await migrate(service, settings)
    return settings


@pytest.fixture(params=SERVICES)
async def service(request: pytest.FixtureRequest) -> str:
    """Each in turn."""
    return str(request.param)


@pytest.fixture
async def connection(settings: Settings, service: str) -> AsyncIterator[asyncpg.Connection]:
    """As the service connects."""
    connection = await asyncpg.connect(settings.database_url(service))
    yield connection
    await connection.close()


async def refused(connection: asyncpg.Connection, statement: str) -> bool:
    """Whether the database says that this role may not."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(statement)
    except asyncpg.InsufficientPrivilegeError:
        return True
    finally:
        await transaction.rollback()
    return False


def append_only(service: str) -> set[str]:
    return {table.name for table in tables.declared_tables(service).sorted_tables if table.info == tables.APPEND_ONLY}


async def test_what_is_written_once_is_neither_changed_nor_removed(
    service: str, connection: asyncpg.Connection
) -> None:
    assert append_only(service) == WRITTEN_ONCE[service]
    for table in {*WRITTEN_ONCE[service], "outbox", "event_pack"}:
        assert not await refused(connection, f"INSERT INTO {table} SELECT * FROM {table} WHERE false"), table
        column = await connection.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 2", table
        )
        for statement in (
            f"UPDATE {table} SET {column} = {column}",
            f"DELETE FROM {table}",
            f"SELECT 1 FROM {table} FOR UPDATE",
            f"TRUNCATE {table}",
            f"ALTER TABLE {table} DISABLE TRIGGER USER",
            f"CREATE TRIGGER t BEFORE INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
            f"DROP TABLE {table}",
        ):
            assert await refused(connection, statement), statement


async def test_every_other_table_is_read_and_written_and_none_is_altered(
    service: str, connection: asyncpg.Connection
) -> None:
    declared = {**tables.metadata.tables, **tables.declared_tables(service).tables}
    assert len(declared) > len(tables.metadata.tables)
    for table in set(declared) - WRITTEN_ONCE[service] - {"outbox", "event_pack"}:
        held = await connection.fetchval(
            """SELECT string_agg(privilege_type, ' ' ORDER BY privilege_type) FROM information_schema.table_privileges
               WHERE table_name = $1 AND grantee = current_user""",
            table,
        )
        assert held == "DELETE INSERT SELECT UPDATE", table
        assert await refused(connection, f"ALTER TABLE {table} ADD COLUMN more int"), table


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE more (id int)",
        "CREATE TEMP TABLE more (id int)",
        "CREATE SCHEMA more",
        "CREATE FUNCTION more() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE more",
        "UPDATE alembic_version SET version_num = ''",
        "SET session_replication_role = replica",
        "SET ROLE huitong",
    ],
)
@pytest.mark.parametrize("service", ["points"], indirect=True)
async def test_nothing_is_made_and_nobody_else_is_played(connection: asyncpg.Connection, statement: str) -> None:
    assert await refused(connection, statement)


async def test_another_services_database_is_closed(settings: Settings, service: str) -> None:
    server = settings.database_url(service).rpartition("/")[0]
    for other in set(SERVICES) - {service}:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(f"{server}/{settings.database_prefix}{other}")


async def test_no_function_lends_its_owners_rights(connection: asyncpg.Connection) -> None:
    lending = await connection.fetch(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace = 'public'::regnamespace"
    )
    assert lending == []
