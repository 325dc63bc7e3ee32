"""Motion that a generator makes of labelled speech: as it is, for given emotions, and with swapped emotions.

Axis names: `clips`, `takes`, `features`, `frames`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from talkcli.engine.face.head import Head
from talkcli.engine.face.surface import Surface
from talkcli.engine.metrics import swap
from talkcli.engine.metrics.named import functionals
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.models.deeptalk.performance import Heard
from talkcli.engine.performers.deeptalk import DeepTalkControls, DeepTalkPerformer
from talkcli.engine.performers.performer import Sampling
from talkcli.engine.pipelines.score.emotion.listener import Embedded
from talkcli.engine.pipelines.score.measured import Measured
from talkcli.engine.types import EMOTIONS, Alignment, Emotion, Motion, Reporter

# Channels of a scowl and of a smile, and the mean below which neither shows.
_SCOWL, _SMILE, PLAIN_BELOW = ("browDownLeft", "browDownRight"), ("mouthSmileLeft", "mouthSmileRight"), 0.25


class Directed(NamedTuple):
    """Takes made for a given emotion."""

    features: Float[np.ndarray, "takes features"]
    """Functionals of each take."""
    asked: Int[np.ndarray, "takes"]
    """Label that each take was made for."""
    clips: Int[np.ndarray, "takes"]
    """Position of the clip that each take performs."""


class Drawn(NamedTuple):
    """Takes of every clip whose emotion is drawn."""

    features: Float[np.ndarray, "clips takes features"]
    """Functionals of each take."""
    plain: Bool[np.ndarray, "clips takes"]
    """Whether a take neither scowls nor smiles: means of `browDown` and `mouthSmile` below `PLAIN_BELOW`."""


class Swaps(NamedTuple):
    """Changes of each clip by other clips' emotions, in millimetres: means over the takes with a value, else
    NaN.
    """

    upper: Float[np.ndarray, "clips"]
    """Change of the upper face."""
    bilabial: Float[np.ndarray, "clips"]
    """Change of the smallest gap in p, b and m."""
    closed: Float[np.ndarray, "clips"]
    """Change of the gap in frames with closed lips."""
    opening: Float[np.ndarray, "clips"]
    """Change of the gap in all frames."""


class EmotionTakes:
    """Performances of clips whose speech was encoded before."""

    def __init__(
        self,
        performer: DeepTalkPerformer,
        sampling: Sampling,
        controls: DeepTalkControls,
        embedded: Embedded,
        emotions: Int[np.ndarray, "clips"],
        reporter: Reporter,
    ) -> None:
        self._performer, self._sampling, self._controls = performer, sampling, controls
        self._reporter = reporter
        self._heard, self._speeches, self._emotions = embedded.heard, embedded.speeches, emotions
        self._own: list[Motion] = []

    def own(self) -> list[Motion]:
        """Return one performance of each clip, with the emotion that the model recognises in its speech."""
        if not self._own:
            for index, heard in enumerate(self._heard):
                self._own.append(self._take(index, heard, self._sampling))
                self._reporter.progress("animating", index + 1, len(self._heard))
        return self._own

    def features(self) -> Float[np.ndarray, "clips features"]:
        """Return the functionals of `own`."""
        return np.stack([functionals(motion.coeffs) for motion in self.own()])

    def drawn(self, sigma: float, num_takes: int) -> Drawn:
        """Return takes of every clip with an emotion that is drawn from its speech.

        Args:
            sigma: Factor on the log-variance of the embedding, as the control of that name.
            num_takes: Number of takes of each clip.
        """
        controls = replace(self._controls, sigma=sigma)
        sampling = replace(self._sampling, takes=num_takes)
        features, plain = [], []
        for index, heard in enumerate(self._heard):
            motions = list(self._performer.takes(heard, self._speeches[index], sampling, controls))
            assert all(isinstance(motion, Motion) for motion in motions)
            features.append([functionals(motion.values) for motion in motions])
            plain.append([_is_plain(motion) for motion in motions if isinstance(motion, Motion)])
            self._reporter.progress("drawing emotions", index + 1, len(self._heard))
        return Drawn(np.array(features), np.array(plain))

    def directed(self) -> Directed:
        """Return one performance of every clip for every label that occurs, each at full level.

        Raises UsageError for a model that takes no emotion labels.
        """
        wanted = {label: Emotion(label=EMOTIONS[label]) for label in np.unique(self._emotions)}
        means = {label: self._performer.model.dee.directed(emotion) for label, emotion in wanted.items()}
        features, asked, clips = [], [], []
        for index, heard in enumerate(self._heard):
            for label, mean in means.items():
                told = heard._replace(emotion=heard.emotion._replace(mean=mean), asked=wanted[label])
                motion = self._take(index, told, replace(self._sampling, emotion=wanted[label]))
                features.append(functionals(motion.coeffs))
                asked.append(label)
                clips.append(index)
            self._reporter.progress("directing", index + 1, len(self._heard))
        return Directed(np.stack(features), np.array(asked), np.array(clips))

    def swaps(self, head: Head, alignments: Sequence[Alignment | str], seed: int) -> Swaps:
        """Return the changes of every clip when it gets the emotion of another clip, one of each other label.

        Args:
            head: Head whose vertices are compared.
            alignments: Phones of each clip, or the reason why they are unknown.
            seed: Seed of the choice of the other clips.
        """
        rng = np.random.default_rng(seed)
        rows = []
        for index, heard in enumerate(self._heard):
            own = Measured(Surface(self.own()[index], head))
            changes = []
            for label in np.unique(self._emotions):
                if label == self._emotions[index]:
                    continue
                source = self._heard[rng.choice(np.flatnonzero(self._emotions == label))]
                swapped = self._take(index, heard._replace(emotion=source.emotion), self._sampling)
                other = Measured(Surface(swapped, head))
                changes.append(_changes(own, other, alignments[index]))
            rows.append([_mean([change[name] for change in changes]) for name in Swaps._fields])
            self._reporter.progress("swapping emotions", index + 1, len(self._heard))
        return Swaps(*np.array(rows).T)

    def _take(self, index: int, heard: Heard, sampling: Sampling) -> Motion:
        takes = self._performer.takes(heard, self._speeches[index], sampling, self._controls)
        motion = next(takes)
        assert isinstance(motion, Motion)
        return motion


def shows_moods(channels: Sequence[str]) -> bool:
    """Return whether a head with these channels has those of a scowl and of a smile."""
    return {*_SCOWL, *_SMILE} <= set(channels)


def _is_plain(motion: Motion) -> bool:
    """Return whether a motion neither scowls nor smiles; False for a head that cannot show it."""
    return shows_moods(motion.channels) and all(
        np.mean([motion.coeffs[:, motion.channels.index(name)] for name in names]) < PLAIN_BELOW
        for names in (_SCOWL, _SMILE)
    )


def _changes(own: Measured, other: Measured, alignment: Alignment | str) -> Mapping[str, float]:
    """Return the fields of `Swaps` for one pair of motions; NaN for what is undefined."""
    one, two = own.gap_mm(), other.gap_mm()

    def bilabial() -> float:
        if isinstance(alignment, str):
            raise UndefinedMetricError(alignment)
        return swap.bilabial_mm(one, two, alignment, own.fps)

    return {
        "upper": swap.upper_face_mm(own.part("upper_face"), other.part("upper_face")),
        "bilabial": _or_nan(bilabial),
        "closed": _or_nan(lambda: swap.closed_mm(one, two)),
        "opening": swap.opening_mm(one, two),
    }


def _or_nan(metric: Callable[[], float]) -> float:
    try:
        return metric()
    except UndefinedMetricError:
        return float("nan")


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")
