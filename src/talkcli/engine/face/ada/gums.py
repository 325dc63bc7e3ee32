"""The gums: a wet ridge on which the crowns stand, in scallops round their necks.

Axis names: `columns`. Millimetres; sizes and places are those of `arch`.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada.arch import Arch
from talkcli.engine.face.ada.piece import Piece, grid_faces

# Columns for each tooth, from the midline on: the front ones are seen.
_COLUMNS = (5, 5, 5, 3, 3, 2, 2)
_FREE, _ATTACHED, _DEEP = (
    np.array(c) for c in ([0.62, 0.27, 0.25], [0.56, 0.20, 0.185], [0.42, 0.115, 0.10])
)


def row(arch: Arch) -> Piece:
    """Return the gum of one row, a closed body along the arch."""
    u, length, tall, thick, edge = _along(arch)
    place, normal = arch.at(length)
    scallop = np.abs(u) ** 2.4
    # Between teeth a papilla fills the gap up to where they touch.
    margin = tall * (1.0 - 0.36 * scallop)
    lean = -(0.07 if arch.down < 0 else 0.03) * tall
    root = 0.5 * (1.0 - scallop)
    between = 0.75 * scallop
    end = np.clip((length[-1] - np.abs(length)) / 4.0, 0.2, 1.0)  # behind the last molar it is round
    rows = (  # height over the edge, out, colour
        (tall + 4.6, lean - 0.2 + 0.6 * root, _DEEP),
        (tall + 2.2, lean + 0.35 + root, _ATTACHED),
        (margin + 0.9, lean + 0.62 + 0.5 * root - 0.8 * between, _ATTACHED),
        (margin, lean + 0.22 - between, _FREE),
        (margin - 0.15, lean - 0.9 - between, _FREE),
        (margin, lean - thick + 0.6, _ATTACHED),
        (tall + 2.2, lean - thick - 0.9, _ATTACHED),
        (tall + 4.6, lean - thick - 1.6, _DEEP),
    )
    vertices, colours = [], []
    for up, out, colour in rows:
        middle = lean - 0.5 * thick
        away = middle + (out - middle) * end
        y = edge - arch.down * up
        vertices.append(
            np.stack([place[:, 0] + away * normal[:, 0], y, place[:, 1] + away * normal[:, 1]], 1)
        )
        colours.append(np.tile(colour, (len(y), 1)))
    return _closed(np.stack(vertices), np.stack(colours), arch.down)


def _along(arch: Arch) -> tuple[Float[np.ndarray, "columns"], ...]:
    """Return for columns of the left half: place within the tooth (-1 to 1), length along the arch, and the
    crown's height, thickness at the neck and edge."""
    starts = arch.starts()
    shares = [np.linspace(-1.0, 1.0, n + 1)[:-1] for n in _COLUMNS]
    lengths = [a + (v + 1) / 2 * (b - a) for v, a, b in zip(shares, starts[:-1], starts[1:], strict=True)]
    u, length = np.concatenate([*shares, [1.0]]), np.concatenate([*lengths, [starts[-1]]])
    middles = (starts[:-1] + starts[1:]) / 2

    def spread(values: list[float]) -> Float[np.ndarray, "columns"]:
        return np.interp(length, middles, values)

    return (
        u,
        length,
        spread([t.tall for t in arch.teeth]),
        spread([t.thick_neck for t in arch.teeth]),
        spread([t.edge for t in arch.teeth]),
    )


def _closed(
    vertices: Float[np.ndarray, "rows columns 3"], colours: Float[np.ndarray, "rows columns 3"], down: float
) -> Piece:
    """Return the ridge with its mirror image, sharing the midline, closed round and at both ends."""
    flip = np.array([-1.0, 1.0, 1.0])
    both = np.concatenate([vertices[:, :0:-1] * flip, vertices], 1)
    tint = np.concatenate([colours[:, :0:-1], colours], 1)
    rows, columns = both.shape[:2]
    # The row direction is the long one, so that the ring of rows closes.
    faces = grid_faces(columns, rows, closed=True)
    ring = np.arange(rows)
    cap = np.stack([np.full(rows - 2, ring[0]), ring[1:-1], ring[2:]], 1)
    last = cap + (columns - 1) * rows
    faces = np.concatenate([faces, cap, last[:, ::-1]])
    return Piece(
        "gums",
        both.swapaxes(0, 1).reshape(-1, 3),
        faces[:, ::-1] if down < 0 else faces,
        tint.swapaxes(0, 1).reshape(-1, 3),
    )
