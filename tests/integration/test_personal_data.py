"""One person's whole data, over all services: told, agreed to, exported, and erased while the books stay balanced."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from chassis import ids
from chassis.crypto import Vault
from chassis.errors import AppError
from huitong.member.v1 import (
    consents_pb2,
    events_pb2,
    member_pb2,
    merging_pb2,
    privacy_pb2,
    profile_pb2,
)
from huitong.parking.v1 import parking_pb2
from huitong.points.v1 import points_pb2
from huitong.settlement.v1 import settlement_pb2, settlement_pb2_grpc
from services.member.operations import phone_index
from suite import audit, invariants
from suite.members_export import ExportFailed, export_member
from tests.anna import (
    ALLERGY,
    DONE,
    EMAIL,
    EVIDENCE,
    NAME,
    NOW,
    OTHER_EVIDENCE,
    OTHER_NAME,
    OTHER_PHONE,
    OTHER_PLATE,
    PHONE,
    PLATE,
    POSTPONED,
    RUNNING,
    SERVICES,
    WAITING,
    World,
    rid,
    stamp,
)
from tests.apps import GROUP, Apps, internal, member, public

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
async def world(apps: Apps) -> World:
    return await World(apps).start()


async def test_a_person_s_data_is_told_exported_and_erased_and_the_books_balance(world: World, tmp_path: Path) -> None:
    await world.live()
    await world.note()
    by_plate = member_pb2.IdentifyMemberRequest(plate_no=PLATE)
    assert (await world.call(world.members.IdentifyMember, by_plate)).member_id == world.anna
    await _check_profile(world)
    await _check_consents(world)
    traces = [text.encode() for text in (PHONE, NAME, EMAIL, PLATE, EVIDENCE, ALLERGY, "G-7531")]
    vault = Vault(world.apps.settings.data_key.get_secret_value())
    traces.append(phone_index(vault, GROUP, PHONE))
    clear = await world.find(traces)
    assert clear >= {"parking.plate_binding", "parking.stay", "parking.vehicle", "parking.request_log"}
    assert {each for each in clear if not each.startswith("parking.")} == {
        *("member.member_identity", "member.login_challenge", "member.login_outbox")
    }, "a person's data is in the clear"

    other_id = await _live_twice(world)
    traces += [text.encode() for text in (OTHER_PHONE, OTHER_NAME, OTHER_PLATE, OTHER_EVIDENCE)]
    traces.append(phone_index(vault, GROUP, OTHER_PHONE))
    await _check_export(world, tmp_path)
    merge_id = await _check_what_postpones(world, other_id)
    await _erase_with_a_crash(world)

    assert await world.find(traces) == set()
    assert await world.export() == {}
    anna = ids.from_edge("mbr", world.anna, "")
    assert await world.find([anna.bytes, anna.hex.encode(), str(anna).encode()], ["settlement"]) == set()
    await _check_that_life_goes_on(world)
    await _check_that_both_are_gone(world, other_id, merge_id)
    await world.apps.drain()
    results = await invariants.check(world.apps.settings, SERVICES)
    assert [result for result in results if result.violation_count] == []
    assert [(each.group_code, each.problem) for each in await audit.check(world.apps.settings)] == [("test-group", "")]
    statements = world.apps.stub(settlement_pb2_grpc.StatementServiceStub, "settlement")
    assert (await world.call(statements.Reconcile, settlement_pb2.ReconcileRequest())).is_equal


async def _live_twice(world: World) -> str:
    """Anna has joined a second time, with another phone; answers that id."""
    join = member_pb2.JoinMemberRequest(request_id="join-again-otherwise", phone=OTHER_PHONE)
    other_id = str((await world.call(world.members.JoinMember, join)).member.member_id)
    await world.apps.drain()
    told = profile_pb2.UpdateProfileRequest(
        request_id=rid(),
        member_id=other_id,
        profile=profile_pb2.Profile(name=OTHER_NAME),
        update_mask=FieldMask(paths=["name"]),
    )
    await world.call(world.profiles.UpdateProfile, told)
    agreed = world.consent("agree-other-1")
    agreed.member_id, agreed.evidence = other_id, OTHER_EVIDENCE
    await world.call(world.consents.SetConsent, agreed)
    bind = parking_pb2.BindPlateRequest(request_id=rid(), member_id=other_id, plate_no=OTHER_PLATE)
    await world.call(world.vehicles.BindPlate, bind)
    anna, world.anna = world.anna, other_id
    await world.sell("R-other", 70, NOW - timedelta(days=4))
    world.anna = anna
    await world.apps.drain()
    return other_id


async def _merge(world: World, other_id: str) -> str:
    request = merging_pb2.MergeMembersRequest(
        request_id=rid(), survivor_id=world.anna, absorbed_id=other_id, reason="one person"
    )
    return str((await world.call(world.merges.MergeMembers, request)).merge.merge_id)


async def _check_that_both_are_gone(world: World, other_id: str, merge_id: str) -> None:
    get = member_pb2.GetMemberRequest(member_id=other_id)
    assert await world.refused(world.members.GetMember, get) == "MEMBER_UNKNOWN"
    unmerge = merging_pb2.UnmergeMembersRequest(request_id=rid(), merge_id=merge_id, reason="two people")
    assert await world.refused(world.merges.UnmergeMembers, unmerge) == "ERASURE_UNDER_WAY"
    asked = (await world.call(world.privacy.GetErasure, privacy_pb2.GetErasureRequest(member_id=other_id))).erasure
    assert (asked.member_id, asked.state) == (world.anna, DONE)
    for service in ("points", "mall", "parking"):
        rows = await world.running[service].db.pool.fetch(
            "SELECT member_id FROM erased_member WHERE done_time > '-infinity'"
        )
        assert {ids.to_edge("mbr", row["member_id"]) for row in rows} == {world.anna, other_id}, service


async def _check_profile(world: World) -> None:
    get = profile_pb2.GetProfileRequest(member_id=world.anna)
    shown = await world.call(world.profiles.GetProfile, get, member(world.anna))
    assert (shown.profile.name, shown.profile.birthday.day, shown.completeness.percent) == (NAME, 4, 100)
    pool = world.running["points"].db.pool
    assert await pool.fetchval("SELECT birth_month FROM member") == 5

    # The birthday may be changed once; a retry is not a change.
    change = world.profile("change-birthday", "1990-08-04", "birthday")
    for _ in range(2):
        answer = await world.call(world.profiles.UpdateProfile, change, member(world.anna))
        assert (answer.profile.birthday.month, answer.completeness.birthday_changes_left) == (8, 0)
    again = world.profile("change-again", "1990-09-04", "birthday")
    assert await world.refused(world.profiles.UpdateProfile, again, member(world.anna)) == "BIRTHDAY_CHANGES_USED_UP"
    reused = world.profile("change-birthday", "1990-09-04", "birthday")
    assert await world.refused(world.profiles.UpdateProfile, reused, member(world.anna)) == "REQUEST_ID_REUSED"
    for wrong in (world.profile("wrong-0001", "1990-02-30"), world.profile("wrong-0002", "2999-01-01")):
        assert await world.refused(world.profiles.UpdateProfile, wrong, member(world.anna)) == "INVALID_ARGUMENT"
    wrong = world.profile("wrong-0003", "1990-05-04", "phone")
    assert await world.refused(world.profiles.UpdateProfile, wrong, member(world.anna)) == "INVALID_ARGUMENT"
    # The desk, who has seen a document, may.
    await world.call(world.profiles.UpdateProfile, world.profile("by-the-desk", "1990-09-04", "birthday"))
    empty = profile_pb2.UpdateProfileRequest(
        request_id="clear-name",
        member_id=world.anna,
        profile=profile_pb2.Profile(),
        update_mask=FieldMask(paths=["gender"]),
    )
    completeness = (await world.call(world.profiles.UpdateProfile, empty, member(world.anna))).completeness
    assert (completeness.percent, completeness.missing_fields) == (75, ["gender"])
    await world.apps.drain()
    assert await pool.fetchval("SELECT birth_month FROM member") == 9
    stranger = member(ids.to_edge("mbr", ids.new()))
    assert await world.refused(world.profiles.GetProfile, get, stranger) == "NOT_YOURS"


async def _check_consents(world: World) -> None:
    await world.call(world.consents.SetConsent, world.consent("withdraw-1", is_given=False))
    await world.call(world.consents.SetConsent, world.consent("withdraw-1", is_given=False))
    unknown = world.consent("agree-0003", version="2027-01")
    assert await world.refused(world.consents.SetConsent, unknown) == "CONSENT_TEXT_UNKNOWN"
    text = consents_pb2.ConsentText(
        purpose=consents_pb2.CONSENT_PURPOSE_MARKETING_SMS, version="2026-11", url="https://example.com/other"
    )
    other = consents_pb2.SaveConsentTextRequest(request_id=rid(), text=text)
    assert await world.refused(world.consents.SaveConsentText, other) == "CONSENT_TEXT_CHANGED"
    texts = await world.call(world.consents.ListConsentTexts, consents_pb2.ListConsentTextsRequest())
    assert [one.url for one in texts.texts] == ["https://example.com/sms"]

    first = consents_pb2.ListConsentsRequest(member_id=world.anna, page_size=1)
    page = await world.call(world.consents.ListConsents, first, member(world.anna))
    assert [(one.is_given, one.recorded_by, one.evidence) for one in page.records] == [(False, "system", EVIDENCE)]
    assert [one.is_given for one in page.in_force] == [False]
    second = consents_pb2.ListConsentsRequest(member_id=world.anna, page_size=1, page_token=page.next_page_token)
    page = await world.call(world.consents.ListConsents, second, member(world.anna))
    assert [(one.is_given, one.recorded_by) for one in page.records] == [(True, "member")]
    assert (page.next_page_token, list(page.in_force)) == ("", [])
    rows = await world.running["member"].db.pool.fetch(
        "SELECT payload FROM outbox WHERE type = 'huitong.member.v1.ConsentChanged' ORDER BY id"
    )
    assert [events_pb2.ConsentChanged.FromString(row["payload"]).is_given for row in rows] == [True, False]


async def _check_export(world: World, folder: Path) -> None:
    sections = await world.export()
    assert sections["member"] >= {"member", "profile", "identities", "consents", "sessions", "login_codes", "imports"}
    assert sections["points"] >= {"member", "wallets", "lots", "movements", "holds"}
    assert sections["mall"] == {"orders", "coupons"}
    assert sections["parking"] >= {"plates", "stays", "payments"}

    path = folder / "anna.json"
    for wanted in (PHONE, world.card_no, world.anna):
        path.unlink(missing_ok=True)
        await export_member(world.apps.settings, group_code="test-group", member=wanted, path=path)
        assert path.stat().st_mode & 0o077 == 0
    document = json.loads(path.read_text())
    by_name = {(one["service"], one["section"]): one["records"] for one in document["sections"]}
    assert by_name["member", "member"][0]["phone"] == PHONE
    assert by_name["member", "profile"][0]["name"] == NAME
    assert {one["evidence"] for one in by_name["member", "consents"]} == {EVIDENCE}
    assert [(one["key"], one["value"]) for one in by_name["member", "attributes"]] == [("allergy", ALLERGY)]
    assert [one["tag"] for one in by_name["member", "member_tag"]] == ["VIP"]
    assert by_name["parking", "plates"][0]["plate_no"] == PLATE
    earned = [one for one in by_name["points", "movements"] if one["kind"] == "EARN"]
    assert [(one["points"], one["sale"]["receipt_no"]) for one in earned] == [(1000, "R-1"), (200, "R-2")]
    assert by_name["mall", "orders"][0]["item_name"] == "Tea"

    # Not whole is not at all.
    path.unlink()
    await world.apps.stop("mall")
    with pytest.raises(ExportFailed) as failed:
        await export_member(world.apps.settings, group_code="test-group", member=PHONE, path=path)
    assert failed.value.values["reason"] == "UNAVAILABLE"
    assert list(folder.iterdir()) == []
    unknown = privacy_pb2.ExportMemberDataRequest(member_id=ids.to_edge("mbr", ids.new()))
    assert await world.refused(world.privacy.ExportMemberData, unknown) == "MEMBER_UNKNOWN"
    foreign = privacy_pb2.ExportMemberDataRequest(member_id=world.anna)
    stranger = member(ids.to_edge("mbr", ids.new()))
    assert await world.refused(world.privacy.ExportMemberData, foreign, stranger) == "NOT_YOURS"


async def _check_what_postpones(world: World, other_id: str) -> str:
    """The mall is still down; Anna's car is in, points are held, and a merge waits for the mall. Answers the merge."""
    one = await world.ask(member(world.anna))
    assert (one.state, one.requested_by) == (WAITING, "member")
    assert one.due_time.ToDatetime() - one.request_time.ToDatetime() == timedelta(days=7)
    again = await world.ask(member(world.anna))
    assert again.erasure_id == one.erasure_id
    with pytest.raises(AppError) as refused:
        await _merge(world, other_id)
    assert refused.value.reason == "ERASURE_UNDER_WAY"
    withdraw = privacy_pb2.WithdrawErasureRequest(request_id=rid(), member_id=world.anna)
    withdrawn = (await world.call(world.privacy.WithdrawErasure, withdraw, member(world.anna))).erasure
    assert withdrawn.state == privacy_pb2.ERASURE_STATE_WITHDRAWN
    merge_id = await _merge(world, other_id)
    settings = privacy_pb2.PrivacySettings(erasure_wait_hours=1, birthday_change_limit=1)
    await world.call(
        world.privacy.SetPrivacySettings, privacy_pb2.SetPrivacySettingsRequest(request_id=rid(), settings=settings)
    )
    one = await world.ask(member(world.anna))
    assert one.due_time.ToDatetime() - one.request_time.ToDatetime() == timedelta(hours=1)

    hold = points_pb2.HoldRequest(
        request_id="hold-anna",
        member_id=world.anna,
        points=10,
        hold_seconds=3600,
        spending=points_pb2.Spending(
            kind=points_pb2.SPENDING_KIND_VOUCHER, merchant_id=world.merchant["M1"], reference="order"
        ),
    )
    await world.call(world.wallets.Hold, hold, internal("mall"))
    await world.enter(NOW - timedelta(minutes=25))
    # Somebody of the group asks, under the other id: it begins at once, for the whole person.
    request = privacy_pb2.RequestErasureRequest(request_id=rid(), member_id=other_id)
    hurried = (await world.call(world.privacy.RequestErasure, request)).erasure
    assert (hurried.erasure_id, hurried.member_id) == (one.erasure_id, world.anna)
    await world.erasure(POSTPONED, "MERGE_UNDER_WAY", "POINTS_HELD", "VEHICLE_INSIDE", "UNAVAILABLE")
    await world.apps.start("mall")
    await world.erasure(POSTPONED, "POINTS_HELD", "VEHICLE_INSIDE")
    assert (await world.call(world.members.GetMember, member_pb2.GetMemberRequest(member_id=world.anna))).member.card_no
    release = points_pb2.ReleaseRequest(request_id=rid(), hold_request_id="hold-anna", member_id=world.anna)
    await world.call(world.wallets.Release, release, internal("mall"))
    await world.erasure(POSTPONED, "VEHICLE_INSIDE")

    # By now they are one: the records of both are shown, by either id.
    found = [await world.records(asked) for asked in (world.anna, other_id)]
    assert found[0] == found[1]
    for service, section in (("member", "profile"), ("member", "consents"), ("points", "movements")):
        assert {each[2] for each in found[0] if each[:2] == (service, section)} == {world.anna, other_id}
    by_name = {each[:3]: each[3] for each in found[0]}
    assert OTHER_NAME in by_name["member", "profile", other_id] and NAME in by_name["member", "profile", world.anna]
    return merge_id


