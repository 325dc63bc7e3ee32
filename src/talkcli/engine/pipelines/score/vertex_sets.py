"""Sets of vertices by name: what metrics measure of a topology, and lists of the user's own.

A list replaces the region of its name, or adds one that the topology lacks, so that BIWI's or a paper's own
lip vertices can be measured. Axis names: `chosen` (vertices of a set).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.face.topology import Topology, region
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.readers.text import read_text

# Vertices of a set by its name, as a user gave them.
VertexLists = Mapping[str, tuple[int, ...]]

# End of the name of a set whose vertices count as often as the lists name them.
_REPEATS = " with repeats"
# Step between the vertices that represent the face: neighbouring vertices move alike.
_FACE_STEP = 8
# Sets of points that are no vertices of a region, and their sizes.
_POINTS = {
    "inner lips": 6, "mouth corners": 2, "outer lips": 2, "middle of the lips": 2, "landmarks": 68, "none": 0,
}  # fmt: skip


def read_vertex_lists(given: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Return the vertices of each set that `given` names, as `NAME=FILE`.

    A file holds the indices as text, from 0, with spaces, commas or lines between them, in brackets or not:
    CodeTalker's and FaceDiffuser's region files have this form. Repeats stay.

    Raises:
        UsageError: For another form, and for a name that is given twice.
        InputError: For a file that cannot be read or holds something else.
    """
    lists: dict[str, tuple[int, ...]] = {}
    for text in given:
        name, equals, file = text.partition("=")
        if not (name and equals and file):
            raise UsageError(f"{text} is not of the form NAME=FILE.", hint="For example lips=lve.txt.")
        if name in lists:
            raise UsageError(f"The vertices of {name} are given twice.")
        words = re.findall(r"[^\s,;\[\]]+", read_text(Path(file)))
        if not words or not all(re.fullmatch(r"\d{1,9}", word) for word in words):
            raise InputError(
                f"{file} is no list of vertices.", hint="It holds whole numbers from 0, such as 17, 18, 42."
            )
        lists[name] = tuple(map(int, words))
    return lists


def indices(topology: Topology, vertices: str, lists: VertexLists | None = None) -> Int[np.ndarray, "chosen"]:
    """Return the vertices of a set named in `METRICS`; see `Take.part` for its names.

    `face` is every eighth vertex of skin and lips outside the eye region.

    Args:
        topology: Topology of the vertices.
        vertices: Name of the set.
        lists: Vertices that replace or add regions.

    Raises:
        AssetError: When the topology does not know a region.
        InputError: When a list names a vertex that the topology lacks.
    """
    if vertices == "all":
        return np.arange(len(topology.template))
    if vertices == "face":
        kinds = [number for number, part in enumerate(topology.parts) if part in ("skin", "lips")]
        skin = np.unique(topology.faces[np.isin(topology.part_of_face, kinds)])
        return np.setdiff1d(skin, indices(topology, "eyes", lists))[::_FACE_STEP]
    names = vertices.removesuffix(_REPEATS).split("+")
    listed = np.concatenate([_region(topology, name, lists or {}) for name in names])
    return listed if vertices.endswith(_REPEATS) else np.unique(listed)


def _region(topology: Topology, name: str, lists: VertexLists) -> Int[np.ndarray, "chosen"]:
    if name not in lists:
        return region(topology, name)
    listed = np.array(lists[name], dtype=np.int64)
    if listed.max() >= len(topology.template):
        raise InputError(
            f"The vertices given for {name} go up to {listed.max()}, but {topology.name} has "
            f"{len(topology.template)}."
        )
    return listed


def set_sizes(
    topology: Topology, metrics: Iterable[str], lists: VertexLists | None = None
) -> dict[str, int | None]:
    """Return the number of vertices of each set that `metrics` measure, and of coefficients; None when the
    topology lacks a region. `lists` is as in `indices`.
    """
    wanted = {METRICS[metric].vertices for metric in metrics}
    sizes: dict[str, int | None] = {}
    # The order is fixed, so that reports have equal bytes.
    for name in sorted(wanted):
        if name == "coefficients":
            sizes[name] = len(topology.channels) if isinstance(topology, Head) else None
        elif name in _POINTS:
            sizes[name] = _POINTS[name]
        else:
            try:
                sizes[name] = len(indices(topology, name, lists))
            except AssetError:
                sizes[name] = None
    return sizes
