"""Brows that rise on accents of the speech, and a face whose two sides are not mirror images.

Axis names: `frames`, `coeffs` = ada's 53 numbers.
Source: Flecha-García (2010), Speech Communication 52(6), for brows that rise on pitch accents, and by far not
on all of them; Hager & Ekman (1985), Psychophysiology 22(3), for sides that differ in strength and agree in
time. Heights are chosen so that the standard deviation of `browInnerUp` comes near that of films.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.channels import ADA
from talkcli.engine.finish.phrasing import Phrasing
from talkcli.engine.finish.tracks import bumps, middles, smooth_noise

# Share of the accents on which the brows rise.
_RAISED = 0.55
# Height of a raise on an accent of strength 1, as a share of full scale, and the standard deviation of its
# logarithm.
_HEIGHT, _HEIGHT_SPREAD = 0.2, 0.4
# Standard deviations in seconds of the Gaussian halves of a raise.
_RISE_S, _FALL_S = 0.14, 0.3
# Slow drift of the brows while somebody speaks: its deviation as a share of full scale, and its time in
# seconds.
_DRIFT, _DRIFT_S = 0.07, 1.0
# Height of the outer brows relative to the inner ones.
_OUTER = 0.7
# Share of a raise that lowered brows (`browDown` of 1) suppress.
_SUPPRESSED = 0.8
# Standard deviations, between takes, of the difference of the sides: of a raise, and of expressions.
_RAISE_TILT, _TILT, _MOST_TILT = 0.3, 0.08, 0.5
# Names of channels whose sides differ in strength. Those of lids, gaze and contacts do not. Channels that
# part the lips stay 0 in a closure, whatever their factor.
_TILTED = (
    "browDown", "cheekSquint", "eyeSquint", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthSmile",
    "mouthStretch", "mouthUpperUp", "noseSneer",
)  # fmt: skip
# What one side shows at rest and the other does not, as a share of full scale: the standard deviation between
# takes, by name; its slow change, as a share of itself; and the time in seconds of that change.
_LEANS = {
    "browDown": 0.025, "browOuterUp": 0.03, "cheekSquint": 0.025, "eyeSquint": 0.03, "mouthDimple": 0.03,
    "mouthFrown": 0.02, "mouthSmile": 0.025, "mouthStretch": 0.03, "noseSneer": 0.015,
}  # fmt: skip
_WANDER, _WANDER_S = 0.3, 1.2


def brows(
    coeffs: Float[np.ndarray, "frames coeffs"], heard: Phrasing, fps: float, rng: np.random.Generator
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs` with brows that follow the accents, and with unequal sides.

    Args:
        coeffs: Motion of ada.
        heard: Phrasing of the speech.
        fps: Frames per second of `coeffs`.
        rng: Generator of the raises, of the drift and of the sides.
    """
    num_frames, moved = len(coeffs), coeffs.copy()
    raise_tilt, tilt = np.clip(rng.normal(0, (_RAISE_TILT, _TILT)), -_MOST_TILT, _MOST_TILT)
    raised = rng.random(len(heard.accents)) < _RAISED
    heights = _HEIGHT * np.exp(rng.normal(0, _HEIGHT_SPREAD, len(heard.accents)))
    events = [
        (accent.time_s, float(accent.strength * height))
        for accent, height, rises in zip(heard.accents, heights, raised, strict=True)
        if rises
    ]
    lift = bumps(events, num_frames, fps, rise_s=_RISE_S, fall_s=_FALL_S)
    speaking = heard.speaking[middles(num_frames, fps)]
    lift += _DRIFT * np.maximum(smooth_noise(num_frames, _DRIFT_S, fps, rng), 0) * speaking
    lowered = np.mean([coeffs[:, ADA.index(f"browDown{side}")] for side in ("Left", "Right")], axis=0)
    lift *= 1 - _SUPPRESSED * np.clip(lowered, 0, 1)
    moved[:, ADA.index("browInnerUp")] += lift
    for side, sign in (("Left", 1), ("Right", -1)):
        moved[:, ADA.index(f"browOuterUp{side}")] += _OUTER * (1 + sign * raise_tilt) * lift
        for name in _TILTED:
            moved[:, ADA.index(f"{name}{side}")] *= 1 + sign * tilt
    wander = 1 + _WANDER * smooth_noise(num_frames, _WANDER_S, fps, rng)
    for name, deviation in _LEANS.items():
        lean = float(np.clip(rng.standard_normal(), -2, 2)) * deviation
        moved[:, ADA.index(f"{name}{'Left' if lean > 0 else 'Right'}")] += abs(lean) * wander
    return moved
