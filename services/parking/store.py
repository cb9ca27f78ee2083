"""Named queries of parking; the tables are in tables.py.

Lock order: the vehicle's row, then its stay, then a payment's intent. Entries, exits and payments of one plate in one
car park therefore follow each other. Plates are guarded by their unique index alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text

from chassis.db import Tx
from services.parking.rules import Account, Fee, Tariff
from services.parking.tables import metadata

__all__ = ["metadata"]

INSIDE, LEFT, LOST = "inside", "left", "lost"


@dataclass(frozen=True, slots=True)
class CarPark:
    """A car park's copy."""

    car_park_id: UUID
    time_zone: str
    currency_code: str


@dataclass(frozen=True, slots=True)
class Stay:
    """One stay; the fee is as last counted."""

    stay_id: UUID
    car_park_id: UUID
    plate_no: str
    merchant_id: UUID
    member_id: UUID | None
    state: str
    currency_code: str
    entry_time: datetime
    entry_date: date
    exit_time: datetime | None
    account: Account
    fee: Fee


async def _one(tx: Tx, sql: TextClause, **parameters: Any) -> Row[Any] | None:
    return (await tx.execute(sql, {"group_id": tx.group_id, **parameters})).one_or_none()


async def _all(tx: Tx, sql: TextClause, **parameters: Any) -> Sequence[Row[Any]]:
    return (await tx.execute(sql, {"group_id": tx.group_id, **parameters})).all()


# ---- copies


async def save_car_parks(tx: Tx, rows: Iterable[dict[str, Any]]) -> None:
    """Keep the newest state of car parks; rows of (car_park_id, group_id, time_zone, currency_code)."""
    newest = list({row["car_park_id"]: row for row in rows}.values())
    if newest:
        await tx.execute(_SAVE_CAR_PARK, newest)


_SAVE_CAR_PARK = text(
    """INSERT INTO car_park (car_park_id, group_id, time_zone, currency_code)
       VALUES (:car_park_id, :group_id, :time_zone, :currency_code)
       ON CONFLICT (car_park_id) DO UPDATE SET time_zone = excluded.time_zone, currency_code = excluded.currency_code"""
)


async def save_merchants(tx: Tx, rows: Iterable[tuple[UUID, UUID]]) -> None:
    """Remember that (group, merchant) exist."""
    pairs = list(rows)
    await tx.execute(
        text("""INSERT INTO merchant (group_id, merchant_id)
                SELECT * FROM unnest(CAST(:groups AS uuid[]), CAST(:merchants AS uuid[])) ON CONFLICT DO NOTHING"""),
        {"groups": [pair[0] for pair in pairs], "merchants": [pair[1] for pair in pairs]},
    )


async def save_members(tx: Tx, rows: Iterable[tuple[UUID, UUID]]) -> None:
    """Remember that (group, member) exist."""
    pairs = list(rows)
    await tx.execute(
        text("""INSERT INTO member (group_id, member_id)
                SELECT * FROM unnest(CAST(:groups AS uuid[]), CAST(:members AS uuid[])) ON CONFLICT DO NOTHING"""),
        {"groups": [pair[0] for pair in pairs], "members": [pair[1] for pair in pairs]},
    )


async def save_tiers(tx: Tx, rows: Iterable[dict[str, Any]], *, overwrite: bool) -> None:
    """Keep tiers by (member_id, effective_date); an answer that was asked for does not overwrite what events told."""
    newest = list({(row["member_id"], row["effective_date"]): row for row in rows}.values())
    columns = ("member_id", "effective_date", "group_id", "tier_code", "free_parking_minutes")
    if newest:
        await tx.execute(
            _OVERWRITE_TIERS if overwrite else _ADD_TIERS, {name: [row[name] for row in newest] for name in columns}
        )


_TIERS = """INSERT INTO member_tier (member_id, effective_date, group_id, tier_code, free_parking_minutes)
    SELECT * FROM unnest(CAST(:member_id AS uuid[]), CAST(:effective_date AS date[]), CAST(:group_id AS uuid[]),
                         CAST(:tier_code AS text[]), CAST(:free_parking_minutes AS integer[]))
    ON CONFLICT (member_id, effective_date) DO """
