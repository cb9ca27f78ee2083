"""How far a grant or a merchant's credential reaches: what lies below a place, asked of org, kept for seconds only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from chassis.errors import AppError, NotYours
from chassis.identity import Caller, CallerKind
from chassis.ids import from_edge
from chassis.permissions import WHOLE_GROUP
from gateway.auth.kept import GOOD_SECONDS, Kept
from huitong.org.v1 import places_pb2

# A store that was created just now is let in at once: what is not found is asked for anew when the answer is older.
RENEW_SECONDS = 5.0
_NOTHING_BELOW = "sto_"

T = TypeVar("T")
Fetch = Callable[[str], Awaitable[places_pb2.GetPlacesBelowResponse]]


class Reach:
    """What one caller may name during one request. What lies below the caller's places is noted as it is found."""

    def __init__(self, caller: Caller, tops: Sequence[str], places: Places | None) -> None:
        self.caller = caller
        self._tops, self._places = tops, places
        self._below = {top: places.known(caller, top) for top in tops} if places else {}
        self._proven: dict[str, str] = {}
        self._ages = [GOOD_SECONDS, RENEW_SECONDS]

    def covers(self, value: str) -> bool:
        """Whether `value` is the id of something below a place of the caller's, as far as is known yet."""
        for top, below in self._below.items():
            if below is not None and value in below:
                self._proven[value] = self.caller.scopes.get(top, "")
                return True
        return False

    async def widen(self) -> bool:
        """Learn more of what lies below; False when nothing more can be learnt. Raises Unavailable."""
        while self._tops and self._places and self._ages:
            age, before = self._ages.pop(0), self._below
            found = await asyncio.gather(*(self._places.below(self.caller, top, max_age=age) for top in self._tops))
            self._below = dict(zip(self._tops, found, strict=True))
            if self._below != before:
                return True
        return False

    def told(self) -> Caller:
        """The caller as the service is told: with the ids that were named and found to be the caller's."""
        if not self._proven:
            return self.caller
        return replace(self.caller, scopes=self.caller.scopes | self._proven)


class Places:
    """What lies below business units and merchants."""

    def __init__(self, fetch: Fetch, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._kept: Kept[tuple[str, frozenset[str]]] = Kept(self._ask, clock=clock)

    def reach(self, caller: Caller) -> Reach:
        """How far a caller of one call (an operator narrowed to its permission) reaches."""
        return Reach(caller, tops_of(caller), self)

    def known(self, caller: Caller, top: str) -> frozenset[str] | None:
        """What is known, without asking, to lie below `top`; None when nothing is, or nothing fresh."""
        return _of(caller, self._kept.known(top))

    async def below(self, caller: Caller, top: str, *, max_age: float) -> frozenset[str] | None:
        """What lies below `top`, known for at most `max_age` seconds. Raises Unavailable."""
        return _of(caller, await self._kept.get(top, caller.subject, max_age=max_age))

    async def _ask(self, top: str) -> tuple[str, frozenset[str]]:
        try:
            found = await self._fetch(top)
        except AppError as error:
            if error.reason != "PLACE_UNKNOWN":
                raise
            return "", frozenset()
        return found.group_id, frozenset(found.place_ids)


def _of(caller: Caller, found: tuple[str, frozenset[str]] | None) -> frozenset[str] | None:
    # A grant names places of its own group only, but nothing here has to rely on it.
    if found is None or not found[0] or from_edge("grp", found[0], "group_id") != caller.group_id:
        return None
    return found[1]


def tops_of(caller: Caller) -> list[str]:
    """The places that the caller reaches down from."""
    if caller.kind is CallerKind.MERCHANT:
        return [caller.bound_id] if caller.bound_id else []
    if caller.kind is not CallerKind.OPERATOR or WHOLE_GROUP in caller.scopes:
        return []
    return [scope for scope in caller.scopes if not scope.startswith(_NOTHING_BELOW)]


def no_reach(caller: Caller) -> Reach:
    """The reach of a caller who is bound to ids just as they are."""
    return Reach(caller, (), None)


async def within(reach: Reach, check: Callable[[], T]) -> T:
    """`check`, again as long as it ends with NotYours and more can be learnt of what is the caller's."""
    while True:
        try:
            return check()
        except NotYours:
            if not await reach.widen():
                raise
