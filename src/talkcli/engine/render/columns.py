"""Names of the columns and rows of the tables that the kernels share.

Axis names: `parts`, `lights`, `eyes`, `texels`, `seen` surfaces.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Columns of the vertex table, one cache line a vertex: normal, colour, how much of the sky is seen, place on
# the camera's screen and on the key light's, and the sum of the weights of the mean that the sky is.
NORMAL, COLOUR, SKY, SCREEN, KEY, TOTAL, COLUMNS = 0, 3, 6, 7, 10, 13, 16

# Columns of a material: weight and sharpness of the lobe, three wraps, three 1 / (1 + wrap), softness of the
# terminator, weight and sharpness of the wet lobe, light through the flesh, detail of skin, cornea.
WEIGHT, SHARP, WRAP, UNWRAP, SOFT, WET, WET_SHARP, FLESH, DETAIL, CORNEA, FIELDS = (
    0,
    1,
    2,
    5,
    8,
    9,
    10,
    11,
    12,
    13,
    14,
)

# Columns of a list of surfaces: x and y on the screen, share of the pixel, and on the last surface of a pixel
# the share that no surface has.
X, Y, SHARE, OPEN = 0, 1, 2, 3

# Surfaces are lit by the batch, one column a surface. All columns are always computed, so that the compiler
# makes vector instructions of the loops over them, and they are few enough to stay in the nearest cache.
BATCH = 64
# Rows of a batch: normal, colour and open sky of the vertex table, place on the key light's map, ray to the
# eye, the material's columns, the sums of diffuse light and shine, how much arrives of the key light and of
# the others, cosine to a light; then the place on the screen, that of the corners (three x, three y, three
# nearnesses), their weights, the nearness, what is above 0 on a back; place at rest, size of a pixel there;
# the noise's slopes and its value.
N, RGB, SKY_SEEN, AT_KEY, RAY, MATERIAL, DIFFUSE, SHINE = 0, 3, 6, 7, 10, 13, 27, 30
KEY_SEEN, OTHERS_SEEN, COSINE = 33, 34, 35
PLACE, CORNER_X, CORNER_Y, CORNER_NEAR, WEIGHTS, NEAR, BACK = 36, 38, 41, 44, 47, 50, 51
REST, PIXEL, SLOPE, NOISE, ROWS = 52, 55, 56, 59, 60


class Look(NamedTuple):
    """How it is lit: `materials` (parts FIELDS), `lights` (lights 10), `ambient` (3), the camera's `eye` (3),
    `axes` (3 3) and `lens` (focal length, middle column and row), `eyes` (eyes 7: centre, axis and radius of
    each eyeball), the key light's depth map `key_nearness` (texels texels) and its `block_maxima`."""

    materials: np.ndarray
    lights: np.ndarray
    ambient: np.ndarray
    eye: np.ndarray
    axes: np.ndarray
    lens: np.ndarray
    eyes: np.ndarray
    key_nearness: np.ndarray
    key_maxima: np.ndarray
