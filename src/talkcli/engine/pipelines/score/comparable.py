"""Motions of one clip made comparable: on one topology, at one frame rate, of one length, with one rest."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.resample import resample
from talkcli.engine.face.surface import Surface
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.types import AnyMotion, Motion, Reporter, VertexMotion
from talkcli.engine.wording import counted

# Largest distance between the vertices of two neutral faces that count as equal, as a share of the face's
# extent: the rounding of float32 can cause it.
_SAME_FACE = 1e-5


@lru_cache(maxsize=1)
def cached_head(name: str) -> Head:
    """Return the head called `name`, which all clips share."""
    return load_head(name)


def on_one_topology(
    takes: list[AnyMotion], true: AnyMotion | None
) -> tuple[list[AnyMotion], AnyMotion | None]:
    """Return all motions as vertices where some are vertices of a head and the others its coefficients."""
    motions = [*takes, *([] if true is None else [true])]
    meshes = {motion.topology for motion in motions if isinstance(motion, VertexMotion)}
    heads = {motion.head for motion in motions if isinstance(motion, Motion)}
    if len(meshes) != 1 or meshes != heads:
        return takes, true
    head = cached_head(heads.pop())
    moved: list[AnyMotion] = [
        vertices_of(motion, head) if isinstance(motion, Motion) else motion for motion in motions
    ]
    return moved[: len(takes)], None if true is None else moved[-1]


def vertices_of(motion: Motion, head: Head) -> VertexMotion:
    """Return the vertices of `head` that a motion of its coefficients moves; the head does not turn."""
    return VertexMotion(
        vertices=Surface(motion, head).vertices(),
        neutral=head.template,
        fps=motion.fps,
        topology=head.name,
        meta=motion.meta,
    )


def aligned(
    case: Case, takes: list[AnyMotion], true: AnyMotion | None, reporter: Reporter
) -> tuple[list[AnyMotion], AnyMotion | None]:
    """Return the takes and the true motion of a clip at one frame rate and of one length.

    The rate is that of the truth, else that of the first take; the length is that of the shortest motion. The
    reporter gets a note of either change.
    """
    fps = true.fps if true else takes[0].fps
    if any(not np.isclose(motion.fps, fps) for motion in takes):
        reporter.note(f"{case.id}: resampled to {fps:g} fps.")
        takes = [motion if np.isclose(motion.fps, fps) else resample(motion, fps) for motion in takes]
    lengths = {motion.num_frames for motion in (*takes, *([true] if true else []))}
    if len(lengths) > 1:
        reporter.note(f"{case.id}: cut to {counted(min(lengths), 'frame')}, the longest has {max(lengths)}.")
    return [_cut(motion, min(lengths)) for motion in takes], _cut(true, min(lengths)) if true else None


def compare_neutrals(case: Case, take: AnyMotion, true: AnyMotion, reporter: Reporter) -> None:
    """Warn when the predicted and the true vertices belong to faces that differ at rest."""
    if not isinstance(take, VertexMotion) or not isinstance(true, VertexMotion):
        return
    apart = float(np.linalg.norm(take.neutral - true.neutral, axis=-1).max())
    extent = float(np.ptp(true.neutral, axis=0).max())
    if apart > _SAME_FACE * extent:
        reporter.warn(
            f"{case.id}: the neutral faces of prediction and truth differ by up to {apart:.3g}; "
            "vertex errors include this difference."
        )


def _cut(motion: AnyMotion, num_frames: int) -> AnyMotion:
    """Return the first frames of a motion."""
    if isinstance(motion, VertexMotion):
        return replace(motion, vertices=motion.vertices[:num_frames])
    pose = None if motion.pose is None else motion.pose[:num_frames]
    return replace(motion, coeffs=motion.coeffs[:num_frames], pose=pose)
