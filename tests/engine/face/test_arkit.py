"""ARKit's curves move ada as its own channels do; the head's angles turn it as the names say."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from talkcli.engine.errors import InputError
from talkcli.engine.face.arkit import ada_coeffs, arkit_curves, head_pose
from talkcli.engine.face.channels import ADA, ARKIT, CHANNELS, JAW_OPEN_RAD, JAW_SIDE_RAD, TONGUE
from talkcli.engine.face.heads import load_head


def motion(num_frames: int = 40, **given: float) -> np.ndarray:
    """Drawn channels in [0, 1], a jaw that opens and moves to both sides, and what is `given`."""
    drawn = np.random.default_rng(0)
    coeffs = drawn.uniform(0, 0.7, (num_frames, len(ADA))).astype(np.float32)
    coeffs[:, ADA.index("jawPitch")] = drawn.uniform(0, JAW_OPEN_RAD, num_frames)
    coeffs[:, ADA.index("jawYaw")] = drawn.uniform(-JAW_SIDE_RAD, JAW_SIDE_RAD, num_frames)
    coeffs[:, ADA.index("jawRoll")] = 0
    for name, value in given.items():
        coeffs[:, ADA.index(name)] = value
    return coeffs


def moved(coeffs: np.ndarray) -> np.ndarray:
    vertices: np.ndarray = load_head("ada")(torch.from_numpy(coeffs)).numpy()
    return vertices


@pytest.mark.parametrize(
    "given", [{}, {"lipSeal": 0}, {"lipSeal": 1}, {"jawPitch": 0}, {"jawPitch": 0.01, "lipSeal": 0.5}]
)
def test_curves_of_arkit_move_the_same_face(given: dict[str, float]) -> None:
    """Measured on ada: no vertex moves by more than 5 micrometres, with seal and jaw as they come."""
    coeffs = motion(**given)
    curves = arkit_curves(coeffs, ADA)
    assert tuple(curves) == ARKIT
    assert all(values.min() >= 0 and values.max() <= 1 for values in curves.values())
    assert np.abs(moved(ada_coeffs(curves, len(coeffs))) - moved(coeffs)).max() < 5e-6


def test_curves_come_back_as_they_were() -> None:
    """Where the lips are no more than closed, and the jaw goes to one side."""
    drawn = np.random.default_rng(0)
    curves = {name: drawn.uniform(0, 1, 30).astype(np.float32) for name in ARKIT}
    curves["mouthClose"] *= curves["jawOpen"]
    curves["jawRight"][:15], curves["jawLeft"][15:] = 0, 0
    again = arkit_curves(ada_coeffs(curves, 30), ADA)
    for name in ARKIT:
        np.testing.assert_allclose(again[name], curves[name], atol=1e-6, err_msg=name)


def test_lips_are_closed_by_as_much_as_the_jaw_is_open() -> None:
    curves = arkit_curves(motion(lipSeal=1, mouthClose=0, jawPitch=0.5 * JAW_OPEN_RAD), ADA)
    np.testing.assert_allclose(curves["mouthClose"], 0.5, atol=1e-6)
    np.testing.assert_allclose(curves["jawOpen"], 0.5, atol=1e-6)
    wide = arkit_curves(motion(jawPitch=2 * JAW_OPEN_RAD, jawYaw=-1.0), ADA)
    assert (wide["jawOpen"] == 1).all() and (wide["jawRight"] == 1).all() and (wide["jawLeft"] == 0).all()


def test_of_the_tongue_arkit_has_what_is_seen() -> None:
    bare = motion(tongueOut=0.2)
    moved = np.zeros((len(bare), 3), np.float32)
    moved[:, [0, 2]] = 1.0
    plain = arkit_curves(bare, ADA)
    wide = arkit_curves(np.concatenate([bare, moved], axis=1), ADA + TONGUE)
    assert list(wide) == list(ARKIT)
    for name, values in plain.items():
        np.testing.assert_array_equal(wide[name], values)
    moved[:, 1] = 1.0
    between = arkit_curves(np.concatenate([bare, moved], axis=1), ADA + TONGUE)
    assert between["tongueOut"] == pytest.approx(0.65)
    assert (between["jawOpen"] == plain["jawOpen"]).all()


@pytest.mark.parametrize("channels", [CHANNELS["flame"], ADA[::-1], ADA[:-1], TONGUE + ADA])
def test_channels_of_another_head_are_refused(channels: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="another head"):
        arkit_curves(motion(), channels)


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
