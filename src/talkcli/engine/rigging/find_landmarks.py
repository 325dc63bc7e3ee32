"""The 68 landmarks of a head mesh, found by a face tracker on a picture of it.

Axis names: `verts`, `faces`. Needs the extra `video`.
"""

from __future__ import annotations

import contextlib
import math

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.face.topology import FaceMesh
from talkcli.engine.render.renderer import Camera, camera_axes
from talkcli.engine.render.renderers import open_renderer
from talkcli.engine.render.setting import scene_of
from talkcli.engine.render.shot import Shot, Size
from talkcli.engine.rigging.surface_mesh import SurfaceMesh
from talkcli.engine.types import Mesh
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.mesh import FaceMesh as Tracker

_SIZE = Size(768, 768)
# The first that shows a face counts.
_ZOOMS = (1.0, 1.6, 2.4)
# Extent of a head, or a bust, that fits the studio.
_EXTENT_M = 0.35
# Points of the parted lips lie in one place, and face down or up.
_UPPER_INNER, _LOWER_INNER = (61, 62, 63), (65, 66, 67)
_FACING_M = 0.004
_BLOCK = 8


def find_landmarks(mesh: Mesh, name: str) -> Int[np.ndarray, "68"]:
    """Return the vertices of the landmarks of `mesh`, which looks along z with y up, in any unit.

    Raises InputError where no face is seen, ExtraError without the tracker.
    """
    extent = float(np.ptp(mesh.vertices, axis=0).max())
    scaled = (mesh.vertices - mesh.vertices.mean(axis=0)) * (_EXTENT_M / max(extent, 1e-12))
    topology = FaceMesh(name=name, template=scaled.astype(np.float32), triangles=mesh.faces)
    with Tracker() as tracker:
        for zoom in _ZOOMS:
            scene = scene_of(topology, Shot(size=_SIZE, zoom=zoom, background="white"))
            with contextlib.closing(open_renderer("software", scene, *_SIZE)) as renderer:
                picture = renderer.render(topology.template)
            seen = tracker.sightings(np.ascontiguousarray(picture[..., :3]))
            if seen:
                best = max(seen, key=lambda sighting: sighting.size)
                pixels = at.ibug_points(best.landmarks[None, :, :2].astype(np.float64))[0]
                return _on_mesh(SurfaceMesh(scaled.astype(np.float64), mesh.faces), scene.camera, pixels)
    raise InputError(
        f"The tracker sees no face on a picture of {name}.",
        hint="Turn the mesh so that y is up and the face looks along z, or give the 68 `landmarks` in a file.",
    )


def _on_mesh(
    mesh: SurfaceMesh, camera: Camera, pixels: Float[np.ndarray, "68 2"]
) -> Int[np.ndarray, "68"]:
    """Return the vertices that are seen at `pixels`."""
    eye, axes = camera_axes(camera)
    half = math.tan(math.radians(camera.fov_deg) / 2)
    sides = (pixels / np.array(_SIZE) * 2 - 1) * [half, -half]
    rays = axes[2] + sides[:, :1] * axes[0] + sides[:, 1:] * axes[1]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    depths = _first_hits(mesh, eye, rays)
    found = np.zeros(len(pixels), np.int64)
    for mark, (ray, depth) in enumerate(zip(rays, depths, strict=True)):
        away = mesh.vertices - eye
        if np.isfinite(depth):
            cost = np.linalg.norm(away - depth * ray, axis=1)
        else:
            # Beside the mesh: the vertex nearest to the ray.
            cost = np.linalg.norm(away - (away @ ray)[:, None] * ray, axis=1)
        if mark in _UPPER_INNER:
            cost = cost + _FACING_M * (mesh.normals[:, 1] > 0)
        if mark in _LOWER_INNER:
            cost = cost + _FACING_M * (mesh.normals[:, 1] < 0)
        found[mark] = int(cost.argmin())
    return found


def _first_hits(
    mesh: SurfaceMesh, eye: Float[np.ndarray, "3"], rays: Float[np.ndarray, "rays 3"]
) -> Float[np.ndarray, "rays"]:
    """Return the distance of the first triangle on each ray, infinite where there is none.

    Source: Moeller and Trumbore (1997).
    """
    corners = mesh.vertices[mesh.faces]
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    start = eye - corners[:, 0]
    turned = np.cross(start, one)
    depths = []
    for first in range(0, len(rays), _BLOCK):
        way = rays[first : first + _BLOCK, None]
        across = np.cross(way, other)
        size = (one * across).sum(-1)
        size = np.where(np.abs(size) < 1e-15, np.inf, size)
        u, v = (start * across).sum(-1) / size, (way * turned).sum(-1) / size
        depth = (other * turned).sum(-1) / size
        depths.append(np.where((u >= 0) & (v >= 0) & (u + v <= 1) & (depth > 0), depth, np.inf).min(axis=1))
    return np.concatenate(depths)
