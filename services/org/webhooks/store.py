"""Queries about webhooks; the tables are in services/org/webhook_tables.py.

Lock order: an endpoint, then its deliveries, then the group's row, to write the audit. Times are real time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, insert, literal, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.db import Tx
from services.org.rules import Origin
from services.org.tables import credential
from services.org.webhook_tables import webhook_delivery, webhook_endpoint, webhook_event, webhook_secret
from services.org.webhooks.rules import EVENTS, KEEP_DAYS, PENDING, TEST_TYPE, Delivery, Endpoint, Leased

_now = func.clock_timestamp
_ENDPOINT = [webhook_endpoint.c[field.name] for field in fields(Endpoint)]
_IS_THERE = webhook_endpoint.c.delete_time.is_(None)


async def add_endpoint(
    tx: Tx, *, endpoint_id: UUID, partner_id: UUID | None, name: str, url: str, event_types: Sequence[str]
) -> Endpoint:
    """Add an enabled endpoint of the group, or of a partner of its."""
    values = {"endpoint_id": endpoint_id, "group_id": tx.group_id, "partner_id": partner_id, "name": name, "url": url}
    statement = insert(webhook_endpoint).values(
        **values, event_types=list(event_types), disable_cause="", create_time=_now()
    )
    return Endpoint(**(await tx.execute(statement.returning(*_ENDPOINT))).one()._mapping)


async def count_endpoints(tx: Tx, partner_id: UUID | None) -> int:
    """The endpoints of a partner, or the group's own, whether enabled or not."""
    whose = webhook_endpoint.c.partner_id.is_not_distinct_from(partner_id)
    of_group = (webhook_endpoint.c.group_id == tx.group_id, whose, _IS_THERE)
    statement = select(func.count()).select_from(webhook_endpoint).where(*of_group)
    return int((await tx.execute(statement)).scalar_one())


async def partner_permissions(tx: Tx, partner_ids: Collection[UUID]) -> dict[UUID, str]:
    """What the keys of partners permit that work now, patterns separated by blanks; no entry without such a key."""
    statement = select(credential.c.subject_id, credential.c.permissions).where(
        credential.c.kind == "PARTNER", credential.c.subject_id.in_(partner_ids), credential.c.revoke_time.is_(None)
    )
    found: dict[UUID, str] = {}
    for row in await tx.execute(statement):
        found[row.subject_id] = f"{found.get(row.subject_id, '')} {row.permissions}".strip()
    return found


async def has_endpoints(tx: Tx) -> bool:
    """Whether any group has an endpoint, enabled or not."""
    return bool(
        (await tx.execute(select(exists(select(webhook_endpoint.c.endpoint_id).where(_IS_THERE))))).scalar_one()
    )


async def find_endpoint(
    tx: Tx,
    endpoint_id: UUID,
    *,
    partner_id: UUID | None = None,
    lock: bool = False,
    group_id: UUID | None = None,
) -> Endpoint | None:
    """One endpoint of the caller's group (of `partner_id` if it is named), or of another group when a job asks."""
    statement = select(*_ENDPOINT).where(
        webhook_endpoint.c.endpoint_id == endpoint_id,
        webhook_endpoint.c.group_id == (group_id or tx.group_id),
        _IS_THERE,
    )
    if partner_id:
        statement = statement.where(webhook_endpoint.c.partner_id == partner_id)
    row = (await tx.execute(statement.with_for_update(key_share=True) if lock else statement)).first()
    return Endpoint(**row._mapping) if row else None


async def change_endpoint(tx: Tx, endpoint_id: UUID, **values: Any) -> Endpoint:
    """Set columns of an endpoint."""
    statement = update(webhook_endpoint).where(webhook_endpoint.c.endpoint_id == endpoint_id).values(**values)
    return Endpoint(**(await tx.execute(statement.returning(*_ENDPOINT))).one()._mapping)


async def delete_endpoint(tx: Tx, endpoint_id: UUID) -> None:
    """Mark a disabled endpoint as deleted, and let its secrets sign nothing any more."""
    await tx.execute(
        update(webhook_endpoint).where(webhook_endpoint.c.endpoint_id == endpoint_id).values(delete_time=_now())
    )
    of_endpoint = (webhook_secret.c.endpoint_id == endpoint_id, webhook_secret.c.end_time.is_(None))
    await tx.execute(update(webhook_secret).where(*of_endpoint).values(end_time=_now()))


