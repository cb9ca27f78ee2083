"""Use cases of imports. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from chassis.errors import AppError, RequestIdReused
from services.member import errors
from services.member import store as member_store
from services.member.attributes.operations import put_tags
from services.member.attributes.rules import Source
from services.member.imports import store
from services.member.imports.errors import MemberImportUnknown
from services.member.imports.rules import Found, Outcome, Row, decide
from services.member.imports.store import MemberImport
from services.member.operations import Newcomer, admit, phone_index
from services.member.rules import PHONE
from services.member.tiers import store as tier_store
from services.member.tiers.matching import NUMBER_PURPOSE, Card, grant_levels, number_kind

# What leads to one member for certain.
_ONE_MEMBER = (Outcome.NEW, Outcome.LINKED, Outcome.MATCHED)
ROW_PURPOSE = "member.import-row"


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a file, as sent; "" for no phone or level, 0 for no birth month."""

    request_id: str
    number: str
    phone: str
    birth_month: int
    tags: tuple[str, ...] = ()
    level: str = ""


async def create_import(tx: Tx, *, request_id: str, unit_id: UUID, scheme: int, name: str) -> MemberImport:
    """Begin an import. Raises GroupUnknown."""
    if not await member_store.has_group(tx, tx.group_id):
        raise errors.GroupUnknown
    new = MemberImport(ids.derive("member-import", tx.group_id, request_id), unit_id, scheme, name, tx.now)
    await store.add_import(tx, new)
    return new


async def get_import(tx: Tx, import_id: UUID) -> MemberImport:
    """Raises MemberImportUnknown."""
    found = await store.find_import(tx, import_id)
    if found is None:
        raise MemberImportUnknown(import_id=ids.to_edge("imp", import_id))
    return found


async def import_lines(tx: Tx, vault: Vault, import_id: UUID, lines: Sequence[Line]) -> list[Found | AppError]:
    """Bring lines under One ID, and answer what each led to, in order; a line that came before as it did then.

    A handful of statements, however many lines. Raises MemberImportUnknown.
    """
    of = await get_import(tx, import_id)
    prints = [_fingerprint(vault, of, line) for line in lines]
    first_of: dict[str, int] = {}
    for place, line in enumerate(lines):
        first_of.setdefault(line.request_id, place)
    claimed = await store.claim_rows(tx, import_id, {key: prints[place] for key, place in first_of.items()})
    came_before = await store.find_rows(tx, import_id, first_of.keys() - claimed)
    new = [lines[place] for key, place in first_of.items() if key in claimed]
    brought = await _bring_in(tx, vault, of, new)
    await _match_levels(tx, vault, of, list(zip(new, brought, strict=True)))
    answers = dict(zip((line.request_id for line in new), brought, strict=True))
    tags = {
        (answer.member_id, tag)
        for line in new
        if (answer := answers[line.request_id]).member_id is not None and answer.outcome in _ONE_MEMBER
        for tag in line.tags
    }
    await put_tags(tx, tags, Source.IMPORT, add=True)
    if answers:
        await store.answer_rows(tx, import_id, list(answers.items()))
    results: list[Found | AppError] = []
    for line, fingerprint in zip(lines, prints, strict=True):
        before = came_before.get(line.request_id)
        first_print = before.fingerprint if before else prints[first_of[line.request_id]]
        if first_print != fingerprint:
            results.append(RequestIdReused(request_id=line.request_id))
        else:
            results.append(before.found if before else answers[line.request_id])
    return results


async def _bring_in(tx: Tx, vault: Vault, of: MemberImport, lines: Sequence[Line]) -> list[Found]:
    if not lines:
        return []
    kind = number_kind(of.scheme)
    rows = [
        Row(
            line.request_id,
            vault.blind_index(NUMBER_PURPOSE, tx.group_id, of.unit_id, line.number),
            phone_index(vault, tx.group_id, line.phone) if line.phone else None,
            ids.derive("member", of.import_id, line.request_id),
        )
        for line in lines
    ]
    phones = {row.phone_index for row in rows if row.phone_index is not None}
    found = decide(
        rows,
        numbers=await member_store.find_identities(tx, kind, {row.number_index for row in rows}),
        phones=await member_store.find_identities(tx, PHONE, phones),
    )
    joining = [
        (line, each.member_id)
        for line, each in zip(lines, found, strict=True)
        if each.outcome is Outcome.NEW and each.member_id is not None
    ]
    admitted = await admit(
        tx,
        vault,
        await tier_store.get_ladder(tx),
        [Newcomer(line.phone, member_id, birth_month=line.birth_month) for line, member_id in joining],
    )
    # A phone that joined through another door in this very moment is that member's.
    joined_as = {wanted: joined.member.member_id for (_, wanted), joined in zip(joining, admitted, strict=True)}
    found = [_as_joined(each, joined_as) for each in found]
    await member_store.hold_living(tx, {each.member_id for each in found if each.member_id is not None})
    # Of an absorbed member's phone the number is that member's, too.
    owners = await member_store.find_owners(tx, PHONE, phones)
    given = {
        row.number_index: owners.get(row.phone_index or b"", each.member_id)
        for row, each in zip(rows, found, strict=True)
        if each.outcome in (Outcome.NEW, Outcome.LINKED) and each.member_id is not None
    }
    free = await member_store.claim_identities(tx, kind, given)
    if len(free) == len(given):
        return found
    taken = await member_store.find_identities(tx, kind, given.keys() - free)
    return [_as_taken(each, taken.get(row.number_index)) for row, each in zip(rows, found, strict=True)]


async def _match_levels(tx: Tx, vault: Vault, of: MemberImport, rows: Sequence[tuple[Line, Found]]) -> None:
    with_level = [
        (vault.blind_index(NUMBER_PURPOSE, tx.group_id, of.unit_id, line.number), line, found.member_id)
        for line, found in rows
        if line.level and found.member_id is not None and found.outcome in _ONE_MEMBER
    ]
    if with_level:
        owners = await member_store.find_owners(tx, number_kind(of.scheme), {index for index, _, _ in with_level})
        cards = [
            Card(member_id, owners.get(index, member_id), line.level, index, of.import_id, line.request_id)
            for index, line, member_id in with_level
        ]
        await grant_levels(tx, of.unit_id, of.scheme, cards)


def _as_joined(found: Found, joined_as: dict[UUID, UUID]) -> Found:
    member_id = joined_as.get(found.member_id, found.member_id) if found.member_id else None
    if member_id == found.member_id:
        return found
    outcome = Outcome.LINKED if found.outcome is Outcome.NEW else found.outcome
    return Found(outcome, member_id, found.other_id)


def _as_taken(found: Found, owner_id: UUID | None) -> Found:
    """What it comes to when another import gave the number to somebody in this very moment."""
    if owner_id is None or found.outcome not in (Outcome.NEW, Outcome.LINKED) or owner_id == found.member_id:
        return found
    return Found(Outcome.CONFLICT, owner_id, found.member_id)


def _fingerprint(vault: Vault, of: MemberImport, line: Line) -> bytes:
    # Keyed: a plain hash of a phone number could be guessed.
    level = [f"level {line.level}"] if line.level else []  # no tag has a blank
    return vault.blind_index(ROW_PURPOSE, of.import_id, line.number, line.phone, line.birth_month, *line.tags, *level)
