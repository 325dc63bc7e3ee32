"""Where the eyeballs are and where they look, from the vertices of a frame.

Axis names: `verts`, `faces`, `eyes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.render.renderer import Scene

# Fewer vertices than this are no eyeball; nor is what lies farther off a sphere than this part of its radius,
# or is so flat that it spans less than this part.
_FEWEST, _OFF, _SPAN = 12, 0.15, 1.1


@dataclass(frozen=True)
class _Eyeball:
    """One eyeball: its `verts`, the `weights` that make its centre of them whatever way it is turned, and the
    vertex at its `front`."""

    verts: Int[np.ndarray, "chosen"]
    weights: Float[np.ndarray, "chosen"]
    front: int


class Eyeballs:
    """The bodies of a scene whose material has a cornea; none where the scene knows no place at rest."""

    def __init__(self, scene: Scene) -> None:
        self._all: list[_Eyeball] = []
        if scene.rest is None:
            return
        has_cornea = np.array([material.cornea for material in scene.materials], np.bool_)
        faces = np.asarray(scene.faces)[has_cornea[np.asarray(scene.part_of_face)]]
        rest = np.asarray(scene.rest, float)
        for verts in _joined(_bodies(faces, len(rest)), rest):
            eyeball = _fitted(verts, rest[verts])
            if eyeball is not None:
                self._all.append(eyeball)

    def at(self, vertices: Float[np.ndarray, "verts 3"]) -> Float[np.ndarray, "eyes 7"]:
        """Return centre, line of sight and radius of each eyeball; one that is not a number is left out."""
        rows = []
        for eyeball in self._all:
            centre = eyeball.weights @ vertices[eyeball.verts]
            sight = vertices[eyeball.front] - centre
            length = float(np.linalg.norm(sight))
            if np.isfinite(length) and length > 0.0:
                rows.append([*centre, *(sight / length), length])
        return np.array(rows, np.float32).reshape(-1, 7)


def _bodies(faces: Int[np.ndarray, "faces 3"], num_verts: int) -> list[Int[np.ndarray, "chosen"]]:
    """Return the vertices of each connected body of `faces`."""
    used = np.unique(faces)
    lowest = np.arange(num_verts)
    while len(faces):
        before = lowest.copy()
        np.minimum.at(lowest, faces.ravel(), np.repeat(lowest[faces].min(axis=1), 3))
        lowest = lowest[lowest]
        if (lowest == before).all():
            break
    return [used[lowest[used] == body] for body in np.unique(lowest[used])]


def _joined(
    bodies: list[Int[np.ndarray, "_"]], rest: Float[np.ndarray, "verts 3"]
) -> list[Int[np.ndarray, "_"]]:
    """Return `bodies` with those joined whose boxes overlap: the white of an eye and its iris."""
    joined: list[Int[np.ndarray, "_"]] = []
    for body in bodies:
        verts = body
        low, high = rest[verts].min(axis=0), rest[verts].max(axis=0)
        apart = []
        for other in joined:
            if (rest[other].min(axis=0) <= high).all() and (low <= rest[other].max(axis=0)).all():
                verts = np.concatenate([other, verts])
            else:
                apart.append(other)
        joined = [*apart, verts]
    return joined


def _fitted(verts: Int[np.ndarray, "chosen"], rest: Float[np.ndarray, "chosen 3"]) -> _Eyeball | None:
    """Return the eyeball through `rest` (a sphere by least squares); None for what is no eyeball."""
    if len(verts) < _FEWEST:
        return None
    near = rest - rest.mean(axis=0)
    # |p|^2 = 2 p.c + (r^2 - |c|^2), linear in c.
    system = np.column_stack([2.0 * near, np.ones(len(near))])
    solution, _, rank, _ = np.linalg.lstsq(system, (near**2).sum(axis=1), rcond=1e-9)
    centre, radius = solution[:3], float(np.sqrt(max(solution[3] + solution[:3] @ solution[:3], 0.0)))
    off = np.abs(np.linalg.norm(near - centre, axis=1) - radius).max()
    if rank < 4 or off > _OFF * radius or np.ptp(near, axis=0).min() < _SPAN * radius:
        return None
    # The smallest weights of sum 1 that make the centre: turning the body turns it along.
    weights = np.linalg.pinv(np.column_stack([near, np.ones(len(near))]).T) @ np.append(centre, 1.0)
    return _Eyeball(verts, weights.astype(np.float32), int(verts[np.argmax(near[:, 2])]))
