"""Check and opening of a file that a user named: it must be regular, since a pipe or a device may never end.

All errors are InputErrors that name the file.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

from talkcli.engine.errors import InputError
from talkcli.engine.readers.stand_ins import refuse_stand_in


def open_file(path: Path, *, text: bool = False) -> BinaryIO:
    """Return the regular file `path`, open at its beginning.

    With `text` the caller expects a text file, so that short plain-text messages pass. Raises InputError for
    a file that cannot be read, and for a stand-in (a pointer, a web page or the like; see `stand_ins`).
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
    """Raise InputError for a file that `open_file` refuses; for readers that open the file themselves."""
    open_file(path).close()


def _reason(error: OSError | ValueError) -> str:
    # For a name with a zero byte Python raises ValueError, which has no strerror.
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
