"""Member files of a hotel and an office under One ID."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from chassis import ids
from huitong.member.v1 import imports_pb2, imports_pb2_grpc
from tests.apps import GROUP, system
from tests.integration.member.conftest import OTHER_GROUP, People
from tests.integration.member.test_merged_people import Merges

HOTEL, OFFICE = (ids.to_edge("unt", ids.derive(GROUP, "unit", name)) for name in ("HOTEL", "OFFICE"))
NEW, LINKED, MATCHED, CONFLICT, OTHER_PHONE, NO_PHONE = range(1, 7)


class Imports:
    """Files that come in."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.stub = people.apps.stub(imports_pb2_grpc.MemberImportServiceStub, "member")

    async def begin(self, unit: str = HOTEL, name: str = "guests.csv", group_id: Any = GROUP) -> str:
        request = imports_pb2.CreateMemberImportRequest(
            request_id=f"begin-{name}", business_unit_id=unit, scheme=imports_pb2.NUMBER_SCHEME_HOTEL_GUEST, name=name
        )
        answer = await self.people.apps.call(self.stub.CreateMemberImport, request, system(group_id))
        return answer.member_import.import_id

    async def send(self, import_id: str, *rows: tuple[Any, ...], group_id: Any = GROUP) -> list[Any]:
        """Rows of (request id, number, phone)."""
        request = imports_pb2.ImportMembersRequest(
            request_id=ids.new().hex,
            import_id=import_id,
            rows=[imports_pb2.MemberRow(request_id=key, number=number, phone=phone) for key, number, phone in rows],
        )
        answer = await self.people.apps.call(self.stub.ImportMembers, request, system(group_id))
        return list(answer.results)

    async def counts(self, import_id: str) -> dict[int, int]:
        request = imports_pb2.GetMemberImportRequest(import_id=import_id)
        answer = await self.people.apps.call(self.stub.GetMemberImport, request, system())
        return {each.outcome: each.row_count for each in answer.counts}

    async def rows(self, import_id: str, **filters: Any) -> Any:
        request = imports_pb2.ListImportedMembersRequest(import_id=import_id, **filters)
        return await self.people.apps.call(self.stub.ListImportedMembers, request, system())


@pytest.fixture
async def imports(people: People) -> Imports:
    await people.apps.as_owner("member", "TRUNCATE member_import, member_import_row")
    return Imports(people)


def phone(number: int) -> str:
    return f"+86138{number:08}"


async def test_guests_match_link_join_and_conflict(imports: Imports) -> None:
    mall = (await imports.people.join(phone(1))).member.member_id
    other = (await imports.people.join(phone(2))).member.member_id
    hotel = await imports.begin()
    found = await imports.send(
        hotel,
        ("a", "G-1", phone(1)),  # a mall member stays at the hotel
        ("b", "G-2", phone(3)),  # nobody yet
        ("c", "G-1", phone(2)),  # the hotel knows one guest by the phone of another
        ("d", "G-2", phone(9)),
        ("e", "G-3", ""),
        ("f", "G-2", ""),
    )
    assert [each.outcome for each in found] == [LINKED, NEW, CONFLICT, OTHER_PHONE, NO_PHONE, MATCHED]
    assert [found[0].member_id, found[2].member_id, found[2].other_member_id] == [mall, mall, other]
    assert found[3].member_id == found[5].member_id == found[1].member_id != ""
    assert await imports.people.count("member") == 3
    assert (await imports.people.identify(phone=phone(3))).member_id == found[1].member_id
    assert await imports.counts(hotel) == dict.fromkeys((1, 2, 3, 4, 5, 6), 1)
    # The number is the unit's own: another unit's G-1 is somebody else.
    (elsewhere,) = await imports.send(await imports.begin(OFFICE, "cards.csv"), ("a", "G-1", phone(5)))
    assert elsewhere.outcome == NEW


async def test_rows_that_come_again_answer_as_they_did(imports: Imports) -> None:
    hotel = await imports.begin()
    rows = [(f"row-{number}", f"G-{number}", phone(number)) for number in range(20)]
    first = await imports.send(hotel, *rows)
    assert {each.outcome for each in first} == {NEW}
    assert await imports.send(hotel, *rows[5:15]) == first[5:15]
    assert await imports.begin() == hotel
    changed, twin = await imports.send(hotel, ("row-3", "G-3", phone(99)), ("row-4", "G-4", phone(4)))
    assert changed.problem.reason == "REQUEST_ID_REUSED" and twin == first[4]
    assert await imports.people.count("member") == 20
    assert len(await imports.people.events("MemberJoined")) == 20


async def test_a_bad_row_holds_up_no_other(imports: Imports) -> None:
    found = await imports.send(
        await imports.begin(), ("a", "G-1", "138"), ("b", "", phone(1)), ("c", "G-3", phone(3)), ("d", "G\t4", phone(4))
    )
    assert [each.problem.reason for each in found] == ["INVALID_ARGUMENT", "INVALID_ARGUMENT", "", "INVALID_ARGUMENT"]
    assert [each.request_id for each in found] == ["a", "b", "c", "d"] and found[2].outcome == NEW


