"""Live Link Face: recordings of an iPhone as CSV of ARKit curves, with the sound beside it.

Columns are found by name. Frames are placed by their timecode; sound and first frame start together. The
angles of the head are its pose, those of the eyes are read past: ada's gaze is in the curves. Axis names:
`rows` of the file, `curves` = 52 (tongueOut may be missing: 51), `frames` at the timecode's rate.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.names import files_below, plain, tell_left_out, tell_missing
from talkcli.engine.data.source import Recording, Source
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.arkit import ada_coeffs, head_pose
from talkcli.engine.face.channels import ADA, ARKIT
from talkcli.engine.inputs.regular import open_file
from talkcli.engine.origin import Origin
from talkcli.engine.types import EMOTIONS, Emotion, Motion, Reporter, Silent

_TIMECODE, _COUNT = "timecode", "blendshapecount"
_HEAD = ("headyaw", "headpitch", "headroll")
_ROTATIONS = {
    *_HEAD, *(f"{eye}eye{axis}" for eye in ("left", "right") for axis in ("yaw", "pitch", "roll"))
}  # fmt: skip
_CURVES = {name.lower(): name for name in ARKIT}
_OPTIONAL = "tongueOut"
_FULL_COUNT = len(ARKIT) + len(_ROTATIONS)
# What NeuroSync appends to the same names.
_NEUROSYNC = {"angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised"}
# Best first: sound that was added by hand is meant to replace the video's.
_SOUND = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aac", ".mov", ".mp4")
# A take may be there several times: as shown, calibrated to the actor's rest, or before that. Best first.
_VERSIONS = ("_cal", "", "_raw", "_neutral")
_STAMP = re.compile(r"(\d\d):(\d\d):(\d\d)([:;])(\d{1,3}(?:\.\d{1,9})?)", re.ASCII)
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?\s*", re.ASCII)
_RATES = (30, 60)
_LONGEST_GAP_S = 0.2
# Noise of the app's decimals; what is beyond is no ARKit curve.
_TOLERANCE = 0.05
# Angles of the head are taken to be radians, as those of the eyes are by their size.
_HALF_TURN = 3.15
_MINUTE_S, _DAY_S = 60, 24 * 60 * 60


@dataclass(frozen=True, kw_only=True)
class LiveLinkTake:
    """One take; without a sound `sound` is None and `missing` says what was looked for."""

    curves: Path
    sound: Path | None
    missing: str = ""

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.curves,) if self.sound is None else (self.curves, self.sound)

    def make(self, source: Source) -> Recording:  # noqa: ARG002  all is in the two files
        motion = read_live_link(self.curves)
        if self.sound is None:
            raise InputError(self.missing)
        speech = read_speech(self.sound, Silent())
        return Recording(speech=speech, motion=motion, origin=Origin(kind="captured", by="ARKit"))


def live_link_sources(
    root: Path, *, speaker: str, emotion: str, licence: str, reporter: Reporter
) -> list[Source]:
    """One source for every take below `root`, in order of ids; recordings carry no labels, so all get these.

    Raises InputError for a folder that is not there or holds no take, UsageError for an unknown emotion.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.")
    if emotion not in EMOTIONS:
        raise UsageError(f"--emotion {emotion} is not one of {', '.join(EMOTIONS)}.")
    if not speaker.strip() or not licence.strip():
        raise UsageError("--speaker and --licence need a name.")
    takes = _takes(root, reporter)
    if not takes:
        raise InputError(
            f"{root} holds no CSV of Live Link Face.", hint="Its first line names Timecode and the curves."
        )
    num_takes = Counter(take.parent for take in takes.values())
    sounds = {folder: _sounds(folder) for folder in num_takes}
    recipes = {
        base: _recipe(take, base, sounds[take.parent], alone=num_takes[take.parent] == 1)
        for base, take in takes.items()
    }
    silent = [base.name for base, recipe in recipes.items() if recipe.sound is None]
    reporter.note(f"Found: {len(takes)} takes, {len(takes) - len(silent)} of them with sound.")
    tell_missing(reporter, "sounds of takes", silent)
    return [
        Source(
            id=plain(base.relative_to(root).as_posix()),
            speaker=speaker,
            emotion=Emotion(label=emotion),
            split="train",
            licence=licence,
            recipe=recipe,
        )
        for base, recipe in recipes.items()
    ]


