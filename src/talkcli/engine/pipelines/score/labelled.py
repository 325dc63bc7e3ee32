"""Clips with a known emotion: those that talk measures, and the true motion that trains a classifier.

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
from talkcli.engine.face.channels import only_learned
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.metrics.named import functionals
from talkcli.engine.origin import origin_of, truth_of
from talkcli.engine.pipelines.score.inputs import Case, Chosen, gather
from talkcli.engine.types import EMOTIONS, Reporter
from talkcli.engine.wording import counted

# Name of the table of labels in a folder of sounds.
LABELS = "labels.csv"


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One clip with its emotion and speaker."""

    case: Case
    """Files of the clip."""
    emotion: int
    """Index of the emotion in `EMOTIONS`."""
    speaker: str
    """Name of the speaker."""

    @property
    def audio(self) -> Path:
        assert self.case.audio is not None
        return self.case.audio


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """True motion that trains a classifier of motion."""

    features: Float[np.ndarray, "clips features"]
    """Functionals of each clip's coefficients."""
    labels: Int[np.ndarray, "clips"]
    """Index in `EMOTIONS` of each clip's emotion."""
    source: Path
    """Path of the manifest, or of its folder."""
    truth: dict[str, Any]
    """Description of the origin of this motion, as `truth_of` returns it."""


def labelled_clips(
    *,
    audio: Path | None,
    truth: Path | None,
    dataset: str | None,
    split: str,
    text: Path | None,
    limit: int | None = None,
    reporter: Reporter,
) -> tuple[list[Labelled], Chosen]:
    """Return the clips of a data set or of a folder of sounds with their labels, and the same clips as
    `gather` returns them.

    Args:
        audio: Sound file or folder with a labels.csv beside the sounds; None for `dataset`.
        truth: True motion of `audio`, as for `gather`.
        dataset: Name or path of a prepared data set; None for `audio`.
        split: Split of the data set.
        text: Words of `audio`, as for `gather`.
        limit: Largest number of clips, as for `gather`.
        reporter: Receiver of notes and warnings.

    Raises:
        InputError: When a clip has no label, and when all clips have the same emotion.
    """
    chosen = gather(
        [],
        truth=truth,
        audio=audio,
        dataset=dataset,
        split=split,
        text=text,
        limit=limit,
        reporter=reporter,
    )
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
            f"The only emotion of {counted(len(clips), 'clip')} is {known[cases[0].id][0]}; the table needs "
            "two or more."
        )
    return clips, chosen


def training_set(manifest: Path, channels: tuple[str, ...], reporter: Reporter) -> TrainingSet:
    """Return the functionals and labels of all motion in the train split of a manifest.

    Args:
        manifest: Manifest, or its folder.
        channels: Names of the channels that the motion must have.
        reporter: Receiver of progress.

    Raises:
        InputError: When the motion has other channels, when there is none, and when all of it has one
            emotion.
    """
    folder = folder_of(manifest)
    entries = [
        entry for entry in read_manifest(manifest) if entry.split == "train" and entry.motion is not None
    ]
    features, labels, origins = [], [], []
    for index, entry in enumerate(entries):
        motion, meta = read_motion(checked_file(folder, *entry.files["motion"], entry.id))
        motion = only_learned(motion)
        if motion.channels != channels:
            raise InputError(
                f"Clip {entry.id} of {manifest} moves {motion.head}, but the model moves other channels."
            )
        origins.append(entry.origin or origin_of(meta))
        features.append(functionals(motion.coeffs))
        labels.append(EMOTIONS.index(entry.emotion))
        reporter.progress("reading motion for the classifier", index + 1, len(entries))
    if len(set(labels)) < 2:
        raise InputError(
            f"The train split of {manifest} has motion of {counted(len(set(labels)), 'emotion')}; the "
            "classifier needs two or more.",
            hint="Give `emotions_of` a manifest of true motion with labels.",
        )
    truth = truth_of(origins)
    assert truth is not None
    return TrainingSet(features=np.stack(features), labels=np.array(labels), source=manifest, truth=truth)
