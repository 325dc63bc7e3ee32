"""How numbers of things are told."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """`number` of `thing`, which is named in the singular: 1 clip, 2 clips."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
