"""The lashes, which sit on the edges of the lids: their places follow from where an edge is.

Axis names: `columns` (of a lid's edge, from the inner to the outer corner), `points` (lashes), `verts`.
Millimetres; the left eye, mirrored for the right.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import complexion, field
from talkcli.engine.face.ada.curves import bump, smoothstep
from talkcli.engine.face.ada.person import HAIR_COLOURS, Person
from talkcli.engine.face.ada.piece import Piece

Edge = Float[np.ndarray, "columns 3"]
Verts = Float[np.ndarray, "verts 3"]

UPPER, LOWER = 32, 20
# Breadth at the root; about a pixel where the head fills a picture of 512 pixels.
STRAND_MM = 0.5
# An upper lash: two vertices at the root, two where it bends, the tip. Its front is drawn; a back is dark.
_UPPER_FACES = np.array([[0, 1, 3], [0, 3, 2], [2, 3, 4]])


def frame(edge: Edge, lift: float) -> Edge:
    """Return directions away from the eyeball, tilted along the lid by `lift` radians upwards."""
    out = edge - field.EYE
    out = out / np.linalg.norm(out, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0]) - out[:, 1:2] * out
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    return np.cos(lift) * out + np.sin(lift) * up


def _along(rows: Edge, at: Float[np.ndarray, "points"]) -> Float[np.ndarray, "points 3"]:
    t = np.linspace(0.0, 1.0, len(rows))
    return np.stack([np.interp(at, t, rows[:, i]) for i in range(3)], 1)


def _lashes(edge: Edge, person: Person, upper: bool) -> Float[np.ndarray, "verts 3"]:
    random = np.random.default_rng([person.seed, 41 + upper])
    count, sign = (UPPER, 1.0) if upper else (LOWER, -1.0)
    at = np.linspace(0.07, 0.985, count) if upper else np.linspace(0.22, 0.95, count)
    at = at + random.uniform(-0.3, 0.3, count) / count
    long = (3.6 - 1.4 * person.sex + 2.0 * at - 1.6 * bump(at, 0.0, 0.2)) if upper else 1.5 + 0.5 * at
    long = long * random.uniform(0.75, 1.1, count)
    # Lashes come out of the lid flat, and bend upwards (the lower ones downwards).
    start, end = frame(edge, -0.15 * sign), frame(edge, (0.55 - 0.15 * person.sex if upper else 0.6) * sign)
    fan = np.stack([0.75 * (at - 0.40) + random.normal(0.0, 0.10, count), 0 * at, 0 * at], 1)
    root = _along(edge + (0.1 if upper else 0.25) * start, at)
    bend = root + (_along(start, at) + 0.5 * fan) * (0.42 * long)[:, None]
    tip = bend + (_along(end, at) + fan) * (0.62 * long)[:, None]
    aside = np.zeros((count, 3))
    aside[:, 0] = 0.5 * STRAND_MM * (1.0 if upper else 0.8)
    if not upper:
        return np.stack([root + aside, root - aside, tip], 1).reshape(-1, 3)
    thin = 0.7 * aside
    return np.stack([root - aside, root + aside, bend - thin, bend + thin, tip], 1).reshape(-1, 3)


def upper_places(edge: Edge, person: Person) -> Verts:
    """Return a dark rim along the upper edge, then the lashes."""
    t = np.linspace(0.0, 1.0, len(edge))
    broad = (0.75 - 0.25 * person.sex) * np.sin(np.pi * np.clip(0.03 + 0.97 * t, 0.0, 1.0)) ** 0.6
    out = frame(edge, 0.45)
    return np.concatenate([edge + 0.12 * out, edge + out * broad[:, None], _lashes(edge, person, True)])


def lower_places(edge: Edge, person: Person) -> Verts:
    """Return the lower lashes."""
    return _lashes(edge, person, False)


def build(edge: Edge, person: Person, upper: bool) -> Piece:
    """Return the left eye's upper or lower lashes at rest."""
    dark = 0.35 * np.minimum(np.array(HAIR_COLOURS[person.hair_colour]), 0.06) + 0.003
    skin = complexion.tint(person)
    dark = dark + (0.10 + 0.05 * person.sex) * skin if upper else dark + 0.42 * skin
    tip = 0.8 * skin
    if not upper:
        vertices = lower_places(edge, person)
        colours = complexion.mixed(dark, tip, np.tile([0.0, 0.0, 0.6], LOWER))
        return Piece("lash", vertices, np.arange(len(vertices)).reshape(-1, 3), colours)
    n = len(edge)
    low, high = np.arange(n - 1), np.arange(n - 1) + n
    rim = np.concatenate([np.stack([low, low + 1, high + 1], 1), np.stack([low, high + 1, high], 1)])
    hairs = (2 * n + 5 * np.arange(UPPER)[:, None, None] + _UPPER_FACES[None]).reshape(-1, 3)
    # The rim fades towards the inner corner and into the lid.
    fade = 0.7 * (1.0 - smoothstep(np.linspace(0.0, 1.0, n), 0.0, 0.35))
    share = np.concatenate([fade, 0.3 + 0.7 * fade, np.tile([0.0, 0.0, 0.12, 0.12, 0.5], UPPER)])
    colours = complexion.mixed(dark, tip, share)
    return Piece("lash", upper_places(edge, person), np.concatenate([rim, hairs]), colours)
