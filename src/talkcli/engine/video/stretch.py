"""Choice of the part of a video in which the tracker followed the face without a long gap or a cut.

Axis names: `frames`.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from talkcli.engine.errors import InputError
from talkcli.engine.masks import runs
from talkcli.engine.video.track import FaceTrack
from talkcli.engine.video.tracker import yaw_degrees

Stretch = Literal["whole", "longest"]
# Longest gap without the face that is bridged, in seconds; in a longer one the mouth's movement is unknown.
LONGEST_GAP_S = 0.2
# Smallest share of the pictures that must show the face.
LEAST_SEEN = 0.8
# Measured yaw in degrees from which on the far half of the face is hidden, so that the network guesses its
# landmarks. A rendered head that is turned by 50 degrees measures this value; up to 40 degrees the measured
# yaw is right within 3 degrees.
PROFILE_DEGREES = 45.0
# Shortest part of a video that can be used, in seconds.
_SHORTEST_S = 1.0


def usable(track: FaceTrack, stretch: Stretch, name: str) -> tuple[int, int]:
    """Return the first frame of the usable part of `track`, and the frame after its last.

    Args:
        track: Track of one face.
        stretch: "whole" takes all frames; "longest" takes the longest run of frames in one shot with the face
            visible, and bridges gaps of up to 0.2 s.
        name: Name of the video for errors.

    Raises:
        InputError: With "whole" the track has cuts or longer gaps; with "longest" the run is shorter than
            1 s; or the part shows the face in less than four fifths of its frames.
    """
    parts = _parts(track)
    if stretch == "whole":
        if complaint := _complaint(track, parts):
            raise InputError(
                f"{name}: {complaint}.",
                hint="Choose `stretch=longest` for the longest part in one shot with the face visible, or "
                "cut the video: ffmpeg -i in.mp4 -ss START -to END out.mp4",
            )
        first, last = 0, track.num_frames
    else:
        first, last = max(parts, key=lambda run: run[1] - run[0])
        if (last - first) / track.fps < _SHORTEST_S:
            raise InputError(
                f"{name}: the longest part in one shot with the face visible has "
                f"{(last - first) / track.fps:.2f} s, {_SHORTEST_S:g} s are needed."
            )
    seen = float(track.seen[first:last].mean())
    if seen < LEAST_SEEN:
        raise InputError(
            f"{name}: the face is seen in {seen:.0%} of the pictures, {LEAST_SEEN:.0%} are needed.",
            hint="The tracker follows a face that is turned to the camera and that nothing hides.",
        )
    return first, last


def profile_spans(track: FaceTrack) -> str:
    """Return the times at which the face is turned by more than about 50 degrees, as text; "" for none."""
    with np.errstate(invalid="ignore"):
        aside = yaw_degrees(track.landmarks) > PROFILE_DEGREES
    return ", ".join(_span(first, last, track.fps) for first, last in runs(aside))


def _parts(track: FaceTrack) -> list[tuple[int, int]]:
    """Return the runs of frames that begin and end with the face, without a cut or a long gap between."""
    longest = round(LONGEST_GAP_S * track.fps)
    cuts = set(track.cuts)
    parts: list[tuple[int, int]] = []
    for frame in np.flatnonzero(track.seen).tolist():
        before = parts[-1][1] if parts else None
        if (
            before is not None
            and frame - before <= longest
            and not cuts.intersection(range(before, frame + 1))
        ):
            parts[-1] = (parts[-1][0], frame + 1)
        else:
            parts.append((frame, frame + 1))
    return parts


def _complaint(track: FaceTrack, found: list[tuple[int, int]]) -> str:
    longest = round(LONGEST_GAP_S * track.fps)
    edges = [0, *(edge for run in found for edge in run), track.num_frames]
    gaps = [
        (first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if last - first > longest
    ]
    parts = []
    if track.cuts:
        parts.append("there are cuts at " + _some([f"{cut / track.fps:.2f} s" for cut in track.cuts]))
    if gaps:
        parts.append("the face is not seen in " + _some([_span(*gap, track.fps) for gap in gaps]))
    return " and ".join(parts)


def _span(first: int, last: int, fps: float) -> str:
    return f"{first / fps:.2f}-{last / fps:.2f} s"


def _some(names: list[str], shown: int = 5) -> str:
    return ", ".join(names[:shown]) + (f" and {len(names) - shown} more" if len(names) > shown else "")
