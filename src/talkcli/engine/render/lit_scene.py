"""A scene before a differentiable camera: where vertices are seen, and what colour the light gives them.

Axis names: `frames`, `verts`, `faces`, `pixels` (those that see a face, of all frames), `height`, `width`.
Lambert's light per vertex, interpolated (Gouraud 1971), without shadows. Camera space is x right, y down, z
forward, metres. Work is done where it is seen: vertices and faces that no pixel of the batch looks at cost
nothing but their place.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from talkcli.engine.render.differentiable import Window
from talkcli.engine.render.edge_gradients import beside_edges, with_edge_gradients
from talkcli.engine.render.renderer import Scene, camera_axes

# What is left of a colour on the inside of a body.
_INSIDE = 0.12


class LitScene(nn.Module):
    """Camera, light and colours of a `Scene`; of its materials only `closed` counts."""

    faces: Int[Tensor, "faces 3"]
    closed: Bool[Tensor, "faces"]
    colours: Float[Tensor, "verts 3"]
    eye: Float[Tensor, "3"]
    axes: Float[Tensor, "3 3"]
    light_directions: Float[Tensor, "lights 3"]
    light_colours: Float[Tensor, "lights 3"]
    ambient: Float[Tensor, "3"]
    background: Float[Tensor, "3"]

    def __init__(self, scene: Scene, width: int, height: int) -> None:
        super().__init__()
        self.width, self.height = width, height
        self.focal = 0.5 * min(width, height) / math.tan(math.radians(scene.camera.fov_deg) / 2)
        eye, (right, up, forward) = camera_axes(scene.camera)
        axes = np.stack([right, -up, forward])
        towards = np.array([light.direction for light in scene.lights], float)
        towards /= np.linalg.norm(towards, axis=1, keepdims=True)
        closed = np.array([material.closed for material in scene.materials])[scene.part_of_face]
        values = {
            "colours": scene.colours,
            "eye": eye,
            "axes": axes,
            "light_directions": towards @ axes.T,
            "light_colours": np.array([light.colour for light in scene.lights]),
            "ambient": np.array(scene.ambient),
            "background": np.array(scene.background),
        }
        for name, value in values.items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float32), persistent=False)
        self.register_buffer("faces", torch.tensor(scene.faces, dtype=torch.long), persistent=False)
        self.register_buffer("closed", torch.tensor(closed), persistent=False)

    def view(self, points: Float[Tensor, "frames points 3"]) -> Float[Tensor, "frames points 3"]:
        """Return world to camera space."""
        return (points - self.eye.to(points)) @ self.axes.to(points).T

    def on_screen(
        self, camera: Float[Tensor, "frames points 3"], window: Window | None = None
    ) -> Float[Tensor, "frames points 2"]:
        """Return camera space to pixels of the picture or of the `window`: columns and rows, centres at a
        half.
        """
        return camera[..., :2] / camera[..., 2:] * self.focal + self._middle(camera, window)[:, None]

    def rays(
        self, pixels: Int[Tensor, "pixels 3"], window: Window | None, like: Tensor
    ) -> Float[Tensor, "pixels 3"]:
        """Compute the rays through the centres of `pixels` (frame, row, column), one metre deep in camera
        space.
        """
        frame, row, column = pixels.unbind(-1)
        middle = self._middle(like, window)[frame]
        place = torch.stack([column, row], -1) + 0.5 - middle
        return F.pad(place / self.focal, (0, 1), value=1.0)

    def paint(
        self,
        camera: Float[Tensor, "frames verts 3"],
        face_at: Int[Tensor, "frames height width"],
        weights: Float[Tensor, "frames height width 3"],
        window: Window | None,
    ) -> Float[Tensor, "frames height width 3"]:
        """Return sRGB in [0, 1]. `weights` are each pixel's place on its face (perspective-correct
        barycentric); those of pixels without a face do not count.
        """
        covered = face_at >= 0
        frame = covered.nonzero()[:, 0]
        seen, rank = self.seen(face_at)
        with torch.no_grad():
            a, b, c = camera[:, self.faces[seen]].unbind(2)
            back = (a * torch.linalg.cross(b - a, c - a)).sum(-1) > 0
            shade = torch.where(back, _INSIDE, 1.0).to(camera)
            depth = camera.new_full(face_at.shape, torch.inf)
            depths = camera[..., 2][frame[:, None], self.faces[face_at[covered]]]
            depth[covered] = (depths * weights[covered]).sum(-1)
            edges = beside_edges(depth, self.focal)
        inner = torch.where(edges[..., None], weights.detach(), weights)[covered]
        lit = self._lit(camera, self.faces[seen]) * shade[..., None, None]
        colours = lit.flatten(0, 1)[frame * len(seen) + rank[face_at[covered]]]
        background = self.background.to(camera).expand(*face_at.shape, 3)
        picture = _srgb(background.masked_scatter(covered[..., None], (colours * inner[..., None]).sum(1)))
        middle = self._middle(camera, window)
        return with_edge_gradients(
            picture, edges, depth, face_at, weights, camera, self.faces, self.focal, middle
        )

    def seen(self, face_at: Int[Tensor, "frames height width"]) -> tuple[Tensor, Tensor]:
        """Return faces that any pixel sees, and the place of each face among them."""
        mask = torch.zeros(len(self.faces) + 1, dtype=torch.bool, device=face_at.device)
        # No face, -1, is the last of the mask.
        mask[face_at.flatten()] = True
        seen = mask[:-1].nonzero()[:, 0]
        rank = torch.zeros(len(self.faces), dtype=torch.long, device=face_at.device)
        rank[seen] = torch.arange(len(seen), device=face_at.device)
        return seen, rank

    def _lit(
        self, camera: Float[Tensor, "frames verts 3"], corners: Int[Tensor, "faces 3"]
    ) -> Float[Tensor, "frames faces 3 rgb"]:
        """Return linear light that leaves the corners of some faces."""
        verts, places = corners.unique(return_inverse=True)
        normals = self._normals(camera, verts)
        cosines = (normals @ self.light_directions.to(camera).T).clamp(min=0)
        light = self.ambient.to(camera) + cosines @ self.light_colours.to(camera)
        return (light * self.colours.to(camera)[verts])[:, places]

    def _normals(
        self, camera: Float[Tensor, "frames verts 3"], verts: Int[Tensor, "chosen"]
    ) -> Float[Tensor, "frames chosen 3"]:
        """Return area-weighted unit normals of some vertices, from all faces round them."""
        rank = torch.full((camera.shape[1],), len(verts), device=camera.device)
        rank[verts] = torch.arange(len(verts), device=camera.device)
        places = rank[self.faces]
        round_them = (places < len(verts)).any(1)
        a, b, c = camera[:, self.faces[round_them]].unbind(2)
        normals = torch.linalg.cross(b - a, c - a)
        # Vertices that were not asked for share one place behind the others.
        total = camera.new_zeros(len(camera), len(verts) + 1, 3)
        for corner in places[round_them].unbind(1):
            total = total.index_add(1, corner, normals)
        return F.normalize(total[:, :-1], dim=-1, eps=1e-20)

    def _middle(self, like: Tensor, window: Window | None) -> Float[Tensor, "frames 2"]:
        middle = like.new_tensor([[self.width / 2, self.height / 2]])
        return middle.expand(len(like), 2) if window is None else middle - window.corners.to(like)


def _srgb(linear: Float[Tensor, "*pixels rgb"]) -> Float[Tensor, "*pixels rgb"]:
    """Return linear light to sRGB (IEC 61966-2-1), both in [0, 1]."""
    # The power's slope is endless at zero, where it is not used: it must not be reached either.
    curve = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, 12.92 * linear, curve).clamp(0, 1)
