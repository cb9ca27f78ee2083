"""What `make audit` says of what pip-audit found."""

from __future__ import annotations

from typing import Any

from tools.audit import NOTHING, report

GOOD: dict[str, Any] = {"name": "good", "version": "1.0", "vulns": []}
BAD = {"name": "bad", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]}
UNKNOWN = {"name": "unknown", "skip_reason": "not on the index"}


def test_a_known_vulnerability_fails_it() -> None:
    lines, code = report([GOOD, BAD, UNKNOWN])
    assert code == 1
    assert lines == [
        "bad 2.0: PYSEC-1, mended in 2.1",
        "audit: 3 dependencies, 1 known vulnerabilities; 1 could not be looked up here",
    ]


def test_it_warns_when_nothing_could_be_looked_up() -> None:
    assert report([GOOD, GOOD]) == (["audit: 2 dependencies, 0 known vulnerabilities"], 0)
    lines, code = report([UNKNOWN, UNKNOWN])
    assert code == 0 and lines[-1].startswith(NOTHING)
