"""Tables of webhooks. Their times are real time: partners' servers know no other."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from services.org.tables import metadata

# It is enabled while `disable_cause` is empty. `failing_since_time` is the first failure after the last success. What
# waited when it was enabled once more, at `enable_time`, is tried anew. A deleted one stays, for the deliveries it had.
webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    Column("endpoint_id", Uuid, primary_key=True),
    Column("group_id", Uuid, ForeignKey("org_group.group_id"), nullable=False),
    # The subject of its credentials; none for the group's own.
    Column("partner_id", Uuid),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("event_types", ARRAY(Text), nullable=False),
    Column("disable_cause", Text, nullable=False),
    Column("disable_time", DateTime(timezone=True)),
    Column("failing_since_time", DateTime(timezone=True)),
    Column("last_success_time", DateTime(timezone=True)),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("enable_time", DateTime(timezone=True)),
    Column("delete_time", DateTime(timezone=True)),
    Index("webhook_endpoint_by_time", "group_id", "create_time", "endpoint_id"),
)

# As credential_secret: found by the request that made it, and answered to who made that request only.
webhook_secret = Table(
    "webhook_secret",
    metadata,
    Column("endpoint_id", Uuid, ForeignKey("webhook_endpoint.endpoint_id"), primary_key=True),
    Column("rpc", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("secret_no", Integer, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("end_time", DateTime(timezone=True)),
    UniqueConstraint("endpoint_id", "secret_no"),
)

# What partners may be told of an event, in the bytes that are sent each time. `occur_time` alone is business time.
webhook_event = Table(
    "webhook_event",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("occur_time", DateTime(timezone=True), nullable=False),
    Column("receive_time", DateTime(timezone=True), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("webhook_event_by_time", "group_id", "occur_time"),
    Index("webhook_event_by_receipt", "receive_time"),
)

# One event for one endpoint. Who sends it holds a lease; after `lease_until` it is anybody's again.
webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    Column("endpoint_id", Uuid, ForeignKey("webhook_endpoint.endpoint_id"), primary_key=True),
    Column("event_id", Uuid, ForeignKey("webhook_event.event_id"), primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt_count", Integer, nullable=False),
    Column("last_status", Integer, nullable=False),
    Column("last_error", Text, nullable=False),
    Column("last_answer", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("start_time", DateTime(timezone=True), nullable=False),
    Column("last_attempt_time", DateTime(timezone=True)),
    Column("next_attempt_time", DateTime(timezone=True), nullable=False),
    Column("lease_id", Uuid),
    Column("lease_holder", Text, nullable=False),
    Column("lease_until", DateTime(timezone=True)),
    Index("webhook_delivery_due", "endpoint_id", "next_attempt_time", postgresql_where=text("state = 'PENDING'")),
    Index("webhook_delivery_by_time", "endpoint_id", "create_time", "event_id"),
    Index("webhook_delivery_by_event", "event_id"),
)
