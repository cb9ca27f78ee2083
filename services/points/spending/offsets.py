"""Quotes of what points may pay, and that what is paid keeps to them.

A quote of rules that have offset terms carries a token: a signed note of when, for whom, where and up to how many
points it was given. A later quote that names it is computed by the rules of that time, and the redemption or hold that
pays is checked against it; so a campaign that ends in between surprises nobody, and nobody pays by terms that never
applied. Rules without offset terms have no tokens and check nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from chassis import ids, rpc
from chassis.db import Database
from chassis.errors import InvalidArgument
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2
from services.points import queries
from services.points.convert import to_timestamp
from services.points.earning import rules
from services.points.earning.offset_terms import Allowed, Line, OffsetTerms, Order, allow
from services.points.errors import CurrencyMismatch, MemberUnknown
from services.points.lookup import GroupData, Lookup
from services.points.wallets.errors import OffsetNotAllowed, OffsetQuoteExpired, OffsetQuoteInvalid, OffsetQuoteRequired
from services.points.wallets.family_pools import FamilyPools

QUOTE_LIFE = timedelta(minutes=15)
# What was quoted can be paid for so long: a checkout that an outage interrupted goes on.
PAYMENT_LIFE = timedelta(days=1)
_PAYMENTS = (points_pb2.SPENDING_KIND_CHECKOUT_OFFSET, points_pb2.SPENDING_KIND_PARKING)
_NOTE = struct.Struct(">qqqqq")  # a Quoted, its time in microseconds since 1970


class Quoted(NamedTuple):
    """What a token says."""

    time: datetime
    min_points: int
    max_points: int
    step_points: int
    step_minor: int


class Tokens:
    """Signs quotes, with a key of its own made from the suite's."""

    def __init__(self, key: str) -> None:
        self._key = hmac.digest(key.encode(), b"points-offset-quote", "sha256")

    def sign(self, quoted: Quoted, scope: bytes) -> str:
        """The token of a quote for a member at a merchant (`scope`)."""
        micros = (quoted.time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        note = _NOTE.pack(micros, *quoted[1:])
        return base64.urlsafe_b64encode(note + self._seal(note, scope)).decode()

    def read(self, token: str, scope: bytes) -> Quoted:
        """What the token says. Raises OffsetQuoteInvalid when it was not signed for this member and merchant."""
        try:
            signed = base64.urlsafe_b64decode(token.encode())
        except ValueError:
            raise OffsetQuoteInvalid from None
        note, seal = signed[: _NOTE.size], signed[_NOTE.size :]
        if len(note) < _NOTE.size or not hmac.compare_digest(seal, self._seal(note, scope)):
            raise OffsetQuoteInvalid
        micros, *rest = _NOTE.unpack(note)
        return Quoted(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros), *rest)

    def _seal(self, note: bytes, scope: bytes) -> bytes:
        return hmac.new(self._key, note + scope, hashlib.sha256).digest()[:16]


