"""A rig of named shapes as a glTF document: morph targets without joints.

Axis names: `verts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from talkcli.engine.exports.rig.document import rig_document
from talkcli.engine.exports.rig.rig import AtRest, Joint, Rig
from talkcli.engine.face.avatar.as_rig import LANDMARKS
from talkcli.engine.face.shape_rig import ShapeRig
from talkcli.engine.gltf.document import Document


def shapes_document(shapes: ShapeRig, *, licence: str, extras: Mapping[str, Any]) -> Document:
    """Return `shapes` as a document whose one joint rests."""
    at_rest = AtRest(shapes.template, shapes.faces)
    deltas = shapes.deltas.astype(np.float64)
    rig = Rig(
        topology=shapes,
        normals=at_rest.normals,
        targets=tuple(map(at_rest.target, shapes.channels, deltas)),
        joints=(Joint("head", np.zeros(3)),),
        shares=np.ones((len(shapes.template), 1), np.float32),
        licence=licence,
    )
    made = rig_document(rig, None, extras=extras)
    if shapes.landmark_vertices is not None:
        # The skin is the first primitive that a reader meets.
        rows = made.places[made.face, 0]
        places = np.searchsorted(rows, shapes.landmark_vertices)
        if np.array_equal(rows[places.clip(max=len(rows) - 1)], shapes.landmark_vertices):
            made.document.json["asset"]["extras"][LANDMARKS] = places.tolist()
    return made.document
