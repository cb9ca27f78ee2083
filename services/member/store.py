"""Queries about people.

Lock order within a join: join_request by request id, member_identity by index, member, standing by member id. A run of
sales locks standings by member id only; a merge two members by id, then their standings.

A member who is absorbed by another (`survivor_id`) keeps its row; queries for people answer the survivor in its place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Column, any_, delete, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.db import Tx
from chassis.errors import Unavailable
from services.member.tables import (
    code_use,
    group_copy,
    join_request,
    member,
    member_identity,
    member_state,
    metadata,
    standing,
    store_copy,
)

__all__ = ["metadata"]


def among(column: Column[Any], values: Iterable[Any]) -> Any:
    """`column = ANY(array)`: one parameter however many values there are."""
    return column == any_(literal(list(values), ARRAY(column.type)))


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A member as stored, with where it stands."""

    member_id: UUID
    card_no: str
    sealed_phone: bytes
    birth_month: int
    time_zone: str
    join_time: datetime
    growth_minor: int
    tier_code: str
    code_epoch: int
    # None while nobody has changed it.
    state: int | None
    state_version: int | None
    state_time: datetime | None


@dataclass(frozen=True, slots=True)
class RequestRow:
    """A join request that was answered before."""

    request_id: str
    fingerprint: bytes
    member_id: UUID
    is_new: bool
    tier_code: str


async def claim_join_requests(tx: Tx, fingerprints: dict[str, bytes]) -> set[str]:
    """Claim request ids, and answer those that were free. Waits for a concurrent claim of the same id to end."""
    ordered = sorted(fingerprints)
    rows = await tx.execute(
        text(
            """INSERT INTO join_request (group_id, request_id, fingerprint)
               SELECT :group_id, r.request_id, r.fingerprint
               FROM unnest(CAST(:request_ids AS text[]), CAST(:fingerprints AS bytea[]))
                    AS r (request_id, fingerprint)
               ON CONFLICT DO NOTHING RETURNING request_id"""
        ),
        {
            "group_id": tx.group_id,
            "request_ids": ordered,
            "fingerprints": [fingerprints[request_id] for request_id in ordered],
        },
    )
    return set(rows.scalars())


async def find_join_requests(tx: Tx, request_ids: Iterable[str]) -> dict[str, RequestRow]:
    """Requests that were answered before, by id."""
    rows = await tx.execute(
        select(*(column for column in join_request.c if column.name != "group_id")).where(
            join_request.c.group_id == tx.group_id, among(join_request.c.request_id, request_ids)
        )
    )
    return {row.request_id: RequestRow(**row._mapping) for row in rows}


async def answer_join_requests(tx: Tx, answers: Sequence[RequestRow]) -> None:
    """Note what the claimed requests led to."""
    await tx.execute(
        text(
            """UPDATE join_request AS j SET member_id = a.member_id, is_new = a.is_new, tier_code = a.tier_code
               FROM unnest(CAST(:request_ids AS text[]), CAST(:member_ids AS uuid[]), CAST(:is_new AS boolean[]),
                           CAST(:tier_codes AS text[])) AS a (request_id, member_id, is_new, tier_code)
               WHERE j.group_id = :group_id AND j.request_id = a.request_id"""
        ),
        {
            "group_id": tx.group_id,
            "request_ids": [answer.request_id for answer in answers],
            "member_ids": [answer.member_id for answer in answers],
            "is_new": [answer.is_new for answer in answers],
            "tier_codes": [answer.tier_code for answer in answers],
        },
    )


async def claim_identities(tx: Tx, kind: str, member_ids: dict[bytes, UUID]) -> set[bytes]:
    """Give each index to its member unless somebody has it; answers the indexes that were free.

    In order of the index, so that two batches cannot deadlock. Waits for a concurrent claim of the same index to end.
    """
    ordered = sorted(member_ids)
    rows = await tx.execute(
        text(
            """INSERT INTO member_identity (group_id, kind, value_index, member_id)
               SELECT :group_id, :kind, i.value_index, i.member_id
               FROM unnest(CAST(:indexes AS bytea[]), CAST(:member_ids AS uuid[])) AS i (value_index, member_id)
               ON CONFLICT DO NOTHING RETURNING value_index"""
        ),
        {
            "group_id": tx.group_id,
            "kind": kind,
            "indexes": ordered,
            "member_ids": [member_ids[index] for index in ordered],
        },
    )
    return set(rows.scalars())


