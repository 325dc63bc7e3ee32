"""Tables as Live Link Face writes them, for tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from talkcli.engine.face.channels import ADA, ARKIT
from talkcli.engine.prepare.adapters.live_link_csv import read_take
from talkcli.engine.types import Motion

ROTATIONS = [f"{part}{axis}" for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll")]
# The app swaps two pairs of our order.
SWAPS = {"jawLeft": "jawRight", "mouthLeft": "mouthRight"}
APP_ORDER = [
    {**SWAPS, **{b: a for a, b in SWAPS.items()}}.get(name, name) for name in ARKIT
]  # fmt: skip
HEADER = ["Timecode", "BlendshapeCount", *(name[0].upper() + name[1:] for name in APP_ORDER), *ROTATIONS]
Table = list[list[str]]


def jaw_at(time_s: np.ndarray) -> np.ndarray:
    return 0.4 + 0.3 * np.sin(2 * np.pi * time_s)


def timecode(index: int, rate: int, *, start_s: int = 19 * 3600 + 16 * 60 + 58, first: int = 10) -> str:
    seconds, frames = divmod(start_s * rate + first + index, rate)
    hours, minutes = seconds // 3600 % 24, seconds // 60 % 60
    return f"{hours:02d}:{minutes:02d}:{seconds % 60:02d}:{frames:02d}.273"


def table(seconds: float = 3.0, rate: int = 60) -> Table:
    """A recording: the jaw opens once a second, the left lid is half closed, the chin goes left."""
    rows = [list(HEADER)]
    for index in range(round(seconds * rate)):
        values = dict.fromkeys(HEADER[2:], 0.0)
        values["JawOpen"] = float(jaw_at(np.array(index / rate)))
        values.update(EyeBlinkLeft=0.5, JawLeft=0.25, MouthRight=0.125, TongueOut=0.1, HeadYaw=-0.7)
        rows.append([timecode(index, rate), "61", *(f"{value:.10f}" for value in values.values())])
    return rows


def save(path: Path, rows: Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    return path


def save_sound(path: Path, seconds: float = 3.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, 0.1 * np.sin(np.arange(round(seconds * 48_000)) * 0.05), 48_000)


def read_live_link(path: Path) -> Motion:
    return read_take(path).motion


def channel(path: Path, name: str) -> np.ndarray:
    return read_live_link(path).coeffs[:, ADA.index(name)]


def without(rows: Table, name: str) -> Table:
    column = rows[0].index(name)
    return [row[:column] + row[column + 1 :] for row in rows]


def cell(line: int, name: str, text: str) -> Callable[[Table], Table]:
    def change(rows: Table) -> Table:
        rows[line - 1][rows[0].index(name)] = text
        return rows

    return change


def renamed(old: str, new: str) -> Callable[[Table], Table]:
    return lambda rows: [[new if name == old else name for name in rows[0]], *rows[1:]]
