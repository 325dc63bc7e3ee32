"""The tongue: a flattened tube from the root to the tip, and how each channel moves it.

Axis names: `verts`. Millimetres. At rest its tip lies behind the lower incisors and its body fills the floor
of the mouth. A channel moves cross-sections along the spine, in the jaw's frame: the jaw turns them
afterwards. Places of contact after Ladefoged and Johnson, "A course in phonetics": the tip on the ridge
behind the upper incisors (t, d, n, l), between the teeth (th), the back on the palate (k, g, ng).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.interpolate import PchipInterpolator

from talkcli.engine.face.ada.curves import bump, smoothstep
from talkcli.engine.face.ada.piece import Piece, grid_faces
from talkcli.engine.face.ada.weights import HINGE
from talkcli.engine.face.channels import JAW_OPEN_RAD

Deltas = Float[np.ndarray, "verts 3"]
Values = Float[np.ndarray, "verts"]
# Channel weights and a bias, as in `assemble`.
Ramp = tuple[dict[str, float], float]

STATIONS, COLUMNS = 19, 22
ROOT_Z, TIP_Z = 34.0, 82.4
# From the root to the tip: z, top, bottom, half a width.
_PROFILE = np.array(
    [
        (34.0, -71.0, -86.0, 12.0),
        (42.0, -67.8, -85.0, 14.6),
        (52.0, -66.6, -84.0, 15.2),
        (60.0, -67.4, -82.8, 14.8),
        (68.0, -69.6, -81.0, 13.2),
        (75.0, -72.0, -79.2, 10.6),
        (79.0, -73.2, -78.2, 8.4),
        (81.0, -74.0, -77.6, 6.0),
        (82.0, -74.7, -77.0, 3.4),
        (82.4, -75.4, -76.2, 1.0),
    ]
)
_COLOUR, _GROOVE_COLOUR, _UNDER = (
    np.array([0.74, 0.24, 0.19]), np.array([0.50, 0.11, 0.09]), np.array([0.54, 0.12, 0.10])
)  # fmt: skip
# How far `jawForward` takes the tongue along.
JAW_FORWARD_MM = 5.0
# The ridge behind the upper incisors, where the tip meets it (y, z).
RIDGE = (-61.6, 83.0)
# Over the edge of the lower incisors, the tip a little before the upper ones.
_BETWEEN = (-67.4, 92.6)
# The jaw angle at which the correctives put the tip exactly on the ridge.
RIDGE_AT_RAD = 0.2


def build() -> Piece:
    """Return the tongue at rest."""
    # Stations crowd where the tip is round.
    z = ROOT_Z + (TIP_Z - ROOT_Z) * np.sin(np.linspace(0.0, np.pi / 2, STATIONS)) ** 0.85
    top, bottom, wide = (_along(z, i) for i in (1, 2, 3))
    turn = 2 * np.pi * np.arange(COLUMNS) / COLUMNS
    across, up = np.cos(turn), np.sin(turn)
    # The back is a little flatter than an ellipse.
    up = np.where(up > 0, np.abs(up) ** 0.9, up)
    x = wide[:, None] * across
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    share = np.clip((z - ROOT_Z) / (TIP_Z - ROOT_Z), 0.0, 1.0)[:, None]
    upper = smoothstep(up, 0.1, 0.8)[None, :]
    along = smoothstep(share, 0.1, 0.45) * (1.0 - smoothstep(share, 0.82, 0.97))
    groove = np.exp(-((x / 3.0) ** 2)) * upper * along
    y = middle[:, None] + half[:, None] * up - 1.5 * groove
    vertices = np.stack([x, y, np.broadcast_to(z[:, None], x.shape)], -1).reshape(-1, 3)
    colour = _UNDER + (_COLOUR - _UNDER) * upper[..., None]
    colour = colour + (_GROOVE_COLOUR - colour) * 0.8 * groove[..., None]
    # Papillae: a fine mottle, the same on both sides.
    grain = np.sin(2.1 * np.abs(x) + 0.7 * z[:, None]) * np.sin(1.3 * z[:, None] - 0.9 * np.abs(x))
    colour = colour * (1.0 + 0.07 * upper * grain)[..., None]
    colour = colour * (0.3 + 0.7 * smoothstep(z, 38.0, 66.0))[:, None, None]
    ends = [np.arange(COLUMNS) + start for start in (0, (STATIONS - 1) * COLUMNS)]
    root, tip = (
        np.stack([np.full(COLUMNS - 2, end[0]), end[1:-1], end[2:]], 1) for end in ends
    )  # fmt: skip
    faces = np.concatenate([grid_faces(STATIONS, COLUMNS, closed=True), root, tip[:, ::-1]])
    return Piece("tongue", vertices, faces[:, ::-1], colour.reshape(-1, 3))


def _along(z: Values, column: int) -> Values:
    return PchipInterpolator(_PROFILE[:, 0], _PROFILE[:, column])(np.clip(z, ROOT_Z, TIP_Z))


def _middle(z: Values) -> Values:
    return 0.5 * (_along(z, 1) + _along(z, 2))


def jaw(rest: Piece) -> Values:
    """Return how much each vertex turns with the jaw: the root hangs on the skull too."""
    return 0.8 + 0.2 * smoothstep(rest.vertices[:, 2], 36.0, 64.0)


def _bent(
    rest: Piece, up: Values, ahead: Values, thick: Values | float = 1.0, wide: Values | float = 1.0
) -> Deltas:
    """Return displacement of cross-sections by `up` and `ahead`, scaled about their middle."""
    x, y, z = rest.vertices.T
    return np.stack([x * (wide - 1.0), up + (y - _middle(z)) * (thick - 1.0), ahead + 0.0 * x], 1)


def tip_up(rest: Piece) -> Deltas:
    """Return the displacement of `tongueTipUp`: the tip on the ridge behind the upper incisors."""
    z = rest.vertices[:, 2]
    blade = smoothstep(z, 52.0, 83.0)
    up, ahead = RIDGE[0] - _middle(np.array([TIP_Z]))[0], RIDGE[1] - TIP_Z
    return _bent(rest, up * blade * _sides_low(rest), ahead * blade, 1.0 - 0.45 * bump(z, 76.0, 9.0))


def _sides_low(rest: Piece) -> Values:
    """Return the share of a rise of the blade that its sides make."""
    return 1.0 - 0.3 * np.clip(np.abs(rest.vertices[:, 0]) / 14.0, 0.0, 1.0) ** 2


def tip_up_jaw(rest: Piece) -> Deltas:
    """Return what `tongueTipUp` adds for each radian of the jaw, so that the tip stays on the ridge."""
    blade = smoothstep(rest.vertices[:, 2], 50.0, 80.0)
    up, ahead = (_unturned(RIDGE, RIDGE_AT_RAD) - np.array(RIDGE)) / RIDGE_AT_RAD
    return _bent(rest, up * blade * _sides_low(rest), ahead * blade)


def tip_up_forward(rest: Piece) -> Deltas:
    """Return what `tongueTipUp` adds to a jaw that is pushed forward: the tip stays behind the teeth."""
    z = rest.vertices[:, 2]
    return _bent(rest, 0.0 * z, -JAW_FORWARD_MM * smoothstep(z, 52.0, 76.0))


def _unturned(place: tuple[float, float], angle: float) -> Float[np.ndarray, "2"]:
    """Return where the jaw's turn by `angle` radians takes a point to `place` (y, z) from."""
    y, z = place[0] - HINGE[1], place[1] - HINGE[2]
    return np.array(
        [np.cos(angle) * y + np.sin(angle) * z + HINGE[1], np.cos(angle) * z - np.sin(angle) * y + HINGE[2]]
    )


