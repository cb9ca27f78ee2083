"""What a service's role may do in its database. The tables say it; migrations, which own them, grant it.

The role reaches no other service's database. In its own it reads and adds rows, and changes or removes them unless the
table is declared `info=APPEND_ONLY`. It owns nothing, so it can neither change a table nor switch off a trigger.
"""

from __future__ import annotations

import contextlib
import re
from urllib.parse import unquote, urlsplit

import asyncpg

from chassis import tables

_SHARD = re.compile(r"_\d+$")  # on a distributed PostgreSQL a table's shards are named after it: posting_102008


async def settle_role(connection: asyncpg.Connection, service: str, url: str) -> None:
    """Grant the role that `url` names what `service` needs, and take from it, and from everybody, what it does not.

    `connection` is the owner's, to the service's database. The role is made unless it exists; where `url` names the
    owner, nothing is done. Raises what asyncpg raises when the owner may not.
    """
    parts = urlsplit(url)
    name, password = unquote(parts.username or ""), unquote(parts.password or "").replace("'", "''")
    if name in ("", await connection.fetchval("SELECT current_user")):
        return
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name):
        with contextlib.suppress(asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):  # another was faster
            async with connection.transaction():
                await connection.execute(f"CREATE ROLE {_quoted(name)} LOGIN")
                # Apart: a server writes a statement that fails into its log.
                await connection.execute(f"ALTER ROLE {_quoted(name)} PASSWORD '{password}'")
    present = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    database = await connection.fetchval("SELECT current_database()")
    statements = _grants(service, _quoted(name), _quoted(database), [row["tablename"] for row in present])
    async with connection.transaction():
        await connection.execute(";\n".join(statements))


def _grants(service: str, role: str, database: str, present: list[str]) -> list[str]:
    declared = {**tables.metadata.tables, **tables.declared_tables(service).tables}
    statements = [
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO {role}",
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, {role}",
    ]
    for name in present:
        table = declared.get(name, declared.get(_SHARD.sub("", name)))
        if table is None:  # alembic's
            rights = "SELECT"
        elif table.info == tables.APPEND_ONLY:
            rights = "SELECT, INSERT"
        else:
            rights = "SELECT, INSERT, UPDATE, DELETE"
        statements.append(f"GRANT {rights} ON {_quoted(name)} TO {role}")
    return statements


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
