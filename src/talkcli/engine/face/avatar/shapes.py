"""The shapes of an avatar by name: morph targets of all its meshes, and expressions of VRM."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from talkcli.engine.face.avatar.geometry import Part, primitives, targets
from talkcli.engine.face.avatar.names import LONGEST, Meaning, expression_meaning, meaning_of
from talkcli.engine.face.avatar.nodes import Nodes
from talkcli.engine.face.avatar.vrm import Expression, Vrm
from talkcli.engine.gltf.document import Document

_MOST_SHAPES, _MOST_MOVES = 4000, 200_000
# A morph target: the node that shows its mesh, and its number in the mesh.
Target = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One thing that can be set from 0 to 1."""

    name: str
    """As the file has it."""
    meaning: Meaning | None
    moves: tuple[tuple[Target, float], ...]
    """Targets that it moves, and how far at 1; those that move no vertex are left out."""
    expression: Expression | None = None
    """The expression of VRM that it is."""


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """All shapes of an avatar."""

    known: Mapping[Meaning, Shape]
    """By what they do; of several the expression, else the first."""
    unknown: tuple[str, ...]
    """Names of targets whose meaning nobody knows."""
    still: tuple[str, ...]
    """Names of shapes that move no vertex."""
    others: tuple[str, ...]
    """Expressions that change only textures or colours, with what they change."""
    weights: Mapping[int, tuple[float, ...]]
    """Weights at rest of all targets, by node."""


def read_shapes(nodes: Nodes, parts: Sequence[Part], vrm: Vrm | None) -> Shapes:
    """Return the shapes. Raises InputError for damaged lists of names."""
    document = nodes.document
    moving = {(part.node, number) for part in parts for number in part.shapes}
    by_name: dict[str, list[Target]] = {}
    weights: dict[int, tuple[float, ...]] = {}
    for node in nodes.shown:
        entry = document.json["nodes"][node]
        if "mesh" not in entry:
            continue
        count = count_targets(document, entry["mesh"])
        if not count:
            continue
        if len(by_name) > _MOST_SHAPES:
            raise document.wrong(f"has more than {_MOST_SHAPES} shapes")
        for number, name in enumerate(target_names(document, entry["mesh"], count)):
            by_name.setdefault(name, []).append((node, number))
        weights[node] = _weights(document, entry, count)
    shapes = [
        Shape(
            name=name,
            meaning=meaning_of(name),
            moves=tuple((target, 1.0) for target in found if target in moving),
        )
        for name, found in by_name.items()
    ]
    worn = [] if vrm is None else _expression_shapes(nodes, vrm, moving)
    known: dict[Meaning, Shape] = {}
    for shape in (*worn, *shapes):
        if shape.meaning is not None and shape.moves:
            known.setdefault(shape.meaning, shape)
    return Shapes(
        known=known,
        unknown=tuple(shape.name for shape in shapes if shape.meaning is None),
        still=tuple(shape.name for shape in shapes if shape.meaning is not None and not shape.moves),
        others=tuple(
            f"{shape.name} ({' and '.join(shape.expression.others)})"
            for shape in worn
            if shape.expression is not None and shape.expression.others and not shape.moves
        ),
        weights=weights,
    )


def count_targets(document: Document, mesh: int) -> int:
    """Return how many targets a mesh has. Raises InputError for more than any avatar."""
    count = max((len(targets(document, item)) for item in primitives(document, mesh)), default=0)
    if count > _MOST_SHAPES:
        raise document.wrong(f"has more than {_MOST_SHAPES} shapes")
    return count


def target_names(document: Document, mesh: int, count: int) -> list[str]:
    """Return the names of the `count` targets of a mesh; of those without one, their numbers.

    Programs write them in `extras.targetNames` of the mesh or of its primitives.
    """
    stated = document.element("meshes", mesh)
    for item in (stated, *primitives(document, mesh)):
        extras = item.get("extras")
        names = extras.get("targetNames") if isinstance(extras, dict) else None
        if isinstance(names, list) and names:
            found = [str(name)[:LONGEST] for name in names[:count]]
            return found + [f"target {number}" for number in range(len(found), count)]
    return [f"target {number}" for number in range(count)]


def _weights(document: Document, node: dict[str, object], count: int) -> tuple[float, ...]:
    """Return the weights at rest of a node's targets: its own, else those of its mesh, else 0."""
    for stated in (node, document.element("meshes", node["mesh"])):
        found = stated.get("weights")
        if isinstance(found, list) and len(found) == count:
            return tuple(
                float(item) if isinstance(item, int | float) and abs(item) < _MOST_SHAPES else 0.0
                for item in found
            )
    return (0.0,) * count


def _wearers(nodes: Nodes, vrm: Vrm, moving: set[Target]) -> dict[int, list[int]]:
    """Return the nodes that a bind means: VRM 0 names meshes, VRM 1 nodes."""
    found: dict[int, list[int]] = {}
    for node in sorted({node for node, _ in moving}):
        place = nodes.document.json["nodes"][node]["mesh"] if vrm.version == 0 else node
        found.setdefault(place, []).append(node)
    return found


def _expression_shapes(nodes: Nodes, vrm: Vrm, moving: set[Target]) -> list[Shape]:
    wearers = _wearers(nodes, vrm, moving)
    shapes, left = [], _MOST_MOVES
    for stated in vrm.expressions:
        moves: dict[Target, float] = {}
        for place, number, weight in stated.binds:
            for node in wearers.get(place, ()):
                left -= 1
                if (node, number) in moving:
                    moves[node, number] = moves.get((node, number), 0.0) + weight
            if left < 0:
                raise nodes.document.wrong(f"has expressions that move more than {_MOST_MOVES} shapes")
        shapes.append(
            Shape(
                name=stated.name,
                meaning=expression_meaning(stated.name, preset=stated.preset),
                moves=tuple(moves.items()),
                expression=stated,
            )
        )
    return shapes
