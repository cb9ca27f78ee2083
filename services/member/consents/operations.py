"""Use cases of consents. Each runs inside the transaction that it is given."""

from __future__ import annotations

from uuid import UUID

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from huitong.member.v1 import consents_pb2, events_pb2
from services.member import store as member_store
from services.member.consents import store
from services.member.consents.errors import ConsentTextChanged, ConsentTextUnknown
from services.member.consents.store import Consent, ConsentText
from services.member.errors import MemberUnknown

EVIDENCE_PURPOSE = "member.consent-evidence"


async def save_text(tx: Tx, new: ConsentText) -> ConsentText:
    """Make a version known. Raises ConsentTextChanged."""
    kept = await store.save_text(tx, new)
    if kept != new:
        raise ConsentTextChanged(version=new.version)
    return kept


async def set_consent(
    tx: Tx, vault: Vault, request: consents_pb2.SetConsentRequest, member_id: UUID
) -> tuple[Consent | None, Consent]:
    """Add a record; an absorbed id means its survivor. Answers what was in force, if anything, and the new one.

    Raises MemberUnknown, ConsentTextUnknown.
    """
    member_id = await member_store.leader_of(tx, member_id)
    if not await store.has_member(tx, member_id, lock=True):
        raise MemberUnknown
    if await store.find_text(tx, request.purpose, request.version) is None:
        raise ConsentTextUnknown(version=request.version)
    consent_id = ids.derive("consent", tx.group_id, request.request_id)
    new = Consent(
        consent_id=consent_id,
        member_id=member_id,
        purpose=request.purpose,
        version=request.version,
        is_given=request.is_given,
        channel=request.channel,
        sealed_evidence=(
            vault.encrypt(EVIDENCE_PURPOSE, request.evidence, bound_to=consent_id) if request.evidence else None
        ),
        recorded_by=tx.caller.kind.value,
        record_time=tx.now,
    )
    before = next((one for one in await store.list_in_force(tx, member_id) if one.purpose == new.purpose), None)
    await store.add_consent(tx, new)
    edge = ids.to_edge("mbr", member_id)
    event = events_pb2.ConsentChanged(
        member_id=edge,
        purpose=request.purpose,
        version=request.version,
        is_given=request.is_given,
        channel=request.channel,
    )
    tx.emit(event, key=edge)
    return before, new


def evidence_of(vault: Vault, record: Consent) -> str:
    """What shows it; "" when nothing was said, or an erasure took it away."""
    if not record.sealed_evidence:
        return ""
    return vault.decrypt(EVIDENCE_PURPOSE, record.sealed_evidence, bound_to=record.consent_id)
