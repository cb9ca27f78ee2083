"""Pure: a group's limits, which windows a join counts in, and what states follow each other."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.identity import CallerKind
from chassis.velocity import DAY, HOUR, Window
from services.member import errors
from services.member.risk.errors import MemberNotFrozen
from services.member.rules import MemberState

DEVICE = "device"  # kind of what can be denied, beside the kinds of identities
ADDRESS, TERMINAL = "address", "terminal"


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of a group; 0 is none. See huitong.member.v1.RiskPolicy."""

    joins_per_address_hour: int = 100
    joins_per_device_day: int = 3
    joins_per_terminal_hour: int = 120
    spend_cool_down_hours: int = 0
    spends_per_member_hour: int = 0


class Action(enum.Enum):
    """What can be done to a member's state."""

    FREEZE = enum.auto()
    UNFREEZE = enum.auto()
    CLOSE = enum.auto()


@dataclass(frozen=True, slots=True)
class Standing:
    """What state a member is in, and who said so."""

    member_id: UUID
    state: MemberState = MemberState.ACTIVE
    version: int = 0
    reason_code: str = ""
    changed_by: str = ""
    change_time: datetime | None = None


def state_after(state: MemberState, action: Action) -> MemberState:
    """What an action leads to. Raises MemberFrozen, MemberNotFrozen, MemberClosed."""
    if state is MemberState.CLOSED:
        raise errors.MemberClosed
    if action is Action.UNFREEZE:
        if state is not MemberState.FROZEN:
            raise MemberNotFrozen
        return MemberState.ACTIVE
    if action is Action.FREEZE:
        if state is MemberState.FROZEN:
            raise errors.MemberFrozen
        return MemberState.FROZEN
    return MemberState.CLOSED


def windows_of(policy: Policy, kind: CallerKind, *, address: str, terminal: str, device: str) -> list[Window]:
    """What a join counts in; names are hashed where they say who somebody is. "" is for what there is not."""
    if kind not in (CallerKind.PUBLIC, CallerKind.TERMINAL):
        return []
    windows = (
        Window(ADDRESS, address, policy.joins_per_address_hour, HOUR),
        Window(TERMINAL, terminal, policy.joins_per_terminal_hour, HOUR),
        Window(DEVICE, device, policy.joins_per_device_day, DAY),
    )
    return [window for window in windows if window.what and window.limit]
