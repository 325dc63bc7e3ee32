"""Reads what the FLAME authors and others publish: the model, its vertex masks, its landmark embeddings.

Axis names: `verts`, `faces`, `joints` = 5 (root, neck, jaw, left eye, right eye).
Source: Li et al. 2017, "Learning a model of facial shape and expression from 4D scans"; file layouts as
published with FLAME 2020, RingNet and DECA. The files are the user's own, under the FLAME licence.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.assets import cache_dir
from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import NUM_EXPRESSION
from talkcli.engine.files import atomic_path, sha256
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.readers.safe_pickle import read_pickle

# The first expression component comes after the 300 of identity.
FIRST_EXPRESSION = 300
JAW_JOINT = 2
EYE_JOINTS = (3, 4)
NUM_JOINTS = 5
NUM_POSE_FEATURES = 9 * (NUM_JOINTS - 1)
MASKS_FILE = "FLAME_masks.pkl"
DECA_LANDMARKS_FILE = "landmark_embedding.npy"
RINGNET_STATIC_FILE = "flame_static_embedding.pkl"
RINGNET_DYNAMIC_FILE = "flame_dynamic_embedding.npy"
_FORMAT = 1
_HINT = "FLAME 2020's generic_model.pkl from https://flame.is.tue.mpg.de is the file that is meant."


@dataclass(frozen=True, kw_only=True)
class FlameArrays:
    """The part of the model that a face with the mean identity needs; metres."""

    template: Float[np.ndarray, "verts 3"]
    expressions: Float[np.ndarray, "verts 3 50"]
    pose_correctives: Float[np.ndarray, "verts 3 36"]
    joint_regressor: Float[np.ndarray, "5 verts"]
    weights: Float[np.ndarray, "verts 5"]
    faces: Int[np.ndarray, "faces 3"]


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """Landmarks as points on triangles: face index and barycentric weights, 68 of each."""

    faces: Int[np.ndarray, "68"]
    weights: Float[np.ndarray, "68 3"]


def read_flame(path: Path) -> FlameArrays:
    """Return the model in `path`: the published pickle, converted once into the cache, or an npz converted
    before.

    Raises InputError for a hostile, damaged or different file.
    """
    if path.suffix == ".npz":
        return _read_npz(path)
    cached = cache_dir() / "flame" / f"{sha256(path)[:32]}.v{_FORMAT}.npz"
    if cached.is_file():
        # A damaged one is made anew.
        with contextlib.suppress(InputError):
            return _read_npz(cached)
    arrays = _from_pickle(path)
    # Drawing goes on where the cache is full or cannot be written.
    with (
        contextlib.suppress(OSError, InputError),
        atomic_path(cached) as temporary,
        temporary.open("wb") as file,
    ):
        np.savez(file, **{item.name: getattr(arrays, item.name) for item in fields(arrays)})
    return arrays


def read_masks(path: Path) -> dict[str, Int[np.ndarray, "chosen"]]:
    """Return vertex indices by region name. Raises InputError for a file that is not that."""
    content = read_pickle(path)
    try:
        return {str(name): np.array(index, dtype=np.int64).reshape(-1) for name, index in content.items()}
    except (AttributeError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no vertex masks ({error}).", hint=_HINT) from error


def read_embedding(folder: Path) -> Embedding | None:
    """Return DECA's 68 landmarks, else RingNet's 51 with its frontal contour; None when neither is there."""
    try:
        if (folder / DECA_LANDMARKS_FILE).is_file():
            content = read_pickle(folder / DECA_LANDMARKS_FILE)
            return _embedding(content["full_lmk_faces_idx"], content["full_lmk_bary_coords"])
        if (folder / RINGNET_STATIC_FILE).is_file() and (folder / RINGNET_DYNAMIC_FILE).is_file():
            static, dynamic = (
                read_pickle(folder / name) for name in (RINGNET_STATIC_FILE, RINGNET_DYNAMIC_FILE)
            )
            return _embedding(
                np.concatenate((np.asarray(dynamic["lmk_face_idx"])[0], np.asarray(static["lmk_face_idx"]))),
                np.concatenate((np.asarray(dynamic["lmk_b_coords"])[0], np.asarray(static["lmk_b_coords"]))),
            )
    except (KeyError, IndexError, OverflowError, TypeError, ValueError) as error:
        raise InputError(f"The landmark files in {folder} hold something else ({error}).") from error
    return None


def _embedding(faces: Any, weights: Any) -> Embedding:
    return Embedding(
        faces=np.asarray(faces).astype(np.int64).reshape(68),
        weights=np.asarray(weights).astype(np.float32).reshape(68, 3),
    )


def _from_pickle(path: Path) -> FlameArrays:
    content = read_pickle(path)
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}, no FLAME model.", hint=_HINT)
    needed = ("v_template", "shapedirs", "posedirs", "J_regressor", "weights", "f")
    missing = [key for key in needed if key not in content]
    if missing:
        raise InputError(f"{path} has no {', '.join(missing)}, so it is no FLAME model.", hint=_HINT)
    try:
        raw = {key: np.asarray(content[key], dtype=np.int64 if key == "f" else np.float32) for key in needed}
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path} holds values that are no numbers ({error}).", hint=_HINT) from error
    num_shapes = raw["shapedirs"].shape[-1] if raw["shapedirs"].ndim == 3 else 0
    if num_shapes < FIRST_EXPRESSION + NUM_EXPRESSION:
        raise InputError(
            f"{path} has {num_shapes} shape components, {FIRST_EXPRESSION} of identity and at least "
            f"{NUM_EXPRESSION} of expression are needed.",
            hint=_HINT,
        )
    return _checked(
        path,
        {
            "template": raw["v_template"],
            "expressions": raw["shapedirs"][:, :, FIRST_EXPRESSION : FIRST_EXPRESSION + NUM_EXPRESSION],
            "pose_correctives": raw["posedirs"],
            "joint_regressor": raw["J_regressor"],
            "weights": raw["weights"],
            "faces": raw["f"],
        },
    )


def _read_npz(path: Path) -> FlameArrays:
    names = [item.name for item in fields(FlameArrays)]
    return _checked(path, read_arrays(path, names, kind="converted FLAME model", hint=_HINT))


def _checked(path: Path, arrays: dict[str, np.ndarray]) -> FlameArrays:
    odd = {name: str(values.dtype) for name, values in arrays.items() if not _is_number(name, values)}
    if odd:
        raise InputError(f"{path} holds {json.dumps(odd)} where numbers are needed.", hint=_HINT)
    with np.errstate(over="ignore"):
        arrays = {
            name: values if name == "faces" else values.astype(np.float32) for name, values in arrays.items()
        }
    # Scalars have no length.
    verts, faces = (len(np.atleast_1d(arrays[name])) for name in ("template", "faces"))
    expected: dict[str, tuple[int, ...]] = {
        "template": (verts, 3),
        "expressions": (verts, 3, NUM_EXPRESSION),
        "pose_correctives": (verts, 3, NUM_POSE_FEATURES),
        "joint_regressor": (NUM_JOINTS, verts),
        "weights": (verts, NUM_JOINTS),
        "faces": (faces, 3),
    }
    wrong = {name: arrays[name].shape for name, shape in expected.items() if arrays[name].shape != shape}
    if wrong:
        raise InputError(
            f"{path} holds arrays of shapes {json.dumps(wrong)} for {verts} vertices.", hint=_HINT
        )
    if any(not np.isfinite(array).all() for array in arrays.values()):
        raise InputError(f"{path} holds values that are not finite numbers.", hint=_HINT)
    if verts == 0 or len(arrays["faces"]) == 0:
        raise InputError(f"{path} has {verts} vertices and {len(arrays['faces'])} triangles.", hint=_HINT)
    if not 0 <= arrays["faces"].min(initial=0) <= arrays["faces"].max(initial=0) < verts:
        raise InputError(f"{path} has triangles that name vertices beyond its {verts}.", hint=_HINT)
    return FlameArrays(**{**arrays, "faces": arrays["faces"].astype(np.int64)})


def _is_number(name: str, values: np.ndarray) -> bool:
    return values.dtype.kind in ("iu" if name == "faces" else "f")
