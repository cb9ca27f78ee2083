"""What services and gateway of this process log while a suite runs, and what of it should not be there."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import structlog

# A level that nothing should reach that callers can bring about, and what stands in no line of any level.
_BROKEN = re.compile(rb'"level":"(error|critical|exception)"|Traceback \(most recent call last\)')
_INSIDE = re.compile(
    rb"\bSELECT\b.{1,400}\bFROM\b|\bINSERT INTO\b|\bUPDATE \w+ SET\b|\bDELETE FROM\b|\[parameters:"
    rb"|eyJ[\w-]{8,}\.eyJ|\bhts_[\w-]{43}|\bwhsec_[\w+/]{16}|signature=[0-9a-f]{64}|://\w+:[^@/\s]+@",
)

# asyncpg, of its request to cancel a query that a service's end cuts off while it connects (Connection._clean_tasks).
_CUT_OFF = (
    b"Future exception was never retrieved\\nfuture: <Future finished exception="
    b"ConnectionError('unexpected connection_lost() call')>"
)


class _Keeper(logging.Handler):
    """What libraries say, from warnings up."""

    def __init__(self, lines: list[bytes]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(orjson.dumps({"level": record.levelname.lower(), "event": self.format(record)}))


@contextmanager
def kept_logs() -> Iterator[list[bytes]]:
    """Lines as processes of their own would write them, of every level; they also go where they went."""
    lines: list[bytes] = []

    def keep(logger: Any, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        written = structlog.processors.format_exc_info(logger, name, dict(event))
        lines.append(orjson.dumps(written, default=str))
        return event

    before, keeper = structlog.get_config()["processors"], _Keeper(lines)
    structlog.configure(processors=[*before[:-1], keep, before[-1]])
    logging.getLogger().addHandler(keeper)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(keeper)
        structlog.configure(processors=before)


def faults(lines: Iterable[bytes], secrets: Iterable[str] = ()) -> list[str]:
    """Lines that tell of something that broke, or more than they should; each kind of event once."""
    known, found = [each.encode() for each in secrets], dict[str, str]()
    for line in lines:
        if _CUT_OFF in line:
            continue
        if _BROKEN.search(line) or _INSIDE.search(line) or any(secret in line for secret in known):
            found.setdefault(str(orjson.loads(line).get("event"))[:200], line[:2_000].decode())
    return list(found.values())
