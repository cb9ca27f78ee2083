"""Whom an operation lets in, and as whom: the same at every door, whatever a request looks like there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message
from grpc import StatusCode

from chassis.errors import AppError, PermissionDenied, Unauthenticated
from chassis.identity import Caller, CallerKind, TokenBook, TokenExpired
from chassis.permissions import WITH_PERMISSIONS, narrowed
from gateway.auth.callers import Callers, Identified, SignedParts
from gateway.auth.places import Places, Reach, no_reach, within
from gateway.auth.proofs import Proofs
from gateway.binding import guards, no_guard
from gateway.contract import Operation
from gateway.limits import Gate, Quota

BODY_BYTES = 1024 * 1024
CALL_SECONDS, BATCH_SECONDS, MOST_SECONDS = 5.0, 60.0, 60.0
# Beyond this many requests at once, waiting would only make everybody slower.
MAX_UNDER_WAY = 1_000
_PUBLIC_ONLY = frozenset({CallerKind.PUBLIC})


class Entrance:
    """One operation as far as it matters for who comes in."""

    def __init__(self, operation: Operation) -> None:
        """Raises ValueError for annotations that cannot work."""
        self.operation = operation
        self.guards = guards(operation.request, operation.bindings)
        self.body_bytes = operation.door.max_body_bytes or BODY_BYTES
        usual = BATCH_SECONDS if operation.door.ndjson_field else CALL_SECONDS
        self.seconds = float(operation.door.call_seconds or usual)

    def credentials(self, authorization: str) -> str:
        """What of `authorization` is looked at. Raises Unauthenticated before anything large is read for nothing."""
        if self.operation.audiences == _PUBLIC_ONLY:
            return ""  # an expired token must not keep anyone from logging in
        if not authorization and CallerKind.PUBLIC not in self.operation.audiences:
            raise Unauthenticated
        return authorization

    def caller(self, identified: Identified, address: str) -> Caller:
        """Whom the call is made for. Raises PermissionDenied, Unauthenticated."""
        caller, audiences = identified.caller, self.operation.audiences
        if caller.kind in audiences:
            if caller.kind in WITH_PERMISSIONS:
                # The service is told what this call needs, not all that the caller may do.
                has_binding = caller.kind in self.guards or self.operation.is_for_every_place
                return narrowed(caller, self.operation.permission, self.operation.method.name, has_binding=has_binding)
            return caller
        if CallerKind.PUBLIC in audiences:
            return Caller(CallerKind.PUBLIC, address)
        raise (
            Unauthenticated if caller.kind is CallerKind.PUBLIC else PermissionDenied(method=self.operation.method.name)
        )


@dataclass(frozen=True)
class Reception:
    """What every door asks."""

    callers: Callers
    gate: Gate
    inside: TokenBook
    proofs: Proofs
    places: Places | None = None

    @property
    def reach_of(self) -> Callable[[Caller], Reach]:
        """What a caller reaches down to."""
        return self.places.reach if self.places else no_reach

    def check_failures(self, authorization: str, address: str) -> None:
        """Look at nobody's credentials of an address where too many authentications failed. Raises RateLimited."""
        if authorization:
            self.gate.check_failures(address)

    async def receive(
        self, entrance: Entrance, authorization: str, parts: SignedParts, address: str, notes: dict[str, Any]
    ) -> tuple[Caller, Quota | None]:
        """Who calls, one call of theirs taken, and what they have left; `notes` is told what a log may say of them.

        Raises as Callers.identify, Entrance.caller and Gate.admit.
        """
        identified = await self._identify(authorization, parts, address)
        caller = entrance.caller(identified, address)
        notes["caller"] = caller.kind.value
        if caller.kind is not CallerKind.PUBLIC:  # of the public only the address is known, and that stays out of logs
            notes["subject"] = caller.subject
        return caller, await self.gate.admit(entrance.operation, caller, identified.nonce)

    async def _identify(self, authorization: str, parts: SignedParts, address: str) -> Identified:
        """An authentication that fails is counted."""
        try:
            return await self.callers.identify(authorization, parts, address)
        except TokenExpired:
            raise  # every app shows one now and then, many of them at one address; nobody can make one up
        except AppError as error:
            if error.code is StatusCode.UNAUTHENTICATED:
                await self.gate.count_failure(address)
            raise

    async def let_in(self, entrance: Entrance, caller: Caller, request: Message, proof: str) -> Caller:
        """Fill and check the bound fields of `request`, and what a member has to prove; answers whom services are told.

        Raises NotYours, ProofNeeded, ProofInvalid, ProofUsed, Unavailable.
        """
        reach = self.reach_of(caller)
        guard = entrance.guards.get(caller.kind, no_guard)
        await within(reach, lambda: guard(request, reach))
        return await self.proofs.proved(entrance.operation, reach.told(), proof, request)

    def token(self, caller: Caller) -> tuple[str, str]:
        """The metadata by which services know the caller."""
        return ("authorization", f"Bearer {self.inside.mint(caller)}")
