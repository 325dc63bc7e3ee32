"""A job that kills its process is given up; all others are done."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from talkcli.engine.files import temporary_folder
from talkcli.engine.lifetime import ENDING
from talkcli.engine.workers import map_isolated


def square(job: int) -> int:
    return job * job


def crash_on_three(job: int) -> int:
    if job == 3:
        # What a segmentation fault in C code does to its process.
        os._exit(139)
    return job * job


def fail_on_three(job: int) -> int:
    if job == 3:
        raise ValueError("three")
    return job * job


def test_here_and_in_processes() -> None:
    expected = {job: job * job for job in range(5)}
    assert dict(map_isolated(square, range(5), 0)) == expected
    assert dict(map_isolated(square, range(5), 2)) == expected
    assert dict(map_isolated(square, [], 2)) == {}


class _Cycle:
    """Garbage that says when it is collected."""

    def __init__(self, place: Path) -> None:
        self.place, self.itself = place, self

    def __del__(self) -> None:
        self.place.touch()


def leave_garbage(place: Path) -> int:
    sys.modules["garbage"] = _Cycle(place)  # type: ignore[assignment]
    return os.getpid()


def test_a_worker_ends_without_collecting(tmp_path: Path) -> None:
    ((_, worker),) = map_isolated(leave_garbage, [tmp_path / "collected"], 1)
    assert worker != os.getpid()
    assert not (tmp_path / "collected").exists()


def test_a_crash_costs_one_job() -> None:
    results = dict(map_isolated(crash_on_three, range(6), 2))
    assert results == {0: 0, 1: 1, 2: 4, 3: None, 4: 16, 5: 25}


def test_nothing_is_cancelled_that_a_broken_pool_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread tells one future after the other, here slowly, and must find each as it left it."""
    failed: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", failed.append)
    tell = Future.set_exception

    def tell_slowly(future: Future[int], error: BaseException) -> None:
        tell(future, error)
        time.sleep(0.1)

    monkeypatch.setattr(Future, "set_exception", tell_slowly)
    results = dict(map_isolated(crash_on_three, [3, *range(10, 18)], 1))
    assert results == {3: None, **{job: job * job for job in range(10, 18)}}
    assert not failed


def test_an_exception_is_the_callers() -> None:
    with pytest.raises(ValueError, match="three"):
        list(map_isolated(fail_on_three, range(6), 2))


def sleep_and_tell(folder: str) -> None:
    Path(folder, str(os.getpid())).touch()
    time.sleep(60)


ORPHANS = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.engine.test_workers import map_isolated, sleep_and_tell
if __name__ == "__main__":
    list(map_isolated(sleep_and_tell, [sys.argv[2]] * 2, 2))
"""


def test_workers_end_with_a_killed_parent(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    script = tmp_path / "main.py"
    script.write_text(ORPHANS)
    told = tmp_path / "told"
    told.mkdir()
    process = subprocess.Popen([sys.executable, str(script), str(root), str(told)])
    deadline = time.monotonic() + 60
    while len(list(told.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = [int(path.name) for path in told.iterdir()]
    assert len(workers) == 2
    process.send_signal(signal.SIGKILL)
    process.wait()
    while any(Path(f"/proc/{worker}").exists() for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


INTERRUPTED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from talkcli.engine.files import sweep
from talkcli.engine.lifetime import interruptible, watch
from tests.engine.test_workers import clean_up_and_tell, map_isolated
if __name__ == "__main__":
    watch(print)
    try:
      with interruptible():
        list(map_isolated(clean_up_and_tell, [sys.argv[2]] * 3, 2))
    except KeyboardInterrupt:
        sweep(Path(sys.argv[2]))
        print("interrupted")
"""


def clean_up_and_tell(folder: str) -> None:
    with temporary_folder(Path(folder)):
        time.sleep(60)


@pytest.mark.parametrize("number", ENDING)
@pytest.mark.parametrize("to_all", [True, False])
def test_interrupted_jobs_clean_up_and_idle_workers_say_nothing(
    tmp_path: Path, number: signal.Signals, to_all: bool
) -> None:
    """A terminal sends Ctrl-C and its own end to every process of the group, `kill` to one."""
    root = Path(__file__).resolve().parents[2]
    script, told = tmp_path / "main.py", tmp_path / "told"
    script.write_text(INTERRUPTED)
    told.mkdir()
    process = subprocess.Popen(
        [sys.executable, str(script), str(root), str(told)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(list(told.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, number) if to_all else os.kill(process.pid, number)
    said, complained = process.communicate(timeout=20)
    assert (said, complained) == ("interrupted\n", "")
    assert not list(told.iterdir())


def test_closing_starts_no_further_jobs(tmp_path: Path) -> None:
    jobs = [str(tmp_path / f"{number:03d}") for number in range(200)]
    results = map_isolated(touch, jobs, 2)
    next(results)
    results.close()
    assert len(list(tmp_path.iterdir())) < 100


def touch(path: str) -> None:
    Path(path).touch()
    time.sleep(0.01)
