from __future__ import annotations

import numpy as np
import pytest

from talkcli.engine.data.motion_report import jumps, out_of_range
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.types import Motion


def still(head: str) -> Motion:
    channels = {"ada": ADA, "flame": FLAME}[head]
    return Motion(coeffs=np.zeros((10, len(channels)), np.float32), fps=25.0, head=head, channels=channels)


@pytest.mark.parametrize(
    ("head", "channel", "fine", "odd"),
    [
        ("flame", "expression07", -4.9, -5.1),
        ("flame", "jawPitch", 0.7, 0.9),
        ("ada", "mouthSmileLeft", 1.04, 1.06),
        ("ada", "browInnerUp", -0.04, -0.06),
        ("ada", "jawYaw", -0.7, -0.9),
    ],
)
def test_ranges_follow_the_channel(head: str, channel: str, fine: float, odd: float) -> None:
    motion = still(head)
    motion.coeffs[:, motion.channels.index(channel)] = fine
    assert out_of_range(motion) is None
    motion.coeffs[4, motion.channels.index(channel)] = odd
    text = out_of_range(motion)
    assert text is not None
    assert f"{channel} is {odd:.3g} in frame 4; 10.0 %" in text


@pytest.mark.parametrize(
    ("head", "channel", "fine", "odd"),
    [("flame", "expression07", 2.9, -3.1), ("flame", "jawPitch", 0.19, 0.21), ("ada", "cheekPuff", 0.7, 0.9)],
)
def test_jumps_follow_the_channel(head: str, channel: str, fine: float, odd: float) -> None:
    motion = still(head)
    column = motion.channels.index(channel)
    motion.coeffs[5:, column] = fine
    assert jumps(motion) is None
    motion.coeffs[5:, column] = odd
    text = jumps(motion)
    assert text is not None
    assert f"{channel} moves by {odd:+.3g} after frame 4; 1 such" in text


def test_lips_may_meet_within_a_frame() -> None:
    motion = still("ada")
    motion.coeffs[5:, ADA.index("lipSeal")] = 1.0
    assert jumps(motion) is None


def test_one_frame_has_no_jumps() -> None:
    motion = still("ada")
    assert jumps(Motion(coeffs=motion.coeffs[:1], fps=25.0, head="ada", channels=ADA)) is None
