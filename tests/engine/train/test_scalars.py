"""Curves where TensorBoard is installed, one note where it is not."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from talkcli.engine.train import scalars
from tests.engine.fakes import Told, small_disk


def test_without_tensorboard_it_says_so_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As Python marks a package that must not be found.
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    reporter = Told()
    curves = scalars.Scalars(tmp_path / "curves", 0, reporter)
    for step in (1, 2):
        curves.write(step, "train", {"loss": 1.0})
    assert not (tmp_path / "curves").exists()
    (note,) = reporter.notes
    assert "pip install" in note


def test_no_file_without_a_point(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    reporter = Told()
    curves = scalars.Scalars(tmp_path / "curves", 0, reporter)
    assert not (tmp_path / "curves").exists()
    curves.write(1, "train", {"loss": 1.0})
    assert len(list((tmp_path / "curves").iterdir())) == 1
    assert not reporter.notes


@pytest.mark.parametrize("room", [0, 10, 200, 1000])
def test_a_full_disk_ends_the_curves_alone(room: int, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    threads, reporter = threading.active_count(), Told()
    curves = scalars.Scalars(tmp_path / "curves", 0, reporter)
    with small_disk(room):
        for step in range(50):
            curves.write(step, "train", {"loss": 1.0, "rate": 0.1})
    assert threading.active_count() == threads
    (warning,) = reporter.warnings
    assert "File too large" in warning
    assert "Training goes on" in warning


def test_what_stands_in_the_place_of_the_curves(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    (tmp_path / "curves").write_text("mine")
    reporter = Told()
    curves = scalars.Scalars(tmp_path / "curves", 0, reporter)
    for step in (1, 2):
        curves.write(step, "train", {"loss": 1.0})
    assert len(reporter.warnings) == 1
    assert (tmp_path / "curves").read_text() == "mine"
