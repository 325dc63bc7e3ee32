"""A face that is ada herself, at a known place in the picture: a track, its fit and a film of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from talkcli.engine.face.heads import load_head
from talkcli.engine.types import Motion
from talkcli.engine.video.fit import Fit
from talkcli.engine.video.identity import Identity
from talkcli.engine.video.pictures import Film
from talkcli.engine.video.pose import Similarity
from talkcli.engine.video.track import FaceTrack

FPS = 25.0


def made_fit(
    width: int, height: int, *, frames: int = 6, face_height: float = 0.5, unseen: tuple[int, ...] = ()
) -> tuple[FaceTrack, Fit]:
    """The head in the middle of the picture, its mouth opening from frame to frame."""
    head = load_head("ada")
    coeffs = np.zeros((frames, len(head.channels)), np.float32)
    coeffs[:, head.channels.index("jawPitch")] = np.linspace(0, 0.3, frames)
    coeffs[:, head.channels.index("eyeBlinkLeft")] = np.linspace(1, 0, frames)
    extent = np.ptp(head.template[:, 1])
    scale = np.full(frames, face_height * height / extent)
    middle = (head.template.max(axis=0) + head.template.min(axis=0)) / 2
    shift = np.array([width / 2, -height / 2, 0.0]) - scale[:, None] * middle
    place = Similarity(scale, np.tile(np.eye(3), (frames, 1, 1)), shift)
    with torch.no_grad():
        vertices = head(torch.from_numpy(coeffs))
        points = head.landmarks(vertices).numpy()
    downwards = np.array([1.0, -1.0, -1.0])
    shown = (place.forth(points.astype(float)) * downwards)[:, 17:, :2].astype(np.float32)
    chosen = np.random.default_rng(0).choice(len(head.template), 478, replace=False)
    landmarks = (place.forth(vertices.numpy()[:, chosen].astype(float)) * downwards).astype(np.float32)
    # Irises: a centre and four points round it.
    ring = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]], np.float32) * 0.01 * float(scale[0])
    for eye, corners in ((0, (36, 39)), (1, (42, 45))):
        centre = shown[:, np.array(corners) - 17].mean(axis=1)
        landmarks[:, 468 + 5 * eye : 473 + 5 * eye, :2] = centre[:, None] + ring
    seen = np.ones(frames, bool)
    seen[list(unseen)] = False
    landmarks[~seen] = np.nan
    measured = np.where(seen[:, None, None], shown, np.nan).astype(np.float32)
    track = FaceTrack(
        landmarks=landmarks,
        seen=seen,
        confidence=np.where(seen, 0.9, 0.0).astype(np.float32),
        fps=FPS,
        width=width,
        height=height,
    )
    rest = head.landmarks(torch.from_numpy(head.template)[None])[0].numpy().astype(float)
    fit = Fit(
        motion=Motion(
            coeffs=coeffs, fps=FPS, head="ada", channels=head.channels, pose=np.zeros((frames, 3), np.float32)
        ),
        identity=Identity(
            rest=rest, offsets=np.zeros((68, 3)), gap_m=0.0, open_eyes=np.full(2, 0.4), gaze_height_m=0.0
        ),
        error=np.where(seen, 0.01, np.nan).astype(np.float32),
        projected=shown,
        measured=measured,
        known=np.ones(frames, bool),
        head=head,
        place=place,
    )
    return track, fit


def made_film(path: Path, track: FaceTrack) -> Film:
    """What `open_film` says of a file of as many pictures as `track` has."""
    return Film(
        path=path,
        fps=track.fps,
        num_frames=track.num_frames,
        constant=True,
        rates=(track.fps, track.fps),
        sound_late_s=0.0,
    )
