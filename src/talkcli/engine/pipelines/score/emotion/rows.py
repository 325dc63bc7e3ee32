"""Rows of the table of emotion: values with errors and chance levels, and the label that each clip was given.

Axis names: `clips`, `chosen` (positions of clips), `named` (clips with a label).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.engine.metrics.jackknife import standard_error
from talkcli.engine.metrics.recall import confusion, unweighted_average_recall
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.pipelines.score.labelled import Labelled
from talkcli.engine.types import EMOTIONS

# Smallest number of speakers for an error over speakers; with fewer, that error is itself uncertain.
_FEWEST_SPEAKERS = 5

# Positions of clips, and a function from them to the value of a measure.
Indices = Int[np.ndarray, "chosen"]
Measure = Callable[[Indices], float]
Row = dict[str, Any]


class Rows:
    """Rows of the table, ready for JSON: `rows` by measure, and `confusions` (true labels along rows, given
    labels along columns).
    """

    def __init__(self, clips: Sequence[Labelled]) -> None:
        self._clips = clips
        self.true = np.array([clip.emotion for clip in clips])
        speakers, numbers = np.unique([clip.speaker for clip in clips], return_inverse=True)
        over_speakers = len(speakers) >= _FEWEST_SPEAKERS
        self.errors_over = "speakers" if over_speakers else "clips"
        self._groups = numbers if over_speakers else np.arange(len(clips))
        self.rows: dict[str, Row] = {}
        self.confusions: dict[str, list[list[int]]] = {}
        self._named: dict[str, dict[int, int]] = {}

    @property
    def everything(self) -> Indices:
        """Positions of all clips."""
        return np.arange(len(self._clips))

    @property
    def chance(self) -> float:
        """Recall of a random guess: one over the number of labels that occur."""
        return 1 / len(np.unique(self.true))

    def add(self, name: str, measure: Measure, over: Indices, chance: float | None = None) -> None:
        """Add the row of a measure.

        Args:
            name: Name of the measure.
            measure: Function from positions in `over` to the value.
            over: Positions of the clips that are measured.
            chance: Chance level of the measure; None when it has none.
        """
        row = self._row(name, clips=len(over), chance=chance)
        try:
            row["value"] = measure(np.arange(len(over)))
            row["standard_error"] = standard_error(measure, self._groups[over])
        except UndefinedMetricError as error:
            # When there is a value, only its error is undefined: too few clips are left to measure.
            row["reason"] = None if row["value"] is not None else str(error)

    def leave_out(self, names: Sequence[str], reason: str) -> None:
        """Add rows without values, each with `reason`."""
        for name in names:
            self._row(name, clips=0)["reason"] = reason

    def name(
        self, name: str, namer: Callable[[], Int[np.ndarray, "named"]], over: Indices
    ) -> Int[np.ndarray, "named"] | None:
        """Add the row of the unweighted average recall of labels, and return these labels.

        Args:
            name: Name of the measure.
            namer: Function that returns the label of each clip in `over`.
            over: Positions of the clips that get a label.

        Returns:
            The labels; None when they are undefined, and then the row has the reason.
        """
        try:
            named = namer()
        except UndefinedMetricError as error:
            self.leave_out([name], str(error))
            return None
        true = self.true[over]
        self.add(
            name, lambda chosen: unweighted_average_recall(named[chosen], true[chosen]), over, self.chance
        )
        self.confusions[name] = confusion(named, true, len(EMOTIONS)).tolist()
        self._named[name] = dict(zip(over.tolist(), named.tolist(), strict=True))
        return named

    def by_speaker(self) -> dict[str, Row]:
        """Return for each speaker the number of clips, and the recall of each measure that gives labels."""
        found: dict[str, Row] = {}
        speakers = np.array([clip.speaker for clip in self._clips])
        for speaker in np.unique(speakers):
            row: Row = {"clips": int((speakers == speaker).sum())}
            for name, named in self._named.items():
                own = [index for index in named if speakers[index] == speaker]
                if own:
                    names = np.array([named[index] for index in own])
                    row[name] = unweighted_average_recall(names, self.true[own])
            found[str(speaker)] = row
        return found

    def by_clip(self) -> list[Row]:
        """Return for each clip its id, speaker and emotion, and the labels that it was given."""
        return [
            {
                "id": clip.case.id,
                "speaker": clip.speaker,
                "emotion": EMOTIONS[clip.emotion],
                **{name: EMOTIONS[named[index]] for name, named in self._named.items() if index in named},
            }
            for index, clip in enumerate(self._clips)
        ]

    def _row(self, name: str, *, clips: int, chance: float | None = None) -> Row:
        self.rows[name] = {
            "value": None,
            "unit": EMOTION_MEASURES[name].unit,
            "chance": chance,
            "standard_error": None,
            "clips": clips,
            "reason": None,
        }
        return self.rows[name]
