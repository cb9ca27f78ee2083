"""Typed attributes and tags of members."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chassis import ids
from chassis.identity import Caller, CallerKind
from huitong.common.v1 import types_pb2
from huitong.member.v1 import attributes_pb2 as pb
from huitong.member.v1 import attributes_pb2_grpc, imports_pb2, imports_pb2_grpc
from tests.apps import GROUP, internal, member, system
from tests.integration.member.conftest import OTHER_GROUP, People

OPERATOR = Caller(CallerKind.OPERATOR, "opr_1", GROUP, "ses_1", {"": "member.attributes.*"})
SECRET = "allergic to peanuts"
VALUES: dict[str, Any] = {
    "note": pb.AttributeValue(text_value=SECRET),
    "children": pb.AttributeValue(integer_value=-3),
    "height_m": pb.AttributeValue(decimal_value="1.750"),
    "has_car": pb.AttributeValue(boolean_value=False),
    "wedding": pb.AttributeValue(date_value=types_pb2.BusinessDate(year=2012, month=2, day=29)),
    "size": pb.AttributeValue(choice_value="M"),
}
TYPES = dict(zip(VALUES, range(1, 7), strict=True))


class Notes:
    """AttributeService as whoever it takes."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.stub = people.apps.stub(attributes_pb2_grpc.AttributeServiceStub, "member")

    async def do(self, rpc: str, by: Caller | None = None, **values: Any) -> Any:
        kind = getattr(pb, f"{rpc}Request")
        if "request_id" in kind.DESCRIPTOR.fields_by_name:
            values.setdefault("request_id", ids.new().hex)
        return await self.people.apps.call(getattr(self.stub, rpc), kind(**values), by or system())

    async def define(self, key: str, kind: int, *choices: str, **values: Any) -> Any:
        definition = pb.AttributeDefinition(
            key=key,
            type=kind,  # type: ignore[arg-type]
            label=key,
            label_zh="标签",
            choices=[pb.AttributeChoice(code=code, label=code) for code in choices],
        )
        return await self.do("DefineAttribute", definition=definition, **values)

    async def join(self, number: int = 1, **values: Any) -> str:
        return str((await self.people.join(f"+86138{number:08}", **values)).member.member_id)

    async def of(self, who: str, by: Caller | None = None) -> Any:
        return await self.do("GetMemberAttributes", by, member_id=who)


@pytest.fixture
async def notes(people: People) -> Notes:
    await people.apps.as_owner("member", "TRUNCATE attribute_definition, member_attribute, member_tag")
    made = Notes(people)
    for key, kind in TYPES.items():
        await made.define(key, kind, *(("S", "M") if key == "size" else ()))
    return made


def reasons(answer: Any) -> list[str]:
    return [result.problem.reason or str(result.is_changed) for result in answer.results]


async def test_values_are_typed_sealed_and_say_where_they_come_from(notes: Notes) -> None:
    who, before = await notes.join(), await notes.people.db.now()
    items = [pb.AttributeItem(member_id=who, key=key, value=value) for key, value in VALUES.items()]
    set_all: dict[str, Any] = {"request_id": "set-attributes-1", "items": items, "source": pb.ATTRIBUTE_SOURCE_IMPORT}
    answer = await notes.do("SetMemberAttributes", **set_all)
    assert reasons(answer) == ["True"] * 6 and await notes.do("SetMemberAttributes", **set_all) == answer
    shown = await notes.of(who)
    assert {one.key: one.value for one in shown.attributes} == VALUES
    assert {(one.source, one.set_by) for one in shown.attributes} == {(pb.ATTRIBUTE_SOURCE_IMPORT, "key_test")}
    assert all(one.set_time.ToDatetime(before.tzinfo) >= before for one in shown.attributes)
    # What a person sets is an operator's.
    change = [pb.AttributeItem(member_id=who, key="size", value=pb.AttributeValue(choice_value="S"))]
    await notes.do("SetMemberAttributes", OPERATOR, items=change, source=pb.ATTRIBUTE_SOURCE_TASK)
    cleared = [pb.AttributeItem(member_id=who, key="note")] * 2
    assert reasons(await notes.do("SetMemberAttributes", items=cleared)) == ["False", "True"]
    after = {one.key: one for one in (await notes.of(who)).attributes}
    assert (after["size"].source, after["size"].set_by) == (pb.ATTRIBUTE_SOURCE_OPERATOR, "opr_1")
    assert after["size"].value.choice_value == "S" and "note" not in after
    assert await notes.people.find_in_database(SECRET) == []


