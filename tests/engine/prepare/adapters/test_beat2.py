"""A small BEAT2 on disk: recordings of two languages, the split list, and everything that may be wrong."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from talkcli.engine.data.clips import load_clips
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.face.rotation import rotation_matrices
from talkcli.engine.prepare.adapters.beat2 import (
    HEAD_CHAIN,
    JAW,
    beat2_sources,
    head_rotation,
    parse_name,
    read_body,
    read_splits,
)
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.flame_motion import MOST_EXPRESSION
from talkcli.engine.types import Motion, Silent
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told
from tests.engine.prepare.trees import reason

FRAMES = 36
ENGLISH = "beat_english_v2.0.0"


def body(frames: int = FRAMES, **changed: object) -> bytes:
    """Every joint is turned by its number in hundredths about x, so that a wrong column shows."""
    poses = np.zeros((frames, 55, 3), np.float32)
    poses[:, :, 0] = np.arange(55) / 100
    arrays: dict[str, object] = {
        "betas": np.full(300, 0.4, np.float32),
        "poses": poses.reshape(frames, 165),
        "expressions": np.tile(np.linspace(0.5, -0.5, 100, dtype=np.float32), (frames, 1)),
        "trans": np.zeros((frames, 3), np.float32),
        "model": "smplx2020",
        "gender": "neutral",
        "mocap_frame_rate": 30,
        **changed,
    }
    file = io.BytesIO()
    np.savez(file, **{name: value for name, value in arrays.items() if value is not None})  # type: ignore[arg-type]
    return file.getvalue()


def write_clip(base: Path, name: str, *, seconds: float | None = FRAMES / 30, **changed: object) -> None:
    for folder in ("smplxflame_30", "wave16k"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    (base / "smplxflame_30" / f"{name}.npz").write_bytes(body(**changed))  # type: ignore[arg-type]
    if seconds is not None:
        samples = 0.3 * np.sin(np.arange(round(seconds * 16000)) / 10)
        soundfile.write(base / "wave16k" / f"{name}.wav", samples, 16000)


def write_splits(base: Path, **types: str) -> None:
    base.mkdir(parents=True, exist_ok=True)
    rows = [f"{name.removeprefix('n')},{kind}" for name, kind in types.items()]
    (base / "train_test_split.csv").write_text("\n".join(["id,type", *rows]) + "\n")


@pytest.mark.parametrize("root", ["", ENGLISH])
def test_one_recording(tmp_path: Path, root: str) -> None:
    write_clip(tmp_path / "in" / ENGLISH, "2_scott_0_103_103")
    write_splits(tmp_path / "in" / ENGLISH, n2_scott_0_103_103="train")
    sources = beat2_sources(tmp_path / "in" / root, Silent())
    build(sources, tmp_path / "out", Silent(), Plan(num_workers=0, cleanup=Cleanup(keep_pose=True)))
    motion, _ = read_motion(tmp_path / "out/motion/beat2/2_scott_0_103_103.npz")
    assert (motion.fps, motion.head, motion.channels) == (30.0, "flame", FLAME)
    np.testing.assert_allclose(motion.coeffs[0, :50], np.linspace(0.5, -0.5, 100)[:50], atol=1e-6)
    np.testing.assert_allclose(motion.coeffs[:, 50:], [[0.22, 0, 0]] * FRAMES, atol=1e-6)
    # Turns about one axis add up: root, spine, neck and head are joints 0, 3, 6, 9, 12 and 15.
    assert motion.pose is not None
    np.testing.assert_allclose(motion.pose, [[0.45, 0, 0]] * FRAMES, atol=1e-6)
    (clip,) = load_clips(tmp_path / "out", "train", Silent())
    assert (clip.speaker, clip.emotion.label, clip.emotion.level) == ("beat2-2_scott", "fear", 2 / 3)
    assert clip.motion.fps == 25
    assert len(clip.speech.samples) == len(clip.motion.coeffs) * 640


def test_head_rotation_follows_the_chain() -> None:
    """Each joint turns in the frame of the one before: matrices multiply from the root outwards."""
    drawn = np.random.default_rng(3)
    joints = drawn.normal(size=(20, 55, 3))
    turned = np.broadcast_to(np.eye(3), (20, 3, 3))
    for joint in HEAD_CHAIN:
        turned = turned @ rotation_matrices(torch.from_numpy(joints[:, joint])).numpy()
    pose = head_rotation("joints", joints)
    np.testing.assert_allclose(rotation_matrices(torch.from_numpy(pose)).numpy(), turned, atol=1e-9)
    assert np.linalg.norm(pose, axis=1).max() <= np.pi
    # Other joints, the jaw among them, turn nothing.
    joints[:, [joint for joint in range(55) if joint not in HEAD_CHAIN]] = drawn.normal(size=(20, 49, 3))
    np.testing.assert_array_equal(head_rotation("joints", joints), pose)
    assert JAW not in HEAD_CHAIN


@pytest.mark.parametrize(
    ("stem", "emotion"),
    [
        ("1_wayne_0_1_8", "neutral"), ("1_wayne_0_64_64", "neutral"), ("1_wayne_0_65_72", "happy"),
        ("5_stewart_0_65_a", "happy"), ("12_zhao_2_73_73", "angry"), ("2_scott_0_86_86", "sad"),
        ("2_scott_0_87_87", "contempt"), ("2_scott_0_95_95", "surprise"), ("2_scott_0_110_110", "fear"),
        ("2_scott_6_118_118", "disgust"), ("2_scott_1_9_9", "neutral"), ("13_lu_3_80_80", "neutral"),
    ],
)  # fmt: skip
def test_emotions_of_names(stem: str, emotion: str) -> None:
    name = parse_name(stem)
    assert name is not None
    assert name.emotion == emotion


def test_names_that_say_what_is_not_there() -> None:
    assert parse_name("notes") is None
    assert parse_name("2_scott_8_1_1") is None
    with pytest.raises(InputError, match="up to 118, but this one has 119 to 119"):
        parse_name("2_scott_0_119_119")
    with pytest.raises(InputError, match="64 to 65 are neutral and happy"):
        parse_name("2_scott_0_64_65")


def test_splits_and_what_is_missing(tmp_path: Path) -> None:
    base, other = tmp_path / ENGLISH, tmp_path / "beat_chinese_v2.0.0"
    write_splits(
        base, n1_wayne_0_1_1="train", n1_wayne_0_2_2="val", n1_wayne_0_3_3="test",
        n1_wayne_1_1_1="additional", n2_scott_0_200_200="train", n9_missing_0_1_1="train",
    )  # fmt: skip
    for name in ("1_wayne_0_1_1", "1_wayne_0_2_2", "1_wayne_0_3_3", "1_wayne_1_1_1", "2_scott_0_200_200"):
        write_clip(base, name)
    write_clip(base, "1_wayne_0_9_9")
    write_clip(base, "notes")
    write_splits(other, n12_zhao_2_73_73="train")
    write_clip(other, "12_zhao_2_73_73", seconds=None)
    told = Told()
    sources = beat2_sources(tmp_path, told)
    assert Counter(source.split for source in sources) == {"train": 4, "val": 1, "test": 1}
    assert Counter(source.emotion.label for source in sources) == {"neutral": 5, "angry": 1}
    assert {source.speaker for source in sources} == {"beat2-1_wayne", "beat2-12_zhao", "beat2"}
    assert [reason(source) for source in sources if source.speaker == "beat2"] == [
        "2_scott_0_200_200.npz: speeches have numbers up to 118, but this one has 200 to 200"
    ]
    assert told.warned("Missing: 1 recording of train_test_split.csv: 9_missing_0_1_1.")
    assert told.warned("Left out 1 recording that train_test_split.csv does not name: 1_wayne_0_9_9")
    assert told.warned("Left out 1 file that is not named like BEAT2")
    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0))
    assert {item.id for item in built.dropped} == {"beat2/12_zhao_2_73_73", "beat2/2_scott_0_200_200"}


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        beat2_sources(tmp_path / "nowhere", Silent())
    with pytest.raises(InputError, match="holds smplxflame_30"):
        beat2_sources(tmp_path, Silent())
    write_clip(tmp_path, "2_scott_0_1_1")
    with pytest.raises(InputError, match="without it the splits are unknown"):
        beat2_sources(tmp_path, Silent())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"poses": None}, "without poses"),
        ({"poses": np.zeros((FRAMES, 156), np.float32)}, r"\(36, 156\)"),
        ({"poses": np.zeros((FRAMES, 165), np.int64)}, "int64"),
        ({"poses": np.full((FRAMES, 165), np.nan, np.float32)}, "no rotations"),
        ({"expressions": np.zeros((FRAMES, 10), np.float32)}, r"expression is \(36, 10\)"),
        ({"expressions": np.zeros((FRAMES - 1, 100), np.float32)}, "jaw has 36 frames, expression 35"),
        ({"expressions": np.array([{}] * FRAMES)}, "holds object, numbers or text are needed"),
        ({"model": "smplx"}, "a model smplx"),
        ({"mocap_frame_rate": 0}, "mocap_frame_rate is 0"),
        ({"mocap_frame_rate": "thirty"}, "one number is needed"),
    ],
)
def test_other_bodies_are_refused(tmp_path: Path, changed: dict[str, object], told: str) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(body(**changed))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=told):
        read_body(path)


def test_rate_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(body(mocap_frame_rate=np.float64(15)))
    assert read_body(path).fps == 15
    path.write_bytes(body(mocap_frame_rate=None, model=None))
    assert read_body(path).fps == 30


def test_mutations(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"

    def read(mutant: bytes) -> Motion:
        path.write_bytes(mutant)
        return read_body(path)

    def plausible(motion: object) -> bool:
        assert isinstance(motion, Motion)
        return bool((np.abs(motion.coeffs) <= MOST_EXPRESSION).all()) and 1 <= motion.fps <= 240

    assert survives(read, body(), plausible=plausible) > 100


def test_mutations_of_the_split_list(tmp_path: Path) -> None:
    names = [f"{speaker}_scott_0_{number}_{number}" for speaker in range(2, 6) for number in range(1, 30)]
    content = "".join(["id,type\n", *(f"{name},{'train' if '1' in name else 'test'}\n" for name in names)])
    path = tmp_path / "train_test_split.csv"

    def read(mutant: bytes) -> dict[str, str]:
        path.write_bytes(mutant)
        return dict(read_splits(path))

    def plausible(splits: object) -> bool:
        return isinstance(splits, dict) and set(splits.values()) <= {"train", "val", "test"}

    assert survives(read, content.encode(), plausible=plausible) > 50
