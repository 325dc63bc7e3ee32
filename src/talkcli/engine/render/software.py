"""The renderer that runs anywhere: a z-buffer rasteriser compiled by numba, one picture per call and thread.

Axis names: `verts`, `faces`, `height`, `width`.
"""

from __future__ import annotations

import math
import threading

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.render import lamps, look, raster, shade
from talkcli.engine.render.backdrop import backdrop
from talkcli.engine.render.renderer import Scene, camera_axes

# Triangles nearer to the camera than this part of its distance to the target are not drawn.
_NEAR = 0.02
# 4x4 ordered dither in steps of the last bit; without it a dark gradient shows bands.
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16.0


class _Buffers(threading.local):
    """What one thread writes into while it makes a picture."""

    def __init__(self, colours: np.ndarray, rows: int, columns: int) -> None:
        num_verts, texels = len(colours), look.TEXELS
        self.table = np.zeros((num_verts, shade.COLUMNS), np.float32)
        self.table[:, shade.COLOUR : shade.COLOUR + 3] = colours
        self.screen = np.empty((num_verts, 3), np.float32)
        self.nearness = np.empty((rows, columns), np.float32)
        self.face_at = np.empty((rows, columns), np.int32)
        self.reach = np.tile(np.array([0, columns], np.int32), (rows, 1))
        self.lamp_screen = np.empty((num_verts, 3), np.float32)
        self.lamp_nearness = np.empty((texels, texels), np.float32)
        self.lamp_maxima = np.full((texels, texels), -np.inf, np.float32)
        self.lamp_face_at = np.empty((texels, texels), np.int32)
        self.lamp_reach = np.tile(np.array([0, texels], np.int32), (texels, 1))


class SoftwareRenderer:
    """Pictures of `scene`, `supersampling` squared samples a pixel.

    The same vertices give the same bytes, whatever thread renders them. Triangles that cross the near plane
    (2 % of the camera's distance) or hold a vertex that is not a number are left out; others are never
    affected.
    """

    concurrent = True

    def __init__(self, scene: Scene, width: int, height: int, supersampling: int = 2) -> None:
        rows, columns = height * supersampling, width * supersampling
        parts = np.asarray(scene.part_of_face)
        self._faces = np.column_stack([scene.faces, parts]).astype(np.int32)
        self._culled = np.array([material.closed for material in scene.materials])[parts]
        self._eye, self._axes = camera_axes(scene.camera)
        # The compiler knows how long a tuple is, and so unrolls the loops over a pixel's samples.
        self._side = (0,) * supersampling
        self._near = _NEAR * math.dist(scene.camera.eye, scene.camera.target)
        self._focal = 0.5 * rows / math.tan(math.radians(scene.camera.fov_deg) / 2)
        self._centre = (0.5 * columns, 0.5 * rows)
        self._materials = look.material_table(scene.materials)
        self._lights = look.light_table(scene.lights, -self._axes[2])
        self._ambient = np.array(scene.ambient, np.float32)
        self._rays = self._rays_to_eye(width, height, supersampling)
        self._sky_lamps = look.sky_lamps()
        self._key_lamp = look.key_lamp(scene.lights)
        # A lamp is hidden by what is turned towards it: on a closed body that is the nearest anyway.
        self._turned_away = np.ones(len(scene.faces), np.bool_)
        self._tone = look.tone_table()
        wall = backdrop(scene.background, height, width)
        self._wall = wall.astype(np.float32)
        self._wall_bytes = _dithered(wall)
        self._own = _Buffers(scene.colours, rows, columns)

    def render(self, vertices: Float[np.ndarray, "verts 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """Return one sRGB picture of the scene with its vertices at `vertices` (metres)."""
        own = self._own
        vertices = np.ascontiguousarray(vertices, np.float32)
        raster.smooth_normals(vertices, self._faces, own.table)
        self._see_lamps(vertices, own)
        raster.project(vertices, self._eye, self._axes, self._focal, self._centre, self._near, own.screen)
        raster.nearest_faces(own.screen, self._faces, self._culled, own.nearness, own.face_at, own.reach)
        own.table[:, shade.SCREEN : shade.SCREEN + 3] = own.screen
        own.table[:, shade.KEY : shade.KEY + 3] = own.lamp_screen
        lit = shade.Look(
            self._materials, self._lights, self._ambient, self._rays, own.lamp_nearness, own.lamp_maxima
        )
        picture = self._wall_bytes.copy()
        shade.shade(
            own.face_at,
            own.nearness,
            own.reach,
            self._side,
            own.table,
            self._faces,
            lit,
            self._wall,
            self._tone,
            picture,
        )
        return picture

    def _see_lamps(self, vertices: np.ndarray, own: _Buffers) -> None:
        """Fill the sky's column of the attributes; leave the key light's view in the lamp's buffers."""
        middle, per_metre = look.map_scale(vertices)
        centre = np.array([*middle, look.TEXELS / 2])
        own.table[:, shade.SKY] = own.table[:, shade.TOTAL] = 1e-6
        for axes in self._sky_lamps:
            self._see_lamp(axes, vertices, centre, per_metre, own)
            shade.add_sky(axes, own.lamp_screen, own.lamp_nearness, own.lamp_maxima, own.table)
        own.table[:, shade.SKY] /= own.table[:, shade.TOTAL]
        self._see_lamp(self._key_lamp, vertices, centre, per_metre, own)

    def _see_lamp(
        self, axes: np.ndarray, vertices: np.ndarray, centre: np.ndarray, per_metre: float, own: _Buffers
    ) -> None:
        lamps.project_parallel(vertices, axes, centre, per_metre, own.lamp_screen)
        raster.nearest_faces(
            own.lamp_screen,
            self._faces,
            self._turned_away,
            own.lamp_nearness,
            own.lamp_face_at,
            own.lamp_reach,
        )
        lamps.block_maxima(own.lamp_nearness, own.lamp_maxima)
        lamps.lift(axes, own.lamp_screen, own.table)

    def close(self) -> None:
        """Do nothing: the buffers end with the renderer."""

    def _rays_to_eye(self, width: int, height: int, supersampling: int) -> np.ndarray:
        right = ((np.arange(width) + 0.5) * supersampling - self._centre[0]) / self._focal
        up = (self._centre[1] - (np.arange(height) + 0.5) * supersampling) / self._focal
        away = self._axes[2] + right[None, :, None] * self._axes[0] + up[:, None, None] * self._axes[1]
        return (-away / np.linalg.norm(away, axis=-1, keepdims=True)).astype(np.float32)


def _dithered(linear: np.ndarray) -> np.ndarray:
    height, width = linear.shape[:2]
    threshold = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    return np.clip(np.floor(255.0 * look.srgb(linear) + threshold), 0, 255).astype(np.uint8)
