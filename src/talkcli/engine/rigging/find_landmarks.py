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
from talkcli.engine.rigging.surface_mesh import SurfaceMesh, welded
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
# Skin around a ray, and how much deeper than its nearest point a landmark may be.
_AROUND_M = 0.006


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
                return _on_skin(SurfaceMesh(scaled.astype(np.float64), mesh.faces), scene.camera, pixels)
    raise InputError(
        f"The tracker sees no face on a picture of {name}.",
        hint="Turn the mesh so that y is up and the face looks along z, or give the 68 `landmarks`.",
    )


def _on_skin(mesh: SurfaceMesh, camera: Camera, pixels: Float[np.ndarray, "68 2"]) -> Int[np.ndarray, "68"]:
    """Return the vertices that are seen at `pixels`, all on the surface that most are on: lashes and tears
    lie before the skin.
    """
    whole, places = welded(mesh)
    labels = whole.components
    found = _on_mesh(whole, camera, pixels)
    skin = int(np.bincount(labels[found]).argmax())
    chosen = whole.part(labels[whole.faces[:, 0]] == skin)
    used = np.unique(chosen.faces)
    new = np.zeros(len(labels), np.int64)
    new[used] = np.arange(len(used))
    found = used[_on_mesh(SurfaceMesh(chosen.vertices[used], new[chosen.faces]), camera, pixels)]
    first = np.unique(places, return_index=True)[1]
    return first[found]


def _on_mesh(mesh: SurfaceMesh, camera: Camera, pixels: Float[np.ndarray, "68 2"]) -> Int[np.ndarray, "68"]:
    """Return the vertices that are seen at `pixels`."""
    eye, axes = camera_axes(camera)
    half = math.tan(math.radians(camera.fov_deg) / 2)
    sides = (pixels / np.array(_SIZE) * 2 - 1) * [half, -half]
    rays = axes[2] + sides[:, :1] * axes[0] + sides[:, 1:] * axes[1]
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    away = mesh.vertices - eye
    found = np.zeros(len(pixels), np.int64)
    for mark, ray in enumerate(rays):
        depth = away @ ray
        cost = np.linalg.norm(away - depth[:, None] * ray, axis=1)
        # What is seen there lies in front; a ray between lips or lids meets the back of a hole.
        near = cost < max(_AROUND_M, float(cost.min()) * 1.5)
        cost += (depth - depth[near].min() - _AROUND_M).clip(min=0.0)
        if mark in _UPPER_INNER:
            cost += _FACING_M * (mesh.normals[:, 1] > 0)
        if mark in _LOWER_INNER:
            cost += _FACING_M * (mesh.normals[:, 1] < 0)
        found[mark] = int(cost.argmin())
    return found
