"""A motion's vertices, as the metrics want them: those of single regions for all frames, or all vertices for
some frames, but never all for all.

Axis names: `frames`, `verts`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int

from talkcli.engine.errors import AssetError
from talkcli.engine.face.channels import JAW
from talkcli.engine.face.head import Head, lip_opening_mm
from talkcli.engine.face.resample import resample
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.types import Motion

# Frames whose vertices are looked at together.
_BLOCK_FRAMES = 64
# iBUG's outer corners of the mouth.
_CORNERS = (48, 54)
_JAW_TURN_RAD = 0.1
_STILL_M = 1e-6
# Neighbours move alike.
_FACE_STEP = 8


class Surface:
    """One motion on its head."""

    def __init__(self, head: Head, motion: Motion) -> None:
        self._head = head
        self._motion = motion
        self._coeffs = torch.from_numpy(motion.coeffs)
        self._regions: dict[str, np.ndarray] = {}
        self._landmarks: np.ndarray | None = None
        self.fps = motion.fps

    def __len__(self) -> int:
        return len(self._coeffs)

    def at(self, fps: float) -> Surface:
        """The same motion at another rate; itself when that is its rate already."""
        return self if self.fps == fps else Surface(self._head, resample(self._motion, fps))

    @torch.inference_mode()
    def part(self, name: str) -> Float[np.ndarray, "frames verts 3"]:
        """The vertex set `name`, as `indices` knows it."""
        if name not in self._regions:
            chosen = torch.from_numpy(indices(self._head, name)).long()
            self._regions[name] = self._head(self._coeffs, only=chosen).numpy()
        return self._regions[name]

    @torch.inference_mode()
    def whole(self, frames: slice) -> Float[np.ndarray, "frames verts 3"]:
        """All vertices of `frames`."""
        return self._head(self._coeffs[frames]).numpy()

    def gap_mm(self) -> Float[np.ndarray, "frames"]:
        """Lip opening above that of the head at rest. Raises AssetError where the head has no landmarks."""
        rest = self._head.landmarks(torch.from_numpy(self._head.template)[None])
        return (lip_opening_mm(torch.from_numpy(self._marks())) - lip_opening_mm(rest)).numpy()

    def opening_mm(self) -> Float[np.ndarray, "frames"]:
        """Mean distance of the inner-lip landmark pairs."""
        return lip_opening_mm(torch.from_numpy(self._marks())).numpy()

    def width_mm(self) -> Float[np.ndarray, "frames"]:
        """Distance of the outer corners of the mouth."""
        left, right = (self._marks()[:, corner] for corner in _CORNERS)
        return np.linalg.norm(left - right, axis=-1) * 1000

    @torch.inference_mode()
    def _marks(self) -> Float[np.ndarray, "frames 68 3"]:
        if self._landmarks is None:
            chosen = _under_landmarks(self._head)
            found = []
            for block in blocks(len(self)):
                coeffs = self._coeffs[block]
                # Of all vertices, only those that landmarks are made of have to be worked out.
                vertices = coeffs.new_zeros(len(coeffs), len(self._head.template), 3)
                vertices[:, chosen] = self._head(coeffs, only=chosen)
                found.append(self._head.landmarks(vertices))
            self._landmarks = torch.cat(found).numpy()
        return self._landmarks


def indices(head: Head, vertices: str) -> Int[np.ndarray, "chosen"]:
    """Vertex indices of a set named in `METRICS`: regions joined by +, or `face`, every eighth vertex of skin
    and lips outside of the eye region. Raises AssetError where the head does not know a region.
    """
    if vertices == "face":
        kinds = [number for number, part in enumerate(head.parts) if part in ("skin", "lips")]
        skin = np.unique(head.faces[np.isin(head.part_of_face, kinds)])
        return np.setdiff1d(skin, indices(head, "eyes"))[::_FACE_STEP]
    missing = AssetError(f"The head {head.name} has no region {vertices}.")
    try:
        return np.unique(np.concatenate([head.regions[name] for name in vertices.split("+")]))
    except KeyError:
        raise missing from None


@torch.inference_mode(False)
def _under_landmarks(head: Head) -> Int[torch.Tensor, "chosen"]:
    """The vertices that move landmarks."""
    template = torch.tensor(head.template[None], requires_grad=True)
    head.landmarks(template).sum().backward()
    assert template.grad is not None
    return torch.nonzero(template.grad[0].any(dim=-1)).flatten()


@torch.inference_mode()
def upper_teeth(head: Head) -> Float[np.ndarray, "teeth 3"]:
    """The teeth that stay where they are when the jaw turns, in metres. Raises AssetError for a head without
    teeth.
    """
    if "teeth" not in head.parts:
        raise AssetError(f"The head {head.name} has no teeth.")
    teeth = np.unique(head.faces[head.part_of_face == head.parts.index("teeth")])
    open_jaw = torch.zeros(1, len(head.channels))
    open_jaw[0, head.channels.index(JAW[0])] = _JAW_TURN_RAD
    turned = head(open_jaw, only=torch.from_numpy(teeth)).numpy()[0]
    still = np.linalg.norm(turned - head.template[teeth], axis=1) < _STILL_M
    return head.template[teeth[still]]


def set_sizes(head: Head) -> dict[str, int | None]:
    """Number of vertices of each set, and of coefficients; None where the head does not know a region."""
    sizes: dict[str, int | None] = {
        "all": len(head.template),
        "inner lips": 6,
        "mouth corners": len(_CORNERS),
        "coefficients": len(head.channels),
    }
    # In a fixed order, for reports of equal bytes.
    for name in sorted({info.vertices for info in METRICS.values()} - set(sizes)):
        try:
            sizes[name] = len(indices(head, name))
        except AssetError:
            sizes[name] = None
    return sizes


def blocks(num_frames: int) -> list[slice]:
    """Pieces of a motion, in order."""
    return [slice(start, start + _BLOCK_FRAMES) for start in range(0, num_frames, _BLOCK_FRAMES)]


def frame_mean(num_frames: int, metric: Callable[[slice], float]) -> float:
    """What a metric that is a mean over frames gives for all of them, from what it gives for blocks."""
    parts = blocks(num_frames)
    weights = [min(block.stop, num_frames) - block.start for block in parts]
    return float(np.average([metric(block) for block in parts], weights=weights))
