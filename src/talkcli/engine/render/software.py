"""The renderer that runs anywhere: a z-buffer rasteriser compiled by numba, one picture per call and thread.

Axis names: `verts`, `faces`, `height`, `width`, `channels`, `marked` pixels, `samples` of one of them.
"""

from __future__ import annotations

import math
import threading

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.render import edges, look, raster, shade, surfaces
from talkcli.engine.render.backdrop import as_bytes, backdrop
from talkcli.engine.render.columns import COLOUR, COLUMNS, KEY, SCREEN, SKY, Look
from talkcli.engine.render.eyeballs import Eyeballs
from talkcli.engine.render.renderer import Scene, camera_axes
from talkcli.engine.render.skin import rest_table
from talkcli.engine.render.sky import Place, Sky, see_lamp

# Triangles nearer to the camera than this part of its distance to the target are not drawn.
_NEAR = 0.02


class _Buffers(threading.local):
    """What one thread writes into while it makes a picture."""

    def __init__(self, colours: np.ndarray, sky: Sky, height: int, width: int, samples: int) -> None:
        num_verts = len(colours)
        self.table = np.zeros((num_verts, COLUMNS), np.float32)
        self.table[:, COLOUR : COLOUR + 3] = colours
        self.screen = np.empty((num_verts, 3), np.float32)
        self.used = np.empty(num_verts, np.bool_)
        self.nearness = np.empty((height, width), np.float32)
        self.face_at = np.empty((height, width), np.int32)
        self.slot_at = np.empty((height, width), np.int32)
        self.busy = np.empty((-(-height // raster.TILE), -(-width // raster.TILE)), np.bool_)
        self.part_at = np.empty((2, width), np.int32)
        self.table[:, SKY] = sky.at_rest
        self.sky = sky.views()
        self.key = sky.whole_view()
        self._samples = samples
        self._make_room(height * width // 8)

    def _make_room(self, marked: int) -> None:
        listed = self.face_at.size + marked * self._samples
        self.sample_nearness = np.empty((marked, self._samples), np.float32)
        self.sample_face = np.empty((marked, self._samples), np.int32)
        self.of_pixel = np.empty((listed, 2), np.int32)
        self.places = np.empty((listed, 4), np.float32)

    def clear_samples(self, marked: int) -> None:
        """Have room for the samples of `marked` pixels, which see nothing yet."""
        if marked > len(self.sample_face):
            self._make_room(marked + marked // 4)
        self.sample_nearness[:marked] = -np.inf
        self.sample_face[:marked] = -1


class SoftwareRenderer:
    """Pictures of `scene`, with `samples` samples a pixel where there are edges.

    The same vertices give the same bytes, whatever thread renders them. Triangles that cross the near plane
    (2 % of the camera's distance) or hold a vertex that is not a number are left out; others are never
    affected. Raises UsageError for a background of another size.
    """

    concurrent = True

    def __init__(self, scene: Scene, width: int, height: int, samples: int = 8) -> None:
        parts = np.asarray(scene.part_of_face)
        self._faces = np.column_stack([scene.faces, parts]).astype(np.int32)
        self._twins, self._normal_faces = scene.twins, self._faces
        if scene.twins is not None:
            self._normal_faces = scene.twins.astype(np.int32)[self._faces[:, :3]]
        self._culled = np.array([material.closed for material in scene.materials])[parts]
        fibres = np.array([material.fibres for material in scene.materials])[parts]
        self._labels = np.where(fibres, -2 - parts, parts).astype(np.int32)
        self._edges = edges.mesh_edges(scene.faces)
        self._offsets = edges.sample_offsets(samples)
        self._eye, self._axes = camera_axes(scene.camera)
        self._near = _NEAR * math.dist(scene.camera.eye, scene.camera.target)
        # The field of view is that of the smaller side.
        self._focal = 0.5 * min(width, height) / math.tan(math.radians(scene.camera.fov_deg) / 2)
        self._centre = (0.5 * width, 0.5 * height)
        self._materials = look.material_table(scene.materials)
        self._lights = look.light_table(scene.lights, -self._axes[2])
        self._ambient = np.array(scene.ambient, np.float32)
        self._camera = (
            self._eye.astype(np.float32),
            self._axes.astype(np.float32),
            np.array([self._focal, *self._centre], np.float32),
        )
        self._eyeballs = Eyeballs(scene)
        self._rest, self._rest_area = rest_table(scene)
        self._sky = Sky(scene, self._faces)
        self._key_lamp = look.key_lamp(scene.lights)
        self._tone = look.tone_table()
        wall = backdrop(scene.background, height, width)
        self._wall = wall.astype(np.float32).reshape(-1, 3)
        channels = 4 if scene.background is None else 3
        self._empty = np.zeros((height, width, channels), np.uint8)
        self._empty[:, :, :3] = as_bytes(wall)
        self._own = _Buffers(scene.colours, self._sky, height, width, samples)

    def render(self, vertices: Float[np.ndarray, "verts 3"]) -> UInt8[np.ndarray, "height width channels"]:
        """Return one sRGB picture of the scene with its vertices at `vertices` (metres); see `Renderer`."""
        own = self._own
        vertices = np.ascontiguousarray(vertices, np.float32)
        num = self._list_surfaces(vertices, own)
        raster.smooth_normals(vertices, self._normal_faces, own.table)
        if self._twins is not None:
            own.table[:, :3] = own.table[self._twins, :3]
        self._sky.see(vertices, own.used, own.table, own.sky)
        place = Place(*look.map_scale(vertices))
        see_lamp(self._key_lamp, vertices, self._faces, place, own.used, own.table, own.key)
        own.table[:, SCREEN : SCREEN + 3] = own.screen
        own.table[:, KEY : KEY + 3] = own.key.screen
        lit = Look(
            self._materials,
            self._lights,
            self._ambient,
            *self._camera,
            self._eyeballs.at(vertices),
            own.key.nearness,
            own.key.maxima,
        )
        picture = self._empty.copy()
        shade.shade(
            num,
            own.of_pixel,
            own.places,
            own.table,
            self._faces,
            self._rest,
            self._rest_area,
            lit,
            self._wall,
            self._tone,
            picture.reshape(len(self._wall), -1),
        )
        return picture

    def _list_surfaces(self, vertices: np.ndarray, own: _Buffers) -> int:
        """List what the pixels see, and the vertices that are used for it; return the number of surfaces."""
        faces, culled, offsets = self._faces, self._culled, self._offsets
        raster.project(vertices, self._eye, self._axes, self._focal, self._centre, self._near, own.screen)
        raster.nearest_faces(own.screen, faces, culled, own.nearness, own.face_at)
        marked = edges.mark_edges(
            own.face_at,
            own.nearness,
            own.screen,
            faces,
            culled,
            self._labels,
            own.part_at,
            self._edges,
            own.slot_at,
            own.busy,
        )
        own.clear_samples(marked)
        samples = (own.sample_nearness, own.sample_face)
        raster.nearest_samples(own.screen, faces, culled, own.slot_at, own.busy, offsets, *samples)
        num = surfaces.list_surfaces(
            own.face_at, own.nearness, faces, own.slot_at, offsets, *samples, own.of_pixel, own.places
        )
        surfaces.seen_vertices(num, own.of_pixel, faces, own.used)
        return int(num)

    def close(self) -> None:
        """Do nothing: the buffers end with the renderer."""
