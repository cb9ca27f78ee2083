"""ContractService and StatementService: proto → plain values → operation → proto."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from uuid import UUID

import grpc

from chassis import ids, pages, rpc
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2, points_pb2_grpc
from huitong.settlement.v1 import settlement_pb2 as pb
from huitong.settlement.v1 import settlement_pb2_grpc
from services.settlement import operations, statements, store
from services.settlement.copies import Copies
from services.settlement.errors import MerchantUnknown, PeriodInvalid
from services.settlement.journal import OTHERS_MONEY, TOTAL_FIGURES
from services.settlement.reconciliation import FIGURES, differences
from services.settlement.rules import Terms
from services.settlement.statements import MovementRow, PeriodSums, StatementRow


class ContractServicer(settlement_pb2_grpc.ContractServiceServicer):
    """Terms of merchants."""

    def __init__(self, database: Database, copies: Copies) -> None:
        self._db, self._copies = database, copies

    async def SetContract(
        self, request: pb.SetContractRequest, context: grpc.aio.ServicerContext
    ) -> pb.SetContractResponse:
        """Set a merchant's terms from a date on."""
        return await self._set(request, self._copies.ensure_merchant)

    async def SetContracts(
        self, request: pb.SetContractsRequest, context: grpc.aio.ServicerContext
    ) -> pb.SetContractsResponse:
        """Set the terms of many merchants; a bad line does not hold up the others."""
        answer = pb.SetContractsResponse()
        ensure_merchant = self._copies.once()
        for line in request.contracts:
            try:
                answer.results.add(saved=await self._set(line, ensure_merchant))
            except AppError as error:
                answer.results.add(problem=error.to_problem())
        return answer

    async def _set(
        self, request: pb.SetContractRequest, ensure_merchant: Callable[[UUID], Awaitable[None]]
    ) -> pb.SetContractResponse:
        merchant_id = ids.from_edge("mch", request.contract.merchant_id, "contract.merchant_id")
        terms = _to_terms(request.contract)
        await ensure_merchant(merchant_id)

        async def operation(tx: Tx) -> pb.SetContractResponse:
            if before := await store.find_contract(tx, merchant_id, terms.effective_date):
                tx.before = pb.SetContractResponse(contract=_to_contract(merchant_id, before))
            await operations.set_contract(tx, merchant_id=merchant_id, terms=terms)
            return pb.SetContractResponse(contract=request.contract)

        return await self._db.run_once(request, pb.SetContractResponse, operation)

    async def ListContracts(
        self, request: pb.ListContractsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListContractsResponse:
        """Contracts by merchant and date; every merchant has its default terms from 1900 on."""
        size = pages.page_size(request.page_size)
        after = None
        if request.page_token:
            merchant_text, date_text = pages.decode_token(request.page_token, 2)
            after = (_uuid(merchant_text), _iso(date_text))
        of_merchant = ids.optional_from_edge("mch", request.merchant_id, "merchant_id")
        async with self._db.reading(rpc.caller()) as tx:
            rows = await store.list_contracts(tx, merchant_id=of_merchant, after=after, limit=size + 1)
        answer = pb.ListContractsResponse(contracts=[_to_contract(*row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = pages.encode_token(rows[size - 1][0], rows[size - 1][1].effective_date)
        return answer


class StatementServicer(settlement_pb2_grpc.StatementServiceServicer):
    """Periods, statements, totals and reconciliation."""

    def __init__(self, database: Database, ledger: points_pb2_grpc.LedgerServiceStub) -> None:
        self._db, self._ledger = database, ledger

    async def ListStatements(
        self, request: pb.ListStatementsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListStatementsResponse:
        """Statements of a period by merchant."""
        _check_period(request.period)
        size = pages.page_size(request.page_size)
        after = _uuid(pages.decode_token(request.page_token, 1)[0]) if request.page_token else None
        unit_id = ids.optional_from_edge("unt", request.business_unit_id, "business_unit_id")
        async with self._db.reading(rpc.caller()) as tx:
            rows = await statements.list_statements(tx, request.period, unit_id=unit_id, after=after, limit=size + 1)
        answer = pb.ListStatementsResponse(statements=[_to_statement(row) for row in rows[:size]])
        if len(rows) > size:
            answer.next_page_token = pages.encode_token(rows[size - 1].merchant_id)
        return answer

    async def GetStatement(
        self, request: pb.GetStatementRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetStatementResponse:
        """One merchant's statement with its movements, oldest first."""
        _check_period(request.period)
        merchant_id = ids.from_edge("mch", request.merchant_id, "merchant_id")
        size = pages.page_size(request.page_size)
        after = None
        if request.page_token:
            time_text, id_text = pages.decode_token(request.page_token, 2)
            after = (_iso_time(time_text), _uuid(id_text))
        async with self._db.reading(rpc.caller()) as tx:
            currency_code = await store.find_merchant_currency(tx, merchant_id)
            if currency_code is None:
                raise MerchantUnknown(merchant_id=request.merchant_id)
            row = await statements.get_statement(tx, request.period, merchant_id, currency_code)
            movements = await statements.list_movements(tx, request.period, merchant_id, after=after, limit=size + 1)
        answer = pb.GetStatementResponse(
            statement=_to_statement(row), movements=[_to_movement(movement) for movement in movements[:size]]
        )
        if len(movements) > size:
            last = movements[size - 1]
            answer.next_page_token = pages.encode_token(last.occur_time.isoformat(), last.entry_id)
        return answer

    async def ListPeriods(
        self, request: pb.ListPeriodsRequest, context: grpc.aio.ServicerContext
    ) -> pb.ListPeriodsResponse:
        """Periods with their sums."""
        async with self._db.reading(rpc.caller()) as tx:
            rows = await statements.list_periods(tx)
        return pb.ListPeriodsResponse(periods=[_to_period(row) for row in rows])

    async def GetSettlementTotals(
        self, request: pb.GetSettlementTotalsRequest, context: grpc.aio.ServicerContext
    ) -> pb.GetSettlementTotalsResponse:
        """Totals over all periods by merchant."""
        unit_id = ids.optional_from_edge("unt", request.business_unit_id, "business_unit_id")
        async with self._db.reading(rpc.caller()) as tx:
            rows = await statements.list_totals(tx, unit_id)
            units = [each for each in await statements.list_unit_totals(tx) if unit_id in (None, each[0])]
        if unit_id is not None:
            return pb.GetSettlementTotalsResponse(
                merchants=[_to_statement(row) for row in rows],
                unit_minor=sum(paid_minor for _, paid_minor in units),
                units=[_to_unit_total(*unit) for unit in units],
            )
        fund_minor = sum(row.figures["fund_minor"] for row in rows)
        platform_minor = sum(row.figures["platform_minor"] for row in rows)
        unit_minor = sum(row.figures["unit_minor"] for row in rows)
        return pb.GetSettlementTotalsResponse(
            merchants=[_to_statement(row) for row in rows],
            fund_minor=fund_minor,
            platform_minor=platform_minor,
            imbalance_minor=sum(row.net_minor for row in rows) + fund_minor + platform_minor + unit_minor,
            unit_minor=unit_minor,
            units=[_to_unit_total(*unit) for unit in units],
        )

    async def Reconcile(self, request: pb.ReconcileRequest, context: grpc.aio.ServicerContext) -> pb.ReconcileResponse:
        """Compare with the points ledger, figure by figure."""
        ledger: points_pb2.GetTotalsResponse = await rpc.call(self._ledger.GetTotals, points_pb2.GetTotalsRequest())
        async with self._db.reading(rpc.caller()) as tx:
            rows = await statements.list_totals(tx)
        theirs = {
            ids.from_edge("mch", one.merchant_id, "merchant_id"): {
                "issued_points": one.issued.issued_points,
                "clawed_back_points": one.issued.clawed_back_points,
                "redeemed_points": one.issued.redeemed_points,
                "expired_points": one.issued.expired_points,
                "accepted_points": one.accepted_points,
            }
            for one in ledger.merchants
        }
        ours = {row.merchant_id: {name: row.figures[column] for name, column in FIGURES.items()} for row in rows}
        found = differences(theirs, ours)
        return pb.ReconcileResponse(
            is_equal=not found,
            differences=[
                pb.Difference(
                    merchant_id=ids.to_edge("mch", one.merchant_id),
                    figure=one.figure,
                    ledger_points=one.ledger_points,
                    settlement_points=one.settlement_points,
                )
                for one in found
            ],
            merchant_count=len(theirs.keys() | ours.keys()),
        )


# ---- proto ⇄ plain values


def _to_terms(contract: pb.Contract) -> Terms:
    value = contract.effective_date
    try:
        effective_date = date(value.year, value.month, value.day)
    except ValueError:
        raise InvalidArgument([("contract.effective_date", "is not a day of the calendar")]) from None
    return Terms(
        effective_date,
        contract.issue_price_centi,
        contract.redeem_price_centi,
        contract.platform_fee_bps,
        contract.parking_waiver_bps,
        contract.merchant_keeps_breakage,
    )


def _to_contract(merchant_id: UUID, terms: Terms) -> pb.Contract:
    day = terms.effective_date
    return pb.Contract(
        merchant_id=ids.to_edge("mch", merchant_id),
        effective_date=types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day),
        issue_price_centi=terms.issue_price_centi,
        redeem_price_centi=terms.redeem_price_centi,
        platform_fee_bps=terms.platform_fee_bps,
        parking_waiver_bps=terms.parking_waiver_bps,
        merchant_keeps_breakage=terms.merchant_keeps_breakage,
    )


_SHOWN = {name: name for name in TOTAL_FIGURES if name not in (*OTHERS_MONEY, "entry_count")}
_SHOWN["accepted_points"] = "redeemed_points"


def _to_statement(row: StatementRow) -> pb.Statement:
    return pb.Statement(
        merchant_id=ids.to_edge("mch", row.merchant_id),
        period=row.period,
        currency_code=row.currency_code,
        net_minor=row.net_minor,
        is_closed=row.is_closed,
        **{shown: row.figures[name] for name, shown in _SHOWN.items()},
    )


def _to_movement(row: MovementRow) -> pb.StatementMovement:
    movement = pb.StatementMovement(
        entry_id=ids.to_edge("ent", row.entry_id),
        kind=row.kind.value,  # type: ignore[arg-type]
        points=row.points,
        amount_minor=row.amount_minor,
        source_id=row.source_id,
        lots=[
            pb.LotPart(
                lot_id=ids.to_edge("lot", part.lot_id),
                issuer_merchant_id=ids.to_edge("mch", part.issuer_id),
                points=part.points,
                amount_minor=part.amount_minor,
            )
            for part in row.parts
        ],
    )
    movement.occur_time.FromDatetime(row.occur_time)
    return movement


def _to_unit_total(unit_id: UUID, paid_minor: int) -> pb.UnitTotal:
    return pb.UnitTotal(business_unit_id=ids.to_edge("unt", unit_id), unit_minor=paid_minor)


def _to_period(row: PeriodSums) -> pb.Period:
    period = pb.Period(
        period=row.period,
        is_closed=row.close_time is not None,
        merchants_net_minor=row.merchants_net_minor,
        fund_minor=row.fund_minor,
        platform_minor=row.platform_minor,
        unit_minor=row.unit_minor,
        imbalance_minor=row.merchants_net_minor + row.fund_minor + row.platform_minor + row.unit_minor,
        entry_count=row.entry_count,
    )
    if row.close_time is not None:
        period.close_time.FromDatetime(row.close_time)
    return period


def _check_period(period: str) -> None:
    if not "1900-01" <= period <= "9998-12":
        raise PeriodInvalid(period=period)


def _bad_token() -> InvalidArgument:
    return InvalidArgument([("page_token", "is not a token that this list gave")])


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise _bad_token() from None


def _iso(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _bad_token() from None


def _iso_time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_token() from None
    if time.tzinfo is None:
        raise _bad_token()
    return time


__all__: Sequence[str] = ["ContractServicer", "StatementServicer"]
