"""Priors on the channels of a head: the usual range and speed of each.

Axis names: `coeffs` = 53, `moving`. Spreads are standard deviations about rest. Channels that landmarks
cannot tell apart from others, or not see at all, have none and stay at rest.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int

from talkcli.engine.face.channels import ARKIT, JAW
from talkcli.engine.video.solver import Prior

# By the beginning of a name: spread of ARKit-named channels, whose range is 0 to 1.
_NAMED = {
    "eyeBlink": 1.0, "eyeLook": 0.6, "eyeSquint": 0.15, "eyeWide": 0.25,
    "mouthClose": 0.0, "mouthFunnel": 0.5, "mouthPucker": 0.5, "mouthLeft": 0.15, "mouthRight": 0.15,
    "mouthSmile": 0.5, "mouthFrown": 0.4, "mouthDimple": 0.25, "mouthStretch": 0.4,
    "mouthRoll": 0.4, "mouthShrug": 0.3, "mouthPress": 0.25, "mouthLowerDown": 0.6, "mouthUpperUp": 0.5,
    "browDown": 0.5, "browInnerUp": 0.6, "browOuterUp": 0.5, "noseSneer": 0.3,
    "cheek": 0.0, "tongue": 0.0, "jawForward": 0.0, "lipSeal": 0.5,
}  # fmt: skip
_JAW_SPREAD_RAD = {"jawPitch": 0.2, "jawYaw": 0.03, "jawRoll": 0.0}
_JAW_RANGE_RAD = {"jawPitch": (0.0, 0.5), "jawYaw": (-0.14, 0.14), "jawRoll": (0.0, 0.0)}
# Statistical components have unit variance in the scans they come from.
_COMPONENT_SPREAD, _COMPONENT_MOST = 1.0, 4.0
# Of the spread, per frame squared at 25 fps: lids and eyes jump, brows drift.
_BEND = {"eyeBlink": 0.5, "eyeLook": 0.25, "eye": 0.15, "brow": 0.15, "nose": 0.25}
_USUAL_BEND = 0.6
_REFERENCE_FPS = 25.0
# Of the spread: how far left and right differ, and what a channel's first use costs.
_ASYMMETRY = 0.5
_ONE_EYED = ("eyeBlink", "eyeLook")
_PULL = 1.0


def prior_for(channels: Sequence[str], fps: float) -> tuple[Int[np.ndarray, "moving"], Prior]:
    """Return which of `channels` move, and their prior at `fps`."""
    rows = [(index, *_channel(name)) for index, name in enumerate(channels)]
    moving = np.array([index for index, _, _, spread in rows if spread > 0])
    low, high, spread = (np.array([row[column] for row in rows])[moving] for column in (1, 2, 3))
    share = np.array([_by_beginning(_BEND, channels[index], _USUAL_BEND) for index in moving])
    # White acceleration: its sum over a second is the same at any rate.
    bend = share * spread * (_REFERENCE_FPS / fps) ** 1.5
    # What goes one way only is also drawn to rest in proportion; the jaw is what should open a mouth.
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
    """Return places of channels that do the same on the left and on the right."""
    lefts = [name for name in names if name.endswith("Left") and not name.startswith(_ONE_EYED)]
    others = [name.removesuffix("Left") + "Right" for name in lefts]
    return [(names.index(a), names.index(b)) for a, b in zip(lefts, others, strict=True) if b in names]


def _channel(name: str) -> tuple[float, float, float]:
    """Return bounds and spread."""
    if name in JAW:
        return (*_JAW_RANGE_RAD[name], _JAW_SPREAD_RAD[name])
    if name in ARKIT or name == "lipSeal":
        return 0.0, 1.0, _by_beginning(_NAMED, name, 0.0)
    return -_COMPONENT_MOST, _COMPONENT_MOST, _COMPONENT_SPREAD


def _by_beginning(table: dict[str, float], name: str, otherwise: float) -> float:
    return next((value for start, value in table.items() if name.startswith(start)), otherwise)
