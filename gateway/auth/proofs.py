"""Proofs of members: what the contract asks for beside the access token, each good for one request."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import replace

from google.protobuf.message import Message

from chassis.errors import ProofNeeded, Unauthenticated
from chassis.identity import (
    MEMBER_PROOF_SECONDS,
    PROOF_ID_SCOPE,
    PROOF_SCOPE,
    SESSION_SCOPE,
    Caller,
    CallerKind,
    TokenBook,
)
from gateway.contract import Operation
from gateway.errors import ProofInvalid, ProofUsed

# (name, owner, seconds) → whether the name is the owner's, now or from before. It raises Unavailable.
Claim = Callable[[str, str, int], Awaitable[bool]]


class Proofs:
    """Tells whether a member has proved themselves."""

    def __init__(self, tokens: TokenBook, claim: Claim) -> None:
        self._tokens, self._claim = tokens, claim

    async def proved(self, operation: Operation, caller: Caller, token: str, request: Message) -> Caller:
        """The caller with what `operation` asks for proved by `token`, which is this request's from now on.

        Who is no member needs no proof. Raises ProofNeeded, ProofInvalid, ProofUsed, Unavailable.
        """
        if not operation.proof or caller.kind is not CallerKind.MEMBER:
            return caller
        if not token:
            raise ProofNeeded(operation.proof, caller.subject)
        proof_id = self._proof_id(operation.proof, caller, token)
        # The content, so that the same request may come again when its answer was lost. Longer than the proof is good.
        content = hashlib.sha256(operation.rpc.encode() + b"\0" + request.SerializeToString(deterministic=True))
        if not await self._claim(f"proof:{proof_id}", content.hexdigest(), 2 * MEMBER_PROOF_SECONDS):
            raise ProofUsed
        return replace(caller, scopes={**caller.scopes, PROOF_SCOPE: operation.proof})

    def _proof_id(self, purpose: str, caller: Caller, token: str) -> str:
        try:
            shown = self._tokens.check(token)
        except Unauthenticated:
            raise ProofInvalid from None
        session, proof_id = shown.scopes.get(SESSION_SCOPE), shown.scopes.get(PROOF_ID_SCOPE)
        is_theirs = (shown.kind, shown.subject, shown.group_id) == (caller.kind, caller.subject, caller.group_id)
        if not (is_theirs and proof_id and session and session == caller.scopes.get(SESSION_SCOPE)):
            raise ProofInvalid
        if shown.proofs != [purpose]:
            raise ProofInvalid
        return proof_id
