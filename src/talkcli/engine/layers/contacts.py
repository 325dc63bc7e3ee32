"""Contacts that are heard are reached: lips meet in p, b and m, the lower lip meets the teeth in f and v.

Axis names: `frames`, `steps` (frames, or 100 Hz in the performer), `coeffs` = ada's 53 numbers, `contacts`
= 2.
Source: Edwards et al. (2016), JALI: these contacts must be reached whatever the neighbours ask for. Codes
that are likely on average blur just them; what the front-end hears decides when they happen, the head's own
geometry how.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.face.articulators import ARTICULATORS, columns

# The shape in which the lower lip rests against the upper teeth.
TEETH_CONTACT: Mapping[str, float] = {
    "jawPitch": 0.018, "mouthRollLower": 1.0, "mouthPress": 0.3, "mouthShrugLower": 0.1,
    "mouthUpperUp": 0.35,
}  # fmt: skip
# Shares of p, b, m and of f, v from which a contact is full. Far below one half: a closure that is shown and
# not said costs less than one that is said and not shown.
_SURE = np.array([0.14, 0.025])
# Lips give way to teeth that are heard so many times as surely.
_CLEARLY = 2.0


def heard_contacts(
    shares: Float[np.ndarray, "frames contacts"],
) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]]:
    """How far lips, and lower lip and teeth, are to touch, in [0, 1], from what the front-end hears."""
    lips, teeth = _ease(shares / _SURE).T
    lips = np.where(shares[:, 1] > _CLEARLY * shares[:, 0], 0, lips)
    return lips, teeth * (1 - lips)


def reach_contacts(
    coeffs: Float[np.ndarray, "frames coeffs"], shares: Float[np.ndarray, "frames contacts"]
) -> tuple[Float[np.ndarray, "frames coeffs"], Bool[np.ndarray, "frames"]]:
    """`coeffs` with the contacts of `shares` reached, and the frames that show one in full."""
    lips, teeth = heard_contacts(shares)
    touched = touch(coeffs, lips, teeth)
    (seal,) = columns("lipSeal")
    # Lips that rest on each other would keep the lower one from the teeth.
    touched[:, seal] = np.maximum(touched[:, seal] * (1 - teeth), lips)
    return touched.astype(coeffs.dtype), np.maximum(lips, teeth) >= 1


def touch(
    coeffs: Float[np.ndarray, "steps coeffs"],
    lips: Float[np.ndarray, "steps"],
    teeth: Float[np.ndarray, "steps"],
) -> Float[np.ndarray, "steps coeffs"]:
    """Drives the mouth into its contacts, through whatever the neighbours ask for."""
    touched = coeffs.copy()
    for name in (*ARTICULATORS["part"], *ARTICULATORS["press"]):
        for column in columns(name):
            touched[:, column] *= 1 - teeth
            if name in ARTICULATORS["part"]:
                touched[:, column] *= 1 - lips
    for name in ARTICULATORS["round"]:
        for column in columns(name):
            touched[:, column] *= (1 - 0.6 * lips) * (1 - 0.7 * teeth)
    (jaw,) = columns("jawPitch")
    touched[:, jaw] *= (1 - teeth) * (1 - 0.5 * lips)
    for name, value in TEETH_CONTACT.items():
        for column in columns(name):
            touched[:, column] += teeth * value
    return touched


def _ease(x: Float[np.ndarray, "frames contacts"]) -> Float[np.ndarray, "frames contacts"]:
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)
