"""talk turns speech into 3D face animation.

The names below are the Python interface (docs/python.md). Python loads each of them when a program first uses
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from talkcli.engine.version import __version__

if TYPE_CHECKING:
    from talkcli.api import (
        Talker,
        animate,
        as_speech,
        curves,
        frames,
        load,
        read_motion,
        render,
        score,
        vertices,
        write_motion,
    )
    from talkcli.engine.errors import InputError, TalkError, UsageError
    from talkcli.engine.types import EMOTIONS, Motion, Speech, VertexMotion

__all__ = [
    "EMOTIONS",
    "InputError",
    "Motion",
    "Speech",
    "TalkError",
    "Talker",
    "UsageError",
    "VertexMotion",
    "__version__",
    "animate",
    "as_speech",
    "curves",
    "frames",
    "load",
    "read_motion",
    "render",
    "score",
    "vertices",
    "write_motion",
]

# Modules of the names that `talkcli.api` does not define.
_PLACES = {
    "EMOTIONS": "talkcli.engine.types",
    "InputError": "talkcli.engine.errors",
    "Motion": "talkcli.engine.types",
    "Speech": "talkcli.engine.types",
    "TalkError": "talkcli.engine.errors",
    "UsageError": "talkcli.engine.errors",
    "VertexMotion": "talkcli.engine.types",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'talkcli' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_PLACES.get(name, "talkcli.api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
