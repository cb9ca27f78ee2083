"""Use cases of settings, export and erasure.

An erasure is a row that goes on by itself: WAITING → (POSTPONED →) RUNNING → DONE. It begins in one transaction here,
after every service has said that nothing keeps it: what leads to the member goes, and MemberErased is emitted. Then
each service is asked to erase its part until it has confirmed. All of it is done for each id of the person, the
survivor's and those it has absorbed; while an erasure is open no merge of theirs begins or is undone. Whatever dies at
whatever point, the row says what is left to do, and every step may be done again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from chassis import ids, rpc
from chassis.crypto import Vault
from chassis.db import Database, Tx
from chassis.errors import AppError, InvalidArgument
from chassis.identity import Caller, CallerKind
from chassis.pages import decode_token, encode_token
from chassis.personal_data import read_records
from huitong.common.v1 import personal_data_pb2 as common
from huitong.common.v1 import personal_data_pb2_grpc
from huitong.member.v1 import events_pb2
from services.member import store as member_store
from services.member.errors import GroupUnknown, MemberUnknown
from services.member.merging import store as merge_store
from services.member.merging.errors import MemberAbsorbed, MergeUnderWay
from services.member.privacy import records, rules, store
from services.member.privacy.errors import ErasureBegun, ErasureUnknown
from services.member.privacy.rules import SERVICES, Erasure, Settings, State

log = structlog.get_logger()
AT_ONCE, CHUNK = 4, 100
CALL_SECONDS = 10.0
Stubs = Mapping[str, personal_data_pb2_grpc.PersonalDataServiceStub]


async def set_settings(tx: Tx, settings: Settings) -> None:
    """Replace the group's. Raises GroupUnknown."""
    if not await member_store.has_group(tx, tx.group_id):
        raise GroupUnknown
    await store.save_settings(tx, settings)


async def request_erasure(tx: Tx, member_id: UUID, *, request_id: str) -> Erasure:
    """Ask for one of the whole person, or hear of the open one; somebody else than the member hurries it.

    Raises MemberUnknown, MemberAbsorbed (in this very moment: ask again).
    """
    member_id = await member_store.leader_of(tx, member_id)
    if not await store.is_member(tx, member_id):
        raise MemberUnknown
    is_own = tx.caller.kind is CallerKind.MEMBER
    due_time = rules.due_time(await store.get_settings(tx), tx.now, is_own=is_own)
    new = Erasure(
        erasure_id=ids.derive("erasure", tx.group_id, request_id),
        group_id=tx.group_id,
        member_id=member_id,
        state=State.WAITING,
        requested_by=tx.caller.kind.value,
        request_time=tx.now,
        due_time=due_time,
        begin_time=None,
        done_time=None,
        confirmed_services=[],
        blockers=[],
        attempt_count=0,
    )
    open_one = await store.add_erasure(tx, new)
    # A merge locks its members and looks for erasures then: one of both sees the other.
    survivor_id = (await merge_store.lock_members(tx, [member_id])).get(member_id)
    if survivor_id is not None:
        raise MemberAbsorbed(member_id=ids.to_edge("mbr", member_id), survivor_id=ids.to_edge("mbr", survivor_id))
    if open_one.state == State.WAITING and due_time < open_one.due_time:
        await store.save_state(tx, open_one.erasure_id, State.WAITING, due_time=due_time, requested_by=new.requested_by)
        return await store.lock_erasure(tx, open_one.erasure_id)
    return open_one


async def withdraw_erasure(tx: Tx, member_id: UUID) -> tuple[Erasure, Erasure]:
    """Withdraw the open one; answers it as it was and as it is. Raises ErasureUnknown, ErasureBegun."""
    one = await store.find_erasure(tx, await member_store.leader_of(tx, member_id), lock=True)
    if one is None:
        raise ErasureUnknown
    if one.state in (State.RUNNING, State.DONE):
        raise ErasureBegun
    await store.save_state(tx, one.erasure_id, State.WITHDRAWN, blockers=[])
    return one, await store.lock_erasure(tx, one.erasure_id)


