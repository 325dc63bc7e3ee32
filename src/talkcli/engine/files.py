"""Output files that appear whole or not at all, and content hashes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from talkcli.engine.errors import InputError


def check_file(target: Path) -> None:
    """Raise InputError when `target` is there and no file, so that none can be written in its place."""
    if target.exists() and not target.is_file():
        kind = "a folder" if target.is_dir() else "a device or pipe"
        raise InputError(f"{target} is {kind}, a file name is needed.", hint="Give --out a file name.")


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; rename it onto `target` on success, remove it on any failure.

    The temporary name keeps the suffix, which encoders go by. The folder of `target` is made if missing.
    Raises InputError when `target` is a folder or a device.
    """
    check_file(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary: Path | None = None
    try:
        with uninterrupted():
            # A file name holds 255 bytes, and the target's own may use them all.
            handle, name = tempfile.mkstemp(
                prefix=f".{target.stem[:32]}.", suffix=target.suffix, dir=target.parent
            )
            os.close(handle)
            temporary = Path(name)
        yield temporary
        # mkstemp makes files private; an output file gets the permissions any new file would.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of the block, so that what is made in it is known to whoever must clean up."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        # Signals are handled in the main thread alone; and an ignored one interrupts nothing.
        yield
        return
    came = []
    signal.signal(signal.SIGINT, lambda *signalled: came.append(signalled))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        before(*came[0])


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
