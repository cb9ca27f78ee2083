"""The contract's own rules: lint, nothing broken since the release, and `gen/` fresh."""

from __future__ import annotations

import filecmp
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools import protos

BUF = Path(sys.executable).parent / "buf"
# What is not ours: imports that the image carries along.
OTHERS = ["google", "buf"]
LINT = {"version": "v2", "lint": {"use": ["STANDARD", "COMMENT_RPC", "COMMENT_SERVICE"], "ignore": OTHERS}}
BREAKING = {"version": "v2", "breaking": {"use": ["WIRE_JSON"], "ignore": OTHERS}}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our protos as a descriptor image."""
    return protos.write_image(tmp_path_factory.mktemp("image") / "image.binpb")


def _buf(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([BUF, *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_protos_pass_lint(image: Path) -> None:
    result = _buf("lint", str(image), "--config", json.dumps(LINT))
    assert result.returncode == 0, result.stdout + result.stderr


def test_nothing_is_broken_since_the_release(image: Path) -> None:
    released = protos.PROTOS / "released.binpb"
    result = _buf("breaking", str(image), "--against", str(released), "--config", json.dumps(BREAKING))
    assert result.returncode == 0, result.stdout + result.stderr


def test_generated_code_is_fresh(tmp_path: Path) -> None:
    protos.generate(tmp_path / "gen")
    wanted = {path.relative_to(tmp_path / "gen") for path in (tmp_path / "gen").rglob("*") if path.is_file()}
    committed = {
        path.relative_to(protos.ROOT / "gen")
        for path in (protos.ROOT / "gen").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert wanted == committed, "run `make protos`"
    stale = [
        str(path)
        for path in wanted
        if not filecmp.cmp(tmp_path / "gen" / path, protos.ROOT / "gen" / path, shallow=False)
    ]
    assert stale == [], "run `make protos`"
