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
from multiprocessing import resource_tracker
from typing import TypeVar

from talkcli.engine.lifetime import ENDING, end_without_collecting

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
    with _signals_waiting():
        # multiprocessing's own process, which would end with the terminal; it inherits that SIGHUP waits.
        resource_tracker.ensure_running()
    with ProcessPoolExecutor(size, mp_context=context, initializer=_start_worker) as pool:
        futures: dict[Future[Result], int] = {}
        try:
            for index, job in left.items():
                with _signals_waiting():
                    # This may start a process.
                    future = pool.submit(_run, work, job)
                futures[future] = index
            for future in as_completed(futures):
                result = future.result()
                # A future that is kept would keep its result.
                yield left.pop(futures.pop(future)), result
        except BrokenProcessPool:
            # The pool's thread gives every future left this error. One that is cancelled meanwhile would make
            # it fail, and print a traceback (Python before 3.12).
            return
        except KeyboardInterrupt:
            # The signal may have come to this process alone; what they leave is swept by whoever runs this.
            # The pool breaks, so that nothing is left to cancel.
            for child in multiprocessing.active_children():
                child.terminate()
            raise
        except BaseException:
            for future in futures:
                future.cancel()
            raise


class _Worker:
    """What a worker process knows of itself.

    Ctrl-C ends its job, which cleans up, and all that follow; other signals end the process as it is.
    """

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
        first, self.interrupted = not self.interrupted, True
        if self.busy and first:
            raise KeyboardInterrupt


_worker = _Worker()


def _start_worker() -> None:
    # Before a worker loads its libraries: the processes are the parallelism, threads would only fight.
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGINT, _worker.interrupt)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    end_without_collecting()


def _run(work: Callable[[Job], Result], job: Job) -> Result:
    return _worker.run(work, job)


@contextlib.contextmanager
def _signals_waiting() -> Iterator[None]:
    """New processes inherit that signals wait, and let them come when they know what to do about them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end_with_parent() -> None:
    """End this worker with its parent: a killed parent closes no queues, and its workers would wait for
    ever.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
