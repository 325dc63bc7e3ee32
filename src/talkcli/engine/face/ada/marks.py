"""Named regions and the 68 landmarks of the iBUG scheme on the skin.

Axis names: `verts`. Millimetres.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int
from scipy.spatial import cKDTree

from talkcli.engine.face.ada import brows, field, rings
from talkcli.engine.face.ada.canvas import Canvas

Ids = Int[np.ndarray, "..."]

# The left half of the contour from the ear to the chin, as directions.
CONTOUR = (
    (69, -5, 16), (68, -22, 16), (66, -40, 17), (61, -58, 20), (54, -74, 27), (44, -88, 41), (32, -100, 58),
    (17, -106, 74), (0, -110, 84),
)  # fmt: skip
NOSE_RIDGE = ((0, 3), (0, -10), (0, -23), (0, -35))
NOSE_BASE = ((0, -48.5), (6.5, -47.5), (13.5, -45.5))


def outside(c: Canvas) -> Ids:
    """Return skin vertices that are neither bag nor lid lining."""
    shape = c.shape
    hidden = np.concatenate(
        [
            shape.lips[: shape.bag_rings].ravel(),
            shape.lids[: shape.lid_inner_rings].ravel(),
            shape.nostrils[:2].ravel(),
        ]
    )
    return np.setdiff1d(np.arange(len(c.p)), np.concatenate([hidden, shape.mirror[hidden]]))


def regions(c: Canvas) -> dict[str, Ids]:
    """Return skin vertices by region; several overlap."""
    shape, free = c.shape, outside(c)
    visible = np.zeros(len(c.p), bool)
    visible[free] = True
    x, y, z = c.x, c.y, c.z
    red = c.red >= 0
    lids = shape.lids[shape.lid_inner_rings :].ravel()
    eyes = np.zeros(len(c.p), bool)
    eyes[lids] = eyes[shape.mirror[lids]] = True
    boxes = {
        "lips": red,
        "upper_lip": red & (c.upper >= 0.5),
        "lower_lip": red & (c.upper < 0.5),
        "eyes": eyes,
        "forehead": visible & (y > 26) & (y < 84) & (z > 40),
        "nose": visible & (x < 18) & (y < 5) & (y > -52) & (z > 84),
        "cheeks": visible & (x > 18) & (y < -12) & (y > -70) & (z > 35),
        "jaw": visible & (c.jaw > 0.5) & ~red,
        "upper_face": visible & (y > -30) & (y < 84) & (z > 35),
    }
    named = {name: np.flatnonzero(where) for name, where in boxes.items()}
    return {**named, "lids_left": np.sort(lids), "lids_right": np.sort(shape.mirror[lids])}


def landmarks(c: Canvas) -> Ids:
    """Return 68 vertex indices; the subject's right side comes first."""
    shape, free = c.shape, outside(c)
    tree = cKDTree(c.p[free])

    def nearest(points: np.ndarray) -> list[int]:
        return [int(i) for i in free[tree.query(points)[1]]]

    def across(ids: list[int]) -> list[int]:
        return [int(i) for i in shape.mirror[ids]]

    def front(points: np.ndarray) -> list[int]:
        xy = np.array(points, float)
        return nearest(field.cast_front(xy[:, 0], xy[:, 1]))

    rays = np.array(CONTOUR, float) - field.CENTRE
    contour = nearest(field.cast_radial(rays / np.linalg.norm(rays, axis=1, keepdims=True)))
    brow = front(np.stack(brows.line(np.linspace(0.0, 1.0, 5)), 1))
    base = front(np.array(NOSE_BASE))
    edge = [int(i) for i in shape.lids[shape.lid_inner_rings]]
    last, n = rings.LID_STEPS - 1, len(edge)
    third = last // 3
    upper_in, upper_out = edge[third], edge[2 * third]
    lower_in, lower_out = edge[n - third], edge[n - 2 * third]
    contact = [int(i) for i in shape.lips[shape.bag_rings]]
    border = [int(i) for i in shape.lips[shape.bag_rings + len(rings.RED) - 1]]
    s = rings.lip_columns()[0][: rings.LIP_STEPS]
    peak, side, far = (int(np.abs(s - where).argmin()) for where in (0.25, 0.6, 0.45))
    m = len(border) - 1
    out: list[int] = [
        *across(contour[:-1]), *reversed(contour),
        *across(brow[::-1]), *brow,
        *front(np.array(NOSE_RIDGE)), *across([base[2], base[1]]), *base,
        *across([edge[last], upper_out, upper_in, edge[0], lower_in, lower_out]),
        edge[0], upper_in, upper_out, edge[last], lower_out, lower_in,
        *across([border[rings.LIP_STEPS - 1], border[side], border[peak]]),
        border[0], border[peak], border[side],
        border[rings.LIP_STEPS - 1], border[m - side], border[m - peak], border[m],
        *across([border[m - peak], border[m - side]]),
        *across([contact[rings.LIP_STEPS - 1], contact[far]]), contact[0], contact[far],
        contact[rings.LIP_STEPS - 1], contact[m - far], contact[m], *across([contact[m - far]]),
    ]  # fmt: skip
    return np.array(out)
