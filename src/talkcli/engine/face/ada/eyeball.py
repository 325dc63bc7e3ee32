"""The eyeballs: rings about the line of sight, so that pupil and iris have crisp edges.

Axis names: `verts`. Millimetres; the left eye, mirrored for the right.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.face.ada import field
from talkcli.engine.face.ada.piece import Piece, grid_faces

COLUMNS = 24
# Degrees from the line of sight, and the colour of each ring; doubled rings make edges.
RINGS: tuple[tuple[float, tuple[float, float, float]], ...] = (
    (0.4, (0.003, 0.003, 0.004)),
    (9.6, (0.003, 0.003, 0.004)),
    (10.0, (0.045, 0.028, 0.014)),
    (12.0, (0.20, 0.115, 0.040)),
    (15.5, (0.180, 0.130, 0.062)),
    (20.0, (0.125, 0.115, 0.070)),
    (24.5, (0.080, 0.080, 0.056)),
    (27.3, (0.024, 0.022, 0.018)),
    (29.0, (0.020, 0.019, 0.018)),
    (30.4, (0.42, 0.39, 0.37)),
    (33.0, (0.62, 0.58, 0.55)),
    (40.0, (0.66, 0.62, 0.59)),
    (50.0, (0.64, 0.57, 0.54)),
    (62.0, (0.58, 0.46, 0.42)),
    (76.0, (0.52, 0.36, 0.32)),
    (95.0, (0.45, 0.28, 0.25)),
    (125.0, (0.45, 0.28, 0.25)),
)
CORNEA = 0.45  # how far the cornea stands out


def build() -> Piece:
    """Return the subject's left eyeball, looking straight ahead."""
    angle = np.deg2rad([ring for ring, _ in RINGS])
    turn = 2 * np.pi * np.arange(COLUMNS) / COLUMNS
    radius = field.EYE_RADIUS + CORNEA * np.exp(-((angle / np.deg2rad(24.0)) ** 4))
    ring = np.stack([np.cos(turn), np.sin(turn)], 1)
    side = (radius * np.sin(angle))[:, None, None] * ring
    ahead = np.broadcast_to((radius * np.cos(angle))[:, None, None], (len(RINGS), COLUMNS, 1))
    vertices = field.EYE + np.concatenate([side, ahead], 2).reshape(-1, 3)
    colours = np.repeat(np.array([colour for _, colour in RINGS]), COLUMNS, 0).reshape(len(RINGS), COLUMNS, 3)
    # Iris fibres: spokes that differ a little.
    spokes = 1.0 + 0.22 * np.sin(7 * turn + 1.0) * np.cos(11 * turn) + 0.12 * np.cos(13 * turn + 0.4)
    colours[3:7] *= spokes[None, :, None]
    return Piece("eye", vertices, grid_faces(len(RINGS), COLUMNS, closed=True), colours.reshape(-1, 3))
