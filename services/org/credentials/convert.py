"""Credentials at the edge."""

from __future__ import annotations

from uuid import UUID

from chassis.ids import to_edge
from huitong.org.v1 import org_pb2
from services.org.convert import group_edge, key_edge, merchant_edge, terminal_edge, unit_edge
from services.org.credentials.store import Credential


def partner_edge(partner_id: UUID) -> str:
    """`ptn_…`"""
    return to_edge("ptn", partner_id)


_SUBJECT_EDGE = {
    "TERMINAL": terminal_edge,
    "VENDOR": unit_edge,
    "SYSTEM": group_edge,
    "MERCHANT": merchant_edge,
    "PARTNER": partner_edge,
}


def subject_edge(credential: Credential) -> str:
    """Whom the credential is for, at the edge."""
    return _SUBJECT_EDGE[credential.kind](credential.subject_id)


def credential_message(credential: Credential) -> org_pb2.Credential:
    """The credential at the edge; it never holds a secret."""
    message = org_pb2.Credential(
        key_id=key_edge(credential.key_id),
        kind=credential_kind(credential.kind),
        subject_id=subject_edge(credential),
        name=credential.name,
        is_revoked=credential.revoke_time is not None,
        permissions=credential.permissions.split(),
        certificate_sha256=credential.certificates,
    )
    message.create_time.FromDatetime(credential.create_time)
    return message


def credential_kind(kind: str) -> str:
    """The enum's name for TERMINAL, VENDOR, SYSTEM, MERCHANT or PARTNER."""
    return f"CREDENTIAL_KIND_{kind}"
