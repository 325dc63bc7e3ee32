"""A face at rest that the user gives, for vertices on a numbering of which talk has no head.

A template is read from a dictionary of subjects (templates.pkl of VOCASET and BIWI), an array of vertices
(.npy), a mesh (.ply, .obj), which also has the triangles, or a motion file of vertices (.npz), which may have
them. Axis names: `verts`, `faces`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.channels import ADA, learned
from talkcli.engine.face.heads import GENERATED, load_head
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.surface import check_fits, topology_of
from talkcli.engine.face.topology import Topology, unknown_triangles
from talkcli.engine.readers.npy import read_floats
from talkcli.engine.readers.obj import read_obj
from talkcli.engine.readers.ply import read_ply
from talkcli.engine.readers.safe_pickle import StoredArray, read_pickle
from talkcli.engine.types import AnyMotion, Reporter, VertexMotion
from talkcli.engine.wording import parameter, some

# Vertices of the topologies that published models of vertices use.
NUM_VERTS: Mapping[str, int] = {"flame": 5023, "biwi": 23_370}
# Extents of the smallest and the largest template in metres, where a topology is in metres: a head is 0.2 to
# 0.3 m tall; another unit is off by ten at least.
EXTENTS_M: Mapping[str, tuple[float, float]] = {"flame": (0.1, 0.6)}
_MESHES = {".ply": read_ply, ".obj": read_obj}
_PICKLES = (".pkl", ".pickle")
# Spread of the vertices along the least axis, as a share of that along the largest, of a face in one plane.
_FLAT = 1e-4
_HINT = (
    "Give a dictionary of subjects (templates.pkl), an array of vertices (.npy), a mesh (.ply, .obj), or a "
    "motion file of vertices (.npz)."
)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A face at rest, in metres or in the unit of its topology, and its triangles where a file has them."""

    name: str
    """File, and subject, that the vertices come from, for messages and files."""
    vertices: Float[np.ndarray, "verts 3"]
    faces: Int[np.ndarray, "faces 3"] | None = None
    topology: str | None = None
    """What the vertices are numbered after, as the user says; None for the topology of the motion."""

    def check_fits(self, topology: str, num_verts: int) -> None:
        """Raise UsageError unless the template fits motion of `num_verts` vertices of `topology`."""
        other = self.topology not in (None, topology) and topology in NUM_VERTS
        if other or len(self.vertices) != num_verts:
            raise UsageError(
                f"The motion has {num_verts} vertices of {topology}, but "
                f"{parameter('template', self.name)} has {len(self.vertices)}"
                + (f" of {self.topology}." if self.topology else "."),
                hint=f"Give a `template` of {topology}.",
            )


def read_template(names: Sequence[str], topology: str | None, reporter: Reporter) -> Template | None:
    """Return the template in the files `names`; None for no files.

    Args:
        names: One file, or two of which one is a mesh: then the triangles come from the mesh, and the
            vertices from the other. FILE:SUBJECT names a subject of a dictionary; without a name its first.
        topology: A key of `NUM_VERTS`, whose number of vertices the template must have; None for any number.
        reporter: Is told which subject is taken.

    Raises:
        UsageError: For other names, and for a `topology` without files.
        InputError: For a file that cannot be read, or does not fit the topology or the other file.
    """
    if topology is not None and topology not in NUM_VERTS:
        raise UsageError(
            f"{parameter('topology', topology)} is none of {', '.join(NUM_VERTS)}.",
            hint="Leave `topology` out for the topology of the motion.",
        )
    if not names:
        if topology is not None:
            raise UsageError("`topology` says what a `template` is numbered after, and none is given.")
        return None
    parts = [_read_part(name, reporter) for name in names]
    meshes = [part for part in parts if part.faces is not None]
    if len(parts) > 2 or (len(parts) == 2 and len(meshes) != 1):
        raise UsageError(
            "`template` takes one file, or a mesh and the vertices of a subject.",
            hint="For example `template=templates.pkl:F2` and `template=BIWI.ply`.",
        )
    at_rest = next((part for part in parts if part.faces is None), parts[0])
    faces = meshes[0].faces if meshes else None
    for part in parts:
        check_at_rest(part.vertices, part.name, topology)
        if len(part.vertices) != len(at_rest.vertices):
            raise InputError(
                f"{part.name} has {len(part.vertices)} vertices, but {at_rest.name} has "
                f"{len(at_rest.vertices)}."
            )
    if faces is not None:
        faces = outward(at_rest.vertices, faces)
    return replace(at_rest, faces=faces, topology=topology)


