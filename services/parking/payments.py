"""Paying a fee: a small saga between this database and points, whose state is the row in `pay_intent`.

plan (one transaction: what points and money will pay) → points redeem → record (one transaction: the stay is paid).
A payment of money only is planned and recorded at once. Whoever drives an intent holds its lease; a crash leaves the
row, and after the lease a retry or the worker goes on with the same request ids at points, which therefore takes and
gives back once. An outcome that is not known is never guessed: it is asked for again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
import structlog

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.errors import AppError, DeadlineExceeded, RemoteError, RequestIdReused, Unavailable
from chassis.identity import Caller
from huitong.common.v1 import types_pb2
from huitong.parking.v1 import parking_pb2 as pb
from huitong.points.v1 import points_pb2, points_pb2_grpc
from services.parking import intents, merging, operations, rules, store
from services.parking.convert import read_time, to_fee, to_timestamp
from services.parking.errors import NothingDue, PaymentInProgress, PlateNotInside
from services.parking.intents import DONE, PENDING, REFUSED, REVERSED, REVERSING, Intent
from services.parking.rules import Offset
from services.parking.store import INSIDE, Stay

log = structlog.get_logger()

# Asking points for its rule and a balance; spending.
ASK_SECONDS, SPEND_SECONDS = 1.5, 2.0
# How long a second call of the same payment waits for the first.
WAIT_SECONDS, WAIT_STEP_SECONDS = 3.0, 0.05
# Refusals after which points has certainly done nothing.
_REFUSALS = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.PERMISSION_DENIED,
)


class Payments:
    """Plans, drives and finishes payments."""

    def __init__(
        self,
        database: Database,
        wallet: points_pb2_grpc.WalletServiceStub,
        rule_service: points_pb2_grpc.RuleServiceStub,
    ) -> None:
        self._db, self._wallet, self._rules = database, wallet, rule_service

    async def find_offset(self, member_id: UUID, *, day: Any, merchant_id: UUID, due: types_pb2.Money) -> Offset | None:
        """What the member's points can pay by the rule in force; None without a rule or a wallet.

        Where the rules have offset terms, points quotes what they allow at this merchant now.

        Raises: Unavailable.
        """
        date_message = types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day)
        try:
            rule_set, balance = await asyncio.gather(
                _ask(
                    self._rules.GetRuleSet,
                    points_pb2.GetRuleSetRequest(business_date=date_message),
                    timeout_s=ASK_SECONDS,
                ),
                _ask(
                    self._wallet.GetBalance,
                    points_pb2.GetBalanceRequest(member_id=ids.to_edge("mbr", member_id)),
                    timeout_s=ASK_SECONDS,
                ),
            )
        except RemoteError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:
                return None
            raise
        if rule_set.rule_set.offset_terms:
            return await self._quote_offset(member_id, merchant_id, due)
        offset = rule_set.rule_set.offset
        if offset.offset_points < 1 or offset.offset_minor < 1:
            return None
        return Offset(offset.offset_points, offset.offset_minor, max(balance.available_points, 0))

    async def _quote_offset(self, member_id: UUID, merchant_id: UUID, due: types_pb2.Money) -> Offset | None:
        request = points_pb2.QuoteOffsetRequest(
            member_id=ids.to_edge("mbr", member_id),
            merchant_id=ids.to_edge("mch", merchant_id),
            order_total=due,
            spending_kind=points_pb2.SPENDING_KIND_PARKING,
        )
        try:
            quote = await _ask(self._wallet.QuoteOffset, request, timeout_s=ASK_SECONDS)
        except RemoteError as error:
            if error.code is grpc.StatusCode.NOT_FOUND:
                return None
            raise
        if not quote.max_points:
            return None
        return Offset(quote.step_points, quote.step_minor, quote.max_points, quote.min_points, quote.quote_token)

    async def pay(self, request: pb.PayFeeRequest, *, plate_no: str) -> pb.PayFeeResponse:
        """Pay what is due, once for a request id.

        Raises: PlateNotInside, NotYourVehicle, NothingDue, RequestIdReused, PaymentInProgress, what points refuses, and
        Unavailable when points does not answer: then nothing is half done, and the same request goes on with it.
        """
        who = rpc.caller()
        deadline = asyncio.get_running_loop().time() + WAIT_SECONDS
        while True:
            intent = await self._claim(who, request) or await self._plan(who, request, plate_no)
            if intent.state == DONE:
                return pb.PayFeeResponse.FromString(intent.response)
            if intent.is_mine and (response := await self.drive(who, intent)) is not None:
                return response
            # Somebody else drives it, or its points went back and the payment is planned anew.
            if asyncio.get_running_loop().time() > deadline:
                raise PaymentInProgress
            await asyncio.sleep(WAIT_STEP_SECONDS)

    async def _claim(self, who: Caller, request: pb.PayFeeRequest) -> Intent | None:
        """The intent of this request if there is one that counts; ours to drive when nobody else does."""
        async with self._db.transaction(who) as tx:
            intent = await intents.claim(tx, request.request_id)
        if intent is None:
            return None
        if intent.request_hash != hash_request(request):
            raise RequestIdReused(request_id=request.request_id)
        # A payment that came to nothing leaves no trace for its caller: the retry plans anew.
        return None if intent.state in (REFUSED, REVERSED) else intent

    async def _plan(self, who: Caller, request: pb.PayFeeRequest, plate_no: str) -> Intent:
        # Points are spent in the name that was given, also that of a member who is absorbed by another.
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        car_park_id = ids.from_edge("unt", request.car_park_id, "car_park_id")
        pay_time = read_time(request.pay_time, "pay_time") if request.HasField("pay_time") else await self._db.now()
        offset, fee = None, None
        if request.use_points:
            # Whether it is theirs and owes anything is known here: only then is points asked. That it is not is said
            # below, unless the same call has paid a moment ago.
            with contextlib.suppress(AppError):
                async with self._db.reading(who) as tx:
                    stay, fee = await operations.quote_fee(
                        tx, member_id=member_id, car_park_id=car_park_id, plate_no=plate_no, time=pay_time
                    )
                    car_park = await operations.get_car_park(tx, car_park_id)
        if fee is not None and fee.due_minor:
            offset = await self.find_offset(
                member_id,
                day=rules.local_date(pay_time, car_park.time_zone),
                merchant_id=stay.merchant_id,
                due=types_pb2.Money(amount_minor=fee.due_minor, currency_code=stay.currency_code),
            )
        async with self._db.transaction(who) as tx:
            return await plan_payment(
                tx,
                request,
                member_id=member_id,
                car_park_id=car_park_id,
                plate_no=plate_no,
                pay_time=pay_time,
                offset=offset,
            )

    async def drive(self, who: Caller, intent: Intent) -> pb.PayFeeResponse | None:
        """Bring an intent whose lease we hold to its end; None when its points had to go back.

        Raises: what points refused; Unavailable when points does not answer.
        """
        try:
            txn_id = intent.redeem_txn_id or await self._redeem(intent)
        except AppError as error:
            async with self._db.transaction(who) as tx:
                if isinstance(error, RemoteError) and error.code in _REFUSALS:
                    await intents.set_state(tx, intent, REFUSED)
                else:
                    await intents.release(tx, intent)
            raise
        recorded = None
        if intent.state == PENDING:
            async with self._db.transaction(who) as tx:
                recorded = await record_payment(tx, intent, txn_id)
        if recorded is not None:
            return recorded
        await self._give_back(who, intent, txn_id)
        return None

    async def _redeem(self, intent: Intent) -> str:
        request = points_pb2.RedeemRequest(
            request_id=f"park-{intent.intent_id.hex}-{intent.attempt}",
            member_id=ids.to_edge("mbr", intent.member_id),
            points=intent.points,
            spending=points_pb2.Spending(
                merchant_id=ids.to_edge("mch", intent.merchant_id),
                kind=points_pb2.SPENDING_KIND_PARKING,
                reference=ids.to_edge("sty", intent.stay_id),
                offset_minor=intent.points_minor,
                quote_token=intent.quote_token,
            ),
        )
        answer = await _ask(self._wallet.Redeem, request, group_id=intent.group_id, timeout_s=SPEND_SECONDS)
        return str(answer.txn_id)

    async def _give_back(self, who: Caller, intent: Intent, txn_id: str) -> None:
        """Return the points of a payment that could not be recorded; the worker goes on when points is away."""
        request = points_pb2.ReverseRedemptionRequest(
            request_id=f"unpark-{intent.intent_id.hex}-{intent.attempt}",
            member_id=ids.to_edge("mbr", intent.member_id),
            redemption_txn_id=txn_id,
        )
        try:
            await _ask(self._wallet.ReverseRedemption, request, group_id=intent.group_id, timeout_s=SPEND_SECONDS)
        except AppError:
            async with self._db.transaction(who) as tx:
                await intents.release(tx, intent)
            raise
        async with self._db.transaction(who) as tx:
            await intents.set_state(tx, intent, REVERSED)
        log.info("parking_points_given_back", intent_id=str(intent.intent_id))

    async def finish_open(self, business_now: datetime) -> None:
        """The worker: bring every intent that nobody works on to its end; one that cannot yet is tried next time."""
        for group_id, request_id in await intents.list_open(self._db):
            who = rpc.internal_caller("parking", group_id)
            async with self._db.transaction(who) as tx:
                intent = await intents.claim(tx, request_id)
            if intent is None or not intent.is_mine:
                continue
            try:
                await self.drive(who, intent)
            except Unavailable:
                return  # the others would wait for points as well
            except AppError as error:
                log.info("payment_refused_later", intent_id=str(intent.intent_id), reason=error.reason)


async def _ask(method: Any, request: Any, *, timeout_s: float, group_id: UUID | None = None) -> Any:
    """Call points. Raises Unavailable also when it is too slow: the caller is to try again either way."""
    try:
        return await rpc.call(method, request, group_id=group_id, timeout_s=timeout_s)
    except DeadlineExceeded:
        raise Unavailable from None


def hash_request(request: pb.PayFeeRequest) -> bytes:
    """What makes two requests the same."""
    return hashlib.sha256(request.SerializeToString(deterministic=True)).digest()


async def plan_payment(
    tx: Tx,
    request: pb.PayFeeRequest,
    *,
    member_id: UUID,
    car_park_id: UUID,
    plate_no: str,
    pay_time: datetime,
    offset: Offset | None,
) -> Intent:
    """Decide what points and what money will pay; with no points in it the payment is recorded at once.

    A payment of another request that nobody works on any more gives way: its outcome is found out and undone later.
    Raises: PlateNotInside, NotYourVehicle, NothingDue, PaymentInProgress, InvalidArgument for a time far ahead.
    """
    operations.check_not_far_ahead(tx, pay_time, "pay_time")
    stay = await store.lock_vehicle(tx, car_park_id, plate_no)
    known = await intents.claim(tx, request.request_id)
    if known is not None and known.request_hash != hash_request(request):
        raise RequestIdReused(request_id=request.request_id)
    if known is not None and known.state not in (REFUSED, REVERSED):
        return known  # the same call, a moment before us
    owner_id = await (operations.owner_of(tx, stay) if stay else store.find_owner(tx, plate_no))
    person_id = await merging.person_of(tx, member_id)
    stay = operations.check_vehicle(stay, plate_no=plate_no, owner_id=owner_id, member_id=person_id)
    if pay_time < stay.entry_time:
        raise PlateNotInside(plate_no=plate_no)
    fee = await operations.fee_of(tx, stay, owner_id, pay_time)
    if not fee.due_minor:
        raise NothingDue(plate_no=plate_no)
    if not await intents.supersede(tx, stay.stay_id):
        raise PaymentInProgress
    points, points_minor = rules.most_points(fee.due_minor, offset)
    intent = Intent(
        group_id=tx.group_id,
        request_id=request.request_id,
        request_hash=hash_request(request),
        intent_id=ids.derive(tx.group_id, "pay", request.request_id),
        attempt=known.attempt + 1 if known else 1,
        state=PENDING,
        stay_id=stay.stay_id,
        car_park_id=car_park_id,
        plate_no=plate_no,
        merchant_id=stay.merchant_id,
        member_id=member_id,
        pay_time=pay_time,
        points=points,
        points_minor=points_minor,
        quote_token=offset.quote_token if offset else "",
        money_minor=fee.due_minor - points_minor,
    )
    await intents.save(tx, intent)
    if not points:
        response = await _record(tx, intent, stay)
        return replace(intent, state=DONE, response=response.SerializeToString())
    return intent


async def record_payment(tx: Tx, intent: Intent, txn_id: str) -> pb.PayFeeResponse | None:
    """The points are redeemed: record the payment. None when it cannot be any more and the points must go back."""
    stay = await store.lock_vehicle(tx, intent.car_park_id, intent.plate_no)
    current = await intents.lock(tx, intent.request_id)
    if current is None or current.attempt != intent.attempt or current.state != PENDING:
        if current is not None and current.attempt == intent.attempt and current.state == DONE:
            return pb.PayFeeResponse.FromString(current.response)
        return None
    await intents.set_redeemed(tx, intent, txn_id)
    if stay is not None and stay.stay_id == intent.stay_id and stay.state == INSIDE:
        fee = await operations.fee_of(tx, stay, intent.member_id, intent.pay_time)
        # Less is due when the gate took money meanwhile: then these points would pay twice.
        if fee.due_minor >= intent.points_minor + intent.money_minor:
            return await _record(tx, intent, stay)
    await intents.set_state(tx, intent, REVERSING)
    return None


async def _record(tx: Tx, intent: Intent, stay: Stay) -> pb.PayFeeResponse:
    fee = await operations.fee_of(tx, stay, intent.member_id, intent.pay_time)
    fee = replace(
        fee,
        points=fee.points + intent.points,
        points_paid_minor=fee.points_paid_minor + intent.points_minor,
        money_paid_minor=fee.money_paid_minor + intent.money_minor,
        due_minor=fee.due_minor - intent.points_minor - intent.money_minor,
    )
    grace = timedelta(minutes=stay.account.tariff.exit_grace_minutes)
    leave_before = fee.counted_time + grace if fee.due_minor == 0 else stay.account.leave_before_time
    await store.update_stay(
        tx,
        stay.stay_id,
        fee,
        state=INSIDE,
        member_id=intent.member_id,
        exit_time=None,
        counted_until_time=fee.counted_time,
        leave_before_time=leave_before,
    )
    response = pb.PayFeeResponse(
        stay_id=ids.to_edge("sty", stay.stay_id),
        fee=to_fee(fee, stay.currency_code),
        leave_before_time=to_timestamp(leave_before) if leave_before else None,
    )
    await intents.finish(tx, intent, response.SerializeToString())
    return response
