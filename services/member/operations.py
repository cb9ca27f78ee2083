"""Use cases about people: joining, and being found. Each runs inside the transaction that it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from chassis.errors import AppError, RequestIdReused, Unavailable
from chassis.ids import to_edge
from huitong.member.v1 import events_pb2
from services.member import errors, rules, store
from services.member.rules import PHONE, Joined, JoinLine, Member, MemberState, Verdict
from services.member.store import PersonRow, RequestRow
from services.member.tiers import operations as tiers
from services.member.tiers import store as tier_store
from services.member.tiers.matching import NUMBER_PURPOSE, number_kind
from services.member.tiers.rules import Ladder, Standing

PHONE_PURPOSE, CODE_PURPOSE = "member.phone", "member.code"
# Two members get the same ten digits once in 10^10 pairs: a number is free long before this.
_MOST_ATTEMPTS = 20


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody with a phone, who is to become `member_id` unless the phone is a member's."""

    phone: str
    member_id: UUID
    store_id: UUID | None = None
    birth_month: int = 0
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class Identified:
    """The member behind a phone, card or code, and whether the proof is good enough for spending."""

    member_id: UUID
    tier_code: str
    may_spend: bool


def phone_index(vault: Vault, group_id: UUID, phone: str) -> bytes:
    """What a phone is found by."""
    return vault.blind_index(PHONE_PURPOSE, group_id, phone)


def _to_member(vault: Vault, ladder: Ladder, row: PersonRow) -> Member:
    growth = row.growth_minor // 100
    return Member(
        member_id=row.member_id,
        card_no=row.card_no,
        masked_phone=rules.mask_phone(vault.decrypt(PHONE_PURPOSE, row.sealed_phone, bound_to=row.member_id)),
        tier_code=ladder.tiers[ladder.held(row.tier_code, growth)].code,
        birth_month=row.birth_month,
        join_time=row.join_time,
        time_zone=row.time_zone,
        state=MemberState(row.state or MemberState.ACTIVE),
        state_version=row.state_version or 0,
        state_time=row.state_time,
    )


def require_active(state: int | None) -> None:
    """Raises MemberFrozen, MemberClosed."""
    if state == MemberState.FROZEN:
        raise errors.MemberFrozen
    if state == MemberState.CLOSED:
        raise errors.MemberClosed


async def get_member(tx: Tx, vault: Vault, member_id: UUID) -> Member:
    """One member of the group. Raises MemberUnknown."""
    row = await store.find_person(tx, member_id)
    if row is None:
        raise errors.MemberUnknown
    return _to_member(vault, await tier_store.get_ladder(tx), row)


async def join_members(tx: Tx, vault: Vault, lines: Sequence[JoinLine]) -> list[Joined | AppError]:
    """Answer each line with its member, joining those whose phone is nobody's yet.

    A handful of statements, however many lines. A request id that came before answers the first answer again, or
    RequestIdReused when its content was another.
    """
    prints = [_fingerprint(vault, tx.group_id, line) for line in lines]
    first_of: dict[str, int] = {}
    for place, line in enumerate(lines):
        first_of.setdefault(line.request_id, place)
    claimed = await store.claim_join_requests(tx, {key: prints[place] for key, place in first_of.items()})
    replayed = first_of.keys() - claimed
    known = await store.find_join_requests(tx, replayed) if replayed else {}
    ladder = await tier_store.get_ladder(tx)

    admitted = await admit(
        tx,
        vault,
        ladder,
        [
            Newcomer(
                line.phone,
                ids.derive(tx.group_id, "member", line.request_id),
                line.store_id,
                line.birth_month,
                line.time_zone,
            )
            for line in (lines[place] for key, place in first_of.items() if key in claimed)
        ],
    )
    requests = dict(known)
    for key, joined in zip((key for key in first_of if key in claimed), admitted, strict=True):
        requests[key] = RequestRow(
            key, prints[first_of[key]], joined.member.member_id, joined.is_new, joined.member.tier_code
        )
    if claimed:
        await store.answer_join_requests(tx, [requests[key] for key in claimed])
    members = {joined.member.member_id: joined.member for joined in admitted}
    others = {row.member_id for row in known.values()} - members.keys()
    rows = await store.find_people(tx, others) if others else {}
    members |= {member_id: _to_member(vault, ladder, row) for member_id, row in rows.items()}
    return [
        _answer(requests[line.request_id], fingerprint, members)
        for line, fingerprint in zip(lines, prints, strict=True)
    ]


def _answer(request: RequestRow, fingerprint: bytes, members: dict[UUID, Member]) -> Joined | AppError:
    if request.fingerprint != fingerprint:
        return RequestIdReused(request_id=request.request_id)
    now = members[request.member_id]
    # As it was answered first: the tier may have changed since. What state the member is in is told as it is.
    return Joined(replace(now, tier_code=request.tier_code), request.is_new)


