"""RPCs: messages → values → operations → messages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis import acts, ids, rpc
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from chassis.pages import decode_token, encode_token, page_size
from huitong.points.v1 import (
    adjustments_pb2,
    adjustments_pb2_grpc,
    events_pb2,
    points_pb2,
    points_pb2_grpc,
    wallets_pb2,
)
from services.points import queries
from services.points.convert import optional_edge, to_expiry, to_timestamp
from services.points.credits.adjustments import Adjustments, list_adjustments, to_message
from services.points.doors.single_sales import SingleSales
from services.points.earning.expiry import NEVER
from services.points.errors import MemberUnknown, SaleUnknown
from services.points.ledger.ledger import Kind
from services.points.ledger.movements import movement_of
from services.points.lookup import Lookup
from services.points.merging.operations import Merges
from services.points.operations import Sales
from services.points.refunds import Refunds
from services.points.spending.offsets import Offsets
from services.points.spending.operations import Spendings
from services.points.wallets.currencies import Currencies
from services.points.wallets.transfers import Transfers

NEXT_EXPIRIES = 12
NEXT_UNLOCKS = 12
MOST_SALES = 1_000
_LAST_VERSION = 2**63 - 1

_WITH_EXPIRY = (Kind.EARN, Kind.CREDIT, Kind.RENEW, Kind.FUND, Kind.AWARD)


def _seconds_left(context: Any) -> float:
    """How long the caller still waits; an item that starts later is dropped."""
    left = context.time_remaining()
    return rpc.DEFAULT_DEADLINE_SECONDS if left is None else min(left, rpc.LONGEST_DEADLINE_SECONDS)


class SalesServicer(points_pb2_grpc.SalesServiceServicer):
    """Sales and returns of goods."""

    def __init__(self, database: Database, sales: Sales, refunds: Refunds, merges: Merges) -> None:
        self._db, self._refunds, self._merges = database, refunds, merges
        self._sales, self._single_sales = sales, SingleSales(sales)

    async def RecordSale(self, request: points_pb2.RecordSaleRequest, context: Any) -> points_pb2.RecordSaleResponse:
        """One sale."""
        group_id, timeout_s = rpc.caller().group_id, _seconds_left(context)

        async def record() -> points_pb2.RecordSaleResponse:
            recorded = await self._single_sales.record(group_id, request, timeout_s=timeout_s)
            return recorded.answer(points_pb2.RecordSaleResponse())

        return await acts.noted(self._db, record)

    async def RecordSales(self, request: points_pb2.RecordSalesRequest, context: Any) -> points_pb2.RecordSalesResponse:
        """Many sales, each with its own answer."""
        if not 1 <= len(request.sales) <= MOST_SALES:
            raise InvalidArgument([("sales", f"must be 1 to {MOST_SALES}")])
        answers = await self._sales.record_sales(rpc.caller().group_id, request.sales, timeout_s=_seconds_left(context))
        response = points_pb2.RecordSalesResponse()
        for answer in answers:
            result = response.results.add()
            if isinstance(answer, AppError):
                result.problem.CopyFrom(answer.to_problem())
            else:
                answer.answer(result.recorded)
        return response

    async def RefundSale(self, request: points_pb2.RefundSaleRequest, context: Any) -> points_pb2.RefundSaleResponse:
        """A return of goods."""
        group_id = rpc.caller().group_id
        return await acts.noted(self._db, lambda: self._refunds.refund_sale(group_id, request))

    async def GetSale(self, request: points_pb2.GetSaleRequest, context: Any) -> points_pb2.GetSaleResponse:
        """One sale of a member with its explanation."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        sale_id = ids.from_edge("txn", request.sale_id, "sale_id")
        async with self._db.reading(rpc.caller()) as tx:
            row = await queries.find_sale_with_refunds(tx, member_id, sale_id)
            if row is None and (absorbed_id := await self._merges.wallet_of_sale(member_id, sale_id)) is not None:
                row = await queries.find_sale_with_refunds(tx, absorbed_id, sale_id)
        if row is None:
            raise SaleUnknown(sale=request.sale_id)
        sale = points_pb2.RecordSaleRequest.FromString(row["detail"])
        if request.store_id not in ("", sale.store_id):
            raise SaleUnknown(sale=request.sale_id)
        return points_pb2.GetSaleResponse(
            sale_id=request.sale_id,
            member_id=request.member_id,
            store_id=sale.store_id,
            source=sale.source,
            receipt_no=sale.receipt_no,
            sale_time=sale.sale_time,
            total=sale.total,
            lines=sale.lines,
            points=row["points"],
            explanation=points_pb2.Explanation.FromString(row["explanation"]),
            clawed_back_points=row["clawed_back_points"],
            refunded_minor=row["refunded_minor"],
            written_off_points=row["written_off_points"],
        )


