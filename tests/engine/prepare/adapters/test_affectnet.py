"""A small AffectNet on disk, labelled by lists and by annotations, with EMOCA's codes, whole and damaged."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.prepare.adapters import affectnet
from talkcli.engine.prepare.adapters.affectnet import Pictures, affectnet_sources, read_label
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.flame_motion import MOST_EXPRESSION
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Emotion, Silent
from tests.engine.data.mutations import survives
from tests.engine.fakes import Told
from tests.engine.prepare.trees import tree

HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,valence,arousal"
)
NAMES = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")


def write_codes(folder: Path, number: float = 0.0) -> None:
    """What EMOCA's demo saves of a picture; the first expression is `number`."""
    folder.mkdir(parents=True, exist_ok=True)
    expression = np.linspace(0.5, -0.5, 50, dtype=np.float32)
    expression[0] = number
    codes = {
        "exp": expression,
        "pose": np.float32([0.2, 0.2, 0.2, 0.3, 0, 0]),
        "shape": np.full(100, 0.4, np.float32),
        "tex": np.zeros(50, np.float32),
        "cam": np.float32([8, 0, 0]),
        "detail": np.zeros(128, np.float32),
    }
    for name, values in codes.items():
        np.save(folder / f"{name}.npy", values)


def row(picture: str, label: int | str) -> str:
    return f"{picture},10,20,100,100,{';'.join(['1.5'] * 136)},{label},0.1,-0.2\n"


def write_lists(root: Path, train: list[tuple[str, int]], val: list[tuple[str, int]]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    rows = ["".join(row(*entry) for entry in entries) for entries in (train, val)]
    (root / "training.csv").write_text(f"{HEADER}\n{rows[0]}")
    # The authors' second list has no header.
    (root / "validation.csv").write_text(rows[1])


def annotate(root: Path, place: str, number: int, label: object) -> Path:
    path = root / place / "annotations" / f"{number}_exp.npy"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.array(label))
    return path


def test_lists_become_clips_of_one_label(tmp_path: Path) -> None:
    root = tmp_path / "in"
    train = [(f"{index % 3}/train{index}.jpg", index % 11) for index in range(66)]
    val = [(f"7/val{index}.jpg", 1) for index in range(8)]
    write_lists(root / "Manually_Annotated", train, val)
    for index, (picture, _) in enumerate(train + val):
        # EMOCA's demo puts the model's name above, and numbers the faces of a picture.
        stem = Path(picture).stem + ("00" if index % 2 else "")
        write_codes(root / "codes/EMOCA_v2_lr_mse_20" / stem, index / 100)
    told = Told()
    sources = affectnet_sources(root, told)
    assert [source.id for source in sources] == [
        *sorted(f"affectnet/train-{name}-000" for name in NAMES), "affectnet/val-happy-000",
    ]  # fmt: skip
    assert {source.still for source in sources} == {True}
    assert Counter(source.split for source in sources) == {"train": 8, "val": 1}
    assert [len(source.recipe.inputs) for source in sources] == [12] * 8 + [16]
    assert told.noted("Left out 18 pictures of no face, or of no emotion")
    assert told.noted(
        "has 287,430 pictures with codes in DEEPTalk's count; found: train angry 6, train contempt 6"
    )

    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0, cleanup=Cleanup(keep_pose=True)))
    assert not built.dropped
    (entry,) = [entry for entry in built.entries if entry.split == "val"]
    assert (entry.emotion, entry.intensity, entry.audio, entry.num_frames, entry.still) == (
        "happy",
        2 / 3,
        None,
        8,
        True,
    )
    motion, _ = read_motion(tmp_path / "out" / (entry.motion or ""))
    assert (motion.head, motion.channels) == ("flame", FLAME)
    # In order of the pictures, none smoothed into the next.
    np.testing.assert_allclose(motion.coeffs[:, 0], np.arange(66, 74) / 100, atol=1e-6)
    np.testing.assert_allclose(motion.coeffs[:, 50:], [[0.3, 0, 0]] * 8, atol=1e-6)
    assert motion.pose is not None
    np.testing.assert_allclose(motion.pose, 0.2, atol=1e-6)


