"""Work on a Dask cluster: its workers do the jobs, and each result comes back when it is done.

Workers read and write files themselves. All machines must therefore see these under the same paths, and run
the same versions of the packages that make the results.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import secrets
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from talkcli.engine.errors import InputError
from talkcli.engine.optional import require
from talkcli.engine.version import __version__

Job = TypeVar("Job")
Result = TypeVar("Result")

# Seconds that the scheduler, and then its first worker, may take to answer.
_PATIENCE_S = 20
# Seconds that a run waits when all workers are gone, because they may be starting again.
_NO_WORKERS_S = 60.0
# Seconds between two checks for finished jobs and for living workers.
_POLL_S = 2.0
# Jobs in flight for each worker: enough that it is never idle, few enough that little is lost when it dies.
_AHEAD = 3
# Packages whose version may change a clip's bytes.
_PACKAGES = ("numpy", "scipy", "soundfile", "soxr", "mediapipe", "torch")
_one_at_a_time = threading.Lock()


def map_on_cluster(
    work: Callable[[Job], Result],
    jobs: Sequence[Job],
    address: str,
    out: Path | None,
    inputs: Sequence[Path] = (),
) -> Generator[tuple[Job, Result | None]]:
    """Do what `map_isolated` does on the workers of the Dask scheduler at `address`.

    Closing the generator cancels the jobs that are left. A job during which workers die several times is
    tried again alone; if they die again, its result is None. An exception that `work` raises is raised here.

    Args:
        work: What a worker does with a job.
        jobs: The arguments of `work`.
        address: Address of the scheduler.
        out: Folder that every worker must be able to write to; None when workers write nothing that is kept.
        inputs: Files that every worker must be able to read.

    Raises:
        ExtraError: The package `distributed` is missing.
        InputError: No scheduler or worker answers, workers have other versions or cannot use `out` or
            `inputs`, or all workers are gone for a minute.
    """
    distributed = require("distributed", purpose="Work on a cluster")
    with _connected(distributed, address) as client:
        _check_workers(client, out, inputs)
        left = dict(enumerate(jobs))
        suspects: list[int] = []
        ahead = _AHEAD * len(client.scheduler_info(n_workers=-1)["workers"])
        for index, result in _map(distributed, client, work, left, ahead):
            if isinstance(result, distributed.KilledWorker):
                suspects.append(index)
            else:
                yield jobs[index], result
        for suspect in suspects:
            for index, result in _map(distributed, client, work, {suspect: jobs[suspect]}, 1):
                yield jobs[index], None if isinstance(result, distributed.KilledWorker) else result


def _map(
    distributed: Any, client: Any, work: Callable[[Job], Result], left: dict[int, Job], ahead: int
) -> Iterator[tuple[int, Any]]:
    """Yield each job's index with its result, or with the KilledWorker error that ended it."""
    waiting = list(left)[::-1]
    running: dict[Any, int] = {}
    try:
        while waiting or running:
            while waiting and len(running) < ahead:
                index = waiting.pop()
                future = client.submit(_alone, work, left.pop(index), pure=False, retries=0)
                running[future] = index
            for future in _done(distributed, client, list(running)):
                index = running.pop(future)
                error = future.exception() if future.status == "error" else None
                if error is not None and not isinstance(error, distributed.KilledWorker):
                    raise error
                if error is None and future.status != "finished":
                    raise InputError(
                        f"The scheduler lost the work ({future.status}).",
                        hint="Give the same command again; what it has kept is not made anew.",
                    )
                yield index, error or future.result()
    finally:
        with contextlib.suppress(Exception):
            client.cancel(list(running))


def _done(distributed: Any, client: Any, futures: list[Any]) -> list[Any]:
    last_seen_s = time.monotonic()
    while True:
        try:
            return list(distributed.wait(futures, timeout=_POLL_S, return_when="FIRST_COMPLETED").done)
        except TimeoutError:
            if client.scheduler_info(n_workers=-1)["workers"]:
                last_seen_s = time.monotonic()
            if time.monotonic() - last_seen_s > _NO_WORKERS_S:
                raise InputError(
                    f"All workers of the cluster have been gone for {_NO_WORKERS_S:.0f} s.",
                    hint="Give the same command again; what it has kept is not made anew.",
                ) from None


