"""Identifiers: uuid inside, `prefix_<32 hex digits>` at the edge."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from uuid import UUID

from asyncpg.pgproto import pgproto

from chassis.errors import InvalidArgument

_NAMESPACE = UUID("6f1d0c1e-63a5-5b8e-9d1c-0b1d5e8f7a42").bytes
# The driver's own subclass of UUID: made, printed and sent in a fraction of the time. A sale has half a dozen.
_Uuid: Callable[[bytes], UUID] = pgproto.UUID


def to_edge(prefix: str, value: UUID) -> str:
    """`prefix_` and the hex digits of `value`."""
    return f"{prefix}_{value.hex}"


def from_edge(prefix: str, text: str, field: str) -> UUID:
    """The uuid in `text`. Raises InvalidArgument naming `field` when it is not an id of that prefix."""
    head, _, digits = text.partition("_")
    if head == prefix and len(digits) == 32:
        try:
            return _Uuid(bytes.fromhex(digits))
        except ValueError:
            pass
    raise InvalidArgument([(field, f"must be an id that starts with {prefix}_")])


def optional_from_edge(prefix: str, text: str, field: str) -> UUID | None:
    """As `from_edge`; None when nothing is named."""
    return from_edge(prefix, text, field) if text else None


def derive(*parts: object) -> UUID:
    """A stable uuid (version 5) of `parts`: the same parts always give the same id.

    Used for whatever a request creates, so that a retry finds its own, and for natural keys.
    """
    return _version_5(_NAMESPACE + _named(parts))


def deriver(*first: object) -> Callable[[str], UUID]:
    """derive(*first, text) as a function of the text, for ids that are made by the thousand."""
    start = _NAMESPACE + _named(first) + _SEPARATOR.encode()
    return lambda text: _version_5(start + text.encode())


_SEPARATOR = "\x1f"


def _named(parts: tuple[object, ...]) -> bytes:
    return _SEPARATOR.join([part.hex if isinstance(part, UUID) else str(part) for part in parts]).encode()


def _version_5(name: bytes) -> UUID:
    digest = bytearray(hashlib.sha1(name, usedforsecurity=False).digest()[:16])
    # As uuid.uuid5: the version and the variant, RFC 9562.
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return _Uuid(bytes(digest))


def new() -> UUID:
    """A time-ordered random uuid (version 7, RFC 9562)."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    value = (value & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=value)
