"""The table of emotion: whether a model recognises emotion, shows it, can be directed, and keeps it off the
lips.

Axis names: `clips`, `embedding`. `EMOTION_MEASURES` names and describes the measures. Errors are those of the
jackknife, over speakers if there are five or more, else over clips.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.checkpoints.model_file import Header
from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.losses.csd import csd
from talkcli.engine.metrics import retrieval
from talkcli.engine.metrics.confidence import confident_ratio
from talkcli.engine.metrics.emotion_catalogue import EMOTION_MEASURES
from talkcli.engine.metrics.named import Discriminant, functionals
from talkcli.engine.metrics.recall import confusion, unweighted_average_recall
from talkcli.engine.metrics.swap import swap_ratio
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.models.deeptalk.gaussian import Gaussian
from talkcli.engine.origin import truth_of
from talkcli.engine.performers.deeptalk import DeepTalkControls
from talkcli.engine.performers.open import head_for
from talkcli.engine.pipelines.prepared_sets import manifest_of
from talkcli.engine.pipelines.score.emotion.listener import Embedded, Listener
from talkcli.engine.pipelines.score.emotion.rows import Indices, Measure, Rows
from talkcli.engine.pipelines.score.emotion.takes import EmotionTakes, shows_moods
from talkcli.engine.pipelines.score.generation import Generation
from talkcli.engine.pipelines.score.labelled import Labelled, labelled_clips, training_set
from talkcli.engine.pipelines.score.phones import find_phones
from talkcli.engine.pipelines.score.schema import SCHEMA
from talkcli.engine.pipelines.score.thresholds import Threshold, verdict
from talkcli.engine.types import EMOTIONS, Reporter
from talkcli.engine.version import __version__

# Takes of each clip with a drawn emotion, and their sigma unless another one is asked for: the README's.
_NUM_TAKES, _USUAL_SIGMA = 4, 0.1
_NO_TRUTH = "no clip has true motion"
_NO_GENERATOR = "the model is an emotion embedding and generates nothing"


@dataclass(frozen=True, kw_only=True)
class EmotionInputs:
    """Clips to measure: those of a data set, or of a folder of sounds with a labels.csv."""

    audio: Path | None = None
    """Sound file or folder; None for `dataset`."""
    truth: Path | None = None
    """True motion of `audio`, as for `gather`."""
    text: Path | None = None
    """Words of `audio`, as for `gather`."""
    dataset: str | None = None
    """Name or path of a prepared data set; None for `audio`."""
    split: str = "test"
    """Split of the data set."""
    limit: int | None = None
    """Largest number of clips, as for `gather`."""
    emotions_of: Path | None = None
    """Manifest whose true motion trains the classifier of motion; None for that of `dataset`."""
    head_name: str | None = None
    """Head whose vertices are compared; None for the model's own."""


def emotion_table(
    inputs: EmotionInputs, *, generation: Generation, thresholds: Sequence[Threshold], reporter: Reporter
) -> dict[str, Any]:
    """Measure every row of `EMOTION_MEASURES`.

    Args:
        inputs: Clips to measure.
        generation: Model, sigma, actor and seed; the number of its takes is not used.
        thresholds: Limits on measures.
        reporter: Receiver of notes, warnings and progress.

    Returns:
        A document ready for JSON: `schema`, `table`; `talk`, `dataset`, `limit`, `generation` and `truth` as
        in `score_motions`; `method`; `head`; `seed`; `emotions` (labels that occur); `num_clips`;
        `errors_over`; `training_set` (what the classifier of motion learned from, or the reason why there is
        none); `measures` (value or reason, chance, standard error, number of clips, and kind of the `truth`
        that the value depends on); `labels`; `confusion` (counts: true labels along rows, given labels along
        columns); `speakers`; `clips`; `thresholds` and `missed` (`verdict`).

    Raises:
        TalkError: For unusable input; a measure that cannot be computed is no error.
    """
    clips, chosen = labelled_clips(
        audio=inputs.audio,
        truth=inputs.truth,
        dataset=inputs.dataset,
        split=inputs.split,
        text=inputs.text,
        limit=inputs.limit,
        reporter=reporter,
    )
    described = generation.described(reporter)
    listener = Listener(generation)
    header = listener.header
    teacher, source = _teacher(inputs, header, reporter)
    embedded = listener.embed(clips, reporter)
    table = Rows(clips)
    _embedding_rows(table, listener, embedded)
    _truth_row(table, embedded, teacher)
    if listener.performer is None:
        table.leave_out([name for name in EMOTION_MEASURES if name not in table.rows], _NO_GENERATOR)
    else:
        sampling = replace(generation.sampling, takes=1)
        controls = DeepTalkControls(sigma=generation.sigma)
        takes = EmotionTakes(listener.performer, sampling, controls, embedded, table.true, reporter)
        _generated_rows(table, takes, teacher)
        _drawn_rows(table, takes, teacher, listener, embedded, generation.sigma)
        _swap_rows(table, takes, _head(inputs, header), clips, generation.seed, reporter)
    truth = truth_of(embedded.truth_origins)
    held_against = {"truth": truth, "training_set": source.get("truth")}
    measures = {}
    for name, info in EMOTION_MEASURES.items():
        against = None if info.against is None else held_against[info.against]
        measures[name] = table.rows[name] | {"truth": None if against is None else against["kinds"]}
    return {
        "schema": SCHEMA,
        "table": "emotion",
        "talk": __version__,
        "dataset": chosen.described,
        "limit": inputs.limit,
        "generation": described,
        "truth": truth,
        "method": header.method,
        "head": header.head,
        "seed": generation.seed,
        "emotions": [EMOTIONS[label] for label in np.unique(table.true)],
        "num_clips": len(clips),
        "errors_over": table.errors_over,
        "training_set": source,
        "measures": measures,
        "labels": list(EMOTIONS),
        "confusion": table.confusions,
        "speakers": table.by_speaker(),
        "clips": table.by_clip(),
        **verdict(thresholds, measures),
    }


