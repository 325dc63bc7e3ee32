"""Overlay of measured landmarks and the fitted head on the video, for people to judge the fit.

The left panel shows the face, with the measured landmarks as lines (lips, lids, brows, nose; irises as rings)
and the head's landmarks as dots. The right panel shows the head, placed as in the picture. Curves of the
seconds around are below. Axis names: `frames`, `points` = the 51 inner landmarks of the iBUG scheme, `verts`,
`height`, `width` of the film's pictures, `rows`, `columns` of the overlay's pictures. Panels are squares of
`PANEL` pixels, x right, y down, and show the same square of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw, ImageFont

from talkcli.engine.face.channels import JAW
from talkcli.engine.masks import runs
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.fit import Fit
from talkcli.engine.video.track import FaceTrack

# Side of a panel in pixels.
PANEL = 480
# Heights in pixels of the line of text and of a row of curves.
_LINE, _ROW = 28, 36
SIZE = (2 * PANEL, PANEL + _LINE + 4 * _ROW)
"""Width and height of the overlay's pictures in pixels; both are even, as video encoders need."""

# iBUG number of the first landmark that is drawn: the contour comes before it.
_FIRST = 17
# Colours of parts of the face.
_LIPS, _INNER_LIPS, _LIDS, _BROWS, _NOSE, _IRISES = (
    (255, 110, 90), (255, 190, 70), (90, 210, 255), (130, 240, 120), (190, 170, 255), (255, 120, 220),
)  # fmt: skip
# Lines over the face: colour, whether the line is closed, and the iBUG numbers of its points.
_SHAPES = (
    (_BROWS, False, range(17, 22)), (_BROWS, False, range(22, 27)),
    (_NOSE, False, range(27, 31)), (_NOSE, False, range(31, 36)),
    (_LIDS, True, range(36, 42)), (_LIDS, True, range(42, 48)),
    (_LIPS, True, range(48, 60)), (_INNER_LIPS, True, range(60, 68)),
)  # fmt: skip
_HEAD, _TEXT, _DIM, _GROUND, _ALARM = (
    (255, 255, 255), (225, 228, 232), (120, 126, 134), (22, 24, 28), (255, 80, 80),
)  # fmt: skip
# Margin around the face's box over all frames, as a share of the box's larger side.
_MARGIN = 0.35
# Percentage of the frames with the most extreme positions, on each side, that do not widen the view.
_TRIM = 1.0
# Duration in seconds of the curves in a picture.
_SHOWN_S = 10.0


@dataclass(frozen=True, kw_only=True)
class View:
    """Square of the picture that the panels show; it may reach beyond the picture."""

    left: int
    """Left edge of the square, in pixels of the picture."""
    top: int
    """Top edge of the square, in pixels of the picture."""
    side: int
    """Side of the square, in pixels of the picture."""

    @classmethod
    def of(cls, track: FaceTrack) -> View:
        """Return a square that holds the face in almost all frames."""
        points = track.landmarks[track.seen, :, :2]
        low = np.percentile(points.min(axis=1), _TRIM, axis=0)
        high = np.percentile(points.max(axis=1), 100 - _TRIM, axis=0)
        side = max(1, round(float((high - low).max()) * (1 + _MARGIN)))
        left, top = np.round((low + high - side) / 2).astype(int)
        return cls(left=int(left), top=int(top), side=side)

    def on_panel(self, points: Float[np.ndarray, "*any axes"]) -> Float[np.ndarray, "*any axes"]:
        """Convert pixels of the picture to pixels of a panel; a third axis, depth, is only scaled."""
        corner = np.array([self.left, self.top, 0.0])[: points.shape[-1]]
        return (points - corner) * (PANEL / self.side)

    def cut(self, picture: UInt8[np.ndarray, "height width 3"]) -> Image.Image:
        """Return the part of the picture that a panel shows, black beyond the picture's edges."""
        box = (self.left, self.top, self.left + self.side, self.top + self.side)
        return Image.fromarray(picture).crop(box).resize((PANEL, PANEL), Image.Resampling.BICUBIC)


@dataclass(frozen=True, kw_only=True)
class _Row:
    """Curves on one scale, whose maximum is 1; the first has `colour`, a second one has the head's colour."""

    name: str
    colour: tuple[int, int, int]
    curves: tuple[Float[np.ndarray, "frames"], ...]

    @classmethod
    def of(cls, name: str, colour: tuple[int, int, int], values: list[Float[np.ndarray, "frames"]]) -> _Row:
        most = max(float(np.nanmax(np.abs(curve), initial=0.0)) for curve in values) or 1.0
        return cls(name=name, colour=colour, curves=tuple(curve / most for curve in values))


