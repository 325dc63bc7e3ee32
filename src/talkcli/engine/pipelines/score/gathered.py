"""Features of clips, of which only the moments stay in memory.

Pooled metrics of networks give features by the thousand. While the clips arrive, this module adds them to
moments and lets them go: the first clip of every emotion keeps the moments of all clips of its emotion, so
that values by emotion and over all clips can still be computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from talkcli.engine.metrics.frechet_pool import ComparedMoments
from talkcli.engine.metrics.take import Compared
from talkcli.engine.pipelines.score.clip import Value
from talkcli.engine.pipelines.score.work import Scored


def gathered(clips: Iterable[Scored]) -> Iterator[Scored]:
    """Yield the clips without their features.

    The moments in the first clip of an emotion are complete when the last clip has been yielded.
    """
    sums: dict[tuple[str, str | None], ComparedMoments] = {}
    for clip in clips:
        changed: dict[str, Value] = {}
        for name, value in clip.values.items():
            if not isinstance(value.observations, Compared):
                continue
            key = (name, clip.emotion)
            first = key not in sums
            if first:
                sums[key] = ComparedMoments.empty(value.observations.made.shape[1])
            sums[key].add(value.observations)
            changed[name] = replace(value, observations=sums[key] if first else None)
        yield replace(clip, values=clip.values | changed) if changed else clip
