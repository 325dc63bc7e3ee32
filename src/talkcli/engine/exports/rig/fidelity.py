"""How near a rig in a file comes to the head that it was made of.

Axis names: `frames`, `verts`, `chosen` (vertices of a choice).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import AssetError
from talkcli.engine.exports.rig.reread import Reread
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import lip_opening_mm, under_landmarks
from talkcli.engine.gltf.document import Document
from talkcli.engine.metrics.phone_frames import CLOSED_MM
from talkcli.engine.types import Reporter

# Vertices of the rig in each primitive, by node and primitive.
Places = Mapping[tuple[int, int], Int[np.ndarray, "..."]]
# Frames of which all vertices are compared; the lips' gap is measured in all.
_COMPARED_FRAMES = 32
_BLOCK = 128
# Share of the head's closures below which a user should know.
_ENOUGH = 0.97


@dataclass(frozen=True)
class Fidelity:
    """Closures that the rig keeps, and distances of its vertices from the head's in millimetres."""

    closed_frames: int | None
    """Frames in which the head's lips meet (a gap below 1 mm); None where nobody knows its lips."""
    closures_kept: float | None
    """Share of these frames in which the rig's lips meet too; None where there are none."""
    mean_mm: float
    p99_mm: float
    lips_mean_mm: float | None
    lips_p99_mm: float | None

    def __str__(self) -> str:
        said = (
            f"vertices are {self.mean_mm:.3f} mm off on average, 99% of them less than {self.p99_mm:.3f} mm"
        )
        if self.lips_mean_mm is not None:
            said += f"; those of the lips {self.lips_mean_mm:.3f} and {self.lips_p99_mm:.3f} mm"
        if self.closures_kept is None:
            return said
        closures = f"{self.closures_kept:.1%} of the {self.closed_frames} frames where the head's do"
        return f"lips meet in {closures}; {said}"


def tell(reporter: Reporter, name: str, fidelity: Fidelity) -> None:
    """Note how near the file or take `name` comes to the head, and warn of closures that it lost."""
    reporter.note(f"{name}: {fidelity}.")
    if fidelity.closures_kept is not None and fidelity.closures_kept < _ENOUGH:
        reporter.warn(f"{name} closes its lips in {fidelity.closures_kept:.1%} of the head's closures only.")


def measure(document: Document, places: Places, surface: Surface) -> Fidelity:
    """Measure what `document` shows against `surface`."""
    reread = Reread(document)
    stride = -(-surface.num_frames // _COMPARED_FRAMES)
    compared = np.arange(0, surface.num_frames, stride)
    head = surface.vertices(slice(0, surface.num_frames, stride))
    off_mm = 1000 * np.linalg.norm(_gathered(reread, places, compared, surface) - head, axis=2)
    # Vertices without triangles are in no file.
    drawn = np.zeros(len(surface.topology.template), bool)
    drawn[np.concatenate(list(places.values()))] = True
    lips = surface.topology.regions.get("lips")
    lips_mm = None if lips is None else off_mm[:, lips[drawn[lips]]]
    gaps = _gaps(reread, places, surface)
    closed_frames, closures_kept = None, None
    if gaps is not None:
        met, head_met = (gap < CLOSED_MM for gap in gaps)
        closed_frames = int(head_met.sum())
        closures_kept = float(met[head_met].mean()) if closed_frames else None
    return Fidelity(
        closed_frames=closed_frames,
        closures_kept=closures_kept,
        mean_mm=float(off_mm[:, drawn].mean()),
        p99_mm=float(np.percentile(off_mm[:, drawn], 99)),
        lips_mean_mm=None if lips_mm is None else float(lips_mm.mean()),
        lips_p99_mm=None if lips_mm is None else float(np.percentile(lips_mm, 99)),
    )


def _gathered(
    reread: Reread,
    places: Places,
    frames: Int[np.ndarray, "frames"],
    surface: Surface,
    only: Int[np.ndarray, "chosen"] | None = None,
) -> Float[np.ndarray, "frames verts 3"]:
    """Return vertices of the file, numbered as the head's; those that are not `only` (None: all) are 0."""
    found = np.zeros((len(frames), len(surface.topology.template), 3))
    for (node, primitive), rows in places.items():
        here = np.arange(len(rows)) if only is None else np.flatnonzero(np.isin(rows, only))
        if len(here):
            found[:, rows[here]] = reread.vertices(node, primitive, frames, here)
    return found


def _gaps(
    reread: Reread, places: Places, surface: Surface
) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]] | None:
    """Return the lips' gap of file and head in millimetres, less that at rest; None without landmarks."""
    import torch

    topology = surface.topology
    try:
        only = under_landmarks(topology).numpy()
    except AssetError:
        return None

    def gap(vertices: np.ndarray) -> np.ndarray:
        marks = topology.landmarks(torch.from_numpy(np.ascontiguousarray(vertices, np.float32)))
        opening: np.ndarray = lip_opening_mm(marks).numpy()
        return opening

    blocks = [slice(start, start + _BLOCK) for start in range(0, surface.num_frames, _BLOCK)]
    every = np.arange(surface.num_frames)
    made = [gap(_gathered(reread, places, every[block], surface, only)) for block in blocks]
    true = [gap(surface.vertices(block)) for block in blocks]
    at_rest = gap(topology.template[None])
    return np.concatenate(made) - at_rest, np.concatenate(true) - at_rest
