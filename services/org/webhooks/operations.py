"""Use cases of webhooks. Each runs inside the transaction that it is given; nothing is sent from here."""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from chassis.errors import NotYours
from chassis.events import Fact
from chassis.ids import from_edge
from huitong.org.v1 import events_pb2, webhooks_pb2
from services.org.audit.operations import Audit
from services.org.rules import Origin
from services.org.store import lock_group
from services.org.webhooks import convert, errors, rules, store
from services.org.webhooks.rules import Answer, Endpoint, Leased

_PURPOSE = "org.webhook-secret"


async def create(
    tx: Tx,
    vault: Vault,
    *,
    partner_id: UUID | None,
    name: str,
    url: str,
    event_types: Sequence[str],
    origin: Origin,
) -> Endpoint:
    """Add an endpoint with one secret, of a partner if one is named.

    Raises GroupUnknown, WebhookEndpointLimit, PartnerUnknown, WebhookEventsNotAllowed.
    """
    await lock_group(tx)  # two at once count each other
    await check_types(tx, partner_id, event_types)
    most = rules.PARTNER_ENDPOINTS_MOST if partner_id else rules.ENDPOINTS_MOST
    if await store.count_endpoints(tx, partner_id) >= most:
        raise errors.WebhookEndpointLimit(limit=most)
    endpoint_id = ids.derive(tx.group_id, "webhook-endpoint", origin.request_id)
    one = await store.add_endpoint(
        tx, endpoint_id=endpoint_id, partner_id=partner_id, name=name, url=url, event_types=event_types
    )
    await _add_secret(tx, vault, endpoint_id, origin=origin, secret_no=1)
    return one


async def check_types(tx: Tx, partner_id: UUID | None, event_types: Sequence[str]) -> None:
    """Check what is asked for against what the partner's keys permit.

    Raises PartnerUnknown, WebhookEventsNotAllowed.
    """
    if partner_id is None:
        return
    patterns = (await store.partner_permissions(tx, [partner_id])).get(partner_id, "")
    if not patterns:
        raise errors.PartnerUnknown(partner_id=ids.to_edge("ptn", partner_id))
    if refused := [name for name in event_types if not rules.may_hear(patterns, name)]:
        raise errors.WebhookEventsNotAllowed(event_types=", ".join(refused))


async def rotate(tx: Tx, vault: Vault, one: Endpoint, *, overlap_seconds: int, origin: Origin) -> None:
    """Add a secret to a locked endpoint; the newest before it signs for `overlap_seconds` still."""
    newest_no = await store.end_secrets(tx, one.endpoint_id, newest_ends_in_seconds=overlap_seconds)
    await _add_secret(tx, vault, one.endpoint_id, origin=origin, secret_no=newest_no + 1)


async def _add_secret(tx: Tx, vault: Vault, endpoint_id: UUID, *, origin: Origin, secret_no: int) -> None:
    secret = rules.write_secret(secrets.token_bytes(rules.SECRET_BYTES))
    sealed = vault.encrypt(_PURPOSE, secret, bound_to=endpoint_id)
    made_by = tx.caller.subject
    await store.add_secret(
        tx, endpoint_id=endpoint_id, origin=origin, sealed=sealed, secret_no=secret_no, made_by=made_by
    )


def open_secret(vault: Vault, endpoint_id: UUID, sealed: bytes) -> str:
    """The secret behind what is stored."""
    return vault.decrypt(_PURPOSE, sealed, bound_to=endpoint_id)


async def secret_of_request(tx: Tx, vault: Vault, *, endpoint_id: UUID, origin: Origin) -> str:
    """The secret that a request made, for who made that request. Raises NotYours."""
    sealed, made_by = await store.find_secret_of_request(tx, endpoint_id, origin)
    if made_by != tx.caller.subject:
        raise NotYours(field="request_id")
    return open_secret(vault, endpoint_id, sealed)


