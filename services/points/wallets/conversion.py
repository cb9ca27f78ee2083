"""Points that change their currency, at rates that two people published.

As a transfer, a conversion is two calls of the ledger. The first decides and leaves a row that says what was taken and
what is to arrive; the second cannot fail for a reason of business. So the only way is forward: whoever finds the row,
the caller's retry or the job, makes it arrive, once. As there, a full wallet is refused ahead of the first call, and
one that others fill in between lets it wait.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import insert, text

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.errors import Internal, InvalidArgument, RequestIdReused
from chassis.jobs import Rows
from chassis.units import largest_remainder
from huitong.points.v1 import wallets_pb2 as pb
from services.points import queries
from services.points.convert import instant_of, request_hash, to_timestamp
from services.points.errors import InsufficientPoints, PointsOutOfBounds, SecondPersonRequired
from services.points.ledger.claims import Claims
from services.points.ledger.ledger import Item, Kind, Ledger, Outcome, Status
from services.points.lookup import Lookup
from services.points.rule_sets.second_persons import APPROVE, REJECT, Ask, SecondPersons
from services.points.spending.spenders import Spenders
from services.points.wallets.currencies import Currencies, Currency
from services.points.wallets.errors import (
    ConversionAmountInvalid,
    ConversionLimitReached,
    ConversionNotOffered,
    ConversionRateChanged,
    ConversionRateDecided,
    ConversionRateUnknown,
)
from services.points.wallets.tables import conversion_rate

log = structlog.get_logger()

CHUNK = 200
MOST_RATES = 200
RATE_DAYS = 30


@dataclass(frozen=True, slots=True)
class Exchange:
    """What an amount becomes: `taken` points become `given` ones, `left` stay."""

    taken: int
    given: int
    left: int


def exchange(
    points: int, *, numerator: int, denominator: int, step: int, min_points: int = 0, max_points: int = 0
) -> Exchange:
    """Convert at most `points`, in whole steps, into whole points, and take no more than these cost.

    The result is rounded down; what would not change it is not taken. Nothing is taken below the minimum or above the
    maximum (0: none).
    """
    if points < min_points or (max_points and points > max_points):
        return Exchange(0, 0, points)
    given = points // step * step * numerator // denominator
    taken = -(-given * denominator // numerator)  # rounded up
    taken = -(-taken // step) * step
    if taken < min_points:
        return Exchange(0, 0, points)
    return Exchange(taken, given, points - taken)


def new_lots(txn_id: UUID, taken: Sequence[Any], to_points: int, expire_time: datetime) -> list[dict[str, Any]]:
    """The lots that arrive: one for each issuer of the lots taken, by its share of them; whole points by the largest
    remainder, of equals the lower id."""
    shares: dict[str, int] = {}
    for lot in taken:
        shares[lot["merchant_id"]] = shares.get(lot["merchant_id"], 0) + lot["points"]
    issuers = sorted(shares)
    parts = largest_remainder(to_points, [shares[issuer] for issuer in issuers])
    return [
        {
            "lot_id": str(ids.derive("converted-lot", txn_id, UUID(issuer))),
            "expire_time": expire_time.isoformat(),
            "merchant_id": issuer,
            "points": points,
        }
        for issuer, points in zip(issuers, parts, strict=True)
        if points
    ]


class Conversions:
    """Rates, quotes, and conversion."""

    def __init__(
        self,
        database: Database,
        lookup: Lookup,
        claims: Claims,
        ledger: Ledger,
        currencies: Currencies,
        spenders: Spenders,
        second: SecondPersons,
    ) -> None:
        self._db, self._lookup, self._claims, self._ledger = database, lookup, claims, ledger
        self._currencies, self._spenders, self._second = currencies, spenders, second

    async def propose(
        self, group_id: UUID, request: pb.ProposeConversionRateRequest
    ) -> pb.ProposeConversionRateResponse:
        """Propose a rate. Raises CurrencyUnknown, InvalidArgument, RequestIdReused."""
        source = await self._currencies.get(group_id, request.from_currency_id)
        target = await self._currencies.get(group_id, request.to_currency_id)
        start = instant_of(request.start_time) if request.HasField("start_time") else None
        end = instant_of(request.end_time) if request.HasField("end_time") else None
        problems = []
        if source.currency_id == target.currency_id:
            problems.append(("to_currency_id", "must be another currency"))
        if target.kind == pb.CURRENCY_KIND_STORED_VALUE:
            # Every unit of stored value has been paid for.
            problems.append(("to_currency_id", "stored value comes from payments only"))
        if request.max_points and request.max_points < request.min_points:
            problems.append(("max_points", "must not be less than min_points"))
        if end is not None and start is not None and end <= start:
            problems.append(("end_time", "must be after start_time"))
        if problems:
            raise InvalidArgument(problems)

        async def propose(tx: Tx) -> pb.ProposeConversionRateResponse:
            row = {
                "rate_id": ids.derive("conversion-rate", tx.group_id, request.request_id),
                "group_id": tx.group_id,
                "from_currency_id": source.currency_id,
                "to_currency_id": target.currency_id,
                "state": pb.CONVERSION_RATE_STATE_PROPOSED,
                "numerator": request.numerator,
                "denominator": request.denominator,
                "min_points": request.min_points,
                "max_points": request.max_points,
                "step_points": request.step_points or 1,
                "daily_limit_points": request.daily_limit_points,
                "start_time": start or tx.now,
                "end_time": end,
                "proposed_by": tx.caller.subject,
                "decided_by": "",
                "create_time": tx.now,
                "decide_time": None,
            }
            await tx.execute(insert(conversion_rate).values(row))
            return pb.ProposeConversionRateResponse(rate=_rate_message(row))

        return await self._db.run_once(request, pb.ProposeConversionRateResponse, propose)

    async def decide(self, request: pb.DecideConversionRateRequest) -> pb.DecideConversionRateResponse:
        """Approve or reject.

        Raises: ConversionRateUnknown, ConversionRateDecided, SecondPersonRequired, RequestIdReused, what org refuses.
        """
        rate_id = ids.from_edge("rat", request.rate_id, "rate_id")

        async def decide(tx: Tx) -> pb.DecideConversionRateResponse:
            result = await tx.execute(
                text("SELECT * FROM conversion_rate WHERE rate_id = :id AND group_id = :group_id FOR UPDATE"),
                {"id": rate_id, "group_id": tx.group_id},
            )
            row = result.mappings().one_or_none()
            if row is None:
                raise ConversionRateUnknown(rate_id=request.rate_id)
            if row["state"] != pb.CONVERSION_RATE_STATE_PROPOSED:
                raise ConversionRateDecided(rate_id=request.rate_id, decided_by=row["decided_by"])
            if row["proposed_by"] == tx.caller.subject:
                raise SecondPersonRequired
            tx.before = _rate_message(row)
            decision = APPROVE if request.is_approved else REJECT
            decided_by = await self._second.decide(tx, _ask_for(tx.before), decision)
            state = pb.CONVERSION_RATE_STATE_APPROVED if request.is_approved else pb.CONVERSION_RATE_STATE_REJECTED
            result = await tx.execute(
                text(
                    """UPDATE conversion_rate SET state = :state, decided_by = :by, decide_time = :now,
                              start_time = greatest(start_time, :now) WHERE rate_id = :id RETURNING *"""
                ),
                {"id": rate_id, "state": state, "by": decided_by, "now": tx.now},
            )
            return pb.DecideConversionRateResponse(rate=_rate_message(result.mappings().one()))

        return await self._db.run_once(request, pb.DecideConversionRateResponse, decide)

    async def list_rates(self, state: int) -> pb.ListConversionRatesResponse:
        """The newest rates of the caller's group."""
        async with self._db.reading(rpc.caller()) as tx:
            result = await tx.execute(
                text(
                    """SELECT * FROM conversion_rate WHERE group_id = :group_id AND (:state = 0 OR state = :state)
                       ORDER BY create_time DESC, rate_id LIMIT :most"""
                ),
                {"group_id": tx.group_id, "state": state, "most": MOST_RATES},
            )
            return pb.ListConversionRatesResponse(rates=map(_rate_message, result.mappings()))

    async def quote(self, group_id: UUID, request: pb.QuoteConversionRequest) -> pb.QuoteConversionResponse:
        """What an amount becomes now. Raises CurrencyUnknown, ConversionNotOffered."""
        source = await self._currencies.get(group_id, request.from_currency_id)
        target = await self._currencies.get(group_id, request.to_currency_id)
        rate = await self._rate_at(group_id, source, target, await self._db.now())
        found = _exchange_at(rate, request.points)
        return pb.QuoteConversionResponse(
            rate=_rate_message(rate), taken_points=found.taken, given_points=found.given, left_points=found.left
        )

    async def convert(self, group_id: UUID, request: pb.ConvertPointsRequest) -> pb.ConvertPointsResponse:
        """Convert at the rate in force, which must be the one named.

        Raises: CurrencyUnknown, CurrencyClosed, ConversionNotOffered, ConversionRateChanged, as Spenders.require,
        ConversionAmountInvalid, ConversionLimitReached, InsufficientPoints, PointsOutOfBounds (the wallet of the target
        currency is full), RequestIdReused, Unavailable (unknown outcome: ask again).
        """
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        source = await self._currencies.get(group_id, request.from_currency_id)
        target = await self._currencies.get(group_id, request.to_currency_id)
        txn_id = ids.derive("convert", group_id, request.request_id)
        await self._spenders.require(group_id, member_id, txn_id)
        wallet_id = await self._currencies.open_wallet(group_id, member_id, source)
        to_wallet_id = await self._currencies.open_wallet(group_id, member_id, target)
        if await self._claims.request(request_key=txn_id, group_id=group_id, target_id=wallet_id) != wallet_id:
            raise RequestIdReused(request_id=request.request_id)
        now = await self._db.now()
        limit_points = 0
        row = await self._find(wallet_id, txn_id)
        if row is not None:  # done before, maybe at a rate of the past
            given, taken, rate_id, expire_time = row["to_points"], row["points"], row["rate_id"], row["to_expire_time"]
        else:
            target.require_open()
            rate = await self._rate_at(group_id, source, target, now)
            rate_id, limit_points = rate["rate_id"], rate["daily_limit_points"]
            if ids.to_edge("rat", rate_id) != request.rate_id:
                raise ConversionRateChanged(rate_id=request.rate_id, current_rate_id=ids.to_edge("rat", rate_id))
            found = _exchange_at(rate, request.points)
            given, taken = found.given, found.taken
            if not given:
                limits = {name: rate[name] for name in ("min_points", "max_points", "step_points")}
                raise ConversionAmountInvalid(points=request.points, **limits)
            if not await queries.has_room(self._db.pool, to_wallet_id, given) and not await self._find(
                wallet_id, txn_id
            ):
                raise PointsOutOfBounds
            expire_time = target.expiry_at(await self._lookup.group(group_id), now)
        detail = pb.Funding(
            member_id=request.member_id, other_currency_id=target.edge, rate_id=ids.to_edge("rat", rate_id)
        ).SerializeToString(deterministic=True)
        outcome = await self._ledger.apply_one(
            Item(
                kind=Kind.CONVERT_OUT,
                wallet_id=wallet_id,
                group_id=group_id,
                txn_id=txn_id,
                request_hash=request_hash(request),
                points=taken,
                occur_time=now,
                store_id=rate_id,
                ref_id=to_wallet_id,
                expire_time=expire_time,
                amount_minor=given,
                expected=limit_points,
                detail=detail,
                payload=detail,
            )
        )
        _check(outcome, request, taken, limit_points)
        row = await self._find(wallet_id, txn_id)
        await self._arrive(row)
        return pb.ConvertPointsResponse(
            txn_id=ids.to_edge("txn", txn_id),
            taken_points=row["points"],
            given_points=row["to_points"],
            available_points=outcome.available_points,
            is_replay=outcome.status is Status.REPLAY,
        )

    async def finish(self, now: datetime) -> None:
        """Make everything arrive that is on its way."""
        run = Rows("points-conversions")
        after = (UUID(int=0), UUID(int=0))
        while rows := await self._db.pool.fetch(
            """SELECT * FROM conversion WHERE NOT has_arrived AND (wallet_id, txn_id) > ($1, $2)
               ORDER BY wallet_id, txn_id LIMIT $3""",
            *after,
            CHUNK,
        ):
            for row in rows:
                with run.row(txn_id=row["txn_id"]):
                    await self._arrive(row)
            after = (rows[-1]["wallet_id"], rows[-1]["txn_id"])
        run.end()

    async def _find(self, wallet_id: UUID, txn_id: UUID) -> Any:
        return await self._db.pool.fetchrow(
            "SELECT * FROM conversion c WHERE c.wallet_id = $1 AND c.txn_id = $2", wallet_id, txn_id
        )

    async def _arrive(self, row: Any) -> None:
        """Put what a conversion gives into its wallet, if that has room; again changes nothing."""
        if row["has_arrived"]:
            return
        source = await self._db.pool.fetchrow(
            "SELECT w.currency_id, w.group_id, w.owner_id FROM wallet w WHERE w.wallet_id = $1", row["wallet_id"]
        )
        detail = pb.Funding(
            member_id=ids.to_edge("mbr", source["owner_id"] or row["wallet_id"]),
            other_currency_id=ids.to_edge("cur", source["currency_id"] or source["group_id"]),
            rate_id=ids.to_edge("rat", row["rate_id"]),
        ).SerializeToString(deterministic=True)
        lots = new_lots(row["txn_id"], json.loads(row["lots"]), row["to_points"], row["to_expire_time"])
        item = Item(
            kind=Kind.FUND,
            wallet_id=row["to_wallet_id"],
            group_id=row["group_id"],
            txn_id=ids.derive("convert-in", row["txn_id"]),
            request_hash=row["txn_id"].bytes,
            points=row["to_points"],
            occur_time=row["record_time"],
            ref_id=row["txn_id"],
            expire_time=row["to_expire_time"],
            detail=detail,
            explanation=json.dumps(lots).encode(),
            payload=detail,
        )
        try:
            outcome = await self._ledger.apply_one(item)
        except PointsOutOfBounds as error:
            log.warning("conversion_waits", txn_id=str(row["txn_id"]), reason=error.reason)
            return
        if outcome.status not in (Status.APPLIED, Status.REPLAY):
            raise Internal
        await self._db.pool.execute(
            "UPDATE conversion SET has_arrived = true WHERE wallet_id = $1 AND txn_id = $2",
            row["wallet_id"],
            row["txn_id"],
        )

    async def _rate_at(self, group_id: UUID, source: Currency, target: Currency, now: datetime) -> Any:
        """The rate in force: of those approved the last that has started, if it has not ended."""
        row = await self._db.pool.fetchrow(
            """SELECT * FROM conversion_rate
               WHERE group_id = $1 AND from_currency_id = $2 AND to_currency_id = $3 AND state = 2 AND start_time <= $4
               ORDER BY start_time DESC, decide_time DESC, rate_id LIMIT 1""",
            group_id,
            source.currency_id,
            target.currency_id,
            now,
        )
        if row is None or (row["end_time"] is not None and row["end_time"] <= now):
            raise ConversionNotOffered(from_currency_id=source.edge, to_currency_id=target.edge)
        return row


