"""A rig of 52 shapes for a neutral head mesh of any topology.

Axis names: `verts`, `faces`, `shapes` = 52.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import InputError
from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.overlay import Overlay, overlay
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.face.topology import MESH_COLOUR
from talkcli.engine.rigging.carry import Carried, carry
from talkcli.engine.rigging.donor import Donor
from talkcli.engine.rigging.mouth_sides import lips_are_one
from talkcli.engine.rigging.parts import EYE, MOUTH, OTHER, TEETH, Added, added, moved_parts, recognise
from talkcli.engine.rigging.surface_mesh import SurfaceMesh, welded
from talkcli.engine.types import Mesh, Reporter

# Units in which heads are modelled, in metres.
_UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001, "inch": 0.0254, "dm": 0.1}
# Largest ratio of sizes of two heads of people, and largest turn between them, in radians.
_LIKELY, _MOST_TURN_RAD = 1.6, 0.8
_INNER = np.arange(17, 68)
# Names of the renderer's materials by kind of part.
_MATERIALS = {EYE: "eye", MOUTH: "gums", TEETH: "teeth", OTHER: "skin"}
_MATERIAL_COLOURS = {"eye": (0.75, 0.73, 0.70), "gums": (0.42, 0.16, 0.15), "teeth": (0.68, 0.62, 0.5)}
_FEWEST_VERTS = 200
# Landmarks of the corners of mouth and eyes, and the least distance between them in metres.
_CORNERS = {"mouth": (48, 54), "right eye": (36, 39), "left eye": (42, 45)}
_LEAST_WIDTH_M = 0.005


@dataclass(frozen=True, kw_only=True)
class Rigged:
    """A rig, and what is known of how it came about."""

    rig: ShapeRig
    skin: Int[np.ndarray, "chosen"]
    """Vertices of the rig's skin, one for those in one place."""
    skin_mesh: SurfaceMesh
    """Triangles between them, in metres of the rig."""
    carried: Carried
    laid: Overlay
    """From the rig to ada."""
    unit: str
    parts: dict[str, int]
    """Number of components by kind."""
    added: tuple[str, ...]
    """Names of ada's parts that were added."""
    fused: bool
    """Whether the lips are one surface."""


def build_rig(
    mesh: Mesh, marks: Int[np.ndarray, "68"], name: str, *, add: bool, reporter: Reporter
) -> Rigged:
    """Return the rig of `mesh`, whose landmarks are the vertices `marks`, in metres.

    With `add`, ada's eyes, teeth and tongue come into a mesh that has none.

    Raises InputError for a mesh without triangles, one that does not look along z with y up, one in which the
    landmarks are on no common surface, and landmarks of a mouth or an eye without width.
    """
    if len(mesh.faces) == 0 or len(mesh.vertices) < _FEWEST_VERTS:
        raise InputError(
            f"{name} has {len(mesh.vertices)} vertices and {len(mesh.faces)} triangles, too few for a head."
        )
    ada = load_head("ada")
    assert isinstance(ada, AdaHead)
    donor = Donor(ada)
    points = mesh.vertices.astype(np.float64)
    own = ada.template[ada.landmark_vertices[_INNER]].astype(np.float64)
    unit, factor = _unit(name, points[marks[_INNER]], own)
    points = points * factor
    laid = overlay(points[marks[_INNER]], own)
    _check_widths(name, laid(points[marks]))
    whole, places = welded(SurfaceMesh(laid(points), mesh.faces))
    welded_marks = places[marks]
    skin, skin_mesh, skin_marks = _skin_of(name, whole, welded_marks)
    carried = carry(donor, skin_mesh, skin_marks, reporter)
    deltas = np.zeros((len(ARKIT), len(whole.vertices), 3))
    deltas[:, skin] = carried.deltas
    parts = recognise(whole, skin, welded_marks)
    moved_parts(whole, parts, donor, carried.warped, skin, deltas)
    counts = {kind: sum(part.kind == kind for part in parts) for kind in (EYE, TEETH, MOUTH, OTHER)}
    extra = None
    if add:
        extra = added(
            donor,
            carried.warped,
            whole.vertices[welded_marks],
            eyes=not counts[EYE],
            mouth=not counts[TEETH] and not counts[MOUTH],
        )
    material = np.full(len(whole.vertices), "skin", dtype="<U8")
    for part in parts:
        material[part.verts] = _MATERIALS[part.kind]
    rig = _rig(name, points, mesh.faces, marks, deltas[:, places], material[places], extra, laid)
    return Rigged(
        rig=rig,
        # Any of the vertices in one place stands for it.
        skin=np.unique(places, return_index=True)[1][skin],
        skin_mesh=SurfaceMesh(laid.back(skin_mesh.vertices), skin_mesh.faces),
        carried=carried,
        laid=laid,
        unit=unit,
        parts=counts,
        added=() if extra is None else tuple(extra.parts[at] for at in np.unique(extra.part_of_face)),
        fused=lips_are_one(skin_mesh, skin_marks),
    )