def read_live_link(path: Path) -> Motion:
    """ada's motion at the rate in which the timecode counts (59.94 and 29.97 where it drops frames).

    Raises InputError, with the line, for a layout that is not Live Link Face's, a row cut short, a value that
    is no share of 1 or no angle, time that runs backwards, and a gap of more than 0.2 s.
    """
    stamps: list[_Stamp] = []
    rows: list[list[float] | None] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            columns = _Columns(next(reader, []), path)
            for cells in reader:
                if cells:
                    where = f"{path}, line {reader.line_num}"
                    rows.append(columns.values(cells, where))
                    stamps.append(_stamp(cells[columns.time] if columns.time < len(cells) else "", where))
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise InputError(f"{path} is not readable CSV ({error}).") from error
    if sum(row is not None for row in rows) < 2:
        raise InputError(f"{path} holds {len(rows)} frames, two with a face at least are needed.")
    fps, times = _clock(stamps, path)
    seen = np.array([row is not None for row in rows])
    # The sound runs from the first row to the last, whether they show a face or not.
    edges = np.unique([times[0], *times[seen], times[-1]])
    longest = int(np.diff(edges).argmax())
    gap_s = edges[longest + 1] - edges[longest]
    if gap_s > _LONGEST_GAP_S + 0.5 / fps:
        before = stamps[int(np.searchsorted(times, edges[longest]))]
        raise InputError(
            f"{before.where}: {gap_s:.2f} s without a face follow, more than {_LONGEST_GAP_S} s are not "
            "interpolated."
        )
    values = np.array([row for row in rows if row is not None]).T
    shares, angles = np.clip(values[: len(columns.names)], 0, 1), values[len(columns.names) :]
    if not np.ptp(shares, axis=1).any():
        raise InputError(f"{path}: nothing moves in {len(rows)} frames; the face was never tracked.")
    at = np.arange(round(times[-1] * fps) + 1) / fps
    curves = {name: np.interp(at, times[seen], row) for name, row in zip(columns.names, shares, strict=True)}
    # The app may be told not to record the head: zeros.
    pose = head_pose(*(np.interp(at, times[seen], row) for row in angles)) if angles.any() else None
    return Motion(coeffs=ada_coeffs(curves, len(at)), fps=fps, head="ada", channels=ADA, pose=pose)


@dataclass(frozen=True, kw_only=True)
class _Stamp:
    """A timecode; `drops` when it skips numbers to keep up with the clock (a semicolon says so)."""

    seconds: int
    frames: float
    drops: bool
    where: str


class _Columns:
    """Where in a row time and curves are."""

    def __init__(self, header: Sequence[str], path: Path) -> None:
        found = [name.strip().lower() for name in header]
        doubled = sorted({name for name in found if found.count(name) > 1})
        foreign = [name for name in found if name not in {_TIMECODE, _COUNT, *_ROTATIONS, *_CURVES}]
        missing = [name for low, name in _CURVES.items() if low not in found and name != _OPTIONAL]
        if _TIMECODE not in found:
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
        self.time = found.index(_TIMECODE)
        self.count = found.index(_COUNT) if _COUNT in found else None
        self.counts = {_FULL_COUNT, len(set(found) - {_TIMECODE, _COUNT})}
        self.names = [name for low, name in _CURVES.items() if low in found]
        self.curves = [found.index(name.lower()) for name in self.names]
        self.angles = [found.index(name) for name in _HEAD] if set(_HEAD) <= set(found) else []

    def values(self, cells: Sequence[str], where: str) -> list[float] | None:
        """The curves of a row, then the head's angles; None where the app saw no face: it counts 0 and leaves
        them out.
        """
        if self.count is not None:
            count = cells[self.count].strip() if self.count < len(cells) else ""
            others = [cell for index, cell in enumerate(cells) if index not in (self.time, self.count)]
            if count == "0" and not any(cell.strip() for cell in others):
                return None
        if len(cells) != self.num:
            raise InputError(
                f"{where}: {len(cells)} columns, the header has {self.num}; is the file cut short?"
            )
        if self.count is not None and count not in map(str, self.counts):
            raise InputError(f"{where}: BlendshapeCount is {count!r}, not {max(self.counts)}.")
        shares = [self._number(cells, column, -_TOLERANCE, 1 + _TOLERANCE, where) for column in self.curves]
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


def _stamp(text: str, where: str) -> _Stamp:
    match = _STAMP.fullmatch(text.strip())
    if match is None or int(match[1]) >= 24 or max(int(match[2]), int(match[3])) >= 60:
        raise InputError(f"{where}: {text[:40]!r} is no timecode HH:MM:SS:FF.")
    hours, minutes, seconds = (int(match[index]) for index in (1, 2, 3))
    return _Stamp(
        seconds=(hours * 60 + minutes) * _MINUTE_S + seconds,
        frames=float(match[5]),
        drops=match[4] == ";",
        where=where,
    )


