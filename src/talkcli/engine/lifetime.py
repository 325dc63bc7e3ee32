"""The life of this process: what ends it, and that the processes it starts end with it.

SIGTERM and SIGHUP are taken as Ctrl-C is: KeyboardInterrupt unwinds the work, which cleans up.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import subprocess

# SIGHUP is no signal of Windows.
ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
# A closed terminal and an impatient user send several signals; one that comes within so many seconds of the
# first asks for the same, and changes nothing.
_SAME_REQUEST_S = 2.0
# How long after Python dropped an interruption it is tried again.
_AGAIN_S = 0.05
_PR_SET_PDEATHSIG = 1
# What Linux lets anyone have, and a picture of 512x512 pixels needs.
_PIPE_BYTES = 1 << 20


# The exit code after Ctrl-C; that after any signal is 128 and its number.
INTERRUPTED = 128 + signal.SIGINT


class _Interrupted(KeyboardInterrupt):
    """An own class: once Python has seen its own leave a string of code (`exec`, as dataclasses do), it ends
    itself by SIGINT, whatever the exit code should be."""


class _Ending:
    """What this process knows of the signals that came."""

    first: int | None = None
    raised_s = 0.0
    working = False
    once_more = False


_ending = _Ending()


def watch(announce: Callable[[int], None]) -> None:
    """Take the signals of `ENDING` from here on; those that are ignored (nohup, `&`) stay so.

    Outside of `interruptible` there is nothing to clean up: the process ends at once, after
    `announce` has got its exit code.
    """

    def take(number: int, _: object) -> None:
        if not _ending.working:
            if _ending.first is None:
                announce(128 + number)
            os._exit(128 + (_ending.first or number))
        _interrupt(number)

    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, take)
    sys.unraisablehook = _unraisable


def exit_message(code: int) -> str:
    """Give the sentence for an exit code above 128."""
    number = code - 128
    how = "interrupted" if code == INTERRUPTED else f"ended by {signal.Signals(number).name}"
    return f"{how}; no half-written file is left."


def print_exit_message(code: int) -> None:
    """Print `exit_message` without the console, which may not be imported yet; with --json on stdout too."""
    text = exit_message(code)
    with contextlib.suppress(OSError):
        os.write(2, f"error: {text}\n".encode())
    if "--json" in sys.argv:
        document = f'{{"error": {{"problem": "{text}", "hint": null, "exit_code": {code}}}}}\n'
        with contextlib.suppress(OSError):
            os.write(1, document.encode())


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """In this block the signals that `watch` takes raise KeyboardInterrupt."""
    _ending.working = True
    try:
        yield
    finally:
        _ending.working = False


def ended_by() -> int | None:
    """Return the exit code of a process that a signal ended, 128 and its number; None while none has come."""
    return None if _ending.first is None else 128 + _ending.first


def _interrupt(number: int) -> None:
    if _ending.first is None:
        _ending.first = number
    elif time.monotonic() - _ending.raised_s < _SAME_REQUEST_S and not _ending.once_more:
        return
    _ending.raised_s, _ending.once_more = time.monotonic(), False
    raise _Interrupted


def _unraisable(dropped: sys.UnraisableHookArgs) -> None:
    """Interrupt again a moment later: Python drops what a destructor or a callback of C code raises."""
    if _ending.first is None or not issubclass(dropped.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(dropped)
        return
    _ending.once_more = True
    # To the main thread, which may be waiting.
    main = threading.main_thread().ident
    again = threading.Timer(_AGAIN_S, signal.pthread_kill, [main, _ending.first])
    again.daemon = True
    again.start()


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """The signals of `ENDING` wait for the end of the block, so that what is made in it is known to whoever
    must clean up."""
    if threading.current_thread() is not threading.main_thread():
        # Signals are handled in the main thread alone.
        yield
        return
    # An ignored signal interrupts nothing.
    handlers = {number: signal.getsignal(number) for number in ENDING}
    before: dict[int, Callable[..., Any]] = {
        number: handler for number, handler in handlers.items() if callable(handler)
    }
    came: list[tuple[int, Any]] = []
    for number in before:
        signal.signal(number, lambda *signalled: came.append(signalled))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number, frame in came:
        before[number](number, frame)


def start_child(command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
    """Return `subprocess.Popen` in a session of its own, so that Ctrl-C reaches only us, who end it
    ourselves.

    Call it in `uninterrupted`, or it may start unknown to the caller. Where the system offers it (Linux), it
    is killed when the thread that started it ends, however that happens; elsewhere it ends when its pipes do.
    """
    import subprocess

    # What is done before the program starts is a system call and no Python that could wait for a thread.
    options["preexec_fn"] = _end_with_parent()
    child = subprocess.Popen(command, start_new_session=True, **options)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            _widen(pipe.fileno())
    return child


def _widen(pipe: int) -> None:
    """Let a whole picture fit into a pipe, where the system allows it (Linux): its ends wait less often."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def end_without_collecting() -> None:
    """Let this process end without its last garbage collection, which goes through all that torch loaded and
    takes 0.5 s; the memory goes back to the system anyway.
    """
    atexit.register(gc.freeze)


def run_child(
    command: Sequence[str], *, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Return `subprocess.run` whose process ends when ours does, also when ours is killed."""
    import subprocess

    return subprocess.run(command, check=check, preexec_fn=_end_with_parent(), **options)


def _end_with_parent() -> Callable[[], None] | None:
    """Return what a new process does before it becomes another program; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    import ctypes

    control, parent = ctypes.CDLL(None).prctl, os.getpid()

    def bind() -> None:
        control(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            # It died before.
            os._exit(1)

    return bind
