"""Argon2id, off the event loop."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.errors import Overloaded
from services.org.operators.rules import normal_password

# Each takes 64 MiB and up to four threads for a moment.
AT_ONCE, MOST_WAITING = 2, 50

# The library's parameters: RFC 9106, the variant for little memory.
STANDARD = PasswordHasher()

T = TypeVar("T")


@cache
def _nobody(hasher: PasswordHasher) -> str:
    """What a password is compared with when there is nobody: it takes as long, and fits nothing."""
    return hasher.hash(secrets.token_urlsafe(32))


class Passwords:
    """Hashes and checks passwords, with `STANDARD` unless told otherwise."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or STANDARD
        self._nobody = _nobody(self._hasher)
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """The hash to be stored, with salt and parameters in it. Raises Overloaded."""
        return await self._work(self._hasher.hash, normal_password(password))

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is right; None, for nobody's hash, takes the same time. Raises Overloaded."""
        is_right = await self._work(self._verify, password_hash or self._nobody, normal_password(password))
        return is_right and password_hash is not None

    def is_outdated(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, function: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= MOST_WAITING:
            raise Overloaded
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(function, *arguments)
        finally:
            self._waiting -= 1
