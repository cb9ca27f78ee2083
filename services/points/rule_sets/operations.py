"""Versions of a group's rules, and the drafts that become them. A version never changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, tuple_, update

from chassis import ids
from chassis.db import Tx
from huitong.common.v1 import types_pb2
from huitong.points.v1 import points_pb2, rules_pb2, wallets_pb2
from services.points import store
from services.points.convert import from_date, published_rule_set_of, rule_set_of, to_date, to_timestamp
from services.points.earning import rules
from services.points.earning.cap_tables import cap
from services.points.earning.caps import budget_id, shared_budget_id
from services.points.earning.limits import SaleLimit
from services.points.earning.mistakes import Mistake, of_rule, refusal
from services.points.earning.warnings import find_warnings
from services.points.errors import (
    EffectiveTimePast,
    RuleDraftDecided,
    RuleDraftUnknown,
    RuleSetUnknown,
    SecondPersonRequired,
)
from services.points.lookup import AHEAD, soonest
from services.points.wallets.tables import currency

_sets, _drafts = store.rule_set.c, store.rule_draft.c
DRAFT, PUBLISHED, DISCARDED = (
    int(state)
    for state in (
        rules_pb2.RULE_DRAFT_STATE_DRAFT,
        rules_pb2.RULE_DRAFT_STATE_PUBLISHED,
        rules_pb2.RULE_DRAFT_STATE_DISCARDED,
    )
)


# ---- versions


async def publish_first_rule_set(tx: Tx, rule_set: points_pb2.RuleSet) -> points_pb2.RuleSet:
    """Publish the first rules of a group, in force from any time. Raises RulesInvalid, SecondPersonRequired."""
    # Also locks the group: two publications at once get two versions.
    await store.count_change(tx, [tx.group_id])
    if await _newest_version(tx):
        raise SecondPersonRequired
    await _check(tx, rule_set, rule_set_of(rule_set), _EVERYTHING)
    return await publish_rule_set(tx, rule_set)


async def publish_rule_set(tx: Tx, rule_set: points_pb2.RuleSet) -> points_pb2.RuleSet:
    """Store `rule_set` as the group's next version, in force from when it says. Raises RulesInvalid."""
    await store.count_change(tx, [tx.group_id])
    published = points_pb2.RuleSet()
    published.CopyFrom(rule_set)
    published.version = await _newest_version(tx) + 1
    parsed = rule_set_of(published)
    await tx.execute(
        insert(store.rule_set).values(
            group_id=tx.group_id,
            version=published.version,
            effective_date=parsed.effective_date,
            content=published.SerializeToString(deterministic=True),
            create_time=tx.now,
        )
    )
    return published


async def _newest_version(tx: Tx) -> int:
    query = select(_sets.version).where(_sets.group_id == tx.group_id).order_by(_sets.version.desc()).limit(1)
    return (await tx.execute(query)).scalar_one_or_none() or 0


async def get_version(tx: Tx, version: int) -> points_pb2.RuleSet:
    """One version. Raises RuleSetUnknown."""
    query = select(_sets.content).where(_sets.group_id == tx.group_id, _sets.version == version)
    content = (await tx.execute(query)).scalar_one_or_none()
    if content is None:
        raise RuleSetUnknown(business_date=f"version {version}")
    return points_pb2.RuleSet.FromString(content)


async def list_versions(tx: Tx, *, before: int, limit: int) -> list[points_pb2.RuleSet]:
    """Versions below `before`, newest first."""
    query = (
        select(_sets.content)
        .where(_sets.group_id == tx.group_id, _sets.version < before)
        .order_by(_sets.version.desc())
        .limit(limit)
    )
    return [points_pb2.RuleSet.FromString(content) for content in (await tx.execute(query)).scalars()]


async def find_rule_set(tx: Tx, day: date) -> points_pb2.RuleSet | None:
    """The rule set in force at the end of `day` in UTC, or None."""
    end = rules.start_of(day + timedelta(days=1), "UTC") - timedelta(microseconds=1)
    found = await list_versions(tx, before=2**62, limit=10_000)
    in_force = rules.in_force([published_rule_set_of(message) for message in found], end, "UTC")
    return next((message for message in found if in_force and message.version == in_force.version), None)


# ---- drafts


