"""A small MEAD on disk, in the layouts DEEPTalk's tools know, and everything that may be wrong with one."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.data.clips import load_clips
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.prepare.adapters.mead import mead_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.mead_splits import SPLIT_OF_ACTOR
from talkcli.engine.types import Silent
from tests.engine.fakes import Told

FRAMES = 30
DEE = ("MEAD/flame_param", "MEAD/audio_sample")


def write_clip(root: Path, uid: str, *, folders: tuple[str, str] = DEE, columns: int = 156) -> None:
    """Expression is 0.1, global rotation 0.2, jaw 0.3 and shape 0.4, so that a wrong column shows."""
    groups = [(50, 0.1), (3, 0.2), (3, 0.3), (100, 0.4)]
    row = [value for count, value in groups for _ in range(count) if columns == 156 or value != 0.2]
    time = np.arange(FRAMES * 640) / 16_000
    arrays = np.tile(np.float32(row), (FRAMES, 1)), 0.3 * np.sin(2 * np.pi * 200 * time).astype(np.float32)
    for name, array in zip(folders, arrays, strict=True):
        path = root / name / uid[:4] / f"{uid}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, array)


@pytest.mark.parametrize("columns", [156, 153])
@pytest.mark.parametrize(
    "folders", [DEE, ("flame_param", "audio_sample"), ("a", "b"), ("b", "a"), ("MEAD/x", "MEAD/w")]
)
def test_layouts(tmp_path: Path, folders: tuple[str, str], columns: int) -> None:
    write_clip(tmp_path, "M003_5_3_001", folders=folders, columns=columns)
    build(mead_sources(tmp_path, Silent()), tmp_path / "out", Silent(), Plan(num_workers=0))
    (clip,) = load_clips(tmp_path / "out", "train", Silent())
    assert (clip.id, clip.speaker, clip.motion.head, clip.motion.fps) == (
        "mead/M003_5_3_001", "mead-M003", "flame", 25.0,
    )  # fmt: skip
    assert clip.motion.channels == FLAME
    assert clip.motion.coeffs.shape == (FRAMES, 53)
    np.testing.assert_allclose(clip.motion.coeffs[:, :50], 0.1, atol=1e-6)
    np.testing.assert_allclose(clip.motion.coeffs[:, 50:], 0.3, atol=1e-6)
    assert len(clip.speech.samples) == FRAMES * 640
    assert np.abs(clip.speech.samples).max() == pytest.approx(0.3, abs=1e-3)


def test_splits_are_the_published_ones() -> None:
    assert Counter(SPLIT_OF_ACTOR.values()) == {"train": 32, "val": 7, "test": 8}
    assert Counter(actor[0] for actor in SPLIT_OF_ACTOR) == {"M": 27, "W": 20}
    assert [SPLIT_OF_ACTOR[actor] for actor in ("M003", "W029", "M032", "W036", "M037", "W040")] == [
        "train", "train", "val", "val", "test", "test",
    ]  # fmt: skip


def test_labels_splits_and_what_is_left_out(tmp_path: Path) -> None:
    for actor in SPLIT_OF_ACTOR:
        if actor != "W040":
            write_clip(tmp_path, f"{actor}_1_1_001")
    for number in range(3, 10):
        for level in (1, 2, 3):
            write_clip(tmp_path, f"M003_{number}_{level}_002")
    write_clip(tmp_path, "M001_3_1_001")
    for uid in ("M003_2_1_001", "M003_1_2_001", "M003_3_4_001", "M003_10_1_001", "M003_happy_1_001"):
        write_clip(tmp_path, uid)
    stray = tmp_path / "MEAD/flame_param/M005/M003_3_1_002.npy"
    stray.write_bytes(b"")
    told = Told()
    sources = mead_sources(tmp_path, told)
    assert len(sources) == 46 + 21
    assert [source.id for source in sources] == sorted(source.id for source in sources)
    assert Counter(source.split for source in sources) == {"train": 32 + 21, "val": 7, "test": 7}
    assert Counter(source.emotion.label for source in sources) == {
        "neutral": 46, "happy": 3, "sad": 3, "angry": 3, "fear": 3, "disgust": 3,
        "surprise": 3, "contempt": 3,
    }  # fmt: skip
    found = {source.id: source.emotion for source in sources}
    assert found["mead/M003_7_3_002"].label == "disgust"
    assert [round(found[f"mead/M003_4_{level}_002"].level, 2) for level in (1, 2, 3)] == [0.33, 0.67, 1]
    misnamed, strangers, absent = told.warnings
    assert "Left out 6 files" in misnamed
    assert "M003/M003_10_1_001" in misnamed
    assert "Left out 1 actor who is in no split: M001 (1 clip)" in strangers
    assert "Missing: 1 of 47 actors: W040." in absent
    assert told.noted("8 emotions of 3 levels (neutral has one); found: ")


def test_bad_clips_are_explained_and_stop_nothing(tmp_path: Path) -> None:
    good = np.full((FRAMES, 156), 0.1)
    tone = 0.1 * np.ones(FRAMES * 640)
    nan, far, turned = good.copy(), good.copy(), good.copy()
    nan[3, 120], far[3, 7], turned[3, 53] = np.nan, -12.5, 4
    parameters = {
        "nan": (nan, "1 value that is not a finite number"),
        "far": (far, "expression up to 12.5"),
        "turned": (turned, "jawPitch is 4 in frame"),
        "narrow": (good[:, :53], r"(30, 53), FLAME"),
        "flat": (good.ravel(), "(4680,), FLAME"),
        "deep": (good[None], "(1, 30, 156), FLAME"),
        "none": (good[:0], "0.00 s"),
        "integers": (good.astype(int), "int64, floats"),
        "short": (good[:10], "motion 0.40 s"),
    }
    sounds = {
        "stereo": (np.stack([tone, tone]), "(2, 19200), a mono"),
        "silent": (0 * tone, "silent"),
        "sixteen": (tone * 32768, "peaks at 3.28e+03"),
        "pcm": ((tone * 32768).astype(np.int16), "int16, floats"),
        "rate": (np.tile(tone, 3), "Sound has 3.60 s"),
        "infinite": (tone * np.inf, "not finite"),
        "empty": (tone[:0], "silent"),
    }
    expected = {}
    for index, cases in enumerate((parameters, sounds)):
        for name, (array, words) in cases.items():
            uid = f"M003_3_1_{name}"
            write_clip(tmp_path, uid)
            np.save(tmp_path / DEE[index] / "M003" / f"{uid}.npy", array)
            expected[f"mead/{uid}"] = words
    for name, folder in (("nomotion", DEE[0]), ("nosound", DEE[1])):
        write_clip(tmp_path, f"M003_3_1_{name}")
        (tmp_path / folder / "M003" / f"M003_3_1_{name}.npy").unlink()
        expected[f"mead/M003_3_1_{name}"] = "is missing"
    write_clip(tmp_path, "M003_3_1_zero")
    (tmp_path / DEE[1] / "M003" / "M003_3_1_zero.npy").write_bytes(b"")
    expected["mead/M003_3_1_zero"] = "0 bytes"
    write_clip(tmp_path, "M003_3_1_good")
    write_clip(tmp_path, "M003_3_1_loud")
    loud = good.copy()
    loud[3, 7] = -6
    np.save(tmp_path / DEE[0] / "M003" / "M003_3_1_loud.npy", loud)
    built = build(mead_sources(tmp_path, Silent()), tmp_path / "out", Silent(), Plan(num_workers=0))
    assert {entry.id for entry in built.entries} == {"mead/M003_3_1_good", "mead/M003_3_1_loud"}
    reasons = {item.id: item.reason for item in built.dropped}
    assert set(reasons) == set(expected)
    assert not [(name, reasons[name]) for name, words in expected.items() if words not in reasons[name]]
    lines = (tmp_path / "out" / "quarantine.jsonl").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == set(expected)


def test_folders_are_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        mead_sources(tmp_path / "absent", Silent())
    with pytest.raises(InputError, match="0 folders of FLAME parameters and 0 of waveforms"):
        mead_sources(tmp_path, Silent())
    write_clip(tmp_path, "M003_5_3_001", folders=("a", "b"))
    write_clip(tmp_path, "M003_5_3_001", folders=("c", "d"))
    with pytest.raises(InputError, match="2 folders of FLAME parameters") as raised:
        mead_sources(tmp_path, Silent())
    assert "flame_param" in str(raised.value.hint)
    write_clip(tmp_path / "other", "M001_5_3_001")
    with pytest.raises(InputError, match="None of 1 array "):
        mead_sources(tmp_path / "other", Silent())


def test_one_swapped_file_does_not_swap_the_folders(tmp_path: Path) -> None:
    for number in range(4):
        write_clip(tmp_path, f"M003_5_3_{number:03d}", folders=("a", "b"))
    np.save(tmp_path / "a/M003/M003_5_3_000.npy", np.zeros(100, np.float32))
    built = build(mead_sources(tmp_path, Silent()), tmp_path / "out", Silent(), Plan(num_workers=0))
    assert len(built.entries) == 3
    assert "(100,), FLAME" in built.dropped[0].reason


def test_damaged_files_become_sentences(tmp_path: Path) -> None:
    """Cut anywhere, with flipped bits in the header, of other types: dropped, or as it was."""
    rng = np.random.default_rng(0)
    write_clip(tmp_path, "M003_3_1_000")
    files = [tmp_path / folder / "M003" / "M003_3_1_000.npy" for folder in DEE]
    whole = [file.read_bytes() for file in files]
    mutants: list[tuple[int, bytes]] = []
    for which, content in enumerate(whole):
        mutants += [(which, content[:cut]) for cut in (1, 5, 8, 9, 40, 127, 128, 129, len(content) - 1)]
        mutants += [
            (which, other) for other in (b"hello", b"\0" * 999, pickle.dumps({"a": 1}), b"PK\3\4" * 9)
        ]
        mutants.append((which, content.replace(b"<f4", b"|O ")))
        mutants.append((which, content.replace(b"<f4", b"<i4")))
        mutants.append((which, content.replace(b"'shape': (", b"'shape': (9999999999999,")))
        mutants.append((which, content + b"more"))
        for _ in range(60):
            flipped = bytearray(content)
            flipped[rng.integers(0, 128)] ^= 1 << int(rng.integers(0, 8))
            mutants.append((which, bytes(flipped)))
    folder = tmp_path / "all" / DEE[0] / "M003", tmp_path / "all" / DEE[1] / "M003"
    for index, (which, content) in enumerate(mutants):
        for side in (0, 1):
            folder[side].mkdir(parents=True, exist_ok=True)
            (folder[side] / f"M003_3_1_{index + 1:03d}.npy").write_bytes(
                content if side == which else whole[side]
            )
    write_clip(tmp_path / "all", "M003_3_1_000")
    out = tmp_path / "out"
    built = build(mead_sources(tmp_path / "all", Silent()), out, Silent(), Plan(num_workers=0))
    clips = load_clips(out, "train", Silent())
    assert len(clips) + len(built.dropped) == len(mutants) + 1
    assert len(built.dropped) > len(mutants) * 0.5
    reference = clips[0]
    for clip in clips:
        # Spaces of the padding may flip unseen; the numbers may not.
        np.testing.assert_array_equal(clip.motion.coeffs, reference.motion.coeffs, err_msg=clip.id)
        np.testing.assert_array_equal(clip.speech.samples, reference.speech.samples, err_msg=clip.id)
