"""Grading many members by one statement, and how far a group is; the tables are in services/member/tier_tables.py."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.tier_tables import tier_recalculation
from services.member.tiers.growth import BPS, MINOR_PER_GROWTH, Window
from services.member.tiers.rules import Ladder

RUNNING, DONE, CANCELLED = 1, 2, 3
_COLUMNS = ", ".join(column.name for column in tier_recalculation.c)


@dataclass(frozen=True, slots=True)
class Recalculation:
    """How far a group is; `state` as in huitong.member.v1.RecalculationState, times are real."""

    recalculation_id: UUID
    group_id: UUID
    state: int
    ladder_version: int
    may_downgrade: bool
    total_count: int
    done_count: int
    changed_count: int
    after_member_id: UUID
    start_time: datetime
    update_time: datetime
    end_time: datetime | None

    @property
    def rate_per_second(self) -> int:
        """Members a second since it began."""
        seconds = (self.update_time - self.start_time).total_seconds()
        return round(self.done_count / seconds) if seconds > 0 else 0

    @property
    def remaining_seconds(self) -> int:
        """Until its end, at that rate."""
        if self.state != RUNNING or not self.rate_per_second:
            return 0
        return -(-max(0, self.total_count - self.done_count) // self.rate_per_second)


@dataclass(frozen=True, slots=True)
class Graded:
    """A member whose tier is to be announced."""

    member_id: UUID
    previous_code: str
    tier_code: str
    growth_minor: int


@dataclass(frozen=True, slots=True)
class Batch:
    """What one statement did."""

    member_count: int
    last_member_id: UUID | None
    changed_count: int
    announced: list[Graded]


# rules.settle and rules.review, for a batch. `now` is the growth of the window that ends today, `before` that of the
# last whole one (a calendar year's tiers are kept for the year after). Standings are locked in order of their ids.
_REGRADE = text(
    """WITH given AS MATERIALIZED (
         SELECT CAST(:bps AS numeric) AS bps, CAST(:bps_base AS numeric) AS bps_base, CAST(:minor AS bigint) AS minor,
           CAST(:visit_growth AS bigint) AS visit_growth, CAST(:currency AS text) AS currency,
           CAST(:before_start AS date) AS before_start, CAST(:now_start AS date) AS now_start,
           CAST(:end_date AS date) AS end_date, CAST(:today AS date) AS today,
           CAST(:effective_date AS date) AS effective_date, CAST(:period_end AS date) AS this_period_end,
           CAST(:is_lifetime AS boolean) AS is_lifetime, CAST(:grace_days AS integer) AS grace_days,
           CAST(:may_downgrade AS boolean) AS may_downgrade, CAST(:version AS integer) AS version,
           CAST(:steps AS bigint[]) AS steps, CAST(:codes AS text[]) AS codes, CAST(:quiet AS text[]) AS quiet),
       batch AS MATERIALIZED (
         SELECT s.* FROM standing AS s
         WHERE s.group_id = :group_id AND s.member_id > :after AND s.tier_code IS NOT NULL
         ORDER BY s.member_id LIMIT :most FOR UPDATE),
       grown AS (
         SELECT b.*, i.*,
           floor(g.spend * i.bps / i.bps_base)::bigint + i.minor * (g.visits * i.visit_growth + g.tasks) AS now_minor,
           floor(g.spend_before * i.bps / i.bps_base)::bigint
             + i.minor * (g.visits_before * i.visit_growth + g.tasks_before) AS before_minor
         FROM batch AS b CROSS JOIN given AS i CROSS JOIN LATERAL (
           SELECT
             coalesce(sum(d.money) FILTER (WHERE d.is_now), 0) AS spend,
             count(DISTINCT d.business_date) FILTER (WHERE d.sale_count > 0 AND d.is_now) AS visits,
             coalesce(sum(d.task_growth) FILTER (WHERE d.is_now), 0)::bigint AS tasks,
             coalesce(sum(d.money) FILTER (WHERE NOT d.is_now), 0) AS spend_before,
             count(DISTINCT d.business_date) FILTER (WHERE d.sale_count > 0 AND NOT d.is_now) AS visits_before,
             coalesce(sum(d.task_growth) FILTER (WHERE NOT d.is_now), 0)::bigint AS tasks_before
           FROM (SELECT business_date, sale_count, task_growth, business_date >= i.now_start AS is_now,
                        CASE WHEN currency_code = i.currency THEN spend_minor END AS money
                 FROM growth_day
                 WHERE member_id = b.member_id AND business_date BETWEEN i.before_start AND i.end_date) AS d) AS g),
       graded AS (
         SELECT w.*, greatest(0, width_bucket(w.now_minor, w.steps) - 1) AS reached,
           greatest(0, width_bucket(w.before_minor, w.steps) - 1) AS reached_before,
           array_position(w.codes, coalesce(w.own_code, w.tier_code)) - 1 AS held,
           CASE WHEN w.floor_end >= w.today THEN array_position(w.codes, w.floor_code) - 1 END AS floor
         FROM grown AS w),
       owned AS (
         SELECT d.*, CASE WHEN d.may_downgrade
             THEN greatest(d.reached, least(coalesce(d.held, d.reached), d.reached_before))
             ELSE greatest(d.reached, coalesce(d.held, d.reached)) END AS own
         FROM graded AS d),
       settled AS (
         SELECT o.*, o.codes[greatest(o.own, coalesce(o.floor, 0)) + 1] AS new_code,
           CASE WHEN o.own < coalesce(o.floor, 0) THEN o.codes[o.own + 1] END AS new_own_code,
           CASE WHEN o.own = 0 THEN NULL
                WHEN o.own = o.held AND NOT o.is_lifetime THEN coalesce(o.period_end, o.this_period_end)
                ELSE o.this_period_end END AS new_period_end,
           CASE WHEN o.floor IS NOT NULL THEN o.floor_end END AS new_floor_end
         FROM owned AS o),
       written AS (
         UPDATE standing AS s SET
           growth_minor = n.now_minor,
           tier_code = n.new_code,
           own_code = n.new_own_code,
           period_end = n.new_period_end,
           floor_code = CASE WHEN n.floor IS NOT NULL THEN n.floor_code END,
           floor_end = n.new_floor_end,
           review_date = least(n.new_period_end + n.grace_days, n.new_floor_end) + 1,
           previous_code = CASE WHEN n.new_code = n.tier_code OR n.since_date >= n.effective_date
                                THEN n.previous_code ELSE n.tier_code END,
           since_date = CASE WHEN n.new_code = n.tier_code THEN n.since_date ELSE n.effective_date END,
           ladder_version = n.version
         FROM settled AS n WHERE s.member_id = n.member_id)
       SELECT count(*) AS member_count,
         (SELECT member_id FROM batch ORDER BY member_id DESC LIMIT 1) AS last_member_id,
         count(*) FILTER (WHERE is_changed) AS changed_count,
         array_agg(member_id ORDER BY member_id) FILTER (WHERE is_told) AS member_ids,
         array_agg(tier_code ORDER BY member_id) FILTER (WHERE is_told) AS previous_codes,
         array_agg(new_code ORDER BY member_id) FILTER (WHERE is_told) AS codes,
         array_agg(now_minor ORDER BY member_id) FILTER (WHERE is_told) AS growths
       FROM (SELECT n.member_id, n.tier_code, n.now_minor, n.new_code, n.new_code <> n.tier_code AS is_changed,
                    n.new_code <> n.tier_code
                      OR n.ladder_version || ':' || n.tier_code <> ALL (n.quiet) AS is_told
             FROM settled AS n) AS t"""
)


async def regrade(
    tx: Tx, ladder: Ladder, *, after: UUID, limit: int, today: date, may_downgrade: bool, quiet: list[str]
) -> Batch:
    """Grade the group's next members on a ladder, by their growth as of `today`. `quiet` are the "version:code" whose
    benefits the ladder has as they were: a member who stays there hears of nothing."""
    policy = ladder.policy
    is_lifetime = policy.window is Window.LIFETIME
    # A lifetime has no window before; a rolling window is looked at as it is today.
    start = policy.window_start(today)
    before = policy.window_start(start - timedelta(days=1)) if policy.window is Window.CALENDAR_YEAR else start
    row = (
        await tx.execute(
            _REGRADE,
            {
                "group_id": tx.group_id,
                "after": after,
                "most": limit,
                "bps": policy.spend_growth_bps,
                "bps_base": BPS,
                "minor": MINOR_PER_GROWTH,
                "visit_growth": policy.visit_growth,
                "currency": policy.currency_code,
                "now_start": start,
                "before_start": before,
                "end_date": date.max if is_lifetime else today,
                "steps": [one.min_growth * MINOR_PER_GROWTH for one in ladder.tiers],
                "codes": [one.code for one in ladder.tiers],
                "today": today,
                "effective_date": today + timedelta(days=1),
                "may_downgrade": may_downgrade,
                "is_lifetime": is_lifetime,
                "period_end": policy.period_end(today),
                "grace_days": policy.grace_days,
                "version": ladder.version,
                "quiet": quiet,
            },
        )
    ).one()
    announced = [
        Graded(*values)
        for values in zip(
            row.member_ids or (), row.previous_codes or (), row.codes or (), row.growths or (), strict=True
        )
    ]
    return Batch(row.member_count, row.last_member_id, row.changed_count, announced)


async def add_recalculation(tx: Tx, recalculation_id: UUID, *, ladder_version: int, may_downgrade: bool) -> bool:
    """Begin, unless the group has one that runs; answers whether it began."""
    total = await tx.execute(
        text("SELECT count(*) FROM standing WHERE group_id = :group_id AND tier_code IS NOT NULL"),
        {"group_id": tx.group_id},
    )
    real_now = text("clock_timestamp()")
    values: dict[str, Any] = {
        "recalculation_id": recalculation_id,
        "group_id": tx.group_id,
        "state": RUNNING,
        "ladder_version": ladder_version,
        "may_downgrade": may_downgrade,
        "total_count": total.scalar_one(),
        "done_count": 0,
        "changed_count": 0,
        "after_member_id": UUID(int=0),
        "start_time": real_now,
        "update_time": real_now,
    }
    return bool((await tx.execute(insert(tier_recalculation).values(values).on_conflict_do_nothing())).rowcount)


async def find_recalculation(tx: Tx, recalculation_id: UUID, *, lock: bool = False) -> Recalculation | None:
    """One of the group's."""
    row = (
        await tx.execute(
            text(
                f"""SELECT {_COLUMNS} FROM tier_recalculation
                    WHERE recalculation_id = :recalculation_id AND group_id = :group_id
                    {"FOR UPDATE" if lock else ""}"""
            ),
            {"recalculation_id": recalculation_id, "group_id": tx.group_id},
        )
    ).first()
    return Recalculation(**row._mapping) if row else None


