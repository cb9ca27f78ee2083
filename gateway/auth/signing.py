"""Signing a request, for terminals, vendors and systems. Standard library only: copy it into any client.

What is signed, joined by newlines: method, path and query exactly as sent, the SHA-256 of the body as sent (hex),
unix seconds, nonce, key id. A request without a query has an empty line there.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

SCHEME = "HUITONG-HMAC-SHA256"


def signature_of(
    secret: str, *, method: str, path: str, query: str, body: bytes, timestamp: int, nonce: str, key_id: str
) -> str:
    """The signature, 64 hex digits."""
    text = "\n".join([method.upper(), path, query, hashlib.sha256(body).hexdigest(), str(timestamp), nonce, key_id])
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def sign_request(
    *,
    key_id: str,
    secret: str,
    method: str,
    path: str,
    query: str = "",
    body: bytes = b"",
    timestamp: int | None = None,
    nonce: str | None = None,
) -> dict[str, str]:
    """The headers to add to a request: `Authorization` alone.

    `path` is percent-encoded as it is sent, `query` without its question mark, `timestamp` in unix seconds (now when
    None), `nonce` 16 to 64 characters of [A-Za-z0-9_-], never used twice (random when None).
    """
    timestamp = int(time.time()) if timestamp is None else timestamp
    nonce = nonce or secrets.token_hex(16)
    signature = signature_of(
        secret, method=method, path=path, query=query, body=body, timestamp=timestamp, nonce=nonce, key_id=key_id
    )
    value = f"{SCHEME} key_id={key_id}, timestamp={timestamp}, nonce={nonce}, signature={signature}"
    return {"Authorization": value}