def _alone(work: Callable[[Job], Result], job: Job) -> Result:
    """Do one job at a time: readers and writers assume a process of their own, workers may have threads."""
    with _one_at_a_time:
        return work(job)


@contextlib.contextmanager
def _connected(distributed: Any, address: str) -> Iterator[Any]:
    hint = "Start one with: dask scheduler, and on each machine: dask worker ADDRESS --nthreads 1."
    try:
        if not address.strip():
            # Dask would start a cluster on this machine.
            raise ValueError("the address is empty")
        client = distributed.Client(address, timeout=_PATIENCE_S)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        _close_unconnected(distributed, error)
        raise InputError(f"No Dask scheduler answers at {address} ({error}).", hint=hint) from error
    try:
        try:
            client.wait_for_workers(1, timeout=_PATIENCE_S)
        except TimeoutError as error:
            raise InputError(f"The scheduler at {address} has no workers.", hint=hint) from error
        yield client
    finally:
        client.close(timeout=_PATIENCE_S)


def _close_unconnected(distributed: Any, error: BaseException) -> None:
    """Close the client whose constructor raised `error`.

    Nobody else holds it but the traceback; the garbage collector would close it at any later moment, and
    waits for ever where that moment lies within the start of another client, whose lock it needs.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        client = frame.f_locals.get("self")
        if isinstance(client, distributed.Client):
            client.close()


def _check_workers(client: Any, out: Path | None, inputs: Sequence[Path]) -> None:
    with _probe(out) as probe:
        seen = _ask(client, partial(_look, probe, [str(path) for path in inputs]))
    ours = _look(None, [])
    for worker, theirs in seen.items():
        if isinstance(theirs, Exception):
            raise InputError(
                f"The worker {worker} cannot run talk ({theirs}).",
                hint=f"Install the same talk {__version__} on all machines of the cluster.",
            )
        other = [name for name in ours["versions"] if theirs["versions"].get(name) != ours["versions"][name]]
        if other:
            name = other[0]
            raise InputError(
                f"The worker {worker} has {name} {theirs['versions'].get(name)}, this machine has "
                f"{ours['versions'][name]}: its results would differ.",
                hint="Install the same versions on all machines of the cluster.",
            )
        if theirs["unseen"]:
            what = "`out`" if theirs["unseen"][0] == probe else "the data"
            path = out if what == "`out`" else theirs["unseen"][0]
            raise InputError(
                f"The worker {worker} on {theirs['host']} does not see {what} ({path}), or may not use that.",
                hint="The data and `out` must lie on storage that all machines share, under the same path.",
            )


@contextlib.contextmanager
def _probe(out: Path | None) -> Iterator[str | None]:
    """Put a file into `out`, and yield its path; None without a folder."""
    if out is None:
        yield None
        return
    out.mkdir(parents=True, exist_ok=True)
    probe = out / f".probe.{secrets.token_hex(8)}"
    try:
        probe.touch()
        yield str(probe)
    finally:
        probe.unlink(missing_ok=True)


def _ask(client: Any, question: Callable[[], Any]) -> dict[str, Any]:
    """Return the answer of each worker; where a worker could not answer, the exception."""
    answers: dict[str, Any] = client.run(question, on_error="return")
    return answers


def _look(probe: str | None, inputs: list[str]) -> dict[str, Any]:
    versions = {"talk": __version__, "python": platform.python_version()}
    for name in _PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    written = [] if probe is None else [probe]
    unseen = [path for path in (*written, *inputs) if not os.access(path, os.R_OK)]
    if written and not unseen and not os.access(os.path.dirname(written[0]), os.W_OK):  # noqa: PTH120
        unseen = written
    return {"host": platform.node(), "versions": versions, "unseen": unseen}
