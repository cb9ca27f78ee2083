"""The ledger's outbox as a source for the chassis' relay: rows become events, always the same ones to the byte.

Events are ordered by (lane, n): n was given under the lane's lock, in commit order and without gaps, so a committed row
is never behind one that is still to come and no transaction horizon is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import cache
from typing import Any

import asyncpg
from google.protobuf.message import Message

from chassis import ids
from chassis.events.relay import Positioned
from huitong.common.v1 import events_pb2 as common_pb2
from huitong.points.v1 import adjustments_pb2, events_pb2, points_pb2, wallets_pb2
from services.points.convert import optional_edge, to_expiry, to_timestamp
from services.points.ledger.ledger import Kind
from services.points.ledger.movements import movement_of

READ_SECONDS = 0.03
_READ = """SELECT n, wallet_id, group_id, txn_id, ref_id, kind, points, debt_points, merchant_id, occur_time,
        expire_time, unlock_time, lot_ids, lot_merchant_ids, lot_points, payload, unmoved_points, currency_id,
        owner_id
    FROM ledger_outbox{s} WHERE lane = $1 AND n > $2 ORDER BY n LIMIT $3"""
_NEWEST = "SELECT n FROM lane{s} WHERE lane = $1"


class LedgerOutbox:
    """The ledger's lanes as the chassis sees them. A position is the number of an event."""

    def __init__(self, lane_count: int, *, suffix: str = "") -> None:
        """`suffix` as in Ledger."""
        self.lanes = range(lane_count)
        self._read, self._newest = _READ.replace("{s}", suffix), _NEWEST.replace("{s}", suffix)
        self._read_at = [0.0] * lane_count

    async def read(
        self, connection: asyncpg.Connection, lane: int, after: str, limit: int, until: str | None = None
    ) -> list[Positioned]:
        """See chassis.events.EventSource."""
        if until is None:
            await self._pace(lane)
        after_n = int(after or 0)
        until_n = min(after_n + limit, int(until) if until else after_n + limit)
        found: list[Positioned] = []
        # A row has one event or two, and n is its last one's number.
        for row in await connection.fetch(self._read, lane, after_n, limit):
            events = list(events_of(row))
            for n, event in enumerate(events, row["n"] - len(events) + 1):
                if after_n < n <= until_n:
                    found.append(Positioned(str(n), event))
        return found

    async def _pace(self, lane: int) -> None:
        """New events are read at most every READ_SECONDS: under load packs are filled instead of made one by one."""
        clock = asyncio.get_running_loop().time
        wait_seconds = self._read_at[lane] + READ_SECONDS - clock()
        if wait_seconds > 0:
            await asyncio.sleep(wait_seconds)
        self._read_at[lane] = clock()

    async def count_after(self, connection: asyncpg.Connection, lane: int, after: str) -> int:
        """See chassis.events.EventSource."""
        newest = await connection.fetchval(self._newest, lane)
        return int(newest or 0) - int(after or 0)


