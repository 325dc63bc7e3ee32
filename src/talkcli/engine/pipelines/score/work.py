"""One clip from its files to its values, in whatever process it is done.

What is said on the way is part of the result, so that it appears in the clips' order. So is an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from talkcli.engine.audio.io import read_speech
from talkcli.engine.device import settle_threads
from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.face.head import Head
from talkcli.engine.face.heads import load_head
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.face.surface import Surface, surface_of
from talkcli.engine.origin import Origin, origin_of
from talkcli.engine.pipelines.score.clip import Value, score_clip
from talkcli.engine.pipelines.score.generation import Generation, performances
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.pipelines.score.measured import set_sizes
from talkcli.engine.types import Alignment, AnyMotion, Motion, Reporter, Silent, Speech, VertexMotion
from talkcli.engine.wording import counted

# Largest distance between two neutral faces that count as one, as a part of their extent: float32 rounding.
_SAME_FACE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What all clips share.

    `generation` is None where the clips' takes are read; `head_name` None lays motions on topologies of their
    own; `reference` is as in `score_clip`.
    """

    generation: Generation | None
    head_name: str | None
    reference: Mapping[str, float] | str


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A clip's values; `head` is the name of its topology, `vertex_sets` the sizes of the sets that metrics
    look at. `origins` are those of its takes, `truth` that of its true motion where it has one."""

    id: str
    emotion: str | None
    takes: int
    frames: int
    fps: float
    values: dict[str, Value]
    head: str
    vertex_sets: dict[str, int | None]
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
    speech = read_speech(case.audio, reporter) if case.audio else None
    takes, origins = _takes(setting, case, speech, phones, reporter)
    true, truth = None, case.truth_origin
    if case.truth is not None:
        true, meta = case.truth.read()
        truth = truth or origin_of(meta)
    takes, true = _aligned(case, takes, true, reporter)
    surfaces = [_surface(setting.head_name, motion, case, takes[0]) for motion in takes]
    true_surface = None if true is None else _surface(setting.head_name, true, case, takes[0])
    if true is not None:
        _compare_neutrals(case, takes[0], true, reporter)
    return Scored(
        id=case.id,
        emotion=case.emotion,
        takes=len(takes),
        frames=takes[0].num_frames,
        fps=takes[0].fps,
        values=score_clip(surfaces, true_surface, speech, phones, setting.reference),
        head=surfaces[0].topology.name,
        vertex_sets=set_sizes(surfaces[0].topology),
        origins=origins,
        has_truth=true is not None,
        truth=truth,
    )


def _takes(
    setting: Setting, case: Case, speech: Speech | None, phones: Alignment | str, reporter: Reporter
) -> tuple[list[AnyMotion], tuple[Origin | None, ...]]:
    generation = setting.generation
    if generation is None:
        read = [read_any_motion(path) for path in case.takes]
        return [motion for motion, _ in read], tuple(origin_of(meta) for _, meta in read)
    assert speech is not None
    made = performances(generation, speech, phones, reporter)
    return made, tuple(origin_of(motion.meta) for motion in made)


def _surface(head_name: str | None, motion: AnyMotion, case: Case, first: AnyMotion) -> Surface:
    """Lay a motion of a clip on its topology. Raises InputError where it is not that of the first take."""
    if isinstance(motion, VertexMotion) and isinstance(first, VertexMotion):
        same = (motion.topology, motion.neutral.shape) == (first.topology, first.neutral.shape)
    else:
        same = type(motion) is type(first)
    if not same:
        raise InputError(
            f"Clip {case.id}: motions of different topologies cannot be compared.",
            hint="Give coefficients of one head everywhere, or vertices of one topology.",
        )
    if isinstance(motion, VertexMotion):
        return surface_of(motion, head_name)
    assert isinstance(first, Motion)
    try:
        return Surface(motion, _head(head_name or first.head))
    except UsageError as error:
        raise InputError(
            f"Clip {case.id}: {error.problem}",
            hint="Choose the head with `head`; motions of different heads cannot be compared.",
        ) from error


def _compare_neutrals(case: Case, take: AnyMotion, true: AnyMotion, reporter: Reporter) -> None:
    """Warn where predicted and true vertices are of faces that differ at rest."""
    if not isinstance(take, VertexMotion) or not isinstance(true, VertexMotion):
        return
    apart = float(np.linalg.norm(take.neutral - true.neutral, axis=-1).max())
    extent = float(np.ptp(true.neutral, axis=0).max())
    if apart > _SAME_FACE * extent:
        reporter.warn(
            f"{case.id}: the neutral faces of prediction and truth differ by up to {apart:.3g}; vertex "
            f"errors "
            "include this difference."
        )


@lru_cache(maxsize=1)
def _head(name: str) -> Head:
    return load_head(name)


def _aligned(
    case: Case, takes: list[AnyMotion], true: AnyMotion | None, reporter: Reporter
) -> tuple[list[AnyMotion], AnyMotion | None]:
    """Return all motions of a clip at one rate (the truth's, else the first take's) and of one length."""
    fps = true.fps if true else takes[0].fps
    if any(not np.isclose(motion.fps, fps) for motion in takes):
        reporter.note(f"{case.id}: resampled to {fps:g} fps.")
        takes = [motion if np.isclose(motion.fps, fps) else resample(motion, fps) for motion in takes]
    lengths = {motion.num_frames for motion in (*takes, *([true] if true else []))}
    if len(lengths) > 1:
        reporter.note(f"{case.id}: cut to {counted(min(lengths), 'frame')}, the longest has {max(lengths)}.")
    return [_cut(motion, min(lengths)) for motion in takes], _cut(true, min(lengths)) if true else None


def _cut(motion: AnyMotion, num_frames: int) -> AnyMotion:
    """Cut a motion to its first frames."""
    if isinstance(motion, VertexMotion):
        return replace(motion, vertices=motion.vertices[:num_frames])
    pose = None if motion.pose is None else motion.pose[:num_frames]
    return replace(motion, coeffs=motion.coeffs[:num_frames], pose=pose)


class _Told(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def note(self, text: str) -> None:
        self.said.append(("note", text))

    def warn(self, text: str) -> None:
        self.said.append(("warn", text))
