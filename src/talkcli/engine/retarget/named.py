"""ARKit's curves as weights of a rig, and back, by the names of the rig's shapes.

Axis names: `frames`, `shapes`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.face.avatar.names import SIDES, meaning_of
from talkcli.engine.face.channels import ARKIT


def arkit_names(shape: str) -> tuple[str, ...]:
    """Return the curves of ARKit that a shape called `shape` shows; none where its name says nothing.

    A shape of both eyes shows both curves, and one side of a shape that ARKit does not split shows all of it.
    """
    meaning = meaning_of(shape)
    if meaning is None or meaning.kind != "arkit":
        return ()
    names = [meaning.name] if meaning.name in ARKIT else [meaning.stem]
    if not meaning.side and meaning.stem not in ARKIT:
        names = [f"{meaning.stem}{side}" for side in SIDES]
    return tuple(name for name in names if name in ARKIT)


def weights_by_name(
    curves: Mapping[str, Float[np.ndarray, "frames"]], shapes: Sequence[str]
) -> tuple[Float[np.ndarray, "frames shapes"], Bool[np.ndarray, "known"]]:
    """Return the weights of `shapes`, and which of them have a name that says what they do; others are 0."""
    num_frames = len(next(iter(curves.values())))
    weights, known = np.zeros((num_frames, len(shapes)), np.float32), np.zeros(len(shapes), bool)
    for index, shape in enumerate(shapes):
        names = [name for name in arkit_names(shape) if name in curves]
        if names:
            weights[:, index] = np.mean([curves[name] for name in names], axis=0)
            known[index] = True
    return weights, known


def curves_by_name(
    weights: Float[np.ndarray, "frames shapes"], shapes: Sequence[str]
) -> dict[str, Float[np.ndarray, "frames"]]:
    """Return ARKit's curves of the weights of `shapes`, of those that a shape shows; the largest where two
    show one.
    """
    curves: dict[str, Float[np.ndarray, "frames"]] = {}
    for column, shape in zip(weights.T, shapes, strict=True):
        for name in arkit_names(shape):
            value = column.clip(0.0, 1.0)
            curves[name] = np.maximum(curves[name], value) if name in curves else value
    return curves
