"""The recipe of every data set with films: motion measured on the face in the pictures, and the sound.

Axis names: `samples`, `frames`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.clips import MOST_MISMATCH_S
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.heads import HEADS, head_file, load_head
from talkcli.engine.files import real_path, temporary_folder
from talkcli.engine.prepare.adapters.person import Person, find_person
from talkcli.engine.prepare.adapters.scored import NOTES, ORIGINS, with_scores
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.types import Motion, Speech
from talkcli.engine.video.arkit_scores import FaceScorer
from talkcli.engine.video.bundle import find_bundle
from talkcli.engine.video.fit import Fit, fit_head
from talkcli.engine.video.merge import Capture
from talkcli.engine.video.pictures import Crop, Film, open_film
from talkcli.engine.video.stretch import Stretch, profile_spans, usable
from talkcli.engine.video.tracker import FaceChoice, Followed, follow_face
from talkcli.engine.wording import parameter

# Most seconds by which the sound of the same file may end before the pictures; beyond, the motion is cut.
_MOST_SILENT_S = 0.2
# Least seconds that sound and pictures must have in common.
_SHORTEST_S = 0.2
# Thresholds for remarks: least share of pictures with a face, and largest median error of the fit as a share
# of the interocular distance.
_WELL_SEEN, _WELL_FITTED = 0.95, 0.06


@dataclass(frozen=True, kw_only=True)
class FilmedFile:
    """The recipe of a clip from a video.

    `sound` is a separate sound file; None: the video's own sound, aligned by the file's time stamps. A
    separate file starts with the first picture, and its length must be that of the pictures within 0.25 s.
    `head` is a name or path for `load_head`; `face` and `stretch` are as in `follow_face` and `usable`.
    `capture` says what the motion is made of (`merge.py`): "arkit" and "both" need the user's `bundle`, whose
    path belongs to the recipe since workers may have another environment.
    `crop` applies to pictures that are not square. `rest` is a film of the same person with a neutral face;
    with it, the fit does not mistake an expression that lasts all of `video` for the shape of the face.
    `preview` is the path of a video that shows the measurement.
    """

    video: Path
    sound: Path | None = None
    head: str = "ada"
    face: FaceChoice = "only"
    stretch: Stretch = "whole"
    capture: Capture = "landmarks"
    bundle: Path | None = None
    crop: Crop | None = None
    rest: Path | None = None
    # Without a repr, since the preview does not change the clip.
    preview: Path | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.capture == "landmarks") != (self.bundle is None):
            raise ValueError("A bundle belongs to the captures arkit and both, and only to them.")

    @property
    def inputs(self) -> tuple[Path, ...]:
        # A missing film at rest does not make the clip fail.
        rest = self.rest if self.rest and self.rest.is_file() else None
        others = (self.sound, rest, head_file(self.head), self.bundle)
        return (self.video, *(path for path in others if path is not None))

    def make(self, source: Source) -> Recording:  # noqa: ARG002  labels change nothing of what is seen
        """Measure the motion in the video.

        Raises InputError for a video or sound that cannot be read, a video without any sound, no face or more
        than one, and tracks that `usable` refuses, such as those with cuts and gaps. With a bundle also for a
        damaged one and for a face that its networks find in too few pictures (`check_scored`).
        """
        film = replace(open_film(self.video), crop=self.crop)
        if self.sound is not None:
            film = replace(film, sound_late_s=0.0)
        if film.sound_late_s is None:
            raise InputError(
                f"{self.video} has no sound.", hint="Put a sound file of the same name beside it."
            )
        heard = _Warnings()
        speech = read_speech(self.sound or self.video, heard)
        if self.sound is not None and abs(speech.duration_s - film.duration_s) > MOST_MISMATCH_S:
            raise InputError(
                f"{self.sound} has {speech.duration_s:.2f} s of sound, {self.video} {film.duration_s:.2f} s "
                "of pictures: they do not belong to one recording."
            )
        followed = follow_face(film, self.face, heard)
        first, last = usable(followed.track, self.stretch, str(self.video))
        shown, track = film.part(first, last), followed.track.part(first, last)
        late_s = film.sound_late_s - first / film.fps
        shared_s = min(late_s + speech.duration_s, shown.duration_s) - max(late_s, 0.0)
        if shared_s < _SHORTEST_S:
            raise InputError(f"{self.video}: sound and pictures share {max(shared_s, 0.0):.2f} s.")
        person = self._person()
        if isinstance(person, str):
            heard.warn(f"Rest was estimated from the clip itself, since {self.rest} cannot be used: {person}")
        known = person if isinstance(person, Person) else None
        if known and known.unscored:
            heard.warn(
                f"The scores at rest were estimated from the clip itself, since {self.rest} cannot be "
                f"scored: {known.unscored}"
            )
        fit = fit_head(track, load_head(self.head), person=known.identity if known else None)
        scored: dict[str, Any] = {}
        if self.bundle is not None:
            motion, scored = with_scores(
                fit.motion,
                shown,
                track,
                capture=self.capture,
                bundle=self.bundle,
                rest=known.rest if known else None,
                gaps=self.stretch == "longest",
            )
            # Its error stays that of the landmark fit, whose head is drawn beside the landmarks.
            fit = replace(fit, motion=motion)
        speech = aligned(speech, -late_s, shown.duration_s)
        if self.preview is not None:
            # The import compiles the renderer, which most clips do not need.
            from talkcli.engine.prepare.preview import write_preview

            write_preview(self.preview, shown, track, fit, speech)
        motion = fit.motion
        if self.sound is None and motion.duration_s - speech.duration_s > _MOST_SILENT_S:
            motion = _shortened(motion, int(speech.duration_s * motion.fps))
            heard.warn(f"The pictures go on for {fit.motion.duration_s - motion.duration_s:.2f} s more.")
        report = _report(film, followed, (first, last), fit)
        report["rest_from"] = self.rest.name if self.rest and known else None
        report |= scored
        if remarks := [*_remarks(film, followed, (first, last), report), *heard.texts]:
            report["video"] = " ".join(remarks)
        return Recording(speech=speech, motion=motion, origin=ORIGINS[self.capture], report=report)

    def _person(self) -> Person | str | None:
        """Return the person in `rest`, or the reason why the film shows none; None without such a film."""
        if self.rest is None:
            return None
        try:
            changed_ns = self.rest.stat().st_mtime_ns
        except OSError as error:
            return f"{error.strerror}."
        return find_person(self.rest, self.head, self.face, self.crop, self.bundle, changed_ns)


def at_rest(
    sources: Sequence[Source], same: Callable[[Source], object] = lambda source: source.speaker
) -> list[Source]:
    """Return the same sources in order; each film of a person gets the first neutral film of that person,
    where there is one.

    `same` is equal for sources that show one face from one side. Labels at level 0 are none.
    """
    neutral: dict[object, Path] = {}
    for source in sources:
        labelled = source.emotion.label == "neutral" and source.emotion.level > 0
        if labelled and isinstance(source.recipe, FilmedFile):
            neutral.setdefault(same(source), source.recipe.video)
    return [_told(source, neutral.get(same(source))) for source in sources]


def _told(source: Source, rest: Path | None) -> Source:
    if not isinstance(source.recipe, FilmedFile) or rest in (None, source.recipe.video):
        return source
    return replace(source, recipe=replace(source.recipe, rest=rest))


@dataclass(frozen=True, kw_only=True)
class HowToLook:
    """The settings of `FilmedFile` for all films of a data set; `preview` is the folder of preview videos."""

    head: str = "ada"
    face: FaceChoice = "only"
    stretch: Stretch = "whole"
    capture: Capture = "landmarks"
    preview: Path | None = None

    @property
    def note(self) -> str:
        """Return what a run notes of how motion is captured."""
        return NOTES[self.capture]

    def check(self, *roots: Path, used: bool = True) -> None:
        """Check the settings before any work starts.

        Args:
            roots: Folders that the run reads.
            used: Whether the run measures films at all.

        Raises:
            UsageError: The head is unknown, or lacks ARKit's channels and `capture` needs them; the previews
                would lie below a root; or there are settings for films and no film is `used`.
            AssetError: Files of the head are missing, or the bundle that `capture` needs.
            ExtraError: mediapipe is not installed, and `capture` needs it.
            InputError: That bundle is damaged, or another file.
            OSError: No previews can be written; without the check, every film would fail.
        """
        if not used:
            if self != AS_USUAL:
                raise UsageError(
                    "`head`, `face`, `stretch`, `capture` and `preview` are settings for films, but no film "
                    "is read.",
                    hint="Add `motion=video`.",
                )
            return
        load_head(self.head)
        if self.capture != "landmarks":
            if self.head != "ada":
                raise UsageError(
                    f"{parameter('capture', self.capture)} gives ARKit's channels, which "
                    f"{parameter('head', self.head)} does not have.",
                    hint="Choose `head=ada` or `capture=landmarks`.",
                )
            with FaceScorer(find_bundle()):
                pass
        for root in roots:
            if self.preview is not None and real_path(self.preview).is_relative_to(real_path(root)):
                raise UsageError(
                    f"{parameter('preview', self.preview)} lies in {root}: a second run would read it as "
                    "films.",
                    hint="Choose a folder beside `root`.",
                )
        if self.preview is not None:
            self.preview.mkdir(parents=True, exist_ok=True)
            with temporary_folder(self.preview):
                pass

    def at(
        self,
        video: Path,
        clip_id: str,
        *,
        sound: Path | None = None,
        crop: Crop | None = None,
    ) -> FilmedFile:
        """Return the recipe of the clip called `clip_id`. Raises AssetError without a bundle for it."""
        return FilmedFile(
            video=video,
            sound=sound,
            head=self.head if self.head in HEADS else str(Path(self.head).absolute()),
            face=self.face,
            stretch=self.stretch,
            capture=self.capture,
            bundle=None if self.capture == "landmarks" else find_bundle(),
            crop=crop,
            preview=self.preview.absolute() / f"{clip_id}.mp4" if self.preview else None,
        )


AS_USUAL = HowToLook()


def aligned(speech: Speech, begins_s: float, most_s: float) -> Speech:
    """Return at most `most_s` seconds of `speech` from `begins_s` on; a negative start adds silence."""
    begins, most = round(begins_s * speech.rate_hz), round(most_s * speech.rate_hz)
    samples: Float[np.ndarray, "samples"] = speech.samples[max(begins, 0) :]
    samples = np.concatenate([np.zeros(min(max(-begins, 0), most), np.float32), samples])
    return replace(speech, samples=samples[:most])


@dataclass
class _Warnings:
    """A reporter that keeps warnings for the clip's report, since workers have no terminal."""

    texts: list[str] = field(default_factory=list)

    def progress(self, stage: str, done: int, total: int | None) -> None:
        pass

    def note(self, text: str) -> None:
        pass

    def warn(self, text: str) -> None:
        self.texts.append(text)


