"""The canonical head carried to a person's proportions: vertices, shapes, and what turns or keeps off.

Axis names: `verts`. Millimetres.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import field
from talkcli.engine.face.ada.lids import closest_mm
from talkcli.engine.face.ada.person import Person
from talkcli.engine.face.ada.proportions import measures
from talkcli.engine.face.ada.warp import Warp, warp_to
from talkcli.engine.face.ada.whole import Whole


def fitted(whole: Whole, person: Person, num_skin: int, mirror: np.ndarray) -> Whole:
    """Return the head with the proportions of `person`.

    Args:
        whole: Canonical head.
        person: Whose proportions.
        num_skin: How many of the first vertices are skin.
        mirror: Of each vertex of the skin, the one across the midline.
    """
    warp = warp_to(person, whole.vertices, measures(whole.vertices, whole.landmarks, num_skin, mirror))
    rest = warp(whole.vertices)
    centres = warp(whole.eye_centres)

    def carried(deltas: Float[np.ndarray, "verts 3"]) -> Float[np.ndarray, "verts 3"]:
        return _moved(warp, whole.vertices, rest, deltas)

    lids = rest[whole.lid_rows] - centres[whole.lid_eyes]
    return replace(
        whole,
        vertices=rest,
        linear=[carried(deltas) for deltas in whole.linear],
        correctives=[replace(one, deltas=carried(one.deltas)) for one in whole.correctives],
        hinge=warp(whole.hinge[None])[0],
        eye_centres=centres,
        lid_radii=closest_mm(np.linalg.norm(lids, axis=1), warp.eye_scale),
    )


def _moved(
    warp: Warp, canonical: field.Points, rest: field.Points, deltas: Float[np.ndarray, "verts 3"]
) -> Float[np.ndarray, "verts 3"]:
    """Return what a shape becomes: where its moved vertices are carried to, less where they rest."""
    out = np.zeros(deltas.shape)
    moving = np.flatnonzero(np.abs(deltas).max(axis=1) > 0.0)
    out[moving] = warp(canonical[moving] + deltas[moving]) - rest[moving]
    return out
