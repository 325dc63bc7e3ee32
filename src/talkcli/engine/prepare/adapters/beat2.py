"""BEAT2: conversations and speeches, as sound and motion of SMPL-X bodies at 30 fps, whose face is FLAME's.

Files are smplxflame_30/NAME.npz and wave16k/NAME.wav, in one folder for each language; NAME is
SPEAKER_NAME_KIND_FIRST_LAST. Axis names: `frames` at the file's rate; poses are 55 joints' axis-angle.
Source: Liu et al. (2024), EMAGE, CVPR; names and labels as BEAT's readme has them
(github.com/PantoMatrix/PantoMatrix).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from talkcli.engine.data.manifest import Split
from talkcli.engine.errors import InputError
from talkcli.engine.face.quaternions import axis_angles, quaternions
from talkcli.engine.origin import Origin
from talkcli.engine.prepare.flame_motion import flame_motion
from talkcli.engine.prepare.labels import EMOTION_OF_BEAT, UNTOLD_LEVEL
from talkcli.engine.prepare.names import Unusable, read_names, tell_left_out, tell_missing
from talkcli.engine.prepare.pairs import PairedFiles
from talkcli.engine.prepare.source import Recipe, Source
from talkcli.engine.readers.npz import read_arrays
from talkcli.engine.readers.text import csv_rows
from talkcli.engine.types import Emotion, Motion, Reporter
from talkcli.engine.wording import counted

LICENCE = "CC-BY-NC-4.0"
MOTION, SOUND, SPLITS = "smplxflame_30", "wave16k", "train_test_split.csv"
# Split by the type in the list; "additional" are recordings beyond the benchmark, which EMAGE adds to
# training.
SPLIT_OF_TYPE: dict[str, Split] = {"train": "train", "val": "val", "test": "test", "additional": "train"}
_NAME = re.compile(r"(\d+)_([a-z]+)_([0-7])_(\d+)_(\d+|[a-z])")
_MODEL = "smplx2020"
_NUM_JOINTS = 55
# Joints of SMPL-X from root to head, each relative to the one before: pelvis, three of the spine, neck, head.
HEAD_CHAIN = (0, 3, 6, 9, 12, 15)
JAW = 22
_LOWEST_FPS, _HIGHEST_FPS = 1.0, 240.0
_HINT = (
    f"Expected below ROOT or ROOT/beat_english_v2.0.0: {MOTION}/2_scott_0_103_103.npz, "
    f"{SOUND}/2_scott_0_103_103.wav and {SPLITS} with the columns id and type."
)


@dataclass(frozen=True, kw_only=True)
class Beat2Name:
    """The parts of a recording's name."""

    speaker: str
    """Number and name."""
    emotion: str


class Beat2Clip(PairedFiles):
    """A recording's motion and its sound."""

    origin = Origin(kind="captured", by="SMPL-X fitted by the authors")

    @staticmethod
    def read_motion(path: Path) -> Motion:
        return read_body(path)


def beat2_sources(root: Path, reporter: Reporter) -> list[Source]:
    """Return the recordings of the split list of every language below `root`, in order of ids.

    `reporter` receives what is found, left out and missing. Raises InputError when there is no recording or
    no split list.
    """
    sources = [source for base in _bases(root) for source in _language(base, reporter)]
    return sorted(sources, key=lambda source: source.id)


def parse_name(stem: str) -> Beat2Name | None:
    """Return speaker and emotion of a recording; None when the name is not of BEAT2's form.

    Raises InputError for a number that no recording has.
    """
    match = _NAME.fullmatch(stem)
    if match is None:
        return None
    number, name, kind, first, last = match.groups()
    # The kind is even for speeches, one number for each language, and odd for conversations.
    if int(kind) % 2:
        emotions = ["neutral"]
    else:
        ends = [int(end) for end in (first, last) if end.isdigit()]
        emotions = [label for end in ends for range_, label in EMOTION_OF_BEAT.items() if end in range_]
        if len(emotions) != len(ends):
            raise InputError(f"speeches have numbers up to 118, but this one has {first} to {last}")
        if len(set(emotions)) > 1:
            raise InputError(f"numbers {first} to {last} are {' and '.join(emotions)}")
    return Beat2Name(speaker=f"{number}_{name}", emotion=emotions[0])


def read_body(path: Path) -> Motion:
    """Return the face of a BEAT2 file: expression, jaw, and rotation of the head in the room.

    The rotation is the product over spine and neck. Raises InputError for anything else.
    """
    kind, optional = "motion of BEAT2", ("mocap_frame_rate", "model")
    stored = read_arrays(path, ("poses", "expressions"), kind=kind, hint=_HINT, optional=optional)
    poses = stored["poses"]
    if poses.ndim != 2 or poses.shape[1] != 3 * _NUM_JOINTS or poses.dtype.kind != "f":
        raise InputError(
            f"{path}: poses are {poses.dtype} {poses.shape}, floats (frames, {3 * _NUM_JOINTS}) are needed."
        )
    model = str(stored.get("model", np.array(_MODEL)))
    if model != _MODEL:
        raise InputError(f"{path} moves a model {model}; only expressions of {_MODEL} are FLAME 2020's.")
    joints = poses.reshape(len(poses), _NUM_JOINTS, 3)
    return flame_motion(
        path,
        expression=stored["expressions"],
        jaw=joints[:, JAW],
        pose=head_rotation(path, joints),
        fps=_rate(path, stored.get("mocap_frame_rate", np.array(30))),
    )


