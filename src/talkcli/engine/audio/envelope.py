"""The loudness of speech at each frame of a motion.

Axis names: `frames`. The envelope of frame k is the RMS amplitude of the 40 ms window around the frame's
middle, smoothed over time with the weights 1/4, 1/2, 1/4.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.types import Speech

WINDOW_MS = 40


def frame_levels(speech: Speech, num_frames: int, fps: float) -> Float[np.ndarray, "frames"]:
    """Return RMS amplitude of the 40 ms window around the middle of each frame; 0 outside of the sound."""
    window = round(speech.rate_hz * WINDOW_MS / 1000)
    middles = np.round((np.arange(num_frames) + 0.5) * speech.rate_hz / fps).astype(np.int64)
    energy = np.concatenate(([0.0], np.cumsum(np.square(speech.samples, dtype=np.float64))))
    starts, ends = (np.clip(middles + half, 0, len(speech.samples)) for half in (-window // 2, window // 2))
    return np.sqrt(np.maximum(energy[ends] - energy[starts], 0) / window)


def envelope(speech: Speech, num_frames: int, fps: float) -> Float[np.ndarray, "frames"]:
    """Return the module's envelope: frame levels, lightly smoothed, in amplitude (not decibels)."""
    padded = np.pad(frame_levels(speech, num_frames, fps), 1, mode="edge")
    return padded[:-2] / 4 + padded[1:-1] / 2 + padded[2:] / 4
