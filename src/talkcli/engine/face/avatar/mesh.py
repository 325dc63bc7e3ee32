"""The meshes of an avatar as one: vertices that shapes move and bones carry.

Axis names: `frames`, `verts`, `rows` (a vertex once for each bone that carries it), `moving` rows of a part,
`shapes` of a part, `faces`. Skinning is linear: a vertex is the mean of where its bones take it. Bones that
no motion turns are one with what carries them, so that only head, jaw and eyes count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.face.avatar.geometry import Part
from talkcli.engine.face.avatar.rig import Rig
from talkcli.engine.face.avatar.shapes import Target

# Steps of shapes that all parts together may have, in numbers.
_MOST_STEPS = 60_000_000


@dataclass(frozen=True)
class _Carried:
    """The rows of one part that one bone carries."""

    bone: int | None
    verts: Int[np.ndarray, "rows"]
    rest: Float[np.ndarray, "rows 3"]
    """Share of the bone times place at rest."""
    share: Float[np.ndarray, "rows"]
    moved: Int[np.ndarray, "moving"]
    steps: Float[np.ndarray, "shapes flat"]
    """Share of the bone times the steps of the moved rows, one shape after the other."""
    targets: tuple[Target, ...]


class Mesh:
    """All parts of an avatar in the subject's space, in metres."""

    def __init__(self, parts: Sequence[Part], rig: Rig, driven: set[Target], weights: Weights) -> None:
        """Assemble `parts`.

        Args:
            parts: Parts as the file has them.
            rig: Bones that move them.
            driven: Shapes that motion moves; others keep their weight.
            weights: Weights at rest of all shapes by node.
        """
        self._carried: list[_Carried] = []
        faces, material, uv, start = [], [], [], 0
        left = _MOST_STEPS
        for part in parts:
            points, shapes = _at_rest(part, driven, weights)
            for carried in _carried(part, points, shapes, rig, start):
                left -= carried.steps.size
                if left < 0:
                    raise rig.nodes.document.wrong("has more shapes of more vertices than any avatar")
                self._carried.append(carried)
            corners = part.faces + start
            if np.linalg.det(rig.nodes.world[part.node, :3, :3]) < 0 and part.skin is None:
                # What is mirrored winds the other way.
                corners = corners[:, ::-1]
            faces.append(corners)
            material.append(np.full(len(corners), -1 if part.material is None else part.material))
            uv.append(np.zeros((len(points), 2), np.float32) if part.uv is None else part.uv)
            start += len(points)
        self.num_verts = start
        self.faces = np.concatenate([np.zeros((0, 3), np.int64), *faces])
        self.material_of_face = np.concatenate([np.zeros(0, np.int64), *material])
        self.uv = np.concatenate([np.zeros((0, 2), np.float32), *uv])

    def vertices(
        self,
        weights: Mapping[Target, Float[np.ndarray, "frames"]],
        moves: Mapping[int, Float[np.ndarray, "frames 4 4"]],
        num_frames: int,
    ) -> Float[np.ndarray, "frames verts 3"]:
        """Return where the vertices are.

        Args:
            weights: Weight of each driven shape over time; those that are not there are 0.
            moves: What each bone does to what it carries; bones that are not there rest.
            num_frames: Number of frames.
        """
        found = np.zeros((num_frames, self.num_verts, 3), np.float32)
        still = np.zeros(num_frames, np.float32)
        for carried in self._carried:
            places = np.broadcast_to(carried.rest, (num_frames, *carried.rest.shape))
            if carried.targets:
                columns = np.stack([weights.get(target, still) for target in carried.targets], axis=1)
                steps = columns.astype(np.float32) @ carried.steps
                places = places.copy()
                places[:, carried.moved] += steps.reshape(num_frames, -1, 3)
            move = None if carried.bone is None else moves.get(carried.bone)
            if move is not None:
                turn, way = move[:, :3, :3].astype(np.float32), move[:, None, :3, 3].astype(np.float32)
                places = places @ turn.swapaxes(1, 2) + carried.share[:, None] * way
            found[:, carried.verts] += places
        return found

    def shares(self) -> dict[int | None, Float[np.ndarray, "verts"]]:
        """Return for each bone, and for what stays, its share of each vertex."""
        found: dict[int | None, np.ndarray] = {}
        for carried in self._carried:
            share = found.setdefault(carried.bone, np.zeros(self.num_verts, np.float32))
            share[carried.verts] += carried.share
        return found

    def strengths(self) -> dict[Target, tuple[Int[np.ndarray, "moving"], Float[np.ndarray, "moving"]]]:
        """Return for each driven shape the vertices that it moves, and how far at 1, in metres."""
        found: dict[Target, tuple[np.ndarray, np.ndarray]] = {}
        for carried in self._carried:
            far = np.linalg.norm(carried.steps.reshape(len(carried.steps), len(carried.moved), 3), axis=2)
            for target, steps in zip(carried.targets, far, strict=True):
                some = steps > 0
                before = found.get(target, (np.zeros(0, np.int64), np.zeros(0, np.float32)))
                verts = carried.verts[carried.moved[some]]
                found[target] = np.concatenate([before[0], verts]), np.concatenate([before[1], steps[some]])
        return found


