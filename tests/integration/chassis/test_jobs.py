"""Recurring work: a run over many rows, of which some fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest

from chassis.errors import AppError, Internal, Overloaded, Unavailable
from chassis.jobs import Rows
from chassis.run import App
from tests.apps import Apps


class Many:
    """A job that goes through rows; what each of them raises is in `raises`."""

    def __init__(self) -> None:
        self.raises: list[Exception | None] = []
        self.tried: list[list[int]] = []
        self.app: App

    async def run(self, _now: datetime) -> None:
        run = Rows("many")
        self.tried.append([])
        for number, error in enumerate(self.raises):
            with run.row(number=number):
                self.tried[-1].append(number)
                if error is not None:
                    raise error
        run.end()

    async def progress(self) -> tuple[datetime, str]:
        """Until when all is done, and what is not, after a whole run from now on."""
        before = len(self.tried)
        async with asyncio.timeout(20):
            while len(self.tried) < before + 2:
                await asyncio.sleep(0.01)
        row = await self.app.db.pool.fetchrow("SELECT done_until, last_error FROM job_state WHERE job = 'many'")
        return row["done_until"], row["last_error"]


@pytest.fixture
async def many(apps: Apps) -> AsyncIterator[Many]:
    """It runs all the time."""
    await apps.migrate("org")
    many = Many()
    many.app = App("org", apps.settings)
    many.app.job("many", many.run, every_seconds=0.05)
    await apps.start_app(many.app)
    yield many
    await apps.stop("org")


@pytest.mark.parametrize("error", [ValueError("a defect"), Internal(), AppError()])
async def test_a_row_that_fails_holds_up_neither_the_others_nor_the_job(many: Many, error: Exception) -> None:
    many.raises = [None, error, None]
    done_until, _ = await many.progress()
    assert many.tried[-1] == [0, 1, 2]
    later, problem = await many.progress()
    assert later > done_until
    assert problem.startswith("1 rows failed") and repr(error) in problem and "'number': '1'" in problem
    many.raises = [None, None]
    assert (await many.progress())[1] == ""


@pytest.mark.parametrize("error", [Unavailable(), Overloaded(), ConnectionResetError("gone")])
async def test_an_unknown_outcome_holds_up_the_job_and_not_the_others(many: Many, error: Exception) -> None:
    await many.progress()
    many.raises = [error, ValueError("a defect"), None]
    done_until, _ = await many.progress()
    assert many.tried[-1] == [0, 1, 2]
    later, problem = await many.progress()
    assert (later, problem) == (done_until, repr(error))
