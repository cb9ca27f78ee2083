"""Secrets at rest: encryption, and indexes that find a value without storing it. All keys come from
HUITONG_DATA_KEY."""

from __future__ import annotations

import hmac
import os
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# First byte of every ciphertext, so that another scheme can be read beside this one some day.
_VERSION = b"\x01"
_NONCE_BYTES = 12
Part = bytes | str | int | UUID


class DecryptionFailed(Exception):
    """A ciphertext was altered, belongs to another row or purpose, or was made with another key."""


class Vault:
    """Encrypts and indexes values. Each purpose ("member.phone") has a key of its own, derived by HKDF."""

    def __init__(self, data_key: str) -> None:
        self._root = data_key.encode()
        self._keys: dict[str, bytes] = {}

    def key(self, purpose: str) -> bytes:
        """The 32-byte key of one purpose."""
        known = self._keys.get(purpose)
        if known is None:
            known = HKDF(SHA256(), length=32, salt=None, info=f"huitong:{purpose}".encode()).derive(self._root)
            self._keys[purpose] = known
        return known

    def encrypt(self, purpose: str, plain: str, *, bound_to: Part) -> bytes:
        """AES-256-GCM of `plain`, readable again only with the same purpose and `bound_to` (the row's id)."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.key(f"aes:{purpose}")).encrypt(nonce, plain.encode(), _bytes(bound_to))
        return _VERSION + nonce + sealed

    def decrypt(self, purpose: str, sealed: bytes, *, bound_to: Part) -> str:
        """What was encrypted. Raises DecryptionFailed."""
        if sealed[:1] != _VERSION:
            raise DecryptionFailed
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return AESGCM(self.key(f"aes:{purpose}")).decrypt(nonce, body, _bytes(bound_to)).decode()
        except (InvalidTag, ValueError):
            raise DecryptionFailed from None

    def blind_index(self, purpose: str, *parts: Part) -> bytes:
        """32 bytes that are equal for equal parts and tell nothing without the key (HMAC-SHA256).

        Also the way to keep codes and fingerprints whose content could be guessed from a plain hash.
        """
        return keyed_hash(self.key(f"index:{purpose}"), *parts)


def keyed_hash(key: bytes, *parts: Part) -> bytes:
    """HMAC-SHA256 over `parts`, each with its length, so that no two lists of parts read the same."""
    digest = hmac.new(key, digestmod=sha256)
    for part in parts:
        data = _bytes(part)
        digest.update(len(data).to_bytes(4, "big"))
        digest.update(data)
    return digest.digest()


def same(left: bytes, right: bytes) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(left, right)


def _bytes(part: Part) -> bytes:
    if isinstance(part, UUID):
        return part.bytes
    if isinstance(part, int):
        return str(part).encode()
    return part.encode() if isinstance(part, str) else part
