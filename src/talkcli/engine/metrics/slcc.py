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


class SpeakerMoments:
    """Means and scatter of both intensities of each speaker, over the clips so far. It implements `Running`:
    its size depends on the number of speakers alone.
    """

    def __init__(self, speaker: str, lips: float, sound: float) -> None:
        self.clips = 1
        self._of: dict[str, _Moments] = {speaker: (1, np.array([lips, sound]), np.zeros((2, 2)))}

    def join(self, other: SpeakerMoments) -> None:
        """See `Running`."""
        self.clips += other.clips
        for speaker, moments in other._of.items():
            self._of[speaker] = _joined(self._of[speaker], moments) if speaker in self._of else moments

    def correlation(self) -> float:
        """Return `slcc` of all clips, by speaker.

        Standardised intensities have mean 0 and n - 1 as their sum of squares, so that Pearson's r over all
        clips is the mean of the speakers' own, weighted by n - 1. Raises UndefinedMetricError as `slcc` does.
        """
        total, weights = 0.0, 0
        for count, _, scatter in self._of.values():
            if count > 1 and scatter[0, 0] > 0 and scatter[1, 1] > 0:
                total += (count - 1) * scatter[0, 1] / np.sqrt(scatter[0, 0] * scatter[1, 1])
                weights += count - 1
        if weights == 0:
            raise UndefinedMetricError("needs two clips or more of a speaker that differ in both intensities")
        return float(total / weights)


# Number of values, their means, and the sums of products of their deviations.
_Moments = tuple[int, np.ndarray, np.ndarray]


def _joined(one: _Moments, other: _Moments) -> _Moments:
    """Return the moments of both (Chan et al. 1979)."""
    count = one[0] + other[0]
    apart = other[1] - one[1]
    scatter = one[2] + other[2] + np.outer(apart, apart) * one[0] * other[0] / count
    return count, one[1] + apart * other[0] / count, scatter


def measure_of_speaker(take: Take, given: tuple[str, Speech]) -> SpeakerMoments:
    """Return both intensities of a take with the name of its speaker, for `pool_speakers`."""
    speaker, speech = given
    return SpeakerMoments(speaker, measure_lip_intensity(take), measure_rms(take, speech))


def pool_speakers(found: SpeakerMoments) -> float:
    """Return `slcc` of all clips, standardised for each speaker."""
    return found.correlation()


def _sixteen_bits(speech: Speech) -> Int[np.ndarray, "samples"]:
    return np.round(np.clip(speech.samples, -1, 1) * _FULL_SCALE).astype(np.int16)
