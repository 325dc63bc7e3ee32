"""Reading of an avatar: a glTF or VRM file as a head that motion of ada moves, and what it has of a face."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from talkcli.engine.errors import InputError
from talkcli.engine.face.avatar.geometry import read_parts
from talkcli.engine.face.avatar.head import AvatarHead
from talkcli.engine.face.avatar.mapping import map_curves
from talkcli.engine.face.avatar.materials import Paints
from talkcli.engine.face.avatar.nodes import read_nodes
from talkcli.engine.face.avatar.rig import HEAD, read_rig
from talkcli.engine.face.avatar.shapes import read_shapes
from talkcli.engine.face.avatar.vrm import read_vrm
from talkcli.engine.gltf.document import read_document
from talkcli.engine.types import Reporter
from talkcli.engine.wording import counted, some

# Names of shapes that an error lists.
_SHOWN = 8


def read_avatar(path: Path) -> AvatarHead:
    """Return the avatar in a .glb, .gltf or .vrm file.

    Raises InputError for a damaged file, and for one without anything that a face could move, with what was
    found instead; ExtraError for meshes that Draco compressed where DracoPy is not installed.
    """
    head = _read(path)
    if not head.plan.named and not head.plan.derived:
        raise InputError(
            f"{path} has nothing that moves a face. Found: {_found(head)}.",
            hint="An avatar needs morph targets with ARKit's names or visemes, VRM expressions, or bones of "
            "jaw and eyes. talk head FILE lists what a file has.",
        )
    return head


def inspect_avatar(path: Path) -> dict[str, Any]:
    """Return what an avatar has for each curve of ARKit and what it lacks, ready for JSON.

    A file that `read_avatar` refuses is described too. Raises InputError for a damaged file.
    """
    head = _read(path)
    plan, shapes, rig = head.plan, head.shapes, head.rig
    # Pictures are decoded to tell which cannot be.
    for number in range(len(head.document.json.get("materials", []))):
        head.paints[number]
    vrm = read_vrm(head.document)
    return {
        "avatar": str(path),
        "format": "glTF" if vrm is None else f"VRM {vrm.version}",
        "usable": bool(plan.named or plan.derived),
        "verts": head.mesh.num_verts,
        "faces": len(head.mesh.faces),
        "mapped": dict(plan.named),
        "derived": dict(plan.derived),
        "missing": list(plan.missing),
        "visemes": None if plan.visemes is None else plan.visemes.name,
        "bones": {name: rig.nodes.name(node) for name, node in rig.bones.items()},
        "expressions": [] if vrm is None else [expression.name for expression in vrm.expressions],
        "still": list(shapes.still),
        "unknown": list(shapes.unknown),
        "without_shapes": list(shapes.others),
        "notes": list(head.paints.notes),
    }


def tell(head: object, reporter: Reporter) -> None:
    """Note what of an avatar moves, and warn where its mouth does not; of another head nothing."""
    if not isinstance(head, AvatarHead):
        return
    reporter.note(f"{_summary(head)} talk head {head.name} lists them.")
    if "jawOpen" in head.plan.missing:
        reporter.warn(f"Nothing opens the mouth of {head.name}: it has neither a shape nor a bone for it.")


def _summary(head: AvatarHead) -> str:
    """Return in a sentence what of an avatar moves."""
    plan = head.plan
    said = [f"{counted(len(plan.named), 'shape')} of ARKit's 52"]
    if plan.derived:
        said.append(f"{len(plan.derived)} derived")
    if plan.missing:
        said.append(f"{len(plan.missing)} missing ({some(plan.missing)})")
    if HEAD not in head.rig.bones:
        said.append("no bone of the head, which keeps still")
    return f"The avatar {head.name} has {', '.join(said)}."


def _read(path: Path) -> AvatarHead:
    document = read_document(path)
    vrm = read_vrm(document)
    # Models of VRM 0 look along -z.
    nodes = read_nodes(document, turned=vrm is not None and vrm.version == 0)
    parts = read_parts(nodes, Paints(document).coordinates)
    shapes, rig = read_shapes(nodes, parts, vrm), read_rig(nodes, vrm)
    plan = map_curves(shapes, rig, bones_look=vrm is None or vrm.bones_look)
    return AvatarHead(str(path), document, parts, rig, shapes, plan)


def _found(head: AvatarHead) -> str:
    """Return in words what a file has."""
    shapes = head.shapes
    said = [
        counted(len(head.document.json.get("meshes", [])), "mesh", "meshes"),
        counted(head.mesh.num_verts, "vertex", "vertices"),
    ]
    if shapes.unknown:
        said.append(
            f"{counted(len(shapes.unknown), 'shape')} of unknown meaning ({some(shapes.unknown, _SHOWN)})"
        )
    else:
        said.append("no shapes")
    if shapes.still:
        said.append(f"{counted(len(shapes.still), 'shape')} that move nothing ({some(shapes.still, _SHOWN)})")
    if shapes.others:
        said.append(
            f"{counted(len(shapes.others), 'expression')} without shapes ({some(shapes.others, _SHOWN)})"
        )
    bones = [head.rig.nodes.name(node) for node in head.rig.bones.values()]
    said.append(f"{counted(len(bones), 'bone')} ({some(bones, _SHOWN)})" if bones else "no bones of a head")
    return ", ".join(said)
