"""Requests that carry a person's data, and are to be done once."""

from __future__ import annotations

from google.protobuf.message import Message

from chassis.crypto import Vault

FINGERPRINT_PURPOSE = "member.request"


def keyed(vault: Vault, request: Message) -> str:
    """64 hex digits that are equal for equal requests: what is kept of one, since a plain hash could be guessed."""
    return vault.blind_index(
        FINGERPRINT_PURPOSE, request.DESCRIPTOR.full_name, request.SerializeToString(deterministic=True)
    ).hex()