def _shortened(motion: Motion, num_frames: int) -> Motion:
    pose = None if motion.pose is None else motion.pose[:num_frames]
    return replace(motion, coeffs=motion.coeffs[:num_frames], pose=pose)


def _report(film: Film, followed: Followed, used: tuple[int, int], fit: Fit) -> dict[str, Any]:
    """Return the line of report.jsonl, whose keys docs/formats.md describes."""
    shown = followed.track.part(*used)
    return {
        "video_fps": round(film.fps, 6),
        "video_fps_lowest": round(film.rates[0], 3),
        "video_fps_highest": round(film.rates[1], 3),
        "video_fps_constant": film.constant,
        "sound_late_s": None if film.sound_late_s is None else round(film.sound_late_s, 4),
        "face_seen": round(float(shown.seen.mean()), 4),
        "face_confidence": round(float(np.median(shown.confidence)), 4),
        "other_faces": followed.num_others,
        "cuts": ", ".join(f"{cut / film.fps:.2f} s" for cut in followed.track.cuts),
        "profile": profile_spans(shown),
        "used_from_s": round(used[0] / film.fps, 3),
        "used_to_s": round(used[1] / film.fps, 3),
        "fit_error": round(float(np.nanmedian(fit.error)), 4),
    }


def _remarks(
    film: Film, followed: Followed, used: tuple[int, int], report: Mapping[str, Any]
) -> Iterator[str]:
    """Yield sentences about properties of the clip that a user should check."""
    shown = followed.track.part(*used)
    if not film.constant:
        low, high = film.rates
        yield f"The rate goes from {low:.4g} to {high:.4g} fps; motion is at {film.fps:.4g} fps."
    if used != (0, film.num_frames):
        first_s, last_s = (frame / film.fps for frame in used)
        yield f"Used are {first_s:.2f} to {last_s:.2f} of {film.duration_s:.2f} s."
    if followed.num_others:
        others = "Another face is" if followed.num_others == 1 else f"Up to {followed.num_others} others are"
        yield f"{others} seen beside the tracked face."
    if shown.seen.mean() < _WELL_SEEN:
        yield f"The face is seen in {shown.seen.mean():.0%} of the pictures."
    yield from _remark_on_scores(report.get("face_scored", 1.0))
    if profile := profile_spans(shown):
        yield f"It is in profile in {profile}."
    if report["fit_error"] > _WELL_FITTED:
        yield f"The head lies {report['fit_error']:.0%} of the eye distance off the landmarks."


def _remark_on_scores(share: float) -> Iterator[str]:
    if share < _WELL_SEEN:
        yield f"The networks of the bundle find it in {share:.0%} of the pictures."