_ADD_TIERS = text(_TIERS + "NOTHING")
_OVERWRITE_TIERS = text(
    _TIERS + "UPDATE SET tier_code = excluded.tier_code, free_parking_minutes = excluded.free_parking_minutes"
)


async def find_car_park(tx: Tx, car_park_id: UUID) -> CarPark | None:
    """A car park of the caller's group."""
    row = await _one(
        tx,
        text("SELECT * FROM car_park WHERE car_park_id = :car_park_id AND group_id = :group_id"),
        car_park_id=car_park_id,
    )
    return CarPark(row.car_park_id, row.time_zone, row.currency_code) if row else None


async def is_merchant(tx: Tx, merchant_id: UUID) -> bool:
    """Whether the caller's group has the merchant."""
    sql = text("SELECT 1 FROM merchant WHERE merchant_id = :merchant_id AND group_id = :group_id")
    return await _one(tx, sql, merchant_id=merchant_id) is not None


async def find_members(tx: Tx, member_ids: Collection[UUID]) -> set[UUID]:
    """Which of these are members of the caller's group."""
    sql = text("SELECT member_id FROM member WHERE member_id = ANY(:member_ids) AND group_id = :group_id")
    return {row.member_id for row in await _all(tx, sql, member_ids=list(member_ids))}


async def hold_members(tx: Tx, member_ids: Collection[UUID]) -> set[UUID]:
    """As find_members, and none of them can be erased before this transaction ends; without those who were."""
    sql = text(
        """SELECT member_id FROM member WHERE member_id = ANY(:member_ids) AND group_id = :group_id
           AND NOT EXISTS (SELECT FROM erased_member e WHERE e.member_id = member.member_id)
           ORDER BY member_id FOR KEY SHARE OF member"""
    )
    return {row.member_id for row in await _all(tx, sql, member_ids=list(member_ids))}


async def find_free_minutes(tx: Tx, member_id: UUID | None, day: date) -> int:
    """Free parking minutes of the tier that the member held on `day`; 0 for nobody and for a tier without."""
    if member_id is None:
        return 0
    sql = text(
        """SELECT free_parking_minutes FROM member_tier
           WHERE member_id = :member_id AND effective_date <= :day AND group_id = :group_id
           ORDER BY effective_date DESC LIMIT 1"""
    )
    row = await _one(tx, sql, member_id=member_id, day=day)
    return row.free_parking_minutes if row else 0


# ---- plates


async def find_owner(tx: Tx, plate_no: str) -> UUID | None:
    """The member to whom the plate belongs now."""
    sql = text(
        """SELECT member_id FROM plate_binding
           WHERE group_id = :group_id AND plate_no = :plate_no AND unbind_time IS NULL"""
    )
    row = await _one(tx, sql, plate_no=plate_no)
    return row.member_id if row else None


async def find_bindings(tx: Tx, binding_ids: Collection[UUID]) -> dict[UUID, Row[Any]]:
    """Bindings that were made under these ids, also ended ones: (plate_no, member_id, bind_time)."""
    sql = text(
        """SELECT binding_id, plate_no, member_id, bind_time FROM plate_binding
           WHERE binding_id = ANY(:binding_ids) AND group_id = :group_id"""
    )
    return {row.binding_id: row for row in await _all(tx, sql, binding_ids=list(binding_ids))}


async def find_owners(tx: Tx, plates: Collection[str]) -> dict[str, tuple[UUID, datetime]]:
    """To whom plates belong now, and since when; without those that are nobody's."""
    sql = text(
        """SELECT plate_no, member_id, bind_time FROM plate_binding
           WHERE group_id = :group_id AND plate_no = ANY(:plates) AND unbind_time IS NULL"""
    )
    return {row.plate_no: (row.member_id, row.bind_time) for row in await _all(tx, sql, plates=list(plates))}


