"""The README's walk with curl, run as it is written, beside a demo of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.demo_suite import DemoSuite
from tests.pages import ROOT, run_shell, shell_blocks

pytestmark = pytest.mark.timeout(900)
# The demo of the test ends on its second day.
INSTEAD = {"source .venv/bin/activate\n": "", "2017-01-12": "2017-01-01", "2017-01-13": "2017-01-01"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[DemoSuite]:
    """A suite after its first day."""
    suite = DemoSuite(tmp_path / "home")
    try:
        suite.demo(1)
        yield suite
    finally:
        suite.close()


async def test_the_walk_does_what_it_says(own: DemoSuite, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    walk = readme[readme.index("## A walk with curl") : readme.index("**Tell partners.**")]
    commands = shell_blocks(walk)
    for written, here in INSTEAD.items():
        assert written in commands
        commands = commands.replace(written, here)
    (tmp_path / ".huitong").symlink_to(own.home.path)
    environment = {"HUITONG_HOME": str(own.home.path), "URL": own.url, "LANG": "C.UTF-8", "COLUMNS": "160"}
    output = await run_shell(commands, tmp_path, environment, is_demo=True, most_seconds=500)
    # What comes after is of all that the demo has sold.
    comments = "".join(re.findall(r"^#.*$", walk[: walk.index("**Look at a statement.**")], re.MULTILINE))
    promised = re.findall(r'"(?:reason|state|outcome|rule_id|may_leave|is_new|\w*points)": ?(?:"[\w-]+"|\w+)', comments)
    assert len(promised) > 25
    assert [each for each in promised if each.replace(": ", ":") not in output.replace(": ", ":")] == []
    assert "0 violations" in output
