"""Opening a file that a user named: it must be a regular one, since a pipe or a device never ends.

All errors are InputErrors that name the file.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from talkcli.engine.errors import InputError
from talkcli.engine.readers.stand_ins import refuse_stand_in


def open_file(path: Path, *, text: bool = False) -> BinaryIO:
    """Return the regular file `path`, at its beginning. Raises InputError for what cannot be read, and where
    a pointer, a web page or the like lies in the file's place; with `text` words are expected.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            kind = "a folder" if path.is_dir() else "a pipe or a device"
            raise InputError(f"{path} is not a regular file but {kind}.")
        file = path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({_reason(error)}).") from error
    try:
        refuse_stand_in(path, file, text=text)
    except OSError as error:
        file.close()
        raise InputError(f"{path} cannot be read ({_reason(error)}).") from error
    except InputError:
        file.close()
        raise
    return file


def check_file(path: Path) -> None:
    """Raise InputError for what `open_file` refuses: for readers that open the file themselves."""
    open_file(path).close()


def _reason(error: OSError | ValueError) -> str:
    # A name with a zero byte is a ValueError.
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
