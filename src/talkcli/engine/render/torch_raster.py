"""The differentiable renderer that runs anywhere: a z-buffer, and colours recomputed where it looks.

Axis names: `frames`, `verts`, `pixels` (those that see a face), `height`, `width`.
Which face a pixel sees is found without gradients; where on that face is computed again with them, from the
triangle's corners and the pixel's ray.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from talkcli.engine.render.differentiable import Window
from talkcli.engine.render.lit_scene import LitScene
from talkcli.engine.render.renderer import Scene
from talkcli.engine.render.visibility import visible_faces


class TorchRenderer(nn.Module):
    """A `DifferentiableRenderer`; computes in the dtype and on the device of the vertices."""

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        super().__init__()
        self.scene = LitScene(scene, width, height)

    def render(
        self, vertices: Float[Tensor, "frames verts 3"], window: Window | None = None
    ) -> Float[Tensor, "frames height width 3"]:
        """See `DifferentiableRenderer`."""
        scene = self.scene
        camera = scene.view(vertices)
        height, width = (window.height, window.width) if window else (scene.height, scene.width)
        with torch.no_grad():
            screen = torch.cat([scene.on_screen(camera, window), camera[..., 2:]], -1)
            face_at = visible_faces(screen, scene.faces, scene.closed, height, width)
        return scene.paint(camera, face_at, self._weights(camera, face_at, window), window)

    def project(self, points: Float[Tensor, "frames points 3"]) -> Float[Tensor, "frames points 2"]:
        """See `DifferentiableRenderer`."""
        return self.scene.on_screen(self.scene.view(points))

    def _weights(
        self,
        camera: Float[Tensor, "frames verts 3"],
        face_at: Int[Tensor, "frames height width"],
        window: Window | None,
    ) -> Float[Tensor, "frames height width 3"]:
        """Return where each ray meets its triangle, in shares of the three corners; zeros where it meets
        none.
        """
        covered = face_at >= 0
        pixels = covered.nonzero()
        seen, rank = self.scene.seen(face_at)
        a, b, c = camera[:, self.scene.faces[seen]].unbind(2)
        # A corner's share is the volume that the ray spans with the opposite edge (Cramer's rule). An edge,
        # not two corners: the difference of two long products would lose the digits that matter.
        opposite = torch.stack(
            [torch.linalg.cross(b, c - b), torch.linalg.cross(c, a - c), torch.linalg.cross(a, b - a)], 2
        )
        row = pixels[:, 0] * len(seen) + rank[face_at[covered]]
        rays = self.scene.rays(pixels, window, camera)
        volumes = (opposite.flatten(0, 1)[row] * rays[:, None]).sum(-1)
        nowhere = volumes.new_zeros(*face_at.shape, 3)
        return nowhere.masked_scatter(covered[..., None], volumes / volumes.sum(-1, keepdim=True))