def template_files(names: Sequence[str]) -> list[Path]:
    """Return the files that `read_template` reads for these names."""
    return [_parted(name)[0] for name in names]


def mesh_to_draw(motion: VertexMotion, head_name: str | None, template: Template | None) -> Topology:
    """Return the mesh of `motion` with triangles: of the head, of the motion's file, or of `template`.

    Vertices numbered as the generated heads are drawn as the person whose head is named.

    Args:
        motion: Motion to draw.
        head_name: Name of a head or a head's file; None for the head of the motion's topology, where its file
            is here.
        template: Template that the user gave, if any.

    Raises:
        UsageError: For a template or a head that does not fit.
        AssetError: When no file here has the triangles; the hint says which one has them.
    """
    if template is not None:
        template.check_fits(motion.topology, len(motion.neutral))
        faces = motion.faces if template.faces is None else template.faces
        motion = replace(motion, faces=faces, topology=template.topology or motion.topology)
    if head_name is not None and motion.topology in GENERATED:
        person = load_head(head_name)
        if learned(person.channels) == ADA:
            check_fits(motion, person)
            return person
    try:
        mesh = topology_of(motion, head_name)
    except AssetError:
        if head_name is not None:
            raise
        raise unknown_triangles(motion.topology) from None
    if not len(mesh.faces):
        raise unknown_triangles(mesh.name)
    return mesh


def mesh_of(motion: AnyMotion, head_name: str | None, template: Template | None) -> Topology:
    """Return the topology to draw: `mesh_to_draw` of vertices, `topology_of` of coefficients.

    Raises what these raise, and UsageError for a template of coefficients.
    """
    if isinstance(motion, VertexMotion):
        return mesh_to_draw(motion, head_name, template)
    if template is not None:
        raise UsageError(
            f"`template` is for motion of vertices, but this motion moves the channels of {motion.head}.",
            hint="Leave it out.",
        )
    return topology_of(motion, head_name)


def read_templates(path: Path) -> dict[str, StoredArray]:
    """Return subjects at rest by name. Raises InputError for a file that is no such dictionary."""
    templates = read_pickle(path, in_place=True)
    if not isinstance(templates, dict) or not templates:
        raise InputError(f"{path} holds a {type(templates).__name__}, a dictionary of subjects is needed.")
    odd = [str(name) for name, value in templates.items() if not isinstance(value, StoredArray)]
    if odd:
        raise InputError(f"{path} holds something other than the vertices of {ascii(odd[0])[1:-1]}.")
    return {str(name): value for name, value in templates.items()}


def stored_vertices(stored: StoredArray, topology: str | None) -> Float[np.ndarray, "verts 3"]:
    """Return the subject at rest in `stored`. Raises InputError when it is none of `topology`."""
    size = int(np.prod(stored.shape))
    wanted = size // 3 if topology is None else NUM_VERTS[topology]
    if size != 3 * wanted or size == 0:
        raise InputError(
            f"{stored.path} holds a template of {stored.shape}, ({wanted or 'verts'}, 3) is needed."
        )
    with np.errstate(over="ignore", invalid="ignore"):
        vertices = stored.read().reshape(-1, 3).astype(np.float32)
    check_at_rest(vertices, str(stored.path), topology)
    return vertices


