"""A manifest in numbers: clips, hours and speakers by any label, and how long and how loud clips are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from talkcli.engine.data.manifest import Entry
from talkcli.engine.origin import said
from talkcli.engine.wording import counted

_UNTOLD = "not stated"
# The groups that clips are counted by: for each name, the function that returns a clip's label.
GROUPS: Mapping[str, Callable[[Entry], str]] = {
    "contents": lambda entry: " and ".join(", ".join(_contents(entry)).rsplit(", ", 1)),
    "origins": lambda entry: said(entry.origin) if entry.motion or entry.mesh else "no motion",
    "splits": lambda entry: entry.split,
    "emotions": lambda entry: entry.emotion,
    "speakers": lambda entry: entry.speaker,
    "sexes": lambda entry: entry.sex or _UNTOLD,
    "licences": lambda entry: entry.licence,
    "rates": lambda entry: "none" if entry.fps is None or entry.still else f"{entry.fps:g}",
}


@dataclass(frozen=True, kw_only=True)
class Group:
    """Clips that share a label."""

    clips: int
    seconds: float
    speakers: int


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Least, quartiles and greatest of some values."""

    least: float
    first_quartile: float
    median: float
    third_quartile: float
    greatest: float


def group(entries: Iterable[Entry], name: str, seconds: Mapping[str, float]) -> dict[str, Group]:
    """Return clips by their label in the group `name` of `GROUPS`, the largest first; a clip whose id
    `seconds` lacks counts as 0 s long.
    """
    members: dict[str, list[Entry]] = {}
    for entry in entries:
        members.setdefault(GROUPS[name](entry), []).append(entry)
    return {
        label: Group(
            clips=len(clips),
            seconds=sum(seconds.get(entry.id, 0.0) for entry in clips),
            speakers=len({entry.speaker for entry in clips}),
        )
        for label, clips in sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    }


def amount(entries: Iterable[Entry], seconds: float) -> str:
    """Return the amount of clips in words: the time in `seconds`, or the number of pictures."""
    pictures = sum(entry.num_frames or 0 for entry in entries if entry.still)
    if pictures:
        return f"{counted(pictures, 'picture')}"
    return f"{seconds / 3600:.2f} hours" if seconds >= 3600 else f"{seconds / 60:.1f} minutes"


def _contents(entry: Entry) -> Iterator[str]:
    if entry.audio is not None:
        yield "sound"
    if entry.motion is not None:
        yield "pictures" if entry.still else "motion"
    if entry.mesh is not None:
        yield "vertices"
    if entry.phones is not None:
        yield "phones"


def spread(values: Sequence[float]) -> Spread | None:
    """Return the five numbers of `values`, interpolated linearly; None when there are no values."""
    if not values:
        return None
    least, first, median, third, greatest = np.quantile(values, (0, 0.25, 0.5, 0.75, 1)).tolist()
    return Spread(least=least, first_quartile=first, median=median, third_quartile=third, greatest=greatest)


def torn_speakers(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Return speakers heard in more than one split, with those splits; both in alphabetical order."""
    splits: dict[str, set[str]] = {}
    for entry in entries:
        splits.setdefault(entry.speaker, set()).add(entry.split)
    return {speaker: sorted(names) for speaker, names in sorted(splits.items()) if len(names) > 1}
