"""Speech-lip intensity correlation: does the mouth move more where the voice is louder, over whole clips?

Axis names: `frames`, `verts`, `clips`, `samples`. Source: Perceptual-3D-Talking-Head (Lee et al. 2025,
evaluation of SLCC). Its table has clips of several levels of expression; both intensities are standardised
for each identity and then correlated over all clips.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.metrics.distance import Vertices, vertex_distances
from talkcli.engine.metrics.take import Observations, Take
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Speech

# Vertex set: the published list of lip vertices names four of them twice.
_LIPS = "lips with repeats"
_FULL_SCALE = 32767


def lip_intensity(vertices: Vertices) -> float:
    """Return the root mean square over steps of the mean distance that lip vertices move in a step.

    The unit is metres per frame, so that it depends on the frame rate. Raises UndefinedMetricError for a
    single frame.
    """
    if len(vertices) < 2:
        raise UndefinedMetricError("needs two frames or more")
    precise = vertices.astype(np.float64)
    return float(np.sqrt(np.square(vertex_distances(precise[1:], precise[:-1]).mean(axis=1)).mean()))


def speech_rms(samples: Int[np.ndarray, "samples"]) -> float:
    """Return the root mean square of 16-bit samples, in steps of 16 bits."""
    return float(np.sqrt(np.square(samples, dtype=np.float64).mean()))


def overflowing_rms(samples: Int[np.ndarray, "samples"]) -> float:
    """Return the same with squares that overflow 16 bits, as the script computes it for sounds of one
    channel.
    """
    squares = np.square(samples.astype(np.int16), dtype=np.int16)
    mean = float(squares.mean())
    if mean < 0:
        raise UndefinedMetricError("the mean of the overflowing squares is negative")
    return float(np.sqrt(mean))


def slcc(
    lips: Float[np.ndarray, "clips"], sound: Float[np.ndarray, "clips"], identities: Sequence[object]
) -> float:
    """Return Pearson's r of both intensities after standardisation for each identity (n - 1).

    An identity whose clips do not differ in either intensity is left out.

    Args:
        lips: `lip_intensity` of each clip.
        sound: `speech_rms` of each clip.
        identities: Identity of each clip.

    Raises:
        UndefinedMetricError: When no identity is left.
    """
    scores = []
    for name in dict.fromkeys(identities):
        chosen = np.array([identity == name for identity in identities])
        pair = np.stack([lips[chosen], sound[chosen]])
        if pair.shape[1] < 2 or (pair.std(axis=1) == 0).any():
            continue
        scores.append((pair - pair.mean(axis=1, keepdims=True)) / pair.std(axis=1, ddof=1, keepdims=True))
    if not scores:
        raise UndefinedMetricError("needs two clips or more that differ in both intensities")
    return float(np.corrcoef(np.concatenate(scores, axis=1))[0, 1])


def measure_lip_intensity(take: Take) -> float:
    """Measure `lip_intensity` of a take."""
    return lip_intensity(take.part(_LIPS))


def measure_rms(take: Take, speech: Speech) -> float:
    """Measure `speech_rms` of the clip's sound; the take does not matter."""
    del take
    return speech_rms(_sixteen_bits(speech))


def measure_overflowing_rms(take: Take, speech: Speech) -> float:
    """Measure `overflowing_rms` of the clip's sound; the take does not matter."""
    del take
    return overflowing_rms(_sixteen_bits(speech))


def measure(take: Take, speech: Speech) -> Observations:
    """Return both intensities of a take, for `pool`."""
    return {"lips": [measure_lip_intensity(take)], "sound": [measure_rms(take, speech)]}


def pool(observations: Observations) -> float:
    """Return `slcc` of all clips, which count as one identity."""
    lips, sound = (np.asarray(observations[name]) for name in ("lips", "sound"))
    return slcc(lips, sound, [None] * len(lips))


def _sixteen_bits(speech: Speech) -> Int[np.ndarray, "samples"]:
    return np.round(np.clip(speech.samples, -1, 1) * _FULL_SCALE).astype(np.int16)
