"""What a movement has to know first: stores, merchants and rules of the group (cached), its members (read each time).

The cache is right also when another process changed something: whoever changes stores, merchants or rule sets counts up
the group's row in cache_version in the same transaction, and every use reads that number together with the members.
What is missing is asked for once, from org or member, and kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
from sqlalchemy import text

from chassis import ids, rpc
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from huitong.member.v1 import member_pb2
from huitong.member.v1.risk_pb2 import MEMBER_STATE_ACTIVE, MEMBER_STATE_CLOSED
from huitong.org.v1 import org_pb2
from huitong.points.v1 import events_pb2, points_pb2
from services.points import store
from services.points.convert import published_rule_set_of
from services.points.earning import rules
from services.points.errors import MemberUnknown, MerchantUnknown, RuleSetUnknown, StoreUnknown
from services.points.governor.costs import CostState, Throttle
from services.points.ledger.batched import BatchedCalls
from services.points.wallets.errors import SpendingNeedsCode

# What changes how sales are computed is in force so long after it is written: by then it is committed, and every sale
# that asks for the group's version sees it, in whatever process.
AHEAD = timedelta(seconds=1)
# A transaction that comes to its commit later than this after asking is not committed (cache_version_in_time); the rest
# of AHEAD is for the commit itself.
_UNTIL_COMMIT = timedelta(milliseconds=750)
# A tier held from the beginning.
FIRST_DAY = date(1900, 1, 1)


@dataclass(frozen=True)
class Store:
    """Where a sale happens."""

    store_id: UUID
    merchant_id: UUID
    business_unit_id: UUID
    time_zone: str
    currency_code: str
    opening_date: date | None = None
    category: str = ""

    # As every event of the store names them.
    @cached_property
    def store_edge(self) -> str:
        """sto_…"""
        return ids.to_edge("sto", self.store_id)

    @cached_property
    def merchant_edge(self) -> str:
        """mch_…"""
        return ids.to_edge("mch", self.merchant_id)

    @cached_property
    def unit_edge(self) -> str:
        """unt_…"""
        return ids.to_edge("unt", self.business_unit_id)

    @cached_property
    def recorded_part(self) -> bytes:
        """What every SaleRecorded of the store says of it, serialised."""
        return events_pb2.SaleRecorded(
            store_id=self.store_edge, merchant_id=self.merchant_edge, business_unit_id=self.unit_edge
        ).SerializeToString()


@dataclass(frozen=True, slots=True)
class Member:
    """What earning has to know of a member; `tiers` by effective date, oldest first, `time_zone` "" when unknown."""

    birth_month: int
    tiers: Sequence[tuple[date, rules.Tier]]
    time_zone: str = ""
    # Of one that is closed.
    close_time: datetime | None = None
    # Whose limits and first purchases are used up instead, while it is absorbed by another member.
    survivor_id: UUID | None = None


class MemberLink(NamedTuple):
    """Where a member leads: the survivor while it is absorbed; and whether it has, or had, a part in a merge."""

    survivor_id: UUID | None
    is_merged: bool


@dataclass(frozen=True)
class GroupData:
    """Stores, merchants and rule sets of a group as of `version`."""

    version: int
    stores: Mapping[UUID, Store] = field(default_factory=dict)
    merchants: Mapping[UUID, UUID] = field(default_factory=dict)  # merchant → business unit
    rule_sets: Sequence[rules.RuleSet] = ()
    # What the cost governor came to for each business unit, by effective time, oldest first: throttled, or (None) not.
    throttles: Mapping[UUID, Sequence[tuple[datetime, Throttle | None]]] = field(default_factory=dict)
    has_merges: bool = False
    _by_start: dict[str, list[tuple[datetime, int, rules.RuleSet]]] = field(default_factory=dict)

    def throttle_at(self, rule_set: rules.RuleSet, business_unit_id: UUID, instant: datetime) -> Throttle | None:
        """Whether the rule set's governor throttles a unit's offers at an instant."""
        if rule_set.governor is None:
            return None
        found = None
        for effective_time, throttle in self.throttles.get(business_unit_id, ()):
            if effective_time > instant:
                break
            found = throttle
        return found

    def rule_set_at(self, instant: datetime, time_zone: str) -> rules.RuleSet:
        """The rule set in force where a store is, as rules.in_force says. Raises RuleSetUnknown."""
        ordered = self._by_start.get(time_zone)
        if ordered is None:
            starts = [(each.starts_at(time_zone), each.version, each) for each in self.rule_sets]
            ordered = self._by_start[time_zone] = sorted(starts, key=lambda start: start[:2], reverse=True)
        for start, _, rule_set in ordered:
            if start <= instant:
                return rule_set
        raise RuleSetUnknown(business_date=rules.business_date_of(instant, time_zone))


_MEMBERS = """
    SELECT i.ord, m.birth_month, m.time_zone, m.survivor_id,
           CASE WHEN m.survivor_id IS NULL THEN m.close_time  -- an absorbed member is closed with its survivor
                ELSE (SELECT s.close_time FROM member s WHERE s.member_id = m.survivor_id) END AS close_time,
           coalesce(c.version, 0) AS version, {now_sql} AS now,
           (SELECT string_agg(t.effective_date - DATE '2000-01-01' || ' ' || t.multiplier_bps || ' ' || t.tier_code,
                              ';')
            FROM member_tier t WHERE t.member_id = m.member_id) AS tiers
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS i (group_id, member_id, ord)
    LEFT JOIN cache_version c ON c.group_id = i.group_id
    LEFT JOIN member m ON m.member_id = i.member_id AND m.group_id = i.group_id"""
_TIER_DAYS_FROM = date(2000, 1, 1)
_SETTINGS = {"application_name": "huitong-points-lookup", "statement_timeout": "10s"}


async def soonest(tx: Tx) -> datetime:
    """From when on what this transaction changes may count for sales.

    Asked last, when all locks are held: when the commit is late the transaction fails as one that has to give way does.
    """
    asked = text(
        """SELECT clock_timestamp() - transaction_timestamp() AS passed,
                  set_config('huitong.commit_by',
                             CAST(clock_timestamp() + CAST(:until_commit AS interval) AS text), true)"""
    )
    passed: timedelta = (await tx.execute(asked, {"until_commit": _UNTIL_COMMIT})).one().passed
    return tx.now + passed + AHEAD


class Lookup:
    """Reads, caches and completes what this service knows of its surroundings."""

    def __init__(self, database: Database, lane_count: int, *, org: Any, member: Any, ladder: Any) -> None:
        """`org`, `member` and `ladder` are the stubs of org's structure, member's members and member's tiers."""
        self._db, self._lane_count = database, lane_count
        self._org, self._member, self._ladder = org, member, ladder
        self._select_members = _MEMBERS.format(now_sql=database.now_sql)
        self._calls = BatchedCalls(database.url, (self._select_members,), settings=_SETTINGS)
        self.open, self.close = self._calls.open, self._calls.close
        self._groups: dict[UUID, GroupData] = {}
        self._asking: dict[tuple[str, UUID], asyncio.Future[None]] = {}

    async def members(
        self, group_id: UUID, member_ids: Collection[UUID]
    ) -> tuple[GroupData, dict[UUID, Member], datetime]:
        """The group's data, those of `member_ids` that exist, and business time; one query when nothing has changed."""
        asked = list(member_ids) or [group_id]
        rows = await self._calls.ask(self._select_members, [(group_id, member_id) for member_id in asked])
        data = await self._group(group_id, rows[0]["version"])
        found: dict[UUID, Member] = {}
        for member_id, row in zip(asked, rows, strict=True):
            if row["birth_month"] is None and member_ids and await self._learn_member(group_id, member_id):
                row = (await self._calls.ask(self._select_members, [(group_id, member_id)]))[0]
            if row["birth_month"] is not None:
                member = _member_of(row["birth_month"], row["time_zone"], row["tiers"], row["close_time"])
                found[member_id] = replace(member, survivor_id=row["survivor_id"]) if row["survivor_id"] else member
        return data, found, rows[0]["now"]

    async def group(self, group_id: UUID) -> GroupData:
        """The group's data, up to date."""
        version = await self._db.pool.fetchval("SELECT version FROM cache_version WHERE group_id = $1", group_id)
        return await self._group(group_id, version or 0)

    async def store(self, group_id: UUID, store_id: UUID, data: GroupData | None = None) -> Store:
        """One store. Raises StoreUnknown."""
        data = data or await self.group(group_id)
        known = data.stores.get(store_id)
        if known is None:
            await self._once("store", store_id, lambda: self._learn_store(group_id, store_id))
            known = (await self.group(group_id)).stores.get(store_id)
        if known is None:
            raise StoreUnknown(store_id=ids.to_edge("sto", store_id))
        return known

    async def require_member(self, group_id: UUID, member_id: UUID) -> MemberLink:
        """Make sure that the member has a wallet, and answer where it leads. Raises MemberUnknown."""
        link = await self.find_link(group_id, member_id)
        if link is None and not await self._learn_member(group_id, member_id):
            raise MemberUnknown(member_id=ids.to_edge("mbr", member_id))
        return link or MemberLink(None, False)

    async def find_link(self, group_id: UUID, member_id: UUID) -> MemberLink | None:
        """Where a member leads; None for one that is not known here."""
        row = await self._db.pool.fetchrow(
            "SELECT survivor_id, is_merged FROM member WHERE member_id = $1 AND group_id = $2", member_id, group_id
        )
        return MemberLink(row["survivor_id"], bool(row["is_merged"])) if row else None

    async def require_merchant(self, group_id: UUID, merchant_id: UUID) -> None:
        """Raises MerchantUnknown when the group has no such merchant."""
        if merchant_id in (await self.group(group_id)).merchants:
            return
        await self._once("merchants", group_id, lambda: self._learn_merchants(group_id))
        if merchant_id not in (await self.group(group_id)).merchants:
            raise MerchantUnknown(merchant_id=ids.to_edge("mch", merchant_id))

    async def identify(self, group_id: UUID, member_code: str) -> UUID:
        """The member who shows a dynamic code. Raises what member answers: MEMBER_CODE_INVALID, MEMBER_CODE_EXPIRED."""
        return (await self.look_at_code(group_id, member_code))[0]

    async def look_at_code(self, group_id: UUID, member_code: str) -> tuple[UUID, bool]:
        """As identify, and whether the code is still good for spending. Uses nothing up."""
        answer = await self._ask_who(group_id, member_code)
        return ids.from_edge("mbr", answer.member_id, "member_code"), answer.may_spend

    async def identify_to_spend(self, group_id: UUID, member_code: str, spend_request_id: str) -> UUID:
        """The member who shows a dynamic code, which is used up by the spending of that id; it may ask again.

        Raises SpendingNeedsCode, and what member answers: as identify, and MEMBER_CODE_USED (by another).
        """
        answer = await self._ask_who(group_id, member_code, spend_request_id)
        if not answer.may_spend:
            raise SpendingNeedsCode
        return ids.from_edge("mbr", answer.member_id, "member_code")

    async def _ask_who(
        self, group_id: UUID, member_code: str, spend_request_id: str = ""
    ) -> member_pb2.IdentifyMemberResponse:
        request = member_pb2.IdentifyMemberRequest(member_code=member_code, spend_request_id=spend_request_id)
        answer: member_pb2.IdentifyMemberResponse = await rpc.call(
            self._member.IdentifyMember, request, group_id=group_id
        )
        return answer

    async def _group(self, group_id: UUID, version: int) -> GroupData:
        known = self._groups.get(group_id)
        if known is not None and known.version == version:
            return known
        pool = self._db.pool
        stores, merchants, rule_sets, actions = (
            await pool.fetch("SELECT * FROM store WHERE group_id = $1", group_id),
            await pool.fetch("SELECT merchant_id, business_unit_id FROM merchant WHERE group_id = $1", group_id),
            await pool.fetch("SELECT content FROM rule_set WHERE group_id = $1", group_id),
            await pool.fetch(
                "SELECT business_unit_id, effective_time, state, cost_bps, threshold_bps FROM cost_action"
                " WHERE group_id = $1 ORDER BY effective_time",
                group_id,
            ),
        )
        # Read after its version: it may be newer than that, and is then read once more, but never older.
        data = GroupData(
            version,
            {row["store_id"]: _store_of(row) for row in stores},
            {row["merchant_id"]: row["business_unit_id"] for row in merchants},
            tuple(published_rule_set_of(points_pb2.RuleSet.FromString(row["content"])) for row in rule_sets),
            _throttles_of(actions),
            await pool.fetchval("SELECT EXISTS (SELECT FROM member_merge WHERE group_id = $1)", group_id),
        )
        self._groups[group_id] = data
        return data

    async def _once(self, kind: str, key: UUID, learn: Any) -> None:
        """Ask others for what is missing; callers that miss the same thing wait for one answer."""
        asking = self._asking.get((kind, key))
        if asking is None:
            asking = self._asking[kind, key] = asyncio.ensure_future(learn())
            asking.add_done_callback(lambda _: self._asking.pop((kind, key), None))
        await asyncio.shield(asking)

    async def _learn_store(self, group_id: UUID, store_id: UUID) -> None:
        request = org_pb2.GetStoreRequest(store_id=ids.to_edge("sto", store_id))
        try:
            answer = await rpc.call(self._org.GetStore, request, group_id=group_id)
        except AppError as error:
            if error.reason in ("STORE_UNKNOWN", InvalidArgument.reason):
                return
            raise
        async with self._db.transaction(rpc.internal_caller("points", group_id)) as tx:
            await store.save_stores(tx, group_id, [answer.store])
            await store.count_change(tx, [group_id])

    async def _learn_merchants(self, group_id: UUID) -> None:
        found: list[org_pb2.Merchant] = []
        token = ""
        while True:
            request = org_pb2.ListMerchantsRequest(page_size=200, page_token=token)
            answer = await rpc.call(self._org.ListMerchants, request, group_id=group_id)
            found += answer.merchants
            token = answer.next_page_token
            if not token:
                break
        async with self._db.transaction(rpc.internal_caller("points", group_id)) as tx:
            if await store.save_merchants(tx, group_id, found):
                await store.count_change(tx, [group_id])

    async def _learn_member(self, group_id: UUID, member_id: UUID) -> bool:
        """Ask member for one that no event has told of yet, and make the wallet. Answers whether there is one."""
        request = member_pb2.GetMemberRequest(member_id=ids.to_edge("mbr", member_id))
        try:
            answer = await rpc.call(self._member.GetMember, request, group_id=group_id)
        except AppError as error:
            if error.reason in ("MEMBER_UNKNOWN", InvalidArgument.reason):
                return False
            raise
        ladder = await rpc.call(self._ladder.GetTierLadder, member_pb2.GetTierLadderRequest(), group_id=group_id)
        multipliers = {tier.code: tier.earn_multiplier_bps for tier in ladder.tiers}
        code = answer.member.tier_code
        # Nobody sold to them yet, so this is the tier they joined with. Events on their way add the later ones.
        tiers = [store.HeldTier(member_id, group_id, FIRST_DAY, code, multipliers[code])] if code in multipliers else []
        async with self._db.transaction(rpc.internal_caller("points", group_id)) as tx:
            await store.save_members(tx, [_known(member_id, group_id, answer.member)], self._lane_count)
            await store.save_tiers(tx, tiers, overwrite=False)
        return True


