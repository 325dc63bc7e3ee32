"""All metrics of one clip: its takes against its true motion and its sound.

Axis names: `frames`, `verts`.
What cannot be computed has no value but a reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from talkcli.engine.errors import AssetError
from talkcli.engine.face.head import Head, lip_opening_mm
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.metrics.diversity import diversity_l2, diversity_mm
from talkcli.engine.metrics.eve import eve_m2, eve_mm
from talkcli.engine.metrics.fdd import fdd_m2
from talkcli.engine.metrics.jump import jump_mm
from talkcli.engine.metrics.lve import lve_m2, lve_mm
from talkcli.engine.metrics.mve import mve_mm
from talkcli.engine.metrics.sync import closure_share, sync_correlation
from talkcli.engine.metrics.undefined import UndefinedMetricError
from talkcli.engine.types import Motion, Speech

# Frames whose vertices are looked at together.
_BLOCK_FRAMES = 64


@dataclass(frozen=True, kw_only=True)
class Value:
    """A measured value with its weight among clips, or the reason why there is none."""

    value: float | None
    reason: str | None = None
    weight: float = 1.0


def _indices(head: Head, vertices: str) -> np.ndarray:
    """Vertex indices of a set named in `METRICS`. Raises AssetError where the head does not know a region."""
    return np.unique(np.concatenate([head.regions[name] for name in vertices.split("+")]))


def set_sizes(head: Head) -> dict[str, int | None]:
    """Number of vertices of each set, and of coefficients; None where the head does not know a region."""
    sizes: dict[str, int | None] = {
        "all": len(head.template),
        "inner lips": 6,
        "coefficients": len(head.channels),
    }
    for name in {info.vertices for info in METRICS.values()} - set(sizes):
        try:
            sizes[name] = len(_indices(head, name))
        except AssetError:
            sizes[name] = None
    return sizes


class _Surface:
    """A motion's vertices, as the metrics want them: those of single regions for all frames, or all vertices
    for some frames, but never all for all.
    """

    def __init__(self, head: Head, motion: Motion) -> None:
        self._head = head
        self._coeffs = torch.from_numpy(motion.coeffs)
        self._regions: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self._coeffs)

    @torch.inference_mode()
    def part(self, metric: str) -> np.ndarray:
        """The vertex set of `metric`, a region."""
        name = METRICS[metric].vertices
        if name not in self._regions:
            chosen = torch.from_numpy(_indices(self._head, name)).long()
            self._regions[name] = self._head(self._coeffs, only=chosen).numpy()
        return self._regions[name]

    @torch.inference_mode()
    def whole(self, frames: slice) -> np.ndarray:
        """All vertices of `frames`."""
        return self._head(self._coeffs[frames]).numpy()

    @torch.inference_mode()
    def opening_mm(self) -> np.ndarray:
        gaps = [
            lip_opening_mm(self._head.landmarks(torch.from_numpy(self.whole(block))))
            for block in _blocks(len(self))
        ]
        return torch.cat(gaps).numpy()


def _blocks(num_frames: int) -> list[slice]:
    return [slice(start, start + _BLOCK_FRAMES) for start in range(0, num_frames, _BLOCK_FRAMES)]


def _frame_mean(num_frames: int, metric: Callable[[slice], float]) -> float:
    """What a metric that is a mean over frames gives for all of them, from what it gives for blocks."""
    blocks = _blocks(num_frames)
    weights = [min(block.stop, num_frames) - block.start for block in blocks]
    return float(np.average([metric(block) for block in blocks], weights=weights))


def score_clip(
    head: Head, takes: Sequence[Motion], true: Motion | None, speech: Speech | None
) -> dict[str, Value]:
    """Every metric of `METRICS`. Over takes: the mean, but `jump_mm` the worst, `diversity_*` the spread.

    All motions are of one length.
    """
    surfaces = [_Surface(head, motion) for motion in takes]
    fps = takes[0].fps
    values = _measure(
        {
            "diversity_mm": lambda: _frame_mean(
                len(surfaces[0]), lambda block: diversity_mm([surface.whole(block) for surface in surfaces])
            ),
            "diversity_l2": lambda: diversity_l2([motion.coeffs for motion in takes]),
            "jump_mm": lambda: max(jump_mm(surface.part("jump_mm")) for surface in surfaces),
        }
    )
    if true is None:
        values |= _undefined("truth", "no true motion given for this clip")
    else:
        values |= _against_truth(surfaces, _Surface(head, true), head)
    if speech is None:
        values |= _undefined("audio", "no sound given for this clip")
    else:
        values |= _against_sound(surfaces, head, speech, fps)
    # In the catalogue's order, and a missing one would be an error.
    return {name: values[name] for name in METRICS}


def _against_truth(surfaces: Sequence[_Surface], true: _Surface, head: Head) -> dict[str, Value]:
    def mean(name: str, metric: Callable[[np.ndarray, np.ndarray], float]) -> Callable[[], float]:
        return lambda: float(np.mean([metric(surface.part(name), true.part(name)) for surface in surfaces]))

    def whole_error(surface: _Surface) -> float:
        return _frame_mean(len(true), lambda block: mve_mm(surface.whole(block), true.whole(block)))

    def upper_at_rest() -> np.ndarray:
        return head.template[_indices(head, METRICS["fdd_m2"].vertices)]

    return _measure(
        {
            "lve_mm": mean("lve_mm", lve_mm),
            "lve_m2": mean("lve_m2", lve_m2),
            "eve_mm": mean("eve_mm", eve_mm),
            "eve_m2": mean("eve_m2", eve_m2),
            "mve_mm": lambda: float(np.mean([whole_error(surface) for surface in surfaces])),
            "fdd_m2": mean("fdd_m2", lambda one, other: fdd_m2(one, other, upper_at_rest())),
        },
        weight=float(len(true)),
    )


def _against_sound(surfaces: Sequence[_Surface], head: Head, speech: Speech, fps: float) -> dict[str, Value]:
    # Where the sound has ended there is neither speech nor a pause to compare with.
    num_frames = min(len(surfaces[0]), max(1, round(speech.duration_s * fps)))
    try:
        openings = [surface.opening_mm()[:num_frames] for surface in surfaces]
        rest = float(lip_opening_mm(head.landmarks(torch.from_numpy(head.template)[None]))[0])
    except AssetError as error:
        return _undefined("audio", error.problem)

    def correlations() -> np.ndarray:
        return np.mean([sync_correlation(opening, speech, fps) for opening in openings], axis=0)

    def closures() -> np.ndarray:
        return np.mean([closure_share(opening, rest, speech, fps) for opening in openings], axis=0)

    values = _measure({"sync_r": lambda: correlations()[0], "sync_lag_ms": lambda: correlations()[1]})
    try:
        share, num_silent = closures()
    except UndefinedMetricError as error:
        return values | {"closure": Value(value=None, reason=str(error))}
    return values | {"closure": Value(value=float(share), weight=float(num_silent))}


def _measure(metrics: Mapping[str, Callable[[], float]], weight: float = 1.0) -> dict[str, Value]:
    values = {}
    for name, metric in metrics.items():
        try:
            number = float(metric())
            finite = math.isfinite(number)
            values[name] = Value(
                value=number if finite else None,
                reason=None if finite else "not a finite number",
                weight=weight,
            )
        except UndefinedMetricError as error:
            values[name] = Value(value=None, reason=str(error))
        except AssetError as error:
            values[name] = Value(value=None, reason=error.problem)
    return values


def _undefined(needs: str, reason: str) -> dict[str, Value]:
    return {name: Value(value=None, reason=reason) for name, info in METRICS.items() if info.needs == needs}