async def get_erasure(tx: Tx, member_id: UUID) -> Erasure:
    """The newest of the person. Raises ErasureUnknown."""
    one = await store.find_erasure(tx, await member_store.leader_of(tx, member_id))
    if one is None:
        raise ErasureUnknown
    return one


class Exports:
    """A person's records over all services, a page of one service and one id of the person at a time."""

    def __init__(self, db: Database, vault: Vault, stubs: Stubs) -> None:
        self._db, self._stubs = db, stubs
        self._sections = records.sections(vault)

    async def page(self, member_id: UUID, *, token: str, size: int) -> tuple[list[common.PersonalRecord], str]:
        """Records, and the token of the next page, "" after the last of the last service.

        Raises MemberUnknown, InvalidArgument, and what a service that does not answer leads to (Unavailable).
        """
        step, asked_id, inner = 0, "", ""
        if token:
            number, asked_id, inner = decode_token(token, 3)
            if not number.isdecimal() or int(number) > len(SERVICES):
                raise _wrong_token()
            step = int(number)
        async with self._db.reading(rpc.caller()) as tx:
            people = await merge_store.people_of(tx, member_id)
            if not people:
                raise MemberUnknown
            # Nobody else's id, whatever the token says; nor one that is a person of its own again by now.
            whose = next((one for one in people if one.hex == asked_id), None) if token else people[0]
            if whose is None:
                raise _wrong_token()
            if step == 0:
                found, inner = await read_records(
                    tx, self._sections, whose, service="member", prefixes=records.PREFIXES, token=inner, size=size
                )
        edge = ids.to_edge("mbr", whose)
        if step > 0:
            request = common.ExportMemberRequest(member_id=edge, page_size=size, page_token=inner)
            answer = await rpc.call(self._stubs[SERVICES[step - 1]].ExportMember, request, timeout_s=CALL_SECONDS)
            found, inner = list(answer.records), answer.next_page_token
        for record in found:
            record.member_id = edge
        if inner:
            return found, encode_token(step, whose.hex, inner)
        if whose != people[-1]:
            return found, encode_token(step, people[people.index(whose) + 1].hex, "")
        return found, encode_token(step + 1, people[0].hex, "") if step < len(SERVICES) else ""


def _wrong_token() -> InvalidArgument:
    return InvalidArgument([("page_token", "is not a token that this list gave, or the members were merged since")])


