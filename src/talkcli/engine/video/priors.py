"""Priors on the channels of a head: bounds, spread and smoothness of each.

Axis names: `coeffs` = 53, `moving`. A spread is a standard deviation about rest. Channels that landmarks do
not show, or cannot distinguish from other channels, have spread 0 and stay at rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from talkcli.engine.face.channels import ARKIT, JAW
from talkcli.engine.video.solver import Prior

# Spread of ARKit-named channels, whose range is 0 to 1, by the beginning of the name.
_NAMED = {
    "eyeBlink": 1.0, "eyeLook": 0.6, "eyeSquint": 0.15, "eyeWide": 0.25,
    "mouthClose": 0.0, "mouthFunnel": 0.5, "mouthPucker": 0.5, "mouthLeft": 0.15, "mouthRight": 0.15,
    "mouthSmile": 0.5, "mouthFrown": 0.4, "mouthDimple": 0.25, "mouthStretch": 0.4,
    "mouthRoll": 0.4, "mouthShrug": 0.3, "mouthPress": 0.25, "mouthLowerDown": 0.6, "mouthUpperUp": 0.5,
    "browDown": 0.5, "browInnerUp": 0.6, "browOuterUp": 0.5, "noseSneer": 0.3,
    "cheek": 0.0, "tongue": 0.0, "jawForward": 0.0, "lipSeal": 0.5,
}  # fmt: skip
# Spread and bounds of the jaw's angles in radians.
_JAW_SPREAD_RAD = {"jawPitch": 0.2, "jawYaw": 0.03, "jawRoll": 0.0}
_JAW_RANGE_RAD = {"jawPitch": (0.0, 0.5), "jawYaw": (-0.14, 0.14), "jawRoll": (0.0, 0.0)}
# Spread and greatest magnitude of statistical components, which have unit variance in their model's scans.
_COMPONENT_SPREAD, _COMPONENT_MOST = 1.0, 4.0
# Standard deviation of a channel's second difference at 25 fps, as a share of its spread, by the beginning of
# the name: lids and eyes jump, brows drift.
_BEND = {"eyeBlink": 0.5, "eyeLook": 0.25, "eye": 0.15, "brow": 0.15, "nose": 0.25}
# The same for all other channels.
_USUAL_BEND = 0.6
# Frames per second at which `_BEND` holds.
_REFERENCE_FPS = 25.0
# Standard deviation of the difference between a left and a right channel, as a share of their spread.
_ASYMMETRY = 0.5
# Beginnings of the names of channels whose left and right side move freely of each other.
_ONE_EYED = ("eyeBlink", "eyeLook")
# Slope of the linear pull to rest, times the channel's spread.
_PULL = 1.0


def prior_for(channels: Sequence[str], fps: float) -> tuple[Int[np.ndarray, "moving"], Prior]:
    """Return the indices of the `channels` that can move, and their prior at `fps` frames per second."""
    rows = [(index, *_channel(name)) for index, name in enumerate(channels)]
    moving = np.array([index for index, _, _, spread in rows if spread > 0])
    low, high, spread = (np.array([row[column] for row in rows])[moving] for column in (1, 2, 3))
    share = np.array([_by_beginning(_BEND, channels[index], _USUAL_BEND) for index in moving])
    # The acceleration is modelled as white noise, whose integral over a second is the same at any rate.
    bend = share * spread * (_REFERENCE_FPS / fps) ** 1.5
    # Channels that move in one direction only also get the linear pull to rest, except the jaw, which should
    # be what opens a mouth.
    one_way = np.array([low[k] == 0 and channels[index] not in JAW for k, index in enumerate(moving)])
    precision = np.diag(1.0 / spread**2)
    for one, other in _sides([channels[index] for index in moving]):
        stiffness = _ASYMMETRY**-2 / spread[one] ** 2
        precision[[one, other], [one, other]] += stiffness
        precision[[one, other], [other, one]] -= stiffness
    return moving, Prior(
        low=low, high=high, precision=precision, pull=np.where(one_way, _PULL / spread, 0.0), bend=bend
    )


def _sides(names: Sequence[str]) -> list[tuple[int, int]]:
    """Return the indices of each pair of channels that move the left and the right side alike."""
    lefts = [name for name in names if name.endswith("Left") and not name.startswith(_ONE_EYED)]
    others = [name.removesuffix("Left") + "Right" for name in lefts]
    return [(names.index(a), names.index(b)) for a, b in zip(lefts, others, strict=True) if b in names]


def _channel(name: str) -> tuple[float, float, float]:
    """Return the lower bound, the upper bound and the spread of a channel."""
    if name in JAW:
        return (*_JAW_RANGE_RAD[name], _JAW_SPREAD_RAD[name])
    if name in ARKIT or name == "lipSeal":
        return 0.0, 1.0, _by_beginning(_NAMED, name, 0.0)
    return -_COMPONENT_MOST, _COMPONENT_MOST, _COMPONENT_SPREAD


def _by_beginning(table: dict[str, float], name: str, otherwise: float) -> float:
    return next((value for start, value in table.items() if name.startswith(start)), otherwise)
