"""Rotations survive the way to quaternions and back, also past half a turn."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from talkcli.engine.face.quaternions import axis_angles, quaternions


@pytest.mark.parametrize("size", [0.0, 1e-9, 1e-3, 0.5, 3.0, np.pi, 5.0])
def test_quaternions_agree_with_scipy(size: float) -> None:
    vectors = np.random.default_rng(0).normal(size=(20, 3))
    vectors *= size / np.linalg.norm(vectors, axis=1, keepdims=True)
    theirs = Rotation.from_rotvec(vectors).as_quat(scalar_first=True)
    ours = quaternions(vectors)
    np.testing.assert_allclose(np.abs(np.sum(ours * theirs, axis=1)), 1, atol=1e-12)
    back = Rotation.from_rotvec(axis_angles(ours))
    assert (back * Rotation.from_rotvec(vectors).inv()).magnitude().max() < 1e-7


def test_a_turn_past_pi_is_continuous() -> None:
    angles = np.linspace(2.9, 3.4, 40)
    wrapped = np.where(angles > np.pi, angles - 2 * np.pi, angles)
    steps = np.diff(quaternions(wrapped[:, None] * np.array([[1.0, 0, 0]])), axis=0)
    assert np.abs(steps).max() < 0.01


def test_quaternions_of_any_length_and_none_at_all() -> None:
    vectors = np.array([[0.1, -0.2, 0.3], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(axis_angles(quaternions(vectors) * -3.0), vectors, atol=1e-12)
    assert (axis_angles(np.zeros((2, 4))) == 0).all()
    assert quaternions(np.zeros((0, 3))).shape == (0, 4)
