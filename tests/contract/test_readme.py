"""The README tells the truth about what can be checked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from chassis.config import Settings

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def test_every_setting_is_in_the_table() -> None:
    listed = set(re.findall(r"^\| `(HUITONG_[A-Z_]+)` \|", README, re.MULTILINE))
    settings = {f"HUITONG_{name.upper()}" for name in Settings.model_fields}
    assert settings <= listed


def test_every_make_target_that_is_named_exists() -> None:
    named = set(re.findall(r"`?make ([a-z-]+)", README))
    helped = subprocess.run(["make", "-C", ROOT, "help"], capture_output=True, text=True, check=True).stdout
    offered = set(re.findall(r"^\s*([a-z-]+)\s", re.sub(r"\x1b\[\d*m", "", helped), re.MULTILINE))
    assert named - offered == set()


def test_every_path_that_is_named_exists() -> None:
    named = re.findall(r"`((?:chassis|services|gateway|suite|protos|gen|tests|docs|tools)/[\w./-]+)`", README)
    assert [path for path in named if not (ROOT / path).exists() and "<" not in path] == []
