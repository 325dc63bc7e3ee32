"""Damage to bytes: what cables, disks, editors and attackers do to a file of any format."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random
from typing import NamedTuple

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
_WIDTHS = ((1, "B"), (2, "H"), (4, "I"), (8, "Q"))


class Damage(NamedTuple):
    """Damaged bytes, what was done, and the first place that changed."""

    content: bytes
    note: str
    first: int


def damaged(drawn: Random, content: bytes, other: bytes = b"", *, after: int = 0) -> Damage:
    """One to four changes of `content`, of bytes from `after` on; `other` is a second valid file to splice.

    Never equal to `content`.
    """
    changed, notes = content, []
    count = drawn.choice((1, 1, 1, 2, 4))
    for _ in range(count):
        name, change = drawn.choice(_CHANGES)
        if name == "splice" and not other:
            continue
        changed = content[:after] + change(drawn, changed[after:], other)
        notes.append(name)
    if changed == content:
        at = drawn.randrange(after, max(len(content), after + 1))
        changed = _flip_at(content, at, drawn.randrange(8))
        notes.append("flip")
    first = next((k for k, (a, b) in enumerate(zip(content, changed, strict=False)) if a != b), None)
    return Damage(changed, "+".join(notes), min(len(content), len(changed)) if first is None else first)


def cut(drawn: Random, content: bytes, least: float = 0.2, most: float = 0.8) -> bytes:
    """The beginning of `content`."""
    return content[: int(len(content) * drawn.uniform(least, most))]


def _place(drawn: Random, content: bytes) -> int:
    # Half of the changes hit the head, where formats say what follows.
    near = min(len(content), 256) if drawn.random() < 0.5 else len(content)
    return drawn.randrange(max(near, 1))


def _flip_at(content: bytes, at: int, bit: int) -> bytes:
    if not content:
        return b"\x00"
    at = min(at, len(content) - 1)
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


def _flip(drawn: Random, content: bytes, other: bytes) -> bytes:
    return _flip_at(content, _place(drawn, content), drawn.randrange(8))


def _truncate(drawn: Random, content: bytes, other: bytes) -> bytes:
    return content[: _place(drawn, content)]


def _insert(drawn: Random, content: bytes, other: bytes) -> bytes:
    at = _place(drawn, content)
    return content[:at] + drawn.randbytes(drawn.randrange(1, 17)) + content[at:]


def _remove(drawn: Random, content: bytes, other: bytes) -> bytes:
    at = _place(drawn, content)
    return content[:at] + content[at + drawn.choice((1, 2, 4, 16, 512)) :]


def _double(drawn: Random, content: bytes, other: bytes) -> bytes:
    at, length = _place(drawn, content), drawn.choice((1, 4, 64, 4096))
    return content[: at + length] + content[at : at + length] + content[at + length :]


def _number(drawn: Random, content: bytes, other: bytes) -> bytes:
    """A field of 1 to 8 bytes becomes a number at which programs stumble."""
    at, (width, code) = _place(drawn, content), drawn.choice(_WIDTHS)
    value = drawn.choice(_NUMBERS) & (1 << 8 * width) - 1
    packed = struct.pack(drawn.choice("<>") + code, value)
    return content[:at] + packed + content[at + width :]


def _noise(drawn: Random, content: bytes, other: bytes) -> bytes:
    at, length = _place(drawn, content), drawn.choice((1, 4, 32, 256))
    return content[:at] + drawn.randbytes(length) + content[at + length :]


def _zeros(drawn: Random, content: bytes, other: bytes) -> bytes:
    at, length = _place(drawn, content), drawn.choice((4, 64, 512, 4096))
    return content[:at] + bytes(len(content[at : at + length])) + content[at + length :]


def _swap(drawn: Random, content: bytes, other: bytes) -> bytes:
    """Two blocks change places."""
    length = drawn.choice((1, 4, 16, 512))
    first, second = sorted((_place(drawn, content), _place(drawn, content)))
    if first + length > second:
        return content
    left, right = content[first : first + length], content[second : second + length]
    return content[:first] + right + content[first + length : second] + left + content[second + length :]


def _splice(drawn: Random, content: bytes, other: bytes) -> bytes:
    return content[: _place(drawn, content)] + other[_place(drawn, other) :]


def _append(drawn: Random, content: bytes, other: bytes) -> bytes:
    return content + drawn.choice((content, other, bytes(64), drawn.randbytes(100)))


_CHANGES: tuple[tuple[str, Callable[[Random, bytes, bytes], bytes]], ...] = (
    ("flip", _flip), ("flip", _flip), ("truncate", _truncate), ("insert", _insert), ("remove", _remove),
    ("double", _double), ("number", _number), ("number", _number), ("noise", _noise), ("zeros", _zeros),
    ("swap", _swap), ("splice", _splice), ("append", _append),
)  # fmt: skip
