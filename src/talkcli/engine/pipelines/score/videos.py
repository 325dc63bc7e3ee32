"""Motion of videos that somebody made, measured on the face in the pictures as in films of data sets.

A video that cannot be measured gives a reason in place of its motion, so that one bad file ends no score.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.clips import MOST_MISMATCH_S
from talkcli.engine.errors import ExtraError, InputError
from talkcli.engine.face.heads import load_head
from talkcli.engine.metrics.catalogue import METRICS
from talkcli.engine.optional import how_to_install, is_installed
from talkcli.engine.pipelines.score.clip import SeenFaces
from talkcli.engine.pipelines.score.face_pictures import FilmPictures
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.prepare.adapters.filmed import aligned
from talkcli.engine.prepare.adapters.scored import ORIGINS
from talkcli.engine.types import MODEL_FPS, AnyMotion, Motion, Reporter, Silent, Speech
from talkcli.engine.video.fit import fit_head
from talkcli.engine.video.pictures import Film, open_film
from talkcli.engine.video.stretch import usable
from talkcli.engine.video.tracker import follow_face

# Head of the motion where neither the user nor a true motion names one.
HEAD = "ada"
# Where the motion of a video comes from.
CAPTURED = ORIGINS["landmarks"]
_PACKAGE = "mediapipe"
# Difference in pictures a second below which two rates are the same.
_SAME_RATE = 0.01


@dataclass(frozen=True, kw_only=True)
class Captured:
    """One video as a score needs it."""

    film: Film
    """The video and its times."""
    motion: Motion
    """Motion of the face, at the video's own rate."""
    pictures: FilmPictures
    """Crops of the face."""


class UnusableVideoError(Exception):
    """A video cannot be scored; the message says why, for the cells of its clip."""


def check_extra() -> None:
    """Check, before any work, that faces can be followed. Raises ExtraError without the extra `video`."""
    if not is_installed(_PACKAGE):
        raise ExtraError(
            f"Scoring `videos` needs the package {_PACKAGE}, which is not installed here.",
            hint=how_to_install(_PACKAGE),
        )


@dataclass(frozen=True, kw_only=True)
class FilmedClip:
    """A clip whose videos were measured, with what it is compared with."""

    takes: list[Motion]
    """Motion of each video, at its own rate."""
    pictures: list[FilmPictures]
    """Crops of each video."""
    speech: Speech | None
    """Sound; None without any."""
    true: Motion | None
    """True motion; None without one that compares."""
    truth_is_film: bool
    """Whether the true motion was measured on the clip's real film."""
    film: FilmPictures | None
    """Crops of the real film; None without one."""
    missing: dict[str, str]
    """Reasons why there is no `truth` or `audio`."""


def captured_clip(
    case: Case, head_name: str | None, speech: Speech | None, true: AnyMotion | None, reporter: Reporter
) -> FilmedClip:
    """Measure the videos of a clip.

    Without true coefficients the motion of the clip's real film takes their place. Without `speech` the first
    video's own sound does.

    Args:
        case: Clip with videos.
        head_name: Head of the motion; None for that of the true motion, else ada.
        speech: Sound of the clip; None without one.
        true: True motion of the clip; None without one.
        reporter: Receiver of notes.

    Raises:
        UnusableVideoError: For a damaged video or one shorter than the clip by more than a quarter of a
            second, one without a face or with several, with cuts, or whose face is out of sight for long.
        ExtraError: mediapipe is not installed.
    """
    missing: dict[str, str] = {}
    coefficients = true if isinstance(true, Motion) else None
    head = head_name or (HEAD if coefficients is None else coefficients.head)
    lengths = [each.duration_s for each in (speech, true) if each is not None]
    found = [_captured(path, head, min(lengths, default=None)) for path in case.videos]
    for each in found:
        if abs(each.film.fps - MODEL_FPS) > _SAME_RATE:
            reporter.note(
                f"{case.id}: {each.film.path.name} has {each.film.fps:.4g} pictures a second; judges see it "
                f"at {MODEL_FPS}, by time."
            )
    if speech is None:
        own = own_sound(found[0].film, reporter)
        if isinstance(own, str):
            missing["audio"] = own
        else:
            speech = own
    real, motion = None, coefficients
    if case.film is not None:
        real = FilmPictures(case.film)
        if coefficients is None:
            try:
                captured = _captured(case.film, head, None)
                real, motion = captured.pictures, captured.motion
            except UnusableVideoError as error:
                missing["truth"] = f"the real film cannot be used: {error}"
    elif true is not None and coefficients is None:
        missing["truth"] = "the true motion is of vertices, that of a video of coefficients"
    return FilmedClip(
        takes=[each.motion for each in found],
        pictures=[each.pictures for each in found],
        speech=speech,
        true=motion,
        truth_is_film=motion is not None and coefficients is None,
        film=real,
        missing=missing,
    )


def scored_of(metric: str, against: Collection[str]) -> str:
    """Return in words what of a video a metric sees, for its cell.

    Args:
        metric: Name in `METRICS`.
        against: What the pictures of videos were compared with, as `pictures_compared` says it.
    """
    info = METRICS[metric]
    if info.sees == "motion":
        return "video: captured motion"
    if "truth" not in info.needs or not against:
        return "video: crops of its pictures"
    return f"video: crops of its pictures, against {' and '.join(sorted(against))}"


def pictures_compared(seen: SeenFaces) -> str | None:
    """Return in words what the pictures of a clip's videos are compared with; None without any."""
    if seen.true is None:
        return None
    return "the real films" if isinstance(seen.true, FilmPictures) else "drawings of the true motion"


def _captured(path: Path, head_name: str, least_s: float | None) -> Captured:
    try:
        film = open_film(path)
        if least_s is not None and least_s - film.duration_s > MOST_MISMATCH_S:
            raise UnusableVideoError(f"{path} has {film.duration_s:.2f} s of the clip's {least_s:.2f} s")
        track = follow_face(film, "only", Silent()).track
        usable(track, "whole", str(path))
        motion = fit_head(track, load_head(head_name)).motion
    except InputError as error:
        raise UnusableVideoError(error.problem.rstrip(".")) from error
    return Captured(film=film, motion=motion, pictures=FilmPictures(path, (film, track)))


def own_sound(film: Film, reporter: Reporter) -> Speech | str:
    """Return the sound of a video from its first picture on, or the reason why there is none.

    The file's time stamps say how sound and pictures lie; what the sound lacks at the beginning is silence.
    """
    if film.sound_late_s is None:
        return f"{film.path} has no sound"
    try:
        speech = read_speech(film.path, reporter)
    except InputError as error:
        return error.problem.rstrip(".")
    return aligned(speech, -film.sound_late_s, film.duration_s)