def _fingerprint(vault: Vault, group_id: UUID, line: JoinLine) -> bytes:
    where = line.store_id.hex if line.store_id else ""
    return vault.blind_index("member.join", group_id, line.phone, where, line.birth_month, line.time_zone)


async def admit(tx: Tx, vault: Vault, ladder: Ladder, newcomers: Sequence[Newcomer]) -> list[Joined]:
    """The member behind each phone, in order; of several newcomers with one phone the first one joins."""
    if not newcomers:
        return []
    indexes = [phone_index(vault, tx.group_id, newcomer.phone) for newcomer in newcomers]
    first: dict[bytes, Newcomer] = {}
    for index, newcomer in zip(indexes, newcomers, strict=True):
        first.setdefault(index, newcomer)
    free = await store.claim_identities(tx, PHONE, {index: one.member_id for index, one in first.items()})
    members = await _add_members(tx, vault, ladder, [one for index, one in first.items() if index in free])

    taken = first.keys() - free
    if taken:
        behind = await store.find_identities(tx, PHONE, taken)
        rows = await store.find_people(tx, behind.values())
        if not (behind.keys() >= taken and rows.keys() >= set(behind.values())):
            raise Unavailable  # somebody gave a phone up, or was erased, in this very moment
        by_index = {index: _to_member(vault, ladder, rows[member_id]) for index, member_id in behind.items()}
    else:
        by_index = {}
    by_index |= {index: members[first[index].member_id] for index in free}
    result = []
    for index in indexes:
        result.append(Joined(by_index[index], is_new=index in free))
        free.discard(index)
    return result


async def _add_members(tx: Tx, vault: Vault, ladder: Ladder, newcomers: Sequence[Newcomer]) -> dict[UUID, Member]:
    if not newcomers:
        return {}
    waiting = {one.member_id: one for one in newcomers}
    cards: dict[UUID, str] = {}
    for attempt in range(_MOST_ATTEMPTS):
        tried = {member_id: rules.card_no_of(tx.group_id, member_id, attempt) for member_id in waiting}
        rows = [_member_row(vault, one, tried[member_id]) for member_id, one in waiting.items()]
        for member_id in await store.add_members(tx, rows):
            cards[member_id] = tried[member_id]
            del waiting[member_id]
        if not waiting:
            break
    else:
        raise RuntimeError("no free card number was found")
    standings = await tiers.enter(tx, ladder, cards)
    members = {}
    for one in newcomers:
        member = Member(
            member_id=one.member_id,
            card_no=cards[one.member_id],
            masked_phone=rules.mask_phone(one.phone),
            tier_code=standings[one.member_id].tier_code or "",
            birth_month=one.birth_month,
            join_time=tx.now,
            time_zone=one.time_zone,
        )
        members[one.member_id] = member
        _emit_joined(tx, ladder, member, standings[one.member_id])
    return members


def _member_row(vault: Vault, newcomer: Newcomer, card_no: str) -> dict[str, Any]:
    return {
        "member_id": newcomer.member_id,
        "card_no": card_no,
        "sealed_phone": vault.encrypt(PHONE_PURPOSE, newcomer.phone, bound_to=newcomer.member_id),
        "birth_month": newcomer.birth_month,
        "time_zone": newcomer.time_zone,
        "store_id": newcomer.store_id,
    }


def _emit_joined(tx: Tx, ladder: Ladder, member: Member, standing: Standing) -> None:
    edge = to_edge("mbr", member.member_id)
    tier = ladder.tiers[ladder.held(standing.tier_code, standing.growth)]
    event = events_pb2.MemberJoined(
        member_id=edge,
        card_no=member.card_no,
        birth_month=member.birth_month,
        tier=tiers.tier_message(tier),
        time_zone=member.time_zone,
    )
    tx.emit(event, key=edge)


async def identify_by_phone(tx: Tx, vault: Vault, phone: str) -> Identified:
    """Raises MemberUnknown, MemberClosed."""
    index = phone_index(vault, tx.group_id, phone)
    return await identify_owner(tx, (await store.find_identities(tx, PHONE, [index])).get(index))


async def identify_by_card(tx: Tx, card_no: str) -> Identified:
    """Raises MemberUnknown, MemberClosed."""
    row = await store.find_person_by_card(tx, card_no) if rules.is_card_no(card_no) else None
    return await _identified(tx, row, may_spend=False)


