"""The head's angles turn it as the names say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from talkcli.engine.face.arkit import head_pose


@pytest.mark.parametrize(
    ("angles", "looks_at"),
    [
        # The nose points to z, up to begin with; x is the subject's left.
        ((0.3, 0.0, 0.0), (-np.sin(0.3), 0.0, np.cos(0.3))),
        ((0.0, 0.3, 0.0), (0.0, -np.sin(0.3), np.cos(0.3))),
        ((0.0, 0.0, 0.3), (0.0, 0.0, 1.0)),
    ],
)
def test_where_the_nose_points(angles: tuple[float, ...], looks_at: tuple[float, ...]) -> None:
    pose = head_pose(*(np.array([angle]) for angle in angles))
    np.testing.assert_allclose(Rotation.from_rotvec(pose).apply([0, 0, 1])[0], looks_at, atol=1e-6)


def test_turns_are_put_together_in_order() -> None:
    yaw, pitch, roll = np.random.default_rng(0).uniform(-1, 1, (3, 20))
    expected = Rotation.from_euler("YXZ", np.stack([-yaw, pitch, -roll], axis=1))
    ours = Rotation.from_rotvec(head_pose(yaw, pitch, roll))
    assert (ours * expected.inv()).magnitude().max() < 1e-6
