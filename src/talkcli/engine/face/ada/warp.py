"""From the canonical head to a person's: a smooth map of space that carries every piece and every channel.

Axis names: `points`, `fields`. Millimetres. The map adds a few fields of displacement, each named after what
it makes larger; near the eyes it is a similarity, so that lids still slide on spheres. How large the fields
with a published measure are is solved for (`proportions.py`); the others follow from sex, age and build.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import field
from talkcli.engine.face.ada.curves import MOUTH_Y, smoothstep
from talkcli.engine.face.ada.person import Person
from talkcli.engine.face.ada.proportions import Measures, wanted

Points = Float[np.ndarray, "points 3"]
Weights = Float[np.ndarray, "points"]
# The map is a similarity up to the first distance from an eye's centre, and free beyond the second.
_RIGID_MM, _FREE_MM = 20.0, 38.0
# Newton's steps towards the measures.
_STEPS = 12


def _spot(p: Points, centre: field.Triple, radii: field.Triple) -> Weights:
    """Return a Gaussian about a point of the left half and its mirror image."""
    q = (_folded(p) - np.array(centre)) / np.array(radii)
    return np.exp(-(q * q).sum(1))


def _along(weight: Weights, x: Weights | float = 0.0, y: Weights | float = 0.0, z: float = 0.0) -> Points:
    """Return the displacement (x, y, z) times `weight`."""
    return np.stack([weight * x, weight * y, weight * z], 1)


def _side(p: Points) -> Weights:
    """Return 1 on the left and -1 on the right; a step at the midline would fold what lies there."""
    return np.tanh(p[:, 0] / 8.0)


def _wider(p: Points, weight: Weights, half_width: float) -> Points:
    """Return what makes the head one millimetre wider where it has that half width."""
    return _along(weight, x=0.5 * p[:, 0] / half_width)


def _bell(values: Weights, centre: float, width: float) -> Weights:
    return np.exp(-(((values - centre) / width) ** 2))


def _cheekbones(p: Points) -> Points:
    x, y = np.abs(p[:, 0]), p[:, 1]
    return _wider(p, smoothstep(x, 20.0, 55.0) * _bell(y, -14.0, 36.0), 67.0)


def _jaw(p: Points) -> Points:
    x, y, z = np.abs(p[:, 0]), p[:, 1], p[:, 2]
    return _wider(p, smoothstep(x, 14.0, 44.0) * _bell(y, -78.0, 30.0) * smoothstep(z, -50.0, 5.0), 57.0)


def _skull(p: Points) -> Points:
    return _wider(p, smoothstep(np.abs(p[:, 0]), 10.0, 60.0) * smoothstep(p[:, 1], -10.0, 45.0), 70.0)


def _face_height(p: Points) -> Points:
    # A quarter of it above the mouth; the lips keep their height.
    y = p[:, 1]
    return _along(0.25 * smoothstep(-y, 48.0, 62.0) + 0.75 * smoothstep(-y, 78.0, 104.0), y=-1.0)


def _nose_height(p: Points) -> Points:
    return _along(smoothstep(-p[:, 1], -6.0, 46.0), y=-1.0)


def _nose_width(p: Points) -> Points:
    return _wider(p, _spot(p, (14.0, -40.0, 97.0), (13.0, 13.0, 15.0)), 17.0)


def _nose_length(p: Points) -> Points:
    return _along(_spot(p, (0.0, -35.0, 112.0), (15.0, 20.0, 24.0)), z=1.0)


def _nose_tip(p: Points) -> Points:
    # A millimetre less in all directions about the middle of the tip.
    near = _spot(p, (0.0, -36.0, 106.0), (11.0, 11.0, 14.0)) / 9.0
    return -near[:, None] * (p - np.array([0.0, -36.0, 100.0]))


def _nose_bridge(p: Points) -> Points:
    narrow = _wider(p, _spot(p, (9.0, -6.0, 92.0), (9.0, 20.0, 12.0)), -9.0)
    return narrow + _along(_spot(p, (0.0, -2.0, 99.0), (7.0, 18.0, 14.0)), z=1.0)


def _brow_ridge(p: Points) -> Points:
    return _along(_spot(p, (20.0, 19.0, 86.0), (26.0, 10.0, 22.0)), z=1.0)


def _forehead(p: Points) -> Points:
    return _along(_spot(p, (0.0, 62.0, 92.0), (50.0, 34.0, 40.0)), z=1.0)


def _mouth_width(p: Points) -> Points:
    near = np.exp(-((np.abs(p[:, 0]) / 44.0) ** 4)) * _bell(p[:, 1], MOUTH_Y, 24.0)
    return _wider(p, near * smoothstep(p[:, 2], 30.0, 70.0), 25.8)


def _lips(p: Points) -> Points:
    # The red grows away from the line on which the lips meet, and forward.
    up = p[:, 1] - MOUTH_Y
    near = _bell(up, 0.0, 11.0) * np.exp(-((np.abs(p[:, 0]) / 25.0) ** 4)) * smoothstep(p[:, 2], 84.0, 95.0)
    return _along(near, y=up / 8.0, z=0.5)


def _eye_distance(p: Points) -> Points:
    return _wider(p, _spot(p, (31.5, 0.0, 74.0), (26.0, 26.0, 40.0)), 31.5)


def _chin(p: Points) -> Points:
    return _along(_spot(p, (0.0, -98.0, 92.0), (24.0, 17.0, 26.0)), z=1.0)


def _chin_width(p: Points) -> Points:
    return _wider(p, _spot(p, (22.0, -99.0, 80.0), (20.0, 16.0, 26.0)), 22.0)


def _occiput(p: Points) -> Points:
    return _along(smoothstep(-p[:, 2], 0.0, 90.0) * smoothstep(p[:, 1], -70.0, -20.0), z=-1.0)


def _cheek_fat(p: Points) -> Points:
    round_ = _spot(p, (46.0, -46.0, 54.0), (22.0, 25.0, 36.0))
    below = _spot(p, (14.0, -112.0, 48.0), (30.0, 14.0, 34.0))
    return _along(round_, x=_side(p), z=0.3) + _along(below, y=-1.2)


def _cheekbone_ridge(p: Points) -> Points:
    return _along(_spot(p, (42.0, -22.0, 70.0), (17.0, 12.0, 22.0)), x=0.5 * _side(p), z=1.0)


def _neck(p: Points) -> Points:
    below = smoothstep(-p[:, 1], 88.0, 122.0) * smoothstep(45.0 - p[:, 2] * 0.6, 0.0, 30.0)
    return np.stack([below * 0.5 * p[:, 0] / 46.0, 0.0 * below, below * 0.5 * (p[:, 2] + 25.0) / 55.0], 1)


def _throat(p: Points) -> Points:
    # The angle of chin and neck: the skin below the chin moves up and back.
    under = _spot(p, (0.0, -116.0, 50.0), (34.0, 16.0, 26.0))
    return _along(under, y=0.6, z=-0.8)


def _sagging(p: Points) -> Points:
    jowls = _along(_spot(p, (38.0, -92.0, 58.0), (13.0, 13.0, 22.0)), x=0.6 * _side(p), y=-1.0)
    folds = -field.crease(_folded(p), [(18, -42, 94), (26, -54, 88), (31, -66, 82)], 5.0, 1.0)
    corners = -field.crease(_folded(p), [(26, -74, 86), (28, -88, 80)], 5.0, 1.0)
    bags = _along(_spot(p, (30.0, -17.0, 80.0), (12.0, 4.5, 12.0)), y=-0.3, z=0.5)
    temples = _along(_spot(p, (60.0, 22.0, 50.0), (14.0, 20.0, 20.0)), x=-0.8 * _side(p))
    hollows = _along(_spot(p, (46.0, -48.0, 58.0), (14.0, 14.0, 24.0)), x=-0.7 * _side(p), z=-0.3)
    tip = _along(_spot(p, (0.0, -37.0, 108.0), (13.0, 13.0, 18.0)), y=-0.7)
    return jowls + bags + temples + hollows + tip + _along(folds + 0.7 * corners, z=-0.8)


def _folded(p: Points) -> Points:
    """Return the points with those of the right half mirrored to the left."""
    return np.abs(p * np.array([1.0, 0.0, 0.0])) + p * np.array([0.0, 1.0, 1.0])


# What each field makes larger, about one millimetre for an amount of 1.
FIELDS: dict[str, Callable[[Points], Points]] = {
    "face_width": _cheekbones,
    "jaw_width": _jaw,
    "face_height": _face_height,
    "nose_height": _nose_height,
    "nose_width": _nose_width,
    "mouth_width": _mouth_width,
    "eye_distance": _eye_distance,
    "nose_length": _nose_length,
    "nose_tip": _nose_tip,
    "nose_bridge": _nose_bridge,
    "brow_ridge": _brow_ridge,
    "forehead": _forehead,
    "lips": _lips,
    "chin": _chin,
    "chin_width": _chin_width,
    "skull": _skull,
    "occiput": _occiput,
    "cheek_fat": _cheek_fat,
    "cheekbones": _cheekbone_ridge,
    "neck": _neck,
    "throat": _throat,
    "sagging": _sagging,
}
# Fields whose amounts follow from measures. The eyes' size, a scale, is solved for with them.
_MEASURED = ("face_width", "jaw_width", "face_height", "nose_height", "nose_width", "mouth_width",
             "eye_distance")  # fmt: skip


def character(person: Person) -> dict[str, float]:
    """Return the amounts of the fields without a measure, in millimetres.

    What differs between the sexes (brow ridge, slope of the forehead, chin, cheekbones, neck, lips) goes in
    the direction that anthropometry reports (Farkas, 1994; Enlow and Hans, 1996); the amounts are chosen by
    eye.
    """
    man = 2.0 * person.sex - 1.0
    old = float(np.clip((person.age - 25.0) / 45.0, 0.0, 1.5))
    return {
        "nose_length": 0.6 * man - 0.4 + 2.0 * person.nose_length + 0.8 * old,
        "nose_tip": 1.0 - 0.7 * man,
        "nose_bridge": 1.8 + 0.4 * man,
        "brow_ridge": 0.6 + 1.9 * man,
        "forehead": -2.4 * man,
        "lips": 0.5 - 0.9 * man + 1.1 * person.lips - 1.6 * old,
        "chin": 1.2 + 1.3 * man + 2.0 * person.chin,
        "chin_width": 1.0 + 5.0 * man,
        "skull": 6.0 + 3.0 * man,
        "occiput": -4.0 + 4.0 * man,
        "cheek_fat": 2.4 - 0.8 * man + 8.0 * person.build,
        "cheekbones": 0.8 - 0.8 * man - 0.6 * person.build,
        "neck": -14.0 + 10.0 * man + 12.0 * person.build,
        "throat": 3.0 - 6.0 * max(person.build, 0.0) - 3.0 * old,
        "sagging": 5.0 * old,
    }


@dataclass(frozen=True)
class Warp:
    """The map: amounts of `FIELDS` in millimetres, the scale of the eyes, and what differs left and right."""

    amounts: dict[str, float]
    eye_scale: float = 1.0
    asymmetry: float = 0.0
    seed: int = 0

    def __call__(self, points: Points) -> Points:
        """Return where canonical points lie on the person's head."""
        moved = self._free(points)
        for eye in (field.EYE, field.EYE * np.array([-1.0, 1.0, 1.0])):
            away = points - eye
            rigid = 1.0 - smoothstep(np.linalg.norm(away, axis=1), _RIGID_MM, _FREE_MM)
            similar = self._free(eye[None]) + (self.eye_scale - 1.0) * away
            moved = moved + rigid[:, None] * (similar - moved)
        return points + moved

    def _free(self, p: Points) -> Points:
        """Return the displacement, as it is far from the eyes."""
        total = np.zeros(p.shape)
        for name, amount in self.amounts.items():
            if amount:
                total += amount * FIELDS[name](p)
        return total + self.asymmetry * _asymmetry(p, self.seed) if self.asymmetry else total