async def identify_by_unit_number(tx: Tx, vault: Vault, *, unit_id: UUID, scheme: int, number: str) -> Identified:
    """The member whom a business unit's own system knows by this number. Raises MemberUnknown, MemberClosed."""
    index = vault.blind_index(NUMBER_PURPOSE, tx.group_id, unit_id, number)
    return await identify_owner(tx, (await store.find_identities(tx, number_kind(scheme), [index])).get(index))


async def identify_owner(tx: Tx, member_id: UUID | None) -> Identified:
    """The member whose something is, as the service that keeps it says. Raises MemberUnknown, MemberClosed."""
    row = await store.find_person(tx, member_id) if member_id else None
    return await _identified(tx, row, may_spend=False)


async def identify_by_code(
    tx: Tx, vault: Vault, member_code: str, *, spend_request_id: str, real_time_s: float
) -> Identified:
    """The member who shows a dynamic code. With `spend_request_id` the code is used up by that purchase.

    The purchase that used a code may ask again, also when the code has expired meanwhile: its retry must not fail.
    Raises MemberCodeInvalid, MemberCodeExpired, MemberCodeUsed, MemberUnknown, MemberClosed,
    MemberFrozen (when it is to be spent).
    """
    code = rules.read_code(member_code)
    if code is None:
        raise errors.MemberCodeInvalid
    epoch = await store.find_code_epoch(tx, rules.card_no_from(tx.group_id, code.member_no))
    if epoch is None:
        raise errors.MemberCodeInvalid
    seed = rules.member_seed(vault.key(CODE_PURPOSE), tx.group_id, code.member_no, epoch)
    verdict, step = rules.judge_code(seed, code, now_step=rules.step_at(real_time_s))
    if verdict is Verdict.INVALID:
        raise errors.MemberCodeInvalid
    which = {"member_no": code.member_no, "step": step, "serial": code.serial}
    if spend_request_id and verdict is Verdict.VALID:
        await store.use_code(tx, **which, spend_request_id=spend_request_id)  # type: ignore[arg-type]
    used_by = await store.find_code_use(tx, **which)  # type: ignore[arg-type]
    is_own = bool(spend_request_id) and used_by == spend_request_id
    if verdict is Verdict.EXPIRED and not is_own:
        raise errors.MemberCodeExpired
    if spend_request_id and not is_own:
        raise errors.MemberCodeUsed
    row = await store.find_person_by_card(tx, rules.card_no_from(tx.group_id, code.member_no))
    if row is not None and rules.member_no_of(row.card_no) != code.member_no and not is_own:
        raise errors.MemberCodeExpired  # of a member who is absorbed by another, whose codes count now
    if spend_request_id and row is not None:
        require_active(row.state)
    may_spend = (is_own or used_by is None) and row is not None and row.state in (None, MemberState.ACTIVE)
    return await _identified(tx, row, may_spend=may_spend)


async def _identified(tx: Tx, row: PersonRow | None, *, may_spend: bool) -> Identified:
    if row is None:
        raise errors.MemberUnknown
    if row.state == MemberState.CLOSED:
        raise errors.MemberClosed
    ladder = await tier_store.get_ladder(tx)
    held = ladder.tiers[ladder.held(row.tier_code, row.growth_minor // 100)]
    return Identified(row.member_id, held.code, may_spend)


async def show_code(tx: Tx, vault: Vault, member_id: UUID, *, real_time_s: float) -> tuple[str, int]:
    """A code for the member to show, one that was not used, and its step. Raises as code_seed."""
    row = await store.find_person(tx, member_id)
    if row is None:
        raise errors.MemberUnknown
    require_active(row.state)
    member_no, step = rules.member_no_of(row.card_no), rules.step_at(real_time_s)
    used = await store.find_used_serials(tx, member_no=member_no, step=step)
    serial = next((serial for serial in rules.OUR_SERIALS if serial not in used), rules.OUR_SERIALS[-1])
    seed = rules.member_seed(vault.key(CODE_PURPOSE), tx.group_id, member_no, row.code_epoch)
    return rules.make_code(seed, member_no=member_no, step=step, serial=serial), step


async def code_seed(tx: Tx, vault: Vault, member_id: UUID) -> tuple[str, bytes]:
    """The member's number and seed, for a phone that is to make codes while it is offline.

    Raises MemberUnknown, MemberFrozen, MemberClosed.
    """
    row = await store.find_person(tx, member_id)
    if row is None:
        raise errors.MemberUnknown
    require_active(row.state)
    member_no = rules.member_no_of(row.card_no)
    return member_no, rules.member_seed(vault.key(CODE_PURPOSE), tx.group_id, member_no, row.code_epoch)


async def unknown_stores(tx: Tx, store_ids: Iterable[UUID]) -> set[UUID]:
    """Stores that org has not told of, or not as this group's."""
    wanted = set(store_ids)
    return wanted - await store.find_known_stores(tx, wanted) if wanted else set()
