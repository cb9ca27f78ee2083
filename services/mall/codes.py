"""Codes that a till reads: short, unguessable, and the same whenever they are made again."""

from __future__ import annotations

import base64
from uuid import UUID

from chassis.crypto import Vault

VOUCHER_CHARACTERS, COUPON_CHARACTERS = 16, 12


class Codes:
    """Derives codes from ids with the suite's data key, so that a retry after a crash finds the same code."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def voucher(self, order_id: UUID) -> str:
        """80 bits as 16 base32 characters."""
        return self._derive("mall.voucher", order_id, VOUCHER_CHARACTERS)

    def coupon(self, coupon_id: UUID) -> str:
        """60 bits as 12 base32 characters."""
        return self._derive("mall.coupon", coupon_id, COUPON_CHARACTERS)

    def _derive(self, purpose: str, value: UUID, characters: int) -> str:
        return base64.b32encode(self._vault.blind_index(purpose, value))[:characters].decode()


def as_typed(text: str) -> str:
    """A code as somebody may have typed it, without blanks and hyphens, in capitals."""
    return text.replace(" ", "").replace("-", "").upper()