class Offsets:
    """Quotes, and payments by them."""

    def __init__(self, database: Database, lookup: Lookup, pools: FamilyPools, key: str) -> None:
        self._db, self._lookup, self._pools, self._tokens = database, lookup, pools, Tokens(key)

    async def quote(self, request: points_pb2.QuoteOffsetRequest) -> points_pb2.QuoteOffsetResponse:
        """What points may pay of an order, by the rules of now or of an earlier quote.

        Raises: MemberUnknown, StoreUnknown, MerchantUnknown, CurrencyMismatch, RuleSetUnknown, InvalidArgument,
        OffsetQuoteInvalid, OffsetQuoteExpired, and what FamilyPools.require_spender does.
        """
        who = rpc.caller()
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        is_parking = request.spending_kind == points_pb2.SPENDING_KIND_PARKING
        merchant_id, time_zone = await self._place(who.group_id, request)
        link = await self._lookup.require_member(who.group_id, member_id)
        data, members, now = await self._lookup.members(who.group_id, [member_id])
        wallet_id = link.survivor_id or member_id
        if request.pool_id:
            wallet_id = ids.from_edge("fpl", request.pool_id, "pool_id")
            await self._pools.require_spender(who.group_id, wallet_id, member_id)
        async with self._db.reading(who) as tx:
            row = await queries.find_balance(tx, wallet_id)
        if row is None or member_id not in members:
            raise MemberUnknown(member_id=request.member_id)
        scope = _scope(who.group_id, member_id, merchant_id)
        if request.quote_token:
            quoted_time = self._tokens.read(request.quote_token, scope).time
            if now > quoted_time + QUOTE_LIFE:
                raise OffsetQuoteExpired(expire_time=(quoted_time + QUOTE_LIFE).isoformat())
            now = quoted_time
        rule_set = data.rule_set_at(now, time_zone)
        day = rules.business_date_of(now, time_zone)
        order = Order(
            total_minor=request.order_total.amount_minor,
            merchant_id=merchant_id,
            business_unit_id=data.merchants.get(merchant_id),
            tier_code=rules.tier_on(members[member_id].tiers, day).code,
            business_date=day,
            lines=[Line(line.amount_minor, line.category, line.item_code) for line in request.lines],
            calendar=rule_set.calendars.of(data.merchants.get(merchant_id)),
        )
        allowed = allow(rule_set.offset_terms, _own(rule_set, is_parking=is_parking), order)
        answer = _answer(allowed, row["available_points"], request.order_total.currency_code)
        if rule_set.offset_terms and allowed.terms is not None:
            terms = allowed.terms
            quoted = Quoted(now, terms.least_points, allowed.max_points, terms.step, terms.step_minor)
            answer.quote_token = self._tokens.sign(quoted, scope)
            answer.quote_expire_time.CopyFrom(to_timestamp(now + QUOTE_LIFE))  # type: ignore[arg-type]
        return answer

    async def check(
        self, group_id: UUID, request: points_pb2.RedeemRequest | points_pb2.HoldRequest, wallet_id: UUID, txn_id: UUID
    ) -> None:
        """Make sure that the group's points pay what a quote allowed; nothing by rules that have no offset terms.

        `txn_id` is the redemption's or the hold's: one that is done already is not asked again, whatever time it is.

        Raises: OffsetQuoteRequired, OffsetQuoteInvalid, OffsetQuoteExpired, OffsetNotAllowed.
        """
        spending, points = request.spending, request.points
        if spending.kind not in _PAYMENTS or request.currency_id:
            return
        merchant_id = ids.from_edge("mch", spending.merchant_id, "spending.merchant_id")
        data = await self._lookup.group(group_id)
        if not spending.quote_token and not any(rule_set.offset_terms for rule_set in data.rule_sets):
            return
        if await self._is_done(wallet_id, txn_id):
            return
        now = await self._db.now()
        if not spending.quote_token:
            if data.rule_set_at(now, _zone_of(data, merchant_id)).offset_terms:
                raise OffsetQuoteRequired
            return
        member_id = ids.from_edge("mbr", request.member_id, "member_id")
        quoted = self._tokens.read(spending.quote_token, _scope(group_id, member_id, merchant_id))
        if now > quoted.time + PAYMENT_LIFE:
            raise OffsetQuoteExpired(expire_time=(quoted.time + PAYMENT_LIFE).isoformat())
        worth_minor = points // quoted.step_points * quoted.step_minor
        is_fitting = quoted.min_points <= points <= quoted.max_points and points % quoted.step_points == 0
        if not is_fitting or spending.offset_minor != worth_minor:
            raise OffsetNotAllowed(
                requested_points=points,
                offset_minor=spending.offset_minor,
                min_points=quoted.min_points,
                max_points=quoted.max_points,
                step_points=quoted.step_points,
                step_minor=quoted.step_minor,
            )

    async def _is_done(self, wallet_id: UUID, txn_id: UUID) -> bool:
        return bool(
            await self._db.pool.fetchval(
                """SELECT EXISTS (SELECT FROM txn t WHERE t.wallet_id = $1 AND t.txn_id = $2)
                       OR EXISTS (SELECT FROM hold h WHERE h.wallet_id = $1 AND h.hold_id = $2)""",
                wallet_id,
                txn_id,
            )
        )

    async def _place(self, group_id: UUID, request: points_pb2.QuoteOffsetRequest) -> tuple[UUID, str]:
        """The merchant and its zone."""
        if bool(request.store_id) == bool(request.merchant_id):
            raise InvalidArgument([("store_id", "either a store or a merchant is needed")])
        if request.merchant_id:
            merchant_id = ids.from_edge("mch", request.merchant_id, "merchant_id")
            await self._lookup.require_merchant(group_id, merchant_id)
            return merchant_id, _zone_of(await self._lookup.group(group_id), merchant_id)
        place = await self._lookup.store(group_id, ids.from_edge("sto", request.store_id, "store_id"))
        if request.order_total.currency_code != place.currency_code:
            raise CurrencyMismatch(expected=place.currency_code, currency_code=request.order_total.currency_code)
        return place.merchant_id, place.time_zone


def _zone_of(data: GroupData, merchant_id: UUID) -> str:
    """Of the merchant's unit; one without any store has no zone here, its day is then UTC's."""
    unit_id = data.merchants.get(merchant_id)
    return min((one.time_zone for one in data.stores.values() if one.business_unit_id == unit_id), default="UTC")


def _own(rule_set: rules.RuleSet, *, is_parking: bool) -> OffsetTerms | None:
    """The group's own offset as terms; at a car park points may pay all of a fee."""
    offset = rule_set.offset
    if offset is None:
        return None
    return OffsetTerms("", offset.points, offset.minor, 10_000 if is_parking else offset.max_share_bps)


def _scope(group_id: UUID, member_id: UUID, merchant_id: UUID) -> bytes:
    return group_id.bytes + member_id.bytes + merchant_id.bytes


def _answer(allowed: Allowed, available_points: int, currency_code: str) -> points_pb2.QuoteOffsetResponse:
    points = allowed.within(available_points)
    answer = points_pb2.QuoteOffsetResponse(
        max_points=points,
        max_offset=types_pb2.Money(amount_minor=allowed.worth(points), currency_code=currency_code),
        available_points=available_points,
        order_max_points=allowed.max_points,
        eligible=types_pb2.Money(amount_minor=allowed.eligible_minor, currency_code=currency_code),
        skipped_terms=[
            points_pb2.SkippedOffsetTerms(terms_id=terms_id, reason=int(reason))  # type: ignore[arg-type]
            for terms_id, reason in allowed.skipped
        ],
    )
    terms: Any = allowed.terms
    if terms is not None:
        answer.step_points, answer.step_minor = terms.step, terms.step_minor
        answer.max_share_bps, answer.min_points = terms.max_share_bps, terms.least_points
        answer.terms_id, answer.terms_name, answer.terms_name_zh = terms.terms_id, terms.name, terms.name_zh
    return answer
