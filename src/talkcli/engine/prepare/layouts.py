"""Named layouts of the columns of bare arrays, which state neither a head nor an order.

Axis names: `frames`, `columns`. Orders and widths are those that the projects in `seen_in` publish or that
their users report. ARKit's curves circulate in three orders, which the width does not distinguish.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.arkit import JAW_TURNS, ada_coeffs, head_pose
from talkcli.engine.face.channels import (
    ADA,
    ARKIT,
    ARKIT_BY_NAME,
    CHANNELS,
    FLAME,
    JAW,
    MOST_EXPRESSION,
    MOST_JAW_RAD,
    MOST_POSE_RAD,
    NUM_EXPRESSION,
)
from talkcli.engine.types import Motion
from talkcli.engine.wording import counted

AUTO = "auto"
_TURN = ("poseX", "poseY", "poseZ")
_HEAD_ANGLES = ("headYaw", "headPitch", "headRoll")
_EYE_ANGLES = tuple(f"{eye}Eye{axis}" for eye in ("left", "right") for axis in ("Yaw", "Pitch", "Roll"))
_EXPRESSION = FLAME[:NUM_EXPRESSION]
# Components are ordered by the variance they explain, so the first 50 of 100 are those of a model of 50.
_EXPRESSION_100 = tuple(f"expression{index:02d}" for index in range(100))
_SHAPE = tuple(f"shape{index:02d}" for index in range(100))
_SWAPPED = {
    "jawLeft": "jawRight",
    "jawRight": "jawLeft",
    "mouthLeft": "mouthRight",
    "mouthRight": "mouthLeft",
}
_UNREAL = ARKIT
_LIVE_LINK = tuple(_SWAPPED.get(name, name) for name in ARKIT)
_APPLE = ARKIT_BY_NAME
# Accepted range of a share of full scale (0 to 1). Trackers overshoot by less; values beyond it mean
# something else.
_SHARE = (-0.5, 1.5)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A layout: the name of every column, the head that they move, and where such arrays are found."""

    head: str
    columns: tuple[str, ...]
    seen_in: str

    def motion(self, rows: Float[np.ndarray, "frames columns"], fps: float) -> Motion:
        """Return the motion of `rows`, with the head's rotation where the layout has columns of it.

        Columns that move no head are ignored: shape, the eyes' angles, expressions from the 51st on.

        Raises:
            InputError: The width is another, values are not finite, angles exceed half a turn (poseX to
                poseZ: a whole turn), or shares of full scale are far from 0 to 1. Names column and frame.
        """
        if rows.shape[1] != len(self.columns):
            raise InputError(
                f"The array has {counted(rows.shape[1], 'column')}, {len(self.columns)} are needed."
            )
        values = {name: column.astype(np.float64) for name, column in zip(self.columns, rows.T, strict=True)}
        for name, column in values.items():
            _check(name, column)
        if self.head == "flame":
            coeffs = np.stack([values[name] for name in FLAME], axis=1).astype(np.float32)
        else:
            curves = {name: values[name] for name in self.columns if name in ADA or name in JAW_TURNS}
            coeffs = ada_coeffs(curves, len(rows))
        turn = None
        if set(_TURN) <= values.keys():
            turn = np.stack([values[name] for name in _TURN], axis=1).astype(np.float32)
        elif set(_HEAD_ANGLES) <= values.keys():
            turn = head_pose(*(values[name] for name in _HEAD_ANGLES))
        return Motion(coeffs=coeffs, fps=fps, head=self.head, channels=CHANNELS[self.head], pose=turn)


