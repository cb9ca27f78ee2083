"""Queries about attributes and tags.

Rows of one call are written in order of their keys, so that two calls cannot deadlock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text, tuple_
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.member.attribute_tables import attribute_definition, member_attribute, member_tag
from services.member.attributes.rules import Source
from services.member.tables import member


@dataclass(frozen=True, slots=True)
class SetAttribute:
    """An attribute of a member, sealed."""

    member_id: UUID
    key: str
    sealed_value: bytes
    source: int
    set_by: str
    set_time: datetime


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a member."""

    tag: str
    source: int
    added_by: str
    add_time: datetime


_ATTRIBUTE = [member_attribute.c[name] for name in SetAttribute.__dataclass_fields__]
_TAG = [member_tag.c[name] for name in Tag.__dataclass_fields__]


async def find_definition(tx: Tx, key: str) -> bytes | None:
    """One of the group's, serialised; locked until the transaction ends."""
    found = await tx.execute(
        select(attribute_definition.c.content)
        .where(attribute_definition.c.group_id == tx.group_id, attribute_definition.c.key == key)
        .with_for_update()
    )
    return found.scalar_one_or_none()


async def count_definitions(tx: Tx) -> int:
    """How many the group has."""
    query = select(func.count()).select_from(attribute_definition)
    return int((await tx.execute(query.where(attribute_definition.c.group_id == tx.group_id))).scalar_one())


async def save_definition(tx: Tx, *, key: str, kind: int, content: bytes) -> bool:
    """Keep it; False when somebody has defined it with another type in this very moment."""
    new = insert(attribute_definition).values(group_id=tx.group_id, key=key, type=kind, content=content)
    saved = await tx.execute(
        new.on_conflict_do_update(
            index_elements=["group_id", "key"],
            set_={"content": content},
            where=attribute_definition.c.type == kind,
        )
    )
    return saved.rowcount > 0


async def list_definitions(tx: Tx, *, after_key: str, limit: int) -> list[bytes]:
    """The group's by key, serialised."""
    rows = await tx.execute(
        select(attribute_definition.c.content)
        .where(attribute_definition.c.group_id == tx.group_id, attribute_definition.c.key > after_key)
        .order_by(attribute_definition.c.key)
        .limit(limit)
    )
    return list(rows.scalars())


async def save_attributes(tx: Tx, attributes: Iterable[SetAttribute]) -> None:
    """Set them, each at most once."""
    columns = [column.name for column in _ATTRIBUTE]
    rows = sorted(attributes, key=lambda one: (one.member_id, one.key))
    values: dict[str, Any] = {name: [getattr(one, name) for one in rows] for name in columns}
    await tx.execute(
        text(
            """INSERT INTO member_attribute (group_id, member_id, key, sealed_value, source, set_by, set_time)
               SELECT :group_id, * FROM unnest(CAST(:member_id AS uuid[]), CAST(:key AS text[]),
                 CAST(:sealed_value AS bytea[]), CAST(:source AS smallint[]), CAST(:set_by AS text[]),
                 CAST(:set_time AS timestamptz[])) AS a
               ON CONFLICT (member_id, key) DO UPDATE
               SET sealed_value = excluded.sealed_value, source = excluded.source, set_by = excluded.set_by,
                   set_time = excluded.set_time"""
        ),
        {"group_id": tx.group_id, **values},
    )


async def clear_attributes(tx: Tx, places: Sequence[tuple[UUID, str]]) -> set[tuple[UUID, str]]:
    """Clear them, and answer those that were set."""
    place = tuple_(member_attribute.c.member_id, member_attribute.c.key)
    gone = await tx.execute(
        delete(member_attribute)
        .where(member_attribute.c.group_id == tx.group_id, place.in_(sorted(places)))
        .returning(member_attribute.c.member_id, member_attribute.c.key)
    )
    return {(row.member_id, row.key) for row in gone}