def _teacher(
    inputs: EmotionInputs, header: Header, reporter: Reporter
) -> tuple[Discriminant | str, dict[str, Any]]:
    """Return the classifier of motion, or the reason why there is none; and what it learned from."""
    if inputs.emotions_of is None and inputs.dataset is None:
        reason = "no true motion to learn from: give `emotions_of`"
        return reason, {"reason": reason}
    manifest = inputs.emotions_of or manifest_of(inputs.dataset or "")
    try:
        taught = training_set(manifest, header.channels, reporter)
    except InputError as error:
        if inputs.emotions_of is not None:
            raise
        return error.problem, {"reason": error.problem}
    return Discriminant(taught.features, taught.labels), {
        "manifest": str(manifest),
        "clips": len(taught.labels),
        "truth": taught.truth,
    }


def _embedding_rows(table: Rows, listener: Listener, embedded: Embedded) -> None:
    """Add the rows of the embedding: those of speech, of true motion, and of both together."""
    speech, motion, seen = embedded.speech, embedded.motion, embedded.seen
    named = table.name("emotion_uar", lambda: listener.by_classifier(speech.mean), table.everything)
    table.name("anchor_uar", lambda: listener.by_anchor(speech.mean), table.everything)
    if named is None:
        table.leave_out(["confident_ratio"], table.rows["emotion_uar"]["reason"])
    else:
        right, spread = named == table.true, speech.log_variance.numpy()
        table.add(
            "confident_ratio",
            lambda chosen: confident_ratio(right[chosen], spread[chosen]),
            table.everything,
            chance=1.0,
        )
    if motion is None:
        table.leave_out(["motion_uar", *(name for name in EMOTION_MEASURES if "_to_" in name)], _NO_TRUTH)
        return
    table.name("motion_uar", lambda: listener.by_classifier(motion.mean), seen)
    distances = csd(Gaussian(speech.mean[seen], speech.log_variance[seen]), motion).numpy()
    for side, rows in (("audio_to_motion", distances), ("motion_to_audio", distances.T)):
        _retrieval_rows(table, side, rows, seen)


def _retrieval_rows(
    table: Rows, side: str, distances: Float[np.ndarray, "clips clips"], seen: Indices
) -> None:
    labels = table.true[seen]

    def among(k: int) -> Measure:
        return lambda chosen: retrieval.recall_at(
            k, distances[np.ix_(chosen, chosen)], labels[chosen], labels[chosen]
        )

    def choice(chosen: Indices) -> float:
        return retrieval.forced_choice(distances[np.ix_(chosen, chosen)], labels[chosen], labels[chosen])

    for name, k in (("top1", 1), ("recall5", 5)):
        table.add(f"{side}_{name}", among(k), seen, retrieval.chance_at(k, labels, labels))
    table.add(f"{side}_choice", choice, seen, 1 / len(np.unique(labels)))


