"""A surface as metrics see it.

A metric gets the vertices of single regions for all frames, or all vertices for some frames, but never all
vertices for all frames, which limits memory. Axis names: `frames`, `verts`, `chosen` (vertices of a set).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8

from talkcli.engine.errors import AssetError
from talkcli.engine.face.channels import JAW
from talkcli.engine.face.head import Head
from talkcli.engine.face.lip_curves import lip_curves
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import FaceMesh, Topology, lip_opening_mm, region, under_landmarks
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.take import BLOCK_FRAMES, blocks
from talkcli.engine.pipelines.score.face_pictures import FacePictures
from talkcli.engine.render.close_up import close_up
from talkcli.engine.render.mouths import drawn_mouths
from talkcli.engine.render.pictures import pictures
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.types import Motion

# Indices of the outer mouth corners among iBUG's landmarks.
_CORNERS = (48, 54)
# Jaw opening in radians that shows which teeth move with the jaw.
_JAW_TURN_RAD = 0.1
# Largest distance in metres that counts as no movement.
_STILL_M = 1e-6
# End of the name of a set whose vertices count as often as the lists name them.
_REPEATS = " with repeats"
# Vertices of the upper and lower lip that MTM's script reads, and the size of the numbering (FLAME's).
_MID_LIPS, _FLAME_VERTS = (3531, 3504), 5023
# The same among iBUG's landmarks.
_MID_MARKS = (62, 66)
# Step between the vertices that represent the face: neighbouring vertices move alike.
_FACE_STEP = 8


class Measured:
    """One motion on its topology; it implements the protocol `Take` of metrics."""

    def __init__(self, surface: Surface, seen: FacePictures | None = None) -> None:
        """Take a surface, and for a video the pictures of its face; None for a face that talk draws."""
        self._surface = surface
        self._seen = seen
        self._regions: dict[str, np.ndarray] = {}
        self._landmarks: np.ndarray | None = None
        self._resampled: dict[float, Measured] = {surface.fps: self}

    @property
    def fps(self) -> float:
        return self._surface.fps

    @property
    def num_frames(self) -> int:
        return self._surface.num_frames

    def at(self, fps: float) -> Measured:
        """See `Take`."""
        if fps not in self._resampled:
            self._resampled[fps] = Measured(self._surface.at(fps), self._seen)
        return self._resampled[fps]

    def part(self, name: str) -> Float[np.ndarray, "frames chosen 3"]:
        """See `Take`."""
        if name not in self._regions:
            chosen = torch.from_numpy(self.indices(name)).long()
            self._regions[name] = self._surface.vertices(only=chosen)
        return self._regions[name]

    def indices(self, name: str) -> Int[np.ndarray, "chosen"]:
        """See `Take`."""
        return indices(self._surface.topology, name)

    def at_rest(self, name: str) -> Float[np.ndarray, "chosen 3"]:
        """See `Take`."""
        return self._surface.topology.template[self.indices(name)]

    def whole(self, frames: slice) -> Float[np.ndarray, "frames verts 3"]:
        """See `Take`."""
        return self._surface.vertices(frames)

    def landmarks(self) -> Float[np.ndarray, "frames 68 3"]:
        """See `Take`."""
        return self._marks()

    def turned_landmarks(self) -> Float[np.ndarray, "frames 68 3"]:
        """See `Take`."""
        self.pose()
        topology = self._surface.topology
        turned = Surface(self._surface.motion, topology, turned=True)
        parts = [topology.landmarks(torch.from_numpy(turned.vertices(b))) for b in blocks(self.num_frames)]
        return torch.cat(parts).numpy()

    def mid_lips(self) -> Float[np.ndarray, "frames 2 3"]:
        """See `Take`."""
        if len(self._surface.topology.template) == _FLAME_VERTS:
            return self._surface.vertices(only=torch.tensor(_MID_LIPS))
        return self._marks()[:, _MID_MARKS]

    def upper_teeth(self) -> Float[np.ndarray, "teeth 3"]:
        """See `Take`."""
        return upper_teeth(self._surface.topology)

    def coeffs(self) -> Float[np.ndarray, "frames coeffs"]:
        """See `Take`."""
        return self._coefficients().coeffs

    def channel_names(self) -> tuple[str, ...]:
        """See `Take`."""
        return self._coefficients().channels

    def channel(self, name: str) -> Float[np.ndarray, "frames"]:
        """See `Take`."""
        motion = self._coefficients()
        if name not in motion.channels:
            raise AssetError(f"The motion has no channel {name}.")
        return motion.coeffs[:, motion.channels.index(name)]

    def pose(self) -> Float[np.ndarray, "frames 3"]:
        """See `Take`."""
        motion = self._coefficients()
        if motion.pose is None:
            raise AssetError("The motion does not say how the head turns.")
        return motion.pose

    def _coefficients(self) -> Motion:
        motion = self._surface.motion
        if not isinstance(motion, Motion):
            raise AssetError("A motion of vertices has no coefficients.")
        return motion

    def gap_mm(self) -> Float[np.ndarray, "frames"]:
        """See `Take`."""
        return (lip_opening_mm(torch.from_numpy(self._marks())) - lip_opening_mm(self._rest())).numpy()

    def opening_mm(self) -> Float[np.ndarray, "frames"]:
        """Return the mean distance of the inner-lip landmark pairs, in millimetres."""
        return lip_opening_mm(torch.from_numpy(self._marks())).numpy()

    def width_mm(self) -> Float[np.ndarray, "frames"]:
        """See `Take`."""
        left, right = (self._marks()[:, corner] for corner in _CORNERS)
        return np.linalg.norm(left - right, axis=-1) * 1000

    def lip_curves(self) -> Float[np.ndarray, "frames curves"]:
        """See `Take`."""
        return lip_curves(torch.from_numpy(self._marks()), self._rest()[0]).numpy()

    def pictures(self, side: int) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """See `Take`."""
        if self._seen is None:
            return self.drawn(side)
        return self._seen.pictures(side, self.fps, self.num_frames)

    def mouths(self, side: int) -> Iterator[UInt8[np.ndarray, "_ side side"]]:
        """See `Take`."""
        if self._seen is None:
            return drawn_mouths(self._surface, side)
        return self._seen.mouths(side, self.fps, self.num_frames)

    def drawn(self, side: int) -> Iterator[UInt8[np.ndarray, "_ side side 3"]]:
        """See `Take`."""
        scene = close_up(self._surface.topology)
        with contextlib.closing(open_renderer("software", scene, side, side)) as renderer:
            drawn = pictures(self._surface, renderer, threads=1)
            while some := list(islice(drawn, BLOCK_FRAMES)):
                yield np.stack(some)

    def _rest(self) -> Float[torch.Tensor, "1 68 3"]:
        topology = self._surface.topology
        return topology.landmarks(torch.from_numpy(np.ascontiguousarray(topology.template))[None])

    @torch.inference_mode()
    def _marks(self) -> Float[np.ndarray, "frames 68 3"]:
        if self._landmarks is None:
            topology = self._surface.topology
            chosen = under_landmarks(topology)
            found = []
            for block in blocks(self.num_frames):
                # Only the vertices that landmarks depend on are computed; the others stay 0.
                some = torch.from_numpy(self._surface.vertices(block, only=chosen))
                vertices = some.new_zeros(len(some), len(topology.template), 3)
                vertices[:, chosen] = some
                found.append(topology.landmarks(vertices))
            self._landmarks = torch.cat(found).numpy()
        return self._landmarks


def indices(head: Topology, vertices: str) -> Int[np.ndarray, "chosen"]:
    """Return the vertices of a set named in `METRICS`; see `Take.part` for its names.

    `face` is every eighth vertex of skin and lips outside the eye region. Raises AssetError when the topology
    does not know a region.
    """
    if vertices == "all":
        return np.arange(len(head.template))
    if vertices == "face":
        kinds = [number for number, part in enumerate(head.parts) if part in ("skin", "lips")]
        skin = np.unique(head.faces[np.isin(head.part_of_face, kinds)])
        return np.setdiff1d(skin, indices(head, "eyes"))[::_FACE_STEP]
    names = vertices.removesuffix(_REPEATS).split("+")
    listed = np.concatenate([region(head, name) for name in names])
    return listed if vertices.endswith(_REPEATS) else np.unique(listed)


@torch.inference_mode()
def upper_teeth(topology: Topology) -> Float[np.ndarray, "teeth 3"]:
    """Return the vertices of the teeth that stay in place when the jaw turns, in metres.

    A mesh of given vertices has those of the head with its numbering. Raises AssetError when the topology has
    no teeth, or no head that moves them.
    """
    head = topology.numbering if isinstance(topology, FaceMesh) else topology
    if not isinstance(head, Head) or "teeth" not in head.parts:
        raise AssetError(f"The head {topology.name} has no teeth.")
    teeth = np.unique(head.faces[head.part_of_face == head.parts.index("teeth")])
    open_jaw = torch.zeros(1, len(head.channels))
    open_jaw[0, head.channels.index(JAW[0])] = _JAW_TURN_RAD
    turned = head(open_jaw, only=torch.from_numpy(teeth)).numpy()[0]
    still = np.linalg.norm(turned - head.template[teeth], axis=1) < _STILL_M
    return topology.template[teeth[still]]


def set_sizes(head: Topology, metrics: Iterable[str]) -> dict[str, int | None]:
    """Return the number of vertices of each set that `metrics` measure, and of coefficients; None when the
    topology lacks a region.
    """
    wanted = {METRICS[metric].vertices for metric in metrics}
    points: dict[str, int | None] = {
        "all": len(head.template),
        "inner lips": 6,
        "mouth corners": len(_CORNERS),
        "outer lips": 2,
        "middle of the lips": len(_MID_MARKS),
        "landmarks": 68,
        "none": 0,
        "coefficients": len(head.channels) if isinstance(head, Head) else None,
    }
    # The order is fixed, so that reports have equal bytes.
    sizes = {name: size for name, size in points.items() if name in wanted}
    for name in sorted(wanted - set(sizes)):
        try:
            sizes[name] = len(indices(head, name))
        except AssetError:
            sizes[name] = None
    return sizes
