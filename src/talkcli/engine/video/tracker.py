"""Tracker of the main face of a video: it finds its landmarks in every picture.

Axis names: `frames`, landmarks as in `FaceTrack`, `rows` and `columns` of a small picture.
The tracker links faces from picture to picture by their positions, and reports a cut where the picture and a
face jump together.
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
# Threshold on the movement of a face's centre between two sightings, in sizes of the face: below it, both are
# of the same face.
_SAME_FACE = 0.5
# Threshold on the distance of two meshes in one picture, in sizes of the face: up to it, they are one face.
_SAME_PLACE = 0.25
# Threshold on the weight (size, place and time) of a second face, as a share of the main face's weight: from
# here on the clip has no clear main face.
_RIVAL = 0.5
# Number of rows and of columns of the small picture.
_GRID = 16
# Thresholds on the change of the small picture at a cut: mean absolute change of brightness in [0, 1], and
# ratio to the median change in the half second around. Within takes of GRID changes stay below 0.003; between
# takes they exceed 0.035.
_CUT_CHANGE, _CUT_TIMES = 0.02, 6.0
# Threshold on the jump of a face at a cut, in sizes of the face; a face that appears or disappears counts as
# a jump. A flash changes only the picture.
_CUT_JUMP = 0.015


@dataclass(frozen=True, kw_only=True)
class Followed:
    """Track of the main face, and the number of other faces."""

    track: FaceTrack
    """Track of the main face."""
    num_others: int
    """Greatest number of other faces in one picture."""


def follow_face(film: Film, choice: FaceChoice, reporter: Reporter) -> Followed:
    """Return the landmarks of the main face of `film`: in each shot the largest, most central, longest seen.

    The tracker needs 0.6 GB of memory per hour at 25 fps, and as much again when the face is not in every
    picture.

    Args:
        film: Video to track.
        choice: "only" refuses a video in which another face has at least half the weight of the main face;
            "largest" ignores other faces.
        reporter: Receives the progress.

    Raises:
        InputError: No picture shows a face, or `choice` is "only" and there is more than one main face.
        ExtraError: mediapipe is not installed.
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
            hint="The tracker finds a face that fills a tenth of the picture or more and faces the camera.",
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
    """Sightings of one face so far, in the order of the pictures."""

    last: Sighting
    frames: list[int] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)
    sizes: list[float] = field(default_factory=list)
    centres: list[np.ndarray] = field(default_factory=list)
    # A bytearray grows in place; joining a list of arrays would take a second copy.
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
    """Return the sighting with the highest confidence of each face."""
    kept: list[Sighting] = []
    for sighting in sorted(sightings, key=lambda one: -one.confidence):
        if all(_apart(sighting, other) > _SAME_PLACE for other in kept):
            kept.append(sighting)
    return kept


def _link(faces: list[_Face], sightings: list[Sighting], index: int) -> None:
    """Add each sighting to the face whose last sighting is nearest, or to a new face."""
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
    """Return the distance between the centres of two sightings, divided by the larger size."""
    return float(np.linalg.norm(first.centre - second.centre)) / max(first.size, second.size, 1.0)


def _small(picture: UInt8[np.ndarray, "height width 3"]) -> Float32[np.ndarray, "rows columns"]:
    """Return the mean brightness in [0, 1] of 16 x 16 fields of a picture, from a subsample of its pixels."""
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
        # In its first frame the face appears, which counts as a jump.
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
    """Return the face with the largest weight in the pictures of `span`, None when there is no face."""
    ranked = sorted(((_weight(face, span, size), -whose) for whose, face in enumerate(faces)), reverse=True)
    if ranked[0][0] == 0:
        return None
    if choice == "only" and len(ranked) > 1 and ranked[1][0] >= _RIVAL * ranked[0][0]:
        first, last = (edge / film.fps for edge in span)
        raise InputError(
            f"{film.path} shows more than one face of equal weight between {first:.2f} and {last:.2f} s.",
            hint="Choose `face=largest`, or crop the video to the speaker.",
        )
    return faces[-ranked[0][1]]


def _weight(face: _Face, span: tuple[int, int], size: tuple[int, int]) -> float:
    """Return the sum of a face's sizes in `span`; a size counts by half in a corner, fully in the centre."""
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
        # No gap needs filling, so an hour of landmarks need not be copied.
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
    """Return the absolute yaw of a face in degrees: 0 in front view, 90 in profile, NaN without a face."""
    right, left = landmarks[:, 33], landmarks[:, 263]
    across = eye_distance(landmarks)
    return np.degrees(np.arcsin(np.abs(left[:, 2] - right[:, 2]) / across))
