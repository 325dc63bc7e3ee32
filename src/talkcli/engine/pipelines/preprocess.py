"""From material of any kind to a folder of clips with a manifest."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.data.adapters.crema_d import crema_d_sources
from talkcli.engine.data.adapters.debug import debug_sources
from talkcli.engine.data.adapters.facegood import facegood_sources
from talkcli.engine.data.adapters.folder import BareMotion, folder_sources
from talkcli.engine.data.adapters.live_link import live_link_sources
from talkcli.engine.data.adapters.mead import mead_sources, warn_of_outliers
from talkcli.engine.data.adapters.mfa import mfa_sources
from talkcli.engine.data.adapters.quiet import quiet_sources
from talkcli.engine.data.adapters.ravdess import EMOFACE_SPLIT, ravdess_sources, whole_ravdess_sources
from talkcli.engine.data.adapters.synthetic import synthetic_sources
from talkcli.engine.data.build import Built, build
from talkcli.engine.data.card import write_card
from talkcli.engine.data.manifest import Split
from talkcli.engine.data.source import Source
from talkcli.engine.data.statistics import torn_speakers
from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.optional import require
from talkcli.engine.types import Reporter

# Actor 12 is for reporting only, 13 to 24 are never seen.
RAVDESS_SPLITS: dict[int, Split] = {**dict.fromkeys(range(1, 11), "train"), 11: "val"}
# By the name of --split.
SPLITS_OF_RAVDESS = {"emoface": EMOFACE_SPLIT, "corpus": RAVDESS_SPLITS}
CHANNELS_OF_RAVDESS = {"all": ("speech", "song"), "speech": ("speech",), "song": ("song",)}
_PERFORMED = (
    "The set has no curves of faces: motion is performed from sound and sentence, a stand-in for measured "
    "motion (docs/datasets.md)."
)
NUM_READINGS = 6


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a run made, in numbers; keys of the histograms are labels, split names, sources (first part of an
    id).
    """

    manifest: Path
    num_clips: int
    num_kept: int
    hours: float
    emotions: dict[str, int]
    splits: dict[str, int]
    dropped: dict[str, str]


def preprocess_folder(
    root: Path, out: Path, *, bare: BareMotion | None, licence: str, reporter: Reporter, num_workers: int
) -> Summary:
    """Sound and motion files of equal stems."""
    _check_apart(root, out)
    sources = folder_sources(root, bare, licence, reporter)
    if not sources:
        raise InputError(
            f"{root} holds no sound files.", hint="Wav, flac, ogg, mp3, m4a and mp4 are looked for."
        )
    return _summary(out, build(sources, out, reporter, num_workers=num_workers), reporter, "folder")


def preprocess_facegood(root: Path, out: Path, *, reporter: Reporter, num_workers: int) -> Summary:
    """FACEGOOD's wav and blendshape curves."""
    sources = facegood_sources(root)
    if not sources:
        raise InputError(f"{root} holds no bs_value_NAME.npy with a NAME.wav beside it.")
    return _summary(out, build(sources, out, reporter, num_workers=num_workers), reporter, "facegood")


def preprocess_debug(out: Path, *, reporter: Reporter) -> Summary:
    """Twelve generated clips."""
    return _summary(out, build(debug_sources(), out, reporter, num_workers=0), reporter, "debug")


