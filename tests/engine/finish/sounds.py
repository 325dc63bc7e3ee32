"""Sound that talks and pauses, for what the layers hear in it."""

from __future__ import annotations

import numpy as np

from talkcli.engine.types import SPEECH_RATE_HZ, Speech


def talking(seconds: float, *, phrase_s: float = 3.0, pause_s: float = 1.0, beats_hz: float = 4.0) -> Speech:
    """Phrases of a voice whose loudness beats and whose pitch wanders, with silence between and first."""
    time = np.arange(round(seconds * SPEECH_RATE_HZ)) / SPEECH_RATE_HZ
    pitch = 140 + 30 * np.sin(2 * np.pi * 0.3 * time) + 15 * np.sin(2 * np.pi * 0.71 * time)
    phase = 2 * np.pi * np.cumsum(pitch) / SPEECH_RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 6))
    stress = 1 + 0.8 * np.sin(2 * np.pi * 0.9 * time)
    loud = (0.2 + np.sin(np.pi * beats_hz * time) ** 2) * stress
    inside = (time % (phrase_s + pause_s)) >= pause_s
    return Speech(samples=(0.1 * voice * loud * inside).astype(np.float32))