def _unit(
    name: str, points: Float[np.ndarray, "points 3"], own: Float[np.ndarray, "points 3"]
) -> tuple[str, float]:
    """Return the unit in which the head has the size of a person, and what it is in metres."""
    laid = overlay(points, own)
    angle = float(np.arccos(np.clip((np.trace(laid.turn) - 1) / 2, -1, 1)))
    if angle > _MOST_TURN_RAD:
        raise InputError(
            f"{name} is turned by {np.degrees(angle):.0f} degrees against a head that looks along z.",
            hint="Turn the mesh so that y is up and the face looks along z, or check the landmarks' order: "
            "the subject's right side comes first.",
        )
    unit, factor = min(_UNITS.items(), key=lambda item: abs(np.log(laid.scale / item[1])))
    if not 1 / _LIKELY < laid.scale / factor < _LIKELY:
        raise InputError(
            f"{name} has eyes {np.linalg.norm(points[45 - 17] - points[36 - 17]):.3g} apart, a person's size "
            "in no unit.",
            hint="Scale the mesh to metres, and check the landmarks.",
        )
    return unit, factor


def _check_widths(name: str, marks: Float[np.ndarray, "68 3"]) -> None:
    for part, (one, other) in _CORNERS.items():
        if not np.linalg.norm(marks[one] - marks[other]) > _LEAST_WIDTH_M:
            raise InputError(
                f"The corners of the {part} of {name}, landmarks {one} and {other}, are in one place.",
                hint="Check the landmarks; they are counted from 0.",
            )


def _skin_of(
    name: str, mesh: SurfaceMesh, marks: Int[np.ndarray, "68"]
) -> tuple[Int[np.ndarray, "chosen"], SurfaceMesh, Int[np.ndarray, "68"]]:
    """Return the component of the landmarks: its vertices, its mesh numbered anew, the landmarks there."""
    counts = np.bincount(mesh.components[marks])
    label = int(counts.argmax())
    if counts[label] < len(marks):
        raise InputError(
            f"{name} has {len(marks) - counts[label]} of 68 landmarks beside the surface of the others.",
            hint="All landmarks belong on the skin, not on eyes, lashes or teeth.",
        )
    skin = np.flatnonzero(mesh.components == label)
    new = np.full(len(mesh.vertices), -1)
    new[skin] = np.arange(len(skin))
    faces = mesh.faces[mesh.components[mesh.faces[:, 0]] == label]
    return skin, SurfaceMesh(mesh.vertices[skin], new[faces]), new[marks]


def _rig(
    name: str,
    points: Float[np.ndarray, "verts 3"],
    faces: Int[np.ndarray, "faces 3"],
    marks: Int[np.ndarray, "68"],
    deltas: Float[np.ndarray, "shapes verts 3"],
    material: np.ndarray,
    extra: Added | None,
    laid: Overlay,
) -> ShapeRig:
    """Return the rig in metres, with what was added behind the user's own vertices."""
    parts = ("skin", *sorted(_MATERIAL_COLOURS), "iris", "tongue")
    part_of_face = np.array([parts.index(str(kind)) for kind in material[faces[:, 0]]])
    colours = np.array([_MATERIAL_COLOURS.get(str(kind), MESH_COLOUR) for kind in material])
    if extra is not None:
        known = np.array([parts.index(part) if part in parts else 0 for part in extra.parts])
        faces = np.concatenate([faces, extra.faces + len(points)])
        points = np.concatenate([points, laid.back(extra.vertices)])
        deltas = np.concatenate([deltas, extra.deltas], axis=1)
        part_of_face = np.concatenate([part_of_face, known[extra.part_of_face]])
        colours = np.concatenate([colours, extra.colours])
    return ShapeRig(
        name=name,
        channels=ARKIT,
        template=points.astype(np.float32),
        deltas=laid.vectors_back(deltas).astype(np.float32),
        faces=faces,
        marks=marks,
        part_of_face=part_of_face,
        parts=parts,
        colours=colours,
    )
