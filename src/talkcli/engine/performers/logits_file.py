"""Logits of a speech recogniser in a file of the user's: .npy, or .npz with their rate and alphabet.

Axis names: `steps`, `classes` of the file's alphabet, `ordered` = the 29 of `CLASSES`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.errors import InputError
from talkcli.engine.models.ctc import BLANK, CLASSES
from talkcli.engine.readers.npy import read_floats
from talkcli.engine.readers.npz import read_arrays

_STEP_HZ = 50.0
_HINT = "docs/methods/voca.md says what the file holds."
# Steps of two days, and classes of an alphabet: more is no such file.
_MOST_STEPS, _MOST_CLASSES = 1 << 23, 1 << 12
# Names of the blank in common alphabets.
_BLANKS = {"", BLANK, "<pad>", "<blank>", "[PAD]", "<b>"}
# Names of the space in common alphabets.
_SPACES = {" ", "|", "<space>"}
# Seconds by which the file may be longer or shorter than the speech, and the same as a share.
_APART_S, _APART = 0.2, 0.02


@dataclass(frozen=True, kw_only=True)
class Logits:
    """Logits over `CLASSES` at a constant rate, from the beginning of the speech."""

    values: Float[np.ndarray, "steps ordered"]
    step_hz: float

    def check_fits(self, duration_s: float, path: Path) -> None:
        """Raise InputError when the logits are not as long as the speech."""
        own_s = len(self.values) / self.step_hz
        if abs(own_s - duration_s) > max(_APART_S, _APART * duration_s):
            raise InputError(
                f"{path} holds {own_s:.2f} s of logits, but the speech lasts {duration_s:.2f} s.",
                hint="Give the logits of this speech; an .npz can say their rate as `fps`.",
            )


def read_logits(path: Path) -> Logits:
    """Return the logits in `path`.

    An .npy holds (steps, 29) at 50 Hz in the order of `CLASSES`. An .npz holds them as `logits`, optionally
    their rate `fps`, and an `alphabet` with the text of each class, of which those of `CLASSES` are taken;
    one that it lacks is as improbable as the least probable class of the step.

    Raises:
        InputError: For a file that is missing, damaged or holds something else.
    """
    if path.suffix != ".npz":
        return Logits(values=_checked(path, read_floats(path), len(CLASSES)), step_hz=_STEP_HZ)
    arrays = read_arrays(path, ["logits"], kind="file of logits", hint=_HINT, optional=["fps", "alphabet"])
    step_hz = _STEP_HZ
    if "fps" in arrays:
        rate = arrays["fps"]
        step_hz = float(rate) if rate.ndim == 0 and rate.dtype.kind in "biuf" else math.nan
    if not 1 <= step_hz <= 1000:
        raise InputError(f"{path}: `fps` is no number from 1 to 1000.", hint=_HINT)
    letters = arrays.get("alphabet")
    if letters is None:
        return Logits(values=_checked(path, arrays["logits"], len(CLASSES)), step_hz=step_hz)
    if letters.ndim != 1 or letters.dtype.kind != "U" or not 0 < len(letters) <= _MOST_CLASSES:
        raise InputError(f"{path}: its alphabet is no list of texts.", hint=_HINT)
    values = _checked(path, arrays["logits"], len(letters))
    return Logits(values=_ordered(path, values, [_class(str(letter)) for letter in letters]), step_hz=step_hz)


def _checked(path: Path, values: np.ndarray, classes: int) -> Float[np.ndarray, "steps classes"]:
    if values.ndim != 2 or values.shape[1] != classes or not 0 < len(values) <= _MOST_STEPS:
        raise InputError(f"{path} holds {values.shape}, but (steps, {classes}) is needed.", hint=_HINT)
    with np.errstate(over="ignore"):
        made = values.astype(np.float32) if values.dtype.kind == "f" else None
    if made is None or not np.isfinite(made).all():
        raise InputError(f"{path} holds logits that are no finite floats.", hint=_HINT)
    return made


def _class(letter: str) -> str:
    if letter in _BLANKS:
        return BLANK
    return " " if letter in _SPACES else letter.lower()


def _ordered(
    path: Path, values: Float[np.ndarray, "steps classes"], letters: list[str]
) -> Float[np.ndarray, "steps ordered"]:
    """Return the values of `CLASSES`; of two columns for one class, the larger value counts."""
    if not set(CLASSES[1:27]) & set(letters):
        raise InputError(f"{path}: its alphabet has no letter from a to z.", hint=_HINT)
    made = np.repeat(values.min(1, keepdims=True), len(CLASSES), axis=1)
    for column, letter in enumerate(letters):
        if letter in CLASSES:
            place = CLASSES.index(letter)
            made[:, place] = np.maximum(made[:, place], values[:, column])
    return made
