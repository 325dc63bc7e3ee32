"""FACEGOOD's paired data: wav files and curves of 116 named blend shapes at 30 fps, only the mouth moving.

Curves are mapped by name through the folder's arkit_map.csv onto ada's channels; jaw opening turns the jaw.
Brows, lids and gaze, which the data lack, are performed. Axis names: `frames` at the curves' rate, `curves`
= 116.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.align import by_energy
from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.prosody import STEP_HZ, loudness_db
from talkcli.engine.errors import InputError
from talkcli.engine.face.arkit import JAW_TURNS, ada_coeffs
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.resample import resample
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.names import Unusable, tell_left_out
from talkcli.engine.prepare.source import Recipe, Recording, Source
from talkcli.engine.readers.npy import read_floats
from talkcli.engine.readers.text import csv_rows, read_text
from talkcli.engine.rules.perform import perform_upper_face
from talkcli.engine.types import MODEL_FPS, SPEECH_RATE_HZ, Emotion, Motion, Reporter, Silent, Speech
from talkcli.engine.wording import counted

LICENCE = "MIT"
_ORIGIN = Origin(kind="animated", by="eyes and brows performed by rules")
_NAMES, _MAP = "bs_names.txt", "arkit_map.csv"
_LONGEST_S = 12.0
# The animation is a frame behind its sound: lip opening and envelope correlate best at +40 ms.
_LATE_FRAMES = 1
# The published curves keep to 0 and 1 but for rounding.
_LOWEST, _HIGHEST = -0.05, 1.05
_CURVES = re.compile(r"bs_value_(.+)\.npy")


@dataclass(frozen=True, kw_only=True)
class FacegoodPart:
    """The stretch from `start_s` to `end_s` of one pair; `eyes` adds blinks and gaze."""

    sound: Path
    curves: Path
    start_s: float
    end_s: float
    eyes: bool = True

    @property
    def inputs(self) -> tuple[Path, ...]:
        folder = self.curves.parent
        return (self.sound, self.curves, folder / _NAMES, folder / _MAP)

    def make(self, source: Source) -> Recording:
        whole = read_speech(self.sound, Silent())
        motion = read_curves(self.curves, whole.duration_s)
        first, last = (round(time * MODEL_FPS) + _LATE_FRAMES for time in (self.start_s, self.end_s))
        start, end = (round(time * SPEECH_RATE_HZ) for time in (self.start_s, self.end_s))
        speech = Speech(samples=whole.samples[start:end])
        mouth = Motion(coeffs=motion.coeffs[first:last], fps=float(MODEL_FPS), head="ada", channels=ADA)
        alignment = by_energy(speech)
        whole_face = perform_upper_face(
            mouth, speech, alignment, source.emotion, clip_id=source.id, eyes=self.eyes
        )
        return Recording(speech=speech, motion=whole_face, origin=_ORIGIN)


def whole_facegood_sources(root: Path, reporter: Reporter) -> list[Source]:
    """Return the same sources, and report what was found. Raises InputError when there is no pair."""
    pairs, alone = _pairs(root)
    tell_left_out(
        reporter,
        "files without curves or without sound beside them",
        alone,
        one="file without curves or without sound beside it",
    )
    if not pairs:
        raise InputError(f"{root} holds no bs_value_NAME.npy with a NAME.wav beside it.")
    sources = facegood_sources(root)
    reporter.note(
        f"Found: {counted(len(pairs), 'recording')} of FACEGOOD, cut into {counted(len(sources), 'clip')}."
    )
    return sources


def facegood_sources(root: Path, *, eyes: bool = True) -> list[Source]:
    """Cut every pair in `root` into stretches of at most 12 s at the quietest moments, with blinks and gaze
    unless without `eyes`; return an empty list when there is no pair.
    """
    sources = []
    for sound, curves in _pairs(root)[0]:
        recipes: list[Recipe]
        try:
            recipes = [
                FacegoodPart(sound=sound, curves=curves, start_s=start_s, end_s=end_s, eyes=eyes)
                for start_s, end_s in _quiet_cuts(read_speech(sound, Silent()))
            ]
        except InputError as error:
            recipes = [Unusable(reason=error.problem)]
        sources += [
            Source(
                id=f"facegood/{sound.stem}-{index:02d}",
                speaker="facegood",
                emotion=Emotion(label="neutral", level=0.65),
                split="train",
                licence=LICENCE,
                recipe=recipe,
            )
            for index, recipe in enumerate(recipes)
        ]
    return sources


def _pairs(root: Path) -> tuple[list[tuple[Path, Path]], list[str]]:
    """Return sound and curves of every recording, and the files of which the other is not there."""
    curves = {
        match[1]: path for path in root.glob("bs_value_*.npy") if (match := _CURVES.fullmatch(path.name))
    }
    sounds = {path.stem: path for path in root.glob("*.wav") if not path.name.startswith(".")}
    pairs = [(sounds[name], curves[name]) for name in sorted(sounds.keys() & curves.keys())]
    alone = [path.name for name, path in (curves | sounds).items() if not (name in sounds and name in curves)]
    return pairs, sorted(alone)


def read_curves(path: Path, duration_s: float) -> Motion:
    """Return the pair's motion for ada at 25 fps. The rate follows from the sound's length: both end
    together.

    Raises InputError when names, map and curves do not fit together.
    """
    folder = path.parent
    names = read_text(folder / _NAMES).split()
    curves = read_floats(path)
    if curves.ndim != 2 or curves.shape[1] != len(names) or len(curves) == 0:
        raise InputError(f"{path} holds {curves.shape}, {_NAMES} names {counted(len(names), 'curve')}.")
    if curves.min() < _LOWEST or curves.max() > _HIGHEST:
        raise InputError(f"{path} goes from {curves.min():.3g} to {curves.max():.3g}, curves go from 0 to 1.")
    fps = len(curves) / duration_s
    if not 29 <= fps <= 31:
        raise InputError(
            f"{path}: {counted(len(curves), 'frame')} for {duration_s:.1f} s of sound: {fps:.1f} fps, not 30."
        )
    index = {name.lower(): column for column, name in enumerate(names)}
    mapped = {
        arkit: curves[:, columns].max(axis=1)
        for arkit, sources in _read_map(folder / _MAP).items()
        if (columns := [index[name] for name in sources if name in index])
    }
    coeffs = ada_coeffs(mapped, len(curves))
    return resample(Motion(coeffs=coeffs, fps=fps, head="ada", channels=ADA), float(MODEL_FPS))


def _read_map(path: Path) -> dict[str, list[str]]:
    """Map each ARKit name to the curves of which it is the largest; the third column holds a name or
    `max(a,b,...)`.
    """
    known = {name.lower(): name for name in (*ADA, *JAW_TURNS)}
    mapped: dict[str, list[str]] = {}
    for _, row in csv_rows(path):
        if len(row) != 3:
            raise InputError(f"{path}: a row of {counted(len(row), 'column')}, 3 are needed.")
        name = known.get(row[0].strip().lower())
        if name is not None:
            mapped[name] = re.findall(r"\w+", row[2].lower().removeprefix("max"))
    if not mapped:
        raise InputError(f"{path} maps no ARKit name.")
    return mapped


def _quiet_cuts(speech: Speech) -> list[tuple[float, float]]:
    """Find stretches of 6 to 12 s that start and end at the quietest moments, on whole frames."""
    level = loudness_db(speech)
    # Averaging over 0.2 s looks for pauses instead of stops.
    calm = np.convolve(level, np.ones(20) / 20, mode="same")
    cuts = [0.0]
    while speech.duration_s - cuts[-1] > _LONGEST_S:
        earliest, latest = (round((cuts[-1] + wait) * STEP_HZ) for wait in (_LONGEST_S / 2, _LONGEST_S))
        quietest = earliest + int(calm[earliest:latest].argmin())
        cuts.append(round(quietest / STEP_HZ * MODEL_FPS) / MODEL_FPS)
    ends: Float[np.ndarray, "cuts"] = np.array([*cuts[1:], int(speech.duration_s * MODEL_FPS) / MODEL_FPS])
    return [(start, float(end)) for start, end in zip(cuts, ends, strict=True)]
