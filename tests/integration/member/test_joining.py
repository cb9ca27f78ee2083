"""One person, one member: over gRPC on a real database."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from chassis import ids
from huitong.member.v1 import member_pb2
from services.member import rules
from tests.apps import GROUP, internal, member, system, terminal
from tests.integration.member.conftest import OTHER_GROUP, People

STORE = ids.to_edge("sto", ids.derive(GROUP, "store", "S1"))
FOREIGN_STORE = ids.to_edge("sto", ids.derive(OTHER_GROUP, "store", "S1"))


async def test_fifty_identical_joins_at_once_make_one_member_one_event_one_answer(people: People) -> None:
    answers = await asyncio.gather(*(people.join(request_id="join-the-same") for _ in range(50)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0].is_new
    assert await people.count("member") == 1
    (event,) = await people.events()
    joined = answers[0].member
    assert (event.member_id, event.tier.code) == (joined.member_id, "MEMBER")
    assert joined.card_no and not event.card_no, "as good as the member at a till, so no event tells it"
    assert joined.member_id == ids.to_edge("mbr", ids.derive(GROUP, "member", "join-the-same"))


async def test_two_hundred_joins_of_one_phone_through_two_doors_make_one_member(people: People) -> None:
    def batch(number: int) -> list[dict[str, Any]]:
        # The same phones in another order each time: no two batches may wait for each other in a circle.
        phones = [f"+86138000000{tail:02}" for tail in range(10)]
        phones = phones[number % 10 :] + phones[: number % 10]
        return [{"request_id": f"batch-{number}-{phone}", "phone": phone} for phone in phones]

    singles = [people.join("+8613800000003") for _ in range(100)]
    results = await asyncio.gather(*singles, *(people.join_all(batch(number)) for number in range(100)))
    of_phone = list(results[:100]) + [
        result.joined
        for lines, number in zip(results[100:], range(100), strict=True)
        for result, line in zip(lines, batch(number), strict=True)
        if line["phone"] == "+8613800000003"
    ]
    assert len(of_phone) == 200
    assert len({answer.member.member_id for answer in of_phone}) == 1
    assert sum(answer.is_new for answer in of_phone) == 1
    assert await people.count("member") == 10
    assert len(await people.events("MemberJoined")) == 10


async def test_two_phones_are_two_members_and_groups_do_not_share(people: People) -> None:
    first, second = await people.join("+8613800000001"), await people.join("+8613800000002")
    elsewhere = await people.join("+8613800000001", OTHER_GROUP)
    assert len({one.member.member_id for one in (first, second, elsewhere)}) == 3
    assert len({one.member.card_no for one in (first, second, elsewhere)}) == 3
    again = await people.join("+8613800000001", birth_month=7)
    assert (again.member.member_id, again.is_new) == (first.member.member_id, False)
    assert rules.is_card_no(first.member.card_no)
    assert first.member.masked_phone == "138****0001"


async def test_a_time_zone_is_kept_told_and_checked(people: People, refusal: Any) -> None:
    joined = await people.join(time_zone="Europe/London", request_id="join-zone")
    assert joined.member.time_zone == "Europe/London"
    assert [event.time_zone for event in await people.events("MemberJoined")] == ["Europe/London"]
    assert await refusal(people.join(request_id="join-zone", time_zone="Asia/Tokyo")) == "REQUEST_ID_REUSED"
    assert await refusal(people.join("+8613800000002", time_zone="Mars/Olympus")) == "INVALID_ARGUMENT"


async def test_request_id_with_another_content_is_refused_in_both_doors(people: People, refusal: Any) -> None:
    first = await people.join(request_id="join-once", birth_month=3)
    assert await people.join(request_id="join-once", birth_month=3) == first
    assert await refusal(people.join(request_id="join-once", birth_month=4)) == "REQUEST_ID_REUSED"
    line = {"request_id": "join-once", "phone": "+8613800000001"}
    results = await people.join_all([{**line, "birth_month": 3}, {**line, "phone": "+8613800000009"}])
    assert results[0].joined == first
    assert results[1].problem.reason == "REQUEST_ID_REUSED"
    assert results[1].problem.message_zh


async def test_thousand_lines_join_quickly_and_each_gets_its_answer(people: People) -> None:
    lines = [{"request_id": f"bulk-line-{n:04}", "phone": f"+86139{n:08}", "birth_month": n % 13} for n in range(998)]
    lines.append({"request_id": "bulk-line-again", "phone": "+8613900000007"})  # a phone from above
    lines.append({"request_id": "bulk-line-0003", "phone": "+8613900000003", "birth_month": 3})  # a line from above
    started = time.monotonic()
    results = await people.join_all(lines)
    assert time.monotonic() - started < 5  # a few statements; one per line takes longer
    assert [result.joined.is_new for result in results[:998]] == [True] * 998
    assert (results[998].joined.is_new, results[998].joined.member) == (False, results[7].joined.member)
    assert results[999] == results[3]
    assert await people.join_all(lines) == results
    assert await people.count("member") == 998
    assert len(await people.events("MemberJoined")) == 998


async def test_bad_lines_are_answered_and_good_ones_count(people: People, refusal: Any) -> None:
    results = await people.join_all(
        [
            {"request_id": "line-good-1", "phone": "+8613800000001", "store_id": STORE},
            {"request_id": "line-foreign", "phone": "+8613800000002", "store_id": FOREIGN_STORE},
            {"request_id": "line-malformed", "phone": "+8613800000003", "store_id": "S1"},
            {"request_id": "line-a\x00-control", "phone": "+8613800000004"},
            {"request_id": "line-good-2", "phone": "+8613800000005"},
        ]
    )
    assert [result.problem.reason for result in results] == [
        "", "STORE_UNKNOWN", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "",
    ]  # fmt: skip
    assert await people.count("member") == 2
    assert await refusal(people.join("+8613800000006", store_id=FOREIGN_STORE)) == "STORE_UNKNOWN"


async def test_bad_phone_is_refused(people: People, refusal: Any) -> None:
    for phone in ("13800000001", "+86 13800000001", "+0123456789", "", "+8613800000001\x00"):
        assert await refusal(people.join(phone)) == "INVALID_ARGUMENT", phone


async def test_terminal_joins_for_its_own_store_only(people: People, refusal: Any) -> None:
    for store_id, reason in ((STORE, ""), ("", "NOT_YOURS"), (FOREIGN_STORE, "NOT_YOURS")):
        request = member_pb2.JoinMemberRequest(
            request_id=f"till-{store_id or 'none'}", phone="+8613800000001", store_id=store_id
        )
        call = people.apps.call(people.members.JoinMember, request, terminal(STORE))
        if reason:
            assert await refusal(call) == reason
        else:
            assert (await call).is_new


async def test_taken_card_number_leads_to_the_next_one(people: People) -> None:
    wanted = rules.card_no_of(GROUP, ids.derive(GROUP, "member", "join-second"))
    first = await people.join("+8613800000001")
    await people.db.pool.execute("UPDATE member SET card_no = $1", wanted)
    second = await people.join("+8613800000002", request_id="join-second")
    assert second.is_new
    assert second.member.card_no != wanted
    assert rules.is_card_no(second.member.card_no)
    assert (await people.identify(card_no=wanted)).member_id == first.member.member_id


async def test_phone_is_nowhere_in_the_database_events_or_logs(people: People, capsys: Any) -> None:
    phone = "+8613912345678"
    await people.join(phone)
    await people.join_all([{"request_id": "plain-search", "phone": phone}])
    start = member_pb2.StartLoginRequest(group_code="test-group", phone=phone)
    await people.public("StartLogin", start)
    assert (await people.identify(phone=phone)).member_id
    assert await people.find_in_database(phone, "13912345678") == []
    assert await people.find_in_database("test-group") == ["group_copy"]  # the search itself finds what is there
    assert "13912345678" not in capsys.readouterr().out


async def test_member_is_found_by_phone_and_card_but_may_not_spend(people: People, refusal: Any) -> None:
    joined = (await people.join()).member
    good: list[dict[str, Any]] = [{"phone": "+8613800000001"}, {"card_no": joined.card_no}]
    bad: list[dict[str, Any]] = [{"phone": "+8613800000099"}, {"card_no": "9600000000000000"}, {"card_no": "a\x00"}]
    for identity in good:
        found = await people.identify(**identity, spend_request_id="spend-by-card")
        assert (found.member_id, found.tier_code, found.may_spend) == (joined.member_id, "MEMBER", False)
        assert await refusal(people.identify(OTHER_GROUP, **identity)) == "MEMBER_UNKNOWN"
    for identity in bad:
        assert await refusal(people.identify(**identity)) == "MEMBER_UNKNOWN"


async def test_profile_is_for_the_member_and_the_group_only(people: People, refusal: Any) -> None:
    joined = (await people.join(birth_month=5)).member
    other = (await people.join("+8613800000002")).member
    request = member_pb2.GetMemberRequest(member_id=joined.member_id)
    for who in (member(joined.member_id), system(), internal("points")):
        assert (await people.apps.call(people.members.GetMember, request, who)).member == joined
    for who, reason in ((member(other.member_id), "NOT_YOURS"), (system(OTHER_GROUP), "MEMBER_UNKNOWN")):
        assert await refusal(people.apps.call(people.members.GetMember, request, who)) == reason
    unknown = member_pb2.GetMemberRequest(member_id=ids.to_edge("mbr", ids.new()))
    assert await refusal(people.apps.call(people.members.GetMember, unknown, system())) == "MEMBER_UNKNOWN"


async def test_migrated_tables_are_the_declared_ones(people: People) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from chassis import tables
    from services.member import store

    ours = store.metadata.tables

    def differences(connection: Any) -> list[Any]:
        options = {"include_name": lambda name, kind, parents: kind != "table" or name in ours}
        return compare_metadata(MigrationContext.configure(connection, opts=options), store.metadata)

    async with people.db.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    names = {
        row[0] for row in await people.db.pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    }
    assert names - {"alembic_version", "alembic_version_chassis"} == set(ours) | set(tables.metadata.tables)
