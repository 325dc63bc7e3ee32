"""How the lips hold together: which points face each other, and how far round them the skin is taken along.

Axis names: `pairs` (opposite points of the two lips), `verts`. Millimetres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from talkcli.engine.face.ada import rings
from talkcli.engine.face.ada.canvas import Canvas
from talkcli.engine.face.ada.curves import smoothstep

# Of the gap that the upper lip closes, along x, y and z: the lower one comes forward before the teeth.
UPPER_SHARE = np.array([0.32, 0.32, 0.12])
UPPER_REACH, LOWER_REACH = 13.0, 19.0


@dataclass(frozen=True)
class Seal:
    """Vertex `rows[i]` moves by `amounts[i]` times the gap of two `neighbours` pairs, mixed by `mix[i]`."""

    pairs: Int[np.ndarray, "pairs 2"]
    rows: Int[np.ndarray, "rows"]
    neighbours: Int[np.ndarray, "rows 2"]
    mix: Float[np.ndarray, "rows"]
    amounts: Float[np.ndarray, "rows 3"]


def build(c: Canvas) -> Seal:
    """Return pairs from the right corner to the left one, and everything that follows them."""
    shape, steps = c.shape, rings.LIP_STEPS
    contact = shape.lips[shape.bag_rings]
    upper, lower = contact[: steps - 1], contact[: steps - 1 : -1]
    left = np.stack([upper, lower], 1)
    pairs = np.concatenate([shape.mirror[left][:0:-1], left])
    middle = steps - 2
    # Where along the pairs each vertex lies: its own column on the lips, by x elsewhere.
    at = np.interp(c.p[:, 0], c.p[pairs[:, 0], 0], np.arange(len(pairs)))
    distance = np.abs(c.y - np.interp(c.p[:, 0], c.p[pairs[:, 0], 0], c.p[pairs[:, 0], 1]))
    on_upper = c.upper > 0.5
    # Skin that belongs to neither side (beside the corners) stays.
    fade = np.abs(2 * c.upper - 1) ** 0.5
    last_red = shape.bag_rings + len(rings.RED) - 1
    column = np.concatenate([np.arange(steps), np.arange(steps - 2, -1, -1)]).astype(float)
    for half, sign in ((shape.lips, 1), (shape.mirror[shape.lips], -1)):
        for ring, ids in enumerate(half):
            at[ids] = np.clip(middle + sign * column, 0, len(pairs) - 1)
            on_upper[ids] = np.arange(len(ids)) < steps - 1
            # There is no gap to close at the corners; beyond the red, skin beside them stays.
            beyond_red = min(max(ring - last_red, 0) / len(rings.LIP_OUT), 1.0)
            fade[ids] = 1.0 - beyond_red * (1.0 - smoothstep(steps - 1.0 - column, 0.0, 5.0))
            if ring < shape.bag_rings:
                distance[ids], fade[ids] = 0.0, rings.follow(c.p[ids], c.p[half[shape.bag_rings]])
            elif ring == shape.bag_rings:
                distance[ids] = 0.0
            fade[ids[steps - 1]] = 0.0
    reach = np.where(on_upper, UPPER_REACH, LOWER_REACH)
    near = np.exp(-((distance / reach) ** 2)) * (c.z > 30.0)
    near *= fade * np.exp(-((np.maximum(c.x - c.x[contact].max(), 0.0) / 4.0) ** 2))
    near[pairs] = 1.0
    rows = np.flatnonzero(near > 0.004)
    low = np.clip(np.floor(at[rows]).astype(int), 0, len(pairs) - 2)
    share = np.where(on_upper[rows, None], UPPER_SHARE, UPPER_SHARE - 1.0)
    return Seal(
        pairs=pairs,
        rows=rows,
        neighbours=np.stack([low, low + 1], 1),
        mix=at[rows] - low,
        amounts=share * near[rows, None],
    )
