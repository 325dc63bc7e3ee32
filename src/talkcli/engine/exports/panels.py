"""What a plot of a motion shows: curves of mouth, brows, lids and emotion, each group a panel.

Axis names: `frames`, `coeffs`, `channels`, `emotions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import AssetError
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.channels import ADA, learned
from talkcli.engine.face.expressions import EMOTION_POSES, pose_vector
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import lip_opening_mm, under_landmarks
from talkcli.engine.types import Motion

# Frames whose vertices are in memory at once.
_BLOCK_FRAMES = 64
# Seconds over which the motion is averaged before its emotion is fitted: longer than a syllable, so that
# speech hardly counts, and shorter than a phrase.
_EMOTION_S = 1.0
# Most emotions that are drawn, and the mean level from 0 to 1 below which one is left out.
_MOST_EMOTIONS, _LEAST_LEVEL = 3, 0.03
# Channels that speech, blinks and gaze move, which say little about the emotion.
_SPOKEN = ("jaw", "eyeBlink", "eyeLook", "mouthLowerDown", "mouthUpperUp", "mouthFunnel")


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Curves that share a scale, one value per frame."""

    title: str
    """What is shown, with its unit."""
    curves: Mapping[str, Float[np.ndarray, "frames"]]
    """Values of each curve by its name."""
    full_scale: float
    """Value at the top of the panel, whose bottom is 0; greater where a curve goes beyond it."""


def panels(piece: Piece) -> list[Panel]:
    """Return the panels that are known of the piece's motion; for a head without named channels, and for
    vertices, these are fewer.
    """
    found = [_mouth(piece)]
    motion = piece.motion
    if isinstance(motion, Motion) and learned(motion.channels) == ADA:
        found += [_brows(motion), _lids(motion), _emotion(motion)]
    return [panel for panel in found if panel is not None]


def _mouth(piece: Piece) -> Panel | None:
    """Return the lip opening on the topology of the piece, or the jaw's angle where that has no landmarks."""
    try:
        surface = piece.surface()
        opening = _lip_opening_mm(Surface(surface.motion, surface.topology))
    except AssetError:
        motion = piece.motion
        if not isinstance(motion, Motion) or "jawPitch" not in motion.channels:
            return None
        angle = np.degrees(_at(motion, "jawPitch"))
        return Panel(title="Mouth: angle of the jaw, degrees", curves={"jaw": angle}, full_scale=20.0)
    return Panel(
        title="Mouth: distance of the inner lips, mm", curves={"lip opening": opening}, full_scale=20.0
    )


def _lip_opening_mm(surface: Surface) -> Float[np.ndarray, "frames"]:
    """Return the lip opening of each frame. Raises AssetError for a topology without landmarks."""
    import torch

    topology = surface.topology
    chosen = under_landmarks(topology)
    found = []
    for start in range(0, surface.num_frames, _BLOCK_FRAMES):
        block = slice(start, min(start + _BLOCK_FRAMES, surface.num_frames))
        vertices = np.repeat(topology.template[None], block.stop - block.start, axis=0)
        vertices[:, chosen.numpy()] = surface.vertices(block, only=chosen)
        found.append(lip_opening_mm(topology.landmarks(torch.from_numpy(vertices))).numpy())
    return np.concatenate(found)


def _brows(motion: Motion) -> Panel:
    outer = (_at(motion, "browOuterUpLeft") + _at(motion, "browOuterUpRight")) / 2
    down = (_at(motion, "browDownLeft") + _at(motion, "browDownRight")) / 2
    curves = {"inner raised": _at(motion, "browInnerUp"), "outer raised": outer, "lowered": down}
    return Panel(title="Brows, share of full scale", curves=curves, full_scale=1.0)


def _lids(motion: Motion) -> Panel:
    curves = {side.lower(): _at(motion, f"eyeBlink{side}") for side in ("Left", "Right")}
    return Panel(title="Lids, 1 is shut", curves=curves, full_scale=1.0)


def _emotion(motion: Motion) -> Panel:
    levels = emotion_levels(motion)
    means = {name: float(values.mean()) for name, values in levels.items()}
    shown = [
        name for name in sorted(means, key=means.__getitem__, reverse=True) if means[name] > _LEAST_LEVEL
    ]
    return Panel(
        title="Emotion in the face, share of its full pose",
        curves={name: levels[name] for name in shown[:_MOST_EMOTIONS]},
        full_scale=1.0,
    )


def emotion_levels(motion: Motion) -> dict[str, Float[np.ndarray, "frames"]]:
    """Return how much of the full pose of each emotion is in each frame of a motion of ada, from 0 on.

    The poses of `EMOTION_POSES`, none of them negative, are fitted by least squares to the motion's average
    over a second, in the channels that speech, blinks and gaze do not move. A measure of our own.
    """
    # scipy is slow to load.
    from scipy.ndimage import uniform_filter1d
    from scipy.optimize import nnls

    names = [name for name, pose in EMOTION_POSES.items() if pose]
    poses = np.stack([pose_vector(ADA, EMOTION_POSES[name]) for name in names], axis=1)
    used = [
        index for index, channel in enumerate(ADA) if poses[index].any() and not channel.startswith(_SPOKEN)
    ]
    width = max(1, round(_EMOTION_S * motion.fps))
    average = uniform_filter1d(motion.coeffs[:, used].astype(np.float64), width, axis=0, mode="nearest")
    # Averages change slowly: a few fits a second are enough.
    at = np.unique(
        np.linspace(0, motion.num_frames - 1, 2 + round(5 * motion.duration_s)).round().astype(int)
    )
    fitted = np.stack([nnls(poses[used].astype(np.float64), average[frame])[0] for frame in at])
    frames = np.arange(motion.num_frames)
    return {name: np.interp(frames, at, fitted[:, index]) for index, name in enumerate(names)}


def _at(motion: Motion, channel: str) -> Float[np.ndarray, "frames"]:
    return motion.coeffs[:, motion.channels.index(channel)]
