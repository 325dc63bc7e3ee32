"""Export to a plot: a PNG file with the curves of the motion under the waveform of its sound.

Axis names: `frames`, `columns` (of pixels).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont

from talkcli.engine.exports.panels import Panel, panels
from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.png_file import check_name, write_png
from talkcli.engine.pages.axes import Scale, short
from talkcli.engine.render.shot import Shot
from talkcli.engine.types import Speech

# Everything is drawn this many times larger and then made smaller, which smooths its edges.
_FINE = 2
# Sizes in pixels of the finished picture: room around the panels, height of a panel and of the gap above it.
_LEFT, _RIGHT, _BOTTOM, _PANEL, _GAP = 60, 24, 40, 130, 34
# Width of a second, and the least and greatest width of the panels; a PNG of 10,000 pixels still opens.
_SECOND, _LEAST, _MOST = 120, 900, 10_000
_LETTERS = 13
# sRGB.
_PAPER, _INK, _SOFT, _RULE, _SOUND = "#ffffff", "#1f2328", "#5b6470", "#dfe3e8", "#8a97a8"
# Colour and dash (pixels drawn, pixels left out) of the curves of a panel: they differ without colour too.
_STYLES = (("#0b6bcb", (1, 0)), ("#c2410c", (9, 5)), ("#15803d", (3, 4)))


def check(out: Path, shot: Shot, overwrite: bool) -> None:  # noqa: ARG001  a plot is one file
    """Raise UsageError unless `out` is a .png file, and InputError when it cannot be one."""
    check_name(out, "plot")


def write(out: Path, piece: Piece) -> None:
    """Draw the curves of the piece, and its sound where it has one, into `out`."""
    duration_s = piece.motion.duration_s
    width = round(np.clip(duration_s * _SECOND, _LEAST, _MOST))
    shown = panels(piece)
    rows = len(shown) + (piece.speech is not None)
    size = (_LEFT + width + _RIGHT, rows * (_PANEL + _GAP) + _BOTTOM)
    image = Image.new("RGB", (size[0] * _FINE, size[1] * _FINE), _PAPER)
    canvas = _Canvas(image, Scale(0.0, duration_s, float(_LEFT * _FINE), float((_LEFT + width) * _FINE)))
    top = _GAP * _FINE
    if piece.speech is not None:
        canvas.sound(piece.speech, top)
        top += (_PANEL + _GAP) * _FINE
    for panel in shown:
        canvas.panel(panel, piece.motion.fps, top)
        top += (_PANEL + _GAP) * _FINE
    canvas.seconds(top - _GAP * _FINE)
    write_png(out, image.resize(size, Image.Resampling.LANCZOS), piece.meta)


class _Canvas:
    """The picture under work; positions are in its fine pixels."""

    def __init__(self, image: Image.Image, across: Scale) -> None:
        self._draw = ImageDraw.Draw(image)
        self._font = ImageFont.load_default(size=_LETTERS * _FINE)
        self._across = across
        self._columns = np.arange(across.start, across.end)

    def sound(self, speech: Speech, top: int) -> None:
        """Draw the waveform: from the least to the greatest sample of each column."""
        self._title("Sound", top)
        middle, half = top + _PANEL * _FINE / 2, _PANEL * _FINE / 2
        self._rule(middle)
        edges = (self._times(np.append(self._columns, self._across.end)) * speech.rate_hz).round().astype(int)
        for column, start, end in zip(self._columns, edges, edges[1:], strict=False):
            heard = speech.samples[start : max(end, start + 1)]
            if len(heard):
                ends = (middle - half * heard.max(), middle - half * heard.min())
                self._draw.line((column, ends[0], column, ends[1]), fill=_SOUND)

    def panel(self, panel: Panel, fps: float, top: int) -> None:
        """Draw the curves of a panel with its scale; the value of frame k stands at its time k / fps."""
        greatest = max([panel.full_scale, *(float(values.max()) for values in panel.curves.values())])
        up = Scale(0.0, greatest, float(top + _PANEL * _FINE), float(top))
        for value in up.ticks(3):
            self._rule(up(value))
            self._draw.text(
                (self._across.start - 8 * _FINE, up(value)), short(value), _SOFT, self._font, anchor="rm"
            )
        self._title(panel.title, top)
        styled = list(zip(panel.curves.items(), _STYLES, strict=False))
        for (_, values), (colour, dash) in styled:
            self._curve(values, fps, up, colour, dash)
        right = self._across.end
        for (name, _), (colour, dash) in reversed(styled):
            self._draw.text((right, top - 10 * _FINE), name, colour, self._font, anchor="rs")
            right -= self._draw.textlength(name, self._font) + 10 * _FINE
            columns = np.arange(right - 30 * _FINE, right)
            self._dashed(columns, np.full(len(columns), top - 15.0 * _FINE), colour, dash)
            right -= 50 * _FINE

    def seconds(self, y: int) -> None:
        """Draw the axis of time at the height `y`."""
        self._draw.line((self._across.start, y, self._across.end, y), _INK, _FINE)
        for value in self._across.ticks(12):
            at = self._across(value)
            self._draw.line((at, y, at, y + 4 * _FINE), _INK, _FINE)
            self._draw.text((at, y + 8 * _FINE), f"{short(value)} s", _SOFT, self._font, anchor="mt")

    def _curve(
        self, values: Float[np.ndarray, "frames"], fps: float, up: Scale, colour: str, dash: tuple[int, int]
    ) -> None:
        heights = np.interp(self._times(self._columns) * fps, np.arange(len(values)), values)
        self._dashed(self._columns, up.start + heights / up.high * (up.end - up.start), colour, dash)

    def _dashed(
        self,
        columns: Float[np.ndarray, "columns"],
        heights: Float[np.ndarray, "columns"],
        colour: str,
        dash: tuple[int, int],
    ) -> None:
        drawn, left_out = (length * _FINE for length in dash)
        for start in range(0, len(columns) - 1, drawn + left_out if left_out else len(columns)):
            end = start + drawn + 1 if left_out else len(columns)
            points = np.stack([columns[start:end], heights[start:end]], axis=1)
            if len(points) > 1:
                self._draw.line(points.ravel().tolist(), colour, 2 * _FINE - 1, joint="curve")

    def _title(self, text: str, top: int) -> None:
        self._draw.text((self._across.start, top - 10 * _FINE), text, _INK, self._font, anchor="ls")

    def _rule(self, y: float) -> None:
        self._draw.line((self._across.start, y, self._across.end, y), _RULE, _FINE)

    def _times(self, columns: np.ndarray) -> np.ndarray:
        """Return the time in seconds at each column."""
        share = (columns - self._across.start) / (self._across.end - self._across.start)
        return share * self._across.high