async def add_bindings(tx: Tx, new: Mapping[str, tuple[UUID, UUID]]) -> set[str]:
    """Bind plates (plate → binding, member); answers those that belonged to nobody."""
    sql = text(
        """INSERT INTO plate_binding (binding_id, group_id, plate_no, member_id, bind_time)
           SELECT n.binding_id, :group_id, n.plate_no, n.member_id, :now
           FROM unnest(CAST(:plates AS text[]), CAST(:binding_ids AS uuid[]), CAST(:member_ids AS uuid[]))
                  AS n (plate_no, binding_id, member_id)
           ORDER BY n.plate_no
           ON CONFLICT DO NOTHING RETURNING plate_no"""
    )
    rows = await _all(
        tx,
        sql,
        plates=list(new),
        binding_ids=[binding_id for binding_id, _ in new.values()],
        member_ids=[member_id for _, member_id in new.values()],
        now=tx.now,
    )
    return {row.plate_no for row in rows}


async def end_binding(tx: Tx, *, plate_no: str, member_id: UUID) -> bool:
    """Unbind a member's plate; False when it is not theirs."""
    sql = text(
        """UPDATE plate_binding SET unbind_time = :now
           WHERE group_id = :group_id AND plate_no = :plate_no AND member_id = :member_id AND unbind_time IS NULL
           RETURNING 1"""
    )
    return await _one(tx, sql, plate_no=plate_no, member_id=member_id, now=tx.now) is not None


async def list_plates(tx: Tx, member_id: UUID) -> Sequence[Row[Any]]:
    """A member's plates: (plate_no, bind_time), in the order of binding."""
    sql = text(
        """SELECT plate_no, bind_time FROM plate_binding
           WHERE member_id = :member_id AND group_id = :group_id AND unbind_time IS NULL ORDER BY bind_time, plate_no"""
    )
    return await _all(tx, sql, member_id=member_id)


async def claim_stays(tx: Tx, owners: Mapping[str, UUID]) -> None:
    """Stays of these plates that are going on and belong to nobody become the owners'."""
    sql = text(
        """UPDATE stay SET member_id = o.member_id
           FROM unnest(CAST(:plates AS text[]), CAST(:member_ids AS uuid[])) AS o (plate_no, member_id)
           WHERE stay.group_id = :group_id AND stay.plate_no = o.plate_no AND state = 'inside'
             AND stay.member_id IS NULL"""
    )
    await tx.execute(sql, {"group_id": tx.group_id, "plates": list(owners), "member_ids": list(owners.values())})


# ---- tariffs


async def add_tariff(tx: Tx, *, car_park_id: UUID, merchant_id: UUID, effective_time: datetime, tariff: Tariff) -> bool:
    """Publish a tariff; False when there is one from that instant on."""
    sql = text(
        """INSERT INTO tariff (car_park_id, effective_time, group_id, merchant_id, free_minutes, hour_minor,
                               day_cap_minor, exit_grace_minutes)
           VALUES (:car_park_id, :effective_time, :group_id, :merchant_id, :free_minutes, :hour_minor,
                   :day_cap_minor, :exit_grace_minutes)
           ON CONFLICT DO NOTHING RETURNING 1"""
    )
    row = await _one(
        tx,
        sql,
        car_park_id=car_park_id,
        effective_time=effective_time,
        merchant_id=merchant_id,
        free_minutes=tariff.free_minutes,
        hour_minor=tariff.hour_minor,
        day_cap_minor=tariff.day_cap_minor,
        exit_grace_minutes=tariff.exit_grace_minutes,
    )
    return row is not None


async def find_tariff(tx: Tx, car_park_id: UUID, time: datetime) -> tuple[UUID, Tariff] | None:
    """The tariff in force at `time` and the merchant that runs the car park under it."""
    sql = text(
        """SELECT * FROM tariff WHERE car_park_id = :car_park_id AND group_id = :group_id AND effective_time <= :time
           ORDER BY effective_time DESC LIMIT 1"""
    )
    row = await _one(tx, sql, car_park_id=car_park_id, time=time)
    return (row.merchant_id, _tariff(row)) if row else None


def _tariff(row: Row[Any]) -> Tariff:
    return Tariff(row.free_minutes, row.hour_minor, row.day_cap_minor, row.exit_grace_minutes)


# ---- stays


