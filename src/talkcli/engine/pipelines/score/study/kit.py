"""Building of a study's page from methods' videos."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.files import atomic_path, check_file, sha256, temporary_folder
from talkcli.engine.pages import html
from talkcli.engine.pipelines.score.study.plan import make_forms
from talkcli.engine.pipelines.score.study.questions import QUESTIONS, SCALE, chosen_questions
from talkcli.engine.pipelines.score.study.videos import SUFFIXES, StudyVideos, find_videos, with_late_sound
from talkcli.engine.types import Reporter
from talkcli.engine.version import __version__

# Largest number of bytes of videos inside a page; browsers are slow to open larger ones.
_MOST_BYTES = 150_000_000
_LONGEST_TITLE = 200


def build_study(
    folders: Mapping[str, Path],
    out: Path,
    *,
    title: str,
    questions: Sequence[str],
    trials: int,
    checks: int,
    videos_beside: bool,
    seed: int,
    reporter: Reporter,
) -> dict[str, Any]:
    """Write the page of a study, and with `videos_beside` a folder of videos.

    Args:
        folders: Folder of videos of each method; they have the same file names.
        out: Page to write.
        title: Title that raters see.
        questions: Names of questions, keys of `QUESTIONS`.
        trials: Largest number of pairs that a rater sees.
        checks: Number of checks of attention that a rater sees.
        videos_beside: Whether the videos go into the folder `OUT-videos`, under names that do not tell the
            method, instead of into the page.
        seed: Seed of order, sides and checks.
        reporter: Receiver of progress.

    Returns:
        What the study consists of, ready for JSON.

    Raises:
        TalkError: For unusable input, before anything is written.
    """
    check_file(out)
    asked = chosen_questions(questions)
    if not title.strip() or len(html.plain(title)) > _LONGEST_TITLE:
        raise UsageError(f"`title` needs 1 to {_LONGEST_TITLE} characters.")
    beside = out.with_name(f"{out.stem}-videos")
    if videos_beside and beside.exists():
        raise InputError(f"{beside} exists already.", hint="Remove it, or give `out` another name.")
    videos = find_videos(folders, reporter)
    if not videos_beside:
        _check_size(videos)
    late_clips = [index for index, sounds in enumerate(videos.sounding) if sounds] if "lips" in asked else []
    if checks > 2 and not late_clips:
        reporter.note("No check has late sound: it needs videos with sound and the question lips.")
    forms = make_forms(
        len(videos.methods),
        len(videos.clips),
        trials=trials,
        checks=checks,
        late_clips=late_clips,
        seed=seed,
    )
    delayed = sorted({step["clip"] for form in forms for step in form if step["kind"] == "late"})
    study: dict[str, Any] = {
        "format": "talk-study",
        "version": 1,
        "talk": __version__,
        "title": html.plain(title.strip()),
        "methods": list(videos.methods),
        "clips": list(videos.clips),
        "questions": [{"name": name, "text": QUESTIONS[name]} for name in asked],
        "scale": list(SCALE),
        "seed": seed,
        "forms": forms,
    }
    study["id"] = _fingerprint(study, videos)
    out.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(out.parent) as folder:
        files = [list(paths) for paths in videos.paths]
        late = {}
        for done, clip in enumerate(delayed, start=1):
            late[clip] = folder / f"late{clip}{videos.paths[0][clip].suffix.lower()}"
            with_late_sound(videos.paths[0][clip], late[clip], videos.seconds[clip])
            reporter.progress("making checks", done, len(delayed))
        if videos_beside:
            places = _copied(files, late, folder / "videos", seed)
            # As bytes, since the name of a file need not be UTF-8.
            address = quote(os.fsencode(beside.name))
            study["videos"] = [[f"{address}/{places[path]}" for path in paths] for paths in files]
            study["late"] = {clip: f"{address}/{places[path]}" for clip, path in late.items()}
        else:
            study["videos"] = [[_embedded(path) for path in paths] for paths in files]
            study["late"] = {clip: _embedded(path) for clip, path in late.items()}
        page = html.page(
            study["title"], _body(study), script="study.js", data=study, media_beside=videos_beside
        )
        with atomic_path(out) as temporary:
            temporary.write_text(page, encoding="utf-8")
            if videos_beside:
                (folder / "videos").rename(beside)
    pairs = {
        (step["left"], step["right"], step["clip"])
        for form in forms
        for step in form
        if step["kind"] == "pair"
    }
    return {
        "output": str(out),
        "videos": str(beside) if videos_beside else None,
        "study": study["id"],
        "methods": study["methods"],
        "clips": study["clips"],
        "questions": asked,
        "forms": len(forms),
        "pairs_in_form": sum(step["kind"] == "pair" for step in forms[0]),
        "checks_in_form": sum(step["kind"] != "pair" for step in forms[0]),
        "pairs_shown": len({(*sorted(pair[:2]), pair[2]) for pair in pairs}),
        "pairs": len(study["clips"]) * len(study["methods"]) * (len(study["methods"]) - 1) // 2,
        "seed": seed,
        "bytes": out.stat().st_size,
    }


def _check_size(videos: StudyVideos) -> None:
    size = sum(path.stat().st_size for paths in videos.paths for path in paths)
    if size > _MOST_BYTES:
        raise InputError(
            f"The videos have {size / 1e6:.0f} MB, but a page holds {_MOST_BYTES / 1e6:.0f} MB at most.",
            hint="Use `videos_beside=True`, fewer clips, or smaller videos.",
        )


def _fingerprint(study: Mapping[str, Any], videos: StudyVideos) -> str:
    """Return 16 digits that differ for another plan and for other videos."""
    digest = hashlib.sha256(repr(sorted(study.items())).encode())
    for paths in videos.paths:
        for path in paths:
            digest.update(sha256(path).encode())
    return digest.hexdigest()[:16]


def _embedded(path: Path) -> str:
    return html.data_uri(path.read_bytes(), SUFFIXES[path.suffix.lower()])


def _copied(
    files: Sequence[Sequence[Path]], late: Mapping[int, Path], folder: Path, seed: int
) -> dict[Path, str]:
    """Copy all videos to `folder` in a random order, numbered; return their new names."""
    folder.mkdir()
    everything = [*(path for paths in files for path in paths), *late.values()]
    order = np.random.default_rng((seed, 1)).permutation(len(everything))
    places = {}
    for number, index in enumerate(order.tolist()):
        path = everything[index]
        places[path] = f"{number:04d}{path.suffix.lower()}"
        (folder / places[path]).write_bytes(path.read_bytes())
    return places


def _body(study: Mapping[str, Any]) -> str:
    return (
        '<p id="status" class="hidden" role="status" aria-live="polite"></p>\n'
        f'<main id="main"><h1>{escape(study["title"])}</h1>'
        "<noscript><p>This page needs JavaScript.</p></noscript></main>"
    )