def _truth_row(table: Rows, embedded: Embedded, teacher: Discriminant | str) -> None:
    if isinstance(teacher, str) or not embedded.truths:
        table.leave_out(["named_true"], teacher if isinstance(teacher, str) else _NO_TRUTH)
        return
    looks = np.stack([functionals(motion.coeffs) for motion in embedded.truths])
    table.name("named_true", lambda: teacher(looks), embedded.seen)


def _generated_rows(table: Rows, takes: EmotionTakes, teacher: Discriminant | str) -> None:
    """Add the rows of the classifier: on motion made from speech, and on motion made for a given emotion."""
    if isinstance(teacher, str):
        table.leave_out(["named_generated", "named_directed"], teacher)
        return
    table.name("named_generated", lambda: teacher(takes.features()), table.everything)
    try:
        directed = takes.directed()
    except UsageError as error:
        table.leave_out(["named_directed"], error.problem)
        return
    named = teacher(directed.features)

    def share(chosen: Indices) -> float:
        among = np.isin(directed.clips, chosen)
        return unweighted_average_recall(named[among], directed.asked[among])

    table.add("named_directed", share, table.everything, table.chance)
    table.confusions["named_directed"] = confusion(named, directed.asked, len(EMOTIONS)).tolist()


def _drawn_rows(
    table: Rows,
    takes: EmotionTakes,
    teacher: Discriminant | str,
    listener: Listener,
    embedded: Embedded,
    sigma: float | None,
) -> None:
    """Add the rows of drawn emotions: whether they are those of the voice, and whether neutral stays
    neutral.
    """
    drawn = takes.drawn(_USUAL_SIGMA if sigma is None else sigma, _NUM_TAKES)
    neutral = np.flatnonzero(table.true == EMOTIONS.index("neutral"))
    if not shows_moods(listener.header.channels):
        table.leave_out(["neutral_kept"], f"{listener.header.head} has no channels of a scowl and a smile")
    elif len(neutral):
        plain = drawn.plain[neutral].mean(axis=1)
        table.add("neutral_kept", lambda chosen: float(plain[chosen].mean()), neutral)
    else:
        table.leave_out(["neutral_kept"], "no clip is neutral")
    if isinstance(teacher, str):
        table.leave_out(["mood_agreement"], teacher)
        return
    try:
        allowed = listener.likeliest(embedded.speech.mean, 2)
    except UndefinedMetricError as error:
        table.leave_out(["mood_agreement"], str(error))
        return
    named = np.stack([teacher(features) for features in drawn.features])
    agrees = (named[:, :, None] == allowed[:, None, :]).any(axis=2).mean(axis=1)
    table.add(
        "mood_agreement", lambda chosen: float(agrees[chosen].mean()), table.everything, 2 * table.chance
    )


def _head(inputs: EmotionInputs, header: Header) -> Head | str:
    """Return the head whose vertices the swaps compare, or the reason why there is none."""
    try:
        return head_for(header, inputs.head_name)
    except AssetError as error:
        return error.problem


def _swap_rows(
    table: Rows,
    takes: EmotionTakes,
    head: Head | str,
    clips: Sequence[Labelled],
    seed: int,
    reporter: Reporter,
) -> None:
    if isinstance(head, str):
        table.leave_out([name for name in EMOTION_MEASURES if name.startswith("swap_")], head)
        return
    phones = find_phones([clip.case for clip in clips], reporter)
    swaps = takes.swaps(head, [phones[clip.case.id] for clip in clips], seed)
    for name, changes in swaps._asdict().items():
        table.add(f"swap_{name}_mm", _mean_of(changes), table.everything)
    for name, changes in (
        ("swap_ratio", swaps.bilabial),
        ("swap_closed_ratio", swaps.closed),
        ("swap_opening_ratio", swaps.opening),
    ):
        table.add(name, _ratio_of(swaps.upper, changes), table.everything)
    silent = [why for why in phones.values() if isinstance(why, str)]
    if len(silent) == len(clips):
        table.leave_out(["swap_ratio", "swap_bilabial_mm"], silent[0])


def _mean_of(changes: Float[np.ndarray, "clips"]) -> Measure:
    def mean(chosen: Indices) -> float:
        known = changes[chosen][~np.isnan(changes[chosen])]
        if len(known) == 0:
            raise UndefinedMetricError("no clip has a closure to look at")
        return float(known.mean())

    return mean


def _ratio_of(upper: Float[np.ndarray, "clips"], closure: Float[np.ndarray, "clips"]) -> Measure:
    return lambda chosen: swap_ratio(upper[chosen], closure[chosen])
