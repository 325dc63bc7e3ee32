"""Export to tracks of visemes: the 15 of Oculus, the 22 of Microsoft, the five of VRM.

Oculus and VRM: weights of every frame, and in JSON the viseme that is seen from when to when. Microsoft: one
event when a viseme begins, as its speech service reports them. Every file says under `source` whether the
visemes come from `phones` or from the `shapes` of the mouth.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from talkcli.engine.exports.curves import write_lines
from talkcli.engine.exports.piece import Piece
from talkcli.engine.exports.viseme_track import Track, track_of

# Microsoft's clock: 100 ns.
_TICKS_PER_S = 10_000_000
_DECIMALS = 6


def write_oculus_json(out: Path, piece: Piece) -> None:
    """Write Oculus' 15 visemes to the JSON file `out`."""
    write_lines(out, _json(track_of(out, piece, "oculus"), piece))


def write_oculus_csv(out: Path, piece: Piece) -> None:
    """Write the weights of Oculus' 15 visemes to the CSV file `out`."""
    write_lines(out, _csv(track_of(out, piece, "oculus"), piece.motion.fps))


def write_vrm_json(out: Path, piece: Piece) -> None:
    """Write VRM's five vowels to the JSON file `out`."""
    write_lines(out, _json(track_of(out, piece, "vrm"), piece))


def write_vrm_csv(out: Path, piece: Piece) -> None:
    """Write the weights of VRM's five vowels to the CSV file `out`."""
    write_lines(out, _csv(track_of(out, piece, "vrm"), piece.motion.fps))


def write_microsoft_json(out: Path, piece: Piece) -> None:
    """Write the events of Microsoft's 22 visemes to the JSON file `out`."""
    track = track_of(out, piece, "microsoft")
    document = {
        "source": track.source,
        "duration": round(piece.motion.duration_s, _DECIMALS),
        "visemes": [
            {"audio_offset": ticks, "offset_ms": ticks / 10_000, "viseme_id": number}
            for ticks, number in _events(track)
        ],
    }
    write_lines(out, [json.dumps(document, indent=1)])


def write_microsoft_csv(out: Path, piece: Piece) -> None:
    """Write the events of Microsoft's 22 visemes to the CSV file `out`."""
    track = track_of(out, piece, "microsoft")
    rows = [f"{ticks},{ticks / 10_000:.4f},{number},{track.source}" for ticks, number in _events(track)]
    write_lines(out, ["audio_offset,offset_ms,viseme_id,source", *rows])


def _events(track: Track) -> Iterator[tuple[int, int]]:
    """Yield the ticks at which a viseme begins, and its id; silence ends the track."""
    for cue in track.cues:
        assert cue.viseme is not None
        yield round(cue.start_s * _TICKS_PER_S), int(cue.viseme)
    if track.cues and track.cues[-1].viseme != track.visemes.rest:
        yield round(track.cues[-1].end_s * _TICKS_PER_S), int(track.visemes.rest or 0)


def _json(track: Track, piece: Piece) -> Iterator[str]:
    """Yield the lines of a document with names, cues and the weights of every frame."""
    head = {
        "set": track.visemes.name,
        "source": track.source,
        "fps": piece.motion.fps,
        "frame_count": piece.motion.num_frames,
        "duration": round(piece.motion.duration_s, _DECIMALS),
        "visemes": list(track.visemes.names),
        "cues": [
            {"start": round(cue.start_s, _DECIMALS), "end": round(cue.end_s, _DECIMALS), "viseme": cue.viseme}
            for cue in track.cues
        ],
    }
    yield json.dumps(head)[:-1] + ', "frames": ['
    last = len(track.weights) - 1
    for index, row in enumerate(track.weights):
        yield json.dumps([round(float(weight), 4) for weight in row]) + ("," if index < last else "")
    yield "]}"


def _csv(track: Track, fps: float) -> Iterator[str]:
    """Yield the lines of a table with the time in seconds and the weights of every frame."""
    yield ",".join(("time", *track.visemes.names, "source"))
    for index, row in enumerate(track.weights):
        yield f"{index / fps:.6f},{','.join(f'{weight:.4f}' for weight in row)},{track.source}"
