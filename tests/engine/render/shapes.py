"""Bodies with known pictures: a sphere as fine as a head, and single triangles.

Axis names: `verts`, `faces`, `coeffs` = 2 (nod, swell).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from talkcli.engine.render.renderer import Camera, Light, Material, Scene


def sphere(rings: int = 24, spokes: int = 48, radius: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and outward faces of a sphere round the origin."""
    polar = np.linspace(0, np.pi, rings + 1)[1:-1, None]
    around = np.arange(spokes)[None, :] * 2 * np.pi / spokes
    grid = np.stack(
        [np.sin(polar) * np.sin(around), np.cos(polar) + 0 * around, np.sin(polar) * np.cos(around)], axis=-1
    )
    vertices = radius * np.concatenate([grid.reshape(-1, 3), [[0, 1, 0], [0, -1, 0]]])
    at = np.arange((rings - 1) * spokes).reshape(rings - 1, spokes)
    beside = np.roll(at, -1, axis=1)
    top, bottom = (rings - 1) * spokes, (rings - 1) * spokes + 1
    pieces = [
        np.stack([at[:-1], at[1:], beside[:-1]], axis=-1).reshape(-1, 3),
        np.stack([beside[:-1], at[1:], beside[1:]], axis=-1).reshape(-1, 3),
        np.stack([np.full(spokes, top), at[0], beside[0]], axis=-1),
        np.stack([np.full(spokes, bottom), beside[-1], at[-1]], axis=-1),
    ]
    return vertices.astype(np.float32), np.concatenate(pieces).astype(np.int32)


class BallHead:
    """A sphere that nods and swells: every field a renderer asks of a head."""

    name = "ball"
    channels = ("nod", "swell")
    parts = ("skin",)

    def __init__(self, rings: int = 24, spokes: int = 48) -> None:
        self.template, self.faces = sphere(rings, spokes)
        self.part_of_face = np.zeros(len(self.faces), np.int64)
        self.colours = np.full(self.template.shape, 0.5, np.float32)
        self.regions: dict[str, np.ndarray] = {}

    def __call__(self, coeffs: Tensor, only: Tensor | None = None) -> Tensor:
        rest = torch.from_numpy(self.template if only is None else self.template[only.numpy()])
        lift = torch.tensor([0.0, 0.02, 0.0])
        return rest * (1 + 0.2 * coeffs[:, 1, None, None]) + lift * coeffs[:, 0, None, None]

    def landmarks(self, vertices: Tensor) -> Tensor:
        return vertices[:, :68]


def flat_scene(faces: np.ndarray, colours: np.ndarray, **fields: object) -> Scene:
    """Faces of one part, lit from the front, one metre before a camera that sees 1 x 1 m."""
    metre_deg = float(np.degrees(2 * np.arctan(0.5)))
    values = {
        "faces": faces,
        "part_of_face": np.zeros(len(faces), np.int64),
        "materials": (Material(specular=0.0),),
        "colours": colours,
        "camera": Camera(eye=(0.0, 0.0, 1.0), target=(0.0, 0.0, 0.0), fov_deg=metre_deg),
        "lights": (Light(direction=(0.0, 0.0, 1.0), colour=(0.5, 0.5, 0.5)),),
        "ambient": (0.0, 0.0, 0.0),
        "background": (0.0, 0.0, 0.0),
    }
    return Scene(**{**values, **fields})  # type: ignore[arg-type]
