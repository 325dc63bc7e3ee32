"""Is a data set whole and plausible, and what is in it?

The lag of a clip is that of its jaw's pitch behind the sound's envelope, at which both correlate best within
+-320 ms.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.manifest import Entry, read_manifest
from talkcli.engine.data.statistics import GROUPS, Group, Spread, group, spread, torn_speakers
from talkcli.engine.data.verify import Finding, verify
from talkcli.engine.data.workers import CRASHED, map_isolated
from talkcli.engine.errors import InputError
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.metrics.sync import sync_correlation
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import MODEL_FPS, Motion, Reporter, Silent, Speech

MOST_LAG_FRAMES = 2
_MOST_LAG_MS = 1000 * MOST_LAG_FRAMES / MODEL_FPS
# Far enough to see more than the two frames, and less than what separates sentences.
_SEARCHED_MS = 320.0
_SHORTEST_S = 2.0
# Syllables repeat: a far lag counts only where it explains the sound, and better than any lag nearby.
_LEAST_R = 0.4
_LEAST_GAIN = 0.1


@dataclass(frozen=True, kw_only=True)
class Lag:
    """How late the jaw is (negative: early), and Pearson's r there."""

    ms: float
    r: float


@dataclass(frozen=True, kw_only=True)
class Check:
    """All that was found; `lags` by clip, without those whose lag has no meaning (too short, no motion)."""

    num_clips: int
    findings: tuple[Finding, ...]
    lags: dict[str, Lag]

    @property
    def broken(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.broken)


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """A data set in numbers. `groups` by name of `GROUPS`, then label; loudness is the RMS level of a whole
    clip; clips in `unread` count as 0 s long and have no loudness.
    """

    num_clips: int
    hours: float
    groups: dict[str, dict[str, Group]]
    duration_s: Spread | None
    loudness_dbfs: Spread | None
    unread: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class _Looked:
    findings: tuple[Finding, ...]
    head: str | None = None
    lag: Lag | None = None


@dataclass(frozen=True, kw_only=True)
class _Measured:
    seconds: float = 0.0
    loudness_dbfs: float | None = None
    problem: str | None = None


def check_manifest(manifest: Path, reporter: Reporter, *, num_workers: int) -> Check:
    """Look at every file of `manifest` (the file or its folder). Raises InputError when it is no manifest."""
    entries = read_manifest(manifest)
    looked: dict[str, _Looked] = {}
    for entry, result in map_isolated(partial(_look, _folder(manifest)), entries, num_workers):
        crashed = Finding(clip=entry.id, kind="unreadable", text=CRASHED)
        looked[entry.id] = result or _Looked(findings=(crashed,))
        reporter.progress("checking clips", len(looked), len(entries))
    findings = [finding for entry in entries for finding in looked[entry.id].findings]
    findings += [
        Finding(clip=None, kind="split", text=f"Speaker {speaker} is in {' and '.join(splits)}.")
        for speaker, splits in torn_speakers(entries).items()
    ]
    heads = Counter(found.head for found in looked.values() if found.head is not None)
    if len(heads) > 1:
        counts = ", ".join(f"{head} {count}" for head, count in heads.most_common())
        text = f"Motion of several heads: {counts}. One model speaks one head's channels."
        findings.append(Finding(clip=None, kind="head", text=text))
    lags = {entry.id: lag for entry in entries if (lag := looked[entry.id].lag) is not None}
    return Check(num_clips=len(entries), findings=tuple(findings), lags=lags)


def measure_manifest(manifest: Path, reporter: Reporter, *, num_workers: int) -> Statistics:
    """Count and measure the clips of `manifest`. Raises InputError when it is no manifest."""
    entries = read_manifest(manifest)
    measured: dict[str, _Measured] = {}
    for entry, result in map_isolated(partial(_measure, _folder(manifest)), entries, num_workers):
        measured[entry.id] = result or _Measured(problem=CRASHED)
        reporter.progress("measuring clips", len(measured), len(entries))
    in_order = [measured[entry.id] for entry in entries]
    unread = {entry.id: problem for entry in entries if (problem := measured[entry.id].problem)}
    if unread:
        clip, problem = next(iter(unread.items()))
        reporter.warn(f"{len(unread)} clips cannot be read and count as 0 s, the first: {clip}: {problem}")
    seconds = {clip: found.seconds for clip, found in measured.items()}
    return Statistics(
        num_clips=len(entries),
        hours=sum(found.seconds for found in in_order) / 3600,
        groups={name: group(entries, field, seconds) for name, field in GROUPS.items()},
        duration_s=spread([found.seconds for found in in_order if found.problem is None]),
        loudness_dbfs=spread([found.loudness_dbfs for found in in_order if found.loudness_dbfs is not None]),
        unread=unread,
    )


def _folder(manifest: Path) -> Path:
    return manifest if manifest.is_dir() else manifest.parent


def _look(folder: Path, entry: Entry) -> _Looked:
    verified = verify(folder, entry)
    if verified.speech is None or verified.motion is None:
        return _Looked(findings=verified.findings)
    lag, text = _lag(verified.speech, verified.motion)
    late = (Finding(clip=entry.id, kind="lag", text=text),) if text else ()
    return _Looked(findings=(*verified.findings, *late), head=verified.motion.head, lag=lag)


def _lag(speech: Speech, motion: Motion) -> tuple[Lag | None, str | None]:
    """The clip's lag, and what to say of it where it is too large."""
    if motion.duration_s < _SHORTEST_S or "jawPitch" not in motion.channels:
        return None, None
    pitch = motion.coeffs[:, motion.channels.index("jawPitch")].astype(np.float64)
    try:
        r, lag_ms = sync_correlation(pitch, speech, motion.fps, _SEARCHED_MS)
        near_r, _ = sync_correlation(pitch, speech, motion.fps, _MOST_LAG_MS)
    except UndefinedMetricError:
        return None, None
    lag = Lag(ms=lag_ms, r=r)
    if abs(lag_ms) <= _MOST_LAG_MS or r < _LEAST_R or r - near_r < _LEAST_GAIN:
        return lag, None
    side = "late" if lag_ms > 0 else "early"
    text = f"The jaw is {abs(lag_ms):.0f} ms {side} (r {r:.2f}; {near_r:.2f} within {_MOST_LAG_MS:.0f} ms)."
    return lag, text


def _measure(folder: Path, entry: Entry) -> _Measured:
    try:
        speech = read_speech(folder / entry.audio, Silent())
        motion, _ = read_motion(folder / entry.motion)
    except InputError as error:
        return _Measured(problem=error.problem)
    level = float(np.sqrt(np.mean(np.square(speech.samples, dtype=np.float64))))
    return _Measured(
        seconds=motion.duration_s, loudness_dbfs=20 * float(np.log10(level)) if level > 0 else None
    )


def kinds(findings: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    """Findings by kind, broken ones first."""
    by_kind: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: not finding.broken):
        by_kind.setdefault(finding.kind, []).append(finding)
    return by_kind
