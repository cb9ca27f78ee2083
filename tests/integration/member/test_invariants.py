"""member's invariants: each kind of damage is noticed by the one that is there for it."""

from __future__ import annotations

from datetime import date

from chassis import ids
from huitong.member.v1 import attributes_pb2, attributes_pb2_grpc, tier_policy_pb2
from services.member.invariants import INVARIANTS
from services.member.privacy import store as privacy_store
from tests.apps import internal, system
from tests.damage import names_of, noticed
from tests.integration.member.conftest import People
from tests.integration.member.test_benefits import Desk
from tests.integration.member.test_benefits import desk as desk
from tests.integration.member.test_merged_people import Merges
from tests.integration.member.test_tier_program import YEAR

GROWTH = "12 growth is the sum of its days where it is a running total"
TASKS = "12 growth of tasks is that of the member's entries and of those whom it has absorbed"
COUNTER = "12 a benefit's counter is what was used and not returned"
IDENTITY = "12 an identity leads to a member who is there"
SURVIVOR = "12 a member leads to a survivor exactly while a merge is open"
CHAIN = "12 a survivor is absorbed by nobody"
STANDING = "12 a standing leads where its member does, and has no tier then"
ERASED = "12 an erased member has no session, attribute or tag"
CODE = "12 a code that was used is that of a member who is there"
FRIEND = "12 a friend is brought once, and by somebody else"

# What is done to sound data, and the invariants that must notice.
DAMAGE = [
    # A sale that was counted twice in one place; a day that is lost; a day of the absorbed member's that is.
    ("UPDATE standing SET growth_minor = growth_minor + 100 WHERE member_id = {single}", {GROWTH}),
    ("DELETE FROM growth_day WHERE member_id = {anna} AND currency_code = 'CNY'", {GROWTH}),
    ("UPDATE growth_day SET spend_minor = 0 WHERE member_id = {guest}", {GROWTH}),
    # A merge added the growth, and not the days.
    (
        "UPDATE growth_day SET spend_minor = spend_minor - 20000 WHERE member_id = {anna} AND currency_code = 'CNY'",
        {GROWTH},
    ),
    # A task that is counted without its entry, and one with an entry that is not counted.
    ("DELETE FROM growth_entry WHERE member_id = {guest}", {TASKS}),
    ("UPDATE growth_day SET task_growth = 0 WHERE member_id = {single} AND currency_code = ''", {GROWTH, TASKS}),
    # A use that was given back and not uncounted; one that nobody counted; a counter of nothing.
    ("UPDATE benefit_use SET return_time = now() WHERE member_id = {single}", {COUNTER}),
    ("DELETE FROM benefit_counter WHERE member_id = {single}", {COUNTER}),
    ("DELETE FROM benefit_use WHERE member_id = {guest}", {COUNTER}),
    # Phones of somebody who was erased, and of nobody.
    ("UPDATE member_identity SET member_id = {erased} WHERE member_id = {single}", {IDENTITY}),
    ("UPDATE member_identity SET member_id = gen_random_uuid() WHERE member_id = {single}", {IDENTITY}),
    # An unmerge that forgot the member; a merge that did; one into somebody else; one without a merge.
    ("UPDATE member_merge SET state = 4", {SURVIVOR, TASKS}),
    ("UPDATE member SET survivor_id = NULL WHERE member_id = {guest}", {SURVIVOR, STANDING}),
    ("UPDATE member SET survivor_id = {single} WHERE member_id = {guest}", {SURVIVOR, STANDING}),
    ("UPDATE member SET survivor_id = {anna} WHERE member_id = {single}", {SURVIVOR, STANDING}),
    # A chain: Anna's survivor is another, and the guest still leads to her.
    (
        """UPDATE member SET survivor_id = {single} WHERE member_id = {anna};
           UPDATE standing SET survivor_id = {single}, tier_code = NULL WHERE member_id = {anna};
           INSERT INTO member_merge SELECT gen_random_uuid(), group_id, {single}, {anna}, state, survivor_tier_code,
             absorbed_tier_code, NULL::date, NULL::date, reason, unmerge_reason, merged_by, unmerged_by, merge_time,
             complete_time, unmerge_time, unmerge_complete_time, waiting_for, charged_points, uncharged_points
           FROM member_merge""",
        {CHAIN, TASKS},
    ),
    # A standing that knows of no merge, and one of an absorbed member who was graded.
    ("UPDATE standing SET survivor_id = NULL WHERE member_id = {guest}", {STANDING}),
    ("UPDATE standing SET tier_code = 'MEMBER' WHERE member_id = {guest}", {STANDING}),
    # What came to an erased member after the erasure.
    (
        """INSERT INTO session SELECT gen_random_uuid(), group_id, {erased}, '', 1, NULL, false, now(), now(), NULL
           FROM member WHERE member_id = {erased}""",
        {ERASED},
    ),
    (
        """INSERT INTO member_attribute SELECT {erased}, 'PET', group_id, '', 1, '', now()
           FROM member WHERE member_id = {erased}""",
        {ERASED},
    ),
    ("UPDATE member_tag SET member_id = {erased}", {ERASED}),
    ("UPDATE code_use SET member_no = {erased_no}", {CODE}),
    # Whoever brings themselves, and a friend who is brought twice.
    ("UPDATE referral SET referrer_id = friend_id", {FRIEND}),
    (
        "ALTER TABLE referral DROP CONSTRAINT referral_pkey; INSERT INTO referral SELECT * FROM referral",
        {FRIEND},
    ),
]


