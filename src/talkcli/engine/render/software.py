"""The renderer that runs anywhere: a z-buffer rasteriser compiled by numba, one picture per call and thread.

Axis names: `verts`, `faces`, `height`, `width`.
"""

from __future__ import annotations

import math
import threading

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.render import raster, shade
from talkcli.engine.render.backdrop import backdrop
from talkcli.engine.render.renderer import Scene, camera_axes

# Triangles nearer to the camera than this part of its distance to the target are not drawn.
_NEAR = 0.02
# 4x4 ordered dither in steps of the last bit; without it a dark gradient shows bands.
_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16.0


class _Buffers(threading.local):
    """What one thread writes into while it makes a picture."""

    def __init__(self, num_verts: int, rows: int, columns: int, colours: np.ndarray) -> None:
        self.screen = np.empty((num_verts, 3), np.float32)
        self.attributes = np.ones((num_verts, shade.NUM_ATTRIBUTES), np.float32)
        self.attributes[:, 3:6] = colours
        self.nearness = np.empty((rows, columns), np.float32)
        self.face_at = np.empty((rows, columns), np.int32)


class SoftwareRenderer:
    """Pictures of `scene`, `supersampling` squared samples a pixel.

    The same vertices give the same bytes, whatever thread renders them. Triangles that cross the near plane (2 % of
    the camera's distance) or hold a vertex that is not a number are left out; others are never affected.
    """

    concurrent = True

    def __init__(self, scene: Scene, width: int, height: int, supersampling: int = 2) -> None:
        self._width, self._height, self._samples = width, height, supersampling
        self._faces = np.ascontiguousarray(scene.faces, np.int32)
        self._parts = np.ascontiguousarray(scene.part_of_face, np.int32)
        self._materials = np.array([[m.specular, m.gloss, m.wrap] for m in scene.materials], np.float32)
        self._culled = np.array([m.closed for m in scene.materials])[self._parts]
        self._eye, self._axes = camera_axes(scene.camera)
        distance = math.dist(scene.camera.eye, scene.camera.target)
        self._near = _NEAR * distance
        rows, columns = height * supersampling, width * supersampling
        self._focal = 0.5 * rows / math.tan(math.radians(scene.camera.fov_deg) / 2)
        self._lights = np.array(
            [[*_unit(light.direction), *light.colour, float(light.shadow)] for light in scene.lights],
            np.float32,
        ).reshape(-1, 7)
        self._ambient = np.array(scene.ambient, np.float32)
        self._tone = shade.tone_table()
        wall = backdrop(scene.background, height, width)
        self._backdrop = wall.astype(np.float32)
        self._backdrop_bytes = _encode_dithered(wall)
        self._buffers = _Buffers(len(scene.colours), rows, columns, scene.colours)

    def render(self, vertices: Float[np.ndarray, "verts 3"]) -> UInt8[np.ndarray, "height width 3"]:
        """One sRGB picture of the scene with its vertices at `vertices` (metres)."""
        own = self._buffers
        vertices = np.ascontiguousarray(vertices, np.float32)
        centre_x, centre_y = 0.5 * own.nearness.shape[1], 0.5 * own.nearness.shape[0]
        raster.project(
            vertices, self._eye, self._axes, self._focal, centre_x, centre_y, self._near, own.screen
        )
        raster.smooth_normals(vertices, self._faces, own.attributes)
        raster.nearest_faces(own.screen, self._faces, self._culled, own.nearness, own.face_at)
        picture = np.empty((self._height, self._width, 3), np.uint8)
        shade.shade(
            own.face_at,
            own.nearness,
            self._samples,
            own.screen,
            own.attributes,
            self._faces,
            self._parts,
            self._materials,
            self._lights,
            self._ambient,
            self._axes,
            self._focal,
            centre_x,
            centre_y,
            self._backdrop,
            self._backdrop_bytes,
            self._tone,
            picture,
        )
        return picture

    def close(self) -> None:
        """Nothing to release: buffers go with the renderer."""


def _unit(direction: tuple[float, float, float]) -> tuple[float, float, float]:
    length = math.hypot(*direction)
    return direction[0] / length, direction[1] / length, direction[2] / length


def _encode_dithered(linear: np.ndarray) -> np.ndarray:
    height, width = linear.shape[:2]
    encoded = 255.0 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    threshold = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    return np.clip(np.floor(encoded + threshold), 0, 255).astype(np.uint8)