def events_of(row: Any) -> Iterator[common_pb2.Event]:
    """The one or two events of an outbox row."""
    kind = Kind(row["kind"])
    if row["currency_id"] is not None:
        yield _event(row, _currency_moved(row, kind))
    elif kind is Kind.EARN:
        sale = events_pb2.SaleRecorded.FromString(row["payload"])
        yield _event(row, sale, row["payload"])
        if row["points"]:
            yield _event(row, _earned(row, sale))
    elif kind is Kind.CLAW_BACK:
        refund = events_pb2.SaleRefunded.FromString(row["payload"])
        yield _event(row, refund, row["payload"])
        if row["points"] or row["unmoved_points"] is not None:
            yield _event(row, _clawed_back(row, refund))
    elif kind in (Kind.REDEEM, Kind.CAPTURE):
        spending = points_pb2.Spending.FromString(row["payload"])
        yield _event(
            row,
            events_pb2.PointsRedeemed(
                txn_id=ids.to_edge("txn", row["txn_id"]),
                member_id=spending.member_id or _member(row),
                points=-row["points"],
                lots=_lots(row),
                spending=spending,
            ),
        )
    elif kind is Kind.REVERSE:
        spending = points_pb2.Spending.FromString(row["payload"])
        yield _event(
            row,
            events_pb2.RedemptionReversed(
                txn_id=ids.to_edge("txn", row["txn_id"]),
                redemption_txn_id=ids.to_edge("txn", row["ref_id"]),
                member_id=spending.member_id or _member(row),
                points=row["points"],
                lots=_lots(row),
                spending=spending,
            ),
        )
    elif kind in (Kind.ACTIVATE, Kind.UNLOCK):
        lots = _lots(row)
        yield _event(
            row,
            events_pb2.PointsActivated(
                txn_id=ids.to_edge("txn", row["txn_id"]),
                member_id=ids.to_edge("mbr", row["wallet_id"]),
                points=sum(lot.points for lot in lots),
                lots=lots,
                unlock_time=to_timestamp(row["unlock_time"]),
            ),
        )
    elif kind in (Kind.TRANSFER_OUT, Kind.TRANSFER_IN):
        yield _event(row, _transferred(row, kind))
    elif kind in (Kind.MERGE_OUT, Kind.MERGE_IN):
        yield _event(row, _merged(row, kind))
    elif kind is Kind.RENEW:
        yield _event(
            row,
            events_pb2.PointsRenewed(
                txn_id=ids.to_edge("txn", row["txn_id"]),
                member_id=ids.to_edge("mbr", row["wallet_id"]),
                points=row["unmoved_points"],
                lots=_lots(row),
                expire_time=to_timestamp(row["expire_time"]),
            ),
        )
    elif kind in (Kind.CREDIT, Kind.DEBIT):
        yield _event(row, _adjusted(row, kind))
    elif kind in (Kind.CONVERT_OUT, Kind.FUND):
        yield _event(row, _converted(row, kind))
    else:  # EXPIRE; holds and releases move nothing
        yield _event(
            row,
            events_pb2.PointsExpired(
                txn_id=ids.to_edge("txn", row["txn_id"]),
                member_id=_member(row),
                points=-row["points"],
                lots=_lots(row),
            ),
        )


def _member(row: Any) -> str:
    """Whose wallet it is; a family pool is its owner's."""
    return ids.to_edge("mbr", row["owner_id"] or row["wallet_id"])


def _earned(row: Any, sale: events_pb2.SaleRecorded) -> events_pb2.PointsEarned:
    return events_pb2.PointsEarned(
        txn_id=sale.sale_id,
        member_id=sale.member_id,
        lot=events_pb2.LotShare(
            lot_id=ids.to_edge("lot", row["txn_id"]),
            issuer_merchant_id=sale.merchant_id,
            points=row["points"] - row["debt_points"],
        ),
        points=row["points"],
        debt_repaid_points=row["debt_points"],
        business_unit_id=sale.business_unit_id,
        store_id=sale.store_id,
        sale_id=sale.sale_id,
        expire_time=to_expiry(row["expire_time"]),
        business_date=sale.business_date,
        unlock_time=to_timestamp(row["unlock_time"]) if row["points"] > row["debt_points"] else None,
        funders=sale.funders,
    )


def _adjusted(row: Any, kind: Kind) -> Message:
    adjustment = adjustments_pb2.Adjustment.FromString(row["payload"])
    common: dict[str, Any] = {
        "txn_id": ids.to_edge("txn", row["txn_id"]),
        "member_id": ids.to_edge("mbr", row["wallet_id"]),
        "adjustment_id": adjustment.adjustment_id,
        "reason_code": adjustment.reason_code,
    }
    if kind is Kind.CREDIT:
        return events_pb2.PointsCredited(
            **common,
            lot=events_pb2.LotShare(
                lot_id=ids.to_edge("lot", row["txn_id"]),
                issuer_merchant_id=ids.to_edge("mch", row["merchant_id"]),
                points=row["points"] - row["debt_points"],
            ),
            points=row["points"],
            debt_repaid_points=row["debt_points"],
            expire_time=to_expiry(row["expire_time"]),
        )
    if row["points"]:
        return events_pb2.PointsDebited(**common, points=-row["points"], lots=_lots(row))
    return events_pb2.PointsDebitRefused(**common)


def _transferred(row: Any, kind: Kind) -> Message:
    origin = events_pb2.TransferEnds.FromString(row["payload"])
    if kind is Kind.TRANSFER_OUT:
        return events_pb2.PointsTransferredOut(
            txn_id=ids.to_edge("txn", row["txn_id"]),
            member_id=origin.member_id,
            to_member_id=origin.to_member_id,
            points=-row["points"],
            lots=_lots(row),
            pool_id=origin.pool_id,
        )
    return events_pb2.PointsTransferredIn(
        txn_id=ids.to_edge("txn", row["txn_id"]),
        out_txn_id=ids.to_edge("txn", row["ref_id"]),
        member_id=origin.to_member_id,
        from_member_id=origin.member_id,
        points=row["points"],
        lots=_lots(row),
        pool_id=origin.pool_id,
    )


