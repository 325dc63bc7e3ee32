"""Output files that appear whole or not at all, and content hashes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
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
    # A file name holds 255 bytes, and the target's own may use them all.
    handle, name = tempfile.mkstemp(prefix=f".{target.stem[:32]}.", suffix=target.suffix, dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; an output file gets the permissions any new file would.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def sha256(path: Path) -> str:
    """Hex digest of the file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
