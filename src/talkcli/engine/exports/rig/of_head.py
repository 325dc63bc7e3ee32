"""The rig of any head, and what moves it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from talkcli.engine.errors import UsageError
from talkcli.engine.exports.rig.rig import Moves, Rig
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import Topology
from talkcli.engine.types import Motion, MotionSpace


def fits(out: Path, space: MotionSpace, fps: float, topology: Topology | None) -> None:  # noqa: ARG001
    """Raise UsageError for motion of vertices."""
    if space.num_verts:
        raise _has_no_channels(out.suffix)


def _has_no_channels(suffix: str) -> UsageError:
    return UsageError(
        f"This is motion of vertices, without channels, of which {suffix} files would need one target a "
        "frame.",
        hint="Write a point cache (.pc2) or meshes (.ply), or animate with a model for ada.",
    )


def moved_rig(surface: Surface, suffix: str) -> tuple[Rig, Moves]:
    """Return the rig of the surface's head, and the moves that show its motion in files that end in `suffix`.

    Raises UsageError for motion of vertices.
    """
    from talkcli.engine.face.ada.head import AdaHead
    from talkcli.engine.face.flame import FlameHead

    motion, head = surface.motion, surface.topology
    if not isinstance(motion, Motion):
        raise _has_no_channels(suffix)
    if isinstance(head, AdaHead):
        rig, moves = _of_ada(head).moved(motion)
        return rig, moves
    if isinstance(head, FlameHead):
        from talkcli.engine.exports.rig.flame_rig import moved_flame

        return moved_flame(head, motion)
    raise UsageError(f"The head {head.name} cannot be written as a rig in {suffix} files.")


def still_rig(head: Topology, suffix: str) -> Rig:
    """Return the rig of a head without motion. Raises UsageError for one that talk did not generate."""
    from talkcli.engine.face.ada.head import AdaHead

    if not isinstance(head, AdaHead):
        raise UsageError(
            f"Without motion, {suffix} files are written of heads that talk generates, and {head.name} is "
            "none.",
            hint="Give a motion file for it, or `head=ada`.",
        )
    rig: Rig = _of_ada(head).rig()
    return rig


# The last rig, with its head: many motions of one head follow each other, which each loads it anew.
_last: list[tuple[Any, Any]] = []


def _of_ada(head: Any) -> Any:
    from talkcli.engine.exports.rig.ada_rig import AdaRig

    if not _last or not _is_same(_last[0][0], head):
        _last[:] = [(head, AdaRig(head))]
    return _last[0][1]


def _is_same(first: Any, other: Any) -> bool:
    """Return whether two heads that talk generated have the same name, shapes, triangles and colours."""
    if first is other:
        return True
    if first.name != other.name or first.parts != other.parts or first.regions.keys() != other.regions.keys():
        return False
    fields = ("template", "faces", "part_of_face", "colours", "landmark_vertices")
    pairs = [(getattr(first, name), getattr(other, name)) for name in fields]
    pairs += [(first.tables[name], other.tables[name]) for name in first.tables]
    pairs += [(first.regions[name], other.regions[name]) for name in first.regions]
    return all(np.array_equal(*pair) for pair in pairs)
