"""Differences of two reports on the same clips, with bootstrap intervals.

Axis names: `clips` (those that both reports have). An interval of a single metric excludes 0 in one of twenty
cases by chance. So a metric counts as different only where its interval excludes 0 and its p, adjusted for
all metrics that are compared, is small. The wider interval of those over clips and over speakers decides.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.files import sha256
from talkcli.engine.metrics.bootstrap import LEAST_GROUPS, bounds, holm, p_value, resampled_means
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.pipelines.score.schema import SCHEMA
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.text import read_text
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__
from talkcli.engine.wording import counted, some

CONFIDENCE = 0.95
# Size of the largest report in bytes: one clip with a hundred metrics takes about 10 kB.
_LARGEST_BYTES = 1 << 30
_HINT = "Such a file is what talk score ... --json prints."


def compare_reports(
    first: Path,
    second: Path,
    *,
    metrics: Collection[str] | None = None,
    seed: int = 0,
    reporter: Reporter,
) -> dict[str, Any]:
    """Compare two reports of `score_motions` clip by clip.

    Args:
        first: Report in JSON.
        second: The other one, on clips of the same names.
        metrics: Names of the metrics to compare; None for all that both reports have.
        seed: Seed of the resamples.
        reporter: Receiver of warnings about what makes the reports no fair comparison, and of progress.

    Returns:
        A document ready for JSON: `schema`; `table` (`compare`); `talk`; `reports` (path, hash, data set and
        generation of each); `clips` and `speakers` (numbers of those in common); `confidence`; `seed`;
        `metrics` (name -> the means over the common clips, their difference, the intervals over clips and
        over speakers, the wider one as `interval`, whether that one excludes 0 (`differs_alone`), the
        larger `p` of both and `p_holm` (adjusted for all metrics), whether it `differs`, and the reason if it
        has none).

    Raises:
        InputError: For files that are no such reports, and reports without a clip or metric in common.
    """
    reports = [_read(path) for path in (first, second)]
    sides = [{clip["id"]: clip for clip in report["clips"]} for report in reports]
    common = sorted(set(sides[0]) & set(sides[1]))
    if not common:
        raise InputError(
            f"{first} and {second} have no clip in common.",
            hint=f"Clips are matched by id: {some(list(sides[0]))} in the one, {some(list(sides[1]))} in the "
            "other.",
        )
    for path, side in zip((first, second), sides, strict=True):
        if alone := [id_ for id_ in side if id_ not in common]:
            reporter.note(f"{counted(len(alone), 'clip')} of {path} left out, which the other has not.")
    pairs = [(sides[0][id_], sides[1][id_]) for id_ in common]
    names = [
        name
        for name in pairs[0][0]["metrics"]
        if name in pairs[0][1]["metrics"] and (metrics is None or name in metrics)
    ]
    if not names:
        raise InputError(f"{first} and {second} have no such metric in common.")
    for text in _unfair(reports, first, second, names):
        reporter.warn(text)
    speakers = _speakers(pairs)
    found = {}
    for done, name in enumerate(names, start=1):
        values = [[_value(clip, name) for clip in pair] for pair in pairs]
        found[name] = _compared(name, values, speakers, seed) | {"unit": _unit(reports, name)}
        reporter.progress("comparing", done, len(names))
    _adjust(list(found.values()))
    return {
        "schema": SCHEMA,
        "table": "compare",
        "talk": __version__,
        "reports": [
            {
                "path": str(path),
                "sha256": sha256(path),
                "dataset": report.get("dataset"),
                "generation": report.get("generation"),
            }
            for path, report in zip((first, second), reports, strict=True)
        ],
        "clips": len(common),
        "speakers": None if speakers is None else len(np.unique(speakers)),
        "confidence": CONFIDENCE,
        "seed": seed,
        "metrics": found,
    }


def _compared(
    name: str,
    values: Sequence[Sequence[float | None]],
    speakers: Int[np.ndarray, "clips"] | None,
    seed: int,
) -> dict[str, Any]:
    """Compare one metric; `values` has a pair for each clip."""
    both = [index for index, (one, other) in enumerate(values) if one is not None and other is not None]
    entry: dict[str, Any] = {
        "means": None, "difference": None, "clips": len(both), "over_clips": None, "over_speakers": None,
        "interval": None, "differs_alone": False, "p": None, "p_holm": None, "differs": False, "reason": None,
    }  # fmt: skip
    if not both:
        return entry | {"reason": "no clip has a value in both reports"}
    known = np.array([values[index] for index in both], dtype=np.float64)
    apart = known[:, 1] - known[:, 0]
    entry |= {"means": known.mean(axis=0).tolist(), "difference": float(apart.mean())}
    if len(both) < LEAST_GROUPS:
        return entry | {"reason": f"{counted(len(both), 'clip')} in common, an interval needs {LEAST_GROUPS}"}
    over_clips, p = _interval(apart, np.arange(len(both)), seed, name)
    over_speakers, reason = None, None
    if speakers is None:
        reason = "the speakers of the clips are not known, so that the interval is over clips alone"
    elif (heard := len(np.unique(speakers[both]))) < LEAST_GROUPS:
        reason = f"{counted(heard, 'speaker')}, too few to resample, so that the interval is over clips alone"
    else:
        over_speakers, p_speakers = _interval(apart, speakers[both], seed, name)
        p = max(p, p_speakers)
    wider = max((each for each in (over_clips, over_speakers) if each), key=lambda each: each[1] - each[0])
    return entry | {
        "over_clips": over_clips,
        "over_speakers": over_speakers,
        "interval": wider,
        "differs_alone": not wider[0] <= 0 <= wider[1],
        "p": p,
        "reason": reason,
    }


def _interval(
    apart: Float[np.ndarray, "clips"], groups: Int[np.ndarray, "clips"], seed: int, name: str
) -> tuple[list[float], float]:
    """Return the interval of the mean difference, and its p."""
    # A metric has its own resamples, whichever others are compared.
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    means, count = resampled_means(apart, groups, rng)
    return list(bounds(means, count, CONFIDENCE)), p_value(means, count)


def _adjust(entries: Sequence[dict[str, Any]]) -> None:
    """Fill in `p_holm` and `differs` of the metrics that have an interval."""
    known = [entry for entry in entries if entry["p"] is not None]
    for entry, adjusted in zip(known, holm([entry["p"] for entry in known]), strict=True):
        entry["p_holm"] = adjusted
        entry["differs"] = entry["differs_alone"] and adjusted < 1 - CONFIDENCE


def _speakers(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Int[np.ndarray, "clips"] | None:
    """Return a number for the speaker of each clip; None when one is unknown."""
    said = [one.get("speaker") or other.get("speaker") for one, other in pairs]
    if not all(isinstance(name, str) and name for name in said):
        return None
    _, numbers = np.unique(np.array(said), return_inverse=True)
    return numbers


def _unfair(
    reports: Sequence[Mapping[str, Any]], first: Path, second: Path, names: Sequence[str]
) -> list[str]:
    """Return in sentences what makes two reports no fair comparison."""
    found = []
    for key, what in (("head", "the head"), ("vertex_sets", "the vertex sets"), ("truth", "the true motion")):
        if reports[0].get(key) != reports[1].get(key):
            found.append(f"{first} and {second} differ in {what}: their numbers do not compare.")
    if judged := [name for name in names if _judge(reports[0], name) != _judge(reports[1], name)]:
        found.append(
            f"{first} and {second} differ in the judge of {some(judged)}: these numbers do not compare."
        )
    from_videos = [report.get("videos") is not None for report in reports]
    if from_videos[0] != from_videos[1]:
        found.append(
            f"Of {first} and {second} one is a score of videos, whose motion is captured and whose pictures "
            "are encoded: they do not compare."
        )
    versions = [report.get("talk") for report in reports]
    if versions[0] != versions[1]:
        found.append(f"{first} was made by talk {versions[0]}, {second} by talk {versions[1]}.")
    return found


def _judge(report: Mapping[str, Any], name: str) -> Any:
    """Return the hash of the judge's weights; None where the report names no judge."""
    found = report.get("overall", {}).get(name)
    judge = found.get("judge") if isinstance(found, dict) else None
    return judge.get("sha256") if isinstance(judge, dict) else None


