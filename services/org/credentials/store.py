"""Queries of credentials; the tables are in tables.py. A credential is locked after its group."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from chassis.db import Tx
from services.org.rules import Origin
from services.org.store import among, fetch
from services.org.tables import (
    credential,
    credential_secret,
    merchant,
    store,
    terminal,
)


@dataclass(frozen=True, slots=True)
class Credential:
    """A machine's key, without its secrets."""

    key_id: UUID
    group_id: UUID
    kind: str
    subject_id: UUID
    name: str
    create_time: datetime
    revoke_time: datetime | None
    # Of a partner: patterns, separated by blanks.
    permissions: str = ""
    certificates: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Binding:
    """Where the terminal behind a credential stands."""

    store_id: UUID
    merchant_id: UUID
    unit_id: UUID
    # Whether the terminal is in use.
    is_open: bool


async def add_credentials(tx: Tx, credentials: Sequence[Credential]) -> None:
    """Add credentials in one statement."""
    await tx.execute(insert(credential), [asdict(one) for one in credentials])


async def add_secrets(
    tx: Tx, sealed: Mapping[UUID, bytes], *, group_id: UUID, origin: Origin, rotation_no: int
) -> None:
    """Add the encrypted secret of each key."""
    await tx.execute(
        insert(credential_secret),
        [
            {
                "key_id": key_id,
                "group_id": group_id,
                **asdict(origin),
                "rotation_no": rotation_no,
                "sealed_secret": secret,
                "end_time": None,
            }
            for key_id, secret in sealed.items()
        ],
    )


async def lock_credential(tx: Tx, key_id: UUID) -> Credential | None:
    """The group's credential, locked."""
    statement = select(credential).where(credential.c.key_id == key_id, credential.c.group_id == tx.group_id)
    row = (await tx.execute(statement.with_for_update())).first()
    return Credential(**row._mapping) if row else None


async def find_credential(tx: Tx, key_id: UUID) -> Credential | None:
    """A credential of any group: whoever signs a request is not known before."""
    row = (await tx.execute(select(credential).where(credential.c.key_id == key_id))).first()
    return Credential(**row._mapping) if row else None


async def list_credentials(tx: Tx, *, before: tuple[datetime, UUID] | None, limit: int) -> list[Credential]:
    """The group's credentials, newest first, from the one after `before`."""
    statement = select(credential).where(credential.c.group_id == tx.group_id)
    if before:
        columns = tuple_(credential.c.create_time, credential.c.key_id)
        statement = statement.where(columns < tuple_(literal(before[0]), literal(before[1])))
    statement = statement.order_by(credential.c.create_time.desc(), credential.c.key_id.desc()).limit(limit)
    return [Credential(**row._mapping) for row in await fetch(tx, statement)]


async def save_certificates(tx: Tx, key_id: UUID, certificates: list[str]) -> None:
    """Write which client certificates the credential needs one of."""
    await tx.execute(update(credential).where(credential.c.key_id == key_id).values(certificates=certificates))


async def revoke_credential(tx: Tx, key_id: UUID) -> None:
    """Mark the credential as revoked, now."""
    await tx.execute(update(credential).where(credential.c.key_id == key_id).values(revoke_time=tx.now))


async def end_secrets(tx: Tx, key_id: UUID, *, newest_ends_in_seconds: int) -> int:
    """Let the newest secret work for so long still and end older ones now; answers the number of the newest."""
    real_now = func.clock_timestamp()
    newest = (
        await tx.execute(select(func.max(credential_secret.c.rotation_no)).where(credential_secret.c.key_id == key_id))
    ).scalar_one()
    works = or_(credential_secret.c.end_time.is_(None), credential_secret.c.end_time > real_now)
    of_key = credential_secret.c.key_id == key_id
    await tx.execute(
        update(credential_secret)
        .where(and_(of_key, works, credential_secret.c.rotation_no < newest))
        .values(end_time=real_now)
    )
    await tx.execute(
        update(credential_secret)
        .where(and_(of_key, credential_secret.c.rotation_no == newest))
        .values(end_time=real_now + func.make_interval(0, 0, 0, 0, 0, 0, newest_ends_in_seconds))
    )
    return int(newest)


async def find_working_secrets(tx: Tx, key_id: UUID) -> list[bytes]:
    """The encrypted secrets that work now by the real clock, newest first."""
    rows = await fetch(
        tx,
        select(credential_secret.c.sealed_secret)
        .where(
            credential_secret.c.key_id == key_id,
            or_(credential_secret.c.end_time.is_(None), credential_secret.c.end_time > func.clock_timestamp()),
        )
        .order_by(credential_secret.c.rotation_no.desc()),
    )
    return [row.sealed_secret for row in rows]


async def find_secrets_of_request(tx: Tx, key_ids: Iterable[UUID], origin: Origin) -> dict[UUID, bytes]:
    """The encrypted secrets that one request made, by key."""
    rows = await fetch(
        tx,
        select(credential_secret.c.key_id, credential_secret.c.sealed_secret).where(
            among(credential_secret.c.key_id, key_ids),
            credential_secret.c.rpc == origin.rpc,
            credential_secret.c.request_id == origin.request_id,
        ),
    )
    return {row.key_id: row.sealed_secret for row in rows}


async def find_binding(tx: Tx, terminal_id: UUID) -> Binding | None:
    """Store, merchant and unit of a terminal."""
    row = (
        await tx.execute(
            select(terminal.c.store_id, store.c.merchant_id, merchant.c.unit_id, terminal.c.is_open)
            .join(store, store.c.store_id == terminal.c.store_id)
            .join(merchant, merchant.c.merchant_id == store.c.merchant_id)
            .where(terminal.c.terminal_id == terminal_id)
        )
    ).first()
    return Binding(**row._mapping) if row else None
