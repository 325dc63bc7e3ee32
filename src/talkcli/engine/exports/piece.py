"""The input of every format: one motion with all that it may need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from talkcli.engine.face.surface import Surface, topology_of
from talkcli.engine.face.topology import Topology
from talkcli.engine.types import AnyMotion, Reporter, Speech


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One motion with all that a format may need of it."""

    motion: AnyMotion
    meta: Mapping[str, Any]
    """Who made the motion and with which settings, in values that JSON holds; formats store it."""
    reporter: Reporter
    topology: Topology | None = None
    """The head or mesh to draw; None for the motion's own."""
    speech: Speech | None = None
    """The sound of a video."""
    size: int = 512
    """Side of the picture in pixels."""
    renderer: str = "software"
    """A name in `RENDERERS`."""
    view: str = "front"
    """A name in `VIEWS`."""
    overwrite: bool = False
    """Whether to replace the frames in a folder."""

    def surface(self) -> Surface:
        """Lay the motion on its topology, the head turned as its pose says. Raises as `topology_of`."""
        return Surface(self.motion, self.topology or topology_of(self.motion), turned=True)
