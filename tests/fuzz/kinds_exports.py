"""Attacks on what `talk export` reads, and on what reads its files."""

from __future__ import annotations

import io
import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from talkcli.engine.exports.formats import FORMATS
from talkcli.engine.exports.live_link import write
from talkcli.engine.exports.piece import Piece
from talkcli.engine.face.motion_file import read_motion
from talkcli.engine.face.resample import resample
from talkcli.engine.types import Silent
from tests.fuzz import mutate, structured
from tests.fuzz.case import Case, Kind, common

_WORDS = (
    "00:00:00:05.000", "00:00:00;05.000", "23:59:59:24", "61", "-0.2", "1e999", "0,5", "NaN", "JawOpen", "Timecode",
)  # fmt: skip


def export(drawn: Random, files: Path, folder: Path) -> Case:
    """A motion file with phones, damaged or edited, into any format that draws nothing."""
    content = _spoken(files / drawn.choice(("ada.npz", "ada.npz", "ada.npz", "flame.npz")))
    undamaged = {}
    if drawn.random() < 0.4:
        data, note, _ = mutate.damaged(drawn, content, (files / "flame.npz").read_bytes())
        if "splice" not in note and "append" not in note:
            undamaged = {"m.npz": content}
    else:
        data, note = structured.edited_npz(drawn, content)
    (folder / "m.npz").write_bytes(data)
    suffix = drawn.choice([name for name, row in FORMATS.items() if not row.drawn and not row.surface])
    argv: tuple[str, ...] = ("export", "m.npz", "--out", f"o{suffix}")
    if drawn.random() < 0.2:
        argv += ("--fps", drawn.choice(("1", "240", "60", "29.97")))
    return Case(
        argv=common(drawn, *argv), note=f"{suffix} {note}", outputs=(f"o{suffix}",), undamaged=undamaged,
        # This JSON names the hash of its motion file.
        expected="same" if undamaged and suffix != ".json" else "any",
    )  # fmt: skip


def _spoken(path: Path) -> bytes:
    """Return the motion file with phones in it."""
    with np.load(path, allow_pickle=False) as stored:
        arrays = dict(stored)
    arrays |= {
        "phones": np.array(["SIL", "M", "AY"]),
        "phone_times": np.array([[0.0, 0.1], [0.1, 0.2], [0.2, 0.5]]),
        "alignment": np.array("aligned"),
    }
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return file.getvalue()


def exported_csv(drawn: Random, files: Path, folder: Path) -> Case:
    """A CSV that talk wrote, damaged or edited, beside the sound of a take."""
    shutil.copytree(files / "sets/live-link", folder / "in")
    path = folder / "in/take.csv"
    motion, _ = read_motion(files / "ada.npz")
    # Long enough that the timecode shows its rate.
    motion = replace(motion, coeffs=np.tile(motion.coeffs, (9, 1)), pose=None)
    piece = Piece(motion=resample(motion, drawn.choice((25.0, 60.0, 29.97))), meta={}, reporter=Silent())
    write(path, piece)
    if drawn.random() < 0.6:
        text, note = structured.edited_text(drawn, path.read_text(), _WORDS)
        data = structured.encoded(drawn, text)
    else:
        data, note, _ = mutate.damaged(drawn, path.read_bytes())
    path.write_bytes(data)
    argv = common(drawn, "preprocess", "live-link", "in", "--out", "out", "--workers", "0")
    return Case(argv=argv, note=note)


KINDS = (
    Kind("export", 6, export),
    Kind("exported-csv", 3, exported_csv),
)
