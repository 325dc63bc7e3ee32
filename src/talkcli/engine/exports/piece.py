"""The input of every format: one motion, and everything that a format may need to write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkcli.engine.face.surface import Surface, topology_of
from talkcli.engine.face.topology import Topology
from talkcli.engine.render.apart import DrawingProcess
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import AnyMotion, Reporter, Speech

# Suffix of the sound beside an output that holds none.
SOUND_BESIDE = ".wav"


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One motion, and everything that a format may need to write it."""

    motion: AnyMotion
    """Motion to write."""
    meta: Mapping[str, Any]
    """Who made the motion and with which settings, in values that JSON can hold; formats store it."""
    reporter: Reporter
    """Receiver of notes, warnings and progress."""
    topology: Topology | None = None
    """Head or mesh to draw; None for the motion's own."""
    speech: Speech | None = None
    """Sound of the motion; None for a silent film."""
    sound_file: Path | None = None
    """File that the sound was read from, where formats name it."""
    shot: Shot = field(default_factory=Shot)
    """What is seen of it, and how."""
    renderer: str = "software"
    """Name of the renderer, a key of `RENDERERS`."""
    drawer: DrawingProcess | None = None
    """Process that draws what it can draw; None: this one draws."""
    overwrite: bool = False
    """Whether to replace the frames in a folder."""
    measured: dict[str, Any] = field(default_factory=dict)
    """What formats measured of the files that they wrote, by file; they fill it."""
    beside: list[Path] = field(default_factory=list)
    """Files that formats wrote beside their outputs; they fill it."""

    def surface(self) -> Surface:
        """Return the motion on its topology, with the head turned as the motion's pose says.

        Raises what `topology_of` raises, and UsageError when motion and topology do not fit.
        """
        return Surface(self.motion, self.topology or topology_of(self.motion), turned=True)
