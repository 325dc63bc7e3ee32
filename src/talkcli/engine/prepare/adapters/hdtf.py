"""HDTF: clips of speeches from YouTube, with lists of what belongs to the set.

Clips are NAME_INDEX.mp4, or SUBSET_NAME_INDEX.mp4 as the authors' script writes them, with SUBSET one of RD,
WDA, WRA; the lists are SUBSET_annotion_time.txt, SUBSET_crop_wh.txt and SUBSET_resolution.txt. Source: Zhang
et al. (2021), Flow-guided One-shot Talking Face Generation, CVPR, and github.com/MRzzm/HDTF.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from talkcli.engine.data.manifest import Split
from talkcli.engine.errors import InputError
from talkcli.engine.prepare.adapters.filmed import AS_USUAL, HowToLook
from talkcli.engine.prepare.labels import UNLABELLED
from talkcli.engine.prepare.names import files_below, read_names, tell_left_out, tell_missing
from talkcli.engine.prepare.source import Source
from talkcli.engine.readers.text import read_lines
from talkcli.engine.types import Reporter
from talkcli.engine.video.pictures import Crop
from talkcli.engine.wording import counted, some

LICENCE = "HDTF: not stated; the films belong to those who published them"
SUBSETS = ("RD", "WDA", "WRA")
_FILM = ".mp4"
# The authors' script fetches pictures alone; sound of the same name is read beside them.
_SOUNDS = (".wav", ".flac", ".m4a", ".mp3", ".aac", ".ogg", ".opus")
_NAME = re.compile(rf"(?:({'|'.join(SUBSETS)})_)?(\D.*?)_(\d{{1,3}})")
_PIXELS = re.compile(r"[0-9]{1,5}")
_TIMES = re.compile(r"(\d+):(\d\d)-(\d+):(\d\d)")
# One man under two names: these are cut from the same video of YouTube.
_ALIASES = {"WhipJimClyburn": "JamesClyburn"}
# Per cent of the speakers to validate and to test.
_VAL, _TEST = 10, 10


@dataclass(frozen=True, kw_only=True)
class HdtfName:
    """What the name of a clip says."""

    video: str
    index: int

    @property
    def speaker(self) -> str:
        """Videos of one person are numbered. All of RD are called Radio, and may be one person."""
        person = self.video.rstrip("0123456789")
        return _ALIASES.get(person, person)


@dataclass(kw_only=True)
class Lists:
    """What the set's lists say: the clips there are; the square of the full picture that each shows (left,
    top, width, height in pixels); and how high the pictures of a video were when that was measured.
    """

    clips: set[HdtfName] = field(default_factory=set)
    squares: dict[HdtfName, tuple[int, int, int, int]] = field(default_factory=dict)
    heights: dict[str, int] = field(default_factory=dict)

    def crop(self, name: HdtfName) -> Crop | None:
        """Return the square for pictures of any size; None where it, or the height it is for, is not
        known.
        """
        square, height = self.squares.get(name), self.heights.get(name.video)
        if square is None or not height:
            return None
        left, top, width, tall = (edge / height for edge in square)
        return left, top, width, tall


def hdtf_sources(root: Path, reporter: Reporter, *, how: HowToLook = AS_USUAL) -> list[Source]:
    """Return every clip below `root`, in order of ids. Where there is a crop for it, a picture that is not a
    square is cropped.

    Tells `reporter` what the lists (anywhere below `root`) have that is not there, and what is there and in
    none. Raises InputError when no file is named like a clip, or a list cannot be read, and what
    `HowToLook.check` does.
    """
    how.check(root)
    lists = read_lists(root)
    named, _ = read_names(
        root,
        (_FILM,),
        parse_name,
        reporter,
        data_set="HDTF",
        hint="Expected: Radio11_0.mp4 or RD_Radio11_000.mp4, and the lists of github.com/MRzzm/HDTF.",
    )
    found: dict[HdtfName, list[Path]] = {}
    for name, path in named:
        found.setdefault(name, []).append(path)
    sounds = _sounds(root)
    _tell(found, lists, reporter)
    sources = [
        Source(
            id=(clip_id := f"hdtf/{name.video}_{name.index}"),
            speaker=f"hdtf-{name.speaker}",
            emotion=UNLABELLED,
            split=split_of_speaker(name.speaker),
            licence=LICENCE,
            recipe=how.at(
                paths[0], clip_id, sound=sounds.get(paths[0].with_suffix("")), crop=lists.crop(name)
            ),
        )
        for name, paths in found.items()
        if not lists.clips or name in lists.clips
    ]
    if not sources:
        raise InputError(f"None of {counted(len(found), 'clip')} below {root} is in the lists of HDTF.")
    return sorted(sources, key=lambda source: source.id)


def parse_name(stem: str) -> HdtfName | None:
    """Return None for a name of another form."""
    match = _NAME.fullmatch(stem)
    return HdtfName(video=match[2], index=int(match[3])) if match else None


def split_of_speaker(speaker: str) -> Split:
    """Return our own split, since the set has none: by a hash of the name, so that it does not depend on
    what is there. Radio, which may be several people, is for training.
    """
    if speaker == "Radio":
        return "train"
    bucket = int.from_bytes(hashlib.sha256(speaker.encode()).digest()[:4]) % 100
    return "test" if bucket < _TEST else "val" if bucket < _TEST + _VAL else "train"


def read_lists(root: Path) -> Lists:
    """Return the lists below `root`; empty where there are none. Raises InputError, with the line, for
    another form.
    """
    lists = Lists()
    for path in files_below(root, (".txt",)):
        if path.name in {f"{subset}_annotion_time.txt" for subset in SUBSETS}:
            for where, name, times in _lines(path):
                if not all(_TIMES.fullmatch(time) for time in times):
                    raise InputError(f"{where}: NAME.mp4 00:20-01:35 ... is needed.")
                lists.clips |= {HdtfName(video=name, index=index) for index in range(len(times))}
        elif path.name in {f"{subset}_crop_wh.txt" for subset in SUBSETS}:
            for where, clip, numbers in _lines(path):
                name_of_clip = parse_name(clip)
                if name_of_clip is None or len(numbers) != 4 or not all(map(_PIXELS.fullmatch, numbers)):
                    raise InputError(f"{where}: NAME_INDEX.mp4 min_width width min_height height is needed.")
                left, width, top, height = map(int, numbers)
                lists.squares[name_of_clip] = (left, top, width, height)
        elif path.name in {f"{subset}_resolution.txt" for subset in SUBSETS}:
            # Some videos have several, which the authors' script does not take either.
            lists.heights |= {
                video: int(heights[0])
                for _, video, heights in _lines(path)
                if len(heights) == 1 and _PIXELS.fullmatch(heights[0])
            }
    return lists


def _lines(path: Path) -> Iterator[tuple[str, str, list[str]]]:
    """Yield where a line is, its first word without .mp4, and its other words."""
    for number, line in enumerate(read_lines(path), start=1):
        if words := line.split():
            yield f"{path}, line {number}", words[0].removesuffix(_FILM), words[1:]


def _sounds(root: Path) -> dict[Path, Path]:
    """Return sound by its path without suffix; of several the first in order of `_SOUNDS`."""
    paths = sorted(files_below(root, _SOUNDS), key=lambda path: -_SOUNDS.index(path.suffix.lower()))
    return {path.with_suffix(""): path for path in paths}


def _tell(found: dict[HdtfName, list[Path]], lists: Lists, reporter: Reporter) -> None:
    people = {name.speaker for name in found}
    there = f"{counted(len(found), 'clip')} of {counted(len(people), 'speaker')}"
    if not lists.clips:
        reporter.warn(
            f"Found {there}; without the lists of HDTF below ROOT nothing can be said of what is missing, "
            "and pictures are not cropped."
        )
        return
    videos = {name.video for name in lists.clips}
    reporter.note(
        f"HDTF's lists have {counted(len(lists.clips), 'clip')} of {counted(len(videos), 'video')}; found: "
        f"{there}. The set has no labels of emotion (all are neutral at level 0) and no official "
        "split (ours parts speakers)."
    )
    strange = sorted(paths[0].name for name, paths in found.items() if name not in lists.clips)
    tell_left_out(reporter, "clips that are in no list", strange, one="clip that is in no list")
    if doubled := sorted(paths[0].name for paths in found.values() if len(paths) > 1):
        reporter.warn(
            f"{counted(len(doubled), 'clip is', 'clips are')} there twice, the first path is read: "
            f"{some(doubled)}."
        )
    if uncropped := sorted(paths[0].name for name, paths in found.items() if lists.crop(name) is None):
        reporter.note(
            f"No crop is known of {counted(len(uncropped), 'clip')}, whose whole pictures are seen: "
            f"{some(uncropped)}."
        )
    lacking = sorted(f"{name.video}_{name.index}" for name in lists.clips - found.keys())
    tell_missing(reporter, "of the listed clips", lacking)
