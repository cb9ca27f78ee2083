"""Look the pinned dependencies up among known vulnerabilities: `make audit`.

Fails for one that is known. What could not be looked up, because the package index that is used here says nothing of
vulnerabilities or does not answer, is told and does not fail: it says nothing of the dependencies. When that is all of
them, the last line is a warning.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
SECONDS = 60
NOTHING = "audit: WARNING: nothing was looked up, so this says nothing of the dependencies"


def report(dependencies: Sequence[dict[str, Any]]) -> tuple[list[str], int]:
    """What pip-audit found as lines, and an exit code: 1 for a vulnerability that is known."""
    found = [(each, problem) for each in dependencies for problem in each.get("vulns", ())]
    lines = [
        f"{each['name']} {each['version']}: {problem['id']}, "
        f"mended in {', '.join(problem['fix_versions']) or 'no version yet'}"
        for each, problem in found
    ]
    skipped = sum("skip_reason" in each for each in dependencies)
    told = f"; {skipped} could not be looked up here" if skipped else ""
    lines.append(f"audit: {len(dependencies)} dependencies, {len(found)} known vulnerabilities{told}")
    if skipped == len(dependencies):
        lines.append(f"{NOTHING}: the package index that is used here does not know of vulnerabilities")
    return lines, 1 if found else 0


def main() -> int:
    """Print what is known, and answer how many vulnerabilities, as an exit code of 0 or 1."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "-r", str(LOCK), "-f", "json"]
    try:
        ran = subprocess.run([*command, "--progress-spinner=off"], capture_output=True, text=True, timeout=SECONDS)
        dependencies = json.loads(ran.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        print(f"{NOTHING}: the package index does not answer")
        return 0
    lines, code = report(dependencies)
    print(*lines, sep="\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