def _clock(stamps: Sequence[_Stamp], path: Path) -> tuple[float, Float[np.ndarray, "rows"]]:
    """Frames a second, and the seconds of every row since the first."""
    if len({stamp.drops for stamp in stamps}) > 1:
        raise InputError(f"{path} mixes timecodes with and without dropped frames (; and :).")
    seconds = np.array([stamp.seconds for stamp in stamps], dtype=np.float64)
    frames = np.array([stamp.frames for stamp in stamps])
    # Past midnight the clock begins anew.
    seconds = seconds + _DAY_S * np.cumsum(np.diff(seconds, prepend=seconds[0]) < -_DAY_S / 2)
    rate = _counted(seconds, frames, path)
    counted = seconds * rate + frames
    fps = float(rate)
    if stamps[0].drops:
        # Each minute but every tenth skips two numbers at 30, four at 60.
        minutes = seconds // _MINUTE_S
        counted = counted - rate // 15 * (minutes - minutes // 10)
        fps = rate * 1000 / 1001
    times = (counted - counted[0]) / fps
    backwards = np.flatnonzero(np.diff(times) <= 0)
    if len(backwards):
        raise InputError(f"{stamps[backwards[0] + 1].where}: the timecode does not move on.")
    return fps, times


def _counted(seconds: Float[np.ndarray, "rows"], frames: Float[np.ndarray, "rows"], path: Path) -> int:
    """The rate in which the timecode counts: how far it comes before a second is full."""
    turns = np.flatnonzero(np.diff(seconds) == 1)
    within = np.diff(frames)[np.diff(seconds) == 0]
    if not len(turns) or not len(within):
        raise InputError(f"{path} is too short to tell its rate: its timecode never starts a new second.")
    # Rows that are missing around a turn make it look smaller, never larger.
    most = float((frames[turns] - frames[turns + 1]).max() + np.median(within))
    for rate in _RATES:
        if abs(most - rate) <= 1 and frames.max() < rate:
            return rate
    raise InputError(f"{path} counts {max(most, frames.max()):.1f} frames a second, only 30 and 60 are read.")


def _takes(root: Path, reporter: Reporter) -> dict[Path, Path]:
    """The best version of every take, by its path without suffix and version."""
    found: dict[Path, dict[str, Path]] = {}
    foreign = []
    for path in files_below(root, (".csv",)):
        if not _looks_like_take(path):
            foreign.append(path.relative_to(root).as_posix())
            continue
        version = next((end for end in _VERSIONS if end and path.stem[1:].endswith(end)), "")
        found.setdefault(path.with_name(path.stem.removesuffix(version)), {})[version] = path
    tell_left_out(reporter, "CSV files without a column Timecode in the first line", foreign)
    takes = {}
    for base, versions in found.items():
        best, *others = (end for end in _VERSIONS if end in versions)
        takes[base] = versions[best]
        if others:
            passed = ", ".join(versions[end].name for end in others)
            reporter.note(f"Of one take {versions[best].name} is read, {passed} is not.")
    return takes


def _looks_like_take(path: Path) -> bool:
    try:
        with open_file(path) as file:
            return _TIMECODE.encode() in file.readline(1 << 16).lower()
    except (InputError, OSError):
        # What may not be read goes to quarantine with that reason.
        return True


def _sounds(folder: Path) -> list[Path]:
    """The sound files of `folder`, best first."""
    return sorted(
        (path for path in folder.iterdir() if path.suffix.lower() in _SOUND and path.is_file()),
        key=lambda path: (_SOUND.index(path.suffix.lower()), path.name),
    )


def _recipe(curves: Path, base: Path, sounds: Sequence[Path], *, alone: bool) -> LiveLinkTake:
    """The take with the sound of its name; when it is `alone` in its folder, with the only sound there."""
    for stem in (curves.stem, base.name):
        for path in sounds:
            if path.stem == stem:
                return LiveLinkTake(curves=curves, sound=path)
    if alone and len(sounds) == 1:
        return LiveLinkTake(curves=curves, sound=sounds[0])
    beside = f"{len(sounds)} of other names" if sounds else "none"
    return LiveLinkTake(
        curves=curves,
        sound=None,
        missing=f"There is no sound for {curves.name}: {base.name}.wav (flac, ogg, mp3, m4a, aac, mov, mp4) "
        f"is looked for in {curves.parent}, which has {beside}.",
    )