async def list_endpoints(
    tx: Tx, *, partner_id: UUID | None, before: tuple[datetime, UUID] | None, limit: int
) -> list[Endpoint]:
    """The group's endpoints and its partners', or those of one partner, newest first."""
    statement = select(*_ENDPOINT).where(webhook_endpoint.c.group_id == tx.group_id, _IS_THERE)
    if partner_id:
        statement = statement.where(webhook_endpoint.c.partner_id == partner_id)
    if before:
        columns = tuple_(webhook_endpoint.c.create_time, webhook_endpoint.c.endpoint_id)
        statement = statement.where(columns < tuple_(literal(before[0]), literal(before[1])))
    order = (webhook_endpoint.c.create_time.desc(), webhook_endpoint.c.endpoint_id.desc())
    return [Endpoint(**row._mapping) for row in await tx.execute(statement.order_by(*order).limit(limit))]


async def list_of_groups(tx: Tx, group_ids: Collection[UUID]) -> list[Endpoint]:
    """All endpoints of some groups, also disabled ones."""
    statement = select(*_ENDPOINT).where(webhook_endpoint.c.group_id.in_(group_ids), _IS_THERE)
    return [Endpoint(**row._mapping) for row in await tx.execute(statement)]


async def add_secret(tx: Tx, *, endpoint_id: UUID, origin: Origin, sealed: bytes, secret_no: int, made_by: str) -> None:
    """Add a secret that works until it is replaced."""
    await tx.execute(
        insert(webhook_secret).values(
            endpoint_id=endpoint_id, rpc=origin.rpc, request_id=origin.request_id, group_id=tx.group_id,
            sealed_secret=sealed, secret_no=secret_no, made_by=made_by,
        )
    )  # fmt: skip


async def end_secrets(tx: Tx, endpoint_id: UUID, *, newest_ends_in_seconds: int) -> int:
    """Let the newest secret work for so long still, end the others now; answers the newest one's number."""
    newest = select(func.max(webhook_secret.c.secret_no)).where(webhook_secret.c.endpoint_id == endpoint_id)
    newest_no = int((await tx.execute(newest)).scalar_one())
    mine = update(webhook_secret).where(webhook_secret.c.endpoint_id == endpoint_id)
    await tx.execute(mine.where(webhook_secret.c.secret_no < newest_no).values(end_time=_now()))
    ends = _now() + func.make_interval(0, 0, 0, 0, 0, 0, newest_ends_in_seconds)
    await tx.execute(mine.where(webhook_secret.c.secret_no == newest_no).values(end_time=ends))
    return newest_no


async def find_secret_of_request(tx: Tx, endpoint_id: UUID, origin: Origin) -> tuple[bytes, str]:
    """The sealed secret that a request made, and who made it."""
    statement = select(webhook_secret.c.sealed_secret, webhook_secret.c.made_by).where(
        webhook_secret.c.endpoint_id == endpoint_id,
        webhook_secret.c.rpc == origin.rpc,
        webhook_secret.c.request_id == origin.request_id,
        webhook_secret.c.group_id == tx.group_id,
    )
    row = (await tx.execute(statement)).one()
    return row.sealed_secret, row.made_by


async def working_secrets(tx: Tx, endpoint_ids: Collection[UUID]) -> dict[UUID, list[tuple[int, bytes]]]:
    """The sealed secrets that sign now, by endpoint, the newest first, each with its number."""
    statement = (
        select(webhook_secret.c.endpoint_id, webhook_secret.c.secret_no, webhook_secret.c.sealed_secret)
        .where(
            webhook_secret.c.endpoint_id.in_(endpoint_ids),
            webhook_secret.c.end_time.is_(None) | (webhook_secret.c.end_time > _now()),
        )
        .order_by(webhook_secret.c.secret_no.desc())
    )
    found: dict[UUID, list[tuple[int, bytes]]] = {}
    for row in await tx.execute(statement):
        found.setdefault(row.endpoint_id, []).append((row.secret_no, row.sealed_secret))
    return found


async def add_events(tx: Tx, events: Sequence[Mapping[str, Any]]) -> None:
    """Keep events; one that is there stays as it is."""
    statement = upsert(webhook_event).values(receive_time=_now()).on_conflict_do_nothing()
    await tx.execute(statement, events)


async def add_deliveries(tx: Tx, pairs: Sequence[tuple[UUID, UUID, UUID]]) -> None:
    """Send events to endpoints (endpoint, event, group), from now on; what is there stays as it is."""
    await tx.execute(
        _ADD_DELIVERIES,
        {
            "endpoint_ids": [pair[0] for pair in pairs],
            "event_ids": [pair[1] for pair in pairs],
            "group_ids": [pair[2] for pair in pairs],
        },
    )


_ADD_DELIVERIES = text(
    """INSERT INTO webhook_delivery (endpoint_id, event_id, group_id, state, attempt_count, last_status, last_error,
                                     last_answer, create_time, start_time, next_attempt_time, lease_holder)
       SELECT p.endpoint_id, p.event_id, p.group_id, 'PENDING', 0, 0, '', '', clock_timestamp(), clock_timestamp(),
              clock_timestamp(), ''
       FROM unnest(CAST(:endpoint_ids AS uuid[]), CAST(:event_ids AS uuid[]), CAST(:group_ids AS uuid[]))
            AS p (endpoint_id, event_id, group_id)
       ON CONFLICT DO NOTHING"""
)

