"""The work on one clip, from its files to its values, in this process or in a worker process.

The result contains the notes and warnings of the work, so that the caller can print them in the order of the
clips. It contains an error in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from talkcli.engine.audio.io import read_speech
from talkcli.engine.device import settle_threads
from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.face.channels import only_learned
from talkcli.engine.face.motion_file import read_any_motion
from talkcli.engine.face.surface import Surface, surface_of
from talkcli.engine.metrics.catalogue import shown_metrics
from talkcli.engine.origin import Origin, origin_of
from talkcli.engine.pipelines.score.clip import SeenFaces, Value, score_clip
from talkcli.engine.pipelines.score.comparable import (
    aligned,
    cached_head,
    compare_neutrals,
    on_one_topology,
)
from talkcli.engine.pipelines.score.face_pictures import DrawnPictures
from talkcli.engine.pipelines.score.generation import Generation, performances
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.pipelines.score.measured import set_sizes
from talkcli.engine.pipelines.score.vertex_sets import VertexSets, with_sets
from talkcli.engine.pipelines.score.videos import (
    CAPTURED,
    HEAD,
    UnusableVideoError,
    captured_clip,
    pictures_compared,
)
from talkcli.engine.types import (
    MODEL_FPS,
    Alignment,
    AnyMotion,
    Emotion,
    Motion,
    Reporter,
    Silent,
    Speech,
    VertexMotion,
)


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
    against: str | None = None
    """What the pictures of a video are compared with, in words; None for motion, and without any."""
    unusable: str | None = None
    """Reason why a video could not be scored; None where it was, and for motion."""


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
    seen: SeenFaces | None = None
    """Pictures of the faces where videos are scored; None where motion is scored."""
    missing: Mapping[str, str] = field(default_factory=dict)
    """Reasons why there is no truth or sound, as for `score_clip`."""


def clip_surfaces(setting: Setting, case: Case, phones: Alignment | str, reporter: Reporter) -> Shown:
    """Read, animate or capture one clip.

    Raises TalkError for unusable input, UnusableVideoError for a video that cannot be measured.
    """
    if setting.generation is None or setting.generation.by_rules:
        settle_threads()
    speech: Speech | None = read_speech(case.audio, reporter) if case.audio else None
    true, truth = None, case.truth_origin
    if case.truth is not None:
        true, meta = case.truth.read()
        truth = truth or origin_of(meta)
    filmed = None
    takes: list[AnyMotion]
    origins: tuple[Origin | None, ...]
    if case.videos:
        filmed = captured_clip(case, setting.head_name, speech, true, reporter)
        speech, true = filmed.speech, filmed.true
        truth = CAPTURED if filmed.truth_is_film else truth
        takes, origins = [*filmed.takes], (CAPTURED,) * len(filmed.takes)
    else:
        takes, origins = _takes(setting, case, speech, phones, reporter)
    takes, true = on_one_topology(takes, true)
    takes, true = aligned(case, takes, true, reporter)
    surfaces = [_surface(setting.head_name, motion, case, takes[0]) for motion in takes]
    true_surface = None if true is None else _surface(setting.head_name, true, case, takes[0])
    if setting.vertex_sets is not None:
        surfaces = [with_sets(surface, setting.vertex_sets) for surface in surfaces]
        true_surface = None if true_surface is None else with_sets(true_surface, setting.vertex_sets)
    if true is not None:
        compare_neutrals(case, takes[0], true, reporter)
    seen = None
    if filmed is not None:
        drawn = None if true_surface is None else DrawnPictures(true_surface)
        seen = SeenFaces(takes=filmed.pictures, true=filmed.film or drawn)
    return Shown(
        takes=surfaces,
        true=true_surface,
        speech=speech,
        origins=origins,
        truth=truth,
        seen=seen,
        missing={} if filmed is None else filmed.missing,
    )


def _scored(setting: Setting, case: Case, phones: Alignment | str, reporter: Reporter) -> Scored:
    try:
        clip = clip_surfaces(setting, case, phones, reporter)
    except UnusableVideoError as error:
        return _unusable(setting, case, str(error), reporter)
    first = clip.takes[0]
    values = score_clip(
        clip.takes,
        clip.true,
        clip.speech,
        phones,
        setting.reference,
        setting.metrics,
        seen=clip.seen,
        missing=clip.missing,
        speaker=case.speaker,
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
        against=None if clip.seen is None else pictures_compared(clip.seen),
    )


def _unusable(setting: Setting, case: Case, reason: str, reporter: Reporter) -> Scored:
    """Return the clip of a video that cannot be scored: every metric has the reason in place of a value."""
    reporter.warn(f"{case.id}: {reason}.")
    names = shown_metrics() if setting.metrics is None else setting.metrics
    values = {name: Value(value=None, reason=reason) for name in names}
    head = cached_head(setting.head_name or HEAD)
    return Scored(
        id=case.id,
        emotion=case.emotion,
        takes=len(case.videos),
        frames=0,
        fps=float(MODEL_FPS),
        values=values,
        head=head.name,
        vertex_sets=set_sizes(head, values),
        origins=(),
        has_truth=False,
        truth=None,
        unusable=reason,
    )


def _takes(
    setting: Setting, case: Case, speech: Speech | None, phones: Alignment | str, reporter: Reporter
) -> tuple[list[AnyMotion], tuple[Origin | None, ...]]:
    generation = setting.generation
    if generation is None:
        read = [read_any_motion(path) for path in case.takes]
        return [only_learned(motion) for motion, _ in read], tuple(origin_of(meta) for _, meta in read)
    assert speech is not None
    emotion = None if case.emotion is None else Emotion(label=case.emotion, level=case.level)
    performed = performances(generation, speech, phones, reporter, emotion)
    made = [only_learned(motion) for motion in performed]
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
        return Surface(motion, cached_head(head_name or first.head))
    except UsageError as error:
        raise InputError(
            f"Clip {case.id}: {error.problem}",
            hint="Choose the head with `head`; motions of different heads cannot be compared.",
        ) from error


class _Told(Silent):
    """Reporter that stores notes and warnings."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str]] = []

    def note(self, text: str) -> None:
        self.said.append(("note", text))

    def warn(self, text: str) -> None:
        self.said.append(("warn", text))
