"""The eyeballs: rings about the line of sight, so that pupil and iris have crisp, round edges.

Axis names: `rings`, `verts`. Millimetres; the left eye, mirrored for the right. The iris is painted on the
cornea, which is clear: what refraction does to it is in its colours. Measures: a cornea 11.8 mm wide that
bulges, a pupil of 3.8 mm (indoor light).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import field
from talkcli.engine.face.ada.curves import bump, smoothstep
from talkcli.engine.face.ada.person import IRIS_COLOURS, Person
from talkcli.engine.face.ada.piece import Piece, grid_faces

COLUMNS = 32
# Rings in degrees from the line of sight.
PUPIL, LIMBUS = 8.6, 28.9
IRIS_RINGS = (0.0, 7.9, PUPIL, 9.8, 12.4, 15.5, 19.0, 22.5, 25.6, 27.4, LIMBUS)
WHITE_RINGS = (LIMBUS, 31.4, 35.0, 43.0, 55.0, 72.0, 100.0)
# How far the cornea stands out of the sphere; lids pass 0.4 mm in front of it.
CORNEA = 0.82

BLACK = np.array([0.0035, 0.003, 0.003])
WHITE = np.array([0.650, 0.600, 0.565])
CORNER = np.array([0.470, 0.270, 0.220])
AMBER = np.array([0.190, 0.095, 0.030])

Colours = Float[np.ndarray, "rings columns 3"]


def build(person: Person) -> tuple[Piece, Piece]:
    """Return the subject's left eyeball, looking straight ahead: the cornea with the iris, and the white."""
    turn = 2 * np.pi * np.arange(COLUMNS) / COLUMNS  # 0 to the temple, pi/2 up
    return (
        Piece("iris", _places(IRIS_RINGS, turn), _faces(IRIS_RINGS), iris(person, turn).reshape(-1, 3)),
        Piece("eye", _places(WHITE_RINGS, turn), _faces(WHITE_RINGS), white(person, turn).reshape(-1, 3)),
    )


def _places(rings: tuple[float, ...], turn: np.ndarray) -> Float[np.ndarray, "verts 3"]:
    angle = np.deg2rad(rings)[:, None]
    radius = field.EYE_RADIUS + CORNEA * np.clip(1.0 - (angle / np.deg2rad(34.0)) ** 2, 0.0, None)
    side = radius * np.sin(angle)
    place = np.stack([side * np.cos(turn), side * np.sin(turn), radius * np.cos(angle) + 0 * turn], 2)
    return field.EYE + place.reshape(-1, 3)


def _faces(rings: tuple[float, ...]) -> np.ndarray:
    return grid_faces(len(rings), COLUMNS, closed=True)


def iris(person: Person, turn: np.ndarray) -> Colours:
    """Colour of the iris: fibres, a paler middle, a dark rim, a shadow of the upper lid and the light that
    the cornea gathers on the far side of it.
    """
    random = np.random.default_rng([person.seed, 21])
    angle = np.array(IRIS_RINGS)[:, None]
    across = np.clip((angle - PUPIL) / (LIMBUS - PUPIL), 0.0, 1.0)
    base = np.array(IRIS_COLOURS[person.iris])
    fibres = np.zeros((len(IRIS_RINGS), COLUMNS))
    for count, strength in ((5, 0.10), (9, 0.16), (13, 0.20), (16, 0.12)):
        phase, wave = random.uniform(0.0, 2 * np.pi, 2)
        fibres += strength * np.sin(count * turn + phase + 0.9 * np.sin(3.0 * across + wave))
    light = 0.70 + 0.75 * bump(across, 0.45, 0.36) + fibres * smoothstep(across, 0.0, 0.25)
    light *= 1.0 - 0.82 * smoothstep(across, 0.72, 0.98)
    light *= 1.0 - 0.30 * np.sin(turn) + 0.10 * np.sin(2 * turn + 0.8)
    light *= 1.0 - 0.35 * smoothstep(np.sin(turn) * across, 0.45, 0.95)
    # Little pigment lies round the pupils of pale eyes, and it is brown.
    ring = 0.55 * bump(across - 0.08 * fibres, 0.16, 0.14)
    mixed = base + (AMBER - base) * ring[..., None]
    colours = mixed * np.clip(light, 0.08, None)[..., None]
    inside = smoothstep(angle, PUPIL - 0.2, PUPIL + 1.0)
    return BLACK + (colours - BLACK) * inside[..., None]


def white(person: Person, turn: np.ndarray) -> Colours:
    """Colour of the sclera: a soft limbus, off-white, reddish towards the corners, dim under the lid."""
    random = np.random.default_rng([person.seed, 22])
    angle = np.array(WHITE_RINGS)[:, None]
    aside = np.abs(np.cos(turn))
    veins = random.uniform(0.0, 1.0, (len(WHITE_RINGS), COLUMNS)) * smoothstep(angle, 36.0, 50.0)
    inner = np.clip(-np.cos(turn), 0.0, 1.0)
    corner = smoothstep(angle, 34.0, 62.0) * (0.55 + 0.3 * inner) * (0.6 + 0.4 * aside) + 0.16 * veins
    dull = 0.12 * float(np.interp(person.age, (40.0, 85.0), (0.0, 1.0)))
    base = WHITE * np.array([1.0 - 0.4 * dull, 1.0 - 0.7 * dull, 1.0 - 1.6 * dull])
    colours = base + (CORNER - base) * np.clip(corner, 0.0, 1.0)[..., None]
    colours *= (1.0 - 0.30 * smoothstep(np.sin(turn), 0.15, 0.9) + 0 * angle)[..., None]
    rim = iris(person, turn)[-1]
    share = smoothstep(angle, LIMBUS, 32.5)[..., None]
    return rim + (colours - rim) * share