async def test_two_imports_and_joins_of_the_same_people_at_once_make_each_one_member(imports: Imports) -> None:
    hotel, office = await imports.begin(), await imports.begin(OFFICE, "cards.csv")
    rows = [(f"row-{number:03}", f"N-{number}", phone(number)) for number in range(60)]
    reversed_rows = [(key, number, each) for key, number, each in reversed(rows)]
    answers = await asyncio.gather(
        *(imports.send(hotel, *rows[start : start + 20]) for start in range(0, 60, 10)),
        *(imports.send(office, *reversed_rows[start : start + 20]) for start in range(0, 60, 10)),
        *(imports.people.join(phone(number)) for number in range(0, 60, 3)),
    )
    assert await imports.people.count("member") == 60
    by_row: dict[str, set[str]] = {}
    for batch in answers[:12]:
        for each in batch:
            assert each.outcome in (NEW, LINKED, MATCHED), each
            by_row.setdefault(each.request_id, set()).add(each.member_id)
    assert len(by_row) == 60 and all(len(members) == 1 for members in by_row.values())


async def test_the_report_pages_by_outcome(imports: Imports) -> None:
    hotel = await imports.begin()
    rows = [(f"row-{number:03}", f"G-{number % 40}", phone(number % 40)) for number in range(60)]
    await imports.send(hotel, *rows)
    assert await imports.counts(hotel) == {NEW: 40, MATCHED: 20}
    seen: list[Any] = []
    token = ""
    while True:
        page = await imports.rows(hotel, outcome=MATCHED, page_size=7, page_token=token)
        seen += page.rows
        token = page.next_page_token
        if not token:
            break
    assert [each.request_id for each in seen] == [f"row-{number:03}" for number in range(40, 60)]
    assert Counter(each.outcome for each in (await imports.rows(hotel, page_size=100)).rows) == {NEW: 40, MATCHED: 20}


async def test_an_import_is_its_groups_alone(imports: Imports, refusal: Any) -> None:
    hotel = await imports.begin()
    unknown = imports.send(hotel, ("a", "G-1", phone(1)), group_id=OTHER_GROUP)
    assert await refusal(unknown) == "MEMBER_IMPORT_UNKNOWN"
    assert await refusal(imports.send("imp_" + "0" * 32, ("a", "G-1", phone(1)))) == "MEMBER_IMPORT_UNKNOWN"
    assert await refusal(imports.send("hotel", ("a", "G-1", phone(1)))) == "INVALID_ARGUMENT"
    assert await refusal(imports.send(hotel)) == "INVALID_ARGUMENT"
    assert await imports.people.count("member") == 0


async def test_neither_number_nor_phone_is_stored_readably(imports: Imports) -> None:
    await imports.send(await imports.begin(), ("a", "GUEST-77-SECRET", phone(77)))
    assert await imports.people.find_in_database("GUEST-77-SECRET", phone(77), phone(77)[3:]) == []


async def test_a_unit_finds_its_people_by_its_own_numbers(imports: Imports, refusal: Any) -> None:
    hotel = await imports.begin()
    guest = (await imports.send(hotel, ("a", "G-1", phone(1))))[0].member_id
    own: dict[str, Any] = {"business_unit_id": HOTEL, "scheme": imports_pb2.NUMBER_SCHEME_HOTEL_GUEST, "number": "G-1"}
    found = await imports.people.identify(unit_number=own)
    assert (found.member_id, found.tier_code, found.may_spend) == (guest, "MEMBER", False)
    for other in ({"business_unit_id": OFFICE}, {"scheme": imports_pb2.NUMBER_SCHEME_OFFICE_CARD}, {"number": "G-2"}):
        assert await refusal(imports.people.identify(unit_number={**own, **other})) == "MEMBER_UNKNOWN"
    assert await refusal(imports.people.identify(OTHER_GROUP, unit_number=own)) == "MEMBER_UNKNOWN"
    for wrong in ({"number": "G\n1"}, {"business_unit_id": "unt_x"}, {"scheme": 0}):
        assert await refusal(imports.people.identify(unit_number={**own, **wrong})) == "INVALID_ARGUMENT"


async def test_what_a_file_adds_to_an_absorbed_member_is_theirs_when_they_are_parted(imports: Imports) -> None:
    people, merges = imports.people, Merges(imports.people)
    anna, guest = [(await people.join(phone(number))).member.member_id for number in (1, 2)]
    merge_id = await merges.merge(anna, guest)
    (linked,) = await imports.send(await imports.begin(), ("a", "G-2", phone(2)))
    assert (linked.outcome, linked.member_id) == (LINKED, anna)
    own: dict[str, Any] = {"business_unit_id": HOTEL, "scheme": imports_pb2.NUMBER_SCHEME_HOTEL_GUEST, "number": "G-2"}
    assert (await people.identify(unit_number=own)).member_id == anna
    await merges.unmerge(merge_id)
    assert (await people.identify(unit_number=own)).member_id == guest