async def test_a_wrong_item_holds_up_no_other(notes: Notes, refusal: Any) -> None:
    who, other = await notes.join(), await notes.join(group_id=OTHER_GROUP)
    for value in (
        pb.AttributeValue(text_value="three"),
        pb.AttributeValue(decimal_value="3"),
        pb.AttributeValue(boolean_value=True),
    ):
        items = [pb.AttributeItem(member_id=who, key="children", value=value)]
        assert reasons(await notes.do("SetMemberAttributes", items=items)) == ["ATTRIBUTE_VALUE_WRONG"]
    no_day = pb.AttributeValue(date_value=types_pb2.BusinessDate(year=2013, month=2, day=29))
    wrong = [
        pb.AttributeItem(member_id=who, key="wedding", value=no_day),
        pb.AttributeItem(member_id=who, key="size", value=pb.AttributeValue(choice_value="XL")),
        pb.AttributeItem(member_id=who, key="unheard_of", value=VALUES["note"]),
        pb.AttributeItem(member_id=other, key="note", value=VALUES["note"]),
        pb.AttributeItem(member_id=who, key="height_m", value=pb.AttributeValue(decimal_value="1e9")),
        pb.AttributeItem(member_id=who, key="children", value=VALUES["children"]),
    ]
    assert reasons(await notes.do("SetMemberAttributes", items=wrong)) == [
        "INVALID_ARGUMENT",
        "ATTRIBUTE_VALUE_WRONG",
        "ATTRIBUTE_UNKNOWN",
        "MEMBER_UNKNOWN",
        "INVALID_ARGUMENT",
        "True",
    ]
    assert [one.key for one in (await notes.of(who)).attributes] == ["children"]
    assert await refusal(notes.do("SetMemberAttributes", items=[])) == "INVALID_ARGUMENT"
    assert await refusal(notes.do("SetMemberAttributes", items=wrong[-1:] * 1_001)) == "INVALID_ARGUMENT"
    # The same id with another value is another request, which its log tells without knowing the value.
    again: dict[str, Any] = {"request_id": "set-attributes-1"}
    await notes.do("SetMemberAttributes", items=wrong[-1:], **again)
    assert await refusal(notes.do("SetMemberAttributes", items=wrong[:1], **again)) == "REQUEST_ID_REUSED"
    assert await refusal(notes.of(other)) == "MEMBER_UNKNOWN"
    assert await refusal(notes.of(who, member(who))) == "PERMISSION_DENIED"


async def test_a_type_is_for_ever_and_choices_are_not(notes: Notes, refusal: Any) -> None:
    assert await refusal(notes.define("note", pb.ATTRIBUTE_TYPE_DATE)) == "ATTRIBUTE_TYPE_FIXED"
    assert await refusal(notes.define("colour", pb.ATTRIBUTE_TYPE_CHOICE)) == "ATTRIBUTE_CHOICES_WRONG"
    assert await refusal(notes.define("colour", pb.ATTRIBUTE_TYPE_CHOICE, "R", "R")) == "ATTRIBUTE_CHOICES_WRONG"
    assert await refusal(notes.define("colour", pb.ATTRIBUTE_TYPE_TEXT, "R")) == "ATTRIBUTE_CHOICES_WRONG"
    await notes.define("size", pb.ATTRIBUTE_TYPE_CHOICE, "S", "M", "XL")
    page = await notes.do("ListAttributeDefinitions", page_size=4)
    rest = await notes.do("ListAttributeDefinitions", internal("points"), page_token=page.next_page_token)
    keys = [one.key for one in [*page.definitions, *rest.definitions]]
    assert keys == sorted(TYPES) and not rest.next_page_token
    (size,) = [one for one in [*page.definitions, *rest.definitions] if one.key == "size"]
    assert [choice.code for choice in size.choices] == ["S", "M", "XL"] and size.label_zh == "标签"


