"""Checks and statistics of a data set: whether it is whole and plausible, and what it contains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from talkcli.engine.data.lag import Lag
from talkcli.engine.data.manifest import Entry, folder_of, read_manifest
from talkcli.engine.data.statistics import GROUPS, Group, Spread, group, spread, torn_speakers
from talkcli.engine.data.verify import Finding, Verified, read_files, verify
from talkcli.engine.errors import InputError
from talkcli.engine.origin import tally
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted
from talkcli.engine.workers import CRASHED, map_isolated


@dataclass(frozen=True, kw_only=True)
class Check:
    """The result of `check_manifest`."""

    num_clips: int
    """Number of clips in the manifest."""
    findings: tuple[Finding, ...]
    """Findings of all clips, in the order of the manifest, then those of the whole set."""
    lags: dict[str, Lag]
    """Lag of the mouth by clip; clips whose lag has no meaning (too short, no motion) are left out."""
    origins: dict[str, int]
    """Number of clips with motion, by the origin of the motion."""

    @property
    def broken(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.broken)


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """The result of `measure_manifest`."""

    num_clips: int
    """Number of clips in the manifest."""
    num_pictures: int
    """Number of still pictures."""
    hours: float
    """Total length in hours; still pictures and the clips in `unread` count as 0."""
    groups: dict[str, dict[str, Group]]
    """Clips, length and speakers by name of `GROUPS`, then by label."""
    duration_s: Spread | None
    """Spread of the lengths of clips in seconds, without lengths of 0; None without any."""
    loudness_dbfs: Spread | None
    """Spread of the RMS levels of whole clips, in dB relative to full scale; None without sound."""
    unread: dict[str, str]
    """Reason by clip why it cannot be read."""


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """Length and RMS level of one clip, or the problem in reading it."""

    seconds: float = 0.0
    loudness_dbfs: float | None = None
    problem: str | None = None


def check_manifest(manifest: Path, reporter: Reporter, *, num_workers: int) -> Check:
    """Verify every file of a manifest.

    Args:
        manifest: Manifest, or its folder.
        reporter: Receiver of progress.
        num_workers: Number of worker processes; 0 works in this process.

    Raises:
        InputError: When there is no manifest, or a damaged one.
    """
    entries = read_manifest(manifest, reporter)
    looked: dict[str, Verified] = {}
    for entry, result in map_isolated(partial(verify, folder_of(manifest)), entries, num_workers):
        crashed = Finding(clip=entry.id, kind="unreadable", text=CRASHED)
        looked[entry.id] = result or Verified(findings=(crashed,))
        reporter.progress("checking clips", len(looked), len(entries))
    findings = [finding for entry in entries for finding in looked[entry.id].findings]
    findings += [
        Finding(clip=None, kind="split", text=f"Speaker {speaker} is in {' and '.join(splits)}.")
        for speaker, splits in torn_speakers(entries).items()
    ]
    heads = Counter(found.head for found in looked.values() if found.head is not None)
    if len(heads) > 1:
        counts = ", ".join(f"{head} {count}" for head, count in heads.most_common())
        text = f"Motion of several heads: {counts}. One model makes the motion of one head."
        findings.append(Finding(clip=None, kind="head", text=text))
    lags = {entry.id: lag for entry in entries if (lag := looked[entry.id].lag) is not None}
    origins = tally(entry.origin for entry in entries if entry.motion or entry.mesh)
    return Check(num_clips=len(entries), findings=tuple(findings), lags=lags, origins=origins)


def measure_manifest(manifest: Path, reporter: Reporter, *, num_workers: int) -> Statistics:
    """Count and measure the clips of a manifest.

    Args:
        manifest: Manifest, or its folder.
        reporter: Receiver of progress, and of a warning for clips that cannot be read.
        num_workers: Number of worker processes; 0 works in this process.

    Raises:
        InputError: When there is no manifest, or a damaged one.
    """
    entries = read_manifest(manifest, reporter)
    measured: dict[str, _Measured] = {}
    for entry, result in map_isolated(partial(_measure, folder_of(manifest)), entries, num_workers):
        measured[entry.id] = result or _Measured(problem=CRASHED)
        reporter.progress("measuring clips", len(measured), len(entries))
    in_order = [measured[entry.id] for entry in entries]
    unread = {entry.id: problem for entry in entries if (problem := measured[entry.id].problem)}
    if unread:
        clip, problem = next(iter(unread.items()))
        told = counted(len(unread), "clip that cannot be read", "clips that cannot be read")
        reporter.warn(f"Counted as 0 s: {told}, the first: {clip}: {problem}")
    seconds = {clip: found.seconds for clip, found in measured.items()}
    return Statistics(
        num_clips=len(entries),
        hours=sum(found.seconds for found in in_order) / 3600,
        groups={name: group(entries, name, seconds) for name in GROUPS},
        num_pictures=sum(entry.num_frames or 0 for entry in entries if entry.still),
        duration_s=spread([found.seconds for found in in_order if found.seconds > 0]),
        loudness_dbfs=spread([found.loudness_dbfs for found in in_order if found.loudness_dbfs is not None]),
        unread=unread,
    )


def _measure(folder: Path, entry: Entry) -> _Measured:
    try:
        speech, motion, mesh = read_files(folder, entry)
    except InputError as error:
        return _Measured(problem=error.problem)
    # Still pictures have no duration.
    lasting = None if entry.still else motion or mesh or speech
    level = 0.0 if speech is None else float(np.sqrt(np.mean(np.square(speech.samples, dtype=np.float64))))
    return _Measured(
        seconds=0.0 if lasting is None else lasting.duration_s,
        loudness_dbfs=20 * float(np.log10(level)) if level > 0 else None,
    )


def kinds(findings: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    """Return the findings by their kind, with broken kinds first."""
    by_kind: dict[str, list[Finding]] = {}
    for finding in sorted(findings, key=lambda finding: not finding.broken):
        by_kind.setdefault(finding.kind, []).append(finding)
    return by_kind