class WalletServicer(points_pb2_grpc.WalletServiceServicer):
    """A member's points."""

    def __init__(
        self,
        database: Database,
        lookup: Lookup,
        spendings: Spendings,
        transfers: Transfers,
        currencies: Currencies,
        offsets: Offsets,
        merges: Merges,
    ) -> None:
        self._db, self._lookup, self._spendings, self._transfers = database, lookup, spendings, transfers
        self._currencies, self._offsets, self._merges = currencies, offsets, merges

    async def GetBalance(self, request: points_pb2.GetBalanceRequest, context: Any) -> points_pb2.GetBalanceResponse:
        """Balance, and what expires next."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        link = await self._lookup.require_member(rpc.caller().group_id, member_id)
        if link.survivor_id is not None:
            member_id = link.survivor_id
            request.member_id = ids.to_edge("mbr", member_id)
        wallet_id = await self._wallet(member_id, request.currency_id)
        async with self._db.reading(rpc.caller()) as tx:
            row = await queries.find_balance(tx, wallet_id)
            if row is None and wallet_id != member_id:
                return points_pb2.GetBalanceResponse(member_id=request.member_id)  # never had any of it
            if row is None:
                raise MemberUnknown(member_id=request.member_id)
            expiries = await queries.list_next_expiries(tx, wallet_id, NEXT_EXPIRIES)
            unlocks = await queries.list_next_unlocks(tx, wallet_id, NEXT_UNLOCKS) if row["pending_points"] else []
        return points_pb2.GetBalanceResponse(
            member_id=request.member_id,
            available_points=row["available_points"],
            held_points=row["held_points"],
            pending_points=row["pending_points"],
            debt_points=row["debt_points"],
            earned_points_total=row["earned_points"] - row["clawed_back_points"],
            spent_points_total=row["spent_points"],
            expired_points_total=row["expired_points"],
            lifetime_points_total=row["earned_points"],
            clawed_back_points_total=row["clawed_back_points"],
            transferred_points_total=row["transferred_points"],
            next_expiries=expiry_messages(expiries),
            next_unlocks=[
                points_pb2.Unlock(unlock_time=to_timestamp(due.time), points=due.points, is_at_least=due.is_at_least)
                for due in unlocks
            ],
        )

    async def ListStatement(
        self, request: points_pb2.ListStatementRequest, context: Any
    ) -> points_pb2.ListStatementResponse:
        """Every movement, newest first."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        await self._lookup.require_member(rpc.caller().group_id, member_id)
        if request.absorbed_member_id:
            absorbed_id = ids.from_edge("mbr", request.absorbed_member_id, "absorbed_member_id")
            if not await self._merges.may_read(member_id, absorbed_id):
                raise MemberUnknown(member_id=request.absorbed_member_id)
            member_id = absorbed_id
        wallet_id = await self._wallet(member_id, request.currency_id)
        async with self._db.reading(rpc.caller()) as tx:
            entries, token = await statement_page(tx, wallet_id, request.page_size, request.page_token)
        return points_pb2.ListStatementResponse(entries=entries, next_page_token=token)

    async def _wallet(self, member_id: UUID, currency_id: str) -> UUID:
        if not currency_id:
            return member_id
        return (await self._currencies.get(rpc.caller().group_id, currency_id)).wallet_of(member_id)

    async def QuoteOffset(self, request: points_pb2.QuoteOffsetRequest, context: Any) -> points_pb2.QuoteOffsetResponse:
        """What points may pay of an order."""
        return await self._offsets.quote(request)

    async def Redeem(self, request: points_pb2.RedeemRequest, context: Any) -> points_pb2.RedeemResponse:
        """Spend at once."""
        return await self._spendings.redeem(rpc.caller().group_id, request)

    async def ReverseRedemption(
        self, request: points_pb2.ReverseRedemptionRequest, context: Any
    ) -> points_pb2.ReverseRedemptionResponse:
        """Give a redemption back."""
        return await self._spendings.reverse(rpc.caller().group_id, request)

    async def Hold(self, request: points_pb2.HoldRequest, context: Any) -> points_pb2.HoldResponse:
        """Reserve."""
        return await self._spendings.hold(rpc.caller().group_id, request)

    async def Capture(self, request: points_pb2.CaptureRequest, context: Any) -> points_pb2.CaptureResponse:
        """Spend what is held."""
        return await self._spendings.capture(rpc.caller().group_id, request)

    async def Release(self, request: points_pb2.ReleaseRequest, context: Any) -> points_pb2.ReleaseResponse:
        """Give a hold back."""
        return await self._spendings.release(rpc.caller().group_id, request)

    async def TransferPoints(
        self, request: points_pb2.TransferPointsRequest, context: Any
    ) -> points_pb2.TransferPointsResponse:
        """Give points to another member."""
        return await self._transfers.transfer(rpc.caller().group_id, request)


