"""Live Link Face: recordings of an iPhone as CSV of ARKit curves, with the sound beside it.

Sound and first frame start together. `live_link_csv` reads the CSV.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.clips import MOST_MISMATCH_S
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.adapters.live_link_csv import TIMECODE, Take, read_take
from talkcli.engine.prepare.names import files_below, plain, tell_left_out, tell_missing
from talkcli.engine.prepare.source import Recording, Source
from talkcli.engine.readers.regular import open_file
from talkcli.engine.types import EMOTIONS, Emotion, Reporter, Silent, Speech
from talkcli.engine.wording import counted, parameter

# Suffixes of sounds, best first: a sound file that the user added should replace the video's sound.
_SOUND = (".wav", ".flac", ".ogg", ".mp3", ".m4a", ".aac", ".mov", ".mp4")
# Endings of the versions of a take, best first: calibrated to the actor's rest, as displayed, before
# calibration.
_VERSIONS = ("_cal", "", "_raw", "_neutral")


@dataclass(frozen=True, kw_only=True)
class LiveLinkTake:
    """One take; `sound` is None if it is missing, and `missing` is then the error message."""

    curves: Path
    sound: Path | None
    missing: str = ""

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.curves,) if self.sound is None else (self.curves, self.sound)

    def make(self, source: Source) -> Recording:  # noqa: ARG002  all is in the two files
        if self.sound is None:
            # Report an error in the table before a missing sound.
            read_take(self.curves)
            raise InputError(self.missing)
        speech = read_speech(self.sound, Silent())
        take = read_take(self.curves, speech.duration_s)
        return Recording(
            speech=_cut(speech, take) if take.is_cut else speech,
            motion=take.motion,
            origin=Origin(kind="captured", by="ARKit"),
            report=take.remarks,
        )


def _cut(speech: Speech, take: Take) -> Speech:
    """Return the sound of the part of `take` that was kept.

    Raises InputError for sound whose length differs from the whole take's: after the cut, any sound would
    fit.
    """
    if abs(speech.duration_s - take.whole_s) > MOST_MISMATCH_S:
        raise InputError(f"Sound has {speech.duration_s:.2f} s, the take {take.whole_s:.2f} s.")
    first = round(take.start_s * speech.rate_hz)
    last = first + round(take.motion.duration_s * speech.rate_hz)
    return Speech(samples=speech.samples[first:last], rate_hz=speech.rate_hz)


def live_link_sources(
    root: Path, *, speaker: str, emotion: str, licence: str, reporter: Reporter
) -> list[Source]:
    """Return one source for every take below `root`, in order of ids.

    Recordings carry no labels, so all get `speaker`, `emotion` and `licence`. Raises InputError for a folder
    that is missing or holds no take, UsageError for an unknown emotion and for empty labels.
    """
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.")
    if emotion not in EMOTIONS:
        raise UsageError(f"{parameter('emotion', emotion)} is not one of {', '.join(EMOTIONS)}.")
    if not speaker.strip() or not licence.strip():
        raise UsageError("`speaker` and `licence` need a name.")
    takes = _takes(root, reporter)
    if not takes:
        raise InputError(
            f"{root} holds no CSV of Live Link Face.", hint="Its first line names Timecode and the curves."
        )
    num_takes = Counter(take.parent for take in takes.values())
    sounds = {folder: _sounds(folder) for folder in num_takes}
    recipes = {
        base: _recipe(take, base, sounds[take.parent], alone=num_takes[take.parent] == 1)
        for base, take in takes.items()
    }
    silent = [base.name for base, recipe in recipes.items() if recipe.sound is None]
    reporter.note(f"Found: {counted(len(takes), 'take')}, {len(takes) - len(silent)} of them with sound.")
    tell_missing(reporter, "sounds of takes", silent, one="sound of a take")
    return [
        Source(
            id=plain(base.relative_to(root).as_posix()),
            speaker=speaker,
            emotion=Emotion(label=emotion),
            split="train",
            licence=licence,
            recipe=recipe,
        )
        for base, recipe in recipes.items()
    ]


def _takes(root: Path, reporter: Reporter) -> dict[Path, Path]:
    """Return the best version of every take, by its path without suffix and version."""
    found: dict[Path, dict[str, Path]] = {}
    foreign = []
    for path in files_below(root, (".csv",)):
        if not _looks_like_take(path):
            foreign.append(path.relative_to(root).as_posix())
            continue
        version = next((end for end in _VERSIONS if end and path.stem[1:].endswith(end)), "")
        found.setdefault(path.with_name(path.stem.removesuffix(version)), {})[version] = path
    tell_left_out(
        reporter,
        "CSV files without a column Timecode in the first line",
        foreign,
        one="CSV file without a column Timecode in the first line",
    )
    takes = {}
    for base, versions in found.items():
        best, *others = (end for end in _VERSIONS if end in versions)
        takes[base] = versions[best]
        if others:
            passed = ", ".join(versions[end].name for end in others)
            reporter.note(f"One take has several files: {versions[best].name} is read, {passed} is not.")
    return takes


def _looks_like_take(path: Path) -> bool:
    try:
        with open_file(path) as file:
            # Also find the word in UTF-16, in which every other byte of it is zero.
            return TIMECODE.encode() in file.read(1 << 12).replace(b"\0", b"").lower()
    except (InputError, OSError):
        # An unreadable file goes to quarantine with that reason.
        return True


def _sounds(folder: Path) -> list[Path]:
    """Return the sound files of `folder`, best first."""
    return sorted(
        (path for path in folder.iterdir() if path.suffix.lower() in _SOUND and path.is_file()),
        key=lambda path: (_SOUND.index(path.suffix.lower()), path.name),
    )


def _recipe(curves: Path, base: Path, sounds: Sequence[Path], *, alone: bool) -> LiveLinkTake:
    """Return the take with the sound of its name; a take `alone` in its folder takes the only sound there."""
    for stem in (curves.stem, base.name):
        for path in sounds:
            if path.stem == stem:
                return LiveLinkTake(curves=curves, sound=path)
    if alone and len(sounds) == 1:
        return LiveLinkTake(curves=curves, sound=sounds[0])
    beside = f"{len(sounds)} of other names" if sounds else "none"
    return LiveLinkTake(
        curves=curves,
        sound=None,
        missing=f"There is no sound for {curves.name}: {base.name}.wav (flac, ogg, mp3, m4a, aac, mov, mp4) "
        f"is expected in {curves.parent}, which has {beside}.",
    )
