"""Curves where TensorBoard is installed, one note where it is not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from talkcli.engine.train import scalars
from talkcli.engine.types import Silent


class _Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_without_tensorboard_it_says_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As Python marks a package that must not be found.
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    reporter = _Notes()
    curves = scalars.Scalars(tmp_path / "curves", 0, reporter)
    for step in (1, 2):
        curves.write(step, "train", {"loss": 1.0})
    curves.close()
    assert not (tmp_path / "curves").exists()
    (note,) = reporter.notes
    assert "pip install" in note


def test_no_file_without_a_point(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    reporter = _Notes()
    curves = scalars.Scalars(tmp_path / "curves", 0, reporter)
    curves.close()
    assert not (tmp_path / "curves").exists()
    curves.write(1, "train", {"loss": 1.0})
    curves.close()
    assert len(list((tmp_path / "curves").iterdir())) == 1
    assert not reporter.notes
