"""Reader of a CSV of Live Link Face: ARKit's curves by the names of their columns, frames by their timecode.

The names of the columns decide; every row also states their number, and a difference gives only a remark. The
reader clips values slightly beyond 0 and 1, which the app itself writes. The angles of the head become the
pose; the reader ignores those of the eyes, since the curves hold ada's gaze. Axis names: `rows` of the file,
`curves` = 52 (51 without tongueOut), `frames` at the timecode's rate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float

from talkcli.engine.errors import InputError
from talkcli.engine.face.arkit import ada_coeffs, head_pose
from talkcli.engine.face.channels import ADA, ARKIT
from talkcli.engine.readers.text import csv_rows
from talkcli.engine.readers.timecode import Stamp, parse_stamp, read_clock
from talkcli.engine.types import Motion
from talkcli.engine.wording import counted

TIMECODE = "timecode"
_COUNT = "blendshapecount"
_HEAD = ("headyaw", "headpitch", "headroll")
_ROTATIONS = {
    *_HEAD, *(f"{eye}eye{axis}" for eye in ("left", "right") for axis in ("yaw", "pitch", "roll"))
}  # fmt: skip
_CURVES = {name.lower(): name for name in ARKIT}
_OPTIONAL = "tongueOut"
_FULL_COUNT = len(ARKIT) + len(_ROTATIONS)
# Columns that NeuroSync adds to the same names.
_NEUROSYNC = {"angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"}
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?\s*", re.ASCII)
# Longest gap without a face that is interpolated, in seconds.
_LONGEST_GAP_S = 0.2
# Shortest stretch between gaps that makes a clip, in seconds.
_SHORTEST_S = 1.0
# Overshoot of 0 to 1 that is clipped without a remark: noise of the app's decimals.
_NOISE = 0.001
# Accepted range of a curve; values in it are clipped to 0 and 1 with a remark, since trackers overshoot.
# Values beyond it are no ARKit curves.
_SHARE = (-0.5, 1.5)
# Largest angle of the head in radians; the unit is assumed, by the size of the eyes' angles.
_HALF_TURN = 3.15


@dataclass(frozen=True, kw_only=True)
class Take:
    """The motion of a recording, and the remarks about it: texts by the kinds of `ODDITIES`.

    The motion starts `start_s` seconds into the recording, which lasts `whole_s` seconds. It is the whole
    recording, from 0 s, unless the reader cut it at gaps.
    """

    motion: Motion
    remarks: Mapping[str, str]
    start_s: float
    whole_s: float

    @property
    def is_cut(self) -> bool:
        return "gap" in self.remarks


def read_take(path: Path, sound_s: float | None = None) -> Take:
    """Return ada's motion at the rate to which the timecode counts (59.94 and 29.97 for drop-frame timecode).

    `sound_s` is the length of the sound recorded with it, in seconds; it decides where the timecode leaves
    the rate open. A recording with gaps of more than 0.2 s gives its longest stretch without one.

    Raises InputError, with the line, for a layout that is not Live Link Face's, a row cut short, a value far
    outside 0 to 1, an impossible angle, time that runs backwards, and gaps that leave less than 1 s.
    """
    stamps: list[Stamp] = []
    rows: list[list[float] | None] = []
    table = csv_rows(path)
    columns = _Columns(next(table, (1, []))[1], path)
    for line, cells in table:
        where = f"{path}, line {line}"
        rows.append(columns.values(cells, where))
        stamps.append(parse_stamp(cells[columns.time] if columns.time < len(cells) else "", where))
    seen = np.array([row is not None for row in rows], dtype=bool)
    if seen.sum() < 2:
        raise InputError(f"{path} holds {counted(len(rows), 'frame')}; at least two with a face are needed.")
    clock = read_clock(stamps, path, sound_s)
    fps, times = clock.fps, clock.times
    start_s, end_s, gap = _longest_stretch(stamps, times, seen, _LONGEST_GAP_S + 0.5 / fps)
    kept = seen & (times >= start_s) & (times <= end_s)
    values = np.array([row for row, keeps in zip(rows, kept, strict=True) if row is not None and keeps]).T
    shares, angles = np.clip(values[: len(columns.names)], 0, 1), values[len(columns.names) :]
    if not np.ptp(shares, axis=1).any():
        raise InputError(f"{path}: nothing moves in {len(rows)} frames; the face was never tracked.")
    at = start_s + np.arange(round((end_s - start_s) * fps) + 1) / fps
    curves = {name: np.interp(at, times[kept], row) for name, row in zip(columns.names, shares, strict=True)}
    # If the user switches off the recording of the head, the app writes zeros.
    pose = head_pose(*(np.interp(at, times[kept], row) for row in angles)) if angles.any() else None
    motion = Motion(coeffs=ada_coeffs(curves, len(at)), fps=fps, head="ada", channels=ADA, pose=pose)
    remarks = {
        **columns.remarks,
        **({"rate": clock.remark} if clock.remark else {}),
        **({"gap": gap} if gap else {}),
    }
    return Take(motion=motion, remarks=remarks, start_s=start_s, whole_s=float(times[-1]) + 1 / fps)


def _longest_stretch(
    stamps: Sequence[Stamp],
    times: Float[np.ndarray, "rows"],
    seen: Bool[np.ndarray, "rows"],
    longest_gap_s: float,
) -> tuple[float, float, str]:
    """Return start and end, in seconds, of the longest stretch without a gap, and a remark if it is not all.

    A gap is a time of more than `longest_gap_s` without a row that was `seen`. Raises InputError when the
    stretch is shorter than 1 s.
    """
    # The sound runs from the first row to the last, whether they show a face or not.
    edges = np.unique([times[0], *times[seen], times[-1]])
    gaps_s = np.diff(edges)
    wide = np.flatnonzero(gaps_s > longest_gap_s)
    if not len(wide):
        return 0.0, float(times[-1]), ""
    starts, ends = edges[[0, *(wide + 1)]], edges[[*wide, -1]]
    longest = int((ends - starts).argmax())
    start_s, end_s = float(starts[longest]), float(ends[longest])
    widest = wide[gaps_s[wide].argmax()]
    where = stamps[int(np.searchsorted(times, edges[widest]))].where
    lost = f"{gaps_s[widest]:.2f} s without a face follow"
    if end_s - start_s < _SHORTEST_S:
        raise InputError(
            f"{where}: {lost}, more than {_LONGEST_GAP_S} s are not interpolated; the longest stretch "
            f"without such a gap has {end_s - start_s:.2f} s, less than {_SHORTEST_S:g} s."
        )
    kept = (
        f"Kept are {start_s:.2f} to {end_s:.2f} s of {times[-1]:.2f} s, the longest stretch of "
        f"{len(starts)}; {lost} {where.rpartition(', ')[2]}."
    )
    return start_s, end_s, kept


class _Columns:
    """The places of time and curves in a row, by the header."""

    def __init__(self, header: Sequence[str], path: Path) -> None:
        found = [name.strip().lower() for name in header]
        while found and not found[-1]:
            # Spreadsheets may end rows with separators.
            found.pop()
        doubled = sorted({name for name in found if found.count(name) > 1})
        foreign = [name for name in found if name not in {TIMECODE, _COUNT, *_ROTATIONS, *_CURVES}]
        missing = [name for low, name in _CURVES.items() if low not in found and name != _OPTIONAL]
        if TIMECODE not in found:
            raise InputError(f"{path}, line 1: there is no column Timecode.")
        if set(foreign) >= _NEUROSYNC:
            raise InputError(
                f"{path} has the columns of emotions that NeuroSync writes; only recordings of "
                "Live Link Face are read."
            )
        if doubled or foreign or missing:
            kind, names = next(
                (kind, names)
                for kind, names in (
                    ("occurs twice", doubled), ("is none of Live Link Face", foreign), ("is missing", missing)
                )
                if names
            )  # fmt: skip
            more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
            raise InputError(f"{path}, line 1: column {names[0]!r}{more} {kind}.")
        self.header = [_CURVES.get(name, name) for name in found]
        self.num = len(found)
        self.time = found.index(TIMECODE)
        self.count = found.index(_COUNT) if _COUNT in found else None
        self.counts = {_FULL_COUNT, len(set(found) - {TIMECODE, _COUNT})}
        self.names = [name for low, name in _CURVES.items() if low in found]
        self.curves = [found.index(name.lower()) for name in self.names]
        self.angles = [found.index(name) for name in _HEAD] if set(_HEAD) <= set(found) else []
        self._odd_counts = 0
        self._odd_count = ""
        self._num_clipped = 0
        self._furthest = (0.0, "")

    @property
    def remarks(self) -> dict[str, str]:
        """Return remarks about odd values in the rows so far."""
        remarks = {}
        if self._num_clipped:
            remarks["clipped"] = (
                f"{self._num_clipped} values were clipped to 0 and 1, the furthest: {self._furthest[1]}."
            )
        if self._odd_counts:
            remarks["count"] = (
                f"BlendshapeCount is {self._odd_count} in {counted(self._odd_counts, 'row')} of "
                f"{max(self.counts)} values; the columns were read."
            )
        return remarks

    def values(self, cells: Sequence[str], where: str) -> list[float] | None:
        """Return the curves of a row, then the head's angles.

        None where the app saw no face: its count is then 0, and the curves are empty.
        """
        if self.count is not None:
            count = cells[self.count].strip() if self.count < len(cells) else ""
            others = [cell for index, cell in enumerate(cells) if index not in (self.time, self.count)]
            if count == "0" and not any(cell.strip() for cell in others):
                return None
        while len(cells) > self.num and not cells[-1].strip():
            cells = cells[:-1]
        if len(cells) != self.num:
            raise InputError(
                f"{where}: {len(cells)} columns, but the header has {self.num}; is the file cut short?"
            )
        if self.count is not None and count not in map(str, self.counts):
            # A wrong count does not matter, since all columns are there.
            self._odd_count = self._odd_count or repr(count[:20])
            self._odd_counts += 1
        shares = [self._number(cells, column, *_SHARE, where) for column in self.curves]
        for share, column in zip(shares, self.curves, strict=True):
            beyond = max(share - 1, -share)
            if beyond > _NOISE:
                self._num_clipped += 1
                told = f"{self.header[column]} is {share:.4g} ({where.rpartition(', ')[2]})"
                self._furthest = max(self._furthest, (beyond, told))
        return shares + [
            self._number(cells, column, -_HALF_TURN, _HALF_TURN, where) for column in self.angles
        ]

    def _number(self, cells: Sequence[str], column: int, lowest: float, highest: float, where: str) -> float:
        cell = cells[column]
        number = float(cell) if _NUMBER.fullmatch(cell) else np.nan
        if not lowest <= number <= highest:
            kind = "an angle in radians" if column in self.angles else "a number from 0 to 1"
            raise InputError(f"{where}: {self.header[column]} is {cell[:40]!r}, not {kind}.")
        return number
