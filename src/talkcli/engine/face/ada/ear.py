"""The ears: a bowl with helix, antihelix, concha, tragus and lobe, set into the side of the head.

Axis names: `verts`. Millimetres; the left ear, mirrored for the right.
"""

from __future__ import annotations

import numpy as np

from talkcli.engine.face.ada import complexion
from talkcli.engine.face.ada.curves import bump, smoothstep
from talkcli.engine.face.ada.person import Person
from talkcli.engine.face.ada.piece import Piece, grid_faces

COLUMNS = 28
FRONT = (0.02, 0.16, 0.30, 0.40, 0.49, 0.57, 0.66, 0.75, 0.83, 0.90, 0.96, 1.0)
BACK = (1.0, 0.93, 0.80, 0.60)
ORIGIN = np.array([70.5, -18.0, -11.0])


def build(person: Person) -> Piece:
    """Return the subject's left ear."""
    turn = 2 * np.pi * np.arange(COLUMNS) / COLUMNS  # 0 = back, pi/2 = up
    c, s = np.cos(turn), np.sin(turn)
    # Outline: wide above, narrow at the lobe, straight at the front.
    wide = np.where(c > 0, 17.5, 13.0) * (1.0 - 0.30 * smoothstep(-s, 0.1, 1.0)) * (1.0 + 0.08 * s)
    round_ = np.sign(c) * np.abs(c) ** np.where(s < 0, 0.75, 0.9)
    outline = np.stack([wide * round_, 31.0 * s * (1.0 - 0.03 * c)], 1)
    outline[:, 0] += -3.5 * smoothstep(-s, 0.3, 1.0)
    rows = []
    rim = 1.0 - 0.75 * smoothstep(-s, 0.45, 0.95)  # the helix fades into the lobe
    rim *= 1.0 - 0.55 * smoothstep(-c, 0.55, 1.0) * (s < 0.45)
    for rho in FRONT:
        helix = 3.6 * rim * bump(np.full(COLUMNS, rho), 0.90, 0.10)
        scapha = -2.0 * rim * bump(np.full(COLUMNS, rho), 0.73, 0.10)
        anti = 3.4 * bump(np.full(COLUMNS, rho), 0.56, 0.11) * smoothstep(c + 0.35 * s, -0.55, 0.1)
        concha = -3.8 * (1.0 - smoothstep(np.full(COLUMNS, rho), 0.28, 0.56)) * np.ones(COLUMNS)
        tragus = 4.5 * bump(np.full(COLUMNS, rho), 0.55, 0.20) * bump(turn, np.pi * 1.03, 0.38)
        lobe = 1.6 * bump(np.full(COLUMNS, rho), 0.70, 0.25) * smoothstep(-s, 0.55, 0.95)
        rows.append((rho, helix + scapha + anti + concha + tragus + lobe + 2.0 * rho))
    flat, high = [], []
    for rho, h in rows:
        squeeze = np.array([1.0, 1.0])
        centre = np.array([-2.0, -3.0]) * (1.0 - rho)
        flat.append(outline * rho * squeeze + centre)
        high.append(h)
    for i, rho in enumerate(BACK):
        flat.append(outline * rho)
        high.append(high[len(FRONT) - 1] - 1.8 - 6.0 * (1.0 - rho) - (0.0 if i else -0.6) - 9.0 * (rho < 0.7))
    a, b = np.concatenate(flat).T
    h = np.concatenate(high)
    # The ear leaves the head at its front edge and stands off behind, its top leaning back.
    lean, flare = np.deg2rad(10.0), np.deg2rad(20.0)
    back = np.array([np.sin(flare), 0.0, -np.cos(flare)])
    out = np.array([np.cos(flare), 0.0, np.sin(flare)])
    up = np.array([0.0, np.cos(lean), -np.sin(lean)])
    back = back - np.array([0.0, np.sin(lean), 0.0]) * np.cos(flare)
    vertices = ORIGIN + a[:, None] * back + b[:, None] * up + h[:, None] * out
    vertices[:, 0] += 4.5 * smoothstep(a, -14.0, 16.0) - 2.5 * smoothstep(-b, 14.0, 31.0)
    count = len(FRONT) + len(BACK)
    depth = np.concatenate(
        [high[i] - 2.0 * FRONT[i] for i in range(len(FRONT))] + [np.zeros(COLUMNS)] * len(BACK)
    )
    shade = 0.42 + 0.58 * smoothstep(depth, -5.0, 1.5)
    # Blood shows in the rim and the lobe, where the ear is thin.
    thin = np.clip(np.hypot(a / 17.0, b / 31.0), 0.0, 1.0)
    colour = complexion.tint(person, 0.0, 0.10 + 0.16 * thin) * shade[:, None]
    return Piece("skin", vertices, grid_faces(count, COLUMNS, closed=True), colour)
