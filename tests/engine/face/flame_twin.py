"""A small file with FLAME's structure, pickled as Python 2 did it, and a plain skinning to compare with."""

from __future__ import annotations

import pickle
import struct
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import scipy.sparse

NUM_VERTS = 40
NUM_FACES = 60
PARENTS = (-1, 0, 1, 1, 1)


def flame_arrays(seed: int = 0) -> dict[str, np.ndarray]:
    """Random arrays under FLAME's own keys; a third of the vertices have no jaw weight at all."""
    draw = np.random.default_rng(seed)
    weights = draw.dirichlet(np.ones(5), NUM_VERTS)
    weights[: NUM_VERTS // 3, 2] = 0
    weights[-4:] = (0, 0, 0, 0, 1)
    weights /= weights.sum(axis=1, keepdims=True)
    regressor = np.where(draw.random((5, NUM_VERTS)) < 0.3, draw.random((5, NUM_VERTS)), 0)
    regressor[:, 0] += 0.1
    return {
        "v_template": draw.normal(0, 0.1, (NUM_VERTS, 3)),
        "shapedirs": draw.normal(0, 0.01, (NUM_VERTS, 3, 400)),
        "posedirs": draw.normal(0, 0.01, (NUM_VERTS, 3, 36)),
        "J_regressor": regressor / regressor.sum(axis=1, keepdims=True),
        "weights": weights,
        "f": draw.integers(0, NUM_VERTS, (NUM_FACES, 3)).astype(np.uint32),
        "kintree_table": np.array([[2**32 - 1, 0, 1, 1, 1], range(5)], dtype=np.uint32),
    }


class _Python2Pickler(pickle._Pickler):
    """Protocol 2 with Python 2's strings, which are bytes."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def save_string(self, value: bytes | str) -> None:
        raw = value if isinstance(value, bytes) else value.encode("latin-1")
        self.write(pickle.BINSTRING + struct.pack("<i", len(raw)) + raw)
        self.memoize(value)

    dispatch[bytes] = save_string
    dispatch[str] = save_string


def python2_pickle(path: Path, value: Any) -> None:
    """Write `value` as Python 2, numpy 1 and scipy 0.19 would have."""
    with path.open("wb") as file:
        _Python2Pickler(file, protocol=2).dump(value)
    content = path.read_bytes()
    # Text in the GLOBAL instruction carries no length, so names can be exchanged.
    for new, old in (
        (b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n"),
        (b"cscipy.sparse._csc\n", b"cscipy.sparse.csc\n"),
    ):
        content = content.replace(new, old)
    path.write_bytes(content)


def chumpy_class(module: str, name: str) -> type:
    """A stand-in for a class of chumpy, picklable under chumpy's name while the test runs."""
    for part in ("chumpy", module):
        sys.modules.setdefault(part, types.ModuleType(part))
    made = type(name, (), {"__module__": module})
    setattr(sys.modules[module], name, made)
    return made


def write_flame(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """`arrays` as generic_model.pkl holds them: some as chumpy leaves, the regressor as a scipy matrix."""
    leaf_class = chumpy_class("chumpy.ch", "Ch")

    def leaf(array: np.ndarray) -> Any:
        made = leaf_class()
        made.__dict__.update(x=array, _dirty_vars={"x"}, _itr=None, _depends_on_deps={})
        return made

    try:
        python2_pickle(
            path,
            {
                **arrays,
                "v_template": leaf(arrays["v_template"]),
                "shapedirs": leaf(np.asfortranarray(arrays["shapedirs"])),
                "J_regressor": scipy.sparse.csc_matrix(arrays["J_regressor"]),
                "bs_style": "lbs",
                "bs_type": "lrotmin",
            },
        )
    finally:
        for module in ("chumpy", "chumpy.ch"):
            sys.modules.pop(module, None)


def rodrigues(vector: np.ndarray) -> np.ndarray:
    angle = float(np.linalg.norm(vector))
    if angle == 0:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def skin(arrays: dict[str, np.ndarray], coeffs: np.ndarray) -> np.ndarray:
    """One frame by the textbook: all five joints, the whole chain, homogeneous matrices, vertex by vertex."""
    betas = np.zeros(400)
    betas[300:350] = coeffs[:50]
    shaped = arrays["v_template"] + arrays["shapedirs"] @ betas
    joints = arrays["J_regressor"] @ shaped
    rotations = [np.eye(3), np.eye(3), rodrigues(coeffs[50:]), np.eye(3), np.eye(3)]
    feature = np.concatenate([(rotation - np.eye(3)).ravel() for rotation in rotations[1:]])
    posed = shaped + arrays["posedirs"] @ feature
    world: list[np.ndarray] = []
    for joint, parent in enumerate(PARENTS):
        local = np.eye(4)
        local[:3, :3] = rotations[joint]
        local[:3, 3] = joints[joint] - (joints[parent] if parent >= 0 else 0)
        world.append(local if parent < 0 else world[parent] @ local)
    result = np.empty_like(posed)
    for vertex, point in enumerate(posed):
        blend = np.zeros(3)
        for joint, matrix in enumerate(world):
            moved = matrix[:3, :3] @ (point - joints[joint]) + matrix[:3, 3]
            blend += arrays["weights"][vertex, joint] * moved
        result[vertex] = blend
    return result
