"""Export to the files of Rhubarb Lip Sync: mouth shapes A to H and X with their times, as JSON and as TSV.

Times have two decimals, as in Rhubarb's own files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from talkcli.engine.exports.curves import write_lines
from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.viseme_track import Track, track_of


def write_json(out: Path, piece: Piece) -> None:
    """Write the mouth shapes to the JSON file `out`. `metadata` has one key more than Rhubarb's: `source`."""
    track = track_of(out, piece, "rhubarb")
    document = {
        "metadata": {
            "soundFile": "" if piece.sound_file is None else str(piece.sound_file),
            "duration": _hundredths(piece.motion.duration_s) / 100,
            "source": track.source,
        },
        "mouthCues": [
            {"start": start / 100, "end": end / 100, "value": shape} for start, end, shape in _cues(track)
        ],
    }
    write_lines(out, [json.dumps(document, indent=2, ensure_ascii=False)])


def write_tsv(out: Path, piece: Piece) -> None:
    """Write the mouth shapes to the TSV file `out`: the time at which each begins, and at the end X."""
    cues = list(_cues(track_of(out, piece, "rhubarb")))
    rows = [f"{start / 100:.2f}\t{shape}" for start, _, shape in cues]
    write_lines(out, [*rows, f"{_hundredths(piece.motion.duration_s) / 100:.2f}\tX"])


def _cues(track: Track) -> Iterator[tuple[int, int, str]]:
    """Yield start and end in hundredths of a second, and the shape; without those that rounding empties."""
    for cue in track.cues:
        start, end = _hundredths(cue.start_s), _hundredths(cue.end_s)
        if end > start:
            assert cue.viseme is not None
            yield start, end, cue.viseme


def _hundredths(time_s: float) -> int:
    return round(100 * time_s)