async def create_draft(tx: Tx, *, request_id: str, rule_set: points_pb2.RuleSet, note: str) -> rules_pb2.RuleDraft:
    """Keep a draft of the caller's. Raises RulesInvalid."""
    parsed = rule_set_of(rule_set)
    if over := rules.find_over(parsed, max(parsed.effective_date, tx.now.date())):
        raise refusal(rule_set, over)
    draft_id = ids.derive(tx.group_id, "rule_draft", request_id)
    return await _keep_draft(tx, parsed, draft_id=draft_id, rule_set=rule_set, note=note)


async def _keep_draft(
    tx: Tx, parsed: rules.RuleSet, *, draft_id: UUID, rule_set: points_pb2.RuleSet, note: str
) -> rules_pb2.RuleDraft:
    await _check(tx, rule_set, parsed, _EVERYTHING)
    row = {
        "group_id": tx.group_id,
        "draft_id": draft_id,
        "state": DRAFT,
        "content": rule_set.SerializeToString(deterministic=True),
        "note": note,
        "author": tx.caller.subject,
        "decided_by": "",
        "create_time": tx.now,
        "decide_time": None,
    }
    await tx.execute(insert(store.rule_draft).values(row))
    return draft_to_proto(row)


async def roll_back(tx: Tx, *, request_id: str, version: int, note: str) -> rules_pb2.RuleDraft:
    """Draft an older version anew, in force from its approval. Raises RuleSetUnknown, RulesInvalid.

    Recurrences that are over meanwhile stay: going back must not wait until somebody has tidied up.
    """
    older = await get_version(tx, version)
    older.ClearField("version")
    older.ClearField("effective_time")
    # A day that has begun wherever a store is.
    older.effective_date.CopyFrom(to_date(tx.now.date() - timedelta(days=1)))
    note = note or f"back to version {version}"
    # Requests of two RPCs may have one id.
    draft_id = ids.derive(tx.group_id, "rule_roll_back", request_id)
    return await _keep_draft(tx, rule_set_of(older), draft_id=draft_id, rule_set=older, note=note)


async def approve_draft(
    tx: Tx, draft_id: UUID, decided_by: Callable[[rules_pb2.RuleDraft], Awaitable[str]]
) -> rules_pb2.RuleDraft:
    """Publish a draft. `decided_by` answers who publishes it, once nothing else stands against it, or raises.

    Raises: RuleDraftUnknown, RuleDraftDecided, SecondPersonRequired, EffectiveTimePast, RulesInvalid (its budgets are
    spent, or its points would have expired, meanwhile).
    """
    row = await _lock_open(tx, draft_id)
    if row["author"] == tx.caller.subject:
        raise SecondPersonRequired
    rule_set = points_pb2.RuleSet.FromString(row["content"])
    parsed = rule_set_of(await _settled(tx, rule_set, tx.now + AHEAD))
    await _check(tx, rule_set, parsed, _MEANWHILE)
    who = await decided_by(draft_to_proto(row))
    # That may have taken its time, and so may whoever publishes beside us: counted from what is left to be done.
    await store.count_change(tx, [tx.group_id])
    published = await publish_rule_set(tx, await _settled(tx, rule_set, await soonest(tx)))
    return await _decide(tx, row, PUBLISHED, published.SerializeToString(deterministic=True), who)


async def discard_draft(
    tx: Tx, draft_id: UUID, decided_by: Callable[[rules_pb2.RuleDraft], Awaitable[str]]
) -> rules_pb2.RuleDraft:
    """Give a draft up; `decided_by` as in `approve_draft`. Raises RuleDraftUnknown, RuleDraftDecided."""
    row = await _lock_open(tx, draft_id)
    return await _decide(tx, row, DISCARDED, row["content"], await decided_by(draft_to_proto(row)))


async def get_draft(tx: Tx, draft_id: UUID) -> rules_pb2.RuleDraft:
    """One draft. Raises RuleDraftUnknown."""
    query = select(store.rule_draft).where(_drafts.group_id == tx.group_id, _drafts.draft_id == draft_id)
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise RuleDraftUnknown(draft_id=ids.to_edge("rdr", draft_id))
    return draft_to_proto(row)


