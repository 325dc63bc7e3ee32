"""Conversion of a pickle's records to plain containers, within a greatest depth and a memory budget."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from talkcli.engine.readers.pickle_records import Record, RefusedError, Span, decode

# Memory budget: this many times the size of the file, plus this many bytes. Sparse matrices, reorderings and
# shared parts take more memory than their file has bytes; those of FLAME's file take 5 % more.
_GROWTH, _GROWTH_BYTES = 4, 1 << 24
# Greatest depth of nested containers.
_DEEPEST = 64


class Unfolding:
    """Walk through the result of `pickle_machine.run`; a subclass converts the records.

    The walk keeps finished nodes by identity, so it visits shared nodes once. It raises RefusedError for
    content that is nested too deep, contains itself, or unfolds to far more bytes than the file has.
    """

    def __init__(self, stream: BinaryIO | io.BytesIO, size: int) -> None:
        """Take the `stream` in which the `Span`s lie; its file has `size` bytes."""
        self.stream = stream
        self._limit = _GROWTH * size + _GROWTH_BYTES
        self._num_made = 0
        # Plain form of each finished node, by the identity of the node.
        self._done: dict[int, Any] = {}
        # Number of bytes that each plain form unfolds to, by the identity of the plain form.
        self._weights: dict[int, int] = {}

    def interpret(self, record: Record, depth: int) -> Any:
        """Return the plain form of `record`; convert parts of it with `plain` and this `depth`."""
        raise NotImplementedError

    def key(self, key: Record) -> Any:
        """Return the plain form of a record that is the key of a dictionary."""
        raise NotImplementedError

    def weigh(self, made: Any) -> int:
        """Return the size in bytes of an object that `interpret` made."""
        raise NotImplementedError

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return `value` in plain form: every record and `Span` in it is converted."""
        if depth > _DEEPEST:
            raise RefusedError(f"it is nested more than {_DEEPEST} deep, or contains itself")
        if not isinstance(value, (dict, list, tuple, Record, Span)):
            return value
        if id(value) not in self._done:
            if isinstance(value, dict):
                made: Any = {self._key(key): self.plain(item, depth + 1) for key, item in value.items()}
            elif isinstance(value, Record):
                made = self.interpret(value, depth + 1)
            elif isinstance(value, Span):
                made = decode(self.raw(value), value.coding)
            else:
                made = type(value)(self.plain(item, depth + 1) for item in value)
            # A node may occur in many places: the budget bounds the work of a caller that visits all of them.
            self._weights[id(made)] = self._within_limit(self._weigh(made))
            self._done[id(value)] = made
        return self._done[id(value)]

    def charge(self, num_bytes: int) -> None:
        """Charge the budget with the size of an object that is about to be made and is not in the file."""
        self._num_made = self._within_limit(self._num_made + num_bytes)

    def raw(self, span: Span) -> bytes:
        """Return the bytes of a string that stayed in the file."""
        self._within_limit(span.length)
        self.stream.seek(span.start)
        return self.stream.read(span.length)

    def _key(self, key: Any) -> Any:
        return self.key(key) if isinstance(key, Record) else key

    def _weigh(self, made: Any) -> int:
        """Return a lower estimate of the size in bytes of the numpy array that `made` would become."""
        if id(made) in self._weights:
            return self._weights[id(made)]
        if isinstance(made, dict):
            return sum(map(self._weigh, made.values()))
        if isinstance(made, (list, tuple)):
            # In numpy's array of text every element takes the length of the longest.
            longest = max((len(item) for item in made if isinstance(item, (str, bytes))), default=0)
            return len(made) * max(longest, 4) + sum(map(self._weigh, made))
        if isinstance(made, (str, bytes)):
            return len(made)
        return self.weigh(made)

    def _within_limit(self, num_bytes: int) -> int:
        if num_bytes > self._limit:
            raise RefusedError(f"it unfolds to more than {self._limit} bytes")
        return num_bytes
