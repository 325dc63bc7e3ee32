"""The folder a run writes to: one run at a time, and nothing half-written of runs that were killed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import platform
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import real_path, sweep
from talkcli.engine.wording import parameter

# The file that holds the lock, and says whose it is.
LOCK = ".lock"
# A line of ours is shorter.
_OWNER_CHARS = 200
_UNPACKED = ".unpacked"


@contextlib.contextmanager
def claim(out: Path) -> Iterator[None]:
    """Keep every other run out of the folder `out`, which is made if missing, and clean up what killed ones
    left.

    The system gives the folder back when the process ends, however it does. Raises InputError when another
    run has it, for a file in its place and for links in it, OSError when it cannot be written to.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{parameter('out', out)} is a file, a folder is needed.")
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    lock = out / LOCK
    with _open_lock(lock) as file:
        _take(file, out)
        _refuse_links(out)
        _clean(out)
        try:
            yield
        finally:
            # Workers that were ended in the middle of a file.
            _clean(out)
            if is_new and os.listdir(out) == [LOCK]:  # noqa: PTH208
                # Nothing came of it.
                lock.unlink()
                out.rmdir()


def check_apart(folder: Path, out: Path, *, name: str = "out") -> None:
    """Raise UsageError where `out`, the value of the parameter `name`, lies in `folder`, which is read."""
    if real_path(out).is_relative_to(real_path(folder)):
        raise UsageError(
            f"{parameter(name, out)} lies in {folder}, which is read: a second run would read what the "
            "first one wrote.",
            hint="Choose a folder beside it.",
        )


def _open_lock(lock: Path) -> IO[str]:
    """Raise InputError for what is no plain file: what a link leads to would be overwritten."""
    try:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
    except OSError as error:
        if error.errno == errno.ELOOP or lock.is_dir():
            raise _no_file(lock) from error
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _no_file(lock)
    return os.fdopen(handle, "r+", encoding="utf-8", errors="replace")


def _no_file(lock: Path) -> InputError:
    return InputError(
        f"{lock} is a link, a folder or a device; a run keeps a file there.",
        hint="Remove it, or choose another `out`.",
    )


def _take(file: IO[str], out: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            # File systems without locks: then it is up to the user.
            return
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        owner = file.read(_OWNER_CHARS).strip() or "unknown"
        raise InputError(
            f"Another run ({owner}) is writing to {out}.",
            hint="Wait for its end, or choose another `out`.",
        ) from error
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} on {platform.node()}")
    file.flush()


def _refuse_links(out: Path) -> None:
    """Raise InputError for a link anywhere in `out`: writing would change files that lie elsewhere."""
    for folder, names in _folders(out):
        for name in names:
            if (folder / name).is_symlink():
                raise InputError(
                    f"{folder / name} is a link; what a run writes would land elsewhere.",
                    hint="Remove the link, or choose another `out`; `out` itself may be one.",
                )


def _clean(out: Path) -> None:
    sweep(out / _UNPACKED)
    for folder, _ in _folders(out):
        sweep(folder)


def _folders(out: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield every folder that is written to, with the names in it; what was unpacked is only read."""
    for place, folders, files in os.walk(out):
        if Path(place) == out and _UNPACKED in folders:
            folders.remove(_UNPACKED)
        yield Path(place), [*folders, *files]
