"""Emotion poses: channels that exist, levels in range, and faces that differ."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from talkcli.engine.face.ada.head import AdaHead
from talkcli.engine.face.channels import ADA
from talkcli.engine.face.expressions import EMOTION_POSES, pose_vector
from talkcli.engine.types import EMOTIONS


def test_every_emotion_has_a_pose_within_range() -> None:
    assert tuple(EMOTION_POSES) == EMOTIONS
    for label, pose in EMOTION_POSES.items():
        vector = pose_vector(ADA, pose)
        assert vector.shape == (53,)
        assert vector.dtype == np.float32
        assert (vector >= 0).all() and (vector <= 1).all(), label
        assert np.count_nonzero(vector) == len([level for level in pose.values() if level])


def test_unknown_channel_is_an_error() -> None:
    with pytest.raises(KeyError):
        pose_vector(ADA, {"mouthSmiel": 1.0})


def test_faces_differ_from_one_another() -> None:
    head = AdaHead.load()
    coeffs = torch.from_numpy(np.stack([pose_vector(ADA, pose) for pose in EMOTION_POSES.values()]))
    marks = head.landmarks(head(coeffs))[:, 17:] * 1000
    for (i, one), (j, other) in itertools.combinations(enumerate(EMOTIONS), 2):
        apart = (marks[i] - marks[j]).norm(dim=-1).max()
        assert apart > 1.0, f"{one} and {other} look alike ({apart:.1f} mm)"


def test_happy_lifts_and_sad_drops_the_corners() -> None:
    head = AdaHead.load()
    corner = head.landmark_vertices[[48, 54]]

    def height(label: str) -> float:
        pose = torch.from_numpy(pose_vector(ADA, EMOTION_POSES[label]))[None]
        return float(head(pose)[0, corner, 1].mean()) * 1000

    assert height("happy") > height("neutral") + 4
    assert height("sad") < height("neutral") - 3