def _asymmetry(p: Points, seed: int) -> Points:
    """Return how a face departs from its mirrored mean: a millimetre or less, smooth, drawn from `seed`.

    Source for the size: Ferrario et al. (1994), asymmetry of landmarks of healthy adults.
    """
    draw = np.random.default_rng(seed).normal(size=7)
    x = p[:, 0]
    side = np.tanh(x / 25.0)
    face = smoothstep(p[:, 2], 0.0, 60.0)
    mouth = _bell(p[:, 1], MOUTH_Y, 28.0) * face
    out = _along(face * _bell(p[:, 1], -100.0, 45.0), x=0.8 * draw[0])
    out += _along(_spot(p, (0.0, -36.0, 106.0), (14.0, 22.0, 24.0)), x=0.7 * draw[1])
    out += _along(mouth, y=0.5 * draw[2] * side)
    out += _along(_bell(p[:, 1], 2.0, 22.0) * face, y=0.5 * draw[3] * side)
    out += _along(_bell(p[:, 1], 24.0, 12.0) * face, y=0.6 * draw[4] * side)
    out += _along(_bell(p[:, 1], -20.0, 40.0) * smoothstep(np.abs(x), 55.0, 75.0), y=1.2 * draw[5] * side)
    return out + _along(_bell(p[:, 1], -60.0, 40.0) * face, x=0.7 * draw[6] * np.abs(side))


