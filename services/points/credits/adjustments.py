"""Points put right by hand: a request, a second person's decision, and one movement in the ledger.

The decision is committed first and is final; then the ledger applies it under the adjustment's own id, and decides once
and for ever whether a debit finds enough points. So whatever breaks in between, the approver's retry or the job only
has to ask the ledger again, and everybody who asks is told the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, insert, text

from chassis import ids
from chassis.db import Database, Tx
from chassis.errors import Internal, InvalidArgument
from chassis.jobs import Rows
from huitong.points.v1 import adjustments_pb2 as pb
from huitong.points.v1.wallets_pb2 import CURRENCY_KIND_STORED_VALUE
from services.points import queries, store
from services.points.convert import content_hash, optional_edge, to_expiry, to_timestamp
from services.points.credits.interaction_limits import check_interaction_limit
from services.points.earning import rules
from services.points.errors import (
    AdjustmentDecided,
    AdjustmentLapsed,
    AdjustmentUnknown,
    ExpiryPast,
    InsufficientPoints,
    SecondPersonRequired,
)
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import GroupData, Lookup
from services.points.rule_sets.second_persons import APPROVE, REJECT, Ask, SecondPersons
from services.points.wallets.currencies import Currencies, Currency
from services.points.wallets.errors import CurrencyNotSuitable

LAPSE = timedelta(days=7)
ACTION = "huitong.points.v1.AdjustmentService/ApproveAdjustment"
CHUNK = 100
_CREDIT = pb.ADJUSTMENT_DIRECTION_CREDIT
_PENDING, _APPROVED = pb.ADJUSTMENT_STATE_PENDING, pb.ADJUSTMENT_STATE_APPROVED


class Adjustments:
    """Requests, decisions, and what the ledger makes of them."""

    def __init__(
        self, database: Database, lookup: Lookup, ledger: Ledger, currencies: Currencies, second: SecondPersons
    ) -> None:
        self._db, self._lookup, self._ledger, self._currencies = database, lookup, ledger, currencies
        self._second = second

    async def request(self, group_id: UUID, request: pb.RequestAdjustmentRequest) -> pb.RequestAdjustmentResponse:
        """Ask for one; moves nothing.

        Raises: InvalidArgument, MemberUnknown, MerchantUnknown, CurrencyUnknown, CurrencyNotSuitable, CurrencyClosed,
        RequestIdReused.
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        merchant_id = ids.from_edge("mch", request.merchant_id, "merchant_id") if request.merchant_id else None
        if (request.direction == _CREDIT) != (merchant_id is not None):
            raise InvalidArgument([("merchant_id", "a credit needs the merchant that issues it, a debit has none")])
        link = await self._lookup.require_member(group_id, member_id)
        member_id = link.survivor_id or member_id
        if merchant_id is not None:
            await self._lookup.require_merchant(group_id, merchant_id)
        currency = await self._currencies.get(group_id, request.currency_id)
        if currency.kind == CURRENCY_KIND_STORED_VALUE:
            raise CurrencyNotSuitable(currency_code=currency.code, problem="stored value comes from payments only")
        if merchant_id is not None:
            currency.require_open()
            currency.require_merchant(await self._lookup.group(group_id), merchant_id)
        wallet_id = await self._currencies.open_wallet(group_id, member_id, currency)

        async def ask(tx: Tx) -> pb.RequestAdjustmentResponse:
            row: dict[str, Any] = {
                "adjustment_id": ids.derive("adjustment", tx.group_id, request.request_id),
                "group_id": tx.group_id,
                "member_id": member_id,
                "wallet_id": wallet_id,
                "currency_id": None if currency.is_own else currency.currency_id,
                "direction": request.direction,
                "state": _PENDING,
                "points": request.points,
                "merchant_id": merchant_id,
                "reason_code": request.reason_code,
                "reason_text": request.reason_text,
                "requested_by": tx.caller.subject,
                "create_time": tx.now,
                "lapse_time": tx.now + LAPSE,
                "decided_by": None,
                "decision_note": None,
                "decide_time": None,
                "points_expire_time": None,
            }
            await tx.execute(insert(store.adjustment).values(row))
            return pb.RequestAdjustmentResponse(adjustment=to_message(row, tx.now))

        response = await self._db.run_once(request, pb.RequestAdjustmentResponse, ask)
        await self._second.asked(_ask_for(response.adjustment))
        return response

    async def approve(self, group_id: UUID, request: pb.ApproveAdjustmentRequest) -> pb.ApproveAdjustmentResponse:
        """Approve and apply.

        Raises: AdjustmentUnknown, AdjustmentDecided, AdjustmentLapsed, SecondPersonRequired, RuleSetUnknown,
        ExpiryPast, InteractionLimitReached (nothing is decided), InsufficientPoints (final), RequestIdReused,
        Unavailable (approved; whether it is applied yet is unknown).
        """
        adjustment_id = ids.from_edge("adj", request.adjustment_id, "adjustment_id")

        async def decide(tx: Tx) -> pb.ApproveAdjustmentResponse:
            row = await self._approve(tx, adjustment_id, request.decision_note, is_told=False)
            return pb.ApproveAdjustmentResponse(adjustment=to_message(row, tx.now))

        # A retry finds its decision made, and goes on from here.
        await self._db.run_once(request, pb.ApproveAdjustmentResponse, decide)
        row, outcome = await self.apply(adjustment_id)
        if outcome.status is Status.INSUFFICIENT:
            raise InsufficientPoints(available_points=outcome.available_points, requested_points=row["points"])
        return pb.ApproveAdjustmentResponse(
            adjustment=to_message(row, row["decide_time"]),
            debt_repaid_points=outcome.debt_points,
            available_points=outcome.available_points,
        )

    async def reject(self, request: pb.RejectAdjustmentRequest) -> pb.RejectAdjustmentResponse:
        """Reject. Raises AdjustmentUnknown, AdjustmentDecided, AdjustmentLapsed, SecondPersonRequired."""
        adjustment_id = ids.from_edge("adj", request.adjustment_id, "adjustment_id")

        async def decide(tx: Tx) -> pb.RejectAdjustmentResponse:
            waiting = await _lock_undecided(tx, adjustment_id)
            note = request.decision_note
            decided_by = await self._second.decide(tx, _ask_for(to_message(waiting, tx.now)), REJECT, note)
            row = await _decide(tx, adjustment_id, pb.ADJUSTMENT_STATE_REJECTED, note, None, decided_by)
            return pb.RejectAdjustmentResponse(adjustment=to_message(row, tx.now))

        return await self._db.run_once(request, pb.RejectAdjustmentResponse, decide)

    async def carry_out(self, tx: Tx, content: bytes, is_approved: bool, reason: str) -> None:
        """What was decided at org's door, by the transaction's caller; the job applies it. Raises as `approve`."""
        adjustment_id = ids.from_edge("adj", pb.Adjustment.FromString(content).adjustment_id, "adjustment_id")
        if is_approved:
            await self._approve(tx, adjustment_id, reason, is_told=True)
            return
        await _lock_undecided(tx, adjustment_id, may_be_own=True)  # who asked took it back
        await _decide(tx, adjustment_id, pb.ADJUSTMENT_STATE_REJECTED, reason, None, tx.caller.subject)

    async def _approve(self, tx: Tx, adjustment_id: UUID, note: str, *, is_told: bool) -> RowMapping:
        """`is_told`: org knows of the decision."""
        data = await self._lookup.group(tx.group_id)
        row = await _lock_undecided(tx, adjustment_id)
        expire_time = None
        if row["direction"] == _CREDIT:
            await check_interaction_limit(
                tx, data, member_id=row["member_id"], reason_code=row["reason_code"], points=row["points"]
            )
            expire_time = (
                currency.expiry_at(data, tx.now)
                if (currency := await self._currency_of(tx.group_id, row)) is not None
                else expiry_of_credit(data, row["merchant_id"], tx.now)
            )
        decided_by = tx.caller.subject
        if not is_told:
            decided_by = await self._second.decide(tx, _ask_for(to_message(row, tx.now)), APPROVE, note)
        return await _decide(tx, adjustment_id, _APPROVED, note, expire_time, decided_by)

    async def finish(self, now: datetime) -> None:
        """Apply what was approved and, after a crash, never reached the ledger or was not marked."""
        run = Rows("points-adjustments")
        after: tuple[datetime, UUID] | None = None
        while rows := await queries.list_approved_adjustments(self._db.pool, after=after, limit=CHUNK):
            for row in rows:
                with run.row(adjustment_id=row["adjustment_id"]):
                    await self.apply(row["adjustment_id"])
            after = (rows[-1]["decide_time"], rows[-1]["adjustment_id"])
        run.end()

    async def _currency_of(self, group_id: UUID, row: RowMapping) -> Currency | None:
        """None for the group's own points."""
        if row["currency_id"] is None:
            return None
        return await self._currencies.get(group_id, ids.to_edge("cur", row["currency_id"]))

    async def apply(self, adjustment_id: UUID) -> tuple[Any, Outcome]:
        """Let the ledger apply an approved adjustment, and keep its state. Again changes nothing."""
        row = await queries.get_adjustment(self._db.pool, adjustment_id)
        outcome = await self._ledger.apply_one(_item(row))
        match outcome.status:
            case Status.APPLIED | Status.REPLAY:
                state = pb.ADJUSTMENT_STATE_APPLIED
            case Status.INSUFFICIENT:
                state = pb.ADJUSTMENT_STATE_REFUSED
            case _:
                raise Internal
        await queries.finish_adjustment(self._db.pool, adjustment_id, state)
        return await queries.get_adjustment(self._db.pool, adjustment_id), outcome


