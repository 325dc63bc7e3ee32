"""Names of the numbers that move a face.

Both heads of today have 53 coefficients a frame: 50 of expression, then the jaw's axis-angle in radians; how
many a motion has is the number of its channel names. On
ARKit-named heads x is pitch (positive opens), y is yaw (positive moves the chin to the subject's left), z is
roll.
"""

from __future__ import annotations

import math

NUM_EXPRESSION = 50
# Coefficients of DEEPTalk's FLAME space, and of ada, which has as many: the default of networks.
NUM_COEFFS = 53
# Measured faces stay within +-9 and half a turn of the jaw; far beyond, the numbers are no coefficients.
MOST_EXPRESSION, MOST_JAW_RAD, MOST_POSE_RAD = 30.0, math.pi, 2 * math.pi

# Apple's ARFaceAnchor blend shapes in the order of Unreal's EARFaceBlendShape; sides are the subject's.
ARKIT = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft",
    "eyeSquintLeft", "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight",
    "eyeLookOutRight", "eyeLookUpRight", "eyeSquintRight", "eyeWideRight", "jawForward", "jawLeft",
    "jawRight", "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft",
    "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft",
    "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight", "browDownLeft", "browDownRight",
    "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft",
    "cheekSquintRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
# In the order of their names, as Apple's pages list them and most published models number them.
ARKIT_BY_NAME = tuple(sorted(ARKIT))

JAW = ("jawPitch", "jawYaw", "jawRoll")

# The 48 ARKit shapes that are no jaw motion, then the two of ours, then the jaw.
ADA = (
    *(name for name in ARKIT if not name.startswith("jaw")),
    "jawForward",
    "lipSeal",
    *JAW,
)
# Channels of ada beyond ARKit's; a motion may have them after those of ADA.
TONGUE = ("tongueTipUp", "tongueBetween", "tongueBackUp")
FLAME = (*(f"expression{index:02d}" for index in range(NUM_EXPRESSION)), *JAW)
# By the name of the head.
CHANNELS = {"ada": ADA, "flame": FLAME}

# Full scale of ARKit's jaw shapes on a rotating jaw, in radians.
JAW_OPEN_RAD = 0.42
JAW_SIDE_RAD = 0.14
# Below this opening of ada's jaw `mouthClose` no longer scales with it.
SMALL_PITCH_RAD = 0.02

# How channels begin that move the speaking part of the face; FLAME's expressions all may.
_MOUTH = ("mouth", "jaw", "tongue", "lip", "cheekPuff", "expression")

assert len(ADA) == len(FLAME) == NUM_COEFFS


def is_mouth(name: str) -> bool:
    """Return whether a channel belongs to the speaking part of the face."""
    return name.startswith(_MOUTH)


def is_share(name: str) -> bool:
    """Return whether a channel goes from 0 to 1, its full scale: all but angles and FLAME's expressions."""
    return name not in JAW and not name.startswith("expression")
