"""The files that `talk preprocess emovox` writes: the list of all candidates, the quarantine and the card.

Axis names: `clips`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from talkcli.engine.checkpoints.model_file import Header
from talkcli.engine.files import atomic_path
from talkcli.engine.pipelines.emovox.scores import Anchors, Scores
from talkcli.engine.prepare.build import Built, Dropped
from talkcli.engine.prepare.card import write_card
from talkcli.engine.wording import counted

# Names of the list of scored candidates and of the list of candidates without a score or a clip.
LIST = "emovox.jsonl"
QUARANTINE = "quarantine.jsonl"


@dataclass(frozen=True, kw_only=True)
class Curated:
    """The result of a run, before it makes clips."""

    anchors: Anchors
    """Anchors that the candidates were compared with."""
    scores: Scores
    """Candidates with a score."""
    chosen: Bool[np.ndarray, "clips"]
    """Mask of the chosen candidates among `scores`."""
    dropped: tuple[Dropped, ...]
    """Candidates that DEE could not embed, with the reasons."""
    rule: str
    """Rule of the choice, in words."""
    weights_sha256: str
    """SHA-256 of the model file with the embedding."""
    header: Header
    """Header of the model file with the embedding."""

    @property
    def hours(self) -> float:
        """The total duration of the chosen candidates in hours."""
        return float(self.scores.seconds[self.chosen].sum(dtype=np.float64)) / 3600

    @property
    def threshold(self) -> float | None:
        """The lowest score of a chosen candidate; None if none is chosen."""
        return float(self.scores.scores[self.chosen].min()) if self.chosen.any() else None

    def emotions(self) -> dict[str, tuple[int, float]]:
        """Return the number of chosen candidates and their hours by predicted emotion, most clips first."""
        found: dict[str, tuple[int, float]] = {}
        for index in np.flatnonzero(self.chosen):
            label = self.scores.nearest[index].emotion.label
            clips, hours = found.get(label, (0, 0.0))
            found[label] = (clips + 1, hours + float(self.scores.seconds[index]) / 3600)
        return dict(sorted(found.items(), key=lambda item: (-item[1][0], item[0])))

    def document(self) -> dict[str, Any]:
        """Return the numbers of the run, ready for JSON."""
        sides = [row.side for row in self.anchors.rows]
        return {
            "candidates": len(self.scores.sources) + len(self.dropped),
            "scored": len(self.scores.sources),
            "not_heard": len(self.dropped),
            "not_fit": len(self.scores.unfit),
            "anchors": {side: sides.count(side) for side in ("speech", "motion")},
            "chosen": int(self.chosen.sum()),
            "hours": round(self.hours, 4),
            "threshold": self.threshold,
            "emotions": {label: clips for label, (clips, _) in self.emotions().items()},
            "score_quartiles": np.quantile(self.scores.scores, (0, 0.25, 0.5, 0.75, 1)).round(4).tolist(),
            "weights_sha256": self.weights_sha256,
            "weights_licence": self.header.licence,
        }


def write_list(out: Path, curated: Curated) -> None:
    """Write every scored candidate to the list, highest score first, equal scores in the order of ids."""
    scores = curated.scores
    write_lines(
        out / LIST,
        (
            {
                "id": scores.sources[index].id,
                "path": str(next(iter(scores.sources[index].recipe.inputs))),
                "score": float(scores.scores[index]),
                "anchor": scores.nearest[index].clip,
                "side": scores.nearest[index].side,
                "emotion": scores.nearest[index].emotion.label,
                "seconds": round(float(scores.seconds[index]), 3),
                "speaker": scores.sources[index].speaker,
                "chosen": bool(curated.chosen[index]),
                "unfit": scores.unfit.get(scores.sources[index].id),
            }
            for index in np.argsort(-scores.scores, kind="stable")
        ),
    )


def write_lines(path: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line; the file appears whole or not at all."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(document) + "\n" for document in documents)


def write_quarantine(out: Path, dropped: Iterable[Dropped]) -> None:
    """Write the candidates that have no score, or whose clip could not be made, with the reasons."""
    write_lines(out / QUARANTINE, ({"id": item.id, "reason": item.reason} for item in dropped))


def write_curated_card(out: Path, curated: Curated, built: Built) -> None:
    """Write the card of the chosen clips, which says how they were chosen.

    Args:
        out: Folder of the clips.
        curated: Result of the choice.
        built: Result of making the clips.
    """
    everything = replace(built, dropped=(*curated.dropped, *built.dropped))
    write_card(out, everything, "talk preprocess emovox", _story(curated))


def _story(curated: Curated) -> str:
    """Return the part of the card on the choice, in Markdown."""
    numbers, header = curated.document(), curated.header
    anchors = numbers["anchors"]
    return "\n".join(
        [
            "**Chosen by a model, not by people.** Each candidate's score is the highest cosine between "
            "DEE's embedding of its sound and that of an anchor, a clip of high-intensity emotion. Its "
            "emotion is the nearest anchor's label: a prediction, not the truth.",
            "",
            f"- Candidates: {numbers['candidates']}. DEE could embed {numbers['scored']}; of these, "
            f"{numbers['not_fit']} could not be chosen ({LIST} says why).",
            f"- Anchors: {anchors['speech']} of speech, {anchors['motion']} of motion.",
            f"- Chosen: {curated.rule}; {counted(numbers['chosen'], 'clip')}, {curated.hours:.3f} hours, "
            f"lowest score {curated.threshold}.",
            f"- DEE: weights sha256 {curated.weights_sha256}; trained on {header.trained_on}; licence "
            f"{header.licence}.",
        ]
    )