def test_annotations_count_from_zero_in_both_sets(tmp_path: Path) -> None:
    # Labels are text in the release, and numbers where somebody saved them again.
    for index, label in enumerate(("1", 1, np.int64(6), 6.0, "7", "8", np.array(["3"]))):
        annotate(tmp_path, "train_set", index, label)
        write_codes(tmp_path / f"codes/train_set/{index}", index / 10)
    annotate(tmp_path, "val_set", 0, "2")
    write_codes(tmp_path / "codes/val_set/0", 0.9)
    sources = affectnet_sources(tmp_path, Silent())
    found = {source.id.removeprefix("affectnet/"): source.recipe for source in sources}
    assert {name: len(recipe.inputs) // 2 for name, recipe in found.items()} == {
        "train-angry-000": 2, "train-contempt-000": 1, "train-happy-000": 2, "train-surprise-000": 1,
        "val-sad-000": 1,
    }  # fmt: skip
    assert found["val-sad-000"].inputs[0] == tmp_path / "codes/val_set/0/exp.npy"


def test_a_clip_has_a_thousand_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert affectnet.PICTURES_A_CLIP == 1000
    monkeypatch.setattr(affectnet, "PICTURES_A_CLIP", 10)
    pictures = [(f"1/p{index:02d}.jpg", 3) for index in range(21)]
    write_lists(tmp_path, pictures, [])
    for picture, _ in pictures:
        tree(tmp_path / "codes" / Path(picture).stem, "exp.npy", "pose.npy")
    sources = affectnet_sources(tmp_path, Silent())
    assert [(source.id, len(source.recipe.inputs)) for source in sources] == [
        ("affectnet/train-surprise-000", 20),
        ("affectnet/train-surprise-001", 20),
        ("affectnet/train-surprise-002", 2),
    ]


def test_pictures_without_codes_and_codes_of_nobody(tmp_path: Path) -> None:
    names = ["1/a.jpg", "1/b.jpg", "1/c.jpg", "2/c.jpg", "1/d.jpg"]
    write_lists(tmp_path, [(name, 1) for name in names], [("3/v.jpg", 12)])
    elsewhere = tmp_path / "elsewhere"
    write_codes(elsewhere / "a")
    write_codes(elsewhere / "stranger")
    # Two pictures of one name are told apart by their sub-directories, where EMOCA's output has them.
    for place in ("1", "2"):
        write_codes(elsewhere / place / "c")
    # The same picture twice: which one is meant cannot be told.
    for run in ("first", "second"):
        write_codes(elsewhere / run / "d")
    (elsewhere / "b").mkdir()
    (elsewhere / "b" / "exp.npy").touch()
    told = Told()
    (source,) = affectnet_sources(tmp_path, told, codes=elsewhere)
    assert [path.parent.relative_to(elsewhere).as_posix() for path in source.recipe.inputs[::2]] == [
        "a",
        "1/c",
        "2/c",
    ]
    assert told.warned("Left out 2 of 5 pictures without codes: 1/b, 1/d.")
    assert told.warned("Left out 1 folder of codes that lacks a file")
    assert told.warned("Left out 1 picture with a label number that AffectNet does not have")


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a folder"):
        affectnet_sources(tmp_path / "nowhere", Silent())
    with pytest.raises(InputError, match=r"neither training\.csv nor train_set"):
        affectnet_sources(tmp_path, Silent())
    write_lists(tmp_path, [("1/a.jpg", 1)], [])
    with pytest.raises(InputError, match="There are no codes"):
        affectnet_sources(tmp_path, Silent())
    (tmp_path / "codes").mkdir()
    with pytest.raises(InputError, match=r"no folder with exp\.npy and pose\.npy"):
        affectnet_sources(tmp_path, Silent())
    write_codes(tmp_path / "codes/b")
    with pytest.raises(InputError, match="None of 1 folder of codes has the name of one of 1 picture"):
        affectnet_sources(tmp_path, Silent())
    (tmp_path / "training.csv").write_text("name,label\n1/a.jpg,1\n")
    with pytest.raises(InputError, match="the columns subDirectory_filePath and expression are needed"):
        affectnet_sources(tmp_path, Silent())


