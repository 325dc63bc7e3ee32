"""Light smoothing that keeps what must touch: the mouth's frames near a closure stay as they are.

Axis names: `frames` at 25 fps, `coeffs` = ada's 53 numbers.
Binomial filters of no phase shift; the mouth's spans three frames, for at 25 fps a sound lasts two or three,
and the upper face's five. Lids and gaze, which are sudden by nature, are left out.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import convolve1d

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, is_mouth

_MOUTH = np.array([1, 2, 1]) / 4
_UPPER_FACE = np.array([1, 4, 6, 4, 1]) / 16
_SUDDEN = ("eyeBlink", "eyeLook", "eyeWide")
# Lips no further apart keep their frame; further than the second number it is smoothed in full. Lower lip
# and teeth touch at about 2 mm.
_KEPT_MM, _FREE_MM = 1.0, 4.0
_INNER_LIPS = slice(60, 68)
_BLOCK_FRAMES = 1024


def smooth(
    coeffs: Float[np.ndarray, "frames coeffs"], head: AdaHead, held: Bool[np.ndarray, "frames"] | None = None
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs` with less jerk; frames whose lips touch, and `held` ones, keep their mouth exactly."""
    mouth = np.array([is_mouth(name) for name in ADA])
    upper = np.array([not is_mouth(name) and not name.startswith(_SUDDEN) for name in ADA])
    smoothed = coeffs.copy()
    smoothed[:, upper] = convolve1d(coeffs[:, upper], _UPPER_FACE, axis=0, mode="nearest")
    apart = np.clip((lip_opening_mm(coeffs, head) - _KEPT_MM) / (_FREE_MM - _KEPT_MM), 0, 1)
    weight = apart * apart * (3 - 2 * apart)
    if held is not None:
        weight[held] = 0
    change = convolve1d(coeffs[:, mouth], _MOUTH, axis=0, mode="nearest") - coeffs[:, mouth]
    smoothed[:, mouth] += weight[:, None] * change
    return smoothed


def lip_opening_mm(coeffs: Float[np.ndarray, "frames coeffs"], head: AdaHead) -> Float[np.ndarray, "frames"]:
    """Return `face.head.lip_opening_mm` from the inner lips alone, which is fast."""
    chosen = torch.from_numpy(head.landmark_vertices[_INNER_LIPS])
    gaps = []
    for start in range(0, len(coeffs), _BLOCK_FRAMES):
        block = torch.from_numpy(coeffs[start : start + _BLOCK_FRAMES].astype(np.float32))
        with torch.no_grad():
            points = head(block, only=chosen)
        # Corner, three points above, corner, three points below in the opposite order.
        gaps.append((points[:, [1, 2, 3]] - points[:, [7, 6, 5]]).norm(dim=-1).mean(dim=-1))
    return torch.cat(gaps).numpy() * 1000
