"""Files of rigs and of landmarks: round trips, and refusals in sentences."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.landmark_file import read_landmarks
from talkcli.engine.face.rig_file import read_rig, write_rig
from talkcli.engine.face.shape_rig import ShapeRig

DRAW = np.random.default_rng(3)
VERTS = DRAW.normal(0, 0.1, (90, 3)).astype(np.float32)
RIG = ShapeRig(
    name="r",
    channels=("open", "smile"),
    template=VERTS,
    deltas=DRAW.normal(0, 0.01, (2, 90, 3)).astype(np.float32),
    faces=np.array([[0, 1, 2], [2, 3, 4]]),
    marks=np.arange(68),
    parts=("skin", "teeth"),
    part_of_face=np.array([0, 1]),
)


def test_a_rig_comes_back_as_a_head(tmp_path: Path) -> None:
    path = tmp_path / "rig.npz"
    write_rig(path, RIG)
    head = load_head(str(path))
    assert head.channels == RIG.channels
    assert head.parts == RIG.parts
    weights = torch.tensor([[0.5, 0.0], [0.0, 2.0]])
    expected = RIG.template + np.stack([0.5 * RIG.deltas[0], 2 * RIG.deltas[1]])
    np.testing.assert_allclose(head(weights).numpy(), expected, atol=1e-7)
    only = torch.tensor([7, 3])
    np.testing.assert_allclose(head(weights, only=only).numpy(), expected[:, [7, 3]], atol=1e-7)
    np.testing.assert_array_equal(head.landmarks(head(weights)).numpy(), head(weights)[:, :68].numpy())
    write_rig(tmp_path / "again.npz", read_rig(path))
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_landmarks_that_nobody_knows() -> None:
    bare = ShapeRig(name="bare", channels=RIG.channels, template=RIG.template, deltas=RIG.deltas)
    with pytest.raises(AssetError, match="bare"):
        bare.landmarks(torch.zeros(1, 90, 3))
    marked = bare.with_landmarks(np.arange(68)[::-1])
    assert marked.landmarks(torch.from_numpy(VERTS)[None])[0, 0, 0] == VERTS[67, 0]


@pytest.mark.parametrize(
    "changed",
    [
        {"names": np.array(["open", "open"])}, {"names": np.array(["open"])}, {"names": np.arange(2)},
        {"neutral": np.zeros((90, 2), np.float32)}, {"neutral": np.zeros((90, 3), np.float32)},
        {"neutral": np.full((90, 3), np.nan, np.float32)}, {"deltas": np.zeros((2, 89, 3), np.float32)},
        {"deltas": np.full((2, 90, 3), np.inf, np.float32)}, {"faces": np.array([[0, 1, 90]])},
        {"landmarks": np.arange(67)}, {"landmarks": np.full(68, -1)}, {"parts": np.arange(3)},
        {"part_of_face": np.array([0, 9])}, {"colours": np.zeros((3, 3), np.float32)},
    ],
)  # fmt: skip
def test_hostile_rigs(tmp_path: Path, changed: dict[str, np.ndarray]) -> None:
    path = tmp_path / "rig.npz"
    write_rig(path, RIG)
    with np.load(path) as stored:
        whole = dict(stored)
    np.savez(path, **{**whole, **changed})
    with pytest.raises(InputError):
        read_rig(path)


def test_landmarks_of_every_form(tmp_path: Path) -> None:
    marks = np.arange(68) + 5
    forms = {
        "a.json": json.dumps(marks.tolist()),
        "b.json": json.dumps({"landmarks": VERTS[marks].tolist()}),
        "c.csv": "vertex\n" + "\n".join(map(str, marks)),
        "d.csv": "\n".join(",".join(map(repr, map(float, row))) for row in VERTS[marks]),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text)
        np.testing.assert_array_equal(read_landmarks(tmp_path / name, VERTS), marks)
    np.savez(tmp_path / "e.npz", landmarks=VERTS[marks])
    np.testing.assert_array_equal(read_landmarks(tmp_path / "e.npz", VERTS), marks)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "[1, 2]"), ("a.json", "{}"), ("a.json", "7"), ("a.json", json.dumps([99] * 68)),
        ("a.json", json.dumps([0.5] * 68)), ("a.json", json.dumps([3] * 68)), ("a.json", "[" * 99),
        ("a.json", json.dumps([[9.0, 9.0, 9.0]] * 68)), ("a.csv", "1,2\n3\n"), ("a.csv", "x\ny\n"),
        ("a.csv", "\n".join(map(str, range(69)))), ("a.npz", "no archive"),
        ("a.json", json.dumps(["x"] * 68)),
    ],
)  # fmt: skip
def test_hostile_landmarks(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError):
        read_landmarks(tmp_path / name, VERTS)


def test_another_suffix_of_landmarks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="landmarks="):
        read_landmarks(tmp_path / "a.txt", VERTS)
