"""Contacts: the layer closes the lips in p, b and m, and brings the lower lip to the teeth in f and v.

Axis names: `frames`, `steps` (frames, or 100 Hz in the performer), `coeffs` (ada's 53 channels), `contacts`
(2: the lips on each other, the lower lip on the upper teeth).
Source: Edwards et al. (2016), JALI: a face must reach these contacts whatever the neighbouring phones ask
for. A model that chooses the most likely codes blurs exactly them. The probabilities of its phone front-end
therefore decide when a contact happens, and fixed shapes of ada decide how it looks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.articulators import ARTICULATORS, columns
from talkcli.engine.filters import maximum_filter1d
from talkcli.engine.finish.smoothing import lip_opening_mm

# The shape of ada in which the lower lip rests against the upper teeth; `jawPitch` in radians, the others in
# [0, 1]. A name without a side stands for both sides.
TEETH_CONTACT: Mapping[str, float] = {
    "jawPitch": 0.018, "mouthRollLower": 1.0, "mouthPress": 0.3, "mouthShrugLower": 0.1,
    "mouthUpperUp": 0.35,
}  # fmt: skip
# Thresholds of probability above which the layer shows a contact: of the lips, of the lips with the teeth,
# and the increase of the latter per millimetre of lip opening. They are far below one half, because a closure
# that is shown and not said costs less than one that is said and not shown. That of the lips was tuned on two
# speakers of LibriSpeech, those of the teeth on LJSpeech (docs/model-card.md).
_LIPS, _TEETH, _TEETH_PER_MM = 0.15, 0.02, 0.002
# A contact is suppressed where the other one is more than this many times as probable.
_CLEARLY = 2.0
# Number of frames on either side among which a contact's probability must be the highest: for the lips, and
# for the lower lip with the teeth. Tuned on LJSpeech.
_REACH = (3, 1)
# Probability above which every frame shows the contact, highest of its neighbours or not.
_SURE = 0.95
# Degree of a contact in the two frames beside it, for full contacts of 1. Chosen on two speakers of
# LibriSpeech: the higher, the less abrupt a closure, and the more often vowels beside it close by mistake.
_BESIDE = 0.68


def heard_contacts(
    shares: Float[np.ndarray, "frames contacts"], opening_mm: Float[np.ndarray, "frames"]
) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]]:
    """Return the degrees in [0, 1] of both contacts: of the lips, and of the lower lip with the teeth.

    Args:
        shares: Probability of each contact, from the phone front-end.
        opening_mm: Lip opening of the motion so far, in millimetres.
    """
    lips, teeth = shares.T
    lips_on = _peaks(np.where(teeth > _CLEARLY * lips, 0, lips), _LIPS, _REACH[0])
    enough = _TEETH + _TEETH_PER_MM * opening_mm
    teeth_on = _peaks(np.where(lips > _CLEARLY * teeth, 0, teeth), enough, _REACH[1])
    closed, bitten = _with_neighbours(lips_on), _with_neighbours(teeth_on)
    # A full contact has priority over a partial one; if both are full, the lips have priority over the teeth.
    closed = np.where((bitten >= 1) & (closed < 1), 0, closed)
    return closed, bitten * (1 - closed)


def reach_contacts(
    coeffs: Float[np.ndarray, "frames coeffs"], shares: Float[np.ndarray, "frames contacts"], head: AdaHead
) -> tuple[Float[np.ndarray, "frames coeffs"], Bool[np.ndarray, "frames"]]:
    """Return `coeffs` with the contacts, and a mask of the frames that show a full one.

    Args:
        coeffs: Motion of ada.
        shares: Probability of each contact, from the phone front-end.
        head: Head whose geometry gives the lip opening.
    """
    lips, teeth = heard_contacts(shares, lip_opening_mm(coeffs, head))
    touched = touch(coeffs, lips, teeth)
    (seal,) = columns("lipSeal")
    # A lip seal would keep the lower lip from the teeth.
    touched[:, seal] = np.maximum(touched[:, seal] * (1 - teeth), lips)
    return touched.astype(coeffs.dtype), np.maximum(lips, teeth) >= 1


def _peaks(
    shares: Float[np.ndarray, "frames"], enough: float | Float[np.ndarray, "frames"], reach: int
) -> Bool[np.ndarray, "frames"]:
    """Return the frames that show a contact.

    Args:
        shares: Probability of the contact.
        enough: Threshold of the probability.
        reach: Number of frames on either side among which the probability must be the highest.
    """
    highest = maximum_filter1d(shares, 2 * reach + 1, mode="constant")
    return ((shares >= highest) & (shares > enough)) | (shares > _SURE)


def _with_neighbours(on: Bool[np.ndarray, "frames"]) -> Float[np.ndarray, "frames"]:
    """Return the degree of a contact: 1 in its frames, `_BESIDE` in the frames beside them."""
    return np.maximum(on, _BESIDE * maximum_filter1d(on, 3, mode="constant"))


def touch(
    coeffs: Float[np.ndarray, "steps coeffs"],
    lips: Float[np.ndarray, "steps"],
    teeth: Float[np.ndarray, "steps"],
) -> Float[np.ndarray, "steps coeffs"]:
    """Return `coeffs` with the mouth blended into its contacts, whatever the neighbouring phones ask for.

    The function leaves `lipSeal` to its callers.

    Args:
        coeffs: Motion of ada.
        lips: Degree in [0, 1] of the contact of the two lips.
        teeth: Degree in [0, 1] of the contact of the lower lip with the upper teeth.
    """
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
