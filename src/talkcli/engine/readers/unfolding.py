"""From the records of a pickle to plain containers, within a depth and a budget of memory."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from talkcli.engine.readers.pickle_records import Record, RefusedError, Span, decode

# Sparse matrices, reorderings and shared parts make more of a file than it holds; FLAME's make 5 % more.
_GROWTH, _GROWTH_BYTES = 4, 1 << 24
_DEEPEST = 64


class Unfolding:
    """Walks through what `pickle_machine.run` returned; what records become, a subclass says.

    Finished nodes are kept by identity, so shared ones are visited once. Raises RefusedError for content that
    is nested too deep, contains itself, or unfolds to far more bytes than the file has.
    """

    def __init__(self, stream: BinaryIO | io.BytesIO, size: int) -> None:
        """Take the `stream` that holds the `Span`s, of a file of `size` bytes."""
        self.stream = stream
        self._limit = _GROWTH * size + _GROWTH_BYTES
        self._num_made = 0
        # Plain forms, and how many bytes they unfold to, by the identity of the node and of the plain form.
        self._done: dict[int, Any] = {}
        self._weights: dict[int, int] = {}

    def interpret(self, record: Record, depth: int) -> Any:
        """Return what stands for `record`; parts of it go through `plain` with `depth`."""
        raise NotImplementedError

    def key(self, key: Record) -> Any:
        """Return what stands for a record that is the key of a dictionary."""
        raise NotImplementedError

    def weigh(self, made: Any) -> int:
        """Return bytes of what `interpret` made."""
        raise NotImplementedError

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return `value` with everything in it that is no plain container, number or text interpreted."""
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
            # One node may stand in many places: whoever walks through them all must come to an end.
            self._weights[id(made)] = self._within_limit(self._weigh(made))
            self._done[id(value)] = made
        return self._done[id(value)]

    def charge(self, num_bytes: int) -> None:
        """Count objects that are about to be made and are no part of the file."""
        self._num_made = self._within_limit(self._num_made + num_bytes)

    def raw(self, span: Span) -> bytes:
        """Return the bytes of a string that stayed in the file."""
        self._within_limit(span.length)
        self.stream.seek(span.start)
        return self.stream.read(span.length)

    def _key(self, key: Any) -> Any:
        return self.key(key) if isinstance(key, Record) else key

    def _weigh(self, made: Any) -> int:
        """Return an estimate from below, but of the order of what numpy would make."""
        if id(made) in self._weights:
            return self._weights[id(made)]
        if isinstance(made, dict):
            return sum(map(self._weigh, made.values()))
        if isinstance(made, (list, tuple)):
            # As an array of text: all elements are as long as the longest.
            longest = max((len(item) for item in made if isinstance(item, (str, bytes))), default=0)
            return len(made) * max(longest, 4) + sum(map(self._weigh, made))
        if isinstance(made, (str, bytes)):
            return len(made)
        return self.weigh(made)

    def _within_limit(self, num_bytes: int) -> int:
        if num_bytes > self._limit:
            raise RefusedError(f"it unfolds to more than {self._limit} bytes")
        return num_bytes
