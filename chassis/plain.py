"""Messages as JSON for records that many may read: without secrets and without personal data."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from chassis.times import is_possible

# A field is left out when one of the words of its name is here, when its whole name is, or when its proto says
# `debug_redact`. tests/contract/test_operator_acts.py looks through what operators can send.
_SECRETS = {"secret", "password", "token", "invitation", "totp", "openid", "unionid", "seed"}
_WORDS = _SECRETS | {"phone", "phones", "email", "birth", "birthday", "plate", "plates"}
# A code of these kinds is as good as what it stands for.
_BEARERS = {
    "card_no",
    "card_nos",
    "member_code",
    "coupon_code",
    "voucher_code",
    "session_key",
    "device_id",
    "referral_code",
}
# Whatever a group notes of a person.
_NOTES = {f"{kind}_value" for kind in ("text", "integer", "decimal", "boolean", "date", "choice")}
# A file is somebody's list; texts and details of errors quote what was sent.
_NAMES = _BEARERS | _NOTES | {"real_name", "id_number", "csv", "message", "message_zh", "metadata"}


@cache
def is_private(field: FieldDescriptor) -> bool:
    """Whether a field holds a secret or personal data."""
    redacted: bool = field.GetOptions().debug_redact
    return redacted or field.name in _NAMES or not _WORDS.isdisjoint(field.name.split("_"))


def plain_json(message: Message | None) -> str:
    """`message` as JSON that is always written alike, without what is private; "" for None."""
    if message is None:
        return ""
    copy = type(message)()
    copy.CopyFrom(message)
    _clear(copy)
    plain = MessageToDict(copy, preserving_proto_field_name=True)
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _clear(message: Message) -> None:
    for field, value in message.ListFields():
        if is_private(field):
            message.ClearField(field.name)
        elif field.message_type is not None:
            inner = _messages(value)
            if not all(map(is_possible, inner)):  # an element of a batch that was refused; JSON has no such time
                message.ClearField(field.name)
                continue
            for each in inner:
                _clear(each)


def _messages(value: Any) -> list[Message]:
    if isinstance(value, Message):
        return [value]
    found = list(value.values()) if hasattr(value, "values") else list(value)
    return [each for each in found if isinstance(each, Message)]
