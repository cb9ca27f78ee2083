"""Tables of org."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from chassis.tables import APPEND_ONLY

metadata = MetaData()

org_group = Table(
    "org_group",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    # The newest audit entry: what was cut off at the end of the chain is noticed by it.
    Column("audit_no", BigInteger, nullable=False),
    Column("audit_hash", LargeBinary, nullable=False),
)

business_unit = Table(
    "business_unit",
    metadata,
    Column("unit_id", Uuid, primary_key=True),
    Column("group_id", Uuid, ForeignKey("org_group.group_id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("currency_code", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    UniqueConstraint("group_id", "code"),
)

merchant = Table(
    "merchant",
    metadata,
    Column("merchant_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("unit_id", Uuid, ForeignKey("business_unit.unit_id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("legal_name", Text, nullable=False),
    UniqueConstraint("group_id", "code"),
)

store = Table(
    "store",
    metadata,
    Column("store_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("merchant_id", Uuid, ForeignKey("merchant.merchant_id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("floor", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("opening_date", Date),
    UniqueConstraint("group_id", "code"),
)

terminal = Table(
    "terminal",
    metadata,
    Column("terminal_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("store_id", Uuid, ForeignKey("store.store_id"), nullable=False),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    UniqueConstraint("group_id", "code"),
)

# subject_id: the terminal, the car park's unit, the merchant, the partner, or the group itself. `permissions`: patterns
# of a partner's, separated by blanks.
credential = Table(
    "credential",
    metadata,
    Column("key_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("revoke_time", DateTime(timezone=True)),
    Column("permissions", Text, nullable=False, server_default=""),
    # SHA-256 of client certificates, hex.
    Column("certificates", ARRAY(Text), nullable=False),
    Index("credential_by_time", "group_id", "create_time", "key_id"),
)

# A secret is found by the request that made it, so that a retry of that request answers it again; rows stay for that.
# `end_time` is real time: a secret without one works as long as its credential.
credential_secret = Table(
    "credential_secret",
    metadata,
    Column("key_id", Uuid, ForeignKey("credential.key_id"), primary_key=True),
    Column("rpc", Text, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("rotation_no", Integer, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("end_time", DateTime(timezone=True)),
    UniqueConstraint("key_id", "rotation_no"),
)

# A person. `login` is unique in the group. Without a password hash the person is not enrolled (any more); the TOTP
# secret is there from the moment when the enrolment begins. `last_totp_step` keeps a code from being used twice.
# `invited_by` is the subject who had the newest invitation in hand.
operator = Table(
    "operator",
    metadata,
    Column("operator_id", Uuid, primary_key=True),
    Column("group_id", Uuid, ForeignKey("org_group.group_id"), nullable=False),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("password_hash", Text),
    Column("sealed_totp", LargeBinary),
    Column("last_totp_step", BigInteger),
    Column("invitation_hash", LargeBinary, unique=True),
    Column("invitation_expire_time", DateTime(timezone=True)),
    Column("invited_by", Text, nullable=False),
    Column("is_disabled", Boolean, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    UniqueConstraint("group_id", "login"),
)

# scope_id: edge id of a unit, merchant or store; "" for the whole group.
operator_grant = Table(
    "operator_grant",
    metadata,
    Column("operator_id", Uuid, ForeignKey("operator.operator_id"), primary_key=True),
    Column("role", Text, primary_key=True),
    Column("scope_id", Text, primary_key=True),
)

# Of the token only the hash is here: a copied database opens no session. All times are real time.
operator_session = Table(
    "operator_session",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("operator_id", Uuid, ForeignKey("operator.operator_id"), nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("address", Text, nullable=False),
    Column("create_time", DateTime(timezone=True), nullable=False),
    Column("last_use_time", DateTime(timezone=True), nullable=False),
    Column("expire_time", DateTime(timezone=True), nullable=False),
    Column("end_time", DateTime(timezone=True)),
    Index("operator_session_by_operator", "operator_id", "create_time"),
)

# Tries to log in, by login (known or not) and by address, both as blind indexes. Real time.
login_tries = Table(
    "login_tries",
    metadata,
    Column("tried_hash", LargeBinary, primary_key=True),
    Column("failed_count", Integer, nullable=False),
    Column("last_time", DateTime(timezone=True), nullable=False),
    Column("locked_until", DateTime(timezone=True), nullable=False),
)

# Only ever added to (a trigger refuses the rest). `before`, `request` and `after` are JSON as it was hashed.
audit_entry = Table(
    "audit_entry",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("entry_no", BigInteger, primary_key=True),
    Column("time", DateTime(timezone=True), nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subjects", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("traceparent", Text, nullable=False),
    # What another service told; unique, so that each act is one entry.
    Column("act_id", Uuid, unique=True),
    Column("is_outcome_unknown", Boolean, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    info=APPEND_ONLY,
)

# Something that needs a second person. `content` is the canonical request, serialised.
approval = Table(
    "approval",
    metadata,
    Column("approval_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("action", Text, nullable=False),
    Column("permission", Text, nullable=False),
    Column("scope_id", Text, nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("summary", Text, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("ask_time", DateTime(timezone=True), nullable=False),
    Column("expire_time", DateTime(timezone=True), nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decide_time", DateTime(timezone=True)),
    Column("reason", Text, nullable=False),
    Index("approval_by_time", "group_id", "ask_time", "approval_id"),
    Index("approval_by_decider", "group_id", "decided_by", "decide_time"),
)
