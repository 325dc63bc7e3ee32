"""Clips whose emotion is known: those that are measured, and true motion that shows what emotions look like.

Axis names: `clips`, `features`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.data.clips import checked_file
from talkcli.engine.data.label_file import read_labels
from talkcli.engine.data.manifest import folder_of, read_manifest
from talkcli.engine.errors import InputError
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.metrics.named import functionals
from talkcli.engine.origin import origin_of, truth_of
from talkcli.engine.pipelines.score.inputs import Case, Chosen, gather
from talkcli.engine.types import EMOTIONS, Reporter
from talkcli.engine.wording import counted

LABELS = "labels.csv"


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One clip, with its emotion as a position in `EMOTIONS`."""

    case: Case
    emotion: int
    speaker: str

    @property
    def audio(self) -> Path:
        assert self.case.audio is not None
        return self.case.audio


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """What a classifier of motion learns from."""

    features: Float[np.ndarray, "clips features"]
    labels: Int[np.ndarray, "clips"]
    source: Path
    truth: dict[str, Any]
    """The origin of this motion, as in `truth_of`."""


def labelled_clips(
    *,
    audio: Path | None,
    truth: Path | None,
    dataset: str | None,
    split: str,
    text: Path | None,
    reporter: Reporter,
) -> tuple[list[Labelled], Chosen]:
    """Return the clips of `split` of `dataset`, or the sounds of `audio` as its labels.csv calls them, and
    the same as `gather` has them, which takes the other arguments.

    Raises InputError where there is no label for a clip, and where all have the same.
    """
    chosen = gather([], truth=truth, audio=audio, dataset=dataset, split=split, text=text, reporter=reporter)
    cases = chosen.cases
    known: dict[str, tuple[str, str]]
    if dataset is not None:
        known = {entry.id: (entry.emotion, entry.speaker) for entry in chosen.entries}
    else:
        assert audio is not None
        path = (audio if audio.is_dir() else audio.parent) / LABELS
        known = {label.id: (label.emotion, label.speaker) for label in read_labels(path).values()}
        if missing := [case.id for case in cases if case.id not in known]:
            raise InputError(
                f"{path} has no row for {missing[0]}"
                + (f" and {len(missing) - 1} more of {len(cases)}." if len(missing) > 1 else "."),
                hint="It has the columns id (a sound's name without suffix), emotion and speaker.",
            )
    clips = [
        Labelled(case=case, emotion=EMOTIONS.index(known[case.id][0]), speaker=known[case.id][1])
        for case in cases
    ]
    if len({clip.emotion for clip in clips}) < 2:
        raise InputError(
            f"The only emotion of {counted(len(clips), 'clip')} is {known[cases[0].id][0]}: there is nothing "
            "to tell apart."
        )
    return clips, chosen


def training_set(manifest: Path, channels: tuple[str, ...], reporter: Reporter) -> TrainingSet:
    """Return functionals of all motion in the train split of `manifest` (a file, or its folder).

    Raises InputError where it has no motion, motion of other `channels`, or of one emotion only.
    """
    folder = folder_of(manifest)
    entries = [
        entry for entry in read_manifest(manifest) if entry.split == "train" and entry.motion is not None
    ]
    features, labels, origins = [], [], []
    for index, entry in enumerate(entries):
        motion, meta = read_motion(checked_file(folder, *entry.files["motion"], entry.id))
        if motion.channels != channels:
            raise InputError(
                f"Clip {entry.id} of {manifest} moves {motion.head}, the model moves other channels."
            )
        origins.append(entry.origin or origin_of(meta))
        features.append(functionals(motion.coeffs))
        labels.append(EMOTIONS.index(entry.emotion))
        reporter.progress("learning what emotions look like", index + 1, len(entries))
    if len(set(labels)) < 2:
        raise InputError(
            f"The train split of {manifest} shows {counted(len(set(labels)), 'emotion')}: there is nothing "
            "to learn.",
            hint="Give `emotions_of` a manifest of true motion with labels.",
        )
    truth = truth_of(origins)
    assert truth is not None
    return TrainingSet(features=np.stack(features), labels=np.array(labels), source=manifest, truth=truth)
