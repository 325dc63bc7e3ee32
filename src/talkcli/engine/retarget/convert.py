"""Motion of one head as motion of another.

Axis names: `frames`. Heads that talk generates share their channels, so that motion of one is motion of all.
Between ada and ARKit names decide (`face/arkit.py`); everything else follows landmarks (`follow.py`), beside
the names where the target's shapes have names of ARKit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.face.arkit import ada_coeffs, arkit_curves
from talkcli.engine.face.channels import (
    ADA,
    ARKIT,
    FLAME,
    JAW,
    JAW_OPEN_RAD,
    JAW_SIDE_RAD,
    learned,
    space_name,
)
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.face.surface import Surface
from talkcli.engine.retarget.follow import follow
from talkcli.engine.retarget.goals import Goals, goals
from talkcli.engine.retarget.kept import Kept, kept
from talkcli.engine.retarget.mapping import Mapping
from talkcli.engine.retarget.named import curves_by_name, weights_by_name
from talkcli.engine.types import AnyMotion, Motion, Reporter, Silent
from talkcli.engine.video.rig import Rig

# Name of the target whose channels are ARKit's curves.
ARKIT_NAME = "arkit"
_FRAMES_AT_ONCE = 256
# Full scale of ada's jaw.
_JAW_SCALES = dict(zip(JAW, (JAW_OPEN_RAD, JAW_SIDE_RAD, JAW_SIDE_RAD), strict=True))


@dataclass(frozen=True, kw_only=True)
class Retargeted:
    """Motion on the target, how it was found ("names", "landmarks" or "landmarks beside names"), and what it
    keeps of the source.
    """

    motion: Motion
    how: str
    kept: Kept | None
    """None where nobody knows the landmarks of the target."""


def known_source(motion: AnyMotion) -> AnyMotion:
    """Return `motion`; weights of ARKit's curves become motion of ada, which shows them.

    Only the name of the motion's head says that they are: a rig's shapes may have the same names.
    """
    if not isinstance(motion, Motion) or motion.head != ARKIT_NAME or not set(motion.channels) <= set(ARKIT):
        return motion
    curves = dict(zip(motion.channels, motion.coeffs.T, strict=True))
    return Motion(
        coeffs=ada_coeffs(curves, motion.num_frames),
        fps=motion.fps,
        head="ada",
        channels=ADA,
        pose=motion.pose,
        meta=motion.meta,
    )


def retarget(source: Surface, target: Head | None, reporter: Reporter) -> Retargeted:
    """Return the motion of `source` on `target`; None means ARKit's curves, which ada shows.

    Raises AssetError for a head without landmarks.
    """
    shown = load_head("ada") if target is None else target
    if isinstance(shown, ShapeRig) and shown.landmark_vertices is None:
        return _by_names(source, shown)
    rig, (points, rest) = Rig(shown), points_of(source)
    wanted = goals(points, rest, rig.rest)
    motion, how = _moved(source, wanted, rig, reporter)
    reached = motion.coeffs
    if target is None:
        curves = arkit_curves(motion.coeffs, motion.channels)
        coeffs = np.stack([curves[name] for name in ARKIT], axis=1).astype(np.float32)
        motion = replace(motion, coeffs=coeffs, head=ARKIT_NAME, channels=ARKIT)
        reached = ada_coeffs(curves, len(coeffs))
    return Retargeted(motion=motion, how=how, kept=kept(wanted, rig.points(reached)))


def _by_names(source: Surface, target: ShapeRig) -> Retargeted:
    """Return the weights that names alone ask for. Raises InputError where they say nothing."""
    weights = _named(source, target)
    if weights is None:
        raise InputError(
            f"No shape of {target.name} has a name of ARKit's, and nobody knows its landmarks.",
            hint="Give `landmarks`, or a `mapping`.",
        )
    motion = source.motion
    moved = Motion(
        coeffs=weights,
        fps=source.fps,
        head=target.name,
        channels=target.channels,
        pose=motion.pose if isinstance(motion, Motion) else None,
    )
    return Retargeted(motion=moved, how="names", kept=None)


def measured(source: Surface, target: Head, motion: Motion) -> Kept:
    """Return what `motion` of `target`, however it was made, keeps of `source`.

    Raises AssetError for a head without landmarks.
    """
    rig, (points, rest) = Rig(target), points_of(source)
    return kept(goals(points, rest, rig.rest), rig.points(motion.coeffs))


def points_of(surface: Surface) -> tuple[Float[np.ndarray, "frames points 3"], Float[np.ndarray, "points 3"]]:
    """Return landmarks, and irises where the eyes turn, of every frame and at rest.

    Raises AssetError where nobody knows the landmarks.
    """
    motion, topology = surface.motion, surface.topology
    if isinstance(motion, Motion):
        assert isinstance(topology, Head)
        rig = Rig(topology)
        return rig.points(motion.coeffs), rig.rest
    found = [
        topology.landmarks(torch.from_numpy(surface.vertices(slice(start, start + _FRAMES_AT_ONCE)))).numpy()
        for start in range(0, surface.num_frames, _FRAMES_AT_ONCE)
    ]
    rest = topology.landmarks(torch.from_numpy(np.asarray(topology.template, np.float32))[None])
    return np.concatenate(found), rest[0].numpy()


def found_mapping(source: Head, target: Head | None, origin: str) -> Mapping:
    """Return the mapping that does for each channel of `source` alone what `retarget` does for it.

    Channels do not add up on faces, so that it is coarser than `retarget`: no closure is looked after.
    """
    scales = np.array([_JAW_SCALES.get(name, 1.0) for name in source.channels], np.float32)
    alone = Motion(
        coeffs=np.diag(scales),
        fps=0.0,
        head=space_name(source.name, source.channels),
        channels=source.channels,
    )
    found = retarget(Surface(alone, source), target, Silent()).motion
    weights = found.coeffs.astype(np.float64) / scales[:, None]
    return Mapping(targets=found.channels, sources=source.channels, weights=weights.T, origin=origin)


def _moved(source: Surface, wanted: Goals, rig: Rig, reporter: Reporter) -> tuple[Motion, str]:
    """Return the motion on the head of `rig`, and how it was found."""
    motion, head = source.motion, rig.head
    pose = motion.pose if isinstance(motion, Motion) else None
    name = space_name(head.name, head.channels)
    if isinstance(motion, Motion) and learned(motion.channels) == learned(head.channels):
        return replace(motion, head=name, meta={}), "names"
    named = _named(source, head)
    # A rate of 0 says that frames have nothing to do with each other.
    coeffs = follow(rig, wanted, source.fps or None, named=named, reporter=reporter)
    moved = Motion(coeffs=coeffs, fps=source.fps, head=name, channels=head.channels, pose=pose)
    return moved, "landmarks" if named is None else "landmarks beside names"


def _named(source: Surface, target: Head) -> Float[np.ndarray, "frames coeffs"] | None:
    """Return the coefficients of `target` that names ask for; None where they say nothing."""
    motion = source.motion
    if learned(target.channels) == FLAME:
        return None
    if not isinstance(motion, Motion):
        curves = {}
    elif learned(motion.channels) == ADA:
        curves = arkit_curves(motion.coeffs, motion.channels)
    else:
        curves = curves_by_name(motion.coeffs, motion.channels)
    is_ada = learned(target.channels) == ADA
    if not curves:
        if is_ada:
            return None
        # Films and FLAME name nothing; ada says it in names.
        ada = load_head("ada")
        points, rest = points_of(source)
        rig = Rig(ada)
        coeffs = follow(rig, goals(points, rest, rig.rest), source.fps or None, reporter=Silent())
        curves = arkit_curves(coeffs, ada.channels)
    if is_ada:
        return ada_coeffs(curves, source.num_frames)
    weights, known = weights_by_name(curves, target.channels)
    return weights if known.any() else None
