"""Hair: one sheet of strands in the person's style, ribbons over it, and fine hairs at the hairline.

Axis names: `verts`, `ribbons`, `points`. Millimetres. The numbers of vertices and faces are the same for all
people; a head without hair keeps them in one place in the skull.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import complexion, hair_styles, scalp
from talkcli.engine.face.ada.curves import smoothstep
from talkcli.engine.face.ada.hair_styles import COLUMNS, ROWS, Style, ripple
from talkcli.engine.face.ada.person import HAIR_COLOURS, Person
from talkcli.engine.face.ada.piece import Piece, grid_faces

Verts = Float[np.ndarray, "verts 3"]

RIBBONS, RIBBON_ROWS = 80, 6
FINE = 135
# Breadth of a ribbon, and of a fine hair: about a pixel where the head fills a picture of 512 pixels.
RIBBON_MM, FINE_MM = 1.3, 0.6


def build(person: Person) -> list[Piece]:
    """Return the hair's pieces."""
    random = np.random.default_rng([person.seed, 51])
    style = hair_styles.STYLES[person.hair](person, random)
    shine = _strands(person, random)
    return [_sheet(style, shine, person), _ribbons(style, person, random), _fine(person, random)]


def touch(points: Verts) -> Float[np.ndarray, "verts"]:
    """Return how far hair follows the skin: at the roots on forehead and temples; elsewhere the skull."""
    near = 1.0 - smoothstep(np.linalg.norm(points - scalp.surface(_outwards(points)), axis=1), 2.0, 6.0)
    front = smoothstep(points[:, 2], 40.0, 62.0) * smoothstep(points[:, 1], 20.0, 45.0)
    return near * front


def _outwards(points: Verts) -> Verts:
    away = points - scalp.INSIDE
    # Hair that nobody has lies in the middle, from where every direction is as good.
    away[np.linalg.norm(away, axis=1) < 1e-6] = np.array([0.0, 1.0, 0.0])
    return scalp.unit(away)


def underlay(p: Float[np.ndarray, "points 3"], person: Person) -> Float[np.ndarray, "points"]:
    """Return how far points of the skin take the hair's colour."""
    return 0.85 * scalp.roots(p, person.sex) if person.hair != "none" else np.zeros(len(p))


def _strands(person: Person, random: np.random.Generator) -> Float[np.ndarray, "rows columns"]:
    """Return brightness of strands about 1: it varies across, little along; grey hair is a mixture."""
    u = np.linspace(0.0, 1.0, COLUMNS)
    t = np.linspace(0.0, 1.0, ROWS)[:, None]
    # Single white hairs; and the eye sees less of what is dark.
    mixed = 1.6 if person.hair_colour == "grey" else 1.0 + 6.0 * max(0.0, 0.06 - _dark(person).max())
    out = 0.20 * ripple(u + 0.02 * t, 28, random) + 0.24 * random.uniform(-1.0, 1.0, COLUMNS)
    out = (
        1.0
        + mixed * out
        + 0.07 * ripple(u + 0.05 * t, 60, random) * np.sin(7.0 * t + random.uniform(0, 6, COLUMNS))
    )
    # Roots are darker, tips are bleached by the sun.
    return np.clip(out * (0.82 + 0.34 * t), 0.35, None)


def _dark(person: Person) -> Float[np.ndarray, "3"]:
    return np.array(HAIR_COLOURS[person.hair_colour])


def _sheet(style: Style, shine: Float[np.ndarray, "rows columns"], person: Person) -> Piece:
    warm = np.array([1.08, 1.0, 0.90])
    colours = _dark(person) * shine[..., None] * warm ** (shine - 1.0)[..., None]
    skin = complexion.tint(person)
    colours = complexion.mixed(np.clip(colours, 1e-3, 1.0), 0.8 * skin, 0.6 * style.thin)
    colours *= (1.0 - 0.30 * style.inside)[..., None]
    return Piece(
        "hair", style.places.reshape(-1, 3), grid_faces(ROWS, COLUMNS), np.clip(colours, 0, 1).reshape(-1, 3)
    )


