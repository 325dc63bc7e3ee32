"""Clips of an earlier version of our own code: made anew whatever was edited, and never a reason to fail."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import talkcli
from talkcli.engine.files import sha256

PACKAGE = Path(talkcli.__file__).parent


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package, to be edited."""
    copy = tmp_path / "src" / "talkcli"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    return copy


def _preprocess(package: Path, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "talkcli", "preprocess", "debug", "--out", str(out), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _hashes(out: Path) -> dict[str, str]:
    return {path.relative_to(out).as_posix(): sha256(path) for path in out.rglob("motion/*.npz")}


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.mark.slow
def test_a_change_of_any_leaf_makes_clips_anew(package: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = _preprocess(package, out)
    before = _hashes(out)
    assert (first["kept"], len(before)) == (0, 12)
    assert _preprocess(package, out)["kept"] == 12
    lips = package / "engine/finish/lip_speed.py"
    limit = re.search(r"^LIMIT_MM = .*$", lips.read_text(), re.MULTILINE)
    assert limit is not None
    _edit(lips, limit[0], "LIMIT_MM = 2.0")
    again = _preprocess(package, out)
    assert (again["kept"], again["clips"]) == (0, 12)
    assert _hashes(out) != before
    _preprocess(package, tmp_path / "fresh")
    assert _hashes(out) == _hashes(tmp_path / "fresh")


@pytest.mark.slow
def test_a_module_may_be_renamed(package: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _preprocess(package, out)
    before = _hashes(out)
    (package / "engine/face/savitzky_golay.py").rename(package / "engine/face/polynomial.py")
    for file in package.rglob("*.py"):
        if "face.savitzky_golay" in (text := file.read_text()):
            file.write_text(text.replace("face.savitzky_golay", "face.polynomial"))
    again = _preprocess(package, out)
    assert (again["kept"], again["clips"]) == (0, 12)
    assert _hashes(out) == before
