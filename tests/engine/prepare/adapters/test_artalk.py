"""ARTalk's motion as tensors and arrays, beside its sound and in the folders its training reads."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.prepare.adapters.artalk import artalk_sources, read_motion_codes
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.flame_motion import MOST_EXPRESSION
from talkcli.engine.types import Motion, Silent
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason, tree

FRAMES = 30


def rows(frames: int = FRAMES) -> np.ndarray:
    """Expression falls along its columns, the head is turned by 0.2 and the jaw by 0.3."""
    row = [*np.linspace(0.5, -0.5, 100), 0.2, 0.2, 0.2, 0.3, 0, 0]
    return np.tile(np.float32(row), (frames, 1))


def content(values: np.ndarray, suffix: str = ".pt") -> bytes:
    file = io.BytesIO()
    if suffix == ".pt":
        torch.save(torch.from_numpy(values), file)
    else:
        np.save(file, values)
    return file.getvalue()


def write_clip(root: Path, motion: str, sound: str | None, seconds: float = FRAMES / 25) -> None:
    path = root / motion
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content(rows(), path.suffix))
    if sound is not None:
        (root / sound).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(root / sound, 0.3 * np.sin(np.arange(round(seconds * 16000)) / 10), 16000)


@pytest.mark.parametrize(
    ("motion", "sound", "clip", "speaker", "split"),
    [
        ("a.pt", "a.wav", "a", "artalk", "train"),
        ("anna/a.pt", "anna/a.flac", "anna/a", "artalk-anna", "train"),
        ("motions/sample_0000.npy", "audios/sample_0000.wav", "sample_0000", "artalk", "train"),
        ("val/motions/s.npy", "val/audios/s.wav", "val/s", "artalk", "val"),
        ("test/anna/s.pt", "test/anna/s.wav", "test/anna/s", "artalk-anna", "test"),
    ],
)
def test_layouts(tmp_path: Path, motion: str, sound: str, clip: str, speaker: str, split: str) -> None:
    write_clip(tmp_path / "in", motion, sound)
    sources = artalk_sources(tmp_path / "in", Silent())
    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0, cleanup=Cleanup(keep_pose=True)))
    (entry,) = built.entries
    assert (entry.id, entry.speaker, entry.split, entry.emotion, entry.intensity) == (
        f"artalk/{clip}", speaker, split, "neutral", 0.0,
    )  # fmt: skip
    read, _ = read_motion(tmp_path / "out" / (entry.motion or ""))
    assert (read.fps, read.channels) == (25.0, FLAME)
    np.testing.assert_allclose(read.coeffs[0], [*np.linspace(0.5, -0.5, 100)[:50], 0.3, 0, 0], atol=1e-6)
    assert read.pose is not None
    np.testing.assert_allclose(read.pose, 0.2, atol=1e-6)


def test_what_is_missing_and_what_does_not_fit(tmp_path: Path) -> None:
    write_clip(tmp_path / "in", "train/anna/1.pt", "train/anna/1.wav")
    # Another speaker's sound is not taken for this one's.
    write_clip(tmp_path / "in", "train/ben/2.pt", "train/anna/2.wav")
    write_clip(tmp_path / "in", "val/carl/3.pt", "val/carl/3.wav", seconds=3.0)
    tree(tmp_path / "in", "val/carl/4.pt", "val/carl/4.wav", "data.mdb", "metadata.json")
    told = Told()
    sources = artalk_sources(tmp_path / "in", told)
    assert Counter(source.split for source in sources) == {"train": 2, "val": 2}
    assert told.warned("Read: 4 motion files, not the database ")
    assert told.noted("Found: 4 clips, ")
    assert [reason(source) for source in sources if source.speaker == "artalk-ben"] == [
        "There is no sound of train/ben/2 beside it or in audios."
    ]
    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0))
    assert [entry.id for entry in built.entries] == ["artalk/train/anna/1"]
    assert {item.id for item in built.dropped} == {
        f"artalk/{name}" for name in ("train/ben/2", "val/carl/3", "val/carl/4")
    }


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        artalk_sources(tmp_path / "nowhere", Silent())
    with pytest.raises(InputError, match=r"no \.pt or \.npy"):
        artalk_sources(tmp_path, Silent())
    tree(tmp_path, "lmdb/data.mdb")
    with pytest.raises(InputError, match="LMDB database, whose format ARTalk does not publish"):
        artalk_sources(tmp_path, Silent())


@pytest.mark.parametrize("suffix", [".pt", ".npy"])
@pytest.mark.parametrize(
    ("values", "told"),
    [
        (rows()[:, :105], r"\(30, 105\)"),
        (rows()[None], r"\(1, 30, 106\)"),
        (rows()[:0], "expression is"),
        (rows().astype(np.int64), "floats are needed"),
        (rows() * np.float32(np.nan), "not finite"),
        (rows() * 100, "no face"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, suffix: str, values: np.ndarray, told: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content(values, suffix))
    with pytest.raises(InputError, match=told):
        read_motion_codes(path)


@pytest.mark.parametrize("suffix", [".pt", ".npy"])
def test_mutations(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"

    def read(mutant: bytes) -> Motion:
        path.write_bytes(mutant)
        return read_motion_codes(path)

    def plausible(motion: object) -> bool:
        return isinstance(motion, Motion) and bool((np.abs(motion.coeffs) <= MOST_EXPRESSION).all())

    assert survives(read, content(rows(), suffix), plausible=plausible) > 50
