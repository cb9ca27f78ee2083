"""Rows of `pay_intent`: claimed by a lease, so that one driver at a time works on a payment.

A lease outlives every deadline of a drive by far; the driver of a lapsed one finds the row changed and records nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from chassis.db import Database, Tx

PENDING, DONE, REFUSED, REVERSING, REVERSED = "pending", "done", "refused", "reversing", "reversed"
LEASE_SECONDS = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One payment: which stay, what points and what money pay, and how far it is."""

    group_id: UUID
    request_id: str
    request_hash: bytes
    intent_id: UUID
    attempt: int
    state: str
    stay_id: UUID
    car_park_id: UUID
    plate_no: str
    merchant_id: UUID
    member_id: UUID
    pay_time: datetime
    points: int
    points_minor: int
    money_minor: int
    quote_token: str = ""  # of the terms by which the points pay, if any
    redeem_txn_id: str = ""
    response: bytes = b""
    # Whether we hold its lease.
    is_mine: bool = True


_SELECT = """SELECT i.*, s.car_park_id, s.plate_no, s.merchant_id, i.lease_until_time < clock_timestamp() AS is_free
    FROM pay_intent AS i JOIN stay AS s USING (stay_id)"""
_BY_REQUEST = "WHERE i.group_id = :group_id AND i.request_id = :request_id FOR UPDATE OF i"
_TAKE = text(
    f"""UPDATE pay_intent SET lease_until_time = clock_timestamp() + make_interval(secs => {LEASE_SECONDS})
        WHERE group_id = :group_id AND request_id = :request_id"""
)


def _intent(row: Row[Any], *, is_mine: bool) -> Intent:
    return Intent(
        group_id=row.group_id,
        request_id=row.request_id,
        request_hash=row.request_hash,
        intent_id=row.intent_id,
        attempt=row.attempt,
        state=row.state,
        stay_id=row.stay_id,
        car_park_id=row.car_park_id,
        plate_no=row.plate_no,
        merchant_id=row.merchant_id,
        member_id=row.member_id,
        pay_time=row.pay_time,
        points=row.points,
        points_minor=row.points_minor,
        quote_token=row.quote_token,
        money_minor=row.money_minor,
        redeem_txn_id=row.redeem_txn_id,
        response=row.response or b"",
        is_mine=is_mine,
    )


def _key(tx: Tx, request_id: str) -> dict[str, Any]:
    return {"group_id": tx.group_id, "request_id": request_id}


async def claim(tx: Tx, request_id: str) -> Intent | None:
    """The intent of a request; its lease becomes ours when it is open and nobody has it."""
    row = (await tx.execute(text(f"{_SELECT} {_BY_REQUEST}"), _key(tx, request_id))).one_or_none()
    if row is None:
        return None
    is_mine = row.is_free and row.state in (PENDING, REVERSING)
    if is_mine:
        await tx.execute(_TAKE, _key(tx, request_id))
    return _intent(row, is_mine=is_mine)


async def lock(tx: Tx, request_id: str) -> Intent | None:
    """The intent of a request, locked, whoever has its lease."""
    row = (await tx.execute(text(f"{_SELECT} {_BY_REQUEST}"), _key(tx, request_id))).one_or_none()
    return _intent(row, is_mine=True) if row else None


async def list_open(database: Database, limit: int = 100) -> list[tuple[UUID, str]]:
    """(group, request) of open intents that nobody works on, those that waited longest first."""
    rows = await database.pool.fetch(
        """SELECT group_id, request_id FROM pay_intent
           WHERE state IN ('pending', 'reversing') AND lease_until_time < clock_timestamp()
           ORDER BY lease_until_time LIMIT $1""",
        limit,
    )
    return [(row["group_id"], row["request_id"]) for row in rows]


async def supersede(tx: Tx, stay_id: UUID) -> bool:
    """Make room for a new payment of a stay: an abandoned one goes to `reversing`. False while one is being driven.

    Whether the abandoned one took points is not known: the worker asks points by repeating it, then gives them back.
    """
    row = (
        await tx.execute(
            text("""SELECT request_id, lease_until_time < clock_timestamp() AS is_free FROM pay_intent
                    WHERE stay_id = :stay_id AND state = 'pending' FOR UPDATE"""),
            {"stay_id": stay_id},
        )
    ).one_or_none()
    if row is None:
        return True
    if row.is_free:
        await _set(tx, row.request_id, state=REVERSING)
    return bool(row.is_free)


async def save(tx: Tx, intent: Intent) -> None:
    """Write a new intent, or a new attempt of one that came to nothing; its lease is ours."""
    await tx.execute(
        _SAVE,
        {
            "group_id": intent.group_id,
            "request_id": intent.request_id,
            "request_hash": intent.request_hash,
            "intent_id": intent.intent_id,
            "attempt": intent.attempt,
            "stay_id": intent.stay_id,
            "member_id": intent.member_id,
            "pay_time": intent.pay_time,
            "points": intent.points,
            "points_minor": intent.points_minor,
            "quote_token": intent.quote_token,
            "money_minor": intent.money_minor,
            "create_time": tx.now,
        },
    )


_SAVE = text(
    f"""INSERT INTO pay_intent (group_id, request_id, request_hash, intent_id, attempt, state, stay_id, member_id,
                                pay_time, points, points_minor, money_minor, quote_token, redeem_txn_id,
                                lease_until_time, create_time)
        VALUES (:group_id, :request_id, :request_hash, :intent_id, :attempt, 'pending', :stay_id, :member_id,
                :pay_time, :points, :points_minor, :money_minor, :quote_token, '',
                clock_timestamp() + make_interval(secs => {LEASE_SECONDS}), :create_time)
        ON CONFLICT (group_id, request_id) DO UPDATE SET
          attempt = excluded.attempt, state = 'pending', stay_id = excluded.stay_id, member_id = excluded.member_id,
          pay_time = excluded.pay_time, points = excluded.points, points_minor = excluded.points_minor,
          money_minor = excluded.money_minor, quote_token = excluded.quote_token, redeem_txn_id = '',
          lease_until_time = excluded.lease_until_time"""
)


async def set_redeemed(tx: Tx, intent: Intent, txn_id: str) -> None:
    """Remember which redemption took the points."""
    await _set(tx, intent.request_id, redeem_txn_id=txn_id)


async def finish(tx: Tx, intent: Intent, response: bytes) -> None:
    """The payment is recorded; the answer is kept for retries."""
    await _set(tx, intent.request_id, state=DONE, response=response)


async def set_state(tx: Tx, intent: Intent, state: str) -> None:
    """Move an open intent of this attempt on."""
    await tx.execute(
        text("""UPDATE pay_intent SET state = :state
                WHERE group_id = :group_id AND request_id = :request_id AND attempt = :attempt
                  AND state IN ('pending', 'reversing')"""),
        {**_key(tx, intent.request_id), "state": state, "attempt": intent.attempt},
    )


async def release(tx: Tx, intent: Intent) -> None:
    """Give the lease up: a retry or the worker may go on at once."""
    await tx.execute(
        text("""UPDATE pay_intent SET lease_until_time = clock_timestamp()
                WHERE group_id = :group_id AND request_id = :request_id AND attempt = :attempt"""),
        {**_key(tx, intent.request_id), "attempt": intent.attempt},
    )


async def _set(tx: Tx, request_id: str, **values: Any) -> None:
    assignments = ", ".join(f"{name} = :{name}" for name in values)
    await tx.execute(
        text(f"UPDATE pay_intent SET {assignments} WHERE group_id = :group_id AND request_id = :request_id"),
        {**_key(tx, request_id), **values},
    )