async def get(tx: Tx, endpoint_id: UUID, partner_id: UUID | None, *, lock: bool = False) -> Endpoint:
    """One endpoint of the caller's group, and of the partner if one is named. Raises WebhookEndpointUnknown."""
    one = await store.find_endpoint(tx, endpoint_id, partner_id=partner_id, lock=lock)
    if one is None:
        raise errors.WebhookEndpointUnknown(webhook_endpoint_id=ids.to_edge("whe", endpoint_id))
    return one


async def get_enabled(tx: Tx, endpoint_id: UUID, partner_id: UUID | None) -> Endpoint:
    """One endpoint, locked. Raises WebhookEndpointUnknown, WebhookEndpointDisabled."""
    one = await get(tx, endpoint_id, partner_id, lock=True)
    if one.disable_cause:
        raise errors.WebhookEndpointDisabled(webhook_endpoint_id=one.edge)
    return one


async def disable(tx: Tx, one: Endpoint, cause: str) -> Endpoint:
    """Send nothing more to a locked endpoint; one that is disabled stays as it is."""
    if one.disable_cause:
        return one
    disabled = await store.change_endpoint(
        tx, one.endpoint_id, disable_cause=cause, disable_time=await store.real_now(tx)
    )
    event = events_pb2.WebhookEndpointDisabled(webhook_endpoint=convert.endpoint_message(disabled))
    tx.emit(event, key=disabled.edge, group_id=disabled.group_id)
    return disabled


async def enable(tx: Tx, one: Endpoint) -> Endpoint:
    """Send to a locked endpoint again, as if it had never failed, and what waits as if it had never been tried."""
    if not one.disable_cause:
        return one
    enabled = await store.change_endpoint(
        tx,
        one.endpoint_id,
        disable_cause="",
        disable_time=None,
        failing_since_time=None,
        enable_time=await store.real_now(tx),
    )
    await store.hasten(tx, one.endpoint_id, most=rules.HASTEN_MOST)
    return enabled


async def delete(tx: Tx, one: Endpoint) -> Endpoint:
    """Send nothing more to a locked endpoint, ever; answers it as it was last."""
    disabled = await disable(tx, one, rules.REQUESTED)
    await store.delete_endpoint(tx, one.endpoint_id)
    return disabled


async def send_test(tx: Tx, endpoint_id: UUID, partner_id: UUID | None, *, request_id: str) -> str:
    """Send an event that means nothing; answers its id. Raises WebhookEndpointUnknown, WebhookEndpointDisabled."""
    one = await get_enabled(tx, endpoint_id, partner_id)
    event_id = ids.derive(endpoint_id, "webhook-test", request_id)
    body = convert.envelope(
        event_id=event_id,
        group_id=tx.group_id,
        type_name=rules.TEST_TYPE,
        time=tx.now,
        data={"webhook_endpoint_id": one.edge},
    )
    event = {"event_id": event_id, "group_id": tx.group_id, "type": rules.TEST_TYPE, "occur_time": tx.now, "body": body}
    await store.add_events(tx, [event])
    await store.add_deliveries(tx, [(endpoint_id, event_id, tx.group_id)])
    return rules.event_edge(event_id)


async def replay(tx: Tx, endpoint_id: UUID, partner_id: UUID | None, *, since: datetime, until: datetime | None) -> int:
    """Send the events of a span of time once more, of a partner's endpoint those that it may hear; answers how many.

    Raises WebhookEndpointUnknown, WebhookEndpointDisabled, WebhookReplayTooLarge.
    """
    one = await get_enabled(tx, endpoint_id, partner_id)
    types = await _heard(tx, [one])
    count = await store.count_events(tx, types[one.endpoint_id], since, until)
    if count > rules.REPLAY_MOST:
        raise errors.WebhookReplayTooLarge(event_count=count, limit=rules.REPLAY_MOST)
    return await store.replay(tx, endpoint_id, types[one.endpoint_id], since, until)


