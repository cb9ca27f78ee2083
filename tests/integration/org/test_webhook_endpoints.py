"""Endpoints: whose they are, what may be done with them, and where nothing is sent to."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.org.v1 import audit_pb2, audit_pb2_grpc, org_pb2, org_pb2_grpc
from huitong.org.v1 import webhooks_pb2 as pb
from tests.apps import GROUP, operator, system
from tests.audits import assert_told
from tests.hooks import OTHER_GROUP, Hooks, id_of, uuid_of


async def test_a_deleted_endpoint_is_listed_no_more_and_nothing_is_sent_to_it(hooks: Hooks) -> None:
    await hooks.start_members()
    made, other = await hooks.register("/deleted"), await hooks.register("/stays")
    await hooks.test_event(id_of(other))
    await hooks.delivered(id_of(other))
    await hooks.change("DisableWebhookEndpoint", id_of(made))
    await hooks.pool.execute(
        """INSERT INTO webhook_delivery (endpoint_id, event_id, group_id, state, attempt_count, last_status, last_error,
                                         last_answer, create_time, start_time, next_attempt_time, lease_holder)
           SELECT $1, event_id, group_id, 'PENDING', 0, 0, '', '', now(), now(), now(), ''
           FROM webhook_delivery WHERE endpoint_id = $2""",
        uuid_of(made),
        uuid_of(other),
    )
    request = pb.DeleteWebhookEndpointRequest(
        request_id="delete-endpoint", webhook_endpoint_id=id_of(made), reason="has moved"
    )
    deleted = await hooks.call("DeleteWebhookEndpoint", request)
    assert deleted.webhook_endpoint.disable_cause == pb.WEBHOOK_DISABLE_CAUSE_REQUESTED
    assert await hooks.call("DeleteWebhookEndpoint", request) == deleted
    listed = await hooks.call("ListWebhookEndpoints", pb.ListWebhookEndpointsRequest(page_size=50))
    there = {one.webhook_endpoint_id for one in listed.webhook_endpoints}
    assert id_of(other) in there and id_of(made) not in there
    calls: dict[str, dict[str, Any]] = {
        "UpdateWebhookEndpoint": {"name": "again"}, "EnableWebhookEndpoint": {}, "RotateWebhookSecret": {},
        "DeleteWebhookEndpoint": {}, "SendTestEvent": {}, "ReplayWebhook": {"since_time": Timestamp()},
    }  # fmt: skip
    for rpc, values in calls.items():
        with pytest.raises(AppError) as refused:
            await hooks.change(rpc, id_of(made), **values)
        assert refused.value.reason == "WEBHOOK_ENDPOINT_UNKNOWN", rpc
    with pytest.raises(AppError) as refused:
        await hooks.deliveries(id_of(made))
    assert refused.value.reason == "WEBHOOK_ENDPOINT_UNKNOWN"
    entry = await hooks.pool.fetchrow("SELECT * FROM audit_entry WHERE action = 'DeleteWebhookEndpoint'")
    assert (entry["subjects"], entry["reason"]) == (id_of(made), "has moved")
    assert '"url":' in entry["before"] and '"url":' in entry["after"]
    # What happens from then on goes to the other only, and what waited has ended.
    await hooks.join("+8613811110005")
    await hooks.delivered(id_of(other), 2)
    assert hooks.partner.at("/deleted") == []
    secrets = await hooks.pool.fetchval(
        "SELECT count(*) FROM webhook_secret WHERE endpoint_id = $1 AND end_time IS NULL",
        uuid_of(made),
    )
    assert secrets == 0


async def test_the_audit_says_of_every_change_of_an_endpoint_who_what_before_after_and_why(hooks: Hooks) -> None:
    await hooks.start_members()
    who = operator("partners")
    first, second = hooks.partner.url("/first"), hooks.partner.url("/second")
    create = pb.CreateWebhookEndpointRequest(
        request_id=ids.new().hex, name="n", url=first, event_types=["member.joined"]
    )
    made = id_of(await hooks.call("CreateWebhookEndpoint", create, who, "the bank asks"))
    await hooks.join("+8613811110051")
    await hooks.delivered(made)
    tested = await hooks.change("SendTestEvent", made, who=who, why="is it there?")
    replayed = await hooks.change("ReplayWebhook", made, who=who, why="it was away", since_time=Timestamp())
    assert replayed.event_count
    await hooks.change("UpdateWebhookEndpoint", made, who=who, why="has moved", url=second)
    await hooks.change("RotateWebhookSecret", made, who=who, reason="somebody left")
    await hooks.change("DisableWebhookEndpoint", made, who=who, reason="too slow")
    await hooks.change("EnableWebhookEndpoint", made, who=who, reason="faster now")
    await hooks.change("DeleteWebhookEndpoint", made, who=who, reason="is over")
    audit = hooks.apps.stub(audit_pb2_grpc.AuditServiceStub, "org")
    asked = audit_pb2.ListAuditEntriesRequest(actor=who.subject, page_size=200)
    entries = reversed((await hooks.apps.call(audit.ListAuditEntries, asked, system())).entries)
    created, test, replay, update, rotation, disabling, enabling, deletion = entries
    one, cause = {made}, "WEBHOOK_DISABLE_CAUSE_REQUESTED"
    assert_told("WebhookService.CreateWebhookEndpoint", created, who, reason="the bank asks", subjects=one,
                after={"url": first, "event_types": ["member.joined"]})  # fmt: skip
    assert_told("WebhookService.SendTestEvent", test, who, reason="is it there?", subjects={made, tested.event_id},
                after={"event_id": tested.event_id})  # fmt: skip
    assert_told("WebhookService.ReplayWebhook", replay, who, reason="it was away", subjects=one,
                after={"event_count": replayed.event_count})  # fmt: skip
    assert_told("WebhookService.UpdateWebhookEndpoint", update, who, reason="has moved", subjects=one,
                before={"url": first}, after={"url": second})  # fmt: skip
    assert_told("WebhookService.RotateWebhookSecret", rotation, who, reason="somebody left", subjects=one,
                before={"url": second}, after={"url": second})  # fmt: skip
    assert_told("WebhookService.DisableWebhookEndpoint", disabling, who, reason="too slow", subjects=one,
                before={"disable_cause": None}, after={"disable_cause": cause})  # fmt: skip
    assert_told("WebhookService.EnableWebhookEndpoint", enabling, who, reason="faster now", subjects=one,
                before={"disable_cause": cause}, after={"disable_cause": None})  # fmt: skip
    assert_told("WebhookService.DeleteWebhookEndpoint", deletion, who, reason="is over", subjects=one,
                before={"disable_cause": None}, after={"disable_cause": cause})  # fmt: skip


async def test_a_group_has_fifty_endpoints_at_most(hooks: Hooks) -> None:
    who = await hooks.group("many-endpoints")
    made = await hooks.register("/first", who=who)
    await hooks.pool.execute(
        """INSERT INTO webhook_endpoint (endpoint_id, group_id, name, url, event_types, disable_cause, create_time)
           SELECT gen_random_uuid(), group_id, name, url, event_types, 'REQUESTED', create_time
           FROM webhook_endpoint, generate_series(2, 50) WHERE endpoint_id = $1""",
        uuid_of(made),
    )
    with pytest.raises(AppError) as refused:
        await hooks.register("/one-too-many", who=who)
    assert refused.value.reason == "WEBHOOK_ENDPOINT_LIMIT"
    await hooks.register("/of-another-group")
    await hooks.change("DeleteWebhookEndpoint", id_of(made), who=who)
    await hooks.register("/in-its-place", who=who)


async def test_addresses_of_our_own_are_refused_when_registered_and_when_called(hooks: Hooks) -> None:
    made = await hooks.register("/inside")
    await hooks.change("DisableWebhookEndpoint", id_of(made))
    await hooks.apps.stop("org")
    outside = {"webhook_private_hosts": False}
    hooks.apps.settings = hooks.apps.settings.model_copy(update=outside)
    await hooks.apps.start("org")
    for url in (
        "http://partner.example/", "https://localhost/", f"https://localhost:{hooks.partner.port}/", "https://10.0.0.1/",
        "https://[::1]/", "https://[::ffff:169.254.169.254]/", "https://me:secret@1.1.1.1/", "https://1.1.1.1:25/",
    ):  # fmt: skip
        with pytest.raises(AppError) as refused:
            request = pb.CreateWebhookEndpointRequest(
                request_id=ids.new().hex, name="n", url=url, event_types=["member.joined"]
            )
            await hooks.call("CreateWebhookEndpoint", request)
        assert refused.value.reason == "WEBHOOK_URL_REFUSED", url
        with pytest.raises(AppError) as refused:
            await hooks.change("UpdateWebhookEndpoint", id_of(made), url=url)
        assert refused.value.reason == "WEBHOOK_URL_REFUSED", url
    # A name that was fine when it was registered, and leads to us now.
    await hooks.pool.execute("UPDATE webhook_endpoint SET url = 'https://localhost/inside' WHERE name = '/inside'")
    await hooks.change("EnableWebhookEndpoint", id_of(made))
    await hooks.test_event(id_of(made))
    tried = await hooks.until(lambda: _tried(hooks, id_of(made)))
    assert (tried.last_error, tried.last_status) == ("ADDRESS_REFUSED", 0)
    assert hooks.partner.calls == []


async def _tried(hooks: Hooks, endpoint_id: str) -> Any:
    (one,) = await hooks.deliveries(endpoint_id)
    return one if one.last_error else None


async def test_two_secrets_sign_until_the_overlap_is_over(hooks: Hooks) -> None:
    made = await hooks.register("/rotated")
    request = pb.RotateWebhookSecretRequest(
        request_id="rotate-webhook-1", webhook_endpoint_id=id_of(made), overlap_seconds=3600
    )
    rotated = await hooks.call("RotateWebhookSecret", request)
    assert rotated.secret != made.secret and await hooks.call("RotateWebhookSecret", request) == rotated
    await hooks.test_event(id_of(made))
    await hooks.delivered(id_of(made))
    both = hooks.partner.at("/rotated")[0]
    assert both.is_signed_by(made.secret) and both.is_signed_by(rotated.secret)
    assert both.headers["huitong-secret-no"] == "2 1" and len(both.headers["webhook-signature"].split()) == 2
    last = await hooks.change("RotateWebhookSecret", id_of(made), overlap_seconds=0)
    await hooks.test_event(id_of(made))
    await hooks.delivered(id_of(made), 2)
    newest = hooks.partner.at("/rotated")[1]
    assert newest.is_signed_by(last.secret) and newest.headers["huitong-secret-no"] == "3"
    assert not newest.is_signed_by(rotated.secret) and not newest.is_signed_by(made.secret)


async def test_a_rotation_and_a_registration_may_have_ids_that_look_alike(hooks: Hooks) -> None:
    request = pb.CreateWebhookEndpointRequest(
        request_id="rotate:alike-01", name="a", url=hooks.partner.url("/alike"), event_types=["order.completed"]
    )
    made = await hooks.call("CreateWebhookEndpoint", request)
    rotate = pb.RotateWebhookSecretRequest(request_id="alike-01", webhook_endpoint_id=id_of(made))
    rotated = await hooks.call("RotateWebhookSecret", rotate)
    assert rotated.secret != made.secret and await hooks.call("RotateWebhookSecret", rotate) == rotated
    assert await hooks.call("CreateWebhookEndpoint", request) == made


async def test_another_group_neither_sees_nor_hears_anything(hooks: Hooks) -> None:
    await hooks.start_members()
    mine = await hooks.register("/mine")
    theirs = await hooks.register("/theirs", who=system(OTHER_GROUP))
    await hooks.join("+8613811110004")
    await hooks.delivered(id_of(mine))
    assert hooks.partner.at("/theirs") == []
    stranger = system(OTHER_GROUP)
    listed = await hooks.call("ListWebhookEndpoints", pb.ListWebhookEndpointsRequest(), stranger)
    assert [one.webhook_endpoint_id for one in listed.webhook_endpoints] == [id_of(theirs)]
    calls: dict[str, dict[str, Any]] = {
        "UpdateWebhookEndpoint": {"name": "taken"}, "DisableWebhookEndpoint": {}, "EnableWebhookEndpoint": {},
        "DeleteWebhookEndpoint": {},
        "RotateWebhookSecret": {}, "SendTestEvent": {}, "ReplayWebhook": {"since_time": Timestamp()},
    }  # fmt: skip
    for rpc, values in calls.items():
        request = getattr(pb, f"{rpc}Request")(request_id=ids.new().hex, webhook_endpoint_id=id_of(mine), **values)
        with pytest.raises(AppError) as refused:
            await hooks.call(rpc, request, stranger)
        assert refused.value.reason == "WEBHOOK_ENDPOINT_UNKNOWN", rpc
    with pytest.raises(AppError) as refused:
        await hooks.call(
            "ListWebhookDeliveries", pb.ListWebhookDeliveriesRequest(webhook_endpoint_id=id_of(mine)), stranger
        )
    assert refused.value.reason == "WEBHOOK_ENDPOINT_UNKNOWN"
    # Pages, newest first, and what is kept no longer goes.
    for _ in range(3):
        await hooks.test_event(id_of(mine))
    await hooks.delivered(id_of(mine), 4)
    seen, token = [], ""
    while True:
        request = pb.ListWebhookDeliveriesRequest(webhook_endpoint_id=id_of(mine), page_size=2, page_token=token)
        page = await hooks.call("ListWebhookDeliveries", request)
        seen += [one.event_type for one in page.deliveries]
        if not (token := page.next_page_token):
            break
    assert seen == ["webhook.test"] * 3 + ["member.joined"]
    await hooks.pool.execute("UPDATE webhook_event SET receive_time = now() - interval '31 days'")
    forget = next(job for job in hooks.apps.running["org"].jobs if job.name == "forget-webhooks")
    assert await forget.run_once()
    assert await hooks.deliveries(id_of(mine)) == []


@dataclass
class Outsider:
    """A partner of the group, by one of its keys."""

    who: Caller
    key_id: str

    @property
    def partner_id(self) -> str:
        return self.who.bound_id


async def issue(hooks: Hooks, code: str, *permissions: str) -> Outsider:
    """A key of a partner, as the group gives it, and whom the gateway would take its calls for."""
    credentials = hooks.apps.stub(org_pb2_grpc.CredentialServiceStub, "org")
    request = org_pb2.CreateCredentialRequest(
        request_id=ids.new().hex, kind="CREDENTIAL_KIND_PARTNER", name=code, partner_code=code, permissions=permissions
    )
    made = (await hooks.apps.call(credentials.CreateCredential, request, system())).credential
    scopes = {"": " ".join(permissions)}
    return Outsider(Caller(CallerKind.PARTNER, made.subject_id, GROUP, made.subject_id, scopes), made.key_id)


async def revoke(hooks: Hooks, key_id: str) -> None:
    credentials = hooks.apps.stub(org_pb2_grpc.CredentialServiceStub, "org")
    request = org_pb2.RevokeCredentialRequest(request_id=ids.new().hex, key_id=key_id)
    await hooks.apps.call(credentials.RevokeCredential, request, system())


async def refusal(work: Awaitable[Any]) -> str:
    with pytest.raises(AppError) as refused:
        await work
    return refused.value.reason


async def test_a_partner_has_endpoints_of_its_own_and_hears_what_its_keys_permit(hooks: Hooks) -> None:
    await hooks.start_members()
    airline = await issue(hooks, "AIRLINE", "org.webhooks.*", "events.member.*", "events.coupon.written-off")
    bank = await issue(hooks, "BANK", "org.webhooks.*", "events.points.*")
    wanted = ("member.joined", "coupon.written_off")
    made = await hooks.register("/airline", *wanted, who=airline.who, partner_id=airline.partner_id)
    assert made.webhook_endpoint.partner_id == airline.partner_id
    own = await hooks.register("/group")
    # The group gives the bank one, and neither it nor the bank gives it more than its keys say.
    of_bank = await hooks.register("/bank", "points.earned", partner_id=bank.partner_id)
    for who in (None, bank.who):
        more = hooks.register("/more", "points.earned", "member.joined", who=who, partner_id=bank.partner_id)
        assert await refusal(more) == "WEBHOOK_EVENTS_NOT_ALLOWED"
    changed = hooks.change(
        "UpdateWebhookEndpoint", id_of(of_bank), who=bank.who, partner_id=bank.partner_id, event_types=["member.joined"]
    )
    assert await refusal(changed) == "WEBHOOK_EVENTS_NOT_ALLOWED"
    nobody = ids.to_edge("ptn", ids.derive("nobody"))
    assert await refusal(hooks.register("/nobody", partner_id=nobody)) == "PARTNER_UNKNOWN"
    assert await refusal(hooks.register("/airline", who=airline.who, partner_id=bank.partner_id)) == "NOT_YOURS"
    assert await refusal(hooks.register("/airline", who=airline.who)) == "NOT_YOURS", "the gateway fills it in"

    # A partner lists its own, the group everybody's.
    async def listed(who: Caller | None, partner_id: str = "") -> set[str]:
        request = pb.ListWebhookEndpointsRequest(partner_id=partner_id, page_size=200)
        found = await hooks.call("ListWebhookEndpoints", request, who)
        return {one.webhook_endpoint_id for one in found.webhook_endpoints}

    assert await listed(airline.who, airline.partner_id) == {id_of(made)} == await listed(None, airline.partner_id)
    assert await listed(bank.who, bank.partner_id) == {id_of(of_bank)}
    assert await listed(None) >= {id_of(made), id_of(own), id_of(of_bank)}
    # Another's, and the group's own, are not there for a partner, whatever it does and whomever it says it is.
    calls: dict[str, dict[str, Any]] = {
        "UpdateWebhookEndpoint": {"name": "taken"}, "DisableWebhookEndpoint": {}, "EnableWebhookEndpoint": {},
        "DeleteWebhookEndpoint": {}, "RotateWebhookSecret": {}, "SendTestEvent": {},
        "ReplayWebhook": {"since_time": Timestamp()},
    }  # fmt: skip
    for endpoint_id in (id_of(made), id_of(own)):
        for rpc, values in calls.items():
            for partner_id, reason in (
                (bank.partner_id, "WEBHOOK_ENDPOINT_UNKNOWN"), (airline.partner_id, "NOT_YOURS"), ("", "NOT_YOURS"),
            ):  # fmt: skip
                tried = hooks.change(rpc, endpoint_id, who=bank.who, partner_id=partner_id, **values)
                assert await refusal(tried) == reason, rpc
        for partner_id, reason in ((bank.partner_id, "WEBHOOK_ENDPOINT_UNKNOWN"), ("", "NOT_YOURS")):
            seen = pb.ListWebhookDeliveriesRequest(webhook_endpoint_id=endpoint_id, partner_id=partner_id)
            assert await refusal(hooks.call("ListWebhookDeliveries", seen, bank.who)) == reason
    # Who may hear of members hears of one, with its own hands replays it, and sees what was sent.
    await hooks.join("+8613811110011")
    await hooks.delivered(id_of(made))
    await hooks.delivered(id_of(own))
    replayed = await hooks.change(
        "ReplayWebhook", id_of(made), who=airline.who, partner_id=airline.partner_id, since_time=Timestamp()
    )
    assert replayed.event_count == 1
    await hooks.until(lambda: len(hooks.partner.at("/airline")) == 2)
    seen = pb.ListWebhookDeliveriesRequest(webhook_endpoint_id=id_of(made), partner_id=airline.partner_id)
    deliveries = (await hooks.call("ListWebhookDeliveries", seen, airline.who)).deliveries
    assert [one.event_type for one in deliveries] == ["member.joined"]
    assert hooks.partner.at("/bank") == []
    entry = await hooks.pool.fetchrow(
        "SELECT * FROM audit_entry WHERE action = 'ReplayWebhook' AND actor_kind = 'partner'"
    )
    assert (entry["actor"], entry["subjects"]) == (airline.partner_id, id_of(made))


async def test_a_partner_whose_key_is_revoked_hears_nothing_more(hooks: Hooks) -> None:
    await hooks.start_members()
    hotel = await issue(hooks, "HOTEL", "events.member.joined", "org.webhooks.read")
    other_key = await issue(hooks, "HOTEL", "events.points.earned")
    made = await hooks.register("/hotel", "member.joined", "points.earned", partner_id=hotel.partner_id)
    own = await hooks.register("/group")
    hooks.partner.answers["/hotel"] = [500]
    await hooks.join("+8613811110021")
    await hooks.until(lambda: len(hooks.partner.at("/hotel")) >= 2)
    await revoke(hooks, hotel.key_id)  # the other key says nothing of members
    under_way = "SELECT count(*) FROM webhook_delivery WHERE lease_until > clock_timestamp()"

    async def is_quiet() -> bool:
        return await hooks.pool.fetchval(under_way) == 0

    await hooks.until(is_quiet)
    before, joined = len(hooks.partner.at("/hotel")), len(await hooks.deliveries(id_of(own)))
    hooks.partner.answers.pop("/hotel")
    for number in range(3):  # each is sent later than what waits for the hotel was due
        await hooks.join(f"+861381111003{number}")
        await hooks.delivered(id_of(own), joined + number + 1)
    assert len(hooks.partner.at("/hotel")) == before
    (waiting,) = await hooks.deliveries(id_of(made))
    assert waiting.state == pb.WEBHOOK_DELIVERY_STATE_PENDING
    assert (
        await refusal(hooks.change("UpdateWebhookEndpoint", id_of(made), event_types=["member.joined"]))
        == "WEBHOOK_EVENTS_NOT_ALLOWED"
    )
    replayed = await hooks.change("ReplayWebhook", id_of(made), since_time=Timestamp())
    assert replayed.event_count == 0
    # With a key that permits it, what waited comes.
    await issue(hooks, "HOTEL", "events.member.*")
    await hooks.delivered(id_of(made))
    await revoke(hooks, other_key.key_id)
    assert len(hooks.partner.at("/hotel")) == before + 1 and id_of(own) != id_of(made)


async def test_a_partner_has_ten_endpoints_at_most_and_takes_no_place_of_the_group_s(hooks: Hooks) -> None:
    many = await issue(hooks, "MANY", "events.member.*")
    made = await hooks.register("/many", partner_id=many.partner_id)
    await hooks.pool.execute(
        """INSERT INTO webhook_endpoint (endpoint_id, group_id, partner_id, name, url, event_types, disable_cause,
                                         create_time)
           SELECT gen_random_uuid(), group_id, partner_id, name, url, event_types, 'REQUESTED', create_time
           FROM webhook_endpoint, generate_series(2, 10) WHERE endpoint_id = $1""",
        uuid_of(made),
    )
    assert await refusal(hooks.register("/many", partner_id=many.partner_id)) == "WEBHOOK_ENDPOINT_LIMIT"
    await hooks.register("/group")
