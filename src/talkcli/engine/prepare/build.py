"""The build of a folder of clips from sources: audio/, motion/, mesh/, manifest.jsonl and what went wrong.

A clip is done when the journal lists it: the run adds one line per clip after it has written the clip's
files, with a fingerprint of all inputs. A second run keeps every clip whose fingerprint is unchanged. The
manifest lists the finished clips in the order of the sources; while a run works, it lists the clips that this
run has made or kept so far.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from talkcli.engine.cluster import map_on_cluster
from talkcli.engine.data.journal import Journal
from talkcli.engine.data.manifest import UNFINISHED, Entry, write_manifest
from talkcli.engine.data.motion_report import Oddity, oddities
from talkcli.engine.errors import InputError
from talkcli.engine.files import atomic_path
from talkcli.engine.prepare.cleanup import Cleanup
from talkcli.engine.prepare.make_clip import Outcome, make_clip
from talkcli.engine.prepare.record import Record
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted, parameter, some
from talkcli.engine.workers import CRASHED, map_isolated

_MANIFESTS = ("manifest.parquet", "manifest.jsonl")
# Seconds between two writes of the manifest during a run. A killed run loses no clip, but its manifest may
# lack the clips of this time.
_CHECKPOINT_S = 15.0


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """A clip that could not be made, and why."""

    id: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings of a run that do not depend on the data set."""

    num_workers: int = 2
    """Number of worker processes; 0 makes the clips in the calling process."""
    cleanup: Cleanup = field(default_factory=Cleanup)
    cluster: str | None = None
    """Address of a Dask scheduler whose workers make the clips instead."""


@dataclass(frozen=True, kw_only=True)
class Built:
    """The result of a run."""

    entries: tuple[Entry, ...]
    dropped: tuple[Dropped, ...]
    num_kept: int
    seconds: float
    """Total duration of the clips in seconds; still pictures count as 0."""
    oddities: tuple[Oddity, ...] = ()


def build(sources: Sequence[Source], out: Path, reporter: Reporter, plan: Plan) -> Built:
    """Make every clip of `sources` below `out`, and write the manifest of those that could be made.

    A clip that fails goes to quarantine.jsonl with the reason and does not stop the run. A run that ends
    early, for any reason, leaves a manifest of the clips it has finished, and UNFINISHED.txt beside it.

    Raises:
        InputError: `sources` is empty, `out` is a file, or no clip at all could be made.
        OSError: The disk fails.
    """
    if not sources:
        raise InputError(
            "The data set holds no clips.", hint="Check `root`; docs/datasets.md describes each data set's."
        )
    if out.exists() and not out.is_dir():
        raise InputError(f"{parameter('out', out)} is a file, a folder is needed.")
    unique, doubled = _split_doubled(sources)
    with Journal.open(out / "journal.jsonl", Record.of) as journal:
        outcomes = _outcomes(unique, journal, out, reporter, plan)
    made = [(source, outcomes[source.id]) for source in unique]
    records = [outcome.record for _, outcome in made if outcome.record is not None]
    dropped = [Dropped(id=source.id, reason=outcome.reason) for source, outcome in made if not outcome.record]
    dropped += [Dropped(id=source.id, reason="another clip has this id") for source in doubled]
    _write_lines(out / "quarantine.jsonl", ({"id": item.id, "reason": item.reason} for item in dropped))
    if not records:
        (out / UNFINISHED).unlink()
        raise InputError(
            f"None of {counted(len(sources), 'clip')} could be made. The first is {dropped[0].id}: "
            f"{dropped[0].reason}",
            hint=f"All reasons are in {out / 'quarantine.jsonl'}.",
        )
    entries = tuple(record.entry for record in records)
    _write_lines(
        out / "report.jsonl",
        ({"id": record.entry.id} | record.report for record in records if record.report),
    )
    for name in _MANIFESTS:
        write_manifest(out / name, entries)
    (out / UNFINISHED).unlink(missing_ok=True)
    stale = sorted(journal.records.keys() - {entry.id for entry in entries})
    if stale:
        reporter.note(
            f"Not in the manifest: {counted(len(stale), 'clip')} of earlier runs ({some(stale)}). Their "
            f"files stay in {out}."
        )
    return Built(
        entries=entries,
        dropped=tuple(dropped),
        num_kept=sum(outcome.kept for _, outcome in made),
        seconds=sum((entry.duration_s or 0.0 for entry in entries if not entry.still), 0.0),
        oddities=tuple(oddities((record.entry.id, record.report) for record in records)),
    )


