"""Every layout puts each column where it belongs, and no width that fits several is guessed at."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from talkcli.engine.errors import InputError, UsageError
from talkcli.engine.face.channels import ADA, FLAME, JAW_OPEN_RAD, JAW_SIDE_RAD
from talkcli.engine.prepare.layouts import LAYOUTS, layout_of

_APPLE = """
browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff
cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft
eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight
eyeWideLeft eyeWideRight jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight
mouthFrownLeft mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft
mouthPressRight mouthPucker mouthRight mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper
mouthSmileLeft mouthSmileRight mouthStretchLeft mouthStretchRight mouthUpperUpLeft mouthUpperUpRight
noseSneerLeft noseSneerRight tongueOut
"""


def _rows(width: int, frames: int = 4) -> np.ndarray:
    """No two numbers alike, all of them possible shares and angles."""
    return np.linspace(0.01, 0.99, frames * width).reshape(frames, width)


@pytest.mark.parametrize(
    ("name", "expression", "jaw", "pose"),
    [
        ("flame-53", slice(0, 50), slice(50, 53), None),
        ("flame-56", slice(0, 50), slice(53, 56), slice(50, 53)),
        ("flame-103", slice(0, 50), slice(100, 103), None),
        ("flame-153", slice(0, 50), slice(50, 53), None),
        ("flame-156", slice(0, 50), slice(53, 56), slice(50, 53)),
        ("artalk-106", slice(0, 50), slice(103, 106), slice(100, 103)),
    ],
)
def test_flames_columns(name: str, expression: slice, jaw: slice, pose: slice | None) -> None:
    rows = _rows(int(name.split("-")[1]))
    motion = LAYOUTS[name].motion(rows, 25.0)
    assert (motion.head, motion.channels, motion.fps) == ("flame", FLAME, 25.0)
    np.testing.assert_allclose(motion.coeffs[:, :50], rows[:, expression], rtol=1e-6)
    np.testing.assert_allclose(motion.coeffs[:, 50:], rows[:, jaw], rtol=1e-6)
    if pose is None:
        assert motion.pose is None
    else:
        np.testing.assert_allclose(motion.pose, rows[:, pose], rtol=1e-6)


def test_every_width_is_in_its_name() -> None:
    for name, layout in LAYOUTS.items():
        assert len(layout.columns) == len(set(layout.columns)) == int("".join(filter(str.isdigit, name)))


@pytest.mark.parametrize(
    ("name", "jaw_left", "mouth_left", "smile_left", "tongue"),
    [
        ("arkit-52-unreal", 15, 21, 23, 51),
        ("arkit-52-live-link", 16, 22, 23, 51),
        ("arkit-52-apple", 23, 32, 43, 51),
        ("arkit-51-apple", 23, 32, 43, None),
        ("unreal-61", 15, 21, 23, 51),
        ("live-link-61", 16, 22, 23, 51),
    ],
)
def test_arkits_orders(
    name: str, jaw_left: int, mouth_left: int, smile_left: int, tongue: int | None
) -> None:
    layout = LAYOUTS[name]
    for column, channel, scale in (
        (jaw_left, "jawYaw", JAW_SIDE_RAD),
        (mouth_left, "mouthLeft", 1.0),
        (smile_left, "mouthSmileLeft", 1.0),
        (tongue, "tongueOut", 1.0),
        (layout.columns.index("jawOpen"), "jawPitch", JAW_OPEN_RAD),
    ):
        if column is None:
            continue
        rows = np.zeros((3, len(layout.columns)))
        rows[:, column] = 0.5
        coeffs = layout.motion(rows, 30.0).coeffs
        assert coeffs[0, ADA.index(channel)] == pytest.approx(0.5 * scale)
        assert np.count_nonzero(coeffs[0]) == 1


def test_apples_order_is_alphabetical() -> None:
    assert list(LAYOUTS["arkit-52-apple"].columns) == _APPLE.split()


def test_live_links_angles_turn_the_head() -> None:
    layout = LAYOUTS["live-link-61"]
    rows = np.zeros((2, 61))
    rows[:, layout.columns.index("headPitch")] = 0.2
    motion = layout.motion(rows, 60.0)
    np.testing.assert_allclose(motion.pose, [[0.2, 0, 0]] * 2, atol=1e-6)
    assert not motion.coeffs.any()


@pytest.mark.data
def test_the_order_of_a_real_recording(shared_data: Path) -> None:
    path = next((shared_data / "arkit_csv").glob("*.csv"))
    with path.open() as file:
        header = next(csv.reader(file))[2:]
    assert [name.lower() for name in header] == [name.lower() for name in LAYOUTS["live-link-61"].columns]


@pytest.mark.parametrize(
    ("width", "name"),
    [(56, "flame-56"), (103, "flame-103"), (106, "artalk-106"), (153, "flame-153"), (156, "flame-156")],
)
def test_a_width_that_fits_one_layout_tells_it(width: int, name: str) -> None:
    assert layout_of("auto", width) is LAYOUTS[name]


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (53, "flame-53 or ada-53: say which with `layout`"),
        (52, "arkit-52-unreal or arkit-52-live-link or arkit-52-apple"),
        (51, "arkit-51-unreal or arkit-51-live-link or arkit-51-apple"),
        (61, "unreal-61 or live-link-61"),
        (116, "talk preprocess facegood"),
        (54, "54 columns are no known layout: these have 51, 52, 53"),
    ],
)
def test_other_widths_are_not_guessed_at(width: int, words: str) -> None:
    with pytest.raises(InputError, match=words):
        layout_of("auto", width)


def test_a_name_must_fit() -> None:
    with pytest.raises(InputError, match="flame-53 has 53 columns, the array has 54"):
        layout_of("flame-53", 54)
    with pytest.raises(UsageError, match="no layout flame-54"):
        layout_of("flame-54", 54)


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("arkit-52-apple", "mouthClose", 40.0),
        ("ada-53", "browInnerUp", -2.0),
        ("flame-156", "jawPitch", 4.0),
        ("flame-156", "poseY", -6.3),
        ("live-link-61", "headYaw", 12.0),
        ("flame-53", "expression03", np.nan),
        ("flame-53", "expression03", 40.0),
        ("artalk-106", "expression99", np.inf),
    ],
)
def test_what_a_column_cannot_be_is_said(name: str, column: str, value: float) -> None:
    layout = LAYOUTS[name]
    rows = np.zeros((5, len(layout.columns)))
    rows[3, layout.columns.index(column)] = value
    with pytest.raises(InputError, match=rf"{column} is .* in frame 3"):
        layout.motion(rows, 25.0)
