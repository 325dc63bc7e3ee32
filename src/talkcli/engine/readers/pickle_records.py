"""What a pickle describes, as inert records: nothing of it is imported or called."""

from __future__ import annotations

import codecs
import warnings
from dataclasses import dataclass, field
from typing import Any


class RefusedError(Exception):
    """Says what about the pickle is not acceptable."""


@dataclass(eq=False, slots=True)
class Global:
    """The name of something importable, never imported."""

    name: str


# No text is made of its parts: shared ones would be written out again and again.
@dataclass(eq=False, slots=True, repr=False)
class Record:
    """What would have been `call(*args)` with `state` and `items` set on it; what is appended is dropped."""

    call: Global
    args: tuple[Any, ...]
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)

    @property
    def class_name(self) -> str:
        """Where `copy_reg` builds the object, the class is its first argument."""
        if self.call.name.endswith("._reconstructor") and self.args and isinstance(self.args[0], Global):
            return self.args[0].name
        return self.call.name


@dataclass(frozen=True, eq=False, slots=True)
class Span:
    """A string that stayed in the file: `length` bytes from `start`, to be read as `decode` says."""

    start: int
    length: int
    coding: str


def decode(raw: bytes, coding: str) -> str | bytes:
    """Return a string as the pickle means it: `bytes` as they are, `escaped` text of Python 2 (a repr
    without its quotes), else text in that codec. Python 2's bytes count as latin-1 text.
    """
    if coding == "bytes":
        return raw
    if coding != "escaped":
        return raw.decode(coding, "surrogatepass" if coding == "utf-8" else "strict")
    with warnings.catch_warnings():
        # Backslashes that escape nothing stand for themselves.
        warnings.simplefilter("ignore")
        return codecs.escape_decode(raw)[0].decode("latin-1")