def head_rotation(
    where: object, joints: Float[np.ndarray, "frames joints 3"]
) -> Float[np.ndarray, "frames 3"]:
    """Return the product of the rotations from root to head, as axis-angle in radians, at most half a turn.

    Raises InputError, naming `where`, for values that are not finite.
    """
    chain = joints[:, HEAD_CHAIN].astype(np.float64)
    if not np.isfinite(chain).all() or np.abs(chain).max(initial=0) > 1e3:
        raise InputError(f"{where}: poses have values that are no rotations.")
    turned = quaternions(chain[:, 0])
    for index in range(1, len(HEAD_CHAIN)):
        turned = _product(turned, quaternions(chain[:, index]))
    return axis_angles(turned)


def _product(
    first: Float[np.ndarray, "frames 4"], second: Float[np.ndarray, "frames 4"]
) -> Float[np.ndarray, "frames 4"]:
    """Return Hamilton's product: `second` in the frame that `first` has turned."""
    scalar = first[:, :1] * second[:, :1] - np.sum(first[:, 1:] * second[:, 1:], axis=1, keepdims=True)
    vector = (
        first[:, :1] * second[:, 1:] + second[:, :1] * first[:, 1:] + np.cross(first[:, 1:], second[:, 1:])
    )
    return np.concatenate([scalar, vector], axis=1)


def _rate(path: Path, stored: np.ndarray) -> float:
    if stored.size != 1 or stored.dtype.kind not in "iuf":
        raise InputError(f"{path}: mocap_frame_rate is {stored.dtype} {stored.shape}, one number is needed.")
    fps = float(stored.reshape(()))
    if not _LOWEST_FPS <= fps <= _HIGHEST_FPS:
        raise InputError(f"{path}: mocap_frame_rate is {fps:g}, outside {_LOWEST_FPS:g} to {_HIGHEST_FPS:g}.")
    return fps


def _bases(root: Path) -> list[Path]:
    if not root.is_dir():
        raise InputError(f"{root} is not a folder.", hint=_HINT)
    bases = [path for path in (root, *sorted(root.iterdir())) if (path / MOTION).is_dir()]
    if not bases:
        raise InputError(f"Neither {root} nor a folder in it holds {MOTION}/.", hint=_HINT)
    return bases


def _language(base: Path, reporter: Reporter) -> Iterator[Source]:
    types = read_splits(base / SPLITS)
    found, broken = read_names(base / MOTION, (".npz",), parse_name, reporter, data_set="BEAT2", hint=_HINT)
    names: dict[Path, Beat2Name | str] = {path: name for name, path in found} | broken
    there = {path.stem for path in names}
    reporter.note(
        f"BEAT2's {SPLITS} in {base} has {counted(len(types), 'recording')}; found: {len(there)} in {MOTION}."
    )
    absent = [name for name in types if name not in there]
    tell_missing(reporter, f"recordings of {SPLITS}", absent, one=f"recording of {SPLITS}")
    tell_left_out(
        reporter,
        f"recordings that {SPLITS} does not name",
        sorted(there - types.keys()),
        one=f"recording that {SPLITS} does not name",
    )
    for path, name in names.items():
        if path.stem not in types:
            continue
        recipe: Recipe = Unusable(reason=f"{path.name}: {name}")
        speaker, emotion = "beat2", "neutral"
        if isinstance(name, Beat2Name):
            recipe = Beat2Clip(motion=path, sound=base / SOUND / f"{path.stem}.wav")
            speaker, emotion = f"beat2-{name.speaker}", name.emotion
        yield Source(
            id=f"beat2/{path.stem}",
            speaker=speaker,
            emotion=Emotion(label=emotion, level=UNTOLD_LEVEL),
            split=types[path.stem],
            licence=LICENCE,
            recipe=recipe,
        )


def read_splits(path: Path) -> dict[str, Split]:
    """Return the split of every recording by its name.

    Raise InputError, with the line, for a malformed list.
    """
    if not path.exists():
        raise InputError(f"{path} is missing: without it the splits are unknown.", hint=_HINT)
    rows = csv_rows(path)
    _, header = next(rows, (1, []))
    if not {"id", "type"} <= set(header):
        raise InputError(f"{path}, line 1: the columns id and type are needed.", hint=_HINT)
    splits: dict[str, Split] = {}
    for line, cells in rows:
        row = dict(zip(header, cells, strict=False))
        name, kind = row.get("id"), row.get("type", "")
        split = SPLIT_OF_TYPE.get(kind)
        if not name or split is None or splits.get(name, split) != split:
            raise InputError(
                f"{path}, line {line}: {name!r} is {kind!r}; types are {', '.join(SPLIT_OF_TYPE)}, one for "
                "each id.",
                hint=_HINT,
            )
        splits[name] = split
    if not splits:
        raise InputError(f"{path} names no recording.", hint=_HINT)
    return splits
