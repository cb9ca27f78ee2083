"""Who made the call that is being served, for whatever runs below it."""

from __future__ import annotations

from contextvars import ContextVar

from chassis.errors import Unauthenticated
from chassis.identity import Caller

_caller: ContextVar[Caller | None] = ContextVar("caller", default=None)


def caller() -> Caller:
    """The caller of the current RPC. Raises Unauthenticated outside of one."""
    current = _caller.get()
    if current is None:
        raise Unauthenticated
    return current


def set_caller(who: Caller) -> None:
    """Make `who` the caller for the rest of this task."""
    _caller.set(who)
