"""A mesh in USD: places, triangles, colours, one subset and one material for each part of the head.

Axis names: `verts`, `faces`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from talkcli.engine.exports.rig.materials import material_of
from talkcli.engine.exports.rig.normals import vertex_normals
from talkcli.engine.exports.usd.library import pxr
from talkcli.engine.face.topology import Topology, unknown_triangles


def add_mesh(stage: Any, path: str, topology: Topology) -> Any:
    """Add the mesh of `topology` at rest to `stage`, and return it as a UsdGeomMesh.

    Raises AssetError for a topology whose triangles are unknown.
    """
    if not len(topology.faces):
        raise unknown_triangles(topology.name)
    geometry, vt = pxr("UsdGeom"), pxr("Vt")
    mesh = geometry.Mesh.Define(stage, path)
    points = vectors(topology.template)
    mesh.CreatePointsAttr(points)
    mesh.CreateFaceVertexCountsAttr(vt.IntArray([3] * len(topology.faces)))
    mesh.CreateFaceVertexIndicesAttr(vt.IntArray.FromNumpy(topology.faces.astype(np.int32).ravel()))
    # Without this, USD takes the mesh for the cage of a smoother one.
    mesh.CreateSubdivisionSchemeAttr(geometry.Tokens.none)
    mesh.CreateExtentAttr(geometry.PointBased.ComputeExtent(points))
    mesh.CreateNormalsAttr(vectors(vertex_normals(topology.template.astype(np.float64), topology.faces)))
    mesh.SetNormalsInterpolation(geometry.Tokens.vertex)
    colours = mesh.CreateDisplayColorPrimvar(geometry.Tokens.vertex)
    colours.Set(vectors(topology.colours))
    _add_parts(stage, mesh, topology)
    return mesh


def vectors(values: np.ndarray) -> Any:
    """Return places or directions (any 3) in USD's own array."""
    vt = pxr("Vt")
    return vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values, np.float32))


def _add_parts(stage: Any, mesh: Any, topology: Topology) -> None:
    """Bind each part of the head to a material, whose colour is that of the vertices."""
    shading, geometry, vt = map(pxr, ("UsdShade", "UsdGeom", "Vt"))
    family = shading.Tokens.materialBind
    materials = mesh.GetPath().GetParentPath().AppendChild("materials")
    geometry.Scope.Define(stage, materials)
    shading.MaterialBindingAPI.Apply(mesh.GetPrim())
    for part in np.unique(topology.part_of_face):
        name = _identifier(topology.parts[part])
        faces = np.flatnonzero(topology.part_of_face == part).astype(np.int32)
        subset = geometry.Subset.CreateGeomSubset(
            mesh, name, geometry.Tokens.face, vt.IntArray.FromNumpy(faces), family
        )
        material = _add_material(stage, f"{materials}/{name}", topology.parts[part])
        shading.MaterialBindingAPI.Apply(subset.GetPrim()).Bind(material)
    geometry.Subset.SetFamilyType(mesh, family, geometry.Tokens.partition)


def _add_material(stage: Any, path: str, part: str) -> Any:
    shading, sdf = pxr("UsdShade"), pxr("Sdf")
    material = shading.Material.Define(stage, path)
    reader = shading.Shader.Define(stage, f"{path}/colour")
    reader.CreateIdAttr("UsdPrimvarReader_float3")
    reader.CreateInput("varname", sdf.ValueTypeNames.String).Set("displayColor")
    surface = shading.Shader.Define(stage, f"{path}/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("diffuseColor", sdf.ValueTypeNames.Color3f).ConnectToSource(
        reader.CreateOutput("result", sdf.ValueTypeNames.Float3)
    )
    rough = material_of(part)["pbrMetallicRoughness"]["roughnessFactor"]
    surface.CreateInput("roughness", sdf.ValueTypeNames.Float).Set(rough)
    surface.CreateInput("metallic", sdf.ValueTypeNames.Float).Set(0.0)
    output = surface.CreateOutput("surface", sdf.ValueTypeNames.Token)
    material.CreateSurfaceOutput().ConnectToSource(output)
    return material


def _identifier(name: str) -> str:
    """Return `name` with characters that names in USD may have."""
    return re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII)
