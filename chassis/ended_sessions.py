"""Sessions of members that have ended while an access token of theirs is still good: Valkey names them for as long.

The member service tells, the gateway looks with each call of a member, in the round trip that it makes anyway.
"""

from __future__ import annotations

from collections.abc import Collection

from redis.asyncio import Redis

from chassis.identity import MEMBER_ACCESS_SECONDS


def gateway_prefix(stream: str) -> str:
    """What the keys of an installation's gateways begin with."""
    return f"{stream}:gateway"


def key_of(prefix: str, session: str) -> str:
    """Where it stands that a session has ended; `session` is what tokens call it ("" for none, which never ends)."""
    return f"{prefix}:ended:{session}"


async def tell(valkey: Redis, prefix: str, sessions: Collection[str]) -> None:
    """Name these for as long as a token of theirs may live. Raises what redis raises; again changes nothing."""
    async with valkey.pipeline(transaction=False) as pipe:
        for session in sessions:
            pipe.set(key_of(prefix, session), "", ex=MEMBER_ACCESS_SECONDS + 60)
        await pipe.execute()
