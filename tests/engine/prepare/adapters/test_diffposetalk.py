"""DiffPoseTalk's coefficients and sound as its scripts lay them out, beside each other, and packed.

golden/lmdb/hdtf_tfhp.mdb.xz was written by lmdb 1.4.1, numpy 1.26 and pickle protocol 5 in the form of the
authors' script: clips TH001/000 of 20 frames in segments of 8, TH001/001 and TH002/000 of 8. The first
expression of frame k is k/32, all others 0.25, the head 0.125, the jaw 0.375; sound is +-0.25 in turns of 320
samples.
"""

from __future__ import annotations

import io
import lzma
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.prepare.adapters.diffposetalk import (
    PackedClip,
    _sound,
    diffposetalk_sources,
    read_coeffs,
    read_packed,
    read_splits,
)
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.flame_motion import MOST_EXPRESSION
from talkcli.engine.prepare.source import Recording
from talkcli.engine.types import Motion, Silent
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason, tree

FRAMES = 30


def coeffs(frames: int = FRAMES, **changed: np.ndarray | None) -> bytes:
    arrays: dict[str, np.ndarray | None] = {
        "shape": np.full((frames, 100), 0.4, np.float32),
        "exp": np.tile(np.linspace(0.5, -0.5, 50, dtype=np.float32), (frames, 1)),
        "pose": np.tile(np.float32([0.2, 0.2, 0.2, 0.3, 0, 0]), (frames, 1)),
        **changed,
    }
    file = io.BytesIO()
    np.savez_compressed(file, **{name: value for name, value in arrays.items() if value is not None})
    return file.getvalue()


def write_clip(
    motion: Path, sound: Path | None, seconds: float = FRAMES / 25, **changed: np.ndarray | None
) -> None:
    motion.parent.mkdir(parents=True, exist_ok=True)
    motion.write_bytes(coeffs(**changed))  # type: ignore[arg-type]
    if sound is not None:
        sound.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(sound, 0.3 * np.sin(np.arange(round(seconds * 16000)) / 10), 16000)


@pytest.mark.parametrize(
    ("motion", "sound", "clip", "speaker"),
    [
        ("FLAME_coeffs/TH050/000.npz", "audio/TH050/000.flac", "TH050/000", "diffposetalk-TH050"),
        ("FLAME_coeffs/TH050/000.npz", "FLAME_coeffs/TH050/000.wav", "TH050/000", "diffposetalk-TH050"),
        ("set/FLAME_coeffs/a b/0.npz", "set/audio/a b/0.flac", "set/a_b/0", "diffposetalk-set-a_b"),
        ("clip.npz", "clip.wav", "clip", "diffposetalk"),
    ],
)
def test_layouts(tmp_path: Path, motion: str, sound: str, clip: str, speaker: str) -> None:
    write_clip(tmp_path / "in" / motion, tmp_path / "in" / sound)
    told = Told()
    sources = diffposetalk_sources(tmp_path / "in", told)
    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0, cleanup=Cleanup(keep_pose=True)))
    (entry,) = built.entries
    assert (entry.id, entry.speaker, entry.split, entry.emotion, entry.intensity) == (
        f"diffposetalk/{clip}", speaker, "train", "neutral", 0.0,
    )  # fmt: skip
    read, _ = read_motion(tmp_path / "out" / (entry.motion or ""))
    assert (read.fps, read.channels) == (25.0, FLAME)
    np.testing.assert_allclose(read.coeffs[0], [*np.linspace(0.5, -0.5, 50), 0.3, 0, 0], atol=1e-6)
    assert read.pose is not None
    np.testing.assert_allclose(read.pose, 0.2, atol=1e-6)
    assert told.warned("all clips go to train")


def test_splits_and_what_is_missing(tmp_path: Path) -> None:
    for name in ("TH001/0", "TH001/1", "TH002/0", "TH003/0", "TH004/0", "TH005/0"):
        sound = None if name == "TH003/0" else tmp_path / f"audio/{name}.flac"
        write_clip(tmp_path / f"FLAME_coeffs/{name}.npz", sound)
    # Sound of another person's clip of that number is not taken for this one's.
    tree(tmp_path, "lmdb/data.mdb", "lmdb/stats_train.npz")
    for split, names in (
        ("train", "TH001/000\nTH001/001\n"),
        ("val", "TH002/000\n"),
        ("test", "TH003/000\nTH004/000"),
    ):
        (tmp_path / f"lmdb/{split}.txt").write_text(names)
    told = Told()
    sources = diffposetalk_sources(tmp_path, told)
    assert Counter(source.split for source in sources) == {"train": 2, "val": 1, "test": 2}
    assert [reason(source) for source in sources if source.speaker == "diffposetalk-TH003"] == [
        "There is no sound of TH003/0 beside it or in audio."
    ]
    assert told.warned("Left out 1 clip that no split names: TH005/0")
    assert told.warned("npz files, not the database ")
    (tmp_path / "lmdb/test.txt").write_text("TH001/000")
    with pytest.raises(InputError, match="TH001/000, which is in train as well"):
        diffposetalk_sources(tmp_path, told)


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        diffposetalk_sources(tmp_path / "nowhere", Silent())
    with pytest.raises(InputError, match="no npz with coefficients"):
        diffposetalk_sources(tmp_path, Silent())
    tree(tmp_path, "data.mdb", "lock.mdb")
    with pytest.raises(InputError, match="not a complete LMDB database"):
        diffposetalk_sources(tmp_path, Silent())


PACKED = lzma.decompress((Path(__file__).parents[3] / "golden/lmdb/hdtf_tfhp.mdb.xz").read_bytes())