def expiry_messages(expiries: Sequence[queries.Due]) -> list[points_pb2.Expiry]:
    """What expires when; what never expires is left out."""
    return [
        points_pb2.Expiry(expire_time=to_timestamp(due.time), points=due.points, is_at_least=due.is_at_least)
        for due in expiries
        if due.time != NEVER
    ]


async def statement_page(
    tx: Tx, wallet_id: UUID, size: int, page_token: str
) -> tuple[list[points_pb2.StatementEntry], str]:
    """A page of a wallet's movements, newest first, and the next one's token."""
    before = _version_of(page_token) if page_token else _LAST_VERSION
    size = page_size(size)
    rows = await queries.list_statement(tx, wallet_id, before_version=before, limit=size + 1)
    more, rows = len(rows) > size, rows[:size]
    return [_statement_entry(row) for row in rows], encode_token(rows[-1]["version"]) if more else ""


def _version_of(token: str) -> int:
    try:
        return int(decode_token(token, 1)[0])
    except ValueError:
        raise InvalidArgument([("page_token", "is not a token that this list gave")]) from None


def _statement_entry(row: Any) -> points_pb2.StatementEntry:
    entry = points_pb2.StatementEntry(
        txn_id=ids.to_edge("txn", row["txn_id"]),
        kind=movement_of(Kind(row["kind"]), row["ref_id"]),
        points=row["points"],
        pending_points=row["pending_points"],
        available_points=row["available_points"],
        occur_time=to_timestamp(row["occur_time"]),
        record_time=to_timestamp(row["record_time"]),
        merchant_id=optional_edge("mch", row["merchant_id"]),
        store_id=optional_edge("sto", row["store_id"]),
        reference=row["reference"],
        expire_time=to_expiry(row["expire_time"]) if row["kind"] in _WITH_EXPIRY else None,
        unlock_time=to_timestamp(row["unlock_time"]),
        debt_points=row["debt_points"],
    )
    match Kind(row["kind"]):
        case Kind.EARN | Kind.AWARD:
            entry.rules.extend(points_pb2.Explanation.FromString(row["explanation"]).rules)
        case Kind.REDEEM | Kind.CAPTURE:
            spending = points_pb2.Spending.FromString(row["detail"])
            entry.spending_kind, entry.other_member_id = spending.kind, spending.member_id
        case Kind.CREDIT | Kind.DEBIT:
            entry.reason_code = adjustments_pb2.Adjustment.FromString(row["detail"]).reason_code
            if row["explanation"]:  # a reward
                entry.rules.extend(points_pb2.Explanation.FromString(row["explanation"]).rules)
        case Kind.TRANSFER_OUT:
            ends = events_pb2.TransferEnds.FromString(row["detail"])
            entry.other_member_id, entry.pool_id = ends.to_member_id, ends.pool_id
        case Kind.TRANSFER_IN:
            ends = events_pb2.TransferEnds.FromString(row["detail"])
            entry.other_member_id, entry.pool_id = ends.member_id, ends.pool_id
        case Kind.MERGE_OUT | Kind.MERGE_IN:
            merged = events_pb2.MergeEnds.FromString(row["detail"])
            entry.merge_id = merged.merge_id
            is_out = row["kind"] == Kind.MERGE_OUT
            entry.other_member_id = merged.to_member_id if is_out else merged.member_id
        case Kind.FUND | Kind.CONVERT_OUT:
            entry.other_currency_id = wallets_pb2.Funding.FromString(row["detail"]).other_currency_id
        case Kind.CLAW_BACK | Kind.AWARD_RETURN | Kind.REVERSE:
            entry.reversed_txn_id = ids.to_edge("txn", row["ref_id"])
            entry.written_off_points = row["unmoved_points"] or 0
        case Kind.RENEW:
            entry.renewed_points = row["unmoved_points"]
    return entry


