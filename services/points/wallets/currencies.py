"""Currencies of a group, and the wallets that hold them.

The group's own points are the currency whose id is the group's; they need no row, a wallet of theirs has the member's
id and no currency, and nothing is looked up for them. A wallet of another currency has an id made of member and
currency, so the ledger's calls, lanes, lots and statements work on it as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from chassis import ids
from chassis.db import Database, Tx
from chassis.errors import InvalidArgument
from huitong.points.v1 import wallets_pb2 as pb
from services.points.convert import optional_edge
from services.points.earning import rules
from services.points.earning.expiry import NEVER, expiry_of
from services.points.ledger.ledger import lane_of
from services.points.lookup import GroupData, Lookup
from services.points.wallets.errors import (
    BusinessUnitUnknown,
    CurrencyClosed,
    CurrencyCodeTaken,
    CurrencyNotSuitable,
    CurrencyUnknown,
)
from services.points.wallets.tables import currency

# When a lot of a currency without expiry would expire.
GROUP_CODE = "GROUP_POINTS"
# Prepaid cards in China: 1000 yuan on an anonymous card, 5000 on a registered one.
MAX_BALANCE_MINOR, ANONYMOUS_MAX_BALANCE_MINOR = 500_000, 100_000


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency as its row says; `kind` and `state` as in wallets.proto."""

    currency_id: UUID
    kind: int
    state: int
    code: str
    name: str
    name_zh: str
    business_unit_id: UUID | None = None
    expiry_months: int = 0
    money_code: str = ""
    max_balance_minor: int = 0
    anonymous_max_balance_minor: int = 0
    max_top_up_minor: int = 0

    @property
    def is_own(self) -> bool:
        """Whether it is the group's own points."""
        return self.kind == pb.CURRENCY_KIND_GROUP_POINTS

    @property
    def edge(self) -> str:
        """cur_…"""
        return ids.to_edge("cur", self.currency_id)

    def wallet_of(self, member_id: UUID) -> UUID:
        """The member's wallet of this currency."""
        return member_id if self.is_own else ids.derive("wallet", member_id, self.currency_id)

    def require_open(self) -> None:
        """Raises CurrencyClosed."""
        if self.state != pb.CURRENCY_STATE_OPEN:
            raise CurrencyClosed(currency_code=self.code)

    def require_merchant(self, data: GroupData, merchant_id: UUID) -> None:
        """Raises CurrencyNotSuitable when merchants of another unit only take, or give, it."""
        if self.business_unit_id is not None and data.merchants.get(merchant_id) != self.business_unit_id:
            raise CurrencyNotSuitable(currency_code=self.code, problem="it is of another business unit")

    def expiry_at(self, data: GroupData, now: datetime) -> datetime:
        """When points of it that come at `now` expire; NEVER when they do not. Raises RuleSetUnknown."""
        # Of the unit, or of the group, where it has several the first by name; so that a retry finds the same one.
        zones = (s.time_zone for s in data.stores.values() if self.business_unit_id in (None, s.business_unit_id))
        zone = min(zones, default="UTC")
        day = rules.business_date_of(now, zone)
        if self.is_own:
            return data.rule_set_at(now, zone).expire_time(day, zone)
        return expiry_of(day.year, day.month, self.expiry_months, zone) if self.expiry_months else NEVER

    def message(self) -> pb.Currency:
        """As our protos have it."""
        return pb.Currency(
            currency_id=self.edge,
            kind=self.kind,  # type: ignore[arg-type]
            state=self.state,  # type: ignore[arg-type]
            code=self.code,
            name=self.name,
            name_zh=self.name_zh,
            business_unit_id=optional_edge("unt", self.business_unit_id),
            expiry_months=self.expiry_months,
            money_code=self.money_code,
            max_balance_minor=self.max_balance_minor,
            anonymous_max_balance_minor=self.anonymous_max_balance_minor,
            max_top_up_minor=self.max_top_up_minor,
        )


