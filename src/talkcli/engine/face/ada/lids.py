"""Lids that slide over the eyeball: their vertices at every stage of closing, all on the same field.

Axis names: `columns`, `verts`. Millimetres. Moving in a straight line from open to closed would cut through
the eyeball, so a lid's way is cut into short pieces, each driven by a ramp of the same closing number.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import curves, field, rings
from talkcli.engine.face.ada.skin import Skin

UPPER_KNOTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LOWER_KNOTS = (0.0, 0.5, 1.0)
Deltas = Float[np.ndarray, "verts 3"]


def reach(distance: float, upper: bool) -> float:
    """Return share of the edge's way made by lid skin `distance` mm from it."""
    span = rings.LID_OUT[-1] + (1.2 if upper else 2.0)
    return float(np.clip(1.0 - distance / span, 0.0, 1.0) ** (1.15 if upper else 1.6))


def moved(shape: Skin, way: Float[np.ndarray, "columns"], upper: bool) -> tuple[np.ndarray, Deltas]:
    """Return displacements of the left eye's lid when its edge climbs by `way` mm: (vertex ids, deltas)."""
    _, side = rings.lid_columns()
    chosen = np.flatnonzero((side > 0) if upper else (side < 0))
    inner = shape.lid_inner_rings
    at = shape.lids[inner:, chosen]
    share = np.array([reach(distance, upper) for distance in (0.0, *rings.LID_OUT)])
    start = shape.vertices[at]
    climb = (share[:, None] * way[chosen]).ravel()
    goal = field.cast_front(start[..., 0].ravel(), start[..., 1].ravel() + climb).reshape(start.shape)
    # The lining between the edge and the eyeball goes with the edge.
    lining = np.stack(rings.lid_inner(goal[0])) - np.stack(rings.lid_inner(start[0]))
    ids = np.concatenate([shape.lids[:inner, chosen], at])
    return ids.ravel(), np.concatenate([lining, goal - start]).reshape(-1, 3)


def way_closed(upper: bool) -> Float[np.ndarray, "columns"]:
    """Return how far each column's edge climbs (negative: descends) until the lids meet."""
    t, _ = rings.lid_columns()
    return curves.closed_lid_y(t) - (curves.upper_lid_y(t) if upper else curves.lower_lid_y(t))


def open_profile() -> Float[np.ndarray, "columns"]:
    """Return shape of a lid's excursion along the eye: none at the corners, one in the middle."""
    t, _ = rings.lid_columns()
    return np.sin(np.pi * t) ** 0.8


def clearance(shape: Skin) -> tuple[np.ndarray, Float[np.ndarray, "rows"]]:
    """Return skin near the eyeballs, and how near to their centres each vertex may come."""
    p = np.abs(shape.vertices * np.array([1.0, 0.0, 0.0])) + shape.vertices * np.array([0.0, 1.0, 1.0])
    radius = np.linalg.norm(p - field.EYE, axis=1)
    rows = np.flatnonzero((radius > field.EYE_RADIUS) & (radius < 24.0) & (p[:, 2] > field.EYE[2] - 2.0))
    return rows, closest_mm(radius[rows])


def closest_mm(radius: Float[np.ndarray, "rows"], scale: float = 1.0) -> Float[np.ndarray, "rows"]:
    """Return how near to an eyeball's centre skin may come that rests at `radius`; `scale` is the eye's."""
    return np.minimum(radius - 0.02, scale * (field.LID_RADIUS - 0.3))


def edge(shape: Skin, upper: bool) -> np.ndarray:
    """Return ids of the edge of the left eye's lid from the inner to the outer corner."""
    ring = shape.lids[shape.lid_inner_rings]
    return ring[: rings.LID_STEPS] if upper else np.concatenate([ring[:1], ring[: rings.LID_STEPS - 2 : -1]])
