"""The tables of materials, lights, lamps and tones that the kernels read.

Axis names: `parts`, `lights`, `lamps`, `texels`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8

from talkcli.engine.render.columns import FIELDS
from talkcli.engine.render.lamps import bounds
from talkcli.engine.render.renderer import Light, Material
from talkcli.engine.render.shade import LOBE_END, TONE_STEPS

# Side of a lamp's depth map.
TEXELS = 256
# Directions to the lamps that stand for the sky; the last one is light off the ground.
_SKY = ((0.0, 1.0, 0.25), (-0.8, 0.3, 0.6), (0.8, 0.3, 0.6), (0.0, -0.25, 1.0))
# Green and blue light creep less far into skin than red.
_WRAP_OF_RED = (1.0, 0.5, 0.32)
# How soft the terminator is, per wrap.
_SOFT = 2.0
# Blinn-Phong exponent of a film of water.
_WET_GLOSS = 260.0


def material_table(materials: Sequence[Material]) -> Float[np.ndarray, "parts fields"]:
    """Return a row of the columns that `columns.py` names for each material."""
    rows = []
    for material in materials:
        wraps = [material.wrap * part for part in _WRAP_OF_RED]
        rows.append(
            [
                material.specular * (material.gloss + 8.0) / 8.0,
                material.gloss / LOBE_END,
                *wraps,
                *(1.0 / (1.0 + wrap) for wrap in wraps),
                min(_SOFT * material.wrap, 1.0),
                material.wet * (_WET_GLOSS + 8.0) / 8.0,
                _WET_GLOSS / LOBE_END,
                material.flesh,
                material.detail,
                float(material.cornea),
            ]
        )
    return np.array(rows, np.float32).reshape(-1, FIELDS)


def light_table(lights: Sequence[Light], towards_eye: np.ndarray) -> Float[np.ndarray, "lights 10"]:
    """Return rows of direction, colour, whether the head shadows it, and Blinn's half vector."""
    rows = []
    for light in lights:
        direction = np.array(light.direction) / np.linalg.norm(light.direction)
        half = direction + towards_eye
        rows.append([*direction, *light.colour, float(light.shadow), *half / max(np.linalg.norm(half), 1e-9)])
    return np.array(rows, np.float32).reshape(-1, 10)


def sky_lamps() -> Float[np.ndarray, "lamps 3 3"]:
    """Return axes of the lamps that stand for the sky."""
    return np.stack([_lamp_axes(direction) for direction in _SKY])


def key_lamp(lights: Sequence[Light]) -> Float[np.ndarray, "3 3"]:
    """Return axes of the light that throws shadows; of the first lamp of the sky where none does.

    Raises ValueError when several do.
    """
    shadows = [light.direction for light in lights if light.shadow]
    if len(shadows) > 1:
        raise ValueError(f"{len(shadows)} lights throw shadows, one can")
    return _lamp_axes(shadows[0] if shadows else _SKY[0])


def _lamp_axes(direction: tuple[float, float, float]) -> np.ndarray:
    """Return right, up and towards the lamp, as rows."""
    towards = np.array(direction, float) / np.linalg.norm(direction)
    helper = np.array([0.0, 0.0, 1.0]) if abs(towards[1]) > 0.9 else np.array([0.0, 1.0, 0.0])
    right = np.cross(helper, towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards])


def map_scale(vertices: Float[np.ndarray, "verts 3"]) -> tuple[Float[np.ndarray, "3"], float]:
    """Return middle of the vertices, and texels per metre of a depth map that holds them from every
    direction.
    """
    low, high = np.empty(3), np.empty(3)
    bounds(vertices, low, high)
    if not (low <= high).all():
        return np.zeros(3), 1.0
    return (low + high) / 2.0, TEXELS / max(math.dist(low, high), 1e-12)


def srgb(linear: np.ndarray) -> np.ndarray:
    """Return linear light in [0, 1] to sRGB in [0, 1] (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 0.0) ** (1 / 2.4) - 0.055)


def tone_table() -> UInt8[np.ndarray, "steps"]:
    """Return the sRGB bytes of light from 0 to 1."""
    return np.rint(255.0 * srgb(np.linspace(0.0, 1.0, TONE_STEPS))).astype(np.uint8)