class LedgerServicer(points_pb2_grpc.LedgerServiceServicer):
    """Sums over the ledger."""

    def __init__(self, database: Database, currencies: Currencies) -> None:
        self._db, self._currencies = database, currencies

    async def GetTotals(self, request: points_pb2.GetTotalsRequest, context: Any) -> points_pb2.GetTotalsResponse:
        """Sums of each merchant, of one currency."""
        currency = await self._currencies.get(rpc.caller().group_id, request.currency_id)
        unit_id = ids.optional_from_edge("unt", request.business_unit_id, "business_unit_id")
        async with self._db.reading(rpc.caller()) as tx:
            rows = await queries.list_totals(tx, currency.currency_id, unit_id)
        answer = points_pb2.GetTotalsResponse()
        for row in rows:
            merchant = answer.merchants.add(
                merchant_id=ids.to_edge("mch", row["merchant_id"]),
                business_unit_id=optional_edge("unt", row["business_unit_id"]),
                accepted_points=row["accepted_points"],
            )
            for field in points_pb2.PointsTotals.DESCRIPTOR.fields:
                setattr(merchant.issued, field.name, row[field.name])
                setattr(answer.total, field.name, getattr(answer.total, field.name) + row[field.name])
        return answer


class AdjustmentServicer(adjustments_pb2_grpc.AdjustmentServiceServicer):
    """Points put right by hand."""

    def __init__(self, database: Database, adjustments: Adjustments) -> None:
        self._db, self._adjustments = database, adjustments

    async def RequestAdjustment(
        self, request: adjustments_pb2.RequestAdjustmentRequest, context: Any
    ) -> adjustments_pb2.RequestAdjustmentResponse:
        """Ask for one."""
        return await self._adjustments.request(rpc.caller().group_id, request)

    async def ApproveAdjustment(
        self, request: adjustments_pb2.ApproveAdjustmentRequest, context: Any
    ) -> adjustments_pb2.ApproveAdjustmentResponse:
        """Approve and apply."""
        return await self._adjustments.approve(rpc.caller().group_id, request)

    async def RejectAdjustment(
        self, request: adjustments_pb2.RejectAdjustmentRequest, context: Any
    ) -> adjustments_pb2.RejectAdjustmentResponse:
        """Reject."""
        return await self._adjustments.reject(request)

    async def ListAdjustments(
        self, request: adjustments_pb2.ListAdjustmentsRequest, context: Any
    ) -> adjustments_pb2.ListAdjustmentsResponse:
        """The group's, newest first."""
        member_id = ids.from_edge("mbr", request.member_id, "member_id") if request.member_id else None
        before = _place_of(request.page_token) if request.page_token else None
        size = page_size(request.page_size)
        async with self._db.reading(rpc.caller()) as tx:
            rows = await list_adjustments(tx, state=request.state, member_id=member_id, before=before, limit=size + 1)
        more, rows = len(rows) > size, rows[:size]
        last = (rows[-1]["create_time"].isoformat(), rows[-1]["adjustment_id"]) if more else ()
        return adjustments_pb2.ListAdjustmentsResponse(
            adjustments=[to_message(row, tx.now) for row in rows],
            next_page_token=encode_token(*last) if more else "",
        )


def _place_of(token: str) -> tuple[datetime, UUID]:
    create_time, adjustment_id = decode_token(token, 2)
    try:
        place = datetime.fromisoformat(create_time), UUID(adjustment_id)
    except ValueError:
        place = None
    if place is None or place[0].tzinfo is None:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return place
