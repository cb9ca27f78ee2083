"""All tables of member, and the queries about people.

Lock order within a join: join_request by request id, member_identity by index, member, standing by member id. A run of
sales locks standings by member id only; a merge two members by id, then their standings.

A member who is absorbed by another (`survivor_id`) keeps its row; queries for people answer the survivor in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    any_,
    delete,
    func,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from chassis.db import Tx
from chassis.errors import Unavailable

metadata = MetaData()
_Time = DateTime(timezone=True)

member = Table(
    "member",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("card_no", Text, nullable=False),
    Column("sealed_phone", LargeBinary, nullable=False),
    Column("birth_month", SmallInteger, nullable=False),
    Column("time_zone", Text, nullable=False),  # "" when not given
    Column("store_id", Uuid),
    Column("join_time", _Time, nullable=False),
    Column("survivor_id", Uuid),
    # Of the seed of dynamic codes: raised when whatever phones make codes with has to end.
    Column("code_epoch", Integer, nullable=False, server_default="0"),
    Column("erase_time", _Time),  # set: nothing personal is left here, and nothing leads here (see `privacy`)
    UniqueConstraint("group_id", "card_no"),
)

# Members whose state somebody has changed; all others are active. state: as huitong.member.v1.MemberState.
member_state = Table(
    "member_state",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("change_time", _Time, nullable=False),
)

# One ID: whatever a person can be found by leads to exactly one member. Not the value is here, only its blind index.
member_identity = Table(
    "member_identity",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value_index", LargeBinary, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Index("member_identity_by_member", "member_id"),
)

# What each join request led to. Instead of the chassis' request log, because a batch has an id for each line, and
# because a plain hash of a phone number could be guessed: the fingerprint is keyed.
join_request = Table(
    "join_request",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("member_id", Uuid),
    Column("is_new", Boolean),
    Column("tier_code", Text),
    Index("join_request_by_member", "member_id"),
)

# Dynamic codes that were used for spending.
code_use = Table(
    "code_use",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("member_no", Text, primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("serial", SmallInteger, primary_key=True),
    Column("spend_request_id", Text, nullable=False),
    Column("use_time", _Time, nullable=False),
    Index("code_use_by_time", "use_time"),
)

group_copy = Table(
    "group_copy",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
)

store_copy = Table(
    "store_copy",
    metadata,
    Column("store_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
)

# Growth is counted for members that are not known yet, too: their tier_code is null. So is that of an absorbed one.
# See tiers/rules.py, Standing; the other tables of tiers are in tier_tables.py.
standing = Table(
    "standing",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("growth_minor", BigInteger, nullable=False),
    Column("tier_code", Text),
    Column("ladder_version", Integer, nullable=False),
    Column("own_code", Text),
    Column("period_end", Date),
    Column("floor_code", Text),
    Column("floor_end", Date),
    Column("review_date", Date),
    Column("since_date", Date),
    Column("previous_code", Text),
    Column("survivor_id", Uuid),
    Index("standing_by_tier", "group_id", "tier_code"),
    Index("standing_by_survivor", "survivor_id", postgresql_where=text("survivor_id IS NOT NULL")),
    Index("standing_by_group", "group_id", "member_id"),
    Index("standing_by_review", "review_date", "member_id", postgresql_where=text("review_date IS NOT NULL")),
)

# All times of logins and sessions are real time, by the database's clock. code_hash is null once the code was used.
login_challenge = Table(
    "login_challenge",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("phone_index", LargeBinary, primary_key=True),
    Column("code_hash", LargeBinary),
    Column("tries_left", SmallInteger, nullable=False),
    Column("send_time", _Time, nullable=False),
    Column("expire_time", _Time, nullable=False),
    Column("day_start_time", _Time, nullable=False),
    Column("day_count", Integer, nullable=False),
)

# What the simulated provider has sent; kept for minutes.
login_outbox = Table(
    "login_outbox",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("phone_index", LargeBinary, nullable=False),
    Column("sealed_phone", LargeBinary, nullable=False),
    Column("sealed_code", LargeBinary, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("send_time", _Time, nullable=False),
    Index("login_outbox_by_time", "group_id", "send_time", "message_id"),
)

# Refresh tokens are not stored: each is signed over session, generation and salt (see sessions/rules.py).
session = Table(
    "session",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("previous_generation", Integer),
    Column("is_previous_spent", Boolean, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("expire_time", _Time, nullable=False),
    Column("end_time", _Time),
    Column("is_end_told", Boolean, nullable=False, server_default="false"),  # to the gateways
    Index("session_by_expiry", "expire_time"),
    Index("session_to_tell", "end_time", postgresql_where=text("end_time IS NOT NULL AND NOT is_end_told")),
    Index("session_by_member", "member_id"),
)


# An app id belongs to one group and says alone which one somebody logs in to.
mini_program = Table(
    "mini_program",
    metadata,
    Column("app_id", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("update_time", _Time, nullable=False),
    Index("mini_program_by_group", "group_id", "app_id"),
)


member_import = Table(
    "member_import",
    metadata,
    Column("import_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("unit_id", Uuid, nullable=False),
    Column("scheme", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("create_time", _Time, nullable=False),
)

# What each row of an import led to, as join_request: the fingerprint is keyed. Outcome 0 is seen by nobody: a claim and
# its answer are one transaction.
member_import_row = Table(
    "member_import_row",
    metadata,
    Column("import_id", Uuid, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("member_id", Uuid),
    Column("other_id", Uuid),
    Index("member_import_row_by_outcome", "import_id", "outcome", "request_id"),
    Index("member_import_row_by_member", "member_id"),
)


# state: as huitong.member.v1.MergeState. The tier codes are those before the merge; `waiting_for` are services.
member_merge = Table(
    "member_merge",
    metadata,
    Column("merge_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("survivor_id", Uuid, nullable=False),
    Column("absorbed_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("survivor_tier_code", Text, nullable=False),
    Column("absorbed_tier_code", Text, nullable=False),
    Column("survivor_period_end", Date),
    Column("absorbed_period_end", Date),
    Column("reason", Text, nullable=False),
    Column("unmerge_reason", Text, nullable=False),
    Column("merged_by", Text, nullable=False),
    Column("unmerged_by", Text, nullable=False),
    Column("merge_time", _Time, nullable=False),
    Column("complete_time", _Time),
    Column("unmerge_time", _Time),
    Column("unmerge_complete_time", _Time),
    Column("waiting_for", ARRAY(Text), nullable=False),
    Column("charged_points", BigInteger, nullable=False),
    Column("uncharged_points", BigInteger, nullable=False),
    Index("member_merge_by_time", "group_id", "merge_time", "merge_id"),
    Index("member_merge_by_survivor", "survivor_id"),
    # Whatever happens at once: somebody is absorbed once.
    Index("member_merge_absorbed", "absorbed_id", unique=True, postgresql_where=text("state <> 4")),
)


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


async def hold_living(tx: Tx, member_ids: Iterable[UUID]) -> None:
    """Nobody of these is erased before this transaction ends. Raises Unavailable when one is by now: look again."""
    wanted = set(member_ids)
    if not wanted:
        return
    held = await tx.execute(
        select(member.c.member_id)
        .where(member.c.group_id == tx.group_id, among(member.c.member_id, wanted), member.c.erase_time.is_(None))
        .order_by(member.c.member_id)
        .with_for_update(read=True, key_share=True)
    )
    if len(held.all()) < len(wanted):
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
