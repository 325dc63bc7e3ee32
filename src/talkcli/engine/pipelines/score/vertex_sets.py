"""Vertex sets that a user names, for meshes whose regions talk does not know.

Axis name: `chosen` (vertices of a set).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Int

from talkcli.engine.errors import InputError
from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import FaceMesh
from talkcli.engine.readers.json_text import parse_json
from talkcli.engine.readers.text import read_text

VertexSets = Mapping[str, Int[np.ndarray, "chosen"]]

# Names that metrics ask for, as `Topology` lists them.
NAMES = ("lips", "lower_lip", "upper_face", "eyes", "forehead", "nose")
# Size of the largest file in bytes: lists of a million vertices fit into it.
_LARGEST_BYTES = 1 << 24


def read_vertex_sets(path: Path) -> VertexSets:
    """Read vertex sets from JSON: lists of vertex numbers, from 0, by name of the region.

    Raises InputError for anything else, for names that no metric asks for, and for an empty set.
    """
    hint = f'For example {{"lips": [0, 5, 7], "upper_face": [1, 2]}}; names: {", ".join(NAMES)}.'
    try:
        document = parse_json(read_text(path, largest=_LARGEST_BYTES), longest=_LARGEST_BYTES)
    except ValueError as error:
        raise InputError(f"{path} holds no vertex sets ({error}).", hint=hint) from error
    if not isinstance(document, dict) or not document:
        raise InputError(f"{path} holds no vertex sets.", hint=hint)
    sets = {}
    for name, numbers in document.items():
        if name not in NAMES:
            raise InputError(f"{path}: no metric asks for a vertex set {name[:80]}.", hint=hint)
        whole = isinstance(numbers, list) and all(
            isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 1 << 31
            for number in numbers
        )
        if not whole or not numbers:
            raise InputError(f"{path}: the set {name} is no list of vertex numbers.", hint=hint)
        sets[name] = np.unique(np.array(numbers, np.int64))
    return sets


def with_sets(surface: Surface, sets: VertexSets) -> Surface:
    """Return the surface with `sets` as regions of its mesh.

    Raises InputError for a head, which has regions of its own, and for numbers beyond the mesh.
    """
    mesh = surface.topology
    if not isinstance(mesh, FaceMesh):
        raise InputError(
            f"`vertex_sets` is for motion of vertices; the head {mesh.name} has vertex sets of its own."
        )
    for name, chosen in sets.items():
        if chosen[-1] >= len(mesh.template):
            raise InputError(
                f"The vertex set {name} names vertex {chosen[-1]}, but {mesh.name} has {len(mesh.template)}."
            )
    return Surface(surface.motion, replace(mesh, named=sets))