def between(rest: Piece) -> Deltas:
    """Return the displacement of `tongueBetween` in a closed jaw: the blade lifted behind the teeth."""
    z = rest.vertices[:, 2]
    return _bent(rest, 6.4 * smoothstep(z, 56.0, 80.0), 1.0 * smoothstep(z, 40.0, 80.0))


def between_open(rest: Piece) -> Deltas:
    """Return what `tongueBetween` adds once the jaw leaves room: the tip goes out over the lower incisors."""
    z = rest.vertices[:, 2]
    blade = smoothstep(z, 60.0, 81.0)
    tip = _BETWEEN[0] - _middle(np.array([TIP_Z]))[0] - 6.4
    return _bent(
        rest,
        tip * blade,
        (_BETWEEN[1] - TIP_Z - 1.0) * smoothstep(z, 36.0, 77.0),
        1.0 - 0.45 * blade,
        1.0 - 0.15 * bump(z, 68.0, 7.0),
    )


def between_way(rest: Piece) -> Deltas:
    """Return the bulge of the way of `tongueBetween`, at half its level, over the edge of the incisors."""
    return _bent(rest, 3.2 * smoothstep(rest.vertices[:, 2], 60.0, 80.0), 0.0 * rest.vertices[:, 2])


def back_up(rest: Piece) -> Deltas:
    """Return the displacement of `tongueBackUp`: the back on the palate, the tip drawn in a little."""
    z = rest.vertices[:, 2]
    return _bent(rest, 13.4 * bump(z, 51.0, 13.0), -3.5 * smoothstep(z, 50.0, 80.0))


