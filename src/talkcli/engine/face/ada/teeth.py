"""The teeth: single crowns with rounded edges, wedge-shaped gaps between them, pointed canines.

Axis names: `points` (of one ring), `rings`. Millimetres. Each crown is a closed body of rings from under the
gum to the edge; sizes and places are those of `arch`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada.arch import Arch, Tooth
from talkcli.engine.face.ada.curves import smoothstep
from talkcli.engine.face.ada.piece import Piece, grid_faces

# Places round a ring in degrees: 90 is the middle of the face that is seen, 180 the side towards the midline.
_FRONT_TURN = np.deg2rad([0, 27, 58, 90, 122, 153, 180, 225, 270, 315])
_BACK_TURN = np.deg2rad([0, 40, 90, 140, 180, 225, 270, 315])
# Rings from below the gum (negative) to the edge, as a share of the crown's height, and their profile: share
# of the widest width, labial offset, and how thick it is there (0 the edge's thickness, 1 the whole).
_FRONT_RINGS = (
    (-0.12, 0.0, -0.7, 0.86),
    (0.10, 0.35, -0.15, 1.0),
    (0.38, 0.80, 0.12, 0.78),
    (0.70, 1.0, -0.05, 0.28),
    (0.92, 0.97, -0.35, 0.06),
    (1.0, 0.80, -0.75, -0.12),
)
_BACK_RINGS = (
    (-0.12, 0.0, -0.5, 0.86),
    (0.2, 0.6, 0.1, 1.0),
    (0.6, 1.0, 0.0, 1.0),
    (0.9, 0.97, -0.45, 0.92),
    (1.0, 0.76, -1.5, 0.74),
)
_EDGE_THICK = 1.7
# Gap between neighbours at their widest: they nearly touch.
_GAP = 0.16
BODY, NECK, EDGE = np.array([0.99, 0.93, 0.80]), np.array([0.93, 0.81, 0.63]), np.array([0.89, 0.88, 0.82])
# Canines are a little yellower than incisors.
_CANINE = np.array([0.98, 0.95, 0.90])
_FIRST_BACK, _CANINE_PLACE = 3, 2


def row(arch: Arch) -> Piece:
    """Return all fourteen crowns of one row."""
    pieces = []
    for place, (tooth, start) in enumerate(zip(arch.teeth, arch.starts(), strict=False)):
        left = crown(arch, tooth, start + tooth.wide / 2, place)
        pieces += [left, left.mirrored()]
    counts = np.cumsum([0, *(len(piece.vertices) for piece in pieces)])
    return Piece(
        "teeth",
        np.concatenate([piece.vertices for piece in pieces]),
        np.concatenate([piece.faces + first for piece, first in zip(pieces, counts, strict=False)]),
        np.concatenate([piece.colours for piece in pieces]),
    )


def crown(arch: Arch, tooth: Tooth, middle: float, place: int) -> Piece:
    """Return one crown of the left half; `place` counts from the midline."""
    front = place < _FIRST_BACK
    turn = _FRONT_TURN if front else _BACK_TURN
    table = np.array(_FRONT_RINGS if front else _BACK_RINGS)
    # A rounded box: a superellipse of power 3.
    across, out = (np.sign(v) * np.abs(v) ** (2 / 3) for v in (np.cos(turn), np.sin(turn)))
    height, share, labial, lingual = (column[:, None] for column in table.T)
    half = 0.5 * (tooth.wide_neck + (tooth.wide - _GAP - tooth.wide_neck) * share)
    end = _EDGE_THICK if front else 0.0
    back = -(end + (tooth.thick - end) * lingual)
    u = half * across
    v = 0.5 * (labial + back) + 0.5 * (labial - back) * out
    w = tooth.tall * height + 0.0 * across - _edge_drop(across, place) * smoothstep(height, 0.45, 1.0)
    if front:  # The faces of front teeth curve from side to side.
        v = v - 0.45 * across**2 * (out > -0.5)
    vertices = _placed(arch, tooth, middle, u, v, w)
    rings, points = u.shape
    faces = grid_faces(rings, points, closed=True)
    faces = np.concatenate([faces, _lids(rings, points)])
    if arch.down < 0:
        faces = faces[:, ::-1]
    return Piece("teeth", vertices, faces, _colours(height, out, across, place))


def _edge_drop(across: Float[np.ndarray, "points"], place: int) -> Float[np.ndarray, "points"]:
    """Return how much shorter than its tip a crown is, across it (negative towards the midline)."""
    outer = np.clip(across, 0.0, 1.0)
    inner = np.clip(-across, 0.0, 1.0)
    if place == _CANINE_PLACE:
        return 1.0 * outer**1.6 + 0.7 * inner**1.6
    if place < _CANINE_PLACE:
        return (0.6 + 0.3 * place) * outer**3 + 0.3 * inner**4
    return 0.8 * np.abs(across) ** 1.7


def _placed(
    arch: Arch,
    tooth: Tooth,
    middle: float,
    u: Float[np.ndarray, "rings points"],
    v: Float[np.ndarray, "rings points"],
    w: Float[np.ndarray, "rings points"],
) -> Float[np.ndarray, "verts 3"]:
    """Return vertices: `u` along the arch, `v` outwards, `w` from the neck to the edge."""
    (place,), (normal,) = arch.at(np.array([middle]))
    # Upper front teeth lean forward, lower ones stand upright.
    v = v + (0.07 if arch.down < 0 else 0.03) * (w - tooth.tall)
    x = place[0] + u * normal[1] + v * normal[0]
    z = place[1] - u * normal[0] + v * normal[1]
    y = tooth.edge + arch.down * (w - tooth.tall)
    return np.stack([x, y, z], -1).reshape(-1, 3)


def _lids(rings: int, points: int) -> np.ndarray:
    """Return the triangles that close a crown under the gum and at its edge: fans from the labial middle."""
    apex = points // 3
    others = (apex + np.arange(points)) % points
    fan = np.stack([np.full(points - 2, apex), others[1:-1], others[2:]], 1)
    return np.concatenate([fan, fan[:, ::-1] + (rings - 1) * points])


def _colours(
    height: Float[np.ndarray, "rings 1"],
    out: Float[np.ndarray, "points"],
    across: Float[np.ndarray, "points"],
    place: int,
) -> Float[np.ndarray, "verts 3"]:
    """Return ivory, warmer at the neck, bluish where the edge lets light through, dark between teeth."""
    neck = (1.0 - smoothstep(height, 0.0, 0.5))[..., None]
    edge = (smoothstep(height, 0.68, 0.98) * (1.0 if place < _FIRST_BACK else 0.3))[..., None]
    colour = BODY + (NECK - BODY) * 0.75 * neck + (EDGE - BODY) * edge
    between = 1.0 - 0.22 * np.clip((np.abs(across) - 0.8) / 0.2, 0.0, 1.0)
    lingual = 1.0 - 0.25 * smoothstep(-out, 0.2, 0.9)
    colour = colour * (between * lingual)[None, :, None]
    if place >= _CANINE_PLACE:
        colour = colour * _CANINE
    # Light that comes through the lips hardly reaches the molars.
    return (colour * (1.0 - 0.05 * max(place - _CANINE_PLACE, 0))).reshape(-1, 3)
