"""The renderer that runs anywhere: a z-buffer rasteriser compiled by numba, one picture per call and thread.

Axis names: `verts`, `faces`, `height`, `width`.
"""

from __future__ import annotations

import math
import threading

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.render import occlusion, raster, shade
from talkcli.engine.render.backdrop import backdrop
from talkcli.engine.render.renderer import Scene, camera_axes

# Triangles nearer to the camera than this part of its distance to the target are not drawn.
_NEAR = 0.02
# 4x4 ordered dither in steps of the last bit; without it a dark gradient shows bands.
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16.0


class _Buffers(threading.local):
    """What one thread writes into while it makes a picture."""

    def __init__(self, colours: np.ndarray, rows: int, columns: int) -> None:
        num_verts, texels = len(colours), occlusion.TEXELS
        self.screen = np.empty((num_verts, 3), np.float32)
        self.attributes = np.ones((num_verts, shade.NUM_ATTRIBUTES), np.float32)
        self.attributes[:, 3:6] = colours
        self.nearness = np.empty((rows, columns), np.float32)
        self.face_at = np.empty((rows, columns), np.int32)
        self.lamp_screen = np.empty((num_verts, 3), np.float32)
        self.lamp_nearness = np.empty((texels, texels), np.float32)
        self.lamp_face_at = np.empty((texels, texels), np.int32)


class SoftwareRenderer:
    """Pictures of `scene`, `supersampling` squared samples a pixel.

    The same vertices give the same bytes, whatever thread renders them. Triangles that cross the near plane
    (2 % of the camera's distance) or hold a vertex that is not a number are left out; others are never
    affected.
    """

    concurrent = True

    def __init__(self, scene: Scene, width: int, height: int, supersampling: int = 2) -> None:
        rows, columns = height * supersampling, width * supersampling
        self._faces = np.ascontiguousarray(scene.faces, np.int32)
        self._parts = np.ascontiguousarray(scene.part_of_face, np.int32)
        self._culled = np.array([material.closed for material in scene.materials])[self._parts]
        self._eye, self._axes = camera_axes(scene.camera)
        self._near = _NEAR * math.dist(scene.camera.eye, scene.camera.target)
        self._focal = 0.5 * rows / math.tan(math.radians(scene.camera.fov_deg) / 2)
        self._centre = (0.5 * columns, 0.5 * rows)
        self._look = shade.Look(
            materials=shade.material_table(scene.materials),
            lights=shade.light_table(scene.lights, -self._axes[2]),
            ambient=np.array(scene.ambient, np.float32),
            rays=self._rays(width, height, supersampling),
        )
        self._lamps = occlusion.lamp_table(scene.lights)
        self._turned_away = np.ones(len(scene.faces), np.bool_)
        self._tone = shade.tone_table()
        wall = backdrop(scene.background, height, width)
        self._wall = wall.astype(np.float32)
        self._wall_bytes = _dithered(wall)
        self._own = _Buffers(scene.colours, rows, columns)

    def render(self, vertices: Float[np.ndarray, "verts 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """One sRGB picture of the scene with its vertices at `vertices` (metres)."""
        own = self._own
        vertices = np.ascontiguousarray(vertices, np.float32)
        raster.smooth_normals(vertices, self._faces, own.attributes)
        occlusion.see_lamps(
            vertices,
            self._faces,
            self._turned_away,
            self._lamps,
            *occlusion.map_scale(vertices),
            own.attributes,
            own.lamp_screen,
            own.lamp_nearness,
            own.lamp_face_at,
        )
        raster.project(vertices, self._eye, self._axes, self._focal, self._centre, self._near, own.screen)
        raster.nearest_faces(own.screen, self._faces, self._culled, own.nearness, own.face_at)
        surface = shade.Surface(own.screen, own.attributes, self._faces, self._parts)
        picture = self._wall_bytes.copy()
        shade.shade(own.face_at, own.nearness, surface, self._look, self._wall, self._tone, picture)
        return picture

    def close(self) -> None:
        """Nothing to release: buffers go with the renderer."""

    def _rays(self, width: int, height: int, supersampling: int) -> np.ndarray:
        right = ((np.arange(width) + 0.5) * supersampling - self._centre[0]) / self._focal
        up = (self._centre[1] - (np.arange(height) + 0.5) * supersampling) / self._focal
        away = self._axes[2] + right[None, :, None] * self._axes[0] + up[:, None, None] * self._axes[1]
        return (-away / np.linalg.norm(away, axis=-1, keepdims=True)).astype(np.float32)


def _dithered(linear: np.ndarray) -> np.ndarray:
    height, width = linear.shape[:2]
    threshold = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    return np.clip(np.floor(255.0 * shade.srgb(linear) + threshold), 0, 255).astype(np.uint8)
