"""One animation of a glTF document: channels that share their times.

Axis names: `frames`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.gltf.accessors import add_accessor
from talkcli.engine.gltf.document import Document


class Animation:
    """Channels of nodes, with a key for each frame: frame k at k / fps seconds."""

    def __init__(self, document: Document, num_frames: int, fps: float) -> None:
        self._document = document
        times = (np.arange(num_frames) / fps).astype(np.float32)
        self._times = add_accessor(document, times, bounds=True)
        self._samplers: list[dict[str, Any]] = []
        self._channels: list[dict[str, Any]] = []

    def move(self, node: int, path: str, values: Float[np.ndarray, "frames ..."]) -> None:
        """Add a channel: the translation, rotation (x, y, z, w) or weights of `node` in every frame."""
        # The weights of a frame follow each other, then those of the next.
        output = add_accessor(
            self._document, (values.ravel() if path == "weights" else values).astype(np.float32)
        )
        self._channels.append({"sampler": len(self._samplers), "target": {"node": node, "path": path}})
        self._samplers.append({"input": self._times, "output": output, "interpolation": "LINEAR"})

    def add(self, name: str, **more: Any) -> None:
        """Add the animation to the document, with the entries `more`."""
        parts = {"samplers": self._samplers, "channels": self._channels}
        self._document.add("animations", {"name": name, **parts, **more})
