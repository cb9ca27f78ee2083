"""Recurring work of tiers: the end of qualifying periods, and grading groups anew.

A day closes in one order: points activates what was pending, then expires what is over its time, then tiers step down
here. What is due on a day waits until points is past the beginning of that day with all its jobs, and everything that
it published has been applied here.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from chassis.db import Database, Tx
from chassis.identity import Caller, CallerKind
from chassis.rpc import internal_caller
from chassis.upstream import IsPast
from services.member.tiers import grants, recalculation, regrade, rules, store
from services.member.tiers.operations import emit_change
from services.member.tiers.rules import Ladder

log = structlog.get_logger()
CHUNK = 500
_SELF = Caller(CallerKind.INTERNAL, "member", UUID(int=0))


class TierJobs:
    """The jobs of one member process. `is_past` says whether all that points did up to an instant is in."""

    def __init__(self, database: Database, is_past: IsPast) -> None:
        self._db, self._is_past = database, is_past

    async def close_day(self, business_now: datetime) -> None:
        """Look at everybody of whom a qualifying period or a granted tier has ended: see rules.review."""
        until = business_now.date() + timedelta(days=1)  # somewhere it may be tomorrow already
        after = date.min, UUID(int=0)
        past: dict[datetime, bool] = {}
        while True:
            async with self._db.reading(_SELF) as tx:
                due = await store.list_due(tx, until=until, after=after, limit=CHUNK)
                ladders = await store.find_ladders(tx, {group_id for _, group_id, _ in due}) if due else {}
            members = []
            for member_id, group_id, day in due:
                start = _start_of(ladders[group_id], day)
                if start <= business_now and start not in past:
                    past[start] = await self._is_past(start)
                    if not past[start]:
                        log.info("tier_close_waits", day=str(day))
                if past.get(start):
                    members.append(member_id)
            if members:
                async with self._db.transaction(_SELF) as tx:
                    await _review(tx, members)
            if len(due) < CHUNK:
                return
            after = due[-1][2], due[-1][0]

    async def recalculate(self, business_now: datetime) -> None:
        """Go on with every group that is being graded anew, batch by batch."""
        async with self._db.reading(_SELF) as tx:
            running = await regrade.list_running(tx)
        for one in running:
            more = True
            while more:
                async with self._db.transaction(internal_caller("member", one.group_id)) as tx:
                    more = await recalculation.go_on(tx, one.recalculation_id)


def _start_of(ladder: Ladder, day: date) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(ladder.policy.time_zone))


async def _review(tx: Tx, member_ids: list[UUID]) -> None:
    standings = await store.lock_known(tx, member_ids)
    ladders = await store.find_ladders(tx, {standing.group_id for standing in standings.values()})
    # Whoever was looked at since the list was made is due no more.
    due = {
        member_id: (standing, ladders[standing.group_id], ladders[standing.group_id].day_of(tx.now))
        for member_id, standing in standings.items()
        if standing.review_date and standing.review_date <= ladders[standing.group_id].day_of(tx.now)
    }
    books = await store.load_books(
        tx,
        {
            member_id: ladder.policy.window_start(min(today, standing.period_end or today))
            for member_id, (standing, ladder, today) in due.items()
        },
    )
    floors = await grants.find_floors(tx, due, min((today for _, _, today in due.values()), default=date.max))
    after = []
    for member_id, (standing, ladder, today) in due.items():
        floor = rules.best_floor(ladder, floors[member_id], today)
        new, change = rules.review(ladder, standing, books[member_id], floor, today)
        after.append(new)
        if change:
            emit_change(tx, standing, change)
    if after:
        await store.save_standings(tx, after)
