"""Values of the same clips animated with several seeds: their means, and how far the seeds differ.

A value over clips has two uncertainties: that of the clips (`spread`), and that of the performer's random
choices. The standard deviation between seeds is that of the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from talkcli.engine.pipelines.score.overall import spread


def over_seeds(seeds: Sequence[int], values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the values of a report over several seeds, ready for JSON.

    Args:
        seeds: The seeds.
        values: For each seed `overall`, `emotions` and `clips`, all of the same clips in one order.

    Returns:
        `overall`, `emotions` and `clips` of the same form: `value` is the mean over the seeds that have one,
        `spread` that of the clips' means. Each entry of `overall` and `emotions` has `between_seeds`:
        `values` by seed, and their standard deviation `sd` (n - 1; None for fewer than two values). `seeds`
        has the values of every seed: `seed`, `overall`, `emotions`, and `clips` with `id` and `metrics`.
    """
    first = values[0]
    clips = [_clip([one["clips"][index] for one in values]) for index in range(len(first["clips"]))]
    return {
        "overall": _overall([one["overall"] for one in values], clips),
        "emotions": {
            emotion: _overall(
                [one["emotions"][emotion] for one in values],
                [clip for clip in clips if clip["emotion"] == emotion],
            )
            for emotion in first["emotions"]
        },
        "clips": clips,
        "seeds": [
            {
                "seed": seed,
                "overall": one["overall"],
                "emotions": one["emotions"],
                "clips": [{key: clip[key] for key in ("id", "metrics")} for clip in one["clips"]],
            }
            for seed, one in zip(seeds, values, strict=True)
        ],
    }


def _overall(
    found: Sequence[dict[str, dict[str, Any]]], clips: Sequence[dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the entry of every metric over seeds; `clips` has the clips' means."""
    entries = {}
    for name, entry in found[0].items():
        values = [one[name]["value"] for one in found]
        value, reason = _mean(values, [one[name]["reason"] for one in found])
        known = [each for each in values if each is not None]
        of_clips = [clip["metrics"][name]["value"] for clip in clips]
        means = np.array([each for each in of_clips if each is not None])
        entries[name] = entry | {
            "value": value,
            "reason": reason,
            "spread": None if entry["over_clips"] == "pooled" else spread(means),
            "between_seeds": {
                "sd": float(np.std(known, ddof=1)) if len(known) > 1 else None,
                "values": values,
            },
        }
    return entries


def _clip(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a clip with the means of its values over seeds."""
    metrics = {}
    for name in found[0]["metrics"]:
        entries = [one["metrics"][name] for one in found]
        value, reason = _mean([entry["value"] for entry in entries], [entry["reason"] for entry in entries])
        metrics[name] = {"value": value, "reason": reason}
    return found[0] | {"metrics": metrics}


def _mean(values: Sequence[float | None], reasons: Sequence[str | None]) -> tuple[float | None, str | None]:
    """Return the mean of the values that are known; without any, the first reason."""
    known = [value for value in values if value is not None]
    return (float(np.mean(known)), None) if known else (None, reasons[0])
