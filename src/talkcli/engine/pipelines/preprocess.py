"""Preprocessing: recordings to a folder of clips with a manifest (`talk preprocess`).

Functions import the adapters that they need: adapters that perform motion load torch, which takes longer than
some data sets do.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from talkcli.engine.data.manifest import Split
from talkcli.engine.data.statistics import amount, torn_speakers
from talkcli.engine.errors import InputError
from talkcli.engine.optional import how_to_install, is_installed, require
from talkcli.engine.out_folder import check_apart, claim
from talkcli.engine.prepare.archives import SUFFIXES, open_root
from talkcli.engine.prepare.build import Built, Plan, build
from talkcli.engine.prepare.card import write_card
from talkcli.engine.prepare.source import Source
from talkcli.engine.types import Reporter

MotionOrigin = Literal["measured", "performed", "video", "none"]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Description of a data set and its adapter."""

    title: str
    """Name of the data set, for messages."""
    sources: str
    """Function that returns the sources, as MODULE:FUNCTION below `prepare.adapters`; it takes the root, the
    reporter and the set's own options."""
    motion: MotionOrigin = "measured"
    """Origin of the motion, unless the set's option `motion` states another."""


DATA_SETS: Mapping[str, DataSet] = {
    "affectnet": DataSet(title="AffectNet", sources="affectnet:affectnet_sources"),
    "artalk": DataSet(title="ARTalk's files", sources="artalk:artalk_sources"),
    "beat2": DataSet(title="BEAT2", sources="beat2:beat2_sources"),
    "biwi": DataSet(title="BIWI", sources="biwi:biwi_sources"),
    "crema-d": DataSet(title="CREMA-D", sources="crema_d:crema_d_sources", motion="performed"),
    "diffposetalk": DataSet(title="DiffPoseTalk's files", sources="diffposetalk:diffposetalk_sources"),
    "emote": DataSet(title="3D-MEAD", sources="emote:emote_sources"),
    "facegood": DataSet(title="FACEGOOD", sources="facegood:whole_facegood_sources"),
    "folder": DataSet(title="the folder", sources="folder:folder_sources"),
    "hdtf": DataSet(title="HDTF", sources="hdtf:hdtf_sources", motion="video"),
    "librispeech": DataSet(
        title="LibriSpeech", sources="librispeech:librispeech_sources", motion="performed"
    ),
    "live-link": DataSet(title="Live Link Face", sources="live_link:live_link_sources"),
    "mead": DataSet(title="MEAD", sources="mead:mead_sources"),
    "mead-raw": DataSet(title="MEAD", sources="mead_raw:mead_raw_sources", motion="video"),
    "nemo": DataSet(title="nEMO", sources="nemo:nemo_sources", motion="performed"),
    "ravdess": DataSet(title="RAVDESS", sources="ravdess:whole_ravdess_sources", motion="performed"),
    "ravdess3d": DataSet(title="3D-RAVDESS", sources="ravdess3d:ravdess3d_sources"),
    "video": DataSet(title="the videos", sources="video:video_sources", motion="video"),
    "vocaset": DataSet(title="VOCASET", sources="vocaset:vocaset_sources"),
    "voxceleb2": DataSet(title="VoxCeleb2", sources="voxceleb2:voxceleb2_sources", motion="none"),
}
# Package that motion of an origin needs.
_NEEDS: Mapping[MotionOrigin, str] = {"performed": "pocketsphinx", "video": "mediapipe"}
_STAND_IN = (
    "The curves of faces are not measured: motion is performed from sound and sentence, a stand-in for "
    "measured motion (docs/datasets.md)."
)


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Result of a run."""

    manifest: Path
    """Path of the manifest."""
    num_clips: int
    """Number of clips in the manifest."""
    num_kept: int
    """Number of these clips that an earlier run had made."""
    hours: float
    """Total duration of the clips in hours."""
    amount: str
    """Duration of the clips, or number of pictures, in words."""
    emotions: dict[str, int]
    """Number of clips by emotion."""
    splits: dict[str, int]
    """Number of clips by split."""
    dropped: dict[str, str]
    """Reason by id of each clip that was left out."""


def preprocess(
    name: str, root: Path | Sequence[Path], out: Path, plan: Plan, reporter: Reporter, **options: object
) -> Summary:
    """Make the clips of a data set below `out`.

    The run unpacks archives into `out`, and removes what it unpacked when it succeeds.

    Args:
        name: Name of the data set in `DATA_SETS`.
        root: Folder, archive or file to read; several for sets that take several.
        out: Folder to write.
        plan: Workers and clean-up.
        reporter: Receiver of notes, warnings and progress.
        options: Options of the data set's adapter.

    Raises:
        InputError: When `root` does not hold that data set, and when another run writes to `out`.
        UsageError: For options that do not fit.
        ExtraError: When a package that the motion needs is missing.
        OSError: When the disk fails.
    """
    data_set = DATA_SETS[name]
    # Paths become absolute, since cluster machines and later runs may have another working directory.
    out = out.absolute()
    roots = [path.absolute() for path in ([root] if isinstance(root, Path) else root)]
    for path in roots:
        if not path.exists():
            raise InputError(f"{path} does not exist.")
        check_apart(path, out)
    origin = cast("MotionOrigin", options.get("motion", data_set.motion))
    note = ""
    if origin in _NEEDS:
        require(_NEEDS[origin], purpose=f"Getting the motion of {data_set.title}")
        note = _note(origin, options.get("how"))
        reporter.note(note)
    with claim(out), contextlib.ExitStack() as opened:
        roots = [opened.enter_context(open_root(path, out, reporter)) for path in roots]
        given = roots[0] if isinstance(root, Path) else roots
        if isinstance(given, Path) and not given.is_dir():
            raise InputError(f"{given} is neither a folder nor an archive ({', '.join(SUFFIXES)}).")
        sources = _sources_of(data_set)(given, reporter=reporter, **options)
        note = f"{note} {plan.cleanup}".strip()
        _settle(plan)
        return _summary(out, build(sources, out, reporter, plan), reporter, name, note)


def preprocess_debug(out: Path, *, reporter: Reporter) -> Summary:
    """Generate twelve small clips below `out`."""
    from talkcli.engine.prepare.adapters.debug import debug_sources

    with claim(out):
        return _summary(out, build(debug_sources(), out, reporter, Plan(num_workers=0)), reporter, "debug")


def preprocess_corpus(
    root: Path, out: Path, plan: Plan, reporter: Reporter, *, prompts: Path | None = None
) -> Summary:
    """Make the corpus of the embedded model below `out`, from those of its parts that `root` holds.

    The parts are emotion/ravdess16k, emotion/nemo, paired/facegood, speech/mfa, folders of speech whose name
    begins with librispeech, video/grid_s1, video/grid as the test split (both need mediapipe), telephone
    prompts, and synthesised speech where flite, festival and espeak-ng are installed. The run notes a missing
    part and continues without it.

    Args:
        root: Folder of the parts.
        out: Folder to write.
        plan: Workers and clean-up.
        reporter: Receiver of notes, warnings and progress.
        prompts: Folder of telephone prompts; None for the folder where Debian puts them.

    Raises:
        ExtraError: When the aligner is not installed.
        InputError: When another run writes to `out`.
    """
    require("pocketsphinx", purpose="Building the corpus")
    from talkcli.engine.prepare.adapters.facegood import facegood_sources
    from talkcli.engine.prepare.adapters.grid import grid_sources
    from talkcli.engine.prepare.adapters.librispeech import librispeech_of_corpus
    from talkcli.engine.prepare.adapters.mfa import mfa_sources
    from talkcli.engine.prepare.adapters.nemo import nemo_sources
    from talkcli.engine.prepare.adapters.prompts import SOUNDS, prompt_sources
    from talkcli.engine.prepare.adapters.quiet import quiet_sources
    from talkcli.engine.prepare.adapters.ravdess import ravdess_sources
    from talkcli.engine.prepare.adapters.synthetic import synthetic_sources
    from talkcli.engine.prepare.ravdess_names import RAVDESS_SPLITS

    nemo, libri = root / "emotion" / "nemo", root / "speech"
    parts: dict[str, list[Source]] = {
        "emotion/ravdess16k": ravdess_sources(root / "emotion" / "ravdess16k", RAVDESS_SPLITS),
        "emotion/nemo": nemo_sources(nemo, reporter, words_needed=True) if nemo.is_dir() else [],
        "paired/facegood": facegood_sources(root / "paired" / "facegood", eyes=False),
        "speech/mfa": mfa_sources(root / "speech" / "mfa"),
        "speech/librispeech*": [
            source
            for folder in sorted(libri.glob("librispeech*"))
            for source in librispeech_of_corpus(folder, reporter)
        ],
    }
    # One speaker to learn from; the films of the other folder are kept for reports.
    films: dict[str, Split] = {"grid_s1": "train", "grid": "test"}
    unread = set()
    for name, split in films.items():
        found = grid_sources(root / "video" / name, name=name, split=split)
        if found and not is_installed("mediapipe"):
            unread.add(f"video/{name}")
            found = []
        parts[f"video/{name}"] = found
    for name, sources in parts.items():
        if not sources:
            why = f"needs mediapipe ({how_to_install('mediapipe')})" if name in unread else "does not exist"
            reporter.note(f"{root / name} {why}; the corpus is made without it.")
    said = prompt_sources(prompts or SOUNDS)
    if not said:
        reporter.note(
            f"{prompts or SOUNDS} holds no prompts; the corpus is made without them "
            "(apt install asterisk-core-sounds-en asterisk-core-sounds-en-g722)."
        )
    spoken, missing = synthetic_sources()
    for name in missing:
        reporter.note(f"{name} is not installed; the corpus is made without its voices (apt install {name}).")
    recorded = [source for part in parts.values() for source in part]
    everything = [*recorded, *said, *spoken, *quiet_sources()]
    with claim(out):
        return _summary(out, build(everything, out, reporter, plan), reporter, "corpus")


def _note(origin: MotionOrigin, how: object) -> str:
    """Return what readers of the card must know of motion that is performed, or seen in films.

    `how` is the setting for films, a HowToLook; anything else means the usual one. Commands always give it,
    also where no film is read.
    """
    if origin != "video":
        return _STAND_IN
    from talkcli.engine.prepare.adapters.filmed import AS_USUAL, HowToLook

    return (how if isinstance(how, HowToLook) else AS_USUAL).note


def _settle(plan: Plan) -> None:
    """Limit torch to one thread when this process makes the clips itself, as workers do."""
    if plan.num_workers == 0 and "torch" in sys.modules:
        from talkcli.engine.device import settle_threads

        settle_threads()


def _sources_of(data_set: DataSet) -> Callable[..., list[Source]]:
    module, function = data_set.sources.split(":")
    return cast(
        "Callable[..., list[Source]]",
        getattr(importlib.import_module(f"talkcli.engine.prepare.adapters.{module}"), function),
    )


def _summary(out: Path, built: Built, reporter: Reporter, action: str, note: str = "") -> Summary:
    """Write the card, warn of oddities, and return the summary.

    Args:
        out: Folder of the clips.
        built: Result of the build.
        reporter: Receiver of warnings.
        action: Name of the subcommand that made the clips.
        note: Text that the card repeats.
    """
    write_card(out, built, f"talk preprocess {action}", note)
    for oddity in built.oddities:
        reporter.warn(f"{oddity} All are in {out / 'report.jsonl'}.")
    torn = torn_speakers(built.entries)
    if torn:
        reporter.warn(
            f"Speakers in more than one split: {', '.join(torn)}. Scores will not be for unseen speakers."
        )
    return Summary(
        manifest=out / "manifest.jsonl",
        num_clips=len(built.entries),
        num_kept=built.num_kept,
        hours=built.seconds / 3600,
        amount=amount(built.entries, built.seconds),
        emotions=dict(Counter(entry.emotion for entry in built.entries).most_common()),
        splits=dict(Counter(entry.split for entry in built.entries).most_common()),
        dropped={item.id: item.reason for item in built.dropped},
    )
