"""Look the pinned dependencies up among known vulnerabilities: `make audit`.

Fails for one that is known. What could not be looked up, because the package index that is used here says nothing of
vulnerabilities or does not answer, is told and does not fail: it says nothing of the dependencies.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).resolve().parent.parent / "requirements.lock"
SECONDS = 60


def main() -> int:
    """Print what is known, and answer how many vulnerabilities, as an exit code of 0 or 1."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "-r", str(LOCK), "-f", "json"]
    try:
        ran = subprocess.run([*command, "--progress-spinner=off"], capture_output=True, text=True, timeout=SECONDS)
        dependencies = json.loads(ran.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        print("audit: the index of vulnerabilities does not answer; nothing was looked up")
        return 0
    found = [(each, problem) for each in dependencies for problem in each.get("vulns", ())]
    for dependency, problem in found:
        fixed = ", ".join(problem["fix_versions"]) or "no version yet"
        print(f"{dependency['name']} {dependency['version']}: {problem['id']}, mended in {fixed}")
    skipped = sum("skip_reason" in each for each in dependencies)
    told = f"; {skipped} could not be looked up here" if skipped else ""
    print(f"audit: {len(dependencies)} dependencies, {len(found)} known vulnerabilities{told}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
