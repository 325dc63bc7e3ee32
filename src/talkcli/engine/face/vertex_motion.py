"""Vertices over time: at another rate, between frames, and whether they can be the subject's face.

Axis names: `frames`, `verts`, `others` = frames of the result.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.readers.npy import map_array
from talkcli.engine.types import VertexMotion
from talkcli.engine.wording import counted

# Of the face's largest extent; an open mouth moves the chin by a fifth of it.
_FARTHEST = 0.5


def read_vertices(path: Path, num_verts: int, most_frames: int) -> Float[np.ndarray, "frames verts 3"]:
    """Return the vertices of `path`, rows of verts * 3 or of (verts, 3) floats of any width, as float32.

    Raises InputError for another shape or type and for more than `most_frames`, before they are read.
    """
    rows = map_array(path)
    if rows.dtype.kind != "f" or rows.shape[1:] not in ((num_verts * 3,), (num_verts, 3)):
        raise InputError(
            f"{path} holds {rows.dtype} {rows.shape}, floats of (frames, {num_verts * 3}) are needed."
        )
    if not 0 < len(rows) <= most_frames:
        raise InputError(
            f"{path} holds {counted(len(rows), 'frame')}, 1 to {most_frames} are expected of one clip."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        return np.array(rows, dtype=np.float32, order="C").reshape(-1, num_verts, 3)


def check_vertices(mesh: VertexMotion) -> None:
    """Raise InputError when vertices are not finite, or further from where they rest than a face reaches:
    then they are damaged, or of another subject or unit.
    """
    lowest, highest = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    if not (np.isfinite(lowest).all() and np.isfinite(highest).all()):
        raise InputError("The vertices are not all finite numbers.")
    extent = float(np.ptp(mesh.neutral, axis=0).max())
    farthest = float(max((highest - mesh.neutral).max(), (mesh.neutral - lowest).max()))
    if farthest > _FARTHEST * extent:
        raise InputError(
            f"A vertex moves {farthest:.3g} from where it rests, more than half of the template's extent of "
            f"{extent:.3g}: damaged, or another subject's template."
        )


def resample_vertices(mesh: VertexMotion, fps: float) -> VertexMotion:
    """Return `mesh` at `fps` frames per second; itself when that is its rate already.

    A rate that is a whole part of the old one keeps every second, third, ... frame from the first, as users
    of VOCASET do with 60 and 30. Any other is interpolated linearly, frame k being the state at the middle
    of its time. Raises ValueError when `fps` is not positive.
    """
    if not 0 < fps < float("inf"):
        raise ValueError(f"fps {fps} is not positive")
    if fps == mesh.fps:
        return mesh
    step = round(mesh.fps / fps)
    if step > 1 and np.isclose(mesh.fps, step * fps):
        vertices = mesh.vertices[::step]
    else:
        num_frames = max(1, round(len(mesh.vertices) * fps / mesh.fps))
        vertices = between_frames(mesh.vertices, (np.arange(num_frames) + 0.5) * (mesh.fps / fps) - 0.5)
    return replace(mesh, vertices=vertices, fps=fps)


def between_frames(
    vertices: Float[np.ndarray, "frames verts 3"], at: Float[np.ndarray, "others"]
) -> Float[np.ndarray, "others verts 3"]:
    """Return `vertices` at the frame numbers `at`, linearly between frames; the first and last are held
    beyond.
    """
    last = len(vertices) - 1
    at = np.clip(at, 0, last)
    left = at.astype(np.int64)
    share = (at - left).astype(np.float32)[:, None, None]
    before, after = vertices[left], vertices[np.minimum(left + 1, last)]
    # In this form what rests stays where it is to the last bit.
    return before + (after - before) * share