async def _erase_with_a_crash(world: World) -> None:
    """Parking cannot erase, and member dies meanwhile."""
    await world.leave(NOW - timedelta(minutes=10))
    await world.apps.as_owner("parking", "ALTER TABLE request_log RENAME TO request_log_away")
    one = await world.erasure(RUNNING, "INTERNAL")
    assert (list(one.confirmed_services), list(one.open_services)) == (["points", "mall"], ["parking"])
    withdraw = privacy_pb2.WithdrawErasureRequest(request_id=rid(), member_id=world.anna)
    assert await world.refused(world.privacy.WithdrawErasure, withdraw) == "ERASURE_BEGUN"
    await world.apps.stop("member")
    await world.apps.as_owner("parking", "ALTER TABLE request_log_away RENAME TO request_log")
    await world.apps.start("member")
    world.connect()
    one = await world.erasure(DONE)
    assert (sorted(one.confirmed_services), list(one.open_services)) == (["mall", "parking", "points"], [])
    await world.apps.drain()

    rows = await world.running["points"].db.pool.fetch(
        "SELECT available_points + held_points + pending_points AS left_points, debt_points FROM wallet"
    )
    assert [tuple(row) for row in rows] == [(0, 0), (0, 0)]
    reasons = await world.running["points"].db.pool.fetch("SELECT reason_code, state FROM adjustment")
    assert [tuple(each) for each in reasons] == [("ERASURE", 3)]


