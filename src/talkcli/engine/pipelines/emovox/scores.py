"""Scores: the similarity of each of many sounds to high-intensity emotion, its highest cosine to an anchor.

Axis names: `clips`, `anchors`, `embedding`.
Source: DEEPTalk, supplementary material, "Emo-Vox". The authors compare DEE's embeddings of sounds with those
of high-intensity speech and facial motion of MEAD. They do not say how several anchors count; here only the
nearest one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from talkcli.engine.data.manifest import read_manifest
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.pipelines.emovox.embeddings import Embedder, Row, embed_clips, load_dee
from talkcli.engine.pipelines.emovox.selection import nearest
from talkcli.engine.prepare.adapters.prepared import prepared_sources
from talkcli.engine.prepare.build import Dropped
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import EMOTIONS, Emotion, Reporter
from talkcli.engine.wording import counted

# Emotions that are no anchors by default.
CALM = ("neutral", "calm")
# Amount by which an anchor's level may be below the lowest one: files round two thirds differently.
_LEVEL_SLACK = 0.01

Side = Literal["speech", "motion"]


@dataclass(frozen=True, kw_only=True)
class Anchoring:
    """The choice of anchors: clips of a manifest, and their sides that count."""

    manifest: Path
    """Manifest of the anchors, or its folder."""
    level: float = 1.0
    """Lowest level of an anchor's emotion, in [0, 1]."""
    emotions: tuple[str, ...] = tuple(label for label in EMOTIONS if label not in CALM)
    """Labels that an anchor may have."""
    sides: tuple[Side, ...] = ("speech", "motion")
    """Sides of each anchor with which sounds are compared."""

    def __post_init__(self) -> None:
        if not 0 <= self.level <= 1:
            raise UsageError(f"`anchor_level={self.level}` is not between 0 and 1.")
        if unknown := [label for label in self.emotions if label not in EMOTIONS]:
            raise UsageError(f"`anchor_emotions`: {unknown[0]!r} is not one of {', '.join(EMOTIONS)}.")


class Anchor(NamedTuple):
    """One side of an anchor clip."""

    clip: str
    """Id of the clip."""
    side: Side
    """Side of the clip: its speech or its motion."""
    emotion: Emotion
    """Emotion of the clip."""


class Anchors(NamedTuple):
    """The anchors in the order of the manifest, and their embeddings."""

    rows: list[Anchor]
    """Sides of clips, one per row of `vectors`."""
    vectors: Float[np.ndarray, "anchors embedding"]
    """Embeddings of unit length."""
    sounds: frozenset[str]
    """SHA-256 of each anchor's sound file."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The candidates that DEE could embed, in the order of their ids."""

    sources: list[Source]
    """Candidates."""
    scores: Float[np.ndarray, "clips"]
    """Highest cosine of each candidate to an anchor, in [-1, 1]."""
    nearest: list[Anchor]
    """Anchor of that cosine, for each candidate."""
    seconds: Float[np.ndarray, "clips"]
    """Duration of each candidate in seconds."""
    unfit: dict[str, str]
    """Reason why a candidate may not be chosen, by its id."""


def embed_anchors(
    anchoring: Anchoring, embedder: Embedder, out: Path, *, num_workers: int, reporter: Reporter
) -> Anchors:
    """Return the sides of all anchors that DEE can embed.

    Args:
        anchoring: Choice of the anchors.
        embedder: DEE that embeds them.
        out: Folder below which the embeddings are kept.
        num_workers: Number of processes; 0 works in this process.
        reporter: Receiver of progress and warnings.

    Raises:
        InputError: When the manifest has no clip with such an emotion and level, or when DEE can embed none
            of its anchors.
    """
    manifest, level = anchoring.manifest, anchoring.level - _LEVEL_SLACK
    entries = read_manifest(manifest, reporter)
    entries = [entry for entry in entries if entry.emotion in anchoring.emotions]
    strong = [entry for entry in entries if entry.intensity >= level and not entry.still]
    if not strong:
        levels = ", ".join(f"{value:.2g}" for value in sorted({entry.intensity for entry in entries}))
        raise InputError(
            f"{manifest} has no anchors: no clip of {', '.join(anchoring.emotions)} at level "
            f"{anchoring.level:g} or above.",
            hint=f"Its levels of these emotions are {levels}: lower `anchor_level`."
            if levels
            else "Name others with `anchor_emotions`.",
        )
    folder = manifest if manifest.is_dir() else manifest.parent
    sides = {"audio": "speech" in anchoring.sides, "motion": "motion" in anchoring.sides}
    sources = prepared_sources(folder, strong, **sides)
    found: dict[str, Row] = {}
    problems: dict[str, str] = {}
    for part in embed_clips(
        sources,
        embedder,
        out / "embeddings" / "anchors",
        num_workers=num_workers,
        reporter=reporter,
        stage="embedding anchors",
    ):
        found |= part.rows
        problems |= part.problems
    rows, vectors = [], []
    for source in sources:
        if source.id not in found:
            continue
        for side in anchoring.sides:
            vector = getattr(found[source.id], side)
            if not np.isnan(vector[0]):
                rows.append(Anchor(source.id, side, source.emotion))
                vectors.append(vector)
    if not rows:
        first, reason = next(iter(problems.items()), (sources[0].id, "DEE sees no motion of this head."))
        raise InputError(
            f"None of {counted(len(sources), 'anchor')} can be embedded; the first: {first}: {reason}"
        )
    if problems:
        first, reason = next(iter(problems.items()))
        left_out = f"{len(problems)} of {counted(len(sources), 'anchor')}"
        reporter.warn(f"Left out {left_out}, the first: {first}: {reason}")
    unseen = {source.id for source in sources} - {row.clip for row in rows if row.side == "motion"}
    if sides["motion"] and (unseen := unseen - set(problems)):
        _, header = load_dee(embedder)
        reporter.warn(
            f"Known by speech alone: {len(unseen)} of {counted(len(sources), 'anchor')}, without motion of "
            f"the head {header.head}, which this DEE sees."
        )
    return Anchors(
        rows, np.stack(vectors), frozenset(entry.sha256.audio for entry in strong if entry.sha256.audio)
    )


