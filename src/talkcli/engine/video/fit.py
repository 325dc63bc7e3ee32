"""Landmarks of one face over time to the coefficients of any head.

Axis names: `frames`, `points` = the 51 inner landmarks of the iBUG scheme, `coeffs` = 53, `verts`.
Pose first, from points that expressions do not move; then the person's own rest, taken off; then the
expression of all frames at once. Lips and lids are measured by what parts them, so that what meets in the
picture meets on the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

from talkcli.engine.errors import InputError
from talkcli.engine.face.head import Head
from talkcli.engine.types import Config, Motion
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.evidence import Evidence, Noise
from talkcli.engine.video.identity import Identity, find_identity, interocular, lip_gap
from talkcli.engine.video.pose import Similarity, follow
from talkcli.engine.video.priors import prior_for
from talkcli.engine.video.rig import NUM_IBUG, Rig
from talkcli.engine.video.solver import solve
from talkcli.engine.video.track import FaceTrack
from talkcli.engine.video.warp import Warp

INNER = np.arange(17, NUM_IBUG)
# From x right, y down, z away of the tracker to x right, y up, z near.
_UPRIGHT = np.array([1.0, -1.0, -1.0])


class FitConfig(Config):
    """`longest_gap_s` is the longest time without a face that is bridged; `passes` of Gauss-Newton."""

    noise: Noise = Noise()
    longest_gap_s: float = 0.2
    passes: int = 6


@dataclass(frozen=True, kw_only=True)
class Fit:
    """A clip as motion of a head, and how well the head then lies over the face.

    `motion` has `pose`. `error` is the median distance of the head's landmarks from the measured ones, over
    the distance of the outer eye corners; NaN where no face was seen. `projected` and `measured` are those
    landmarks in pixels of the picture. `known` is False in gaps too long to bridge, where motion is a guess.
    """

    motion: Motion
    identity: Identity
    error: Float[np.ndarray, "frames"]
    projected: Float[np.ndarray, "frames points 2"]
    measured: Float[np.ndarray, "frames points 2"]
    known: Bool[np.ndarray, "frames"]
    head: Head
    place: Similarity

    @cached_property
    def _warp(self) -> Warp:
        rest = self.identity.rest - self.identity.offsets
        return Warp(rest, self.identity.offsets)

    def vertices_in_picture(self, frame: int) -> Float[np.ndarray, "verts 3"]:
        """The head, bent to the person's shape, in pixels: x right, y down, z smaller when nearer."""
        coeffs = torch.from_numpy(self.motion.coeffs[frame : frame + 1])
        with torch.no_grad():
            vertices = self.head(coeffs)[0].numpy()
        bent = vertices + self._warp(self.head.template)
        return (self.place.at(frame).forth(bent[None])[0] * _UPRIGHT).astype(np.float32)


def fit_head(track: FaceTrack, head: Head, config: FitConfig = FitConfig()) -> Fit:  # noqa: B008
    """The motion of `head` that shows what the face of `track` does, at the track's rate.

    Raises InputError when too little of the face was seen.
    """
    seen = track.seen & np.isfinite(track.landmarks).all(axis=(1, 2))
    if seen.sum() < 3:
        raise InputError(
            f"A face was seen in {int(seen.sum())} of {track.num_frames} pictures: too few to fit a head.",
            hint="Choose a video that shows one face from the front.",
        )
    rig = Rig(head)
    upright = track.landmarks.astype(np.float64) * _UPRIGHT
    _, path = follow(upright[:, at.RIGID], seen)
    picture = np.concatenate([at.ibug_points(upright), upright[:, at.IRISES]], axis=1)
    steady = path.back(picture)
    identity, to_head = find_identity(steady[seen], rig)
    place = path.after(to_head)
    inside = to_head.forth(steady)

    moving, prior = prior_for(head.channels, track.fps)
    coeffs = _jaw_alone(rig, (lip_gap(np.nan_to_num(inside)) - identity.gap_m).clip(min=0.0))
    evidence = Evidence(
        rig, identity, place, inside, np.where(seen, track.confidence, 0.0), moving, config.noise
    )
    coeffs[:, moving] = solve(evidence, coeffs[:, moving], prior, _tied(track), config.passes)
    shown = place.forth(rig.points(coeffs)[:, :NUM_IBUG] + identity.offsets)[:, INNER] * _UPRIGHT
    known = _known(seen, round(config.longest_gap_s * track.fps))
    real = (picture * _UPRIGHT)[:, INNER, :2]
    apart = np.linalg.norm(shown[..., :2] - real, axis=-1)
    return Fit(
        motion=Motion(
            coeffs=coeffs.astype(np.float32),
            fps=track.fps,
            head=head.name,
            channels=head.channels,
            pose=Rotation.from_matrix(place.rotation).as_rotvec().astype(np.float32),
        ),
        identity=identity,
        error=(np.median(apart, axis=1) / interocular(picture[..., :2])).astype(np.float32),
        projected=shown[..., :2].astype(np.float32),
        measured=real.astype(np.float32),
        known=known,
        head=head,
        place=place,
    )


def _jaw_alone(rig: Rig, gap_m: Float[np.ndarray, "frames"]) -> Float[np.ndarray, "frames coeffs"]:
    """To begin with, nothing but the jaw parts the lips by `gap_m`."""
    coeffs = np.zeros((len(gap_m), len(rig.head.channels)))
    angles, points = rig.opened_jaw()
    if len(angles) > 1:
        gaps = np.maximum.accumulate(lip_gap(points))
        coeffs[:, rig.head.channels.index("jawPitch")] = np.interp(gap_m, gaps - gaps[0], angles)
    return coeffs


def _tied(track: FaceTrack) -> Bool[np.ndarray, "triples"]:
    """Whether frames k to k + 2 belong to one shot."""
    shot = np.zeros(track.num_frames, dtype=int)
    shot[[cut for cut in track.cuts if cut < track.num_frames]] = 1
    shot = shot.cumsum()
    return shot[2:] == shot[:-2]


def _known(seen: Bool[np.ndarray, "frames"], longest: int) -> Bool[np.ndarray, "frames"]:
    """Frames seen, or in gaps of at most `longest` frames between seen ones."""
    at_frames = np.flatnonzero(seen)
    known = seen.copy()
    for before, after in pairwise(at_frames):
        if after - before - 1 <= longest:
            known[before:after] = True
    return known
