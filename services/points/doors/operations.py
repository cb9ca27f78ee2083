"""One purchase, many doors: payments that two systems report, tills that count, sales whose points have to wait.

Sales that nothing of this concerns never come here. For the others everything is asked ahead of the ledger call, in
batches and in transactions of its own, as claims are; whoever asks again after a crash is told the same.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from chassis import ids
from chassis.errors import AppError
from huitong.points.v1 import doors_pb2, points_pb2
from services.points.convert import to_timestamp
from services.points.doors.rules import DoorRules
from services.points.errors import DeviceSeqReused
from services.points.ledger.batched import BatchedCalls
from services.points.ledger.ledger import LEDGER_SETTINGS, Item

log = structlog.get_logger()

_SETTINGS = {**LEDGER_SETTINGS, "application_name": "huitong-points-doors"}
_PAYMENTS = "SELECT ord, sale_id FROM claim_payments($1, $2, $3)"
_DEVICES = "SELECT ord, sale_id FROM claim_device_sales($1, $2, $3, $4)"
_RECORDED = "SELECT ord FROM record_device_sales($1, $2, $3)"
_WATCH = "SELECT ord, case_ids, kinds, until_times FROM watch_sales({})".format(
    ", ".join(f"${number}" for number in range(1, 24))
)
# Sales are remembered a little longer than the longest window reaches; older ones are not compared.
COMPARED = timedelta(days=31)
REMEMBERED = timedelta(days=40)
# How long comparing may take: a call, and each of its sales.
WATCH_SECONDS, WATCH_SALE_SECONDS = 2.0, 0.005
# Points must unlock before they expire.
_BEFORE_EXPIRY = timedelta(seconds=1)
_DIGITS = re.compile(r"[0-9]{1,15}$")

CONFIRMATION, DOUBTFUL_PAIR, SUSPICIOUS = (
    int(kind)
    for kind in (
        doors_pb2.SALE_CASE_KIND_CONFIRMATION,
        doors_pb2.SALE_CASE_KIND_DOUBTFUL_PAIR,
        doors_pb2.SALE_CASE_KIND_SUSPICIOUS,
    )
)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A sale whose purchase has come in before: nothing was recorded."""

    member_id: UUID
    first_sale_id: UUID

    def answer(self, message: points_pb2.RecordSaleResponse) -> points_pb2.RecordSaleResponse:
        """Write the answer into `message`, which is empty, and return it."""
        message.member_id = ids.to_edge("mbr", self.member_id)
        message.outcome = doors_pb2.SALE_OUTCOME_DUPLICATE
        message.duplicate_of_sale_id = ids.to_edge("txn", self.first_sale_id)
        return message


@dataclass(slots=True)
class Passage:
    """What has to be looked at of one sale."""

    source: str
    provider: str | None = None
    payment_key: UUID | None = None
    device_id: str = ""
    device_key: UUID | None = None
    device_seq: int = 0
    # Set when the sale comes in later than these days.
    late_days: int = 0
    # Set when its points may have to wait.
    watched_by: DoorRules | None = None


def payment_key_of(group_id: UUID, merchant_id: UUID, provider: str, payment_id: str) -> UUID:
    """What a payment is claimed by: a platform may not know the store, so its ids are the merchant's."""
    return ids.derive("payment", group_id, merchant_id, provider, payment_id)


def passage_of(
    request: points_pb2.RecordSaleRequest,
    *,
    source: str,
    group_id: UUID,
    store_id: UUID,
    merchant_id: UUID,
    rules: DoorRules | None,
    late_days: int,
) -> Passage | None:
    """What concerns a sale, None as nearly always. Takes from the request what is not content: the device's number."""
    watched_by = rules if rules is not None and rules.watches(source, store_id) else None
    if watched_by is None and not late_days and not request.HasField("origin"):
        return None
    passage = Passage(source, late_days=late_days, watched_by=watched_by)
    origin = request.origin
    if origin.payment_id:
        passage.provider = origin.payment_provider
        passage.payment_key = payment_key_of(group_id, merchant_id, origin.payment_provider, origin.payment_id)
    if origin.device_id:
        passage.device_id, passage.device_seq = origin.device_id, origin.device_seq
        passage.device_key = device_key_of(group_id, store_id, origin.device_id)
        origin.ClearField("device_id")
        origin.ClearField("device_seq")
    if not origin.payment_id:
        request.ClearField("origin")
    return passage


def device_key_of(group_id: UUID, store_id: UUID, device_id: str) -> UUID:
    """A device is one store's."""
    return ids.derive("device", group_id, store_id, device_id)


def case_id_of(sale_id: UUID, kind: int) -> UUID:
    """A sale has one case of a kind at most."""
    return ids.derive("sale_case", sale_id, kind)


