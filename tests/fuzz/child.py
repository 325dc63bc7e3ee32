"""One case in a process of its own: the real command under limits, and what was seen of it.

The worker has loaded everything before and forks, so that a case costs milliseconds; whatever the command does
to its process (signals, limits, threads, memory) ends with it.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import resource
import signal
import sys
import time
import weakref
from pathlib import Path
from typing import NamedTuple, NoReturn

from tests.fuzz.case import Case

# Beyond what the loaded worker has: of address space, of memory that is used, of one file, of time.
MORE_ADDRESSES = 3 << 30
MORE_MEMORY = 1 << 30
LARGEST_FILE = 48 << 20
MOST_CPU_S = 25
# A crowded machine makes the clock run; the time of the processor tells a hang.
MOST_WALL_S = 150
STDOUT, STDERR = "stdout.captured", "stderr.captured"


class Seen(NamedTuple):
    """How a case ended; `memory` is what it used beyond the worker's own, in bytes."""

    code: int | None
    signal: int | None
    timed_out: bool
    cpu_s: float
    memory: int
    stdout: bytes
    stderr: bytes


def run(case: Case, folder: Path, beside: Path) -> Seen:
    """Run `case` in `folder`; what it prints goes to files in `beside`."""
    own_addresses, own_memory = _used()
    child = os.fork()
    if child == 0:
        _command(case, folder, beside, own_addresses)
    status, usage, timed_out = _wait(child)
    with contextlib.suppress(ProcessLookupError):
        # ffmpeg and the like, where the command left them behind.
        os.killpg(child, signal.SIGKILL)
    by_signal = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    return Seen(
        code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
        signal=by_signal,
        timed_out=timed_out or by_signal == signal.SIGXCPU,
        cpu_s=usage.ru_utime + usage.ru_stime,
        memory=usage.ru_maxrss * 1024 - own_memory,
        stdout=_read(beside / STDOUT),
        stderr=_read(beside / STDERR),
    )


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _used() -> tuple[int, int]:
    addresses, resident, *_ = Path("/proc/self/statm").read_text().split()
    return int(addresses) * resource.getpagesize(), int(resident) * resource.getpagesize()


def _wait(child: int) -> tuple[int, resource.struct_rusage, bool]:
    deadline = time.monotonic() + MOST_WALL_S
    pause_s = 0.002
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            return status, usage, False
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            return status, usage, True
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.05)


def _command(case: Case, folder: Path, beside: Path, addresses: int) -> NoReturn:
    """In the child: limits, streams, the command, and the end as the interpreter makes it."""
    code = 99
    try:
        # What the worker has loaded need not be taken down in every child.
        atexit._clear()
        weakref.finalize._registry.clear()
        weakref.finalize._registered_with_atexit = False
        os.setsid()
        os.chdir(folder)
        os.environ.update(case.environment)
        _redirect(case.stream, beside)
        for what, most in (
            (resource.RLIMIT_AS, addresses + MORE_ADDRESSES),
            (resource.RLIMIT_FSIZE, LARGEST_FILE),
            (resource.RLIMIT_CORE, 0),
        ):
            resource.setrlimit(what, (most, most))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S + 2))
        sys.argv = ["talk", *case.argv]
        code = _main()
    finally:
        os._exit(code)


def _main() -> int:
    from talkcli.__main__ import main

    code = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1 if ended.code else 0
    except BaseException:  # noqa: BLE001  what the interpreter would show
        import traceback

        traceback.print_exc()
        code = 1
    try:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError:
        # So does the interpreter when its last words do not go out.
        code = 120
    return code


def _redirect(stream: str, beside: Path) -> None:
    for number, name in ((1, STDOUT), (2, STDERR)):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        handle = os.open(beside / name, flags)
        os.dup2(handle, number)
        os.close(handle)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    how, _, which = stream.partition("-")
    number = 1 if which == "stdout" else 2
    if how == "full":
        os.dup2(os.open("/dev/full", os.O_WRONLY), number)
    elif how == "broken":
        ours, theirs = os.pipe()
        os.close(ours)
        os.dup2(theirs, number)
    elif how == "closed":
        os.close(number)
    sys.stdin = sys.__stdin__ = os.fdopen(0, closefd=False)
    for number, name in ((1, "stdout"), (2, "stderr")):
        # None is what the interpreter has where there is no such file at its start.
        absent = how == "closed" and which == name
        errors = "backslashreplace" if number == 2 else "strict"
        opened = (
            None
            if absent
            else os.fdopen(number, "w", {1: -1, 2: 1}[number], encoding="utf-8", errors=errors, closefd=False)
        )
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)
