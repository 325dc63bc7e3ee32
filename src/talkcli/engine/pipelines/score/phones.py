"""Phones of the clips to score, and their times: from a TextGrid, else by aligning the words.

Worker processes align the words, each clip once per run.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from talkcli.engine.audio.align import Aligner
from talkcli.engine.audio.io import read_speech
from talkcli.engine.audio.textgrid import read_alignment
from talkcli.engine.audio.words import spoken_words
from talkcli.engine.errors import InputError
from talkcli.engine.optional import how_to_install, is_installed
from talkcli.engine.pipelines.score.inputs import Case
from talkcli.engine.types import Alignment, Reporter, Silent
from talkcli.engine.workers import CRASHED, map_isolated

# Package that aligns words.
_PACKAGE = "pocketsphinx"
# Largest number of worker processes that align.
_MOST_WORKERS = 4


@dataclass(frozen=True)
class _Job:
    """A clip to align: its id, its sound file and its words."""

    id: str
    sound: Path
    text: str


def find_phones(cases: Sequence[Case], reporter: Reporter) -> dict[str, Alignment | str]:
    """Return the phones of each clip by its id, or the reason why they are unknown.

    Raises InputError for a TextGrid that cannot be read.
    """
    found: dict[str, Alignment | str] = {}
    jobs = []
    for case in cases:
        if case.words is None:
            found[case.id] = "no words given for this clip"
        elif case.words.phones is not None:
            found[case.id] = read_alignment(case.words.phones)
        elif case.audio is None:
            found[case.id] = "no sound given to align the words of this clip with"
        elif not is_installed(_PACKAGE):
            found[case.id] = f"words are aligned by {_PACKAGE}, which is missing: {how_to_install(_PACKAGE)}"
        elif problem := _unspeakable(case.words.text or ""):
            found[case.id] = problem
        else:
            jobs.append(_Job(case.id, case.audio, case.words.text or ""))
    workers = min(_MOST_WORKERS, os.cpu_count() or 1)
    for done, (job, alignment) in enumerate(map_isolated(_align, jobs, workers), start=1):
        found[job.id] = f"the words could not be aligned: {CRASHED}" if alignment is None else alignment
        reporter.progress("aligning words", done, len(jobs))
    return found


def _unspeakable(text: str) -> str | None:
    try:
        spoken_words(text)
    except InputError as error:
        return f"{error.problem} {error.hint or ''}".strip()
    return None


def _align(job: _Job) -> Alignment | str:
    alignment = _aligner().align(read_speech(job.sound, Silent()), job.text)
    return "the aligner did not find the words in the sound" if alignment.method == "energy" else alignment


@cache
def _aligner() -> Aligner:
    return Aligner()
