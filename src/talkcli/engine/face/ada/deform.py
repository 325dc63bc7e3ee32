"""The linear part of the 50 named channels on the skin: each a few pulls named after the muscle that does it.

Axis names: `verts`. Millimetres at level 1. Magnitudes after FACS (Ekman and Friesen, 1978) and what
ARKit's shapes do. Lids, eyeballs, tongue and the sealing of the lips are elsewhere.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from talkcli.engine.face.ada.canvas import Canvas
from talkcli.engine.face.ada.curves import MOUTH_HALF_WIDTH, MOUTH_Y, parting_y, smoothstep
from talkcli.engine.face.ada.field import Triple

Weights = Float[np.ndarray, "verts"]
Deltas = Float[np.ndarray, "verts 3"]

NASOLABIAL = [(17.0, -40.0, 93.0), (24.0, -50.0, 89.0), (31.0, -62.0, 82.0), (34.0, -72.0, 76.0)]


def mouth_disc(c: Canvas, inner: float = 0.9, outer: float = 2.2) -> Weights:
    """Return 1 on the lips, fading to 0 at `outer` times the mouth's size; the whole orbicularis."""
    rho = np.hypot(c.x / MOUTH_HALF_WIDTH, (c.y - MOUTH_Y) / 14.5)
    return (1.0 - smoothstep(rho, inner, outer)) * (c.z > 40.0)


def mouth_reach(c: Canvas, radius: float) -> Weights:
    """Return a Gaussian of the distance to the line from corner to corner."""
    d = np.hypot(np.maximum(c.x - MOUTH_HALF_WIDTH, 0.0), c.y - MOUTH_Y)
    return np.exp(-((d / radius) ** 2)) * (c.z > 35.0)


def lip_spot(c: Canvas, centre: Triple, radii: Triple) -> Weights:
    """Return a Gaussian about a point of the left half and its mirror image, level on the midline, where two
    of `Canvas.spot` would meet in an edge."""
    x = np.hypot(c.x, 6.0)
    q = (np.stack([x, c.y, c.z], 1) - np.array(centre)) / np.array(radii)
    return np.exp(-(q * q).sum(1))


def brows(c: Canvas) -> dict[str, Deltas]:
    """Return frontalis, corrugator, procerus, levator labii."""
    free = c.off_lids
    down = c.push(free * c.spot((17, 17, 86), (13, 12, 24)), -3.8, -7.2, 1.6)
    down += c.push(free * c.spot((36, 20, 80), (15, 11, 24)), -1.8, -4.6, 0.4)
    down += c.swell(c.spot((6, 15, 92), (4.0, 8, 12)), 1.8) + c.swell(c.spot((0, 14, 92), (2.2, 8, 12)), -0.9)
    outer = c.push(free * c.spot((42, 22, 76), (14, 19, 28)), 0.6, 8.0, -0.8)
    outer += c.swell(c.fold([(30, 43, 90), (46, 41, 80)], 4.0), 0.8)
    inner = c.push(free * c.spot((11, 19, 88), (15, 19, 28)), -0.6, 8.6, -0.6)
    inner += c.swell(c.fold([(0, 42, 95), (24, 44, 90)], 3.6), 1.0) - c.swell(
        c.fold([(0, 35, 95), (22, 37, 90)], 3.0), 0.7
    )
    sneer = c.push(c.spot((13, -41, 97), (7, 9, 12)), 0.8, 4.6, 0.6)
    sneer += c.push(c.upper * lip_spot(c, (15, -60, 95), (13, 11, 18)), 0.4, 4.2, 0.4)
    sneer += c.push(free * c.spot((14, 4, 84), (9, 13, 16)), -0.8, -1.6, 0.6)
    sneer += c.swell(c.fold([(9, -10, 92), (13, -20, 90)], 3.5), 1.2)
    sneer += c.swell(c.fold(NASOLABIAL[:2], 4.0), -1.8) + c.push(
        free * c.spot((26, -28, 84), (12, 12, 16)), 0, 2.4, 1.2
    )
    return {
        "browInnerUp": inner,
        **sides(c, "browDown", down),
        **sides(c, "browOuterUp", outer),
        **sides(c, "noseSneer", sneer),
    }


def cheeks(c: Canvas) -> dict[str, Deltas]:
    """Return orbicularis oculi, zygomatic fat, blown cheeks."""
    free = c.off_lids
    squint = c.push(free * c.spot((37, -27, 77), (18, 13, 20)), 0.8, 4.4, 1.6)
    squint += c.swell(c.fold([(20, -12, 82), (34, -15, 80), (46, -10, 74)], 3.0) * free, -0.8)
    eye = c.push(free * c.spot((33, -15, 80), (15, 7.5, 14)), 0.0, 2.6, 0.6)
    eye += c.push(free * c.spot((36, 14, 80), (14, 8, 14)), 0.0, -1.8, 0.2)
    puff = c.swell(c.spot((44, -62, 62), (20, 21, 30)), 9.5) + c.swell(
        c.spot((0, -57, 100), (16, 6, 14)), 2.0
    )
    puff += c.push(mouth_disc(c, 0.7, 1.6), -1.5, 0.0, 1.0)
    return {"cheekPuff": puff, **sides(c, "cheekSquint", squint), **sides(c, "eyeSquint", eye)}


