"""ARTalk's motion files: FLAME expression, head and jaw, 106 numbers per frame at 25 fps, and sound.

Files are NAME.pt (one tensor) or NAME.npy, with sound of that name beside them, or motions/NAME.npy and
audios/NAME.wav, as ARTalk's training reads them. Axis names: `frames` at 25 fps, `columns` = 106: expression
100, axis-angle of the head 3, of the jaw 3. Source: Chu et al. (2025), ARTalk (arXiv 2502.20323), and its
repository.
"""

from __future__ import annotations

from pathlib import Path

from talkcli.engine.data.manifest import Split
from talkcli.engine.errors import InputError
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.flame_motion import flame_motion
from talkcli.engine.prepare.labels import UNLABELLED
from talkcli.engine.prepare.names import Unusable, files_below, plain
from talkcli.engine.prepare.pairs import PairedFiles, paired_sounds
from talkcli.engine.prepare.source import Source
from talkcli.engine.readers.npy import read_floats
from talkcli.engine.readers.pt import read_tensor
from talkcli.engine.types import MODEL_FPS, Motion, Reporter
from talkcli.engine.wording import counted

LICENCE = "ARTalk: not stated"
NUM_COLUMNS, HEAD_AT, JAW_AT = 106, 100, 103
_MOTION, _SOUND = "motions", "audios"
_DATABASE = "data.mdb"
_SPLITS: tuple[Split, ...] = ("train", "val", "test")
_HINT = (
    "Expected below ROOT: NAME.pt or NAME.npy of (frames, 106) numbers with NAME.wav beside it, or "
    f"{_MOTION}/NAME.npy and {_SOUND}/NAME.wav; folders called train, val and test are splits."
)


class ARTalkClip(PairedFiles):
    """A clip's motion and its sound."""

    origin = Origin(kind="fitted")

    @staticmethod
    def read_motion(path: Path) -> Motion:
        return read_motion_codes(path)


def artalk_sources(root: Path, reporter: Reporter) -> list[Source]:
    """Return every clip below `root` in order of ids, clips without sound included.

    The last folder of a clip's path that is not called after a split names the speaker. Raises InputError
    when there are no clips, or only a database.
    """
    files = files_below(root, (".pt", ".npy"))
    databases = files_below(root, (_DATABASE,))
    if not files:
        problem = f"{root} holds no .pt or .npy with motion."
        if databases:
            problem = f"{databases[0]} is an LMDB database, whose format ARTalk does not publish."
        raise InputError(problem, hint=_HINT)
    if databases:
        reporter.warn(f"Read: {counted(len(files), 'motion file')}, not the database {databases[0]}.")
    clips = paired_sounds(root, files, (_MOTION, _SOUND))
    reporter.note(
        f"Found: {counted(len(clips), 'clip')}, "
        f"{sum(sound is not None for *_, sound in clips)} of them with sound. "
        "They have no labels of emotion: all are neutral at level 0."
    )
    sources = []
    for name, motion, sound in clips:
        folders = plain(name).split("/")[:-1]
        split = next((split for split in _SPLITS if split in folders), None)
        speakers = [folder for folder in folders if folder != split]
        sources.append(
            Source(
                id=f"artalk/{plain(name)}",
                speaker="-".join(["artalk", *speakers[-1:]]),
                emotion=UNLABELLED,
                split=split or "train",
                licence=LICENCE,
                recipe=Unusable(reason=f"There is no sound of {name} beside it or in {_SOUND}.")
                if sound is None
                else ARTalkClip(motion=motion, sound=sound),
            )
        )
    return sources


def read_motion_codes(path: Path) -> Motion:
    """Return the motion of a .pt or .npy of (frames, 106) floats. Raise InputError for anything else."""
    rows = read_tensor(path) if path.suffix.lower() == ".pt" else read_floats(path)
    if rows.ndim != 2 or rows.shape[1] != NUM_COLUMNS:
        raise InputError(f"{path} holds {rows.shape}, motion of ARTalk is (frames, {NUM_COLUMNS}).")
    return flame_motion(
        path,
        expression=rows[:, :HEAD_AT],
        jaw=rows[:, JAW_AT:],
        pose=rows[:, HEAD_AT:JAW_AT],
        fps=float(MODEL_FPS),
    )
