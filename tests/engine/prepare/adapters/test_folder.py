"""A user's folder: good pairs become clips, whatever is wrong with the others is said."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.data.clips import load_clips
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA, TONGUE
from talkcli.engine.face.motion_file import read_motion, write_motion
from talkcli.engine.prepare.adapters.folder import BareMotion, folder_sources, read_labels
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.types import Motion, Silent
from tests.engine.data.mutations import survives
from tests.engine.data.test_clips import write_clip
from tests.engine.fakes import Told


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One good pair, and every bad one we could think of."""
    folder = tmp_path / "root"
    write_clip(folder, "good")
    write_clip(folder / "deep er", "good")
    for name in ("no_motion", "empty_sound", "not_sound", "long_motion", "bad_motion", "bare", "wide", "nan"):
        shutil.copy(folder / "good.wav", folder / f"{name}.wav")
    write_clip(folder, "long_motion", seconds=3.0)
    shutil.copy(folder / "good.wav", folder / "long_motion.wav")
    shutil.copy(folder / "good.npz", folder / "empty_sound.npz")
    (folder / "empty_sound.wav").write_bytes(b"")
    shutil.copy(folder / "good.npz", folder / "not_sound.npz")
    (folder / "not_sound.wav").write_text("hello")
    (folder / "bad_motion.npz").write_bytes(b"PK")
    motion, meta = read_motion(folder / "deep er" / "good.npz")
    wider = np.concatenate([motion.coeffs, np.ones((motion.num_frames, 3), np.float32)], axis=1)
    tongue = replace(motion, coeffs=wider, channels=ADA + TONGUE)
    write_motion(folder / "deep er" / "good.npz", tongue, meta)
    np.save(folder / "bare.npy", np.zeros((25, 53)))
    np.save(folder / "wide.npy", np.zeros((25, 54)))
    np.save(folder / "nan.npy", np.full((25, 53), np.nan))
    return folder


def test_good_pairs_pass_and_bad_ones_are_explained(root: Path, tmp_path: Path) -> None:
    sources = folder_sources(root, BareMotion(fps=25.0, layout="flame-53"), "mine", Silent())
    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0))
    assert {entry.id for entry in built.entries} == {"good", "deep_er/good", "bare"}
    reasons = {item.id: item.reason for item in built.dropped}
    assert "no no_motion.npz" in reasons["no_motion"]
    assert "motion 3.00 s" in reasons["long_motion"]
    assert "flame-53 has 53 columns, the array has 54" in reasons["wide"]
    assert "not finite" in reasons["nan"]
    assert set(reasons) == {
        "no_motion",
        "empty_sound",
        "not_sound",
        "long_motion",
        "bad_motion",
        "wide",
        "nan",
    }
    clips = {clip.id: clip for clip in load_clips(tmp_path / "out", "train", Silent())}
    assert clips["bare"].motion.head == "flame"
    assert clips["good"].motion.head == "ada"
    # What nothing learns is not prepared.
    (entry,) = (entry for entry in built.entries if entry.id == "deep_er/good")
    assert entry.motion is not None
    assert read_motion(tmp_path / "out" / entry.motion)[0].channels == ADA


def test_bare_motion_wants_a_rate_and_a_known_head(root: Path, tmp_path: Path) -> None:
    built = build(
        folder_sources(root, None, "mine", Silent()), tmp_path / "out", Silent(), Plan(num_workers=0)
    )
    assert "give `source_fps`" in next(item.reason for item in built.dropped if item.id == "bare")
    with pytest.raises(UsageError, match="no layout bob"):
        folder_sources(root, BareMotion(fps=25.0, layout="bob"), "mine", Silent())
    with pytest.raises(InputError, match="not a folder"):
        folder_sources(root / "absent", None, "mine", Silent())


def test_layouts_of_bare_motion(root: Path, tmp_path: Path) -> None:
    rows = np.linspace(0, 0.5, 25 * 56).reshape(25, 56)
    np.save(root / "wide.npy", rows.astype(np.float32))
    told = Told()
    sources = folder_sources(root, BareMotion(fps=25.0), "mine", told)
    by_id = {source.id: source for source in sources}
    motion = by_id["wide"].recipe.make(by_id["wide"]).motion
    assert motion is not None
    assert motion.head == "flame"
    np.testing.assert_allclose(motion.pose, rows[:, 50:53], rtol=1e-6)
    with pytest.raises(InputError, match=r"bare\.npy: 53 columns may be flame-53 or ada-53"):
        by_id["bare"].recipe.make(by_id["bare"])
    (root / "empty_sound.wav").unlink()
    folder_sources(root, None, "mine", told)
    assert told.warnings == ["Left out 1 motion file without sound beside it: empty_sound.npz."]


def test_damaged_bare_motion_is_refused_or_a_motion(root: Path) -> None:
    path = root / "bare.npy"
    np.save(path, np.linspace(0, 0.5, 25 * 53, dtype=np.float32).reshape(25, 53))
    sources = folder_sources(root, BareMotion(fps=25.0, layout="flame-53"), "mine", Silent())
    source = next(source for source in sources if source.id == "bare")

    def read(content: bytes) -> object:
        path.write_bytes(content)
        return source.recipe.make(source).motion

    def plausible(motion: object) -> bool:
        return isinstance(motion, Motion) and bool(np.isfinite(motion.coeffs).all())

    assert survives(read, path.read_bytes(), plausible=plausible) > 50


def test_labels(root: Path, tmp_path: Path) -> None:
    (root / "labels.csv").write_text(
        "id,speaker,emotion,intensity,split\ngood,anna,happy,0.5,val\ndeep er/good,ben,,,\nghost,,,,\n"
    )
    told = Told()
    built = build(folder_sources(root, None, "mine", told), tmp_path / "out", Silent(), Plan(num_workers=0))
    found = {
        entry.id: (entry.speaker, entry.emotion, entry.intensity, entry.split) for entry in built.entries
    }
    assert found["good"] == ("anna", "happy", 0.5, "val")
    assert found["deep_er/good"] == ("ben", "neutral", 1.0, "train")
    assert "ghost" in told.warnings[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,emotion\na,happy\n", "line 1: there is no column id"),
        ("id,emotion\na,happy\nb,merry\n", "line 3: emotion 'merry'"),
        ("id,intensity\na,2\n", "line 2: intensity"),
        ("id,split\na,dev\n", "line 2: split"),
        ("id,colour\na,red\n", "line 2: colour"),
        ("id,emotion\na\n", "line 2: the row"),
        ("id,emotion\na,happy,x\n", "line 2: the row"),
        ("id\na\na\n", "line 3: id a occurs twice"),
        ("id,emotion\n,happy\n", "line 2: id"),
        ("", "line 1"),
    ],
)
def test_bad_labels_are_refused_with_their_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_labels(path)
    path.write_bytes(b"id\n\xff\xfe\0\n")
    with pytest.raises(InputError, match="not text"):
        read_labels(path)
