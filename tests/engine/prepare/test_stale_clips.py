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
    """A copy of the package, to be edited; with its compiled functions, which take long to make."""
    copy = tmp_path / "src" / "talkcli"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("weights"))
    return copy


def _preprocess(package: Path, out: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "talkcli", "preprocess", "debug", "--out", str(out), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _hashes(out: Path) -> dict[str, str]:
    return {path.relative_to(out).as_posix(): sha256(path) for path in out.rglob("motion/*.npz")}


@pytest.mark.slow
def test_any_edit_of_what_a_clip_depends_on_makes_it_anew(package: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _preprocess(package, out)
    before = _hashes(out)
    assert len(before) == 12
    # A constant of a module that is imported by a module that the recipe imports.
    lips = package / "engine/finish/lip_speed.py"
    limit = re.search(r"^LIMIT_MM_S = .*$", lips.read_text(), re.MULTILINE)
    assert limit is not None
    lips.write_text(lips.read_text().replace(limit[0], "LIMIT_MM_S = 50.0"))
    again = _preprocess(package, out)
    edited = _hashes(out)
    assert (again["kept"], again["clips"]) == (0, 12)
    assert edited != before
    _preprocess(package, tmp_path / "fresh")
    assert edited == _hashes(tmp_path / "fresh")
    # A module of another name, which a list of files would miss.
    (package / "engine/face/savitzky_golay.py").rename(package / "engine/face/polynomial.py")
    for file in package.rglob("*.py"):
        if "face.savitzky_golay" in (text := file.read_text()):
            file.write_text(text.replace("face.savitzky_golay", "face.polynomial"))
    again = _preprocess(package, out)
    assert (again["kept"], again["clips"]) == (0, 12)
    assert _hashes(out) == edited
