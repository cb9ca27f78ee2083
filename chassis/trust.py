"""Whom HTTPS calls to the outside trust."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def authorities(*, trust_env: bool) -> ssl.SSLContext:
    """The usual certificate authorities, read once a process: it takes 25 ms each time.

    With `trust_env` the variables SSL_CERT_FILE and SSL_CERT_DIR name others.
    """
    return httpx.create_ssl_context(trust_env=trust_env)
