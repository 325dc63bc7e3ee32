"""EMOCA's codes as its demo saves them: a folder of .npy files for each picture, also of a film.

Axis names: `frames`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.errors import InputError
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.flame_motion import flame_motion, join_motions
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.readers.npy import read_floats
from talkcli.engine.types import Motion, Silent
from talkcli.engine.wording import counted

EXPRESSION, POSE = "exp.npy", "pose.npy"
BY_EMOCA = Origin(kind="fitted", by="EMOCA")
# Longest stretch of pictures without codes that is bridged.
_LONGEST_GAP_S = 0.2
_NUMBER = re.compile(r"\d+")


def read_codes(folder: Path, fps: float) -> Motion:
    """Return the codes in `folder` as motion of one frame. Raise InputError for anything else."""
    expression, pose = read_floats(folder / EXPRESSION), read_floats(folder / POSE)
    if expression.size != 50 or pose.size != 6:
        raise InputError(
            f"{folder}: {EXPRESSION} is {expression.shape}, {POSE} {pose.shape}; 50 and 6 numbers are needed."
        )
    pose = pose.reshape(1, 6)
    return flame_motion(
        folder, expression=expression.reshape(1, 50), jaw=pose[:, 3:], pose=pose[:, :3], fps=fps
    )


@dataclass(frozen=True, kw_only=True)
class CodedFilm:
    """The recipe of a clip: the folder of each picture of a film, and the sound.

    `pictures` are numbers, counted from 0 or 1, and folders, in order of time.
    """

    pictures: tuple[tuple[int, Path], ...]
    sound: Path
    fps: float

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.sound, *(folder / name for _, folder in self.pictures for name in (EXPRESSION, POSE)))

    def make(self, source: Source) -> Recording:  # noqa: ARG002  labels change nothing of the codes
        """Return the motion and the sound; pictures without codes are bridged linearly.

        Raises InputError for damaged codes, and where more than 0.2 s of codes are missing in a row.
        """
        numbers = [number for number, _ in self.pictures]
        first = min(numbers[0], 1)
        gap = int(np.diff([first - 1, *numbers]).max()) - 1
        if gap > _LONGEST_GAP_S * self.fps:
            raise InputError(
                f"{counted(gap, 'picture')} in a row have no codes, more than {_LONGEST_GAP_S} s."
            )
        motion = join_motions([read_codes(folder, self.fps) for _, folder in self.pictures])
        wanted = np.arange(first, numbers[-1] + 1)
        assert motion.pose is not None
        coeffs, pose = (
            np.stack([np.interp(wanted, numbers, column) for column in rows.T], axis=1).astype(np.float32)
            for rows in (motion.coeffs, motion.pose)
        )
        bridged = len(wanted) - len(numbers)
        return Recording(
            speech=read_speech(self.sound, Silent()),
            motion=replace(motion, coeffs=coeffs, pose=pose),
            origin=BY_EMOCA,
            report={"bridged_frames": bridged} if bridged else None,
        )


def picture_folders(folders: Iterable[Path]) -> tuple[tuple[int, Path], ...]:
    """Return number and folder of each picture, in order; of several faces in a picture the first.

    The first digits of a folder's name are the number: 000012_000. Names without digits are left out.
    """
    found: dict[int, Path] = {}
    for folder in sorted(folders):
        match = _NUMBER.search(folder.name)
        if match is not None and len(match[0]) < 9:
            found.setdefault(int(match[0]), folder)
    return tuple(sorted(found.items()))


def coded_folders(files: Sequence[Path]) -> list[Path]:
    """Return the folders in which both files of codes are among `files`."""
    there = {name: {path.parent for path in files if path.name == name} for name in (EXPRESSION, POSE)}
    return sorted(there[EXPRESSION] & there[POSE])
