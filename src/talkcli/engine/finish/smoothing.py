"""Light smoothing of the motion; the mouth keeps its frames near a closure, so that lips that touch still do.

Axis names: `frames` (25 fps), `coeffs` (ada's 53 channels).
The filters are binomial and have no phase shift. The window of the mouth has three frames, because at 25 fps
a phone lasts two or three; that of the upper face has five. Lids and gaze are not filtered, because they move
suddenly by nature.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import convolve1d

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, is_mouth

# Weights of the binomial filters, one per frame of the window.
_MOUTH = np.array([1, 2, 1]) / 4
_UPPER_FACE = np.array([1, 4, 6, 4, 1]) / 16
# Beginnings of the names of the channels that are not filtered.
_SUDDEN = ("eyeBlink", "eyeLook", "eyeWide")
# Lip openings in millimetres: up to the first the mouth keeps its frame, from the second on the filter
# applies in full, and between them it fades in. When the lower lip touches the teeth, the opening is about
# 2 mm.
_KEPT_MM, _FREE_MM = 1.0, 4.0
# The inner lips among the 68 landmarks.
_INNER_LIPS = slice(60, 68)
# Number of frames whose vertices are computed at once, which bounds the memory.
_BLOCK_FRAMES = 1024


def smooth(
    coeffs: Float[np.ndarray, "frames coeffs"], head: AdaHead, held: Bool[np.ndarray, "frames"] | None = None
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs`, filtered; frames whose lips touch, and `held` ones, keep their mouth exactly.

    Args:
        coeffs: Motion of ada at 25 fps.
        head: Head whose geometry gives the lip opening.
        held: Mask of the frames that show a contact; None for no such frames.
    """
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
    """Return the lip opening in millimetres, as `face.topology.lip_opening_mm` measures it.

    The function computes only the vertices of the inner lips, which is faster.
    """
    chosen = torch.from_numpy(head.landmark_vertices[_INNER_LIPS])
    gaps = []
    for start in range(0, len(coeffs), _BLOCK_FRAMES):
        block = torch.from_numpy(coeffs[start : start + _BLOCK_FRAMES].astype(np.float32))
        with torch.no_grad():
            points = head(block, only=chosen)
        # Order of the points: corner, three above, corner, three below in the opposite direction.
        gaps.append((points[:, [1, 2, 3]] - points[:, [7, 6, 5]]).norm(dim=-1).mean(dim=-1))
    return torch.cat(gaps).numpy() * 1000
