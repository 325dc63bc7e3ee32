"""The videos of a study: for each method a folder with a video of every clip, of the same name."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.errors import InputError, TalkError, UsageError
from talkcli.engine.ffmpeg import reading_command
from talkcli.engine.files import real_path
from talkcli.engine.lifetime import run_child
from talkcli.engine.pages import html
from talkcli.engine.types import Reporter
from talkcli.engine.video.pictures import Film, open_film
from talkcli.engine.wording import some

# Suffixes of files that browsers play, with their media types.
SUFFIXES = {".mp4": "video/mp4", ".webm": "video/webm"}
# Codecs that browsers play in them.
_CODECS = ("h264", "vp8", "vp9", "av1")
_MOST_METHODS, _MOST_CLIPS, _LONGEST_NAME = 8, 500, 60
# Line of ffmpeg about the pictures of a file.
_STREAM = re.compile(r"Stream #\S+: Video: (\w+)")
# Time in seconds by which the sound of a check is late, and that ffmpeg gets for a file.
_LATE_S, _TIMEOUT_S = 1.0, 120.0


@dataclass(frozen=True, kw_only=True)
class StudyVideos:
    """Videos by method and clip."""

    methods: tuple[str, ...]
    """Names of the methods."""
    clips: tuple[str, ...]
    """Names of the clips, sorted."""
    paths: tuple[tuple[Path, ...], ...]
    """Path of each method's video of each clip."""
    sounding: tuple[bool, ...]
    """Whether all methods' videos of a clip have sound."""
    seconds: tuple[float, ...]
    """Duration of the first method's video of each clip."""


def parse_methods(given: Sequence[str]) -> dict[str, Path]:
    """Return the folders by method of arguments METHOD=DIR. Raises UsageError for anything else."""
    folders: dict[str, Path] = {}
    for text in given:
        name, equals, folder = text.partition("=")
        name = name.strip()
        if not equals or not name or not folder:
            raise UsageError(f"{text} is not of the form METHOD=DIR.", hint="For example: ours=out/ours.")
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise UsageError(f"The method's name {name!r} is longer than {_LONGEST_NAME} characters or odd.")
        if name in folders:
            raise UsageError(f"The method {name} is given twice.", hint="Give each method another name.")
        folders[name] = Path(folder)
    if not 2 <= len(folders) <= _MOST_METHODS:
        raise UsageError(f"A study compares 2 to {_MOST_METHODS} methods, but {len(folders)} are given.")
    return folders


def find_videos(folders: Mapping[str, Path], reporter: Reporter) -> StudyVideos:
    """Find and decode the videos of every method.

    Raises:
        UsageError: For the same folder twice.
        InputError: For a folder without videos, for two videos of one name, for methods with different
            clips, and for a video that is damaged or that browsers do not play.
    """
    places = [real_path(folder) for folder in folders.values()]
    if len(set(places)) < len(places):
        raise UsageError("Two methods have the same folder, so that nothing is compared.")
    found = {name: _in_folder(folder) for name, folder in folders.items()}
    first = next(iter(found))
    for name, videos in found.items():
        _compare(first, found[first], name, videos, folders[name])
    clips = sorted(found[first])
    if len(clips) > _MOST_CLIPS:
        raise InputError(f"There are {len(clips)} clips; a study has at most {_MOST_CLIPS}.")
    sound: dict[str, bool] = dict.fromkeys(clips, True)
    seconds: dict[str, float] = {}
    total, done = len(clips) * len(found), 0
    for videos in found.values():
        for clip in clips:
            film = _playable(videos[clip])
            sound[clip] &= film.sound_late_s is not None
            seconds.setdefault(clip, film.duration_s)
            done += 1
            reporter.progress("reading videos", done, total)
    return StudyVideos(
        methods=tuple(found),
        clips=tuple(clips),
        paths=tuple(tuple(videos[clip] for clip in clips) for videos in found.values()),
        sounding=tuple(sound[clip] for clip in clips),
        seconds=tuple(seconds[clip] for clip in clips),
    )


def with_late_sound(video: Path, out: Path, seconds: float) -> None:
    """Write a copy of `video`, which lasts `seconds`, for a check of attention.

    Its sound is one second late, or half of a shorter video. Raises TalkError when ffmpeg fails.
    """
    late_ms = 1000 * min(_LATE_S, seconds / 2)
    mp4 = out.suffix == ".mp4"
    command = [
        *reading_command("-loglevel", "error"), "-map", "0:V:0", "-map", "0:a:0",
        "-c:v", "copy", "-c:a", "aac" if mp4 else "libopus",
        "-af", f"adelay={late_ms:.0f}:all=1", "-shortest", "-map_metadata", "-1",
        "-fflags", "+bitexact", "-flags:a", "+bitexact", "-y", f"file:{out}",
    ]  # fmt: skip
    try:
        with video.open("rb") as file:
            done = run_child(command, stdin=file, capture_output=True, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise TalkError(f"ffmpeg did not copy {video} within {_TIMEOUT_S:.0f} s.") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise TalkError(f"ffmpeg could not delay the sound of {video}: {said[-1] if said else 'no reason'}.")


def _in_folder(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder.", hint="Give METHOD=DIR with a folder of videos.")
    videos: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if html.plain(path.stem) != path.stem:
            raise InputError(f"The name of {path} is not UTF-8.", hint="Rename it in all folders.")
        if path.stem in videos:
            raise InputError(f"{videos[path.stem]} and {path} are both called {path.stem}.")
        videos[path.stem] = path
    if not videos:
        raise InputError(
            f"{folder} holds no video (*{', *'.join(SUFFIXES)}).",
            hint="talk animate and talk render write mp4 files.",
        )
    return videos


def _compare(
    first: str, known: Mapping[str, Path], name: str, videos: Mapping[str, Path], folder: Path
) -> None:
    if missing := sorted(set(known) - set(videos)):
        raise InputError(f"{folder} ({name}) has no video of {some(missing)}, which {first} has.")
    if extra := sorted(set(videos) - set(known)):
        raise InputError(f"{folder} ({name}) has videos that {first} lacks: {some(extra)}.")


def _playable(path: Path) -> Film:
    """Open a video. Raises InputError when it is damaged or browsers do not play it."""
    film = open_film(path)
    try:
        with path.open("rb") as file:
            options = ["-map", "0:V:0", "-frames:v", "1", "-f", "null", "-"]
            done = run_child(
                [*reading_command(), *options], stdin=file, capture_output=True, timeout=_TIMEOUT_S
            )
    except subprocess.TimeoutExpired as error:
        raise InputError(f"ffmpeg did not read {path} within {_TIMEOUT_S:.0f} s.") from error
    match = _STREAM.search(done.stderr.decode("utf-8", "replace"))
    codec = match[1] if match else "unknown"
    if codec not in _CODECS:
        raise InputError(
            f"{path} holds {codec} pictures, which browsers do not play.",
            hint=f"Encode it again: ffmpeg -i {path} -c:v libx264 -pix_fmt yuv420p -c:a aac new.mp4",
        )
    return film
