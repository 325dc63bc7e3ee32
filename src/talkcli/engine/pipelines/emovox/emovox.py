"""Selection of emotional speech from a large collection of speech: `talk preprocess emovox`.

Axis names: `clips`.
Source: DEEPTalk, supplementary material, "Emo-Vox": 1.3 h of VoxCeleb2 whose embeddings are close to those of
high-intensity emotion. The authors do not say how close. This code takes the best 1.3 h, unless somebody
gives a threshold or another number of hours.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.device import resolve_device
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import sha256
from talkcli.engine.methods import EMBEDDED
from talkcli.engine.out_folder import check_apart, claim
from talkcli.engine.performers.named_model import weights_of
from talkcli.engine.pipelines.emovox.embeddings import Embedder, load_dee
from talkcli.engine.pipelines.emovox.files import (
    LIST,
    QUARANTINE,
    Curated,
    write_curated_card,
    write_list,
    write_quarantine,
)
from talkcli.engine.pipelines.emovox.scores import Anchoring, Scores, embed_anchors, score
from talkcli.engine.pipelines.emovox.selection import best_within, reaching
from talkcli.engine.prepare.adapters.prepared import prepared_sources
from talkcli.engine.prepare.adapters.sounds import sound_sources
from talkcli.engine.prepare.adapters.voxceleb2 import is_voxceleb2, voxceleb2_sources
from talkcli.engine.prepare.build import Plan, build
from talkcli.engine.prepare.source import Recipe, Recording, Source
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted, parameter

# Total duration of Emo-Vox in hours (DEEPTalk, supplementary material).
PAPER_HOURS = 1.3


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The rule of the choice: all clips whose score reaches `threshold`, or the best `hours`.

    The constructor raises UsageError for values that exclude one another or are out of range.
    """

    threshold: float | None = None
    """Lowest score of a chosen clip, a cosine in [-1, 1]; None chooses by hours."""
    hours: float | None = None
    """Largest total duration of the chosen clips in hours; None, without a threshold, is the paper's 1.3."""
    per_emotion: bool = False
    """Whether each emotion that a clip is nearest to gets an equal share of the hours."""
    shortest_s: float = 1.0
    """Shortest duration of a chosen clip in seconds."""
    longest_s: float = float("inf")
    """Longest duration of a chosen clip in seconds."""

    def __post_init__(self) -> None:
        if self.threshold is not None and self.hours is not None:
            raise UsageError("`threshold` and `hours` are two ways to choose: give one of them.")
        if self.threshold is not None and not -1 <= self.threshold <= 1:
            raise UsageError(f"`threshold={self.threshold}` is no cosine: these lie between -1 and 1.")
        if self.hours is not None and not 0 < self.hours < float("inf"):
            raise UsageError(f"`hours={self.hours}` is not a number above 0.")
        if self.per_emotion and self.threshold is not None:
            raise UsageError("`per_emotion` shares out hours; it does not go with `threshold`.")
        if not 0 <= self.shortest_s <= self.longest_s:
            raise UsageError(
                f"No clip is between `min_seconds={self.shortest_s}` and `max_seconds={self.longest_s}` long."
            )


