"""What operators, partners and merchants may do.

An operator's caller has in `scopes`, for each id that a grant is for ("" is the whole group), the patterns of the
permissions that hold there, separated by blanks: {"": "org.*.read", "mch_…": "settlement.statements.read"}. A partner
has the patterns of its credential for the whole group. A merchant has no permissions but a place: its own id, and in
`scopes` the ids of its stores.

A grant for a place holds for what lies below it, too. Only the gateway knows what does: it adds the ids that a request
names to `scopes`, each with the permission, and every service holds the request to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from chassis.errors import NotYours, PermissionDenied
from chassis.identity import Caller, CallerKind

WHOLE_GROUP = ""
# Who is let in by permission and not by being of an audience alone.
WITH_PERMISSIONS = frozenset({CallerKind.OPERATOR, CallerKind.PARTNER})


def permits(patterns: str, permission: str) -> bool:
    """Whether one of the patterns ("points.rules.*", "*.read") fits."""
    return any(fnmatchcase(permission, pattern) for pattern in patterns.split())


def narrowed(who: Caller, permission: str, method: str, *, has_binding: bool) -> Caller:
    """The operator or partner with nothing but `permission`, where it holds: what one call needs, and no more.

    A grant that is not for the whole group serves only where a field of the request says what it is about, or where
    the RPC is for every place. Raises PermissionDenied.
    """
    scopes = {scope: permission for scope, patterns in who.scopes.items() if permits(patterns, permission)}
    if WHOLE_GROUP in scopes:
        scopes = {WHOLE_GROUP: permission}
    elif not scopes or not has_binding:
        raise PermissionDenied(method=method)
    return replace(who, scopes=scopes)


def check_place(who: Caller, values: Iterable[str], field: str) -> None:
    """Check the values of a bound field against what a merchant is. Raises NotYours."""
    if not who.bound_id or any(not value or (value != who.bound_id and value not in who.scopes) for value in values):
        raise NotYours(field=field)


def check_scope(who: Caller, values: Iterable[str], field: str) -> None:
    """Check the values of a bound field against where a narrowed operator may act. Raises NotYours.

    An empty value would mean everything, so it is nobody's but the whole group's.
    """
    if WHOLE_GROUP not in who.scopes and any(not value or value not in who.scopes for value in values):
        raise NotYours(field=field)