class Doors:
    """Asks over two connections, whatever has arrived in one call: sales that wait to be compared hold up no claim."""

    def __init__(self, url: str) -> None:
        self._calls = BatchedCalls(url, (_PAYMENTS, _DEVICES, _RECORDED), settings=_SETTINGS)
        self._comparing = BatchedCalls(url, (_WATCH,), settings=_SETTINGS)

    async def open(self) -> None:
        """Connect and warm up."""
        await self._calls.open()
        await self._comparing.open()

    async def close(self) -> None:
        """Stop; whoever still waits gets Unavailable."""
        await self._comparing.close()
        await self._calls.close()

    async def admit(self, sales: Mapping[int, tuple[Item, Passage]]) -> dict[int, AppError | Duplicate]:
        """Claim what sales bring with them; answers those that go no further, by their keys.

        Errors among the answers: DeviceSeqReused. Raises Overloaded, and Unavailable (ask again).
        """
        stopped: dict[int, AppError | Duplicate] = {}
        numbered = [(key, *sale) for key, sale in sales.items() if sale[1].device_key is not None]
        if numbered:
            asked = [
                (passage.device_key, passage.device_seq, item.group_id, item.txn_id) for _, item, passage in numbered
            ]
            for (key, item, passage), row in zip(numbered, await self._calls.ask(_DEVICES, asked), strict=True):
                if row["sale_id"] != item.txn_id:
                    stopped[key] = DeviceSeqReused(device_id=passage.device_id, device_seq=passage.device_seq)
        paid = [(key, *sale) for key, sale in sales.items() if sale[1].payment_key is not None and key not in stopped]
        if paid:
            rows = await self._calls.ask(
                _PAYMENTS, [(passage.payment_key, item.group_id, item.txn_id) for _, item, passage in paid]
            )
            for (key, item, _), row in zip(paid, rows, strict=True):
                if row["sale_id"] != item.txn_id:
                    stopped[key] = Duplicate(item.wallet_id, row["sale_id"])
        return stopped

    async def watch(self, sales: Sequence[tuple[Item, Passage]], now: datetime) -> None:
        """Let the points of sales wait for what has to be awaited or decided first.

        A sale is recorded whatever happens here: when sales cannot be compared, its points are given plainly. What was
        overlooked can still be taken back, while honest members' points that wait for nobody's reason are a complaint
        each. A confirming event, though, is waited for in any case: that is an agreement and no suspicion.
        """
        watched = [(item, passage.watched_by, passage) for item, passage in sales if passage.watched_by is not None]
        if not watched:
            return
        rows = [_row(item, rules, passage, now) for item, rules, passage in watched]
        must_wait = any(rules.waits_for_event(passage.source, _store(item)) for item, rules, passage in watched)
        try:
            # Whoever waits at the till waits for the ledger, too: no longer here than leaves time for that.
            async with asyncio.timeout(None if must_wait else WATCH_SECONDS + len(rows) * WATCH_SALE_SECONDS):
                answers = await self._comparing.ask(_WATCH, rows)
        except (AppError, TimeoutError) as error:
            if must_wait:
                raise
            log.error("sales_not_compared", count=len(rows), error=repr(error))
            return
        found = [
            [] if row["kinds"] is None else list(zip(row["case_ids"], row["kinds"], row["until_times"], strict=True))
            for row in answers
        ]
        for (item, _, _), cases in zip(watched, found, strict=True):
            _wait(item, cases, now)

    async def record_devices(self, sales: Sequence[tuple[Item, Passage]]) -> None:
        """The sales of these numbers are recorded. What is not told of here the device sends again: no harm."""
        numbered = [
            (passage.device_key, passage.device_seq, item.group_id)
            for item, passage in sales
            if passage.device_key is not None
        ]
        if not numbered:
            return
        try:
            await self._calls.ask(_RECORDED, numbered)
        except AppError as error:
            log.warning("device_sales_not_marked", count=len(numbered), reason=error.reason)


def _store(item: Item) -> UUID:
    if item.store_id is None:
        raise AssertionError("a sale has a store")
    return item.store_id


def _row(item: Item, rules: DoorRules, passage: Passage, now: datetime) -> tuple[object, ...]:
    """What watch_sales takes. Without points nothing waits, but the sale counts."""
    latest = item.expire_time - _BEFORE_EXPIRY if item.points and item.expire_time is not None else None

    def until(days: int) -> datetime | None:
        end = min(now + timedelta(days=days), latest) if latest is not None else None
        return end if end is not None and end > now else None

    is_recent = item.occur_time > now - COMPARED
    serial = _DIGITS.search(item.reference)
    return (
        item.txn_id,
        item.group_id,
        item.wallet_id,
        item.merchant_id,
        item.store_id,
        passage.source,
        passage.device_id or passage.source,
        passage.provider,
        item.reference,
        int(serial[0]) if serial else None,
        item.amount_minor,
        item.points,
        item.occur_time,
        now,
        item.unlock_time,
        rules.pair_seconds,
        rules.limits,
        case_id_of(item.txn_id, CONFIRMATION),
        until(rules.confirm_days) if rules.waits_for_event(passage.source, _store(item)) else None,
        case_id_of(item.txn_id, DOUBTFUL_PAIR),
        until(rules.pair_days) if is_recent else None,
        case_id_of(item.txn_id, SUSPICIOUS),
        until(rules.risk_days) if is_recent else None,
    )


def _wait(item: Item, cases: Sequence[tuple[UUID, int, datetime]], now: datetime) -> None:
    """Make the points of a sale pending until all its cases, and its return window, are over."""
    cases = [case for case in cases if case[2] > now]
    if not cases or not item.points:
        return
    item.unlock_time = max([until for _, _, until in cases] + ([item.unlock_time] if item.unlock_time else []))
    waits = [
        doors_pb2.SaleWait(case_id=ids.to_edge("cas", case_id), kind=kind, until_time=to_timestamp(until))  # type: ignore[arg-type]
        for case_id, kind, until in cases
    ]
    # Put after the rest it is one message with it; the later unlock time counts.
    item.explanation = (item.explanation or b"") + points_pb2.Explanation(
        unlock_time=to_timestamp(item.unlock_time), waits=waits
    ).SerializeToString()
