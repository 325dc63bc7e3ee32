"""What is wet at an eye: the line of tears along the lower lid, and the caruncle in the inner corner.

Axis names: `columns` (of the lower lid's edge, from the inner to the outer corner), `verts`. Millimetres; the
left eye, mirrored for the right.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import complexion, field
from talkcli.engine.face.ada.curves import bump
from talkcli.engine.face.ada.person import Person
from talkcli.engine.face.ada.piece import Piece, grid_faces

Edge = Float[np.ndarray, "columns 3"]

# Across the line: how far from the eyeball's centre, and how far up its front.
_PROFILE = ((12.05, 0.5), (12.35, 0.26), (12.55, 0.0), (12.75, -0.25))


def places(edge: Edge) -> Float[np.ndarray, "verts 3"]:
    """Return the line of tears: a concave fillet between eyeball and lid, thick where the caruncle is."""
    out = edge - field.EYE
    out = out / np.linalg.norm(out, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0]) - out[:, 1:2] * out
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    t = np.linspace(0.0, 1.0, len(edge))
    corner = bump(t, 0.0, 0.10)
    ends = np.sin(np.pi * np.clip(t, 0.0, 1.0)) ** 0.4
    rows = []
    for radius, rise in _PROFILE:
        height = rise * (0.35 + 0.65 * ends) + 0.9 * corner * (rise > 0.2)
        rows.append(field.EYE + out * (radius + 0.5 * corner)[:, None] + up * height[:, None])
    return np.concatenate(rows)


def build(edge: Edge, person: Person) -> Piece:
    """Return the left eye's line of tears at rest."""
    pink = complexion.tint(person, -0.5 * complexion.melanin(person), 0.42)
    clear = np.array([0.40, 0.31, 0.27])
    t = np.linspace(0.0, 1.0, len(edge))
    caruncle = (0.8 * bump(t, 0.0, 0.16))[:, None]
    colours = [
        colour + (pink - colour) * caruncle for colour in (clear, 0.6 * clear + 0.4 * pink, pink, pink)
    ]
    faces = grid_faces(len(_PROFILE), len(edge))
    return Piece("wet", places(edge), faces, np.concatenate(colours))
