"""The work on one clip, from its files to its values, in this process or in a worker process.

The result contains the notes and warnings of the work, so that the caller can print them in the order of the
clips. It contains an error in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from talkcli.engine.pipelines.score.vertex_sets import VertexSets, with_sets
from talkcli.engine.types import Alignment, AnyMotion, Motion, Reporter, Silent, Speech, VertexMotion
from talkcli.engine.wording import counted

# Largest distance between the vertices of two neutral faces that count as equal, as a share of the face's
# extent: the rounding of float32 can cause it.
_SAME_FACE = 1e-5


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Settings that all clips share."""

    generation: Generation | None
    """Performer that makes the takes; None when talk reads them."""
    head_name: str | None
    """Head of the surfaces; None for the head or mesh of each motion."""
    reference: Mapping[str, float] | str
    """Means over real motion, or the reason why there are none, as in `score_clip`."""
    metrics: Sequence[str] | None = None
    """Names of the metrics; None for those that are measured by default."""
    vertex_sets: VertexSets | None = None
    """Regions of the meshes that a user names; None for those that talk knows."""


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The values of a clip, and what reports say of it."""

    id: str
    """Id of the clip."""
    emotion: str | None
    """Emotion label of the clip; None when it is unknown."""
    takes: int
    """Number of takes."""
    frames: int
    """Number of frames that were compared."""
    fps: float
    """Frame rate of these frames."""
    values: dict[str, Value]
    """Value of each metric, by its name."""
    head: str
    """Name of the topology."""
    vertex_sets: dict[str, int | None]
    """Number of vertices in each set that metrics measure; None for sets that the topology lacks."""
    origins: tuple[Origin | None, ...]
    """Origin of each take; None for an unknown one."""
    has_truth: bool
    """Whether the clip has a true motion."""
    truth: Origin | None
    """Origin of the true motion; None when it is unknown, or when there is no true motion."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of the work on a clip."""

    scored: Scored | TalkError
    """Values of the clip, or the error."""
    said: tuple[tuple[str, str], ...]
    """Notes and warnings of the work: pairs of `note` or `warn`, and the text."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """The work on one clip with one seed."""

    case: Case
    """Clip."""
    phones: Alignment | str
    """Phones of the speech, or the reason why they are unknown."""
    seed: int = 0
    """Index of the setting whose generation has the seed."""


def score_case(settings: Sequence[Setting], job: Job) -> Outcome:
    """Read or animate one clip, and measure it; `settings` has one for each seed."""
    told = _Told()
    try:
        scored = _scored(settings[job.seed], job.case, job.phones, told)
        return Outcome(scored=scored, said=tuple(told.said))
    except TalkError as error:
        return Outcome(scored=error, said=tuple(told.said))


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The surfaces of a clip, all at one frame rate and of one length, and what belongs to them."""

    takes: list[Surface]
    """Surface of each take."""
    true: Surface | None
    """Surface of the true motion; None when there is none."""
    speech: Speech | None
    """Sound of the clip; None when there is none."""
    origins: tuple[Origin | None, ...]
    """Origin of each take; None for an unknown one."""
    truth: Origin | None
    """Origin of the true motion; None when it is unknown, or when there is no true motion."""


def clip_surfaces(setting: Setting, case: Case, phones: Alignment | str, reporter: Reporter) -> Shown:
    """Read or animate one clip. Raises TalkError for unusable input."""
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
    if setting.vertex_sets is not None:
        surfaces = [with_sets(surface, setting.vertex_sets) for surface in surfaces]
        true_surface = None if true_surface is None else with_sets(true_surface, setting.vertex_sets)
    if true is not None:
        _compare_neutrals(case, takes[0], true, reporter)
    return Shown(takes=surfaces, true=true_surface, speech=speech, origins=origins, truth=truth)


def _scored(setting: Setting, case: Case, phones: Alignment | str, reporter: Reporter) -> Scored:
    clip = clip_surfaces(setting, case, phones, reporter)
    first = clip.takes[0]
    values = score_clip(
        clip.takes,
        clip.true,
        clip.speech,
        phones,
        setting.reference,
        setting.metrics,
        case.speaker,
    )
    return Scored(
        id=case.id,
        emotion=case.emotion,
        takes=len(clip.takes),
        frames=first.num_frames,
        fps=first.fps,
        values=values,
        head=first.topology.name,
        vertex_sets=set_sizes(first.topology, values),
        origins=clip.origins,
        has_truth=clip.true is not None,
        truth=clip.truth,
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
    """Return the surface of a motion of a clip.

    Args:
        head_name: Head of the surface; None for that of the first take.
        motion: A take, or the true motion.
        case: Clip, for messages.
        first: First take of the clip.

    Raises:
        InputError: When the motion's topology is not that of the first take.
    """
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
    """Warn when the predicted and the true vertices belong to faces that differ at rest."""
    if not isinstance(take, VertexMotion) or not isinstance(true, VertexMotion):
        return
    apart = float(np.linalg.norm(take.neutral - true.neutral, axis=-1).max())
    extent = float(np.ptp(true.neutral, axis=0).max())
    if apart > _SAME_FACE * extent:
        reporter.warn(
            f"{case.id}: the neutral faces of prediction and truth differ by up to {apart:.3g}; "
            "vertex errors include this difference."
        )


@lru_cache(maxsize=1)
def _head(name: str) -> Head:
    return load_head(name)


def _aligned(
    case: Case, takes: list[AnyMotion], true: AnyMotion | None, reporter: Reporter
) -> tuple[list[AnyMotion], AnyMotion | None]:
    """Return the takes and the true motion of a clip at one frame rate and of one length.

    The rate is that of the truth, else that of the first take; the length is that of the shortest motion. The
    reporter gets a note of either change.
    """
    fps = true.fps if true else takes[0].fps
    if any(not np.isclose(motion.fps, fps) for motion in takes):
        reporter.note(f"{case.id}: resampled to {fps:g} fps.")
        takes = [motion if np.isclose(motion.fps, fps) else resample(motion, fps) for motion in takes]
    lengths = {motion.num_frames for motion in (*takes, *([true] if true else []))}
    if len(lengths) > 1:
        reporter.note(f"{case.id}: cut to {counted(min(lengths), 'frame')}, the longest has {max(lengths)}.")
    return [_cut(motion, min(lengths)) for motion in takes], _cut(true, min(lengths)) if true else None


def _cut(motion: AnyMotion, num_frames: int) -> AnyMotion:
    """Return the first frames of a motion."""
    if isinstance(motion, VertexMotion):
        return replace(motion, vertices=motion.vertices[:num_frames])
    pose = None if motion.pose is None else motion.pose[:num_frames]
    return replace(motion, coeffs=motion.coeffs[:num_frames], pose=pose)


class _Told(Silent):
    """Reporter that stores notes and warnings."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def note(self, text: str) -> None:
        self.said.append(("note", text))

    def warn(self, text: str) -> None:
        self.said.append(("warn", text))
