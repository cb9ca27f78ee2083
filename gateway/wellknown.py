"""JSON forms of single values: whole numbers, times, durations, bytes."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime, timedelta
from typing import Any

# JSON numbers are doubles for many readers: beyond this they would silently change.
SAFE_INTEGER = 2**53
# What still rounds to the largest float: writers shorten it to 3.4028235e38.
FLOAT_MAX = 3.40282356e38
WHOLE = re.compile(r"-?\d{1,20}", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)", re.ASCII)
_DURATION = re.compile(r"(-?)(\d{1,12})(?:\.(\d{1,9}))?s", re.ASCII)
_DURATION_MAX_SECONDS = 315_576_000_000


class BadValue(Exception):
    """A value that does not fit its field. The path grows from the inside out while it travels up."""

    def __init__(self, text: str, path: str = "") -> None:
        super().__init__(text)
        self.text, self.path = text, path

    def under(self, outer: str) -> BadValue:
        """The same, seen from the message that holds the field `outer`."""
        self.path = f"{outer}.{self.path}" if self.path and self.path[0] != "[" else outer + self.path
        return self


def whole(value: Any, low: int, high: int) -> int:
    """A whole number in [low, high], from a JSON integer or a string of digits.

    12.0 is refused like 12.5: a client that writes yuan where fen are meant must not get through on round amounts.
    """
    if type(value) is str and WHOLE.fullmatch(value):
        value = int(value)
    if type(value) is not int:
        raise BadValue("must be a whole number")
    if not low <= value <= high:
        raise BadValue(f"must be between {low} and {high}")
    return value


def number(value: Any, limit: float = float("inf")) -> float:
    """A finite number not beyond ±limit."""
    if type(value) not in (int, float):
        raise BadValue("must be a number")
    try:
        result = float(value)
    except OverflowError:
        raise BadValue("is too large") from None
    if not -limit <= result <= limit or result in (float("inf"), float("-inf")):
        raise BadValue("is too large")
    return result


def raw_bytes(value: Any) -> bytes:
    """Bytes from base64, standard or URL-safe alphabet, padded or not."""
    if type(value) is str:
        try:
            text = value.rstrip("=").replace("-", "+").replace("_", "/")
            return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        except (binascii.Error, ValueError):
            pass
    raise BadValue("must be base64")


def base64_text(value: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(value).decode()


def timestamp_fields(value: Any) -> dict[str, int]:
    """`seconds` and `nanos` of an RFC 3339 time."""
    match = _TIME.fullmatch(value) if type(value) is str else None
    if match:
        clock, fraction, zone = match.groups()
        try:
            moment = datetime.fromisoformat(clock + ("+00:00" if zone == "Z" else zone))
            seconds = (moment - EPOCH) // _SECOND
        except (ValueError, OverflowError):
            seconds = None
        if seconds is not None and -62_135_596_800 <= seconds <= 253_402_300_799:
            return {"seconds": seconds, "nanos": int(fraction.ljust(9, "0")) if fraction else 0}
    raise BadValue('must be an RFC 3339 time such as "2026-01-31T09:30:00+08:00"')


def timestamp_text(message: Any) -> str:
    """RFC 3339 in UTC with as many digits as needed: 0, 3, 6 or 9."""
    moment = EPOCH + timedelta(seconds=message.seconds)
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S').zfill(19)}{_fraction(message.nanos)}Z"


def duration_fields(value: Any) -> dict[str, int]:
    """`seconds` and `nanos` of "1.5s"."""
    match = _DURATION.fullmatch(value) if type(value) is str else None
    if match and int(match[2]) <= _DURATION_MAX_SECONDS:
        sign = -1 if match[1] else 1
        return {"seconds": sign * int(match[2]), "nanos": sign * int((match[3] or "").ljust(9, "0"))}
    raise BadValue('must be a duration in seconds such as "1.5s"')


def duration_text(message: Any) -> str:
    """Seconds with a fraction where there is one, and "s"."""
    sign = "-" if message.seconds < 0 or message.nanos < 0 else ""
    return f"{sign}{abs(message.seconds)}{_fraction(abs(message.nanos))}s"


def _fraction(nanos: int) -> str:
    if not nanos:
        return ""
    if nanos % 1_000_000 == 0:
        return f".{nanos // 1_000_000:03d}"
    if nanos % 1_000 == 0:
        return f".{nanos // 1_000:06d}"
    return f".{nanos:09d}"