def check_at_rest(vertices: Float[np.ndarray, "verts 3"], where: str, topology: str | None) -> None:
    """Raise InputError unless `vertices` can be a face at rest of `topology` (None: any)."""
    if topology is not None and len(vertices) != NUM_VERTS[topology]:
        raise InputError(
            f"{where} has {len(vertices)} vertices, the topology {topology} has {NUM_VERTS[topology]}."
        )
    if not np.isfinite(vertices).all():
        raise InputError(f"{where} holds a template with values that are not finite numbers.")
    axes = np.linalg.svd(vertices - vertices.mean(axis=0, dtype=np.float64), compute_uv=False)
    if len(axes) < 3 or axes[2] <= _FLAT * axes[0]:
        raise InputError(f"{where} holds no face: all its vertices lie in one plane or one point.")
    extent, bounds = float(np.ptp(vertices, axis=0).max()), EXTENTS_M.get(topology or "")
    if bounds is not None and not bounds[0] < extent < bounds[1]:
        raise InputError(
            f"{where} holds a template of {extent:.3g} m, {bounds[0]} to {bounds[1]} m are expected."
        )


def outward(
    vertices: Float[np.ndarray, "verts 3"], faces: Int[np.ndarray, "faces 3"]
) -> Int[np.ndarray, "faces 3"]:
    """Return `faces`, all turned over if most of the surface faces inwards, as where files wind clockwise."""
    corners = vertices[faces].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    away = corners.mean(axis=1) - vertices.astype(np.float64).mean(axis=0)
    return faces[:, ::-1] if float((normals * away).sum()) < 0 else faces


def _read_part(name: str, reporter: Reporter) -> Template:
    path, subject = _parted(name)
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        return _subject(path, subject, reporter)
    if subject is not None:
        raise UsageError(
            f"{parameter('template', name)} names a subject, and {path.name} holds one face only.",
            hint=f"Give `template={path}`.",
        )
    if suffix in _MESHES:
        mesh = _MESHES[suffix](path)
        return Template(name=str(path), vertices=mesh.vertices, faces=mesh.faces if len(mesh.faces) else None)
    if suffix == ".npz":
        motion, _ = read_any_motion(path)
        if not isinstance(motion, VertexMotion):
            raise InputError(f"{path} holds coefficients, a motion of vertices is needed.")
        return Template(name=str(path), vertices=motion.neutral, faces=motion.faces)
    if suffix == ".npy":
        rows = read_floats(path)
        if rows.size == 0 or rows.size % 3 or rows.shape[-1] not in (3, rows.size):
            raise InputError(f"{path} holds {rows.shape}, (verts, 3) is needed.")
        return Template(name=str(path), vertices=rows.reshape(-1, 3).astype(np.float32))
    raise UsageError(f"{parameter('template', name)} is no file of a template.", hint=_HINT)


def _parted(name: str) -> tuple[Path, str | None]:
    """Return file and subject of FILE:SUBJECT; a file whose name has a colon is itself."""
    file, colon, subject = name.rpartition(":")
    if not colon or not subject or Path(name).is_file() or Path(file).suffix.lower() == "":
        return Path(name), None
    return Path(file), subject


def _subject(path: Path, wanted: str | None, reporter: Reporter) -> Template:
    templates = read_templates(path)
    # Names of a pickle may hold anything, and go to a terminal.
    shown = {name: ascii(name)[1:-1] for name in templates}
    if wanted is not None and wanted not in templates:
        raise UsageError(f"{path} has no subject {wanted}.", hint=f"It has {some(list(shown.values()))}.")
    name = wanted or next(iter(templates))
    if wanted is None and len(templates) > 1:
        reporter.note(
            f"{path} holds {len(templates)} subjects; {shown[name]} is taken. Another: "
            f"`template={path}:{shown[list(templates)[-1]]}`."
        )
    return Template(name=f"{path}:{shown[name]}", vertices=stored_vertices(templates[name], None))