def _outcomes(
    sources: Sequence[Source], journal: Journal[Record], out: Path, reporter: Reporter, plan: Plan
) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    with (
        _checkpoints(sources, outcomes, out) as checkpoint,
        contextlib.closing(_results(sources, journal, out, plan)) as results,
    ):
        for (source, _), result in results:
            outcome = result or Outcome(record=None, reason=CRASHED)
            if outcome.record is not None and not outcome.kept:
                journal.add(outcome.record)
            outcomes[source.id] = outcome
            reporter.progress("making clips", len(outcomes), len(sources))
            checkpoint.write_if_due()
    return outcomes


Job = tuple[Source, Record | None]


def _results(
    sources: Sequence[Source], journal: Journal[Record], out: Path, plan: Plan
) -> Generator[tuple[Job, Outcome | None]]:
    jobs = [(source, journal.records.get(source.id)) for source in sources]
    if plan.cluster is None:
        return map_isolated(partial(make_clip, out, plan.cleanup), jobs, plan.num_workers)
    inputs = next((source.recipe.inputs[:1] for source in sources if source.recipe.inputs), ())
    return map_on_cluster(partial(make_clip, out, plan.cleanup), jobs, plan.cluster, out, inputs)


class _Checkpoint:
    """A writer of the manifest of finished clips while the run goes on. It lists a clip of an earlier run
    only after this run has reached it, because until then this run may still make it anew.
    """

    def __init__(self, sources: Sequence[Source], outcomes: Mapping[str, Outcome], out: Path) -> None:
        self._sources, self._outcomes, self._out = sources, outcomes, out
        self._due_s = 0.0

    def write_if_due(self) -> None:
        if time.monotonic() >= self._due_s:
            self.write()

    def write(self) -> None:
        started_s = time.monotonic()
        done = [self._outcomes[source.id] for source in self._sources if source.id in self._outcomes]
        entries = [outcome.record.entry for outcome in done if outcome.record is not None]
        with atomic_path(self._out / UNFINISHED) as temporary:
            temporary.write_text(
                f"Done when this was written: {len(done)} of {counted(len(self._sources), 'clip')}. "
                "To go on, give the same command again.\n",
                encoding="utf-8",
            )
        if entries:
            write_manifest(self._out / "manifest.jsonl", entries)
        # A long manifest takes long to write; this wait keeps the writing below a tenth of the run's time.
        self._due_s = started_s + max(_CHECKPOINT_S, 10 * (time.monotonic() - started_s))


@contextlib.contextmanager
def _checkpoints(
    sources: Sequence[Source], outcomes: Mapping[str, Outcome], out: Path
) -> Iterator[_Checkpoint]:
    checkpoint = _Checkpoint(sources, outcomes, out)
    for name in _MANIFESTS:
        (out / name).unlink(missing_ok=True)
    try:
        yield checkpoint
    except BaseException as error:
        if isinstance(error, OSError) and error.filename is None:
            # The error of a full disk names no path.
            error.filename = str(out)
        # On a full disk this write fails as well; the previous checkpoint then stays.
        with contextlib.suppress(OSError):
            checkpoint.write()
        raise


def _split_doubled(sources: Sequence[Source]) -> tuple[list[Source], list[Source]]:
    unique: dict[str, Source] = {}
    doubled = []
    for source in sources:
        if source.id in unique:
            doubled.append(source)
        unique.setdefault(source.id, source)
    return list(unique.values()), doubled


def _write_lines(path: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    # backslashreplace turns names that are not Unicode into JSON escapes.
    with (
        atomic_path(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as file,
    ):
        file.writelines(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
