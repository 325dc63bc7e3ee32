"""Silence of MediaPipe, whose C++ code writes to the process's stderr whatever Python asks for."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

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


class SilentNetworks:
    """Networks of MediaPipe that a subclass loads on entry; they print nothing while they run and close."""

    _networks: Any
    """The networks; they have a method `close`."""
    _has_seen = False
    """Whether they ran on a face."""

    def __exit__(self, *_: object) -> None:
        with silenced():
            self._networks.close()
        self._has_seen = False

    def _see(self, run: Callable[[Any], Any], picture: Any, faces: str) -> Any:
        """Return what `run` finds in a picture; `faces` is the name of its list of faces."""
        # The networks print warnings when they first run on a face.
        with contextlib.nullcontext() if self._has_seen else silenced():
            found = run(picture)
        self._has_seen = self._has_seen or bool(getattr(found, faces))
        return found
