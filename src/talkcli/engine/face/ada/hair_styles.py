"""The ways of strands of hair: each style lays the same grid, row by row from the roots to the tips.

Axis names: `rows`, `columns`. Millimetres. Rows run along the strands and columns lie side by side, so that
the outside of the head is at (row direction) x (column direction). The last `TURNED` rows are the inside of
hair that hangs, part of the knot, or hidden under the skin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from talkcli.engine.face.ada import field, scalp
from talkcli.engine.face.ada.curves import bump, smoothstep
from talkcli.engine.face.ada.person import Person

ROWS, TURNED, COLUMNS = 17, 3, 126
Grid = Float[np.ndarray, "rows columns 3"]
Field = Float[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class Style:
    """`places` of the grid, `thin` (0 for full hair, 1 where single hairs begin), `inside` (1 for what is
    turned away) and `last`, the row at which ribbons end.
    """

    places: Grid
    thin: Field
    inside: Field
    last: int


def ripple(at: np.ndarray, count: int, random: np.random.Generator) -> np.ndarray:
    """Return noise in [-1, 1] over `at` in [0, 1], smooth between `count` random values."""
    table = random.uniform(-1.0, 1.0, count + 1)
    x = np.clip(at, 0.0, 1.0) * (count - 1)
    low = np.floor(x).astype(int)
    mix = x - low
    mix = mix * mix * (3.0 - 2.0 * mix)
    return table[low] * (1.0 - mix) + table[low + 1] * mix


def clumps(t: Field, random: np.random.Generator) -> Field:
    """Return how far strands stand out of their neighbours, in mm: locks, and strands in them."""
    u = np.linspace(0.0, 1.0, COLUMNS)[None] + 0.02 * t
    return (1.1 * ripple(u, 34, random) + 0.7 * ripple(u + 0.01 * t, 74, random)) * smoothstep(t, 0.02, 0.35)


def none(person: Person, random: np.random.Generator) -> Style:  # noqa: ARG001  all styles are called alike
    """Return nothing: one place in the skull."""
    zeros = np.zeros((ROWS, COLUMNS))
    return Style(np.broadcast_to(scalp.INSIDE, (ROWS, COLUMNS, 3)).copy(), zeros, zeros, ROWS - TURNED - 1)


def short(person: Person, random: np.random.Generator) -> Style:
    """Return hair combed from the whorl, full on top, standing up over the forehead, cropped at the sides."""
    along = np.array([0.02, 0.10, 0.19, 0.29, 0.39, 0.49, 0.59, 0.69, 0.78, 0.86, 0.92, 0.96, 0.985, 1.0])
    s = np.linspace(-1.0, 1.0, COLUMNS)
    t = np.broadcast_to(along[:, None], (len(along), COLUMNS))
    # The whorl turns, and the top is brushed to the subject's left.
    way = s + (0.05 + 0.32 * bump(s, 0.0, 0.35)) * t * (1.0 - t)
    edge = scalp.hairline(np.clip(way, -1.0, 1.0), person.sex)
    u = np.linspace(0.0, 1.0, COLUMNS)
    # Over the forehead tufts of unlike length and height stand, no even edge.
    fore = bump(s, 0.0, 0.34)
    tufts = 0.7 * ripple(u, 40, random) + 0.5 * ripple(u, 70, random)
    uneven = 1.0 + (0.020 + 0.045 * fore) * tufts * smoothstep(t, 0.6, 1.0)
    direction = scalp.between(np.broadcast_to(scalp.CROWN, edge.shape), edge, t * uneven)
    skin = scalp.surface(direction)
    high = smoothstep(skin[..., 1], 25.0, 95.0)
    ahead = smoothstep(skin[..., 2], 20.0, 85.0) * smoothstep(skin[..., 1], 45.0, 72.0)
    depth = (3.2 + 9.5 * high + (5.0 + 4.5 * tufts * fore) * ahead) * (1.0 - np.exp((t - 1.0) / 0.11))
    depth = depth * (0.55 + 0.45 * smoothstep(skin[..., 1], -50.0, 10.0))
    # The last row sinks into the skin, so that no rim is seen.
    depth = depth + 0.3 - 0.8 * smoothstep(t, 0.96, 1.0)
    depth = depth + (0.5 + 1.2 * high + 0.9 * ahead) * clumps(t, random) * (1.0 - smoothstep(t, 0.93, 1.0))
    places = skin + direction * depth[..., None]
    under = skin[-1][None] - direction[-1][None] * np.array([1.5, 3.0, 5.0])[:, None, None]
    # Cropped sides let the skin shimmer through.
    cropped = 0.32 * (1.0 - smoothstep(skin[..., 1], -35.0, 40.0))
    thin = np.maximum(0.8 * smoothstep(t, 0.90, 1.0), cropped * smoothstep(t, 0.5, 0.9))
    thin = np.concatenate([thin, np.full((TURNED, COLUMNS), 0.8)])
    return Style(np.concatenate([places, under]), thin, np.zeros_like(thin), ROWS - TURNED - 1)


KNOT = np.array([0.0, 24.0, -113.0])
KNOT_RADIUS = 24.0


def tied(person: Person, random: np.random.Generator) -> Style:
    """Return hair combed back from the hairline into a knot at the back of the head."""
    along = np.array([0.0, 0.015, 0.035, 0.07, 0.12, 0.20, 0.30, 0.41, 0.53, 0.66, 0.79, 0.90])
    s = np.linspace(1.0, -1.0, COLUMNS)
    t = np.broadcast_to(along[:, None], (len(along), COLUMNS))
    edge = np.broadcast_to(scalp.hairline(s, person.sex), (*t.shape, 3))
    goal = scalp.unit(KNOT - scalp.INSIDE)
    # Hair from before the ears goes over them, and does not cross them.
    lift = 0.55 * bump(np.abs(s), 0.36, 0.16)
    via = scalp.unit(scalp.unit(edge + goal) + lift[..., None] * np.array([0.0, 1.0, 0.25]))
    first, then = scalp.between(edge, via, t), scalp.between(via, np.broadcast_to(goal, via.shape), t)
    direction = scalp.between(first, then, t)
    skin = scalp.surface(direction)
    high = smoothstep(skin[..., 1], 20.0, 95.0)
    depth = (3.6 + 4.2 * high) * smoothstep(t, 0.0, 0.16) ** 0.7 - 0.5 + 0.8 * smoothstep(t, 0.0, 0.02)
    depth = depth + 0.7 * clumps(t, random) * smoothstep(t, 0.05, 0.2)
    places = skin + direction * depth[..., None]
    # Round the knot: columns keep their order, and the coil turns.
    out = scalp.unit(KNOT - scalp.INSIDE)
    side = np.array([1.0, 0.0, 0.0])
    up = np.cross(side, out)
    turn = np.pi * s - 0.5 * np.pi
    rings = []
    for angle, twist in ((48.0, 0.1), (82.0, 0.3), (112.0, 0.55), (142.0, 0.9), (176.0, 1.3)):
        a = np.deg2rad(angle)
        radius = KNOT_RADIUS + 0.9 * ripple(np.linspace(0, 1, COLUMNS), 40, random)
        round_ = np.cos(turn + twist)[:, None] * side - np.sin(turn + twist)[:, None] * up
        rings.append(KNOT + radius[:, None] * (np.sin(a) * round_ - 0.85 * np.cos(a) * out))
    thin = np.concatenate([0.75 * (1.0 - smoothstep(t, 0.0, 0.11)), np.zeros((5, COLUMNS))])
    return Style(np.concatenate([places, np.stack(rings)]), thin, np.zeros_like(thin), len(along) - 1)


# The bob's front edge leaves the parting along the hairline, then hangs beside the cheek.
PART = np.array([[13.0, 72.0, 86.0], [12.0, 104.0, 10.0], [7.0, 98.0, -45.0]])


def bob(person: Person, random: np.random.Generator) -> Style:  # noqa: ARG001  as above
    """Return hair that falls from a parting at the subject's left over the ears to the chin."""
    left = int(0.46 * COLUMNS)
    halves = []
    for sign, count in ((1.0, left), (-1.0, COLUMNS - left)):
        v = np.linspace(0.0, 1.0, count) ** 1.3
        halves.append(_side(sign, v if sign > 0 else v[::-1], random))
    outer, inner = (np.concatenate([half[i] for half in halves], 1) for i in (0, 1))
    v = np.concatenate([np.linspace(0.0, 1.0, left), np.linspace(1.0, 0.0, COLUMNS - left)]) ** 1.3
    t = np.broadcast_to(np.linspace(0.0, 1.0, len(outer))[:, None], outer.shape[:2])
    thin = 0.5 * (1.0 - smoothstep(v, 0.0, 0.05)) * (1.0 - smoothstep(t, 0.3, 0.6)) + 0.15 * (t > 0.99)
    thin = np.maximum(thin, 0.45 * (1.0 - smoothstep(t, 0.0, 0.09)) * (v < 0.6))
    inside = np.concatenate([0.0 * t, np.ones((TURNED, COLUMNS))])
    thin = np.concatenate([thin, np.zeros((TURNED, COLUMNS))])
    return Style(np.concatenate([outer, inner]), thin, inside, ROWS - TURNED - 1)