async def find_identities(tx: Tx, kind: str, indexes: Iterable[bytes]) -> dict[bytes, UUID]:
    """The members behind these indexes; for one that is absorbed the survivor."""
    leads_to = func.coalesce(member.c.survivor_id, member_identity.c.member_id).label("member_id")
    rows = await tx.execute(
        select(member_identity.c.value_index, leads_to)
        .outerjoin(member, member.c.member_id == member_identity.c.member_id)
        .where(
            member_identity.c.group_id == tx.group_id,
            member_identity.c.kind == kind,
            among(member_identity.c.value_index, indexes),
        )
    )
    return {row.value_index: row.member_id for row in rows}


async def find_owners(tx: Tx, kind: str, indexes: Iterable[bytes]) -> dict[bytes, UUID]:
    """As find_identities, but the members themselves, also of those who are absorbed.

    What is added to somebody found by an identity is theirs who has that identity: it stays with them when a merge is
    undone.
    """
    rows = await tx.execute(
        select(member_identity.c.value_index, member_identity.c.member_id).where(
            member_identity.c.group_id == tx.group_id,
            member_identity.c.kind == kind,
            among(member_identity.c.value_index, indexes),
        )
    )
    return {row.value_index: row.member_id for row in rows}


async def find_leaders(
    tx: Tx, member_ids: Collection[UUID], *, living: bool = False, hold: bool = False
) -> dict[UUID, UUID]:
    """The group's members among these, each with whom it leads to: its survivor, or itself.

    With `living` without those who are erased. With `hold` nobody of them is merged or erased before this transaction
    ends; hold them before their tags, attributes and standings.
    """
    leads_to = func.coalesce(member.c.survivor_id, member.c.member_id).label("leads_to")
    query = (
        select(member.c.member_id, leads_to)
        .where(member.c.group_id == tx.group_id, among(member.c.member_id, member_ids))
        .order_by(member.c.member_id)
    )
    if living:
        query = query.where(member.c.erase_time.is_(None))
    if hold:
        query = query.with_for_update(read=True, key_share=True)
    return {row.member_id: row.leads_to for row in await tx.execute(query)}


async def leader_of(tx: Tx, member_id: UUID) -> UUID:
    """Whom a member leads to, as find_leaders; an unknown one stands for itself."""
    return (await find_leaders(tx, [member_id])).get(member_id, member_id)


async def hold_living(tx: Tx, member_ids: Collection[UUID]) -> None:
    """Nobody of these is erased before this transaction ends. Raises Unavailable when one is by now: look again."""
    if member_ids and len(await find_leaders(tx, member_ids, living=True, hold=True)) < len(set(member_ids)):
        raise Unavailable


async def add_members(tx: Tx, rows: Sequence[dict[str, Any]]) -> set[UUID]:
    """Add members whose card number is free, and answer which were added."""
    columns = ("member_id", "card_no", "sealed_phone", "birth_month", "time_zone", "store_id")
    added = await tx.execute(
        text(
            """INSERT INTO member (member_id, group_id, card_no, sealed_phone, birth_month, time_zone, store_id,
                                   join_time)
               SELECT m.member_id, :group_id, m.card_no, m.sealed_phone, m.birth_month, m.time_zone, m.store_id,
                      :join_time
               FROM unnest(CAST(:member_id AS uuid[]), CAST(:card_no AS text[]), CAST(:sealed_phone AS bytea[]),
                           CAST(:birth_month AS smallint[]), CAST(:time_zone AS text[]), CAST(:store_id AS uuid[]))
                    AS m (member_id, card_no, sealed_phone, birth_month, time_zone, store_id)
               ON CONFLICT DO NOTHING RETURNING member_id"""
        ),
        {
            "group_id": tx.group_id,
            "join_time": tx.now,
            **{column: [row[column] for row in rows] for column in columns},
        },
    )
    return set(added.scalars())


async def find_people(tx: Tx, member_ids: Iterable[UUID]) -> dict[UUID, PersonRow]:
    """The group's members with these ids; for one that is absorbed the survivor, under the id that was asked for."""
    return await _people(tx, among(_asked.c.member_id, member_ids))


async def find_person(tx: Tx, member_id: UUID) -> PersonRow | None:
    """One member of the group; the survivor for one that is absorbed."""
    return next(iter((await _people(tx, _asked.c.member_id == member_id)).values()), None)


async def find_person_by_card(tx: Tx, card_no: str) -> PersonRow | None:
    """The group's member with this card number; the survivor when that one is absorbed."""
    return next(iter((await _people(tx, _asked.c.card_no == card_no)).values()), None)


_asked = member.alias("asked")


