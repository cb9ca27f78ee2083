"""What points keeps about a member, and how it is taken away.

The ledger is not personal once nobody can tell whose it is: transactions, postings and lots stay under the member's id.
What the member still has is forfeited by ordinary movements, so that the books balance: pending lots unlock, then an
adjustment with the reason ERASURE debits everything, back to those who issued it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from sqlalchemy import text

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.errors import AppError, Internal
from chassis.personal_data import PersonalDataServicer, Section
from huitong.points.v1 import adjustments_pb2, points_pb2, wallets_pb2
from services.points.credits.adjustments import LAPSE, Adjustments
from services.points.ledger.ledger import Item, Kind, Ledger, Status
from services.points.ledger.movements import movement_of
from services.points.privacy.errors import FamilyPoolJoined, PointsHeld, PointsUnderWay, StoredValueLeft

REASON_CODE, REQUESTED_BY, DECIDED_BY = "ERASURE", "erasure", "member"
PREFIXES = {
    "member_id": "mbr",
    "to_member_id": "mbr",
    "merchant_id": "mch",
    "store_id": "sto",
    "currency_id": "cur",
    "txn_id": "txn",
    "lot_id": "txn",
    "ref_id": "txn",
    "adjustment_id": "adj",
    "pool_id": "fpl",
    "reward_id": "txn",
}
_WALLETS = "wallet_id = ANY(CAST(:wallet_ids AS uuid[]))"


async def wallets_of(tx: Tx, member_id: UUID) -> Mapping[str, Any]:
    """The ids of the wallets that the member can have: made of the member and each of the group's currencies."""
    rows = await tx.execute(
        text("SELECT currency_id FROM currency WHERE group_id = :group_id"), {"group_id": tx.group_id}
    )
    others = [ids.derive("wallet", member_id, currency_id) for currency_id in rows.scalars()]
    return {"wallet_ids": [member_id, *others]}


def _movement(row: Mapping[str, Any]) -> Mapping[str, Any]:
    values = dict(row)
    kind, detail, explanation = Kind(values.pop("kind")), values.pop("detail"), values.pop("explanation")
    movement = movement_of(kind, row["ref_id"])
    values["kind"] = points_pb2.MovementKind.Name(movement).removeprefix("MOVEMENT_KIND_")
    if kind is Kind.EARN and detail is not None:
        values["sale"] = _told(points_pb2.RecordSaleRequest.FromString(detail))
        if explanation is not None:
            values["explanation"] = _told(points_pb2.Explanation.FromString(explanation))
    return values


