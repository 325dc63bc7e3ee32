"""Published means of adult faces, and where they are measured on the head.

Axis names: `verts`. Millimetres. Source: Farkas et al. (2005), International anthropometric study of facial
morphology, norms of North American whites of 18 to 30 years.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada.person import Person

Points = Float[np.ndarray, "verts 3"]


@dataclass(frozen=True)
class Norm:
    """Mean and standard deviation of a measure, of men and of women, in millimetres."""

    man: tuple[float, float]
    woman: tuple[float, float]

    def of(self, sex: float, deviations: float = 0.0) -> float:
        """Return the measure of a person: the mean of the `sex` (0 woman, 1 man) plus so many standard
        deviations.
        """
        mean, deviation = sex * np.array(self.man) + (1.0 - sex) * np.array(self.woman)
        return float(mean + deviations * deviation)


# Farkas' names of the measures stand behind them.
NORMS = {
    "face_width": Norm((137.1, 4.3), (129.9, 5.3)),  # zy-zy
    "jaw_width": Norm((97.1, 5.8), (91.1, 5.9)),  # go-go
    "face_height": Norm((121.3, 6.8), (111.8, 5.2)),  # n-gn
    "nose_height": Norm((53.0, 3.5), (48.9, 2.6)),  # n-sn
    "nose_width": Norm((34.7, 2.6), (31.4, 1.9)),  # al-al
    "mouth_width": Norm((53.3, 3.3), (49.8, 3.2)),  # ch-ch
    "eye_distance": Norm((32.9, 2.7), (31.6, 2.4)),  # en-en
    "eye_width": Norm((89.4, 3.6), (86.8, 4.0)),  # ex-ex
}
# Calipers press the flesh at the angles of the jaw against the bone; the skin lies this far outside, on both
# sides together (tissue depth after Stephan and Simpson, 2008).
_FLESH = {"jaw_width": 16.0}
# A measure that no field of a person changes.
_OF_SEX = "eye_width"
# Points of the canonical head's left side that are no landmarks of iBUG's scheme.
ZYGION, GONION, ALARE = (67.0, -17.0, 26.0), (57.0, -72.0, 14.0), (17.6, -40.5, 95.5)


def wanted(person: Person) -> dict[str, float]:
    """Return the measures that the person's head has, by the names of `NORMS`."""
    return {
        name: norm.of(person.sex, 0.0 if name == _OF_SEX else getattr(person, name)) + _FLESH.get(name, 0.0)
        for name, norm in NORMS.items()
    }


@dataclass(frozen=True)
class Measures:
    """Where the head is measured: vertices, by the names of `NORMS`."""

    pairs: dict[str, tuple[int, int]]

    def of(self, points: Points) -> dict[str, float]:
        """Return the measures of a head with its vertices at `points`."""
        return {
            name: float(np.linalg.norm(points[first] - points[second]))
            for name, (first, second) in self.pairs.items()
        }


def measures(canonical: Points, landmarks: np.ndarray, skin: int, mirror: np.ndarray) -> Measures:
    """Find the points of measure on the canonical head.

    Args:
        canonical: Vertices of the canonical head.
        landmarks: The 68 landmarks' vertices.
        skin: How many of the first vertices are skin.
        mirror: Of each vertex of the skin, the one across the midline.
    """

    def across(place: tuple[float, float, float]) -> tuple[int, int]:
        left = int(((canonical[:skin] - np.array(place)) ** 2).sum(1).argmin())
        return left, int(mirror[left])

    def between(first: int, second: int) -> tuple[int, int]:
        return int(landmarks[first]), int(landmarks[second])

    return Measures(
        {
            "face_width": across(ZYGION),
            "jaw_width": across(GONION),
            "face_height": between(27, 8),
            "nose_height": between(27, 33),
            "nose_width": across(ALARE),
            "mouth_width": between(48, 54),
            "eye_distance": between(39, 42),
            "eye_width": between(36, 45),
        }
    )