def _merged(row: Any, kind: Kind) -> Message:
    ends = events_pb2.MergeEnds.FromString(row["payload"])
    common: dict[str, Any] = {
        "txn_id": ids.to_edge("txn", row["txn_id"]),
        "merge_id": ends.merge_id,
        "points": row["points"],
        "lots": _lots(row),
    }
    if kind is Kind.MERGE_OUT:
        return events_pb2.PointsMergedOut(**common, member_id=ends.member_id, to_member_id=ends.to_member_id)
    return events_pb2.PointsMergedIn(
        **common,
        out_txn_id=ids.to_edge("txn", row["ref_id"]),
        member_id=ends.to_member_id,
        from_member_id=ends.member_id,
    )


def _converted(row: Any, kind: Kind) -> Message:
    funding = wallets_pb2.Funding.FromString(row["payload"])
    if kind is Kind.CONVERT_OUT:
        return events_pb2.PointsConvertedOut(
            txn_id=ids.to_edge("txn", row["txn_id"]),
            member_id=funding.member_id,
            to_currency_id=funding.other_currency_id,
            points=-row["points"],
            lots=_lots(row),
        )
    return events_pb2.PointsConvertedIn(
        txn_id=ids.to_edge("txn", row["txn_id"]),
        out_txn_id=ids.to_edge("txn", row["ref_id"]),
        member_id=funding.member_id,
        from_currency_id=funding.other_currency_id,
        points=row["points"],
        lots=_lots(row),
        expire_time=to_timestamp(row["expire_time"]),
    )


def _currency_moved(row: Any, kind: Kind) -> events_pb2.CurrencyMoved:
    lots = _lots(row)
    if kind in (Kind.CREDIT, Kind.AWARD) and row["points"]:
        lots = [
            events_pb2.LotShare(
                lot_id=ids.to_edge("lot", row["txn_id"]),
                issuer_merchant_id=ids.to_edge("mch", row["merchant_id"]),
                points=row["points"],
            )
        ]
    is_spending = kind in (Kind.REDEEM, Kind.CAPTURE, Kind.REVERSE)
    expire_time = row["expire_time"] if kind in (Kind.CREDIT, Kind.FUND, Kind.AWARD) else None
    return events_pb2.CurrencyMoved(
        txn_id=ids.to_edge("txn", row["txn_id"]),
        member_id=ids.to_edge("mbr", row["owner_id"]),
        currency_id=ids.to_edge("cur", row["currency_id"]),
        kind=movement_of(kind, row["ref_id"]),
        points=row["points"],
        lots=lots,
        spending=points_pb2.Spending.FromString(row["payload"]) if is_spending else None,
        ref_txn_id=optional_edge("txn", row["ref_id"]) if kind not in (Kind.CAPTURE, Kind.CONVERT_OUT) else "",
        expire_time=to_expiry(expire_time),
    )


def _clawed_back(row: Any, refund: events_pb2.SaleRefunded) -> events_pb2.PointsClawedBack:
    return events_pb2.PointsClawedBack(
        txn_id=refund.refund_id,
        member_id=refund.member_id,
        issuer_merchant_id=refund.merchant_id,
        points=-row["points"],
        debt_points=row["debt_points"],
        lots=_lots(row),
        sale_id=refund.sale_id,
        refund_id=refund.refund_id,
        written_off_points=row["unmoved_points"] or 0,
    )


def _lots(row: Any) -> list[events_pb2.LotShare]:
    return [
        events_pb2.LotShare(
            lot_id=ids.to_edge("lot", lot_id), issuer_merchant_id=ids.to_edge("mch", merchant_id), points=points
        )
        for lot_id, merchant_id, points in zip(
            row["lot_ids"] or (), row["lot_merchant_ids"] or (), row["lot_points"] or (), strict=True
        )
    ]


def _event(row: Any, message: Message, payload: bytes | None = None) -> common_pb2.Event:
    name = message.DESCRIPTOR.full_name
    return common_pb2.Event(
        # Of the two events of a transaction each has an id of its own, always the same one.
        event_id=(row["txn_id"].int ^ _mask(name)).to_bytes(16, "big"),
        type=name,
        group_id=row["group_id"].bytes,
        key=_member(row),
        occur_time=to_timestamp(row["occur_time"]),
        payload=payload if payload is not None else message.SerializeToString(deterministic=True),
    )


@cache
def _mask(name: str) -> int:
    return ids.derive("event", name).int