async def lock_vehicle(tx: Tx, car_park_id: UUID, plate_no: str, *, create: bool = False) -> Stay | None:
    """Lock a plate in a car park and return its latest stay; `create` makes its row when it was never here."""
    if create:
        await tx.execute(
            text("""INSERT INTO vehicle (car_park_id, plate_no, group_id) VALUES (:car_park_id, :plate_no, :group_id)
                    ON CONFLICT DO NOTHING"""),
            {"car_park_id": car_park_id, "plate_no": plate_no, "group_id": tx.group_id},
        )
    sql = text(
        """SELECT latest_stay_id FROM vehicle
           WHERE car_park_id = :car_park_id AND plate_no = :plate_no AND group_id = :group_id FOR UPDATE"""
    )
    row = await _one(tx, sql, car_park_id=car_park_id, plate_no=plate_no)
    return await find_stay(tx, row.latest_stay_id) if row and row.latest_stay_id else None


async def find_stay(tx: Tx, stay_id: UUID) -> Stay | None:
    """One stay of the caller's group."""
    row = await _one(tx, text("SELECT * FROM stay WHERE stay_id = :stay_id AND group_id = :group_id"), stay_id=stay_id)
    return to_stay(row) if row else None


async def find_inside(tx: Tx, car_park_id: UUID, plate_no: str) -> Stay | None:
    """The stay of a plate that is inside, unlocked: for a look only."""
    sql = text(
        """SELECT * FROM stay WHERE car_park_id = :car_park_id AND plate_no = :plate_no AND state = 'inside'
           AND group_id = :group_id"""
    )
    row = await _one(tx, sql, car_park_id=car_park_id, plate_no=plate_no)
    return to_stay(row) if row else None


async def find_ended(tx: Tx, car_park_id: UUID, plate_no: str, time: datetime) -> Stay | None:
    """The ended stay that an exit at `time` belongs to: one that left just then, or one whose exit was lost."""
    sql = text(
        """SELECT * FROM stay
           WHERE car_park_id = :car_park_id AND plate_no = :plate_no AND group_id = :group_id AND entry_time <= :time
             AND ((state = 'left' AND exit_time = :time) OR (state = 'lost' AND exit_time >= :time))
           ORDER BY entry_time DESC LIMIT 1"""
    )
    row = await _one(tx, sql, car_park_id=car_park_id, plate_no=plate_no, time=time)
    return to_stay(row) if row else None


async def add_stay(
    tx: Tx, car_park: CarPark, *, stay_id: UUID, plate_no: str, member_id: UUID | None, entry_time: datetime,
    entry_date: date, merchant_id: UUID, tariff: Tariff
) -> Stay:  # fmt: skip
    """A vehicle is inside. The vehicle is locked."""
    parameters = {
        "stay_id": stay_id,
        "group_id": tx.group_id,
        "car_park_id": car_park.car_park_id,
        "plate_no": plate_no,
        "merchant_id": merchant_id,
        "member_id": member_id,
        "currency_code": car_park.currency_code,
        "entry_time": entry_time,
        "entry_date": entry_date,
        "free_minutes": tariff.free_minutes,
        "hour_minor": tariff.hour_minor,
        "day_cap_minor": tariff.day_cap_minor,
        "exit_grace_minutes": tariff.exit_grace_minutes,
    }
    added = (await tx.execute(_ADD_STAY, parameters)).one()
    await tx.execute(
        text("""UPDATE vehicle SET latest_stay_id = :stay_id
                WHERE car_park_id = :car_park_id AND plate_no = :plate_no"""),
        {name: parameters[name] for name in ("stay_id", "car_park_id", "plate_no")},
    )
    return to_stay(added)


_ADD_STAY = text(
    """INSERT INTO stay (stay_id, group_id, car_park_id, plate_no, merchant_id, member_id, state, currency_code,
                         entry_time, entry_date, free_minutes, hour_minor, day_cap_minor, exit_grace_minutes,
                         tariff_fee_minor, tier_waived_minor, points_paid_minor, money_paid_minor, due_minor, points,
                         gate_paid_minor, overpaid_minor, stay_minutes)
       VALUES (:stay_id, :group_id, :car_park_id, :plate_no, :merchant_id, :member_id, 'inside', :currency_code,
               :entry_time, :entry_date, :free_minutes, :hour_minor, :day_cap_minor, :exit_grace_minutes,
               0, 0, 0, 0, 0, 0, 0, 0, 0)
       RETURNING *"""
)


