"""Use cases of tier matching. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from chassis.ids import to_edge
from huitong.member.v1 import events_pb2
from services.member import errors
from services.member import store as member_store
from services.member.tiers import grants, rules, store
from services.member.tiers.errors import TierMatchInvalid, TierMatchUnknown, TierUnknown
from services.member.tiers.grants import Grant, Match
from services.member.tiers.growth import add_months
from services.member.tiers.operations import date_message, emit_change

NUMBER_PURPOSE = "member.unit-number"


@dataclass(frozen=True, slots=True)
class Card:
    """A member's own card of a business unit, as an import or a system tells of it; `row_id` with an import.

    `owner_id` has the card's number: the member, or one whom the member has absorbed.
    """

    member_id: UUID
    owner_id: UUID
    level: str
    number_index: bytes
    import_id: UUID | None = None
    row_id: str | None = None


def number_kind(scheme: int) -> str:
    """The kind of identity that a unit's own number is."""
    return f"unit_number_{scheme}"


async def set_matches(tx: Tx, unit_id: UUID, matches: Sequence[Match]) -> list[Match]:
    """Replace a unit's table. Raises TierUnknown, TierMatchInvalid."""
    ladder = await store.get_ladder(tx)
    seen: set[str] = set()
    for one in matches:
        if one.level in seen:
            raise TierMatchInvalid(level=one.level)
        seen.add(one.level)
        if ladder.index(one.tier_code) is None:
            raise TierUnknown(tier_code=one.tier_code)
    await grants.replace_matches(tx, unit_id, matches)
    return sorted(matches, key=lambda one: one.level)


async def grant_by_number(
    tx: Tx, vault: Vault, *, unit_id: UUID, scheme: int, number: str, level: str
) -> tuple[list[Grant], Grant]:
    """Grant whom a unit's number is what the level is worth; answers what the member was granted last, and this.

    Raises: MemberUnknown, TierMatchUnknown.
    """
    index = vault.blind_index(NUMBER_PURPOSE, tx.group_id, unit_id, number)
    kind = number_kind(scheme)
    owner_id = (await member_store.find_owners(tx, kind, [index])).get(index)
    member_id = (await member_store.find_identities(tx, kind, [index])).get(index)
    if owner_id is None or member_id is None:
        raise errors.MemberUnknown
    earlier = await grants.list_grants(tx, owner_id, before=None, limit=1)
    found = await grant_levels(tx, unit_id, scheme, [Card(member_id, owner_id, level, index)])
    if not found:
        raise TierMatchUnknown(level=level)
    return earlier, found[0]


async def grant_levels(tx: Tx, unit_id: UUID, scheme: int, cards: Sequence[Card]) -> list[Grant]:
    """Grant each card's member what its level is worth, from tomorrow on; a level that is worth nothing is left out.

    The same member, level and day make one grant; asked again it is answered as it was made.
    """
    table = {one.level: one for one in await grants.list_matches(tx, unit_id)}
    cards = [card for card in cards if card.level in table]
    if not cards:
        return []
    ladder = await store.get_ladder(tx)
    today = ladder.day_of(tx.now)
    wanted = {}
    for card in cards:
        match = table[card.level]
        grant_id = ids.derive("tier-grant", tx.group_id, unit_id, card.owner_id, card.level, today)
        wanted[grant_id] = Grant(
            grant_id=grant_id,
            member_id=card.owner_id,
            unit_id=unit_id,
            level=card.level,
            tier_code=match.tier_code,
            start_date=today + timedelta(days=1),
            end_date=add_months(today, match.months),
            scheme=scheme,
            number_index=card.number_index,
            import_id=card.import_id,
            import_row_id=card.row_id,
            create_time=tx.now,
        )
    # Standings first: whoever grants a member something twice at once waits here.
    standings = await store.lock_known(tx, {card.member_id for card in cards})
    added = await grants.add_grants(tx, list(wanted.values()))
    floors = await grants.find_floors(tx, standings, today)
    after = []
    for member_id, standing in standings.items():
        floor = rules.best_floor(ladder, floors[member_id], today)
        new, change = rules.grant(ladder, standing, floor, today)
        after.append(new)
        if change:
            emit_change(tx, standing, change)
    await store.save_standings(tx, after)
    result = []
    for grant_id, grant in wanted.items():
        if grant_id in added:
            _emit_matched(tx, grant)
            result.append(grant)
        elif found := await grants.find_grant(tx, grant_id):
            result.append(found)
    return result


def _emit_matched(tx: Tx, grant: Grant) -> None:
    member = to_edge("mbr", grant.member_id)
    event = events_pb2.TierMatched(
        grant_id=to_edge("tgr", grant.grant_id),
        member_id=member,
        business_unit_id=to_edge("unt", grant.unit_id),
        level=grant.level,
        tier_code=grant.tier_code,
        end_date=date_message(grant.end_date),
    )
    tx.emit(event, key=member)
