"""Use cases of attributes and tags. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from chassis.errors import AppError
from huitong.member.v1 import attributes_pb2 as pb
from huitong.member.v1 import events_pb2
from services.member import errors
from services.member import store as member_store
from services.member.attributes import rules, store
from services.member.attributes.errors import AttributesTooMany, AttributeTypeFixed, AttributeUnknown
from services.member.attributes.rules import Definition, Source, Type, Value
from services.member.attributes.store import SetAttribute

VALUE_PURPOSE = "member.attribute"


@dataclass(frozen=True, slots=True)
class Item:
    """An attribute of a member, to be set or (None) cleared."""

    member_id: UUID
    key: str
    value: tuple[Type, Value] | None


async def define(tx: Tx, message: pb.AttributeDefinition) -> pb.AttributeDefinition | None:
    """Keep a definition, and answer the one before.

    Raises GroupUnknown, AttributeTypeFixed, AttributeChoicesWrong, AttributesTooMany.
    """
    kind = Type(message.type)
    rules.check_choices(message.key, kind, [choice.code for choice in message.choices])
    if not await member_store.has_group(tx, tx.group_id):
        raise errors.GroupUnknown
    known = await store.find_definition(tx, message.key)
    if known is None and await store.count_definitions(tx) >= rules.MOST_ATTRIBUTES:
        raise AttributesTooMany(limit=rules.MOST_ATTRIBUTES)
    content = message.SerializeToString(deterministic=True)
    if not await store.save_definition(tx, key=message.key, kind=int(kind), content=content):
        raise AttributeTypeFixed(key=message.key)
    return pb.AttributeDefinition.FromString(known) if known is not None else None


async def set_attributes(tx: Tx, vault: Vault, items: Mapping[int, Item], source: Source) -> dict[int, bool | AppError]:
    """Set items in their order, by their places; answers for each whether it changed something, or why not."""
    leaders = await member_store.find_leaders(tx, {item.member_id for item in items.values()}, living=True, hold=True)
    definitions = {one.key: one for one in map(_definition, await _all_definitions(tx))}
    answers: dict[int, bool | AppError] = {}
    wanted: dict[tuple[UUID, str], tuple[int, str | None]] = {}
    for place, item in items.items():
        try:
            if item.member_id not in leaders:
                raise errors.MemberUnknown
            if item.key not in definitions:
                raise AttributeUnknown(key=item.key)
            value = None if item.value is None else rules.text_of(definitions[item.key], *item.value)
        except AppError as error:
            answers[place] = error
            continue
        answers[place] = value is not None
        wanted[leaders[item.member_id], item.key] = place, value
    cleared = [where for where, (_, value) in wanted.items() if value is None]
    gone = await store.clear_attributes(tx, cleared) if cleared else set()
    for where in gone:
        answers[wanted[where][0]] = True
    rows = [
        SetAttribute(
            member_id,
            key,
            vault.encrypt(VALUE_PURPOSE, value, bound_to=bound_to(member_id, key)),
            int(source),
            tx.caller.subject,
            tx.now,
        )
        for (member_id, key), (_, value) in wanted.items()
        if value is not None
    ]
    if rows:
        await store.save_attributes(tx, rows)
    return answers


async def get_attributes(
    tx: Tx, vault: Vault, member_id: UUID
) -> tuple[list[tuple[Type, Value, SetAttribute]], list[store.Tag]]:
    """All that is noted of a member; of an absorbed one, of its survivor. Raises MemberUnknown."""
    leaders = await member_store.find_leaders(tx, [member_id], living=True)
    if member_id not in leaders:
        raise errors.MemberUnknown
    member_id = leaders[member_id]
    found = []
    for number, one in await store.list_attributes(tx, member_id):
        plain = vault.decrypt(VALUE_PURPOSE, one.sealed_value, bound_to=bound_to(member_id, one.key))
        found.append((Type(number), rules.value_of(Type(number), plain), one))
    return found, await store.list_tags(tx, member_id)


async def change_tags(
    tx: Tx, items: Mapping[int, tuple[UUID, str]], source: Source, *, add: bool
) -> dict[int, bool | AppError]:
    """Give or take (member, tag), by their places; answers for each whether it changed something, or why not."""
    leaders = await member_store.find_leaders(
        tx, {member_id for member_id, _ in items.values()}, living=True, hold=True
    )
    wanted = {(leaders[member_id], tag) for member_id, tag in items.values() if member_id in leaders}
    changed = await put_tags(tx, wanted, source, add=add)
    answers: dict[int, bool | AppError] = {}
    for place, (member_id, tag) in items.items():
        if member_id not in leaders:
            answers[place] = errors.MemberUnknown()
            continue
        item = leaders[member_id], tag
        answers[place] = item in changed
        changed.discard(item)  # said twice, it was the first that did it
    return answers


async def follow_tags(tx: Tx, wanted: Mapping[tuple[UUID, str], bool], source: Source) -> None:
    """Give (true) and take (false) tags of (member, tag) as `source` has it: another source's tags are not taken.

    Whom `source` names has them, also one who is absorbed: they rest with the rest of theirs. Those of members who are
    erased come to nothing.
    """
    living = await member_store.find_leaders(tx, {member_id for member_id, _ in wanted}, living=True, hold=True)
    for add in (True, False):
        tags = {item for item, is_given in wanted.items() if is_given is add and item[0] in living}
        await put_tags(tx, tags, source, add=add, own_only=True)


async def put_tags(
    tx: Tx, tags: Collection[tuple[UUID, str]], source: Source, *, add: bool, own_only: bool = False
) -> set[tuple[UUID, str]]:
    """Give or take (member, tag) of known members, and answer and announce what that changed.

    With `own_only` only what `source` gave is taken.
    """
    if not tags:
        return set()
    if add:
        changed = await store.add_tags(tx, tags, source)
    else:
        changed = await store.remove_tags(tx, tags, given_by=source if own_only else None)
    by_member: dict[UUID, list[str]] = {}
    for member_id, tag in sorted(changed):
        by_member.setdefault(member_id, []).append(tag)
    for member_id, names in by_member.items():
        edge = ids.to_edge("mbr", member_id)
        event = events_pb2.TagsChanged(
            member_id=edge,
            added=names if add else [],
            removed=[] if add else names,
            source=int(source),  # type: ignore[arg-type]
        )
        tx.emit(event, key=edge)
    return changed


async def _all_definitions(tx: Tx) -> Sequence[bytes]:
    return await store.list_definitions(tx, after_key="", limit=rules.MOST_ATTRIBUTES + 50)


def _definition(content: bytes) -> Definition:
    message = pb.AttributeDefinition.FromString(content)
    return Definition(message.key, Type(message.type), frozenset(choice.code for choice in message.choices))


def bound_to(member_id: UUID, key: str) -> str:
    """What the sealed value of a member's attribute is bound to."""
    return f"{member_id.hex}:{key}"
