"""Everything that a running suite has written, searched for what must not be in it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import quote

import orjson

from chassis.config import SERVICES
from huitong.common.v1 import types_pb2
from tests.e2e.demo_suite import DemoSuite

# Fields of requests and answers that are secrets or personal data, wherever they stand.
SECRETS = {
    "access_token",
    "refresh_token",
    "proof",
    "link_ticket",
    "invitation",
    "session_token",
    "totp_secret",
    "password",
    "secret",
    "app_secret",
    "login_code",
    "phone_code",
    "session_key",
    "seed",
    "member_code",
    "coupon_code",
    "voucher_code",
    "referral_code",
    "code",
}
# A member's and an operator's name are called after them (ALIASES); other names are also those of shops and files.
PEOPLE = {"phone", "new_phone", "plate_no", "name", "member_name", "operator_name", "email", "birthday", "card_no",
          "number", "openid", "unionid", "device_id"}  # fmt: skip
# What is kept, and in which tables alone. Coupons, vouchers and referral codes are found by what is shown, and whose a
# card, a plate or a login is by what they look for it.
AT_REST = {
    "card_no": ("member.",),
    "plate_no": ("parking.",),
    "operator_name": ("org.",),
    "referral_code": ("member.referral_code",),
    # In the answers that a retry gets, too.
    "coupon_code": ("mall.coupon", "mall.request_log"),
    "voucher_code": ("mall.voucher_order",),
}
# Six digits, that also stand in times and ids: looked for where they stand alone.
SHORT = {"one_time_code", "totp_code"}


# Fields that mean something else in the message of that name.
ALIASES: dict[tuple[str, str], str] = {
    ("profile", "name"): "member_name",
    ("coupon", "code"): "coupon_code",
    ("voucher", "code"): "voucher_code",
}


@dataclass
class Used:
    """What a run has said and heard, by the name of the field."""

    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def note(self, message: Any) -> None:
        """Note what a request or an answer carries."""
        for name, value in _fields(message):
            if name in SECRETS | PEOPLE | SHORT and len(value.encode()) >= 6:
                self.values[name].add(value)

    def of(self, *kinds: Iterable[str]) -> dict[str, set[str]]:
        """The values of some fields."""
        return {name: self.values[name] for kind in kinds for name in kind if name in self.values}


def _fields(message: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(message, Mapping):
        if name == "birthday":
            yield name, "{year:04}-{month:02}-{day:02}".format_map(message)
            return
        for key, value in message.items():
            of_operator = key == "name" and "login" in message
            yield from _fields(value, "operator_name" if of_operator else ALIASES.get((name, str(key)), str(key)))
    elif isinstance(message, list):
        for value in message:
            yield from _fields(value, name)
    elif isinstance(message, str):
        yield name, message


def files(suite: DemoSuite, *folders: str) -> dict[str, bytes]:
    """The content of every file in these folders of the suite's home."""
    found = [path for folder in folders for path in sorted((suite.home.path / folder).rglob("*"))]
    return {str(path.relative_to(suite.home.path)): path.read_bytes() for path in found if path.is_file()}


async def rows(suite: DemoSuite, *tables: str) -> dict[str, bytes]:
    """Every row of every database (of some tables only), as text; bytes as they are."""
    found: dict[str, bytes] = {}
    for service in SERVICES:
        connection = await suite.database(service)
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (name,) in names:
            if not tables or name in tables:
                values = [value for row in await connection.fetch(f"SELECT * FROM {name}") for value in row.values()]
                found[f"{service}.{name}"] = b"\n".join(
                    each if isinstance(each, bytes) else str(each).encode() for each in values
                )
        await connection.close()
    return found


def leaks(written: Mapping[str, bytes], used: Mapping[str, set[str]]) -> list[str]:
    """Where something of `used` stands in `written`, with what it is and a few bytes before it; never the value."""
    found = []
    for place, content in written.items():
        for name, values in used.items():
            for value in values:
                at = next((at for form in _forms(name, value) if (at := _find(content, form)) >= 0), -1)
                if at >= 0:
                    found.append(f"{place}: {name} after {content[max(0, at - 60) : at]!r}")
    return found


def strays(kept: Mapping[str, bytes], used: Mapping[str, set[str]]) -> list[str]:
    """As leaks(), where something stands that is not kept there (AT_REST)."""
    found = []
    for name, values in used.items():
        beside = {place: content for place, content in kept.items() if not place.startswith(AT_REST.get(name, ()))}
        found += leaks(beside, {name: values})
    return found


def _forms(name: str, value: str) -> set[bytes]:
    """A value as it may be written: as it is, in a URL, a phone without its country, in escapes, a date in messages."""
    forms = {value, quote(value, safe=""), value.encode("unicode_escape").decode()}
    if name == "birthday":
        return {form.encode() for form in forms} | _forms_of_date(date.fromisoformat(value))
    if name in ("phone", "new_phone") and value.startswith("+86"):
        forms.add(value[3:])
    if not value.isascii():  # as protobuf's text form writes it
        forms.add("".join(f"\\{byte:03o}" if byte > 127 else chr(byte) for byte in value.encode()))
    return {form.encode() for form in forms}


def _forms_of_date(day: date) -> set[bytes]:
    message = types_pb2.BusinessDate(year=day.year, month=day.month, day=day.day)
    fields = {"year": day.year, "month": day.month, "day": day.day}
    texts = [str(message).strip(), " ".join(str(message).split()), repr(day), str(fields), json.dumps(fields)]
    return {message.SerializeToString(), orjson.dumps(fields), *(text.encode() for text in texts)}


def _find(content: bytes, raw: bytes) -> int:
    at = content.find(raw)
    # Digits stand in ids and times as well: what counts is where they stand alone.
    while at >= 0 and raw.isdigit() and not _is_alone(content[max(0, at - 1) : at + len(raw) + 1], raw):
        at = content.find(raw, at + 1)
    return at


def _is_alone(around: bytes, raw: bytes) -> bool:
    return re.search(rb"[0-9a-zA-Z.:_-]", around.replace(raw, b"", 1)) is None
