"""Page tokens: opaque to callers, the sort key of the last row inside."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from uuid import UUID

import orjson

from chassis.errors import InvalidArgument

DEFAULT_SIZE, MOST = 50, 200


def page_size(requested: int, default: int = DEFAULT_SIZE, most: int = MOST) -> int:
    """How many rows to read: `default` when 0 was asked for, never more than `most`."""
    return min(requested or default, most)


def encode_token(*values: object) -> str:
    """A token that holds `values` as text."""
    return base64.urlsafe_b64encode(orjson.dumps([str(value) for value in values])).rstrip(b"=").decode()


def decode_token(token: str, count: int | None = None) -> list[str]:
    """The values of `token`. Raises InvalidArgument when it is not one of ours (or has not `count` values)."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError, orjson.JSONDecodeError):
        values = None
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    if count is not None and len(values) != count:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return values


def decode_place(token: str) -> tuple[datetime, UUID]:
    """The time and id of the row that `token` stands for. Raises InvalidArgument as decode_token."""
    time, row_id = decode_token(token, 2)
    try:
        place = datetime.fromisoformat(time), UUID(row_id)
    except ValueError:
        place = None
    if place is None or place[0].tzinfo is None:
        raise InvalidArgument([("page_token", "is not a token that this list gave")])
    return place
