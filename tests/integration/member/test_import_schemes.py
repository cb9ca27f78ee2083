"""A unit's own numbers are guests', access cards', households' or member cards': each is an identity of its own."""

from __future__ import annotations

from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.member.v1 import imports_pb2, imports_pb2_grpc, tiers_pb2, tiers_pb2_grpc
from tests.apps import GROUP, system
from tests.integration.member.conftest import People

OFFICE, HOTEL = (ids.to_edge("unt", ids.derive(GROUP, "unit", name)) for name in ("OFFICE", "HOTEL"))
NEW, LINKED, MATCHED = imports_pb2.IMPORT_OUTCOME_NEW, imports_pb2.IMPORT_OUTCOME_LINKED, 3
SCHEMES = tuple(imports_pb2.NumberScheme.values()[1:])


def phone(number: int) -> str:
    return f"+86138{number:08}"


class Files:
    """Files of units, one for each scheme."""

    def __init__(self, people: People) -> None:
        self.people, self.apps = people, people.apps
        self.imports = self.apps.stub(imports_pb2_grpc.MemberImportServiceStub, "member")
        self.tiers = self.apps.stub(tiers_pb2_grpc.TierProgramServiceStub, "member")

    async def bring(self, scheme: int, number: str, phone: str, *, unit: str = OFFICE, level: str = "") -> Any:
        """One person of a new file; answers the row's result."""
        begin = imports_pb2.CreateMemberImportRequest(
            request_id=ids.new().hex,
            business_unit_id=unit,
            scheme=scheme,  # type: ignore[arg-type]
            name="people.csv",
        )
        import_id = (await self.apps.call(self.imports.CreateMemberImport, begin, system())).member_import.import_id
        row = imports_pb2.MemberRow(request_id="row-1", number=number, phone=phone, level=level)
        request = imports_pb2.ImportMembersRequest(request_id=ids.new().hex, import_id=import_id, rows=[row])
        (result,) = (await self.apps.call(self.imports.ImportMembers, request, system())).results
        return result

    async def grant(self, scheme: int, number: str) -> str:
        """Who is granted the level by this number, or why nobody is."""
        request = tiers_pb2.GrantTierMatchRequest(
            request_id=ids.new().hex,
            business_unit_id=OFFICE,
            scheme=scheme,  # type: ignore[arg-type]
            number=number,
            level="BOARD",
        )
        try:
            return str((await self.apps.call(self.tiers.GrantTierMatch, request, system())).grant.member_id)
        except AppError as error:
            return error.reason

    async def match(self) -> None:
        """The office's level BOARD is worth gold."""
        request = tiers_pb2.SetTierMatchesRequest(
            request_id=ids.new().hex,
            business_unit_id=OFFICE,
            matches=[tiers_pb2.TierMatch(level="BOARD", tier_code="GOLD", months=12)],
        )
        await self.apps.call(self.tiers.SetTierMatches, request, system())


@pytest.fixture
async def files(people: People) -> Files:
    await people.apps.as_owner("member", "TRUNCATE member_import, member_import_row")
    return Files(people)


@pytest.mark.parametrize("scheme", SCHEMES, ids=imports_pb2.NumberScheme.keys()[1:])
async def test_numbers_of_each_scheme_join_link_match_and_are_granted(files: Files, scheme: int) -> None:
    known = (await files.people.join(phone(1))).member.member_id
    await files.match()
    linked = await files.bring(scheme, "77310042", phone(1))
    assert (linked.outcome, linked.member_id) == (LINKED, known)
    new = await files.bring(scheme, "77310043", phone(2), level="BOARD")
    assert new.outcome == NEW
    for number, phone_shown, who in (
        ("77310042", "", known),
        ("77310043", "", new.member_id),
        ("77310043", phone(2), new.member_id),
    ):
        again = await files.bring(scheme, number, phone_shown)
        assert (again.outcome, again.member_id) == (MATCHED, who)
    assert (await files.people.identify(phone=phone(2))).tier_code == "GOLD"
    assert await files.grant(scheme, "77310042") == known
    assert (await files.people.identify(phone=phone(1))).tier_code == "GOLD"
    assert await files.grant(scheme, "77310044") == "MEMBER_UNKNOWN"
    assert await files.people.find_in_database("77310042", "77310043") == []


async def test_one_number_is_another_person_in_each_scheme_and_unit(files: Files) -> None:
    await files.match()
    places = [(unit, scheme) for unit in (OFFICE, HOTEL) for scheme in SCHEMES]
    people = []
    for place, (unit, scheme) in enumerate(places):
        result = await files.bring(scheme, "77310042", phone(place), unit=unit)
        assert result.outcome == NEW
        people.append(result.member_id)
    assert len(set(people)) == len(places) == 8
    for who, (unit, scheme) in zip(people, places, strict=True):
        assert (await files.bring(scheme, "77310042", "", unit=unit)).member_id == who
    # One person may have a number of every kind.
    for scheme in SCHEMES:
        assert (await files.bring(scheme, "77310077", phone(0))).member_id == people[0]
    assert [await files.grant(scheme, "77310077") for scheme in SCHEMES] == [people[0]] * 4
