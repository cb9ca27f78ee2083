"""Claims: what must be unique over all wallets, taken in batches ahead of the ledger call.

A receipt belongs to one wallet, with one content; a request id to one receipt or wallet. Wallets may live on different
servers one day, so a claim is a transaction of its own. A crash between it and the ledger call does no harm: the retry
brings the same content and finds its claim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from services.points.ledger.batched import BatchedCalls
from services.points.ledger.ledger import LEDGER_SETTINGS

GO_ON, RECEIPT_CHANGED, REQUEST_USED = 1, 2, 3

# A claim's commit is waited for like any other: a lane whose server died sends its items again, without asking for
# their claims a second time (docs/decisions/0009).
_SETTINGS = {**LEDGER_SETTINGS, "application_name": "huitong-points-claims"}
_RECEIPTS = "SELECT ord, status FROM claim_receipts($1, $2, $3, $4, $5)"
_REQUESTS = "SELECT ord, target_id FROM claim_requests($1, $2, $3)"


class ReceiptClaim(NamedTuple):
    """A receipt (by its sale's id) and the request id it came with, for one wallet and content."""

    sale_id: UUID
    request_key: UUID
    group_id: UUID
    wallet_id: UUID
    content_hash: bytes


class Claims:
    """Takes claims over one connection, whatever has arrived in one call."""

    def __init__(self, url: str) -> None:
        self._calls = BatchedCalls(url, (_RECEIPTS, _REQUESTS), settings=_SETTINGS)
        self.open, self.close = self._calls.open, self._calls.close

    async def receipts(self, claims: Sequence[ReceiptClaim]) -> list[int]:
        """Claim receipts. For each GO_ON (claimed now, or before with this content), RECEIPT_CHANGED or REQUEST_USED.

        Raises Overloaded, and Unavailable when the database does not answer (asking again does no harm).
        """
        return [row["status"] for row in await self._calls.ask(_RECEIPTS, claims)] if claims else []

    async def request(self, *, request_key: UUID, group_id: UUID, target_id: UUID) -> UUID:
        """Bind a request id to what it is for, and answer what it is bound to: the first one stays."""
        rows = await self._calls.ask(_REQUESTS, [(request_key, group_id, target_id)])
        bound: UUID = rows[0]["target_id"]
        return bound
