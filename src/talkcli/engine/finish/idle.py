"""Idle motion in silences: breathing, and small movements of brows and lips.

Axis names: `frames`, `coeffs` = ada's 53 numbers.
Source: the resting rate of breathing, 12 to 18 a minute, is textbook; that a face held still looks dead is
Perlin's (1997), Layered compositions for real-time animated characters, whose noise for it this follows.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from scipy.ndimage import gaussian_filter1d

from talkcli.engine.audio.prosody import STEP_HZ
from talkcli.engine.face.channels import ADA
from talkcli.engine.finish.phrasing import Phrasing
from talkcli.engine.finish.tracks import middles, smooth_noise

_BREATHS_HZ, _BREATHS_SPREAD, _BREATHS_S = 0.25, 0.03, 4.0
_FADE_S = 0.15
_NOISE_S = 0.5
# Deviations of what noise moves, as shares of full scale; each group follows a noise of its own.
_RESTLESS: tuple[Mapping[str, float], ...] = (
    {"browInnerUp": 0.05, "browOuterUpLeft": 0.03, "browOuterUpRight": 0.03},
    {"browDownLeft": 0.03, "browDownRight": 0.03},
    {"mouthPressLeft": 0.05, "mouthPressRight": 0.05},
    {"mouthDimpleLeft": 0.03, "mouthDimpleRight": 0.03},
    {"eyeSquintLeft": 0.04, "eyeSquintRight": 0.04},
)
_NOSTRILS = {"noseSneerLeft": 0.03, "noseSneerRight": 0.03}
# In radians, behind lips that stay sealed.
_JAW_RAD = 0.006
_NOD_RAD = 0.006


def idle(
    coeffs: Float[np.ndarray, "frames coeffs"],
    pose: Float[np.ndarray, "frames 3"] | None,
    heard: Phrasing,
    fps: float,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "frames coeffs"], Float[np.ndarray, "frames 3"] | None]:
    """Return `coeffs` that are not still in the pauses, and a `pose`, where there is one, that breathes
    throughout.

    Lips that are sealed stay so: only behind them the jaw moves.
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
