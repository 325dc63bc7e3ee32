"""What trackers of FLAME write becomes motion, by the names of the arrays; or it is said what it is."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.folder import BareMotion, folder_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.tracker_files import is_tracker_file, read_tracker_motion
from talkcli.engine.types import Silent
from tests.engine.prepare.adapters.test_live_link import save_sound

_FRAMES = 7
_RNG = np.random.default_rng(3)


def _array(width: int, scale: float = 0.3) -> np.ndarray:
    return (scale * _RNG.standard_normal((_FRAMES, width))).astype(np.float32)


_EXPRESSION, _EXPRESSION_100, _JAW, _HEAD = _array(50, 1.0), _array(100, 1.0), _array(3), _array(3)
_JAW_6D = Rotation.from_rotvec(_JAW).as_matrix()[:, :2].reshape(_FRAMES, 6).astype(np.float32)
_POSE = np.concatenate([_HEAD, _JAW], axis=1)
FILES: dict[str, tuple[str, bool, dict[str, Any]]] = {
    "smirk": (
        "SMIRK",
        True,
        {
            "expression_params": _EXPRESSION,
            "jaw_params": _JAW,
            "pose_params": _HEAD,
            "eyelid_params": _array(2),
            "shape_params": _array(300),
            "cam": _array(3),
        },
    ),
    "emoca": (
        "EMOCA",
        True,
        {"expcode": _EXPRESSION, "posecode": _POSE, "shapecode": _array(100), "cam": _array(3)},
    ),
    "deca": ("DECA", True, {"exp": _EXPRESSION, "pose": _POSE, "shape": _array(100), "tex": _array(50)}),
    "emica": ("EMICA", True, {"expcode": _EXPRESSION_100, "jawpose": _JAW, "globalpose": _HEAD}),
    "metrical": (
        "metrical-tracker",
        False,
        {
            "exp": _EXPRESSION_100,
            "jaw": _JAW_6D,
            "eyes": _array(12),
            "eyelids": _array(2),
            "shape": _array(300),
        },
    ),
    "vhap": (
        "VHAP",
        False,
        {
            "expr": _EXPRESSION_100,
            "jaw_pose": _JAW,
            "neck_pose": _array(3),
            "rotation": _HEAD,
            "shape": _array(300)[0],
        },
    ),
    "head-tracker": (
        "flame-head-tracker",
        False,
        {"exp": _EXPRESSION_100, "jaw_pose": _JAW, "head_pose": _HEAD},
    ),
    "smplx": ("smplx", False, {"expression": _EXPRESSION, "jaw_pose": _JAW, "global_orient": _HEAD}),
}


def _saved(folder: Path, arrays: dict[str, Any], form: str) -> Path:
    path = folder / f"clip.{form.rpartition(' ')[2]}"
    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return path
    content: Any = arrays
    if form.startswith("nested"):
        content = {"flame": arrays, "img_size": np.array([512, 512])}
    elif form.startswith("list"):
        content = [
            {name: array[k : k + 1] for name, array in arrays.items() if array.ndim > 1}
            for k in range(_FRAMES)
        ]
    if path.suffix == ".npy":
        np.save(path, content, allow_pickle=True)
    else:
        path.write_bytes(pickle.dumps(content))
    return path


@pytest.mark.parametrize("tool", FILES)
@pytest.mark.parametrize("form", ["npz", "npy", "pkl", "nested npy", "nested pkl", "list pkl"])
def test_expression_and_jaw_are_kept(tmp_path: Path, tool: str, form: str) -> None:
    _, has_head, arrays = FILES[tool]
    path = _saved(tmp_path, arrays, form)
    assert is_tracker_file(path)
    motion = read_tracker_motion(path, 25.0)
    expression = next(array for array in arrays.values() if array is _EXPRESSION or array is _EXPRESSION_100)
    np.testing.assert_allclose(motion.coeffs[:, :50], expression[:, :50])
    np.testing.assert_allclose(motion.coeffs[:, 50:], _JAW, atol=1e-5)
    assert (motion.head, motion.fps) == ("flame", 25.0)
    assert (motion.pose is not None) == has_head
    if motion.pose is not None:
        np.testing.assert_allclose(motion.pose, _HEAD)


@pytest.mark.parametrize("tool", FILES)
def test_the_tool_is_named_where_something_is_missing(tmp_path: Path, tool: str) -> None:
    title, _, arrays = FILES[tool]
    with pytest.raises(InputError, match=rf"{title}.* does not store its frame rate") as caught:
        read_tracker_motion(_saved(tmp_path, arrays, "npz"), None)
    assert "`source_fps`" in (caught.value.hint or "")
    assert read_tracker_motion(_saved(tmp_path, arrays | {"fps": np.array(30)}, "npz"), None).fps == 30
    one = {name: array[:1] for name, array in arrays.items()}
    with pytest.raises(InputError, match=rf"{title}.* holds one picture"):
        read_tracker_motion(_saved(tmp_path, one, "pkl"), 25.0)
    wild = {name: array * np.nan for name, array in arrays.items()}
    with pytest.raises(InputError, match=title):
        read_tracker_motion(_saved(tmp_path, wild, "npz"), 25.0)
    shorter = {name: array[: 3 + (array is _JAW)] for name, array in arrays.items()}
    if _JAW is next((array for array in arrays.values() if array is _JAW), None):
        with pytest.raises(InputError, match=title):
            read_tracker_motion(_saved(tmp_path, shorter, "npz"), 25.0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": _JAW, "b": _JAW}, r"no known tracker uses .*\(a, b\)"),
        ({"exp": _EXPRESSION}, r"no known tracker uses .*\(exp\)"),
        ({"expressions": _EXPRESSION, "poses": _array(165)}, "BEAT2"),
        ({"identity": _array(300)}, "MICA"),
        ({}, r"no known tracker uses .*\(nothing\)"),
        ({f"name {k}": _JAW for k in range(500)}, "name 0"),
        ({"exp": "text", "pose": _POSE}, "str where an array of floats"),
        ({"exp": _EXPRESSION, "pose": _HEAD}, r"pose is \(7, 3\)"),
        ([1, 2, 3], "holds a list"),
        ("text", "holds a str"),
        ([{"exp": _EXPRESSION[0]}, {"exp": _EXPRESSION[:2]}], "differ in size"),
    ],
)
def test_what_is_no_trackers(tmp_path: Path, content: Any, words: str) -> None:
    path = tmp_path / "clip.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(InputError, match=words) as caught:
        read_tracker_motion(path, 25.0)
    assert len(caught.value.problem) < 600


def test_the_first_tool_with_all_names_is_meant(tmp_path: Path) -> None:
    both = FILES["deca"][2] | {"jaw": _JAW_6D}
    motion = read_tracker_motion(_saved(tmp_path, both, "npz"), 25.0)
    assert motion.pose is not None


def test_a_folder_of_them_becomes_clips(tmp_path: Path) -> None:
    for tool, (_, _, arrays) in FILES.items():
        long = {name: np.repeat(array, 11, axis=0) for name, array in arrays.items() if array.ndim > 1}
        folder = tmp_path / "in" / tool
        folder.mkdir(parents=True)
        save_sound(folder / "clip.wav", 77 / 25)
        _saved(folder, long, "npz")
    sources = folder_sources(tmp_path / "in", BareMotion(fps=25.0), "CC0-1.0", Silent())
    built = build(sources, tmp_path / "out", Silent(), Plan(num_workers=0))
    assert [item.reason for item in built.dropped] == []
    assert {entry.id for entry in built.entries} == {f"{tool}/clip" for tool in FILES}
