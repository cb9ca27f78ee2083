"""Who brings a one-time code to a phone."""

from __future__ import annotations

from typing import Protocol

import structlog

from chassis import ids
from chassis.crypto import Vault
from chassis.db import Tx
from chassis.ids import to_edge
from services.member import errors
from services.member.sessions import store

log = structlog.get_logger()
PURPOSE = "member.login-message"
LOGIN = "login"


class CodeProvider(Protocol):
    """Takes over one-time codes.

    It is called inside the transaction that makes the code, so it writes down what is to be sent and nothing more: a
    provider of real messages sends from there after the commit.
    """

    async def take_over(
        self, tx: Tx, *, phone: str, phone_index: bytes, one_time_code: str, purpose: str = LOGIN
    ) -> None:
        """See to it that the code reaches the phone, in a message that says what it is for (SentMessage.purpose)."""


class SimulatedProvider:
    """Demo and test mode: codes are kept for minutes, encrypted, and read through SimulatorService."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    async def take_over(
        self, tx: Tx, *, phone: str, phone_index: bytes, one_time_code: str, purpose: str = LOGIN
    ) -> None:
        """Put the code into the simulator's outbox. The log names the message, never phone or code."""
        message_id = ids.new()
        await store.add_message(
            tx,
            message_id=message_id,
            phone_index=phone_index,
            sealed_phone=self._vault.encrypt(PURPOSE, phone, bound_to=message_id),
            purpose=purpose,
            sealed_code=self._vault.encrypt(PURPOSE, one_time_code, bound_to=message_id),
        )
        log.info("login_code_simulated", message_id=to_edge("msg", message_id), read_at="/v1/simulator/messages")


class MissingProvider:
    """Production mode without a provider: login says so."""

    async def take_over(
        self, tx: Tx, *, phone: str, phone_index: bytes, one_time_code: str, purpose: str = LOGIN
    ) -> None:
        """Raises LoginProviderMissing."""
        raise errors.LoginProviderMissing
