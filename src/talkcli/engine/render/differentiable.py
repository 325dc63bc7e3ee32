"""What a differentiable renderer is: vertices to pictures with gradients, whole or through a window.

Axis names: `frames`, `verts`, `points`, `height`, `width`.
The scene of DEEPTalk's lip-reading loss: a frontal pinhole of 60 degrees, close to the face. We differ:
Lambert's light on vertex colours, where the published code puts a texture on FLAME, by nvdiffrast.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from talkcli.engine.face.head import Head
from talkcli.engine.optional import is_installed
from talkcli.engine.render.renderer import Camera, Light, Material, Scene

# A focal length of 1.7321 for half a picture of 1.
FOV_DEG = 60.0
# Height of what is seen at the lips' distance, in distances between eyes and mouth: FLAME's camera of the
# published code, 0.2 m before the origin, sees 2.5 to 3 of them.
_EYE_TO_MOUTH_SEEN = 2.8
_LIGHT = Light(direction=(-0.25, 0.6, 1.0), colour=(0.75, 0.75, 0.75))
_AMBIENT = (0.3, 0.3, 0.3)
# Bodies without openings: their backs are never seen.
_CLOSED = ("teeth", "gums", "tongue", "eye")
# What light reaches the inside of a mouth: without shadows it would be as bright as the face.
_REACHED = {"mouth": 0.4, "gums": 0.5, "tongue": 0.5, "teeth": 0.8}
_EYES, _MOUTH = slice(36, 48), slice(48, 68)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Which part of the picture each frame asks for: `corners` is the left column and upper row of its first
    pixel, whole numbers; it may lie beyond the picture, where the scene goes on. Gradients flow to it as to
    the vertices: a window that moves is a scene that moves the other way.
    """

    corners: Float[Tensor, "frames 2"]
    width: int
    height: int


@runtime_checkable
class DifferentiableRenderer(Protocol):
    """A still scene whose vertices move, on whatever device they are; safe to share between passes."""

    def render(
        self, vertices: Float[Tensor, "frames verts 3"], window: Window | None = None
    ) -> Float[Tensor, "frames height width 3"]:
        """sRGB in [0, 1] of the whole picture, or of the same pixels through a `window`.

        Gradients are those of the colour at each pixel's centre, and of what edges cover and uncover.
        """

    def project(self, points: Float[Tensor, "frames points 3"]) -> Float[Tensor, "frames points 2"]:
        """Columns and rows in pixels of the whole picture, whose first pixel has its centre at 0.5."""


def open_differentiable(
    scene: Scene, width: int, height: int, *, prefer_pytorch3d: bool = True
) -> DifferentiableRenderer:
    """pytorch3d's rasteriser where it is installed, else ours."""
    if prefer_pytorch3d and is_installed("pytorch3d"):
        from talkcli.engine.render.pytorch3d import Pytorch3dRenderer

        return Pytorch3dRenderer(scene, width, height)
    from talkcli.engine.render.torch_raster import TorchRenderer

    return TorchRenderer(scene, width, height)


def close_up(head: Head) -> Scene:
    """`head` filling a square picture, seen and lit from the front.

    Follows the template's landmarks. Raises AssetError where `head` knows none.
    """
    marks = head.landmarks(torch.from_numpy(np.asarray(head.template, np.float32))[None])[0].numpy()
    eyes, mouth = marks[_EYES].mean(axis=0), marks[_MOUTH].mean(axis=0)
    height = _EYE_TO_MOUTH_SEEN * float(np.linalg.norm(eyes - mouth))
    middle = (eyes + mouth) / 2
    target = (float(middle[0]), float(middle[1]), float(mouth[2]))
    distance = height / 2 / math.tan(math.radians(FOV_DEG / 2))
    return Scene(
        faces=head.faces,
        part_of_face=head.part_of_face,
        materials=tuple(Material(closed=part in _CLOSED) for part in head.parts),
        colours=_dimmed(head),
        camera=Camera(eye=(target[0], target[1], target[2] + distance), target=target, fov_deg=FOV_DEG),
        lights=(_LIGHT,),
        ambient=_AMBIENT,
        background=(0.0, 0.0, 0.0),
    )


def _dimmed(head: Head) -> Float[np.ndarray, "verts 3"]:
    """The head's colours, darker inside the mouth."""
    colours = np.array(head.colours, np.float32)
    for number, part in enumerate(head.parts):
        colours[np.unique(head.faces[head.part_of_face == number])] *= _REACHED.get(part, 1.0)
    return colours