def test_packed(tmp_path: Path) -> None:
    folder = tmp_path / "in" / "lmdb"
    folder.mkdir(parents=True)
    (folder / "data.mdb").write_bytes(PACKED)
    (folder / "train.txt").write_text("TH001/000\nTH001/001\n")
    (folder / "test.txt").write_text("TH002/000\n")
    sources = diffposetalk_sources(tmp_path / "in", Silent())
    assert [(source.id, source.speaker, source.split) for source in sources] == [
        ("diffposetalk/TH001/000", "diffposetalk-TH001", "train"),
        ("diffposetalk/TH001/001", "diffposetalk-TH001", "train"),
        ("diffposetalk/TH002/000", "diffposetalk-TH002", "test"),
    ]
    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0, cleanup=Cleanup(keep_pose=True)))
    assert not built.dropped
    assert [entry.num_frames for entry in built.entries] == [20, 8, 8]
    motion, _ = read_motion(tmp_path / "out/motion/diffposetalk/TH001/000.npz")
    np.testing.assert_allclose(motion.coeffs[:, 0], np.arange(20) / 32)
    np.testing.assert_array_equal(motion.coeffs[:, 1:], [[0.25] * 49 + [0.375, 0, 0]] * 20)
    np.testing.assert_array_equal(motion.pose, [[0.125] * 3] * 20)
    samples, rate_hz = soundfile.read(tmp_path / "out/audio/diffposetalk/TH001/000.flac")
    assert rate_hz == 16000
    np.testing.assert_array_equal(samples, np.where(np.arange(20 * 640) % 640 < 320, 0.25, -0.25))


def test_packed_mutations(tmp_path: Path) -> None:
    path = tmp_path / "data.mdb"

    def read(mutant: bytes) -> list[Recording]:
        path.write_bytes(mutant)
        recipes = [source.recipe for source in diffposetalk_sources(tmp_path, Silent())]
        assert all(isinstance(recipe, PackedClip) for recipe in recipes)
        return [read_packed(path, recipe.name) for recipe in recipes if isinstance(recipe, PackedClip)]

    def plausible(recordings: object) -> bool:
        assert isinstance(recordings, list)
        for recording in recordings:
            assert len(recording.speech.samples) == 640 * len(recording.motion.coeffs)
            assert np.abs(recording.motion.coeffs).max() <= MOST_EXPRESSION
        return 0 < len(recordings) <= 3

    assert survives(read, PACKED, plausible=plausible) > 50


def test_packed_clips_with_other_content(tmp_path: Path) -> None:
    """Every change keeps lengths, so that pages and pickles still hold together."""
    path = tmp_path / "data.mdb"
    for old, new, told in (
        (b"n_frames", b"m_frames", "n_frames is None, a number of frames is needed"),
        (b"seg_len", b"seg_lem", "seg_len is None"),
        (b"TH002/000/000", b"TH002/000/001", "TH002/000/000 is missing"),
        (b"\x8c\x05audio", b"\x8c\x05sound", "audio and coef are needed"),
        (b"\x8c\x03exp", b"\x8c\x03exq", "arrays exp and pose are needed"),
        (b"fLaC", b"fLaB", "audio cannot be read"),
        (b"numpy.core.numeric", b"shutil.....rmtree.", "Nothing of it has run"),
    ):
        assert PACKED.count(old) > 0
        path.write_bytes(PACKED.replace(old, new))
        with pytest.raises(InputError, match=told):
            read_packed(path, "TH002/000")


def test_hours_of_packed_silence_are_not_unpacked(tmp_path: Path) -> None:
    file = io.BytesIO()
    soundfile.write(file, np.zeros(16_000_000, np.float32), 16000, format="FLAC")

    tracemalloc.start()
    with pytest.raises(InputError, match=r"audio is \(16000000, 1\) at 16000 Hz; 2 frames last 1280 samples"):
        _sound("here", file.getvalue(), 2)
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"exp": None}, "without exp"),
        ({"pose": np.zeros((FRAMES, 15), np.float32)}, r"pose is \(30, 15\)"),
        ({"pose": np.zeros(FRAMES, np.float32)}, r"pose is \(30,\)"),
        ({"pose": np.zeros((FRAMES + 1, 6), np.float32)}, "has 31 frames, expression 30"),
        ({"exp": np.zeros((FRAMES, 49), np.float32)}, r"expression is \(30, 49\)"),
        ({"exp": np.full((FRAMES, 50), "a")}, "floats are needed"),
        ({"exp": np.full((FRAMES, 50), np.inf, np.float32)}, "not finite"),
        ({"pose": np.full((FRAMES, 6), 4.0, np.float32)}, "jaw reaches 4"),
    ],
)
def test_other_arrays_are_refused(tmp_path: Path, changed: dict[str, np.ndarray | None], told: str) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(coeffs(**changed))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=told):
        read_coeffs(path)


def test_mutations(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"

    def read(mutant: bytes) -> Motion:
        path.write_bytes(mutant)
        return read_coeffs(path)

    def plausible(motion: object) -> bool:
        return isinstance(motion, Motion) and bool((np.abs(motion.coeffs) <= MOST_EXPRESSION).all())

    assert survives(read, coeffs(), plausible=plausible) > 100


def test_mutations_of_split_lists(tmp_path: Path) -> None:
    content = "".join(f"TH{person:03d}/{video:03d}\n" for person in range(30) for video in range(3)).encode()

    def read(mutant: bytes) -> dict[str, str]:
        (tmp_path / "train.txt").write_bytes(mutant)
        return dict(read_splits([tmp_path]))

    assert survives(read, content, plausible=lambda splits: set(splits.values()) <= {"train"}) > 5
    # Longer than the integers that Python reads.
    assert read(b"TH001/" + b"1" * 10_000) == {"TH001/" + "1" * 10_000: "train"}
