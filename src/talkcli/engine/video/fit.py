"""Fit of any head to the landmarks of one face over time: it finds the coefficients of the motion.

Axis names: `frames`, `points` = the 51 inner landmarks of the iBUG scheme, `coeffs` = 53, `verts`.
The fit first finds the pose, from points that expressions do not move. It then finds the person's neutral
face and subtracts it. Last, it solves for the expression of all frames together. It measures lips and lids by
the gap between them, so that lips or lids that touch in the picture also touch on the head.
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
from talkcli.engine.face.channels import space_name
from talkcli.engine.face.head import Head
from talkcli.engine.types import Config, Motion
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.evidence import Evidence, Noise
from talkcli.engine.video.identity import Identity, find_identity, interocular, lip_gap
from talkcli.engine.video.pose import Similarity, filled, follow
from talkcli.engine.video.priors import prior_for
from talkcli.engine.video.rig import NUM_IBUG, Rig
from talkcli.engine.video.solver import blocks, solve
from talkcli.engine.video.track import FaceTrack
from talkcli.engine.video.warp import Warp
from talkcli.engine.wording import counted

# iBUG numbers of the inner landmarks: all but the contour of the face.
INNER = np.arange(17, NUM_IBUG)
# Signs that turn the tracker's axes (x right, y down, z away) into x right, y up, z towards the camera.
_UPRIGHT = np.array([1.0, -1.0, -1.0])
# Smallest number of frames with a face.
_FEWEST_FRAMES = 3
# Smallest distance of the outer eye corners in pixels.
_SMALLEST_FACE_PX = 8.0
# Number of frames that are solved together, and of frames on either side that are solved with them.
_BLOCK_FRAMES, _MARGIN_FRAMES = 256, 12
# Weight of the prior's pull to rest in a bridged gap.
_HARDLY = 1e-4


class FitConfig(Config):
    """Settings of the fit."""

    noise: Noise = Noise()
    """Measurement noise of the landmarks."""
    longest_gap_s: float = 0.2
    """Longest gap without a face that the fit bridges, in seconds."""
    passes: int = 6
    """Number of Gauss-Newton passes."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Motion of a head that was fitted to a clip, and the error of the fit."""

    motion: Motion
    """Motion of the head, with its pose."""
    identity: Identity
    """Neutral face of the person."""
    error: Float[np.ndarray, "frames"]
    """Median distance between the head's landmarks and the measured ones, divided by the distance of the
    outer eye corners; NaN in frames without a face."""
    projected: Float[np.ndarray, "frames points 2"]
    """Landmarks of the head, in pixels of the picture."""
    measured: Float[np.ndarray, "frames points 2"]
    """Landmarks that the tracker measured, in pixels of the picture."""
    known: Bool[np.ndarray, "frames"]
    """Whether each frame has evidence; False in gaps too long to bridge, where the motion is a guess."""
    head: Head
    """Head that was fitted."""
    place: Similarity
    """Transform from the head into the picture in each frame, with y up."""

    @cached_property
    def _warp(self) -> Warp:
        rest = self.identity.rest - self.identity.offsets
        return Warp(rest, self.identity.offsets)

    def vertices_in_picture(self, frame: int) -> Float[np.ndarray, "verts 3"]:
        """Return the head's vertices, warped to the person's shape, in pixels: x right, y down, z away."""
        coeffs = torch.from_numpy(self.motion.coeffs[frame : frame + 1])
        with torch.no_grad():
            vertices = self.head(coeffs)[0].numpy()
        bent = vertices + self._warp(self.head.template)
        return (self.place.at(slice(frame, frame + 1)).forth(bent[None])[0] * _UPRIGHT).astype(np.float32)