async def list_drafts(tx: Tx, *, before: tuple[datetime, UUID] | None, limit: int) -> list[rules_pb2.RuleDraft]:
    """Drafts older than `before`, newest first."""
    query = (
        select(store.rule_draft)
        .where(_drafts.group_id == tx.group_id)
        .order_by(_drafts.create_time.desc(), _drafts.draft_id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(_drafts.create_time, _drafts.draft_id) < before)
    return [draft_to_proto(row, warns=False) for row in (await tx.execute(query)).mappings()]


async def _settled(tx: Tx, rule_set: points_pb2.RuleSet, soonest: datetime) -> points_pb2.RuleSet:
    """The rule set as it is published: in force from `soonest` when the day that it says has begun by then.

    Rules are never in force before every process knows them: sales of that time have been computed by others.
    Raises EffectiveTimePast when an instant that it names is sooner.
    """
    if rule_set.HasField("effective_time"):
        if rule_set.effective_time.ToDatetime(tzinfo=soonest.tzinfo) < soonest:
            raise EffectiveTimePast
        return rule_set
    known = select(store.store.c.time_zone).where(store.store.c.group_id == tx.group_id).distinct()
    zones = (await tx.execute(known)).scalars().all() or ("UTC",)
    day = from_date(rule_set.effective_date)
    begun = [rules.start_of(day, zone) <= soonest for zone in zones]
    if not any(begun):
        return rule_set
    if not all(begun):  # the day has begun in some of the group's zones only
        raise EffectiveTimePast
    settled = points_pb2.RuleSet()
    settled.CopyFrom(rule_set)
    settled.effective_time.FromDatetime(soonest)
    return settled


_Check = Callable[[Tx, rules.RuleSet], Awaitable[list[Mistake]]]


async def _check(tx: Tx, message: points_pb2.RuleSet, rule_set: rules.RuleSet, checks: Sequence[_Check]) -> None:
    """Raises RulesInvalid with what all of them find."""
    mistakes = [mistake for check in checks for mistake in await check(tx, rule_set)]
    if mistakes:
        raise refusal(message, mistakes)


async def _find_past_expiry(tx: Tx, rule_set: rules.RuleSet) -> list[Mistake]:
    """All points of these rules would expire on a day that is past."""
    fixed_date = rule_set.expiry.fixed_date if rule_set.expiry else None
    if fixed_date is None or fixed_date >= tx.now.date():
        return []
    return [Mistake(f"points would expire on {fixed_date}, which is past", "expiry.fixed_date")]


async def _find_spent_budgets(tx: Tx, rule_set: rules.RuleSet) -> list[Mistake]:
    """A budget or ceiling is below what has been given of it already.

    Of a day or month those count in which the rule set comes into force.
    """
    limits = {
        budget_id(tx.group_id, rule.rule_id): (
            of_rule(rule.rule_id, f"rule {rule.rule_id}: its budget", "budget_points"),
            rule.offer.budget_points,
        )
        for rule in rule_set.offers
        if rule.offer.budget_points
    }
    for name, points in sorted({rule.offer.shared_budget for rule in rule_set.offers if rule.offer.shared_budget}):
        where = Mistake(f"campaign budget {name}", "points", part="campaign_budgets", part_id=name)
        limits[shared_budget_id(tx.group_id, name)] = (where, points)
    if rule_set.sale_limits is not None:
        rows = await tx.execute(
            select(store.store.c.store_id, store.store.c.time_zone).where(store.store.c.group_id == tx.group_id)
        )
        for place in rows:
            begins = rules.business_date_of(max(rule_set.starts_at(place.time_zone), tx.now), place.time_zone)
            for limit in rule_set.sale_limits.of_place(tx.group_id, place.store_id, begins):
                limits[limit.cap_id] = (_limit_of(limit.limit, place.store_id, begins), limit.points)
    query = select(cap.c.cap_id, cap.c.used_points).where(cap.c.cap_id.in_(list(limits)))
    used = {row.cap_id: row.used_points for row in await tx.execute(query)}
    return [
        limit.saying(f"{limit} is below the {used[cap_id]} points that it has given")
        for cap_id, (limit, points) in limits.items()
        if points < used.get(cap_id, 0)
    ]


async def _find_unknown_funders(tx: Tx, rule_set: rules.RuleSet) -> list[Mistake]:
    """A rule lets a merchant pay that the group does not have."""
    payers = {
        share.merchant_id: rule_id
        for rule_id, shares in rule_set.funders_of.items()
        for share in shares
        if share.merchant_id is not None
    }
    if not payers:
        return []
    known = store.merchant.c
    rows = await tx.execute(
        select(known.merchant_id).where(known.group_id == tx.group_id, known.merchant_id.in_(list(payers)))
    )
    missing = sorted(payers.keys() - set(rows.scalars()))
    return [
        of_rule(payers[one], f"rule {payers[one]}: there is no merchant {ids.to_edge('mch', one)}", "funders")
        for one in missing
    ]


async def _find_unknown_currencies(tx: Tx, rule_set: rules.RuleSet) -> list[Mistake]:
    """An offer gives a currency that the group does not have as open points of a unit."""
    if not rule_set.currency_offers:
        return []
    known = currency.c
    rows = await tx.execute(
        select(known.currency_id).where(
            known.group_id == tx.group_id,
            known.kind == wallets_pb2.CURRENCY_KIND_UNIT_POINTS,
            known.state == wallets_pb2.CURRENCY_STATE_OPEN,
        )
    )
    open_ones = set(rows.scalars())
    return [
        of_rule(
            rule.rule_id,
            f"rule {rule.rule_id}: its currency is none of the group's open points of a unit",
            "currency_id",
        )
        for rule in rule_set.currency_offers
        if rule.offer.currency_id not in open_ones
    ]


_MEANWHILE: Sequence[_Check] = (_find_past_expiry, _find_spent_budgets)
_EVERYTHING: Sequence[_Check] = (*_MEANWHILE, _find_unknown_funders, _find_unknown_currencies)


def _limit_of(limit: SaleLimit, store_id: UUID, day: date) -> Mistake:
    store_edge = ids.to_edge("sto", store_id)
    match limit:
        case SaleLimit.STORE_MONTH:
            sentence, field = f"store {store_edge}: its budget of {day:%Y-%m}", "points_per_month"
        case SaleLimit.STORE:
            sentence, field = f"store {store_edge}: its budget", "points_in_all"
        case SaleLimit.GROUP_DAY:
            return Mistake(f"the issuance ceiling of {day}", "issuance_ceiling.points_per_day")
        case SaleLimit.GROUP_MONTH:
            return Mistake(f"the issuance ceiling of {day:%Y-%m}", "issuance_ceiling.points_per_month")
    return Mistake(sentence, field, part="store_budgets", part_id=store_edge)


async def _lock_open(tx: Tx, draft_id: UUID) -> Any:
    query = (
        select(store.rule_draft).where(_drafts.group_id == tx.group_id, _drafts.draft_id == draft_id).with_for_update()
    )
    row = (await tx.execute(query)).mappings().one_or_none()
    if row is None:
        raise RuleDraftUnknown(draft_id=ids.to_edge("rdr", draft_id))
    if row["state"] != DRAFT:
        raise RuleDraftDecided(draft_id=ids.to_edge("rdr", draft_id), decided_by=row["decided_by"])
    tx.before = draft_to_proto(row)
    return row


async def _decide(tx: Tx, row: Any, state: int, content: bytes, decided_by: str) -> rules_pb2.RuleDraft:
    decided = {"state": state, "content": content, "decided_by": decided_by, "decide_time": tx.now}
    own = (_drafts.group_id == tx.group_id) & (_drafts.draft_id == row["draft_id"])
    await tx.execute(update(store.rule_draft).where(own).values(decided))
    return draft_to_proto({**row, **decided})


def draft_to_proto(row: Any, *, warns: bool = True) -> rules_pb2.RuleDraft:
    """The draft as callers see it. Lists do without warnings: they are found anew, in milliseconds for each draft."""
    return rules_pb2.RuleDraft(
        draft_id=ids.to_edge("rdr", row["draft_id"]),
        state=row["state"],
        rule_set=points_pb2.RuleSet.FromString(row["content"]),
        note=row["note"],
        author=row["author"],
        decided_by=row["decided_by"],
        create_time=to_timestamp(row["create_time"]),
        decide_time=to_timestamp(row["decide_time"]),
        warnings=warnings_of(points_pb2.RuleSet.FromString(row["content"]), row["create_time"]) if warns else [],
    )


def warnings_of(rule_set: points_pb2.RuleSet, now: datetime) -> list[types_pb2.Problem]:
    """What should be known of a rule set that is drafted or published now."""
    parsed = published_rule_set_of(rule_set)
    return [warning.to_problem() for warning in find_warnings(parsed, max(parsed.effective_date, now.date()))]
