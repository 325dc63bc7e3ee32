"""Idle motion: small movements of brows, lids and lips in pauses, and breathing.

Axis names: `frames`, `coeffs` (ada's 53 channels).
Source: Perlin (1997), Layered compositions for real-time animated characters, for smooth noise on a face that
would look dead if it kept still. The breathing rate of an adult at rest, 12 to 18 per minute, is textbook
knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.channels import ADA
from talkcli.engine.filters import gaussian_filter1d
from talkcli.engine.finish.phrasing import Phrasing
from talkcli.engine.finish.tracks import middles, smooth_noise

# Mean rate of breathing in Hz (15 per minute), the standard deviation of its slow variation in Hz, and that
# of the Gaussian that smooths the variation, in seconds.
_BREATHS_HZ, _BREATHS_SPREAD, _BREATHS_S = 0.25, 0.03, 4.0
# Standard deviation in seconds of the Gaussian that fades idle motion in and out at a pause.
_FADE_S = 0.15
# Standard deviation in seconds of the Gaussian that smooths the noise of a group of channels.
_NOISE_S = 0.5
# Factors, as shares of full scale, on the positive half of a noise of variance 1; each group of channels
# follows a noise of its own.
_RESTLESS: tuple[Mapping[str, float], ...] = (
    {"browInnerUp": 0.05, "browOuterUpLeft": 0.03, "browOuterUpRight": 0.03},
    {"browDownLeft": 0.03, "browDownRight": 0.03},
    {"mouthPressLeft": 0.05, "mouthPressRight": 0.05},
    {"mouthDimpleLeft": 0.03, "mouthDimpleRight": 0.03},
    {"eyeSquintLeft": 0.04, "eyeSquintRight": 0.04},
)
# Movement of the nostrils at the height of an inhalation, as a share of full scale.
_NOSTRILS = {"noseSneerLeft": 0.03, "noseSneerRight": 0.03}
# Opening of the jaw at the height of an inhalation, in radians; the lips in front of it stay sealed.
_JAW_RAD = 0.006
# Angle by which breathing lifts the head at its height and lowers it at its depth, in radians.
_NOD_RAD = 0.006


def idle(
    coeffs: Float[np.ndarray, "frames coeffs"],
    pose: Float[np.ndarray, "frames 3"] | None,
    heard: Phrasing,
    fps: float,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "frames coeffs"], Float[np.ndarray, "frames 3"] | None]:
    """Return `coeffs` with idle motion in the pauses, and `pose` with breathing throughout.

    Breathing moves the jaw only as far as the lips are sealed, and leaves them sealed.

    Args:
        coeffs: Motion of ada.
        pose: Rotation of the head, axis-angle in radians; None stays None.
        heard: Phrasing of the speech, which says where the pauses are.
        fps: Frames per second of the motion.
        rng: Generator of the noise.
    """
    num_frames = len(coeffs)
    rate = _BREATHS_HZ + _BREATHS_SPREAD * smooth_noise(num_frames, _BREATHS_S, fps, rng)
    breath = np.sin(2 * np.pi * (np.cumsum(rate) / fps + rng.random()))
    quiet = gaussian_filter1d(1.0 - heard.speaking, _FADE_S * STEP_HZ, mode="nearest")
    quiet = quiet[middles(num_frames, fps)]
    moved = coeffs.copy()
    for group in _RESTLESS:
        noise = np.maximum(smooth_noise(num_frames, _NOISE_S, fps, rng), 0)
        for name, share in group.items():
            moved[:, ADA.index(name)] += share * noise * quiet
    inhaling = np.maximum(breath, 0) * quiet
    for name, share in _NOSTRILS.items():
        moved[:, ADA.index(name)] += share * inhaling
    sealed = np.clip(coeffs[:, ADA.index("lipSeal")], 0, 1)
    moved[:, ADA.index("jawPitch")] += _JAW_RAD * inhaling * sealed
    if pose is not None:
        pose = pose - np.array([_NOD_RAD, 0, 0], dtype=pose.dtype) * breath[:, None].astype(pose.dtype)
    return moved, pose
