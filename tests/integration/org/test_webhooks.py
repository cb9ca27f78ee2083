"""What is sent to whom, how often and until when: a real database, a real server, a real producer of events."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import orjson
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis import ids
from chassis.errors import AppError
from chassis.identity import Caller, CallerKind
from huitong.org.v1 import events_pb2
from huitong.org.v1 import webhooks_pb2 as pb
from services.org.webhooks import store
from tests.apps import GROUP, internal
from tests.hooks import Call, Hooks, id_of, uuid_of


async def test_a_partner_hears_once_of_what_it_asked_for_signed_and_without_personal_data(hooks: Hooks) -> None:
    await hooks.start_members()
    made = await hooks.register("/joined")
    others = await hooks.register("/orders", "order.completed")
    member_id = await hooks.join("+8613811110001")
    (done,) = await hooks.delivered(id_of(made))
    (call,) = hooks.partner.at("/joined")
    assert call.is_signed_by(made.secret) and not call.is_signed_by(others.secret)
    assert abs(int(call.headers["webhook-timestamp"]) - time.time()) < 60
    assert (call.headers["content-type"], call.headers["huitong-secret-no"]) == ("application/json", "1")
    said = orjson.loads(call.body)
    assert said == {
        "id": call.webhook_id, "type": "member.joined", "timestamp": said["timestamp"], "group_id": f"grp_{GROUP.hex}",
        "data": {"member_id": member_id, "tier_code": "BASIC"},
    }  # fmt: skip
    assert (done.event_id, done.event_type, done.attempt_count) == (call.webhook_id, "member.joined", 1)
    assert (done.last_status, done.last_error) == (200, "")
    assert done.last_answer == "heard " + "x" * 194, "no more than 200 bytes of what was answered"
    assert (await hooks.endpoint(id_of(made))).HasField("last_success_time")
    assert hooks.partner.at("/orders") == [] and await hooks.deliveries(id_of(others)) == []
    # A retry answers the same endpoint and secret; somebody else with the same request gets none.
    request = pb.CreateWebhookEndpointRequest(
        request_id="webhook-twice", name="t", url=hooks.partner.url("/t"), event_types=["order.completed"]
    )
    once = await hooks.call("CreateWebhookEndpoint", request)
    assert await hooks.call("CreateWebhookEndpoint", request) == once
    with pytest.raises(AppError) as refused:
        await hooks.call("CreateWebhookEndpoint", request, Caller(CallerKind.SYSTEM, "key_another", GROUP))
    assert refused.value.reason == "NOT_YOURS"
    stored = await hooks.pool.fetch("SELECT response FROM request_log")
    assert all(once.secret.encode() not in row["response"] for row in stored)


async def test_what_fails_or_hangs_comes_again_the_same_with_a_new_time_and_no_redirect_is_followed(
    hooks: Hooks,
) -> None:
    made = await hooks.register("/shaky")
    hooks.partner.answers["/shaky"] = [500, None, 302, 200]
    event_id = await hooks.test_event(id_of(made))
    (done,) = await hooks.delivered(id_of(made))
    calls = hooks.partner.at("/shaky")
    assert [call.webhook_id for call in calls] == [event_id] * 4 and len({call.body for call in calls}) == 1
    assert all(call.is_signed_by(made.secret) for call in calls)
    times = [int(call.headers["webhook-timestamp"]) for call in calls]
    assert times == sorted(times) and times[-1] > times[0], "each try has its own time"
    assert (done.attempt_count, done.last_error, done.HasField("next_attempt_time")) == (4, "", False)
    assert hooks.partner.at("/elsewhere") == []
    assert not (await hooks.endpoint(id_of(made))).HasField("failing_since_time")
    # One that fails for three days is given up; a replay would start anew.
    hooks.partner.answers["/shaky"] = [500]
    await hooks.test_event(id_of(made))
    await hooks.until(lambda: len(hooks.partner.at("/shaky")) >= 6)
    await hooks.pool.execute("UPDATE webhook_delivery SET start_time = start_time - interval '3 days'")
    (lost,) = await hooks.until(lambda: hooks.deliveries(id_of(made), "GIVEN_UP"))
    assert (lost.last_status, lost.last_error) == (500, "HTTP_STATUS")


async def test_a_partner_that_hangs_does_not_hold_up_another(hooks: Hooks) -> None:
    dead, alive = await hooks.register("/dead"), await hooks.register("/alive")
    hooks.partner.answers["/dead"] = [None]
    for _ in range(8):
        await hooks.test_event(id_of(dead))
    await hooks.until(lambda: hooks.partner.hanging == 4)
    event_id = await hooks.test_event(id_of(alive))
    (done,) = await hooks.delivered(id_of(alive))
    assert done.event_id == event_id and hooks.partner.most_hanging == 4
    assert await hooks.deliveries(id_of(dead), "DELIVERED") == []


async def test_what_a_killed_sender_had_in_hand_is_sent_by_the_next(hooks: Hooks) -> None:
    made = await hooks.register("/kept")
    hooks.partner.answers["/kept"] = [None, 200]
    event_id = await hooks.test_event(id_of(made))
    await hooks.until(lambda: hooks.partner.hanging)
    # Cut off in the middle of a try: nothing is written, the lease stays.
    await hooks.apps.stop("org")
    await hooks.apps.start("org")
    await hooks.delivered(id_of(made))
    assert [call.webhook_id for call in hooks.partner.at("/kept")] == [event_id] * 2
    # What another replica holds is left alone until its lease is over.
    await hooks.change("DisableWebhookEndpoint", id_of(made))
    held = ids.from_edge("evt", event_id, "event_id")
    await hooks.pool.execute(
        """UPDATE webhook_delivery SET state = 'PENDING', lease_holder = 'another', next_attempt_time = now(),
           lease_until = now() + interval '1 hour' WHERE event_id = $1""",
        held,
    )
    await hooks.change("EnableWebhookEndpoint", id_of(made))
    second = await hooks.test_event(id_of(made))
    await hooks.until(lambda: any(call.webhook_id == second for call in hooks.partner.at("/kept")))
    assert len(hooks.partner.at("/kept")) == 3
    await hooks.pool.execute("UPDATE webhook_delivery SET lease_until = now() WHERE event_id = $1", held)
    await hooks.until(lambda: len(hooks.partner.at("/kept")) == 4)
    assert hooks.partner.calls[-1].webhook_id == event_id


async def test_what_happened_while_it_was_disabled_is_replayed_from_a_date(hooks: Hooks) -> None:
    await hooks.start_members()
    made = await hooks.register("/replayed")
    await hooks.join("+8613811110002")
    await hooks.delivered(id_of(made))
    first = hooks.partner.at("/replayed")[0]
    disabled = await hooks.change("DisableWebhookEndpoint", id_of(made), reason="maintenance")
    assert disabled.webhook_endpoint.disable_cause == pb.WEBHOOK_DISABLE_CAUSE_REQUESTED
    missed = await hooks.join("+8613811110003")
    assert len(await hooks.deliveries(id_of(made))) == 1
    # What waits at it goes on waiting, while others are served.
    await hooks.pool.execute("UPDATE webhook_delivery SET state = 'PENDING', next_attempt_time = now()")
    other = await hooks.register("/other")
    await hooks.test_event(id_of(other))
    await hooks.delivered(id_of(other))
    await hooks.pool.execute("UPDATE webhook_delivery SET state = 'DELIVERED'")
    assert len(hooks.partner.at("/replayed")) == 1
    span: dict[str, Any] = {"since_time": _stamp(first)}
    for rpc, values in (("SendTestEvent", {}), ("ReplayWebhook", span)):
        with pytest.raises(AppError) as refused:
            await hooks.change(rpc, id_of(made), **values)
        assert refused.value.reason == "WEBHOOK_ENDPOINT_DISABLED"
    enabled = await hooks.change("EnableWebhookEndpoint", id_of(made))
    assert not enabled.webhook_endpoint.disable_cause and len(hooks.partner.at("/replayed")) == 1
    later = Timestamp()
    later.FromNanoseconds(span["since_time"].ToNanoseconds() + 1000)
    assert (await hooks.change("ReplayWebhook", id_of(made), since_time=later)).event_count == 1
    await hooks.delivered(id_of(made), 2)
    (again,) = hooks.partner.at("/replayed")[1:]
    assert orjson.loads(again.body)["data"]["member_id"] == missed
    # What was delivered before comes again under the id that it had.
    span["until_time"] = later
    assert (await hooks.change("ReplayWebhook", id_of(made), **span)).event_count == 1
    await hooks.until(lambda: len(hooks.partner.at("/replayed")) == 3)
    assert hooks.partner.calls[-1].webhook_id == first.webhook_id and hooks.partner.calls[-1].body == first.body


def _stamp(call: Call) -> Timestamp:
    stamp = Timestamp()
    stamp.FromJsonString(orjson.loads(call.body)["timestamp"])
    return stamp


async def test_an_endpoint_that_fails_for_long_or_is_gone_is_disabled_and_says_why(hooks: Hooks) -> None:
    failing, gone = await hooks.register("/failing"), await hooks.register("/gone")
    hooks.partner.answers |= {"/failing": [503], "/gone": [410]}
    await hooks.test_event(id_of(failing))
    await hooks.until(lambda: _failing(hooks, id_of(failing)))
    await hooks.pool.execute(
        "UPDATE webhook_endpoint SET failing_since_time = now() - interval '5 days' WHERE endpoint_id = $1",
        ids.from_edge("whe", id_of(failing), "id"),
    )
    await hooks.test_event(id_of(gone))
    for made, cause in ((failing, "FAILING"), (gone, "GONE")):
        one = await hooks.until(partial(_disabled, hooks, id_of(made)))
        assert pb.WebhookDisableCause.Name(one.disable_cause) == f"WEBHOOK_DISABLE_CAUSE_{cause}"
        assert one.HasField("disable_time")
        rows = await hooks.pool.fetch("SELECT payload FROM outbox WHERE type LIKE '%WebhookEndpointDisabled'")
        told = [events_pb2.WebhookEndpointDisabled.FromString(row["payload"]).webhook_endpoint for row in rows]
        assert id_of(made) in [each.webhook_endpoint_id for each in told]
        entries = await hooks.pool.fetch("SELECT reason, actor FROM audit_entry WHERE subjects = $1", id_of(made))
        assert (cause, "org") in [(row["reason"], row["actor"]) for row in entries]
    hooks.partner.answers["/failing"] = [200]
    enabled = await hooks.change("EnableWebhookEndpoint", id_of(failing))
    assert not enabled.webhook_endpoint.HasField("failing_since_time")
    await hooks.delivered(id_of(failing))


async def test_what_waits_at_an_endpoint_that_is_enabled_is_tried_anew(hooks: Hooks) -> None:
    made = await hooks.register("/again")
    hooks.partner.answers["/again"] = [500]
    await hooks.test_event(id_of(made))
    await hooks.until(lambda: len(hooks.partner.at("/again")) >= 3)
    await hooks.change("DisableWebhookEndpoint", id_of(made))
    await hooks.until(lambda: _is_waiting(hooks, id_of(made)))
    # Four days later, in the middle of a long wait.
    await hooks.pool.execute(
        """UPDATE webhook_delivery SET start_time = start_time - interval '4 days',
           last_attempt_time = now() - interval '1 hour', next_attempt_time = now() + interval '6 hours'
           WHERE endpoint_id = $1""",
        uuid_of(made),
    )
    hooks.partner.answers["/again"] = [500, 200]
    await hooks.change("EnableWebhookEndpoint", id_of(made))
    (done,) = await hooks.delivered(id_of(made))
    assert done.attempt_count == 2


async def _is_waiting(hooks: Hooks, endpoint_id: str) -> bool:
    """Whether the last try is written down and the next one has not begun."""
    (one,) = await hooks.deliveries(endpoint_id)
    return (
        one.attempt_count == len(hooks.partner.at("/again"))
        and one.last_status == 500
        and not (
            await hooks.pool.fetchval("SELECT count(*) FROM webhook_delivery WHERE lease_until > clock_timestamp()")
        )
    )


async def test_a_replay_has_its_limit(hooks: Hooks) -> None:
    who = await hooks.group("much-to-replay")
    made = await hooks.register("/long-ago", who=who)
    await hooks.pool.execute(
        """INSERT INTO webhook_event (event_id, group_id, type, occur_time, receive_time, body)
           SELECT gen_random_uuid(), $1, 'member.joined', '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 s',
                  now(), 'x'
           FROM generate_series(0, 100000) AS n""",
        who.group_id,
    )
    since = Timestamp(seconds=1767225600)  # 2026-01-01T00:00:00Z
    with pytest.raises(AppError) as refused:
        await hooks.change("ReplayWebhook", id_of(made), who=who, since_time=since)
    assert refused.value.reason == "WEBHOOK_REPLAY_TOO_LARGE"
    assert await hooks.deliveries(id_of(made), who=who) == []
    span: dict[str, Any] = {"since_time": since, "until_time": Timestamp(seconds=since.seconds + 2)}
    assert (await hooks.change("ReplayWebhook", id_of(made), who=who, **span)).event_count == 2
    await hooks.delivered(id_of(made), 2, who)


async def test_what_is_kept_no_longer_is_deleted_batch_by_batch(hooks: Hooks) -> None:
    who = await hooks.group("much-to-forget")
    made = await hooks.register("/young", who=who)
    event_id = await hooks.test_event(id_of(made), who)
    await hooks.delivered(id_of(made), who=who)
    await hooks.pool.execute(
        """INSERT INTO webhook_event (event_id, group_id, type, occur_time, receive_time, body)
           SELECT gen_random_uuid(), $1, 'member.joined', now(), now() - interval '31 days', 'x'
           FROM generate_series(1, 2500)""",
        who.group_id,
    )
    await hooks.pool.execute(
        """INSERT INTO webhook_delivery (endpoint_id, event_id, group_id, state, attempt_count, last_status, last_error,
                                         last_answer, create_time, start_time, next_attempt_time, lease_holder)
           SELECT $1, event_id, group_id, 'GIVEN_UP', 1, 0, '', '', now(), now(), now(), ''
           FROM webhook_event WHERE group_id = $2 AND receive_time < now() - interval '30 days'""",
        uuid_of(made),
        who.group_id,
    )
    db = hooks.apps.running["org"].db
    async with db.transaction(internal("org")) as tx:
        assert await store.delete_old(tx, most=1000) == 1000
    of_group = "SELECT count(*) FROM webhook_event WHERE group_id = $1"
    assert await hooks.pool.fetchval(of_group, who.group_id) == 1501
    forget = next(job for job in hooks.apps.running["org"].jobs if job.name == "forget-webhooks")
    assert await forget.run_once()
    assert [one.event_id for one in await hooks.deliveries(id_of(made), who=who)] == [event_id]
    assert await hooks.pool.fetchval(of_group, who.group_id) == 1


async def _failing(hooks: Hooks, endpoint_id: str) -> bool:
    return bool((await hooks.endpoint(endpoint_id)).HasField("failing_since_time"))


async def _disabled(hooks: Hooks, endpoint_id: str) -> Any:
    one = await hooks.endpoint(endpoint_id)
    return one if one.disable_cause else None