async def _heard(tx: Tx, endpoints: Sequence[Endpoint]) -> dict[UUID, list[str]]:
    """The types that are sent to each endpoint: of what was asked for, what its partner's keys permit now."""
    partners = {one.partner_id for one in endpoints if one.partner_id}
    permitted = await store.partner_permissions(tx, partners) if partners else {}
    return {
        one.endpoint_id: [
            name
            for name in one.event_types
            if one.partner_id is None or rules.may_hear(permitted.get(one.partner_id, ""), name)
        ]
        for one in endpoints
    }


async def take_in(tx: Tx, facts: Sequence[Fact[Message]]) -> bool:
    """Write what is to be sent of some facts, in the transaction that takes them in; answers whether anything is."""
    endpoints = await store.list_of_groups(tx, {fact.group_id for fact in facts})
    if not endpoints:
        return False
    heard = await _heard(tx, endpoints)
    wanted = {(one.group_id, type_name) for one in endpoints for type_name in heard[one.endpoint_id]}
    events, pairs = [], []
    for fact in facts:
        type_name = convert.TYPE_OF[fact.payload.DESCRIPTOR.full_name]
        if (fact.group_id, type_name) not in wanted:
            continue
        body = convert.envelope(
            event_id=fact.event_id,
            group_id=fact.group_id,
            type_name=type_name,
            time=fact.occur_time,
            data=convert.data_of(type_name, fact.payload),
        )
        events.append(
            {
                "event_id": fact.event_id,
                "group_id": fact.group_id,
                "type": type_name,
                "occur_time": fact.occur_time,
                "body": body,
            }
        )
        pairs += [
            (one.endpoint_id, fact.event_id, fact.group_id)
            for one in endpoints
            if one.group_id == fact.group_id and type_name in heard[one.endpoint_id] and not one.disable_cause
        ]
    if events:
        await store.add_events(tx, events)
    if pairs:
        await store.add_deliveries(tx, pairs)
    return bool(pairs)


async def finish(
    tx: Tx,
    audit: Audit,
    one: Leased,
    answer: Answer,
    *,
    first_wait_seconds: float,
    chance: Callable[[], float] = random.random,
) -> Endpoint | None:
    """Write what came of a try: done, again later, given up, or the endpoint is disabled. Answers it in that case."""
    endpoint = await store.find_endpoint(tx, one.endpoint_id, lock=True, group_id=one.group_id)
    if endpoint is None:
        return None
    seen: dict[str, Any] = {"last_status": answer.status, "last_error": answer.error, "last_answer": answer.excerpt}
    if answer.is_success:
        if await store.finish(tx, one, state=rules.DELIVERED, **seen):
            changes = {"failing_since_time": None, "last_success_time": await store.real_now(tx)}
            await store.change_endpoint(tx, one.endpoint_id, **changes)
        return None
    now = await store.real_now(tx)
    state = rules.GIVEN_UP if rules.is_over(one.start_time, now, enable_time=endpoint.enable_time) else rules.PENDING
    wait = rules.wait_seconds(one.attempt_count, first_seconds=first_wait_seconds, chance=chance())
    if not await store.finish(tx, one, wait_seconds=max(wait, answer.wait_seconds), state=state, **seen):
        return None
    if endpoint.failing_since_time is None:
        endpoint = await store.change_endpoint(tx, one.endpoint_id, failing_since_time=now)
    cause = rules.GONE if answer.is_gone else rules.FAILING if rules.is_failing_for_long(endpoint, now) else ""
    if not cause or endpoint.disable_cause:
        return None
    disabled = await disable(tx, endpoint, cause)
    request = webhooks_pb2.DisableWebhookEndpointRequest(reason=cause)
    before, after = convert.endpoint_message(endpoint), convert.endpoint_message(disabled)
    await audit.record(tx, request, disabled.edge, before=before, after=after, group_id=disabled.group_id)
    return disabled


def endpoint_id_of(text: str) -> UUID:
    """The id in `whe_…`. Raises InvalidArgument."""
    return from_edge("whe", text, "webhook_endpoint_id")


def partner_id_of(text: str) -> UUID | None:
    """The id in `ptn_…`, None for no text. Raises InvalidArgument."""
    return from_edge("ptn", text, "partner_id") if text else None
