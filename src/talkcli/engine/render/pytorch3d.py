"""The differentiable renderer of pytorch3d: its rasteriser, our camera and light.

Axis names: `frames`, `verts`, `pixels` (those that see a face), `height`, `width`.
Only the rasteriser is used, which takes vertices in its own screen space: x left and y up, from -1 to 1 over
the shorter side, with the depth in metres.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from talkcli.engine.optional import require
from talkcli.engine.render.differentiable import Window
from talkcli.engine.render.lit_scene import LitScene
from talkcli.engine.render.renderer import Scene
from talkcli.engine.render.visibility import NEAR, turned_away

_PURPOSE = "The renderer pytorch3d"


class Pytorch3dRenderer(nn.Module):
    """A `DifferentiableRenderer`; computes in float32. Raises ExtraError where pytorch3d does not import."""

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        super().__init__()
        self.scene = LitScene(scene, width, height)
        require("pytorch3d", purpose=_PURPOSE)
        self._meshes = require("pytorch3d.structures", purpose=_PURPOSE).Meshes
        self._rasterise = require(
            "pytorch3d.renderer.mesh.rasterize_meshes", purpose=_PURPOSE
        ).rasterize_meshes

    def render(
        self, vertices: Float[Tensor, "frames verts 3"], window: Window | None = None
    ) -> Float[Tensor, "frames height width 3"]:
        """See `DifferentiableRenderer`."""
        scene = self.scene
        height, width = (window.height, window.width) if window else (scene.height, scene.width)
        camera = scene.view(vertices.float())
        screen = scene.on_screen(camera, window)
        half = screen.new_tensor([width, height]) / 2
        there = torch.cat([(half - screen) / half.min(), camera[..., 2:]], -1)
        with torch.no_grad():
            # Its culling is for all faces or none: faces that must not be drawn are left out instead.
            behind = (camera[..., 2] <= NEAR)[:, scene.faces].any(-1)
            drawn = ~behind & ~(scene.closed & (turned_away(screen, scene.faces) > 0))
            kept = [row.nonzero()[:, 0] for row in drawn]
        meshes = self._meshes(verts=list(there), faces=[scene.faces[faces] for faces in kept])
        found, _, weights, _ = self._rasterise(
            meshes,
            image_size=(height, width),
            blur_radius=0.0,
            faces_per_pixel=1,
            perspective_correct=True,
        )
        packed = found[..., 0]
        # It numbers the faces of all frames in one row.
        names = torch.cat([*kept, scene.faces.new_tensor([-1])])
        return scene.paint(camera, names[packed], weights[..., 0, :], window)

    def project(self, points: Float[Tensor, "frames points 3"]) -> Float[Tensor, "frames points 2"]:
        """See `DifferentiableRenderer`."""
        return self.scene.on_screen(self.scene.view(points))