async def list_attributes(tx: Tx, member_id: UUID) -> list[tuple[int, SetAttribute]]:
    """Of a member, by key, each with its type."""
    rows = await tx.execute(
        select(*_ATTRIBUTE, attribute_definition.c.type)
        .join(
            attribute_definition,
            (attribute_definition.c.group_id == member_attribute.c.group_id)
            & (attribute_definition.c.key == member_attribute.c.key),
        )
        .where(member_attribute.c.group_id == tx.group_id, member_attribute.c.member_id == member_id)
        .order_by(member_attribute.c.key)
    )
    return [
        (row.type, SetAttribute(**{name: getattr(row, name) for name in SetAttribute.__dataclass_fields__}))
        for row in rows
    ]


async def add_tags(tx: Tx, tags: Collection[tuple[UUID, str]], source: Source) -> set[tuple[UUID, str]]:
    """Give (member, tag), and answer those that are new."""
    ordered = sorted(tags, key=lambda one: (one[1], one[0]))
    rows = await tx.execute(
        text(
            """INSERT INTO member_tag (group_id, tag, member_id, source, added_by, add_time)
               SELECT :group_id, t.tag, t.member_id, :source, :added_by, :add_time
               FROM unnest(CAST(:tags AS text[]), CAST(:member_ids AS uuid[])) AS t (tag, member_id)
               ON CONFLICT DO NOTHING RETURNING member_id, tag"""
        ),
        {
            "group_id": tx.group_id,
            "tags": [tag for _, tag in ordered],
            "member_ids": [member_id for member_id, _ in ordered],
            "source": int(source),
            "added_by": tx.caller.subject,
            "add_time": tx.now,
        },
    )
    return {(row.member_id, row.tag) for row in rows}


async def remove_tags(
    tx: Tx, tags: Collection[tuple[UUID, str]], *, given_by: Source | None = None
) -> set[tuple[UUID, str]]:
    """Take (member, tag) off, only those of one source or all, and answer those that were there."""
    ordered = sorted(tags, key=lambda one: (one[1], one[0]))
    rows = await tx.execute(
        text(
            """WITH locked AS (
                 SELECT m.tag, m.member_id FROM member_tag m
                   JOIN unnest(CAST(:tags AS text[]), CAST(:member_ids AS uuid[])) AS t (tag, member_id)
                     ON t.tag = m.tag AND t.member_id = m.member_id
                 WHERE m.group_id = :group_id AND m.source = coalesce(CAST(:source AS smallint), m.source)
                 ORDER BY m.tag, m.member_id FOR UPDATE OF m)
               DELETE FROM member_tag m USING locked l
               WHERE m.group_id = :group_id AND m.tag = l.tag AND m.member_id = l.member_id
               RETURNING m.member_id, m.tag"""
        ),
        {
            "group_id": tx.group_id,
            "tags": [tag for _, tag in ordered],
            "member_ids": [member_id for member_id, _ in ordered],
            "source": given_by,
        },
    )
    return {(row.member_id, row.tag) for row in rows}


async def list_tags(tx: Tx, member_id: UUID) -> list[Tag]:
    """Of a member, by name."""
    rows = await tx.execute(
        select(*_TAG)
        .where(member_tag.c.group_id == tx.group_id, member_tag.c.member_id == member_id)
        .order_by(member_tag.c.tag)
    )
    return [Tag(**row._mapping) for row in rows]


async def list_tagged(tx: Tx, tag: str, *, after_id: UUID, limit: int) -> list[UUID]:
    """Members with a tag, by id. What is noted under an absorbed id rests until the merge is undone."""
    rows = await tx.execute(
        select(member_tag.c.member_id)
        .join(member, member.c.member_id == member_tag.c.member_id)
        .where(member.c.survivor_id.is_(None))
        .where(member_tag.c.group_id == tx.group_id, member_tag.c.tag == tag, member_tag.c.member_id > after_id)
        .order_by(member_tag.c.member_id)
        .limit(limit)
    )
    return list(rows.scalars())
