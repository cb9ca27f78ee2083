"""What rules would do: one sale by the rules in force or a draft, a span of past sales by a draft. Moves nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from sqlalchemy import insert, select

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument, Overloaded, Unavailable
from chassis.identity import CallerKind
from huitong.points.v1 import points_pb2, rules_pb2
from services.points import queries, store
from services.points.convert import from_date, rule_set_of, to_date, to_expiry
from services.points.earning import rules
from services.points.earning.awards import explain_awards
from services.points.earning.currency_offers import currencies_of
from services.points.earning.earning import (
    EARLIEST_YEAR,
    NOTHING_KNOWN,
    Computation,
    Known,
    check_sale,
    lines_of,
    sale_id_of,
)
from services.points.earning.limited import Count, Taker, caps_of, has_months, lasting_caps, limit
from services.points.earning.member_facts import Asked, MemberFacts
from services.points.errors import MemberUnknown, RuleDraftUnknown, RuleSimulationUnknown, SpanInvalid
from services.points.lookup import Lookup, Member, Store
from services.points.rule_sets import operations as rule_sets
from services.points.rule_sets.simulated import Sums
from services.points.wallets.currencies import Currencies

log = structlog.get_logger()

CHUNK_SALES, PAUSE_SALES = 1_000, 100
RUNNING, DONE, FAILED = (
    int(state)
    for state in (
        rules_pb2.RULE_SIMULATION_STATE_RUNNING,
        rules_pb2.RULE_SIMULATION_STATE_DONE,
        rules_pb2.RULE_SIMULATION_STATE_FAILED,
    )
)
# Nobody's fault but the database's.
_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InterfaceError,
    OSError,
    Unavailable,
    Overloaded,
)
_columns = store.rule_simulation.c
_SPAN = "group_id = $1 AND kind = 1 AND occur_time >= $2 AND occur_time < $3"


async def quote_sale(
    db: Database, lookup: Lookup, facts: MemberFacts, group_id: UUID, request: rules_pb2.QuoteSaleRequest
) -> rules_pb2.QuoteSaleResponse:
    """What a sale would earn and why, with what limits have left now; takes nothing from them.

    Raises: StoreUnknown, MemberUnknown, LinesDoNotSum, SaleTimeInvalid, CurrencyMismatch, RuleSetUnknown,
    RuleDraftUnknown, and what member answers to a code.
    """
    sale = request.sale
    if sale.WhichOneof("identity") == "member_code":
        member_id = await lookup.identify(group_id, sale.member_code)
    else:
        member_id = ids.from_edge("mbr", sale.member_id, "sale.member_id")
    data, members, now = await lookup.members(group_id, {member_id})
    if member_id not in members:
        raise MemberUnknown(member_id=ids.to_edge("mbr", member_id))
    place = await lookup.store(group_id, ids.from_edge("sto", sale.store_id, "sale.store_id"), data)
    lines = lines_of(sale)
    sale_time = check_sale(sale, lines, place=place, now=now)
    if request.draft_id:
        if rpc.caller().kind is CallerKind.TERMINAL:
            raise RuleDraftUnknown(draft_id=request.draft_id)
        async with db.reading(rpc.caller()) as tx:
            draft = await rule_sets.get_draft(tx, ids.from_edge("rdr", request.draft_id, "draft_id"))
        rule_set = rule_set_of(draft.rule_set)
    else:
        rule_set = data.rule_set_at(sale_time, place.time_zone)
    known = Known(throttle=data.throttle_at(rule_set, place.business_unit_id, sale_time))
    sale_id = sale_id_of(place.store_id, sale.source, sale.receipt_no)
    person_id = members[member_id].survivor_id or member_id
    if rule_set.asks_of_member:
        asked = _asked(rule_set, group_id, person_id, sale, place, sale_time)
        ((segments, first_in),) = await facts.of([asked], data.stores, claim=False)
        known = known._replace(segments=segments, first_in=first_in)

    compute = Computation(sale, lines, member=members[member_id], place=place, sale_time=sale_time, rule_set=rule_set)
    computed = compute(known)
    taker = Taker(group_id, sale_id, person_id, place.store_id)
    if caps := caps_of(computed, taker):
        computed = limit(computed, compute, taker, Count(await queries.list_used(db.pool, caps)))
    unlock_time = computed.unlock_time(place.time_zone, now)
    explanation = computed.explanation(unlock_time, place.time_zone)
    if computed.awards:
        currencies = Currencies(db, lookup, 0)  # only looks, opens no wallet
        explanation += explain_awards(
            await currencies.some(group_id, currencies_of(computed.awards)),
            data,
            computed,
            place,
            now,
            sale_id=sale_id,
            sale_time=sale_time,
            unlock_time=unlock_time,
        )
    return rules_pb2.QuoteSaleResponse(
        points=computed.earning.points,
        expire_time=to_expiry(computed.expire_time(place.time_zone)),
        explanation=points_pb2.Explanation.FromString(explanation),
    )


def _asked(
    rule_set: rules.RuleSet,
    group_id: UUID,
    member_id: UUID,
    sale: points_pb2.RecordSaleRequest,
    place: Store,
    sale_time: datetime,
) -> Asked:
    sale_id = sale_id_of(place.store_id, sale.source, sale.receipt_no)
    return Asked(rule_set, group_id, member_id, sale_id, place, sale_time, sale.total.amount_minor)


async def start_simulation(
    tx: Tx, *, request_id: str, draft_id: UUID, first_date: date, last_date: date
) -> rules_pb2.RuleSimulation:
    """Ask for a span of sales to be computed by a draft. Raises RuleDraftUnknown, SpanInvalid."""
    if last_date < first_date:
        raise SpanInvalid(first_date=first_date, last_date=last_date)
    await rule_sets.get_draft(tx, draft_id)
    row = {
        "group_id": tx.group_id,
        "simulation_id": ids.derive(tx.group_id, "rule_simulation", request_id),
        "draft_id": draft_id,
        "first_date": first_date,
        "last_date": last_date,
        "state": RUNNING,
        "done_sale_count": 0,
        "total_sale_count": 0,
        "problem": "",
        "result": None,
        "create_time": tx.now,
    }
    await tx.execute(insert(store.rule_simulation).values(row))
    return _to_proto(row)


async def get_simulation(tx: Tx, simulation_id: UUID) -> rules_pb2.RuleSimulation:
    """How far it is. Raises RuleSimulationUnknown."""
    own = (_columns.group_id == tx.group_id) & (_columns.simulation_id == simulation_id)
    row = (await tx.execute(select(store.rule_simulation).where(own))).mappings().one_or_none()
    if row is None:
        raise RuleSimulationUnknown(simulation_id=ids.to_edge("rsm", simulation_id))
    return _to_proto(row)


def _to_proto(row: Any) -> rules_pb2.RuleSimulation:
    return rules_pb2.RuleSimulation(
        simulation_id=ids.to_edge("rsm", row["simulation_id"]),
        state=row["state"],
        draft_id=ids.to_edge("rdr", row["draft_id"]),
        first_date=to_date(row["first_date"]),
        last_date=to_date(row["last_date"]),
        done_sale_count=row["done_sale_count"],
        total_sale_count=row["total_sale_count"],
        problem=row["problem"],
        result=rules_pb2.SimulationResult.FromString(row["result"]) if row["result"] is not None else None,
    )


class Simulations:
    """Runs what was asked for, one after the other. One that a crash left begins anew: it has changed nothing."""

    def __init__(self, db: Database, lookup: Lookup, facts: MemberFacts) -> None:
        self._db, self._lookup, self._facts = db, lookup, facts

    async def run_all(self, _now: datetime) -> None:
        """The job: run every simulation that is not done.

        What fails for a reason of its own is told its reason; what the database was not there for begins anew with the
        next run. Neither keeps the others waiting.
        """
        tried: list[UUID] = []
        unavailable: Exception | None = None
        while row := await self._db.pool.fetchrow(
            "SELECT * FROM rule_simulation WHERE state = 1 AND simulation_id <> ALL ($1) ORDER BY create_time LIMIT 1",
            tried,
        ):
            tried.append(row["simulation_id"])
            done: tuple[int, str, bytes | None]
            try:
                result = await self.run(row)
                done = (DONE, "", result.SerializeToString(deterministic=True))
            except _GONE as error:
                log.warning("rule_simulation_interrupted", simulation_id=str(row["simulation_id"]), error=repr(error))
                unavailable = error
                continue
            except Exception as error:
                log.error("rule_simulation_failed", simulation_id=str(row["simulation_id"]), exc_info=error)
                done = (FAILED, _reason_of(error), None)
            await self._db.pool.execute(
                "UPDATE rule_simulation SET state = $3, problem = $4, result = $5"
                " WHERE group_id = $1 AND simulation_id = $2",
                row["group_id"],
                row["simulation_id"],
                *done,
            )
        if unavailable is not None:
            raise unavailable

    async def run(self, row: Mapping[str, Any]) -> rules_pb2.SimulationResult:
        """What one comes to; writes how far it is and nothing else."""
        group_id: UUID = row["group_id"]
        async with self._db.reading(rpc.internal_caller("points", group_id)) as tx:
            draft = rule_set_of((await rule_sets.get_draft(tx, row["draft_id"])).rule_set)
        data = await self._lookup.group(group_id)
        # Wide enough for business dates anywhere on earth; Sums leaves out what is not of the span.
        span = (
            rules.start_of(row["first_date"] - timedelta(days=1), "UTC"),
            rules.start_of(row["last_date"] + timedelta(days=2), "UTC"),
        )
        total = await self._db.pool.fetchval(f"SELECT count(*) FROM txn WHERE {_SPAN}", group_id, *span)
        sums = Sums(data, draft, row["first_date"], row["last_date"])
        count = Count(await self._used_before(group_id, draft, row["first_date"]))
        own = (group_id, row["simulation_id"])
        seen = 0
        async for sales in self._chunks(group_id, *span):
            await self._progress(*own, done=seen, total=total)
            await self._add(group_id, sales, sums, count)
            seen += len(sales)
        await self._progress(*own, done=sums.sale_count, total=sums.sale_count)
        return sums.result()

    async def _used_before(self, group_id: UUID, draft: rules.RuleSet, first_date: date) -> dict[UUID, int]:
        """What sales before a span took of the draft's caps that do not begin anew with it."""
        used: dict[UUID, int] = {}
        month = first_date.replace(day=1)
        if month < first_date and has_months(draft):
            used |= await queries.list_used_between(self._db.pool, group_id, month, first_date)
        if lasting := lasting_caps(draft, group_id):
            start = date(EARLIEST_YEAR, 1, 1)
            used |= await queries.list_used_between(self._db.pool, group_id, start, first_date, lasting)
        return used

    async def _chunks(self, group_id: UUID, start: datetime, end: datetime) -> AsyncIterator[Sequence[asyncpg.Record]]:
        """The span's sales as they were recorded and what came back of them, in one snapshot and in their order."""
        async with self._db.pool.acquire() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(
                f"""SELECT s.*, r.returned_lines
                    FROM (SELECT wallet_id, txn_id, version, store_id, merchant_id, points, amount_minor, occur_time,
                                 record_time, detail, explanation
                          FROM txn WHERE {_SPAN}) s
                    LEFT JOIN sale_refund r ON r.wallet_id = s.wallet_id AND r.sale_id = s.txn_id
                    ORDER BY s.occur_time, s.record_time, s.version, s.wallet_id""",
                group_id,
                start,
                end,
            )
            while sales := await cursor.fetch(CHUNK_SALES):
                yield sales

    async def _add(self, group_id: UUID, sales: Sequence[asyncpg.Record], sums: Sums, count: Count) -> None:
        _, members, _ = await self._lookup.members(group_id, {sale["wallet_id"] for sale in sales})
        requests = [points_pb2.RecordSaleRequest.FromString(sale["detail"]) for sale in sales]
        places = [sums.data.stores.get(sale["store_id"]) for sale in sales]
        known = [NOTHING_KNOWN] * len(sales)
        if sums.draft.asks_of_member:
            asked = [
                _asked(sums.draft, group_id, sale["wallet_id"], request, place, sale["occur_time"])
                for sale, request, place in zip(sales, requests, places, strict=True)
                if place is not None
            ]
            if len(asked) == len(sales):
                answers = await self._facts.of(asked, sums.data.stores, claim=False)
                known = [Known(segments=segments, first_in=first_in) for segments, first_in in answers]
        for number, (sale, request, place) in enumerate(zip(sales, requests, places, strict=True)):
            member = members.get(sale["wallet_id"])
            if place is None or member is None:
                raise ValueError("a sale of a store or member that is not there")
            _add_one(group_id, sale, request, sums, count, member=member, place=place, known=known[number])
            if number % PAUSE_SALES == 0:
                await asyncio.sleep(0)  # tills do not wait for a simulation

    async def _progress(self, group_id: UUID, simulation_id: UUID, *, done: int, total: int) -> None:
        await self._db.pool.execute(
            "UPDATE rule_simulation SET done_sale_count = $3, total_sale_count = $4"
            " WHERE group_id = $1 AND simulation_id = $2",
            group_id,
            simulation_id,
            done,
            total,
        )