def _unit(reports: Sequence[Mapping[str, Any]], name: str) -> str:
    found = reports[0].get("overall", {}).get(name)
    stated = found.get("unit") if isinstance(found, dict) else None
    if isinstance(stated, str):
        return stated
    return METRICS[name].unit if name in METRICS else ""


def _read(path: Path) -> dict[str, Any]:
    """Read a report. Raises InputError for anything else."""
    try:
        report = parse_json(read_text(path, largest=_LARGEST_BYTES), longest=_LARGEST_BYTES)
    except ValueError as error:
        raise InputError(f"{path} is no report of talk score ({error}).", hint=_HINT) from error
    table = report.get("table", "motions") if isinstance(report, dict) else None
    if table != "motions":
        kind = "no report of talk score" if not isinstance(table, str) else f"a report of {table[:40]}"
        raise InputError(f"{path} is {kind}, with no values of single clips to compare.", hint=_HINT)
    if isinstance(report.get("schema"), int) and report["schema"] > SCHEMA:
        raise InputError(
            f"{path} has schema {report['schema']}, this version reads up to {SCHEMA}.", hint="Update talk."
        )
    clips = report.get("clips")
    whole = isinstance(clips, list) and clips and all(_is_clip(clip) for clip in clips)
    if not whole or len({clip["id"] for clip in clips}) < len(clips):
        raise InputError(f"{path} lists no clips with a value or a reason for each metric.", hint=_HINT)
    if not isinstance(report.get("overall", {}), dict):
        raise InputError(f"{path} has no values over all clips.", hint=_HINT)
    return report


def _is_clip(clip: Any) -> bool:
    if not isinstance(clip, dict) or not isinstance(clip.get("id"), str):
        return False
    values = clip.get("metrics")
    return isinstance(values, dict) and all(
        isinstance(found, dict) and isinstance(found.get("value"), float | int | None)
        for found in values.values()
    )


def _value(clip: Mapping[str, Any], name: str) -> float | None:
    found = clip["metrics"].get(name)
    return None if found is None else found["value"]