LAYOUTS = {
    "flame-53": Layout(
        head="flame",
        columns=FLAME,
        seen_in="expression 50, jaw 3: DEEPTalk's output, talk's own coefficients",
    ),
    "flame-56": Layout(
        head="flame",
        columns=(*_EXPRESSION, *_TURN, *JAW),
        seen_in="expression 50, pose 6 (head 3, jaw 3): codes of DECA and EMOCA, DiffPoseTalk",
    ),
    "flame-103": Layout(
        head="flame",
        columns=(*_EXPRESSION_100, *JAW),
        seen_in="expression 100, jaw 3: EMOTE with EMICA's codes",
    ),
    "flame-153": Layout(
        head="flame", columns=(*FLAME, *_SHAPE), seen_in="expression 50, jaw 3, shape 100: DEEPTalk's MEAD"
    ),
    "flame-156": Layout(
        head="flame",
        columns=(*_EXPRESSION, *_TURN, *JAW, *_SHAPE),
        seen_in="expression 50, head 3, jaw 3, shape 100: DEEPTalk's MEAD as its users report it",
    ),
    "artalk-106": Layout(
        head="flame",
        columns=(*_EXPRESSION_100, *_TURN, *JAW),
        seen_in="expression 100, head 3, jaw 3: ARTalk's output",
    ),
    "ada-53": Layout(head="ada", columns=ADA, seen_in="the channels of talk's own head"),
    "arkit-52-unreal": Layout(
        head="ada",
        columns=_UNREAL,
        seen_in="EARFaceBlendShape: Unreal, Live Link over the network, Ready Player Me",
    ),
    "arkit-52-live-link": Layout(
        head="ada", columns=_LIVE_LINK, seen_in="CSV files of Live Link Face, as numbers"
    ),
    "arkit-52-apple": Layout(
        head="ada", columns=_APPLE, seen_in="alphabetical: Apple's pages, EmoTalk, 3D-ETF"
    ),
    "arkit-51-unreal": Layout(head="ada", columns=_UNREAL[:-1], seen_in="arkit-52-unreal without tongueOut"),
    "arkit-51-live-link": Layout(
        head="ada", columns=_LIVE_LINK[:-1], seen_in="arkit-52-live-link without tongueOut"
    ),
    "arkit-51-apple": Layout(
        head="ada",
        columns=_APPLE[:-1],
        seen_in="arkit-52-apple without tongueOut: BEAT, UniTalker's D6 and D7",
    ),
    "unreal-61": Layout(
        head="ada",
        columns=(*_UNREAL, *_HEAD_ANGLES, *_EYE_ANGLES),
        seen_in="arkit-52-unreal and the angles of head and eyes: Live Link over the network",
    ),
    "live-link-61": Layout(
        head="ada",
        columns=(*_LIVE_LINK, *_HEAD_ANGLES, *_EYE_ANGLES),
        seen_in="arkit-52-live-link and the angles of head and eyes: CSV files of Live Link Face, as numbers",
    ),
}
# Widths of arrays that cannot be read without further files, and the command that reads them.
_ELSEWHERE = {116: "talk preprocess facegood reads these curves by the names that lie beside them"}


def layout_of(name: str, width: int) -> Layout:
    """Return the layout called `name`; for `auto` the only one with `width` columns.

    Raises:
        UsageError: No layout has this name.
        InputError: The layout has another width, or for `auto` no layout or several have `width` columns.
    """
    if name != AUTO:
        check_name(name)
        if len(LAYOUTS[name].columns) != width:
            raise InputError(f"{name} has {len(LAYOUTS[name].columns)} columns, the array has {width}.")
        return LAYOUTS[name]
    fitting = [known for known, layout in LAYOUTS.items() if len(layout.columns) == width]
    if len(fitting) == 1:
        return LAYOUTS[fitting[0]]
    if fitting:
        raise InputError(f"{width} columns may be {' or '.join(fitting)}: say which with `layout`.")
    if width in _ELSEWHERE:
        raise InputError(f"{width} columns are no known layout; {_ELSEWHERE[width]}.")
    widths = sorted({len(layout.columns) for layout in LAYOUTS.values()})
    raise InputError(
        f"{counted(width, 'column is', 'columns are')} no known layout: these have "
        f"{', '.join(map(str, widths))}."
    )


def check_name(name: str) -> None:
    """Raise UsageError unless `name` is a layout's, or `auto`."""
    if name != AUTO and name not in LAYOUTS:
        raise UsageError(
            f"There is no layout {name}.",
            hint=f"Choose one of {AUTO}, {', '.join(LAYOUTS)} (docs/formats.md).",
        )


def _check(name: str, column: Float[np.ndarray, "frames"]) -> None:
    highest = np.inf
    if name in JAW or name in _HEAD_ANGLES:
        highest = MOST_JAW_RAD
    elif name in _TURN:
        highest = MOST_POSE_RAD
    elif name in _EXPRESSION_100:
        highest = MOST_EXPRESSION
    lowest, highest = _SHARE if name in ARKIT or name in ADA[:NUM_EXPRESSION] else (-highest, highest)
    odd = ~np.isfinite(column) | (column < lowest) | (column > highest)
    if odd.any():
        frame = int(np.argmax(odd))
        raise InputError(
            f"{name} is {column[frame]:.3g} in frame {frame}, which is out of range: is this another layout?"
        )