async def find_running(tx: Tx) -> UUID | None:
    """The group's."""
    found = await tx.execute(
        text("SELECT recalculation_id FROM tier_recalculation WHERE group_id = :group_id AND state = :state"),
        {"group_id": tx.group_id, "state": RUNNING},
    )
    return found.scalar_one_or_none()


async def list_running(tx: Tx) -> list[Recalculation]:
    """Of all groups, in the order of their beginning."""
    rows = await tx.execute(
        text(f"SELECT {_COLUMNS} FROM tier_recalculation WHERE state = :state ORDER BY start_time"), {"state": RUNNING}
    )
    return [Recalculation(**row._mapping) for row in rows]


async def save_recalculation(tx: Tx, now: Recalculation) -> None:
    """Write one that is locked, with the real time."""
    names = [field.name for field in fields(Recalculation) if not field.name.endswith(("_time", "_id"))]
    await tx.execute(
        text(
            f"""UPDATE tier_recalculation SET {", ".join(f"{name} = :{name}" for name in names)},
                  after_member_id = :after_member_id, update_time = clock_timestamp(),
                  end_time = CASE WHEN CAST(:state AS smallint) <> {RUNNING} THEN clock_timestamp() END
                WHERE recalculation_id = :recalculation_id"""
        ),
        {name: getattr(now, name) for name in (*names, "after_member_id", "recalculation_id")},
    )