class Overlay:
    """Overlay of one clip, drawn frame by frame."""

    def __init__(self, track: FaceTrack, fit: Fit) -> None:
        self._track, self._fit = track, fit
        self._view = View.of(track)
        self._font = ImageFont.load_default(15)
        self._small = ImageFont.load_default(12)
        jaw = [fit.motion.channels.index(name) for name in JAW]
        self._jaw_deg = np.degrees(np.linalg.norm(fit.motion.coeffs[:, jaw], axis=1))
        blinks = [index for index, name in enumerate(fit.motion.channels) if name.startswith("eyeBlink")]
        self._blink = fit.motion.coeffs[:, blinks].mean(axis=1) if blinks else None
        one, other = (fit.measured[:, corner - _FIRST] for corner in at.OUTER_EYE_CORNERS)
        eyes = np.linalg.norm(one - other, axis=1)
        lids = (*at.LID_PAIRS["Right"], *at.LID_PAIRS["Left"])
        both = (fit.measured, fit.projected)
        self._rows = [
            _Row.of("lips apart", _INNER_LIPS, [_apart(points, at.LIP_PAIRS) / eyes for points in both]),
            _Row.of("lids apart", _LIDS, [_apart(points, lids) / eyes for points in both]),
            _Row.of("jaw", _HEAD, [self._jaw_deg]),
        ]
        if self._blink is not None:
            self._rows.append(_Row.of("blink", _HEAD, [self._blink]))

    def vertices(self, frame: int) -> Float[np.ndarray, "verts 3"]:
        """Return the head's vertices in pixels of the right panel: x right, y down, z smaller when nearer."""
        return self._view.on_panel(self._fit.vertices_in_picture(frame))

    def draw(
        self,
        frame: int,
        picture: UInt8[np.ndarray, "height width 3"],
        head: UInt8[np.ndarray, "panel panel 3"],
    ) -> UInt8[np.ndarray, "rows columns 3"]:
        """Return the overlay's picture of one frame.

        Args:
            frame: Index of the frame.
            picture: Picture of the film in this frame.
            head: Picture of the head for the right panel, rendered from `vertices`.
        """
        canvas = Image.new("RGB", SIZE, _GROUND)
        canvas.paste(self._view.cut(picture), (0, 0))
        canvas.paste(Image.fromarray(head), (PANEL, 0))
        pen = ImageDraw.Draw(canvas)
        if self._track.seen[frame]:
            self._draw_landmarks(pen, frame)
        else:
            pen.text((10, 8), "no face", _ALARM, self._font)
            guess = "bridged" if self._fit.known[frame] else "not known"
            pen.text((PANEL + 10, 8), guess, _ALARM, self._font)
        pen.text((10, PANEL + 5), self._said(frame), _TEXT, self._font)
        for index, row in enumerate(self._rows):
            self._draw_row(pen, PANEL + _LINE + index * _ROW, frame, row)
        return np.asarray(canvas)

    def _draw_landmarks(self, pen: ImageDraw.ImageDraw, frame: int) -> None:
        measured = self._view.on_panel(self._fit.measured[frame])
        for colour, closed, points in _SHAPES:
            line = [tuple(measured[point - _FIRST]) for point in points]
            pen.line([*line, line[0]] if closed else line, colour, 2)
        irises = self._view.on_panel(self._track.landmarks[frame, -10:, :2]).reshape(2, 5, 2)
        for centre, *ring in irises:
            radius = float(np.linalg.norm(np.array(ring) - centre, axis=1).mean())
            pen.circle(tuple(centre), radius, outline=_IRISES)
        for x, y in self._view.on_panel(self._fit.projected[frame]):
            pen.rectangle((x - 0.5, y - 0.5, x + 0.5, y + 0.5), _HEAD)

    def _said(self, frame: int) -> str:
        error = self._fit.error[frame]
        blink = "" if self._blink is None else f"   blink {self._blink[frame]:.2f}"
        return (
            f"frame {frame} of {self._track.num_frames}   {frame / self._track.fps:.2f} s   "
            f"confidence {self._track.confidence[frame]:.2f}   "
            f"error {'-' if np.isnan(error) else f'{100 * error:.1f} %'} of eye distance   "
            f"jaw {self._jaw_deg[frame]:.1f} deg{blink}"
        )

    def _draw_row(self, pen: ImageDraw.ImageDraw, top: int, frame: int, row: _Row) -> None:
        """Draw the curves of the ten seconds around `frame`."""
        num_shown = min(self._track.num_frames, round(_SHOWN_S * self._track.fps))
        first = int(np.clip(frame - num_shown // 2, 0, self._track.num_frames - num_shown))
        left, width = 90.0, SIZE[0] - 100.0
        columns = left + width * np.arange(num_shown) / max(num_shown - 1, 1)
        bottom = top + _ROW - 6
        pen.text((10, top + 8), row.name, _DIM, self._small)
        pen.line((left, bottom, left + width, bottom), _DIM)
        for ink, curve in zip((row.colour, _HEAD), row.curves, strict=False):
            heights = bottom - curve[first : first + num_shown] * (_ROW - 10)
            for start, stop in runs(np.isfinite(heights)):
                pen.line(list(zip(columns[start:stop], heights[start:stop], strict=True)), ink, 1)
        now = columns[frame - first]
        pen.line((now, top, now, bottom), _ALARM)


def _apart(
    points: Float[np.ndarray, "frames points 2"], pairs: tuple[tuple[int, int], ...]
) -> Float[np.ndarray, "frames"]:
    """Return the mean distance of pairs of upper and lower landmarks.

    A pair whose landmarks have passed each other, as those of shut lids may, counts as 0.
    """
    upper, lower = np.array(pairs).T - _FIRST
    down = points[:, lower] - points[:, upper]
    return (np.linalg.norm(down, axis=-1) * (down[..., 1] > 0)).mean(axis=-1)