def corners(c: Canvas) -> dict[str, Deltas]:
    """Return zygomaticus, triangularis, buccinator, risorius: what moves the corners of the mouth."""
    at = c.spot((25, -70, 88), (15, 14, 24))
    wide = c.spot((24, -69, 88), (19, 16, 26))
    ring = mouth_reach(c, 15.0)
    to_corner = smoothstep(c.x, 0.0, 24.0)
    to_corner = 0.5 * to_corner + 0.5 * smoothstep(c.x, 4.0, 27.0)
    # The lower lip stays broad, else an open smile is a V.
    to_corner = c.upper * to_corner + (1 - c.upper) * smoothstep(c.x, 5.0, 27.0) ** 1.3
    smile = (ring * to_corner)[:, None] * c.push(np.ones_like(c.x), 7.0, 6.6, -5.8)
    smile += c.push(ring * (1 - c.upper) * (1.0 - to_corner), 0.0, 0.9, -1.8)
    smile += c.push(ring * c.upper * (1.0 - to_corner), 0.0, 0.9, -2.2)
    # Drawn out, the tubercle of the upper lip is flat.
    smile += c.push(c.upper * c.spot((0, -69, 99), (5.5, 3.5, 8)), 0.0, 1.0, 0.0)
    smile += c.push(c.off_lids * c.spot((38, -40, 74), (17, 15, 22)), 1.2, 4.6, 2.6)
    smile += c.swell(c.fold(NASOLABIAL, 4.2), -1.8)
    smile += c.push(c.spot((12, -42, 97), (8, 8, 12)), 1.0, 0.6, 0.0)
    frown = c.push(at, 1.2, -7.6, -0.8) + c.swell(c.fold([(27, -74, 84), (29, -86, 80)], 4.0), -1.4)
    frown += c.push((1 - c.upper) * c.spot((10, -84, 96), (12, 8, 14)), 0.0, 1.6, 0.6)
    dimple = c.push(c.spot((26, -70, 87), (12, 11, 20)), 4.8, 0.8, -5.0) + c.swell(
        c.spot((33, -69, 80), (4.5, 7, 12)), -2.4
    )
    stretch = c.push(wide, 8.6, -2.6, -5.0) + c.push(c.spot((36, -100, 60), (18, 18, 30)), 2.0, -2.4, 0.0)
    lip = (c.red >= 0) & (c.red <= 1)
    thin = np.where(lip, -(c.y - parting_y(c.s)), 0.0) * 0.36
    press = lip_spot(c, (12, -69.5, 95), (19, 16, 26))[:, None] * np.stack(
        [0 * thin, thin, np.where(lip, -1.3, 0.0)], 1
    )
    press += c.push(c.spot((24, -70, 88), (9, 9, 16)), 1.4, 0.0, -1.6)
    press += c.push(c.upper * lip_spot(c, (12, -63, 97), (16, 8, 16)), 0, -1.6, -0.4)
    press += c.push((1 - c.upper) * lip_spot(c, (12, -78, 96), (16, 9, 16)), 0, 1.9, -0.4)
    return {
        **sides(c, "mouthSmile", smile),
        **sides(c, "mouthFrown", frown),
        **sides(c, "mouthDimple", dimple),
        **sides(c, "mouthStretch", stretch),
        **sides(c, "mouthPress", press),
    }