def _add_one(
    group_id: UUID,
    sale: asyncpg.Record,
    request: points_pb2.RecordSaleRequest,
    sums: Sums,
    count: Count,
    *,
    member: Member,
    place: Store,
    known: Known,
) -> None:
    """Compute a sale by the draft, with what caps have left and the throttle of its time, and add it up."""
    draft, sale_time = sums.draft, sale["occur_time"]
    compute = Computation(request, lines_of(request), member=member, place=place, sale_time=sale_time, rule_set=draft)
    if throttle := sums.data.throttle_at(draft, place.business_unit_id, sale_time):
        known = known._replace(throttle=throttle)
    computed = compute(known)
    if sums.has_in_span(computed.business_date):
        taker = Taker(group_id, sale["txn_id"], sale["wallet_id"], place.store_id)
        sums.add(sale, request, limit(computed, compute, taker, count), place)


def _reason_of(error: Exception) -> str:
    """Why a simulation failed, for who asked for it."""
    match error:
        case AppError() | ValueError():
            return str(error)
        case asyncpg.QueryCanceledError():
            return "the sales of the span took too long to read; try a shorter one"
        case _:
            return "an error of the service; it is in its log"


def span_of(request: rules_pb2.StartRuleSimulationRequest) -> tuple[date, date]:
    """The dates of a request. Raises InvalidArgument."""
    dates = []
    for field in ("first_date", "last_date"):
        try:
            dates.append(from_date(getattr(request, field)))
        except ValueError:
            raise InvalidArgument([(field, "does not exist")]) from None
    return dates[0], dates[1]
