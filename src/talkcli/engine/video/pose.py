"""Pose of a face in every picture: a rotation, shift and scale of one rigid shape, under weak perspective.

Axis names: `frames`, `points`, `axes` = 3. This module takes points in pixels with x right, y up and z
towards the camera; pictures themselves have y down.
Source: generalised Procrustes analysis (Gower 1975) with the closed form of Umeyama (1991); points that move
less relative to the shape get larger weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.spatial.transform import Rotation

# Number of passes of the Procrustes analysis.
_MOST_PASSES = 6


@dataclass(frozen=True)
class Similarity:
    """Similarity transform of each frame: picture = scale * rotation @ shape + shift."""

    scale: Float[np.ndarray, "frames"]
    rotation: Float[np.ndarray, "frames 3 3"]
    shift: Float[np.ndarray, "frames 3"]

    def forth(self, shape: Float[np.ndarray, "frames points 3"]) -> Float[np.ndarray, "frames points 3"]:
        """Transform points from the frame of the shape into the picture's."""
        turned = np.einsum("fxy,fpy->fpx", self.rotation, shape)
        return self.scale[:, None, None] * turned + self.shift[:, None]

    def back(self, picture: Float[np.ndarray, "frames points 3"]) -> Float[np.ndarray, "frames points 3"]:
        """Transform points from the picture's frame into that of the shape."""
        centred = (picture - self.shift[:, None]) / self.scale[:, None, None]
        return np.einsum("fyx,fpy->fpx", self.rotation, centred)

    def after(self, first: Similarity) -> Similarity:
        """Return the transform from the target of `first` into the picture; `first` has a single frame."""
        scale = self.scale / first.scale[0]
        rotation = self.rotation @ first.rotation[0].T
        return Similarity(scale, rotation, self.shift - scale[:, None] * (rotation @ first.shift[0]))

    def then(self, first: Similarity) -> Similarity:
        """Return the transform that applies `first` and then this one; both have a single frame."""
        return Similarity(
            self.scale * first.scale,
            self.rotation @ first.rotation,
            self.forth(first.shift[:, None])[:, 0],
        )

    def at(self, frames: slice) -> Similarity:
        """Return the transforms of the given frames."""
        return Similarity(self.scale[frames], self.rotation[frames], self.shift[frames])


def similarity(
    shape: Float[np.ndarray, "points 3"],
    pictures: Float[np.ndarray, "frames points 3"],
    weights: Float[np.ndarray, "points"],
) -> Similarity:
    """Return the weighted least-squares similarity from `shape` to each of `pictures`."""
    w = weights / weights.sum()
    middle, middles = w @ shape, np.einsum("p,fpx->fx", w, pictures)
    source, target = shape - middle, pictures - middles[:, None]
    left, size, right = np.linalg.svd(np.einsum("p,fpx,py->fxy", w, target, source))
    mirrored = np.where(np.linalg.det(left @ right) < 0, -1.0, 1.0)
    left = left * np.stack([np.ones_like(mirrored), np.ones_like(mirrored), mirrored], -1)[:, None]
    size[:, 2] *= mirrored
    rotation = left @ right
    scale = size.sum(axis=1) / np.einsum("p,px,px->", w, source, source)
    return Similarity(scale, rotation, middles - scale[:, None] * np.einsum("fxy,y->fx", rotation, middle))


def follow(pictures: Float[np.ndarray, "frames points 3"], seen: Bool[np.ndarray, "frames"]) -> Similarity:
    """Return the pose in every frame of the rigid shape that explains `pictures` best.

    Frames that are not `seen` get the interpolation of their neighbours' poses. The shape has the size and
    the direction of the face in the middle of the seen frames.
    """
    visible = pictures[seen].astype(np.float64)
    shape = visible[len(visible) // 2]
    weights = np.ones(len(shape))
    for _ in range(_MOST_PASSES):
        found = similarity(shape, visible, weights)
        steady = found.back(visible)
        shape = steady.mean(axis=0)
        # Cauchy weights, scaled by the median movement: points that move relative to the shape count little.
        unrest = np.linalg.norm(steady - shape, axis=-1)
        weights = 1.0 / (1.0 + (unrest / (np.median(unrest) + 1e-9)).mean(axis=0) ** 2)
    return between(similarity(shape, visible, weights), seen)


def between(found: Similarity, seen: Bool[np.ndarray, "frames"]) -> Similarity:
    """Return transforms for all frames: `found` in `seen` frames, interpolated or the nearest in others."""
    # Quaternions of neighbours must have the same sign, so that the interpolation turns the short way.
    turns = Rotation.from_matrix(found.rotation).as_quat()
    flips = np.cumprod(np.where((turns[1:] * turns[:-1]).sum(-1) < 0, -1.0, 1.0))
    turns[1:] *= flips[:, None]
    rotation = Rotation.from_quat(filled(turns, seen)).as_matrix()
    return Similarity(filled(found.scale, seen), rotation, filled(found.shift, seen))


def filled(
    values: Float[np.ndarray, "known *shape"], seen: Bool[np.ndarray, "frames"]
) -> Float[np.ndarray, "frames *shape"]:
    """Return `values` in `seen` frames, linear interpolation between them, and the nearest value outside."""
    columns = values.reshape(len(values), -1).T
    at, known = np.arange(len(seen)), np.flatnonzero(seen)
    lines = [np.interp(at, known, column) for column in columns]
    return np.stack(lines, -1).reshape(len(seen), *values.shape[1:])
