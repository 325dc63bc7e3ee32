"""What the names of GRID's films say, and that their mouths are those in the pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.face.channels import ADA
from talkcli.engine.prepare.adapters.filmed import FilmedFile
from talkcli.engine.prepare.adapters.grid import GridFilm, grid_sources
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import SILENCE


def test_names_tell_the_words(tmp_path: Path) -> None:
    for name in (
        "bbaf2n.mpg",
        "id2_vcd_swwp2s.mpg",
        "lgizzp.mpg",
        "holiday.mpg",
        "bbaf2n.align",
        "bbaf2x.mpg",
    ):
        (tmp_path / name).touch()
    sources = grid_sources(tmp_path)
    assert [(source.id, source.text) for source in sources] == [
        ("grid/bbaf2n", "bin blue at f two now"),
        ("grid/id2_vcd_swwp2s", "set white with p two soon"),
        ("grid/lgizzp", "lay green in z zero please"),
    ]
    assert grid_sources(tmp_path / "absent") == []


@pytest.mark.data
def test_mouths_are_seen_and_words_are_found(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("mediapipe", "pocketsphinx"):
        pytest.importorskip(package)
    source = next(each for each in grid_sources(shared_data / "video" / "grid") if each.id == "grid/bbaf2n")
    assert isinstance(source.recipe, GridFilm)
    watched = []
    watch = FilmedFile.make

    def kept(film: FilmedFile, source: Source) -> Recording:
        watched.append(watch(film, source))
        return watched[0]

    monkeypatch.setattr(FilmedFile, "make", kept)
    made = source.recipe.make(source)
    (seen,) = watched
    assert made.motion is not None and seen.motion is not None and made.alignment is not None
    assert [phone.symbol for phone in made.alignment.phones][:4] == [SILENCE, "B", "IH", "N"]
    jaw = ADA.index("jawPitch")
    frames = len(made.motion.coeffs)
    assert np.corrcoef(made.motion.coeffs[:, jaw], seen.motion.coeffs[:frames, jaw])[0, 1] > 0.95
