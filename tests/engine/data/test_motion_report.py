from __future__ import annotations

import json

import numpy as np
import pytest

from talkcli.engine.data.motion_report import jumps, oddities, out_of_range, report
from talkcli.engine.face.channels import ADA, FLAME
from talkcli.engine.types import Motion
from tests.engine.data.test_lag import spoken


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


@pytest.mark.parametrize("channel", ["lipSeal", "eyeBlinkLeft", "eyeWideRight"])
def test_lips_may_meet_and_lids_shut_within_a_frame(channel: str) -> None:
    motion = still("ada")
    motion.coeffs[5:, ADA.index(channel)] = 1.0
    assert jumps(motion) is None


def test_one_frame_has_no_jumps() -> None:
    motion = still("ada")
    assert jumps(Motion(coeffs=motion.coeffs[:1], fps=25.0, head="ada", channels=ADA)) is None


def test_a_report_in_numbers() -> None:
    speech, motion = spoken(6.0)
    found = report(speech, motion)
    assert set(found) == {"out_of_range", "largest_step", "lag_frames", "lag_error_frames", "lag_r"}
    assert found["out_of_range"] == 0
    assert 0 < found["largest_step"] < 1
    assert abs(found["lag_frames"]) < 0.5
    assert json.loads(json.dumps(found)) == found


def test_a_report_says_what_is_odd_in_words() -> None:
    speech, motion = spoken(6.0, late_frames=5)
    motion.coeffs[10, ADA.index("browInnerUp")] = 3.0
    found = report(speech, motion)
    assert found["out_of_range"] == round(1 / 150, 4)
    assert "browInnerUp is 3 in frame 10" in found["range"]
    assert "browInnerUp moves by" in found["jump"]
    assert "late" in found["lag"]
    assert found["lag_frames"] == pytest.approx(5, abs=0.5)


def test_what_cannot_be_told_is_left_out() -> None:
    speech, motion = spoken(6.0)
    assert report(speech, None) == {}
    assert set(report(None, motion)) == {"out_of_range", "largest_step"}
    assert set(report(speech, motion, still=True)) == {"out_of_range"}
    assert set(report(*spoken(1.0))) == {"out_of_range", "largest_step"}


def test_oddities_of_a_set() -> None:
    said = [("a", {"lag_r": 0.5}), ("b", {"jump": "first"}), ("c", {"jump": "second", "range": "far"})]
    found = oddities(said)
    assert [(odd.kind, odd.clips) for odd in found] == [("range", ("c",)), ("jump", ("b", "c"))]
    assert str(found[1]) == "Steps that no face makes in b, c; the first: first."
    assert oddities([]) == []
