"""What this service itself keeps about a member, as records of an export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import LargeBinary, Table

from chassis.crypto import Vault
from chassis.personal_data import Section
from services.member.attributes.operations import VALUE_PURPOSE, bound_to
from services.member.consents.operations import EVIDENCE_PURPOSE
from services.member.operations import PHONE_PURPOSE
from services.member.privacy.store import OWN_WAY, of_members
from services.member.profile import rules as profile_rules
from services.member.profile.operations import open_profile
from services.member.tables import metadata

PREFIXES = {
    "member_id": "mbr",
    "store_id": "sto",
    "unit_id": "unt",
    "import_id": "imp",
    "consent_id": "cns",
    "erasure_id": "ers",
    "other_member_id": "mbr",
    "referral_id": "ref",
    "referrer_id": "mbr",
    "friend_id": "mbr",
}
_WHOSE = "member_id = :member_id AND group_id = :group_id"


def sections(vault: Vault) -> Sequence[Section]:
    """In the order in which they are shown."""

    def with_phone(row: Mapping[str, Any]) -> Mapping[str, Any]:
        values = dict(row)
        values["phone"] = vault.decrypt(PHONE_PURPOSE, values.pop("sealed_phone"), bound_to=row["member_id"])
        return values

    def with_profile(row: Mapping[str, Any]) -> Mapping[str, Any]:
        profile = open_profile(vault, row["member_id"], row["sealed"])
        told = {name: getattr(profile, name) for name in profile_rules.FIELDS}
        return told | {name: row[name] for name in ("birthday_change_count", "update_time")}

    def with_evidence(row: Mapping[str, Any]) -> Mapping[str, Any]:
        values = dict(row)
        sealed = values.pop("sealed_evidence")
        return values | {
            "evidence": vault.decrypt(EVIDENCE_PURPOSE, sealed, bound_to=row["consent_id"]) if sealed else ""
        }

    def with_value(row: Mapping[str, Any]) -> Mapping[str, Any]:
        values = dict(row)
        sealed, key = values.pop("sealed_value"), row["key"]
        return values | {"value": vault.decrypt(VALUE_PURPOSE, sealed, bound_to=bound_to(row["member_id"], key))}

    return (
        Section(
            "member",
            f"""SELECT member_id, card_no, sealed_phone, birth_month, time_zone, store_id, join_time FROM member
                WHERE {_WHOSE} AND erase_time IS NULL ORDER BY member_id""",
            with_phone,
        ),
        Section("profile", f"SELECT * FROM member_profile WHERE {_WHOSE} ORDER BY member_id", with_profile),
        Section(
            "attributes",
            f"""SELECT member_id, key, sealed_value, source, set_by, set_time FROM member_attribute
                WHERE {_WHOSE} ORDER BY key""",
            with_value,
        ),
        Section(
            "identities",
            # What they are found by is not kept, only an index of it.
            f"SELECT kind, count(*) AS count FROM member_identity WHERE {_WHOSE} GROUP BY kind ORDER BY kind",
        ),
        Section(
            "standing",
            f"SELECT growth_minor, tier_code FROM standing WHERE {_WHOSE} ORDER BY member_id",
        ),
        Section(
            "consents",
            f"""SELECT consent_id, purpose, version, is_given, channel, sealed_evidence, recorded_by, record_time
                FROM consent WHERE {_WHOSE} AND {_NOT_ERASED} ORDER BY record_time, consent_id""",
            with_evidence,
        ),
        Section(
            "sessions",
            f"""SELECT create_time, expire_time, end_time FROM session WHERE {_WHOSE}
                ORDER BY create_time, session_id""",
        ),
        Section(
            "login_codes",
            """SELECT c.send_time, c.expire_time, c.day_count FROM login_challenge c
               JOIN member_identity i ON i.group_id = c.group_id AND i.kind = 'phone' AND i.value_index = c.phone_index
               WHERE i.member_id = :member_id AND i.group_id = :group_id ORDER BY c.send_time, c.phone_index""",
        ),
        Section(
            "used_codes",
            """SELECT u.spend_request_id, u.use_time FROM code_use u
               JOIN member m ON m.group_id = u.group_id AND substr(m.card_no, 6, 10) = u.member_no
               WHERE m.member_id = :member_id AND m.group_id = :group_id ORDER BY u.use_time, u.step, u.serial""",
        ),
        Section(
            "imports",
            f"""SELECT i.import_id, i.unit_id, i.name, i.create_time, r.request_id FROM member_import_row r
                JOIN member_import i ON i.import_id = r.import_id
                WHERE r.member_id = :member_id AND r.group_id = :group_id AND {_NOT_ERASED}
                ORDER BY i.create_time, i.import_id, r.request_id""",
        ),
        # Who brought whom stays after an erasure, with ids that lead nowhere: a friend is brought once.
        Section(
            "referrals",
            """SELECT referral_id, referrer_id, friend_id, state, create_time, referrer_points, friend_points
               FROM referral WHERE :member_id IN (referrer_id, friend_id) AND group_id = :group_id
               ORDER BY create_time, referral_id""",
        ),
        Section(
            "erasures",
            f"""SELECT erasure_id, requested_by, request_time, due_time FROM erasure WHERE {_WHOSE}
                AND {_NOT_ERASED} ORDER BY request_time, erasure_id""",
        ),
        *(_as_it_is(table) for table in of_members(metadata, but={*OWN_WAY, "member_attribute"})),
    )


def _as_it_is(table: Table) -> Section:
    """A table without a section of its own; what is encrypted or hashed in it would tell nobody anything."""
    shown = ", ".join(
        column.name
        for column in table.columns
        if column.name not in ("group_id", "member_id") and not isinstance(column.type, LargeBinary)
    )
    key = ", ".join(column.name for column in table.primary_key)
    return Section(table.name, f"SELECT {shown} FROM {table.name} WHERE {_WHOSE} ORDER BY {key}")


# What stays under an erased member's id is about nobody.
_NOT_ERASED = "NOT EXISTS (SELECT FROM member e WHERE e.member_id = :member_id AND e.erase_time IS NOT NULL)"
