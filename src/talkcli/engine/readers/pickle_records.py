"""Inert records of the objects that a pickle describes: the reader neither imports nor calls any of them."""

from __future__ import annotations

import codecs
import warnings
from dataclasses import dataclass, field
from typing import Any


class RefusedError(Exception):
    """Error that states why a file was refused, as a clause that follows "FILE was not read: "."""


@dataclass(eq=False, slots=True)
class Global:
    """Name of a global (a class or function) that the pickle asks to import; it is never imported."""

    name: str
    """Module and attribute, joined with a dot."""


# Records have no repr: it would write out parts that several records share once for each of them.
@dataclass(eq=False, slots=True, repr=False)
class Record:
    """Object that the pickle would have built as `call(*args)`, and then given `state` and `items`.

    Elements that the pickle would append to the object are dropped.
    """

    call: Global
    """Class or function that the pickle would have called."""
    args: tuple[Any, ...]
    """Positional arguments of the call."""
    state: Any = None
    """State that the pickle would have set on the object."""
    items: dict[Any, Any] = field(default_factory=dict)
    """Items that the pickle would have set on the object by key."""

    @property
    def class_name(self) -> str:
        """Return the name of the called global, or of the class that `copy_reg` would have built."""
        if self.call.name.endswith("._reconstructor") and self.args and isinstance(self.args[0], Global):
            return self.args[0].name
        return self.call.name


@dataclass(frozen=True, eq=False, slots=True)
class Span:
    """Long string that stays in the file until somebody reads it."""

    start: int
    """Position of the first byte in the file."""
    length: int
    """Length of the string in bytes."""
    coding: str
    """Encoding of the string, as `decode` takes it."""


def decode(raw: bytes, coding: str) -> str | bytes:
    """Return the string that the bytes `raw` stand for in the pickle.

    Args:
        raw: Bytes of the string in the file.
        coding: `bytes` returns the bytes as they are, `escaped` reads text of Python 2 (a repr without its
            quotes), and any other value is the name of a codec. Python 2's bytes are read as latin-1 text.
    """
    if coding == "bytes":
        return raw
    if coding != "escaped":
        return raw.decode(coding, "surrogatepass" if coding == "utf-8" else "strict")
    with warnings.catch_warnings():
        # A backslash that begins no escape sequence stands for itself; Python would warn about it.
        warnings.simplefilter("ignore")
        return codecs.escape_decode(raw)[0].decode("latin-1")
