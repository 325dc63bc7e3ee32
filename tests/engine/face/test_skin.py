"""The skin of the generated heads: one closed surface, but for the collar, the eyes and the throat."""

from __future__ import annotations

from collections import Counter

import numpy as np

from talkcli.engine.face.ada import field, skin


def test_skin_is_closed_and_consistently_wound() -> None:
    shape = skin.build()
    faces = shape.faces
    edges = Counter(
        map(tuple, np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).tolist())
    )
    assert set(edges.values()) == {1}  # no two faces run the same way along an edge
    ends = {vertex for edge in edges if edge[::-1] not in edges for vertex in edge}
    behind_lids = set(shape.lids[0].tolist())
    behind_lids |= set(shape.mirror[shape.lids[0]].tolist())
    assert behind_lids <= ends
    others = shape.vertices[sorted(ends - behind_lids)]
    assert np.abs(others[:, 1] - field.COLLAR_Y).max() < 1e-6


def test_back_of_the_head_faces_outwards() -> None:
    shape = skin.build()
    a, b, c = shape.vertices[shape.faces].swapaxes(0, 1)
    middle = (a + b + c) / 3
    back = (middle[:, 2] < -60.0) & (middle[:, 1] > -40.0)
    normal = np.cross(b - a, c - a)[back]
    assert (np.einsum("fi,fi->f", normal, field.gradient(middle[back])) > 0).all()
