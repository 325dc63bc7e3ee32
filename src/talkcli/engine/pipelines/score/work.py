"""One clip from its files to its values, in whatever process it is done.

What is said on the way is part of the result, so that it appears in the clips' order. So is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.device import settle_threads
from talkcli.engine.errors import InputError, TalkError
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.origin import Origin, origin_of
from talkcli.engine.pipelines.score.clip import Value, score_clip
from talkcli.engine.pipelines.score.generation import Generation, performances
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.types import Alignment, Motion, Reporter, Silent, Speech
from talkcli.engine.wording import counted


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all clips share. `generation` None: the clips' takes are read. `jerk` is as in `score_clip`."""

    generation: Generation | None
    head_name: str
    jerk: Mapping[str, float] | str


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A clip's values; `origins` are those of its takes, `truth` that of its true motion where it has one."""

    id: str
    emotion: str | None
    takes: int
    frames: int
    fps: float
    values: dict[str, Value]
    origins: tuple[Origin | None, ...]
    has_truth: bool
    truth: Origin | None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of a clip, and what was said of it: pairs of note or warn, and text."""

    scored: Scored | TalkError
    said: tuple[tuple[str, str], ...]


def score_case(setting: Setting, job: tuple[Case, Alignment | str]) -> Outcome:
    """Read, animate where that is asked for, and measure one clip."""
    told = _Told()
    try:
        return Outcome(scored=_scored(setting, *job, told), said=tuple(told.said))
    except TalkError as error:
        return Outcome(scored=error, said=tuple(told.said))


def _scored(setting: Setting, case: Case, phones: Alignment | str, reporter: Reporter) -> Scored:
    if setting.generation is None or setting.generation.by_rules:
        settle_threads()
    head = _head(setting.head_name)
    speech = read_speech(case.audio, reporter) if case.audio else None
    takes, origins = _takes(setting, case, speech, phones, reporter)
    true, truth = None, case.truth_origin
    if case.truth is not None:
        true, meta = read_motion(case.truth)
        truth = truth or origin_of(meta)
    for motion in (*takes, *([true] if true else [])):
        if motion.channels != head.channels:
            raise InputError(
                f"Clip {case.id}: a motion has the channels of {motion.head}, the head is {head.name}.",
                hint="Choose the head with `head`; motions of different heads cannot be compared.",
            )
    takes, true = _aligned(case, takes, true, reporter)
    return Scored(
        id=case.id,
        emotion=case.emotion,
        takes=len(takes),
        frames=len(takes[0].coeffs),
        fps=takes[0].fps,
        values=score_clip(head, takes, true, speech, phones, setting.jerk),
        origins=origins,
        has_truth=true is not None,
        truth=truth,
    )


def _takes(
    setting: Setting, case: Case, speech: Speech | None, phones: Alignment | str, reporter: Reporter
) -> tuple[list[Motion], tuple[Origin | None, ...]]:
    generation = setting.generation
    if generation is None:
        read = [read_motion(path) for path in case.takes]
        return [motion for motion, _ in read], tuple(origin_of(meta) for _, meta in read)
    assert speech is not None
    made = performances(generation, speech, phones, reporter)
    return [motion for motion, _ in made], tuple(origin_of(made_by) for _, made_by in made)


@lru_cache(maxsize=1)
def _head(name: str) -> Head:
    return load_head(name)


def _aligned(
    case: Case, takes: list[Motion], true: Motion | None, reporter: Reporter
) -> tuple[list[Motion], Motion | None]:
    """All motions of a clip at one rate (the truth's, else the first take's) and of one length."""
    fps = true.fps if true else takes[0].fps
    if any(not np.isclose(motion.fps, fps) for motion in takes):
        reporter.note(f"{case.id}: resampled to {fps:g} fps.")
        takes = [motion if np.isclose(motion.fps, fps) else resample(motion, fps) for motion in takes]
    lengths = {len(motion.coeffs) for motion in (*takes, *([true] if true else []))}
    if len(lengths) > 1:
        reporter.note(f"{case.id}: cut to {counted(min(lengths), 'frame')}, the longest has {max(lengths)}.")
    return [_cut(motion, min(lengths)) for motion in takes], _cut(true, min(lengths)) if true else None


def _cut(motion: Motion, num_frames: int) -> Motion:
    return Motion(
        coeffs=motion.coeffs[:num_frames], fps=motion.fps, head=motion.head, channels=motion.channels
    )


class _Told(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def note(self, text: str) -> None:
        self.said.append(("note", text))

    def warn(self, text: str) -> None:
        self.said.append(("warn", text))
