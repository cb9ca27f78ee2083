"""Tags that nobody sets by hand: of segments, which the real points tells of, and of tasks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chassis import ids
from chassis.errors import AppError
from huitong.member.v1 import attributes_pb2 as pb
from huitong.member.v1 import tier_policy_pb2
from huitong.points.v1 import segments_pb2, segments_pb2_grpc
from tests.apps import system
from tests.integration.member.test_attributes import Notes
from tests.integration.member.test_attributes import notes as notes
from tests.integration.member.test_merged_people import Merges
from tests.integration.member.test_tier_program import Program
from tests.integration.member.test_tier_program import program as program

TAG = "SEGMENT_NEW_PARENTS"


class Segments:
    """Segments, with points running."""

    def __init__(self, notes: Notes) -> None:
        self.notes, self.apps = notes, notes.people.apps

    async def change(self, *, add: Any = (), remove: Any = (), segment: str = "new-parents") -> Any:
        request = segments_pb2.ChangeSegmentRequest(
            request_id=ids.new().hex, segment=segment, add_member_ids=add, remove_member_ids=remove
        )
        stub = self.apps.stub(segments_pb2_grpc.SegmentServiceStub, "points")
        return await self.apps.call(stub.ChangeSegment, request, system())

    async def of(self, who: str) -> list[str]:
        request = segments_pb2.ListMemberSegmentsRequest(member_id=who)
        stub = self.apps.stub(segments_pb2_grpc.SegmentServiceStub, "points")
        return [one.segment for one in (await self.apps.call(stub.ListMemberSegments, request, system())).segments]

    async def tagged(self, tag: str = TAG) -> list[str]:
        await self.apps.drain()
        return list((await self.notes.do("ListMembersByTag", tag=tag)).member_ids)


@pytest.fixture
async def segments(notes: Notes) -> Segments:
    await notes.people.apps.start("points")
    return Segments(notes)


async def test_whoever_is_in_a_segment_has_its_tag(segments: Segments) -> None:
    anna, ben, cleo = whos = sorted([await segments.notes.join(number) for number in range(1, 4)])
    await segments.apps.drain()
    await segments.change(add=[anna, ben])
    await segments.change(add=[anna], segment="commuters")
    assert await segments.tagged() == [anna, ben]
    tags = {tag.tag: tag for tag in (await segments.notes.of(anna)).tags}
    assert list(tags) == ["SEGMENT_COMMUTERS", TAG]
    assert (tags[TAG].source, tags[TAG].added_by) == (pb.ATTRIBUTE_SOURCE_SEGMENT, "segments")

    # Some change and change back; the last word counts, and points and tags say the same.
    for _ in range(3):
        await segments.change(add=[cleo], remove=[anna])
        await segments.change(add=[anna], remove=[cleo])
    await segments.change(remove=[ben])
    await asyncio.gather(*(segments.change(add=[ben] if turn % 2 else [], remove=[] if turn % 2 else [ben])
                           for turn in range(10)))  # fmt: skip
    assert await segments.tagged() == [who for who in whos if "new-parents" in await segments.of(who)]
    events = [event for event in await segments.notes.people.events("TagsChanged") if event.member_id == anna]
    assert sum(len(event.added) - len(event.removed) for event in events) == len((await segments.notes.of(anna)).tags)

    # What somebody has given by hand is theirs to take.
    item = pb.TagItem(member_id=cleo, tag=TAG)
    await segments.notes.do("AddTags", items=[item])
    await segments.change(add=[cleo])
    await segments.change(remove=[cleo])
    assert cleo in await segments.tagged()


async def test_a_segment_of_an_absorbed_member_is_the_survivors(segments: Segments) -> None:
    anna, guest = [await segments.notes.join(number) for number in range(1, 3)]
    await segments.apps.drain()
    await segments.change(add=[guest])
    assert await segments.tagged() == [guest]
    merges = Merges(segments.notes.people)
    merge_id = await merges.merge(anna, guest)
    assert await segments.tagged() == []
    assert (await segments.of(anna), await segments.of(guest)) == ([], [])
    await segments.change(add=[guest])
    assert await segments.tagged() == [anna]
    assert (await segments.of(anna), await segments.of(guest)) == (["new-parents"], ["new-parents"])
    with pytest.raises(AppError, match="named once"):
        await segments.change(add=[guest], remove=[anna])
    await segments.change(remove=[anna])
    assert await segments.tagged() == []
    await merges.unmerge(merge_id)
    assert await segments.tagged() == [guest] and await segments.of(guest) == ["new-parents"]


async def test_a_change_while_points_has_not_followed_a_merge_yet_is_of_whom_it_says(segments: Segments) -> None:
    anna, guest = [await segments.notes.join(number) for number in range(1, 3)]
    await segments.apps.drain()
    merges, points = Merges(segments.notes.people), segments.apps.running["points"].db.pool
    async with points.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM watermark WHERE producer = 'member' FOR UPDATE")  # it hears of nothing
        merge_id = await merges.merge(anna, guest)
        await segments.change(add=[guest])
    assert await segments.tagged() == []  # in both services it rests under the absorbed id
    assert await segments.of(anna) == []
    await merges.unmerge(merge_id)
    assert await segments.tagged() == [guest] and await segments.of(guest) == ["new-parents"]


async def test_tags_and_notes_of_somebody_who_is_erased_come_to_nothing(segments: Segments, refusal: Any) -> None:
    anna = await segments.notes.join()
    await segments.apps.drain()
    await segments.notes.people.db.pool.execute("UPDATE member SET erase_time = now(); DELETE FROM member_identity")
    await segments.change(add=[anna])
    assert await segments.tagged() == []
    item = pb.AttributeItem(member_id=anna, key="note", value=pb.AttributeValue(text_value="x"))
    for rpc, items in (("AddTags", [pb.TagItem(member_id=anna, tag="VIP")]), ("SetMemberAttributes", [item])):
        (result,) = (await segments.notes.do(rpc, items=items)).results
        assert result.problem.reason == "MEMBER_UNKNOWN"
    assert await refusal(segments.notes.of(anna)) == "MEMBER_UNKNOWN"
    assert await segments.notes.people.count("member_tag") == await segments.notes.people.count("member_attribute") == 0


async def test_a_task_gives_its_tag_until_the_last_doing_is_taken_back(program: Program) -> None:
    tasks = [
        tier_policy_pb2.TaskGrowth(task_code=code, growth=10, tag=tag)
        for code, tag in (("SURVEY", "HEARD"), ("INTERVIEW", "HEARD"), ("SHARE", ""))
    ]
    shown = await program.set_ladder(tasks=tasks, window=tier_policy_pb2.QUALIFICATION_WINDOW_LIFETIME)
    assert {task.task_code: task.tag for task in shown.policy.tasks} == {task.task_code: task.tag for task in tasks}
    anna = (await program.people.join()).member.member_id
    notes = Notes(program.people)

    async def do(code: str, reference: str) -> str:
        return str((await program.call("RecordGrowth", member_id=anna, task_code=code, reference=reference)).growth_id)

    async def tags() -> list[tuple[str, int]]:
        return [(tag.tag, tag.source) for tag in (await notes.of(anna)).tags]

    await do("SHARE", "photo")
    assert await tags() == []
    doings = [await do("SURVEY", "spring"), await do("SURVEY", "autumn"), await do("INTERVIEW", "phone")]
    for doing in doings:
        assert await tags() == [("HEARD", pb.ATTRIBUTE_SOURCE_TASK)]
        await program.call("ReverseGrowth", growth_id=doing)
    assert await tags() == []
    assert [list(event.added) or list(event.removed) for event in await program.people.events("TagsChanged")] == [
        ["HEARD"],
        ["HEARD"],
    ]


async def test_doings_and_undoings_at_once_leave_the_tag_that_is_due(program: Program) -> None:
    await program.set_ladder(
        tasks=[tier_policy_pb2.TaskGrowth(task_code=code, growth=10, tag="HEARD") for code in ("SURVEY", "INTERVIEW")],
        window=tier_policy_pb2.QUALIFICATION_WINDOW_LIFETIME,
    )
    notes = Notes(program.people)

    async def do(who: str, code: str, reference: str) -> str:
        return str((await program.call("RecordGrowth", member_id=who, task_code=code, reference=reference)).growth_id)

    for turn in range(8):
        anna = (await program.people.join(f"+86137{turn:08}")).member.member_id
        doings = [await do(anna, "SURVEY", "spring"), await do(anna, "SURVEY", "autumn")]
        calls: list[Any] = [program.call("ReverseGrowth", growth_id=doing) for doing in doings]
        if turn % 2:
            calls.append(do(anna, "INTERVIEW", "phone"))
        await asyncio.gather(*calls)
        assert [tag.tag for tag in (await notes.of(anna)).tags] == ["HEARD"] * (turn % 2)


async def test_a_tag_is_the_doings_whatever_becomes_of_ladder_and_doer(program: Program) -> None:
    async def ladder(tag: str) -> None:
        await program.set_ladder(
            tasks=[tier_policy_pb2.TaskGrowth(task_code="SURVEY", growth=10, tag=tag)],
            window=tier_policy_pb2.QUALIFICATION_WINDOW_LIFETIME,
        )

    await ladder("")
    anna, guest = [(await program.people.join(f"+8613800000{n:03}")).member.member_id for n in (1, 2)]
    notes, merges = Notes(program.people), Merges(program.people)

    async def do(who: str, reference: str) -> str:
        return str(
            (await program.call("RecordGrowth", member_id=who, task_code="SURVEY", reference=reference)).growth_id
        )

    async def tags(who: str) -> list[str]:
        return [tag.tag for tag in (await notes.of(who)).tags]

    await do(anna, "before it had a tag")
    await ladder("HEARD")
    doing = await do(anna, "spring")
    await ladder("LISTENED")
    assert await tags(anna) == ["HEARD"]
    await program.call("ReverseGrowth", growth_id=doing)
    assert await tags(anna) == []

    merge_id = await merges.merge(anna, guest)
    doing = await do(guest, "summer")
    assert await tags(anna) == await tags(guest) == ["LISTENED"]
    await merges.unmerge(merge_id)
    assert (await tags(anna), await tags(guest)) == ([], ["LISTENED"])
    merge_id = await merges.merge(anna, guest)
    assert await tags(anna) == ["LISTENED"]
    await program.call("ReverseGrowth", growth_id=doing)
    assert await tags(anna) == []
    await merges.unmerge(merge_id)
    assert (await tags(anna), await tags(guest)) == ([], [])
