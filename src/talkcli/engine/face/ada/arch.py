"""The dental arches: where each tooth stands and how large it is.

Axis names: `points`, `teeth` = 7 (from the midline to the second molar), the left half. Millimetres. Crowns
after the table of measurements in Wheeler's dental anatomy (Nelson and Ash, 9th ed.); the arch is a
superellipse through the labial faces. Upper teeth overlap the lower ones by 2.4 mm (overbite) and stand
2.2 mm before them (overjet).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Values = Float[np.ndarray, "points"]

# Squareness of the arches: 2 is an ellipse.
_POWER = 2.3


@dataclass(frozen=True)
class Tooth:
    """A crown: height, widths along the arch and across it, at the widest place and at the neck; `edge` is
    the height at which it ends."""

    tall: float
    wide: float
    wide_neck: float
    thick: float
    thick_neck: float
    edge: float


@dataclass(frozen=True)
class Arch:
    """One row: `down` is -1 for the upper row, whose crowns grow downwards."""

    half_width: float
    front: float
    depth: float
    down: float
    teeth: tuple[Tooth, ...]

    def z(self, x: Values, off: float = 0.0) -> Values:
        """Return depth of the labial outline, `off` outside it, at a distance from the midline; level beyond
        the arch.
        """
        share = np.clip(np.abs(x) / (self.half_width + off), 0.0, 1.0)
        return self.front + off - (self.depth + off) * (1.0 - (1.0 - share**_POWER) ** (1.0 / _POWER))

    def at(self, length: Values) -> tuple[Float[np.ndarray, "points 2"], Float[np.ndarray, "points 2"]]:
        """Return places (x, z) and unit outward normals at lengths along the outline from the midline."""
        turn = np.linspace(0.0, np.pi / 2, 2000)
        x = self.half_width * np.sin(turn) ** (2.0 / _POWER)
        z = self.front - self.depth * (1.0 - np.cos(turn) ** (2.0 / _POWER))
        along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(z)))])
        place = np.stack([np.interp(np.abs(length), along, values) for values in (x, z)], 1)
        step = np.stack(
            [np.interp(np.abs(length) + d, along, values) for values in (x, z) for d in (-0.5, 0.5)], 1
        )
        normal = np.stack([step[:, 2] - step[:, 3], step[:, 1] - step[:, 0]], 1)
        normal[np.abs(length) < 0.5] = (0.0, 1.0)
        return place, normal / np.linalg.norm(normal, axis=1, keepdims=True)

    def starts(self) -> Values:
        """Return lengths along the outline at which teeth meet, eight from the midline on."""
        return np.concatenate([[0.0], np.cumsum([tooth.wide for tooth in self.teeth])])


UPPER = Arch(
    half_width=30.0,
    front=91.2,
    depth=46.0,
    down=-1.0,
    teeth=(
        Tooth(10.5, 8.5, 7.0, 7.0, 6.0, -72.2),
        Tooth(9.0, 6.5, 5.0, 6.0, 5.0, -71.5),
        Tooth(10.0, 7.5, 5.5, 8.0, 7.0, -72.0),
        Tooth(8.5, 7.0, 5.0, 9.0, 8.0, -71.6),
        Tooth(8.5, 7.0, 5.0, 9.0, 8.0, -71.4),
        Tooth(7.5, 10.0, 8.0, 11.0, 10.0, -71.0),
        Tooth(7.0, 9.0, 7.0, 11.0, 10.0, -70.4),
    ),
)
LOWER = Arch(
    half_width=28.2,
    front=89.0,
    depth=46.0,
    down=1.0,
    teeth=(
        Tooth(9.0, 5.0, 3.5, 6.0, 5.3, -69.8),
        Tooth(9.5, 5.5, 4.0, 6.5, 5.8, -69.9),
        Tooth(11.0, 7.0, 5.5, 7.5, 7.0, -69.6),
        Tooth(8.5, 7.0, 5.0, 7.5, 6.5, -70.7),
        Tooth(8.0, 7.0, 5.0, 8.0, 7.0, -71.2),
        Tooth(7.5, 11.0, 9.0, 10.5, 9.0, -71.3),
        Tooth(7.0, 10.5, 8.0, 10.0, 9.0, -70.8),
    ),
)
