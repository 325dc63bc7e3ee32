"""Surfaces: vertices on a topology over time. A head computes them from coefficients, or they are given.

Rendering, metrics and exports take surfaces, and thus treat both forms of motion alike. Axis names: `frames`,
`verts`, `chosen` (vertices of a choice).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import AssetError, UsageError
from talkcli.engine.face.channels import learned
from talkcli.engine.face.head import Head, Posable
from talkcli.engine.face.heads import is_head, load_head
from talkcli.engine.face.resample import resample
from talkcli.engine.face.topology import FaceMesh, Topology
from talkcli.engine.face.turning import Neck
from talkcli.engine.types import AnyMotion, Motion, VertexMotion
from talkcli.engine.wording import parameter

if TYPE_CHECKING:
    from torch import Tensor


class Surface:
    """One motion on its topology."""

    def __init__(self, motion: AnyMotion, topology: Topology, *, turned: bool = False) -> None:
        """Lay `motion` on `topology`.

        Vertices keep what they move from the motion's neutral, and rest where the topology does: on another
        face at rest they move another person.

        Args:
            motion: Motion of coefficients or of vertices.
            topology: Head with the motion's channels, or mesh of its vertices.
            turned: Whether the head turns as the motion's `pose` says.

        Raises:
            UsageError: When motion and topology do not fit.
        """
        check_fits(motion, topology)
        self.motion = motion
        self.topology = topology
        self._turned = turned
        self._shift = _shift(motion, topology)
        self._posed = turned and isinstance(motion, Motion) and motion.pose is not None
        self.neck = Neck(topology) if self._posed and not isinstance(topology, Posable) else None

    @property
    def fps(self) -> float:
        return self.motion.fps

    @property
    def num_frames(self) -> int:
        return self.motion.num_frames

    def at(self, fps: float) -> Surface:
        """Return the surface at `fps` frames per second; itself when it has that frame rate already."""
        if self.fps == fps:
            return self
        return Surface(resample(self.motion, fps), self.topology, turned=self._turned)

    def vertices(
        self, frames: slice = slice(None), only: Int[Tensor, "chosen"] | None = None
    ) -> Float[np.ndarray, "frames chosen 3"]:
        """Return the vertices of `frames` in metres; `only` chooses vertices by index (None: all)."""
        motion = self.motion
        if isinstance(motion, VertexMotion):
            chosen = slice(None) if only is None else only.numpy()
            given = motion.vertices[frames][:, chosen]
            return given if self._shift is None else given + self._shift[chosen]
        if self.neck is not None and only is not None:
            raise ValueError("a turned head moves as a whole, so that no vertices of it can be chosen")
        if isinstance(self.topology, Posable):
            pose = motion.pose[frames] if self._posed and motion.pose is not None else None
            posed = self.topology.posed(motion.coeffs[frames], pose)
            return posed if only is None else posed[:, only.numpy()]
        import torch

        assert isinstance(self.topology, Head)
        with torch.inference_mode():
            made = self.topology(torch.from_numpy(np.ascontiguousarray(motion.coeffs[frames])), only=only)
            if self.neck is not None and motion.pose is not None:
                made = self.neck.turn(made, torch.from_numpy(np.ascontiguousarray(motion.pose[frames])))
        vertices: Float[np.ndarray, "frames chosen 3"] = made.numpy()
        return vertices


def _shift(motion: AnyMotion, topology: Topology) -> Float[np.ndarray, "verts 3"] | None:
    """Return the way from the motion's face at rest to that of the topology; None where they are the same."""
    if not isinstance(motion, VertexMotion) or np.array_equal(motion.neutral, topology.template):
        return None
    return (topology.template - motion.neutral).astype(motion.vertices.dtype)


def surface_of(motion: AnyMotion, head_name: str | None = None, *, turned: bool = False) -> Surface:
    """Lay `motion` on the topology that `topology_of` finds, and raise what it and `check_fits` raise."""
    return Surface(motion, topology_of(motion, head_name), turned=turned)


def topology_of(motion: AnyMotion, head_name: str | None = None) -> Topology:
    """Load the head that moves with `motion`, or build the mesh of its vertices.

    The mesh keeps the subject's own shape at rest. What else is known of its numbering comes from the head
    called `head_name`, else from the head with the topology's name.

    Args:
        motion: Motion of coefficients or of vertices.
        head_name: Name of a head, or path of a FLAME file; None for the motion's own.

    Raises:
        UsageError: For an unknown head, and for a head with another number of vertices.
        AssetError: When the file of the head is missing. Without `head_name`, vertices with triangles of
            their own need no head.
        InputError: For a damaged file of a head.
    """
    if isinstance(motion, Motion):
        return load_head(head_name or motion.head)
    known = None
    if head_name is not None or is_head(motion.topology):
        try:
            known = load_head(head_name or motion.topology)
        except AssetError:
            if head_name is not None or motion.faces is None:
                raise
    if known is not None and len(known.template) != len(motion.neutral):
        if head_name is not None or motion.faces is None:
            raise UsageError(
                f"The motion has {len(motion.neutral)} vertices, but {parameter('head', known.name)} has "
                f"{len(known.template)}.",
                hint="Give a `head` of the same topology, or leave it out."
                if head_name is not None
                else "It was made for another version of this mesh. Give its triangles: a .ply or .obj of it "
                "as `template`.",
            )
        # Another version of the mesh, whose triangles the motion brings along.
        known = None
    return FaceMesh(name=motion.topology, template=motion.neutral, numbering=known, triangles=motion.faces)


def check_fits(motion: AnyMotion, topology: Topology) -> None:
    """Raise UsageError when `topology` has other channels or another number of vertices than `motion`."""
    if isinstance(motion, VertexMotion):
        if len(topology.template) != len(motion.neutral):
            raise UsageError(
                f"The motion has {len(motion.neutral)} vertices, but {topology.name} has "
                f"{len(topology.template)}.",
                hint="Give motion and `head` of the same topology.",
            )
        return
    # An avatar is only made ready for drawing when its vertices are asked for, as `isinstance` does.
    channels = getattr(topology, "channels", None)
    if channels is None:
        raise UsageError(
            f"The motion moves the channels of {motion.head}, but the topology {topology.name} has vertices "
            "only.",
            hint=f"Use `head={motion.head}`.",
        )
    if learned(motion.channels) != learned(channels):
        raise UsageError(
            f"The motion moves the channels of {motion.head}, but the head {topology.name} has others.",
            hint=f"Use `head={motion.head}`.",
        )
