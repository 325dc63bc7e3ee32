"""Shapes for a head mesh that has none (`engine/rigging`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.exports.formats import check_distinct
from talkcli.engine.exports.rig.shapes import shapes_document
from talkcli.engine.face.avatar.as_rig import read_mesh
from talkcli.engine.face.heads import AVATARS
from talkcli.engine.face.landmark_file import read_landmarks
from talkcli.engine.face.rig_file import write_rig
from talkcli.engine.face.template import outward
from talkcli.engine.files import atomic_path, check_file, sha256
from talkcli.engine.gltf.document import read_document, write_glb
from talkcli.engine.readers.obj import read_obj
from talkcli.engine.readers.ply import read_ply
from talkcli.engine.rigging.build import build_rig
from talkcli.engine.rigging.find_landmarks import find_landmarks
from talkcli.engine.rigging.inspect import inspect
from talkcli.engine.types import Mesh, Reporter
from talkcli.engine.version import __version__
from talkcli.engine.wording import parameter

GLB, RIG, SHEET = ".glb", ".npz", ".png"
_READERS = {".obj": read_obj, ".ply": read_ply, **dict.fromkeys(AVATARS, read_mesh)}
# The solver takes memory with the number of vertices.
_MOST_VERTS = 250_000


def rig_file(
    path: Path,
    outs: Sequence[Path],
    *,
    landmarks: Path | None = None,
    sheet: Path | None = None,
    add: bool = True,
    reporter: Reporter,
) -> dict[str, Any]:
    """Write ada's 52 shapes on the head mesh in `path`.

    Args:
        path: Mesh at rest: .obj, .ply, .glb, .gltf or .vrm; the face looks along z, y is up.
        outs: Files: .glb, or .npz for a rig that talk retarget takes.
        landmarks: File with the 68 landmarks; None finds them on a picture.
        sheet: Picture of the shapes to draw (.png).
        add: Whether ada's eyes, teeth and tongue come into a mesh that has none.
        reporter: Receiver of notes, warnings and progress.

    Returns:
        The outputs and the measures, ready for JSON.

    Raises:
        TalkError: For unusable input, before anything is written.
    """
    _check(path, outs, landmarks, sheet)
    mesh = _read(path)
    if path.suffix.lower() in AVATARS and read_document(path).json.get("textures"):
        reporter.note(f"The textures of {path} are left out, as are its materials.")
    marks = find_landmarks(mesh, str(path)) if landmarks is None else read_landmarks(landmarks, mesh.vertices)
    rigged = build_rig(mesh, marks, str(path), add=add, reporter=reporter)
    if rigged.fused:
        reporter.warn(
            f"The lips of {path} are one surface, so that no shape can open the mouth: cut them apart."
        )
    found = inspect(rigged)
    report = {
        "command": "rig",
        "talk": __version__,
        "mesh_sha256": sha256(path),
        "landmarks": "found on a picture" if landmarks is None else "given",
        "unit": rigged.unit,
        "verts": len(rigged.rig.template),
        "faces": len(rigged.rig.faces),
        "parts": rigged.parts,
        "added": list(rigged.added),
        "registration_mm": rigged.carried.error_mm,
        "fused_lips": rigged.fused,
        **found.document(),
    }
    for out in outs:
        if out.suffix.lower() == RIG:
            write_rig(out, rigged.rig)
        else:
            licence = "Shape at rest: that of the mesh it was made of. Movements: MIT."
            write_glb(out, shapes_document(rigged.rig, licence=licence, extras=report))
    if sheet is not None:
        from talkcli.engine.rigging.sheet import rig_sheet

        picture = rig_sheet(rigged.rig, reporter)
        with atomic_path(sheet) as temporary:
            Image.fromarray(picture).save(temporary, format="PNG")
    outputs = [*outs, *([sheet] if sheet else [])]
    return {"outputs": [str(out) for out in outputs], **report, "lines": found.lines()}


def _check(path: Path, outs: Sequence[Path], landmarks: Path | None, sheet: Path | None) -> None:
    """Raise UsageError for names that say nothing of a format, and for outputs that cannot be written."""
    if path.suffix.lower() not in _READERS:
        raise UsageError(f"{path} is no mesh that can be read.", hint=f"Give one of {', '.join(_READERS)}.")
    for out in outs:
        if out.suffix.lower() not in (GLB, RIG):
            raise UsageError(f"{parameter('out', out)} ends neither in {GLB} nor in {RIG}.")
        check_file(out)
    if sheet is not None:
        if sheet.suffix.lower() != SHEET:
            raise UsageError(f"{parameter('contact_sheet', sheet)} does not end in {SHEET}.")
        check_file(sheet)
    check_distinct([*outs, *([sheet] if sheet else [])], [path, landmarks])


def _read(path: Path) -> Mesh:
    mesh = _READERS[path.suffix.lower()](path)
    if len(mesh.vertices) > _MOST_VERTS:
        raise InputError(
            f"{path} has {len(mesh.vertices)} vertices, more than {_MOST_VERTS}.",
            hint="Decimate the mesh first.",
        )
    if len(mesh.faces) == 0:
        raise InputError(f"{path} holds points without triangles.")
    return Mesh(vertices=mesh.vertices, faces=outward(mesh.vertices, mesh.faces))