async def test_every_kind_of_damage_is_noticed(desk: Desk) -> None:
    people, program = desk.people, desk.program
    task = tier_policy_pb2.TaskGrowth(task_code="SURVEY", growth=30)
    await program.set_ladder(tasks=[task], window=tier_policy_pb2.QUALIFICATION_WINDOW_LIFETIME)
    joined = [(await people.join(f"+861380000000{number}")).member for number in range(4)]
    anna, guest, single, erased = [one.member_id for one in joined]
    for who, yuan in ((anna, 100), (guest, 200), (single, 300)):
        await program.buy(who, yuan, date(2026, 3, 10))
        await program.call("RecordGrowth", member_id=who, task_code="SURVEY", reference="spring")
        await desk.use(who, "LOUNGE", "visit")
    await Merges(people).merge(anna, guest)
    await program.buy(guest, 50, date(2026, 3, 11))
    await program.give_back(anna, 40, date(2026, 3, 11), sold_on=date(2026, 3, 10))
    tags = people.apps.stub(attributes_pb2_grpc.AttributeServiceStub, "member")
    item = attributes_pb2.TagItem(member_id=single, tag="VIP")
    await people.apps.call(tags.AddTags, attributes_pb2.AddTagsRequest(request_id="add-tag-1", items=[item]), system())
    await people.identify(member_code=(await people.code(single)).member_code, spend_request_id="spend-request-1")
    keys = {name: ids.from_edge("mbr", one, "") for name, one in zip(
        ("anna", "guest", "single", "erased"), (anna, guest, single, erased), strict=True
    )}  # fmt: skip
    await people.db.pool.execute(
        """INSERT INTO referral SELECT $1, group_id, gen_random_uuid(), $2, 1, now(), 5, 5, 0, 'CNY', $2, 7, '', 0,
             NULL, false, false FROM member WHERE member_id = $1""",
        keys["single"],
        keys["anna"],
    )
    async with people.db.transaction(internal("member")) as tx:
        await privacy_store.take_away(tx, keys["erased"], now=tx.now)
    assert await violated(people) == set()

    values = {name: f"'{key}'::uuid" for name, key in keys.items()} | {"erased_no": f"'{joined[3].card_no[5:15]}'"}
    for damage, expected in DAMAGE:
        assert await violated(people, damage.format(**values)) == expected, damage
    assert names_of(DAMAGE) == set(INVARIANTS)

    # Growth that is no running total any more, or soon is none, is nobody's sum.
    await program.set_ladder(tasks=[task], window=YEAR, since=date(2027, 1, 1))
    assert await violated(people, DAMAGE[0][0].format(**values)) == set()


async def violated(people: People, damage: str = "") -> set[str]:
    return await noticed(people.apps.sandbox.database_url("member"), INVARIANTS, damage)