def warp_to(person: Person, canonical: Points, measures: Measures) -> Warp:
    """Return the map that gives the person's head its measures.

    Args:
        person: Whose head.
        canonical: Vertices of the canonical head.
        measures: Where it is measured.
    """
    goal = wanted(person)
    names = [name for name in goal if name in measures.pairs]
    ids = np.unique([vertex for name in names for vertex in measures.pairs[name]])
    row = {int(vertex): place for place, vertex in enumerate(ids)}
    here = Measures({name: tuple(row[v] for v in measures.pairs[name]) for name in names})  # type: ignore[misc]
    points = canonical[ids]
    fixed = character(person)
    unknown = np.zeros(len(_MEASURED) + 1)

    def made(values: np.ndarray) -> Warp:
        return Warp({**fixed, **dict(zip(_MEASURED, values[:-1].tolist(), strict=True))}, 1.0 + values[-1])

    def errors(values: np.ndarray) -> np.ndarray:
        found = here.of(made(values)(points))
        return np.array([found[name] - goal[name] for name in names])

    for _ in range(_STEPS):
        now = errors(unknown)
        step = 1e-3
        slopes = np.stack([(errors(unknown + step * unit) - now) / step for unit in np.eye(len(unknown))], 1)
        unknown = unknown - np.linalg.lstsq(slopes, now, rcond=None)[0]
    solved = made(unknown)
    return Warp(solved.amounts, solved.eye_scale, person.asymmetry, person.seed)
