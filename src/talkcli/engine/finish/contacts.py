"""Contacts: the layer closes the lips in p, b and m, and brings the lower lip to the teeth in f and v.

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
from scipy.ndimage import maximum_filter1d

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.articulators import ARTICULATORS, columns
from talkcli.engine.finish.smoothing import lip_opening_mm

# The shape in which the lower lip rests against the upper teeth.
TEETH_CONTACT: Mapping[str, float] = {
    "jawPitch": 0.018, "mouthRollLower": 1.0, "mouthPress": 0.3, "mouthShrugLower": 0.1,
    "mouthUpperUp": 0.35,
}  # fmt: skip
# Shares of p, b, m and of f, v from which a contact is shown; of f, v more for every millimetre that lips are
# apart. Far below one half: a closure that is shown and not said costs less than one that is said and not
# shown. Found on validation voices and LJSpeech (docs/model-card.md).
_LIPS, _TEETH, _TEETH_PER_MM = 0.05, 0.02, 0.002
# One that is heard so many times as surely keeps the other from happening.
_CLEARLY = 2.0
# A contact is where its share is highest among so many frames on either side, or where it is beyond doubt.
_REACH = (3, 1)
_SURE = 0.95
# How far a contact has come in the frames beside it.
_BESIDE = 0.55


def heard_contacts(
    shares: Float[np.ndarray, "frames contacts"], opening_mm: Float[np.ndarray, "frames"]
) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]]:
    """Return how far lips, and lower lip and teeth, are to touch, in [0, 1], from what the front-end hears
    and how far lips are apart.
    """
    lips, teeth = shares.T
    lips_on = _peaks(np.where(teeth > _CLEARLY * lips, 0, lips), _LIPS, _REACH[0])
    enough = _TEETH + _TEETH_PER_MM * opening_mm
    teeth_on = _peaks(np.where(lips > _CLEARLY * teeth, 0, teeth), enough, _REACH[1])
    closed, bitten = _with_neighbours(lips_on), _with_neighbours(teeth_on)
    # What is full goes before what is on its way; of two that are full, lips on each other leave no room.
    closed = np.where((bitten >= 1) & (closed < 1), 0, closed)
    return closed, bitten * (1 - closed)


def reach_contacts(
    coeffs: Float[np.ndarray, "frames coeffs"], shares: Float[np.ndarray, "frames contacts"], head: AdaHead
) -> tuple[Float[np.ndarray, "frames coeffs"], Bool[np.ndarray, "frames"]]:
    """Return `coeffs` with the contacts of `shares` reached, and the frames that show one in full."""
    lips, teeth = heard_contacts(shares, lip_opening_mm(coeffs, head))
    touched = touch(coeffs, lips, teeth)
    (seal,) = columns("lipSeal")
    # Lips that rest on each other would keep the lower one from the teeth.
    touched[:, seal] = np.maximum(touched[:, seal] * (1 - teeth), lips)
    return touched.astype(coeffs.dtype), np.maximum(lips, teeth) >= 1


def _peaks(
    shares: Float[np.ndarray, "frames"], enough: float | Float[np.ndarray, "frames"], reach: int
) -> Bool[np.ndarray, "frames"]:
    highest = maximum_filter1d(shares, 2 * reach + 1, mode="constant")
    return ((shares >= highest) & (shares > enough)) | (shares > _SURE)


def _with_neighbours(on: Bool[np.ndarray, "frames"]) -> Float[np.ndarray, "frames"]:
    return np.maximum(on, _BESIDE * maximum_filter1d(on, 3, mode="constant"))


def touch(
    coeffs: Float[np.ndarray, "steps coeffs"],
    lips: Float[np.ndarray, "steps"],
    teeth: Float[np.ndarray, "steps"],
) -> Float[np.ndarray, "steps coeffs"]:
    """Drive the mouth into its contacts, through whatever the neighbours ask for."""
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
