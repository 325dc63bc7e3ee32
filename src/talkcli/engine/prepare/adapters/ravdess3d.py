"""3D-RAVDESS: RAVDESS's spoken performances as motion at 30 fps, Kalman-filtered, the head not turned.

EmoFace makes it of its films with EMOCA and decodes FLAME's coefficients to vertices. Read are coefficients
that a tracker gave, or the films themselves. Axis names: `frames`.
Source: Lin et al. (2024), EmoFace (arXiv 2408.11518), the section on 3D-RAVDESS.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from talkcli.engine.errors import AssetError, InputError, UsageError
from talkcli.engine.face.heads import head_file, load_head
from talkcli.engine.face.kalman import CornerHz, Passes, kalman
from talkcli.engine.face.quaternions import axis_angles, quaternions
from talkcli.engine.face.resample import resample
from talkcli.engine.prepare.adapters.filmed import AS_USUAL, HowToLook
from talkcli.engine.prepare.adapters.folder import BareMotion, FolderPair
from talkcli.engine.prepare.adapters.ravdess import whole_ravdess_sources
from talkcli.engine.prepare.emoca_codes import EXPRESSION, POSE, CodedFilm, coded_folders, picture_folders
from talkcli.engine.prepare.names import Unusable, files_below, tell_left_out
from talkcli.engine.prepare.ravdess_names import (
    EMOFACE_SPLIT,
    SPEECH,
    RavdessName,
    best_file,
    broken_source,
    has_form,
    parse_name,
    source_of,
    tell_absent,
    tell_doubled,
)
from talkcli.engine.prepare.source import Previewed, Recipe, Recording, Source
from talkcli.engine.types import Config, Motion, Reporter, VertexMotion
from talkcli.engine.wording import counted

# The rate of the published set.
FPS = 30.0
_NAME = "ravdess3d"
_CODES = (".npz", ".npy", ".pkl", ".pickle")
_SOUNDS = (".wav", ".flac", ".mp4")
# Frames that become vertices at a time.
_BLOCK_FRAMES = 64
_HINT = (
    "Expected: a tracker's Actor_01/01-01-06-02-01-02-01.npz, .npy or .pkl, or EMOCA's folders "
    f"01-01-06-02-01-02-01/.../000001_000 with {EXPRESSION} and {POSE}; and the sound, "
    "03-01-06-02-01-02-01.wav, or the film. `motion=video` measures motion in the films."
)


class Build(Config):
    """How the set is built; the defaults are the published steps, whose noise settings are not published."""

    form: Literal["vertices", "coefficients"] = "vertices"
    """Whether clips hold the vertices of the head, or its coefficients."""
    kalman: Passes | None = "forward"
    """Passes of the Kalman filter; None for none."""
    kalman_hz: CornerHz = 6.0
    """Frequency that states the ratio of the filter's noises, in Hz, as `kalman` takes it."""

    def __str__(self) -> str:
        passes = {"forward": "forward", "both": "forward and backwards"}
        smoothed = "not filtered"
        if self.kalman is not None:
            smoothed = f"Kalman-filtered {passes[self.kalman]} ({self.kalman_hz:g} Hz)"
        return f"The motion is built as {self.form} at {FPS:g} fps, {smoothed}."


@dataclass(frozen=True, kw_only=True)
class BuiltClip:
    """The recipe of a clip whose coefficients another recipe, `measured`, reads or measures; `head` is a name
    or path for `load_head`.
    """

    measured: Recipe
    build: Build
    head: str

    @property
    def inputs(self) -> tuple[Path, ...]:
        file = head_file(self.head) if self.build.form == "vertices" else None
        return tuple(dict.fromkeys([*self.measured.inputs, *([] if file is None else [file])]))

    @property
    def preview(self) -> Path | None:
        return self.measured.preview if isinstance(self.measured, Previewed) else None

    def make(self, source: Source) -> Recording:
        """Make the clip. Raises InputError as `measured` does, and when it gives another head's motion."""
        recording = self.measured.make(source)
        assert recording.motion is not None
        motion = filtered(resample(recording.motion, FPS), self.build)
        recording = replace(recording, report={**(recording.report or {}), "built": str(self.build)})
        if self.build.form == "coefficients":
            return replace(recording, motion=motion)
        return replace(recording, motion=None, mesh=decoded(motion, self.head))


def filtered(motion: Motion, build: Build) -> Motion:
    """Return `motion` after the Kalman filter of `build`; the rotation of the head is filtered as
    quaternions.
    """
    if build.kalman is None:
        return motion

    def smoothed(values: np.ndarray) -> np.ndarray:
        assert build.kalman is not None
        return kalman(values, motion.fps, corner_hz=build.kalman_hz, passes=build.kalman)

    pose = motion.pose
    if pose is not None:
        pose = axis_angles(smoothed(quaternions(pose))).astype(np.float32)
    return replace(motion, coeffs=smoothed(motion.coeffs).astype(np.float32), pose=pose)


@torch.inference_mode()
def decoded(motion: Motion, head_name: str) -> VertexMotion:
    """Return the vertices of the head called `head_name`, which does not turn, and its mean identity at rest.

    Raises InputError when the head has other channels than `motion`, and what `load_head` raises.
    """
    head = load_head(head_name)
    if head.channels != motion.channels:
        raise InputError(
            f"The coefficients are those of {motion.head}, but vertices of {head.name} are asked for."
        )
    coeffs = torch.from_numpy(motion.coeffs)
    vertices = np.concatenate([head(block).numpy() for block in coeffs.split(_BLOCK_FRAMES)])
    return VertexMotion(
        vertices=vertices.astype(np.float32, copy=False),
        neutral=np.asarray(head.template, np.float32),
        fps=motion.fps,
        topology=head.name,
    )