def _known(member_id: UUID, group_id: UUID, told: member_pb2.Member) -> store.KnownMember:
    return store.KnownMember(
        member_id,
        group_id,
        told.birth_month,
        told.time_zone,
        told.join_time.ToDatetime(UTC),
        told.state or MEMBER_STATE_ACTIVE,
        told.state_version,
        told.state_time.ToDatetime(UTC) if told.state == MEMBER_STATE_CLOSED else None,
    )


def _throttles_of(actions: Sequence[asyncpg.Record]) -> dict[UUID, list[tuple[datetime, Throttle | None]]]:
    found: dict[UUID, list[tuple[datetime, Throttle | None]]] = {}
    for row in actions:
        throttle = None
        if row["state"] == CostState.THROTTLED:
            throttle = Throttle(row["effective_time"], row["cost_bps"], row["threshold_bps"])
        found.setdefault(row["business_unit_id"], []).append((row["effective_time"], throttle))
    return found


def _store_of(row: asyncpg.Record) -> Store:
    return Store(
        row["store_id"],
        row["merchant_id"],
        row["business_unit_id"],
        row["time_zone"],
        row["currency_code"],
        row["opening_date"],
        row["category"],
    )


@lru_cache(maxsize=65_536)
def _member_of(birth_month: int, time_zone: str, tiers: str | None, close_time: datetime | None) -> Member:
    """`tiers` as _MEMBERS writes them. One text instead of three arrays halves what a member costs."""
    held = []
    for each in tiers.split(";") if tiers else ():
        days, multiplier_bps, code = each.split(" ")
        held.append((_TIER_DAYS_FROM + timedelta(int(days)), rules.Tier(code, int(multiplier_bps))))
    return Member(birth_month, sorted(held, key=itemgetter(0)), time_zone, close_time)