async def list_adjustments(
    tx: Tx, *, state: int, member_id: UUID | None, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[RowMapping]:
    """The group's adjustments behind `before`, newest first; `state` 0 and `member_id` None mean any."""
    conditions = ["a.group_id = :group_id"]
    values: dict[str, Any] = {"group_id": tx.group_id, "limit": limit, "now": tx.now}
    if member_id is not None:
        conditions.append("a.member_id = :member_id")
        values["member_id"] = member_id
    if before is not None:
        conditions.append("(a.create_time, a.adjustment_id) < (:before_time, :before_id)")
        values["before_time"], values["before_id"] = before
    if state:
        # One that has lapsed is PENDING in its row: time alone makes the difference.
        conditions.append(
            "a.state = :row_state AND (a.state <> 1 OR (a.lapse_time <= :now) = CAST(:is_lapsed AS boolean))"
        )
        values["is_lapsed"] = state == pb.ADJUSTMENT_STATE_LAPSED
        values["row_state"] = _PENDING if values["is_lapsed"] else state
    result = await tx.execute(
        text(
            f"""SELECT a.* FROM adjustment a WHERE {" AND ".join(conditions)}
                ORDER BY a.create_time DESC, a.adjustment_id DESC LIMIT :limit"""
        ),
        values,
    )
    return result.mappings().all()


def to_message(row: Any, now: datetime) -> pb.Adjustment:
    """An adjustment as it is at `now`."""
    state = row["state"]
    if state == _PENDING and row["lapse_time"] <= now:
        state = pb.ADJUSTMENT_STATE_LAPSED
    is_applied = state == pb.ADJUSTMENT_STATE_APPLIED
    return pb.Adjustment(
        adjustment_id=ids.to_edge("adj", row["adjustment_id"]),
        state=state,
        member_id=ids.to_edge("mbr", row["member_id"]),
        direction=row["direction"],
        points=row["points"],
        merchant_id=optional_edge("mch", row["merchant_id"]),
        reason_code=row["reason_code"],
        reason_text=row["reason_text"],
        requested_by=row["requested_by"],
        decided_by=row["decided_by"] or "",
        decision_note=row["decision_note"] or "",
        create_time=to_timestamp(row["create_time"]),
        lapse_time=to_timestamp(row["lapse_time"]),
        decide_time=to_timestamp(row["decide_time"]),
        txn_id=ids.to_edge("txn", row["adjustment_id"]) if is_applied else "",
        points_expire_time=to_expiry(row["points_expire_time"]),
        currency_id=optional_edge("cur", row["currency_id"]),
    )


def _ask_for(adjustment: pb.Adjustment) -> Ask:
    """What a second person is asked for: the adjustment as it was asked for, whatever became of it since."""
    exactly = pb.Adjustment(
        adjustment_id=adjustment.adjustment_id,
        member_id=adjustment.member_id,
        direction=adjustment.direction,
        points=adjustment.points,
        merchant_id=adjustment.merchant_id,
        reason_code=adjustment.reason_code,
        reason_text=adjustment.reason_text,
        requested_by=adjustment.requested_by,
        currency_id=adjustment.currency_id,
    )
    verb = "Credit" if adjustment.direction == _CREDIT else "Debit"
    summary = f"{verb} {adjustment.points} points, {adjustment.member_id}, {adjustment.reason_code}"
    return Ask(
        key=adjustment.adjustment_id,
        action=ACTION,
        permission="points.adjustments.decide",
        content=exactly,
        summary=f"{summary}: {adjustment.reason_text}",
        asked_by=adjustment.requested_by,
        valid_hours=LAPSE // timedelta(hours=1),
        amount=adjustment.points,
    )


async def _lock_undecided(tx: Tx, adjustment_id: UUID, *, may_be_own: bool = False) -> RowMapping:
    """The adjustment, locked, when the caller may decide on it now."""
    result = await tx.execute(
        text("SELECT * FROM adjustment WHERE adjustment_id = :id AND group_id = :group_id FOR UPDATE"),
        {"id": adjustment_id, "group_id": tx.group_id},
    )
    row = result.mappings().one_or_none()
    edge = ids.to_edge("adj", adjustment_id)
    if row is None:
        raise AdjustmentUnknown(adjustment_id=edge)
    if row["state"] != _PENDING:
        state = pb.AdjustmentState.Name(row["state"]).removeprefix("ADJUSTMENT_STATE_")
        raise AdjustmentDecided(adjustment_id=edge, state=state)
    if row["lapse_time"] <= tx.now:
        raise AdjustmentLapsed(adjustment_id=edge, lapse_time=row["lapse_time"].isoformat())
    if row["requested_by"] == tx.caller.subject and not may_be_own:
        raise SecondPersonRequired
    tx.before = to_message(row, tx.now)
    return row


async def _decide(
    tx: Tx, adjustment_id: UUID, state: int, note: str, expire_time: datetime | None, decided_by: str
) -> RowMapping:
    result = await tx.execute(
        text(
            """UPDATE adjustment SET state = :state, decided_by = :decided_by, decision_note = :note,
                                     decide_time = :now, points_expire_time = :expire_time
               WHERE adjustment_id = :id RETURNING *"""
        ),
        {
            "id": adjustment_id,
            "state": state,
            "decided_by": decided_by,
            "note": note,
            "now": tx.now,
            "expire_time": expire_time,
        },
    )
    return result.mappings().one()


def expiry_of_credit(data: GroupData, merchant_id: UUID, now: datetime) -> datetime:
    """As for a sale of that merchant at `now`. A unit without any store has no zone here; its day is then UTC's.

    Raises: RuleSetUnknown, ExpiryPast.
    """
    unit_id = data.merchants.get(merchant_id)
    time_zone = min((one.time_zone for one in data.stores.values() if one.business_unit_id == unit_id), default="UTC")
    day = rules.business_date_of(now, time_zone)
    rule_set = data.rule_set_at(now, time_zone)
    expire_time = rule_set.expire_time(day, time_zone)
    if rule_set.expiry is not None and rule_set.expiry.is_over(day):
        raise ExpiryPast(expire_time=expire_time.isoformat())
    return expire_time


def _item(row: Any) -> Item:
    origin = pb.Adjustment(
        adjustment_id=ids.to_edge("adj", row["adjustment_id"]),
        reason_code=row["reason_code"],
        member_id=ids.to_edge("mbr", row["member_id"]) if row["wallet_id"] != row["member_id"] else "",
    ).SerializeToString(deterministic=True)
    return Item(
        kind=Kind.CREDIT if row["direction"] == _CREDIT else Kind.DEBIT,
        wallet_id=row["wallet_id"],
        group_id=row["group_id"],
        txn_id=row["adjustment_id"],
        request_hash=content_hash(row["adjustment_id"].bytes),
        points=row["points"],
        occur_time=row["decide_time"],
        merchant_id=row["merchant_id"],
        expire_time=row["points_expire_time"],
        reference=ids.to_edge("adj", row["adjustment_id"]),
        detail=origin,
        payload=origin,
    )
