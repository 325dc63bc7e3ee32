"""The joint space of speech and true motion, as DEEPTalk draws it: t-SNE by emotion (its Figure 4), retrieval
by emotion (Figure C) and cosines of pairs with equal and with different emotions (Figure D).

Axis names: `clips`, `points`, `labels`, `seen` (clips with true motion).
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.losses.csd import csd
from talkcli.engine.metrics.cosines import cosine_histograms, cosines
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.pages.tsne import tsne
from talkcli.engine.pipelines.score.emotion.listener import Embedded, Listener
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.labelled import Labelled, labelled_clips
from talkcli.engine.pipelines.score.sources import Sources
from talkcli.engine.types import EMOTIONS, Reporter

# Largest number of points of the t-SNE, whose time grows with the square of it; more are thinned out evenly.
_MOST_POINTS = 400

# By emotion: shares of pairs in each bin, if both have the emotion and if only the speech has it.
Histograms = dict[str, tuple[list[float], list[float]]]


@dataclass(frozen=True, kw_only=True)
class JointSpace:
    """What the pictures of a joint space show."""

    model_name: str
    """Model whose emotion embedding this is."""
    placed: Float[np.ndarray, "points 2"]
    """Positions of speech and true motion by t-SNE."""
    labels: Int[np.ndarray, "points"]
    """Index in `EMOTIONS` of each point."""
    is_motion: np.ndarray
    """Whether each point is a true motion; else it is speech."""
    num_clips: int
    """Number of clips before any thinning out."""
    edges: list[float]
    """Bounds of the bins of cosines; empty without cosines."""
    cosines: Histograms
    """Cosines of speech and true motion; empty when no clip has true motion or all have one emotion."""
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
        return shown(generation.model_name, clips, embedded)
    except InputError as error:
        return error.problem


def shown(model_name: str, clips: Sequence[Labelled], embedded: Embedded) -> JointSpace:
    """Return the pictures' content for clips and their embeddings by the model called `model_name`."""
    labels = np.array([clip.emotion for clip in clips])
    motion, seen = embedded.motion, embedded.seen
    means = [embedded.speech.mean.numpy()] + ([] if motion is None else [motion.mean.numpy()])
    points = np.concatenate(means)
    kinds = np.arange(len(points)) >= len(labels)
    all_labels = np.concatenate([labels, labels[seen]]) if motion is not None else labels
    chosen = np.unique(np.linspace(0, len(points) - 1, min(len(points), _MOST_POINTS)).astype(int))
    present = np.unique(labels)
    retrieval: dict[str, list[list[int]]] = {}
    edges: list[float] = []
    histograms: Histograms = {}
    if motion is not None:
        speech = Gaussian(embedded.speech.mean[seen], embedded.speech.log_variance[seen])
        distances = csd(speech, motion).numpy()
        retrieval["speech to true motion"] = _nearest(distances, labels[seen], present)
        retrieval["true motion to speech"] = _nearest(distances.T, labels[seen], present)
        edges, histograms = _histograms(means[0][seen], means[1], labels[seen])
    return JointSpace(
        model_name=model_name,
        placed=tsne(points[chosen]) if len(chosen) >= 5 else points[chosen, :2],
        labels=all_labels[chosen],
        is_motion=kinds[chosen],
        num_clips=len(clips),
        edges=edges,
        cosines=histograms,
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


def _histograms(
    speech: Float[np.ndarray, "seen embedding"],
    motion: Float[np.ndarray, "seen embedding"],
    labels: Int[np.ndarray, "seen"],
) -> tuple[list[float], Histograms]:
    """Return the bounds of the bins, and the histograms of each emotion."""
    edges: list[float] = []
    found: Histograms = {}
    with contextlib.suppress(UndefinedMetricError):
        values = cosines(speech, motion)
        for label in np.unique(labels):
            chosen = labels == label
            same, other, bounds = cosine_histograms(values[chosen], labels[chosen], labels)
            found[EMOTIONS[label]] = (same.tolist(), other.tolist())
            edges = bounds.tolist()
    return edges, found
