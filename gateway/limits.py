"""Fair use: a token bucket for each caller and action, and nonces used once, both in Valkey.

At most one round trip a request: a signed request's nonce is claimed by the same script that takes its token, and
requests that arrive while Valkey is being asked share the next question.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chassis import ended_sessions
from chassis.errors import Unavailable
from chassis.identity import SESSION_SCOPE, Caller, CallerKind
from chassis.valkey import Script, ValkeyGone, open_valkey
from gateway.auth.callers import NONCE_SECONDS
from gateway.contract import Operation
from gateway.errors import NonceReused, RateLimited, SessionEnded

__all__ = ["Gate", "Quota", "open_valkey"]

CALLS_PER_MINUTE = {
    CallerKind.PUBLIC: 30,
    CallerKind.MEMBER: 120,
    CallerKind.OPERATOR: 300,
    CallerKind.VENDOR: 3_000,
    CallerKind.PARTNER: 3_000,
    CallerKind.MERCHANT: 6_000,
    CallerKind.TERMINAL: 6_000,
    CallerKind.SYSTEM: 60_000,
}
# Of an address (of IPv6 its /64) whose signatures, keys or tokens were refused: whoever tries them out is slowed down.
FAILURES_PER_MINUTE = 60
BATCH_MAX, BARRED_MAX = 100, 10_000

# A bucket is kept as the moment when it will be full again (GCRA): one key, nothing to refill. Times are in µs of the
# server's clock. For each admission two KEYS: bucket, nonce; three ARGV: µs a call, bucket size, nonce's owner ("" when
# unsigned; then the second key is one that must not be there). Answers for each -2 - the calls left when admitted, -1
# for a used nonce, 0 for a key that is there, else the milliseconds to wait.
SCRIPT = f"""
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local answers = {{}}
for i = 1, #KEYS / 2 do
  local bucket, nonce = KEYS[2 * i - 1], KEYS[2 * i]
  local interval, size, owner = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1]), ARGV[3 * i]
  -- The same admission sent again after a broken connection finds its own mark.
  if owner ~= '' and not redis.call('SET', nonce, owner, 'NX', 'EX', {NONCE_SECONDS})
      and redis.call('GET', nonce) ~= owner then
    answers[i] = -1
  elseif owner == '' and redis.call('EXISTS', nonce) == 1 then
    answers[i] = 0
  else
    local full = math.max(tonumber(redis.call('GET', bucket) or now), now) + interval
    local wait = full - interval * size - now
    if wait > 0 then
      -- Not let in, so the same signed request may come again.
      if owner ~= '' then redis.call('DEL', nonce) end
      answers[i] = math.ceil(wait / 1000)
    else
      redis.call('SET', bucket, string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
      answers[i] = -2 - math.floor(-wait / interval)
    end
  end
end
return answers
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """What a caller has left of an action: `left` of `calls_per_minute`, all of them again in `reset_seconds`."""

    calls_per_minute: int
    left: int

    @property
    def reset_seconds(self) -> int:
        """Rounded up."""
        return -(-(self.calls_per_minute - self.left) * 60 // self.calls_per_minute)

    @property
    def headers(self) -> dict[str, str]:
        """The fields of the IETF draft "RateLimit header fields for HTTP"."""
        return {
            "ratelimit_policy": f'"calls";q={self.calls_per_minute};w=60',
            "ratelimit": f'"calls";r={self.left};t={self.reset_seconds}',
        }


@dataclass(frozen=True, slots=True)
class _Admission:
    bucket: str
    nonce: str
    owner: str
    calls_per_minute: int

    @property
    def interval_us(self) -> int:
        return 60_000_000 // self.calls_per_minute


class Gate:
    """Lets requests in, or says when to come again."""

    def __init__(self, valkey: Redis, *, prefix: str = "gateway") -> None:
        self._valkey, self._prefix = valkey, prefix
        self._script = Script(valkey, SCRIPT)
        self._waiting: list[tuple[_Admission, asyncio.Future[int]]] = []
        self._task: asyncio.Task[None] | None = None
        # Until when an address has had too many failures: looked at before anything of a request is read.
        self._barred: dict[str, float] = {}

    async def admit(self, operation: Operation, caller: Caller, nonce: str) -> Quota | None:
        """Take a token of the caller's bucket for `operation` and claim `nonce` (empty for unsigned requests).

        Answers what is left, None when nobody counts.

        Without Valkey members go through unlimited; signed requests are refused, since a replay could not be told, so
        is the public, since guessing login codes must stay slow, and operators, who can wait better than customers.
        Raises RateLimited, NonceReused, SessionEnded (a member's, whose token would be good for minutes), Unavailable.
        """
        session = caller.scopes.get(SESSION_SCOPE, "") if caller.kind is CallerKind.MEMBER else ""
        admission = _Admission(
            f"{self._prefix}:calls:{caller.kind}:{caller.subject}:{operation.rpc}",
            f"{self._prefix}:nonce:{nonce}" if nonce else ended_sessions.key_of(self._prefix, session),
            secrets.token_hex(8) if nonce else "",
            operation.door.calls_per_minute or CALLS_PER_MINUTE[caller.kind],
        )
        try:
            answer = await self._ask(admission)
        except ValkeyGone:
            if nonce or caller.kind is not CallerKind.MEMBER:
                raise Unavailable from None
            return None
        if answer == -1:
            raise NonceReused
        if answer == 0:
            raise SessionEnded
        if answer > 0:
            raise RateLimited(answer, calls_per_minute=admission.calls_per_minute)
        return Quota(admission.calls_per_minute, -2 - answer)

    def check_failures(self, address: str) -> None:
        """Raises RateLimited while `address` has had too many failures."""
        until = self._barred.get(address)
        if until is None:
            return
        wait_s = until - time.monotonic()
        if wait_s > 0:
            raise RateLimited(math.ceil(wait_s * 1000), calls_per_minute=FAILURES_PER_MINUTE)
        del self._barred[address]

    async def count_failure(self, address: str) -> None:
        """Count an authentication of `address` that failed; without Valkey nobody counts, and nobody is barred.

        Raises RateLimited when there were too many.
        """
        bucket = f"{self._prefix}:failures:{address}"
        try:
            answer = await self._ask(_Admission(bucket, f"{bucket}:nonce", "", FAILURES_PER_MINUTE))
        except ValkeyGone:
            return
        if answer > 0:
            if len(self._barred) >= BARRED_MAX:
                self._barred.clear()  # each may fail once more, which is counted
            self._barred[address] = time.monotonic() + answer / 1000
            raise RateLimited(answer, calls_per_minute=FAILURES_PER_MINUTE)

    async def claim(self, name: str, owner: str, seconds: int) -> bool:
        """Whether `name` is `owner`'s: free until now, or its own already. Raises Unavailable without Valkey."""
        key = f"{self._prefix}:claim:{name}"
        try:
            return bool(await self._valkey.set(key, owner, nx=True, ex=seconds)) or await self._valkey.get(key) == owner
        except (RedisError, OSError, TimeoutError):
            raise Unavailable from None

    async def is_ready(self) -> bool:
        """Whether Valkey answers."""
        try:
            return bool(await self._valkey.ping())
        except (RedisError, OSError, TimeoutError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self._valkey.aclose()

    def _ask(self, admission: _Admission) -> asyncio.Future[int]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        if self._script.is_gone:
            future.set_exception(ValkeyGone())
            return future
        self._waiting.append((admission, future))
        if self._task is None:
            self._task = loop.create_task(self._work())
        return future

    async def _work(self) -> None:
        # One question at a time: what arrives meanwhile goes into the next one, so under load the cost of a round trip
        # is shared by many requests.
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
                await self._run(batch)
        finally:
            self._task = None

    async def _run(self, batch: list[tuple[_Admission, asyncio.Future[int]]]) -> None:
        answers: list[Any]
        try:
            answers = await self._evaluate([admission for admission, _ in batch])
        except Exception as error:  # every waiting request must be answered, whatever happened
            answers = [error] * len(batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(int(answer))

    async def _evaluate(self, admissions: list[_Admission]) -> list[Any]:
        keys = [key for each in admissions for key in (each.bucket, each.nonce)]
        values = [value for each in admissions for value in (each.interval_us, each.calls_per_minute, each.owner)]
        return await self._script.run(keys, values)
