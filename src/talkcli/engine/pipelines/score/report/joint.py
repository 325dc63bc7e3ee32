"""The joint space of speech and motion, as DEEPTalk draws it: t-SNE by emotion (its Figure 4), retrieval by
emotion (Figure C) and cosines of pairs with equal and with different emotions (Figure D).

Axis names: `clips`, `points`, `labels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.losses.csd import csd
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.pages.tsne import tsne
from talkcli.engine.pipelines.score.emotion.listener import Embedded, Listener
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.labelled import Labelled, labelled_clips
from talkcli.engine.pipelines.score.sources import Sources
from talkcli.engine.types import EMOTIONS, Reporter

# Largest number of points of the t-SNE, whose time grows with the square of it; more are thinned out evenly.
_MOST_POINTS = 400
# Bounds of the bins of cosines.
_EDGES = np.linspace(-1, 1, 33)


@dataclass(frozen=True, kw_only=True)
class JointSpace:
    """What the pictures of a joint space show."""

    placed: Float[np.ndarray, "points 2"]
    """Positions of speech and motion by t-SNE."""
    labels: Int[np.ndarray, "points"]
    """Index in `EMOTIONS` of each point."""
    is_motion: np.ndarray
    """Whether each point is a motion; else it is speech."""
    num_clips: int
    """Number of clips before any thinning out."""
    edges: list[float]
    """Bounds of the bins of cosines."""
    cosines: dict[str, tuple[list[float], list[float]]]
    """By emotion: shares in each bin of the pairs of speech and motion that both have the emotion, and of
    those in which only one has it."""
    retrieval: dict[str, list[list[int]]]
    """By direction: number of queries by their emotion (rows) and that of the nearest item (columns), both in
    the order of `emotions`."""
    emotions: list[str]
    """Emotions that occur."""


def joint_space(sources: Sources, generation: Generation, reporter: Reporter) -> JointSpace | str:
    """Embed the labelled clips of `sources`; or return the reason why there is no joint space to show."""
    if sources.dataset is None and sources.audio is None:
        return "no speech with labels is given"
    try:
        clips, _ = labelled_clips(
            audio=sources.audio,
            truth=sources.truth,
            dataset=sources.dataset,
            split=sources.split,
            text=sources.text,
            limit=sources.limit,
            reporter=reporter,
        )
        listener = Listener(generation)
        embedded = listener.embed(clips, reporter)
        reporter.progress("placing embeddings in the plane", 0, None)
        return shown(clips, embedded)
    except InputError as error:
        return error.problem


def shown(clips: Sequence[Labelled], embedded: Embedded) -> JointSpace:
    """Return the pictures' content for clips and their embeddings."""
    labels = np.array([clip.emotion for clip in clips])
    motion, seen = embedded.motion, embedded.seen
    means = [embedded.speech.mean.numpy()] + ([] if motion is None else [motion.mean.numpy()])
    points = np.concatenate(means)
    kinds = np.arange(len(points)) >= len(labels)
    all_labels = np.concatenate([labels, labels[seen]]) if motion is not None else labels
    chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).astype(int))
    present = np.unique(labels)
    retrieval: dict[str, list[list[int]]] = {}
    cosines: dict[str, tuple[list[float], list[float]]] = {}
    if motion is not None:
        speech = Gaussian(embedded.speech.mean[seen], embedded.speech.log_variance[seen])
        distances = csd(speech, motion).numpy()
        retrieval["speech to motion"] = _nearest(distances, labels[seen], present)
        retrieval["motion to speech"] = _nearest(distances.T, labels[seen], present)
        cosines = _cosines(means[0][seen], means[1], labels[seen])
    return JointSpace(
        placed=tsne(points[chosen]) if len(chosen) >= 5 else points[chosen, :2],
        labels=all_labels[chosen],
        is_motion=kinds[chosen],
        num_clips=len(clips),
        edges=_EDGES.tolist(),
        cosines=cosines,
        retrieval=retrieval,
        emotions=[EMOTIONS[label] for label in present],
    )


def _nearest(
    distances: Float[np.ndarray, "clips clips"],
    labels: Int[np.ndarray, "clips"],
    present: Int[np.ndarray, "labels"],
) -> list[list[int]]:
    found = labels[np.argmin(distances, axis=1)]
    return [[int(((labels == row) & (found == column)).sum()) for column in present] for row in present]


def _cosines(
    speech: Float[np.ndarray, "clips embedding"],
    motion: Float[np.ndarray, "clips embedding"],
    labels: Int[np.ndarray, "clips"],
) -> dict[str, tuple[list[float], list[float]]]:
    speech = speech / np.linalg.norm(speech, axis=1, keepdims=True)
    motion = motion / np.linalg.norm(motion, axis=1, keepdims=True)
    values = np.clip(speech @ motion.T, -1, 1)
    found = {}
    for label in np.unique(labels):
        row, column = (labels == label)[:, None], (labels == label)[None]
        found[EMOTIONS[label]] = (_shares(values[row & column]), _shares(values[row ^ column]))
    return found


def _shares(values: np.ndarray) -> list[float]:
    counts, _ = np.histogram(values, bins=_EDGES)
    return (counts / max(counts.sum(), 1)).tolist()