async def _people(tx: Tx, condition: Any) -> dict[UUID, PersonRow]:
    rows = await tx.execute(
        select(
            _asked.c.member_id.label("asked_id"),
            member.c.member_id,
            member.c.card_no,
            member.c.sealed_phone,
            member.c.birth_month,
            member.c.time_zone,
            member.c.join_time,
            standing.c.growth_minor,
            standing.c.tier_code,
            member.c.code_epoch,
            member_state.c.state,
            member_state.c.version.label("state_version"),
            member_state.c.change_time.label("state_time"),
        )
        .select_from(_asked)
        .join(member, member.c.member_id == func.coalesce(_asked.c.survivor_id, _asked.c.member_id))
        .join(standing, standing.c.member_id == member.c.member_id)
        .outerjoin(member_state, member_state.c.member_id == member.c.member_id)
        .where(
            _asked.c.group_id == tx.group_id, _asked.c.erase_time.is_(None), member.c.erase_time.is_(None), condition
        )
    )
    return {row.asked_id: PersonRow(**{name: row._mapping[name] for name in PersonRow.__slots__}) for row in rows}


async def find_code_epoch(tx: Tx, card_no: str) -> int | None:
    """Of the seed that makes the codes of the card's own member, also of one who is absorbed."""
    found = await tx.execute(
        select(member.c.code_epoch).where(member.c.group_id == tx.group_id, member.c.card_no == card_no)
    )
    return found.scalar_one_or_none()


async def end_codes(tx: Tx, member_id: UUID) -> None:
    """No code that was made, or that a phone makes with the seed it has, is good any more."""
    await tx.execute(
        update(member)
        .where(member.c.member_id == member_id, member.c.group_id == tx.group_id)
        .values(code_epoch=member.c.code_epoch + 1)
    )


async def find_code_use(tx: Tx, *, member_no: str, step: int, serial: int) -> str | None:
    """The request that a code was used for."""
    found = await tx.execute(
        select(code_use.c.spend_request_id).where(
            code_use.c.group_id == tx.group_id,
            code_use.c.member_no == member_no,
            code_use.c.step == step,
            code_use.c.serial == serial,
        )
    )
    return found.scalar_one_or_none()


async def use_code(tx: Tx, *, member_no: str, step: int, serial: int, spend_request_id: str) -> None:
    """Note that the code is used, unless it is already. Waits for a concurrent use of the same code to end."""
    values = {
        "group_id": tx.group_id,
        "member_no": member_no,
        "step": step,
        "serial": serial,
        "spend_request_id": spend_request_id,
        "use_time": func.clock_timestamp(),
    }
    await tx.execute(insert(code_use).values(values).on_conflict_do_nothing())


async def find_used_serials(tx: Tx, *, member_no: str, step: int) -> set[int]:
    """Serials of this step's codes that were used."""
    rows = await tx.execute(
        select(code_use.c.serial).where(
            code_use.c.group_id == tx.group_id, code_use.c.member_no == member_no, code_use.c.step == step
        )
    )
    return set(rows.scalars())


async def delete_old_code_uses(tx: Tx) -> None:
    """Forget uses older than a day: their codes have been invalid for long."""
    await tx.execute(delete(code_use).where(code_use.c.use_time < func.clock_timestamp() - text("interval '1 day'")))


async def has_group(tx: Tx, group_id: UUID) -> bool:
    """Whether org has told of this group."""
    return (await tx.execute(select(group_copy.c.code).where(group_copy.c.group_id == group_id))).first() is not None


async def save_groups(tx: Tx, codes: dict[UUID, str]) -> None:
    """Keep copies of groups."""
    rows = [{"group_id": group_id, "code": code} for group_id, code in codes.items()]
    await tx.execute(insert(group_copy).on_conflict_do_nothing(), rows)


async def find_known_stores(tx: Tx, store_ids: Iterable[UUID]) -> set[UUID]:
    """Those of these stores that are known to be the group's."""
    rows = await tx.execute(
        select(store_copy.c.store_id).where(
            store_copy.c.group_id == tx.group_id, among(store_copy.c.store_id, store_ids)
        )
    )
    return set(rows.scalars())


async def save_stores(tx: Tx, groups: dict[UUID, UUID]) -> None:
    """Keep the group of each store."""
    rows = [{"store_id": store_id, "group_id": group_id} for store_id, group_id in groups.items()]
    await tx.execute(insert(store_copy).on_conflict_do_nothing(), rows)


async def find_state(tx: Tx, member_id: UUID) -> int:
    """What state a member is in, as huitong.member.v1.MemberState; whom nobody has changed is active."""
    found = await tx.execute(select(member_state.c.state).where(member_state.c.member_id == member_id))
    return int(found.scalar_one_or_none() or 1)
