"""Lids that slide over the eyeball: their vertices at every stage of closing, all on the same field.

Axis names: `columns`, `verts`. Millimetres. Moving in a straight line from open to closed would cut through
the eyeball, so a lid's way is cut into short pieces, each driven by a ramp of the same closing number.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import curves, field, rings
from talkcli.engine.face.ada.piece import Piece, even
from talkcli.engine.face.ada.skin import Skin

UPPER_KNOTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
LOWER_KNOTS = (0.0, 0.5, 1.0)
LASHES = 34
LASH = (0.012, 0.008, 0.006)
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


def lash_frame(edge: Float[np.ndarray, "columns 3"], lift: float) -> Float[np.ndarray, "columns 3"]:
    """Return where lashes point: away from the eyeball, tilted up along the lid by `lift` radians."""
    out = edge - field.EYE
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0]) - out[:, 1:2] * out
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    return np.cos(lift) * out + np.sin(lift) * up


def lash_vertices(edge: Float[np.ndarray, "columns 3"]) -> Float[np.ndarray, "verts 3"]:
    """Return a dark rim along the upper edge with single lashes on it; `edge` runs from inner to outer
    corner.
    """
    steps = len(edge)
    direction = lash_frame(edge, 0.45)
    t = np.linspace(0.0, 1.0, steps)
    fade = np.sin(np.pi * np.clip(0.04 + 0.96 * t, 0, 1)) ** 0.5
    rim = edge + direction * (1.1 * fade)[:, None]
    at = np.linspace(0.10, 0.985, LASHES)

    def along(rows: Float[np.ndarray, "columns 3"], where: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(where, t, rows[:, i]) for i in range(3)], 1)

    root, ahead = along(edge, at), along(direction, at)
    sweep = np.stack([0.9 * (at - 0.42), 0.30 + 0 * at, 0 * at], 1)
    tip = root + (ahead + sweep) * (1.9 + 2.0 * at)[:, None]
    wide = np.stack([np.full(LASHES, 0.34), 0 * at, 0 * at], 1)
    hairs = np.stack([root - wide, root + wide, tip], 1).reshape(-1, 3)
    return np.concatenate([edge + 0.15 * direction, rim, hairs])


def upper_edge(shape: Skin) -> np.ndarray:
    """Return ids of the left upper lid's edge from the inner to the outer corner."""
    return shape.lids[shape.lid_inner_rings][: rings.LID_STEPS]


def lashes(shape: Skin) -> Piece:
    """Return the left upper lashes at rest; both sides of each face are drawn."""
    edge = shape.vertices[upper_edge(shape)]
    vertices = lash_vertices(edge)
    n = len(edge)
    low, high = np.arange(n - 1), np.arange(n - 1) + n
    strip = np.concatenate([np.stack([low, low + 1, high + 1], 1), np.stack([low, high + 1, high], 1)])
    hairs = 2 * n + np.arange(3 * LASHES).reshape(-1, 3)
    faces = np.concatenate([strip, hairs])
    return Piece("lash", vertices, np.concatenate([faces, faces[:, ::-1]]), even(LASH, len(vertices)))