def back_up_jaw(rest: Piece) -> Deltas:
    """Return what `tongueBackUp` adds for each radian of the jaw, so that the back stays on the palate."""
    z = rest.vertices[:, 2]
    return _bent(rest, jaw(rest) * (z - HINGE[2]) * bump(z, 51.0, 13.0), 0.0 * z)


def out(rest: Piece) -> Deltas:
    """Return the displacement of `tongueOut` in an open jaw: over the lower teeth and lip, the tip down."""
    z = rest.vertices[:, 2]
    # The tip keeps its round shape: what is longer is the blade behind it.
    goal_z = z + 30.0 * smoothstep(z, 40.0, 77.0)
    way = np.array(
        [(60, -74.2), (75, -69.1), (84, -65.3), (92, -64.2), (98, -64.3), (104, -66.9), (112.4, -75)]
    )
    goal_y = PchipInterpolator(way[:, 0], way[:, 1])(np.clip(goal_z, 60.0, 112.4))
    blend = smoothstep(z, 42.0, 62.0)
    thin = 1.0 - 0.5 * smoothstep(z, 56.0, 68.0) * (1.0 - 0.8 * smoothstep(z, 79.0, 82.4))
    wide = 1.0 + 0.33 * smoothstep(z, 66.0, 79.0)
    return _bent(rest, (goal_y - _middle(z)) * blend, goal_z - z, thin, wide)


def out_way(rest: Piece) -> Deltas:
    """Return the bulge of the way of `tongueOut`, at half its level, over teeth and lip."""
    return _bent(rest, 12.5 * smoothstep(rest.vertices[:, 2], 56.0, 80.0), 0.0 * rest.vertices[:, 2])


CHANNELS = {"tongueTipUp": tip_up, "tongueBetween": between, "tongueBackUp": back_up}


def correctives(rest: Piece) -> list[tuple[tuple[Ramp, Ramp], Deltas]]:
    """Return pairs of ramps with the displacement that their product drives (see `assemble.Corrective`)."""

    def ramp(name: str) -> Ramp:
        return ({name: 1.0}, 0.0)

    def gone(name: str) -> Ramp:
        return ({name: -1.0}, 1.0)

    jaw_open = ({"jawPitch": 1.0 / JAW_OPEN_RAD}, 0.0)
    # Below 0.035 rad the teeth leave no room for the tip, from 0.08 on they do.
    room = ({"jawPitch": 1.0 / 0.045}, -0.035 / 0.045)
    return [
        ((jaw_open, ramp("tongueTipUp")), JAW_OPEN_RAD * tip_up_jaw(rest)),
        ((ramp("jawForward"), ramp("tongueTipUp")), tip_up_forward(rest)),
        ((jaw_open, ramp("tongueBackUp")), JAW_OPEN_RAD * back_up_jaw(rest)),
        ((room, ramp("tongueBetween")), between_open(rest)),
        # a (1 - a) is 1/4 at half the level.
        ((ramp("tongueBetween"), gone("tongueBetween")), 4.0 * between_way(rest)),
        ((ramp("tongueOut"), gone("tongueOut")), 4.0 * out_way(rest)),
    ]
