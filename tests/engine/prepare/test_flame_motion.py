"""Arrays become motion of the FLAME head, or a sentence says which of them is none."""

from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.errors import InputError
from talkcli.engine.face.channels import FLAME
from talkcli.engine.prepare.flame_motion import flame_motion, join_motions


def arrays(**changed: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "expression": np.full((4, 100), 0.1),
        "jaw": np.full((4, 3), 0.2),
        "pose": np.full((4, 3), 0.3),
        **changed,
    }


def test_columns() -> None:
    motion = flame_motion("here", **arrays(), fps=30.0)
    assert (motion.head, motion.channels, motion.fps) == ("flame", FLAME, 30.0)
    assert motion.coeffs.dtype == np.float32
    np.testing.assert_allclose(motion.coeffs, [[0.1] * 50 + [0.2] * 3] * 4, atol=1e-7)
    assert motion.pose is not None
    assert motion.pose.dtype == np.float32
    np.testing.assert_allclose(motion.pose, 0.3, atol=1e-7)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"expression": np.zeros((4, 49))}, r"here: expression is \(4, 49\), \(frames, 50 or more\)"),
        ({"expression": np.zeros(200)}, r"expression is \(200,\)"),
        ({"expression": np.zeros((0, 50)), "jaw": np.zeros((0, 3))}, r"expression is \(0, 50\)"),
        ({"jaw": np.zeros((4, 4))}, r"jaw is \(4, 4\), \(frames, 3\)"),
        ({"pose": np.zeros((5, 3))}, "head rotation has 5 frames, expression 4"),
        ({"jaw": np.zeros((4, 3), np.int32)}, "jaw is int32, floats are needed"),
        ({"jaw": np.zeros((4, 3), complex)}, "jaw is complex128"),
        ({"pose": np.full((4, 3), np.nan)}, "head rotation has values that are not finite"),
        ({"expression": np.full((4, 50), 31.0)}, r"expression reaches 31, but no face exceeds \+-30"),
        ({"jaw": np.full((4, 3), -3.2)}, r"jaw reaches 3\.2"),
    ],
)
def test_what_is_no_motion(changed: dict[str, np.ndarray], told: str) -> None:
    with pytest.raises(InputError, match=told):
        flame_motion("here", **arrays(**changed), fps=25.0)


def test_joined() -> None:
    first, second = (flame_motion("here", **arrays(jaw=np.full((4, 3), jaw)), fps=25.0) for jaw in (0.0, 0.5))
    joined = join_motions([first, second])
    np.testing.assert_array_equal(joined.coeffs[:, 50], [0.0] * 4 + [0.5] * 4)
    assert joined.pose is not None
    assert joined.pose.shape == (8, 3)
