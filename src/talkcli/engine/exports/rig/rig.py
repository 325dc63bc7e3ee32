"""A rig: a mesh at rest, linear targets, and joints that turn; and what moves it over time.

Axis names: `verts`, `rows` (vertices of a choice), `frames`, `targets`, `joints`. A vertex is the place at
rest plus the targets by their weights; then it moves with its joints by its shares of them (linear blend
skinning). Metres, radians.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.exports.rig.normals import vertex_normals
from talkcli.engine.face.topology import Topology


@dataclass(frozen=True)
class Joint:
    """A point that turns, and takes along what belongs to it. Parents stand before their children."""

    name: str
    place: Float[np.ndarray, "3"]
    parent: int | None = None


@dataclass(frozen=True, kw_only=True)
class Target:
    """Displacements of some vertices: `rows[i]` moves by `steps[i]` where the weight is 1, and the normal of
    `bent[i]` changes by `bends[i]`.
    """

    name: str
    rows: Int[np.ndarray, "rows"]
    steps: Float[np.ndarray, "rows 3"]
    bent: Int[np.ndarray, "others"]
    bends: Float[np.ndarray, "others 3"]

    def dense(self, num_verts: int) -> Float[np.ndarray, "verts 3"]:
        """Return the displacements of all vertices."""
        moves = np.zeros((num_verts, 3), np.float32)
        moves[self.rows] = self.steps
        return moves


class AtRest:
    """A mesh at rest, which makes targets of displacements."""

    def __init__(self, template: Float[np.ndarray, "verts 3"], faces: Int[np.ndarray, "faces 3"]) -> None:
        self._template = template.astype(np.float64)
        self._faces = faces
        self.normals = vertex_normals(self._template, faces)

    def target(self, name: str, moves: Float[np.ndarray, "verts 3"]) -> Target:
        """Return the target of displacements of all vertices, without those that are not seen."""
        rows = np.flatnonzero(np.abs(moves).max(axis=1) > _LEAST_M)
        steps = moves[rows].astype(np.float32)
        moved = np.zeros(len(self._template), bool)
        moved[rows] = True
        # The triangles that move turn the normals of all their corners.
        touched = np.zeros(len(self._template), bool)
        touched[self._faces[moved[self._faces].any(axis=1)]] = True
        near = self._faces[touched[self._faces].any(axis=1)]
        at_one = self._template.copy()
        at_one[rows] += steps
        bent = np.flatnonzero(touched)
        bends = vertex_normals(at_one, near)[bent] - self.normals[bent]
        seen = np.abs(bends).max(axis=1, initial=0.0) > _LEAST_TURN
        return Target(
            name=name, rows=rows, steps=steps, bent=bent[seen], bends=bends[seen].astype(np.float32)
        )


# Displacements in metres and changes of normals below these are not seen.
_LEAST_M, _LEAST_TURN = 2e-6, 2e-3


# Joints of a vertex that a file has at most.
INFLUENCES = 4


def influences(
    shares: Float[np.ndarray, "rows joints"],
) -> tuple[Int[np.ndarray, "rows most"], Float[np.ndarray, "rows most"]]:
    """Return the joints that move each vertex most, the greatest first, and their shares, scaled to 1."""
    joints = np.argsort(-shares, axis=1, kind="stable")[:, :INFLUENCES]
    largest = np.take_along_axis(shares, joints, axis=1)
    return joints, (largest / largest.sum(axis=1, keepdims=True)).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A head as a rig."""

    topology: Topology
    """The head, whose place at rest, triangles, parts and colours the rig has."""
    normals: Float[np.ndarray, "verts 3"]
    """Normals of the vertices at rest."""
    targets: tuple[Target, ...]
    joints: tuple[Joint, ...]
    shares: Float[np.ndarray, "verts joints"]
    """How far each vertex follows each joint; a row adds up to 1."""
    licence: str
    """Under which licence the rig may be used, in a sentence."""


@dataclass(frozen=True, kw_only=True)
class Moves:
    """What moves a rig over time."""

    fps: float
    weights: Float[np.ndarray, "frames targets"]
    turns: Mapping[int, Float[np.ndarray, "frames 4"]] = field(default_factory=dict)
    """Quaternions (w, x, y, z) of joints by their index, relative to the parent; other joints rest."""
    places: Mapping[int, Float[np.ndarray, "frames 3"]] = field(default_factory=dict)
    """Places of joints that move, relative to the parent's."""

    @property
    def num_frames(self) -> int:
        return len(self.weights)