def preprocess_corpus(root: Path, out: Path, *, reporter: Reporter, num_workers: int) -> Summary:
    """The corpus of the embedded model, from whatever parts of it `root` holds.

    Parts: emotion/ravdess16k, paired/facegood, speech/mfa; synthesised speech needs flite and espeak-ng. A
    part that is missing is noted and left out. Raises ExtraError when the aligner is not installed.
    """
    require("pocketsphinx", purpose="Building the corpus")
    parts: dict[str, list[Source]] = {
        "emotion/ravdess16k": ravdess_sources(root / "emotion" / "ravdess16k", RAVDESS_SPLITS),
        "paired/facegood": facegood_sources(root / "paired" / "facegood"),
        "speech/mfa": mfa_sources(root / "speech" / "mfa"),
    }
    for name, sources in parts.items():
        if not sources:
            reporter.note(f"{root / name} is not there; the corpus goes on without it.")
    spoken, missing = synthetic_sources(NUM_READINGS)
    for name in missing:
        reporter.note(f"{name} is not installed; the corpus goes on without its voices (apt install {name}).")
    everything = [*(source for part in parts.values() for source in part), *spoken, *quiet_sources()]
    return _summary(out, build(everything, out, reporter, num_workers=num_workers), reporter, "corpus")


def preprocess_live_link(
    root: Path, out: Path, *, speaker: str, emotion: str, licence: str, reporter: Reporter, num_workers: int
) -> Summary:
    """Recordings of Live Link Face: CSV and sound."""
    _check_apart(root, out)
    sources = live_link_sources(root, speaker=speaker, emotion=emotion, licence=licence, reporter=reporter)
    if not sources:
        raise InputError(
            f"{root} holds no CSV of Live Link Face.", hint="Its first line names Timecode and the curves."
        )
    return _summary(out, build(sources, out, reporter, num_workers=num_workers), reporter, "live-link")


def preprocess_ravdess(
    root: Path, out: Path, *, split: str, channel: str, reporter: Reporter, num_workers: int
) -> Summary:
    """RAVDESS, spoken and sung, with performed motion. Raises ExtraError when there is no aligner."""
    for option, value, known in (
        ("--split", split, list(SPLITS_OF_RAVDESS)),
        ("--channel", channel, list(CHANNELS_OF_RAVDESS)),
    ):
        if value not in known:
            raise UsageError(f"{option} {value} is not one of {', '.join(known)}.")
    _check_apart(root, out)
    sources = whole_ravdess_sources(root, SPLITS_OF_RAVDESS[split], CHANNELS_OF_RAVDESS[channel], reporter)
    return _perform("RAVDESS", sources, out, reporter, num_workers, "ravdess")


def preprocess_crema_d(root: Path, out: Path, *, reporter: Reporter, num_workers: int) -> Summary:
    """CREMA-D with performed motion. Raises ExtraError when there is no aligner."""
    _check_apart(root, out)
    return _perform("CREMA-D", crema_d_sources(root, reporter), out, reporter, num_workers, "crema-d")


def preprocess_mead(root: Path, out: Path, *, reporter: Reporter, num_workers: int) -> Summary:
    """MEAD as FLAME parameters and waveforms, in the form DEEPTalk reads."""
    _check_apart(root, out)
    built = build(mead_sources(root, reporter), out, reporter, num_workers=num_workers)
    warn_of_outliers(out, built.entries, reporter)
    return _summary(out, built, reporter, "mead")


def _perform(
    name: str, sources: list[Source], out: Path, reporter: Reporter, num_workers: int, action: str
) -> Summary:
    require("pocketsphinx", purpose=f"Performing the motion of {name}")
    reporter.note(_PERFORMED)
    return _summary(out, build(sources, out, reporter, num_workers=num_workers), reporter, action, _PERFORMED)


def _check_apart(root: Path, out: Path) -> None:
    if out.resolve().is_relative_to(root.resolve()):
        raise UsageError(
            f"--out {out} lies in {root}: a second run would read what the first one wrote.",
            hint="Choose a folder beside ROOT.",
        )


def _summary(out: Path, built: Built, reporter: Reporter, action: str, note: str = "") -> Summary:
    """Write the card, with `note`, and count; `action` is the subcommand that made the clips."""
    write_card(out, built, f"talk preprocess {action}", note)
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
        emotions=dict(Counter(entry.emotion for entry in built.entries).most_common()),
        splits=dict(Counter(entry.split for entry in built.entries).most_common()),
        dropped={item.id: item.reason for item in built.dropped},
    )