async def _check_that_life_goes_on(world: World) -> None:
    get = member_pb2.GetMemberRequest(member_id=world.anna)
    assert await world.refused(world.members.GetMember, get) == "MEMBER_UNKNOWN"
    by_card = member_pb2.IdentifyMemberRequest(card_no=world.card_no)
    assert await world.refused(world.members.IdentifyMember, by_card) == "MEMBER_UNKNOWN"
    by_plate = member_pb2.IdentifyMemberRequest(plate_no=PLATE)
    assert await world.refused(world.members.IdentifyMember, by_plate) == "MEMBER_UNKNOWN"
    refresh = member_pb2.RefreshSessionRequest(refresh_token=world.refresh_token)
    assert await world.refused(world.sessions.RefreshSession, refresh, public()) == "SESSION_ENDED"
    with pytest.raises(AppError, match="no member"):
        await world.sell("R-3", 100, NOW)
    bind = parking_pb2.BindPlateRequest(request_id=rid(), member_id=world.anna, plate_no=PLATE)
    assert await world.refused(world.vehicles.BindPlate, bind) == "MEMBER_UNKNOWN"
    request = privacy_pb2.RequestErasureRequest(request_id=rid(), member_id=world.anna)
    assert await world.refused(world.privacy.RequestErasure, request) == "MEMBER_UNKNOWN"
    assert await world.refused(world.profiles.UpdateProfile, world.profile("too-late-1")) == "MEMBER_UNKNOWN"
    assert await world.refused(world.consents.SetConsent, world.consent("too-late-1")) == "MEMBER_UNKNOWN"

    # A till's late retry makes nobody; a new request makes somebody else of the same phone.
    late = member_pb2.JoinMemberRequest(request_id="join-at-the-till", phone=PHONE)
    assert await world.refused(world.members.JoinMember, late) == "REQUEST_ID_REUSED"
    joined = await world.join_by_phone("join-again-1")
    assert joined.is_new and joined.member.member_id != world.anna and joined.member.card_no != world.card_no
    # What was bought can still be returned.
    back = points_pb2.RefundSaleRequest(
        request_id="return-R-1",
        store_id=world.store,
        receipt_no="R-1",
        refund_time=stamp(NOW),
        lines=[points_pb2.RefundLine(line_no=1, amount_minor=50_000)],
    )
    await world.call(world.sales.RefundSale, back)
