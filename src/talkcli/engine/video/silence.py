"""Silence about MediaPipe, whose C++ code writes to the process's stderr whatever Python asks for."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

# Lock for the redirection of the process's stderr.
_REDIRECTION = threading.Lock()


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Discard what is written to the process's stderr, and Python's warnings."""
    # The lock admits one thread at a time: a second one would save the first one's null device as stderr.
    with _REDIRECTION, warnings.catch_warnings(), Path(os.devnull).open("wb") as nowhere:
        warnings.simplefilter("ignore")
        sys.stderr.flush()
        saved = os.dup(2)
        try:
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
