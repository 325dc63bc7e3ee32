"""Miniature data sets: folders of small files, and why a source was refused."""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.prepare.names import Unusable
from talkcli.engine.prepare.source import Source


def tree(root: Path, *names: str) -> Path:
    """Files of a few bytes; those called *.empty lose the suffix and have none."""
    for name in names:
        path = root / name.removesuffix(".empty")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"" if name.endswith(".empty") else b"bytes")
    return root


def reason(source: Source) -> str:
    """Why the clip goes to quarantine, known before it is made."""
    assert isinstance(source.recipe, Unusable), source
    return source.recipe.reason
