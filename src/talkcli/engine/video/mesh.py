"""Face mesh of every face in a picture, by MediaPipe, with a confidence from MediaPipe's face detector.

Axis names: landmarks in the order of `FaceTrack`.
Source: Kartynnik et al., Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs (2019), and
the attention mesh of Grishchenko et al. (2020), as packed in mediapipe 0.10.21. The Python class FaceMesh
hides the detector; we run the same graph and also read the detector's output.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, UInt8

from talkcli.engine.optional import require
from talkcli.engine.video.silence import SilentNetworks, silenced

# Landmarks of the corners of the eyes.
RIGHT_EYE, LEFT_EYE = (33, 133), (263, 362)
OUTER_EYE_CORNERS = (33, 263)
# Outer corners of the mouth.
MOUTH_CORNERS = (61, 291)
# The detector's six points, in its order, as means of landmarks: eyes, tip of the nose, mouth, ears.
_SIX_POINTS = (RIGHT_EYE, LEFT_EYE, (1,), (13, 14), (234,), (454,))
# Greatest number of faces in a picture.
MOST_FACES = 4
_GRAPH = "mediapipe/modules/face_landmark/face_landmark_front_cpu.binarypb"
_DETECTOR = (
    "facedetectionshortrangecpu__facedetectionshortrange__facedetection__TensorsToDetectionsCalculator"
)
# Smallest score at which the detector reports a face and the mesh keeps one.
_LEAST_SCORE = 0.5
# Confidence of a face that the mesh follows although the detector does not report it.
_UNDETECTED = 0.25
# Thresholds on the distance between the detector's points and the landmarks, in eye distances. Up to the
# first they agree fully (on well tracked faces of GRID the distance is 0.02 to 0.1); from the second on they
# are not of the same face.
_AGREEMENT, _DISAGREEMENT = 0.15, 0.5


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """Face in one picture."""

    landmarks: Float32[np.ndarray, "478 3"]
    """Landmarks in pixels, as in `FaceTrack`."""
    confidence: float
    """Confidence of the landmarks in [0, 1]."""

    @property
    def size(self) -> float:
        """Return the longer side of the landmarks' bounding box, in pixels."""
        return float(np.ptp(self.landmarks[:, :2], axis=0).max())

    @property
    def centre(self) -> Float[np.ndarray, "2"]:
        """Return the centre of the landmarks' bounding box, in pixels."""
        points = self.landmarks[:, :2]
        return (points.min(axis=0) + points.max(axis=0)) / 2


class FaceMesh(SilentNetworks):
    """MediaPipe's face mesh on successive pictures; it searches for a face where the previous picture had it.

    The same pictures give the same numbers. The mesh finds up to `MOST_FACES` faces, but not those much
    smaller than a tenth of the picture. Entering the context raises ExtraError when mediapipe is not
    installed.
    """

    def __enter__(self) -> FaceMesh:
        with silenced():
            for package in ("mediapipe", "mediapipe.python.solution_base"):
                solution = require(package, purpose="Following faces in videos")
            self._networks = solution.SolutionBase(
                binary_graph_path=_GRAPH,
                # The detector runs on every picture until the mesh follows this many faces.
                side_inputs={"num_faces": MOST_FACES, "with_attention": True, "use_prev_landmarks": True},
                calculator_params={
                    f"{_DETECTOR}.min_score_thresh": _LEAST_SCORE,
                    "facelandmarkcpu__ThresholdingCalculator.threshold": _LEAST_SCORE,
                },
                outputs=["multi_face_landmarks", "face_detections"],
            )
            # The networks load, and print warnings, on the first picture; this one is black and has no face.
            self._networks.process({"image": np.zeros((64, 64, 3), np.uint8)})
        return self

    def sightings(self, picture: UInt8[np.ndarray, "height width 3"]) -> list[Sighting]:
        """Return the faces of the next picture (sRGB), in no particular order."""
        seen = self._see(self._networks.process, {"image": picture}, "multi_face_landmarks")
        height, width = picture.shape[:2]
        # MediaPipe gives depth in units of the picture's width.
        unit = np.array([width, height, width], np.float32)
        detections = [
            (
                float(detection.score[0]),
                np.array([(p.x * width, p.y * height) for p in detection.location_data.relative_keypoints]),
            )
            for detection in seen.face_detections or []
        ]
        sightings = []
        for face in seen.multi_face_landmarks or []:
            landmarks = np.array([(p.x, p.y, p.z) for p in face.landmark], np.float32) * unit
            sightings.append(Sighting(landmarks=landmarks, confidence=confirmed(landmarks, detections)))
        return sightings


def eye_distance(landmarks: Float[np.ndarray, "*batch 478 3"]) -> Float[np.ndarray, "*batch"]:
    """Return the distance of the outer corners of the eyes in 3D, which turning the head does not reduce."""
    right, left = OUTER_EYE_CORNERS
    return np.asarray(np.linalg.norm(landmarks[..., left, :] - landmarks[..., right, :], axis=-1))


def confirmed(
    landmarks: Float32[np.ndarray, "478 3"], detections: list[tuple[float, Float[np.ndarray, "6 2"]]]
) -> float:
    """Return the confidence of `landmarks`: the detector's score, reduced by the distance of its six points.

    The detector searches the whole picture anew, while the mesh starts from the previous picture. So a mesh
    that drifts off its face, or follows something else, gets a low confidence.

    Args:
        landmarks: Landmarks in pixels.
        detections: Score and six points in pixels of every face that the detector reports; the best counts.
    """
    points = np.stack([landmarks[list(some), :2].mean(axis=0) for some in _SIX_POINTS])
    scale = float(eye_distance(landmarks))
    best = _UNDETECTED
    for score, found in detections:
        apart = float(np.median(np.linalg.norm(found - points, axis=1))) / scale
        share = np.clip((_DISAGREEMENT - apart) / (_DISAGREEMENT - _AGREEMENT), 0, 1)
        best = max(best, score * float(share))
    return min(best, 1.0)
