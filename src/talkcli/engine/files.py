"""Output files that appear whole or not at all, temporary folders that do not stay, and content hashes.

All that is temporary lies in a folder called `.talk-` and 8 digits, beside the output or in TMPDIR. A file
in it says whose it is, and is locked for as long as the owner lives: the next run removes what a killed one
left.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from talkcli.engine.errors import InputError
from talkcli.engine.lifetime import uninterrupted

try:
    import fcntl
except ImportError:  # pragma: no cover  Windows: nothing is locked there, and nothing swept
    fcntl = None  # type: ignore[assignment]

_TEMPORARY = re.compile(r"\.talk-[0-9a-f]{8}")
_OWNER = ".owner"
_OWNED = "temporary folder of talk, process {} on {}\n"
_ATTEMPTS = 100
# Locks do not always reach other machines: their folders must also have been left alone for so long.
_OTHER_MACHINE_S = 24 * 3600
# What a disk refuses without a name.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO}
# Of this process: folders in use, and places that were swept.
_in_use: dict[tuple[int, int], Path] = {}
_swept: set[Path] = set()


def check_file(target: Path) -> None:
    """Raise InputError when `target` is there and no file, so that none can be written in its place."""
    try:
        os.stat(target)  # noqa: PTH116  Path.exists() calls a link that goes in circles missing
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError(
                f"{target} cannot be written: a symbolic link there leads back to itself.",
                hint="Remove the link, or give `out` another name.",
            ) from error
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "a device or pipe"
        raise InputError(f"{target} is {kind}, a file name is needed.", hint="Give `out` a file name.")


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path to write to; rename it onto `target` on success, remove it on any failure.

    It lies in a temporary folder beside `target`, and keeps the suffix, which encoders go by. The folder of
    `target` is made if missing. Raises InputError when `target` is a folder or a device. An OSError names
    `target`.
    """
    check_file(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    with errors_naming(target), temporary_folder(target.parent) as folder:
        # One letter: a file name holds 255 bytes, and the target's own may use them all.
        temporary = folder / f"n{target.suffix}"
        yield temporary
        temporary.replace(target)


@contextlib.contextmanager
def errors_naming(target: Path) -> Iterator[None]:
    """An OSError about what is temporary, or of a full disk, names `target`."""
    try:
        yield
    except OSError as error:
        named = error.filename
        inside = isinstance(named, str) and any(map(is_temporary, Path(named).parts))
        if inside or (named is None and error.errno in _NO_ROOM):
            error.filename, error.filename2 = str(target), None
        raise


@contextlib.contextmanager
def temporary_folder(parent: Path | None = None) -> Iterator[Path]:
    """Yield a new folder in `parent` (absent: in TMPDIR), and remove it with all that is in it at the end.

    It holds nothing but a hidden file that says whose it is. What killed processes left in `parent` is
    removed first. Raises OSError where no folder can be made.
    """
    parent = temporary_root() if parent is None else parent
    if parent not in _swept:
        sweep(parent)
        _swept.add(parent)
    folder, lock = None, -1
    try:
        with uninterrupted():
            folder, lock = _new_folder(parent)
        yield folder
    finally:
        if folder is not None:
            with uninterrupted():
                _in_use.pop(_identity(folder), None)
                _remove(folder)
                os.close(lock)


def temporary_root() -> Path:
    """Return where the system keeps what is temporary: TMPDIR, or what stands in for it."""
    # Not at the top: it is slow to load, and most commands need none.
    import tempfile

    return Path(tempfile.gettempdir())


def is_temporary(name: str) -> bool:
    """Return whether a file is called as temporary folders are."""
    return _TEMPORARY.fullmatch(name) is not None


def sweep(folder: Path) -> None:
    """Remove the temporary folders in `folder` whose process is gone; all others and all else stay.

    Without locks (some network disks), or where something cannot be removed, it is left alone.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        found = [entry for entry in entries if is_temporary(entry.name)]
        for entry in found:
            with contextlib.suppress(OSError):
                if entry.is_dir(follow_symlinks=False):
                    _remove_if_left(Path(entry.path))


def abandon() -> None:
    """Remove the temporary folders of this process at its end; an interruption may come between two steps."""
    while _in_use:
        _remove(_in_use.popitem()[1])


def real_path(path: Path) -> Path:
    """Return `path` absolute and without links.

    `Path.resolve` raises RuntimeError for links that go in circles. This function keeps such a link, so that
    whoever opens it reports the error.
    """
    return Path(os.path.realpath(path))


def sha256(path: Path) -> str:
    """Return hex digest of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _new_folder(parent: Path) -> tuple[Path, int]:
    """Return a folder of ours and the descriptor that holds its lock."""
    for _ in range(_ATTEMPTS):
        folder = parent / f".talk-{secrets.token_hex(4)}"
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:
            continue
        try:
            lock = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except FileNotFoundError:
            # Another process, sweeping, was faster than the lock.
            continue
        except OSError:
            folder.rmdir()
            raise
        if _lock(lock) is not False and os.fstat(lock).st_nlink:
            with contextlib.suppress(OSError):
                os.write(lock, _OWNED.format(os.getpid(), os.uname().nodename).encode())
            _in_use[_identity(folder)] = folder
            return folder, lock
        os.close(lock)
    raise FileExistsError(errno.EEXIST, "No temporary folder can be made", str(parent))


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.lstat()
    return found.st_dev, found.st_ino


def _lock(handle: int) -> bool | None:
    """Return whether the file is now locked by us; None where there are no locks."""
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EACCES, errno.EAGAIN) else None
    return True


def _remove_if_left(folder: Path) -> None:
    # Some disks let a process lock what it has locked already.
    if _identity(folder) in _in_use or folder.lstat().st_uid != os.geteuid():
        return
    try:
        handle = os.open(folder / _OWNER, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        # Its process was killed before it could sign, or after it had removed all else.
        folder.rmdir()
        return
    try:
        if _lock(handle) and _is_ours(folder, os.read(handle, 1000)):
            _remove(folder)
    finally:
        os.close(handle)


def _is_ours(folder: Path, signature: bytes) -> bool:
    """Return whether talk made `folder`, on this machine, or long enough ago on another."""
    before, after = (part.encode() for part in _OWNED.split("{}")[::2])
    if signature and not (signature.startswith(before) and signature.endswith(after)):
        return False
    if not signature or signature.endswith(f" on {os.uname().nodename}\n".encode()):
        return True
    youngest_s = max(path.lstat().st_mtime for path in [folder, *folder.rglob("*")])
    return time.time() - youngest_s > _OTHER_MACHINE_S


def _remove(folder: Path) -> None:
    """Remove a folder, its marker last, so that after a kill in between the next run still knows it."""
    with contextlib.suppress(OSError):
        for item in list(os.scandir(folder)):
            if item.is_dir(follow_symlinks=False):
                shutil.rmtree(item.path, ignore_errors=True)
            elif item.name != _OWNER:
                os.unlink(item.path)  # noqa: PTH108
        (folder / _OWNER).unlink()
        folder.rmdir()