Weights = Mapping[int, tuple[float, ...]]


def _at_rest(
    part: Part, driven: set[Target], weights: Weights
) -> tuple[np.ndarray, dict[Target, tuple[np.ndarray, np.ndarray]]]:
    """Return the vertices of a part with the shapes that nobody drives, and those that somebody does."""
    points = part.points.copy()
    shapes = {}
    at_rest = weights.get(part.node, ())
    for number, (rows, steps) in part.shapes.items():
        if (part.node, number) in driven:
            shapes[part.node, number] = rows, steps
        elif number < len(at_rest) and at_rest[number]:
            points[rows] += np.float32(at_rest[number]) * steps
    return points, shapes


def _carried(
    part: Part,
    points: np.ndarray,
    shapes: Mapping[Target, tuple[np.ndarray, np.ndarray]],
    rig: Rig,
    start: int,
) -> list[_Carried]:
    """Return the rows of a part by the bone that carries them."""
    matrices = _matrices(part, rig)
    found = []
    for bone, (verts, matrix, share) in matrices.items():
        row = np.full(len(points), -1)
        row[verts] = np.arange(len(verts))
        moved = np.zeros(len(verts), bool)
        for rows, _ in shapes.values():
            at = row[rows]
            moved[at[at >= 0]] = True
        place = np.full(len(verts), -1)
        place[moved] = np.arange(int(moved.sum()))
        steps = np.zeros((len(shapes), int(moved.sum()), 3), np.float32)
        for number, (rows, stored) in enumerate(shapes.values()):
            at = row[rows]
            here = at >= 0
            turned = np.einsum("vij,vj->vi", matrix[at[here], :, :3], stored[here])
            steps[number, place[at[here]]] = turned
        rest = np.einsum("vij,vj->vi", matrix[:, :, :3], points[verts]) + matrix[:, :, 3]
        some = np.abs(steps).max(axis=(1, 2), initial=0) > 0 if steps.size else np.zeros(len(shapes), bool)
        found.append(
            _Carried(
                bone=bone,
                verts=verts + start,
                rest=rest.astype(np.float32),
                share=share.astype(np.float32),
                moved=np.flatnonzero(moved),
                steps=steps[some].reshape(int(some.sum()), 3 * int(moved.sum())),
                targets=tuple(target for target, kept in zip(shapes, some, strict=True) if kept),
            )
        )
    return found


def _matrices(part: Part, rig: Rig) -> dict[int | None, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return for each bone the vertices that it carries, the matrix that takes each to the subject's space,
    times the bone's share, and the share."""
    world = rig.nodes.world.astype(np.float32)
    count = len(part.points)
    if part.skin is None:
        whole = np.broadcast_to(world[part.node, :3], (count, 3, 4))
        return {rig.owner(part.node): (np.arange(count), whole, np.ones(count, np.float32))}
    used, at = np.unique(part.joints, return_inverse=True)
    at = at.reshape(part.joints.shape)
    nodes = part.skin.joints[used]
    placed = world[nodes, :3] @ part.skin.binds[used]
    owners = [rig.owner(int(node)) for node in nodes]
    found: dict[int | None, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}
    for bone in dict.fromkeys(owners):
        mine = np.array([owner == bone for owner in owners])
        share = np.where(mine[at], part.weights, 0.0)
        total = share.sum(axis=1)
        verts = np.flatnonzero(total > 0)
        if not len(verts):
            continue
        matrix = np.zeros((len(verts), 3, 4), np.float32)
        for column in range(share.shape[1]):
            some = share[verts, column] > 0
            rows = verts[some]
            matrix[some] += share[rows, column, None, None] * placed[at[rows, column]]
        found[bone] = verts, matrix, total[verts]
    return found