def test_damaged_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    folders = [tmp_path / f"codes/p{index}" for index in range(12)]
    for index, folder in enumerate(folders):
        write_codes(folder, index / 100)
    np.save(folders[1] / "exp.npy", np.zeros(40, np.float32))
    np.save(folders[3] / "pose.npy", np.full(6, np.nan, np.float32))
    (folders[5] / "exp.npy").write_bytes(b"")
    np.save(folders[7] / "exp.npy", np.full(50, 99, np.float32))
    source = still(tuple(folders))
    built = build([source], tmp_path / "out", Silent(), Plan(num_workers=0))
    motion, _ = read_motion(tmp_path / "out/motion/affectnet/train-happy-000.npz")
    np.testing.assert_allclose(motion.coeffs[:, 0] * 100, [0, 2, 4, 6, 8, 9, 10, 11], atol=1e-4)
    recording = source.recipe.make(source)
    assert recording.report is not None
    unread = str(recording.report["unread"])
    assert recording.report["pictures"] == 8
    assert unread.startswith("4 of 12: ")
    assert all(f"codes/p{index}" in unread for index in (1, 3, 5, 7))
    assert [str(oddity).partition(";")[0] for oddity in built.oddities] == [
        "Pictures that cannot be read and were left out in affectnet/train-happy-000"
    ]
    assert not built.dropped
    # A few pictures are as good as many: there is no time in which they would be too short.
    (entry,) = build([still((folders[0],))], tmp_path / "few", Silent(), Plan(num_workers=0)).entries
    assert entry.num_frames == 1
    with pytest.raises(InputError, match=r"None of 2 pictures can be read; the first: .*p1"):
        Pictures(folders=(folders[1], folders[5])).make(source)


def still(folders: tuple[Path, ...]) -> Source:
    return Source(
        id="affectnet/train-happy-000",
        speaker="affectnet-train",
        emotion=Emotion(label="happy"),
        split="train",
        licence="own terms",
        recipe=Pictures(folders=folders),
        still=True,
    )


@pytest.mark.parametrize("name", ["exp.npy", "pose.npy"])
def test_mutations_of_codes(tmp_path: Path, name: str) -> None:
    write_codes(tmp_path)
    content = (tmp_path / name).read_bytes()
    source = still((tmp_path,))

    def read(mutant: bytes) -> Recording:
        (tmp_path / name).write_bytes(mutant)
        return source.recipe.make(source)

    def plausible(recording: object) -> bool:
        assert isinstance(recording, Recording)
        assert recording.motion is not None
        return bool((np.abs(recording.motion.coeffs) <= MOST_EXPRESSION).all())

    assert survives(read, content, plausible=plausible) > 50


def test_mutations_of_annotations(tmp_path: Path) -> None:
    path = tmp_path / "0_exp.npy"
    file = io.BytesIO()
    np.save(file, np.array("5"))

    def read(mutant: bytes) -> int:
        path.write_bytes(mutant)
        return read_label(path)

    assert survives(read, file.getvalue(), plausible=lambda label: label in range(1000)) > 50


def test_mutations_of_lists(tmp_path: Path) -> None:
    pictures = [(f"1/p{index:02d}.jpg", index % 8) for index in range(40)]
    write_lists(tmp_path, pictures, [])
    for picture, _ in pictures:
        write_codes(tmp_path / "codes" / Path(picture).stem)
    content = (tmp_path / "training.csv").read_bytes()

    def read(mutant: bytes) -> list[Source]:
        (tmp_path / "training.csv").write_bytes(mutant)
        return affectnet_sources(tmp_path, Silent())

    def plausible(sources: object) -> bool:
        return isinstance(sources, list) and 0 < sum(len(source.recipe.inputs) for source in sources) <= 160

    assert survives(read, content, plausible=plausible) > 20
