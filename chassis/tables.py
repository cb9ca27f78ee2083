"""Tables that every service's database has for the chassis' mechanics."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.types import UserDefinedType

# A table with `info=APPEND_ONLY` is written once: the service's role may neither change nor remove its rows.
APPEND_ONLY = {"append_only": True}


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in DDL."""
        return "xid8"


metadata = MetaData()

# The answer of every request that changed something, so that asking twice does once.
request_log = Table(
    "request_log",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("method", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("request_hash", LargeBinary, nullable=False),
    Column("response", LargeBinary),
    Column("create_time", DateTime(timezone=True), nullable=False),
)

# What operators did here, until the keeper of the audit has it (chassis.acts). A row is told from deliver_time on.
operator_act = Table(
    "operator_act",
    metadata,
    Column("act_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("deliver_time", DateTime(timezone=True), nullable=False),
    Column("act", LargeBinary, nullable=False),
)

# Events written in the transaction that made them true. Order of reading: (xid, id), below the horizon. `xid` is that
# transaction's, or the newest that had ended when the events were written, whichever is later.
outbox = Table(
    "outbox",
    metadata,
    Column("xid", Xid8, primary_key=True),
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("lane", Integer, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("group_id", Uuid, nullable=False),
    Column("key", Text, nullable=False),
    Column("occur_time", DateTime(timezone=True), nullable=False),
    Column("traceparent", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    info=APPEND_ONLY,
)

# One row a lane: who relays it, and how far.
relay_lane = Table(
    "relay_lane",
    metadata,
    Column("lane", Integer, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("held_until", DateTime(timezone=True), nullable=False),
    Column("pack_no", BigInteger, nullable=False),
    Column("published_pack_no", BigInteger, nullable=False),
    Column("position", Text, nullable=False),
)

# Bounds of each pack: written before it is published, so that it can be rebuilt to the byte.
event_pack = Table(
    "event_pack",
    metadata,
    Column("lane", Integer, primary_key=True),
    Column("pack_no", BigInteger, primary_key=True),
    Column("after_position", Text, nullable=False),
    Column("last_position", Text, nullable=False),
    Column("event_count", Integer, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    info=APPEND_ONLY,
)

# Last pack applied here, for each lane of each producer.
watermark = Table(
    "watermark",
    metadata,
    Column("producer", Text, primary_key=True),
    Column("lane", Integer, primary_key=True),
    Column("pack_no", BigInteger, nullable=False),
)

# Events that kept failing here.
parked_event = Table(
    "parked_event",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("producer", Text, nullable=False),
    Column("lane", Integer, nullable=False),
    Column("pack_no", BigInteger, nullable=False),
    Column("type", Text, nullable=False),
    Column("event", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempt_count", Integer, nullable=False),
    Column("park_time", DateTime(timezone=True), nullable=False),
    Index("parked_event_by_time", "park_time", "event_id"),
)

# Recurring jobs: who runs them, and up to which business time all is done.
job_state = Table(
    "job_state",
    metadata,
    Column("job", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("held_until", DateTime(timezone=True), nullable=False),
    Column("done_until", DateTime(timezone=True)),
    Column("last_error", Text, nullable=False),
)

# Business time, when it was told (demo and test mode only): business_time at set_time, ticking on from there, but not
# past hold_at_time.
business_clock = Table(
    "business_clock",
    metadata,
    Column("id", SmallInteger, primary_key=True),
    Column("business_time", DateTime(timezone=True), nullable=False),
    Column("set_time", DateTime(timezone=True), nullable=False),
    Column("hold_at_time", DateTime(timezone=True)),
)


def declared_tables(service: str) -> MetaData:
    """The service's own tables: those of its store.py, and of modules anywhere in it that are named after theirs."""
    package = import_module(f"services.{service}")
    for module in walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith(("_tables", ".tables")):
            import_module(module.name)
    found: MetaData = import_module(f"services.{service}.store").metadata
    return found
