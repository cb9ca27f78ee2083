"""Bring databases up to date: `python -m chassis.migrate org member …` (`--phase before` stops at after-deploy ones).

Every database gets the chassis' own tables first, then the service's. Both are plain Alembic versions; a version says
with `deploy = "before"` or `deploy = "after"` whether it runs before or after the new code is rolled out. Then the
service's role, if it has one of its own, is granted what the tables say (chassis.roles).
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from importlib.resources import files
from pathlib import Path
from typing import Literal

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from chassis.config import SERVICES, Settings, settings
from chassis.db import sqlalchemy_url
from chassis.roles import settle_role

Phase = Literal["before", "after", "all"]
_HERE = Path(str(files("chassis"))) / "migrations"


def _alembic(versions: Path, version_table: str, connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    config.set_main_option("version_locations", str(versions))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["version_table"] = version_table
    return config


def _target(config: Config, phase: Phase) -> str:
    """The newest version to go to: in phase `before` the last one ahead of the first after-deploy one."""
    script = ScriptDirectory.from_config(config)
    if phase != "before":
        return "head"
    target = "base"
    for version in reversed(list(script.walk_revisions())):
        if getattr(version.module, "deploy", "before") == "after":
            break
        target = version.revision
    return target


def _upgrade(connection: Connection, service: str, phase: Phase) -> None:
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.commit()
    services = Path(str(files("services"))) / service / "migrations" / "versions"
    for versions, table in ((_HERE / "versions", "alembic_version_chassis"), (services, "alembic_version")):
        config = _alembic(versions, table, connection)
        command.upgrade(config, _target(config, phase))
        connection.commit()


async def create_database(url: str) -> None:
    """Create the database of `url` if it does not exist."""
    server, _, name = url.rpartition("/")
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            await connection.execute(f'CREATE DATABASE "{name}"')
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # another process was faster
    finally:
        await connection.close()


async def migrate(service: str, config: Settings, phase: Phase = "all") -> None:
    """Create the service's database if needed, bring it to the newest version of `phase`, settle its role's rights."""
    url = config.owner_database_url(service)
    await create_database(url)
    engine = create_async_engine(sqlalchemy_url(url), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # One migration at a time: replicas that start together wait for each other here, nowhere else.
            await connection.execute(text("SELECT pg_advisory_lock(hashtext('chassis.migrate'))"))
            await connection.commit()
            await connection.run_sync(_upgrade, service, phase)
            driver = (await connection.get_raw_connection()).driver_connection
            await settle_role(driver, service, config.database_url(service))
    finally:
        await engine.dispose()


def main() -> None:
    """Command line: names of services (all when none is named)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("services", nargs="*", default=list(SERVICES), help="default: all")
    parser.add_argument("--phase", choices=["before", "after", "all"], default="all")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.services if name not in SERVICES]
    if unknown:
        sys.exit(f"No such service: {', '.join(unknown)}. There are: {', '.join(SERVICES)}.")

    async def run() -> None:
        for name in arguments.services:
            await migrate(name, settings(), arguments.phase)
            print(f"{name}: up to date", flush=True)

    asyncio.run(run())


if __name__ == "__main__":
    main()