_SPAN = """e.group_id = :group_id AND e.type = ANY(CAST(:types AS text[]))
           AND e.occur_time >= CAST(:since AS timestamptz)
           AND e.occur_time < coalesce(CAST(:until AS timestamptz), CAST('infinity' AS timestamptz))"""


async def count_events(tx: Tx, types: Sequence[str], since: datetime, until: datetime | None) -> int:
    """How many of the group's events of these types happened in a span of time."""
    values = {"group_id": tx.group_id, "types": list(types), "since": since, "until": until}
    return int((await tx.execute(_COUNT_EVENTS, values)).scalar_one())


_COUNT_EVENTS = text(f"SELECT count(*) FROM webhook_event e WHERE {_SPAN}")


async def replay(tx: Tx, endpoint_id: UUID, types: Sequence[str], since: datetime, until: datetime | None) -> int:
    """Send the events of a span of time (as above) once more, as if they were new; answers how many.

    One that is being sent at this moment is not sent twice for it.
    """
    values = {
        "endpoint_id": endpoint_id, "group_id": tx.group_id, "types": list(types), "since": since, "until": until,
    }  # fmt: skip
    return (await tx.execute(_REPLAY, values)).rowcount


_REPLAY = text(
    f"""INSERT INTO webhook_delivery AS d (endpoint_id, event_id, group_id, state, attempt_count, last_status,
                                           last_error, last_answer, create_time, start_time, next_attempt_time,
                                           lease_holder)
        SELECT :endpoint_id, e.event_id, e.group_id, 'PENDING', 0, 0, '', '', clock_timestamp(), clock_timestamp(),
               clock_timestamp(), ''
        FROM webhook_event e WHERE {_SPAN}
        ON CONFLICT (endpoint_id, event_id) DO UPDATE
        SET state = 'PENDING', attempt_count = 0, start_time = excluded.start_time,
            next_attempt_time = CASE WHEN d.lease_until > clock_timestamp() THEN d.next_attempt_time
                                     ELSE excluded.next_attempt_time END"""
)


async def list_deliveries(
    tx: Tx, endpoint_id: UUID, *, state: str, before: tuple[datetime, UUID] | None, limit: int
) -> list[Delivery]:
    """Deliveries to an endpoint, newest first; "" means of every state."""
    columns = [
        (webhook_event if field.name == "type" else webhook_delivery).c[field.name] for field in fields(Delivery)
    ]
    statement = (
        select(*columns)
        .join(webhook_event, webhook_event.c.event_id == webhook_delivery.c.event_id)
        .where(webhook_delivery.c.endpoint_id == endpoint_id, webhook_delivery.c.group_id == tx.group_id)
    )
    if state:
        statement = statement.where(webhook_delivery.c.state == state)
    if before:
        keys = tuple_(webhook_delivery.c.create_time, webhook_delivery.c.event_id)
        statement = statement.where(keys < tuple_(literal(before[0]), literal(before[1])))
    order = (webhook_delivery.c.create_time.desc(), webhook_delivery.c.event_id.desc())
    return [Delivery(**row._mapping) for row in await tx.execute(statement.order_by(*order).limit(limit))]


async def lease(tx: Tx, *, holder: str, seconds: float, concurrent: int, most: int) -> list[Leased]:
    """Take what is due, at most `concurrent` under way for each endpoint, and hold it for `seconds`."""
    # Locked first, in a statement of its own: what others hold of these endpoints is seen by the next one.
    await tx.execute(_LOCK_ENDPOINTS)
    values = {"holder": holder, "seconds": seconds, "concurrent": concurrent, "most": most}
    return [Leased(**row._mapping) for row in await tx.execute(_LEASE, values)]


async def hasten(tx: Tx, endpoint_id: UUID, *, most: int) -> None:
    """Let what waits at an endpoint be due now, at most so many, the next ones first."""
    await tx.execute(_HASTEN, {"endpoint_id": endpoint_id, "most": most})


_HASTEN = text(
    """UPDATE webhook_delivery AS d SET next_attempt_time = clock_timestamp()
       FROM (
         SELECT p.event_id FROM webhook_delivery AS p
         WHERE p.endpoint_id = :endpoint_id AND p.state = 'PENDING' AND p.next_attempt_time > clock_timestamp()
           AND (p.lease_until IS NULL OR p.lease_until <= clock_timestamp())
         ORDER BY p.next_attempt_time LIMIT :most
       ) AS waiting
       WHERE d.endpoint_id = :endpoint_id AND d.event_id = waiting.event_id"""
)