def _exchange_at(rate: Any, points: int) -> Exchange:
    return exchange(
        points,
        numerator=rate["numerator"],
        denominator=rate["denominator"],
        step=rate["step_points"],
        min_points=rate["min_points"],
        max_points=rate["max_points"],
    )


def _check(outcome: Outcome, request: pb.ConvertPointsRequest, taken: int, limit_points: int) -> None:
    match outcome.status:
        case Status.APPLIED | Status.REPLAY:
            return
        case Status.CONFLICT:
            raise RequestIdReused(request_id=request.request_id)
        case Status.CONVERSION_LIMIT:
            raise ConversionLimitReached(left_points=outcome.points, limit_points=limit_points)
        case Status.INSUFFICIENT:
            raise InsufficientPoints(available_points=outcome.available_points, requested_points=taken)
        case _:
            raise Internal


def _ask_for(rate: pb.ConversionRate) -> Ask:
    return Ask(
        key=rate.rate_id,
        action="huitong.points.v1.ConversionService/DecideConversionRate",
        permission="points.conversion-rates.decide",
        content=rate,
        summary=f"Convert {rate.from_currency_id} to {rate.to_currency_id}, {rate.denominator} for {rate.numerator}",
        asked_by=rate.proposed_by,
        valid_hours=RATE_DAYS * 24,
    )


def _rate_message(row: Any) -> pb.ConversionRate:
    return pb.ConversionRate(
        rate_id=ids.to_edge("rat", row["rate_id"]),
        state=row["state"],
        from_currency_id=ids.to_edge("cur", row["from_currency_id"]),
        to_currency_id=ids.to_edge("cur", row["to_currency_id"]),
        numerator=row["numerator"],
        denominator=row["denominator"],
        min_points=row["min_points"],
        max_points=row["max_points"],
        step_points=row["step_points"],
        daily_limit_points=row["daily_limit_points"],
        start_time=to_timestamp(row["start_time"]),
        end_time=to_timestamp(row["end_time"]),
        proposed_by=row["proposed_by"],
        decided_by=row["decided_by"],
    )