def lips(c: Canvas) -> dict[str, Deltas]:
    """Return orbicularis oris, the levators and depressors of the lips, mentalis."""
    disc, below = mouth_disc(c), 1.0 - c.upper
    arch = np.sqrt(np.clip(1.0 - c.s**2, 0.0, 1.0))
    x, rise = c.p[:, 0], c.y - MOUTH_Y
    nothing = np.zeros_like(x)
    pucker = disc[:, None] * np.stack([-0.36 * x, 0.10 * rise, 8.2 - 2.6 * c.s**2], 1)
    pucker += c.push(c.spot((0, -90, 98), (20, 7, 16)), 0.0, 0.8, 1.0)
    funnel = disc[:, None] * np.stack([-0.24 * x, nothing, 7.2 - 2.2 * c.s**2], 1)
    flare = np.where((c.red >= 0) & (c.red <= 1), c.red, 1.0)
    open_ = mouth_disc(c, 0.7, 1.9) * arch
    funnel[:, 1] += open_ * (c.upper * (3.0 + 1.2 * flare) - below * (4.4 + 1.2 * flare))
    shift = mouth_disc(c, 0.9, 3.2)[:, None] * np.stack([np.full_like(x, 8.5), nothing, -0.10 * x - 0.8], 1)
    up = c.push(c.upper * lip_spot(c, (11, -63, 98), (16, 11, 22)), 0.3, 5.4, 0.8)
    up += c.push(c.spot((12.5, -42, 97), (7, 8, 12)), 0.4, 1.5, 0.2) + c.swell(
        c.fold(NASOLABIAL[:3], 4.2), -1.1
    )
    low = c.push(below * lip_spot(c, (11, -78, 97), (16, 12, 22)), 0.5, -5.6, -0.4)
    shrug_low = c.push(below * c.spot((0, -80, 98), (22, 13, 24)), 0.0, 4.6, 2.2)
    shrug_low += c.push(c.spot((0, -99, 96), (17, 12, 20)), 0.0, 3.4, 1.2) + c.push(
        c.upper * disc * arch, 0, 1.4, 0.4
    )
    shrug_up = c.push(c.upper * c.spot((0, -62, 100), (19, 9, 20)), 0.0, 3.2, 2.0)
    return {
        "mouthPucker": pucker,
        "mouthFunnel": funnel,
        "mouthLeft": shift,
        "mouthRight": shift[c.shape.mirror] * np.array([-1.0, 1.0, 1.0]),
        **sides(c, "mouthUpperUp", up),
        **sides(c, "mouthLowerDown", low),
        "mouthRollUpper": roll(c, c.upper, -1.0),
        "mouthRollLower": roll(c, below, 1.0),
        "mouthShrugLower": shrug_low,
        "mouthShrugUpper": shrug_up,
    }


def jaw_forward(c: Canvas) -> dict[str, Deltas]:
    """Return pterygoids: the bag goes with the bone that it lines, not with the lips."""
    return {"jawForward": c.push(c.jaw, 0.0, 0.0, 6.5)}


def roll(c: Canvas, lip: Weights, inwards_up: float) -> Deltas:
    """Return a lip turned in over the teeth: the border of the red travels to the parting, the parting goes
    back.
    """
    red = np.clip(c.red, 0.0, 1.0)
    on_lip = c.red >= 0
    near = mouth_disc(c, 1.0, 1.9)
    arch = np.clip(1.0 - c.s**4, 0.0, 1.0)
    skin_up = 4.2 * c.spot((0, -62 if inwards_up < 0 else -81, 98), (24, 8, 24))
    up = np.where(on_lip, red * (6.4 - 1.6 * red), skin_up)
    back = np.where(on_lip, 5.0 - 3.4 * red**2, 0.38 * skin_up)
    weight = lip * near * arch
    return weight[:, None] * np.stack([np.zeros_like(up), inwards_up * up, -back], 1)


def sides(c: Canvas, name: str, both: Deltas) -> dict[str, Deltas]:
    """Return the left half, and its mirror image as the right one."""
    left = c.left(both)
    return {f"{name}Left": left, f"{name}Right": left[c.shape.mirror] * np.array([-1.0, 1.0, 1.0])}


def linear(c: Canvas) -> dict[str, Deltas]:
    """Return all linear channels by name, the bag carried along."""
    channels = {**brows(c), **cheeks(c), **corners(c), **lips(c)}
    return {name: c.carry_bag(deltas) for name, deltas in channels.items()} | jaw_forward(c)


def combinations(c: Canvas) -> dict[tuple[str, ...], Deltas]:
    """Return correctives added in proportion to the product of channels (`jaw` is the pitch over its full
    scale).
    """
    disc = mouth_disc(c)
    corner = c.spot((25, -70, 88), (13, 13, 24))
    below = 1.0 - c.upper
    arch = np.sqrt(np.clip(1.0 - c.s**2, 0.0, 1.0))
    round_ = disc[:, None] * np.stack([-0.13 * c.p[:, 0], (below * 6.0 - c.upper * 1.5) * arch, 0 * c.x], 1)
    out: dict[tuple[str, ...], Deltas] = {
        ("jaw", "mouthFunnel"): round_,
        ("jaw", "mouthPucker"): 1.1 * round_,
    }
    smile = c.push(corner, -2.2, 2.0, 1.6) + c.push(below * c.spot((12, -79, 96), (16, 10, 20)), 0, 1.5, -0.5)
    sneer = c.push(c.upper * lip_spot(c, (13, -61, 96), (13, 11, 18)), -0.2, -2.8, -0.3)
    pucker = c.push(corner, -2.0, -2.4, 2.4)
    for first, second, both in (
        ("jaw", "mouthSmile", smile),
        ("noseSneer", "mouthUpperUp", sneer),
        ("mouthPucker", "mouthSmile", pucker),
    ):
        for name, deltas in sides(c, second, both).items():
            side = name.removeprefix(second)
            out[f"{first}{side}" if first == "noseSneer" else first, name] = deltas
    return {names: c.carry_bag(deltas) for names, deltas in out.items()}
