"""Use cases of credentials. Each runs inside the transaction that it is given."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from huitong.org.v1 import events_pb2
from services.org import convert, errors
from services.org import store as structure
from services.org.credentials import store
from services.org.credentials.store import Credential
from services.org.rules import Origin, Terminal

SECRET_PURPOSE = "org.credential"  # noqa: S105


def new_credential(
    tx: Tx,
    group_id: UUID,
    origin: Origin,
    which: str,
    *,
    kind: str,
    subject_id: UUID,
    name: str,
    permissions: str = "",
) -> Credential:
    """A credential whose key id a retry of the request finds again; `which` tells those of one request apart."""
    key_id = ids.derive(group_id, "credential", origin.rpc, origin.request_id, which)
    return Credential(key_id, group_id, kind, subject_id, name, tx.now, None, permissions)


async def create_credential(
    tx: Tx, vault: Vault, *, kind: str, subject_id: UUID, name: str, origin: Origin, permissions: str = ""
) -> Credential:
    """Create a credential with one secret. Raises as `check_subject`."""
    await check_subject(tx, kind=kind, subject_id=subject_id)
    credential = new_credential(
        tx, tx.group_id, origin, "", kind=kind, subject_id=subject_id, name=name, permissions=permissions
    )
    await add_credentials(tx, vault, [credential], origin)
    return credential


async def check_subject(tx: Tx, *, kind: str, subject_id: UUID) -> None:
    """Whether a credential of this kind can be for this.

    Raises TerminalUnknown, TerminalClosed, BusinessUnitUnknown, NotACarPark, MerchantUnknown.
    """
    if kind == "MERCHANT" and await structure.find_merchant(tx, subject_id) is None:
        raise errors.MerchantUnknown(merchant_id=convert.merchant_edge(subject_id))
    if kind == "TERMINAL":
        terminal = await structure.find_terminal(tx, subject_id)
        if terminal is None:
            raise errors.TerminalUnknown(terminal=convert.terminal_edge(subject_id))
        if not terminal.is_open:
            raise errors.TerminalClosed(terminal=terminal.code)
    if kind == "VENDOR":
        unit = (await structure.find_units_by_id(tx, [subject_id])).get(subject_id)
        if unit is None:
            raise errors.BusinessUnitUnknown(business_unit_id=convert.unit_edge(subject_id))
        if unit.kind != "PARKING":
            raise errors.NotACarPark(business_unit_id=convert.unit_edge(subject_id))


async def create_terminal_credentials(
    tx: Tx, vault: Vault, *, terminal_codes: Sequence[str], origin: Origin
) -> list[tuple[Terminal, Credential]]:
    """Create a credential for each terminal, in the order of the codes.

    Raises TerminalUnknown, TerminalClosed, and keeps none then.
    """
    terminals = await structure.find_terminals(tx, terminal_codes)
    for code in terminal_codes:
        if code not in terminals:
            raise errors.TerminalUnknown(terminal=code)
        if not terminals[code].is_open:
            raise errors.TerminalClosed(terminal=code)
    made = [
        (
            terminals[code],
            new_credential(
                tx, tx.group_id, origin, code,
                kind="TERMINAL", subject_id=terminals[code].terminal_id, name=code,
            ),
        )
        for code in terminal_codes
    ]  # fmt: skip
    await add_credentials(tx, vault, [credential for _, credential in made], origin)
    return made


async def rotate_credential(tx: Tx, vault: Vault, *, key_id: UUID, overlap_seconds: int, origin: Origin) -> Credential:
    """Add a secret. The newest before it works for `overlap_seconds` still, older ones end now: never more than two.

    Raises CredentialUnknown, CredentialRevoked.
    """
    credential = await _get_locked(tx, key_id)
    if credential.revoke_time:
        raise errors.CredentialRevoked(key_id=convert.key_edge(key_id))
    newest_no = await store.end_secrets(tx, key_id, newest_ends_in_seconds=overlap_seconds)
    sealed = {key_id: _seal_new_secret(vault, key_id)}
    await store.add_secrets(tx, sealed, group_id=credential.group_id, origin=origin, rotation_no=newest_no + 1)
    return credential


async def revoke_credential(tx: Tx, *, key_id: UUID) -> tuple[Credential, Credential]:
    """Revoke for good; one that is revoked stays so. Answers the key as it was and as it is.

    Raises CredentialUnknown.
    """
    credential = await _get_locked(tx, key_id)
    if credential.revoke_time:
        return credential, credential
    await store.revoke_credential(tx, key_id)
    edge = convert.key_edge(key_id)
    tx.emit(events_pb2.CredentialRevoked(key_id=edge), key=edge)
    return credential, replace(credential, revoke_time=tx.now)


async def set_certificates(tx: Tx, *, key_id: UUID, certificates: list[str]) -> tuple[Credential, Credential]:
    """Let the key work only beside one of these; answers it as it was and as it is.

    Raises CredentialUnknown, CredentialRevoked.
    """
    credential = await _get_locked(tx, key_id)
    if credential.revoke_time:
        raise errors.CredentialRevoked(key_id=convert.key_edge(key_id))
    await store.save_certificates(tx, key_id, certificates)
    return credential, replace(credential, certificates=certificates)


async def _get_locked(tx: Tx, key_id: UUID) -> Credential:
    credential = await store.lock_credential(tx, key_id)
    if credential is None:
        raise errors.CredentialUnknown(key_id=convert.key_edge(key_id))
    return credential


async def add_credentials(tx: Tx, vault: Vault, credentials: Sequence[Credential], origin: Origin) -> None:
    await store.add_credentials(tx, credentials)
    sealed = {one.key_id: _seal_new_secret(vault, one.key_id) for one in credentials}
    await store.add_secrets(tx, sealed, group_id=credentials[0].group_id, origin=origin, rotation_no=1)


def _seal_new_secret(vault: Vault, key_id: UUID) -> bytes:
    return vault.encrypt(SECRET_PURPOSE, secrets.token_urlsafe(32), bound_to=key_id)


def open_secret(vault: Vault, key_id: UUID, sealed: bytes) -> str:
    """The secret behind what is stored."""
    return vault.decrypt(SECRET_PURPOSE, sealed, bound_to=key_id)