def _on_sheet(style: Style, row: np.ndarray, column: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return places and unit normals of the sheet at fractional rows and columns."""
    r = np.clip(row, 0.0, style.last - 1e-6)
    c = np.clip(column, 0.0, COLUMNS - 1.001)
    i, j = np.floor(r).astype(int), np.floor(c).astype(int)
    a, b = (r - i)[..., None], (c - j)[..., None]
    p = style.places
    here, next_ = ((1 - b) * p[row_, j] + b * p[row_, j + 1] for row_ in (i, i + 1))
    place = (1 - a) * here + a * next_
    low, high = np.clip(j - 2, 0, COLUMNS - 1), np.clip(j + 3, 0, COLUMNS - 1)
    normal = np.cross(p[i + 1, j] - p[i, j], p[i, high] - p[i, low])
    # Past the last row strands go straight on.
    place = place + (row - r)[..., None] * (p[i + 1, j] - p[i, j])
    return place, normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)


def _ribbons(style: Style, person: Person, random: np.random.Generator) -> Piece:
    """Return flat strands a little above the sheet, along it, pointed at both ends; some leave its tips."""
    long = random.uniform(3.5, 6.5, RIBBONS)
    first = random.uniform(0.4, style.last + 0.35 - np.minimum(long, style.last - 0.5))
    column = (np.arange(RIBBONS) + random.uniform(0.0, 1.0, RIBBONS)) / RIBBONS * (COLUMNS - 1)
    at = np.linspace(0.0, 1.0, RIBBON_ROWS)[:, None]
    drift = random.uniform(-2.0, 2.0, RIBBONS)
    place, normal = _on_sheet(style, first + long * at, column + drift * at)
    lift = random.uniform(0.7, 1.4, RIBBONS) * np.sin(np.pi * (0.14 + 0.78 * at))
    place = place + normal * lift[..., None]
    ahead = np.gradient(place, axis=0)
    aside = np.cross(ahead, normal)
    aside /= np.maximum(np.linalg.norm(aside, axis=-1, keepdims=True), 1e-9)
    broad = random.uniform(1.0, 2.0, RIBBONS) * RIBBON_MM * np.sin(np.pi * (0.03 + 0.94 * at)) ** 0.7
    if person.hair == "none":
        broad = 0.0 * broad
    half = 0.5 * aside * broad[..., None]
    pair = np.stack([place + half, place - half], 2)
    light = random.uniform(0.80, 1.30, RIBBONS) * (0.88 + 0.30 * at)
    colours = np.broadcast_to((_dark(person) * light[..., None])[:, :, None], pair.shape)
    grid = grid_faces(RIBBON_ROWS, 2)
    faces = (2 * RIBBON_ROWS * np.arange(RIBBONS))[:, None, None] + grid[None]
    return _strips(pair.swapaxes(0, 1), colours.swapaxes(0, 1), faces)


def _fine(person: Person, random: np.random.Generator) -> Piece:
    """Return single hairs that soften the hairline from the forehead to before the ears."""
    s = np.linspace(-0.60, 0.60, FINE) + random.uniform(-0.006, 0.006, FINE)
    edge = scalp.hairline(s, person.sex)
    inwards = scalp.between(edge, np.broadcast_to(scalp.CROWN, edge.shape), np.full(FINE, 0.14))
    # From a parting hair runs along the hairline, else back from it.
    if person.hair == "bob":
        s_part = 0.07
        inwards = scalp.hairline(s + np.sign(s - s_part) * 0.05, person.sex)
    inwards = scalp.unit(inwards + random.normal(0.0, 0.02, (FINE, 3)))
    start = random.uniform(-0.45, 0.35, FINE)
    places = []
    for share, lift in ((0.0, 0.05), (0.45, 1.0), (1.0, 2.6)):
        direction = scalp.between(edge, inwards, start + share * random.uniform(0.7, 1.0, FINE))
        places.append(scalp.surface(direction) + lift * direction)
    root, middle, tip = places
    aside = np.cross(tip - root, middle - scalp.INSIDE)
    aside *= 0.5 * FINE_MM / np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    vertices = np.stack([root, middle - aside, middle + aside, tip], 1)
    if person.hair == "none":
        vertices = np.broadcast_to(scalp.INSIDE, vertices.shape)
    light = _dark(person) * random.uniform(0.85, 1.3, (FINE, 1))
    # The farther out a hair begins, the thinner it is.
    pale = 0.25 + 0.3 * (0.35 - start)
    mix = np.stack([pale + 0.35, 0.5 * pale, 0.5 * pale, 0.0 * pale], 1)
    colours = complexion.mixed(light[:, None], 0.8 * complexion.tint(person), mix)
    faces = (4 * np.arange(FINE))[:, None, None] + np.array([[0, 2, 1], [1, 2, 3]])[None]
    return _strips(vertices, colours, faces)


def _strips(vertices: np.ndarray, colours: np.ndarray, faces: np.ndarray) -> Piece:
    return Piece(
        "hair", vertices.reshape(-1, 3), faces.reshape(-1, 3), np.clip(colours, 0.0, 1.0).reshape(-1, 3)
    )
