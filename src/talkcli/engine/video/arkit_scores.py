"""ARKit's scores of the face in pictures, by the networks of MediaPipe's FaceLandmarker.

Axis names: `frames`, `scores` = 52, in the order of `ARKIT`.
Source: the bundle face_landmarker.task, float16/1 (Google, 2023; Apache-2.0); its scores come from a network
on 146 of the 478 landmarks. Each picture is scored by itself. The networks can also follow a face through a
video, but then they filter the landmarks with a causal filter: on GRID's takes a blink lasts a frame longer,
and vowels come a frame late.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt8

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import ARKIT
from talkcli.engine.optional import require
from talkcli.engine.video.bundle import HOW_TO_GET, read_bundle
from talkcli.engine.video.silence import SilentNetworks, silenced
from talkcli.engine.video.track import NUM_LANDMARKS, FaceTrack

# Side of the square around a followed face, in longer sides of the face's bounding box. At 2 and 3 the scores
# of brows tremble more, and faces beside it come into view.
_MARGIN = 1.5
# Smallest side of that square in pixels: the networks crash on pictures of a few pixels.
_SMALLEST_SIDE_PX = 16
# Number of faces that are looked for: the one beside the followed face may be the clearer one.
_MOST_FACES = 2
# Greatest distance (median over landmarks) between the networks' face and the followed one, in longer sides
# of the face's bounding box. On films of one face it is 0.01 to 0.03.
_SAME_FACE = 0.15
_COLUMN = {name: column for column, name in enumerate(ARKIT)}


class FaceScorer(SilentNetworks):
    """The networks of the bundle on single pictures; equal pictures give equal numbers."""

    def __init__(self, bundle: Path) -> None:
        """Read the bundle; `__enter__` loads its networks. Raises InputError as `read_bundle` does."""
        self._bundle, self._content = bundle, read_bundle(bundle)

    def __enter__(self) -> FaceScorer:
        """Load the networks.

        Raises:
            InputError: The bundle holds other networks.
            ExtraError: mediapipe is not installed.
        """
        with silenced():
            self._mediapipe: Any = require("mediapipe", purpose="Scoring faces")
            tasks: Any = require("mediapipe.tasks.python", purpose="Scoring faces")
            vision = tasks.vision
            options = vision.FaceLandmarkerOptions(
                base_options=tasks.BaseOptions(model_asset_buffer=self._content),
                running_mode=vision.RunningMode.IMAGE,
                num_faces=_MOST_FACES,
                output_face_blendshapes=True,
            )
            try:
                self._networks = vision.FaceLandmarker.create_from_options(options)
            except (RuntimeError, ValueError) as error:
                # MediaPipe's messages are traces of its own C++ code.
                raise InputError(
                    f"{self._bundle} holds networks that mediapipe cannot run.", hint=HOW_TO_GET
                ) from error
        return self

    def scores(
        self,
        picture: UInt8[np.ndarray, "height width 3"],
        landmarks: Float32[np.ndarray, "478 3"] | None = None,
    ) -> Float32[np.ndarray, "52"] | None:
        """Return the scores in [0, 1] of the face in a picture (sRGB); None where the networks find none.

        Args:
            picture: A picture; without `landmarks` of at least 16 pixels on each side.
            landmarks: The face that counts, in pixels as in `FaceTrack`; None takes the largest.

        Returns:
            Scores in the order of `ARKIT`. `tongueOut` is always 0: the bundle has no score for it.

        Raises:
            ValueError: The picture is smaller, and `landmarks` is None.
        """
        corner = np.zeros(2)
        if landmarks is not None:
            picture, corner = _around(picture, landmarks)
        elif min(picture.shape[:2]) < _SMALLEST_SIDE_PX:
            raise ValueError(f"The networks need {_SMALLEST_SIDE_PX} pixels on each side: {picture.shape}.")
        image = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=picture)
        found = self._see(self._networks.detect, image, "face_blendshapes")
        which = _chosen(found.face_landmarks, picture, corner, landmarks)
        if which is None:
            return None
        scores = np.zeros(len(ARKIT), np.float32)
        for category in found.face_blendshapes[which]:
            # The bundle's own score `_neutral` is no channel of ARKit.
            if category.category_name in _COLUMN:
                scores[_COLUMN[category.category_name]] = category.score
        return scores


def arkit_scores(
    pictures: Iterable[UInt8[np.ndarray, "height width 3"]], bundle: Path, track: FaceTrack | None = None
) -> Float32[np.ndarray, "frames 52"]:
    """Return ARKit's scores of one face in each of `pictures`, in the order of `ARKIT`.

    A score is the networks' own: it goes from 0 to 1, but neither is it 0 on a face at rest nor 1 on the
    strongest expression (`merge.py` turns scores into motion).

    Args:
        pictures: Pictures in sRGB, such as those of `read_pictures` or of a renderer.
        bundle: Path of face_landmarker.task, such as `find_bundle` returns.
        track: Track of the face that counts, with one frame per picture; None takes the largest face of each
            picture.

    Returns:
        Scores in [0, 1]; NaN in frames without the face. `tongueOut` is always 0: the bundle has no score
        for it.

    Raises:
        InputError: The bundle is damaged or holds other networks.
        ExtraError: mediapipe is not installed.
        ValueError: There are more pictures than the track has frames, or a picture without a track is
            narrower than 16 pixels.
    """
    rows: list[np.ndarray] = []
    absent = np.full(len(ARKIT), np.nan, np.float32)
    with FaceScorer(bundle) as scorer:
        for frame, picture in enumerate(pictures):
            if track is not None and frame >= track.num_frames:
                raise ValueError(f"There are more pictures than the {track.num_frames} frames of the track.")
            seen = track is None or bool(track.seen[frame])
            followed = None if track is None else track.landmarks[frame]
            found = scorer.scores(picture, followed) if seen else None
            rows.append(absent if found is None else found)
    return np.stack(rows) if rows else np.zeros((0, len(ARKIT)), np.float32)


def _around(
    picture: UInt8[np.ndarray, "height width 3"], landmarks: Float32[np.ndarray, "478 3"]
) -> tuple[UInt8[np.ndarray, "side side 3"], Float32[np.ndarray, "2"]]:
    """Return the square around a face, black beyond the picture, and its upper left corner in the picture."""
    low, high = landmarks[:, :2].min(axis=0), landmarks[:, :2].max(axis=0)
    side = max(_SMALLEST_SIDE_PX, int(np.ceil(_MARGIN * (high - low).max())))
    left, top = np.floor((low + high - side) / 2).astype(int)
    height, width = picture.shape[:2]
    square = np.zeros((side, side, 3), np.uint8)
    rows = slice(max(top, 0), max(min(top + side, height), 0))
    columns = slice(max(left, 0), max(min(left + side, width), 0))
    shown = picture[rows, columns]
    # A face that lies wholly outside leaves the square black.
    if shown.size:
        down, right = max(-top, 0), max(-left, 0)
        square[down : down + shown.shape[0], right : right + shown.shape[1]] = shown
    return square, np.array([left, top], np.float32)


def _chosen(
    faces: list[Any],
    picture: UInt8[np.ndarray, "height width 3"],
    corner: np.ndarray,
    landmarks: Float32[np.ndarray, "478 3"] | None,
) -> int | None:
    """Return the index of the face at `landmarks`, or without these of the largest face; None for none."""
    if not faces:
        return None
    height, width = picture.shape[:2]
    found = np.array([[(p.x * width, p.y * height) for p in face[:NUM_LANDMARKS]] for face in faces]) + corner
    if landmarks is None:
        return int(np.ptp(found, axis=1).max(axis=1).argmax())
    size = float(np.ptp(landmarks[:, :2], axis=0).max())
    apart = np.median(np.linalg.norm(found - landmarks[:, :2], axis=-1), axis=1) / size
    nearest = int(apart.argmin())
    return nearest if apart[nearest] <= _SAME_FACE else None