def _side(sign: float, v: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return outer and inner rows of one side; `v` runs from the front edge (0) to the back (1)."""
    flip = np.array([sign, 1.0, 1.0])
    on_part = scalp.unit(PART - scalp.INSIDE)
    share = np.clip(v / 0.55, 0.0, 1.0) ** 0.85
    start = scalp.unit(PchipInterpolator([0.0, 0.5, 1.0], on_part)(share))
    # A level: front angle, height, half axes and middle of an ellipse; 0 for the skull itself.
    fronts = np.deg2rad([36.0, 47.0, 56.0, 54.0, 50.0])

    def around(level: int) -> np.ndarray:
        return fronts[level] + v * (np.pi - fronts[level])

    def on_skull(level: int, rise: np.ndarray | float) -> np.ndarray:
        a = around(level)
        return scalp.unit(np.stack([np.sin(a), rise + 0.0 * a, np.cos(a)], 1)) * flip

    def ellipse(
        level: int, y: np.ndarray, wide: float, deep: float, middle: float, front: float
    ) -> np.ndarray:
        # The front edge lies near the cheek.
        a, near = around(level), 1.0 - (1.0 - front) * (1.0 - smoothstep(v, 0.0, 0.25))
        return np.stack([wide * near * np.sin(a), y, middle + deep * near * np.cos(a)], 1) * flip

    # The long side sweeps over the forehead.
    temple = on_skull(0, 0.42) if sign > 0 else on_skull(0, 0.42 - 0.13 * (1.0 - smoothstep(v, 0.0, 0.3)))
    side = on_skull(1, 0.10)
    raise_ = np.array([0.0, 0.10 if sign > 0 else 0.02, 0.0]) * (1.0 - v[:, None])
    top = scalp.unit(scalp.unit(start + temple) + raise_)
    hem = -97.0 + 10.0 * v**2 + 2.2 * ripple(v, 34, random) + 1.8 * ripple(v, 9, random)
    knots = [
        scalp.surface(start), scalp.surface(top), scalp.surface(temple), scalp.surface(side),
        ellipse(2, -12.0 + 0 * v, 87.0, 98.0, -9.0, 0.85),
        ellipse(3, -56.0 + 0 * v, 82.0, 88.0, -14.0, 0.77),
        ellipse(4, hem, 71.0, 74.0, -18.0, 0.77),
    ]  # fmt: skip
    path = np.stack(knots)
    # Highest at the parting: the crown is round.
    volume = np.array([9.0, 12.0, 8.5, 8.5])[:, None] * (0.12 + 0.88 * smoothstep(v, 0.0, 0.10))
    volume[1:3] += (3.0 if sign < 0 else 0.5) * bump(v, 0.22, 0.22)
    path[:4] += volume[..., None] * scalp.unit(path[:4] - scalp.INSIDE)
    step = np.linalg.norm(np.diff(path, axis=0), axis=2).mean(1)
    along = np.concatenate([[0.0], np.cumsum(step)]) / step.sum()
    rows = ROWS - TURNED
    t = np.linspace(0.0, 1.0, rows) ** 1.15
    places = PchipInterpolator(along, path, axis=0)(t)
    edge = smoothstep(v, 0.0, 0.10)
    least = np.where(
        t[:, None] < along[3], 0.6 + 4.5 * edge * smoothstep(t[:, None], 0.0, 0.12), 2.2 + 0.8 * edge
    )
    places = scalp.push_out(places, least)
    # The front edge lies on the cheek, so that nobody looks into the dark behind it.
    flat = places.reshape(-1, 3)
    gap = np.clip(field.face(flat) - 2.2, 0.0, 9.0)[:, None] * field.gradient(flat)
    close = (1.0 - smoothstep(v, 0.0, 0.12)) * smoothstep(t[:, None], 0.2, 0.5)
    places = places - close[..., None] * gap.reshape(places.shape)
    tt = np.broadcast_to(t[:, None], places.shape[:2])
    u = v[None] + 0.03 * tt
    locks = 1.1 * ripple(u, 15, random) + 0.8 * ripple(u + 0.01 * tt, 36, random)
    out = scalp.unit(places * np.array([1.0, 0.35, 1.0]) + np.array([0.0, 0.0, 12.0]))
    places = places + out * (locks * edge * smoothstep(tt, 0.05, 0.4))[..., None]
    # The inside: from the tips up again, nearer to the axis of the head; it meets the outside at the edge.
    inner = []
    for row, inset, rise in ((rows - 1, 6.0, 5.0), (rows - 4, 9.0, 0.0), (rows - 6, 10.0, 0.0)):
        base = places[row]
        towards = scalp.unit(base * np.array([1.0, 0.0, 1.0]) + np.array([0.0, 0.0, 14.0]))
        shift = inset * smoothstep(v, 0.0, 0.12)
        inner.append(base - towards * (0.4 + shift)[:, None] + np.array([0.0, rise, 0.0]) * edge[:, None])
    return places, np.stack(inner)


STYLES = {"none": none, "short": short, "bob": bob, "tied": tied}
