"""Features of clips, of which only the moments stay in memory, and other sums over clips.

Pooled metrics of networks give features by the thousand, others numbers of every vertex. While the clips
arrive, this module adds them up and lets them go: the first clip of every emotion keeps the sum over all
clips of its emotion, so that values by emotion and over all clips can still be computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from talkcli.engine.metrics.frechet_pool import ComparedMoments
from talkcli.engine.metrics.take import Compared, Running
from talkcli.engine.pipelines.score.clip import Value
from talkcli.engine.pipelines.score.work import Scored


def gathered(clips: Iterable[Scored]) -> Iterator[Scored]:
    """Yield the clips without their features.

    The sums in the first clip of an emotion are complete when the last clip has been yielded.
    """
    sums: dict[tuple[str, str | None], Running] = {}
    for clip in clips:
        changed: dict[str, Value] = {}
        for name, value in clip.values.items():
            found = value.observations
            if isinstance(found, Compared):
                found = ComparedMoments.of(found)
            if not isinstance(found, Running):
                continue
            key = (name, clip.emotion)
            first = key not in sums
            if first:
                sums[key] = found
            else:
                sums[key].join(found)
            changed[name] = replace(value, observations=sums[key] if first else None)
        yield replace(clip, values=clip.values | changed) if changed else clip
