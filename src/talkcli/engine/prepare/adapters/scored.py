"""Motion of a film by ARKit's scores, alone or beside the fit to the landmarks; and how each is called.

Axis names: `frames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from talkcli.engine.origin import Origin
from talkcli.engine.types import Motion
from talkcli.engine.video.arkit_scores import arkit_scores
from talkcli.engine.video.merge import (
    Capture,
    check_scored,
    lag_frames,
    merged,
    rest_scores,
    scored_motion,
)
from talkcli.engine.video.pictures import Film, read_pictures
from talkcli.engine.video.track import FaceTrack

ORIGINS: Mapping[Capture, Origin] = {
    "landmarks": Origin(kind="fitted", by="MediaPipe"),
    "arkit": Origin(kind="fitted", by="MediaPipe, ARKit scores"),
    "both": Origin(kind="fitted", by="MediaPipe, landmarks and ARKit scores"),
}
# What a run notes, and its card says, of motion from films.
NOTES: Mapping[Capture, str] = {
    "landmarks": "Motion is fitted to the landmarks of faces in videos, not captured "
    "(docs/methods/video.md).",
    "arkit": "Motion is a network's ARKit scores of faces in videos, not captured (docs/methods/video.md).",
    "both": "Motion is fitted to the landmarks of faces in videos, in part a network's ARKit scores of them, "
    "not captured (docs/methods/video.md).",
}


def with_scores(
    fitted: Motion,
    film: Film,
    track: FaceTrack,
    *,
    capture: Capture,
    bundle: Path,
    rest: Float[np.ndarray, "52"] | None,
    gaps: bool,
) -> tuple[Motion, dict[str, Any]]:
    """Return the motion that `capture` ("arkit" or "both") makes, and what report.jsonl says of it.

    Args:
        fitted: Motion of ada, fitted to the landmarks of `track`.
        film: Pictures, one per frame of the track.
        track: Track of the face.
        capture: How to capture.
        bundle: Path of the user's bundle.
        rest: Scores of the person at rest, from another film; None estimates them in this one.
        gaps: Whether the networks may miss the face for longer than 0.2 s; it goes to rest there.

    Raises:
        InputError: The bundle is damaged, or its networks find the face in too few pictures
            (`check_scored`).
        ExtraError: mediapipe is not installed.
    """
    scores = arkit_scores(read_pictures(film), bundle, track)
    check_scored(scores, film.fps, gaps=gaps)
    scored = scored_motion(scores, rest_scores(scores) if rest is None else rest, fitted)
    lag = lag_frames(fitted, scored)
    report = {
        "capture": capture,
        "face_scored": round(float(np.isfinite(scores[:, 0]).mean()), 4),
        "arkit_lag_frames": None if lag is None else round(lag, 2),
    }
    return merged(fitted, scored) if capture == "both" else scored, report