async def update_stay(
    tx: Tx, stay_id: UUID, fee: Fee, *, state: str, member_id: UUID | None, exit_time: datetime | None,
    counted_until_time: datetime | None, leave_before_time: datetime | None, gate_paid_minor: int = 0,
    overpaid_minor: int = 0
) -> None:  # fmt: skip
    """Write what an exit or a payment made of a stay; gate money is added to what the gate took before."""
    await tx.execute(
        _UPDATE_STAY,
        {
            "stay_id": stay_id,
            "state": state,
            "member_id": member_id,
            "exit_time": exit_time,
            "tariff_fee_minor": fee.tariff_fee_minor,
            "tier_waived_minor": fee.tier_waived_minor,
            "points_paid_minor": fee.points_paid_minor,
            "money_paid_minor": fee.money_paid_minor,
            "due_minor": fee.due_minor,
            "points": fee.points,
            "stay_minutes": fee.stay_minutes,
            "counted_until_time": counted_until_time,
            "leave_before_time": leave_before_time,
            "gate_paid_minor": gate_paid_minor,
            "overpaid_minor": overpaid_minor,
        },
    )


_UPDATE_STAY = text(
    """UPDATE stay SET state = :state, member_id = :member_id, exit_time = :exit_time,
         tariff_fee_minor = :tariff_fee_minor, tier_waived_minor = :tier_waived_minor,
         points_paid_minor = :points_paid_minor, money_paid_minor = :money_paid_minor, due_minor = :due_minor,
         points = :points, stay_minutes = :stay_minutes, counted_until_time = :counted_until_time,
         leave_before_time = :leave_before_time, gate_paid_minor = gate_paid_minor + :gate_paid_minor,
         overpaid_minor = overpaid_minor + :overpaid_minor
       WHERE stay_id = :stay_id"""
)


async def list_stays(
    tx: Tx, member_id: UUID, car_park_id: UUID | None, *, before: tuple[datetime, UUID] | None, limit: int
) -> list[Stay]:
    """A member's stays (in the car park, when one is named), newest first."""
    behind = "AND (entry_time, stay_id) < (:time, :stay_id)" if before else ""
    there = "AND car_park_id = :car_park_id" if car_park_id else ""
    sql = text(
        f"""SELECT * FROM stay WHERE member_id = :member_id AND group_id = :group_id {there} {behind}
            ORDER BY entry_time DESC, stay_id DESC LIMIT :limit"""
    )
    more: dict[str, Any] = {"time": before[0], "stay_id": before[1]} if before else {}
    if car_park_id:
        more["car_park_id"] = car_park_id
    return [to_stay(row) for row in await _all(tx, sql, member_id=member_id, limit=limit, **more)]


async def list_totals(tx: Tx, car_park_id: UUID | None) -> Sequence[Row[Any]]:
    """Stays and fees of each car park, or of one; a stay that is going on counts with what was paid so far."""
    there, more = ("AND car_park_id = :car_park_id", {"car_park_id": car_park_id}) if car_park_id else ("", {})
    sql = text(
        f"""SELECT car_park_id, count(*) AS stay_count, sum(tariff_fee_minor)::bigint AS tariff_fee_minor,
                  sum(tier_waived_minor)::bigint AS tier_waived_minor,
                  sum(points_paid_minor)::bigint AS points_paid_minor, sum(points)::bigint AS points,
                  sum(money_paid_minor)::bigint AS money_paid_minor, sum(due_minor)::bigint AS due_minor
           FROM stay WHERE group_id = :group_id {there} GROUP BY car_park_id ORDER BY car_park_id"""
    )
    return await _all(tx, sql, **more)


def to_stay(row: Row[Any]) -> Stay:
    """The stay in a row."""
    return Stay(
        row.stay_id,
        row.car_park_id,
        row.plate_no,
        row.merchant_id,
        row.member_id,
        row.state,
        row.currency_code,
        row.entry_time,
        row.entry_date,
        row.exit_time,
        Account(
            row.entry_time,
            _tariff(row),
            row.points,
            row.points_paid_minor,
            row.money_paid_minor,
            row.counted_until_time,
            row.leave_before_time,
        ),
        Fee(
            row.tariff_fee_minor,
            row.tier_waived_minor,
            row.points_paid_minor,
            row.money_paid_minor,
            row.due_minor,
            row.points,
            row.stay_minutes,
            row.counted_until_time or row.entry_time,
        ),
    )
