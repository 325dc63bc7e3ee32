"""The colour of skin from what absorbs light in it: melanin and blood, as optical densities.

Axis names: `verts`. Linear RGB. Skin without either reflects `BLOODLESS`; a density `d` of a pigment
multiplies that by exp(-d * absorption). Absorption falls with the wavelength for melanin, and is strongest
in green for blood (Anderson and Parrish, 1981); the scale is chosen so that tones 0 and 1 are as light as
measured skin of types I and VI.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada.person import Person

BLOODLESS = np.array([0.720, 0.520, 0.415])
MELANIN = np.array([1.72, 2.08, 2.28])
BLOOD = np.array([0.13, 1.00, 0.86])
# Blood that all skin of the face has.
USUAL_BLOOD = 0.16

Density = Float[np.ndarray, "*verts"] | float


def melanin(person: Person) -> float:
    """Return the density of skin that the sun sees."""
    return float(0.015 + person.tone**1.25)


def tint(person: Person, more_melanin: Density = 0.0, more_blood: Density = 0.0) -> np.ndarray:
    """Return colours (*verts, 3) of skin that has so much more of the pigments than this person's mean."""
    brown = np.maximum(melanin(person) + more_melanin, 0.0)[..., None]
    # Dark skin hides part of the blood under it.
    red = np.asarray(USUAL_BLOOD + np.asarray(more_blood) * (1.0 - 0.35 * person.tone))[..., None]
    return BLOODLESS * np.exp(-brown * MELANIN - red * BLOOD)


def mixed(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return colours `share` (0 to 1) of the way from `a` to `b`, even to the eye: hair over skin."""
    return np.exp((1.0 - share[..., None]) * np.log(a) + share[..., None] * np.log(b))


def unevenness(
    points: Float[np.ndarray, "verts 3"], random: np.random.Generator, wavelength_mm: float
) -> Float[np.ndarray, "verts"]:
    """Return smooth noise in about [-1, 1] over places in the head, without symmetry."""
    out = np.zeros(len(points))
    for _ in range(12):
        wave = random.normal(size=3)
        wave *= random.uniform(0.6, 1.5) * 2 * np.pi / wavelength_mm / np.linalg.norm(wave)
        out += np.sin(points @ wave + random.uniform(0.0, 2 * np.pi))
    return out / 4.0