def ravdess3d_sources(
    root: Path,
    reporter: Reporter,
    *,
    motion: Literal["measured", "video"] = "measured",
    codes: Path | None = None,
    source_fps: float = FPS,
    build: Build | None = None,
    how: HowToLook = AS_USUAL,
) -> list[Source]:
    """Return every spoken performance, in EmoFace's split by actor, in order of its name.

    Args:
        root: Folder of RAVDESS's sound and films.
        reporter: Receiver of notes and warnings.
        motion: Whether a tracker's coefficients are read, or the films measured.
        codes: Folder of the coefficients; None for `root`.
        source_fps: Frames per second of coefficients whose file states no rate.
        build: How the set is built; None for the published steps.
        how: How films are measured; its head is also that of the vertices.

    Raises:
        InputError: When there are no coefficients, or no films.
        UsageError, AssetError: For settings that do not fit, and without the head's file.
    """
    build = build or Build()
    reporter.note(str(build))
    if motion == "video":
        if codes is not None:
            raise UsageError("`codes` is for given coefficients.", hint="Leave it or `motion=video` out.")
        filmed = whole_ravdess_sources(root, EMOFACE_SPLIT, ("speech",), reporter, motion="video", how=how)
        renamed = [replace(source, id=f"{_NAME}/{source.id.split('/', 1)[1]}") for source in filmed]
        return list(_built(renamed, build, how.head))
    how.check(used=False)
    if build.form == "vertices":
        # A missing file would fail every clip.
        try:
            load_head("flame")
        except AssetError as error:
            raise AssetError(error.problem, hint=f"{error.hint} `form=coefficients` needs none.") from error
    return list(_built(_given(root, codes or root, source_fps, reporter), build, "flame"))


def _built(sources: list[Source], build: Build, head: str) -> Iterator[Source]:
    for source in sources:
        if isinstance(source.recipe, Unusable):
            yield source
        else:
            yield replace(source, recipe=BuiltClip(measured=source.recipe, build=build, head=head))


def _given(root: Path, codes: Path, source_fps: float, reporter: Reporter) -> list[Source]:
    """Return the performances of which coefficients are there, as they were tracked."""
    found, broken = _coefficients(codes, reporter)
    sounds: dict[str, list[tuple[RavdessName, Path]]] = defaultdict(list)
    for path in files_below(root, _SOUNDS):
        name = _name_of(path.stem)
        if name is not None:
            sounds[name.performance].append((name, path))
    spoken = {key: files for key, files in found.items() if files[0][0].channel == SPEECH}
    names = [files[0][0] for files in spoken.values()]
    reporter.note(
        f"3D-RAVDESS has 1440 spoken performances of 24 actors; found: coefficients of {len(spoken)}, "
        f"{sum(key in sounds for key in spoken)} of them with sound, by "
        f"{counted(len({name.actor for name in names}), 'actor')}."
    )
    if len(found) > len(spoken):
        reporter.note(f"Left out: {len(found) - len(spoken)} sung.")
    tell_doubled(reporter, spoken)
    tell_absent(reporter, spoken, names, EMOFACE_SPLIT, ("speech",))
    sources = []
    for key, files in sorted(spoken.items()):
        best = best_file(files, "01", "02", "03")
        assert best is not None
        name, path = best
        sound = best_file(sounds.get(key, []), "03", "01")
        recipe: Recipe = Unusable(reason="Neither its sound (03) nor its film with sound (01) is there.")
        if sound is not None:
            recipe = _recipe(path, sound[1], source_fps)
        sources.append(source_of(name, path, recipe, EMOFACE_SPLIT, _NAME))
    return [*sources, *(broken_source(path, reason, _NAME) for path, reason in broken.items())]


def _recipe(path: Path, sound: Path, fps: float) -> Recipe:
    if not path.is_dir():
        return FolderPair(sound=sound, motion=path, bare=BareMotion(fps=fps), origin="fitted")
    pictures = picture_folders(coded_folders(files_below(path, (".npy",))))
    if not pictures:
        return Unusable(reason=f"{path.name} holds no numbered folders with {EXPRESSION} and {POSE}.")
    return CodedFilm(pictures=pictures, sound=sound, fps=fps)


def _name_of(stem: str) -> RavdessName | None:
    """Return the name that `stem` is in RAVDESS's scheme; None for anything that is not in the set."""
    try:
        return parse_name(stem)
    except InputError:
        return None


def _coefficients(
    codes: Path, reporter: Reporter
) -> tuple[dict[str, list[tuple[RavdessName, Path]]], Mapping[Path, str]]:
    """Return files and folders of coefficients by performance; and those with a name that is not in the set,
    with the reason.
    """
    found: dict[str, list[tuple[RavdessName, Path]]] = defaultdict(list)
    broken: dict[Path, str] = {}
    files = files_below(codes, _CODES)
    places = {path: _place(path, codes) for path in files}
    for place in sorted({place for place in places.values() if place is not None}):
        try:
            name = parse_name(place.stem)
        except InputError as error:
            broken[place] = error.problem
            continue
        if name is not None:
            found[name.performance].append((name, place))
    if not found:
        raise InputError(f"{codes} holds no coefficients named like RAVDESS.", hint=_HINT)
    tell_left_out(
        reporter,
        "files that are not named like RAVDESS",
        [path.relative_to(codes).as_posix() for path, place in places.items() if place is None],
        one="file that is not named like RAVDESS",
    )
    return found, broken


def _place(path: Path, codes: Path) -> Path | None:
    """Return `path`, or the folder above it and below `codes`, that has a name of RAVDESS's form."""
    above = list(path.parents)
    return next((place for place in [path, *above[: above.index(codes)]] if has_form(place.stem)), None)
