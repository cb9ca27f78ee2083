"""The caller behind a request's Authorization header."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from chassis.errors import Unauthenticated
from chassis.identity import Caller, CallerKind, TokenBook
from gateway.auth.credentials import Credentials
from gateway.auth.sessions import PREFIX, Sessions
from gateway.auth.signing import SCHEME, signature_of
from gateway.errors import CertificateNeeded, SignatureExpired, SignatureInvalid

WINDOW_SECONDS = 300
# A signature is good for WINDOW_SECONDS to either side of now, so its nonce must be known for twice as long.
NONCE_SECONDS = 2 * WINDOW_SECONDS

_SIGNED = re.compile(
    rf"{SCHEME} key_id=([A-Za-z0-9_-]{{1,64}}), ?timestamp=([0-9]{{1,12}}), ?nonce=([A-Za-z0-9_-]{{16,64}}),"
    r" ?signature=([0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Identified:
    """Who calls; a signed request's nonce still has to be found unused."""

    caller: Caller
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class SignedParts:
    """What a signature covers besides its own header."""

    method: str
    path: str
    query: str
    body: bytes
    # The SHA-256 of the client's certificate, hex; "" when it came without. No signature covers it.
    certificate: str = ""


class Callers:
    """Tells who calls."""

    def __init__(
        self,
        credentials: Credentials,
        member_tokens: TokenBook,
        sessions: Sessions | None = None,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._credentials, self._member_tokens, self._sessions, self._clock = (
            credentials,
            member_tokens,
            sessions,
            clock,
        )

    async def identify(self, authorization: str, parts: SignedParts, address: str) -> Identified:
        """The caller. Without a header it is the public, known by its address.

        Raises Unauthenticated, SignatureInvalid, SignatureExpired, CertificateNeeded, KeyUnknownOrRevoked,
        SessionEnded, Unavailable.
        """
        if not authorization:
            return Identified(Caller(CallerKind.PUBLIC, address))
        if self._sessions and authorization.startswith(f"Bearer {PREFIX}"):
            return Identified(await self._sessions.get(authorization[7:], address))
        if authorization.startswith("Bearer "):
            caller = self._member_tokens.check(authorization[7:])
            if caller.kind is not CallerKind.MEMBER:
                raise Unauthenticated
            return Identified(caller)
        if authorization.startswith(SCHEME):
            return await self._signed(authorization, parts, address)
        raise Unauthenticated

    async def _signed(self, authorization: str, parts: SignedParts, address: str) -> Identified:
        match = _SIGNED.fullmatch(authorization)
        if not match:
            raise SignatureInvalid
        key_id, timestamp, nonce, signature = match[1], int(match[2]), match[3], match[4]
        now = self._clock()
        if abs(now - timestamp) > WINDOW_SECONDS:
            server_time = datetime.fromtimestamp(int(now), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            raise SignatureExpired(window_seconds=WINDOW_SECONDS, server_time=server_time)
        credential = await self._credentials.get(key_id, address)
        for secret in credential.secrets:
            expected = signature_of(
                secret,
                method=parts.method,
                path=parts.path,
                query=parts.query,
                body=parts.body,
                timestamp=timestamp,
                nonce=nonce,
                key_id=key_id,
            )
            if hmac.compare_digest(expected, signature):
                if credential.certificates and parts.certificate not in credential.certificates:
                    raise CertificateNeeded
                return Identified(credential.caller, f"{key_id}:{nonce}")
        raise SignatureInvalid
