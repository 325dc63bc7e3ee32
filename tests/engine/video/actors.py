"""Face tracks of heads whose coefficients are known: another person's shape, a moving camera, noise."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from talkcli.engine.face.head import Head
from talkcli.engine.video import correspondence as at
from talkcli.engine.video.rig import NUM_IBUG, Rig
from talkcli.engine.video.track import NUM_LANDMARKS, FaceTrack

PIXELS_PER_METRE = 900.0


def acted(head: Head, curves: dict[str, np.ndarray]) -> np.ndarray:
    """Coefficients (frames, 53) with some channels following `curves`."""
    coeffs = np.zeros((len(next(iter(curves.values()))), len(head.channels)), np.float32)
    for name, curve in curves.items():
        coeffs[:, head.channels.index(name)] = curve
    return coeffs


def bump(num_frames: int, middle: float, width: float) -> np.ndarray:
    """A smooth rise to 1 and back within `width` frames on either side of `middle`."""
    away = np.clip(np.abs(np.arange(num_frames) - middle) / width, 0.0, 1.0)
    return 0.5 + 0.5 * np.cos(np.pi * away)


def speech(head: Head, num_frames: int = 100) -> np.ndarray:
    """Rest, four openings of different kinds, a contact between two of them, two blinks, a glance, rest."""
    first, second, third = (bump(num_frames, middle, 9) for middle in (22, 45, 56))
    return acted(
        head,
        {
            "jawPitch": 0.16 * first + 0.12 * second + 0.12 * third,
            "mouthSmileLeft": 0.5 * first,
            "mouthSmileRight": 0.5 * first,
            "mouthFunnel": 0.6 * bump(num_frames, 74, 9),
            "mouthPucker": 0.5 * bump(num_frames, 76, 9),
            "lipSeal": bump(num_frames, 50.5, 3.5),
            "browInnerUp": 0.6 * bump(num_frames, 40, 14),
            "eyeBlinkLeft": bump(num_frames, 30, 3) + bump(num_frames, 66, 3),
            "eyeBlinkRight": bump(num_frames, 30, 3) + bump(num_frames, 66, 3),
            "eyeLookOutLeft": 0.5 * bump(num_frames, 84, 8),
            "eyeLookInRight": 0.5 * bump(num_frames, 84, 8),
        },
    )


def filmed(
    head: Head,
    coeffs: np.ndarray,
    *,
    turns_rad: np.ndarray | None = None,
    noise_px: float = 0.1,
    shape_m: float = 0.0,
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0),
    fps: float = 25.0,
    seed: int = 0,
) -> FaceTrack:
    """What a tracker would see of `coeffs`, turned by `turns_rad` (frames 3, axis-angle).

    The person is `head` stretched along its axes, with every landmark moved by `shape_m` in some direction.
    """
    draw = np.random.default_rng(seed)
    num_frames = len(coeffs)
    rig = Rig(head)
    points = rig.points(coeffs).astype(np.float64)
    moved = np.zeros((NUM_LANDMARKS, 3))
    mesh = np.zeros((num_frames, NUM_LANDMARKS, 3))
    # Whatever is no landmark is rigid: points of the upper head.
    above = head.template[head.template[:, 1] > np.median(head.template[:, 1])]
    mesh[:] = above[draw.integers(0, len(above), NUM_LANDMARKS)]
    for ibug, places in enumerate(at.MESH_OF_IBUG):
        mesh[:, list(places)] = points[:, ibug, None]
        moved[list(places)] = shape_m * draw.normal(size=3) / np.sqrt(3)
    # A pair of lips is moved together: they meet when the person's mouth is closed.
    for upper, lower in at.LIP_PAIRS:
        moved[list(at.MESH_OF_IBUG[lower])] = moved[at.MESH_OF_IBUG[upper][0]]
    if len(points[0]) > NUM_IBUG:
        mesh[:, list(at.IRISES)] = points[:, NUM_IBUG:]
    person = mesh * np.array(stretch) + moved
    turns = np.zeros((num_frames, 3)) if turns_rad is None else turns_rad
    turned = np.einsum("fxy,fpy->fpx", Rotation.from_rotvec(turns).as_matrix(), person)
    picture = turned * PIXELS_PER_METRE * np.array([1.0, -1.0, -1.0]) + np.array([320.0, 240.0, 0.0])
    picture += noise_px * draw.normal(size=picture.shape)
    return FaceTrack(
        landmarks=picture.astype(np.float32),
        seen=np.ones(num_frames, dtype=bool),
        confidence=np.ones(num_frames, dtype=np.float32),
        fps=fps,
        width=640,
        height=480,
    )


def nodding(num_frames: int) -> np.ndarray:
    """Turns (frames, 3): a slow look aside with a nod."""
    time = np.arange(num_frames) / 25.0
    return np.stack([0.1 * np.sin(2.5 * time), 0.3 * np.sin(1.2 * time), 0.05 * np.sin(time)], -1)
