"""Correspondence between points of MediaPipe's refined face mesh and the 68 iBUG landmarks.

Axis names: `frames`, `points` = 68. Sides are the subject's; the right side has the smaller iBUG numbers.
Source: the mapping in common use between the two schemes, which we checked by drawing both over faces. Where
an iBUG landmark lies between two points of the mesh we take their midpoint.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

# One or two mesh points for each iBUG landmark.
MESH_OF_IBUG: tuple[tuple[int, ...], ...] = (
    # Contour from the right ear over the chin (8).
    (127,), (234,), (132,), (58,), (172,), (150,), (149,), (148,), (152,),
    (377,), (378,), (379,), (397,), (288,), (361,), (454,), (356,),
    # Brows.
    (70,), (63,), (105,), (66,), (107,), (336,), (296,), (334,), (293,), (300,),
    # Ridge and base of the nose.
    (168,), (6, 197), (195,), (1, 4), (98,), (97,), (2,), (326,), (327,),
    # Eyes: outer corner, upper lid, inner corner, lower lid; the left one begins at its inner corner.
    (33,), (160,), (158,), (133,), (153,), (144,), (362,), (385,), (387,), (263,), (373,), (380,),
    # Outer lips from the right corner over the upper lip.
    (61,), (39, 40), (37,), (0,), (267,), (269, 270), (291,), (321, 405), (314,), (17,), (84,), (91, 181),
    # Inner lips likewise.
    (78,), (81,), (13,), (311,), (308,), (402,), (14,), (178,),
)  # fmt: skip
# Mesh points of the centres of the right and the left iris.
IRISES = (468, 473)

# Mesh points that expressions hardly move: forehead, temples, bridge of the nose, corners of the eyes.
RIGID = (
    10, 151, 9, 8, 168, 6, 197, 195, 5, 21, 251, 54, 284, 103, 332, 67, 297, 109, 338, 127, 356, 234, 454,
    33, 133, 362, 263, 162, 389, 34, 264, 143, 372, 116, 345, 122, 351,
)  # fmt: skip

# iBUG numbers of parts of the face.
CHIN = (7, 8, 9)
BROWS = tuple(range(17, 27))
NOSE = tuple(range(27, 36))
EYE_CORNERS = (36, 39, 42, 45)
OUTER_EYE_CORNERS = (36, 45)
MOUTH = tuple(range(48, 68))
# iBUG numbers of opposite points of the inner lips and of the lids, upper point first, and of lid corners.
LIP_PAIRS = ((61, 67), (62, 66), (63, 65))
LID_PAIRS = {"Right": ((37, 41), (38, 40)), "Left": ((43, 47), (44, 46))}
LID_CORNERS = {"Right": (36, 39), "Left": (42, 45)}

assert len(MESH_OF_IBUG) == 68
_FIRST = np.array([mesh[0] for mesh in MESH_OF_IBUG])
_LAST = np.array([mesh[-1] for mesh in MESH_OF_IBUG])


def ibug_points(mesh: Float[np.ndarray, "frames 478 axes"]) -> Float[np.ndarray, "frames 68 axes"]:
    """Return the 68 iBUG landmarks of faces given as MediaPipe's refined mesh."""
    return 0.5 * (mesh[:, _FIRST] + mesh[:, _LAST])