@dataclass(frozen=True, kw_only=True)
class SoundOf:
    """Recipe that makes only the sound of another recipe's clip."""

    recipe: Recipe
    """The other recipe."""

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The files that the other recipe reads."""
        return self.recipe.inputs

    def make(self, source: Source) -> Recording:
        """Make the sound of the clip. Raises InputError as the other recipe does."""
        return Recording(speech=self.recipe.make(source).speech)


def curate_emovox(
    candidates: Path,
    out: Path,
    *,
    anchoring: Anchoring,
    wanted: Wanted,
    dee: str,
    list_only: bool,
    device_name: str,
    num_workers: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Score every sound of `candidates` against the anchors, choose the best, and make their clips.

    Args:
        candidates: Manifest or its folder, folder of VoxCeleb2, or any other folder of sound files.
        out: Folder to write.
        anchoring: Choice of the anchors.
        wanted: Rule of the choice.
        dee: Name of the model with the emotion embedding, as for `weights_of`.
        list_only: Whether to write the list of scores and make no clips.
        device_name: Device of DEE.
        num_workers: Number of processes; 0 works in this process.
        reporter: Receiver of progress, notes and warnings.

    Returns:
        The numbers of the run and the paths of list and manifest, ready for JSON.

    Raises:
        UsageError: When `out` lies in a folder that the run reads.
        AssetError: When the embedded model is missing.
        InputError: When `out` is a file, when there is no model `dee`, when DEE can embed no anchor or no
            candidate, and when no clip is chosen; in the last case the list of scores is already written.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{parameter('out', out)} is a file, a folder is needed.")
    for given in (candidates, anchoring.manifest):
        check_apart(given.parent if given.is_file() else given, out)
    sources = _candidates(candidates, reporter)
    weights = weights_of(dee, field="dee", made_by="talk train-dee or train-gen")
    embedder = Embedder(weights=weights, digest=sha256(weights), device=str(resolve_device(device_name)))
    _, header = load_dee(embedder)
    if dee == EMBEDDED:
        reporter.note(
            f"The DEE of the embedded model stands in for the published one; it was trained on "
            f"{header.trained_on}. Name another with `dee`."
        )
    anchors = embed_anchors(anchoring, embedder, out, num_workers=num_workers, reporter=reporter)
    scores, dropped = score(sources, anchors, embedder, out, num_workers=num_workers, reporter=reporter)
    write_quarantine(out, dropped)
    if not scores.sources:
        raise InputError(
            f"DEE can embed none of {counted(len(sources), 'candidate')}; the first: {dropped[0].id}: "
            f"{dropped[0].reason}",
            hint=f"All reasons are in {out / QUARANTINE}.",
        )
    _leave_out_by_length(scores, wanted)
    chosen, rule = _choose(scores, wanted, reporter)
    curated = Curated(
        anchors=anchors,
        scores=scores,
        chosen=chosen,
        dropped=tuple(dropped),
        rule=rule,
        weights_sha256=embedder.digest,
        header=header,
    )
    write_list(out, curated)
    document = {"list": str(out / LIST), "manifest": None, **curated.document()}
    if not chosen.any():
        raise InputError(
            f"Nothing is chosen of {counted(len(scores.sources), 'candidate')}: {rule}; the highest score "
            f"is {scores.scores.max():.4f}.",
            hint=f"{out / LIST} holds all scores.",
        )
    if list_only:
        return document
    picked = [_picked(curated, index) for index in np.flatnonzero(chosen).tolist()]
    with claim(out):
        built = build(picked, out, reporter, Plan(num_workers=num_workers))
    write_quarantine(out, (*dropped, *built.dropped))
    write_curated_card(out, curated, built)
    return document | {"manifest": str(out / "manifest.jsonl"), "clips": len(built.entries)}


def _candidates(given: Path, reporter: Reporter) -> list[Source]:
    """Return the sounds below `given`. Raises InputError if there are none."""
    if given.is_file() or (given / "manifest.jsonl").is_file():
        folder = given.parent if given.is_file() else given
        return prepared_sources(folder, read_manifest(given, reporter), motion=False)
    if given.is_dir() and is_voxceleb2(given):
        return voxceleb2_sources(given, reporter)
    sources = sound_sources(given)
    if not sources:
        raise InputError(f"{given} holds neither a manifest nor sound files.")
    return sources


def _leave_out_by_length(scores: Scores, wanted: Wanted) -> None:
    """Mark clips that are too short or too long as unfit, in place."""
    for source, seconds in zip(scores.sources, scores.seconds.tolist(), strict=True):
        if not wanted.shortest_s <= seconds <= wanted.longest_s:
            scores.unfit.setdefault(source.id, f"it is {seconds:.2f} s long")


def _choose(scores: Scores, wanted: Wanted, reporter: Reporter) -> tuple[Bool[np.ndarray, "clips"], str]:
    """Return a mask of the chosen clips, and the rule of the choice in words."""
    fit = np.array([source.id not in scores.unfit for source in scores.sources])
    values = np.where(fit, scores.scores, np.nan)
    if wanted.threshold is not None:
        return reaching(values, wanted.threshold), f"all of score {wanted.threshold:g} or more"
    hours = PAPER_HOURS if wanted.hours is None else wanted.hours
    labels = np.array([anchor.emotion.label for anchor in scores.nearest])
    groups = sorted(set(labels[fit])) if wanted.per_emotion else [None]
    chosen = np.zeros(len(values), dtype=bool)
    for group in groups:
        of_group = np.ones(len(values), dtype=bool) if group is None else labels == group
        there_s = float(scores.seconds[of_group & fit].sum(dtype=np.float64))
        share_s = 3600 * hours / len(groups)
        if there_s < share_s:
            what = "candidates" if group is None else f"candidates nearest to {group}"
            reporter.warn(
                f"All {what} together have {there_s / 3600:.3g} of the {share_s / 3600:.3g} h wanted: "
                "every one that is fit is chosen, whatever its score."
            )
        chosen |= best_within(np.where(of_group, values, np.nan), scores.seconds, share_s)
    rule = f"the best within {hours:g} h" + (", shared equally by emotion" if wanted.per_emotion else "")
    return chosen, rule


def _picked(curated: Curated, index: int) -> Source:
    """Return the source of a chosen clip: its sound, the emotion of the nearest anchor, the split test."""
    source = curated.scores.sources[index]
    return replace(
        source,
        emotion=curated.scores.nearest[index].emotion,
        split="test",
        recipe=SoundOf(recipe=source.recipe),
    )
