"""Pure: a group's choices, and how an erasure goes on."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

# Services that keep something under a member's id, in the order in which they are asked. Settlement keeps nothing (a
# test looks for ids of members there); org's audit has ids of members that operators worked on, and nothing else.
SERVICES = ("points", "mall", "parking")
LONGEST_PAUSE_SECONDS = 60


class State(enum.IntEnum):
    """As huitong.member.v1.ErasureState."""

    WAITING = 1
    POSTPONED = 2
    RUNNING = 3
    DONE = 4
    WITHDRAWN = 5


OPEN = (State.WAITING, State.POSTPONED, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Settings:
    """A group's choices; the defaults hold for one that never chose."""

    erasure_wait_hours: int = 168
    birthday_change_limit: int = 1


@dataclass(frozen=True, slots=True)
class Erasure:
    """One, as it is kept."""

    erasure_id: UUID
    group_id: UUID
    member_id: UUID
    state: int
    requested_by: str
    request_time: datetime
    due_time: datetime
    begin_time: datetime | None
    done_time: datetime | None
    confirmed_services: list[str]
    blockers: list[dict[str, object]]
    attempt_count: int

    @property
    def open_services(self) -> list[str]:
        """Services that have not confirmed."""
        return [service for service in SERVICES if service not in self.confirmed_services]


def due_time(settings: Settings, now: datetime, *, is_own: bool) -> datetime:
    """Earliest beginning: a member's own request may be withdrawn for a while, others are meant."""
    return now + timedelta(hours=settings.erasure_wait_hours if is_own else 0)


def pause_seconds(attempt_count: int) -> int:
    """How long until the next try."""
    return min(2 ** min(attempt_count, 10), LONGEST_PAUSE_SECONDS)
