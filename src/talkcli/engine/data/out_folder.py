"""The folder a run writes to: one run at a time, and nothing half-written of runs that were killed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import platform
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from talkcli.engine.errors import InputError

_LOCK = ".lock"
# The names `atomic_path` and `open_root` give to what is not whole yet.
_TEMPORARY = re.compile(r"\..*\.[a-z0-9_]{8}\.(flac|npz|npy|jsonl|parquet|md|txt)")
_UNPACKED = ".unpacked"


@contextlib.contextmanager
def claim(out: Path) -> Iterator[None]:
    """Keep every other run out of the folder `out`, which is made if missing, and clean up what killed ones
    left.

    The system gives the folder back when the process ends, however it does. Raises InputError when another
    run has it, and for a file in its place, OSError when it cannot be written to.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out} is a file, a folder is needed.")
    is_new = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    lock = out / _LOCK
    with lock.open("a+", encoding="utf-8") as file:
        _take(file, out)
        _remove_temporaries(out)
        try:
            yield
        finally:
            if is_new and os.listdir(out) == [_LOCK]:  # noqa: PTH208
                # Nothing came of it.
                lock.unlink()
                out.rmdir()


def _take(file: IO[str], out: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP):
            # File systems without locks: then it is up to the user.
            return
        if error.errno not in (errno.EACCES, errno.EAGAIN):
            raise
        file.seek(0)
        raise InputError(
            f"Another run ({file.read().strip() or 'unknown'}) is writing to {out}.",
            hint="Wait for its end, or choose another --out.",
        ) from error
    file.seek(0)
    file.truncate()
    file.write(f"process {os.getpid()} on {platform.node()}")
    file.flush()


def _remove_temporaries(out: Path) -> None:
    for path in out.rglob(".*"):
        if _TEMPORARY.fullmatch(path.name) and path.is_file() and _UNPACKED not in path.parts:
            path.unlink(missing_ok=True)
    for path in out.glob(f"{_UNPACKED}/partial-*"):
        shutil.rmtree(path)