def fit_head(
    track: FaceTrack,
    head: Head,
    config: FitConfig = FitConfig(),  # noqa: B008
    person: Identity | None = None,
) -> Fit:
    """Return the motion of `head` that follows the face of `track`, at the track's rate.

    Args:
        track: Track of one face.
        head: Head to fit.
        config: Settings of the fit.
        person: Identity from another clip of the same person, preferably a neutral one; None finds the
            neutral face in this clip.

    Raises:
        InputError: The track has too few frames with a face, or the face is too small.
    """
    seen = _usable(track)
    rig = Rig(head)
    points = [at.ibug_points(track.landmarks), track.landmarks[:, at.IRISES]]
    picture = np.concatenate(points, axis=1).astype(np.float64) * _UPRIGHT
    path = follow(track.landmarks[:, at.RIGID].astype(np.float64) * _UPRIGHT, seen)
    identity, to_head = find_identity(path.back(picture)[seen], rig, person)
    place = path.after(to_head)
    inside = filled(place.back(picture)[seen], seen)
    trust = np.where(seen, track.confidence, 0.0)
    known = _known(seen, track.fps, config)
    # In a bridged gap only the frames around it are evidence; the pull to rest must not outweigh them.
    drawn = np.where(known & ~seen, _HARDLY, 1.0)

    moving, prior = prior_for(head.channels, track.fps)
    coeffs = _jaw_alone(rig, (lip_gap(inside) - identity.gap_m).clip(min=0.0))
    tied = _tied(track)
    solved = coeffs.copy()
    for core, wide in blocks(track.num_frames, _BLOCK_FRAMES, _MARGIN_FRAMES):
        evidence = Evidence(rig, identity, place.at(wide), inside[wide], trust[wide], moving, config.noise)
        together = tied[wide.start : wide.stop - 2]
        found = solve(evidence, coeffs[wide][:, moving], prior, drawn[wide], together, config.passes)
        solved[core, moving] = found[core.start - wide.start : core.stop - wide.start]
    return _fit(track, head, rig, identity, place, solved, picture, known)


def _usable(track: FaceTrack) -> Bool[np.ndarray, "frames"]:
    """Return whether each frame has landmarks. Raises InputError for too few such frames or a small face."""
    seen = track.seen & (track.confidence > 0) & np.isfinite(track.landmarks).all(axis=(1, 2))
    if seen.sum() < _FEWEST_FRAMES:
        raise InputError(
            f"A face was seen in {int(seen.sum())} of {counted(track.num_frames, 'picture')}: too few to fit "
            "a head.",
            hint="Choose a video that shows one face from the front.",
        )
    wide = float(np.median(interocular(at.ibug_points(track.landmarks[seen]))))
    if wide < _SMALLEST_FACE_PX:
        raise InputError(
            f"The outer corners of the eyes are {wide:.1f} pixels apart, too few to fit a head.",
            hint=f"Choose a video with at least {_SMALLEST_FACE_PX:.0f} pixels between the outer corners of "
            "the eyes, or crop it to the face and enlarge it.",
        )
    return seen


def _fit(
    track: FaceTrack,
    head: Head,
    rig: Rig,
    identity: Identity,
    place: Similarity,
    coeffs: Float[np.ndarray, "frames coeffs"],
    picture: Float[np.ndarray, "frames 70 3"],
    known: Bool[np.ndarray, "frames"],
) -> Fit:
    """Return the fit: its motion, and its error against the landmarks in the picture."""
    shown = place.forth(rig.points(coeffs)[:, :NUM_IBUG] + identity.offsets)[:, INNER] * _UPRIGHT
    real = (picture * _UPRIGHT)[:, INNER, :2]
    apart = np.linalg.norm(shown[..., :2] - real, axis=-1)
    return Fit(
        motion=Motion(
            coeffs=coeffs.astype(np.float32),
            fps=track.fps,
            head=space_name(head.name, head.channels),
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
    """Return the start of the solution: the jaw alone opens the lips by `gap_m`."""
    coeffs = np.zeros((len(gap_m), len(rig.head.channels)))
    angles, points = rig.opened_jaw()
    if len(angles) > 1:
        gaps = np.maximum.accumulate(lip_gap(points))
        coeffs[:, rig.head.channels.index("jawPitch")] = np.interp(gap_m, gaps - gaps[0], angles)
    return coeffs


def _tied(track: FaceTrack) -> Bool[np.ndarray, "triples"]:
    """Return whether frames k to k + 2 belong to one shot, for each k."""
    shot = np.zeros(track.num_frames, dtype=int)
    shot[[cut for cut in track.cuts if cut < track.num_frames]] = 1
    shot = shot.cumsum()
    return shot[2:] == shot[:-2]


def _known(seen: Bool[np.ndarray, "frames"], fps: float, config: FitConfig) -> Bool[np.ndarray, "frames"]:
    """Return whether each frame shows the face or lies in a short gap between frames that show it."""
    known = seen.copy()
    for before, after in pairwise(np.flatnonzero(seen)):
        if (after - before - 1) / fps <= config.longest_gap_s:
            known[before:after] = True
    return known
