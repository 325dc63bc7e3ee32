"""Work in processes of their own, so that a crash in C code costs one job and not the run."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

CRASHED = "the worker process crashed on it"


def map_isolated(
    work: Callable[[Job], Result], jobs: Sequence[Job], num_workers: int
) -> Generator[tuple[Job, Result | None]]:
    """Yield each job with its result as it is done, or with None when its process died.

    `num_workers` 0 works in this process. `work` must be importable and its jobs must pickle; what `work`
    raises is raised here, after jobs that run have ended. Close the iterator to have no further ones started.
    Ctrl-C reaches all processes of a terminal, and ends running jobs as it would end them here.
    """
    if num_workers == 0:
        for job in jobs:
            yield job, work(job)
        return
    left = dict(enumerate(jobs))
    yield from _until_crash(work, left, num_workers)
    # Whoever was at work during a crash is tried again alone: the one that crashes again is to blame.
    while left:
        index = next(iter(left))
        suspect = {index: left.pop(index)}
        yield from _until_crash(work, suspect, 1)
        for job in suspect.values():
            yield job, None
        yield from _until_crash(work, left, num_workers)


def _until_crash(
    work: Callable[[Job], Result], left: dict[int, Job], num_workers: int
) -> Iterator[tuple[Job, Result]]:
    """Do jobs of `left`, taking them out, until all are done or a process dies."""
    if not left:
        return
    # Forking a process whose libraries run threads can hang; a spawned one starts clean.
    context = multiprocessing.get_context("spawn")
    size = min(num_workers, len(left))
    with ProcessPoolExecutor(size, mp_context=context, initializer=_start_worker) as pool:
        futures: dict[Future[Result], int] = {}
        try:
            with _interrupts_ignored():
                # This starts all processes, which inherit what is ignored.
                pool.submit(_nothing)
            for index, job in left.items():
                futures[pool.submit(_run, work, job)] = index
            for future in as_completed(futures):
                result = future.result()
                # A future that is kept would keep its result.
                yield left.pop(futures.pop(future)), result
        except BrokenProcessPool:
            return
        finally:
            for future in futures:
                future.cancel()


class _Worker:
    """What a worker process knows of itself. Ctrl-C ends its job, which cleans up, and all that follow."""

    busy = False
    interrupted = False

    def run(self, work: Callable[[Job], Result], job: Job) -> Result:
        if self.interrupted:
            raise KeyboardInterrupt
        self.busy = True
        try:
            return work(job)
        finally:
            self.busy = False

    def interrupt(self, *_: object) -> None:
        self.interrupted = True
        if self.busy:
            raise KeyboardInterrupt


_worker = _Worker()


def _start_worker() -> None:
    # Before a worker loads its libraries: the processes are the parallelism, threads would only fight.
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, _worker.interrupt)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _run(work: Callable[[Job], Result], job: Job) -> Result:
    return _worker.run(work, job)


def _nothing() -> None:
    pass


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """So that new processes ignore Ctrl-C until they know what to do about it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end_with_parent() -> None:
    """A parent that is killed closes no queues: without this its workers would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
