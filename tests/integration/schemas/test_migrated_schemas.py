"""Migrations and the tables that the code declares are the same thing, and can be run again."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from chassis import tables
from chassis.config import SERVICES, load_settings
from chassis.db import sqlalchemy_url
from chassis.migrate import migrate
from chassis.tables import declared_tables
from tests.support import Sandbox

_COLUMNS = text(
    """SELECT c.relname AS table_name, a.attname AS column_name,
              format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END AS type
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
       WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND c.relname NOT LIKE 'alembic_version%'"""
)
_KEYS = text(
    """SELECT c.relname AS table_name, coalesce(pg_get_constraintdef(k.oid), '') AS key
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'
       WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT c.relispartition
         AND c.relname NOT LIKE 'alembic_version%'"""
)


async def _tables(connection: AsyncConnection, schema: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for row in await connection.execute(_KEYS, {"schema": schema}):
        found[row.table_name] = {"": row.key}
    for row in await connection.execute(_COLUMNS, {"schema": schema}):
        found[row.table_name][row.column_name] = row.type
    return found


@pytest.mark.parametrize("service", SERVICES)
async def test_migrated_schema_is_what_the_code_declares(service: str, package_sandbox: Sandbox) -> None:
    settings = load_settings(
        **{name.removeprefix("HUITONG_").lower(): value for name, value in package_sandbox.environment.items()}
    )
    await migrate(service, settings)
    await migrate(service, settings)  # again: nothing to do
    engine = create_async_engine(sqlalchemy_url(package_sandbox.database_url(service)))
    try:
        async with engine.connect() as connection:
            await connection.execute(text("CREATE SCHEMA declared"))
            translated = await connection.execution_options(schema_translate_map={None: "declared"})
            for metadata in (tables.metadata, declared_tables(service)):
                await translated.run_sync(metadata.create_all)
            migrated, declared = await _tables(connection, "public"), await _tables(connection, "declared")
            await connection.rollback()
    finally:
        await engine.dispose()
    for name in sorted({*migrated, *declared}):
        assert migrated.get(name) == declared.get(name), name
    assert [name for name, columns in migrated.items() if not columns[""]] == [], "every table has a primary key"
