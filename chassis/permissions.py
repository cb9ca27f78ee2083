"""What operators may do.

An operator's caller has in `scopes`, for each id that a grant is for ("" is the whole group), the patterns of the
permissions that hold there, separated by blanks: {"": "org.*.read", "mch_…": "settlement.statements.read"}.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from chassis.errors import NotYours, PermissionDenied
from chassis.identity import Caller

WHOLE_GROUP = ""


def permits(patterns: str, permission: str) -> bool:
    """Whether one of the patterns ("points.rules.*", "*.read") fits."""
    return any(fnmatchcase(permission, pattern) for pattern in patterns.split())


def narrowed(who: Caller, permission: str, method: str, *, has_binding: bool) -> Caller:
    """The operator with nothing but `permission`, where it holds: what one call needs, and no more.

    A grant that is not for the whole group serves only where a field of the request says what it is about.
    Raises PermissionDenied.
    """
    scopes = {scope: permission for scope, patterns in who.scopes.items() if permits(patterns, permission)}
    if WHOLE_GROUP in scopes:
        scopes = {WHOLE_GROUP: permission}
    elif not scopes or not has_binding:
        raise PermissionDenied(method=method)
    return replace(who, scopes=scopes)


def check_scope(who: Caller, values: Iterable[str], field: str) -> None:
    """Check the values of a bound field against where a narrowed operator may act. Raises NotYours.

    An empty value would mean everything, so it is nobody's but the whole group's.
    """
    if WHOLE_GROUP not in who.scopes and any(not value or value not in who.scopes for value in values):
        raise NotYours(field=field)