class Currencies:
    """Makes, finds and closes currencies, and opens members' wallets of them."""

    def __init__(self, database: Database, lookup: Lookup, lane_count: int) -> None:
        self._db, self._lookup, self._lane_count = database, lookup, lane_count

    async def get(self, group_id: UUID, currency_id: str) -> Currency:
        """The currency of that id (cur_…); "" is the group's own points. Raises CurrencyUnknown, InvalidArgument."""
        if not currency_id:
            return own_points(group_id)
        wanted = ids.from_edge("cur", currency_id, "currency_id")
        if wanted == group_id:
            return own_points(group_id)
        row = await self._db.pool.fetchrow(
            "SELECT * FROM currency WHERE currency_id = $1 AND group_id = $2", wanted, group_id
        )
        if row is None:
            raise CurrencyUnknown(currency_id=currency_id)
        return _currency_of(row)

    async def some(self, group_id: UUID, currency_ids: Collection[UUID]) -> dict[UUID, Currency]:
        """Those of the ids that are other currencies of the group, by id."""
        rows = await self._db.pool.fetch(
            "SELECT * FROM currency WHERE currency_id = ANY($1) AND group_id = $2", list(currency_ids), group_id
        )
        return {row["currency_id"]: _currency_of(row) for row in rows}

    async def open_wallet(self, group_id: UUID, member_id: UUID, wanted: Currency) -> UUID:
        """The member's wallet of the currency, made when there is none. The member must be known."""
        wallet_id = wanted.wallet_of(member_id)
        if not wanted.is_own:
            await open_wallet(
                self._db,
                wallet_id,
                group_id=group_id,
                currency_id=wanted.currency_id,
                owner_id=member_id,
                lane_count=self._lane_count,
            )
        return wallet_id

    async def create(self, group_id: UUID, request: pb.CreateCurrencyRequest) -> pb.CreateCurrencyResponse:
        """Make one. Raises CurrencyCodeTaken, BusinessUnitUnknown, InvalidArgument, RequestIdReused."""
        unit_id = (
            ids.from_edge("unt", request.business_unit_id, "business_unit_id") if request.business_unit_id else None
        )
        _check_new(request, unit_id)
        if unit_id is not None and unit_id not in (await self._lookup.group(group_id)).merchants.values():
            raise BusinessUnitUnknown(business_unit_id=request.business_unit_id)
        is_money = request.kind == pb.CURRENCY_KIND_STORED_VALUE
        max_balance_minor = request.max_balance_minor or (MAX_BALANCE_MINOR if is_money else 0)
        new = Currency(
            ids.derive("currency", group_id, request.request_id),
            request.kind,
            pb.CURRENCY_STATE_OPEN,
            request.code,
            request.name,
            request.name_zh,
            unit_id,
            request.expiry_months,
            request.money_code,
            max_balance_minor,
            request.anonymous_max_balance_minor
            or (min(ANONYMOUS_MAX_BALANCE_MINOR, max_balance_minor) if is_money else 0),
            request.max_top_up_minor or max_balance_minor,
        )

        async def create(tx: Tx) -> pb.CreateCurrencyResponse:
            values = {field: getattr(new, field) for field in Currency.__dataclass_fields__}
            await tx.execute(insert(currency).values(group_id=tx.group_id, create_time=tx.now, **values))
            return pb.CreateCurrencyResponse(currency=new.message())

        try:
            return await self._db.run_once(request, pb.CreateCurrencyResponse, create)
        except IntegrityError:
            raise CurrencyCodeTaken(currency_code=request.code) from None

    async def close(self, request: pb.CloseCurrencyRequest) -> pb.CloseCurrencyResponse:
        """Let nothing in any more. Raises CurrencyUnknown, RequestIdReused."""
        currency_id = ids.from_edge("cur", request.currency_id, "currency_id")

        async def close(tx: Tx) -> pb.CloseCurrencyResponse:
            which = {"id": currency_id, "group_id": tx.group_id}
            row = (await tx.execute(_LOCK, which)).mappings().one_or_none()
            if row is None:
                raise CurrencyUnknown(currency_id=request.currency_id)
            tx.before = pb.CloseCurrencyResponse(currency=_currency_of(row).message())
            row = (await tx.execute(_CLOSE, which)).mappings().one()
            return pb.CloseCurrencyResponse(currency=_currency_of(row).message())

        return await self._db.run_once(request, pb.CloseCurrencyResponse, close)

    async def all(self, group_id: UUID) -> list[Currency]:
        """The group's own points, then the others by code."""
        rows = await self._db.pool.fetch("SELECT * FROM currency WHERE group_id = $1 ORDER BY code", group_id)
        return [own_points(group_id), *map(_currency_of, rows)]


_LOCK = text("SELECT * FROM currency WHERE currency_id = :id AND group_id = :group_id FOR UPDATE")
_CLOSE = text("UPDATE currency SET state = 2 WHERE currency_id = :id AND group_id = :group_id RETURNING *")


def own_points(group_id: UUID) -> Currency:
    """The group's own points."""
    return Currency(
        group_id, pb.CURRENCY_KIND_GROUP_POINTS, pb.CURRENCY_STATE_OPEN, GROUP_CODE, "Group points", "集团积分"
    )


async def open_wallet(
    database: Database, wallet_id: UUID, *, group_id: UUID, currency_id: UUID | None, owner_id: UUID, lane_count: int
) -> None:
    """Make a wallet with an id of its own when there is none."""
    if await database.pool.fetchval("SELECT 1 FROM wallet w WHERE w.wallet_id = $1", wallet_id):
        return
    await database.pool.execute(
        f"""INSERT INTO wallet (wallet_id, group_id, lane, available_points, held_points, pending_points, debt_points,
                                earned_points, clawed_back_points, spent_points, expired_points, transferred_points,
                                version, first_expire_time, create_time, currency_id, owner_id)
            VALUES ($1, $2, $3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, {database.now_sql}, $4, $5)
            ON CONFLICT (wallet_id) DO NOTHING""",
        wallet_id,
        group_id,
        lane_of(wallet_id, lane_count),
        currency_id,
        owner_id,
    )


def _check_new(request: pb.CreateCurrencyRequest, unit_id: UUID | None) -> None:
    problems = []
    if request.code == GROUP_CODE:
        raise CurrencyCodeTaken(currency_code=request.code)
    if request.kind == pb.CURRENCY_KIND_UNIT_POINTS:
        if unit_id is None:
            problems.append(("business_unit_id", "points of a business unit need the unit"))
        for field in ("money_code", "max_balance_minor", "anonymous_max_balance_minor", "max_top_up_minor"):
            if getattr(request, field):
                problems.append((field, "is for stored value only"))
    elif not request.money_code:
        problems.append(("money_code", "stored value needs the money that it is"))
    if problems:
        raise InvalidArgument(problems)


def _currency_of(row: Mapping[str, Any] | Any) -> Currency:
    return Currency(**{field: row[field] for field in Currency.__dataclass_fields__})