_LOCK_ENDPOINTS = text(
    """SELECT endpoint_id FROM webhook_endpoint AS e
       WHERE disable_cause = '' AND EXISTS (
         SELECT FROM webhook_delivery AS d WHERE d.endpoint_id = e.endpoint_id AND d.state = 'PENDING'
           AND d.next_attempt_time <= clock_timestamp())
       ORDER BY endpoint_id FOR NO KEY UPDATE"""
)
# As rules.may_hear: a key that is revoked ends what waits with it.
_MAY_HEAR = f"""(e.partner_id IS NULL OR EXISTS (
    SELECT FROM credential AS c, unnest(string_to_array(c.permissions, ' ')) AS permitted (pattern), webhook_event AS w
    WHERE c.kind = 'PARTNER' AND c.subject_id = e.partner_id AND c.revoke_time IS NULL AND w.event_id = p.event_id
      AND (w.type = '{TEST_TYPE}'
           OR '{EVENTS}.' || replace(w.type, '_', '-') LIKE replace(permitted.pattern, '*', '%'))))"""
# What was tried before its endpoint was enabled is tried as if for the first time.
_LEASE = text(
    f"""UPDATE webhook_delivery AS d
       SET lease_id = gen_random_uuid(), lease_holder = :holder,
           attempt_count = CASE WHEN d.last_attempt_time < taken.enable_time THEN 1 ELSE d.attempt_count + 1 END,
           lease_until = clock_timestamp() + make_interval(secs => :seconds), last_attempt_time = clock_timestamp()
       FROM (
         SELECT due.endpoint_id, due.event_id, e.url, e.enable_time
         FROM webhook_endpoint AS e CROSS JOIN LATERAL (
           SELECT p.endpoint_id, p.event_id FROM webhook_delivery AS p
           WHERE p.endpoint_id = e.endpoint_id AND p.state = 'PENDING' AND p.next_attempt_time <= clock_timestamp()
             AND (p.lease_until IS NULL OR p.lease_until <= clock_timestamp()) AND {_MAY_HEAR}
           ORDER BY p.next_attempt_time
           LIMIT greatest(0, :concurrent - (
             SELECT count(*) FROM webhook_delivery AS w
             WHERE w.endpoint_id = e.endpoint_id AND w.state = 'PENDING' AND w.lease_until > clock_timestamp()))
         ) AS due
         WHERE e.disable_cause = ''
         LIMIT :most
       ) AS taken, webhook_event AS v
       WHERE d.endpoint_id = taken.endpoint_id AND d.event_id = taken.event_id AND v.event_id = d.event_id
       RETURNING d.endpoint_id, d.event_id, d.group_id, d.lease_id, d.attempt_count, d.start_time, taken.url, v.body"""
)


async def release(tx: Tx, holder: str) -> None:
    """Give back what `holder` held when it died."""
    held = webhook_delivery.c.lease_holder == holder
    await tx.execute(
        update(webhook_delivery)
        .where(held, webhook_delivery.c.state == PENDING, webhook_delivery.c.lease_until.is_not(None))
        .values(lease_until=None)
    )


async def finish(tx: Tx, one: Leased, *, wait_seconds: float = 0, **values: Any) -> bool:
    """Write what came of a try; False when the lease has gone to somebody else, whose word then counts."""
    statement = (
        update(webhook_delivery)
        .where(
            webhook_delivery.c.endpoint_id == one.endpoint_id,
            webhook_delivery.c.event_id == one.event_id,
            webhook_delivery.c.lease_id == one.lease_id,
        )
        .values(
            **values,
            lease_id=None,
            lease_until=None,
            next_attempt_time=_now() + func.make_interval(0, 0, 0, 0, 0, 0, wait_seconds),
        )
    )
    return bool((await tx.execute(statement)).rowcount)


async def real_now(tx: Tx) -> datetime:
    """The database's own clock."""
    time: datetime = (await tx.execute(select(_now()))).scalar_one()
    return time


async def delete_old(tx: Tx, *, most: int) -> int:
    """Delete events that are kept no longer, with their deliveries; answers how many, at most `most`, the oldest."""
    old = webhook_event.c.receive_time < _now() - text(f"interval '{KEEP_DAYS} days'")
    oldest = select(webhook_event.c.event_id).where(old).order_by(webhook_event.c.receive_time).limit(most)
    ids = list((await tx.execute(oldest)).scalars())
    if ids:
        await tx.execute(delete(webhook_delivery).where(webhook_delivery.c.event_id.in_(ids)))
        await tx.execute(delete(webhook_event).where(webhook_event.c.event_id.in_(ids)))
    return len(ids)
