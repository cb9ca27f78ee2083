"""Pure: signatures, when to try again and when to stop, and which addresses may be called."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any
from uuid import UUID

from chassis.ids import to_edge
from chassis.permissions import permits

ENDPOINTS_MOST, PARTNER_ENDPOINTS_MOST, REPLAY_MOST = 50, 10, 100_000
# What waits at an endpoint that is enabled: so many are due at once, further ones when their wait is over.
HASTEN_MOST = 10_000
SECRET_PREFIX, SECRET_BYTES = "whsec_", 32
KEEP_DAYS = 30
# An event is tried for so long; an endpoint that took nothing for so long is disabled.
TRY_DAYS, FAILING_DAYS = 3, 5
BACK_OFF_FACTOR, LONGEST_WAIT_SECONDS, JITTER = 4, 6 * 3600, 0.2
# Tries under way at one endpoint, so that one that hangs has no more than these.
CONCURRENT_TRIES = 4
ANSWER_BYTES = 200
TEST_TYPE = "webhook.test"
# Of the permissions that let a partner hear: "events.points.earned", with dashes for underscores.
EVENTS = "events"
PORTS = (443, 8443)

PENDING, DELIVERED, GIVEN_UP = "PENDING", "DELIVERED", "GIVEN_UP"
REQUESTED, FAILING, GONE = "REQUESTED", "FAILING", "GONE"
ADDRESS_REFUSED = "ADDRESS_REFUSED"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a partner wants to be told of what. It is enabled while `disable_cause` is empty."""

    endpoint_id: UUID
    group_id: UUID
    name: str
    url: str
    event_types: list[str]
    disable_cause: str
    disable_time: datetime | None
    failing_since_time: datetime | None
    last_success_time: datetime | None
    create_time: datetime
    # When it was last enabled once more.
    enable_time: datetime | None = None
    # The partner whose it is; None for the group's own.
    partner_id: UUID | None = None

    @property
    def edge(self) -> str:
        """`whe_…`"""
        return to_edge("whe", self.endpoint_id)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event for one endpoint, and how far it has come."""

    event_id: UUID
    type: str
    state: str
    attempt_count: int
    last_status: int
    last_error: str
    last_answer: str
    create_time: datetime
    last_attempt_time: datetime | None
    next_attempt_time: datetime


@dataclass(frozen=True, slots=True)
class Leased:
    """A delivery that somebody is about to try: everything that a try needs."""

    endpoint_id: UUID
    event_id: UUID
    group_id: UUID
    lease_id: UUID
    attempt_count: int
    # When the first of these tries could have been made.
    start_time: datetime
    url: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try. `status` is 0 without an answer, `error` is empty after a success."""

    status: int
    error: str
    excerpt: str = ""
    # What the endpoint asked for by Retry-After.
    wait_seconds: float = 0.0

    @property
    def is_success(self) -> bool:
        """The endpoint has taken it."""
        return not self.error

    @property
    def is_gone(self) -> bool:
        """The endpoint wants nothing any more."""
        return self.status == 410


def may_hear(patterns: str, type_name: str) -> bool:
    """Whether a partner whose keys permit `patterns` may be told of events of a type: "events.points.earned" and so on.

    A test is for whoever has a key.
    """
    name = type_name.replace("_", "-")
    return bool(patterns) and (type_name == TEST_TYPE or permits(patterns, f"{EVENTS}.{name}"))


def event_edge(event_id: UUID) -> str:
    """`evt_…`, also the webhook-id header."""
    return to_edge("evt", event_id)


def write_secret(key: bytes) -> str:
    """A key as its owner sees it."""
    return SECRET_PREFIX + base64.b64encode(key).decode()


def signature_of(secret: str, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """One signature of Standard Webhooks 1.0: `v1,` and HMAC-SHA256 over id.timestamp.body in base64."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def headers_of(secrets: Iterable[tuple[int, str]], *, event_id: UUID, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of a try at `timestamp` (unix seconds), signed with every secret that works, the newest first.

    The standard names no key: the numbers of the secrets stand beside it, in the signatures' order.
    """
    webhook_id, pairs = event_edge(event_id), list(secrets)
    signatures = [signature_of(secret, webhook_id=webhook_id, timestamp=timestamp, body=body) for _, secret in pairs]
    return {
        "content-type": "application/json",
        "user-agent": "Huitong-Webhooks/1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
        "huitong-secret-no": " ".join(str(number) for number, _ in pairs),
    }


def wait_seconds(attempt_count: int, *, first_seconds: float, chance: float) -> float:
    """How long to wait after that many failures: growing, at most 6 hours, spread by `chance` (0 to 1) by ± 20%."""
    grown = first_seconds * BACK_OFF_FACTOR ** min(attempt_count - 1, 20)
    return min(grown, LONGEST_WAIT_SECONDS) * (1 - JITTER + 2 * JITTER * chance)


def is_over(start_time: datetime, now: datetime, *, enable_time: datetime | None) -> bool:
    """Whether an event was tried for long enough, since its endpoint was enabled if that was later."""
    begun = max(start_time, enable_time) if enable_time else start_time
    return now - begun >= timedelta(days=TRY_DAYS)


def is_failing_for_long(endpoint: Endpoint, now: datetime) -> bool:
    """Whether nothing could be delivered for so long that trying is for nothing."""
    since = endpoint.failing_since_time
    return since is not None and now - since >= timedelta(days=FAILING_DAYS)


# What leads inwards though is_global takes it for public (Python's list has changed between its versions): a range for
# protocols that some clouds use, 6to4's relays, one cloud's own service. IPv4 addresses inside IPv6 ones are looked at
# by themselves (mapped ones, 6to4, RFC 6052's).
_INWARDS = [IPv4Network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")]
_RELAYS = IPv6Network("64:ff9b::/96")
_PUBLIC_V6 = IPv6Network("2000::/3")


def is_public(text: str) -> bool:
    """Whether an IP address is one of the public internet's, so that a partner can be there and nobody of ours is."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _RELAYS:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            address = inner
        elif address not in _PUBLIC_V6 or address.teredo is not None:
            return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _INWARDS)


def url_problem(parts: Any, *, is_local: bool) -> str:
    """Why nothing is sent to a URL (httpx.URL), "" when something is; its host's addresses are looked at elsewhere.

    `is_local`: http, any port and any address are fine, for demos and tests.
    """
    if parts.scheme != "https" and not (is_local and parts.scheme == "http"):
        return "it must begin with https://"
    if not parts.host:
        return "it has no host"
    if parts.userinfo:
        return "it must not have a user name or password"
    if parts.fragment:
        return "it must not have a fragment"
    if not is_local and (parts.port or 443) not in PORTS:
        return f"its port must be one of {', '.join(map(str, PORTS))}"
    return ""