async def test_tags_come_and_go_once_and_tell_of_it(notes: Notes, refusal: Any) -> None:
    whos = sorted([await notes.join(number) for number in range(1, 6)])
    items = [pb.TagItem(member_id=who, tag=tag) for who in whos for tag in ("VIP", "REGULAR")]
    bad = [pb.TagItem(member_id=whos[0], tag="not a tag"), pb.TagItem(member_id=ids.to_edge("mbr", ids.new()), tag="A")]
    added = await notes.do("AddTags", OPERATOR, items=[*items, items[0], *bad])
    assert reasons(added) == ["True"] * 10 + ["False", "INVALID_ARGUMENT", "MEMBER_UNKNOWN"]
    # Many at once, in any order: each tag comes once, and nobody waits for nobody in a circle.
    many = [[pb.TagItem(member_id=who, tag=tag) for who in order for tag in ("C", "B")] for order in (whos, whos[::-1])]
    calls = [notes.do("AddTags", items=many[number % 2], source=pb.ATTRIBUTE_SOURCE_SEGMENT) for number in range(6)]
    answers = await asyncio.gather(*calls)
    assert sum(result.is_changed for answer in answers for result in answer.results) == 10
    tags = {tag.tag: tag for tag in (await notes.of(whos[0])).tags}
    assert list(tags) == ["B", "C", "REGULAR", "VIP"]
    assert (tags["VIP"].source, tags["VIP"].added_by) == (pb.ATTRIBUTE_SOURCE_OPERATOR, "opr_1")
    assert tags["B"].source == pb.ATTRIBUTE_SOURCE_SEGMENT

    page = await notes.do("ListMembersByTag", tag="VIP", page_size=3)
    rest = await notes.do("ListMembersByTag", tag="VIP", page_size=3, page_token=page.next_page_token)
    assert [*page.member_ids, *rest.member_ids] == whos and not rest.next_page_token
    assert not (await notes.do("ListMembersByTag", system(OTHER_GROUP), tag="VIP")).member_ids
    assert await refusal(notes.do("ListMembersByTag", tag="VIP", page_token="W10")) == "INVALID_ARGUMENT"

    removed = await notes.do("RemoveTags", items=[items[0], items[0], pb.TagItem(member_id=whos[0], tag="NONE")])
    assert reasons(removed) == ["True", "False", "False"]
    events = [event for event in await notes.people.events("TagsChanged") if event.member_id == whos[0]]
    assert [list(event.added) for event in events[:1]] == [["REGULAR", "VIP"]]
    assert [list(event.removed) for event in events[-1:]] == [["VIP"]]
    assert sum(len(event.added) for event in events) == 4


async def test_member_files_bring_tags(notes: Notes) -> None:
    await notes.people.apps.as_owner("member", "TRUNCATE member_import, member_import_row")
    stub = notes.people.apps.stub(imports_pb2_grpc.MemberImportServiceStub, "member")
    known = await notes.join(1)
    begin = imports_pb2.CreateMemberImportRequest(
        request_id="begin-import",
        business_unit_id=ids.to_edge("unt", ids.derive(GROUP, "unit", "HOTEL")),
        scheme=imports_pb2.NUMBER_SCHEME_HOTEL_GUEST,
        name="guests.csv",
    )
    import_id = (await notes.people.apps.call(stub.CreateMemberImport, begin, system())).member_import.import_id
    rows = [
        imports_pb2.MemberRow(request_id="a", number="G-1", phone="+8613800000001", tags=["HOTEL_GUEST"]),
        imports_pb2.MemberRow(request_id="b", number="G-2", phone="+8613800000002", tags=["HOTEL_GUEST", "VIP"]),
        imports_pb2.MemberRow(request_id="c", number="G-3", tags=["HOTEL_GUEST"]),
    ]
    for request_id in ("import-1", "import-2"):
        request = imports_pb2.ImportMembersRequest(request_id=request_id, import_id=import_id, rows=rows)
        results = (await notes.people.apps.call(stub.ImportMembers, request, system())).results
    guests = (await notes.do("ListMembersByTag", tag="HOTEL_GUEST")).member_ids
    assert sorted(guests) == sorted([known, results[1].member_id])
    (tag,) = (await notes.of(known)).tags
    assert tag.source == pb.ATTRIBUTE_SOURCE_IMPORT
    assert sum(len(event.added) for event in await notes.people.events("TagsChanged")) == 3
