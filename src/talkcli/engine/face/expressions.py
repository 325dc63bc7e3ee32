"""The nine emotions as poses of named channels: the prototypes of EMFACS at full strength.

Action units after Ekman and Friesen's EMFACS (1983) and Du, Tao and Martinez, "Compound facial expressions of
emotion" (PNAS 2014), Table 1; each is spelled out in the channels that do its work.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float

from talkcli.engine.types import EMOTIONS


def _both(**levels: float) -> dict[str, float]:
    """Return left and right alike."""
    return {f"{name}{side}": level for name, level in levels.items() for side in ("Left", "Right")}


EMOTION_POSES: Mapping[str, Mapping[str, float]] = {
    "neutral": {},
    # Not in EMFACS: a relaxed face, lids low, a slight AU 12.
    "calm": _both(eyeBlink=0.24, mouthSmile=0.26, browOuterUp=0.05),
    # AU 6 + 12 + 25.
    "happy": _both(mouthSmile=1.0, cheekSquint=0.9, eyeSquint=0.45, mouthUpperUp=0.42, mouthDimple=0.1)
    | {"jawPitch": 0.04},
    # AU 1 + 4 + 15 + 17.
    "sad": _both(browDown=0.3, mouthFrown=0.75, eyeBlink=0.22, eyeLookDown=0.2, eyeSquint=0.1)
    | {"browInnerUp": 0.95, "mouthShrugLower": 0.4},
    # AU 4 + 5 + 7 + 23 + 24.
    "angry": _both(browDown=1.0, eyeWide=0.35, eyeSquint=0.6, noseSneer=0.35, mouthPress=0.75, mouthFrown=0.3)
    | {"mouthRollLower": 0.15, "mouthShrugLower": 0.2},
    # AU 1 + 2 + 4 + 5 + 20 + 25.
    "fear": _both(browOuterUp=0.45, browDown=0.35, eyeWide=1.0, mouthStretch=0.75, mouthLowerDown=0.35)
    | {"browInnerUp": 1.0, "jawPitch": 0.11},
    # AU 9 + 10 + 17, with 4 and 7 along.
    "disgust": _both(noseSneer=1.0, mouthUpperUp=0.55, browDown=0.55, eyeSquint=0.55, cheekSquint=0.4)
    | _both(mouthFrown=0.35) | {"mouthShrugLower": 0.35},
    # AU 1 + 2 + 5 + 26.
    "surprise": _both(browOuterUp=0.95, eyeWide=0.9)
    | {"browInnerUp": 0.9, "jawPitch": 0.22, "mouthFunnel": 0.15},
    # AU 12 and 14 on one side.
    "contempt": {
        "mouthSmileLeft": 0.42, "mouthDimpleLeft": 0.9, "mouthPressLeft": 0.35, "mouthUpperUpLeft": 0.12,
        "eyeSquintLeft": 0.3, "eyeSquintRight": 0.15, "browOuterUpRight": 0.25, "eyeBlinkLeft": 0.12,
        "eyeBlinkRight": 0.12,
    },
}  # fmt: skip
assert tuple(EMOTION_POSES) == EMOTIONS


def pose_vector(channels: Sequence[str], pose: Mapping[str, float]) -> Float[np.ndarray, "coeffs"]:
    """Return one row of coefficients (float32); channels not in `pose` are zero.

    Raises KeyError for a name that is no channel.
    """
    vector = np.zeros(len(channels), np.float32)
    index = {name: i for i, name in enumerate(channels)}
    for name, level in pose.items():
        vector[index[name]] = level
    return vector
