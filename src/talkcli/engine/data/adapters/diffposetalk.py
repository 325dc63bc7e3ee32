"""DiffPoseTalk's HDTF_TFHP: FLAME coefficients (.npz) of talking faces with head pose at 25 fps, and sound.

Files are FLAME_coeffs/PERSON/VIDEO.npz and audio/PERSON/VIDEO.flac, as the authors' scripts make them before
they pack them into a database, or sound beside the motion. Axis names: `frames` at 25 fps; pose is the head's
axis-angle, then the jaw's. Source: Sun et al. (2024), DiffPoseTalk, ACM TOG 43(4), and its repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from talkcli.engine.audio.io import read_speech
from talkcli.engine.data.flame_motion import flame_motion
from talkcli.engine.data.labels import UNLABELLED
from talkcli.engine.data.manifest import Split
from talkcli.engine.data.names import Unusable, files_below, some
from talkcli.engine.data.pairs import paired_sounds, plain
from talkcli.engine.data.source import Recording, Source
from talkcli.engine.errors import InputError
from talkcli.engine.face.npz import read_arrays
from talkcli.engine.types import MODEL_FPS, Motion, Reporter, Silent

LICENCE = "HDTF_TFHP: not stated"
COEFFS, SOUND = "FLAME_coeffs", "audio"
_DATABASE = "data.mdb"
# Means and deviations of all coefficients, which training reads.
_STATISTICS = "stats"
_SPLITS: tuple[Split, ...] = ("train", "val", "test")
_HINT = (
    f"Expected below ROOT: {COEFFS}/PERSON/VIDEO.npz (arrays exp and pose) and {SOUND}/PERSON/VIDEO.flac, or "
    "sound beside the npz."
)


@dataclass(frozen=True, kw_only=True)
class DiffPoseTalkClip:
    """A clip's coefficients and its sound."""

    coeffs: Path
    sound: Path

    @property
    def inputs(self) -> tuple[Path, ...]:
        return (self.coeffs, self.sound)

    def make(self, source: Source) -> Recording:  # noqa: ARG002  both files are there already
        motion = read_coeffs(self.coeffs)
        return Recording(speech=read_speech(self.sound, Silent()), motion=motion)


def diffposetalk_sources(root: Path, reporter: Reporter) -> list[Source]:
    """Every clip below `root` in order of ids, one without sound among them; a person is a speaker.

    Splits are those of train.txt, val.txt and test.txt, in `root` or its folder lmdb, where they are there.
    Raises InputError when there are no clips, or only the database.
    """
    files = [path for path in files_below(root, (".npz",)) if not path.stem.startswith(_STATISTICS)]
    databases = files_below(root, (_DATABASE,))
    if not files and databases:
        raise InputError(
            f"{databases[0]} is an LMDB database of pickles, which are not opened.",
            hint=f"{_HINT} Unpack the database with the authors' own tools.",
        )
    if not files:
        raise InputError(f"{root} holds no npz with coefficients.", hint=_HINT)
    if databases:
        reporter.warn(f"The database {databases[0]} was not read; the {len(files)} npz files were.")
    splits = read_splits(root)
    if not splits:
        reporter.warn("There are no train.txt, val.txt and test.txt: all clips go to train.")
    sources, unlisted = [], []
    for name, coeffs, sound in paired_sounds(root, files, (COEFFS, SOUND)):
        split = splits.get(_key(name)) if splits else "train"
        if split is None:
            unlisted.append(name)
            continue
        sources.append(
            Source(
                id=f"diffposetalk/{plain(name)}",
                speaker="-".join(["diffposetalk", *plain(name).split("/")[:-1]]),
                emotion=UNLABELLED,
                split=split,
                licence=LICENCE,
                recipe=Unusable(reason=f"There is no sound of {name} beside it or in {SOUND}.")
                if sound is None
                else DiffPoseTalkClip(coeffs=coeffs, sound=sound),
            )
        )
    if unlisted:
        reporter.warn(f"Left out {len(unlisted)} clips that no split names: {some(unlisted)}.")
    if not sources:
        raise InputError(f"None of the {len(files)} clips below {root} is in a split.", hint=_HINT)
    return sources


def read_coeffs(path: Path) -> Motion:
    """The motion of an npz with exp (frames, 50) and pose (frames, 6), at 25 fps. Raises InputError for
    anything else.
    """
    stored = read_arrays(path, ("exp", "pose"), kind="clip of DiffPoseTalk", hint=_HINT)
    pose = stored["pose"]
    if pose.ndim != 2 or pose.shape[1] != 6:
        raise InputError(f"{path}: pose is {pose.shape}, (frames, 6) is needed.")
    return flame_motion(
        path, expression=stored["exp"], jaw=pose[:, 3:], pose=pose[:, :3], fps=float(MODEL_FPS)
    )


def read_splits(root: Path) -> dict[str, Split]:
    """The split of every clip, by its name with the number as the lists have it. Raises InputError for a clip
    in two of them.
    """
    splits: dict[str, Split] = {}
    for split in _SPLITS:
        for folder in (root, root / "lmdb"):
            path = folder / f"{split}.txt"
            if not path.is_file():
                continue
            try:
                names = path.read_text(encoding="utf-8").split()
            except (OSError, UnicodeDecodeError) as error:
                raise InputError(f"{path} cannot be read ({error}).", hint=_HINT) from error
            for name in names:
                if splits.setdefault(_key(name), split) != split:
                    raise InputError(f"{path} names {name}, which is in {splits[_key(name)]} as well.")
    return splits


def _key(name: str) -> str:
    """PERSON/NUMBER however many digits the number has."""
    person, _, video = name.rpartition("/")
    return f"{person}/{int(video)}" if video.isdecimal() else name
