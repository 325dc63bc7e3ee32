"""Light smoothing of the motion; the mouth keeps its frames near a closure, so that lips that touch still do.

Axis names: `frames`, `coeffs` (ada's 53 channels).
The filters have no phase shift. At 25 fps they are binomial: the window of the mouth has three frames,
because a phone lasts two or three; that of the upper face has five. At other rates they are as wide in time.
Lids and gaze are not filtered, because they move suddenly by nature.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from jaxtyping import Bool, Float

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA, is_mouth
from talkcli.engine.filters import convolve1d
from talkcli.engine.finish.tracks import ease
from talkcli.engine.types import MODEL_FPS

# Variances of the filters in frames of 25 fps: those of the binomials 1 2 1 and 1 4 6 4 1.
_MOUTH, _UPPER_FACE = 0.5, 1.0
# Largest variance, in frames, of a window of three frames that turns no tremor over: that of 1 2 1.
_MOST_OF_THREE = 0.5
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
    coeffs: Float[np.ndarray, "frames coeffs"],
    head: AdaHead,
    held: Bool[np.ndarray, "frames"] | None = None,
    *,
    fps: float,
) -> Float[np.ndarray, "frames coeffs"]:
    """Return `coeffs`, filtered; frames whose lips touch, and `held` ones, keep their mouth exactly.

    Args:
        coeffs: Motion of ada.
        head: Head whose geometry gives the lip opening.
        held: Mask of the frames that show a contact; None for no such frames.
        fps: Frames per second of the motion.
    """
    mouth = np.array([is_mouth(name) for name in ADA])
    upper = np.array([not is_mouth(name) and not name.startswith(_SUDDEN) for name in ADA])
    smoothed = coeffs.copy()
    smoothed[:, upper] = convolve1d(coeffs[:, upper], window(_UPPER_FACE, fps), axis=0, mode="nearest")
    weight = ease((lip_opening_mm(coeffs, head) - _KEPT_MM) / (_FREE_MM - _KEPT_MM))
    if held is not None:
        weight[held] = 0
    change = convolve1d(coeffs[:, mouth], window(_MOUTH, fps), axis=0, mode="nearest") - coeffs[:, mouth]
    smoothed[:, mouth] += weight[:, None] * change
    return smoothed


def window(variance: float, fps: float) -> Float[np.ndarray, "frames"]:
    """Return the weight of each frame of a filter whose variance is `variance` at 25 fps, as wide in time at
    `fps`.

    It is made of equal windows of three frames, as few as need be.
    """
    scaled = variance * (fps / MODEL_FPS) ** 2
    repeats = math.ceil(scaled / _MOST_OF_THREE)
    beside = scaled / repeats / 2
    weights = np.ones(1)
    for _ in range(repeats):
        weights = np.convolve(weights, [beside, 1 - 2 * beside, beside])
    return weights


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
