"""Skin colour: melanin and blood by place, the red of the lips, beard shadow, and baked soft shadow.

Axis names: `verts`. Linear RGB.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada import brows, complexion, curves, field, hair, rings
from talkcli.engine.face.ada.person import HAIR_COLOURS, Person
from talkcli.engine.face.ada.skin import Skin

Values = Float[np.ndarray, "verts"]

RED = np.array([0.480, 0.170, 0.145])
RED_DEEP = np.array([0.300, 0.085, 0.075])
PARTING = np.array([0.110, 0.028, 0.026])
# Of the skin's own colour.
WHITE_ROLL = np.array([1.14, 1.24, 1.31])
INNER_LIP = np.array([0.540, 0.155, 0.130])
BAG = np.array([0.560, 0.160, 0.120])
THROAT = np.array([0.170, 0.030, 0.022])
NOSTRIL = np.array([0.060, 0.020, 0.016])


def spot(p: Float[np.ndarray, "verts 3"], centre: field.Triple, radii: field.Triple) -> Values:
    """Return a Gaussian about a place."""
    return np.exp(-(((p - np.array(centre)) / np.array(radii)) ** 2).sum(1))


def blood(p: Float[np.ndarray, "verts 3"], person: Person) -> Values:
    """Return how much more blood than usual shows: cheeks, nose, chin, lids; `p` has both sides."""
    random = np.random.default_rng([person.seed, 11])
    q = p * np.where(p[:, :1] < 0, -1.0, 1.0) ** np.array([1.0, 0.0, 0.0])
    # The two cheeks never blush alike.
    side = 1.0 + 0.15 * person.asymmetry * np.sign(p[:, 0]) * random.uniform(-1.0, 1.0)
    out = 0.22 * side * spot(q, (41, -30, 70), (18, 15, 30)) + 0.12 * spot(q, (28, -42, 90), (14, 14, 24))
    out += 0.22 * spot(q, (0, -38, 113), (13, 11, 16)) + 0.18 * spot(q, (14, -42, 96), (6, 8, 10))
    out += 0.12 * spot(q, (0, -100, 95), (16, 10, 20)) + 0.12 * spot(q, (0, -62, 98), (30, 9, 20))
    out += 0.14 * spot(q, (31, 1, 80), (20, 9, 14)) + 0.12 * spot(q, (17, -3, 82), (5, 8, 10))
    out += 0.10 * spot(q, (72, -18, 0), (12, 30, 30))
    out -= 0.07 * spot(q, (0, 50, 90), (45, 28, 40)) + 0.06 * curves.smoothstep(-p[:, 1], 110.0, 160.0)
    old = float(np.interp(person.age, (35.0, 80.0), (0.0, 1.0)))
    out += (0.035 + 0.05 * old) * complexion.unevenness(p, random, 38.0)
    return out + (0.02 + 0.05 * old) * complexion.unevenness(p, random, 14.0)


def melanin(p: Float[np.ndarray, "verts 3"], person: Person) -> Values:
    """Return how much more melanin than usual: round the eyes, freckles, moles, spots of age."""
    random = np.random.default_rng([person.seed, 12])
    q = p * np.where(p[:, :1] < 0, -1.0, 1.0) ** np.array([1.0, 0.0, 0.0])
    old = float(np.interp(person.age, (35.0, 80.0), (0.0, 1.0)))
    # The hollow under the eye is dark by its shadow; young skin there is thin and pale.
    out = (0.10 * old - 0.07) * spot(q, (29, -11.5, 80), (13, 5, 12))
    out += (0.04 + 0.04 * person.tone) * spot(q, (32, 9, 82), (17, 6, 12))
    out += 0.05 * curves.smoothstep(-p[:, 1], 100.0, 150.0) * person.tone
    out += 0.018 * complexion.unevenness(p, random, 30.0)
    fair = float(np.clip(1.0 - person.tone / 0.45, 0.0, 1.0)) * random.uniform(0.2, 1.0)
    freckled = spot(q, (26, -24, 84), (22, 12, 30)) + spot(q, (0, -22, 104), (10, 12, 20))
    out += 0.07 * fair * freckled * (random.uniform(size=len(p)) < 0.3)
    front = np.flatnonzero((p[:, 2] > 20) & (p[:, 1] < 60) & (p[:, 1] > -150) & (np.abs(p[:, 0]) > 8))
    front = front[np.abs(p[front] * [1, 1, 0] - [0, -72, 0]).max(1) > 16]
    for vertex in random.choice(front, 6, replace=False):
        if np.hypot(q[vertex, 0] - 31, q[vertex, 1] - 4) > 24:
            out[vertex] += 0.11 * random.uniform(0.4, 1.0) * min(person.asymmetry, 1.0)
    for vertex in random.choice(front, 24, replace=False):
        near = np.exp(-((np.linalg.norm(p - p[vertex], axis=1) / random.uniform(1.5, 3.5)) ** 2))
        out += 0.14 * old**2 * near
    return out


def beard(p: Float[np.ndarray, "verts 3"], person: Person) -> Values:
    """Return how thick shaved hair stands, in [0, 1]: moustache, chin, jaw, whiskers, none on a woman."""
    x, y, z = np.abs(p[:, 0]), p[:, 1], p[:, 2]
    # The upper edge runs from the sideburn to the corner of the mouth.
    edge = np.interp(x, [24.0, 34.0, 48.0, 58.0, 66.0], [-62.0, -62.0, -56.0, -40.0, -14.0])
    below = curves.smoothstep(edge - y, -6.0, 16.0) * curves.smoothstep(y, -142.0, -118.0)
    below *= curves.smoothstep(x + 0.4 * (z - 60.0), 12.0, 30.0) + curves.smoothstep(-y, 84.0, 90.0)
    ahead = np.stack([x, y, 0.0 * z], 1)
    lips = 1.2 * spot(ahead, (11, -56.5, 0), (13, 5, 1)) + 0.5 * spot(ahead, (0, -86, 0), (7, 5, 1))
    amount = np.clip(np.clip(below, 0.0, 1.0) + lips, 0.0, 1.0) * curves.smoothstep(z, 2.0, 20.0)
    return amount * float(np.interp(person.sex, (0.55, 1.0), (0.0, 1.0)))


def skin(shape: Skin, normals: Float[np.ndarray, "verts 3"], person: Person) -> Float[np.ndarray, "verts 3"]:
    """Colour of every skin vertex at rest."""
    p = shape.vertices
    colour = complexion.tint(person, melanin(p, person), blood(p, person))
    mean = complexion.tint(person)
    dark = np.array(HAIR_COLOURS[person.hair_colour])
    # Shaved hair is seen through skin, which leaves its shadow bluish.
    shadow = 0.5 * dark + 0.14 * mean * np.array([0.8, 1.0, 1.15])
    colour = complexion.mixed(colour, shadow, 0.17 * beard(p, person))
    open_to_light = np.clip(field.occlusion(p, normals), 0.0, 1.0)
    colour *= (0.74 + 0.26 * open_to_light)[:, None]
    # Skin under the brow hairs and at the hairline takes their colour.
    colour = complexion.mixed(colour, brows.colour(person), brows.underlay(p, person))
    colour = complexion.mixed(colour, dark, hair.underlay(p, person))
    # Lips have less melanin than other skin, and more on dark than on light faces.
    lip_tone = (mean / complexion.tint(Person())) ** 0.7
    # A woman's are redder against her skin.
    lip_tone = lip_tone * (1.0 + (person.sex - 0.5) * np.array([0.0, 0.16, 0.12]))
    for half in (shape.lips, shape.mirror[shape.lips]):
        _mouth(colour, half, shape, lip_tone, mean)
    for half in (shape.nostrils, shape.mirror[shape.nostrils]):
        colour[half[:2]] = NOSTRIL
        colour[half[2]] *= 0.6
    for half in (shape.lids, shape.mirror[shape.lids]):
        waterline = complexion.tint(person, -0.4 * complexion.melanin(person), 0.42)
        colour[half[0]] = 0.6 * waterline
        colour[half[1]] = waterline
        # The upper lashes' roots are a dark line, darker on a woman; the lower ones' a hint of one.
        upper = np.arange(half.shape[1]) < half.shape[1] // 2 + 1
        line = 0.34 + 0.16 * person.sex
        colour[half[2]] = mean * np.where(upper, line, 0.78)[:, None]
        colour[half[3]] *= np.where(upper, 0.86, 0.97)[:, None]
    return colour


def _mouth(
    colour: Float[np.ndarray, "verts 3"],
    half: np.ndarray,
    shape: Skin,
    lip_tone: np.ndarray,
    mean: np.ndarray,
) -> None:
    """Write the colours of lips and of what is behind them into `colour`.

    Args:
        colour: Colours of all skin.
        half: Rings of lips and bag of one side.
        shape: The skin.
        lip_tone: What the red of a light woman's and man's mean is multiplied by.
        mean: Colour of the person's skin.
    """
    red = np.array(rings.RED)
    # Flesh near the lips; the light ends towards the throat.
    bag = half[: shape.bag_rings]
    near = curves.smoothstep(shape.vertices[bag, 2], 28.0, 74.0)[..., None]
    colour[bag] = THROAT + (BAG - THROAT) * near
    wet = bag[-len(rings.INNER) :]
    colour[wet] = INNER_LIP
    # The red is deepest where the lips part, and fades into the skin at its border.
    lips = half[shape.bag_rings : shape.bag_rings + len(red)]
    deep = curves.smoothstep(red, 0.0, 0.45)[:, None, None]
    full = 1.0 - 0.6 * curves.smoothstep(red, 0.88, 1.0)[:, None, None]
    target = lip_tone * (RED_DEEP + (RED - RED_DEEP) * deep)
    colour[lips] += (target - colour[lips]) * full
    colour[lips[0]] = PARTING
    s, _ = rings.lip_columns()
    roll = half[shape.bag_rings + len(red)]
    colour[roll] += (WHITE_ROLL * mean - colour[roll]) * (0.22 * np.clip(1.0 - s**4, 0.0, 1.0))[:, None]
