"""From a video to the landmarks of the one face it is about.

Axis names: `frames`, landmarks as in `FaceTrack`, `rows` and `columns` of a small picture.
Faces are linked from picture to picture by where they are; cuts are where picture and face jump together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, UInt8

from talkcli.engine.errors import InputError
from talkcli.engine.types import Reporter
from talkcli.engine.video.mesh import FaceMesh, Sighting, eye_distance
from talkcli.engine.video.pictures import Film, read_pictures
from talkcli.engine.video.track import NUM_LANDMARKS, FaceTrack
from talkcli.engine.wording import counted

FaceChoice = Literal["only", "largest"]
# A face is the same as before if its middle moved less than this share of its size.
_SAME_FACE = 0.5
# Two meshes on one face.
_SAME_PLACE = 0.25
# A face this important beside the first, by size, place and time, leaves open whose clip it is.
_RIVAL = 0.5
_GRID = 16
# A cut: the small picture changes by this much of full scale, and by this many times what is usual in the
# half second around. Within takes of GRID changes stay below 0.003, between takes they are above 0.035.
_CUT_CHANGE, _CUT_TIMES = 0.02, 6.0
# And the face jumps by this much of its size, or comes, or goes; a flash changes the picture alone.
_CUT_JUMP = 0.015


@dataclass(frozen=True, kw_only=True)
class Followed:
    """`track`, and how many faces there were beside it, at most at a time (`num_others`)."""

    track: FaceTrack
    num_others: int


def follow_face(film: Film, choice: FaceChoice, reporter: Reporter) -> Followed:
    """Return the landmarks of the face that `film` is about: in each shot the largest, most central, longest
    seen.

    With `choice` "only", another face that matters at least half as much is an InputError; with "largest" it
    is left aside. Raises InputError when no picture shows a face, ExtraError without mediapipe.
    Per hour of 25 fps 0.6 GB are needed, as much again when the face is not in every picture.
    """
    faces: list[_Face] = []
    small, num_seen, size = [], np.zeros(film.num_frames, int), (0, 0)
    with FaceMesh() as mesh:
        for index, picture in enumerate(read_pictures(film)):
            height, width = picture.shape[:2]
            size = (width, height)
            small.append(_small(picture))
            sightings = _distinct(mesh.sightings(picture))
            num_seen[index] = len(sightings)
            _link(faces, sightings, index)
            reporter.progress("following the face", index + 1, film.num_frames)
    if not faces:
        raise InputError(
            f"{film.path} shows no face in any of {counted(film.num_frames, 'picture')}.",
            hint="A face is found if it fills a tenth of the picture or more and is turned to the camera.",
        )
    cuts = _find_cuts(np.stack(small), num_seen, faces, film.fps)
    chosen = [
        (span, _main_face(faces, span, size, film, choice))
        for span in zip((0, *cuts), (*cuts, film.num_frames), strict=True)
    ]
    track = _joined(chosen, film, size, cuts)
    return Followed(track=track, num_others=int(np.maximum(num_seen - track.seen, 0).max()))


@dataclass(kw_only=True)
class _Face:
    """One face over the pictures it was seen in, so far."""

    last: Sighting
    frames: list[int] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    centres: list[np.ndarray] = field(default_factory=list)
    # Grows in place, where a list of arrays would be joined into a second copy.
    landmarks: bytearray = field(default_factory=bytearray)

    def add(self, index: int, sighting: Sighting) -> None:
        self.last = sighting
        self.frames.append(index)
        self.confidence.append(sighting.confidence)
        self.sizes.append(sighting.size)
        self.centres.append(sighting.centre)
        self.landmarks += sighting.landmarks.tobytes()

    def array(self) -> Float32[np.ndarray, "frames 478 3"]:
        return np.frombuffer(self.landmarks, np.float32).reshape(-1, NUM_LANDMARKS, 3)


def _distinct(sightings: list[Sighting]) -> list[Sighting]:
    """Return the surest sighting of each face."""
    kept: list[Sighting] = []
    for sighting in sorted(sightings, key=lambda one: -one.confidence):
        if all(_apart(sighting, other) > _SAME_PLACE for other in kept):
            kept.append(sighting)
    return kept


def _link(faces: list[_Face], sightings: list[Sighting], index: int) -> None:
    """Give each sighting to the face whose last one was nearest, or to a new one."""
    pairs = sorted(
        (_apart(sighting, face.last), which, whose)
        for which, sighting in enumerate(sightings)
        for whose, face in enumerate(faces)
    )
    linked: set[int] = set()
    for apart, which, whose in pairs:
        free = which not in linked and faces[whose].frames[-1] < index
        if apart < _SAME_FACE and free:
            faces[whose].add(index, sightings[which])
            linked.add(which)
    for which, sighting in enumerate(sightings):
        if which not in linked:
            faces.append(_Face(last=sighting))
            faces[-1].add(index, sighting)


def _apart(first: Sighting, second: Sighting) -> float:
    """Return the distance of the middles over the larger size."""
    return float(np.linalg.norm(first.centre - second.centre)) / max(first.size, second.size, 1.0)


def _small(picture: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "rows columns"]:
    """Return brightness of 16 x 16 fields in [0, 1], from every so many pixels."""
    step = max(1, min(picture.shape[:2]) // 96)
    grey = picture[::step, ::step].mean(axis=-1, dtype=np.float32) / 255
    rows, columns = (np.linspace(0, side, _GRID, endpoint=False).astype(int) for side in grey.shape)
    sums = np.add.reduceat(np.add.reduceat(grey, rows, axis=0), columns, axis=1)
    counts = np.outer(np.diff([*rows, grey.shape[0]]), np.diff([*columns, grey.shape[1]]))
    return np.asarray(sums / counts, np.float32)


def _find_cuts(
    small: Float32[np.ndarray, "frames rows columns"],
    num_seen: np.ndarray,
    faces: list[_Face],
    fps: float,
) -> tuple[int, ...]:
    change = np.zeros(len(small))
    change[1:] = np.abs(np.diff(small, axis=0)).mean(axis=(1, 2))
    jump = np.zeros(len(small))
    jump[1:][np.diff(num_seen) != 0] = np.inf
    for face in faces:
        frames, sizes, places = np.array(face.frames), np.array(face.sizes), np.array(face.centres)
        moved = np.linalg.norm(np.diff(places, axis=0), axis=1) / sizes[1:]
        moved += np.abs(np.diff(sizes)) / sizes[1:]
        jump[frames[1:]] = np.maximum(jump[frames[1:]], moved)
        # A face that was not there in the picture before came with this one.
        jump[frames[0]] = np.inf
    reach = max(2, round(fps / 4))
    cuts = []
    for index in np.flatnonzero((change > _CUT_CHANGE) & (jump > _CUT_JUMP)):
        around = np.concatenate(
            [change[max(1, index - reach) : index], change[index + 1 : index + reach + 1]]
        )
        if not len(around) or change[index] > _CUT_TIMES * np.median(around):
            cuts.append(int(index))
    return tuple(cuts)


def _main_face(
    faces: list[_Face], span: tuple[int, int], size: tuple[int, int], film: Film, choice: FaceChoice
) -> _Face | None:
    """Return the face that matters most in the pictures of `span`, None where there is none."""
    ranked = sorted(((_weight(face, span, size), -whose) for whose, face in enumerate(faces)), reverse=True)
    if ranked[0][0] == 0:
        return None
    if choice == "only" and len(ranked) > 1 and ranked[1][0] >= _RIVAL * ranked[0][0]:
        first, last = (edge / film.fps for edge in span)
        raise InputError(
            f"{film.path} shows more than one face of equal weight between {first:.2f} and {last:.2f} s.",
            hint="Choose `face=largest`, or crop the video to the one who speaks.",
        )
    return faces[-ranked[0][1]]


def _weight(face: _Face, span: tuple[int, int], size: tuple[int, int]) -> float:
    """Return size over time in `span`, up to half less as it is further from the middle of the picture."""
    first, last = np.searchsorted(face.frames, span)
    if first == last:
        return 0.0
    middle = np.array(size) / 2
    away = np.linalg.norm(np.array(face.centres[first:last]) - middle, axis=1) / np.linalg.norm(middle)
    return float((np.array(face.sizes[first:last]) * (1 - 0.5 * np.minimum(away, 1))).sum())


def _joined(
    chosen: list[tuple[tuple[int, int], _Face | None]],
    film: Film,
    size: tuple[int, int],
    cuts: tuple[int, ...],
) -> FaceTrack:
    total = film.num_frames
    whole = chosen[0][1]
    if len(chosen) == 1 and whole is not None and len(whole.frames) == total:
        # Nothing to fill in, and an hour of landmarks is not copied.
        landmarks, confidence = whole.array(), np.array(whole.confidence, np.float32)
    else:
        landmarks = np.full((total, NUM_LANDMARKS, 3), np.nan, np.float32)
        confidence = np.zeros(total, np.float32)
        for span, face in chosen:
            if face is not None:
                first, last = np.searchsorted(face.frames, span)
                there = face.frames[first:last]
                landmarks[there] = face.array()[first:last]
                confidence[there] = face.confidence[first:last]
    return FaceTrack(
        landmarks=landmarks,
        seen=np.isfinite(landmarks[:, 0, 0]),
        confidence=confidence,
        fps=film.fps,
        width=size[0],
        height=size[1],
        cuts=cuts,
    )


def yaw_degrees(landmarks: Float32[np.ndarray, "frames 478 3"]) -> Float[np.ndarray, "frames"]:
    """Return how far the face is turned aside: 0 towards the camera, 90 in profile; NaN where it is not
    seen.
    """
    right, left = landmarks[:, 33], landmarks[:, 263]
    across = eye_distance(landmarks)
    return np.degrees(np.arcsin(np.abs(left[:, 2] - right[:, 2]) / across))