def _told(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


def _with_names(**enums: Any) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Shows numbers of enums by their names."""

    def convert(row: Mapping[str, Any]) -> Mapping[str, Any]:
        return dict(row) | {name: kind.Name(row[name]) for name, kind in enums.items()}

    return convert


SECTIONS: Sequence[Section] = (
    Section(
        "member",
        """SELECT birth_month, time_zone FROM member
           WHERE member_id = :member_id AND group_id = :group_id ORDER BY member_id""",
    ),
    Section(
        "tiers",
        """SELECT effective_date, tier_code, multiplier_bps FROM member_tier
           WHERE member_id = :member_id AND group_id = :group_id ORDER BY effective_date""",
    ),
    Section(
        "segments",
        """SELECT segment, start_time, end_time FROM member_segment
           WHERE member_id = :member_id AND group_id = :group_id ORDER BY segment, start_time""",
    ),
    Section(
        "wallets",
        f"""SELECT currency_id, available_points, held_points, pending_points, debt_points, earned_points,
                   clawed_back_points, spent_points, expired_points, transferred_points, create_time
            FROM wallet WHERE {_WALLETS} ORDER BY create_time, wallet_id""",
    ),
    Section(
        "lots",
        f"""SELECT lot_id, merchant_id, points, left_points, held_points, expire_time, unlock_time
            FROM lot WHERE {_WALLETS} AND left_points > 0 ORDER BY wallet_id, expire_time, lot_id""",
    ),
    Section(
        "movements",
        f"""SELECT t.txn_id, t.kind, t.points, t.pending_points, t.debt_points, t.available_points, t.occur_time,
                   t.record_time, t.merchant_id, t.store_id, t.ref_id, t.reference, t.expire_time, t.amount_minor,
                   t.detail, t.explanation
            FROM txn t WHERE t.{_WALLETS} ORDER BY t.wallet_id, t.version, t.txn_id""",
        _movement,
    ),
    Section(
        "holds",
        f"""SELECT points, captured_points, state, merchant_id, store_id, reference, create_time, expire_time
            FROM hold WHERE {_WALLETS} ORDER BY wallet_id, create_time, hold_id""",
    ),
    Section(
        "adjustments",
        """SELECT adjustment_id, direction, state, points, merchant_id, reason_code, reason_text, decision_note,
                  create_time, decide_time
           FROM adjustment WHERE member_id = :member_id AND group_id = :group_id
           ORDER BY create_time, adjustment_id""",
        _with_names(direction=adjustments_pb2.AdjustmentDirection, state=adjustments_pb2.AdjustmentState),
    ),
    # They stay after an erasure, with an id that leads nowhere: they explain movements of the ledger.
    Section(
        "rewards",
        """SELECT reward_id, points, merchant_id, reason_code, reference, create_time, points_expire_time
           FROM reward WHERE member_id = :member_id AND group_id = :group_id ORDER BY create_time, reward_id""",
    ),
    Section(
        "family_pools",
        """SELECT m.pool_id, f.name, m.state, m.may_spend, m.spend_limit_points, m.change_time
           FROM pool_member m JOIN family_pool f ON f.pool_id = m.pool_id
           WHERE m.member_id = :member_id AND m.group_id = :group_id ORDER BY m.change_time, m.pool_id""",
    ),
)


async def find_blockers(tx: Tx, member_id: UUID) -> list[AppError]:
    """Points that are held or under way, money that is stored, a pool that others share."""
    values = {"member_id": member_id, "group_id": tx.group_id, **await wallets_of(tx, member_id)}
    found: list[AppError] = []
    held = await tx.execute(text(f"SELECT sum(held_points) FROM wallet WHERE {_WALLETS}"), values)
    if points := int(held.scalar() or 0):
        found.append(PointsHeld(points=points))
    stored = await tx.execute(
        text(
            f"""SELECT c.code FROM wallet w JOIN currency c ON c.currency_id = w.currency_id
                WHERE w.{_WALLETS} AND c.kind = :kind AND w.available_points + w.pending_points > 0 ORDER BY c.code"""
        ),
        values | {"kind": wallets_pb2.CURRENCY_KIND_STORED_VALUE},
    )
    found += [StoredValueLeft(currency_code=code) for code in stored.scalars()]
    under_way = await tx.execute(
        text(
            f"""SELECT 1 FROM transfer t WHERE NOT t.has_arrived
                  AND (t.{_WALLETS} OR t.to_{_WALLETS})
                UNION ALL
                SELECT 1 FROM conversion c WHERE NOT c.has_arrived AND (c.{_WALLETS} OR c.to_{_WALLETS})
                UNION ALL
                SELECT 1 FROM merge_move g WHERE NOT g.has_arrived AND (g.{_WALLETS} OR g.to_{_WALLETS}) LIMIT 1"""
        ),
        values,
    )
    if under_way.first() is not None:
        found.append(PointsUnderWay())
    pools = await tx.execute(
        text(
            """SELECT m.pool_id FROM pool_member m JOIN family_pool f ON f.pool_id = m.pool_id
               WHERE m.member_id = :member_id AND m.state = 2 AND f.state = 1"""
        ),
        values,
    )
    found += [FamilyPoolJoined(pool_id=ids.to_edge("fpl", pool_id)) for pool_id in pools.scalars()]
    return found


class Eraser:
    """Forfeits what a member has and forgets what is personal. May be called again after a crash."""

    def __init__(self, database: Database, ledger: Ledger, adjustments: Adjustments) -> None:
        self._db, self._ledger, self._adjustments = database, ledger, adjustments

    async def erase(self, group_id: UUID, member_id: UUID) -> None:
        """Raises what find_blockers finds, also when it has come up meanwhile."""
        who = rpc.internal_caller("points", group_id)
        async with self._db.transaction(who) as tx:
            await _require_free(tx, member_id)
            # Without its copy the member is asked for, and unknown: from here on nobody earns or holds for them.
            await _forget(tx, member_id)
            wallet_ids: list[UUID] = (await wallets_of(tx, member_id))["wallet_ids"]
        for wallet_id in wallet_ids:
            await self._forfeit(group_id, member_id, wallet_id)
        async with self._db.reading(who) as tx:
            await _require_free(tx, member_id)

    async def _forfeit(self, group_id: UUID, member_id: UUID, wallet_id: UUID) -> None:
        """Until nothing is left: what was under way when the copy went may still come."""
        while True:
            unlocked_count = await self._unlock(group_id, wallet_id)
            async with self._db.transaction(rpc.internal_caller("points", group_id)) as tx:
                adjustment_id = await _debit_all(tx, member_id, wallet_id)
            if adjustment_id is not None:
                await self._adjustments.apply(adjustment_id)
            elif not unlocked_count:
                return

    async def _unlock(self, group_id: UUID, wallet_id: UUID) -> int:
        """Pending points cannot be debited: they unlock first. Answers how many lots there were."""
        rows = await self._db.pool.fetch(
            "SELECT l.lot_id, l.expire_time, l.merchant_id FROM lot l"
            " WHERE l.wallet_id = $1 AND l.unlock_time IS NOT NULL ORDER BY l.unlock_time, l.lot_id",
            wallet_id,
        )
        now = await self._db.now()
        for row in rows:
            outcome = await self._ledger.apply_one(
                Item(
                    kind=Kind.UNLOCK,
                    wallet_id=wallet_id,
                    group_id=group_id,
                    txn_id=ids.derive("erasure-unlock", wallet_id, row["lot_id"], row["expire_time"].isoformat()),
                    request_hash=b"",
                    points=0,
                    occur_time=now,
                    merchant_id=row["merchant_id"],
                    ref_id=row["lot_id"],
                    expire_time=row["expire_time"],
                )
            )
            if outcome.status not in (Status.APPLIED, Status.REPLAY, Status.NOTHING):
                raise Internal
        return len(rows)


async def _require_free(tx: Tx, member_id: UUID) -> None:
    if blockers := await find_blockers(tx, member_id):
        raise blockers[0]


async def _debit_all(tx: Tx, member_id: UUID, wallet_id: UUID) -> UUID | None:
    """An approved adjustment over everything in the wallet; None when nothing is left.

    It is the one of the wallet's version, so asking twice makes one. Lots that are over their time are left to the
    expiry run, which is about to take them.
    """
    values = {"wallet_id": wallet_id, "now": tx.now}
    row = (
        await tx.execute(
            text(
                """SELECT w.version, w.currency_id, sum(l.left_points - l.held_points)::bigint AS points
                   FROM wallet w JOIN lot l ON l.wallet_id = w.wallet_id
                   WHERE w.wallet_id = :wallet_id AND l.expire_time > :now AND l.unlock_time IS NULL
                     AND l.left_points > l.held_points
                   GROUP BY w.version, w.currency_id"""
            ),
            values,
        )
    ).one_or_none()
    if row is None:
        return None
    adjustment_id = ids.derive("erasure-debit", wallet_id, row.version)
    await tx.execute(
        text(
            """INSERT INTO adjustment (adjustment_id, group_id, member_id, wallet_id, currency_id, direction, state,
                                       points, reason_code, reason_text, requested_by, create_time, lapse_time,
                                       decided_by, decision_note, decide_time)
               VALUES (:adjustment_id, :group_id, :member_id, :wallet_id, :currency_id, :direction, :state, :points,
                       :reason_code, '', :requested_by, :now, :lapse_time, :decided_by, '', :now)
               ON CONFLICT DO NOTHING"""
        ),
        values
        | {
            "adjustment_id": adjustment_id,
            "group_id": tx.group_id,
            "member_id": member_id,
            "currency_id": row.currency_id,
            "direction": adjustments_pb2.ADJUSTMENT_DIRECTION_DEBIT,
            "state": adjustments_pb2.ADJUSTMENT_STATE_APPROVED,
            "points": row.points,
            "reason_code": REASON_CODE,
            "requested_by": REQUESTED_BY,
            "decided_by": DECIDED_BY,
            "lapse_time": tx.now + LAPSE,
        },
    )
    return adjustment_id


async def _forget(tx: Tx, member_id: UUID) -> None:
    values = {"member_id": member_id, "group_id": tx.group_id, **await wallets_of(tx, member_id)}
    for statement in _FORGET:
        await tx.execute(text(statement), values)


# Words that somebody wrote may name a person; codes and amounts do not.
_FORGET = (
    "DELETE FROM member WHERE member_id = :member_id AND group_id = :group_id",
    "DELETE FROM member_tier WHERE member_id = :member_id AND group_id = :group_id",
    "DELETE FROM member_segment WHERE member_id = :member_id AND group_id = :group_id",
    f"DELETE FROM hoarder WHERE group_id = :group_id AND {_WALLETS}",
    """UPDATE adjustment SET reason_text = '', decision_note = ''
       WHERE member_id = :member_id AND group_id = :group_id""",
    "UPDATE family_pool SET name = '' WHERE owner_id = :member_id AND group_id = :group_id AND state = 2",
)


def personal_data(database: Database, ledger: Ledger, adjustments: Adjustments) -> PersonalDataServicer:
    """The service that member asks."""
    erase: Callable[[UUID, UUID], Awaitable[None]] = Eraser(database, ledger, adjustments).erase
    return PersonalDataServicer(
        database,
        service="points",
        sections=SECTIONS,
        prefixes=PREFIXES,
        find_values=wallets_of,
        find_blockers=find_blockers,
        erase=erase,
    )
