"""Pure: what a proof is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.identity import PROOF_ID_SCOPE, PROOF_SCOPE, SESSION_SCOPE, Caller, CallerKind
from chassis.ids import to_edge
from huitong.common.v1 import access_pb2
from services.member.sessions.rules import SESSION_PREFIX

MOST_PHONE_CHANGES, PHONE_CHANGE_DAYS = 2, 30
NEW_PHONE = "new-phone"


@dataclass(frozen=True, slots=True)
class Holder:
    """A member in one of their sessions."""

    member_id: UUID
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that was given; `purpose` is a huitong.common.v1.Proof."""

    proof_id: UUID
    group_id: UUID
    session_id: UUID
    member_id: UUID
    purpose: int
    fingerprint: bytes
    expire_time: datetime


def purpose_name(purpose: int) -> str:
    """What messages call it: PROOF_PHONE_CHANGE is "phone-change"."""
    return access_pb2.Proof.Name(purpose).removeprefix("PROOF_").lower().replace("_", "-")


def claims_of(proof: Proof) -> Caller:
    """What its token says."""
    member = to_edge("mbr", proof.member_id)
    scopes = {
        SESSION_SCOPE: to_edge(SESSION_PREFIX, proof.session_id),
        PROOF_SCOPE: access_pb2.Proof.Name(proof.purpose),
        PROOF_ID_SCOPE: proof.proof_id.hex,
    }
    return Caller(CallerKind.MEMBER, member, proof.group_id, member, scopes)
