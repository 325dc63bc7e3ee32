"""Motion of vertices in USD: a mesh whose points are given at every frame.

Axis names: `frames`, `verts`.
"""

from __future__ import annotations

from typing import Any

from talkcli.engine.exports.usd.library import pxr
from talkcli.engine.exports.usd.mesh import add_mesh, vectors
from talkcli.engine.face.surface import Surface


def add_vertices(stage: Any, path: str, surface: Surface) -> Any:
    """Add the mesh of `surface` with its points over time, and return the prim that holds it.

    Raises AssetError when nobody knows the triangles.
    """
    geometry = pxr("UsdGeom")
    root = geometry.Xform.Define(stage, path)
    mesh = add_mesh(stage, f"{path}/mesh", surface.topology)
    # Normals at rest would be wrong for any other frame: viewers make them of the points.
    mesh.GetPrim().RemoveProperty("normals")
    points, extent = mesh.GetPointsAttr(), mesh.GetExtentAttr()
    for frame in range(surface.num_frames):
        moved = vectors(surface.vertices(slice(frame, frame + 1))[0])
        points.Set(moved, frame)
        extent.Set(geometry.PointBased.ComputeExtent(moved), frame)
    return root.GetPrim()