def score(
    sources: Sequence[Source],
    anchors: Anchors,
    embedder: Embedder,
    out: Path,
    *,
    num_workers: int,
    reporter: Reporter,
) -> tuple[Scores, list[Dropped]]:
    """Return the scores of all sources that DEE can embed, and the other sources with the reasons.

    Of sources with the same id, all but the first are among the latter. Of sounds with the same content, all
    but the first are unfit; so is a sound that is an anchor itself.

    Args:
        sources: Candidates.
        anchors: Anchors to compare them with.
        embedder: DEE that embeds them.
        out: Folder below which the embeddings are kept.
        num_workers: Number of processes; 0 works in this process.
        reporter: Receiver of the progress.
    """
    unique = {source.id: source for source in reversed(sources)}
    dropped = [
        Dropped(id=source.id, reason="another clip has this id")
        for source in sources
        if unique[source.id] is not source
    ]
    ids = sorted(unique)
    place = {clip: index for index, clip in enumerate(ids)}
    scores, seconds = np.full(len(ids), np.nan), np.zeros(len(ids), np.float32)
    indices = np.zeros(len(ids), np.int32)
    digests: list[bytes] = [b""] * len(ids)
    problems: dict[str, str] = {}
    for part in embed_clips(
        [unique[clip] for clip in ids],
        embedder,
        out / "embeddings" / "candidates",
        num_workers=num_workers,
        reporter=reporter,
        stage="embedding candidates",
    ):
        problems |= part.problems
        rows = {clip: row for clip, row in part.rows.items() if not np.isnan(row.speech[0])}
        problems |= dict.fromkeys(part.rows.keys() - rows.keys(), "it has no sound")
        if not rows:
            continue
        at = [place[clip] for clip in rows]
        # Only the scores of a part are kept: the embeddings of a million clips would fill the memory.
        scores[at], indices[at] = nearest(np.stack([row.speech for row in rows.values()]), anchors.vectors)
        for index, row in zip(at, rows.values(), strict=True):
            seconds[index], digests[index] = row.seconds, bytes.fromhex(row.digest)
    dropped += [Dropped(id=clip, reason=problems[clip]) for clip in ids if clip in problems]
    heard = [index for index, clip in enumerate(ids) if clip not in problems]
    scored = Scores(
        sources=[unique[ids[index]] for index in heard],
        scores=scores[heard],
        nearest=[anchors.rows[index] for index in indices[heard]],
        seconds=seconds[heard],
        unfit=_doubles(((ids[index], digests[index]) for index in heard), anchors),
    )
    return scored, dropped


def _doubles(clips: Iterable[tuple[str, bytes]], anchors: Anchors) -> dict[str, str]:
    """Return the unfit clips by id, with the reason: the sound, known by its digest, is an anchor's or occurs
    before.
    """
    unfit: dict[str, str] = {}
    first: dict[bytes, str] = {}
    for clip, digest in clips:
        if digest.hex() in anchors.sounds:
            unfit[clip] = "it is an anchor itself"
        elif digest in first:
            unfit[clip] = f"the same sound as {first[digest]}"
        first.setdefault(digest, clip)
    return unfit
