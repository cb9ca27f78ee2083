"""What no answer may tell of the inside."""

from __future__ import annotations

import re

_INTERNAL = re.compile(
    rb"Traceback|File \\?\"|\.py\b|site-packages|asyncpg|sqlalchemy|psycopg|grpc|protobuf|protovalidate"
    rb"|\bSELECT\b|\bINSERT\b|\bUPDATE [a-z_]+ SET\b|\bDELETE FROM\b|sqlstate|relation \\?\"|constraint \\?\""
    rb"|127\.0\.0\.1|localhost:|/home/|/usr/|/tmp/|HUITONG_[A-Z]+_|Exception\b|object at 0x",
    re.IGNORECASE,
)


def internal_words(content: bytes) -> list[str]:
    """What of the inside `content` tells."""
    return sorted({match.decode() for match in _INTERNAL.findall(content)})
