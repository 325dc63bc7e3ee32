"""Standard data of formulas on which numbers of public scripts were computed, and a way to score it.

Axis names: `frames`, `verts` = 60. Three clips of 40, 37 and 52 frames at 25 fps; lips are vertices 0 to 19,
some of them listed twice, and the upper face 30 to 54.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from talkcli.engine.face.surface import Surface
from talkcli.engine.face.topology import FaceMesh
from talkcli.engine.pipelines.score.clip import score_clip
from talkcli.engine.pipelines.score.overall import over_clips
from talkcli.engine.types import Speech, VertexMotion

CLIPS, FRAMES, VERTS, FPS = range(3), (40, 37, 52), 60, 25.0
LIPS, UPPER = np.arange(20), np.arange(30, 55)
LIPS_TWICE, UPPER_TWICE = np.r_[0:20, 3, 7, 11, 15], np.r_[30:55, 50:55]
TEMPLATE = 0.05 * np.sin(np.arange(VERTS)[:, None] + 2 * np.arange(3)[None])
# Vertices of the landmarks: 51 and 57 are the outer lips, 62 and 66 stand for the points of MTM's script.
_MARKS = np.r_[0:60, 0:8]
_MARKS[[62, 66]] = 4, 14

_V, _K = np.arange(VERTS)[:, None], np.arange(3)[None]


def truth(c: int, frames: int | None = None, *, rate: float = 1.0, amplitude: float = 0.004) -> np.ndarray:
    t = np.arange(FRAMES[c] if frames is None else frames)[:, None, None] / rate
    return TEMPLATE + amplitude * np.sin(0.31 * t + 0.17 * _V + 0.9 * _K + c)


def prediction(c: int, frames: int | None = None, lag: float | np.ndarray = 1.0) -> np.ndarray:
    t = np.arange(FRAMES[c] if frames is None else frames)[:, None, None]
    late = np.asarray(lag).reshape(-1, 1, 1)
    return TEMPLATE + 0.0035 * np.sin(0.31 * (t - late) + 0.17 * _V + 0.9 * _K + c + 0.05 * np.sin(_V))


def scaled(c: int) -> np.ndarray:
    return TEMPLATE + (1.0, 1.3, 0.8)[c] * (prediction(c) - TEMPLATE)


def take(c: int, s: int) -> np.ndarray:
    t = np.arange(FRAMES[c])[:, None, None]
    return prediction(c) + 0.0005 * np.sin(0.5 * t + _V + 7 * s)


def coefficients(c: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Prediction and truth."""
    t, j = np.arange(FRAMES[c])[:, None], np.arange(columns)[None]
    predicted = 0.5 + 0.28 * np.sin(0.31 * (t - 1) + 0.17 * j + c + 0.05 * np.sin(j))
    return predicted, 0.5 + 0.3 * np.sin(0.31 * t + 0.17 * j + c)


def codes(c: int, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Prediction and truth."""
    t, j = np.arange(FRAMES[c])[:, None], np.arange(columns)[None]
    return 0.08 * np.sin(0.2 * t + j + c + 0.3), 0.1 * np.sin(0.2 * t + j + c)


def audio(c: int) -> np.ndarray:
    u = np.arange(640 * FRAMES[c]) / 16000
    return (
        0.5
        * np.maximum(0, np.sin(2 * np.pi * 2.7 * u + 0.3 * c)) ** 2
        * np.sin(2 * np.pi * (180 + 20 * c) * u)
    )


def int16(samples: np.ndarray) -> np.ndarray:
    return np.round(32767 * samples).astype(np.int16)


def features(items: int = 50, columns: int = 8) -> tuple[np.ndarray, np.ndarray]:
    """The sets A and B."""
    i, j = np.arange(items)[:, None], np.arange(columns)[None]
    first = np.sin(0.37 * (i + 1) * (j + 1)) + 0.1 * j
    second = 0.9 * np.sin(0.37 * (i + 1) * (j + 1) + 0.5) + 0.12 * j + 0.05 * np.cos(0.1 * i**2)
    return first, second


def overall(name: str, takes: list[list[np.ndarray]], true: list[np.ndarray]) -> float:
    """Score clips with their takes by the catalogue's row `name`, as `talk score` does."""
    values = []
    for c, (made, real) in enumerate(zip(takes, true, strict=True)):
        speech = Speech(samples=audio(c).astype(np.float32))
        surfaces = [surface(vertices) for vertices in made]
        values.append(score_clip(surfaces, surface(real), speech, "no phones", metrics=[name])[name])
    found = over_clips(name, values)
    assert found["value"] is not None, found["reason"]
    return float(found["value"])


def surface(vertices: np.ndarray) -> Surface:
    motion = VertexMotion(vertices=vertices, neutral=TEMPLATE, fps=FPS, topology="standard")
    return Surface(motion, FaceMesh(name="standard", template=TEMPLATE, numbering=Numbering()))


class Numbering:
    """What is known of the standard mesh."""

    name = "standard"
    parts = ("skin",)
    template = TEMPLATE
    faces = np.zeros((0, 3), np.int64)
    part_of_face = np.zeros(0, np.int64)
    colours = np.full((VERTS, 3), 0.5, np.float32)
    regions: ClassVar[dict[str, np.ndarray]] = {
        "lips": LIPS_TWICE,
        "upper_face": UPPER,
        "eyes": UPPER,
        "forehead": np.arange(50, 55),
    }

    def landmarks(self, vertices: Tensor) -> Tensor:
        return vertices[:, torch.from_numpy(_MARKS)]
