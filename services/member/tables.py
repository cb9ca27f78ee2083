"""The tables of member that everything in it uses; a capability's own are in <capability>_tables.py."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

metadata = MetaData()
_Time = DateTime(timezone=True)

member = Table(
    "member",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("card_no", Text, nullable=False),
    Column("sealed_phone", LargeBinary, nullable=False),
    Column("birth_month", SmallInteger, nullable=False),
    Column("time_zone", Text, nullable=False),  # "" when not given
    Column("store_id", Uuid),
    Column("join_time", _Time, nullable=False),
    Column("survivor_id", Uuid),
    # Of the seed of dynamic codes: raised when whatever phones make codes with has to end.
    Column("code_epoch", Integer, nullable=False, server_default="0"),
    Column("erase_time", _Time),  # set: nothing personal is left here, and nothing leads here (see `privacy`)
    UniqueConstraint("group_id", "card_no"),
)

# Members whose state somebody has changed; all others are active. state: as huitong.member.v1.MemberState.
member_state = Table(
    "member_state",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("change_time", _Time, nullable=False),
)

# One ID: whatever a person can be found by leads to exactly one member. Not the value is here, only its blind index.
member_identity = Table(
    "member_identity",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("value_index", LargeBinary, primary_key=True),
    Column("member_id", Uuid, nullable=False),
    Index("member_identity_by_member", "member_id"),
)

# What each join request led to. Instead of the chassis' request log, because a batch has an id for each line, and
# because a plain hash of a phone number could be guessed: the fingerprint is keyed.
join_request = Table(
    "join_request",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("member_id", Uuid),
    Column("is_new", Boolean),
    Column("tier_code", Text),
    Index("join_request_by_member", "member_id"),
)

# Dynamic codes that were used for spending.
code_use = Table(
    "code_use",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("member_no", Text, primary_key=True),
    Column("step", BigInteger, primary_key=True),
    Column("serial", SmallInteger, primary_key=True),
    Column("spend_request_id", Text, nullable=False),
    Column("use_time", _Time, nullable=False),
    Index("code_use_by_time", "use_time"),
)

group_copy = Table(
    "group_copy",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("code", Text, nullable=False),
)

store_copy = Table(
    "store_copy",
    metadata,
    Column("store_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
)

# Growth is counted for members that are not known yet, too: their tier_code is null. So is that of an absorbed one.
# See tiers/rules.py, Standing; the other tables of tiers are in tier_tables.py.
standing = Table(
    "standing",
    metadata,
    Column("member_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("growth_minor", BigInteger, nullable=False),
    Column("tier_code", Text),
    Column("ladder_version", Integer, nullable=False),
    Column("own_code", Text),
    Column("period_end", Date),
    Column("floor_code", Text),
    Column("floor_end", Date),
    Column("review_date", Date),
    Column("since_date", Date),
    Column("previous_code", Text),
    Column("survivor_id", Uuid),
    Index("standing_by_tier", "group_id", "tier_code"),
    Index("standing_by_survivor", "survivor_id", postgresql_where=text("survivor_id IS NOT NULL")),
    Index("standing_by_group", "group_id", "member_id"),
    Index("standing_by_review", "review_date", "member_id", postgresql_where=text("review_date IS NOT NULL")),
)

# All times of logins and sessions are real time, by the database's clock. code_hash is null once the code was used.
login_challenge = Table(
    "login_challenge",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("phone_index", LargeBinary, primary_key=True),
    Column("code_hash", LargeBinary),
    Column("tries_left", SmallInteger, nullable=False),
    Column("send_time", _Time, nullable=False),
    Column("expire_time", _Time, nullable=False),
    Column("day_start_time", _Time, nullable=False),
    Column("day_count", Integer, nullable=False),
)

# What the simulated provider has sent; kept for minutes.
login_outbox = Table(
    "login_outbox",
    metadata,
    Column("message_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("phone_index", LargeBinary, nullable=False),
    Column("sealed_phone", LargeBinary, nullable=False),
    Column("sealed_code", LargeBinary, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("send_time", _Time, nullable=False),
    Index("login_outbox_by_time", "group_id", "send_time", "message_id"),
)

# Refresh tokens are not stored: each is signed over session, generation and salt (see sessions/rules.py).
session = Table(
    "session",
    metadata,
    Column("session_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("member_id", Uuid, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("previous_generation", Integer),
    Column("is_previous_spent", Boolean, nullable=False),
    Column("create_time", _Time, nullable=False),
    Column("expire_time", _Time, nullable=False),
    Column("end_time", _Time),
    Column("is_end_told", Boolean, nullable=False, server_default="false"),  # to the gateways
    Index("session_by_expiry", "expire_time"),
    Index("session_to_tell", "end_time", postgresql_where=text("end_time IS NOT NULL AND NOT is_end_told")),
    Index("session_by_member", "member_id"),
)


# An app id belongs to one group and says alone which one somebody logs in to.
mini_program = Table(
    "mini_program",
    metadata,
    Column("app_id", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("sealed_secret", LargeBinary, nullable=False),
    Column("update_time", _Time, nullable=False),
    Index("mini_program_by_group", "group_id", "app_id"),
)


member_import = Table(
    "member_import",
    metadata,
    Column("import_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("unit_id", Uuid, nullable=False),
    Column("scheme", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("create_time", _Time, nullable=False),
)

# What each row of an import led to, as join_request: the fingerprint is keyed. Outcome 0 is seen by nobody: a claim and
# its answer are one transaction.
member_import_row = Table(
    "member_import_row",
    metadata,
    Column("import_id", Uuid, primary_key=True),
    Column("request_id", Text, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("member_id", Uuid),
    Column("other_id", Uuid),
    Index("member_import_row_by_outcome", "import_id", "outcome", "request_id"),
    Index("member_import_row_by_member", "member_id"),
)


# state: as huitong.member.v1.MergeState. The tier codes are those before the merge; `waiting_for` are services.
member_merge = Table(
    "member_merge",
    metadata,
    Column("merge_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("survivor_id", Uuid, nullable=False),
    Column("absorbed_id", Uuid, nullable=False),
    Column("state", SmallInteger, nullable=False),
    Column("survivor_tier_code", Text, nullable=False),
    Column("absorbed_tier_code", Text, nullable=False),
    Column("survivor_period_end", Date),
    Column("absorbed_period_end", Date),
    Column("reason", Text, nullable=False),
    Column("unmerge_reason", Text, nullable=False),
    Column("merged_by", Text, nullable=False),
    Column("unmerged_by", Text, nullable=False),
    Column("merge_time", _Time, nullable=False),
    Column("complete_time", _Time),
    Column("unmerge_time", _Time),
    Column("unmerge_complete_time", _Time),
    Column("waiting_for", ARRAY(Text), nullable=False),
    Column("charged_points", BigInteger, nullable=False),
    Column("uncharged_points", BigInteger, nullable=False),
    Index("member_merge_by_time", "group_id", "merge_time", "merge_id"),
    Index("member_merge_by_survivor", "survivor_id"),
    # Whatever happens at once: somebody is absorbed once.
    Index("member_merge_absorbed", "absorbed_id", unique=True, postgresql_where=text("state <> 4")),
)