class Erasures:
    """Drives erasures on; run by one replica at a time."""

    def __init__(self, db: Database, stubs: Stubs) -> None:
        self._db, self._stubs = db, stubs

    async def run(self, business_now: datetime) -> None:
        """Go on with whatever is due; one that fails does not hold up the others."""
        turn = asyncio.Semaphore(AT_ONCE)

        async def drive(one: Erasure) -> None:
            async with turn:
                try:
                    await self._drive(one)
                except Exception as error:
                    log.error("erasure_failed", erasure_id=str(one.erasure_id), exc_info=error)
                    await self._put_off(one, State(one.state), [])

        while True:
            async with self._db.transaction(_caller(rpc.NO_GROUP)) as tx:
                due = await store.list_due(tx, limit=CHUNK)
            await asyncio.gather(*map(drive, due))
            if len(due) < CHUNK:
                return

    async def _drive(self, one: Erasure) -> None:
        if one.state != State.RUNNING:
            if blockers := await self._find_blockers(one):
                await self._put_off(one, State.POSTPONED, blockers)
                return
            if not await self._begin(one):
                return
        problems = []
        async with self._db.reading(_caller(one.group_id)) as tx:
            people = await merge_store.people_of(tx, one.member_id)
        for service in one.open_services:
            try:
                # The survivor last: until then services may still move to it what an absorbed one has.
                for member_id in reversed(people):
                    request = common.EraseMemberRequest(
                        request_id=one.erasure_id.hex, member_id=ids.to_edge("mbr", member_id)
                    )
                    await rpc.call(
                        self._stubs[service].EraseMember, request, group_id=one.group_id, timeout_s=CALL_SECONDS
                    )
            except AppError as error:
                problems.append(_blocker(service, error))
                continue
            async with self._db.transaction(_caller(one.group_id)) as tx:
                await store.confirm(tx, one.erasure_id, service)
        if problems:
            await self._put_off(one, State.RUNNING, problems)
            return
        async with self._db.transaction(_caller(one.group_id)) as tx:
            if not (await store.lock_erasure(tx, one.erasure_id)).open_services:
                await store.save_state(tx, one.erasure_id, State.DONE, done_time=tx.now, blockers=[])

    async def _find_blockers(self, one: Erasure) -> list[dict[str, object]]:
        """What keeps it; a service that does not answer does, and so does a merge that is not followed everywhere."""
        async with self._db.reading(_caller(one.group_id)) as tx:
            people = await merge_store.people_of(tx, one.member_id)
            merges = await merge_store.list_under_way(tx, one.member_id)
        edge = ids.to_edge("mbr", one.member_id)
        found: list[dict[str, object]] = [_blocker("member", MergeUnderWay(member_id=edge)) for _ in merges[:1]]
        for service in SERVICES:
            try:
                for member_id in people:
                    request = common.CheckErasureRequest(member_id=ids.to_edge("mbr", member_id))
                    answer = await rpc.call(
                        self._stubs[service].CheckErasure, request, group_id=one.group_id, timeout_s=CALL_SECONDS
                    )
                    found += [_blocker_of(service, problem) for problem in answer.blockers]
            except AppError as error:
                found.append(_blocker(service, error))
        return found

    async def _begin(self, one: Erasure) -> bool:
        """Take what is personal away here, and say so; False when it was withdrawn meanwhile."""
        async with self._db.transaction(_caller(one.group_id)) as tx:
            now = await store.lock_erasure(tx, one.erasure_id)
            if now.state not in (State.WAITING, State.POSTPONED):
                return now.state == State.RUNNING
            people = await merge_store.people_of(tx, one.member_id)
            await merge_store.lock_members(tx, people)
            await store.save_state(tx, one.erasure_id, State.RUNNING, begin_time=tx.now, blockers=[], attempt_count=0)
            for member_id in people:
                await store.take_away(tx, member_id, now=tx.now)
                edge = ids.to_edge("mbr", member_id)
                event = events_pb2.MemberErased(member_id=edge, erasure_id=ids.to_edge("ers", one.erasure_id))
                tx.emit(event, key=edge)
        return True

    async def _put_off(self, one: Erasure, state: State, blockers: list[dict[str, object]]) -> None:
        async with self._db.transaction(_caller(one.group_id)) as tx:
            now = await store.lock_erasure(tx, one.erasure_id)
            if now.state not in rules.OPEN:
                return
            await store.save_state(
                tx,
                one.erasure_id,
                max(state, State(now.state)),
                blockers=blockers,
                attempt_count=now.attempt_count + 1,
                pause_seconds=rules.pause_seconds(now.attempt_count),
            )


def _caller(group_id: UUID) -> Caller:
    return rpc.internal_caller("member", group_id)


def _blocker(service: str, error: AppError) -> dict[str, object]:
    return {
        "service": service,
        "reason": error.reason,
        "message": error.message,
        "message_zh": error.message_zh,
        "metadata": error.values,
    }


def _blocker_of(service: str, problem: Any) -> dict[str, object]:
    return {
        "service": service,
        "reason": problem.reason,
        "message": problem.message,
        "message_zh": problem.message_zh,
        "metadata": dict(problem.metadata),
    }
