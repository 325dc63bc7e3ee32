"""A generated head before it is written: rest, shapes, and what drives them.

Axis names: `verts`, `faces`, `rows` (vertices near the eyeballs). Millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.face.ada.seal import Seal

Deltas = Float[np.ndarray, "verts 3"]
# One factor of a corrective: channel weights and a bias, clipped to [0, 1] when evaluated.
Ramp = tuple[dict[str, float], float]
ONE: Ramp = ({}, 1.0)


@dataclass(frozen=True)
class Corrective:
    """A shape driven by the product of two ramps."""

    ramps: tuple[Ramp, Ramp]
    deltas: Deltas


@dataclass(frozen=True)
class Whole:
    """The head before quantisation; `linear` are the 50 expression shapes."""

    vertices: Deltas
    faces: Int[np.ndarray, "faces 3"]
    parts: tuple[str, ...]
    part_of_face: Int[np.ndarray, "faces"]
    colours: Deltas
    jaw: Float[np.ndarray, "verts"]
    hinge: Float[np.ndarray, "3"]
    eye_of_vertex: Int[np.ndarray, "verts"]
    eye_centres: Float[np.ndarray, "2 3"]
    linear: list[Deltas]
    correctives: list[Corrective]
    lid_rows: Int[np.ndarray, "rows"]
    lid_eyes: Int[np.ndarray, "rows"]
    lid_radii: Float[np.ndarray, "rows"]
    seal: Seal
    regions: dict[str, np.ndarray]
    landmarks: Int[np.ndarray, "68"]
